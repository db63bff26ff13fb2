//! Keywords that are still to be set in the mailboxes.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Ledger, LedgerError, MailNumber, Transaction};

/// What a keyword says about a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MarkKind {
    /// It was processed.
    Handled,
    /// It could not be.
    Dead,
    /// It could not be processed first, and then was.
    Raised,
}

/// A keyword that is still to be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwedMark {
    pub user: String,
    pub folder: String,
    pub number: MailNumber,
    pub kind: MarkKind,
    pub attempts: u32,
}

impl MarkKind {
    pub fn as_str(self) -> &'static str {
        match self {
            MarkKind::Handled => "handled",
            MarkKind::Dead => "dead",
            MarkKind::Raised => "raised",
        }
    }

    fn parse(text: &str) -> Result<Self, LedgerError> {
        [Self::Handled, Self::Dead, Self::Raised]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| LedgerError::Unreadable { what: "the kind of a mark", value: text.to_owned() })
    }
}

impl Transaction {
    /// Enters a keyword to be set, from `at` on; it takes the place of one that the same mail still waits for.
    pub async fn owe_mark(
        &mut self,
        (user, folder): (&str, &str),
        number: MailNumber,
        kind: MarkKind,
        at: i64,
    ) -> Result<(), LedgerError> {
        self.news.marks = true;
        sqlx::query(
            "INSERT INTO owed_mark (user, folder, uid_validity, uid, kind, attempts, next_attempt_at)
             VALUES (?, ?, ?, ?, ?, 0, ?)
             ON CONFLICT (user, folder, uid_validity, uid) DO UPDATE
             SET kind = excluded.kind, attempts = 0, next_attempt_at = excluded.next_attempt_at",
        )
        .bind(user)
        .bind(folder)
        .bind(number.uid_validity)
        .bind(number.uid)
        .bind(kind.as_str())
        .bind(at)
        .execute(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("enter a mark"))?;
        Ok(())
    }

    /// Strikes out a mark that was set, unless another one was entered for the mail meanwhile.
    pub async fn strike_mark(&mut self, mark: &OwedMark) -> Result<(), LedgerError> {
        self.on_mark("DELETE FROM owed_mark", None, mark).await
    }

    /// Puts off a mark that could not be set.
    pub async fn postpone_mark(&mut self, mark: &OwedMark, next_attempt_at: i64) -> Result<(), LedgerError> {
        let update = "UPDATE owed_mark SET attempts = attempts + 1, next_attempt_at = ?";
        self.on_mark(update, Some(next_attempt_at), mark).await
    }

    async fn on_mark(&mut self, action: &str, value: Option<i64>, mark: &OwedMark) -> Result<(), LedgerError> {
        let condition = "user = ? AND folder = ? AND uid_validity = ? AND uid = ? AND kind = ?";
        let sql = format!("{action} WHERE {condition}");
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        if let Some(value) = value {
            query = query.bind(value);
        }
        query
            .bind(&mark.user)
            .bind(&mark.folder)
            .bind(mark.number.uid_validity)
            .bind(mark.number.uid)
            .bind(mark.kind.as_str())
            .execute(self.connection().await?)
            .await
            .map_err(LedgerError::while_trying("settle a mark"))?;
        Ok(())
    }
}

impl Ledger {
    /// The marks of the folder whose mark is due first, at most `most`; none when nothing is due.
    pub async fn due_marks(&self, now: i64, most: u32) -> Result<Vec<OwedMark>, LedgerError> {
        let rows = sqlx::query(
            "SELECT owed_mark.user, owed_mark.folder, owed_mark.uid_validity, uid, kind, attempts FROM owed_mark
             JOIN (SELECT user, folder, uid_validity FROM owed_mark
                   WHERE next_attempt_at <= ?1 ORDER BY next_attempt_at LIMIT 1) AS first
               ON first.user = owed_mark.user AND first.folder = owed_mark.folder
              AND first.uid_validity = owed_mark.uid_validity
             WHERE next_attempt_at <= ?1 ORDER BY uid LIMIT ?2 + 0",
        )
        .bind(now)
        .bind(most)
        .fetch_all(&self.pool)
        .await
        .map_err(LedgerError::while_trying("read the marks that are owed"))?;
        rows.iter().map(mark).collect()
    }

    /// When the next mark is due, Unix milliseconds; nothing when none is owed.
    pub async fn next_mark_at(&self) -> Result<Option<i64>, LedgerError> {
        let row = sqlx::query("SELECT MIN(next_attempt_at) FROM owed_mark")
            .fetch_one(&self.pool)
            .await
            .map_err(LedgerError::while_trying("read the marks that are owed"))?;
        Ok(row.get(0))
    }
}

fn mark(row: &SqliteRow) -> Result<OwedMark, LedgerError> {
    let kind: String = row.get(4);
    Ok(OwedMark {
        user: row.get(0),
        folder: row.get(1),
        number: MailNumber { uid_validity: row.get(2), uid: row.get(3) },
        kind: MarkKind::parse(&kind)?,
        attempts: row.get(5),
    })
}
