//! What was said last, to whom, by the gateway or by the user's own client: the sent-log.
//!
//! Only the last statement about an instance to a recipient counts. Who declines, accepts and declines again says something new
//! each time; who is told by two programs that they decline has said one thing twice.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{LedgerError, Transaction};

/// What is kept of a recipient who got a mail from the user's own client.
pub const SENT_BY_CLIENT: &str = "sent by the user's own client";

/// One thing said to one recipient about one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub instance: String,
    pub recipient: String,
    pub method: String,
    pub sequence: i64,
    /// What is said, in one line; equal lines say the same.
    pub said: String,
    /// Unix seconds.
    pub dtstamp: i64,
}

/// Who has said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Gateway,
    Client,
}

impl Source {
    fn as_str(self) -> &'static str {
        match self {
            Source::Gateway => "gateway",
            Source::Client => "client",
        }
    }
}

/// A statement of the gateway's that may still wait in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    pub outbox_id: i64,
    pub statement: Statement,
}

impl Transaction {
    /// Records a statement as the last one about its instance to its recipient.
    pub async fn say(
        &mut self,
        (user, cal_uid): (&str, &str),
        statement: &Statement,
        source: Source,
        outbox_id: Option<i64>,
    ) -> Result<(), LedgerError> {
        sqlx::query(
            "INSERT INTO said (user, cal_uid, instance, recipient, method, sequence, said, dtstamp, source, outbox_id)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (user, cal_uid, instance, recipient) DO UPDATE SET
                 method = excluded.method, sequence = excluded.sequence, said = excluded.said,
                 dtstamp = excluded.dtstamp, source = excluded.source, outbox_id = excluded.outbox_id",
        )
        .bind(user)
        .bind(cal_uid)
        .bind(&statement.instance)
        .bind(&statement.recipient)
        .bind(&statement.method)
        .bind(statement.sequence)
        .bind(&statement.said)
        .bind(statement.dtstamp)
        .bind(source.as_str())
        .bind(outbox_id)
        .execute(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("record what was said"))?;
        Ok(())
    }

    /// What the user's own client has said last about an object; what the gateway has said since is not among it.
    pub async fn said_by_client(&mut self, user: &str, cal_uid: &str) -> Result<Vec<Statement>, LedgerError> {
        let rows = sqlx::query(
            "SELECT instance, recipient, method, sequence, said, dtstamp FROM said
             WHERE user = ? AND cal_uid = ? AND source = 'client'",
        )
        .bind(user)
        .bind(cal_uid)
        .fetch_all(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("look for what was said"))?;
        Ok(rows.iter().map(statement).collect())
    }

    /// What the gateway owes about an object and has not sent yet.
    pub async fn said_and_waiting(&mut self, user: &str, cal_uid: &str) -> Result<Vec<Pending>, LedgerError> {
        let rows = sqlx::query(
            "SELECT instance, recipient, method, sequence, said, dtstamp, said.outbox_id FROM said
             JOIN outbox_recipient ON outbox_recipient.outbox_id = said.outbox_id AND address = recipient
             WHERE user = ? AND cal_uid = ? AND source = 'gateway' AND state = 'waiting'",
        )
        .bind(user)
        .bind(cal_uid)
        .fetch_all(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("look for what is owed"))?;
        Ok(rows.iter().map(|row| Pending { outbox_id: row.get(6), statement: statement(row) }).collect())
    }

    /// The DTSTAMP of what the user said last about an instance, Unix seconds; nothing when nothing is known.
    pub async fn last_said(&mut self, user: &str, cal_uid: &str, instance: &str) -> Result<Option<i64>, LedgerError> {
        let row = sqlx::query("SELECT MAX(dtstamp) FROM said WHERE user = ? AND cal_uid = ? AND instance = ?")
            .bind(user)
            .bind(cal_uid)
            .bind(instance)
            .fetch_one(self.connection().await?)
            .await
            .map_err(LedgerError::while_trying("look for what was said"))?;
        Ok(row.get(0))
    }

    /// The number of a mail in the outbox.
    pub async fn outbox_id(&mut self, message_id: &str) -> Result<Option<i64>, LedgerError> {
        let row = sqlx::query("SELECT id FROM outbox WHERE message_id = ?")
            .bind(message_id)
            .fetch_optional(self.connection().await?)
            .await
            .map_err(LedgerError::while_trying("look for a mail of ours"))?;
        Ok(row.map(|row| row.get(0)))
    }

    /// Holds a mail that was just entered back until a time, Unix milliseconds.
    pub async fn hold_back(&mut self, outbox_id: i64, until: i64) -> Result<(), LedgerError> {
        sqlx::query("UPDATE outbox SET next_attempt_at = ? WHERE id = ? AND attempts = 0")
            .bind(until)
            .bind(outbox_id)
            .execute(self.connection().await?)
            .await
            .map_err(LedgerError::while_trying("hold a mail back"))?;
        Ok(())
    }
}

fn statement(row: &SqliteRow) -> Statement {
    Statement {
        instance: row.get(0),
        recipient: row.get(1),
        method: row.get(2),
        sequence: row.get(3),
        said: row.get(4),
        dtstamp: row.get(5),
    }
}
