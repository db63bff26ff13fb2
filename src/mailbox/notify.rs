//! NOTIFY: the server tells of all folders on one connection. RFC 5465.

use super::argument::folder_name;
use super::error::{MailboxError, Refusal};
use super::session::Session;
use super::wire::Command;

impl Session {
    /// Asks the server to tell of new mail in these folders and in the one that is open; false when it will not.
    ///
    /// From then on [`idle`](Self::idle) ends for each of them. Names of folders are not asked for: what the server tells of a
    /// renamed one, with its OLDNAME (RFC 5258 §4), is beyond the parser and would cost the connection.
    ///
    /// RFC 5465 §3.1: NO is the answer when an event is not known, or when there is too much to watch.
    pub async fn notify(&mut self, folders: &[&str]) -> Result<bool, MailboxError> {
        if !self.capabilities().has("NOTIFY") || folders.is_empty() {
            return Ok(false);
        }
        let names = folders.iter().map(|folder| folder_name(folder)).collect::<Result<Vec<_>, _>>()?;
        // RFC 5465 §5.2: who asks for new mail has to ask for expunged mail, too.
        let events = match self.news.heeds_flags {
            true => "(MessageNew MessageExpunge FlagChange)",
            false => "(MessageNew MessageExpunge)",
        };
        let text = format!("NOTIFY SET (SELECTED {events}) (MAILBOXES ({}) {events})", names.join(" "));
        let command = Command::secret("NOTIFY SET", text);
        match self.run(&command, |_| {}).await {
            Ok(()) => Ok(true),
            Err(MailboxError::Refused { status: Refusal::No, text, .. }) => {
                tracing::debug!(text, "the server refuses NOTIFY");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the server has stopped to tell by itself. RFC 5465 §5.8.
    pub fn notify_is_over(&self) -> bool {
        self.news.overflow
    }
}
