//! One user as a source tells them.

use toml::{Table, Value};

use super::error::DirectoryError;
use super::limits::{ROW_BYTES_MAX, ROWS_MAX, SOURCE_BYTES_MAX};

/// What a source says of one user, as a `[[user]]` table of the configuration would.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Where it stands, such as `line 7`.
    pub place: String,
    /// The table, or why it is none.
    pub table: Result<Table, String>,
}

/// Who has written a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Author {
    /// The administrator of imipd.
    Administrator,
    /// Whoever may write into that database or directory.
    Other,
}

/// Columns that name what imipd opens or starts with its own rights.
///
/// Whoever writes to a mail server's database, such as its web front end, could have any file that imipd may read sent to the
/// IMAP server as a password, or a command executed.
const ADMINISTRATORS_OWN: [&str; 3] = ["password_file", "token_file", "token_command"];

impl Row {
    /// A row of named values, in which `address` and `aliases` become `addresses`, and empty ones are as none.
    pub(super) fn new(place: String, columns: impl IntoIterator<Item = (String, Value)>, author: Author) -> Self {
        Self { place, table: table(columns, author) }
    }

    pub(super) fn broken(place: String, why: impl Into<String>) -> Self {
        Self { place, table: Err(why.into()) }
    }
}

fn table(columns: impl IntoIterator<Item = (String, Value)>, author: Author) -> Result<Table, String> {
    let (mut table, mut addresses) = (Table::new(), Vec::new());
    for (name, value) in columns {
        match name.as_str() {
            // The main address stands first, wherever its column does.
            "address" => addresses.splice(0..0, words(&name, value)?).for_each(drop),
            "aliases" | "addresses" => addresses.extend(words(&name, value)?),
            own if author == Author::Other && ADMINISTRATORS_OWN.contains(&own) => {
                return Err(format!(
                    "{own} is not taken from here; write it for all users in [imap], with {{login}} in it"
                ));
            }
            _ if value.as_str().is_some_and(|text| text.trim().is_empty()) => {}
            _ => drop(table.insert(name, value)),
        }
    }
    let mut known = std::collections::BTreeSet::new();
    // Many databases list the main address among the aliases again.
    addresses.retain(|address: &String| known.insert(address.to_lowercase()));
    if addresses.is_empty() {
        return Err("it has no address; give each user one, as name@example.com".to_owned());
    }
    table.insert("addresses".to_owned(), addresses.into_iter().map(Value::String).collect::<Vec<_>>().into());
    Ok(table)
}

/// Addresses in a text, separated by commas or blanks, or in a list.
fn words(name: &str, value: Value) -> Result<Vec<String>, String> {
    let of = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| c == ',' || c.is_whitespace());
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let wrong = || format!("{name} is neither a text nor a list of texts");
    match value {
        Value::String(text) => Ok(of(&text)),
        Value::Array(items) => {
            let texts: Option<Vec<String>> = items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
            texts.ok_or_else(wrong)
        }
        _ => Err(wrong()),
    }
}

/// Rows as they come in, within the limits.
#[derive(Default)]
pub(super) struct Gathered {
    rows: Vec<Row>,
    bytes: usize,
}

impl Gathered {
    /// Adds a row of so many bytes.
    pub(super) fn push(&mut self, bytes: usize, row: Row) -> Result<(), DirectoryError> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.rows.len() >= ROWS_MAX {
            return Err(DirectoryError::TooMany(ROWS_MAX));
        }
        if self.bytes > SOURCE_BYTES_MAX {
            return Err(DirectoryError::TooLarge(SOURCE_BYTES_MAX));
        }
        self.rows.push(if bytes > ROW_BYTES_MAX {
            Row::broken(row.place, format!("it has {bytes} bytes, more than the {ROW_BYTES_MAX} that are read"))
        } else {
            row
        });
        Ok(())
    }

    pub(super) fn into_rows(self) -> Vec<Row> {
        self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(columns: &[(&str, Value)]) -> Result<Vec<String>, String> {
        let columns = columns.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let table = Row::new("line 1".to_owned(), columns, Author::Other).table?;
        let list = table.get("addresses").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    #[test]
    fn the_main_address_stands_before_its_aliases() {
        let columns = [("aliases", "b@x.org, c@x.org  A@x.org".into()), ("address", "a@x.org".into())];
        assert_eq!(addresses(&columns).unwrap(), ["a@x.org", "b@x.org", "c@x.org"]);
        let list: Value = vec![Value::from("b@x.org")].into();
        assert_eq!(addresses(&[("address", "a@x.org".into()), ("aliases", list)]).unwrap(), ["a@x.org", "b@x.org"]);
        assert!(addresses(&[("address", " ".into())]).is_err());
        assert!(addresses(&[("address", 7.into())]).is_err());
    }

    #[test]
    fn what_only_the_administrator_may_say_is_refused_from_others() {
        for column in ADMINISTRATORS_OWN {
            let told = addresses(&[("address", "a@x.org".into()), (column, "/etc/shadow".into())]).unwrap_err();
            assert!(told.starts_with(&format!("{column} is not taken from here")), "{told}");
        }
    }

    #[test]
    fn too_much_is_refused() {
        let row = || Row::new("line 1".to_owned(), [("address".to_owned(), "a@x.org".into())], Author::Other);
        let mut gathered = Gathered::default();
        gathered.push(ROW_BYTES_MAX + 1, row()).unwrap();
        assert!(gathered.rows[0].table.is_err());
        for _ in 1..ROWS_MAX {
            gathered.push(10, row()).unwrap();
        }
        assert!(matches!(gathered.push(10, row()), Err(DirectoryError::TooMany(ROWS_MAX))));
        assert!(matches!(Gathered::default().push(SOURCE_BYTES_MAX + 1, row()), Err(DirectoryError::TooLarge(_))));
    }
}
