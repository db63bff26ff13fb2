//! Users in a database: SQLite or PostgreSQL.

use std::path::PathBuf;
use std::pin::Pin;

use futures_util::{Stream, TryStreamExt};
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow, PgSslMode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Column, ConnectOptions, Connection, Row as _, ValueRef};
use toml::Value;

use super::error::DirectoryError;
use super::limits::SOURCE_TIMEOUT;
use super::row::{Author, Gathered, Row};

/// Where a query is put; it is only read there.
#[derive(Clone, Debug)]
pub enum Database {
    Sqlite(PathBuf),
    Postgres { url: String, password: Option<SecretString> },
}

/// The rows that the query has, at the latest when the time for a source is over.
pub(super) async fn rows(database: &Database, query: &str) -> Result<Vec<Row>, DirectoryError> {
    let asking = async {
        match database {
            Database::Sqlite(path) => of_sqlite(path.clone(), query).await,
            Database::Postgres { url, password } => of_postgres(url, password.as_ref(), query).await,
        }
    };
    match tokio::time::timeout(SOURCE_TIMEOUT, asking).await {
        Ok(rows) => rows,
        Err(_) => Err(DirectoryError::Timeout(SOURCE_TIMEOUT)),
    }
}

async fn of_sqlite(path: PathBuf, query: &str) -> Result<Vec<Row>, DirectoryError> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(SOURCE_TIMEOUT / 2);
    let mut connection: SqliteConnection = options.connect().await?;
    let rows = sqlx::raw_sql(AssertSqlSafe(query.to_owned())).fetch(&mut connection);
    let gathered = gather(rows, sqlite_columns).await?;
    connection.close().await?;
    Ok(gathered)
}

async fn of_postgres(url: &str, password: Option<&SecretString>, query: &str) -> Result<Vec<Row>, DirectoryError> {
    let mut options: PgConnectOptions = url.parse()?;
    if !url.contains("sslmode=") && !is_on_this_machine(&options) {
        // The library's own default would take any certificate, and none.
        options = options.ssl_mode(PgSslMode::VerifyFull);
    }
    if let Some(password) = password {
        options = options.password(password.expose_secret());
    }
    let mut connection: PgConnection = options.connect().await?;
    // A query by mistake may be a command; nothing of theirs is ever changed by us.
    sqlx::raw_sql("BEGIN READ ONLY").execute(&mut connection).await?;
    // The simple protocol gives every value as text, whatever its type is.
    let rows = sqlx::raw_sql(AssertSqlSafe(query.to_owned())).fetch(&mut connection);
    let gathered = gather(rows, postgres_columns).await?;
    sqlx::raw_sql("ROLLBACK").execute(&mut connection).await?;
    connection.close().await?;
    Ok(gathered)
}

fn is_on_this_machine(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

type Columns = Vec<(String, Option<String>)>;

/// Gathers rows as they come, so that too many of them are noticed before they are all here.
async fn gather<R>(
    mut rows: Pin<Box<dyn Stream<Item = Result<R, sqlx::Error>> + Send + '_>>,
    columns: fn(&R) -> Result<Columns, sqlx::Error>,
) -> Result<Vec<Row>, DirectoryError> {
    let mut gathered = Gathered::default();
    let mut number = 0_usize;
    while let Some(row) = rows.try_next().await? {
        number += 1;
        let columns = columns(&row)?;
        if number == 1 && !columns.iter().any(|(name, _)| name == "address" || name == "addresses") {
            return Err(DirectoryError::NoColumn("address"));
        }
        let bytes = columns.iter().map(|(name, value)| name.len() + value.as_ref().map_or(0, String::len)).sum();
        let values = columns.into_iter().filter_map(|(name, value)| Some((name, Value::String(value?))));
        gathered.push(bytes, Row::new(format!("row {number}"), values, Author::Other))?;
    }
    Ok(gathered.into_rows())
}

fn sqlite_columns(row: &SqliteRow) -> Result<Columns, sqlx::Error> {
    let columns = row.columns().iter();
    // SQLite makes a text of whatever it has.
    columns.map(|column| Ok((column.name().to_owned(), row.try_get_unchecked(column.ordinal())?))).collect()
}

fn postgres_columns(row: &PgRow) -> Result<Columns, sqlx::Error> {
    let columns = row.columns().iter().map(|column| {
        let value = row.try_get_raw(column.ordinal())?;
        let text = if value.is_null() { None } else { Some(value.as_str().map_err(sqlx::Error::Decode)?.to_owned()) };
        Ok((column.name().to_owned(), text))
    });
    columns.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sqlite(query: &str) -> Result<Vec<Row>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mail.db");
        let mut connection =
            SqliteConnectOptions::new().filename(&path).create_if_missing(true).connect().await.unwrap();
        sqlx::raw_sql(
            "CREATE TABLE mailbox (username TEXT, name TEXT, quota INTEGER, active INTEGER);
             INSERT INTO mailbox VALUES ('a@x.org', 'Anna', 7, 1), ('b@x.org', NULL, 7, 1), ('c@x.org', 'Cleo', 7, 0)",
        )
        .execute(&mut connection)
        .await
        .unwrap();
        connection.close().await.unwrap();
        rows(&Database::Sqlite(path), query).await.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_query_names_the_columns_of_a_user() {
        let rows = sqlite("SELECT username AS address, name FROM mailbox WHERE active = 1 ORDER BY 1").await.unwrap();
        let tables: Vec<String> = rows.into_iter().map(|row| row.table.unwrap().to_string()).collect();
        assert_eq!(tables, ["addresses = [\"a@x.org\"]\nname = \"Anna\"\n", "addresses = [\"b@x.org\"]\n"]);
        assert!(sqlite("SELECT username FROM mailbox").await.unwrap_err().contains("no column address"));
        let told = sqlite("SELECT * FROM absent").await.unwrap_err();
        assert!(told.contains("no such table"), "{told}");
    }

    #[tokio::test]
    async fn a_query_changes_nothing() {
        let told = sqlite("DELETE FROM mailbox").await.unwrap_err();
        assert!(told.contains("readonly"), "{told}");
        let absent = rows(&Database::Sqlite("/nonexistent/x.db".into()), "SELECT 1").await;
        assert!(absent.is_err());
    }
}
