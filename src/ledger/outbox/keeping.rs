//! What is forgotten in time, a little at once: the daemon must not stand still for it.

use sqlx::Row;

use crate::ledger::{Ledger, LedgerError};

/// Until when things are kept, Unix milliseconds: what is older may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The texts of mails that nobody waits for.
    pub texts_since: i64,
    /// Decisions, all that is left of mails that nobody waits for, what was said to whom, and who was told of whom.
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
        // Who is still to be told of it has not been.
        let undelivered = "DELETE FROM undelivered WHERE rowid IN (
            SELECT rowid FROM undelivered WHERE told = 1 AND due_at < ? LIMIT ?)";
        // Until then whoever uses one is told that it has expired.
        let links = "DELETE FROM link WHERE digest IN (
            SELECT digest FROM link WHERE expires_at < ? ORDER BY expires_at LIMIT ?)";
        let questions =
            "DELETE FROM question WHERE message_id IN (SELECT message_id FROM question WHERE at < ? LIMIT ?)";
        let records = [mails, decisions, undelivered, links, questions].map(|sql| (sql, kept.records_since));
        let mut forgotten = self.forget_said(kept.records_since, most).await?;
        for (sql, since) in [(texts, kept.texts_since)].into_iter().chain(records) {
            let query = sqlx::query(sql).bind(since).bind(most);
            forgotten += query.execute(&self.pool).await.map_err(failed("forget what is old"))?.rows_affected();
        }
        Ok(forgotten)
    }

    /// Forgets what was said before an instant, Unix milliseconds, but for what still waits to be sent.
    async fn forget_said(&self, since: i64, most: u32) -> Result<u64, LedgerError> {
        // Looked for without the right to write: no index has the time, and nobody is to wait for the search.
        let old = sqlx::query(
            "SELECT said.rowid FROM said LEFT JOIN outbox ON outbox.id = said.outbox_id
             WHERE said.dtstamp < ? AND COALESCE(outbox.is_open, 0) = 0 LIMIT ?",
        );
        let old = old.bind(since / 1_000).bind(most).fetch_all(&self.pool).await;
        let mut forgotten = 0;
        for row in old.map_err(LedgerError::while_trying("look for what was said long ago"))? {
            // It may have been said again meanwhile.
            let query = sqlx::query("DELETE FROM said WHERE rowid = ? AND dtstamp < ?");
            let done = query.bind(row.get::<i64, _>(0)).bind(since / 1_000).execute(&self.pool).await;
            forgotten += done.map_err(LedgerError::while_trying("forget what was said long ago"))?.rows_affected();
        }
        Ok(forgotten)
    }
}
