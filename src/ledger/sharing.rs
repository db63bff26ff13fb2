//! The answers of which the other attendees are still to hear.

use sqlx::Row;

use super::{Ledger, LedgerError, Transaction};

impl Transaction {
    /// Notes that an attendee has answered the user; the first answer about an object sets when the others are told.
    pub async fn gather_answer(
        &mut self,
        (user, cal_uid): (&str, &str),
        attendee: &str,
        due_at: i64,
    ) -> Result<(), LedgerError> {
        self.news.mails = true;
        sqlx::query(
            "INSERT INTO unshared_answer (user, cal_uid, attendee, due_at)
             VALUES (?1, ?2, ?3,
                     COALESCE((SELECT MIN(due_at) FROM unshared_answer WHERE user = ?1 AND cal_uid = ?2), ?4))
             ON CONFLICT (user, cal_uid, attendee) DO NOTHING",
        )
        .bind(user)
        .bind(cal_uid)
        .bind(attendee)
        .bind(due_at)
        .execute(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("note an answer"))?;
        Ok(())
    }

    /// Removes what was gathered about an object; the attendees who had answered, in order.
    pub async fn take_answers(&mut self, user: &str, cal_uid: &str) -> Result<Vec<String>, LedgerError> {
        let rows = sqlx::query("DELETE FROM unshared_answer WHERE user = ? AND cal_uid = ? RETURNING attendee")
            .bind(user)
            .bind(cal_uid)
            .fetch_all(self.connection().await?)
            .await
            .map_err(LedgerError::while_trying("take the answers gathered"))?;
        let mut attendees: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        attendees.sort();
        Ok(attendees)
    }
}

impl Ledger {
    /// The objects whose answers are due to be shared, by user and UID, at most `most`.
    pub async fn answers_due(&self, now: i64, most: u32) -> Result<Vec<(String, String)>, LedgerError> {
        let rows = sqlx::query(
            "SELECT user, cal_uid FROM unshared_answer WHERE due_at <= ?
             GROUP BY user, cal_uid ORDER BY MIN(due_at), user, cal_uid LIMIT ? + 0",
        )
        .bind(now)
        .bind(most)
        .fetch_all(&self.pool)
        .await
        .map_err(LedgerError::while_trying("look for answers to share"))?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }
}
