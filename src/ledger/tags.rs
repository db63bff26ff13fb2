//! The keywords of mails that are answers, as they were when somebody looked last.

use std::collections::BTreeSet;

use sqlx::Row;

use super::{Ledger, LedgerError, Transaction};

/// How a folder was numbered when its keywords were looked at last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TagLook {
    pub uid_validity: u32,
    /// What came later has at least this number.
    pub next_uid: u32,
}

/// A mail by its number, and the name of an answer that a keyword on it gives.
pub type Tag = (u32, String);

impl Ledger {
    /// The last look at the keywords of a folder, and what was found; nothing when nobody has looked.
    pub async fn tags(&self, user: &str, folder: &str) -> Result<Option<(TagLook, BTreeSet<Tag>)>, LedgerError> {
        let failed = LedgerError::while_trying;
        let look = sqlx::query("SELECT uid_validity, next_uid FROM tag_look WHERE user = ? AND folder = ?");
        let look = look.bind(user).bind(folder).fetch_optional(&self.pool).await.map_err(failed("read a look"))?;
        let Some(look) = look.map(|row| TagLook { uid_validity: row.get(0), next_uid: row.get(1) }) else {
            return Ok(None);
        };
        let rows = sqlx::query("SELECT uid, choice FROM tag WHERE user = ? AND folder = ?");
        let rows = rows.bind(user).bind(folder).fetch_all(&self.pool).await.map_err(failed("read keywords"))?;
        Ok(Some((look, rows.iter().map(|row| (row.get(0), row.get(1))).collect())))
    }
}

impl Transaction {
    /// Records that a folder was looked at.
    pub async fn set_look(&mut self, (user, folder): (&str, &str), look: TagLook) -> Result<(), LedgerError> {
        sqlx::query(
            "INSERT INTO tag_look (user, folder, uid_validity, next_uid) VALUES (?, ?, ?, ?)
             ON CONFLICT (user, folder) DO UPDATE
             SET uid_validity = excluded.uid_validity, next_uid = excluded.next_uid",
        )
        .bind(user)
        .bind(folder)
        .bind(look.uid_validity)
        .bind(look.next_uid)
        .execute(self.connection().await?)
        .await
        .map_err(LedgerError::while_trying("record a look"))?;
        Ok(())
    }

    /// Records a keyword that was answered, or needs no answer.
    pub async fn add_tag(&mut self, (user, folder): (&str, &str), (uid, choice): &Tag) -> Result<(), LedgerError> {
        let insert =
            sqlx::query("INSERT INTO tag (user, folder, uid, choice) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING");
        let insert = insert.bind(user).bind(folder).bind(uid).bind(choice).execute(self.connection().await?).await;
        insert.map_err(LedgerError::while_trying("record a keyword"))?;
        Ok(())
    }

    /// Forgets a keyword that is there no more.
    pub async fn remove_tag(&mut self, (user, folder): (&str, &str), (uid, choice): &Tag) -> Result<(), LedgerError> {
        let delete = sqlx::query("DELETE FROM tag WHERE user = ? AND folder = ? AND uid = ? AND choice = ?");
        let delete = delete.bind(user).bind(folder).bind(uid).bind(choice).execute(self.connection().await?).await;
        delete.map_err(LedgerError::while_trying("forget a keyword"))?;
        Ok(())
    }
}
