//! The tokens in links: what makes a link in a mail the right of one person to do one thing.
//!
//! A token is a message authentication code over what it is good for, so nobody can make one who has not the gateway's key,
//! and the same purpose always gives the same token: a mail that is written again is the same mail. What it stands for is
//! kept beside its digest, never beside the token itself, so that a stolen database opens no doors.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::{digest, hmac};
use subtle::ConstantTimeEq;

use crate::digest::hexadecimal;

/// Octets of a token: too many to guess, few enough to stand in a mail.
const TOKEN_OCTETS: usize = 16;

/// What a token is good for; one is never good for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To answer one invitation as one attendee.
    Answer,
    /// To answer what one notice asks its user.
    Question,
    /// To read one user's calendar.
    Feed,
}

impl Purpose {
    /// The name under which it is kept.
    pub fn name(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Question => "question",
            Self::Feed => "feed",
        }
    }
}

/// A token: 16 octets, written as 22 letters of the URL alphabet (RFC 4648 §5).
#[derive(Clone, Eq)]
pub struct Token([u8; TOKEN_OCTETS]);

impl Token {
    /// The token for a purpose, bound to all of `fields`; `key` is the gateway's secret.
    ///
    /// RFC 2104, with SHA-256, the left half of it.
    pub fn mint(key: &[u8], purpose: Purpose, fields: &[&str]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let mut context = hmac::Context::with_key(&key);
        for field in std::iter::once(&purpose.name()).chain(fields) {
            // The length first, so that no two lists of fields read the same.
            context.update(&u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(field.as_bytes());
        }
        let tag = context.sign();
        let mut octets = [0; TOKEN_OCTETS];
        octets.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        Self(octets)
    }

    /// Reads a token out of a link; nothing when it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let octets =
            URL_SAFE_NO_PAD.decode(text.as_bytes().get(..=TOKEN_OCTETS * 2).unwrap_or(text.as_bytes())).ok()?;
        octets.try_into().ok().map(Self)
    }

    /// Under which name it is looked up: the SHA-256 digest in hexadecimal.
    ///
    /// How long the search takes tells something of the digest, but nothing of the token.
    pub fn digest(&self) -> String {
        hexadecimal(digest::digest(&digest::SHA256, &self.0).as_ref())
    }

    /// The text that stands in a link. Whoever reads it has the right: it belongs into no log.
    pub fn expose(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

/// In a time that tells nothing of where two tokens differ.
impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

    #[test]
    fn a_token_is_bound_to_all_that_it_is_made_of() {
        let token = Token::mint(KEY, Purpose::Answer, &["a", "bc"]);
        assert_eq!(token, Token::mint(KEY, Purpose::Answer, &["a", "bc"]), "the same mail again has the same link");
        for other in [
            Token::mint(KEY, Purpose::Feed, &["a", "bc"]),
            Token::mint(KEY, Purpose::Answer, &["ab", "c"]),
            Token::mint(KEY, Purpose::Answer, &["a", "bc", ""]),
            Token::mint(b"another key", Purpose::Answer, &["a", "bc"]),
        ] {
            assert_ne!(token, other);
            assert_ne!(token.digest(), other.digest());
        }
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let token = Token::mint(KEY, Purpose::Feed, &["a"]);
        let text = token.expose();
        assert_eq!(text.len(), 22);
        assert_eq!(Token::parse(&text).as_ref(), Some(&token));
        let long = text.repeat(100_000);
        for broken in
            ["", "A", text.get(..21).unwrap_or_default(), long.as_str(), "../../../etc/passwd...", &"é".repeat(11)]
        {
            assert_eq!(Token::parse(broken), None);
        }
        assert!(!format!("{token:?}").contains(&text));
    }
}
