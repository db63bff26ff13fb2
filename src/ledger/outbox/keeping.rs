//! What is forgotten in time, a little at once: the daemon must not stand still for it.

use crate::ledger::{Ledger, LedgerError};

/// Until when things are kept, Unix milliseconds: what is older may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The texts of mails that nobody waits for.
    pub texts_since: i64,
    /// Decisions, and all that is left of mails that nobody waits for.
    pub records_since: i64,
}

impl Ledger {
    /// Forgets at most `most` things of each kind; how many it were.
    ///
    /// The Message-ID of a mail stays with its record: as long as that stands the same debt is not entered again, and a
    /// copy of the mail is known for one of ours. A mail that somebody waits for keeps everything.
    pub async fn forget(&self, kept: Kept, most: u32) -> Result<u64, LedgerError> {
        let failed = LedgerError::while_trying;
        let texts = "UPDATE outbox SET raw = x'' WHERE id IN (
            SELECT id FROM outbox WHERE is_open = 0 AND created_at < ? AND LENGTH(raw) > 0 LIMIT ?)";
        let mails = "DELETE FROM outbox WHERE id IN (
            SELECT id FROM outbox WHERE is_open = 0 AND created_at < ? LIMIT ?)";
        let decisions = "DELETE FROM decision WHERE id IN (SELECT id FROM decision WHERE at < ? LIMIT ?)";
        let mut forgotten = 0;
        for (sql, since) in [(texts, kept.texts_since), (mails, kept.records_since), (decisions, kept.records_since)] {
            let query = sqlx::query(sql).bind(since).bind(most);
            forgotten += query.execute(&self.pool).await.map_err(failed("forget what is old"))?.rows_affected();
        }
        Ok(forgotten)
    }
}
