//! Answers in plain words: a mail that says "yes" and answers an invitation.
//!
//! | lies in | is written by | answers | what happens |
//! |---|---|---|---|
//! | the Sent folder | the user | an invitation that the user got | the user has answered, and the organizer is told |
//! | the Sent folder | the user | a notice of ours | the user has answered what the notice asks |
//! | another folder | somebody whom the mail went to | an invitation of the user's | a REPLY of theirs, with all that is asked of one |
//! | another folder | somebody whom it did not go to | an invitation of the user's | nothing: the mail was passed on |
//! | anywhere | a program, a list, several people | anything | nothing, and it is no matter for the log |
//!
//! What the words mean is decided in `imip/answer`; an ordinary conversation about a meeting is no answer.

use calcard::icalendar::ICalendarParticipationStatus as Partstat;

use super::answering::{Given, Way};
use super::receive::{Place, ignored, refused};
use super::trust::Letter;
use super::{Gateway, GatewayError, now_millis};
use crate::imip::answer::Choice;
use crate::imip::{AutoSubmitted, CalendarPart, Email, NotTaken, PlainAnswer, extract, plain_answer};
use crate::itip::announce::{Answer, Said, reply_on_behalf};
use crate::itip::component::ComponentExt;
use crate::itip::receive::ItipMessage;
use crate::itip::{Address, CalendarObject, InstanceKey, Method, Reason, Refusal, Revisions, Verdict};
use crate::ledger::{DecisionRecord, SentMail, Transaction};
use crate::mailbox::FolderRole;

/// The reason under which such answers stand in the log.
pub(super) const IN_WORDS: &str = "answered-in-words";

/// Instead of an instance, where a message was about several.
pub(super) const SEVERAL: &str = "*";

impl Gateway {
    /// Takes an answer in plain words; nothing when the mail is none that is meant for us.
    pub(super) async fn take_words(
        &self,
        transaction: &mut Transaction,
        place: Place<'_>,
        (email, raw): (&Email, &[u8]),
        blank: DecisionRecord,
    ) -> Result<Option<DecisionRecord>, GatewayError> {
        let (Some(answered), Some(author)) = (email.in_reply_to.as_deref(), email.sender.author()) else {
            return Ok(None);
        };
        if !self.config.answers.words || !is_from_a_person(email) {
            return Ok(None);
        }
        let is_own = place.user.addresses.contains(author);
        match (place.role, is_own) {
            (FolderRole::Sent, true) => self.user_answers(transaction, place, (answered, raw), blank).await,
            (FolderRole::Inbox | FolderRole::Answers(_) | FolderRole::Other, false) => {
                self.attendee_answers(transaction, place, (answered, email, raw), blank).await
            }
            (FolderRole::Sent, false) | (FolderRole::Inbox | FolderRole::Answers(_) | FolderRole::Other, true) => {
                Ok(None)
            }
        }
    }

    /// The user has answered an invitation to its sender, in words that only people understand.
    async fn user_answers(
        &self,
        transaction: &mut Transaction,
        place: Place<'_>,
        (answered, raw): (&str, &[u8]),
        blank: DecisionRecord,
    ) -> Result<Option<DecisionRecord>, GatewayError> {
        let user = place.user;
        let Some(asked) = self.asked_by(transaction, user, answered).await? else { return Ok(None) };
        let Some(said) = plain_answer(raw) else { return Ok(None) };
        let record = DecisionRecord { method: Method::Reply.to_string(), cal_uid: asked.cal_uid.clone(), ..blank };
        if transaction.has_taken(user.key(), &record.message_id, &record.fingerprint).await? {
            return Ok(Some(ignored(record, "seen-before", "This very mail was taken before.")));
        }
        let given = Given { way: Way::Words, said };
        self.take_answer(transaction, user, (&asked, given), record).await.map(Some)
    }

    /// Somebody has answered the user's invitation in words.
    async fn attendee_answers(
        &self,
        transaction: &mut Transaction,
        place: Place<'_>,
        (answered, email, raw): (&str, &Email, &[u8]),
        blank: DecisionRecord,
    ) -> Result<Option<DecisionRecord>, GatewayError> {
        let Some(author) = email.sender.author() else { return Ok(None) };
        let mail = transaction.sent_mail_by(place.user.key(), answered).await?;
        let Some(mail) = mail.filter(|mail| matches!(mail.method.as_str(), "REQUEST" | "ADD")) else { return Ok(None) };
        let Some(said) = plain_answer(raw) else { return Ok(None) };
        let record = DecisionRecord {
            sender: author.to_string(),
            method: Method::Reply.to_string(),
            cal_uid: mail.cal_uid.clone(),
            ..blank
        };
        if transaction.has_taken(place.user.key(), &record.message_id, &record.fingerprint).await? {
            return Ok(Some(ignored(record, "seen-before", "This very mail was taken before.")));
        }
        let (record, because) = if mail.recipients.iter().any(|one| Address::in_mail(&one.address) == *author) {
            self.take_attendee(transaction, place, (email, &mail, said), record).await?
        } else {
            let text =
                "Not taken: it answers an invitation in words, and comes from somebody to whom that was not sent.";
            (ignored(record, "answer-of-another", text), Some(NotTaken::OfAnother))
        };
        // Whoever is not even believed to be in From is not written to: it would hit somebody else.
        let is_believed = self.proof_of_author(email).is_some_and(|proof| proof.suffices());
        if let Some(because) = because.filter(|_| is_believed) {
            let about = (place.user, mail.cal_uid.as_str());
            self.tell_attendee(transaction, about, (author, email.message_id.as_deref()), because).await?;
        }
        Ok(Some(record))
    }

    /// Has the engine decide about the REPLY that the words stand for; the record, and why they were not taken.
    async fn take_attendee(
        &self,
        transaction: &mut Transaction,
        place: Place<'_>,
        (email, mail, said): (&Email, &SentMail, PlainAnswer),
        record: DecisionRecord,
    ) -> Result<(DecisionRecord, Option<NotTaken>), GatewayError> {
        let Some(asked) = self.asked_in(mail).await? else {
            let text = "Not taken: the invitation that it answers is no longer kept.";
            return Ok((ignored(record, "answer-not-taken", text), Some(NotTaken::Otherwise)));
        };
        let Ok(instance) = instance_in(&asked) else { return Ok((several(record), Some(NotTaken::Otherwise))) };
        let (user, attendee) = (place.user, Address::in_mail(&record.sender));
        let Some(held) = self.held(transaction, user, asked.uid()).await? else {
            return Ok((refused(record, &Refusal::EventNotFound), Some(NotTaken::Cancelled)));
        };
        let revisions = transaction.revisions(user.key(), asked.uid()).await?;
        let asked_at = asked.principal().map(|component| component.sequence()).unwrap_or_default();
        let answer = meant(&said, instance);
        let said = Said { attendee: &attendee, answer: &answer, asked_at };
        match reply_now(&held, &revisions, said) {
            Ok(object) => {
                let record = self.take_reply(transaction, place, (email, object), record).await?;
                let is_old = record.reason == Reason::AnswersOlderTime.name();
                Ok((record, is_old.then_some(NotTaken::Superseded)))
            }
            Err(Refusal::NothingToSend) => {
                let text = "An answer in words that says what stands in the calendar already.";
                let verdict = Verdict::Unchanged.name().to_owned();
                let reason = IN_WORDS.to_owned();
                Ok((DecisionRecord { verdict, reason, text: text.to_owned(), ..record }, None))
            }
            Err(refusal) => Ok((refused(record, &refusal), Some(why_refused(&held, instance, &refusal)))),
        }
    }

    async fn take_reply(
        &self,
        transaction: &mut Transaction,
        place: Place<'_>,
        (email, object): (&Email, CalendarObject),
        record: DecisionRecord,
    ) -> Result<DecisionRecord, GatewayError> {
        let part = CalendarPart {
            text: object.to_text(),
            method_parameter: Some(Method::Reply),
            content_type: "text/plain".to_owned(),
            file_name: None,
            is_forwarded: false,
        };
        let message = ItipMessage { method: Method::Reply, object };
        let mut record = self.apply(transaction, place, (Letter { email, part: &part }, message), record).await?;
        record.text = format!("{} It was said in words.", record.text);
        Ok(record)
    }

    /// What a mail of ours has asked, as it was sent.
    async fn asked_in(&self, mail: &SentMail) -> Result<Option<CalendarObject>, GatewayError> {
        let Some(entry) = self.ledger.outbox_entry(mail.id).await? else { return Ok(None) };
        let email = extract(&entry.debt.raw);
        let part = email.calendars.into_iter().next();
        Ok(part.and_then(|part| ItipMessage::parse(&part.text, part.method_parameter).ok()).map(|asked| asked.object))
    }
}

/// The REPLY that stands for what an attendee has said just now: later than their last one, whatever their clock said then.
pub(super) fn reply_now(
    held: &CalendarObject,
    revisions: &Revisions,
    said: Said<'_>,
) -> Result<CalendarObject, Refusal> {
    let of_theirs = revisions.replies.iter().filter(|((_, of), _)| of == said.attendee);
    let last = of_theirs.map(|(_, revision)| revision.dtstamp.saturating_add(1)).max();
    let now = (now_millis() / 1_000).max(last.unwrap_or(i64::MIN));
    reply_on_behalf(held, said, (now, crate::PRODID))
}

/// Why there is no REPLY that the words could stand for.
fn why_refused(held: &CalendarObject, instance: Option<InstanceKey>, refusal: &Refusal) -> NotTaken {
    let component = instance.and_then(|key| held.get(key)).or_else(|| held.principal());
    match refusal {
        _ if component.is_none_or(|component| component.is_cancelled()) => NotTaken::Cancelled,
        Refusal::NotOrganizerNorAttendee => NotTaken::Uninvited,
        _ => NotTaken::Otherwise,
    }
}

/// Whether somebody sat down and wrote it (RFC 3834 §2).
pub(super) fn is_from_a_person(email: &Email) -> bool {
    let is_automatic = email.auto_submitted != AutoSubmitted::No || email.is_report || email.is_return_path_null;
    !is_automatic && !email.is_marked_automatic && !email.is_list
}

pub(super) fn meant(said: &PlainAnswer, instance: Option<InstanceKey>) -> Answer {
    let partstat = match said.choice {
        Choice::Accept => Partstat::Accepted,
        Choice::Decline => Partstat::Declined,
        Choice::Tentative => Partstat::Tentative,
    };
    Answer { partstat, instance, comment: said.comment.clone() }
}

/// The instance that an object is about, nothing for the whole; an error where it is about several.
pub(super) fn instance_in(object: &CalendarObject) -> Result<Option<InstanceKey>, ()> {
    let mut keys = object.keys();
    match (keys.next(), keys.next()) {
        (Some(InstanceKey::Master), _) => Ok(None),
        (Some(single), None) => Ok(Some(single)),
        _ => Err(()),
    }
}

/// The instance that a message was about, as a decision keeps it.
pub(super) fn instance_of(object: &CalendarObject) -> String {
    match instance_in(object) {
        Ok(None) => String::new(),
        Ok(Some(key)) => key.to_string(),
        Err(()) => SEVERAL.to_owned(),
    }
}

pub(super) fn several(record: DecisionRecord) -> DecisionRecord {
    let text = "Not taken: the invitation that it answers is about several dates, and the words do not say which.";
    ignored(record, "answer-not-taken", text)
}
