//! What is known of those who send mail to a user: whom the user has written to, and how much they send.

use std::collections::BTreeMap;

use sqlx::Row;

use super::{Ledger, LedgerError, Transaction};
use crate::itip::Address;

/// How many people are remembered as known to one user; those written to longest ago go first.
pub const ACQUAINTANCES_MAX: u32 = 20_000;

/// How many recipients of one mail become known by it; whoever writes to more does not write to people.
pub const RECIPIENTS_MAX: usize = 200;

impl Transaction {
    /// Remembers that a user has written to people, Unix milliseconds.
    pub async fn add_acquaintances(&mut self, user: &str, people: &[Address], at: i64) -> Result<(), LedgerError> {
        for address in people.iter().filter(|address| address.is_mailable()).take(RECIPIENTS_MAX) {
            sqlx::query(
                "INSERT INTO acquaintance (user, address, written_at) VALUES (?, ?, ?)
                 ON CONFLICT (user, address) DO UPDATE SET written_at = MAX(written_at, excluded.written_at)",
            )
            .bind(user)
            .bind(address.as_str())
            .bind(at)
            .execute(self.connection().await?)
            .await
            .map_err(LedgerError::while_trying("remember whom a user has written to"))?;
        }
        self.forget_oldest(user).await
    }

    /// Remembers people whom a user has written to in many mails, each with the last time, Unix milliseconds.
    pub async fn add_correspondents(&mut self, user: &str, people: &BTreeMap<Address, i64>) -> Result<(), LedgerError> {
        let mut by_time: BTreeMap<i64, Vec<Address>> = BTreeMap::new();
        for (address, at) in people {
            by_time.entry(*at).or_default().push(address.clone());
        }
        for (at, people) in by_time {
            for some in people.chunks(RECIPIENTS_MAX) {
                self.add_acquaintances(user, some, at).await?;
            }
        }
        Ok(())
    }

    async fn forget_oldest(&mut self, user: &str) -> Result<(), LedgerError> {
        sqlx::query(
            "DELETE FROM acquaintance WHERE user = ?1 AND written_at < COALESCE((
                 SELECT written_at FROM acquaintance WHERE user = ?1 ORDER BY written_at DESC LIMIT 1 OFFSET ?2), 0)",
        )
        .bind(user)
        .bind(ACQUAINTANCES_MAX - 1)
        .execute(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("forget the oldest acquaintances"))?;
        Ok(())
    }

    /// Whether a user has written to somebody.
    pub async fn is_acquainted(&mut self, user: &str, address: &Address) -> Result<bool, LedgerError> {
        let row = sqlx::query("SELECT 1 FROM acquaintance WHERE user = ? AND address = ?")
            .bind(user)
            .bind(address.as_str())
            .fetch_optional(self.connection().await?)
            .await
            .map_err(LedgerError::while_trying("look up an acquaintance"))?;
        Ok(row.is_some())
    }

    /// How many decisions about the calendars of a sender, with that kind of proof, a user has had since a time, Unix
    /// milliseconds; counts to `most` only.
    pub async fn count_from(
        &mut self,
        user: &str,
        (sender, proof): (&str, &str),
        since: i64,
        most: u32,
    ) -> Result<u32, LedgerError> {
        let counted = sqlx::query(
            "SELECT COUNT(*) FROM (
                 SELECT 1 FROM decision WHERE user = ? AND sender = ? AND at >= ? AND substr(proof, 1, length(?)) = ? LIMIT ? + 0)",
        )
        .bind(user)
        .bind(sender)
        .bind(since)
        .bind(proof)
        .bind(proof)
        .bind(most)
        .fetch_one(self.connection().await?)
        .await;
        counted.map(|row| row.get(0)).map_err(LedgerError::while_trying("count what a sender has sent"))
    }

    /// How many answers to an event have come; counts to `most` only.
    pub async fn count_answers(&mut self, user: &str, cal_uid: &str, most: u32) -> Result<u32, LedgerError> {
        let counted = sqlx::query(
            "SELECT COUNT(*) FROM (
                 SELECT 1 FROM decision WHERE user = ? AND cal_uid = ? AND method = 'REPLY' LIMIT ? + 0)",
        )
        .bind(user)
        .bind(cal_uid)
        .bind(most)
        .fetch_one(self.connection().await?)
        .await;
        counted.map(|row| row.get(0)).map_err(LedgerError::while_trying("count the answers to an event"))
    }

    /// How many messages wait for a user; counts to `most` only.
    pub async fn count_waiting(&mut self, user: &str, most: u32) -> Result<u32, LedgerError> {
        let counted = sqlx::query("SELECT COUNT(*) FROM (SELECT 1 FROM proposal WHERE user = ? LIMIT ? + 0)")
            .bind(user)
            .bind(most)
            .fetch_one(self.connection().await?)
            .await;
        counted.map(|row| row.get(0)).map_err(LedgerError::while_trying("count what waits"))
    }

    /// A mail that this gateway wrote, by its Message-ID: its sender and its text.
    pub async fn own_mail(&mut self, message_id: &str) -> Result<Option<(String, Vec<u8>)>, LedgerError> {
        if message_id.is_empty() {
            return Ok(None);
        }
        let row = sqlx::query("SELECT sender, raw FROM outbox WHERE message_id = ?")
            .bind(message_id)
            .fetch_optional(self.connection().await?)
            .await
            .map_err(LedgerError::while_trying("look up a mail of our own"))?;
        Ok(row.map(|row| (row.get(0), row.get(1))))
    }
}

impl Ledger {
    /// The people whom a user has written to, the latest first.
    pub async fn acquaintances(&self, user: &str, most: u32) -> Result<Vec<String>, LedgerError> {
        let rows =
            sqlx::query("SELECT address FROM acquaintance WHERE user = ? ORDER BY written_at DESC, address LIMIT ?")
                .bind(user)
                .bind(most)
                .fetch_all(&self.pool)
                .await
                .map_err(LedgerError::while_trying("list acquaintances"))?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}
