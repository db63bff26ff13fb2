//! The `[users]` table: where users come from besides the `[[user]]` tables.

use std::path::PathBuf;
use std::time::Duration;

use super::fault::Wrong;
use super::limits::WORDS_MAX;
use super::reader::Section;
use super::secret::{Places, Secret};
use super::sections::{secret, time};
use super::value;

/// Where users come from besides the `[[user]]` tables.
#[derive(Clone, Debug)]
pub struct Users {
    /// None, one or several.
    pub sources: Vec<UserSource>,
    /// How often they are asked anew, and the `[[user]]` tables read.
    pub reload_interval: Duration,
}

/// One place that knows users.
#[derive(Clone, Debug)]
pub enum UserSource {
    /// A file whose name ends in `.toml` or `.csv`.
    File(PathBuf),
    /// The words of a command.
    Command(Vec<String>),
    Sql {
        database: UserDatabase,
        query: String,
    },
}

/// The database that a query is put to.
#[derive(Clone, Debug)]
pub enum UserDatabase {
    Sqlite(PathBuf),
    /// A URL without a password.
    Postgres {
        url: String,
        password: Option<Secret>,
    },
}

const COMMAND: &str = "write the words of a command, such as [\"/usr/local/bin/list-users\"]";
const SQL_URL: &str = "write \"postgres://user@host/database\" or \"sqlite:///path/of/a/file.db\"";

pub(super) fn users(table: Section<'_>, places: &Places<'_>) -> Users {
    let file = table.text("file", "write the path of a .toml or .csv file", |text| file(text, places));
    let command = table.list("command", WORDS_MAX, COMMAND, value::word);
    let reload_interval = time(&table, "reload_interval", Duration::from_secs(10)..=DAY, Duration::from_secs(300));
    let sources = [file.map(UserSource::File), command.map(UserSource::Command), sql(&table, places)];
    table.finish();
    Users { sources: sources.into_iter().flatten().collect(), reload_interval }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn file(text: &str, places: &Places<'_>) -> Result<PathBuf, Wrong> {
    let path = places.path(text)?;
    let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
    match ending.as_ref().and_then(|ending| ending.to_str()) {
        Some("toml" | "csv") => Ok(path),
        _ => Err(Wrong::new("has neither of the endings .toml and .csv", "name the file by what is in it")),
    }
}

fn sql(table: &Section<'_>, places: &Places<'_>) -> Option<UserSource> {
    let query = table.text("sql", "write a query such as \"SELECT username AS address FROM mailbox\"", value::query);
    let database = table.text("sql_url", SQL_URL, |text| database(text, places));
    let password = secret(table, "sql_password_file", places);
    if table.has("sql") {
        table.demand("sql_url", SQL_URL);
    } else if table.has("sql_url") {
        table.demand("sql", "write the query that lists the users");
    }
    let database = match database? {
        UserDatabase::Postgres { url, .. } => UserDatabase::Postgres { url, password },
        sqlite @ UserDatabase::Sqlite(_) => {
            if table.has("sql_password_file") {
                table.warn("sql_password_file", "is not used, since SQLite has no passwords");
            }
            sqlite
        }
    };
    Some(UserSource::Sql { database, query: query? })
}

fn database(text: &str, places: &Places<'_>) -> Result<UserDatabase, Wrong> {
    if let Some(path) = text.strip_prefix("sqlite://") {
        return places.path(path).map(UserDatabase::Sqlite).map_err(|wrong| Wrong::new(wrong.wrong, SQL_URL));
    }
    // What is wrong is not repeated: a password may stand there.
    let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
    let Some(rest) = rest else {
        return Err(Wrong::new("is the URL of neither PostgreSQL nor SQLite", SQL_URL));
    };
    let user = rest.split(['/', '?']).next().and_then(|authority| authority.rsplit_once('@')).map(|(user, _)| user);
    if user.is_some_and(|user| user.contains(':')) || rest.contains("password=") {
        let right = "take it out, and name a file that holds it with sql_password_file";
        return Err(Wrong::new("has a password in it", right));
    }
    Ok(UserDatabase::Postgres { url: text.to_owned(), password: None })
}
