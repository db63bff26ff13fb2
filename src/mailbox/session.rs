//! A session, and the mails of its open folder.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use chrono::{DateTime, FixedOffset, NaiveDate};
use imap_proto::{AttributeValue, MailboxDatum, Response, SectionPath};

use super::argument::{ImapUid, date, uid_range, uid_set};
use super::credentials::Credentials;
use super::error::MailboxError;
use super::limits::{PEOPLE_FIELDS_BYTES_MAX, SEARCH_WINDOW, SENDER_FIELDS_BYTES_MAX, STRUCTURES_MAX};
use super::login::{Capabilities, open};
use super::ordinary::date_time;
use super::structure::{MailStructure, Outline};
use super::transport::ImapServer;
use super::wire::{Command, Wire};

/// One connection, logged in as one user.
pub struct Session {
    pub(super) wire: Wire,
    capabilities: Capabilities,
    pub(super) news: News,
    /// The folder that is open.
    pub(super) open: Option<String>,
}

/// Which header fields are asked for along with a structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fields {
    None,
    /// Who wrote the mail, and in answer to what.
    Sender,
    /// Who wrote the mail, and to whom.
    People,
}

/// What the server has told of the open folder by the way. RFC 3501 §7: it may do so in any answer.
#[derive(Debug, Default)]
pub(super) struct News {
    /// How many mails the folder holds.
    pub(super) exists: u32,
    /// How many it held when an open-ended question was asked last.
    pub(super) known: u32,
    /// Whether mail has arrived that no open-ended question has covered yet.
    pub(super) arrived: bool,
    /// Whether the server has told of another folder by itself, as it does after NOTIFY.
    pub(super) elsewhere: bool,
    /// Whether the server has given NOTIFY up. RFC 5465 §5.8.
    pub(super) overflow: bool,
    /// Whether changes of flags count as news.
    pub(super) heeds_flags: bool,
}

impl Session {
    /// A new connection, logged in.
    pub async fn connect(server: &ImapServer, credentials: &Credentials) -> Result<Self, MailboxError> {
        let (wire, capabilities) = open(server, credentials).await?;
        Ok(Self { wire, capabilities, news: News::default(), open: None })
    }

    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// The folder that is open, as it was named to [`examine`](Self::examine).
    pub fn open_folder(&self) -> Option<&str> {
        self.open.as_deref()
    }

    /// By how many mails the open folder has grown since it was opened, or since all behind some mail was asked for.
    pub fn fresh(&self) -> u32 {
        self.news.exists.saturating_sub(self.news.known)
    }

    /// Whether another command may be sent: no error but a refusal by NO has happened.
    pub fn is_usable(&self) -> bool {
        self.wire.is_in_step()
    }

    /// The structures of the mails from `first` to `last`, or to the newest; ascending, at most [`STRUCTURES_MAX`].
    ///
    /// Where there are more, the lowest are given, and the rest is asked for from behind the last of them.
    pub async fn structures(
        &mut self,
        first: ImapUid,
        last: Option<ImapUid>,
        fields: Fields,
    ) -> Result<Vec<MailStructure>, MailboxError> {
        let items = format!("UID RFC822.SIZE INTERNALDATE BODYSTRUCTURE{}", fields.item());
        self.gather(first, last, &items).await
    }

    /// As [`structures`](Self::structures), but every outline is unknown.
    ///
    /// For a range in which a mail has a structure that cannot be understood; such a mail is then fetched whole.
    pub async fn sizes(&mut self, first: ImapUid, last: Option<ImapUid>) -> Result<Vec<MailStructure>, MailboxError> {
        self.gather(first, last, "UID RFC822.SIZE INTERNALDATE").await
    }

    /// As [`structures`](Self::structures), for some mails, ascending; at most [`STRUCTURES_MAX`] of them.
    pub async fn structures_of(
        &mut self,
        uids: &[ImapUid],
        fields: Fields,
    ) -> Result<Vec<MailStructure>, MailboxError> {
        self.some_of(uids, &format!("UID RFC822.SIZE INTERNALDATE BODYSTRUCTURE{}", fields.item())).await
    }

    /// As [`structures_of`](Self::structures_of) with the people in them, but every outline is unknown.
    pub async fn people_of(&mut self, uids: &[ImapUid]) -> Result<Vec<MailStructure>, MailboxError> {
        self.some_of(uids, &format!("UID RFC822.SIZE INTERNALDATE{}", Fields::People.item())).await
    }

    async fn some_of(&mut self, uids: &[ImapUid], items: &str) -> Result<Vec<MailStructure>, MailboxError> {
        let (Some(first), Some(last)) = (uids.first(), uids.last()) else { return Ok(Vec::new()) };
        let mut mails = self.gather_set(&uid_set(uids), *first..=*last, items).await?;
        mails.retain(|mail| uids.binary_search(&mail.uid).is_ok());
        Ok(mails)
    }

    async fn gather(
        &mut self,
        first: ImapUid,
        last: Option<ImapUid>,
        items: &str,
    ) -> Result<Vec<MailStructure>, MailboxError> {
        if last.is_none() {
            self.news.arrived = false;
            self.news.known = self.news.exists;
        }
        let range = first..=last.unwrap_or(ImapUid(u32::MAX));
        self.gather_set(&uid_range(first, last), range, items).await
    }

    async fn gather_set(
        &mut self,
        set: &str,
        range: RangeInclusive<ImapUid>,
        items: &str,
    ) -> Result<Vec<MailStructure>, MailboxError> {
        let command = Command::open(format!("UID FETCH {set} ({items})"));
        let mut mails = BTreeMap::<ImapUid, Gathered>::new();
        let news = &mut self.news;
        let ordinary = self.wire.survey(&command, |response| {
            news.note(response);
            let Response::Fetch(_, attributes) = response else { return };
            // RFC 3501 §6.4.8: `n:*` always names the last mail, even when its identifier is below n.
            let Some(uid) = uid_of(attributes).filter(|uid| range.contains(uid)) else { return };
            mails.entry(uid).or_default().add(attributes);
            if mails.len() > STRUCTURES_MAX {
                mails.pop_last();
            }
        });
        let ordinary = ordinary.await?.into_iter().filter(|mail| range.contains(&mail.uid));
        let parsed = mails.into_iter().filter_map(|(uid, gathered)| gathered.into_structure(uid));
        // Of a mail that was told in both ways the parser knows more; the sort keeps their order.
        let mut told: Vec<_> = parsed.chain(ordinary).collect();
        told.sort_by_key(|mail| mail.uid);
        told.dedup_by_key(|mail| mail.uid);
        told.truncate(STRUCTURES_MAX);
        Ok(told)
    }

    /// The mails of the open folder that were received on `day` or later, ascending. RFC 3501 §6.4.4.
    pub async fn search_since(&mut self, day: NaiveDate) -> Result<Vec<ImapUid>, MailboxError> {
        let mut found = BTreeSet::new();
        // From the newest down: when mails are expunged meanwhile, those above move into a window still to come.
        let mut top = self.news.exists;
        while top > 0 {
            let bottom = top.saturating_sub(SEARCH_WINDOW - 1).max(1);
            let command = Command::open(format!("UID SEARCH {bottom}:{top} SINCE {}", date(day)));
            self.run(&command, |response| {
                if let Response::MailboxData(MailboxDatum::Search(uids)) = response {
                    found.extend(uids.iter().copied().map(ImapUid));
                }
            })
            .await?;
            top = (bottom - 1).min(self.news.exists);
        }
        Ok(found.into_iter().collect())
    }

    /// Asks for news of the open folder, and keeps the connection awake. RFC 3501 §6.1.2.
    pub async fn noop(&mut self) -> Result<(), MailboxError> {
        self.run(&Command::open("NOOP"), |_| {}).await
    }

    /// Says goodbye. RFC 3501 §6.1.3: the server answers BYE first, and may close before the tagged OK.
    pub async fn logout(mut self) -> Result<(), MailboxError> {
        match self.run(&Command::open("LOGOUT"), |_| {}).await {
            Ok(()) | Err(MailboxError::Closed { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn run(
        &mut self,
        command: &Command,
        mut each: impl FnMut(&Response<'_>),
    ) -> Result<(), MailboxError> {
        let news = &mut self.news;
        let result = self.wire.run(command, |response| {
            news.note(response);
            each(response);
        });
        result.await
    }
}

impl News {
    pub(super) fn note(&mut self, response: &Response<'_>) {
        match response {
            Response::MailboxData(MailboxDatum::Exists(count)) => {
                self.exists = *count;
                self.arrived = true;
            }
            Response::Expunge(_) => self.lose(1),
            // RFC 7162 §3.2.10.2: in place of EXPUNGE, should the server think that we know QRESYNC.
            Response::Vanished { earlier: false, uids } => {
                let gone: u64 =
                    uids.iter().map(|range| u64::from(range.end().saturating_sub(*range.start())) + 1).sum();
                self.lose(u32::try_from(gone).unwrap_or(u32::MAX));
            }
            Response::MailboxData(MailboxDatum::Status { .. }) => self.elsewhere = true,
            // Flags are never asked for, so the server tells of a change. RFC 3501 §7.4.2.
            Response::Fetch(_, attributes) if self.heeds_flags && has_flags(attributes) => self.elsewhere = true,
            Response::Data { outcome, .. } if is_overflow(outcome) => self.overflow = true,
            _ => {}
        }
    }

    fn lose(&mut self, gone: u32) {
        self.exists = self.exists.saturating_sub(gone);
        self.known = self.known.saturating_sub(gone);
    }
}

fn has_flags(attributes: &[AttributeValue<'_>]) -> bool {
    attributes.iter().any(|attribute| matches!(attribute, AttributeValue::Flags(_)))
}

/// RFC 5465 §5.8: the server tells no more by itself.
fn is_overflow(outcome: &imap_proto::Outcome<'_>) -> bool {
    outcome.information.as_deref().is_some_and(|text| text.starts_with("[NOTIFICATIONOVERFLOW]"))
}

impl Fields {
    /// What is added to the items of a FETCH. RFC 3501 §6.4.5.
    fn item(self) -> String {
        match self {
            Self::None => String::new(),
            Self::Sender => {
                format!(" BODY.PEEK[HEADER.FIELDS (FROM SUBJECT IN-REPLY-TO)]<0.{SENDER_FIELDS_BYTES_MAX}>")
            }
            Self::People => format!(" BODY.PEEK[HEADER.FIELDS (FROM TO CC IN-REPLY-TO)]<0.{PEOPLE_FIELDS_BYTES_MAX}>"),
        }
    }
}

/// What FETCH responses have told of one mail; a server may tell it in several.
#[derive(Default)]
struct Gathered {
    octets: Option<u32>,
    internal_date: Option<DateTime<FixedOffset>>,
    outline: Option<Outline>,
    fields: Vec<u8>,
}

impl Gathered {
    fn add(&mut self, attributes: &[AttributeValue<'_>]) {
        for attribute in attributes {
            match attribute {
                AttributeValue::Rfc822Size(octets) => self.octets = Some(*octets),
                AttributeValue::InternalDate(text) => {
                    let by_library = || DateTime::parse_from_str(text.trim(), "%d-%b-%Y %H:%M:%S %z").ok();
                    self.internal_date = date_time(text.as_bytes()).or_else(by_library);
                }
                AttributeValue::BodyStructure(structure) => self.outline = Some(Outline::of(structure)),
                AttributeValue::BodySection { section: Some(SectionPath::Full(_)), data: Some(data), .. } => {
                    // A server may send more than it was asked for, and that for a thousand mails.
                    self.fields = data.get(..PEOPLE_FIELDS_BYTES_MAX).unwrap_or(data).to_vec();
                }
                _ => {}
            }
        }
    }

    /// Nothing when only flags were told, which a server may do at any time.
    fn into_structure(self, uid: ImapUid) -> Option<MailStructure> {
        if self.octets.is_none() && self.outline.is_none() {
            return None;
        }
        let outline = self.outline.unwrap_or_else(Outline::unknown);
        // An unknown size counts as large, so that the mail is fetched in pieces.
        let (octets, fields) = (self.octets.unwrap_or(u32::MAX), self.fields);
        Some(MailStructure { uid, octets, internal_date: self.internal_date, outline, fields })
    }
}

/// What one FETCH response has told of a mail.
#[cfg(test)]
pub(super) fn told(attributes: &[AttributeValue<'_>]) -> Option<MailStructure> {
    let mut gathered = Gathered::default();
    gathered.add(attributes);
    gathered.into_structure(uid_of(attributes)?)
}

pub(super) fn uid_of(attributes: &[AttributeValue<'_>]) -> Option<ImapUid> {
    attributes.iter().find_map(|attribute| match attribute {
        AttributeValue::Uid(uid) => Some(ImapUid(*uid)),
        _ => None,
    })
}
