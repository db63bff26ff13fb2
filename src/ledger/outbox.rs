//! The mails that are owed, and what became of them for each recipient.

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
}

impl RecipientState {
    pub fn as_str(self) -> &'static str {
        match self {
            RecipientState::Waiting => "waiting",
            RecipientState::Sent => "sent",
            RecipientState::Failed => "failed",
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self, LedgerError> {
        [Self::Waiting, Self::Sent, Self::Failed]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| LedgerError::Unreadable { what: "the state of a recipient", value: text.to_owned() })
    }
}

const COLUMNS: &str =
    "id, user, cal_uid, message_id, sender, method, subject, raw, created_at, attempts, last_error, dtstamp";

impl Transaction {
    /// Enters a debt; false when the very same mail was entered before.
    pub async fn owe(&mut self, debt: &Debt) -> Result<bool, LedgerError> {
        let entered = sqlx::query(
            "INSERT INTO outbox (user, cal_uid, message_id, sender, method, subject, raw, created_at, attempts,
                                 next_attempt_at, last_error, dtstamp)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?8, '', ?9)
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
        .fetch_optional(self.connection())
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
            .execute(self.connection())
            .await
            .map_err(LedgerError::while_trying("enter a recipient in the outbox"))?;
        }
        Ok(true)
    }

    /// Records what became of a mail for some recipients.
    pub async fn settle(&mut self, id: i64, outcomes: &[OutboxRecipient]) -> Result<(), LedgerError> {
        for outcome in outcomes {
            sqlx::query("UPDATE outbox_recipient SET state = ?, detail = ? WHERE outbox_id = ? AND address = ?")
                .bind(outcome.state.as_str())
                .bind(&outcome.detail)
                .bind(id)
                .bind(&outcome.address)
                .execute(self.connection())
                .await
                .map_err(LedgerError::while_trying("record a delivery"))?;
        }
        Ok(())
    }

    /// Puts off what still waits of a mail.
    pub async fn postpone(&mut self, id: i64, next_attempt_at: i64, why: &str) -> Result<(), LedgerError> {
        sqlx::query("UPDATE outbox SET attempts = attempts + 1, next_attempt_at = ?, last_error = ? WHERE id = ?")
            .bind(next_attempt_at)
            .bind(why)
            .bind(id)
            .execute(self.connection())
            .await
            .map_err(LedgerError::while_trying("put off a mail"))?;
        Ok(())
    }

    /// The latest DTSTAMP that a user has sent about a UID, Unix seconds; nothing when none was sent.
    pub async fn last_dtstamp(&mut self, user: &str, cal_uid: &str) -> Result<Option<i64>, LedgerError> {
        let row = sqlx::query("SELECT MAX(dtstamp) FROM outbox WHERE user = ? AND cal_uid = ?")
            .bind(user)
            .bind(cal_uid)
            .fetch_one(self.connection())
            .await
            .map_err(LedgerError::while_trying("look for the last message"))?;
        Ok(row.get(0))
    }

    /// Whether a mail with this Message-ID is one of ours.
    pub async fn is_ours(&mut self, user: &str, message_id: &str) -> Result<bool, LedgerError> {
        let row = sqlx::query("SELECT 1 FROM outbox WHERE user = ? AND message_id = ?")
            .bind(user)
            .bind(message_id)
            .fetch_optional(self.connection())
            .await
            .map_err(LedgerError::while_trying("look for a mail of ours"))?;
        Ok(row.is_some())
    }
}

impl Ledger {
    /// The mails that are due, in the order in which they were entered, at most `most`.
    ///
    /// A mail is held back while an earlier one about the same object still waits for one of its recipients: an update
    /// never overtakes its invitation.
    pub async fn due(&self, now: i64, most: u32) -> Result<Vec<OutboxEntry>, LedgerError> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM outbox
             WHERE next_attempt_at <= ?1
               AND id IN (SELECT outbox_id FROM outbox_recipient WHERE state = 'waiting')
               AND NOT EXISTS (
                   SELECT 1 FROM outbox_recipient mine
                   JOIN outbox_recipient theirs ON theirs.address = mine.address AND theirs.state = 'waiting'
                   JOIN outbox earlier ON earlier.id = theirs.outbox_id
                   WHERE mine.outbox_id = outbox.id AND mine.state = 'waiting' AND earlier.id < outbox.id
                     AND earlier.user = outbox.user AND earlier.cal_uid = outbox.cal_uid)
             ORDER BY id LIMIT ?2"
        )))
        .bind(now)
        .bind(most)
        .fetch_all(&self.pool)
        .await
        .map_err(LedgerError::while_trying("read the outbox"))?;
        Ok(rows.iter().map(entry).collect())
    }

    /// When the next mail is due, or the next answers are to be shared, Unix milliseconds; nothing when nothing waits.
    pub async fn next_due_at(&self) -> Result<Option<i64>, LedgerError> {
        let row = sqlx::query(
            "SELECT MIN(due_at) FROM (
                 SELECT MIN(next_attempt_at) AS due_at FROM outbox
                 WHERE id IN (SELECT outbox_id FROM outbox_recipient WHERE state = 'waiting')
                 UNION ALL SELECT MIN(due_at) FROM unshared_answer) AS waiting",
        )
        .fetch_one(&self.pool)
        .await
        .map_err(LedgerError::while_trying("read the outbox"))?;
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

    /// Makes every waiting mail due at once.
    pub async fn retry_now(&self, now: i64) -> Result<(), LedgerError> {
        let waiting = "id IN (SELECT outbox_id FROM outbox_recipient WHERE state = 'waiting')";
        sqlx::query(sqlx::AssertSqlSafe(format!("UPDATE outbox SET next_attempt_at = ? WHERE {waiting}")))
            .bind(now)
            .execute(&self.pool)
            .await
            .map_err(LedgerError::while_trying("make mails due"))?;
        Ok(())
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
    OutboxEntry { id: row.get(0), debt, attempts: row.get(9), last_error: row.get(10) }
}

fn recipient(row: &SqliteRow) -> Result<OutboxRecipient, LedgerError> {
    let state: String = row.get(1);
    Ok(OutboxRecipient { address: row.get(0), state: RecipientState::parse(&state)?, detail: row.get(2) })
}
