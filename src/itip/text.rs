//! Calendar text in and out: what is not changed by a rule is written back as it came.
//!
//! calcard re-encodes some values when it writes them: it escapes `;` and `,` in URIs, and it turns base64
//! attachments that happen to be text into plain text. A content line at risk is therefore not parsed but carried as
//! it is: before parsing it is renamed to [`VERBATIM`], and on writing its own text stands there again. None of
//! the properties concerned takes part in scheduling.

use std::borrow::Cow;

use calcard::icalendar::{ICalendar, ICalendarComponentType, ICalendarProperty, ICalendarValue};
use calcard::{Entry, Parser};

use super::decision::Refusal;
use super::limits;

/// The name under which a content line travels that must not be re-encoded.
const VERBATIM: &str = "X-IMIPD-VERBATIM";

/// Reads the first VCALENDAR of a text.
///
/// Tolerant as real mail needs it: garbage around the calendar and missing ENDs are survived. Fails with
/// `ICalendarParseError` when there is no calendar and with `EventTooLarge` beyond the limits.
pub fn parse(text: &str) -> Result<ICalendar, Refusal> {
    if text.len() > limits::CALENDAR_BYTES_MAX {
        return Err(Refusal::EventTooLarge);
    }
    let (protected, verbatim) = protect(text);
    let mut calendar = parse_first(&protected)?;
    let too_large = calendar.components.len() > limits::COMPONENTS_MAX
        || calendar.components.iter().any(|component| component.entries.len() > limits::PROPERTIES_MAX);
    if too_large {
        return Err(Refusal::EventTooLarge);
    }
    restore(&mut calendar, &verbatim);
    Ok(calendar)
}

/// Writes a calendar as iCalendar text: CRLF line ends, lines folded at 75 octets (RFC 5545 §3.1).
pub fn write(calendar: &ICalendar) -> String {
    let mut out = String::with_capacity(calendar.components.iter().map(|c| 40 + c.entries.len() * 48).sum());
    let mut pending = vec![Step::Open(0)];
    while let Some(step) = pending.pop() {
        match step {
            Step::Close(index) => write_boundary(&mut out, "END:", calendar, index),
            Step::Open(index) => {
                let Some(component) = calendar.components.get(index) else { continue };
                write_boundary(&mut out, "BEGIN:", calendar, index);
                component.entries.iter().for_each(|entry| write_entry(&mut out, entry));
                pending.push(Step::Close(index));
                pending.extend(component.component_ids.iter().rev().map(|&child| Step::Open(child as usize)));
            }
        }
    }
    out
}

enum Step {
    Open(usize),
    Close(usize),
}

fn write_boundary(out: &mut String, keyword: &str, calendar: &ICalendar, index: usize) {
    let Some(component) = calendar.components.get(index) else { return };
    out.push_str(keyword);
    out.push_str(component.component_type.as_str());
    out.push_str("\r\n");
}

fn write_entry(out: &mut String, entry: &calcard::icalendar::ICalendarEntry) {
    match (&entry.name, entry.values.first()) {
        (ICalendarProperty::Other(name), Some(ICalendarValue::Text(line))) if name == VERBATIM => {
            fold_into(out, line);
        }
        _ => {
            // Writing to a String does not fail.
            let _ = entry.write_to(out);
        }
    }
}

/// Appends one content line, folded at 75 octets on character boundaries (RFC 5545 §3.1).
fn fold_into(out: &mut String, line: &str) {
    let mut rest = line;
    let mut room = 75;
    while rest.len() > room {
        let cut = (1..=room).rev().find(|&at| rest.is_char_boundary(at)).unwrap_or(rest.len());
        let (head, tail) = rest.split_at(cut);
        out.push_str(head);
        out.push_str("\r\n ");
        rest = tail;
        room = 74;
    }
    out.push_str(rest);
    out.push_str("\r\n");
}

fn parse_first(text: &str) -> Result<ICalendar, Refusal> {
    let mut parser = Parser::new(text);
    loop {
        match parser.entry() {
            Entry::ICalendar(calendar) if is_calendar(&calendar) => return Ok(calendar),
            Entry::TooManyComponents => return Err(Refusal::EventTooLarge),
            Entry::Eof => return Err(Refusal::ICalendarParseError),
            Entry::ICalendar(_)
            | Entry::VCard(_)
            | Entry::InvalidLine(_)
            | Entry::UnexpectedComponentEnd { .. }
            | Entry::UnterminatedComponent(_) => {}
            // calcard may learn further kinds of entries; none of them is a calendar.
            _ => {}
        }
    }
}

fn is_calendar(calendar: &ICalendar) -> bool {
    calendar.components.first().is_some_and(|root| root.component_type == ICalendarComponentType::VCalendar)
}

/// Renames the content lines that calcard would damage; returns the text to parse and the lines, in order.
fn protect(text: &str) -> (Cow<'_, str>, Vec<String>) {
    if !text.lines().any(is_at_risk) {
        return (Cow::Borrowed(text), Vec::new());
    }
    let mut out = String::with_capacity(text.len());
    let mut verbatim: Vec<String> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let folded = line.starts_with([' ', '\t']);
        if inside && folded {
            if let Some(last) = verbatim.last_mut() {
                last.push_str(&line[1..].replace('\r', ""));
            }
            continue;
        }
        inside = is_at_risk(line);
        if inside {
            out.push_str(&format!("{VERBATIM}:{}", verbatim.len()));
            verbatim.push(line.replace('\r', ""));
        } else {
            out.push_str(line);
        }
        out.push_str("\r\n");
    }
    (Cow::Owned(out), verbatim)
}

/// Whether a first physical line begins a property whose value is a URI or binary, by its name or its VALUE.
fn is_at_risk(line: &str) -> bool {
    const NAMES: [&str; 9] =
        ["URL", "ATTACH", "IMAGE", "CONFERENCE", "SOURCE", "TZURL", "LINK", "CONCEPT", "STRUCTURED-DATA"];
    let end = line.find([':', ';']).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    // Without a colon or semicolon in the first 75 octets there is no property name to speak of.
    if rest.is_empty() || name.is_empty() {
        return false;
    }
    NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
        || VERBATIM.eq_ignore_ascii_case(name)
        || (name.len() > 2 && name.get(..2).is_some_and(|x| x.eq_ignore_ascii_case("X-")) && has_foreign_value(rest))
}

/// Whether the parameters of an extension property say that its value is not text.
fn has_foreign_value(rest: &str) -> bool {
    if !rest.starts_with(';') {
        return false;
    }
    let upper = rest.to_ascii_uppercase();
    ["VALUE=URI", "VALUE=BINARY", "ENCODING=BASE64"].iter().any(|marker| upper.contains(marker))
}

fn restore(calendar: &mut ICalendar, verbatim: &[String]) {
    let entries = calendar.components.iter_mut().flat_map(|component| component.entries.iter_mut());
    for entry in entries {
        if !matches!(&entry.name, ICalendarProperty::Other(name) if name == VERBATIM) {
            continue;
        }
        let index = entry.values.first().and_then(ICalendarValue::as_text).and_then(|text| text.parse::<usize>().ok());
        match index.and_then(|index| verbatim.get(index)) {
            Some(line) => entry.values = vec![ICalendarValue::Text(line.clone())],
            // Somebody else's property of that name (its name was folded): it must not be written unescaped.
            None => entry.name = ICalendarProperty::Other("X-NOT-VERBATIM".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELICATE: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\n\
        URL:https://x.example/a;b,c\r\n\
        ATTACH;ENCODING=BASE64;VALUE=BINARY:aGVsbG8=\r\n\
        ATTENDEE;CN=\"George ^'Babe^' Ruth\":mailto:g@example.com\r\n\
        X-ALT;VALUE=URI:data:text/html,<b>;x\r\n\
        DESCRIPTION:a\\, b\\; c\\nd\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    #[test]
    fn delicate_values_come_back_as_they_went_in() {
        let calendar = parse(DELICATE).expect("a calendar");
        assert_eq!(write(&calendar), DELICATE);
    }

    #[test]
    fn a_folded_verbatim_line_is_folded_again_on_character_boundaries() {
        let uri = format!("https://x.example/{}", "ü;".repeat(60));
        let text = format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nURL:{uri}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
        let once = write(&parse(&text).expect("a calendar"));
        assert!(once.lines().all(|line| line.len() <= 75), "{once}");
        assert!(once.replace("\r\n ", "").contains(&uri));
        assert_eq!(write(&parse(&once).expect("a calendar")), once);
    }

    #[test]
    fn a_foreign_verbatim_property_cannot_smuggle_a_line() {
        for line in [
            "X-IMIPD-VERBATIM:ORGANIZER:mailto:evil@example.com",
            "X-IMIPD-VER\r\n BATIM:a\\nORGANIZER:mailto:evil@example.com",
            "x-imipd-verbatim:7",
        ] {
            let text = format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{line}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
            let written = write(&parse(&text).expect("a calendar"));
            let again = parse(&written).expect("a calendar");
            let organizer = again.components.iter().any(|c| c.has_property(&ICalendarProperty::Organizer));
            assert!(!organizer && !written.contains("\r\nORGANIZER"), "{written}");
        }
    }

    #[test]
    fn garbage_is_no_calendar() {
        assert_eq!(parse("hello").err(), Some(Refusal::ICalendarParseError));
        assert_eq!(parse("").err(), Some(Refusal::ICalendarParseError));
    }
}
