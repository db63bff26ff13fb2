//! The organizer's mailbox learns of an answer that came by no mail.
//!
//! It gets the REPLY that the attendee would have sent, so that the organizer's own mail program shows and takes it like any other.
//! The attendee did not send it, and no server of theirs would have signed it: From names the organizer's own address, and
//! answers go to the attendee. The gateway itself knows the mail by its Message-ID, and does not take the answer twice.

use std::sync::Arc;

use calcard::icalendar::{ICalendarParticipationStatus as Partstat, ICalendarProperty};

use super::super::letter::{self, Author, Occasioned};
use super::super::limits::ANSWERS_TOLD_MAX;
use super::super::notice::note_debt;
use super::super::{Gateway, GatewayError, now_millis};
use super::AnswerLink;
use crate::config::User;
use crate::itip::announce::{Answer, Said, reply_on_behalf};
use crate::itip::component::{Party, set_partstat};
use crate::itip::summary::{Occasion, Participants, Summary};
use crate::itip::{Address, CalendarObject, InstanceKey, Method, Outgoing, Revisions};
use crate::ledger::{Link, Transaction};

const HOUR_MILLIS: i64 = 60 * 60 * 1_000;

impl Gateway {
    /// Enters the mail that tells the organizer of an answer that stands in their calendar; false when this very answer was told
    /// before, or too many were.
    pub(super) async fn tell_organizer(
        &self,
        transaction: &mut Transaction,
        known: (Link, Arc<User>),
        answer: &Answer,
    ) -> Result<bool, GatewayError> {
        let (opened, revisions) = self.opened(transaction, known).await?;
        let Some(outgoing) = told(&opened, &revisions, answer) else { return Ok(false) };
        let user = &*opened.organizer;
        let (from, since) = ((opened.attendee.as_str(), "authenticated"), now_millis() - HOUR_MILLIS);
        // Who cannot make up their mind fills no mailbox.
        if transaction.count_from(user.key(), from, since, ANSWERS_TOLD_MAX).await? >= ANSWERS_TOLD_MAX {
            return Ok(false);
        }
        let thread = transaction.thread(user.key(), &opened.uid.0).await?;
        let own = outgoing.to.first().filter(|own| user.addresses.contains(own)).unwrap_or(user.main_address());
        let author = Author { name: None, via: Some(own), ..Author::from(user) };
        let now = now_millis();
        let letters = match letter::letters(&outgoing, author, self.pen(), &thread, (Occasioned::ByTime, now / 1_000)) {
            Ok(letters) => letters,
            Err(error) => {
                tracing::error!(user = user.key(), uid = %opened.uid, %error, "an answer cannot be told to the organizer");
                return Ok(false);
            }
        };
        let mut is_new = false;
        for letter in letters {
            is_new |= transaction.owe(&note_debt(user.key(), (own, own), letter.mail)).await?;
        }
        Ok(is_new)
    }
}

/// The REPLY of an answer that was taken, to be told to the organizer alone.
///
/// Its DTSTAMP is that of the attendee's last answer: the same answer told again is the same mail.
fn told(opened: &AnswerLink, revisions: &Revisions, answer: &Answer) -> Option<Outgoing> {
    let held = opened.object.as_ref()?;
    let answer = Answer { instance: opened.instance.or(answer.instance), ..answer.clone() };
    let of_theirs = revisions.replies.iter().filter(|((_, of), _)| *of == opened.attendee);
    let dtstamp = of_theirs.map(|(_, revision)| revision.dtstamp).max().unwrap_or_default();
    let said = Said { attendee: &opened.attendee, answer: &answer, asked_at: opened.asked_at };
    let unanswered = unanswered(held, &opened.attendee);
    let reply = reply_on_behalf(&unanswered, said, (dtstamp, crate::PRODID)).ok()?;
    let organizer = held.organizer().ok().flatten()?;
    let occasion = Occasion::Rsvp(answer.partstat.clone());
    let summary = Summary::new(occasion, reply.principal()?, reply.zones(), Participants::Shown);
    Some(Outgoing { from: opened.attendee.clone(), to: vec![organizer], method: Method::Reply, summary, object: reply })
}

/// The object as if the attendee had not answered yet, so that whatever they say is worth saying.
fn unanswered(held: &CalendarObject, attendee: &Address) -> CalendarObject {
    let mut object = held.clone();
    let keys: Vec<InstanceKey> = object.keys().collect();
    for key in keys {
        let Some(component) = object.get_mut(key) else { continue };
        let attendees = component.entries.iter_mut().filter(|entry| entry.name == ICalendarProperty::Attendee);
        attendees
            .filter(|entry| Party(entry).is(attendee))
            .for_each(|entry| set_partstat(entry, Partstat::NeedsAction));
    }
    object
}
