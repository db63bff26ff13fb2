//! REPLY: an attendee answers the organizer (RFC 5546 §3.2.3).
//!
//! | we are | the reply is from | about | what happens |
//! |---|---|---|---|
//! | the organizer | an attendee | the master or an override | PARTSTAT, RSVP and DELEGATED-TO are taken |
//! | the organizer | an attendee | an instance without override | the override is made from the master |
//! | the organizer | an attendee | an instance that the series does not have | refused |
//! | the organizer | an attendee | what this attendee has answered since | out of sequence |
//! | the organizer | an attendee | a time that has changed since | nothing; a new answer is awaited |
//! | the organizer | an attendee of other instances | this one | as from somebody never invited |
//! | the organizer | an attendee who delegates | anything | the delegates are added, a few at most |
//! | the organizer | the delegate of an attendee | anything | the same; added where missing |
//! | the organizer | who names an attendee that has sent nobody yet as their delegator | anything | kept until that attendee says so |
//! | the organizer | the stored secretary of an attendee | anything | the same, for that attendee |
//! | the organizer | somebody never invited | anything | refused, or kept for the organizer to see |
//! | the organizer | somebody who speaks for another | anything | refused |
//! | not the organizer | | | refused |

use calcard::icalendar::{
    ICalendarComponent, ICalendarEntry, ICalendarParameterName, ICalendarParameterValue, ICalendarProperty,
    ICalendarStatus, ICalendarValue,
};

use super::standing::{delegator_of, held_by_organizer, is_delegate, is_named_secretary};
use super::{Context, Held, ItipMessage, PartyCrashers, nothing_new};
use crate::itip::address::Address;
use crate::itip::component::{ComponentExt, Party, plain_party, remove_parameter, set_parameter};
use crate::itip::decision::{Decision, Reason, Refusal, Verdict};
use crate::itip::instance::InstanceKey;
use crate::itip::limits;
use crate::itip::object::{CalendarObject, Kind};
use crate::itip::recurrence;
use crate::itip::revision::{Revision, Revisions};

pub(super) fn receive(held: Held<'_>, message: ItipMessage, context: Context<'_>) -> Result<Decision, Refusal> {
    held_by_organizer(held.known(), &message.object, context)?;
    if message.object.keys().count() > limits::INSTANCES_ASKED_MAX {
        return Err(Refusal::EventTooLarge);
    }
    let merged = held.object.ok_or(Refusal::EventNotFound)?.into_owned();
    let mut taken = Taken { merged, revisions: held.revisions.clone(), changed: Vec::new() };
    let mut unanswered = None;
    for (key, reply) in message.object.components() {
        let party = answering_party((key, reply), &taken.merged, context);
        unanswered = party.and_then(|party| taken.answer(key, reply, party)).err().or(unanswered);
    }
    match unanswered.filter(|_| taken.revisions == *held.revisions) {
        Some(Unanswered::Refused(refusal)) => return Err(refusal),
        Some(Unanswered::PartyCrasher(address)) => return crashed(address, context),
        Some(Unanswered::EarlyDelegate) => return Ok(Decision::proposed(Reason::DelegateUnconfirmed)),
        Some(Unanswered::ToOlderTime) => return Ok(Decision::unchanged(Reason::AnswersOlderTime)),
        None => {}
    }
    if taken.changed.is_empty() {
        return Ok(nothing_new(held.revisions, taken.revisions));
    }
    Ok(Decision {
        verdict: Verdict::Applied,
        reason: Reason::Answered,
        store: Some(taken.merged),
        revisions: Some(taken.revisions),
        changed: taken.changed,
        outgoing: Vec::new(),
    })
}

/// Why a component of a REPLY does not count.
enum Unanswered {
    ToOlderTime,
    PartyCrasher(Address),
    /// Their answer has overtaken that of the attendee who sends them.
    EarlyDelegate,
    Refused(Refusal),
}

impl From<Refusal> for Unanswered {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

fn crashed(address: Address, context: Context<'_>) -> Result<Decision, Refusal> {
    match context.policy.party_crashers {
        PartyCrashers::Refuse => Err(Refusal::UnknownParticipant(address)),
        PartyCrashers::Propose => Ok(Decision::proposed(Reason::PartyCrasher(address))),
    }
}

/// The ATTENDEE of a REPLY that the sender may speak for.
///
/// RFC 5546 §3.2.3 has one ATTENDEE, but delegation brings several (§4.2.6): the sender's own is the one that counts.
/// Whoever is invited to one instance is a stranger to the others.
fn answering_party<'a>(
    (key, reply): (InstanceKey, &'a ICalendarComponent),
    stored: &CalendarObject,
    context: Context<'_>,
) -> Result<Party<'a>, Unanswered> {
    let sender = context.sender;
    let own = reply.attendees().find(|party| party.is(sender));
    let party = own.or_else(|| reply.attendees().find(|party| party.sent_by().as_ref() == Some(sender)));
    let Some(party) = party else {
        let refusal = match stored.has_attendee(std::slice::from_ref(sender)) || reply.attendees().next().is_some() {
            true => Refusal::SenderIsNotParticipant(sender.clone()),
            false => Refusal::SenderIsNotOrganizerNorAttendee,
        };
        return Err(refusal.into());
    };
    let address = party.address();
    if own.is_none() && !is_named_secretary(stored, &address, sender) {
        return Err(Refusal::SenderIsNotParticipant(sender.clone()).into());
    }
    let instance = stored.get(key).or(stored.master()).ok_or(Refusal::EventNotFound)?;
    let is_invited = instance.attendees().any(|known| known.is(&address));
    if is_invited || is_delegate(instance, &address) {
        return Ok(party);
    }
    match is_early_delegate(instance, party, context) {
        true => Err(Unanswered::EarlyDelegate),
        false => Err(Unanswered::PartyCrasher(address)),
    }
}

/// Whether a stranger says that an attendee sends them who has sent nobody so far.
///
/// RFC 5546 §3.2.2.3: the delegator tells the organizer, but the delegate may be faster. Anybody can claim it, so the
/// answer counts for nothing until the delegator says the same.
fn is_early_delegate(instance: &ICalendarComponent, party: Party<'_>, context: Context<'_>) -> bool {
    let may_send = |delegator: &Address| {
        let known = instance.attendees().find(|known| known.is(delegator));
        known.is_some_and(|known| known.addresses(&ICalendarParameterName::DelegatedTo).next().is_none())
    };
    let delegators = party.addresses(&ICalendarParameterName::DelegatedFrom);
    delegators.filter(|delegator| !context.author.addresses.contains(delegator)).any(|delegator| may_send(&delegator))
}

/// What has been taken of a REPLY so far.
struct Taken {
    merged: CalendarObject,
    revisions: Revisions,
    changed: Vec<InstanceKey>,
}

impl Taken {
    /// Takes one component of a REPLY.
    fn answer(&mut self, key: InstanceKey, reply: &ICalendarComponent, party: Party<'_>) -> Result<(), Unanswered> {
        let is_new_override = self.merged.get(key).is_none();
        let timed_by = if is_new_override { InstanceKey::Master } else { key };
        let stored = self.merged.get(timed_by).ok_or(Refusal::EventNotFound)?;
        // There is nothing newer to answer than what is stored; some clients count SEQUENCE up for their answers.
        let sequence = reply.sequence().min(stored.sequence());
        let (address, revision) = (party.address(), Revision { sequence, ..reply.revision() });
        if self.revisions.is_stale_reply(key, &address, revision) {
            return Err(Refusal::OutOfSequence.into());
        }
        if self.revisions.answers_an_older_time(timed_by, sequence) {
            return Err(Unanswered::ToOlderTime);
        }
        if party.addresses(&ICalendarParameterName::DelegatedTo).count() > limits::DELEGATES_MAX {
            return Err(Refusal::EventTooLarge.into());
        }
        if is_new_override {
            let instance = recurrence::instance_of(&self.merged, key).ok_or(Refusal::EventNotFound)?;
            self.merged.insert(key, instance);
            self.revisions.split_off(key);
        }
        let kind = self.merged.kind();
        let component = self.merged.get_mut(key).ok_or(Refusal::EventNotFound)?;
        let before = (open_to_replies(component, &address).cloned().collect::<Vec<_>>(), component.entries.len());
        take_party(component, &address, party, reply);
        if kind == Kind::Todo {
            take_progress(component, reply);
        }
        let is_same = component.entries.len() == before.1 && open_to_replies(component, &address).eq(&before.0);
        if is_new_override || !is_same {
            self.changed.push(key);
        }
        self.revisions.take_reply(key, address, revision);
        Ok(())
    }
}

/// What a REPLY of `address` may change in a component, besides adding to it: their ATTENDEE, and the progress of a to-do.
fn open_to_replies<'a>(
    component: &'a ICalendarComponent,
    address: &'a Address,
) -> impl Iterator<Item = &'a ICalendarEntry> {
    component.entries.iter().filter(|entry| match entry.name {
        ICalendarProperty::Attendee => Party(entry).is(address),
        ICalendarProperty::Status | ICalendarProperty::PercentComplete | ICalendarProperty::Completed => true,
        _ => false,
    })
}

/// Takes PARTSTAT, RSVP and DELEGATED-TO; absent in the reply means removed here. Nothing else may change the object.
fn take_party(component: &mut ICalendarComponent, address: &Address, party: Party<'_>, reply: &ICalendarComponent) {
    const TAKEN: [ICalendarParameterName; 3] =
        [ICalendarParameterName::Partstat, ICalendarParameterName::Rsvp, ICalendarParameterName::DelegatedTo];
    let is_theirs = |entry: &&mut ICalendarEntry| entry.name == ICalendarProperty::Attendee && Party(entry).is(address);
    if let Some(delegator) = delegator_of(component, address) {
        add_delegate(component, &delegator, address);
    }
    let Some(entry) = component.entries.iter_mut().find(is_theirs) else { return };
    for name in TAKEN {
        let values: Vec<_> = party.0.params.iter().filter(|param| param.name == name).cloned().collect();
        match values.as_slice() {
            [single] => set_parameter(entry, name, single.value.clone()),
            [] => remove_parameter(entry, &name),
            several => {
                remove_parameter(entry, &name);
                entry.params.extend(several.iter().cloned());
            }
        }
    }
    if let Some(status) = request_status(reply) {
        set_parameter(entry, ICalendarParameterName::ScheduleStatus, ICalendarParameterValue::Text(status));
    }
    for delegate in party.addresses(&ICalendarParameterName::DelegatedTo) {
        add_delegate(component, address, &delegate);
    }
}

/// Whom an attendee delegates to takes part from now on (RFC 5546 §3.2.2.3).
fn add_delegate(component: &mut ICalendarComponent, delegator: &Address, delegate: &Address) {
    if !delegate.is_mailable() || component.attendees().any(|known| known.is(delegate)) {
        return;
    }
    let mut entry = plain_party(ICalendarProperty::Attendee, &format!("mailto:{delegate}"));
    let from = calcard::icalendar::Uri::Location(format!("mailto:{delegator}"));
    set_parameter(&mut entry, ICalendarParameterName::DelegatedFrom, ICalendarParameterValue::Uri(from));
    component.entries.push(entry);
}

/// The codes of all REQUEST-STATUS properties, as SCHEDULE-STATUS lists them (RFC 6638 §3.2.9).
fn request_status(reply: &ICalendarComponent) -> Option<String> {
    let is_code =
        |code: &&str| !code.is_empty() && code.len() <= 8 && code.chars().all(|c| c.is_ascii_digit() || c == '.');
    let codes: Vec<&str> = reply
        .properties(&ICalendarProperty::RequestStatus)
        .filter_map(|entry| entry.values.first().and_then(ICalendarValue::as_text))
        .filter_map(|text| text.split(';').next().map(str::trim))
        .filter(is_code)
        .take(limits::STATUS_CODES_MAX)
        .collect();
    (!codes.is_empty()).then(|| codes.join(","))
}

/// How far an assignee has come with a to-do (RFC 5546 §3.4.3).
fn take_progress(component: &mut ICalendarComponent, reply: &ICalendarComponent) {
    for name in [ICalendarProperty::Status, ICalendarProperty::PercentComplete, ICalendarProperty::Completed] {
        let value = reply.property(&name).and_then(|entry| entry.values.first()).filter(|value| is_progress(value));
        if let Some(value) = value {
            component.set(name, value.clone());
        }
    }
}

/// Whether a value says how far something has come; to call it off is for the organizer (RFC 5546 §2.1.1).
fn is_progress(value: &ICalendarValue) -> bool {
    match value {
        ICalendarValue::Status(status) => {
            matches!(status, ICalendarStatus::NeedsAction | ICalendarStatus::InProcess | ICalendarStatus::Completed)
        }
        ICalendarValue::Integer(percent) => (0..=100).contains(percent),
        ICalendarValue::PartialDateTime(_) => true,
        _ => false,
    }
}
