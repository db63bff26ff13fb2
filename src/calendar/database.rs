//! Calendars in the ledger's own database.

use sqlx::{Row, SqliteConnection};

use super::{CalendarError, CalendarStore, Room, StoredObject};
use crate::itip::CalUid;

/// The backend `database`: objects stand in the same database as the decisions about them.
#[derive(Clone, Copy, Debug, Default)]
pub struct DatabaseCalendars;

fn trying(what: &'static str) -> impl FnOnce(sqlx::Error) -> CalendarError {
    move |source| CalendarError::Database { what, source }
}

impl CalendarStore for DatabaseCalendars {
    async fn get(
        &self,
        connection: &mut SqliteConnection,
        user: &str,
        uid: &CalUid,
    ) -> Result<Option<StoredObject>, CalendarError> {
        let row = sqlx::query("SELECT content FROM object WHERE user = ? AND cal_uid = ?")
            .bind(user)
            .bind(&uid.0)
            .fetch_optional(connection)
            .await
            .map_err(trying("read an object"))?;
        Ok(row.map(|row| StoredObject { uid: uid.clone(), content: row.get(0) }))
    }

    async fn list(&self, connection: &mut SqliteConnection, user: &str) -> Result<Vec<StoredObject>, CalendarError> {
        let rows = sqlx::query("SELECT cal_uid, content FROM object WHERE user = ? ORDER BY cal_uid")
            .bind(user)
            .fetch_all(connection)
            .await
            .map_err(trying("list objects"))?;
        Ok(rows.iter().map(|row| StoredObject { uid: CalUid(row.get(0)), content: row.get(1) }).collect())
    }

    async fn recent(
        &self,
        connection: &mut SqliteConnection,
        user: &str,
        most: u32,
    ) -> Result<Vec<StoredObject>, CalendarError> {
        let select = "SELECT cal_uid, content FROM object WHERE user = ? ORDER BY changed_at DESC LIMIT ?";
        let rows = sqlx::query(select).bind(user).bind(most).fetch_all(connection).await;
        let rows = rows.map_err(trying("list objects"))?;
        Ok(rows.iter().map(|row| StoredObject { uid: CalUid(row.get(0)), content: row.get(1) }).collect())
    }

    async fn room(
        &self,
        connection: &mut SqliteConnection,
        (user, uid): (&str, &CalUid),
        most: u32,
    ) -> Result<Room, CalendarError> {
        let row = sqlx::query(
            "SELECT EXISTS (SELECT 1 FROM object WHERE user = ?1 AND cal_uid = ?2),
                 (SELECT COUNT(*) FROM (SELECT 1 FROM object WHERE user = ?1 LIMIT ?3 + 0)) < ?3",
        )
        .bind(user)
        .bind(&uid.0)
        .bind(most)
        .fetch_one(connection)
        .await
        .map_err(trying("count objects"))?;
        Ok(match (row.get(0), row.get(1)) {
            (true, _) => Room::Held,
            (false, true) => Room::Free,
            (false, false) => Room::None,
        })
    }

    async fn put(
        &self,
        connection: &mut SqliteConnection,
        user: &str,
        object: &StoredObject,
        at: i64,
    ) -> Result<(), CalendarError> {
        sqlx::query(
            "INSERT INTO object (user, cal_uid, content, changed_at) VALUES (?, ?, ?, ?)
             ON CONFLICT (user, cal_uid) DO UPDATE SET content = excluded.content, changed_at = excluded.changed_at",
        )
        .bind(user)
        .bind(&object.uid.0)
        .bind(&object.content)
        .bind(at)
        .execute(connection)
        .await
        .map_err(trying("write an object"))?;
        Ok(())
    }

    async fn delete(&self, connection: &mut SqliteConnection, user: &str, uid: &CalUid) -> Result<(), CalendarError> {
        sqlx::query("DELETE FROM object WHERE user = ? AND cal_uid = ?")
            .bind(user)
            .bind(&uid.0)
            .execute(connection)
            .await
            .map_err(trying("remove an object"))?;
        Ok(())
    }
}
