//! The copies of sent mails that the users' Sent folders are owed.

use sqlx::Row;

use super::{Ledger, LedgerError, Transaction};

/// What became of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyState {
    Saved,
    /// The server does not take it, and never will.
    Refused,
}

impl CopyState {
    fn as_str(self) -> &'static str {
        match self {
            CopyState::Saved => "saved",
            CopyState::Refused => "refused",
        }
    }
}

/// A copy that is owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentCopy {
    pub outbox_id: i64,
    pub user: String,
    pub message_id: String,
    pub raw: Vec<u8>,
    /// When the mail was entered in the outbox, Unix milliseconds.
    pub created_at: i64,
    pub attempts: u32,
}

impl Transaction {
    /// Owes a copy of a mail to its user's Sent folder; a mail that is owed or was saved already stays as it is.
    pub async fn owe_copy(&mut self, outbox_id: i64, now: i64) -> Result<(), LedgerError> {
        sqlx::query(
            "INSERT INTO sent_copy (outbox_id, state, attempts, next_attempt_at, detail) VALUES (?, 'owed', 0, ?, '')
             ON CONFLICT (outbox_id) DO NOTHING",
        )
        .bind(outbox_id)
        .bind(now)
        .execute(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("owe a copy"))?;
        Ok(())
    }
}

impl Ledger {
    /// The copies of one user that are due, the least tried and of these the oldest first, at most `most`; of the user who has waited
    /// longest.
    pub async fn copies_due(&self, now: i64, most: u32) -> Result<Vec<SentCopy>, LedgerError> {
        let rows = sqlx::query(
            "SELECT sent_copy.outbox_id, user, message_id, raw, created_at, sent_copy.attempts
             FROM sent_copy JOIN outbox ON outbox.id = sent_copy.outbox_id
             WHERE state = 'owed' AND sent_copy.next_attempt_at <= ?1 AND user = (
                 SELECT user FROM sent_copy JOIN outbox ON outbox.id = sent_copy.outbox_id
                 WHERE state = 'owed' AND sent_copy.next_attempt_at <= ?1
                 ORDER BY sent_copy.next_attempt_at, sent_copy.outbox_id LIMIT 1)
             ORDER BY sent_copy.attempts, sent_copy.outbox_id LIMIT ?2 + 0",
        )
        .bind(now)
        .bind(most)
        .fetch_all(&self.pool)
        .await
        .map_err(LedgerError::while_trying("look for copies to save"))?;
        let copy = |row: &sqlx::sqlite::SqliteRow| SentCopy {
            outbox_id: row.get(0),
            user: row.get(1),
            message_id: row.get(2),
            raw: row.get(3),
            created_at: row.get(4),
            attempts: row.get(5),
        };
        Ok(rows.iter().map(copy).collect())
    }

    /// How many copies were refused.
    pub async fn copies_refused(&self) -> Result<i64, LedgerError> {
        let row = sqlx::query("SELECT COUNT(*) FROM sent_copy WHERE state = 'refused'")
            .fetch_one(&self.pool)
            .await
            .map_err(LedgerError::while_trying("count copies"))?;
        Ok(row.get(0))
    }

    /// Records what became of a copy.
    pub async fn settle_copy(&self, outbox_id: i64, state: CopyState, detail: &str) -> Result<(), LedgerError> {
        sqlx::query("UPDATE sent_copy SET state = ?, detail = ? WHERE outbox_id = ?")
            .bind(state.as_str())
            .bind(detail)
            .bind(outbox_id)
            .execute(&self.pool)
            .await
            .map_err(LedgerError::while_trying("record a copy"))?;
        Ok(())
    }

    /// Puts off a copy after an attempt.
    pub async fn postpone_copy(&self, outbox_id: i64, until: i64, why: &str) -> Result<(), LedgerError> {
        sqlx::query(
            "UPDATE sent_copy SET attempts = attempts + 1, next_attempt_at = ?, detail = ?
             WHERE state = 'owed' AND outbox_id = ?",
        )
        .bind(until)
        .bind(why)
        .bind(outbox_id)
        .execute(&self.pool)
        .await
        .map_err(LedgerError::while_trying("put off a copy"))?;
        Ok(())
    }

    /// Lets all copies that are owed to a user rest until then, or longer where they do already; that is no attempt.
    pub async fn defer_copies(&self, user: &str, until: i64) -> Result<(), LedgerError> {
        sqlx::query(
            "UPDATE sent_copy SET next_attempt_at = ?1
             WHERE state = 'owed' AND next_attempt_at < ?1 AND outbox_id IN (SELECT id FROM outbox WHERE user = ?2)",
        )
        .bind(until)
        .bind(user)
        .execute(&self.pool)
        .await
        .map_err(LedgerError::while_trying("put off copies"))?;
        Ok(())
    }

    /// Puts off all copies that are owed to a user after an attempt.
    pub async fn postpone_copies(&self, user: &str, until: i64, why: &str) -> Result<(), LedgerError> {
        sqlx::query(
            "UPDATE sent_copy SET attempts = attempts + 1, next_attempt_at = ?, detail = ?
             WHERE state = 'owed' AND outbox_id IN (SELECT id FROM outbox WHERE user = ?)",
        )
        .bind(until)
        .bind(why)
        .bind(user)
        .execute(&self.pool)
        .await
        .map_err(LedgerError::while_trying("put off copies"))?;
        Ok(())
    }
}
