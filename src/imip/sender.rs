//! Who a mail says it is from, read strictly. What of that is proven is said by [`super::proof`].

use mail_parser::{Header, HeaderName, MessageParser};

use super::fields::Field;
use super::mailboxes::{self, Mailbox};
use super::{limits, lookalike};
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
    /// What is odd about the three fields, each once.
    pub findings: Vec<Finding>,
}

/// Something about the sender's fields that an honest mail seldom has, and a forged one often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// From is missing or names no address (RFC 5322 §3.6 wants one field).
    NoAuthor,
    /// Several From fields: one for the check, another for the reader (RFC 5322 §3.6, RFC 7489 §6.6.1).
    SeveralFromFields,
    /// Several addresses in From; RFC 5322 §3.6.2 allows it, but nobody can be believed to be both.
    SeveralAuthors,
    /// Several Sender fields, or several addresses in one.
    SeveralSenders,
    /// Several Reply-To fields.
    SeveralReplyTo,
    /// `Team: a@example.com;`: a group where one author has to stand (RFC 5322 §3.4).
    Group,
    /// A comment in parentheses; some programs take it for the name, some for the address.
    Comment,
    /// `Doe, Jane <jane@example.com>` without quotes, which reads as two.
    UnquotedComma,
    /// Angle brackets, quotes or parentheses that do not match, or text behind the address.
    BrokenAddress,
    /// `"a b"@example.com`: a local part in quotes, in which everything may stand (RFC 5322 §3.4.1).
    QuotedLocalPart,
    /// `<@relay.example:a@example.com>`: an obsolete route (RFC 5322 §4.4).
    SourceRoute,
    /// `a%example.com@relay.example`, or with `!`: an address within the address.
    AddressWithinAddress,
    /// An encoded word where the address has to stand (RFC 2047 §5 forbids it).
    EncodedAddress,
    /// A NUL, a lone CR or another control character; programs cut such fields in different places.
    ControlCharacter,
    /// Bytes that are no UTF-8 (RFC 6532 §3.1).
    RawBytes,
    /// The display name shows an address, and another one than that of the sender.
    NameShowsAnotherAddress,
    /// A domain that mixes letters of several scripts.
    MixedScripts,
    /// `a@[192.0.2.1]`: a machine, not a domain that could vouch for anybody (RFC 5321 §4.1.3).
    AddressLiteral,
    /// The domain looks like one that the user deals with, and is another.
    Lookalike,
}

impl Finding {
    /// The stable kebab-case name, for logs and `imipd explain`.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoAuthor => "no-author",
            Self::SeveralFromFields => "several-from-fields",
            Self::SeveralAuthors => "several-authors",
            Self::SeveralSenders => "several-senders",
            Self::SeveralReplyTo => "several-reply-to",
            Self::Group => "group",
            Self::Comment => "comment",
            Self::UnquotedComma => "unquoted-comma",
            Self::BrokenAddress => "broken-address",
            Self::QuotedLocalPart => "quoted-local-part",
            Self::SourceRoute => "source-route",
            Self::AddressWithinAddress => "address-within-address",
            Self::EncodedAddress => "encoded-address",
            Self::ControlCharacter => "control-character",
            Self::RawBytes => "raw-bytes",
            Self::NameShowsAnotherAddress => "name-shows-another-address",
            Self::MixedScripts => "mixed-scripts",
            Self::AddressLiteral => "address-literal",
            Self::Lookalike => "lookalike",
        }
    }

    /// A sentence for the operator.
    pub fn describe(self) -> &'static str {
        match self {
            Self::NoAuthor => "From names no address",
            Self::SeveralFromFields => "there are several From fields",
            Self::SeveralAuthors => "From names several addresses",
            Self::SeveralSenders => "Sender names several addresses",
            Self::SeveralReplyTo => "there are several Reply-To fields",
            Self::Group => "the sender is a group",
            Self::Comment => "a comment stands beside the sender's address",
            Self::UnquotedComma => "a name with a comma stands without quotes",
            Self::BrokenAddress => "the brackets or quotes around the sender's address do not match",
            Self::QuotedLocalPart => "the sender's address has quotes in it",
            Self::SourceRoute => "the sender's address has a route or a separator in it",
            Self::AddressWithinAddress => "the sender's address has another address in it",
            Self::EncodedAddress => "the sender's address is written as an encoded word",
            Self::ControlCharacter => "a control character stands in the sender's fields",
            Self::RawBytes => "the sender's fields hold bytes that are no UTF-8",
            Self::NameShowsAnotherAddress => "the sender's name shows another address than the sender's",
            Self::MixedScripts => "the sender's domain mixes letters of several scripts",
            Self::AddressLiteral => "the sender's address names a machine instead of a domain",
            Self::Lookalike => "the sender's domain looks like another one, and is not",
        }
    }

    /// Whether no proof counts as long as this is so.
    ///
    /// Proof is about a domain and read by another program; it says nothing when two programs may find different domains in
    /// the field, and little when the field is made to show somebody else.
    pub fn lowers_the_proof(self) -> bool {
        match self {
            Self::Comment | Self::UnquotedComma | Self::SeveralReplyTo => false,
            Self::NoAuthor
            | Self::SeveralFromFields
            | Self::SeveralAuthors
            | Self::SeveralSenders
            | Self::Group
            | Self::BrokenAddress
            | Self::QuotedLocalPart
            | Self::SourceRoute
            | Self::AddressWithinAddress
            | Self::EncodedAddress
            | Self::ControlCharacter
            | Self::RawBytes
            | Self::NameShowsAnotherAddress
            | Self::MixedScripts
            | Self::AddressLiteral
            | Self::Lookalike => true,
        }
    }
}

impl Sender {
    /// The one author of the mail; none when From names nobody, or several, or stands there twice.
    ///
    /// A mail with two From fields is how a forger gets one past the check and another to the reader, so
    /// several are never resolved by picking one. RFC 5322 §3.6.
    pub fn author(&self) -> Option<&Address> {
        match self.from.as_slice() {
            [only] if only.is_mailable() && !self.findings.contains(&Finding::SeveralFromFields) => Some(only),
            _ => None,
        }
    }

    /// The finding for which no proof counts, if there is one.
    pub fn doubt(&self) -> Option<Finding> {
        self.findings.iter().copied().find(|finding| finding.lowers_the_proof())
    }

    /// Reads the three fields.
    pub(super) fn read(fields: &[Field]) -> Self {
        let mut findings = Vec::new();
        let mut read = |name: &str, several: Finding| {
            let named: Vec<&Field> = fields.iter().filter(|field| field.name == name).collect();
            if named.len() > 1 {
                findings.push(several);
            }
            named.into_iter().flat_map(|field| addresses_of(field, &mut findings)).collect::<Vec<Address>>()
        };
        let from = read("from", Finding::SeveralFromFields);
        let senders = read("sender", Finding::SeveralSenders);
        let reply_to = read("reply-to", Finding::SeveralReplyTo);
        findings.extend(match from.len() {
            0 => Some(Finding::NoAuthor),
            1 => None,
            _ => Some(Finding::SeveralAuthors),
        });
        if senders.len() > 1 {
            findings.push(Finding::SeveralSenders);
        }
        findings.sort_unstable();
        findings.dedup();
        Self { from, sender: senders.into_iter().next(), reply_to, findings }
    }
}

/// The addresses of one field; what is odd about them is added to `findings`.
///
/// Reply-To belongs to whoever wrote the mail to choose, so what is odd there alone is no sign of forgery, but for what
/// would break the field.
fn addresses_of(field: &Field, findings: &mut Vec<Finding>) -> Vec<Address> {
    let (mailboxes, odd) = mailboxes::read(&field.value);
    let is_reply_to = field.name == "reply-to";
    findings.extend(odd.into_iter().filter(|finding| !is_reply_to || *finding == Finding::BrokenAddress));
    findings.extend(field.has_controls.then_some(Finding::ControlCharacter));
    findings.extend(field.is_mangled.then_some(Finding::RawBytes));
    if !is_reply_to {
        mailboxes.iter().for_each(|mailbox| judge(mailbox, findings));
    }
    mailboxes.into_iter().map(|mailbox| Address::in_mail(&mailbox.address)).collect()
}

/// What is odd about one mailbox.
fn judge(mailbox: &Mailbox, findings: &mut Vec<Finding>) {
    let address = Address::in_mail(&mailbox.address);
    let (local, domain) = address.as_str().rsplit_once('@').unwrap_or((address.as_str(), ""));
    let odd = [
        (local.contains(['%', '!', '@']), Finding::AddressWithinAddress),
        (address.as_str().contains("=?"), Finding::EncodedAddress),
        (domain.contains(['[', ']']), Finding::AddressLiteral),
        (lookalike::is_mixed(domain), Finding::MixedScripts),
        (shows_another(&decoded(&mailbox.name), &address), Finding::NameShowsAnotherAddress),
    ];
    findings.extend(odd.into_iter().filter(|(is_so, _)| *is_so).map(|(_, finding)| finding));
}

/// A display name without its encoded words (RFC 2047).
fn decoded(name: &str) -> String {
    if !name.contains("=?") {
        return name.to_owned();
    }
    let field = format!("Subject: {}\n\n", name.replace(char::is_control, " "));
    let parsed = MessageParser::default().parse_headers(field.as_bytes());
    parsed.as_ref().and_then(|mail| mail.subject()).map_or_else(|| name.to_owned(), str::to_owned)
}

/// Whether a name holds an address, and another one than `own`.
fn shows_another(name: &str, own: &Address) -> bool {
    let foreign = |c: char| c.is_whitespace() || c.is_control() || "<>()[]\"',;:".contains(c);
    // Signs that look like the real one serve as well.
    let plain = name.replace(['\u{ff20}', '\u{fe6b}'], "@");
    plain.split(foreign).any(|word| {
        let shown = Address::in_mail(word.trim_end_matches('.'));
        let is_address = shown
            .as_str()
            .split_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.') && !domain.starts_with('.'));
        is_address && shown != *own
    })
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

#[cfg(test)]
mod tests {
    use super::super::fields::fields;
    use super::*;

    fn sender(header: &str) -> Sender {
        Sender::read(&fields(header.as_bytes()))
    }

    #[test]
    fn an_ordinary_sender_has_no_findings() {
        for from in [
            "ada@example.com",
            "Ada <ada@example.com>",
            "\"ada@example.com\" <ada@example.com>",
            "=?utf-8?q?ada=40example=2Ecom?= <Ada@example.com>",
            "Ada @ Work <ada@example.com>",
            "=?utf-8?b?SsO2cmc=?= <jörg@bücher.example>",
        ] {
            let sender = sender(&format!("From: {from}\r\nReply-To: (x) Team: b@example.com;\r\n"));
            assert_eq!((sender.findings.as_slice(), sender.from.len()), (&[][..], 1), "{from}");
            assert!(sender.author().is_some(), "{from}");
        }
    }

    #[test]
    fn tricks_are_found() {
        use Finding::*;
        for (header, finding) in [
            ("From: a@example.com\r\nFrom: a@example.com", SeveralFromFields),
            ("From: a@example.com\r\nfrom : b@example.com", SeveralFromFields),
            ("From: a@example.com, b@example.com", SeveralAuthors),
            ("From: a@example.com\r\nSender: b@example.com\r\nSender: c@example.com", SeveralSenders),
            ("Subject: x", NoAuthor),
            ("From: Ada", NoAuthor),
            ("From: Team: a@example.com;", Group),
            ("From: a@example.com (boss@example.com)", Comment),
            ("From: \"boss@example.com\" <a@evil.example>", NameShowsAnotherAddress),
            ("From: =?utf-8?q?boss=40example=2Ecom?= <a@evil.example>", NameShowsAnotherAddress),
            ("From: =?utf-8?b?Ym9zc++8oGV4YW1wbGUuY29t?= <a@evil.example>", NameShowsAnotherAddress),
            ("From: =?utf-8?q?boss@example.com?=", EncodedAddress),
            ("From: boss%example.com@evil.example", AddressWithinAddress),
            ("From: example.com!boss@evil.example", AddressWithinAddress),
            ("From: \"boss@example.com\"@evil.example", QuotedLocalPart),
            ("From: a@[192.0.2.1]", AddressLiteral),
            ("From: boss@example.com\0@evil.example", ControlCharacter),
            ("From: a@evil.example\rFrom: boss@example.com", ControlCharacter),
            ("From: a@ехаmple.com", MixedScripts),
            ("From: <boss@example.com> <a@evil.example>", BrokenAddress),
        ] {
            let sender = sender(&format!("{header}\r\n"));
            assert!(sender.findings.contains(&finding), "{header:?}: {:?}", sender.findings);
            assert_eq!(sender.doubt().is_some(), finding != Comment, "{header:?}");
        }
        let raw = Sender::read(&fields(b"From: caf\xe9 <a@example.com>\r\n"));
        assert_eq!(raw.findings, [RawBytes]);
    }

    #[test]
    fn several_are_never_resolved_by_picking_one() {
        for header in
            ["From: a@example.com\r\nFrom: a@example.com", "From: a@example.com\r\nFrom:", "From: a@x.y, b@x.y"]
        {
            assert_eq!(sender(&format!("{header}\r\n")).author(), None, "{header:?}");
        }
    }
}
