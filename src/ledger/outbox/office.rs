//! What an operator does to the outbox: try again, drop, lift the rate limits. Nothing vanishes by it.

use sqlx::Row;

use super::{OutboxRecipient, RecipientState};
use crate::ledger::{Ledger, LedgerError, Transaction};

impl Ledger {
    /// Makes due at once what was put off or is kept back; a mail that waits for its first attempt waits on.
    pub async fn retry_now(&self, now: i64) -> Result<(), LedgerError> {
        let put_off = "UPDATE outbox SET next_attempt_at = ?, is_held = 0
                       WHERE is_open = 1 AND (attempts > 0 OR is_held = 1)";
        sqlx::query(put_off)
            .bind(now)
            .execute(&self.pool)
            .await
            .map_err(LedgerError::while_trying("make mails due"))?;
        Ok(())
    }

    /// How many recipients wait because of a rate limit.
    pub async fn recipients_held(&self) -> Result<i64, LedgerError> {
        let row = sqlx::query(
            "SELECT COUNT(*) FROM outbox JOIN outbox_recipient held ON held.outbox_id = outbox.id
             WHERE outbox.is_open = 1 AND outbox.is_held = 1 AND held.state = 'waiting'",
        )
        .fetch_one(&self.pool)
        .await
        .map_err(LedgerError::while_trying("count recipients"))?;
        Ok(row.get(0))
    }
}

impl Transaction {
    /// Makes a mail due at once for all who have not got it, also those for whom it was given up; how many they are.
    ///
    /// `now` in Unix milliseconds: the time in which it is tried begins anew. A mail whose text is kept no more, and
    /// what was dropped, stay as they are.
    pub async fn retry(&mut self, id: i64, now: i64) -> Result<u64, LedgerError> {
        self.news.mails = true;
        let again = sqlx::query(
            "UPDATE outbox_recipient SET state = 'waiting', settled_at = 0
             WHERE outbox_id = ?1 AND state IN ('waiting', 'failed')
               AND EXISTS (SELECT 1 FROM outbox WHERE id = ?1 AND LENGTH(raw) > 0)",
        )
        .bind(id)
        .execute(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("try a mail again"))?
        .rows_affected();
        if again > 0 {
            sqlx::query(
                "UPDATE outbox SET next_attempt_at = ?1, attempts = 0, is_open = 1, is_held = 0, retried_at = ?1
                 WHERE id = ?2",
            )
            .bind(now)
            .bind(id)
            .execute(self.connection().await?)
            .await
            .map_err(LedgerError::while_trying("try a mail again"))?;
        }
        Ok(again)
    }

    /// Marks a mail as dropped for all who have not got it; those whom it concerns. `detail` says who did it.
    pub async fn drop_mail(&mut self, id: i64, detail: &str, at: i64) -> Result<Vec<OutboxRecipient>, LedgerError> {
        self.news.mails = true;
        let rows = sqlx::query(
            "UPDATE outbox_recipient SET state = 'dropped', detail = ?1, settled_at = ?2
             WHERE outbox_id = ?3 AND state IN ('waiting', 'failed') RETURNING address",
        )
        .bind(detail)
        .bind(at)
        .bind(id)
        .fetch_all(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("drop a mail"))?;
        self.close_when_done(&[id]).await?;
        let dropped = |row: &sqlx::sqlite::SqliteRow| OutboxRecipient {
            address: row.get(0),
            state: RecipientState::Dropped,
            detail: detail.to_owned(),
        };
        Ok(rows.iter().map(dropped).collect())
    }

    /// Lets the rate limits of a user count anew from `at`, Unix milliseconds, and makes due what they kept back.
    pub async fn release(&mut self, user: &str, at: i64, by: &str) -> Result<u64, LedgerError> {
        self.news.mails = true;
        sqlx::query(
            "INSERT INTO outbox_release (user, released_at, released_by) VALUES (?, ?, ?)
             ON CONFLICT (user) DO UPDATE SET released_at = excluded.released_at, released_by = excluded.released_by",
        )
        .bind(user)
        .bind(at)
        .bind(by)
        .execute(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("lift a limit"))?;
        let held = sqlx::query(
            "UPDATE outbox SET next_attempt_at = ?, is_held = 0 WHERE user = ? AND is_open = 1 AND is_held = 1",
        )
        .bind(at)
        .bind(user)
        .execute(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("lift a limit"))?;
        Ok(held.rows_affected())
    }
}
