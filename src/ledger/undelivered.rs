//! Mails that came back: which they were, and whether their user has been told.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Ledger, LedgerError, OutboxRecipient, RecipientState, Transaction};

/// For how long a user who has been told of an address is not told of it again, about the same object.
const TOLD_MILLIS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// A mail that was sent, as far as its coming back needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentMail {
    pub id: i64,
    pub user: String,
    pub cal_uid: String,
    pub message_id: String,
    pub method: String,
    pub recipients: Vec<OutboxRecipient>,
}

/// How a mail is named to people and to programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailName {
    pub subject: String,
    pub message_id: String,
}

/// A recipient who did not get a mail, and of whom the user has not been told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untold {
    pub user: String,
    pub cal_uid: String,
    pub address: String,
    pub outbox_id: i64,
    pub method: String,
    pub detail: String,
    /// Unix milliseconds.
    pub failed_at: i64,
}

impl Transaction {
    /// Our mail with this number in the outbox.
    pub async fn sent_mail(&mut self, id: i64) -> Result<Option<SentMail>, LedgerError> {
        let row = sqlx::query("SELECT id, user, cal_uid, message_id, method FROM outbox WHERE id = ?")
            .bind(id)
            .fetch_optional(self.connection().await?)
            .await
            .map_err(LedgerError::while_trying("look for a mail that came back"))?;
        self.with_recipients(row).await
    }

    /// The mail of a user with this Message-ID.
    pub async fn sent_mail_by(&mut self, user: &str, message_id: &str) -> Result<Option<SentMail>, LedgerError> {
        let row =
            sqlx::query("SELECT id, user, cal_uid, message_id, method FROM outbox WHERE user = ? AND message_id = ?")
                .bind(user)
                .bind(message_id)
                .fetch_optional(self.connection().await?)
                .await
                .map_err(LedgerError::while_trying("look for a mail that came back"))?;
        self.with_recipients(row).await
    }

    async fn with_recipients(&mut self, row: Option<SqliteRow>) -> Result<Option<SentMail>, LedgerError> {
        let Some(row) = row else { return Ok(None) };
        let id: i64 = row.get(0);
        let rows =
            sqlx::query("SELECT address, state, detail FROM outbox_recipient WHERE outbox_id = ? ORDER BY address")
                .bind(id)
                .fetch_all(self.connection().await?)
                .await
                .map_err(LedgerError::while_trying("read recipients"))?;
        let recipients = rows
            .iter()
            .map(|row| {
                let state = RecipientState::parse(row.get(1))?;
                Ok(OutboxRecipient { address: row.get(0), state, detail: row.get(2) })
            })
            .collect::<Result<_, LedgerError>>()?;
        let (user, cal_uid) = (row.get(1), row.get(2));
        Ok(Some(SentMail { id, user, cal_uid, message_id: row.get(3), method: row.get(4), recipients }))
    }

    /// Records that a mail came back from a recipient; false when it is known already, or has not been sent.
    pub async fn mark_bounced(&mut self, id: i64, address: &str, why: &str) -> Result<bool, LedgerError> {
        self.news.mails = true;
        let marked = sqlx::query(
            "UPDATE outbox_recipient SET state = 'failed', detail = ?
             WHERE outbox_id = ? AND address = ? AND state = 'sent' RETURNING address",
        )
        .bind(format!("came back: {why}"))
        .bind(id)
        .bind(address)
        .fetch_optional(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("record a mail that came back"))?;
        Ok(marked.is_some())
    }

    /// What a note about a mail says of it.
    pub async fn subject_of(&mut self, id: i64) -> Result<Option<MailName>, LedgerError> {
        let row = sqlx::query("SELECT subject, message_id FROM outbox WHERE id = ?")
            .bind(id)
            .fetch_optional(self.connection().await?)
            .await
            .map_err(LedgerError::while_trying("look for a mail that was not delivered"))?;
        Ok(row.map(|row| MailName { subject: row.get(0), message_id: row.get(1) }))
    }

    /// Notes that a recipient did not get a mail; `due_at` is when the user is told.
    ///
    /// A user who was told of this address and object within the last week is not told again: every update would bring the same news.
    pub async fn note_undelivered(&mut self, failed: &Untold, due_at: i64) -> Result<(), LedgerError> {
        self.news.failures = true;
        sqlx::query(
            "INSERT INTO undelivered (user, cal_uid, address, outbox_id, method, detail, failed_at, due_at, told)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0)
             ON CONFLICT (user, cal_uid, address) DO UPDATE SET
                 outbox_id = excluded.outbox_id, method = excluded.method, detail = excluded.detail,
                 failed_at = excluded.failed_at, due_at = excluded.due_at, told = 0
             WHERE undelivered.told = 1 AND undelivered.failed_at < excluded.failed_at - ?9",
        )
        .bind(&failed.user)
        .bind(&failed.cal_uid)
        .bind(&failed.address)
        .bind(failed.outbox_id)
        .bind(&failed.method)
        .bind(&failed.detail)
        .bind(failed.failed_at)
        .bind(due_at)
        .bind(TOLD_MILLIS)
        .execute(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("note what was not delivered"))?;
        Ok(())
    }

    /// Takes those of whom it is time to tell: all of one mail at once, marked as told. Empty when nobody is left.
    pub async fn take_untold(&mut self, now: i64) -> Result<Vec<Untold>, LedgerError> {
        let rows = sqlx::query(
            "UPDATE undelivered SET told = 1
             WHERE told = 0 AND outbox_id = (SELECT outbox_id FROM undelivered WHERE told = 0 AND due_at <= ?
                                             ORDER BY due_at, outbox_id LIMIT 1)
             RETURNING user, cal_uid, address, outbox_id, method, detail, failed_at",
        )
        .bind(now)
        .fetch_all(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("look for what was not delivered"))?;
        let mut untold: Vec<Untold> = rows.iter().map(untold).collect();
        untold.sort_by(|one, other| one.address.cmp(&other.address));
        Ok(untold)
    }
}

impl Ledger {
    /// When the next user is to be told, Unix milliseconds; nothing when nobody waits for that.
    pub async fn next_untold_at(&self) -> Result<Option<i64>, LedgerError> {
        let row = sqlx::query("SELECT MIN(due_at) FROM undelivered WHERE told = 0")
            .fetch_one(&self.pool)
            .await
            .map_err(LedgerError::while_trying("look for what was not delivered"))?;
        Ok(row.get(0))
    }
}

fn untold(row: &SqliteRow) -> Untold {
    Untold {
        user: row.get(0),
        cal_uid: row.get(1),
        address: row.get(2),
        outbox_id: row.get(3),
        method: row.get(4),
        detail: row.get(5),
        failed_at: row.get(6),
    }
}
