//! Writes the mail that carries a scheduling message (RFC 6047).
//!
//! The shape is the one that every client offers buttons for: `multipart/mixed` of a `multipart/alternative`, whose
//! last part is the text/calendar without disposition, and of an `invite.ics`. The same letter always gives the same
//! bytes: Message-ID and boundaries are derived from what the mail says, so a mail whose fate is unknown is sent
//! again as the same mail.

mod header;

use std::borrow::Cow;

use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::MimePart;

pub(super) use header::id_domain;

use super::facts::{Facts, Occasion};
use super::language::Language;
use super::wording::{Wording, Written};
use super::{limits, lines};
use crate::digest;
use crate::itip::{Address, Method};

/// An address with the name that stands beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    pub address: Address,
    pub name: Option<String>,
}

/// Who brought a mail about (RFC 3834 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Somebody pressed a button.
    Human,
    /// A program, by itself.
    Generated,
    /// A program, in answer to a mail.
    Replied,
}

/// A mail to be written; everything it depends on is in here.
#[derive(Clone, Debug)]
pub struct Letter<'a> {
    /// The user who speaks; answers go there, too, unless `reply_to` says otherwise.
    pub from: Mailbox,
    /// Where answers go instead of to the user who speaks.
    pub reply_to: Option<Mailbox>,
    /// Whoever acts for them, if somebody else does (RFC 5322 §3.6.2).
    pub sender: Option<Address>,
    pub to: Vec<Mailbox>,
    /// What all of them read.
    pub language: Language,
    pub method: Method,
    /// The iCalendar text, with the same METHOD in it.
    pub calendar: &'a str,
    /// The kind of the components, such as `VEVENT`.
    pub component: &'a str,
    pub occasion: Occasion,
    pub facts: Facts,
    pub uid: &'a str,
    /// The RECURRENCE-ID, when the mail is about one instance.
    pub instance: Option<&'a str>,
    /// The SEQUENCE, which is part of what the mail says.
    pub sequence: u64,
    /// The Message-ID that this answers, with or without angle brackets.
    pub in_reply_to: Option<String>,
    /// The thread, oldest first; the one answered is added when it is missing.
    pub references: Vec<String>,
    /// Date, in unix seconds.
    pub date: i64,
    pub origin: Origin,
}

/// A mail ready for submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComposedMail {
    /// The Message-ID, with its angle brackets.
    pub message_id: String,
    /// The mail: CRLF line ends, ASCII unless an address is not, lines of at most 998 octets.
    pub raw: Vec<u8>,
    /// The Subject, decoded.
    pub subject: String,
    /// What an administrator's words or templates could not do, so that ours stood in; as sentences.
    pub broken: Vec<String>,
}

/// Why a letter cannot be written; all of them are bugs or bad data of the caller, none goes away by waiting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    #[error("cannot write a mail from or to {0:?}: that is no mail address")]
    NotMailable(String),
    #[error("cannot write a mail without a recipient")]
    NoRecipient,
    #[error("cannot write a mail with method {method}: the calendar has METHOD {in_calendar:?}")]
    MethodDiffers { method: Method, in_calendar: Option<String> },
    #[error("cannot write a mail about the component {0:?}: that is no component name")]
    BadComponent(String),
}

/// Writes the mail.
///
/// Shape: everything is 7bit; text that is not is in base64 or quoted-printable with lines of at most 76 octets, header
/// fields are in encoded words. Only addresses outside of ASCII stay as they are (RFC 6532); the server decides
/// whether it takes them. The calendar is passed on octet for octet when it is well-formed, otherwise with its line ends, folding
/// and control characters put right.
///
/// Errors: [`ComposeError`]; nothing is written then.
///
/// RFC 6047 §2.4 (method, charset and component parameters), §2.5, §2.6; RFC 3834 §5.
pub fn compose(letter: &Letter<'_>, wording: &Wording) -> Result<ComposedMail, ComposeError> {
    check(letter)?;
    let calendar = well_formed(letter.calendar);
    let hash = fingerprint(letter, &calendar);
    let message_id = format!("{hash}@{}", header::id_domain(&letter.from.address));
    let written = wording.write(letter.language, letter.occasion, letter.component, &letter.facts);
    let mime = mime(letter, &written, &calendar, &hash);
    let mut raw = Vec::new();
    header::header(letter, &message_id, &written.subject).body(mime).serialize(&mut raw);
    Ok(ComposedMail { message_id: format!("<{message_id}>"), raw, subject: written.subject, broken: written.broken })
}

fn check(letter: &Letter<'_>) -> Result<(), ComposeError> {
    let mailboxes = std::iter::once(&letter.from).chain(&letter.to);
    let mut addresses = mailboxes.map(|mailbox| &mailbox.address).chain(&letter.sender);
    if let Some(bad) = addresses.find(|address| !address.is_mailable()) {
        return Err(ComposeError::NotMailable(bad.as_str().chars().take(limits::NAME_CHARS_MAX).collect()));
    }
    if letter.to.is_empty() {
        return Err(ComposeError::NoRecipient);
    }
    let is_name = !letter.component.is_empty() && letter.component.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
    if !is_name || letter.component.len() > 40 {
        return Err(ComposeError::BadComponent(letter.component.chars().take(40).collect()));
    }
    let in_calendar = lines::calendar_property(letter.calendar, "METHOD");
    match in_calendar.as_deref().and_then(Method::parse) {
        Some(found) if found == letter.method => Ok(()),
        Some(_) | None => Err(ComposeError::MethodDiffers { method: letter.method, in_calendar }),
    }
}

fn mime<'a>(letter: &Letter<'_>, written: &Written, calendar: &str, hash: &str) -> MimePart<'a> {
    // The last part is the one that clients like best (RFC 2046 §5.1.4); here stand the buttons.
    let mut alternatives = vec![text_part("text/plain", &written.text)];
    alternatives.extend(written.html.as_deref().map(|html| text_part("text/html", html)));
    alternatives.push(calendar_part(letter, calendar));
    let alternative = MimePart::new(multipart("multipart/alternative", hash, "a"), alternatives);
    MimePart::new(multipart("multipart/mixed", hash, "m"), vec![alternative, file_part(calendar)])
}

pub(super) fn multipart<'a>(media_type: &'static str, hash: &str, mark: &str) -> ContentType<'a> {
    // `=_` occurs neither in quoted-printable nor in base64 (RFC 2045 §6.7), and the hash in no calendar.
    let boundary = format!("=_{mark}_{}", hash.get(..32).unwrap_or(hash));
    ContentType::new(media_type).attribute("boundary", boundary)
}

pub(super) fn text_part<'a>(media_type: &'static str, text: &str) -> MimePart<'a> {
    let text = text.replace('\n', "\r\n");
    MimePart::new(ContentType::new(media_type).attribute("charset", "utf-8"), text)
}

fn calendar_part<'a>(letter: &Letter<'_>, calendar: &str) -> MimePart<'a> {
    // Written out, because mail-builder would quote the values; Gmail, Outlook and Apple send the method unquoted.
    let content_type =
        format!("text/calendar; charset=utf-8; method={}; component={}", letter.method.as_str(), letter.component);
    MimePart::raw(calendar.to_owned()).header("Content-Type", Raw::new(content_type))
}

fn file_part<'a>(calendar: &str) -> MimePart<'a> {
    const FILE_NAME: &str = "invite.ics";
    let content_type = ContentType::new("application/ics").attribute("name", FILE_NAME);
    MimePart::new(content_type, calendar.as_bytes().to_vec()).attachment(FILE_NAME)
}

/// The calendar with CRLF line ends, folded lines, and no control characters but tabs. RFC 5545 §3.1.
fn well_formed(calendar: &str) -> Cow<'_, str> {
    let is_control = |c: char| c.is_control() && c != '\t';
    let is_fine = calendar.ends_with("\r\n")
        && calendar.split_terminator("\r\n").all(|line| {
            !line.is_empty() && line.len() <= limits::CALENDAR_LINE_OCTETS_MAX && !line.contains(is_control)
        });
    if is_fine {
        return Cow::Borrowed(calendar);
    }
    let mut out = String::with_capacity(calendar.len() + calendar.len() / 32);
    // A lone CR is dropped, not taken for a line end: behind it could stand a property that nobody meant to send.
    let without_lone_cr = calendar.replace("\r\n", "\n").replace('\r', "");
    for line in lines::unfolded(&without_lone_cr) {
        let kept: String = line.chars().filter(|c| !is_control(*c)).collect();
        if !kept.is_empty() {
            lines::fold_into(&mut out, &kept);
        }
    }
    Cow::Owned(out)
}

/// The SHA-256 of all that the mail says, in hexadecimal, cut to 160 bits so that the Message-ID fits on a line.
///
/// What it says is the calendar and to whom; the words only repeat it. A mail that is written again after the
/// administrator changed a template or a language is the same mail to those who have it already.
///
/// Each field is led by its length, so that no two letters can run into the same text.
fn fingerprint(letter: &Letter<'_>, calendar: &str) -> String {
    let (count, sequence) = (letter.to.len().to_string(), letter.sequence.to_string());
    let recipients = letter.to.iter().map(|mailbox| mailbox.address.as_str());
    let head = [letter.from.address.as_str(), &count].into_iter().chain(recipients);
    let about = [letter.method.as_str(), letter.uid, letter.instance.unwrap_or_default(), &sequence, calendar];
    digest::shortened(&digest::of_fields(head.chain(about)))
}
