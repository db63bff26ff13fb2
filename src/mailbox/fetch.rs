//! Fetching of a mail one needs as much as its calendar parts take.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset};
use imap_proto::{AttributeValue, MessageSection, Response, SectionPath};

use super::abridge::{Piece, abridged, rejoined};
use super::argument::{ImapUid, peek, uid_set};
use super::error::MailboxError;
use super::limits::{
    BATCH_BYTES_MAX, BATCH_MAILS_MAX, CALENDAR_PART_BYTES_MAX, HEADER_BYTES_MAX, PARTS_BYTES_MAX,
    UNREADABLE_MAIL_BYTES_MAX, WHOLE_MAIL_BYTES_MAX,
};
use super::session::{Session, uid_of};
use super::structure::{MailPart, MailStructure, PartHeader, Shape};
use super::wire::{Command, garbage};

/// What came of fetching a mail; none of it is worth another attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    Mail(FetchedMail),
    /// The mail is not in the folder any more.
    Vanished,
    /// `what` has `octets`, as far as the server tells, and more than `octets_max` are not fetched.
    TooLarge {
        what: &'static str,
        octets: u32,
        octets_max: u32,
    },
}

/// A mail, or as much of it as matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedMail {
    pub uid: ImapUid,
    pub internal_date: Option<DateTime<FixedOffset>>,
    /// As RFC 5322 has it, ready for a parser.
    pub raw: Vec<u8>,
    /// Whether `raw` is the mail as it is, and not its header with a few of its parts.
    pub whole: bool,
}

/// How a mail is fetched.
enum Way<'a> {
    Whole,
    /// The header and these parts.
    Parts(Vec<&'a MailPart>),
    TooLarge(Fetched),
}

/// The sections that were asked for, by their specifier; nothing when the mail was not there.
type Sections = BTreeMap<String, Vec<u8>>;

/// The specifier of the whole mail.
const WHOLE: &str = "";

impl Session {
    /// Fetches a mail of the open folder: whole when it is small, otherwise abridged to header and calendar parts.
    ///
    /// A report is abridged to its status and the header of what it returns. Parts that are too large are left out
    /// as long as another one is left.
    pub async fn fetch(&mut self, mail: &MailStructure) -> Result<Fetched, MailboxError> {
        match way(mail) {
            Way::Parts(_) if self.is_wanted_whole(mail) => self.fetch_whole(mail).await,
            Way::Whole => self.fetch_whole(mail).await,
            Way::Parts(parts) => self.fetch_parts(mail, &parts).await,
            Way::TooLarge(outcome) => Ok(outcome),
        }
    }

    /// Whether a mail of which the parts would do is fetched whole all the same.
    fn is_wanted_whole(&self, mail: &MailStructure) -> bool {
        let has_calendar = !mail.outline.calendar_parts.is_empty();
        let fits = mail.outline.calendar_parts.iter().all(|part| part.octets <= CALENDAR_PART_BYTES_MAX);
        has_calendar && fits && mail.octets <= self.whole_bytes_max
    }

    /// How many of these mails, from the first on, [`fetch_many`](Self::fetch_many) takes at once; 0 when the first has to be
    /// fetched by itself.
    pub fn batch_of<'a>(mails: impl IntoIterator<Item = &'a MailStructure>) -> usize {
        let mut budget = BATCH_BYTES_MAX;
        let fitting = mails.into_iter().take(BATCH_MAILS_MAX).take_while(|mail| {
            let left = budget.checked_sub(mail.octets).filter(|_| matches!(way(mail), Way::Whole));
            budget = left.unwrap_or(0);
            left.is_some()
        });
        fitting.count()
    }

    /// Fetches small mails of the open folder with one command; those that have vanished are left out.
    pub async fn fetch_many(&mut self, mails: &[&MailStructure]) -> Result<Vec<FetchedMail>, MailboxError> {
        let mut uids: Vec<_> = mails.iter().map(|mail| mail.uid).collect();
        uids.sort_unstable();
        let command = Command::open(format!("UID FETCH {} (UID BODY.PEEK[])", uid_set(&uids)));
        let mut texts = BTreeMap::<ImapUid, Vec<u8>>::new();
        self.run(&command, |response| {
            let Response::Fetch(_, attributes) = response else { return };
            let Some(uid) = uid_of(attributes).filter(|uid| uids.contains(uid)) else { return };
            for attribute in attributes {
                if let AttributeValue::BodySection { section: None, data: Some(data), .. } = attribute {
                    texts.insert(uid, data.to_vec());
                }
            }
        })
        .await?;
        Ok(mails
            .iter()
            .filter_map(|mail| {
                let raw = texts.remove(&mail.uid)?;
                Some(FetchedMail { uid: mail.uid, internal_date: mail.internal_date, raw, whole: true })
            })
            .collect())
    }

    /// The header of a mail of the open folder, cut behind what is read of one; nothing when the mail is gone.
    pub async fn header(&mut self, uid: ImapUid) -> Result<Option<Vec<u8>>, MailboxError> {
        let sections = self.sections(uid, &["HEADER".to_owned()]).await?;
        Ok(sections.and_then(|mut sections| sections.remove("HEADER")))
    }

    async fn fetch_whole(&mut self, mail: &MailStructure) -> Result<Fetched, MailboxError> {
        let Some(mut sections) = self.sections(mail.uid, &[WHOLE.to_owned()]).await? else {
            return Ok(Fetched::Vanished);
        };
        match sections.remove(WHOLE) {
            Some(raw) => Ok(fetched(mail, raw, true)),
            None => Ok(Fetched::Vanished),
        }
    }

    async fn fetch_parts(&mut self, mail: &MailStructure, parts: &[&MailPart]) -> Result<Fetched, MailboxError> {
        let mut wanted = vec!["HEADER".to_owned()];
        for part in parts {
            wanted.push(part.section.clone());
            if let PartHeader::Section(section) = &part.header {
                wanted.push(section.clone());
            }
        }
        let Some(mut sections) = self.sections(mail.uid, &wanted).await? else { return Ok(Fetched::Vanished) };
        let Some(header) = sections.remove("HEADER") else { return Ok(Fetched::Vanished) };
        let octets = u32::try_from(header.len()).unwrap_or(u32::MAX);
        if octets > HEADER_BYTES_MAX {
            return Ok(Fetched::TooLarge { what: "the header", octets, octets_max: HEADER_BYTES_MAX });
        }
        let pieces: Vec<_> = parts.iter().map(|part| piece(part, &sections)).collect();
        let raw = match (parts, pieces.as_slice()) {
            ([MailPart { header: PartHeader::OfMail, .. }], [only]) => rejoined(&header, &only.body),
            _ => abridged(&header, &mail.outline.shape, &pieces),
        };
        Ok(fetched(mail, raw, false))
    }

    /// Fetches sections without marking the mail as seen. RFC 3501 §6.4.5.
    async fn sections(&mut self, uid: ImapUid, wanted: &[String]) -> Result<Option<Sections>, MailboxError> {
        let items: Vec<_> = wanted.iter().map(|section| peek(section)).collect();
        let command = Command::open(format!("UID FETCH {uid} (UID {})", items.join(" ")));
        let mut found: Option<Sections> = None;
        self.run(&command, |response| {
            let Response::Fetch(_, attributes) = response else { return };
            if uid_of(attributes) != Some(uid) {
                return;
            }
            for attribute in attributes {
                // NIL stands for what is not there, as a mail expunged by somebody else.
                let AttributeValue::BodySection { section, data: Some(data), .. } = attribute else { continue };
                found.get_or_insert_default().insert(specifier(section.as_ref()), data.to_vec());
            }
        })
        .await?;
        match &found {
            Some(sections) if !sections.keys().any(|section| wanted.contains(section)) => {
                Err(garbage(&command.name, "other sections than those asked for"))
            }
            _ => Ok(found),
        }
    }
}

fn way(mail: &MailStructure) -> Way<'_> {
    let outline = &mail.outline;
    if outline.shape == Shape::Unknown && mail.octets > UNREADABLE_MAIL_BYTES_MAX {
        let what = "the mail, whose structure is not known,";
        return Way::TooLarge(too_large(what, mail.octets, UNREADABLE_MAIL_BYTES_MAX));
    }
    if mail.octets <= WHOLE_MAIL_BYTES_MAX || outline.shape == Shape::Unknown {
        return Way::Whole;
    }
    let all = || outline.report_parts.iter().chain(&outline.calendar_parts);
    let mut budget = PARTS_BYTES_MAX;
    let parts: Vec<_> = all().filter(|part| fits(part, &mut budget)).collect();
    match all().map(|part| part.octets).max() {
        Some(octets) if parts.is_empty() => {
            Way::TooLarge(too_large("the calendar part", octets, CALENDAR_PART_BYTES_MAX))
        }
        _ => Way::Parts(parts),
    }
}

fn fits(part: &MailPart, budget: &mut u32) -> bool {
    if part.octets > CALENDAR_PART_BYTES_MAX {
        return false;
    }
    match budget.checked_sub(part.octets) {
        Some(left) => {
            *budget = left;
            true
        }
        None => false,
    }
}

fn too_large(what: &'static str, octets: u32, octets_max: u32) -> Fetched {
    Fetched::TooLarge { what, octets, octets_max }
}

fn fetched(mail: &MailStructure, raw: Vec<u8>, whole: bool) -> Fetched {
    Fetched::Mail(FetchedMail { uid: mail.uid, internal_date: mail.internal_date, raw, whole })
}

/// A part as far as the server gave it; an empty one is as good as none to whoever reads the mail.
fn piece(part: &MailPart, sections: &Sections) -> Piece {
    let text = |section: &str| sections.get(section).cloned().unwrap_or_default();
    let fields = match &part.header {
        PartHeader::Section(section) => text(section),
        PartHeader::Fixed(kind) => format!("Content-Type: {kind}\r\n").into_bytes(),
        PartHeader::OfMail => Vec::new(),
    };
    Piece { fields, body: text(&part.section), inside_message: part.inside_message }
}

/// The specifier as it was asked for: `HEADER`, `2`, `1.3.MIME`, or empty for the whole mail.
fn specifier(section: Option<&SectionPath>) -> String {
    let name = |text: &MessageSection| match text {
        MessageSection::Header => "HEADER",
        MessageSection::Mime => "MIME",
        MessageSection::Text => "TEXT",
    };
    match section {
        None => WHOLE.to_owned(),
        Some(SectionPath::Full(text)) => name(text).to_owned(),
        Some(SectionPath::Part(numbers, text)) => {
            let mut words: Vec<_> = numbers.iter().map(u32::to_string).collect();
            words.extend(text.as_ref().map(|text| name(text).to_owned()));
            words.join(".")
        }
    }
}
