//! What waits for a user to decide.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Ledger, LedgerError, Transaction};

/// A message that waits for its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    pub user: String,
    pub cal_uid: String,
    pub method: String,
    pub sender: String,
    /// The stable kebab-case name of the reason why it waits.
    pub reason: String,
    pub message_id: String,
    /// The iCalendar text of the message.
    pub content: String,
    /// When it came, Unix milliseconds.
    pub at: i64,
}

impl Transaction {
    /// Keeps a proposal; a newer one of the same sender about the same object takes the place of the older.
    pub async fn add_proposal(&mut self, proposal: &Proposal) -> Result<(), LedgerError> {
        sqlx::query(
            "INSERT INTO proposal (user, cal_uid, method, sender, reason, message_id, content, at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (user, cal_uid, method, sender) DO UPDATE
             SET reason = excluded.reason, message_id = excluded.message_id, content = excluded.content,
                 at = excluded.at",
        )
        .bind(&proposal.user)
        .bind(&proposal.cal_uid)
        .bind(&proposal.method)
        .bind(&proposal.sender)
        .bind(&proposal.reason)
        .bind(&proposal.message_id)
        .bind(&proposal.content)
        .bind(proposal.at)
        .execute(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("keep a proposal"))?;
        Ok(())
    }

    /// The proposals about one UID, oldest first.
    pub async fn proposals_about(&mut self, user: &str, cal_uid: &str) -> Result<Vec<Proposal>, LedgerError> {
        let rows = sqlx::query(
            "SELECT user, cal_uid, method, sender, reason, message_id, content, at FROM proposal
             WHERE user = ? AND cal_uid = ? ORDER BY id",
        )
        .bind(user)
        .bind(cal_uid)
        .fetch_all(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("read proposals"))?;
        Ok(rows.iter().map(proposal).collect())
    }

    /// Forgets one proposal, when its user has accepted or declined it.
    pub async fn remove_proposal(&mut self, settled: &Proposal) -> Result<(), LedgerError> {
        sqlx::query("DELETE FROM proposal WHERE user = ? AND cal_uid = ? AND method = ? AND sender = ?")
            .bind(&settled.user)
            .bind(&settled.cal_uid)
            .bind(&settled.method)
            .bind(&settled.sender)
            .execute(self.connection().await?)
            .await
            .map_err(LedgerError::while_trying("remove a proposal"))?;
        Ok(())
    }

    /// Removes the invitations to one UID that waited: the user has decided, or the organizer has cancelled.
    pub async fn remove_invitations(&mut self, user: &str, cal_uid: &str) -> Result<(), LedgerError> {
        self.later("DELETE FROM proposal WHERE user = ? AND cal_uid = ? AND method IN ('REQUEST', 'ADD')")
            .bind(user)
            .bind(cal_uid)
            .enter()
            .await
    }
}

impl Ledger {
    /// What waits for a user, oldest first.
    pub async fn proposals(&self, user: &str) -> Result<Vec<Proposal>, LedgerError> {
        let rows = sqlx::query(
            "SELECT user, cal_uid, method, sender, reason, message_id, content, at FROM proposal
             WHERE user = ? ORDER BY id",
        )
        .bind(user)
        .fetch_all(&self.pool)
        .await
        .map_err(LedgerError::while_trying("read proposals"))?;
        Ok(rows.iter().map(proposal).collect())
    }
}

fn proposal(row: &SqliteRow) -> Proposal {
    Proposal {
        user: row.get(0),
        cal_uid: row.get(1),
        method: row.get(2),
        sender: row.get(3),
        reason: row.get(4),
        message_id: row.get(5),
        content: row.get(6),
        at: row.get(7),
    }
}
