//! What is done to a calendar text before calcard sees it: what is too much is refused, and what it would damage is kept
//! from it.
//!
//! One pass over the lines. Most of them need nothing, and are told by their names at next to no cost.

use std::borrow::Cow;

use calcard::common::IanaParse;
use calcard::icalendar::ICalendarProperty;

use super::{BACKSLASH_TEXT, VERBATIM, head_end};
use crate::itip::decision::Refusal;
use crate::itip::limits;

/// The properties whose values are URIs or binary.
const DELICATE_NAMES: [&str; 9] =
    ["URL", "ATTACH", "IMAGE", "CONFERENCE", "SOURCE", "TZURL", "LINK", "CONCEPT", "STRUCTURED-DATA"];

/// A text that calcard may see.
pub(super) struct Protected<'a> {
    pub text: Cow<'a, str>,
    /// The lines that calcard would damage, in the order of their numbers in the text.
    pub verbatim: Vec<String>,
}

/// Renames the content lines that calcard would damage.
///
/// Fails with `EventTooLarge` for a text with more lines or components than are parsed, or with deeper ones: a parsed line
/// takes some thirty times its bytes, so the parser must not be the one to find out.
pub(super) fn protect(text: &str) -> Result<Protected<'_>, Refusal> {
    let bytes = text.as_bytes();
    if memchr::memchr_iter(b'\n', bytes).count() > limits::LINES_MAX {
        return Err(Refusal::EventTooLarge);
    }
    let (mut out, mut verbatim, mut nesting) = (String::new(), Vec::new(), Nesting::default());
    let mut backslashes = memchr::memchr_iter(b'\\', bytes).peekable();
    // Everything before this offset is in `out` already.
    let mut copied = 0;
    for (start, end) in content_lines(bytes) {
        while backslashes.next_if(|&at| at < start).is_some() {}
        let has_backslash = backslashes.peek().is_some_and(|&at| at < end);
        let Some(line) = text.get(start..end) else { continue };
        let name = Name::of(line.as_bytes());
        nesting.count(name)?;
        if name.is_some_and(|name| name.is_harmless(has_backslash)) {
            continue;
        }
        let Some(protected) = protected(&unfolded(line), &mut verbatim) else { continue };
        out.push_str(text.get(copied..start).unwrap_or_default());
        out.push_str(&protected);
        out.push_str("\r\n");
        copied = end;
    }
    if copied == 0 {
        return Ok(Protected { text: Cow::Borrowed(text), verbatim });
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Ok(Protected { text: Cow::Owned(out), verbatim })
}

/// Whether a text has more lines or components than are parsed, or deeper ones.
///
/// For whoever mends a text before it is parsed, and should not be at it for longer than the parser.
pub fn is_too_large(text: &str) -> bool {
    let bytes = text.as_bytes();
    // There are calendars whose lines end in CR alone.
    let line_ends = [b'\n', b'\r'].map(|end| memchr::memchr_iter(end, bytes).count());
    let mut nesting = Nesting::default();
    let mut names = content_lines(bytes).map(|(start, end)| bytes.get(start..end).and_then(Name::of));
    text.len() > limits::CALENDAR_BYTES_MAX
        || line_ends.into_iter().any(|lines| lines > limits::LINES_MAX)
        || names.any(|name| nesting.count(name).is_err())
}

/// How many components were begun, and how many of them are not ended.
#[derive(Default)]
struct Nesting {
    components: usize,
    depth: usize,
}

impl Nesting {
    fn count(&mut self, name: Option<Name<'_>>) -> Result<(), Refusal> {
        match name {
            Some(name) if name.is(b"BEGIN") => (self.components, self.depth) = (self.components + 1, self.depth + 1),
            Some(name) if name.is(b"END") => self.depth = self.depth.saturating_sub(1),
            Some(_) | None => return Ok(()),
        }
        let is_crowded = self.components > limits::COMPONENTS_MAX || self.depth > limits::DEPTH_MAX;
        if is_crowded { Err(Refusal::EventTooLarge) } else { Ok(()) }
    }
}

/// The name of a content line, as long as it is no longer than those that are looked for, and not folded.
#[derive(Clone, Copy)]
struct Name<'a> {
    name: &'a [u8],
    has_parameters: bool,
}

impl<'a> Name<'a> {
    fn of(line: &'a [u8]) -> Option<Self> {
        let longest = line.get(..="STRUCTURED-DATA".len()).unwrap_or(line);
        let end = longest.iter().position(|byte| matches!(byte, b':' | b';' | b'\r' | b'\n'))?;
        let (name, rest) = line.split_at_checked(end)?;
        match rest.first() {
            Some(b':') => Some(Self { name, has_parameters: false }),
            Some(b';') => Some(Self { name, has_parameters: true }),
            Some(_) | None => None,
        }
    }

    fn is(self, name: &[u8]) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Whether a line of this name needs no protection.
    fn is_harmless(self, has_backslash: bool) -> bool {
        // Without parameters every backslash is in the value, where it is an escape for calcard as well.
        if is_usual(self.name) {
            return !(self.has_parameters && has_backslash);
        }
        // An extension may be anything.
        let is_extension =
            matches!(self.name.first(), Some(b'X' | b'x')) || (self.has_parameters && !is_known(self.name));
        !is_extension && !is_delicate(self.name) && !has_backslash
    }
}

/// Whether a name is one of those that most lines have, none of which is delicate; others are looked at more closely.
fn is_usual(name: &[u8]) -> bool {
    matches!(
        name,
        b"ATTENDEE"
            | b"BEGIN"
            | b"CATEGORIES"
            | b"CLASS"
            | b"CREATED"
            | b"DESCRIPTION"
            | b"DTEND"
            | b"DTSTAMP"
            | b"DTSTART"
            | b"END"
            | b"EXDATE"
            | b"LAST-MODIFIED"
            | b"LOCATION"
            | b"METHOD"
            | b"ORGANIZER"
            | b"PRIORITY"
            | b"PRODID"
            | b"RECURRENCE-ID"
            | b"RRULE"
            | b"SEQUENCE"
            | b"STATUS"
            | b"SUMMARY"
            | b"TRANSP"
            | b"TZOFFSETFROM"
            | b"TZOFFSETTO"
            | b"UID"
            | b"VERSION"
    )
}

/// Whether a name is one of those whose values are URIs or binary.
fn is_delicate(name: &[u8]) -> bool {
    DELICATE_NAMES.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(name))
}

/// Whether a property is one that calcard knows, and not an extension or a misspelling.
fn is_known(name: &[u8]) -> bool {
    ICalendarProperty::parse(name).is_some()
}

/// What calcard gets to see in place of a content line; nothing when it may see the line itself.
fn protected(line: &str, verbatim: &mut Vec<String>) -> Option<String> {
    if is_at_risk(line) {
        verbatim.push(line.to_owned());
        return Some(format!("{VERBATIM}:{}", verbatim.len() - 1));
    }
    // Most lines have no backslash at all, and most others have it in their value.
    let (head, value) = line.split_at(if line.contains('\\') { head_end(line) } else { 0 });
    head.contains('\\').then(|| format!("{}{value}", head.replace('\\', BACKSLASH_TEXT)))
}

/// Where each content line begins and ends, its folds and its line end included.
fn content_lines(bytes: &[u8]) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut start = 0;
    let mut line_ends = memchr::memchr_iter(b'\n', bytes).map(|at| at + 1);
    std::iter::from_fn(move || {
        let first = start;
        while start < bytes.len() {
            start = line_ends.next().unwrap_or(bytes.len());
            if !matches!(bytes.get(start), Some(b' ' | b'\t')) {
                return Some((first, start));
            }
        }
        None
    })
}

/// A content line without its folds, its line end and any stray CR.
fn unfolded(raw: &str) -> Cow<'_, str> {
    let bare = raw.strip_suffix('\n').unwrap_or(raw);
    let bare = bare.strip_suffix('\r').unwrap_or(bare);
    if !bare.contains(['\r', '\n']) {
        return Cow::Borrowed(bare);
    }
    let mut lines = bare.split('\n');
    let mut line = lines.next().unwrap_or_default().replace('\r', "");
    for folded in lines {
        line.push_str(&folded.get(1..).unwrap_or_default().replace('\r', ""));
    }
    Cow::Owned(line)
}

/// Whether a content line is a property whose value is a URI or binary, by its name or its VALUE.
fn is_at_risk(line: &str) -> bool {
    let end = line.find([':', ';']).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    // Without a colon or semicolon there is no property name to speak of.
    if rest.is_empty() || name.is_empty() {
        return false;
    }
    is_delicate(name.as_bytes())
        || VERBATIM.eq_ignore_ascii_case(name)
        || (!is_known(name.as_bytes()) && has_foreign_value(rest))
}

/// Whether the parameters of an extension property say that its value is not text.
fn has_foreign_value(rest: &str) -> bool {
    if !rest.starts_with(';') {
        return false;
    }
    // What stands behind the first colon outside of quotes is the value; looking there as well does no harm.
    let upper = rest.to_ascii_uppercase();
    ["VALUE=URI", "VALUE=BINARY", "ENCODING=BASE64"].iter().any(|marker| upper.contains(marker))
}
