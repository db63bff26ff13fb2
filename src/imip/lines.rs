//! iCalendar content lines as text: unfolding, folding, and looking one property up (RFC 5545 §3.1).

use std::borrow::Cow;

use super::limits;

/// Iterates over the content lines of a text, unfolded, without line ends; blank lines are passed over.
///
/// CRLF, LF and lone CR all end a line. A line that was not folded is borrowed.
pub fn unfolded(text: &str) -> Unfolded<'_> {
    Unfolded { rest: text }
}

/// The iterator of [`unfolded`].
pub struct Unfolded<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Unfolded<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Cow::Borrowed(self.physical()?);
        while line.is_empty() {
            line = Cow::Borrowed(self.physical()?);
        }
        // A blank line between the halves of a folded line is passed over, too.
        while let Some((start, continuation)) = self.continuation() {
            line.to_mut().push_str(continuation);
            self.rest = start;
        }
        Some(line)
    }
}

impl<'a> Unfolded<'a> {
    fn physical(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, rest) = split_line(self.rest);
        self.rest = rest;
        Some(line)
    }

    /// What follows a continuation line, and the continuation without its one blank.
    fn continuation(&self) -> Option<(&'a str, &'a str)> {
        let start = self.rest.trim_start_matches(['\r', '\n']);
        let folded = start.strip_prefix([' ', '\t'])?;
        let (line, rest) = split_line(folded);
        Some((rest, line))
    }
}

/// Splits off the first physical line: the line without its end, and what follows.
pub(super) fn split_line(text: &str) -> (&str, &str) {
    match text.find(['\r', '\n']) {
        None => (text, ""),
        Some(end) => {
            let (line, rest) = text.split_at(end);
            let rest = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix(['\r', '\n'])).unwrap_or(rest);
            (line, rest)
        }
    }
}

/// Appends a content line, folded at 75 octets between characters, with CRLF. RFC 5545 §3.1.
pub fn fold_into(out: &mut String, line: &str) {
    let mut room = limits::CALENDAR_LINE_OCTETS_MAX;
    for c in line.chars() {
        if c.len_utf8() > room {
            out.push_str("\r\n ");
            room = limits::CALENDAR_LINE_OCTETS_MAX - 1;
        }
        out.push(c);
        room -= c.len_utf8();
    }
    out.push_str("\r\n");
}

/// The name of a content line: what stands before the first `;` or `:`, if that can be a name at all.
pub fn property_name(line: &str) -> Option<&str> {
    let end = line.find([':', ';'])?;
    let name = line.get(..end)?.trim_end();
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    is_name.then_some(name)
}

/// The value of a content line: what stands behind the first colon outside of quotes.
pub fn property_value(line: &str) -> Option<&str> {
    let mut quoted = false;
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b':' if !quoted => return line.get(at + 1..),
            _ => {}
        }
    }
    None
}

/// The value of the first property of this name that stands in VCALENDAR itself, trimmed.
///
/// METHOD and its like belong there; one within a component is not meant (RFC 5545 §3.6).
pub fn calendar_property(text: &str, name: &str) -> Option<String> {
    let mut depth = 0usize;
    for line in unfolded(text) {
        match property_name(&line) {
            Some(found) if found.eq_ignore_ascii_case("BEGIN") => depth += 1,
            Some(found) if found.eq_ignore_ascii_case("END") => depth = depth.saturating_sub(1),
            Some(found) if depth == 1 && found.eq_ignore_ascii_case(name) => {
                return property_value(&line).map(|value| value.trim().to_owned());
            }
            Some(_) | None => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfolds_every_kind_of_line_end() {
        for text in ["A:1\r\n 2\r\nB:3\r\n", "A:1\n\t2\n\nB:3", "A:1\r 2\rB:3\r", "\r\nA:1\r\n\r\n 2\r\nB:3"] {
            assert_eq!(unfolded(text).collect::<Vec<_>>(), ["A:12", "B:3"], "{text:?}");
        }
    }

    #[test]
    fn folds_between_characters() {
        let line = format!("SUMMARY:{}", "ü😀".repeat(60));
        let mut out = String::new();
        fold_into(&mut out, &line);
        assert!(out.split("\r\n").all(|physical| physical.len() <= 75));
        assert_eq!(unfolded(&out).collect::<Vec<_>>(), [line.as_str()]);
    }

    #[test]
    fn only_the_method_of_the_calendar_counts() {
        let text =
            "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nMETHOD:REPLY\r\nEND:VEVENT\r\nmethod;X=\"a:b\": REQ\r\n UEST\r\n";
        assert_eq!(calendar_property(text, "METHOD").as_deref(), Some("REQUEST"));
    }
}
