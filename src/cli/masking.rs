//! Addresses in log lines, in full or as a keyed hash (`log.addresses`).
//!
//! The finished line is masked, not each field: an address also stands in the words of a server, in an error or in a
//! Message-ID, and a field that somebody adds tomorrow is masked as well.

use std::io::{self, Write};
use std::sync::{Arc, OnceLock};

use ring::hmac;
use tracing_subscriber::fmt::MakeWriter;

use crate::digest::hexadecimal;

/// What stands for an address before the key is known, which is in the database.
const UNNAMED: &str = "address-hidden";

/// How many bytes of the hash are shown: enough to tell all addresses of a large site apart.
const SHOWN_BYTES: usize = 8;

/// The key by which addresses are hashed; the same as long as the database is the same.
#[derive(Clone, Debug, Default)]
pub struct Mask(Arc<OnceLock<hmac::Key>>);

impl Mask {
    /// From now on addresses are hashed by this secret.
    pub fn set_key(&self, secret: &[u8]) {
        // The first key stays: one installation has one.
        let _ = self.0.set(hmac::Key::new(hmac::HMAC_SHA256, secret));
    }

    /// The text with a name in place of each address, and of whatever else has an `@`.
    pub fn apply(&self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('@') {
            let (start, end) = (start_of_local_part(rest, at), end_of_domain(rest, at));
            masked += rest.get(..start).unwrap_or_default();
            masked += &self.name(rest.get(start..end).unwrap_or_default());
            rest = rest.get(end..).unwrap_or_default();
        }
        masked + rest
    }

    fn name(&self, address: &str) -> String {
        let Some(key) = self.0.get() else { return UNNAMED.to_owned() };
        let code = hmac::sign(key, address.to_lowercase().as_bytes());
        format!("address-{}", hexadecimal(code.as_ref().iter().take(SHOWN_BYTES)))
    }
}

/// Where what stands before the `@` begins: after the name of a field (`user=`), and after an escape such as `\n`.
fn start_of_local_part(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    if let Some(quoted) = before.strip_suffix('"') {
        // RFC 5322 §3.4.1: the local part may be a quoted string. One that does not begin is no address.
        let quoted = quoted.strip_suffix('\\').unwrap_or(quoted);
        return quoted.rfind('"').unwrap_or(at);
    }
    let start =
        before.rfind(|c: char| !is_in_local_part(c)).map_or(0, |delimiter| delimiter + width_at(before, delimiter));
    let token = before.get(start..).unwrap_or_default();
    if before.get(..start).is_some_and(|before| before.ends_with('\\')) {
        return start + token.chars().next().filter(char::is_ascii_alphabetic).map_or(0, char::len_utf8);
    }
    let is_after_blank = before.get(..start).is_none_or(|before| before.is_empty() || before.ends_with(' '));
    match token.split_once('=') {
        Some((field, _)) if is_after_blank && is_field_name(field) => start + field.len() + 1,
        _ => start,
    }
}

/// Where what stands after the `@` ends; a full stop after it belongs to the sentence.
fn end_of_domain(text: &str, at: usize) -> usize {
    let after = text.get(at + 1..).unwrap_or_default();
    if let Some(literal) = after.strip_prefix('[') {
        return literal.find(']').map_or(at + 2, |end| at + 2 + end + 1);
    }
    let length = after.find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '.' | '_'))).unwrap_or(after.len());
    at + 1 + after.get(..length).unwrap_or_default().trim_end_matches('.').len()
}

fn width_at(text: &str, index: usize) -> usize {
    text.get(index..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
}

/// The characters of an atom (RFC 5322 §3.2.3), the dot, and all that is not ASCII (RFC 6531 §3.3).
fn is_in_local_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c) || (!c.is_ascii() && !c.is_whitespace())
}

fn is_field_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'.'))
}

/// Standard error, with addresses masked or in full.
#[derive(Clone, Debug)]
pub struct Journal(pub Option<Mask>);

/// One line on its way; the subscriber writes each line as a whole.
#[derive(Debug)]
pub struct Line<'a>(&'a Journal);

impl<'a> MakeWriter<'a> for Journal {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(self)
    }
}

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match &self.0.0 {
            Some(mask) => io::stderr().write_all(mask.apply(&String::from_utf8_lossy(line)).as_bytes())?,
            None => io::stderr().write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        let mask = Mask::default();
        mask.set_key(b"a secret");
        mask.apply(text)
    }

    #[test]
    fn one_address_has_one_name_wherever_it_stands() {
        let name = masked("ada@example.com");
        assert!(name.starts_with("address-") && name.len() == 24, "{name}");
        for (text, expected) in [
            ("user=ada@example.com folder=INBOX", "user=NAME folder=INBOX"),
            ("user=\"ada@example.com\" x", "user=\"NAME\" x"),
            ("{\"user\":\"Ada@Example.COM\"}", "{\"user\":\"NAME\"}"),
            ("550 <ada@example.com>: no such user", "550 <NAME>: no such user"),
            ("to ada@example.com.", "to NAME."),
            ("to ada@example.com, ada@example.com; mailto:ada@example.com", "to NAME, NAME; mailto:NAME"),
            ("first\\nada@example.com", "first\\nNAME"),
            ("nobody", "nobody"),
        ] {
            assert_eq!(masked(text), expected.replace("NAME", &name), "{text}");
        }
    }

    #[test]
    fn nothing_is_left_of_any_spelling() {
        for text in [
            "\"ada lovelace\"@example.com",
            "\\\"ada lovelace\\\"@example.com",
            "ada=lovelace@example.com",
            "bounce+ada=lovelace@example.com",
            "lovelace@[192.0.2.1] said",
            "lovelace@@lovelace@x",
            "@",
            "lovelace@[unended",
            "ädalovelace@bücher.example",
            "lovelace@example.com@example.com",
        ] {
            let masked = masked(text);
            assert!(!masked.contains('@') && !masked.contains("lovelace"), "{text}: {masked}");
        }
    }

    #[test]
    fn another_installation_has_other_names_and_none_before_its_key() {
        let other = Mask::default();
        assert_eq!(other.apply("to ada@example.com"), "to address-hidden");
        other.set_key(b"another secret");
        assert_ne!(other.apply("ada@example.com"), masked("ada@example.com"));
    }
}
