//! The header fields of a mail as they stand there, before anybody has made sense of them (RFC 5322 §2.2).
//!
//! What decides whom to believe is read from here and not from a tolerant parser: a parser that mends takes one of two fields,
//! or the inner of two addresses, and another program may take the other.

use super::limits;

/// One header field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// The name in lower case, without blanks before the colon (RFC 5322 §4.5.8 lets them stand there).
    pub name: String,
    /// The value, unfolded: each line end before a blank is gone, the blank stays (RFC 5322 §2.2.3).
    pub value: String,
    /// Whether the value held a control character other than a tab, such as NUL or a lone CR.
    pub has_controls: bool,
    /// Whether the value was no UTF-8; what was none is U+FFFD now.
    pub is_mangled: bool,
}

/// The fields of a header, in their order, up to the first empty line; at most [`limits::HEADER_FIELDS_MAX`] of them.
pub(super) fn fields(header: &[u8]) -> Vec<Field> {
    let mut fields: Vec<(String, Vec<u8>)> = Vec::new();
    let mut is_field = false;
    for line in header.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            if let Some((_, value)) = fields.last_mut().filter(|_| is_field) {
                let room = limits::FIELD_BYTES_MAX.saturating_sub(value.len());
                value.extend(line.iter().take(room));
            }
            continue;
        }
        let start = start_of_field(line).filter(|_| fields.len() < limits::HEADER_FIELDS_MAX);
        is_field = start.is_some();
        fields.extend(start);
    }
    fields.into_iter().map(|(name, value)| field(name, &value)).collect()
}

/// The name and the first line of the value; nothing for a line that is no field.
fn start_of_field(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = std::str::from_utf8(line.get(..colon)?.trim_ascii_end()).ok()?;
    // A control character before the name must not hide the field from us that another program sees.
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
    let value = line.get(colon + 1..).unwrap_or_default();
    is_name.then(|| (name.to_ascii_lowercase(), value.iter().copied().take(limits::FIELD_BYTES_MAX).collect()))
}

fn field(name: String, value: &[u8]) -> Field {
    let text = String::from_utf8_lossy(value);
    Field {
        name,
        has_controls: text.chars().any(|c| c.is_control() && c != '\t'),
        is_mangled: text.contains(char::REPLACEMENT_CHARACTER),
        value: text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(header: &[u8]) -> Vec<(String, String)> {
        fields(header).into_iter().map(|field| (field.name, field.value)).collect()
    }

    #[test]
    fn a_field_is_found_however_its_name_is_written() {
        let header = b"From : a@example.com\r\nFROM:b@example.com\n\x00From: c@example.com\r\nno field\r\n folded to none\r\n\r\nFrom: d@example.com\r\n";
        let found: Vec<String> = named(header).into_iter().map(|(name, value)| name + &value).collect();
        assert_eq!(found, ["from a@example.com", "fromb@example.com", "from c@example.com"]);
    }

    #[test]
    fn folding_is_undone_and_oddities_are_noted() {
        let header = b"From: a\r\n\t<a@example.com>\r\nX: caf\xe9\r\nY: a\rFrom: b@example.com\r\n";
        let read = fields(header);
        assert_eq!(read[0].value, " a\t<a@example.com>");
        assert_eq!((read[0].has_controls, read[0].is_mangled), (false, false));
        assert_eq!((read[1].has_controls, read[1].is_mangled), (false, true));
        assert_eq!((read[2].has_controls, read[2].name.as_str()), (true, "y"));
    }

    #[test]
    fn a_header_is_read_only_as_far_as_the_limits_go() {
        let header = "A: b\n".repeat(limits::HEADER_FIELDS_MAX + 5);
        assert_eq!(fields(header.as_bytes()).len(), limits::HEADER_FIELDS_MAX);
        let long = format!("A: {}\n {}\n", "x".repeat(limits::FIELD_BYTES_MAX * 2), "y".repeat(9));
        assert_eq!(fields(long.as_bytes())[0].value.len(), limits::FIELD_BYTES_MAX);
    }
}
