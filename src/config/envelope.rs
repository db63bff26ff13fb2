//! Where mails that come back go to.

use super::fault::{Wrong, quote};
use super::value;
use crate::itip::Address;

/// The place of the token in `smtp.envelope_from`.
const PLACE: &str = "{token}";

/// As long as a token is: what stands for one while the address around it is checked.
const SAMPLE: &str = "abcdefghijklmnopqrstuvwxyz234567";

/// Octets of a local part (RFC 5321 §4.5.3.1.1).
const LOCAL_OCTETS_MAX: usize = 64;

const RIGHT: &str = "write an address with {token} before the @, such as \"imipd+{token}@example.com\"";

/// The envelope sender of the mails, to which they come back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum EnvelopeFrom {
    /// The address of the user who speaks; the token travels as ENVID (RFC 3461 §4.4).
    #[default]
    User,
    /// One address for all, with the token between these two.
    Token { before: String, behind: String },
}

impl EnvelopeFrom {
    /// The envelope sender of a mail that `user` sends under `token`.
    pub fn of(&self, user: &Address, token: &str) -> Address {
        match self {
            EnvelopeFrom::User => user.clone(),
            EnvelopeFrom::Token { before, behind } => Address::in_mail(&format!("{before}{token}{behind}")),
        }
    }

    /// The token in an address to which a mail came back; nothing when it is no envelope sender of ours.
    pub fn token_in<'a>(&self, address: &'a Address) -> Option<&'a str> {
        match self {
            EnvelopeFrom::User => None,
            EnvelopeFrom::Token { before, behind } => {
                let token = address.as_str().strip_prefix(before.as_str())?.strip_suffix(behind.as_str())?;
                (!token.is_empty()).then_some(token)
            }
        }
    }

    /// Reads `smtp.envelope_from`.
    pub(super) fn parse(text: &str) -> Result<Self, Wrong> {
        let wrong = |why: &str| Wrong::new(format!("{} {why}", quote(text)), RIGHT);
        let lower = text.to_lowercase();
        let (before, behind) = lower.split_once(PLACE).ok_or_else(|| wrong("has no {token}"))?;
        if behind.contains(PLACE) {
            return Err(wrong("has {token} twice"));
        }
        let sample = format!("{before}{SAMPLE}{behind}");
        let local = sample.rsplit_once('@').map_or("", |(local, _)| local);
        if value::address(&sample).is_err() || !local.contains(SAMPLE) {
            return Err(wrong("is not a mail address with {token} before the @"));
        }
        if local.len() > LOCAL_OCTETS_MAX {
            return Err(wrong("has more than 64 characters before the @ once a token of 32 is in it"));
        }
        Ok(EnvelopeFrom::Token { before: before.to_owned(), behind: behind.to_owned() })
    }
}
