//! Writes what most lines are: properties whose text needs no escape.
//!
//! What is written is what calcard writes, but for the places of the folds. calcard looks at each character of its own, and
//! a large meeting has thousands of such lines; whatever is not plain is left to it.

use calcard::common::IanaString;
use calcard::icalendar::{
    ICalendarEntry, ICalendarParameter, ICalendarParameterName, ICalendarParameterValue, ICalendarValue, Uri,
};

/// The longest line that is written here, in bytes without folds.
const LINE_BYTES_MAX: usize = 1_000;

/// Appends a property as a content line, if it is plain; tells whether it was.
pub(super) fn write_plain(out: &mut String, entry: &ICalendarEntry) -> bool {
    let start = out.len();
    let is_written = push_line(out, entry).is_some() && out.len() - start <= LINE_BYTES_MAX;
    if is_written {
        fold_from(out, start);
        out.push_str("\r\n");
    } else {
        out.truncate(start);
    }
    is_written
}

/// Appends a line without folds; nothing, and half a line, where it is not plain.
fn push_line(out: &mut String, entry: &ICalendarEntry) -> Option<()> {
    let [value] = entry.values.as_slice() else { return None };
    let value = plain_value(value)?;
    out.push_str(entry.name.as_str());
    let mut previous = None;
    for param in &entry.params {
        // calcard writes neighbours of one name as a list.
        if previous == Some(&param.name) {
            return None;
        }
        previous = Some(&param.name);
        push_parameter(out, param)?;
    }
    out.push(':');
    out.push_str(value);
    Some(())
}

/// A value that is text without anything to escape (RFC 5545 §3.3.11).
fn plain_value(value: &ICalendarValue) -> Option<&str> {
    let text = match value {
        ICalendarValue::Text(text) | ICalendarValue::Uri(Uri::Location(text)) => text,
        // Everything else has a form of its own.
        _ => return None,
    };
    let is_escaped = |byte: u8| matches!(byte, b'\r' | b'\n' | b'\\' | b';' | b',');
    (!text.bytes().any(is_escaped)).then_some(text)
}

fn push_parameter(out: &mut String, param: &ICalendarParameter) -> Option<()> {
    let value = match &param.value {
        ICalendarParameterValue::Text(text) => text,
        ICalendarParameterValue::Cutype(cutype) => cutype.as_str(),
        ICalendarParameterValue::Partstat(partstat) => partstat.as_str(),
        ICalendarParameterValue::Role(role) => role.as_str(),
        ICalendarParameterValue::Bool(is_true) if param.name != ICalendarParameterName::Range => {
            if *is_true {
                "TRUE"
            } else {
                "FALSE"
            }
        }
        // The others are rare.
        _ => return None,
    };
    // RFC 5545 §3.1: no control characters and no quotes; a backslash is none for calcard.
    if value.bytes().any(|byte| byte < b' ' || matches!(byte, b'"' | b'\\' | 0x7f)) {
        return None;
    }
    let is_quoted = value.bytes().any(|byte| matches!(byte, b',' | b':' | b'=' | b' ' | b';'));
    let quote = if is_quoted { "\"" } else { "" };
    [";", param.name.as_str(), "=", quote, value, quote].into_iter().for_each(|part| out.push_str(part));
    Some(())
}

/// Folds the line that begins at `start` at 75 octets, on character boundaries (RFC 5545 §3.1).
fn fold_from(out: &mut String, start: usize) {
    let mut line = start;
    while out.len() - line > 75 {
        let cut = out.floor_char_boundary(line + 75);
        out.insert_str(cut, "\r\n ");
        line = cut + "\r\n".len();
    }
}

#[cfg(test)]
mod tests {
    use crate::itip::text::{parse, write};

    /// What calcard writes of the same properties, without folds.
    fn by_calcard(text: &str) -> String {
        parse(text).expect("a calendar").to_string().replace("\r\n ", "")
    }

    #[test]
    fn what_is_plain_is_written_as_calcard_writes_it() {
        let long = "x".repeat(200);
        for line in [
            "ATTENDEE;CN=Ada;PARTSTAT=ACCEPTED;RSVP=TRUE;ROLE=CHAIR;CUTYPE=ROOM:mailto:ada@example.com",
            "ATTENDEE;CN=\"Lovelace, Ada\":mailto:ada@example.com",
            "ATTENDEE;CN=\"A: B; C\";PARTSTAT=X-MAYBE:mailto:ada@example.com",
            "ATTENDEE;CN=Zoë Müller;RSVP=FALSE:mailto:ada@example.com",
            "ATTENDEE;MEMBER=\"mailto:a@example.com\",\"mailto:b@example.com\":mailto:ada@example.com",
            "ATTENDEE;X-A=1;X-A=2:mailto:ada@example.com",
            "RECURRENCE-ID;RANGE=THISANDFUTURE:20260101T100000Z",
            "SUMMARY:a\\, b\\; c\\nd\\\\e",
            "SUMMARY;LANGUAGE=de:Gemütlich",
            "SUMMARY:",
            "CATEGORIES:a,b",
            "X-A;X-B=:value",
            &format!("DESCRIPTION:{long}"),
            &format!("ATTENDEE;CN={long}:mailto:{long}@example.com"),
        ] {
            let text = format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{line}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
            let written = write(&parse(&text).expect("a calendar"));
            assert_eq!(written.replace("\r\n ", ""), by_calcard(&text), "{line}");
            assert!(written.lines().all(|line| line.len() <= 75), "{written}");
        }
    }

    #[test]
    fn a_long_line_is_folded_on_character_boundaries() {
        for length in 70..80 {
            let summary = format!("{}{}", "x".repeat(length), "ü".repeat(100));
            let text =
                format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:{summary}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
            let written = write(&parse(&text).expect("a calendar"));
            assert!(written.lines().all(|line| line.len() <= 75), "{written}");
            assert_eq!(written.replace("\r\n ", ""), text);
        }
    }
}
