//! What the engine answers: a decision with its reason, as a value that can be printed before it is applied.

use std::fmt;

use super::address::Address;
use super::instance::InstanceKey;
use super::method::Method;
use super::object::CalendarObject;
use super::revision::Revisions;
use super::summary::Summary;

/// A reason not to do what a message or a change asks for, by its name in scenarios.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    NoSchedulingInfo,
    OtherSchedulingAgent,
    NotOrganizer,
    NotOrganizerNorAttendee,
    NothingToSend,
    MissingUid,
    MultipleUid,
    MultipleOrganizer,
    MultipleObjectTypes,
    MultipleObjectInstances,
    CannotModifyProperty(String),
    CannotModifyInstance,
    CannotModifyAddress,
    OrganizerMismatch,
    MissingMethod,
    InvalidComponentType,
    OutOfSequence,
    OrganizerIsLocalAddress,
    SenderIsNotOrganizerNorAttendee,
    SenderIsNotParticipant(Address),
    UnknownParticipant(Address),
    UnsupportedMethod(String),
    ICalendarParseError,
    EventNotFound,
    EventTooLarge,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NoSchedulingInfo => f.write_str("NoSchedulingInfo"),
            Refusal::OtherSchedulingAgent => f.write_str("OtherSchedulingAgent"),
            Refusal::NotOrganizer => f.write_str("NotOrganizer"),
            Refusal::NotOrganizerNorAttendee => f.write_str("NotOrganizerNorAttendee"),
            Refusal::NothingToSend => f.write_str("NothingToSend"),
            Refusal::MissingUid => f.write_str("MissingUid"),
            Refusal::MultipleUid => f.write_str("MultipleUid"),
            Refusal::MultipleOrganizer => f.write_str("MultipleOrganizer"),
            Refusal::MultipleObjectTypes => f.write_str("MultipleObjectTypes"),
            Refusal::MultipleObjectInstances => f.write_str("MultipleObjectInstances"),
            Refusal::CannotModifyProperty(name) => write!(f, "CannotModifyProperty({name})"),
            Refusal::CannotModifyInstance => f.write_str("CannotModifyInstance"),
            Refusal::CannotModifyAddress => f.write_str("CannotModifyAddress"),
            Refusal::OrganizerMismatch => f.write_str("OrganizerMismatch"),
            Refusal::MissingMethod => f.write_str("MissingMethod"),
            Refusal::InvalidComponentType => f.write_str("InvalidComponentType"),
            Refusal::OutOfSequence => f.write_str("OutOfSequence"),
            Refusal::OrganizerIsLocalAddress => f.write_str("OrganizerIsLocalAddress"),
            Refusal::SenderIsNotOrganizerNorAttendee => f.write_str("SenderIsNotOrganizerNorAttendee"),
            Refusal::SenderIsNotParticipant(address) => write!(f, "SenderIsNotParticipant({address})"),
            Refusal::UnknownParticipant(address) => write!(f, "UnknownParticipant({address})"),
            Refusal::UnsupportedMethod(method) => write!(f, "UnsupportedMethod({method})"),
            Refusal::ICalendarParseError => f.write_str("ICalendarParseError"),
            Refusal::EventNotFound => f.write_str("EventNotFound"),
            Refusal::EventTooLarge => f.write_str("EventTooLarge"),
        }
    }
}

impl Refusal {
    /// A sentence for the person who runs the mail server.
    pub fn sentence(&self) -> String {
        match self {
            Refusal::NoSchedulingInfo => "it names no organizer and no attendees, so there is nobody to tell".into(),
            Refusal::OtherSchedulingAgent => "its SCHEDULE-AGENT says that somebody else sends the messages".into(),
            Refusal::NotOrganizer => "only the organizer may send or receive this, and the other side is not".into(),
            Refusal::NotOrganizerNorAttendee => "the user is neither its organizer nor one of its attendees".into(),
            Refusal::NothingToSend => "the change owes nobody a message".into(),
            Refusal::MissingUid => "a component has no UID".into(),
            Refusal::MultipleUid => "it holds components of more than one UID".into(),
            Refusal::MultipleOrganizer => "its components name different organizers".into(),
            Refusal::MultipleObjectTypes => "it mixes events, to-dos or journal entries".into(),
            Refusal::MultipleObjectInstances => "two of its components describe the same instance".into(),
            Refusal::CannotModifyProperty(name) => format!("an attendee may not change {name}"),
            Refusal::CannotModifyInstance => "an attendee may not add or remove this instance".into(),
            Refusal::CannotModifyAddress => "an attendee may not change who else is invited".into(),
            Refusal::OrganizerMismatch => "it names another organizer than the stored object".into(),
            Refusal::MissingMethod => "it has no METHOD, so it is no scheduling message".into(),
            Refusal::InvalidComponentType => "its kind of component is not scheduled by mail here".into(),
            Refusal::OutOfSequence => "it is older than what has been taken already".into(),
            Refusal::OrganizerIsLocalAddress => "it claims to come from the user's own address as organizer".into(),
            Refusal::SenderIsNotOrganizerNorAttendee => {
                "its sender is neither the organizer nor one of the attendees of the stored object".into()
            }
            Refusal::SenderIsNotParticipant(address) => {
                format!("it speaks for an attendee, but was sent by {address}, who is somebody else")
            }
            Refusal::UnknownParticipant(address) => format!("{address} was never invited"),
            Refusal::UnsupportedMethod(method) => format!("METHOD {method} is not taken here"),
            Refusal::ICalendarParseError => "its calendar text cannot be read".into(),
            Refusal::EventNotFound => "the calendar holds no such object or instance".into(),
            Refusal::EventTooLarge => "it is beyond the limits on size, or recurs more than once each minute".into(),
        }
    }

    /// The stable kebab-case name of the log.
    pub fn log_name(&self) -> &'static str {
        match self {
            Refusal::NoSchedulingInfo => "no-scheduling-info",
            Refusal::OtherSchedulingAgent => "other-scheduling-agent",
            Refusal::NotOrganizer => "not-organizer",
            Refusal::NotOrganizerNorAttendee => "not-organizer-nor-attendee",
            Refusal::NothingToSend => "nothing-to-send",
            Refusal::MissingUid => "missing-uid",
            Refusal::MultipleUid => "multiple-uid",
            Refusal::MultipleOrganizer => "multiple-organizer",
            Refusal::MultipleObjectTypes => "multiple-object-types",
            Refusal::MultipleObjectInstances => "multiple-object-instances",
            Refusal::CannotModifyProperty(_) => "cannot-modify-property",
            Refusal::CannotModifyInstance => "cannot-modify-instance",
            Refusal::CannotModifyAddress => "cannot-modify-address",
            Refusal::OrganizerMismatch => "organizer-mismatch",
            Refusal::MissingMethod => "missing-method",
            Refusal::InvalidComponentType => "invalid-component-type",
            Refusal::OutOfSequence => "out-of-sequence",
            Refusal::OrganizerIsLocalAddress => "organizer-is-local-address",
            Refusal::SenderIsNotOrganizerNorAttendee => "sender-is-not-organizer-nor-attendee",
            Refusal::SenderIsNotParticipant(_) => "sender-is-not-participant",
            Refusal::UnknownParticipant(_) => "unknown-participant",
            Refusal::UnsupportedMethod(_) => "unsupported-method",
            Refusal::ICalendarParseError => "icalendar-parse-error",
            Refusal::EventNotFound => "event-not-found",
            Refusal::EventTooLarge => "event-too-large",
        }
    }
}

/// Why a decision was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A new object came in by REQUEST or ADD.
    Invited,
    /// Somebody published something new, and the policy takes it (RFC 5546 §3.2.1).
    Published,
    /// The organizer changed a held object.
    Updated,
    /// The organizer cancelled a held object or instances of it.
    Cancelled,
    /// An attendee answered.
    Answered,
    /// Somebody asked for the current version and gets it.
    Refreshed,
    /// An ADD for an object that is not held: its organizer is asked for the whole (RFC 5546 §3.2.4).
    AskedForWhole,
    /// A publication of something that the user is invited to; only the messages to its attendees count.
    HeldAsInvitation,
    /// The message says what is held already.
    NothingNew,
    /// A CANCEL for an object that is not held; remembered, so that its late REQUEST is known as late (RFC 5546 §5.2.1).
    CancelRemembered,
    /// An attendee proposes another time; the organizer decides (RFC 5546 §3.2.7).
    CounterProposal,
    /// The organizer declined the user's proposal; nothing changes (RFC 5546 §3.2.8).
    CounterDeclined,
    /// An invitation that the policy does not add by itself; it waits for the user.
    WaitsForUser,
    /// An invitation whose attendees do not include the user: forwarded, or sent to a list.
    NotInvitedByName,
    /// An attendee sends the user in their place; whether they were invited at all cannot be told (RFC 5546 §3.2.2.3).
    DelegatedToUser,
    /// An answer to a time that the organizer has changed since.
    AnswersOlderTime,
    /// An attendee who was never invited answered; kept for the organizer to see, by policy.
    PartyCrasher(Address),
    /// Somebody answers as the delegate of an attendee who has not said so; it waits until they do (RFC 5546 §3.2.2.3).
    DelegateUnconfirmed,
    /// Nothing proves that the mail comes from whom it names; the message waits for the user.
    SenderUnproven,
    /// The mail server found that the mail does not come from whom it names.
    SenderContradicted,
    /// An invitation in a mail that a filter has marked as spam.
    MarkedAsSpam,
    /// An invitation from somebody of whom only the message says that they act for its organizer.
    SpeaksForAnother,
    /// The user's own client has sent it; what is stored follows.
    SentByClient,
    /// The message is not taken.
    Refused(Refusal),
}

impl Reason {
    /// The stable kebab-case name: a promise to scripts.
    pub fn name(&self) -> &'static str {
        match self {
            Reason::Invited => "invited",
            Reason::Published => "published",
            Reason::Updated => "updated",
            Reason::Cancelled => "cancelled",
            Reason::Answered => "answered",
            Reason::Refreshed => "refreshed",
            Reason::AskedForWhole => "asked-for-whole",
            Reason::HeldAsInvitation => "held-as-invitation",
            Reason::NothingNew => "nothing-new",
            Reason::CancelRemembered => "cancel-remembered",
            Reason::CounterProposal => "counter-proposal",
            Reason::CounterDeclined => "counter-declined",
            Reason::WaitsForUser => "waits-for-user",
            Reason::NotInvitedByName => "not-invited-by-name",
            Reason::DelegatedToUser => "delegated-to-user",
            Reason::AnswersOlderTime => "answers-older-time",
            Reason::PartyCrasher(_) => "party-crasher",
            Reason::DelegateUnconfirmed => "delegate-unconfirmed",
            Reason::SenderUnproven => "sender-unproven",
            Reason::SenderContradicted => "sender-contradicted",
            Reason::MarkedAsSpam => "marked-as-spam",
            Reason::SpeaksForAnother => "speaks-for-another",
            Reason::SentByClient => "sent-by-client",
            Reason::Refused(refusal) => refusal.log_name(),
        }
    }

    /// A sentence that an administrator understands.
    pub fn sentence(&self) -> String {
        match self {
            Reason::Invited => "A new invitation; it is in the calendar now.".into(),
            Reason::Published => "Somebody published it, and policy.publications takes it into the calendar.".into(),
            Reason::Updated => "The organizer changed the event; the stored copy follows.".into(),
            Reason::Cancelled => "The organizer cancelled it; the stored copy says so.".into(),
            Reason::Answered => "An attendee answered; the organizer's copy shows it.".into(),
            Reason::Refreshed => "An attendee asked for the current version and is sent it.".into(),
            Reason::AskedForWhole => {
                "An instance was added to a series that is not held; the organizer is asked for the whole.".into()
            }
            Reason::HeldAsInvitation => "A publication of what the user is invited to; the invitation counts.".into(),
            Reason::NothingNew => "It says nothing that the calendar does not hold already.".into(),
            Reason::CancelRemembered => {
                "A cancellation of something unknown; remembered in case its invitation is late.".into()
            }
            Reason::CounterProposal => "An attendee proposes a change; it is kept for the organizer to decide.".into(),
            Reason::CounterDeclined => "The organizer declined the user's proposal; nothing changes.".into(),
            Reason::WaitsForUser => {
                "An invitation that policy.auto_add does not add by itself; it waits in `imipd invitations`.".into()
            }
            Reason::NotInvitedByName => {
                "The invitation does not name the user; it waits in `imipd invitations`.".into()
            }
            Reason::DelegatedToUser => {
                "An attendee asks the user to come in their place; it waits in `imipd invitations`.".into()
            }
            Reason::AnswersOlderTime => "An answer to a time that has changed since; a new answer is awaited.".into(),
            Reason::PartyCrasher(address) => {
                format!("{address} answered without being invited; kept for the organizer to see.")
            }
            Reason::DelegateUnconfirmed => {
                "Its sender answers in place of an attendee who has not said so; it is kept until they do.".into()
            }
            Reason::SenderUnproven => {
                "Nothing proves that it comes from whom it names; it waits in `imipd invitations`.".into()
            }
            Reason::SenderContradicted => {
                "Not taken: the mail server found that it does not come from whom it names.".into()
            }
            Reason::MarkedAsSpam => "A filter marked the mail as spam; it waits in `imipd invitations`.".into(),
            Reason::SpeaksForAnother => {
                "Its sender claims to act for another organizer; it waits in `imipd invitations`.".into()
            }
            Reason::SentByClient => {
                "The user's own client sent it; what is stored agrees with it, and nobody is told again.".into()
            }
            Reason::Refused(refusal) => format!("Not taken: {}.", refusal.sentence()),
        }
    }
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The calendar changed.
    Applied,
    /// Nothing to change.
    Unchanged,
    /// Kept aside for the user to decide.
    Proposed,
    /// Not taken.
    Refused,
}

impl Verdict {
    /// The stable name: a promise to scripts.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Applied => "applied",
            Verdict::Unchanged => "unchanged",
            Verdict::Proposed => "proposed",
            Verdict::Refused => "refused",
        }
    }
}

/// The engine's answer to one incoming message.
#[derive(Clone, Debug)]
pub struct Decision {
    pub verdict: Verdict,
    pub reason: Reason,
    /// The object to store in place of the held one; nothing when it stays as it is.
    pub store: Option<CalendarObject>,
    /// The order of messages to remember; nothing when it stays as it is.
    pub revisions: Option<Revisions>,
    /// The instances that the message spoke of and that changed.
    pub changed: Vec<InstanceKey>,
    /// The messages that are owed in return.
    pub outgoing: Vec<Outgoing>,
}

impl Decision {
    /// A decision that changes nothing.
    pub fn unchanged(reason: Reason) -> Self {
        Self::without_change(Verdict::Unchanged, reason)
    }

    /// A decision that leaves the message to the user.
    pub fn proposed(reason: Reason) -> Self {
        Self::without_change(Verdict::Proposed, reason)
    }

    /// A refusal.
    pub fn refused(refusal: Refusal) -> Self {
        Self::without_change(Verdict::Refused, Reason::Refused(refusal))
    }

    fn without_change(verdict: Verdict, reason: Reason) -> Self {
        Self { verdict, reason, store: None, revisions: None, changed: Vec::new(), outgoing: Vec::new() }
    }
}

/// A scheduling message that is owed.
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub from: Address,
    /// The recipients, sorted, none twice.
    pub to: Vec<Address>,
    pub method: Method,
    pub summary: Summary,
    /// The message itself, with METHOD.
    pub object: CalendarObject,
}

/// The engine's answer to a change that a user made to an object of their own.
#[derive(Clone, Debug)]
pub struct Announcement {
    /// What is to be stored; nothing when the object goes.
    pub store: Option<CalendarObject>,
    pub revisions: Revisions,
    /// The messages that are owed, or why none is.
    pub outgoing: Result<Vec<Outgoing>, Refusal>,
}
