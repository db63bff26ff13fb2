//! What an operator does to the outbox by command, with a record of who did it.

use std::collections::BTreeMap;

use super::delivered::Delivered;
use super::{Gateway, GatewayError, now_millis, rfc3339};
use crate::config::User;
use crate::ledger::{DecisionRecord, LedgerError, OutboxEntry};
use crate::outbox::status;

/// Why nothing was done to a mail.
#[derive(Debug, thiserror::Error)]
pub enum OfficeError {
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    #[error("there is no mail {0}; `imipd outbox list` shows them")]
    NotFound(i64),
    #[error("mail {0} is not tried again: nobody waits for it, and it was not given up for anybody")]
    NothingToRetry(i64),
    #[error("mail {0} is not tried again: its text is kept no more (database.keep_mail)")]
    TextIsGone(i64),
    #[error("mail {0} is not dropped: everybody has got it, or it was dropped before")]
    NothingToDrop(i64),
}

impl From<LedgerError> for OfficeError {
    fn from(error: LedgerError) -> Self {
        Self::Gateway(error.into())
    }
}

impl Gateway {
    /// Makes a mail due at once for all who have not got it, also those for whom it was given up; how many they are.
    pub async fn retry_mail(&self, id: i64) -> Result<u64, OfficeError> {
        let entry = self.ledger.outbox_entry(id).await?.ok_or(OfficeError::NotFound(id))?;
        let mut transaction = self.ledger.begin().await?;
        let again = transaction.retry(id, now_millis()).await?;
        transaction.commit().await?;
        match again {
            0 if entry.debt.raw.is_empty() => Err(OfficeError::TextIsGone(id)),
            0 => Err(OfficeError::NothingToRetry(id)),
            _ => Ok(again),
        }
    }

    /// Has a mail not go to those who have not got it; how many they are. Its text and its record stay.
    ///
    /// Later mails about the same object do not wait for it any more. An update stands on its own, so a dropped invitation
    /// is made good by the next update; whoever does not get a cancellation keeps the event in their calendar.
    pub async fn drop_mail(&self, id: i64, by: &str) -> Result<usize, OfficeError> {
        let entry = self.ledger.outbox_entry(id).await?.ok_or(OfficeError::NotFound(id))?;
        let at = now_millis();
        let mut transaction = self.ledger.begin().await?;
        let detail = format!("dropped by {by} at {}", rfc3339(at));
        let dropped = transaction.drop_mail(id, &detail, at).await?;
        if dropped.is_empty() {
            return Err(OfficeError::NothingToDrop(id));
        }
        let recipients: Vec<&str> = dropped.iter().map(|one| one.address.as_str()).collect();
        transaction.add_decision(&record(&entry, &recipients, by, at)).await?;
        let fate = Delivered { status: status::NOT_DELIVERED, owed_at: entry.debt.created_at };
        let statuses: BTreeMap<&str, Delivered> = recipients.iter().map(|to| (*to, fate)).collect();
        self.note_delivery(&mut transaction, (&entry.debt.user, &entry.debt.cal_uid), &statuses).await?;
        transaction.commit().await?;
        Ok(dropped.len())
    }

    /// Lets the rate limits of a user count anew; how many mails they kept back.
    pub async fn release(&self, user: &User, by: &str) -> Result<u64, GatewayError> {
        let mut transaction = self.ledger.begin().await?;
        let released = transaction.release(user.key(), now_millis(), by).await?;
        transaction.commit().await?;
        Ok(released)
    }
}

/// The record of a mail that was dropped.
fn record(entry: &OutboxEntry, recipients: &[&str], by: &str, at: i64) -> DecisionRecord {
    let debt = &entry.debt;
    DecisionRecord {
        at,
        user: debt.user.clone(),
        sender: debt.sender.clone(),
        message_id: debt.message_id.clone(),
        method: debt.method.clone(),
        cal_uid: debt.cal_uid.clone(),
        verdict: "dropped".to_owned(),
        reason: "dropped-by-operator".to_owned(),
        text: format!("Dropped from the outbox by {by}; not sent to {} recipients.", recipients.len()),
        ..DecisionRecord::default()
    }
}
