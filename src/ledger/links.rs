//! The keys of this installation, and what the tokens in links stand for.

use ring::rand::{SecureRandom, SystemRandom};
use secrecy::SecretSlice;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Ledger, LedgerError, Transaction};

/// Octets of a key.
const SECRET_OCTETS: usize = 32;

/// What a token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The token's SHA-256 digest, hexadecimal.
    pub digest: String,
    /// The name of its purpose: `answer` or `feed`.
    pub purpose: String,
    /// Whose calendar it opens.
    pub user: String,
    /// The object to be answered; empty for a feed.
    pub cal_uid: String,
    /// Who may answer; empty for a feed.
    pub attendee: String,
    /// The instance to be answered, as RECURRENCE-ID is written; empty for all.
    pub instance: String,
    /// The SEQUENCE at which the attendee was asked.
    pub sequence: i64,
    /// Unix milliseconds, like the two below.
    pub created_at: i64,
    pub expires_at: i64,
    /// 0 as long as the link holds.
    pub revoked_at: i64,
}

impl Link {
    fn read(row: &SqliteRow) -> Self {
        Self {
            digest: row.get("digest"),
            purpose: row.get("purpose"),
            user: row.get("user"),
            cal_uid: row.get("cal_uid"),
            attendee: row.get("attendee"),
            instance: row.get("instance"),
            sequence: row.get("sequence"),
            created_at: row.get("created_at"),
            expires_at: row.get("expires_at"),
            revoked_at: row.get("revoked_at"),
        }
    }
}

impl Ledger {
    /// A key of this installation: 32 octets, made when it is asked for the first time.
    ///
    /// Two processes that ask at once get the same one. Not to be called while a transaction of the caller is open: a key that is
    /// still to be made would wait for its end.
    pub async fn secret(&self, name: &str) -> Result<SecretSlice<u8>, LedgerError> {
        if let Some(known) = self.known_secret(name).await? {
            return Ok(known);
        }
        let mut fresh = [0_u8; SECRET_OCTETS];
        SystemRandom::new().fill(&mut fresh).map_err(|_| LedgerError::NoRandomness)?;
        sqlx::query("INSERT INTO secret (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING")
            .bind(name)
            .bind(fresh.as_slice())
            .execute(&self.pool)
            .await
            .map_err(LedgerError::while_trying("make a key"))?;
        self.known_secret(name).await?.ok_or(LedgerError::NoRandomness)
    }

    async fn known_secret(&self, name: &str) -> Result<Option<SecretSlice<u8>>, LedgerError> {
        let row = sqlx::query("SELECT value FROM secret WHERE name = ?")
            .bind(name)
            .fetch_optional(&self.pool)
            .await
            .map_err(LedgerError::while_trying("read a key"))?;
        Ok(row.map(|row| SecretSlice::from(row.get::<Vec<u8>, _>(0))))
    }

    /// What a token stands for, by its digest; revoked and expired ones, too.
    pub async fn link(&self, digest: &str) -> Result<Option<Link>, LedgerError> {
        self.snapshot().await?.link(digest).await
    }

    /// The links of a user for one purpose, newest first, at most `most`.
    pub async fn links(&self, user: &str, purpose: &str, most: u32) -> Result<Vec<Link>, LedgerError> {
        let rows =
            sqlx::query("SELECT * FROM link WHERE user = ? AND purpose = ? ORDER BY created_at DESC, digest LIMIT ?")
                .bind(user)
                .bind(purpose)
                .bind(most)
                .fetch_all(&self.pool)
                .await
                .map_err(LedgerError::while_trying("list links"))?;
        Ok(rows.iter().map(Link::read).collect())
    }
}

impl Transaction {
    /// What a token stands for, by its digest; revoked and expired ones, too.
    pub async fn link(&mut self, digest: &str) -> Result<Option<Link>, LedgerError> {
        let row = sqlx::query("SELECT * FROM link WHERE digest = ?")
            .bind(digest)
            .fetch_optional(self.connection().await?)
            .await
            .map_err(LedgerError::while_trying("look up a link"))?;
        Ok(row.as_ref().map(Link::read))
    }

    /// Enters a link; one that is there already lives as long as the longer of the two. Whether it holds: it stays revoked if
    /// it was.
    pub async fn add_link(&mut self, link: &Link) -> Result<bool, LedgerError> {
        let row = sqlx::query(
            "INSERT INTO link (digest, purpose, user, cal_uid, attendee, instance, sequence, created_at, expires_at, revoked_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (digest) DO UPDATE SET expires_at = MAX(link.expires_at, excluded.expires_at)
             RETURNING revoked_at",
        )
        .bind(&link.digest)
        .bind(&link.purpose)
        .bind(&link.user)
        .bind(&link.cal_uid)
        .bind(&link.attendee)
        .bind(&link.instance)
        .bind(link.sequence)
        .bind(link.created_at)
        .bind(link.expires_at)
        .bind(link.revoked_at)
        .fetch_one(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("enter a link"))?;
        Ok(row.get::<i64, _>("revoked_at") == 0)
    }

    /// Revokes a user's links of one purpose, only those about `cal_uid` or for `attendee` where one is given; how many held until
    /// now.
    pub async fn revoke_links(
        &mut self,
        (user, purpose): (&str, &str),
        (cal_uid, attendee): (Option<&str>, Option<&str>),
        at: i64,
    ) -> Result<u64, LedgerError> {
        let done = sqlx::query(
            "UPDATE link SET revoked_at = ?1
             WHERE user = ?2 AND purpose = ?3 AND (?4 IS NULL OR cal_uid = ?4) AND (?5 IS NULL OR attendee = ?5)
             AND revoked_at = 0",
        )
        .bind(at)
        .bind(user)
        .bind(purpose)
        .bind(cal_uid)
        .bind(attendee)
        .execute(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("revoke links"))?;
        Ok(done.rows_affected())
    }

    /// Revokes one link of a user; how many held until now: one or none.
    pub async fn revoke_link(
        &mut self,
        (user, purpose): (&str, &str),
        digest: &str,
        at: i64,
    ) -> Result<u64, LedgerError> {
        let done = sqlx::query(
            "UPDATE link SET revoked_at = ? WHERE user = ? AND purpose = ? AND digest = ? AND revoked_at = 0",
        )
        .bind(at)
        .bind(user)
        .bind(purpose)
        .bind(digest)
        .execute(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("revoke a link"))?;
        Ok(done.rows_affected())
    }

    /// How many links of a user hold.
    pub async fn count_links(&mut self, (user, purpose): (&str, &str)) -> Result<u32, LedgerError> {
        let row = sqlx::query("SELECT COUNT(*) FROM link WHERE user = ? AND purpose = ? AND revoked_at = 0")
            .bind(user)
            .bind(purpose)
            .fetch_one(self.connection().await?)
            .await
            .map_err(LedgerError::while_trying("count links"))?;
        Ok(row.get(0))
    }
}
