//! Folders: opening one for reading, and what can be told of the others.

use imap_proto::{MailboxDatum, Outcome as StatusText, Response, ResponseCode, StatusAttribute};

use crate::imip::answer::Choice;

use super::argument::{ImapUid, UidValidity, folder_name};
use super::error::{MailboxError, Refusal, code_is_transient};
use super::limits::{FOLDER_NAME_BYTES_MAX, FOLDERS_MAX};
use super::session::{Session, uid_of};
use super::wire::{Command, garbage};

/// The state of a folder when it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FolderState {
    pub uid_validity: UidValidity,
    /// Every mail that arrives from now on has at least this identifier.
    pub uid_next: ImapUid,
    /// How many mails the folder holds.
    pub exists: u32,
    /// A number that grows with every change, where the server keeps one. RFC 7162 §3.1.2.1.
    pub highest_modseq: Option<u64>,
}

/// A folder as LIST tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// The name as the server spells it, in modified UTF-7; to be given back as it is.
    pub name: String,
    /// What stands between the names of a folder and of one in it; nothing where folders hold no folders.
    pub delimiter: Option<String>,
    /// Its attributes with the backslash, such as `\Sent`. RFC 6154 §2.
    pub attributes: Vec<String>,
}

/// What a folder is to its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FolderRole {
    /// Where mail arrives.
    Inbox,
    /// Where the user's mail programs keep what the user has sent. RFC 6154 §2, \Sent.
    Sent,
    /// Where the user puts what they accept, or decline, or may come to.
    Answers(Choice),
    /// Any other one that is watched.
    Other,
}

impl Folder {
    /// Whether the folder has the attribute, compared without case.
    pub fn has(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|own| own.eq_ignore_ascii_case(attribute))
    }
}

impl Session {
    /// Opens a folder for reading only, RFC 3501 §6.3.2; SELECT would let FETCH change flags.
    pub async fn examine(&mut self, folder: &str) -> Result<FolderState, MailboxError> {
        // RFC 7162 §3.1.8: from then on the server keeps the number, also while nobody looks.
        let parameter = if self.capabilities().has("CONDSTORE") { " (CONDSTORE)" } else { "" };
        let command = Command::open(format!("EXAMINE {}{parameter}", folder_name(folder)?));
        (self.news.exists, self.news.arrived) = (0, false);
        self.open = None;
        let (mut exists, mut uid_validity, mut uid_next, mut highest_modseq) = (None, None, None, None);
        let result = self.run(&command, |response| match response {
            Response::MailboxData(MailboxDatum::Exists(count)) => exists = Some(*count),
            Response::Data { outcome: StatusText { code: Some(ResponseCode::UidValidity(value)), .. }, .. } => {
                uid_validity = Some(UidValidity(*value));
            }
            Response::Data { outcome: StatusText { code: Some(ResponseCode::UidNext(value)), .. }, .. } => {
                uid_next = Some(ImapUid(*value));
            }
            Response::Data { outcome: StatusText { code: Some(ResponseCode::HighestModSeq(value)), .. }, .. } => {
                highest_modseq = Some(*value);
            }
            _ => {}
        });
        result.await.map_err(|e| no_such_folder(folder, e))?;
        self.news.arrived = false;
        self.news.known = self.news.exists;
        let exists = exists.ok_or_else(|| garbage(&command.name, "no EXISTS"))?;
        // RFC 3501 §6.3.1: a server that does not tell UIDVALIDITY has no lasting identifiers.
        let uid_validity = uid_validity.ok_or_else(|| garbage(&command.name, "no UIDVALIDITY"))?;
        let uid_next = match uid_next {
            Some(uid_next) => uid_next,
            None => self.behind_the_last(exists).await?,
        };
        self.open = Some(folder.to_owned());
        Ok(FolderState { uid_validity, uid_next, exists, highest_modseq })
    }

    /// The state of a folder that is not opened. RFC 3501 §6.3.10.
    pub async fn status(&mut self, folder: &str) -> Result<FolderState, MailboxError> {
        let modseq = if self.capabilities().has("CONDSTORE") { " HIGHESTMODSEQ" } else { "" };
        let command = Command::open(format!("STATUS {} (MESSAGES UIDNEXT UIDVALIDITY{modseq})", folder_name(folder)?));
        let (mut exists, mut uid_validity, mut uid_next, mut highest_modseq) = (None, None, None, None);
        let (elsewhere, mut told) = (self.news.elsewhere, 0);
        let result = self.run(&command, |response| {
            let Response::MailboxData(MailboxDatum::Status { status, .. }) = response else { return };
            told += 1;
            for attribute in status {
                match attribute {
                    StatusAttribute::Messages(count) => exists = Some(*count),
                    StatusAttribute::UidNext(value) => uid_next = Some(ImapUid(*value)),
                    StatusAttribute::UidValidity(value) => uid_validity = Some(UidValidity(*value)),
                    StatusAttribute::HighestModSeq(value) => highest_modseq = Some(*value),
                    _ => {}
                }
            }
        });
        let result = result.await;
        // The one that was asked for is no news.
        self.news.elsewhere = elsewhere || told > 1;
        result.map_err(|e| no_such_folder(folder, e))?;
        match (exists, uid_validity, uid_next) {
            (Some(exists), Some(uid_validity), Some(uid_next)) => {
                Ok(FolderState { uid_validity, uid_next, exists, highest_modseq })
            }
            _ => Err(garbage(&command.name, "MESSAGES, UIDNEXT or UIDVALIDITY is missing")),
        }
    }

    /// All folders of the user. RFC 3501 §6.3.8; with their uses, RFC 6154 §5.
    pub async fn folders(&mut self) -> Result<Vec<Folder>, MailboxError> {
        let mut folders = Vec::new();
        // A server may tell the uses only when asked for them.
        let uses = if self.capabilities().has("SPECIAL-USE") && self.capabilities().has("LIST-EXTENDED") {
            " RETURN (SPECIAL-USE)"
        } else {
            ""
        };
        let list = Command::open(format!("LIST \"\" \"*\"{uses}"));
        self.run(&list, |response| {
            let Response::MailboxData(MailboxDatum::List(data)) = response else { return };
            let name = unescaped(&data.name);
            // Such a name could not be given back in a command.
            let is_usable = name.len() <= FOLDER_NAME_BYTES_MAX && !name.chars().any(char::is_control);
            if folders.len() < FOLDERS_MAX && is_usable {
                let attributes = data.name_attributes.iter().map(attribute_text).collect();
                folders.push(Folder { name, delimiter: data.delimiter.as_deref().map(str::to_owned), attributes });
            }
        })
        .await?;
        Ok(folders)
    }

    /// The identifier that follows the highest in the open folder, for a server that does not tell UIDNEXT.
    async fn behind_the_last(&mut self, exists: u32) -> Result<ImapUid, MailboxError> {
        let mut next = ImapUid::FIRST;
        if exists > 0 {
            self.run(&Command::open("UID FETCH * (UID)"), |response| {
                if let Response::Fetch(_, attributes) = response {
                    next = next.max(uid_of(attributes).map_or(ImapUid::FIRST, ImapUid::next));
                }
            })
            .await?;
        }
        Ok(next)
    }
}

/// A NO to opening a folder means that it is not there or not ours, RFC 3501 §6.3.1, unless a code says otherwise.
fn no_such_folder(folder: &str, error: MailboxError) -> MailboxError {
    match error {
        MailboxError::Refused { status: Refusal::No, text, .. } if !code_is_transient(&text) => {
            MailboxError::NoSuchFolder { folder: folder.to_owned(), text }
        }
        other => other,
    }
}

fn attribute_text(attribute: &imap_proto::NameAttribute<'_>) -> String {
    use imap_proto::NameAttribute as Name;
    match attribute {
        Name::NoInferiors => "\\Noinferiors".to_owned(),
        Name::NoSelect => "\\Noselect".to_owned(),
        Name::Marked => "\\Marked".to_owned(),
        Name::Unmarked => "\\Unmarked".to_owned(),
        Name::All => "\\All".to_owned(),
        Name::Archive => "\\Archive".to_owned(),
        Name::Drafts => "\\Drafts".to_owned(),
        Name::Flagged => "\\Flagged".to_owned(),
        Name::Junk => "\\Junk".to_owned(),
        Name::Sent => "\\Sent".to_owned(),
        Name::Trash => "\\Trash".to_owned(),
        Name::Extension(text) => text.to_string(),
        _ => String::new(),
    }
}

/// imap-proto leaves the backslashes of a quoted string where they are. RFC 3501 §4.3.
fn unescaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('\\', Some('"' | '\\')) => out.extend(characters.next()),
            _ => out.push(character),
        }
    }
    out
}
