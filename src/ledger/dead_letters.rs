//! Dead letters: mails that could not be processed, and the attempts before a mail becomes one.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::limits::DEAD_LETTER_KEPT_MILLIS;
use super::{DecisionRecord, Ledger, LedgerError, Transaction};

/// The number of a mail in its folder. RFC 3501 §2.3.1.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailNumber {
    pub uid_validity: u32,
    /// 0 where it is not known; no mail has that one.
    pub uid: u32,
}

/// A mail that could not be processed and is not tried again by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadLetter {
    /// That of the decision which tells of it first.
    pub id: i64,
    /// When it was given up on last, Unix milliseconds.
    pub at: i64,
    pub user: String,
    pub folder: String,
    pub number: MailNumber,
    /// Empty where it is not known.
    pub message_id: String,
    /// Empty where it is not known.
    pub sender: String,
    pub reason: String,
    pub text: String,
    pub attempts: u32,
}

/// Which dead letters are asked for; everything that is given has to match.
#[derive(Clone, Debug, Default)]
pub struct DeadLetterFilter {
    pub user: Option<String>,
    pub id: Option<i64>,
    pub message_id: Option<String>,
    /// Only those with a lower id, for going through all of them in steps.
    pub below: Option<i64>,
    /// The most that are returned.
    pub most: u32,
}

/// What has failed about a mail so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failures {
    pub number: MailNumber,
    pub attempts: u32,
    pub last: Failure,
}

/// One failure of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// After how many attempts a mail is given up on that fails like this.
    pub attempts_max: u32,
    /// The stable kebab-case name.
    pub reason: String,
    /// The error, a sentence.
    pub error: String,
}

const COLUMNS: &str = "id, at, user, folder, uid_validity, uid, message_id, sender, reason, text, attempts";

impl Transaction {
    /// Keeps a mail as a dead letter, or renews the one that it is already: `known` if that is given; its id.
    ///
    /// `decision` tells of it, under the number `decision_id`. What nobody has asked for in three months goes: the mail
    /// itself is in the mailbox, and its decision stays.
    pub async fn bury(
        &mut self,
        (decision_id, decision): (i64, &DecisionRecord),
        (number, attempts): (MailNumber, u32),
        known: Option<i64>,
    ) -> Result<i64, LedgerError> {
        self.prune_dead_letters(decision.at).await?;
        let known = match known {
            Some(id) => Some(id),
            None => self.dead_letter_of(decision, number).await?,
        };
        if let Some(id) = known {
            self.renew_dead_letter(id, decision, (number, attempts)).await?;
            return Ok(id);
        }
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "INSERT INTO dead_letter ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        )))
        .bind(decision_id)
        .bind(decision.at)
        .bind(&decision.user)
        .bind(&decision.folder)
        .bind(number.uid_validity)
        .bind(number.uid)
        .bind(&decision.message_id)
        .bind(&decision.sender)
        .bind(&decision.reason)
        .bind(&decision.text)
        .bind(attempts)
        .execute(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("write a dead letter"))?;
        Ok(decision_id)
    }

    /// The dead letter that a mail is already: under the same number, or by Message-ID where the folder has new numbers.
    async fn dead_letter_of(
        &mut self,
        decision: &DecisionRecord,
        number: MailNumber,
    ) -> Result<Option<i64>, LedgerError> {
        let row = sqlx::query(
            "SELECT id FROM dead_letter
             WHERE user = ?1 AND folder = ?2
               AND ((uid_validity = ?3 AND uid = ?4 AND uid > 0)
                    OR (message_id = ?5 AND message_id <> '' AND (uid_validity <> ?3 OR uid = 0)))
             ORDER BY id LIMIT 1",
        )
        .bind(&decision.user)
        .bind(&decision.folder)
        .bind(number.uid_validity)
        .bind(number.uid)
        .bind(&decision.message_id)
        .fetch_optional(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("look for a dead letter"))?;
        Ok(row.map(|row| row.get(0)))
    }

    async fn renew_dead_letter(
        &mut self,
        id: i64,
        decision: &DecisionRecord,
        (number, attempts): (MailNumber, u32),
    ) -> Result<(), LedgerError> {
        sqlx::query(
            "UPDATE dead_letter SET at = ?, folder = ?, uid_validity = ?, uid = ?, reason = ?, text = ?, attempts = attempts + ?,
                    message_id = CASE ? WHEN '' THEN message_id ELSE ? END, sender = CASE ? WHEN '' THEN sender ELSE ? END
             WHERE id = ?",
        )
        .bind(decision.at)
        .bind(&decision.folder)
        .bind(number.uid_validity)
        .bind(number.uid)
        .bind(&decision.reason)
        .bind(&decision.text)
        .bind(attempts)
        .bind(&decision.message_id)
        .bind(&decision.message_id)
        .bind(&decision.sender)
        .bind(&decision.sender)
        .bind(id)
        .execute(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("renew a dead letter"))?;
        Ok(())
    }

    async fn prune_dead_letters(&mut self, now: i64) -> Result<(), LedgerError> {
        sqlx::query("DELETE FROM dead_letter WHERE at < ?")
            .bind(now - DEAD_LETTER_KEPT_MILLIS)
            .execute(self.connection().await?)
            .await
            .map_err(LedgerError::while_trying("remove old dead letters"))?;
        Ok(())
    }

    /// Whether there is a dead letter with this number.
    pub async fn is_dead_letter(&mut self, id: i64) -> Result<bool, LedgerError> {
        let row = sqlx::query("SELECT 1 FROM dead_letter WHERE id = ?")
            .bind(id)
            .fetch_optional(self.connection().await?)
            .await
            .map_err(LedgerError::while_trying("look for a dead letter"))?;
        Ok(row.is_some())
    }

    /// Takes a dead letter off the list; false when it is not there any more.
    pub async fn raise_dead_letter(&mut self, id: i64) -> Result<bool, LedgerError> {
        let done = sqlx::query("DELETE FROM dead_letter WHERE id = ?")
            .bind(id)
            .execute(self.connection().await?)
            .await
            .map_err(LedgerError::while_trying("remove a dead letter"))?;
        Ok(done.rows_affected() > 0)
    }
}

impl Ledger {
    /// How many mails could not be processed and are not tried again.
    pub async fn dead_letters(&self) -> Result<u64, LedgerError> {
        let row = sqlx::query("SELECT COUNT(*) FROM dead_letter")
            .fetch_one(&self.pool)
            .await
            .map_err(LedgerError::while_trying("count dead letters"))?;
        Ok(u64::try_from(row.get::<i64, _>(0)).unwrap_or(0))
    }

    /// The dead letters that match, newest first.
    pub async fn find_dead_letters(&self, filter: &DeadLetterFilter) -> Result<Vec<DeadLetter>, LedgerError> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM dead_letter
             WHERE (?1 IS NULL OR user = ?1) AND (?2 IS NULL OR id = ?2) AND (?3 IS NULL OR message_id = ?3)
               AND (?4 IS NULL OR id < ?4)
             ORDER BY id DESC LIMIT ?5"
        )))
        .bind(&filter.user)
        .bind(filter.id)
        .bind(&filter.message_id)
        .bind(filter.below)
        .bind(filter.most)
        .fetch_all(&self.pool)
        .await
        .map_err(LedgerError::while_trying("read dead letters"))?;
        Ok(rows.iter().map(dead_letter).collect())
    }

    /// What has failed about the mail at which the reading of a folder stands, or stood; nothing when none ever failed.
    pub async fn failures(&self, user: &str, folder: &str) -> Result<Option<Failures>, LedgerError> {
        let row = sqlx::query(
            "SELECT uid_validity, uid, attempts, attempts_max, reason, error FROM failing_mail
             WHERE user = ? AND folder = ?",
        )
        .bind(user)
        .bind(folder)
        .fetch_optional(&self.pool)
        .await
        .map_err(LedgerError::while_trying("read what has failed"))?;
        Ok(row.map(|row| Failures {
            number: MailNumber { uid_validity: row.get(0), uid: row.get(1) },
            attempts: row.get(2),
            last: Failure { attempts_max: row.get(3), reason: row.get(4), error: row.get(5) },
        }))
    }

    /// Counts a failure of a mail; how many there were now.
    pub async fn count_failure(
        &self,
        (user, folder): (&str, &str),
        number: MailNumber,
        failure: &Failure,
    ) -> Result<u32, LedgerError> {
        let row = sqlx::query(
            "INSERT INTO failing_mail (user, folder, uid_validity, uid, attempts, attempts_max, reason, error)
             VALUES (?, ?, ?, ?, 1, ?, ?, ?)
             ON CONFLICT (user, folder) DO UPDATE
             SET attempts = CASE WHEN failing_mail.uid_validity = excluded.uid_validity
                                  AND failing_mail.uid = excluded.uid
                            THEN failing_mail.attempts + 1 ELSE 1 END,
                 uid_validity = excluded.uid_validity, uid = excluded.uid,
                 attempts_max = excluded.attempts_max, reason = excluded.reason, error = excluded.error
             RETURNING attempts",
        )
        .bind(user)
        .bind(folder)
        .bind(number.uid_validity)
        .bind(number.uid)
        .bind(failure.attempts_max)
        .bind(&failure.reason)
        .bind(&failure.error)
        .fetch_one(&self.pool)
        .await
        .map_err(LedgerError::while_trying("count a failure"))?;
        Ok(row.get(0))
    }
}

fn dead_letter(row: &SqliteRow) -> DeadLetter {
    DeadLetter {
        id: row.get(0),
        at: row.get(1),
        user: row.get(2),
        folder: row.get(3),
        number: MailNumber { uid_validity: row.get(4), uid: row.get(5) },
        message_id: row.get(6),
        sender: row.get(7),
        reason: row.get(8),
        text: row.get(9),
        attempts: row.get(10),
    }
}
