//! The header fields of a mail: who to whom, in which thread, and that no program needs to answer it.

use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address as HeaderAddress;
use mail_builder::headers::date::Date;
use mail_builder::headers::message_id::MessageId;
use mail_builder::headers::raw::Raw;

use super::{Letter, Mailbox, Origin};
use crate::digest;
use crate::imip::limits;
use crate::imip::wording::clean;
use crate::itip::{Address, Method};

/// The header fields of the mail itself; those of its parts are theirs.
pub(super) fn header<'a>(letter: &Letter<'_>, message_id: &str, subject: &str) -> MessageBuilder<'a> {
    let to: Vec<_> = named(&letter.to).iter().map(header_address).collect();
    let mut builder = MessageBuilder::new()
        .from(header_address(&letter.from))
        .to(HeaderAddress::new_list(to))
        .reply_to(header_address(letter.reply_to.as_ref().unwrap_or(&letter.from)))
        .subject(subject.to_owned())
        .date(Date::new(letter.date))
        .message_id(message_id.to_owned())
        .header("MIME-Version", Raw::new("1.0"));
    if let Some(sender) = letter.sender.as_ref().filter(|sender| **sender != letter.from.address) {
        builder = builder.sender(HeaderAddress::new_address(None::<String>, sender.as_str().to_owned()));
    }
    let automatic = match letter.origin {
        Origin::Human => None,
        Origin::Generated => Some("auto-generated"),
        Origin::Replied => Some("auto-replied"),
    };
    if let Some(automatic) = automatic {
        builder = builder.header("Auto-Submitted", Raw::new(automatic));
    }
    // For those who do not read Auto-Submitted, and for invitations that a person sent, which no absence note should
    // answer either. Not "All": that would hold back the reports of non-delivery, too, which we read. No List- field,
    // because this is no list, and no Precedence, which some sites read as an invitation to drop the mail.
    builder = builder.header("X-Auto-Response-Suppress", Raw::new("OOF, AutoReply"));
    let answered = letter.in_reply_to.as_deref().and_then(bare_id);
    if let Some(id) = answered {
        builder = builder.in_reply_to(id.to_owned());
    }
    let root = thread_root(letter);
    let thread = thread(root.as_deref(), &letter.references, answered);
    if thread.is_empty() { builder } else { builder.references(MessageId::new_list(thread.into_iter())) }
}

/// Those of the recipients who are named in To: all of them, as long as there is room; the envelope has the others.
fn named(to: &[Mailbox]) -> &[Mailbox] {
    // Encoded words take up to twice the octets, and each its frame; brackets, a comma and a fold come on top.
    let name = |name: &String| if name.is_ascii() { name.len() + 2 } else { name.len() * 2 + 24 };
    let octets = |mailbox: &Mailbox| mailbox.address.as_str().len() + mailbox.name.as_ref().map_or(0, name) + 8;
    let sums = to.iter().scan(0, |sum, mailbox| {
        *sum += octets(mailbox);
        Some(*sum)
    });
    let count = sums.take_while(|sum| *sum <= limits::TO_OCTETS_MAX).count();
    to.get(..count.max(1)).unwrap_or(to)
}

fn header_address<'a>(mailbox: &Mailbox) -> HeaderAddress<'a> {
    let name = mailbox.name.as_deref().map(|name| clean::header_text(name, limits::NAME_CHARS_MAX));
    HeaderAddress::new_address(name.filter(|name| !name.is_empty()), mailbox.address.as_str().to_owned())
}

/// The References: the root, the thread without repetition, the answered one last; when there are too many the newest stay.
///
/// Mail programs join what shares a reference (RFC 5322 §3.6.4), so the root, which everybody has, always stays.
fn thread(root: Option<&str>, references: &[String], answered: Option<&str>) -> Vec<String> {
    let mut ids: Vec<&str> = Vec::new();
    for id in references.iter().filter_map(|id| bare_id(id)).filter(|id| Some(*id) != answered && Some(*id) != root) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids.extend(answered.filter(|answered| Some(*answered) != root));
    let surplus = ids.len().saturating_sub(limits::REFERENCES_MAX - usize::from(root.is_some()));
    root.into_iter().chain(ids.into_iter().skip(surplus)).map(str::to_owned).collect()
}

/// The Message-ID of a mail that never was, at the head of all that an organizer sends about one UID.
///
/// Those who read different languages got different invitations; what refers to somebody else's would stand alone. This
/// is common to all mails of the organizer about the UID, so they make one thread for everybody. An answer names
/// the invitation as it was received, which does the same on the organizer's side.
fn thread_root(letter: &Letter<'_>) -> Option<String> {
    match letter.method {
        Method::Request | Method::Add | Method::Cancel | Method::Publish | Method::DeclineCounter => {}
        Method::Reply | Method::Refresh | Method::Counter => return None,
    }
    let root = digest::of_fields(["thread", letter.from.address.as_str(), letter.uid]);
    Some(format!("{}.thread@{}", digest::shortened(&root), id_domain(&letter.from.address)))
}

/// A Message-ID without its brackets, when it is one; anything else is left out of the mail, since mail-builder
/// writes these values as they are and a line end in one would be a header field of the sender's choice.
fn bare_id(id: &str) -> Option<&str> {
    let trimmed = id.trim();
    let bare = trimmed.strip_prefix('<').and_then(|id| id.strip_suffix('>')).unwrap_or(trimmed);
    let (left, right) = bare.split_once('@')?;
    let is_safe = bare.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'(' | b')' | b',' | b';'));
    let is_safe = is_safe && !bare.contains("=?");
    (is_safe && !left.is_empty() && !right.is_empty() && bare.len() <= limits::MESSAGE_ID_OCTETS_MAX).then_some(bare)
}

/// The right side of the Message-ID: the domain of the user, unless a msg-id cannot hold it (RFC 5322 §3.6.4).
pub(in crate::imip) fn id_domain(from: &Address) -> &str {
    let is_plain = |domain: &&str| domain.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    from.domain().filter(is_plain).unwrap_or("imipd.invalid")
}
