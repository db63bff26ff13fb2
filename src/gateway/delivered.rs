//! What became of a mail, noted in the calendar of who wrote it: SCHEDULE-STATUS (RFC 6638 §3.2.9).
//!
//! | the mail | noted |
//! |---|---|
//! | REQUEST, ADD, CANCEL of the organizer | on the ATTENDEE that it went to |
//! | REPLY of an attendee | on ORGANIZER |
//! | the object is gone, such as after a cancellation | nowhere |
//! | it waits or was sent, and its recipient has answered since it was owed | nowhere: the answer says more |
//!
//! The note is for the owner alone: SEQUENCE and DTSTAMP stay, nothing is announced, and the object is written once for
//! all recipients of a commit.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calcard::icalendar::{ICalendarParameterName, ICalendarParameterValue};

use super::{Gateway, GatewayError, now_millis};
use crate::config::User;
use crate::itip::component::ComponentExt;
use crate::itip::delivery::with_schedule_statuses;
use crate::itip::{Address, CalUid, CalendarObject, InstanceKey};
use crate::ledger::{LedgerError, Transaction};
use crate::outbox::status::{PENDING, SENT};

/// What became of a mail for one recipient.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delivered {
    /// The code of RFC 6638 §3.2.9.
    pub status: &'static str,
    /// When the mail was owed, Unix milliseconds.
    pub owed_at: i64,
}

impl Gateway {
    /// Notes outcomes in an object of a user: the status of each recipient by address.
    pub(super) async fn note_delivery(
        &self,
        transaction: &mut Transaction,
        (user, uid): (&str, &str),
        delivered: &BTreeMap<&str, Delivered>,
    ) -> Result<(), GatewayError> {
        // The configuration may have changed since the mail was written.
        let Some(user) = self.user(&Address::in_mail(user)) else { return Ok(()) };
        let user = &*user;
        let uid = CalUid(uid.to_owned());
        if delivered.is_empty() {
            return Ok(());
        }
        let Some(held) = self.held(transaction, user, &uid).await? else { return Ok(()) };
        let mut outcomes = BTreeMap::new();
        for (to, one) in delivered {
            if !self.is_answered(transaction, (user, &held, to), *one).await? {
                outcomes.insert(Address::in_mail(to), one.status.to_owned());
            }
        }
        let keys: Vec<InstanceKey> = held.keys().collect();
        // A fault of ours costs this note, and not the record of what was sent.
        let noted = catch_unwind(AssertUnwindSafe(|| with_schedule_statuses(&held, &outcomes, &keys)));
        match noted {
            Ok(Some(object)) => self.store(transaction, user, &object, now_millis()).await,
            Ok(None) => Ok(()),
            Err(_) => {
                tracing::error!(user = user.key(), uid = %uid, "a fault of imipd: a delivery is not noted");
                Ok(())
            }
        }
    }
    /// Whether the recipient of a mail has answered since it was owed: the outcome is recorded after the mail has left, and a
    /// quick answer is there before it.
    async fn is_answered(
        &self,
        transaction: &mut Transaction,
        (user, held, to): (&User, &CalendarObject, &str),
        delivered: Delivered,
    ) -> Result<bool, LedgerError> {
        // That somebody did not get it is worth knowing whatever they have said; who has no answer yet need not be looked up.
        if !matches!(delivered.status, PENDING | SENT) || !has_answer(held, &Address::in_mail(to)) {
            return Ok(false);
        }
        transaction.has_answered(user.key(), &held.uid().0, to, delivered.owed_at).await
    }
}

/// Whether the code of an answer stands beside somebody, which is more than one of a delivery (1.y).
fn has_answer(held: &CalendarObject, to: &Address) -> bool {
    let attendees = held.components().flat_map(|(_, component)| component.attendees());
    attendees.filter(|party| party.address() == *to).any(|party| {
        let status = party.0.parameter(&ICalendarParameterName::ScheduleStatus);
        status.and_then(ICalendarParameterValue::as_text).is_some_and(|status| !status.starts_with("1."))
    })
}
