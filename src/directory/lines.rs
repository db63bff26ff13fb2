//! Users as JSON objects, one on a line.

use serde_json::Value as Json;
use toml::Value;

use super::error::DirectoryError;
use super::row::{Author, Gathered, Row};

/// The rows that a command has printed; blank lines are none.
pub(super) fn rows(printed: &[u8]) -> Result<Vec<Row>, DirectoryError> {
    let mut gathered = Gathered::default();
    for (line, number) in printed.split(|octet| *octet == b'\n').zip(1..) {
        if !line.trim_ascii().is_empty() {
            gathered.push(line.len(), row(format!("line {number}"), line))?;
        }
    }
    Ok(gathered.into_rows())
}

fn row(place: String, line: &[u8]) -> Row {
    match serde_json::from_slice::<Json>(line) {
        Ok(Json::Object(columns)) => {
            let values = columns.into_iter().filter_map(|(name, value)| Some((name, toml_of(value)?)));
            Row::new(place, values, Author::Other)
        }
        Ok(_) => Row::broken(
            place,
            "it is no JSON object; print one for each user, such as {\"address\": \"a@example.com\"}",
        ),
        Err(error) => Row::broken(place, format!("it is no JSON: {error}")),
    }
}

/// The same value in TOML, which has no null.
fn toml_of(value: Json) -> Option<Value> {
    match value {
        Json::Null => None,
        Json::Bool(flag) => Some(Value::Boolean(flag)),
        Json::Number(number) => number.as_i64().map(Value::Integer).or_else(|| Some(Value::Float(number.as_f64()?))),
        Json::String(text) => Some(Value::String(text)),
        Json::Array(items) => Some(Value::Array(items.into_iter().filter_map(toml_of).collect())),
        Json::Object(entries) => {
            Some(Value::Table(entries.into_iter().filter_map(|(name, value)| Some((name, toml_of(value)?))).collect()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_line_is_a_row_of_its_own() {
        let printed = b"{\"address\": \"a@x.org\", \"name\": null}\n\nnonsense\n[1]\n{\"address\": \"b@x.org\", \"aliases\": [\"c@x.org\"]}";
        let rows = rows(printed).unwrap();
        let places: Vec<_> = rows.iter().map(|row| (row.place.as_str(), row.table.is_ok())).collect();
        assert_eq!(places, [("line 1", true), ("line 3", false), ("line 4", false), ("line 5", true)]);
        assert_eq!(rows[0].table.as_ref().unwrap().len(), 1, "null is as not there");
    }

    #[test]
    fn hostile_nesting_is_a_broken_row() {
        let line = format!("{{\"address\": {}", "[".repeat(60_000));
        assert!(rows(line.as_bytes()).unwrap()[0].table.is_err());
    }
}
