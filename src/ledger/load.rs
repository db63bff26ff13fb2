//! How much waits, for the metrics: what each scrape may ask without reading the whole database.

use sqlx::Row;

use super::limits::RECIPIENTS_COUNTED_MAX;
use super::{Ledger, LedgerError, RecipientState};

/// What waits in the outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxLoad {
    /// Recipients, as all numbers here; counted up to 100,000.
    pub waiting: i64,
    pub failed: i64,
    /// When the oldest mail was entered that waits for a recipient, Unix milliseconds.
    pub oldest_waiting_at: Option<i64>,
}

impl Ledger {
    /// What waits in the outbox; walks only along the index of what waits or has failed, and only so far.
    pub async fn outbox_load(&self) -> Result<OutboxLoad, LedgerError> {
        Ok(OutboxLoad {
            waiting: self.recipients_up_to_limit(RecipientState::Waiting).await?,
            failed: self.recipients_up_to_limit(RecipientState::Failed).await?,
            oldest_waiting_at: self.oldest_waiting_at().await?,
        })
    }

    async fn recipients_up_to_limit(&self, state: RecipientState) -> Result<i64, LedgerError> {
        let row = sqlx::query("SELECT COUNT(*) FROM (SELECT 1 FROM outbox_recipient WHERE state = ? LIMIT ?) AS some")
            .bind(state.as_str())
            .bind(RECIPIENTS_COUNTED_MAX)
            .fetch_one(&self.pool)
            .await
            .map_err(LedgerError::while_trying("count recipients"))?;
        Ok(row.get(0))
    }

    async fn oldest_waiting_at(&self) -> Result<Option<i64>, LedgerError> {
        // The numbers of mails ascend with time.
        let row = sqlx::query(
            "SELECT created_at FROM outbox WHERE id =
             (SELECT MIN(outbox_id) FROM
                 (SELECT outbox_id FROM outbox_recipient WHERE state = 'waiting' LIMIT ?) AS some)",
        )
        .bind(RECIPIENTS_COUNTED_MAX)
        .fetch_optional(&self.pool)
        .await
        .map_err(LedgerError::while_trying("look for the oldest mail that waits"))?;
        Ok(row.map(|row| row.get(0)))
    }

    /// Whether the database can be read.
    pub async fn ping(&self) -> Result<(), LedgerError> {
        let row = sqlx::query("SELECT user FROM cursor LIMIT 1").fetch_optional(&self.pool).await;
        row.map(drop).map_err(LedgerError::while_trying("be read"))
    }
}
