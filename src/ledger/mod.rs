//! The gateway's own state: cursors, decisions, revisions, proposals and the outbox, in one database.
//!
//! Everything that belongs to one mail is written in one transaction, the calendar included: what was committed is
//! done, what was not is done again from the start, and doing it again changes nothing.
//!
//! A `LIMIT` that is a parameter and nothing else has SQLite prepare the statement anew each time; where that matters it is `? + 0`.

mod copies;
mod dead_letters;
mod decisions;
mod later;
mod limits;
mod links;
mod load;
mod marks;
mod moves;
mod outbox;
mod proposals;
mod questions;
mod revisions;
mod said;
mod senders;
mod sharing;
mod tags;
mod undelivered;

pub use copies::{CopyState, SentCopy};
pub use dead_letters::{DeadLetter, DeadLetterFilter, Failure, Failures, MailNumber};
pub use decisions::{DecisionFilter, DecisionRecord, Thread};
pub use links::Link;
pub use load::OutboxLoad;
pub use marks::{MarkKind, OwedMark};
pub use moves::{MoveTarget, OwedMove};
pub use outbox::{Debt, DueMail, Kept, OutboxEntry, OutboxRecipient, RecipientState, Throughput};
pub use proposals::Proposal;
pub use questions::{Question, QuestionKind};
pub use said::{Pending, SENT_BY_CLIENT, Source, Statement};
pub use senders::RECIPIENTS_MAX;
pub use tags::{Tag, TagLook};
pub use undelivered::{MailName, SentMail, Untold};

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a writer waits for another one.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Why the database could not be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error(
        "cannot open the database {path}: {source}; check [database] url, and that the directory exists and is writable"
    )]
    Open { path: String, source: sqlx::Error },
    #[error("the database {path} cannot be brought up to date: {source}; it may belong to a newer version of imipd")]
    Migrate { path: String, source: sqlx::migrate::MigrateError },
    #[error("the database refused to {what}: {source}")]
    Query { what: &'static str, source: sqlx::Error },
    #[error("the database holds something unreadable ({what}): {value:?}")]
    Unreadable { what: &'static str, value: String },
    #[error("the system gives no random numbers, which secrets are made of")]
    NoRandomness,
}

impl LedgerError {
    /// Turns sqlx's error into one that says what was attempted.
    pub fn while_trying(what: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Query { what, source }
    }

    /// Whether the trouble is with the database as a whole, and not with what was to be written.
    pub fn is_about_the_database(&self) -> bool {
        match self {
            Self::Query { source, .. } => is_unusable(source),
            Self::Open { .. } | Self::Migrate { .. } | Self::NoRandomness => true,
            Self::Unreadable { .. } => false,
        }
    }
}

/// The database.
#[derive(Clone, Debug)]
pub struct Ledger {
    pool: SqlitePool,
    /// Whose turn it is to write. SQLite has those wait who come while another one writes, too, but looks after them in ever longer
    /// intervals, and the last to come may be the first served.
    turns: Arc<Semaphore>,
}

/// A transaction; what it reads stays true until it ends. One that [`Ledger::begin`] began has the right to write from the start.
#[derive(Debug)]
pub struct Transaction {
    inner: sqlx::Transaction<'static, Sqlite>,
    /// Given back when the transaction ends; the next one in the line begins then. Nothing while it only reads.
    _turn: Option<OwnedSemaphorePermit>,
    news: News,
    delayed: later::Delayed,
}

/// What a transaction has entered that somebody waits for: who is not concerned need not be woken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Mails that are owed, or that wait for another one no more, and answers to be shared.
    pub mails: bool,
    /// Keywords to be set.
    pub marks: bool,
    /// Mails to be moved.
    pub moves: bool,
    /// Recipients who did not get a mail, of which the user is to be told.
    pub failures: bool,
}

/// How far a folder has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CursorRecord {
    pub uid_validity: u32,
    pub next_uid: u32,
    /// The server's number of changes when that was so, or an earlier one; 0 where it keeps none. RFC 7162 §3.1.2.1.
    pub highest_modseq: i64,
    /// Mail that arrived before is none of our business, Unix milliseconds; set when the folder is first seen.
    pub since_at: i64,
}

impl Ledger {
    /// Opens the database, makes it where there is none, and brings its tables up to date.
    pub async fn open(path: &Path) -> Result<Self, LedgerError> {
        let shown = path.display().to_string();
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A commit that was reported must survive a power cut: the mail is not looked at again.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let pool = connect(options).await.map_err(|source| LedgerError::Open { path: shown.clone(), source })?;
        let ledger = Self { pool, turns: Arc::new(Semaphore::new(1)) };
        ledger.migrate(shown).await?;
        Ok(ledger)
    }

    /// Makes the tables what this version wants them to be.
    ///
    /// All in one transaction that has the right to write from the start: the daemon and any number of commands may open a new
    /// database in the same moment, and all but the first must find the work done.
    async fn migrate(&self, path: String) -> Result<(), LedgerError> {
        let mut transaction = self.begin().await?;
        let migrations = sqlx::migrate!().run(&mut *transaction.inner).await;
        migrations.map_err(|source| LedgerError::Migrate { path, source })?;
        transaction.commit().await.map(drop)
    }

    /// Begins a transaction that may write; waits while another one is open.
    pub async fn begin(&self) -> Result<Transaction, LedgerError> {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|_| LedgerError::while_trying("begin a transaction")(sqlx::Error::PoolClosed))?;
        let inner = self.pool.begin_with("BEGIN IMMEDIATE").await;
        Ok(Transaction {
            inner: inner.map_err(LedgerError::while_trying("begin a transaction"))?,
            _turn: Some(turn),
            news: News::default(),
            delayed: later::Delayed::default(),
        })
    }

    /// Begins a transaction for reading: it sees one moment, and keeps nobody from writing.
    pub async fn snapshot(&self) -> Result<Transaction, LedgerError> {
        let transaction = self.pool.begin_with("BEGIN").await;
        let inner = transaction.map_err(LedgerError::while_trying("begin a transaction for reading"))?;
        Ok(Transaction { inner, _turn: None, news: News::default(), delayed: later::Delayed::default() })
    }

    /// A connection for reading what is committed.
    pub async fn reader(&self) -> Result<sqlx::pool::PoolConnection<Sqlite>, LedgerError> {
        self.pool.acquire().await.map_err(LedgerError::while_trying("give a connection"))
    }

    /// Those of some Message-IDs that a question finds; `head` is the question up to the user.
    ///
    /// A few questions for a whole range of mails, instead of one for each.
    async fn message_ids_among(
        &self,
        head: &str,
        user: &str,
        of: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, LedgerError> {
        let (all, mut found) = (of.iter().collect::<Vec<_>>(), BTreeSet::new());
        for some in all.chunks(limits::MESSAGE_IDS_ASKED_MAX) {
            let mut query = QueryBuilder::<Sqlite>::new(head);
            query.push_bind(user).push(" AND message_id IN (");
            let mut list = query.separated(", ");
            for message_id in some {
                list.push_bind(*message_id);
            }
            query.push(")");
            let rows = query.build().fetch_all(&self.pool).await;
            found.extend(rows.map_err(LedgerError::while_trying("look for Message-IDs"))?.iter().map(|row| row.get(0)));
        }
        Ok(found)
    }

    /// Closes all connections, so that the write-ahead log is folded in.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// How far a folder has been read; nothing when it was never seen.
    pub async fn cursor(&self, user: &str, folder: &str) -> Result<Option<CursorRecord>, LedgerError> {
        let select =
            "SELECT uid_validity, next_uid, since_at, highest_modseq FROM cursor WHERE user = ? AND folder = ?";
        let row = sqlx::query(select)
            .bind(user)
            .bind(folder)
            .fetch_optional(&self.pool)
            .await
            .map_err(LedgerError::while_trying("read a cursor"))?;
        Ok(row.map(|row| CursorRecord {
            uid_validity: row.get(0),
            next_uid: row.get(1),
            since_at: row.get(2),
            highest_modseq: row.get(3),
        }))
    }

    /// From when on mail of a user is ours, Unix milliseconds; nothing when none of their folders was ever seen.
    pub async fn ours_since(&self, user: &str) -> Result<Option<i64>, LedgerError> {
        let row = sqlx::query("SELECT MIN(since_at) FROM cursor WHERE user = ?")
            .bind(user)
            .fetch_one(&self.pool)
            .await
            .map_err(LedgerError::while_trying("read the cursors of a user"))?;
        Ok(row.get(0))
    }
}

/// Connects; waits while somebody else makes the database.
///
/// The change to WAL needs the database for itself, and SQLite does not apply the busy timeout to it.
async fn connect(options: SqliteConnectOptions) -> Result<SqlitePool, sqlx::Error> {
    let begun = tokio::time::Instant::now();
    loop {
        match pool_options().connect_with(options.clone()).await {
            Err(error) if is_busy(&error) && begun.elapsed() < BUSY_TIMEOUT => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            outcome => return outcome,
        }
    }
}

/// A connection is a thread of its own here: asking it before each use whether it is alive would only cost time.
fn pool_options() -> SqlitePoolOptions {
    SqlitePoolOptions::new().max_connections(4).test_before_acquire(false)
}

/// SQLITE_BUSY.
fn is_busy(error: &sqlx::Error) -> bool {
    const SQLITE_BUSY: u32 = 5;
    primary_code(error) == Some(SQLITE_BUSY)
}

/// Whether SQLite refused something for what it was: a constraint, a value that is too big, or one of a wrong type.
fn is_refused_value(error: &sqlx::Error) -> bool {
    const SQLITE_TOOBIG: u32 = 18;
    const SQLITE_CONSTRAINT: u32 = 19;
    const SQLITE_MISMATCH: u32 = 20;
    matches!(primary_code(error), Some(SQLITE_TOOBIG | SQLITE_CONSTRAINT | SQLITE_MISMATCH))
}

/// Whether another statement would have failed as well: the disk is full, somebody else holds the lock.
pub(crate) fn is_unusable(error: &sqlx::Error) -> bool {
    let is_about_a_value =
        matches!(error, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::Encode(_));
    !is_about_a_value && !is_refused_value(error)
}

/// SQLite's result code, without what stands in the upper bits of an extended one.
fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let code = error.as_database_error().and_then(|error| error.code());
    code.and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff)
}

impl Transaction {
    /// The connection, for what other modules keep in the same transaction; all that was written before is seen on it.
    pub async fn connection(&mut self) -> Result<&mut SqliteConnection, LedgerError> {
        self.write_delayed().await?;
        Ok(&mut self.inner)
    }

    /// Begins what may be undone by itself; [`keep_step`](Self::keep_step) or [`undo_step`](Self::undo_step) ends it.
    pub async fn begin_step(&mut self) -> Result<(), LedgerError> {
        self.on_step("SAVEPOINT step").await
    }

    /// Keeps what was done since [`begin_step`](Self::begin_step), as far as the transaction lasts.
    pub async fn keep_step(&mut self) -> Result<(), LedgerError> {
        self.on_step("RELEASE step").await
    }

    /// Undoes what was done since [`begin_step`](Self::begin_step).
    pub async fn undo_step(&mut self) -> Result<(), LedgerError> {
        self.on_step("ROLLBACK TO step").await?;
        self.on_step("RELEASE step").await
    }

    async fn on_step(&mut self, sql: &'static str) -> Result<(), LedgerError> {
        let done = sqlx::query(sql).execute(self.connection().await?).await;
        done.map(drop).map_err(LedgerError::while_trying("undo a part of a transaction"))
    }

    /// Makes everything in the transaction last; what of it somebody waits for.
    pub async fn commit(mut self) -> Result<News, LedgerError> {
        self.write_delayed().await?;
        self.inner.commit().await.map_err(LedgerError::while_trying("commit"))?;
        Ok(self.news)
    }

    /// Records how far a folder has been read; `since_at` stays what it was when the folder was first seen.
    pub async fn set_cursor(&mut self, user: &str, folder: &str, cursor: CursorRecord) -> Result<(), LedgerError> {
        self.later(
            "INSERT INTO cursor (user, folder, uid_validity, next_uid, since_at, highest_modseq) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT (user, folder) DO UPDATE
             SET uid_validity = excluded.uid_validity, next_uid = excluded.next_uid,
                 highest_modseq = excluded.highest_modseq",
        )
        .bind(user)
        .bind(folder)
        .bind(cursor.uid_validity)
        .bind(cursor.next_uid)
        .bind(cursor.since_at)
        .bind(cursor.highest_modseq)
        .enter()
        .await
    }
}
