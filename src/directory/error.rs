//! Why a source of users told nothing.

use std::path::PathBuf;
use std::time::Duration;

use crate::command::CommandError;

/// Why the rows of a source cannot be had; the users of its last success stay.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    #[error("cannot read {path}: {source}; check that it exists and that imipd may read it", path = path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{path} {wrong}; {right}", path = path.display())]
    Malformed { path: PathBuf, wrong: String, right: &'static str },
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error("there are more than {0} rows; split the users over several imipd")]
    TooMany(usize),
    #[error("the rows have more than {0} bytes together; leave out what is no column of users")]
    TooLarge(usize),
    #[error("the database did not answer the query within {0:?}; check its load, and the query")]
    Timeout(Duration),
    #[error("the database refuses: {0}; check users.sql_url, the query in users.sql, and the rights of its user")]
    Sql(#[from] sqlx::Error),
    #[error("the query has no column {0}; name its columns with AS address, AS aliases, AS login and so on")]
    NoColumn(&'static str),
}
