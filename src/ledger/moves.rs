//! Mails that are still to be moved out of the folders into which users put what they answer.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Ledger, LedgerError, MailNumber, Transaction};

/// Where a mail goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveTarget {
    Inbox,
    Archive,
}

/// A mail that is still to be moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwedMove {
    pub user: String,
    pub folder: String,
    pub number: MailNumber,
    /// Empty where the mail has none.
    pub message_id: String,
    pub target: MoveTarget,
    pub attempts: u32,
}

impl MoveTarget {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Archive => "archive",
        }
    }

    fn parse(text: &str) -> Result<Self, LedgerError> {
        let known = [Self::Inbox, Self::Archive].into_iter().find(|target| target.as_str() == text);
        known.ok_or_else(|| LedgerError::Unreadable { what: "where a mail is moved to", value: text.to_owned() })
    }
}

impl Transaction {
    /// Enters a mail to be moved, from now on; once.
    pub async fn owe_move(&mut self, owed: &OwedMove, now: i64) -> Result<(), LedgerError> {
        self.news.moves = true;
        sqlx::query(
            "INSERT INTO owed_move (user, folder, uid_validity, uid, message_id, target, attempts, next_attempt_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (user, folder, uid_validity, uid) DO NOTHING",
        )
        .bind(&owed.user)
        .bind(&owed.folder)
        .bind(owed.number.uid_validity)
        .bind(owed.number.uid)
        .bind(&owed.message_id)
        .bind(owed.target.as_str())
        .bind(owed.attempts)
        .bind(now)
        .execute(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("enter a mail to be moved"))?;
        Ok(())
    }
}

impl Ledger {
    /// The mails of the folder whose move is due first, at most `most`; none when nothing is due.
    pub async fn due_moves(&self, now: i64, most: u32) -> Result<Vec<OwedMove>, LedgerError> {
        let rows = sqlx::query(
            "SELECT owed_move.user, owed_move.folder, owed_move.uid_validity, uid, message_id, target, attempts
             FROM owed_move
             JOIN (SELECT user, folder, uid_validity FROM owed_move
                   WHERE next_attempt_at <= ?1 ORDER BY next_attempt_at LIMIT 1) AS first
               ON first.user = owed_move.user AND first.folder = owed_move.folder
              AND first.uid_validity = owed_move.uid_validity
             WHERE next_attempt_at <= ?1 ORDER BY uid LIMIT ?2 + 0",
        )
        .bind(now)
        .bind(most)
        .fetch_all(&self.pool)
        .await
        .map_err(LedgerError::while_trying("read the moves that are owed"))?;
        rows.iter().map(owed_move).collect()
    }

    /// When the next move is due, Unix milliseconds; nothing when none is owed.
    pub async fn next_move_at(&self) -> Result<Option<i64>, LedgerError> {
        let row = sqlx::query("SELECT MIN(next_attempt_at) FROM owed_move")
            .fetch_one(&self.pool)
            .await
            .map_err(LedgerError::while_trying("read the moves that are owed"))?;
        Ok(row.get(0))
    }

    /// Strikes out a move that is done, or given up.
    pub async fn strike_move(&self, owed: &OwedMove) -> Result<(), LedgerError> {
        self.on_move("DELETE FROM owed_move", None, owed).await
    }

    /// Puts off a move that could not be made.
    pub async fn postpone_move(&self, owed: &OwedMove, next_attempt_at: i64) -> Result<(), LedgerError> {
        let update = "UPDATE owed_move SET attempts = attempts + 1, next_attempt_at = ?";
        self.on_move(update, Some(next_attempt_at), owed).await
    }

    async fn on_move(&self, action: &str, value: Option<i64>, owed: &OwedMove) -> Result<(), LedgerError> {
        let sql = format!("{action} WHERE user = ? AND folder = ? AND uid_validity = ? AND uid = ?");
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        if let Some(value) = value {
            query = query.bind(value);
        }
        let query = query.bind(&owed.user).bind(&owed.folder).bind(owed.number.uid_validity).bind(owed.number.uid);
        query.execute(&self.pool).await.map_err(LedgerError::while_trying("settle a move"))?;
        Ok(())
    }
}

fn owed_move(row: &SqliteRow) -> Result<OwedMove, LedgerError> {
    let target: String = row.get(5);
    Ok(OwedMove {
        user: row.get(0),
        folder: row.get(1),
        number: MailNumber { uid_validity: row.get(2), uid: row.get(3) },
        message_id: row.get(4),
        target: MoveTarget::parse(&target)?,
        attempts: row.get(6),
    })
}
