//! Where the calendars live.

mod database;

pub use database::DatabaseCalendars;

use sqlx::SqliteConnection;

use crate::itip::CalUid;

/// A calendar object as a backend keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredObject {
    pub uid: CalUid,
    /// iCalendar text without METHOD.
    pub content: String,
}

/// Whether an object can be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// It is there already.
    Held,
    Free,
    None,
}

/// Why a calendar could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CalendarError {
    #[error("the calendar database refused to {what}: {source}")]
    Database { what: &'static str, source: sqlx::Error },
}

impl CalendarError {
    /// What the database said.
    pub fn cause(&self) -> &sqlx::Error {
        let Self::Database { source, .. } = self;
        source
    }
}

/// A place where calendars live.
///
/// Everything happens on the connection of the ledger's transaction, so that a backend in the same database is
/// committed together with the decision; a backend elsewhere keeps its intent there.
pub trait CalendarStore: Send + Sync {
    /// The object of a user; nothing when there is none.
    fn get(
        &self,
        connection: &mut SqliteConnection,
        user: &str,
        uid: &CalUid,
    ) -> impl Future<Output = Result<Option<StoredObject>, CalendarError>> + Send;

    /// All objects of a user, by UID.
    fn list(
        &self,
        connection: &mut SqliteConnection,
        user: &str,
    ) -> impl Future<Output = Result<Vec<StoredObject>, CalendarError>> + Send;

    /// The objects of a user that were changed last, at most `most`.
    fn recent(
        &self,
        connection: &mut SqliteConnection,
        user: &str,
        most: u32,
    ) -> impl Future<Output = Result<Vec<StoredObject>, CalendarError>> + Send;

    /// Whether a user's calendar has room for an object, when it may hold `most`.
    fn room(
        &self,
        connection: &mut SqliteConnection,
        object: (&str, &CalUid),
        most: u32,
    ) -> impl Future<Output = Result<Room, CalendarError>> + Send;

    /// Stores an object in place of what was there; `at` in Unix milliseconds.
    fn put(
        &self,
        connection: &mut SqliteConnection,
        user: &str,
        object: &StoredObject,
        at: i64,
    ) -> impl Future<Output = Result<(), CalendarError>> + Send;

    /// Removes an object.
    fn delete(
        &self,
        connection: &mut SqliteConnection,
        user: &str,
        uid: &CalUid,
    ) -> impl Future<Output = Result<(), CalendarError>> + Send;
}
