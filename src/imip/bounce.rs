//! Reads a mail that came back: which mail it was, and who did not get it.
//!
//! | form | is told apart by | who failed |
//! |---|---|---|
//! | RFC 3464 | a part message/delivery-status | the groups whose Action is `failed` |
//! | Exim | X-Failed-Recipients | whom that field names |
//! | qmail (QSBMF) | "Hi. This is the" at the start of the text | the paragraphs that begin with `<address>:` |
//! | any other | the name of a mail system in From | the one recipient in the text, beside a status of class 5 |
//!
//! Whatever form it has, anyone can write such a mail (RFC 3464 §4.1). What is read here is a claim: the gateway believes it
//! only about a mail that we sent, and only about those to whom we sent it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use mail_parser::{Header, HeaderName};

use super::limits;
use super::mime::Entity;
use super::sender;
use crate::itip::Address;

/// A mail that says that another one was not, or not yet, delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounce {
    /// Where the report itself was sent to: of the envelope, as far as servers note it, and of To.
    pub sent_to: Vec<Address>,
    /// What we gave as ENVID (RFC 3461 §4.4, RFC 3464 §2.2.1).
    pub envelope_id: Option<String>,
    /// The Message-ID of the mail that came back, with its angle brackets.
    pub message_id: Option<String>,
    told: Told,
}

/// In which form it says who failed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    /// A group of fields for each recipient.
    Fields(Vec<Group>),
    /// Addresses that failed, each with what was said of it.
    Names(Vec<(Address, String)>),
    /// Nothing but words.
    Words(String),
}

impl Default for Told {
    fn default() -> Self {
        Told::Fields(Vec::new())
    }
}

/// What a report says of one recipient (RFC 3464 §2.3).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    /// As we wrote it: Original-Recipient.
    original: Vec<Address>,
    /// As the reporting server saw it: Final-Recipient.
    last: Vec<Address>,
    has_failed: bool,
    /// The status code, such as `5.1.1`.
    status: Option<String>,
    diagnostic: String,
}

/// A recipient of ours who did not get a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub recipient: Address,
    /// What the other side said, on one line, with its status code; never empty.
    pub why: String,
}

/// Reads a mail that came back; nothing when this is another kind of mail.
///
/// Shape: `raw` is a whole mail, or one abridged to its header, its status and the header of the mail in it. Never fails;
/// what goes over a limit is left out.
pub fn read(raw: &[u8]) -> Option<Bounce> {
    let entity = Entity::parse(raw.get(..limits::BOUNCE_BYTES_MAX).unwrap_or(raw));
    let mut parts = Parts::default();
    parts.walk(&entity, 0);
    let told = match parts.status.take() {
        Some(status) if entity.media_type() == "multipart/report" => fields_told(&status, &mut parts),
        Some(_) | None => words_told(&entity, &parts)?,
    };
    Some(Bounce {
        sent_to: sent_to(&entity.headers),
        envelope_id: parts.envelope_id,
        message_id: parts.returned_id.or_else(|| returned_in_text(&parts.text)),
        told,
    })
}

impl Bounce {
    /// Who of the recipients of the mail is said to have failed for good, each once.
    ///
    /// Empty for a delay, a success, and whatever leaves room for doubt. RFC 3464 §2.3.3: Action decides, since a status of
    /// class 4 stands with `delayed` and with `failed`.
    pub fn failures(&self, recipients: &[Address]) -> Vec<Failure> {
        let ours: BTreeSet<&Address> = recipients.iter().collect();
        let mut failures: Vec<Failure> = match &self.told {
            Told::Fields(groups) => groups.iter().filter_map(|group| group.failure(&ours)).collect(),
            Told::Names(names) => names.iter().filter_map(|(name, why)| named(name, why, &ours)).collect(),
            Told::Words(text) => only_one_in(text, &ours).into_iter().collect(),
        };
        let mut seen = BTreeSet::new();
        failures.retain(|failure| seen.insert(failure.recipient.clone()));
        failures
    }
}

impl Group {
    /// Original-Recipient is what we wrote ourselves; Final-Recipient may be where a forwarder sent the mail on to.
    fn failure(&self, recipients: &BTreeSet<&Address>) -> Option<Failure> {
        if !self.has_failed {
            return None;
        }
        let ours = |all: &[Address]| all.iter().find(|address| recipients.contains(*address)).cloned();
        let recipient = ours(&self.original).or_else(|| ours(&self.last))?;
        let status = self.status.clone().unwrap_or_default();
        let why = match (status.is_empty(), self.diagnostic.contains(&status)) {
            (false, false) => format!("{status} {}", self.diagnostic),
            _ => self.diagnostic.clone(),
        };
        Some(Failure { recipient, why: said(&why) })
    }
}

fn named(name: &Address, why: &str, recipients: &BTreeSet<&Address>) -> Option<Failure> {
    recipients.contains(name).then(|| Failure { recipient: name.clone(), why: said(why) })
}

/// The one recipient whom a text names, when it also tells a failure for good: with two of them nobody knows which failed.
fn only_one_in(text: &str, recipients: &BTreeSet<&Address>) -> Option<Failure> {
    let line = text.lines().find(|line| tells_failure(line))?;
    let text = text.to_lowercase();
    let mut found = recipients.iter().filter(|recipient| has_address(&text, recipient.as_str()));
    let recipient = found.next()?;
    found.next().is_none().then(|| Failure { recipient: (*recipient).clone(), why: said(line) })
}

/// Whether a line holds a status of class 5 (RFC 3463 §2): `5.1.1`, `#5.1.1`, but not `15.1.1` and not `5.1.1.1`.
fn tells_failure(line: &str) -> bool {
    line.split(|c: char| !c.is_ascii_digit() && c != '.').any(|word| is_status(word.trim_end_matches('.'), &['5']))
}

fn is_status(word: &str, classes: &[char]) -> bool {
    let numbers: Vec<&str> = word.split('.').collect();
    let is_number = |text: &&str| (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    numbers.len() == 3 && numbers.iter().all(is_number) && word.starts_with(classes) && word.get(1..2) == Some(".")
}

/// Whether a text in lower case holds an address as a whole, not as a piece of a longer one.
fn has_address(text: &str, address: &str) -> bool {
    let continues = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '+' | '@' | '=');
    text.match_indices(address).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let behind = text.get(at + address.len()..).unwrap_or_default();
        // A full stop ends a sentence, and is part of a domain only when more of it follows.
        let mut behind = behind.strip_prefix('.').filter(|rest| !rest.starts_with(continues)).unwrap_or(behind).chars();
        !before.is_some_and(continues) && !behind.next().is_some_and(continues)
    })
}

/// What was said, on one line and no longer than a log line bears.
fn said(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line: String = words.collect::<Vec<_>>().join(" ").chars().take(limits::DIAGNOSTIC_CHARS_MAX).collect();
    if line.is_empty() { "no reason given".to_owned() } else { line }
}

/// The parts of a bounce that matter.
#[derive(Default)]
struct Parts {
    seen: usize,
    /// The text of the first message/delivery-status.
    status: Option<String>,
    envelope_id: Option<String>,
    returned_id: Option<String>,
    /// The readable text before the mail that came back.
    text: String,
}

impl Parts {
    fn walk(&mut self, entity: &Entity<'_>, depth: usize) {
        self.seen += 1;
        if depth > limits::NESTING_MAX || self.seen > limits::PARTS_MAX {
            return;
        }
        let media_type = entity.media_type();
        if media_type.starts_with("multipart/") {
            entity.parts().into_iter().for_each(|part| self.walk(&Entity::parse(part), depth + 1));
            return;
        }
        match media_type.as_str() {
            "message/delivery-status" | "message/global-delivery-status" if self.status.is_none() => {
                self.status = Some(text_of(entity));
            }
            "message/rfc822"
            | "message/global"
            | "text/rfc822-headers"
            | "message/rfc822-headers"
            | "message/global-headers"
                if self.returned_id.is_none() =>
            {
                let raw = entity.decoded().unwrap_or(Cow::Borrowed(entity.raw_body()));
                self.returned_id = message_id(&Entity::parse(&raw).headers);
            }
            "text/plain" if self.returned_id.is_none() && self.text.len() < limits::BOUNCE_TEXT_BYTES_MAX => {
                self.text.push_str(&text_of(entity));
                self.text.push('\n');
            }
            _ => {}
        }
    }
}

fn text_of(entity: &Entity<'_>) -> String {
    let raw = entity.decoded().unwrap_or(Cow::Borrowed(entity.raw_body()));
    String::from_utf8_lossy(raw.get(..limits::BOUNCE_TEXT_BYTES_MAX).unwrap_or(&raw)).into_owned()
}

fn message_id(headers: &[Header<'_>]) -> Option<String> {
    let value = &headers.iter().find(|header| header.name == HeaderName::MessageId)?.value;
    let id = value.as_text_list().and_then(|ids| ids.first()).map(AsRef::as_ref).or_else(|| value.as_text())?;
    let id = id.trim().trim_start_matches('<').trim_end_matches('>');
    (!id.is_empty()).then(|| format!("<{id}>"))
}

/// To, and the fields in which servers note the recipient of the envelope.
fn sent_to(headers: &[Header<'_>]) -> Vec<Address> {
    const NOTED: [&str; 4] = ["Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To"];
    let noted =
        headers.iter().filter(|header| NOTED.iter().any(|name| header.name.as_str().eq_ignore_ascii_case(name)));
    let noted = noted.filter_map(|header| header.value.as_text());
    let noted = noted.map(|text| Address::in_mail(text.trim().trim_matches(['<', '>'])));
    noted.take(limits::PARTS_MAX).chain(sender::addresses(headers, &[HeaderName::To])).collect()
}

/// The fields of a delivery status: those of the message, then a group for each recipient (RFC 3464 §2.1).
fn fields_told(status: &str, parts: &mut Parts) -> Told {
    let mut groups = Vec::new();
    for (nth, group) in field_groups(status).into_iter().enumerate() {
        if nth == 0 {
            parts.envelope_id = value(&group, "original-envelope-id").map(|id| id.trim().to_owned());
        }
        // Some servers leave out the empty line behind the fields of the message.
        groups.extend(group_of(&group));
    }
    Told::Fields(groups)
}

/// Fields as name in lower case and value, folded lines joined (RFC 3464 §2.1.1).
type Fields = Vec<(String, String)>;

fn field_groups(status: &str) -> Vec<Fields> {
    let mut groups: Vec<Fields> = vec![Vec::new()];
    for line in status.lines().take(limits::REPORT_LINES_MAX) {
        let line = line.trim_end();
        let Some(group) = groups.last_mut() else { break };
        if line.is_empty() {
            if !group.is_empty() {
                groups.push(Vec::new());
            }
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = group.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            group.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    groups.into_iter().filter(|group| !group.is_empty()).take(limits::REPORT_GROUPS_MAX).collect()
}

fn value<'f>(fields: &'f Fields, name: &str) -> Option<&'f str> {
    fields.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
}

/// What a group says; nothing when it is about no recipient.
fn group_of(fields: &Fields) -> Option<Group> {
    let addresses = |name| value(fields, name).map_or_else(Vec::new, recipients_in);
    let (original, last) = (addresses("original-recipient"), addresses("final-recipient"));
    if original.is_empty() && last.is_empty() {
        return None;
    }
    let status = value(fields, "status").and_then(|status| status.split_ascii_whitespace().next());
    let status = status.filter(|status| is_status(status, &['2', '4', '5'])).map(str::to_owned);
    let is_success = status.as_deref().is_some_and(|status| status.starts_with('2'));
    let is_permanent = status.as_deref().is_some_and(|status| status.starts_with('5'));
    let action = value(fields, "action").map(|action| without_comment(action).to_ascii_lowercase());
    let has_failed = match action.as_deref() {
        Some("failed") => !is_success,
        // RFC 3464 §2.3.3 demands an Action; where there is none a status of class 5 says the same.
        None | Some("") => is_permanent,
        Some(_) => false,
    };
    let diagnostic = value(fields, "diagnostic-code").unwrap_or_default();
    let diagnostic = diagnostic.split_once(';').map_or(diagnostic, |(_, text)| text).trim().to_owned();
    Some(Group { original, last, has_failed, status, diagnostic })
}

fn without_comment(text: &str) -> &str {
    text.split('(').next().unwrap_or_default().trim()
}

/// The address behind `rfc822;` or `utf-8;`, in every reading that servers give it (RFC 3464 §2.3.1, RFC 6533 §3).
fn recipients_in(field: &str) -> Vec<Address> {
    let (kind, written) = match field.split_once(';') {
        Some((kind, address)) => (without_comment(kind).to_ascii_lowercase(), address),
        None => ("rfc822".to_owned(), field),
    };
    if !matches!(kind.as_str(), "rfc822" | "utf-8" | "smtp") {
        return Vec::new();
    }
    let written = written.trim().trim_matches(['<', '>']);
    let readings = [written.to_owned(), xtext_decoded(written), unicode_decoded(written)];
    let mut found: Vec<Address> = Vec::new();
    for reading in readings {
        let address = Address::in_mail(&reading);
        if address.is_mailable() && !found.contains(&address) {
            found.push(address);
        }
    }
    found
}

/// `+2B` for a plus: what RFC 3461 §4 wants on the wire, and some servers leave in the report.
fn xtext_decoded(text: &str) -> String {
    replaced(text, "+", |rest| {
        let code = rest.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok())?;
        code.is_ascii_graphic().then(|| (char::from(code), 2))
    })
}

/// `\x{FC}` for a letter outside of ASCII (RFC 6533 §3).
fn unicode_decoded(text: &str) -> String {
    replaced(text, "\\x{", |rest| {
        let digits = rest.split_once('}').map(|(digits, _)| digits).filter(|digits| digits.len() <= 6)?;
        let letter = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32).filter(|c| !c.is_control())?;
        Some((letter, digits.len() + 1))
    })
}

/// The text with every code decoded that follows `mark`; `decode` gives the letter and how many octets stand for it.
fn replaced(text: &str, mark: &str, decode: impl Fn(&str) -> Option<(char, usize)>) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, behind)) = rest.split_once(mark) {
        out.push_str(before);
        match decode(behind) {
            Some((letter, octets)) => {
                out.push(letter);
                rest = behind.get(octets..).unwrap_or_default();
            }
            None => {
                out.push_str(mark);
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    out
}

/// Who failed, by one of the forms without fields; nothing when no mail system wrote this.
fn words_told(entity: &Entity<'_>, parts: &Parts) -> Option<Told> {
    let failed: Vec<&str> = entity
        .headers
        .iter()
        .filter(|header| header.name.as_str().eq_ignore_ascii_case("X-Failed-Recipients"))
        .filter_map(|header| header.value.as_text())
        .flat_map(|names| names.split(','))
        .collect();
    if !is_from_mail_system(&entity.headers) {
        return None;
    }
    if !failed.is_empty() {
        let why = parts.text.lines().find(|line| tells_failure(line)).unwrap_or_default();
        let names = failed.into_iter().take(limits::REPORT_GROUPS_MAX);
        return Some(Told::Names(names.map(|name| (Address::in_mail(name), why.to_owned())).collect()));
    }
    let own_words = before_returned_mail(&parts.text);
    match own_words.trim_start().starts_with("Hi. This is the") {
        true => Some(Told::Names(qmail_paragraphs(own_words))),
        false => Some(Told::Words(own_words.to_owned())),
    }
}

/// The names under which mail systems write; RFC 5321 §4.5.5 has the first, RFC 2142 §5 the second.
pub(super) fn is_from_mail_system(headers: &[Header<'_>]) -> bool {
    let from = sender::addresses(headers, &[HeaderName::From]);
    let local = from.first().and_then(|author| author.as_str().split('@').next());
    local.is_some_and(|local| matches!(local, "mailer-daemon" | "postmaster") || local.starts_with("microsoftexchange"))
}

/// QSBMF: a paragraph for each recipient, led by `<address>:`.
fn qmail_paragraphs(text: &str) -> Vec<(Address, String)> {
    let text = text.replace("\r\n", "\n");
    let paragraph = |paragraph: &str| {
        let (address, why) = paragraph.trim_start().strip_prefix('<')?.split_once(">:")?;
        (!address.contains(char::is_whitespace)).then(|| (Address::in_mail(address), why.to_owned()))
    };
    text.split("\n\n").filter_map(paragraph).take(limits::REPORT_GROUPS_MAX).collect()
}

/// What stands before a line that introduces the copy of the mail.
fn before_returned_mail(text: &str) -> &str {
    let marks = ["--- Below this line", "------ This is a copy", "----- Original message", "-----Original Message"];
    let is_start = |line: &str| marks.iter().any(|mark| line.trim_start().starts_with(mark));
    let octets: usize = text.split_inclusive('\n').take_while(|line| !is_start(line)).map(str::len).sum();
    text.get(..octets).unwrap_or(text)
}

/// The Message-ID in a copy of the mail that is part of the text.
fn returned_in_text(text: &str) -> Option<String> {
    let copy = text.get(before_returned_mail(text).len()..)?;
    let line = copy.lines().find(|line| line.get(..11).is_some_and(|name| name.eq_ignore_ascii_case("message-id:")))?;
    let id = line.get(11..)?.trim();
    (id.starts_with('<') && id.ends_with('>') && id.len() <= limits::MESSAGE_ID_OCTETS_MAX).then(|| id.to_owned())
}

#[cfg(test)]
#[path = "bounce_tests.rs"]
mod bounce_tests;
