//! The address lists of From, Sender and Reply-To, read strictly (RFC 5322 §3.4).
//!
//! Strictly means: everything that two programs could read in two ways is said. What is said never makes an address out of
//! what is none.

use super::limits;
use super::sender::Finding;

/// One mailbox of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mailbox {
    /// The display name as written, quotes undone, encoded words not.
    pub name: String,
    /// The address between the angle brackets, or standing alone; empty when there is none.
    pub address: String,
}

/// Reads a list of mailboxes, and what is odd about it.
pub(super) fn read(value: &str) -> (Vec<Mailbox>, Vec<Finding>) {
    let mut reader = Reader::default();
    for token in Tokens::new(value) {
        reader.take(token);
    }
    reader.end_of_mailbox();
    if reader.is_inside_angle {
        reader.find(Finding::BrokenAddress);
    }
    (reader.mailboxes, reader.findings)
}

/// A piece of a list. Blanks between pieces are pieces of their own, since `a @b` is not `a@b`.
#[derive(Debug, PartialEq, Eq)]
enum Token {
    /// Characters that stand for themselves.
    Text(String),
    /// A quoted string, without quotes and backslashes.
    Quoted(String),
    Comment,
    Blank,
    /// One of `<>,;:`.
    Special(char),
    /// A quoted string or comment that does not end, or is nested too deeply.
    Broken,
}

/// Cuts a value into tokens.
struct Tokens<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
}

impl<'a> Tokens<'a> {
    fn new(value: &'a str) -> Self {
        Self { rest: value.chars().peekable() }
    }

    /// RFC 5322 §3.2.4: a backslash makes the next character stand for itself.
    fn quoted(&mut self) -> Token {
        let mut text = String::new();
        while let Some(c) = self.rest.next() {
            match c {
                '"' => return Token::Quoted(text),
                '\\' => text.extend(self.rest.next()),
                _ => text.push(c),
            }
        }
        Token::Broken
    }

    /// RFC 5322 §3.2.2: comments nest.
    fn comment(&mut self) -> Token {
        let mut depth = 1usize;
        while let Some(c) = self.rest.next() {
            match c {
                '\\' => drop(self.rest.next()),
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Token::Comment;
            }
            if depth > limits::COMMENT_NESTING_MAX {
                break;
            }
        }
        self.rest.by_ref().for_each(drop);
        Token::Broken
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let first = self.rest.next()?;
        Some(match first {
            '"' => self.quoted(),
            '(' => self.comment(),
            '<' | '>' | ',' | ';' | ':' => Token::Special(first),
            _ if first.is_whitespace() => {
                while self.rest.next_if(|c| c.is_whitespace()).is_some() {}
                Token::Blank
            }
            _ => {
                let mut text = String::from(first);
                while let Some(c) = self.rest.next_if(|c| !c.is_whitespace() && !"\"(<>,;:".contains(*c)) {
                    text.push(c);
                }
                Token::Text(text)
            }
        })
    }
}

/// What has been read of a list so far.
#[derive(Default)]
struct Reader {
    mailboxes: Vec<Mailbox>,
    findings: Vec<Finding>,
    /// What stands outside of angle brackets: a display name, or the address itself.
    phrase: String,
    is_phrase_quoted: bool,
    angle: Option<String>,
    is_inside_angle: bool,
}

impl Reader {
    fn find(&mut self, finding: Finding) {
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    fn take(&mut self, token: Token) {
        match token {
            Token::Broken => self.find(Finding::BrokenAddress),
            Token::Comment => self.find(Finding::Comment),
            Token::Special(special) => self.special(special),
            Token::Text(text) => self.text(&text),
            Token::Quoted(text) => self.quoted(&text),
            Token::Blank if self.is_inside_angle => {}
            Token::Blank => self.phrase.push(' '),
        }
    }

    fn text(&mut self, text: &str) {
        match &mut self.angle {
            Some(address) if self.is_inside_angle => address.push_str(text),
            // Behind the angle brackets nothing may stand: `<a@example.com> b@example.com` is read in two ways.
            Some(_) => self.find(Finding::BrokenAddress),
            None => self.phrase.push_str(text),
        }
    }

    fn quoted(&mut self, text: &str) {
        match &mut self.angle {
            Some(address) if self.is_inside_angle => {
                address.push_str(text);
                self.find(Finding::QuotedLocalPart);
            }
            Some(_) => self.find(Finding::BrokenAddress),
            None => {
                self.phrase.push_str(text);
                self.is_phrase_quoted = true;
            }
        }
    }

    fn special(&mut self, special: char) {
        match special {
            '<' if self.is_inside_angle || self.angle.is_some() => self.find(Finding::BrokenAddress),
            '<' => (self.angle, self.is_inside_angle) = (Some(String::new()), true),
            '>' if self.is_inside_angle => self.is_inside_angle = false,
            '>' => self.find(Finding::BrokenAddress),
            // RFC 5322 §4.4: `<@relay.example:a@example.com>` names a route.
            ',' | ':' | ';' if self.is_inside_angle => {
                self.find(Finding::SourceRoute);
                self.text(&special.to_string());
            }
            ',' => self.end_of_mailbox(),
            // RFC 5322 §3.4: `Team: a@example.com, b@example.com;` is a group.
            _ => {
                self.find(Finding::Group);
                if special == ':' { self.phrase.clear() } else { self.end_of_mailbox() }
            }
        }
    }

    fn end_of_mailbox(&mut self) {
        let phrase = std::mem::take(&mut self.phrase).trim().to_owned();
        let is_quoted = std::mem::take(&mut self.is_phrase_quoted);
        let mailbox = match self.angle.take() {
            Some(address) => Mailbox { name: phrase, address },
            None if phrase.is_empty() => return,
            None if phrase.contains('@') => {
                if is_quoted {
                    self.find(Finding::QuotedLocalPart);
                }
                Mailbox { name: String::new(), address: phrase }
            }
            None => {
                // `Doe, Jane <jane@example.com>` without quotes: a name cut in two, and no mailbox.
                self.find(Finding::UnquotedComma);
                return;
            }
        };
        if self.mailboxes.len() < limits::ADDRESSES_MAX {
            self.mailboxes.push(mailbox);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(value: &str) -> (Vec<String>, Vec<Finding>) {
        let (mailboxes, findings) = read(value);
        (mailboxes.into_iter().map(|mailbox| mailbox.address).collect(), findings)
    }

    #[test]
    fn ordinary_lists_have_nothing_odd() {
        for (value, expected) in [
            (" ada@example.com", vec!["ada@example.com"]),
            ("Ada L. <ada@example.com>", vec!["ada@example.com"]),
            ("\"Doe, Jane\" <jane@example.com>", vec!["jane@example.com"]),
            ("=?utf-8?q?J=C3=B6rg?= <j@example.com>, b@example.com", vec!["j@example.com", "b@example.com"]),
            ("Ada < ada@example.com >", vec!["ada@example.com"]),
            ("", vec![]),
        ] {
            assert_eq!(addresses(value), (expected.into_iter().map(str::to_owned).collect(), vec![]), "{value}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_said() {
        for (value, expected, finding) in [
            ("Doe, Jane <j@example.com>", vec!["j@example.com"], Finding::UnquotedComma),
            ("Team: a@example.com;", vec!["a@example.com"], Finding::Group),
            ("a@example.com (b@example.com)", vec!["a@example.com"], Finding::Comment),
            ("a@example.com (b (c) \\) d)", vec!["a@example.com"], Finding::Comment),
            ("<a@example.com> <b@example.com>", vec!["a@example.com"], Finding::BrokenAddress),
            ("<a@example.com> b@example.com", vec!["a@example.com"], Finding::BrokenAddress),
            ("<<a@example.com>>", vec!["a@example.com"], Finding::BrokenAddress),
            ("\"a@example.com", vec![], Finding::BrokenAddress),
            ("<a@example.com", vec!["a@example.com"], Finding::BrokenAddress),
            ("a@example.com (", vec!["a@example.com"], Finding::BrokenAddress),
            ("\"a b\"@example.com", vec!["a b@example.com"], Finding::QuotedLocalPart),
            ("<\"a@example.com\"@evil.example>", vec!["a@example.com@evil.example"], Finding::QuotedLocalPart),
            ("<@relay.example:a@example.com>", vec!["@relay.example:a@example.com"], Finding::SourceRoute),
        ] {
            let (read, findings) = addresses(value);
            assert_eq!(read, expected, "{value}");
            assert!(findings.contains(&finding), "{value}: {findings:?}");
        }
        let deep = format!("a@example.com {}", "(".repeat(100_000));
        assert_eq!(addresses(&deep).1, [Finding::BrokenAddress]);
    }
}
