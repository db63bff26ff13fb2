//! The mails that are owed, and what became of them for each recipient.

mod due;
mod keeping;
mod office;

pub use due::{DueMail, Throughput};
pub use keeping::Kept;

use std::collections::{BTreeMap, BTreeSet};

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Ledger, LedgerError, Transaction};

/// A mail that is owed, before it is entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Debt {
    pub user: String,
    pub cal_uid: String,
    /// Made from what the mail says; the same debt has the same one.
    pub message_id: String,
    /// The envelope sender.
    pub sender: String,
    pub recipients: Vec<String>,
    pub method: String,
    pub subject: String,
    pub raw: Vec<u8>,
    /// DTSTAMP of the message, Unix seconds.
    pub dtstamp: i64,
    /// Unix milliseconds.
    pub created_at: i64,
}

/// A mail in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEntry {
    pub id: i64,
    pub debt: Debt,
    pub attempts: u32,
    pub last_error: String,
    /// Since when it is tried, Unix milliseconds: when it was entered, or when an operator had it tried again.
    pub tried_since: i64,
    /// Whether a rate limit keeps back what waits of it.
    pub is_held: bool,
}

/// What became of a mail for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRecipient {
    pub address: String,
    pub state: RecipientState,
    /// What the server said last.
    pub detail: String,
}

/// The states of a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecipientState {
    Waiting,
    /// The submission server has taken the mail.
    Sent,
    /// It never will, or we have given up.
    Failed,
    /// An operator has decided that it does not go.
    Dropped,
}

impl RecipientState {
    pub fn as_str(self) -> &'static str {
        match self {
            RecipientState::Waiting => "waiting",
            RecipientState::Sent => "sent",
            RecipientState::Failed => "failed",
            RecipientState::Dropped => "dropped",
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self, LedgerError> {
        [Self::Waiting, Self::Sent, Self::Failed, Self::Dropped]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| LedgerError::Unreadable { what: "the state of a recipient", value: text.to_owned() })
    }
}

const COLUMNS: &str =
    "id, user, cal_uid, message_id, sender, method, subject, raw, created_at, attempts, last_error, dtstamp,
     retried_at, is_held";

impl Transaction {
    /// Enters a debt; false when the very same mail was entered before.
    pub async fn owe(&mut self, debt: &Debt) -> Result<bool, LedgerError> {
        self.news.mails = true;
        let entered = sqlx::query(
            "INSERT INTO outbox (user, cal_uid, message_id, sender, method, subject, raw, created_at, attempts,
                                 next_attempt_at, last_error, dtstamp, is_open)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?8, '', ?9, ?10)
             ON CONFLICT (message_id) DO NOTHING RETURNING id",
        )
        .bind(&debt.user)
        .bind(&debt.cal_uid)
        .bind(&debt.message_id)
        .bind(&debt.sender)
        .bind(&debt.method)
        .bind(&debt.subject)
        .bind(&debt.raw)
        .bind(debt.created_at)
        .bind(debt.dtstamp)
        .bind(i64::from(!debt.recipients.is_empty()))
        .fetch_optional(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("enter a mail in the outbox"))?;
        let Some(id) = entered.map(|row| row.get::<i64, _>(0)) else { return Ok(false) };
        for address in &debt.recipients {
            sqlx::query(
                "INSERT INTO outbox_recipient (outbox_id, address, state, detail) VALUES (?, ?, 'waiting', '')
                 ON CONFLICT (outbox_id, address) DO NOTHING",
            )
            .bind(id)
            .bind(address)
            .execute(self.connection().await?)
            .await
            .map_err(LedgerError::while_trying("enter a recipient in the outbox"))?;
        }
        Ok(true)
    }

    /// Records what became of a mail for some recipients; `at` in Unix milliseconds.
    pub async fn settle(&mut self, id: i64, outcomes: &[OutboxRecipient], at: i64) -> Result<(), LedgerError> {
        self.settle_all(&outcomes.iter().map(|outcome| (id, outcome)).collect::<Vec<_>>(), at).await
    }

    /// Records what became of several mails for some recipients each; of two outcomes for one recipient the later one.
    ///
    /// An operator may have dropped a mail while it was on its way: then only that it went all the same is recorded. Two statements
    /// whatever their number: each one costs more than what it does.
    pub async fn settle_all(&mut self, outcomes: &[(i64, &OutboxRecipient)], at: i64) -> Result<(), LedgerError> {
        self.news.mails = true;
        let latest: BTreeMap<_, _> =
            outcomes.iter().map(|(id, outcome)| ((id, outcome.address.as_str()), outcome)).collect();
        let rows = latest.iter().map(|((id, address), outcome)| {
            let settled_at = if outcome.state == RecipientState::Waiting { 0 } else { at };
            serde_json::json!([id, address, outcome.state.as_str(), outcome.detail, settled_at])
        });
        let rows = serde_json::Value::Array(rows.collect()).to_string();
        sqlx::query(
            "UPDATE outbox_recipient
             SET state = outcome.value ->> 2, detail = outcome.value ->> 3, settled_at = outcome.value ->> 4
             FROM json_each(?) AS outcome
             WHERE outbox_id = outcome.value ->> 0 AND address = outcome.value ->> 1
               AND (state = 'waiting' OR outcome.value ->> 2 = 'sent')",
        )
        .bind(rows)
        .execute(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("record a delivery"))?;
        self.close_when_done(&outcomes.iter().map(|(id, _)| *id).collect::<Vec<_>>()).await
    }

    /// Notes of some mails whether anybody still waits for them.
    async fn close_when_done(&mut self, ids: &[i64]) -> Result<(), LedgerError> {
        let ids = serde_json::json!(ids).to_string();
        sqlx::query(
            "UPDATE outbox SET is_open = EXISTS (
                 SELECT 1 FROM outbox_recipient WHERE outbox_id = outbox.id AND state = 'waiting')
             WHERE id IN (SELECT value FROM json_each(?))",
        )
        .bind(ids)
        .execute(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("record a delivery"))?;
        Ok(())
    }

    /// Puts off what still waits of a mail.
    pub async fn postpone(&mut self, id: i64, next_attempt_at: i64, why: &str) -> Result<(), LedgerError> {
        sqlx::query(
            "UPDATE outbox SET attempts = attempts + 1, next_attempt_at = ?, last_error = ?, is_held = 0 WHERE id = ?",
        )
        .bind(next_attempt_at)
        .bind(why)
        .bind(id)
        .execute(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("put off a mail"))?;
        Ok(())
    }

    /// Keeps back what still waits of a mail, because of a rate limit; that is no attempt.
    pub async fn hold(&mut self, id: i64, until: i64, why: &str) -> Result<(), LedgerError> {
        sqlx::query("UPDATE outbox SET next_attempt_at = ?, last_error = ?, is_held = 1 WHERE id = ?")
            .bind(until)
            .bind(why)
            .bind(id)
            .execute(self.connection().await?)
            .await
            .map_err(LedgerError::while_trying("keep a mail back"))?;
        Ok(())
    }

    /// The latest DTSTAMP that a user has sent about a UID, Unix seconds; nothing when none was sent.
    pub async fn last_dtstamp(&mut self, user: &str, cal_uid: &str) -> Result<Option<i64>, LedgerError> {
        let row = sqlx::query("SELECT MAX(dtstamp) FROM outbox WHERE user = ? AND cal_uid = ?")
            .bind(user)
            .bind(cal_uid)
            .fetch_one(self.connection().await?)
            .await
            .map_err(LedgerError::while_trying("look for the last message"))?;
        Ok(row.get(0))
    }

    /// How many mails of a kind a user has owed to others since an instant, Unix milliseconds, about no object: to one
    /// recipient, or to all.
    pub async fn count_mails(
        &mut self,
        user: &str,
        (method, to): (&str, Option<&str>),
        since: i64,
    ) -> Result<u32, LedgerError> {
        let row = sqlx::query(
            "SELECT COUNT(*) FROM outbox JOIN outbox_recipient ON outbox_recipient.outbox_id = outbox.id
             WHERE outbox.user = ?1 AND outbox.cal_uid = '' AND method = ?2 AND created_at >= ?3
             AND (?4 IS NULL OR outbox_recipient.address = ?4) AND outbox_recipient.address <> ?1",
        )
        .bind(user)
        .bind(method)
        .bind(since)
        .bind(to)
        .fetch_one(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("count what a user owes"))?;
        Ok(row.get(0))
    }

    /// Whether a mail with this Message-ID is one of ours.
    pub async fn is_ours(&mut self, user: &str, message_id: &str) -> Result<bool, LedgerError> {
        let row = sqlx::query("SELECT 1 FROM outbox WHERE user = ? AND message_id = ?")
            .bind(user)
            .bind(message_id)
            .fetch_optional(self.connection().await?)
            .await
            .map_err(LedgerError::while_trying("look for a mail of ours"))?;
        Ok(row.is_some())
    }
}

impl Ledger {
    /// Which of these Message-IDs are those of mails that a user has sent through the outbox.
    pub async fn sent_among(&self, user: &str, of: &BTreeSet<String>) -> Result<BTreeSet<String>, LedgerError> {
        self.message_ids_among("SELECT message_id FROM outbox WHERE user = ", user, of).await
    }

    /// Whether anything was sent for a user that somebody may still answer.
    pub async fn has_sent(&self, user: &str) -> Result<bool, LedgerError> {
        let row = sqlx::query(
            "SELECT EXISTS (SELECT 1 FROM outbox WHERE user = ?1)
                 OR EXISTS (SELECT 1 FROM link WHERE user = ?1 AND purpose = 'answer')",
        )
        .bind(user)
        .fetch_one(&self.pool)
        .await
        .map_err(LedgerError::while_trying("look for what a user has sent"))?;
        Ok(row.get(0))
    }

    /// The newest mails of the outbox, at most `most`; their text is left out.
    pub async fn outbox(&self, most: u32) -> Result<Vec<OutboxEntry>, LedgerError> {
        let columns = COLUMNS.replace(" raw,", " x'' AS raw,");
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {columns} FROM outbox ORDER BY id DESC LIMIT ?")))
            .bind(most)
            .fetch_all(&self.pool)
            .await
            .map_err(LedgerError::while_trying("read the outbox"))?;
        Ok(rows.iter().map(entry).collect())
    }

    /// A mail of the outbox by its number.
    pub async fn outbox_entry(&self, id: i64) -> Result<Option<OutboxEntry>, LedgerError> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM outbox WHERE id = ?")))
            .bind(id)
            .fetch_optional(&self.pool)
            .await
            .map_err(LedgerError::while_trying("read the outbox"))?;
        Ok(row.as_ref().map(entry))
    }

    /// The recipients of a mail.
    pub async fn recipients(&self, id: i64) -> Result<Vec<OutboxRecipient>, LedgerError> {
        let rows =
            sqlx::query("SELECT address, state, detail FROM outbox_recipient WHERE outbox_id = ? ORDER BY address")
                .bind(id)
                .fetch_all(&self.pool)
                .await
                .map_err(LedgerError::while_trying("read recipients"))?;
        rows.iter().map(recipient).collect()
    }

    /// How many recipients are in a state.
    pub async fn recipients_in(&self, state: RecipientState) -> Result<i64, LedgerError> {
        let row = sqlx::query("SELECT COUNT(*) FROM outbox_recipient WHERE state = ?")
            .bind(state.as_str())
            .fetch_one(&self.pool)
            .await
            .map_err(LedgerError::while_trying("count recipients"))?;
        Ok(row.get(0))
    }
}

fn entry(row: &SqliteRow) -> OutboxEntry {
    let debt = Debt {
        user: row.get(1),
        cal_uid: row.get(2),
        message_id: row.get(3),
        sender: row.get(4),
        recipients: Vec::new(),
        method: row.get(5),
        subject: row.get(6),
        raw: row.get(7),
        created_at: row.get(8),
        dtstamp: row.get(11),
    };
    let (retried_at, is_held): (i64, i64) = (row.get(12), row.get(13));
    let tried_since = debt.created_at.max(retried_at);
    OutboxEntry {
        id: row.get(0),
        debt,
        attempts: row.get(9),
        last_error: row.get(10),
        tried_since,
        is_held: is_held != 0,
    }
}

fn recipient(row: &SqliteRow) -> Result<OutboxRecipient, LedgerError> {
    let state: String = row.get(1);
    Ok(OutboxRecipient { address: row.get(0), state: RecipientState::parse(&state)?, detail: row.get(2) })
}
