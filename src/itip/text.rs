//! Calendar text in and out: what is not changed by a rule is written back as it came.
//!
//! calcard re-encodes some values when it writes them: it escapes `;` and `,` in URIs, and it turns base64
//! attachments that happen to be text into plain text. A content line at risk is therefore not parsed but carried as
//! it is: before parsing it is renamed to [`VERBATIM`], and on writing its own text stands there again. None of
//! the properties concerned takes part in scheduling. A backslash in a parameter, where it is a character like any
//! other (RFC 5545 §3.1), travels as [`BACKSLASH`], because calcard takes it for an escape there.
//!
//! One loss is left as it is: of blanks behind an escape in a list (CATEGORIES, RESOURCES) calcard drops one.

mod plain;
mod protection;

use calcard::common::PartialDateTime;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarEntry, ICalendarParameter, ICalendarParameterName,
    ICalendarParameterValue, ICalendarPeriod, ICalendarProperty, ICalendarValue, ICalendarValueType, Uri,
};
use calcard::{Entry, Parser};

use super::decision::Refusal;
use super::limits;
use super::time::{moment, partial};
use super::zone::Zone;
pub use protection::is_too_large;

use plain::write_plain;
use protection::protect;

/// The name under which a content line travels that must not be re-encoded.
const VERBATIM: &str = "X-IMIPD-VERBATIM";

/// What a backslash in a parameter is for calcard: a private character that needs no escape.
const BACKSLASH: char = '\u{f05c}';
const BACKSLASH_TEXT: &str = "\u{f05c}";

/// Seconds from 1970 of the years that four digits can say, from 0001 on.
const YEARS: std::ops::Range<i64> = -62_135_596_800..253_402_300_800;

/// Reads the first VCALENDAR of a text.
///
/// Tolerant as real mail needs it: garbage around the calendar and missing ENDs are survived. Fails with
/// `ICalendarParseError` when there is no calendar and with `EventTooLarge` beyond the limits.
pub fn parse(text: &str) -> Result<ICalendar, Refusal> {
    if text.len() > limits::CALENDAR_BYTES_MAX {
        return Err(Refusal::EventTooLarge);
    }
    let protected = protect(text)?;
    let mut calendar = parse_first(&protected.text)?;
    let too_large = calendar.components.len() > limits::COMPONENTS_MAX
        || calendar.components.iter().any(|component| component.entries.len() > limits::PROPERTIES_MAX);
    if too_large {
        return Err(Refusal::EventTooLarge);
    }
    calendar.components.iter_mut().for_each(|component| make_writable(component, &protected.verbatim));
    Ok(calendar)
}

/// Whether a name can stand in a content line and be read back as itself (RFC 5545 §3.1, more tolerant).
///
/// calcard undoes quotes and escapes in names as well, so that a line can hold what looks like another line.
fn is_name(name: &str) -> bool {
    let is_foreign = |c: char| c.is_control() || c.is_whitespace() || c == BACKSLASH || "\":;=,\\".contains(c);
    !name.is_empty()
        && !name.contains(is_foreign)
        && !name.eq_ignore_ascii_case("BEGIN")
        && !name.eq_ignore_ascii_case("END")
}

/// Drops properties and parameters whose names cannot be written, makes parameter values writable, and puts the lines that
/// were kept from calcard in their places again.
///
/// A component of such a name gets another: an END may be missing, so that all that follows is nested in it.
fn make_writable(component: &mut ICalendarComponent, verbatim: &[String]) {
    if matches!(&component.component_type, ICalendarComponentType::Other(name) if !is_name(name)) {
        component.component_type = ICalendarComponentType::Other("X-NAMELESS".to_owned());
    }
    component.entries.retain(|entry| match &entry.name {
        ICalendarProperty::Other(name) => is_name(name),
        ICalendarProperty::Begin | ICalendarProperty::End => false,
        _ => true,
    });
    set_dates_apart(&mut component.entries);
    for entry in &mut component.entries {
        if matches!(&entry.name, ICalendarProperty::Other(name) if name == VERBATIM) {
            restore(entry, verbatim);
        }
        entry.params.retain(|param| match &param.name {
            ICalendarParameterName::Other(name) => is_name(name),
            _ => true,
        });
        entry.params.iter_mut().filter_map(parameter_text).for_each(quote);
        entry.values.iter_mut().for_each(set_to_utc);
        if is_rule(entry) {
            set_broken_rule_aside(entry);
        }
    }
}

/// Gives the dates of an RDATE or EXDATE that also holds times a property of their own.
///
/// calcard gives all of them `VALUE=DATE`, and so would cut the times off (RFC 5545 §3.8.5.2: one property, one type). What is neither
/// would be read as something else by itself, and is set aside.
fn set_dates_apart(entries: &mut Vec<ICalendarEntry>) {
    let has_both = |entry: &ICalendarEntry| {
        matches!(entry.name, ICalendarProperty::Rdate | ICalendarProperty::Exdate)
            && entry.values.iter().any(is_date) != entry.values.iter().all(is_date)
    };
    if entries.iter().any(has_both) {
        let apart = |entry| if has_both(&entry) { one_of_each(entry) } else { vec![entry] };
        *entries = std::mem::take(entries).into_iter().flat_map(apart).collect();
    }
}

/// The times, the dates and the rest of a list, each as a property.
fn one_of_each(mut entry: ICalendarEntry) -> Vec<ICalendarEntry> {
    let (dates, others): (Vec<_>, Vec<_>) = std::mem::take(&mut entry.values).into_iter().partition(is_date);
    let (rubble, times) = others.into_iter().partition(|value| matches!(value, ICalendarValue::Text(_)));
    let dates = ICalendarEntry { values: dates, ..entry.clone() };
    let name = ICalendarProperty::Other("X-NO-DATE".to_owned());
    let rubble = ICalendarEntry { name, params: Vec::new(), values: rubble };
    entry.params.retain(|param| param.name != ICalendarParameterName::Value);
    let times = ICalendarEntry { values: times, ..entry };
    [times, dates, rubble].into_iter().filter(|entry| !entry.values.is_empty()).collect()
}

fn is_date(value: &ICalendarValue) -> bool {
    matches!(value, ICalendarValue::PartialDateTime(moment) if moment.has_date() && !moment.has_time())
}

/// Says in UTC what came with another offset, which RFC 5545 §3.3.5 does not know and calcard would leave out in writing.
///
/// A time whose offset no place on earth has is none, and stays none.
fn set_to_utc(value: &mut ICalendarValue) {
    if let ICalendarValue::PartialDateTime(time) = value
        && has_offset(time)
    {
        *value = match in_utc(time) {
            Some(time) => ICalendarValue::PartialDateTime(Box::new(time)),
            None => ICalendarValue::Text(with_offset(time)),
        };
        return;
    }
    let times = match value {
        ICalendarValue::Period(ICalendarPeriod::Range { start, end }) => [Some(start), Some(end)],
        ICalendarValue::Period(ICalendarPeriod::Duration { start, .. }) => [Some(start), None],
        _ => [None, None],
    };
    for time in times.into_iter().flatten().filter(|time| has_offset(time)) {
        if let Some(utc) = in_utc(time) {
            *time = utc;
        }
    }
}

fn has_offset(time: &PartialDateTime) -> bool {
    time.has_date_and_time() && time.tz_hour.is_some() && (time.tz_hour, time.tz_minute) != (Some(0), Some(0))
}

fn in_utc(time: &PartialDateTime) -> Option<PartialDateTime> {
    moment(time, &Zone::FLOATING).filter(|instant| YEARS.contains(&instant.as_seconds())).map(partial)
}

/// A time as it came, or nearly so.
fn with_offset(time: &PartialDateTime) -> String {
    let [month, day, hour, minute, second] =
        [time.month, time.day, time.hour, time.minute, time.second].map(Option::unwrap_or_default);
    let sign = if time.tz_minus { '-' } else { '+' };
    let (year, hours, minutes) =
        (time.year.unwrap_or_default(), time.tz_hour.unwrap_or_default(), time.tz_minute.unwrap_or_default());
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}{sign}{hours:02}{minutes:02}")
}

/// Puts the line that was kept from calcard in its place again.
fn restore(entry: &mut ICalendarEntry, verbatim: &[String]) {
    let index = entry.values.first().and_then(ICalendarValue::as_text).and_then(|text| text.parse::<usize>().ok());
    match index.and_then(|index| verbatim.get(index)) {
        Some(line) => entry.values = vec![ICalendarValue::Text(line.clone())],
        // Somebody else's property of that name (its name was folded): it must not be written unescaped.
        None => entry.name = ICalendarProperty::Other("X-NOT-VERBATIM".to_owned()),
    }
}

/// Whether the value is a recurrence rule, by the name or by VALUE.
fn is_rule(entry: &ICalendarEntry) -> bool {
    let is_recur =
        |value: &ICalendarParameterValue| matches!(value, ICalendarParameterValue::Value(ICalendarValueType::Recur));
    matches!(entry.name, ICalendarProperty::Rrule | ICalendarProperty::Exrule)
        || entry.params.iter().any(|param| is_recur(&param.value))
}

/// Takes a value that is no rule, but would be another one or none when it is read again, out of its property.
///
/// calcard gives back of such a value what it has understood, as it stands, and escapes it in writing.
fn set_broken_rule_aside(entry: &mut ICalendarEntry) {
    let broken = entry.values.first().and_then(ICalendarValue::as_text).filter(|text| !is_stable_rubble(text));
    if let Some(text) = broken.map(str::to_owned) {
        *entry = ICalendarEntry {
            name: ICalendarProperty::Other("X-NO-RULE".to_owned()),
            params: Vec::new(),
            values: vec![ICalendarValue::Text(text)],
        };
    }
}

/// Whether what is no rule is none the next time either.
fn is_stable_rubble(text: &str) -> bool {
    let again = format!("BEGIN:VCALENDAR\r\nRRULE:{text}\r\nEND:VCALENDAR\r\n");
    let reads_the_same = |calendar: ICalendar| {
        let rule = calendar.components.first().and_then(|root| root.property(&ICalendarProperty::Rrule)).cloned();
        rule.is_some_and(|rule| rule.values.first().and_then(ICalendarValue::as_text) == Some(text))
    };
    !text.contains('\\') && parse_first(&again).is_ok_and(reads_the_same)
}

/// Encodes what may not stand between the quotes of a parameter value (RFC 6868), and brings its backslashes back.
fn quote(text: &mut String) {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"') {
        return;
    }
    if text.contains(BACKSLASH) {
        *text = text.replace(BACKSLASH, "\\");
    }
    if text.contains(|c: char| c == '"' || c.is_control()) {
        *text = text.replace('"', "^'").replace('\n', "^n").replace(|c: char| c.is_control(), "");
    }
}

/// Writes a calendar as iCalendar text: CRLF line ends, lines folded at 75 octets (RFC 5545 §3.1).
pub fn write(calendar: &ICalendar) -> String {
    let mut out = String::with_capacity(calendar.components.iter().map(|c| 40 + c.entries.len() * 96).sum());
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
    match &component.component_type {
        ICalendarComponentType::Other(name) => fold_into(out, &[keyword, name].concat()),
        known => [keyword, known.as_str(), "\r\n"].into_iter().for_each(|part| out.push_str(part)),
    }
}

fn write_entry(out: &mut String, entry: &ICalendarEntry) {
    match (&entry.name, entry.values.first()) {
        (ICalendarProperty::Other(name), Some(ICalendarValue::Text(line))) if name == VERBATIM => {
            fold_into(out, line);
        }
        _ if write_plain(out, entry) => {}
        _ if entry.params.iter().any(|param| param.value.as_text().is_some_and(|text| text.contains('\\'))) => {
            write_backslashes(out, entry.clone());
        }
        _ => {
            // Writing to a String does not fail.
            let _ = entry.write_to(out);
        }
    }
}

/// Writes a property with backslashes in its parameters, which calcard would double.
fn write_backslashes(out: &mut String, mut entry: ICalendarEntry) {
    entry.params.iter_mut().filter_map(parameter_text).for_each(|text| *text = text.replace('\\', BACKSLASH_TEXT));
    let mut line = String::new();
    let _ = entry.write_to(&mut line);
    let (head, value) = line.split_at(head_end(&line));
    out.push_str(&head.replace(BACKSLASH, "\\"));
    out.push_str(value);
}

fn parameter_text(param: &mut ICalendarParameter) -> Option<&mut String> {
    match &mut param.value {
        ICalendarParameterValue::Text(text) | ICalendarParameterValue::Uri(Uri::Location(text)) => Some(text),
        _ => None,
    }
}

/// Where the value of a content line begins: at the first colon outside of quotes.
fn head_end(line: &str) -> usize {
    let mut quoted = false;
    let colon = line.char_indices().find(|(_, c)| {
        quoted ^= *c == '"';
        *c == ':' && !quoted
    });
    colon.map_or(line.len(), |(index, _)| index)
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
    fn quotes_and_escapes_smuggle_no_line_and_no_value() {
        for line in [
            "\"ORGANIZER:mailto:evil@example.com\":x",
            "\"BEGIN\":VTODO",
            "X-A;\"X:y\"=z:1",
            "BEGIN:X\\nORGANIZER:mailto:evil@example.com",
            "X-A\\nORGANIZER:mailto:evil@example.com",
            "ATTENDEE;SENT-BY=\"mailto:a@example.com\\\":mailto:evil@example.com\":mailto:b@example.com",
            "ATTENDEE;CN=\"a\\\":mailto:evil@example.com\":mailto:b@example.com",
        ] {
            let text = format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n{line}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
            let once = parse(&text).expect("a calendar");
            let again = parse(&write(&once)).expect("what we write, we can read");
            let lines = |calendar: &ICalendar| -> Vec<_> {
                let entries = calendar.components.iter().flat_map(|component| component.entries.clone());
                entries.collect()
            };
            assert_eq!(lines(&once), lines(&again), "{line}\n{}", write(&once));
            assert!(!write(&once).contains("\r\nORGANIZER"), "{}", write(&once));
        }
    }

    #[test]
    fn times_beside_dates_in_one_list_stay_times() {
        for (line, times) in [
            ("RDATE:20260601T080000,20260602", "RDATE:20260601T080000\r\n"),
            ("RDATE;TZID=Z:405211236T080000,20260601", "X-NO-DATE:405211236T080000\r\n"),
            ("RDATE:4052112,2026061.9T080000,20260601", "X-NO-DATE:2026061.9T080000\r\n"),
        ] {
            let text = format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{line}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
            let written = write(&parse(&text).expect("a calendar")).replace('"', "");
            assert!(
                written.contains(times) && written.contains("VALUE=DATE:") && written.contains("2026060"),
                "{written}"
            );
            assert_eq!(write(&parse(&written).expect("a calendar")).replace('"', ""), written);
        }
    }

    #[test]
    fn a_time_with_an_offset_is_said_in_utc() {
        for (line, told) in [
            ("DTSTART:20260601T080000+0200", "DTSTART:20260601T060000Z\r\n"),
            ("RECURRENCE-ID:20260101T003000-0930", "RECURRENCE-ID:20260101T100000Z\r\n"),
            ("DTSTART:20260601T080000+5000", "DTSTART:20260601T080000+5000\r\n"),
            ("DTSTART:20260601T080000Z50", "DTSTART:20260601T080000+5000\r\n"),
            ("DTSTART:20260601T080000Z", "DTSTART:20260601T080000Z\r\n"),
            ("DTSTART:20260601T080000", "DTSTART:20260601T080000\r\n"),
        ] {
            let text = format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{line}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
            let written = write(&parse(&text).expect("a calendar"));
            assert!(written.contains(told), "{written}");
        }
    }

    #[test]
    fn garbage_is_no_calendar() {
        assert_eq!(parse("hello").err(), Some(Refusal::ICalendarParseError));
        assert_eq!(parse("").err(), Some(Refusal::ICalendarParseError));
    }
}
