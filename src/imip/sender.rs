//! Who a mail says it is from. What of that is proven is for others to find out.

use mail_parser::{Header, HeaderName};

use super::limits;
use crate::itip::Address;

/// The people named in From, Sender and Reply-To, without their display names.
///
/// A display name is whatever its writer liked it to be, so none is kept. RFC 6047 §2.3: these fields do not
/// tell who is organizer or attendee; they tell who may be believed to speak.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// The addresses of all From fields, in order.
    pub from: Vec<Address>,
    /// The address of the Sender field: the secretary or the service that sent it (RFC 5322 §3.6.2).
    pub sender: Option<Address>,
    /// The addresses of Reply-To. Behind a list that rewrites From, the human stands here.
    pub reply_to: Vec<Address>,
}

impl Sender {
    /// The one author of the mail; none when From names nobody, or several.
    ///
    /// A mail with two From fields is how a forger gets one past the check and another to the reader, so
    /// several are never resolved by picking one. RFC 5322 §3.6.
    pub fn author(&self) -> Option<&Address> {
        match self.from.as_slice() {
            [only] if only.is_mailable() => Some(only),
            _ => None,
        }
    }

    /// Reads the three fields from parsed header fields.
    pub(super) fn read(headers: &[Header<'_>]) -> Self {
        Self {
            from: addresses(headers, &[HeaderName::From]),
            sender: addresses(headers, &[HeaderName::Sender]).into_iter().next(),
            reply_to: addresses(headers, &[HeaderName::ReplyTo]),
        }
    }
}

/// The addresses of all fields with one of these names, in order, groups resolved.
///
/// Entries without an `@` are left out: an unquoted `Doe, Jane <jane@example.com>` reads as two.
pub(super) fn addresses(headers: &[Header<'_>], names: &[HeaderName<'_>]) -> Vec<Address> {
    headers
        .iter()
        .filter(|header| names.contains(&header.name))
        .filter_map(|header| header.value.as_address())
        .flat_map(|list| list.iter())
        .filter_map(|entry| entry.address.as_deref())
        .filter(|address| address.contains('@'))
        .take(limits::ADDRESSES_MAX)
        .map(Address::in_mail)
        .collect()
}
