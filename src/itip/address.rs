//! Calendar user addresses, in the one form in which they can be compared.

use std::borrow::Cow;
use std::fmt;

/// A calendar user's mail address: lower case, without `mailto:`, percent-encoding or `?query`, its domain as the DNS has it.
///
/// Two spellings of one mailbox give equal values, so `==` is the comparison that
/// RFC 5546 §3 leaves to the implementation. The value may be no valid address at all (`invalid:nomail`
/// stays what it is, in lower case); it then equals only itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(String);

impl Address {
    /// Reads a calendar address as it stands in ORGANIZER, ATTENDEE or a configuration.
    pub fn parse(text: &str) -> Self {
        Self(normalise(text).into_owned())
    }

    /// Reads an address as it stands in a mail header, which is no URI: nothing is decoded and no query cut off, or
    /// `"boss@example.com?x"@evil.example` would be the boss (RFC 5322 §3.4.1). What this program wrote down itself is
    /// read back the same way.
    pub fn in_mail(text: &str) -> Self {
        Self(with_ascii_domain(Cow::Owned(text.trim().to_lowercase())).into_owned())
    }

    /// The address as `local@domain`, lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address as `local@domain`, lower case, as a text of its own.
    pub fn into_string(self) -> String {
        self.0
    }

    /// Whether `text`, as it stands in a property, names this calendar user; allocates nothing in the usual case.
    pub fn is(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        // A large meeting asks this for everybody: the usual spelling is compared as it stands.
        if let Some((scheme, bare)) = bytes.len().checked_sub(self.0.len()).and_then(|at| bytes.split_at_checked(at))
            && bare.eq_ignore_ascii_case(self.0.as_bytes())
            && (scheme.is_empty() || scheme.eq_ignore_ascii_case(b"mailto:"))
        {
            return true;
        }
        // Only encodings, queries, blanks and letters beyond ASCII can make two different spellings equal.
        bytes.iter().any(|byte| matches!(byte, b'%' | b'?' | b' ' | b'\t') || !byte.is_ascii())
            && normalise(text) == self.0
    }

    /// The part behind the last `@`, or nothing when there is none.
    pub fn domain(&self) -> Option<&str> {
        self.0.rsplit_once('@').map(|(_, domain)| domain)
    }

    /// Whether this can be written to by mail at all: one `@`, something on both sides, and no byte that
    /// could end a header or an SMTP command.
    pub fn is_mailable(&self) -> bool {
        let Some((local, domain)) = self.0.rsplit_once('@') else { return false };
        !local.is_empty()
            && !domain.is_empty()
            && self.0.len() <= 254
            && !self.0.contains(|c: char| c.is_control() || c.is_whitespace() || "<>,;:\"()[]\\".contains(c))
            && !local.contains('@')
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn normalise(text: &str) -> Cow<'_, str> {
    // A large meeting asks this for everybody: the usual spelling stands for itself.
    let usual = text.strip_prefix("mailto:").unwrap_or(text);
    if usual.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'@' | b'.' | b'-' | b'_' | b'+')) {
        return Cow::Borrowed(usual);
    }
    let bare = strip_scheme(text.trim());
    // RFC 6068 §2: what follows the question mark is header fields, not address.
    let bare = bare.split('?').next().unwrap_or(bare);
    if bare.bytes().all(|byte| byte.is_ascii() && byte != b'%' && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(bare);
    }
    let decoded = percent_decode(bare);
    let is_upper = decoded.chars().any(char::is_uppercase);
    with_ascii_domain(if is_upper { Cow::Owned(decoded.to_lowercase()) } else { decoded })
}

/// The address with a domain such as `bücher.example` as `xn--bcher-kva.example`, which is the same, and which every mail server
/// takes (RFC 5890 §2.3.2.1).
///
/// A domain that would not come back as it was written stays as it is: letters of full width, and whatever else is only made
/// into another domain, are nobody's address here.
fn with_ascii_domain(address: Cow<'_, str>) -> Cow<'_, str> {
    let Some((local, domain)) = address.rsplit_once('@').filter(|(_, domain)| !domain.is_ascii()) else {
        return address;
    };
    match idna::domain_to_ascii(domain) {
        Ok(ascii) if idna::domain_to_unicode(&ascii).0 == domain => Cow::Owned(format!("{local}@{ascii}")),
        Ok(_) | Err(_) => address,
    }
}

fn strip_scheme(text: &str) -> &str {
    match text.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => text[7..].trim_start(),
        _ => text,
    }
}

fn percent_decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = if byte == b'%' { bytes.get(at + 1..at + 3).and_then(hex_byte) } else { None };
        out.push(escaped.unwrap_or(byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    // Bytes that are no UTF-8 are nobody's address; the undecoded text then stands for itself.
    String::from_utf8(out).map_or(Cow::Borrowed(text), Cow::Owned)
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok()?;
    u8::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_mailbox_are_equal() {
        let b = Address::parse("mailto:b@example.com");
        for text in
            ["MAILTO:B@Example.COM", "b@example.com", " mailto:b%40example.com", "mailto:b@example.com?subject=x"]
        {
            assert_eq!(Address::parse(text), b, "{text}");
            assert!(b.is(text), "{text}");
        }
        assert!(!b.is("mailto:bb@example.com"));
    }

    #[test]
    fn a_sender_is_no_uri() {
        for text in ["boss@example.com?x@evil.example", "%62oss@example.com", "mailto:boss@example.com"] {
            assert_ne!(Address::in_mail(text), Address::parse("mailto:boss@example.com"), "{text}");
        }
        assert_eq!(Address::in_mail(" Boss@Example.COM"), Address::parse("mailto:boss@example.com"));
    }

    #[test]
    fn a_domain_in_letters_is_the_one_that_the_dns_has() {
        let b = Address::parse("mailto:b@bücher.example");
        assert_eq!(b.as_str(), "b@xn--bcher-kva.example");
        for text in ["mailto:B@BÜCHER.example", "b@xn--bcher-kva.example", "mailto:b@b%C3%BCcher.example"] {
            assert_eq!(Address::parse(text), b, "{text}");
            assert!(b.is(text), "{text}");
        }
        assert_eq!(Address::in_mail("b@bücher.example"), b);
        assert_eq!(Address::parse("jörg@bücher.example").as_str(), "jörg@xn--bcher-kva.example");
        // Letters of full width, and a letter beside its mark, are not made into another domain.
        for other in ["b@\u{ff45}xample.com", "b@example\u{3002}com", "b@bu\u{308}cher.example", "b@\u{fffd}.example"] {
            assert_eq!(Address::parse(other).as_str(), other);
            assert_eq!(Address::in_mail(other).as_str(), other);
        }
    }

    #[test]
    fn header_and_command_injection_is_not_mailable() {
        for text in [
            "b@example.com\r\nRCPT TO:<x@y>",
            "b c@example.com",
            "@example.com",
            "b@",
            "nobody",
            "<b@example.com>",
            "a@b@c",
        ] {
            assert!(!Address::parse(text).is_mailable(), "{text:?}");
        }
        assert!(Address::parse("mailto:o'neill+cal@example.com").is_mailable());
    }
}
