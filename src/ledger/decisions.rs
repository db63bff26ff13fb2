//! The decisions: what was decided about each message, and why.

use std::collections::BTreeSet;

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Ledger, LedgerError, Transaction};

/// A decision as it is kept; a field that does not apply is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecisionRecord {
    /// When it was committed, Unix milliseconds.
    pub at: i64,
    /// The main address of the user whose calendar it is about.
    pub user: String,
    /// The folder that the mail lay in; empty for what the user did themself.
    pub folder: String,
    pub message_id: String,
    /// A digest of the calendars in the mail.
    pub fingerprint: String,
    pub sender: String,
    pub method: String,
    pub cal_uid: String,
    pub verdict: String,
    /// The stable kebab-case name.
    pub reason: String,
    /// The sentence.
    pub text: String,
    /// What proved the sender, and the names of what was odd about them.
    pub proof: String,
    /// The instance that the message was about, as RECURRENCE-ID is written; empty for the whole, `*` for several.
    pub instance: String,
}

/// Which decisions are asked for; everything that is given has to match.
#[derive(Clone, Debug, Default)]
pub struct DecisionFilter {
    pub user: Option<String>,
    pub message_id: Option<String>,
    /// Unix milliseconds.
    pub since: Option<i64>,
    /// The most that are returned.
    pub most: u32,
}

/// The mails about one UID, by their Message-IDs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thread {
    /// The newest few, oldest first.
    pub message_ids: Vec<String>,
    /// The newest that came in: what an answer answers.
    pub last_received: Option<String>,
}

impl Transaction {
    /// Keeps a decision.
    pub async fn add_decision(&mut self, decision: &DecisionRecord) -> Result<(), LedgerError> {
        self.later(
            "INSERT INTO decision
             (at, user, folder, message_id, fingerprint, sender, method, cal_uid, verdict, reason, text, proof, instance)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(decision.at)
        .bind(&decision.user)
        .bind(&decision.folder)
        .bind(&decision.message_id)
        .bind(&decision.fingerprint)
        .bind(&decision.sender)
        .bind(&decision.method)
        .bind(&decision.cal_uid)
        .bind(&decision.verdict)
        .bind(&decision.reason)
        .bind(&decision.text)
        .bind(&decision.proof)
        .bind(&decision.instance)
        .enter()
        .await
    }

    /// The number of the decision that was kept last; 0 when there is none.
    pub async fn last_decision(&mut self) -> Result<i64, LedgerError> {
        let row = sqlx::query("SELECT COALESCE(MAX(id), 0) FROM decision").fetch_one(self.connection().await?).await;
        row.map(|row| row.get(0)).map_err(LedgerError::while_trying("look for a decision"))
    }

    /// Whether a user's mail with this Message-ID and these calendars has been taken before.
    ///
    /// A refusal does not count: it changed nothing, and what was refused then may be right now. Nor does a mail whose sender was
    /// not proven: a copy that somebody sends ahead must not keep out the true one.
    pub async fn has_taken(&mut self, user: &str, message_id: &str, fingerprint: &str) -> Result<bool, LedgerError> {
        if message_id.is_empty() {
            return Ok(false);
        }
        let row = sqlx::query(
            "SELECT 1 FROM decision WHERE user = ? AND message_id = ? AND fingerprint = ?
             AND verdict IN ('applied', 'unchanged', 'proposed') AND reason <> 'sender-unproven' LIMIT 1",
        )
        .bind(user)
        .bind(message_id)
        .bind(fingerprint)
        .fetch_optional(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("look for a decision"))?;
        Ok(row.is_some())
    }

    /// Whether somebody's answer about a UID has been taken at or after an instant, Unix milliseconds.
    pub async fn has_answered(
        &mut self,
        user: &str,
        cal_uid: &str,
        sender: &str,
        since: i64,
    ) -> Result<bool, LedgerError> {
        let row = sqlx::query(
            "SELECT 1 FROM decision WHERE user = ? AND cal_uid = ? AND sender = ? AND method = 'REPLY'
             AND verdict = 'applied' AND at >= ? LIMIT 1",
        );
        let row = row.bind(user).bind(cal_uid).bind(sender).bind(since).fetch_optional(self.connection().await?).await;
        Ok(row.map_err(LedgerError::while_trying("look for an answer"))?.is_some())
    }

    /// Whether anything was decided about a mail in this folder.
    pub async fn is_known_in(&mut self, (user, folder): (&str, &str), message_id: &str) -> Result<bool, LedgerError> {
        let row = sqlx::query("SELECT 1 FROM decision WHERE user = ? AND message_id = ? AND folder = ? LIMIT 1");
        let row = row.bind(user).bind(message_id).bind(folder).fetch_optional(self.connection().await?).await;
        Ok(row.map_err(LedgerError::while_trying("look for a decision"))?.is_some())
    }

    /// Whether the user has answered by this very mail: by where it lies, or by a keyword on it.
    pub async fn is_answered(&mut self, user: &str, message_id: &str) -> Result<bool, LedgerError> {
        let row = sqlx::query(
            "SELECT 1 FROM decision WHERE user = ? AND message_id = ? AND method = 'REPLY' AND sender = user
             AND verdict IN ('applied', 'unchanged') LIMIT 1",
        );
        let row = row.bind(user).bind(message_id).fetch_optional(self.connection().await?).await;
        Ok(row.map_err(LedgerError::while_trying("look for an answer"))?.is_some())
    }

    /// What a mail has invited a user to: the UID, and the instance as [`DecisionRecord::instance`] has it.
    ///
    /// Nothing for a mail that invited to several objects at once, or to none.
    pub async fn invitation(&mut self, user: &str, message_id: &str) -> Result<Option<(String, String)>, LedgerError> {
        let rows = sqlx::query(
            "SELECT DISTINCT cal_uid, instance FROM decision
             WHERE user = ? AND message_id = ? AND method IN ('REQUEST', 'ADD')
             AND verdict IN ('applied', 'unchanged', 'proposed') LIMIT 2",
        )
        .bind(user)
        .bind(message_id)
        .fetch_all(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("look for an invitation"))?;
        match rows.as_slice() {
            [single] => Ok(Some((single.get(0), single.get(1)))),
            _ => Ok(None),
        }
    }

    /// The mails that a user has got or sent about a UID, what waits for the user included.
    pub async fn thread(&mut self, user: &str, cal_uid: &str) -> Result<Thread, LedgerError> {
        let rows = sqlx::query(
            "SELECT message_id, at, 1 FROM decision
             WHERE user = ?1 AND cal_uid = ?2 AND verdict IN ('applied', 'proposed') AND message_id <> ''
             UNION SELECT message_id, created_at, 0 FROM outbox WHERE user = ?1 AND cal_uid = ?2
             ORDER BY 2 DESC LIMIT 10",
        )
        .bind(user)
        .bind(cal_uid)
        .fetch_all(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("read a thread"))?;
        let last_received = rows.iter().find(|row| row.get::<i64, _>(2) == 1).map(|row| row.get(0));
        Ok(Thread { message_ids: rows.iter().rev().map(|row| row.get(0)).collect(), last_received })
    }
}

impl Ledger {
    /// Which of these Message-IDs are those of mails that have invited a user.
    pub async fn invitations_among(&self, user: &str, of: &BTreeSet<String>) -> Result<BTreeSet<String>, LedgerError> {
        let head = "SELECT DISTINCT message_id FROM decision WHERE method IN ('REQUEST', 'ADD') AND user = ";
        self.message_ids_among(head, user, of).await
    }

    /// The decisions that match, newest first.
    pub async fn decisions(&self, filter: &DecisionFilter) -> Result<Vec<DecisionRecord>, LedgerError> {
        let rows = sqlx::query(
            "SELECT at, user, folder, message_id, fingerprint, sender, method, cal_uid, verdict, reason, text, proof, instance
             FROM decision
             WHERE (?1 IS NULL OR user = ?1) AND (?2 IS NULL OR message_id = ?2) AND (?3 IS NULL OR at >= ?3)
             ORDER BY id DESC LIMIT ?4",
        )
        .bind(&filter.user)
        .bind(&filter.message_id)
        .bind(filter.since)
        .bind(filter.most)
        .fetch_all(&self.pool)
        .await
        .map_err(LedgerError::while_trying("read decisions"))?;
        Ok(rows.iter().map(record).collect())
    }
}

fn record(row: &SqliteRow) -> DecisionRecord {
    DecisionRecord {
        at: row.get(0),
        user: row.get(1),
        folder: row.get(2),
        message_id: row.get(3),
        fingerprint: row.get(4),
        sender: row.get(5),
        method: row.get(6),
        cal_uid: row.get(7),
        verdict: row.get(8),
        reason: row.get(9),
        text: row.get(10),
        proof: row.get(11),
        instance: row.get(12),
    }
}
