//! Setting a keyword on mails: the one thing that is changed about a mail, and only where it is asked for.

use imap_proto::{Outcome as StatusText, Response, ResponseCode};

use super::argument::{ImapUid, UidValidity, folder_name, uid_set};
use super::error::{MailboxError, Refusal, code_is_transient};
use super::session::Session;
use super::wire::Command;

/// What is done to a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkChange<'a> {
    Set(&'a str),
    Clear(&'a str),
}

/// What became of a keyword that was to be set or cleared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marked {
    /// Every one of the mails that is still there has it, or has it not.
    Done,
    /// The folder was made anew; which mails are meant nobody knows.
    Renumbered,
    /// The server keeps no such keyword in this folder, for this reason; trying again is no use.
    Refused(String),
}

/// What SELECT tells about flags.
#[derive(Default)]
struct Selected {
    uid_validity: Option<UidValidity>,
    /// The flags that last; nothing where the server does not say, and then all do. RFC 3501 §7.1.
    permanent: Option<Vec<String>>,
}

impl Session {
    /// Sets or clears keywords on mails of a folder, which is opened for it and is the open one afterwards.
    ///
    /// Shape: `uids` ascend; a keyword is an IMAP atom, so no flag of the system's, which begin with a backslash. \Seen and all other
    /// flags stay as they are. RFC 3501 §6.4.6, §2.3.2.
    pub async fn mark(
        &mut self,
        (folder, uid_validity): (&str, UidValidity),
        uids: &[ImapUid],
        changes: &[MarkChange<'_>],
    ) -> Result<Marked, MailboxError> {
        let selected = self.select_for_change(folder).await?;
        if selected.uid_validity != Some(uid_validity) {
            return Ok(Marked::Renumbered);
        }
        for change in changes {
            let (sign, keyword) = match *change {
                MarkChange::Set(keyword) if !selected.keeps(keyword) => {
                    return Ok(Marked::Refused("the server keeps no new keywords in this folder".to_owned()));
                }
                MarkChange::Set(keyword) => ('+', atom(keyword)?),
                MarkChange::Clear(keyword) => ('-', atom(keyword)?),
            };
            let text = format!("UID STORE {} {sign}FLAGS.SILENT ({keyword})", uid_set(uids));
            match self.run(&Command::open(text), |_| {}).await {
                Ok(()) => {}
                Err(MailboxError::Refused { status: Refusal::No, text, .. }) if !code_is_transient(&text) => {
                    return Ok(Marked::Refused(text));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Marked::Done)
    }

    /// Opens a folder for changes; its UIDVALIDITY.
    pub(super) async fn select(&mut self, folder: &str) -> Result<Option<UidValidity>, MailboxError> {
        Ok(self.select_for_change(folder).await?.uid_validity)
    }

    async fn select_for_change(&mut self, folder: &str) -> Result<Selected, MailboxError> {
        let command = Command::open(format!("SELECT {}", folder_name(folder)?));
        let mut selected = Selected::default();
        self.open = None;
        self.run(&command, |response| selected.note(response)).await?;
        self.open = Some(folder.to_owned());
        Ok(selected)
    }
}

impl Selected {
    fn note(&mut self, response: &Response<'_>) {
        let Response::Data { outcome: StatusText { code: Some(code), .. }, .. } = response else { return };
        match code {
            ResponseCode::UidValidity(value) => self.uid_validity = Some(UidValidity(*value)),
            ResponseCode::PermanentFlags(flags) => {
                self.permanent = Some(flags.iter().map(ToString::to_string).collect());
            }
            _ => {}
        }
    }

    /// RFC 3501 §7.1: `\*` among them means that new keywords can be made.
    fn keeps(&self, keyword: &str) -> bool {
        let flags = self.permanent.as_deref();
        flags.is_none_or(|flags| flags.iter().any(|flag| flag == "\\*" || flag.eq_ignore_ascii_case(keyword)))
    }
}

/// Whether a text is a keyword: an atom of RFC 3501 §9, so nothing of the system's.
fn is_keyword(text: &str) -> bool {
    const SPECIAL: &[u8] = b"(){ %*\"\\]";
    (1..=KEYWORD_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|octet| octet.is_ascii_graphic() && !SPECIAL.contains(&octet))
}

/// Octets of a keyword; servers allow some hundred.
const KEYWORD_BYTES_MAX: usize = 64;

pub(super) fn atom(keyword: &str) -> Result<&str, MailboxError> {
    let why = "it is no IMAP keyword";
    if is_keyword(keyword) { Ok(keyword) } else { Err(MailboxError::BadArgument { what: "the keyword", why }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyword_is_an_atom_and_no_flag_of_the_systems() {
        for keyword in ["imipd", "$Imipd-Handled", "a.b", "x+y"] {
            assert!(is_keyword(keyword), "{keyword}");
        }
        for other in ["", "\\Seen", "two words", "a)", "a\r\nA1 LOGOUT", "ü", "a*", "{3}", &"x".repeat(65)] {
            assert!(!is_keyword(other), "{other}");
        }
    }
}
