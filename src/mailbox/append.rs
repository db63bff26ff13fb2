//! Putting a mail into a folder, where that is asked for.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use imap_proto::{MailboxDatum, Response};

use super::argument::{ImapUid, folder_name, quoted};
use super::error::{MailboxError, Refusal, code_is_transient};
use super::limits::FOUND_MAX;
use super::session::Session;
use super::wire::{Command, Step, garbage};

/// What became of a mail that was to be put into a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    Saved,
    /// The server does not take it, for this reason; trying again is no use.
    Refused(String),
}

impl Session {
    /// Whether the open folder holds a mail with this Message-ID. RFC 3501 §6.4.4.
    pub async fn holds(&mut self, message_id: &str) -> Result<bool, MailboxError> {
        Ok(!self.find(message_id).await?.is_empty())
    }

    /// The mails of the open folder with this Message-ID, ascending. RFC 3501 §6.4.4.
    pub async fn find(&mut self, message_id: &str) -> Result<Vec<ImapUid>, MailboxError> {
        let wanted = quoted("the Message-ID", message_id)?;
        let mut found = BTreeSet::new();
        self.run(&Command::open(format!("UID SEARCH HEADER Message-ID {wanted}")), |response| {
            if let Response::MailboxData(MailboxDatum::Search(uids)) = response {
                found.extend(uids.iter().copied().map(ImapUid));
            }
        })
        .await?;
        Ok(found.into_iter().take(FOUND_MAX).collect())
    }

    /// Puts a mail into a folder, as read, with the time at which it was sent. RFC 3501 §6.3.11.
    ///
    /// Shape: `raw` is a whole mail with CRLF line ends and no NUL. After a lost connection nobody knows whether it is there: ask
    /// [`holds`](Self::holds) first.
    pub async fn append(&mut self, folder: &str, raw: &[u8], sent_at: DateTime<Utc>) -> Result<Appended, MailboxError> {
        let folder = folder_name(folder)?;
        // RFC 3501 §9 date-day-fixed: a day of one digit has a blank before it.
        let date = sent_at.format("%e-%b-%Y %H:%M:%S +0000");
        let text = format!("APPEND {folder} (\\Seen) \"{date}\" {{{}}}", raw.len());
        let command = Command::secret(format!("APPEND {folder}"), text);
        match self.send_literal(&command, raw).await {
            Ok(()) => Ok(Appended::Saved),
            Err(MailboxError::Refused { status: Refusal::No, text, .. }) if !code_is_transient(&text) => {
                Ok(Appended::Refused(text))
            }
            // It does not understand the same command later; the session is over with it.
            Err(MailboxError::Refused { status: Refusal::Bad, text, .. }) => Ok(Appended::Refused(text)),
            Err(error) => Err(error),
        }
    }

    /// Runs a command that ends in a literal, which is sent when the server asks for it. RFC 3501 §7.5.
    async fn send_literal(&mut self, command: &Command, literal: &[u8]) -> Result<(), MailboxError> {
        let tag = self.wire.begin(command).await?;
        let mut is_sent = false;
        loop {
            let news = &mut self.news;
            match self.wire.step(&tag, command, &mut |response: &Response<'_>| news.note(response)).await? {
                Step::Data => {}
                Step::Continue if !is_sent => {
                    self.wire.send_octets(&command.name, &[literal, b"\r\n"].concat()).await?;
                    is_sent = true;
                }
                Step::Continue => return Err(garbage(&command.name, "a continuation that was not asked for")),
                Step::Done if is_sent => return Ok(()),
                Step::Done => {
                    self.wire.lose_step();
                    return Err(garbage(&command.name, "success before the mail was sent"));
                }
            }
        }
    }
}
