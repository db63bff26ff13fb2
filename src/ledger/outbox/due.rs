//! What of the outbox is to be sent now.

use std::collections::HashMap;

use sqlx::{QueryBuilder, Row, Sqlite};

use super::{COLUMNS, OutboxEntry, entry};
use crate::ledger::{Ledger, LedgerError};

/// How many octets of mail are taken from the outbox at once, besides the first one.
const TAKEN_OCTETS_MAX: i64 = 16 * 1024 * 1024;

/// Somebody waits for a mail of the row `outbox`, and for no earlier one about the same object.
///
/// An update that came to the recipient before its invitation would be an update of nothing (RFC 5546 §3.2.2.1). What
/// another recipient of the invitation waits for, perhaps for days, does not concern this one.
const IS_FREE: &str = "NOT EXISTS (
    SELECT 1 FROM outbox earlier
    WHERE earlier.user = outbox.user AND earlier.cal_uid = outbox.cal_uid AND earlier.is_open = 1
      AND earlier.id < outbox.id
      AND EXISTS (SELECT 1 FROM outbox_recipient theirs
                  WHERE theirs.outbox_id = earlier.id AND theirs.address = mine.address AND theirs.state = 'waiting'))";

/// A mail that is due, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueMail {
    pub entry: OutboxEntry,
    /// Those who wait for it, but for whom an earlier mail about the same object still waits.
    pub recipients: Vec<String>,
}

/// What has been sent for a user to a recipient about an object in some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Throughput {
    pub user: String,
    pub cal_uid: String,
    pub address: String,
    /// Unix milliseconds of the first of them.
    pub began_at: i64,
    pub count: u32,
}

impl Ledger {
    /// The mails that are due at `now`, Unix milliseconds, in the order in which they were entered, at most `most`.
    ///
    /// A mail is due for a recipient when they wait for no earlier one about the same object: an update never overtakes
    /// its invitation.
    pub async fn due(&self, now: i64, most: u32) -> Result<Vec<DueMail>, LedgerError> {
        let ids = self.due_ids(now, most).await?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut recipients = self.free_recipients(&ids).await?;
        let mut query = QueryBuilder::<Sqlite>::new(format!("SELECT {COLUMNS} FROM outbox WHERE id IN ("));
        let rows = listed(&mut query, &ids)
            .push(") ORDER BY id")
            .build()
            .fetch_all(&self.pool)
            .await
            .map_err(LedgerError::while_trying("read the outbox"))?;
        let due = rows.iter().map(entry).filter_map(|entry| {
            let recipients = recipients.remove(&entry.id)?;
            Some(DueMail { entry, recipients })
        });
        Ok(due.collect())
    }

    async fn due_ids(&self, now: i64, most: u32) -> Result<Vec<i64>, LedgerError> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT id, LENGTH(raw) FROM outbox
             WHERE is_open = 1 AND next_attempt_at <= ?
               AND EXISTS (SELECT 1 FROM outbox_recipient mine
                           WHERE mine.outbox_id = outbox.id AND mine.state = 'waiting' AND {IS_FREE})
             ORDER BY id LIMIT ? + 0"
        )))
        .bind(now)
        .bind(most)
        .fetch_all(&self.pool)
        .await
        .map_err(LedgerError::while_trying("read the outbox"))?;
        let mut octets = 0;
        let taken = rows.iter().take_while(|row| {
            let is_first = octets == 0;
            octets += row.get::<i64, _>(1).max(1);
            is_first || octets <= TAKEN_OCTETS_MAX
        });
        Ok(taken.map(|row| row.get(0)).collect())
    }

    async fn free_recipients(&self, ids: &[i64]) -> Result<HashMap<i64, Vec<String>>, LedgerError> {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT mine.outbox_id, mine.address FROM outbox JOIN outbox_recipient mine ON mine.outbox_id = outbox.id
             WHERE mine.state = 'waiting' AND outbox.id IN (",
        );
        let rows = listed(&mut query, ids)
            .push(format!(") AND {IS_FREE} ORDER BY mine.outbox_id, mine.address"))
            .build()
            .fetch_all(&self.pool)
            .await
            .map_err(LedgerError::while_trying("read recipients"))?;
        let mut recipients: HashMap<i64, Vec<String>> = HashMap::new();
        for row in rows {
            recipients.entry(row.get(0)).or_default().push(row.get(1));
        }
        Ok(recipients)
    }

    /// When after `now`, Unix milliseconds, a mail becomes due or answers are to be shared; nothing when nothing waits.
    ///
    /// What is due at `now` already and not taken by [`Ledger::due`] waits for an earlier mail, and not for a time.
    pub async fn next_due_at(&self, now: i64) -> Result<Option<i64>, LedgerError> {
        let row = sqlx::query(
            "SELECT MIN(due_at) FROM (
                 SELECT MIN(next_attempt_at) AS due_at FROM outbox WHERE is_open = 1 AND next_attempt_at > ?1
                 UNION ALL SELECT MIN(due_at) FROM unshared_answer WHERE due_at > ?1) AS waiting",
        )
        .bind(now)
        .fetch_one(&self.pool)
        .await
        .map_err(LedgerError::while_trying("read the outbox"))?;
        Ok(row.get(0))
    }

    /// What has been sent since an instant, Unix milliseconds, and since the limits of the user were lifted last.
    pub async fn sent_since(&self, since: i64) -> Result<Vec<Throughput>, LedgerError> {
        let rows = sqlx::query(
            "SELECT outbox.user, outbox.cal_uid, sent.address, MIN(sent.settled_at), COUNT(*)
             FROM outbox_recipient sent JOIN outbox ON outbox.id = sent.outbox_id
             LEFT JOIN outbox_release lifted ON lifted.user = outbox.user
             WHERE sent.settled_at > ? AND sent.state = 'sent'
               AND (lifted.released_at IS NULL OR sent.settled_at > lifted.released_at)
             GROUP BY outbox.user, outbox.cal_uid, sent.address",
        )
        .bind(since)
        .fetch_all(&self.pool)
        .await
        .map_err(LedgerError::while_trying("count what was sent"))?;
        let throughput = |row: &sqlx::sqlite::SqliteRow| Throughput {
            user: row.get(0),
            cal_uid: row.get(1),
            address: row.get(2),
            began_at: row.get(3),
            count: u32::try_from(row.get::<i64, _>(4)).unwrap_or(u32::MAX),
        };
        Ok(rows.iter().map(throughput).collect())
    }

    /// The users whose limits were lifted after an instant, Unix milliseconds, and when.
    pub async fn released_since(&self, since: i64) -> Result<Vec<(String, i64)>, LedgerError> {
        let rows = sqlx::query("SELECT user, released_at FROM outbox_release WHERE released_at > ?")
            .bind(since)
            .fetch_all(&self.pool)
            .await
            .map_err(LedgerError::while_trying("look for lifted limits"))?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }
}

/// Adds numbers to a query, with commas between them.
fn listed<'a>(query: &'a mut QueryBuilder<Sqlite>, ids: &[i64]) -> &'a mut QueryBuilder<Sqlite> {
    let mut list = query.separated(", ");
    for id in ids {
        list.push_bind(*id);
    }
    query
}
