//! Where users come from besides the configuration: a file, a command, a database.
//!
//! A [`Source`] is asked for all of its [`Row`]s at once. What a row says is read by the configuration, with the same reader
//! as its `[[user]]` tables; here is only how rows are got, and what is too much of them.

mod error;
mod file;
pub mod limits;
mod lines;
mod row;
mod sql;

use std::path::PathBuf;

use crate::command::{self, Bounds};

pub use error::DirectoryError;
pub use row::Row;
pub use sql::Database;

/// One place that knows users.
#[derive(Clone, Debug)]
pub enum Source {
    /// A TOML file of `[[user]]` tables, or a CSV file with a header line; the name's ending tells which.
    File(PathBuf),
    /// The words of a command that prints a JSON object for each user, one on a line.
    Command(Vec<String>),
    /// A query, and where to put it.
    Sql { database: Database, query: String },
}

impl Source {
    /// The configuration's key for it.
    pub fn key(&self) -> &'static str {
        match self {
            Self::File(_) => "users.file",
            Self::Command(_) => "users.command",
            Self::Sql { .. } => "users.sql",
        }
    }

    /// Every row of the source, or why it cannot be had as a whole.
    ///
    /// A mistake in one row is that row's alone.
    pub async fn rows(&self) -> Result<Vec<Row>, DirectoryError> {
        match self {
            Self::File(path) => file::rows(path).await,
            Self::Command(words) => {
                let bounds = Bounds { time: limits::SOURCE_TIMEOUT, output_bytes_max: limits::SOURCE_BYTES_MAX };
                lines::rows(&command::output(words, bounds).await?)
            }
            Self::Sql { database, query } => sql::rows(database, query).await,
        }
    }
}
