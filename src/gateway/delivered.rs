//! What became of a mail, noted in the calendar of who wrote it: SCHEDULE-STATUS (RFC 6638 §3.2.9).
//!
//! | the mail | noted |
//! |---|---|
//! | REQUEST, ADD, CANCEL of the organizer | on the ATTENDEE that it went to |
//! | REPLY of an attendee | on ORGANIZER |
//! | the object is gone, such as after a cancellation | nowhere |
//!
//! The note is for the owner alone: SEQUENCE and DTSTAMP stay, nothing is announced, and the object is written once for
//! all recipients of a commit.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Gateway, GatewayError, now_millis};
use crate::itip::delivery::with_schedule_statuses;
use crate::itip::{Address, CalUid, InstanceKey};
use crate::ledger::Transaction;

impl Gateway {
    /// Notes outcomes in an object of a user: the status of each recipient by address.
    pub(super) async fn note_delivery(
        &self,
        transaction: &mut Transaction,
        (user, uid): (&str, &str),
        statuses: &BTreeMap<&str, &'static str>,
    ) -> Result<(), GatewayError> {
        // The configuration may have changed since the mail was written.
        let Some(user) = self.user(&Address::in_mail(user)) else { return Ok(()) };
        let user = &*user;
        let uid = CalUid(uid.to_owned());
        if statuses.is_empty() {
            return Ok(());
        }
        let Some(held) = self.held(transaction, user, &uid).await? else { return Ok(()) };
        let outcomes = statuses.iter().map(|(to, status)| (Address::in_mail(to), (*status).to_owned())).collect();
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
}
