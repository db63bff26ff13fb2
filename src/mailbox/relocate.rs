//! Moving a mail that a user has put into a folder of answers, where that is asked for.

use imap_proto::{MailboxDatum, Response};

use super::argument::{ImapUid, UidValidity, folder_name};
use super::error::{MailboxError, Refusal, code_is_transient};
use super::limits::TAGGED_MAX;
use super::session::Session;
use super::wire::Command;

/// What became of a mail that was to be moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relocated {
    /// It lies where it was to lie; or it is gone, and somebody else has moved it.
    Done,
    /// The folder was made anew; which mail is meant nobody knows.
    Renumbered,
    /// The server does not move it, for this reason; trying again is no use.
    Refused(String),
}

/// By what a mail is known again in another folder: the header holds what each server on the way has added, so two that agree are one.
#[derive(PartialEq, Eq)]
struct Identity {
    octets: u32,
    header: Vec<u8>,
}

impl Session {
    /// Moves a mail from one folder to another; none of its flags changes.
    ///
    /// Where the very mail lies there already, because it was copied or because we died on the way, the one to be moved is
    /// removed. It is done in one step where the server has MOVE (RFC 6851), otherwise by COPY and EXPUNGE of this mail alone
    /// (RFC 4315 §2.1). A server with neither keeps it, marked as deleted.
    pub async fn relocate(
        &mut self,
        (from, uid_validity): (&str, UidValidity),
        (uid, message_id): (ImapUid, &str),
        to: &str,
    ) -> Result<Relocated, MailboxError> {
        if self.examine(from).await?.uid_validity != uid_validity {
            return Ok(Relocated::Renumbered);
        }
        let Some(mail) = self.identity(uid).await? else { return Ok(Relocated::Done) };
        let is_there = self.has_copy((&mail, message_id), to).await?;
        if self.select(from).await? != Some(uid_validity) {
            return Ok(Relocated::Renumbered);
        }
        let target = folder_name(to)?;
        let steps = match (is_there, self.capabilities().has("MOVE")) {
            (false, true) => vec![format!("UID MOVE {uid} {target}")],
            (false, false) => [vec![format!("UID COPY {uid} {target}")], self.removal(uid)].concat(),
            (true, _) => self.removal(uid),
        };
        for step in steps {
            match self.run(&Command::open(step), |_| {}).await {
                Ok(()) => {}
                Err(MailboxError::Refused { status: Refusal::No, text, .. }) if !code_is_transient(&text) => {
                    return Ok(Relocated::Refused(text));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Relocated::Done)
    }

    /// A plain EXPUNGE would remove what the user has marked as deleted as well.
    fn removal(&self, uid: ImapUid) -> Vec<String> {
        let mut steps = vec![format!("UID STORE {uid} +FLAGS.SILENT (\\Deleted)")];
        if self.capabilities().has("UIDPLUS") {
            steps.push(format!("UID EXPUNGE {uid}"));
        }
        steps
    }

    async fn identity(&mut self, uid: ImapUid) -> Result<Option<Identity>, MailboxError> {
        let Some(size) = self.sizes(uid, Some(uid)).await?.pop() else { return Ok(None) };
        let header = self.header(uid).await?;
        Ok(header.map(|header| Identity { octets: size.octets, header }))
    }

    /// Whether a folder holds the very mail; it is the open one afterwards.
    async fn has_copy(&mut self, (mail, message_id): (&Identity, &str), folder: &str) -> Result<bool, MailboxError> {
        self.examine(folder).await?;
        if message_id.is_empty() {
            return Ok(false);
        }
        for uid in self.find(message_id).await? {
            if self.identity(uid).await?.is_some_and(|other| other == *mail) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The mails of the open folder with a keyword, ascending; of those that came since a day, and of these the newest.
    pub async fn with_keyword(
        &mut self,
        keyword: &str,
        since: chrono::NaiveDate,
    ) -> Result<Vec<ImapUid>, MailboxError> {
        let (keyword, since) = (super::mark::atom(keyword)?, super::argument::date(since));
        let mut found = std::collections::BTreeSet::new();
        let command = Command::open(format!("UID SEARCH SINCE {since} KEYWORD {keyword}"));
        self.run(&command, |response| {
            if let Response::MailboxData(MailboxDatum::Search(uids)) = response {
                found.extend(uids.iter().copied().map(ImapUid));
            }
            while found.len() > TAGGED_MAX {
                found.pop_first();
            }
        })
        .await?;
        Ok(found.into_iter().collect())
    }

    /// Has changes of flags count as news from now on: they end a wait, and NOTIFY asks for them.
    pub fn heed_flags(&mut self) {
        self.news.heeds_flags = true;
    }
}
