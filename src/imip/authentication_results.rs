//! Authentication-Results, read by the grammar of RFC 8601 §2.2.
//!
//! A field holds what strangers wrote, such as the address in `smtp.mailfrom`, so it is read to the end or not at all: where
//! anything does not fit the grammar, a comment or a quote may have been closed by somebody else than the server that wrote
//! the field, and nothing in it counts.

use super::limits;

/// One field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticationResults {
    /// The authserv-id in lower case: who says all this (RFC 8601 §2.5).
    pub authserv_id: String,
    /// The results in their order; none for `none`.
    pub results: Vec<MethodResult>,
}

/// What came of one method of authentication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodResult {
    /// The method in lower case, without its version.
    pub method: String,
    /// The result in lower case.
    pub result: String,
    /// The properties, `ptype.property` in lower case, with their values as written; quotes undone.
    pub properties: Vec<(String, String)>,
}

impl MethodResult {
    /// The value of a property; nothing where it is missing or stands there twice with different values.
    pub fn property(&self, name: &str) -> Option<&str> {
        let mut values = self.properties.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let first = values.next()?;
        values.all(|other| other == first).then_some(first)
    }
}

/// The authserv-id that a field begins with, in lower case, whatever follows.
///
/// A field that cannot be read as a whole is still known as the work of its server, or as somebody else's.
pub fn authserv_id(value: &str) -> Option<String> {
    Reader::new(value).authserv_id()
}

/// Reads a field; nothing when it departs from the grammar anywhere.
pub fn parse(value: &str) -> Option<AuthenticationResults> {
    let mut reader = Reader::new(value);
    let authserv_id = reader.authserv_id()?;
    reader.skip()?;
    // RFC 8601 §2.2: authres-version; only version 1 is defined, and another may mean other things.
    if reader.peek() != Some(';') && !reader.rest.is_empty() && reader.token()? != "1" {
        return None;
    }
    let mut results = Vec::new();
    loop {
        reader.skip()?;
        if reader.rest.is_empty() {
            break;
        }
        reader.expect(';')?;
        reader.skip()?;
        // Some servers end with a semicolon.
        if reader.rest.is_empty() {
            break;
        }
        if results.len() >= limits::RESULTS_MAX {
            return None;
        }
        results.extend(reader.result()?);
    }
    if has_strays(&results) {
        return None;
    }
    // RFC 8601 §2.2: `none` stands alone.
    let is_none = results.iter().any(|result: &MethodResult| result.method.is_empty());
    match (is_none, results.len()) {
        (true, 1) => Some(AuthenticationResults { authserv_id, results: Vec::new() }),
        (true, _) => None,
        (false, _) => Some(AuthenticationResults { authserv_id, results }),
    }
}

/// Whether the envelope sender stands where it does not belong.
///
/// It is what a stranger wrote, and servers repeat it in the comment of an SPF result. Where they forget to quote it, it can close
/// that comment and go on with results of its own; then the server's own `smtp.mailfrom`, behind the comment, ends up beside
/// another method, or SPF stands there twice.
fn has_strays(results: &[MethodResult]) -> bool {
    let has_envelope = |result: &&MethodResult| result.properties.iter().any(|(name, _)| name == "smtp.mailfrom");
    let is_alone = results.len() == 1;
    results.iter().filter(|result| result.method == "spf").count() > 1
        || results
            .iter()
            .filter(has_envelope)
            .any(|result| result.method != "spf" && !(result.method == "auth" && is_alone))
}

/// Reads a value from its start.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn new(value: &'a str) -> Self {
        Self { rest: value.trim() }
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn advance(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let first = chars.next();
        self.rest = chars.as_str();
        first
    }

    fn expect(&mut self, wanted: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(wanted)?;
        Some(())
    }

    /// Passes over blanks and comments, which nest (RFC 5322 §3.2.2); nothing when a comment does not end.
    fn skip(&mut self) -> Option<()> {
        loop {
            self.rest = self.rest.trim_start();
            if !self.rest.starts_with('(') {
                return Some(());
            }
            let mut depth = 0usize;
            loop {
                match self.advance()? {
                    '(' => depth += 1,
                    ')' => depth -= 1,
                    '\\' => drop(self.advance()?),
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
                if depth > limits::COMMENT_NESTING_MAX {
                    return None;
                }
            }
        }
    }

    /// A quoted string without its quotes (RFC 5322 §3.2.4).
    fn quoted(&mut self) -> Option<String> {
        self.expect('"')?;
        let mut text = String::new();
        loop {
            match self.advance()? {
                '"' => return Some(text),
                '\\' => text.push(self.advance()?),
                c => text.push(c),
            }
        }
    }

    /// A run of characters that are allowed; nothing when there is none.
    fn run(&mut self, is_allowed: impl Fn(char) -> bool) -> Option<&'a str> {
        let end = self.rest.find(|c| !is_allowed(c)).unwrap_or(self.rest.len());
        let (run, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        (!run.is_empty()).then_some(run)
    }

    /// A token of RFC 2045 §5.1.
    fn token(&mut self) -> Option<&'a str> {
        self.run(|c| c.is_ascii_graphic() && !"()<>@,;:\\\"/[]?=".contains(c))
    }

    /// A Keyword of RFC 5321 §4.1.2, with the underscore that some servers use.
    fn keyword(&mut self) -> Option<String> {
        let keyword = self.run(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')?;
        Some(keyword.to_ascii_lowercase())
    }

    fn authserv_id(&mut self) -> Option<String> {
        self.skip()?;
        let id = if self.peek() == Some('"') { self.quoted()? } else { self.token()?.to_owned() };
        (!id.is_empty()).then(|| id.to_lowercase())
    }

    /// A resinfo, or `none`, which has no method.
    fn result(&mut self) -> Option<Option<MethodResult>> {
        let method = self.keyword()?;
        self.skip()?;
        if method == "none" && self.rest.is_empty() {
            return Some(Some(MethodResult { method: String::new(), result: method, properties: Vec::new() }));
        }
        let is_known_version = self.version()?;
        self.expect('=')?;
        self.skip()?;
        let result = self.keyword()?;
        let properties = self.properties()?;
        Some(is_known_version.then_some(MethodResult { method, result, properties }))
    }

    /// `/1` behind a method; whether we know what this version means (RFC 8601 §2.6).
    fn version(&mut self) -> Option<bool> {
        if self.peek() != Some('/') {
            return Some(true);
        }
        self.expect('/')?;
        self.skip()?;
        let version = self.run(|c| c.is_ascii_digit())?;
        self.skip()?;
        Some(version == "1")
    }

    /// reasonspec and propspecs, up to the semicolon.
    fn properties(&mut self) -> Option<Vec<(String, String)>> {
        let mut properties = Vec::new();
        loop {
            self.skip()?;
            if self.rest.is_empty() || self.peek() == Some(';') {
                return Some(properties);
            }
            let mut name = self.keyword()?;
            self.skip()?;
            if self.peek() == Some('.') {
                self.expect('.')?;
                self.skip()?;
                name = format!("{name}.{}", self.keyword()?);
                self.skip()?;
            }
            self.expect('=')?;
            self.skip()?;
            let value = self.value()?;
            if properties.len() >= limits::PROPERTIES_OF_RESULT_MAX {
                return None;
            }
            // `reason=`, and what some servers write without a ptype, proves nothing and is read only to be passed over.
            if name.contains('.') {
                properties.push((name, value));
            }
        }
    }

    /// A pvalue: a value, a domain, or an address whose local part may stand in quotes.
    fn value(&mut self) -> Option<String> {
        let mut value = String::new();
        if self.peek() == Some('"') {
            let quoted = self.quoted()?;
            // A quoted local part keeps its quotes, so that it never equals an address without.
            if self.peek() != Some('@') {
                return Some(quoted);
            }
            value = format!("\"{quoted}\"");
        }
        let run = self.run(|c| !c.is_whitespace() && !c.is_control() && !"();\"<>".contains(c));
        value.push_str(run.unwrap_or_default());
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(method: &str, result: &str, properties: &[(&str, &str)]) -> MethodResult {
        let properties = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        MethodResult { method: method.to_owned(), result: result.to_owned(), properties }
    }

    fn results(value: &str) -> Vec<MethodResult> {
        parse(value).unwrap_or_else(|| panic!("{value:?} is to be read")).results
    }

    /// The examples of RFC 8601 Appendix B.
    #[test]
    fn the_examples_of_the_rfc_are_read() {
        assert_eq!(results("example.org 1; none"), []);
        let spf = result("spf", "pass", &[("smtp.mailfrom", "example.net")]);
        assert_eq!(results("example.com;\r\n          spf=pass smtp.mailfrom=example.net"), std::slice::from_ref(&spf));
        let auth = result("auth", "pass", &[("smtp.auth", "sender@example.net")]);
        assert_eq!(
            results(
                "example.com;\r\n auth=pass (cram-md5) smtp.auth=sender@example.net;\r\n spf=pass smtp.mailfrom=example.net"
            ),
            [auth.clone(), spf]
        );
        assert_eq!(
            results("example.com;\r\n dkim=pass (good signature) header.d=example.com"),
            [result("dkim", "pass", &[("header.d", "example.com")])]
        );
        // §7.2: the same with every comment that is allowed.
        let strange = "foo.example.net (foobar) 1 (baz);\r\n    dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n      \
            policy (A dot can go here) . (like that) expired\r\n      (this surprised me) = (as I wasn't expecting it) 1362471462";
        let read = parse(strange).expect("the example is to be read");
        assert_eq!(read.authserv_id, "foo.example.net");
        assert_eq!(read.results, [result("dkim", "fail", &[("policy.expired", "1362471462")])]);
    }

    #[test]
    fn servers_of_the_field_are_read() {
        let google = "mx.google.com;\r\n       dkim=pass header.i=@example.com header.s=s1 header.b=\"a/b+c=\";\r\n       \
            spf=pass (google.com: domain of a@example.com designates 192.0.2.1 as permitted sender) smtp.mailfrom=a@example.com;\r\n       \
            dmarc=pass (p=NONE sp=NONE dis=NONE) header.from=example.com";
        assert_eq!(results(google).last(), Some(&result("dmarc", "pass", &[("header.from", "example.com")])));
        let opendmarc = "mail.example.com; dmarc=pass (p=none dis=none) header.from=Example.com";
        assert_eq!(results(opendmarc), [result("dmarc", "pass", &[("header.from", "Example.com")])]);
        let rspamd = "mail.example.com;\r\n\tdkim=pass header.d=example.com header.s=dkim header.b=AbC;\r\n\t\
            spf=pass (mail.example.com: domain of a@example.com designates 2001:db8::1 as permitted sender) smtp.mailfrom=a@example.com;\r\n\t\
            arc=pass (\"google.com:s=arc:i=1\");\r\n\tdmarc=pass (policy=reject) header.from=example.com";
        assert_eq!(results(rspamd).len(), 4);
        let microsoft = "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=example.com; dmarc=pass action=none header.from=example.com";
        assert_eq!(parse(microsoft), None, "there is no authserv-id");
        let opendkim = "mail.example.com;\r\n\tdkim=pass (2048-bit key; unprotected) header.d=example.com header.i=@example.com header.a=rsa-sha256 header.s=a header.b=x/Y;\r\n\tdkim-atps=neutral";
        assert_eq!(results(opendkim).len(), 2);
    }

    #[test]
    fn spelling_does_not_matter_where_it_must_not() {
        let read = parse("  \"MX.Example.com\" 1 ; DMARC=Pass reason=\"x;y=z (\" HEADER . From=EXAMPLE.com ; ")
            .expect("a field");
        assert_eq!(read.authserv_id, "mx.example.com");
        assert_eq!(read.results, [result("dmarc", "pass", &[("header.from", "EXAMPLE.com")])]);
        assert_eq!(results("a; dkim/2=pass header.d=x.example; spf=none"), [result("spf", "none", &[])]);
    }

    #[test]
    fn what_departs_from_the_grammar_says_nothing() {
        for value in [
            "",
            ";",
            "a; dmarc",
            "a; dmarc=",
            "a; dmarc pass",
            "a; dmarc=pass header.from",
            "a; dmarc=pass header.=x",
            "a; none; dmarc=pass",
            "a 2; dmarc=pass",
            "a; dmarc=pass (unclosed header.from=x",
            "a; dmarc=pass reason=\"unclosed",
            "a b; dmarc=pass",
            "a; dmarc=pass header.from=x y",
            "a; dmarc=pass) header.from=x",
        ] {
            assert_eq!(parse(value), None, "{value:?}");
        }
        let deep = format!("a; {}dmarc=pass", "(".repeat(limits::COMMENT_NESTING_MAX + 1));
        assert_eq!(parse(&deep), None);
        assert_eq!(parse(&format!("a{}", ";spf=none".repeat(limits::RESULTS_MAX + 1))), None);
    }

    /// What a stranger writes as envelope sender must not become a result.
    #[test]
    fn a_smuggled_result_spoils_the_field() {
        for from in [
            "\"x) ; dmarc=pass header.from=victim.example (\"@evil.example",
            "x) smtp.mailfrom=evil.example; dmarc=pass header.from=victim.example (",
            "x) ; dmarc=pass header.from=victim.example; spf=pass (",
            "x) ; dmarc=pass header.from=victim.example; auth=pass smtp.auth=x (",
            "\"x; dmarc=pass header.from=victim.example \"@evil.example",
        ] {
            let value = format!("mx; spf=pass (domain of {from} designates) smtp.mailfrom={from}");
            let smuggled = parse(&value).map(|read| read.results.iter().any(|result| result.method == "dmarc"));
            assert_ne!(smuggled, Some(true), "{value}");
        }
    }

    #[test]
    fn a_property_that_stands_there_twice_is_none() {
        let twice = result("dmarc", "pass", &[("header.from", "a.example"), ("header.from", "b.example")]);
        assert_eq!((twice.property("header.from"), twice.property("header.d")), (None, None));
    }

    #[test]
    fn quotes_do_not_make_an_address() {
        assert_eq!(
            results("a; auth=pass smtp.auth=\"boss@example.com\"")[0].property("smtp.auth"),
            Some("boss@example.com")
        );
        assert_eq!(
            results("a; spf=pass smtp.mailfrom=\"boss@example.com\"@evil.example")[0].property("smtp.mailfrom"),
            Some("\"boss@example.com\"@evil.example")
        );
    }
}
