//! Whose answer could not be taken is told, where they have no page that says so: by a mail in answer to theirs.
//!
//! | who has answered | from whom the mail is |
//! |---|---|
//! | somebody whom a user has invited, by a link or in words | that user, as an automatic reply |
//! | a user of ours, by any way but the command line | imipd |
//!
//! It comes once for each mail that answered, however often that is read, and not more often than the limits say. Nobody answers it.

use calcard::icalendar::ICalendarProperty;

use super::letter::languages;
use super::limits::{NOT_TAKEN_TO_ALL_MAX, NOT_TAKEN_TO_ONE_MAX, NOT_TAKEN_TO_USER_MAX};
use super::notice::{NOTE, note_debt};
use super::{Gateway, GatewayError, now_millis};
use crate::config::User;
use crate::imip::{Mailbox, NotTaken, NotTakenNote, compose_not_taken};
use crate::itip::component::ComponentExt;
use crate::itip::{Address, CalUid, CalendarObject};
use crate::ledger::{DecisionRecord, Transaction};

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1_000;

impl Gateway {
    /// Tells somebody outside that their answer about an object of the user's was not taken.
    pub(super) async fn tell_attendee(
        &self,
        transaction: &mut Transaction,
        (organizer, cal_uid): (&User, &str),
        (to, answer): (&Address, Option<&str>),
        because: NotTaken,
    ) -> Result<(), GatewayError> {
        let (Some(answer), user) = (answer, organizer.key()) else { return Ok(()) };
        let since = now_millis() - DAY_MILLIS;
        let sent = transaction.count_mails(user, (NOTE, Some(to.as_str())), since).await?;
        let of_all = transaction.count_mails(user, (NOTE, None), since).await?;
        if sent >= NOT_TAKEN_TO_ONE_MAX || of_all >= NOT_TAKEN_TO_ALL_MAX {
            tracing::warn!(user, "an answer is not taken, and its sender is not told: too many are");
            return Ok(());
        }
        let held = self.held(transaction, organizer, &CalUid(cal_uid.to_owned())).await?;
        let language = held.as_ref().and_then(|held| languages(held).get(to).copied());
        let own = held.as_ref().and_then(|held| held.organizer().ok().flatten());
        let own = own.filter(|own| organizer.addresses.contains(own)).unwrap_or(organizer.main_address().clone());
        let from = Mailbox { address: own, name: organizer.name.clone() };
        let note = NotTakenNote {
            from,
            to: Mailbox { address: to.clone(), name: None },
            title: held.as_ref().and_then(title),
            because,
            answer,
            date: now_millis() / 1_000,
            language: language.unwrap_or(organizer.language),
        };
        self.owe_not_taken(transaction, user, &note).await
    }

    /// Tells a user why what they have answered was not taken; `record` is the decision about it.
    pub(super) async fn tell_user(
        &self,
        transaction: &mut Transaction,
        user: &User,
        record: &DecisionRecord,
    ) -> Result<(), GatewayError> {
        let (own, language) = (user.main_address(), user.language);
        let sent = transaction.count_mails(user.key(), (NOTE, Some(own.as_str())), now_millis() - DAY_MILLIS).await?;
        if record.message_id.is_empty() || sent >= NOT_TAKEN_TO_USER_MAX {
            return Ok(());
        }
        let held = self.held(transaction, user, &CalUid(record.cal_uid.clone())).await?;
        let note = NotTakenNote {
            from: Mailbox { address: own.clone(), name: Some("imipd".to_owned()) },
            to: Mailbox { address: own.clone(), name: user.name.clone() },
            title: held.as_ref().and_then(title),
            because: because(&record.reason),
            answer: &record.message_id,
            date: now_millis() / 1_000,
            language,
        };
        self.owe_not_taken(transaction, user.key(), &note).await
    }

    async fn owe_not_taken(
        &self,
        transaction: &mut Transaction,
        user: &str,
        note: &NotTakenNote<'_>,
    ) -> Result<(), GatewayError> {
        match compose_not_taken(note, &self.wording) {
            Ok(mail) => {
                transaction.owe(&note_debt(user, (&note.from.address, &note.to.address), mail)).await?;
            }
            Err(error) => tracing::warn!(user, %error, "whose answer was not taken cannot be told"),
        }
        Ok(())
    }
}

fn title(held: &CalendarObject) -> Option<&str> {
    held.principal()?.text(&ICalendarProperty::Summary)
}

/// Why a user's answer was not taken, by the reason of the decision.
fn because(reason: &str) -> NotTaken {
    match reason {
        CANCELLED => NotTaken::Cancelled,
        SUPERSEDED => NotTaken::Superseded,
        _ => NotTaken::Otherwise,
    }
}

/// The reason of an answer to what is called off.
pub(super) const CANCELLED: &str = "invitation-cancelled";

/// The reason of an answer to what the organizer has changed since.
pub(super) const SUPERSEDED: &str = "invitation-superseded";
