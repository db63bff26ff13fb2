//! What is written into IMAP commands: strings, sets and dates. Pure.

use std::fmt;

use base64::Engine;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use chrono::{Datelike, NaiveDate};

use super::error::MailboxError;
use super::limits::HEADER_BYTES_MAX;

/// The unique identifier of a mail within one folder and one [`UidValidity`]. RFC 3501 §2.3.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImapUid(pub u32);

impl ImapUid {
    /// The lowest that a mail can have.
    pub const FIRST: Self = Self(1);

    /// The next higher one; the highest has none and stays.
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for ImapUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The generation of a folder's identifiers: when it changes, every [`ImapUid`] has lost its meaning. RFC 3501 §2.3.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UidValidity(pub u32);

impl fmt::Display for UidValidity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `text` as a quoted string. RFC 3501 §4.3.
///
/// `what` names it in the error: CR, LF and NUL would end the command or the string, and no escape for them exists.
pub(super) fn quoted(what: &'static str, text: &str) -> Result<String, MailboxError> {
    if text.contains(['\r', '\n', '\0']) {
        return Err(MailboxError::BadArgument { what, why: "it holds a line break or a NUL" });
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
    Ok(out)
}

/// A folder's name as it is sent: in modified UTF-7, quoted. RFC 3501 §5.1.3.
///
/// A name of ASCII alone is taken to be what the server itself uses, so `&` in it is not encoded again.
pub(super) fn folder_name(name: &str) -> Result<String, MailboxError> {
    if name.is_empty() {
        return Err(MailboxError::BadArgument { what: "the folder name", why: "it is empty" });
    }
    if name.is_ascii() { quoted("the folder name", name) } else { quoted("the folder name", &utf7(name)) }
}

fn utf7(name: &str) -> String {
    let mut out = String::with_capacity(name.len() * 2);
    let mut shifted = Vec::new();
    for character in name.chars() {
        if (' '..='~').contains(&character) {
            end_shift(&mut out, &mut shifted);
            out.push(character);
            if character == '&' {
                out.push('-');
            }
        } else {
            let mut units = [0; 2];
            shifted.extend(character.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    end_shift(&mut out, &mut shifted);
    out
}

fn end_shift(out: &mut String, shifted: &mut Vec<u8>) {
    if !shifted.is_empty() {
        out.push('&');
        out.push_str(&GeneralPurpose::new(&IMAP_MUTF7, NO_PAD).encode(shifted.as_slice()));
        out.push('-');
        shifted.clear();
    }
}

/// A range of UIDs; without `last` up to whatever is there. RFC 3501 §9 sequence-set.
pub(super) fn uid_range(first: ImapUid, last: Option<ImapUid>) -> String {
    match last {
        Some(last) => format!("{first}:{last}"),
        None => format!("{first}:*"),
    }
}

/// A date as SEARCH wants it: `1-Feb-1994`. RFC 3501 §9 date-text; the month's name is English everywhere.
pub(super) fn date(day: NaiveDate) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = MONTHS.get(day.month0() as usize).copied().unwrap_or("Jan");
    format!("{}-{month}-{:04}", day.day(), day.year().clamp(1, 9999))
}

/// A section to fetch without marking the mail as seen. RFC 3501 §6.4.5.
///
/// A header's size is not told beforehand, so it is cut one octet above what is allowed.
pub(super) fn peek(section: &str) -> String {
    if section.ends_with("HEADER") {
        format!("BODY.PEEK[{section}]<0.{}>", u64::from(HEADER_BYTES_MAX) + 1)
    } else {
        format!("BODY.PEEK[{section}]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_quoted_or_refused() {
        assert_eq!(quoted("x", r#"a"b\c"#).unwrap(), r#""a\"b\\c""#);
        assert_eq!(quoted("x", "").unwrap(), r#""""#);
        for text in ["a\r\nA9 LOGOUT", "a\nb", "a\0"] {
            assert!(matches!(quoted("x", text), Err(MailboxError::BadArgument { .. })), "{text:?}");
        }
    }

    #[test]
    fn folder_names_are_sent_in_modified_utf7() {
        for (name, expected) in [
            ("INBOX", r#""INBOX""#),
            ("Entw&APw-rfe", r#""Entw&APw-rfe""#),
            ("Entwürfe", r#""Entw&APw-rfe""#),
            // The example of RFC 3501 §5.1.3.
            ("~peter/mail/台北/日本語", r#""~peter/mail/&U,BTFw-/&ZeVnLIqe-""#),
            ("A&ü", r#""A&-&APw-""#),
            ("😀", r#""&2D3eAA-""#),
        ] {
            assert_eq!(folder_name(name).unwrap(), expected, "{name}");
        }
        assert!(folder_name("").is_err());
        assert!(folder_name("ü\r\n").is_ok(), "control characters vanish in the encoding");
    }

    #[test]
    fn dates_are_english() {
        assert_eq!(date(NaiveDate::from_ymd_opt(1994, 2, 1).unwrap()), "1-Feb-1994");
        assert_eq!(date(NaiveDate::from_ymd_opt(2026, 12, 31).unwrap()), "31-Dec-2026");
    }
}
