//! Notices that ask the user, where `answers.notice` asks for them.
//!
//! | what was decided about a mail | what the user is asked |
//! |---|---|
//! | an invitation was added, or changed so that it asks again | whether they come |
//! | an invitation waits | the same |
//! | a message of an unproven sender waits | whether they believe it; of a new invitation, whether they come |
//! | a counter-proposal waits | whether they take it |
//! | an answer of the uninvited waits | whether they invite them |
//! | the event is over; the mail came by a list, or marked as spam; anything else | nothing |
//!
//! A notice is owed from the transaction of the decision. Its Message-ID is made from what it asks, so it comes once, and what it asks is
//! kept with it for the answer.

use calcard::common::timezone::Tz;
use calcard::icalendar::ICalendarParticipationStatus as Partstat;

use super::letter::{facts_of_message, shown};
use super::limits::{CONFLICT_OBJECTS_MAX, CONFLICT_YEARS, CONFLICTS_LISTED_MAX};
use super::notice::note_debt;
use super::receive::Place;
use super::{Gateway, GatewayError, now_millis};
use crate::calendar::CalendarStore;
use crate::config::User;
use crate::imip::{
    Asks, ComposedMail, Conflict, Conflicts, Email, Mailbox, Occasion, Question as Note, compose_question,
};
use crate::itip::busy::{self, Slot, Window};
use crate::itip::component::ComponentExt;
use crate::itip::zone::Zone;
use crate::itip::{Address, CalUid, CalendarObject, ItipMessage, Kind, Method, Reason, Verdict, limits};
use crate::ledger::{DecisionRecord, Question, QuestionKind, Transaction};
use crate::mailbox::{FolderRole, shown_answer_folders};

/// The name of [`Reason::PartyCrasher`], whoever it is.
const PARTY_CRASHER: &str = "party-crasher";

impl Gateway {
    /// Whether a mail may be a reason to ask the user something.
    pub(super) fn may_ask(&self, place: Place<'_>, email: &Email) -> bool {
        let is_incoming = matches!(place.role, FolderRole::Inbox | FolderRole::Other);
        self.config.answers.notice && is_incoming && !email.is_list && !email.is_marked_as_spam
    }

    /// Owes the user a notice about a message, given what was decided about it.
    pub(super) async fn ask_user(
        &self,
        transaction: &mut Transaction,
        user: &User,
        message: &ItipMessage,
        record: &DecisionRecord,
    ) -> Result<(), GatewayError> {
        let Some(kind) = self.question_about(transaction, user, (message, record)).await? else { return Ok(()) };
        let Some(revision) = message.object.principal().map(|component| component.revision()) else { return Ok(()) };
        let Some(mail) = self.write_question(transaction, user, (message, record, kind)).await? else { return Ok(()) };
        let question = Question {
            message_id: mail.message_id.clone(),
            user: user.key().to_owned(),
            kind,
            cal_uid: record.cal_uid.clone(),
            instance: record.instance.clone(),
            sequence: revision.sequence.0,
            sender: record.sender.clone(),
            about: record.message_id.clone(),
            at: now_millis(),
        };
        transaction.add_question(&question).await?;
        let own = user.main_address();
        transaction.owe(&note_debt(user.key(), (own, own), mail)).await?;
        Ok(())
    }

    /// The notice as a mail; nothing when it cannot be written.
    async fn write_question(
        &self,
        transaction: &mut Transaction,
        user: &User,
        (message, record, kind): (&ItipMessage, &DecisionRecord, QuestionKind),
    ) -> Result<Option<ComposedMail>, GatewayError> {
        let (now, clock) = (now_millis() / 1_000, Zone::Known(Tz::Tz(user.timezone)));
        let Some(facts) = facts_of_message(message, &Address::in_mail(&record.sender), user.timezone) else {
            return Ok(None);
        };
        let conflicts = match takes_time(message) {
            true => Some(self.conflicts(transaction, user, (&message.object, &clock, now)).await?),
            false => None,
        };
        let revision = message.object.principal().map(|component| component.revision());
        let revision = revision.map(|revision| format!("{} {}", revision.sequence.0, revision.dtstamp));
        let note = Note {
            user: Mailbox { address: user.main_address().clone(), name: user.name.clone() },
            language: user.language,
            asks: asks(kind),
            occasion: occasion(message.method, record),
            component: message.object.kind().as_str(),
            facts,
            sender: &record.sender,
            about: &record.message_id,
            key: &[&record.cal_uid, &record.instance, revision.as_deref().unwrap_or_default()],
            conflicts,
            folders: self.config.answers.folders.then(shown_answer_folders),
            date: now,
        };
        let mail = match compose_question(&note, &self.wording) {
            Ok(mail) => mail,
            Err(error) => {
                tracing::error!(user = user.key(), %error, "a notice cannot be written");
                return Ok(None);
            }
        };
        for fault in &mail.broken {
            tracing::warn!(fault, "the words of a notice are not as configured");
        }
        Ok(Some(mail))
    }

    /// What the user is asked about a message; nothing where there is nothing to ask.
    async fn question_about(
        &self,
        transaction: &mut Transaction,
        user: &User,
        (message, record): (&ItipMessage, &DecisionRecord),
    ) -> Result<Option<QuestionKind>, GatewayError> {
        let is_invitation = matches!(message.method, Method::Request | Method::Add);
        let clock = Zone::Known(Tz::Tz(user.timezone));
        if is_invitation && busy::is_over(&message.object, &clock, now_millis() / 1_000) {
            return Ok(None);
        }
        if record.verdict == Verdict::Applied.name() && is_invitation {
            let held = self.held(transaction, user, &CalUid(record.cal_uid.clone())).await?;
            let is_asked = held.is_some_and(|held| asks_again(&held, &message.object, user));
            return Ok(is_asked.then_some(QuestionKind::Invitation));
        }
        if record.verdict != Verdict::Proposed.name() {
            return Ok(None);
        }
        if record.reason == Reason::SenderUnproven.name() {
            return Ok(Some(QuestionKind::Unproven));
        }
        Ok(match message.method {
            // Whoever is not named in it cannot answer it.
            Method::Request | Method::Add => {
                (record.reason != Reason::NotInvitedByName.name()).then_some(QuestionKind::Invitation)
            }
            Method::Counter => Some(QuestionKind::Counter),
            Method::Reply => (record.reason == PARTY_CRASHER).then_some(QuestionKind::Crasher),
            Method::Publish | Method::Cancel | Method::Refresh | Method::DeclineCounter => None,
        })
    }

    /// What else keeps the user busy when an event takes place: of the objects that were changed last, within some years.
    async fn conflicts(
        &self,
        transaction: &mut Transaction,
        user: &User,
        (object, clock, now): (&CalendarObject, &Zone, i64),
    ) -> Result<Conflicts, GatewayError> {
        let to = now.saturating_add(CONFLICT_YEARS * 366 * 86_400);
        let asked = busy::slots(object, Window { from: now, to, clock, most: limits::SLOTS_MAX });
        let (Some(first), Some(end)) = (asked.first(), asked.iter().map(|slot| slot.to).max()) else {
            return Ok(Conflicts::default());
        };
        let window = Window { from: first.from, to: end.max(first.from + 1), clock, most: 10 * limits::SLOTS_MAX };
        let stored = self.calendars.recent(transaction.connection().await?, user.key(), CONFLICT_OBJECTS_MAX).await?;
        let others = stored.into_iter().filter(|other| other.uid != *object.uid());
        let near = others.filter(|other| busy::may_touch(&other.content, window.from, window.to));
        let mut found: Vec<(Slot, String)> = Vec::new();
        for other in near.filter_map(|other| CalendarObject::parse(&other.content).ok()) {
            let summary =
                other.principal().and_then(|component| component.text(&calcard::icalendar::ICalendarProperty::Summary));
            let summary = summary.unwrap_or_default().to_owned();
            let slots = busy::busy(&other, &user.addresses, window);
            let hits = slots.into_iter().filter(|slot| asked.iter().any(|own| own.meets(slot)));
            found.extend(hits.map(|slot| (slot, summary.clone())));
        }
        found.sort_by_key(|(slot, _)| slot.from);
        let unlisted = found.len().saturating_sub(CONFLICTS_LISTED_MAX);
        let listed = found.into_iter().take(CONFLICTS_LISTED_MAX).filter_map(|(slot, summary)| {
            let end = (slot.to > slot.from).then(|| shown(slot.end, user.timezone)).flatten();
            Some(Conflict { summary, start: shown(slot.start, user.timezone)?, end })
        });
        Ok(Conflicts { listed: listed.collect(), unlisted })
    }
}

/// Whether an invitation that was taken leaves a question open to the user.
fn asks_again(held: &CalendarObject, message: &CalendarObject, user: &User) -> bool {
    let open = |partstat: Option<&Partstat>| matches!(partstat, None | Some(Partstat::NeedsAction));
    let components = message.keys().filter_map(|key| held.get(key));
    components.filter(|component| !component.is_cancelled()).any(|component| {
        component.attendee_among(&user.addresses).is_some_and(|own| open(own.partstat()) && !own.waives_rsvp())
    })
}

/// Whether a message is about a time that something else may take.
fn takes_time(message: &ItipMessage) -> bool {
    match message.method {
        Method::Request | Method::Add | Method::Counter => message.object.kind() == Kind::Event,
        Method::Publish | Method::Reply | Method::Cancel | Method::Refresh | Method::DeclineCounter => false,
    }
}

fn asks(kind: QuestionKind) -> Asks {
    match kind {
        QuestionKind::Invitation => Asks::Invitation,
        QuestionKind::Unproven => Asks::Unproven,
        QuestionKind::Counter => Asks::Counter,
        QuestionKind::Crasher => Asks::Crasher,
    }
}

/// What the message is about, in the user's eyes.
fn occasion(method: Method, record: &DecisionRecord) -> Occasion {
    match method {
        Method::Request if record.reason == Reason::Updated.name() => Occasion::Update,
        Method::Request => Occasion::Invitation,
        Method::Add => Occasion::NewDates,
        Method::Cancel => Occasion::Cancellation,
        Method::Reply => Occasion::Reply,
        Method::Counter => Occasion::Counter,
        Method::DeclineCounter => Occasion::CounterDeclined,
        Method::Refresh => Occasion::Refresh,
        Method::Publish => Occasion::Publication,
    }
}
