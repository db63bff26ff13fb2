//! Users in a file of the administrator's: TOML or CSV.

use std::path::Path;

use tokio::io::AsyncReadExt;
use toml::{Table, Value};

use super::error::DirectoryError;
use super::limits::SOURCE_BYTES_MAX;
use super::row::{Author, Gathered, Row};

/// The rows of the file, by the ending of its name.
pub(super) async fn rows(path: &Path) -> Result<Vec<Row>, DirectoryError> {
    let text = text(path).await?;
    let is_csv = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
    let rows = if is_csv { of_csv(&text) } else { of_toml(&text) };
    rows.map_err(|fault| match fault {
        Fault::Malformed(wrong, right) => DirectoryError::Malformed { path: path.to_owned(), wrong, right },
        Fault::Limit(error) => error,
    })
}

/// What keeps a whole file from being read.
enum Fault {
    Malformed(String, &'static str),
    Limit(DirectoryError),
}

impl From<DirectoryError> for Fault {
    fn from(error: DirectoryError) -> Self {
        Self::Limit(error)
    }
}

async fn text(path: &Path) -> Result<String, DirectoryError> {
    let unreadable = |source| DirectoryError::Unreadable { path: path.to_owned(), source };
    // Opening anything else than a file, such as a pipe, could wait for ever.
    if !tokio::fs::metadata(path).await.map_err(unreadable)?.is_file() {
        return Err(unreadable(std::io::Error::other("it is not a file")));
    }
    let mut bytes = Vec::new();
    let file = tokio::fs::File::open(path).await.map_err(unreadable)?;
    file.take(SOURCE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).await.map_err(unreadable)?;
    if bytes.len() > SOURCE_BYTES_MAX {
        return Err(DirectoryError::TooLarge(SOURCE_BYTES_MAX));
    }
    String::from_utf8(bytes).map_err(|_| unreadable(std::io::Error::other("it is not UTF-8 text")))
}

/// A `[[user]]` table for each user, and nothing else.
fn of_toml(text: &str) -> Result<Vec<Row>, Fault> {
    const RIGHT: &str = "write a table [[user]] with addresses = [\"name@example.com\"] for each user";
    // Only the message: the parser's own display prints the line.
    let document: Table = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(0, |span| text.get(..span.start).unwrap_or(text).matches('\n').count() + 1);
        Fault::Malformed(format!("is not TOML in line {line}: {}", error.message().replace('\n', ", ")), RIGHT)
    })?;
    if let Some(other) = document.keys().find(|key| *key != "user") {
        return Err(Fault::Malformed(format!("holds {other:?}, which is no table of users"), RIGHT));
    }
    let Some(Value::Array(tables)) = document.get("user") else {
        return match document.is_empty() {
            true => Ok(Vec::new()),
            false => Err(Fault::Malformed("has a table [user]".to_owned(), RIGHT)),
        };
    };
    let mut gathered = Gathered::default();
    for (table, number) in tables.iter().zip(1..) {
        let place = format!("user[{number}]");
        let row = match table {
            Value::Table(table) => Row::new(place, table.clone(), Author::Administrator),
            _ => Row::broken(place, "it is no table"),
        };
        // The text as a whole has been measured already.
        gathered.push(0, row)?;
    }
    Ok(gathered.into_rows())
}

/// A header line with the names of the columns, then a line for each user. RFC 4180.
fn of_csv(text: &str) -> Result<Vec<Row>, Fault> {
    const RIGHT: &str = "begin it with a header line such as address,aliases,login,language,timezone";
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| Fault::Malformed(error.to_string(), RIGHT))?.clone();
    if !header.iter().any(|name| name == "address" || name == "addresses") {
        return Err(Fault::Malformed("names no column address".to_owned(), RIGHT));
    }
    if let Some(twice) =
        header.iter().enumerate().find(|(at, name)| header.iter().take(*at).any(|earlier| earlier == *name))
    {
        return Err(Fault::Malformed(format!("names the column {:?} twice", twice.1), RIGHT));
    }
    let mut gathered = Gathered::default();
    for record in reader.records() {
        let row = match &record {
            Ok(record) => {
                let place = format!("line {}", record.position().map_or(0, |position| line(text, position)));
                let columns = header.iter().zip(record).map(|(name, value)| (name.to_owned(), Value::from(value)));
                Row::new(place, columns, Author::Administrator)
            }
            Err(error) => Row::broken(
                format!("line {}", error.position().map_or(0, |position| line(text, position))),
                "it has more or fewer columns than the header; put texts with commas between double quotes",
            ),
        };
        gathered.push(record.map_or(0, |record| record.as_slice().len()), row)?;
    }
    Ok(gathered.into_rows())
}

/// The line of a record, which the reader counts from before the blank lines above it.
fn line(text: &str, position: &csv::Position) -> u64 {
    let rest = usize::try_from(position.byte()).ok().and_then(|byte| text.as_bytes().get(byte..)).unwrap_or_default();
    let blank = rest.iter().take_while(|octet| matches!(octet, b'\r' | b'\n')).filter(|octet| **octet == b'\n').count();
    position.line() + blank as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn told(name: &str, text: &str) -> Result<Vec<(String, Result<String, String>)>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let rows = rows(&path).await.map_err(|error| error.to_string())?;
        Ok(rows.into_iter().map(|row| (row.place, row.table.map(|table| table.to_string()))).collect())
    }

    #[tokio::test]
    async fn a_csv_file_tells_a_user_on_each_line() {
        let text =
            "\u{feff}address, aliases ,login\na@x.org,\"b@x.org, c@x.org\",anna\n\nd@x.org,,\ntoo,many,columns,here\n";
        let rows = told("users.csv", text).await.unwrap();
        let table = |at: usize| rows[at].1.clone().unwrap();
        assert_eq!(table(0), "addresses = [\"a@x.org\", \"b@x.org\", \"c@x.org\"]\nlogin = \"anna\"\n");
        assert_eq!((rows[1].0.as_str(), table(1).as_str()), ("line 4", "addresses = [\"d@x.org\"]\n"));
        assert!(rows[2].1.is_err() && rows[2].0 == "line 5");
        assert!(told("users.csv", "login\nanna\n").await.unwrap_err().contains("names no column address"));
        assert!(told("users.csv", "address,address\na,b\n").await.unwrap_err().contains("twice"));
    }

    #[tokio::test]
    async fn a_toml_file_has_the_tables_of_the_configuration() {
        let rows =
            told("users.toml", "[[user]]\naddresses = [\"a@x.org\"]\npassword_file = \"p\"\n[[user]]\n").await.unwrap();
        assert!(rows[0].1.clone().unwrap().contains("password_file = \"p\""));
        assert_eq!(rows[1].0, "user[2]");
        assert!(rows[1].1.is_err());
        for (text, expected) in
            [("[[user]\n", "is not TOML in line 1"), ("[imap]\n", "\"imap\""), ("[user]\n", "[user]")]
        {
            let told = told("users.toml", text).await.unwrap_err();
            assert!(told.contains(expected), "{text:?}: {told}");
        }
        assert!(rows_of_nothing().await.contains("cannot read"));
    }

    async fn rows_of_nothing() -> String {
        rows(Path::new("/nonexistent/users.csv")).await.unwrap_err().to_string()
    }
}
