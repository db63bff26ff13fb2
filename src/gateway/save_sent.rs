//! A copy of each sent mail goes into its user's Sent folder, where `smtp.save_sent` asks for it.
//!
//! | what happens | what is written |
//! |---|---|
//! | the submission server has taken a mail for somebody | in the same transaction: a copy is owed |
//! | the folder holds a mail of this Message-ID already | the copy is saved |
//! | the server takes the copy | the same; who dies before finds it by its Message-ID |
//! | the server does not take it, or there is no such folder | refused: it is logged, counted in the status, and left at that |
//! | there is no server to speak to | all are tried again, each for as long as a mail would be |
//! | the server breaks on one copy | it is tried again later; the others do not wait for it |
//!
//! Nothing waits for it: what has been sent has been sent.

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryFutureExt;
use tokio::sync::watch;

use super::chore::{Chore, rest};
use super::{Gateway, now_millis};
use crate::config::User;
use crate::itip::Address;
use crate::ledger::{CopyState, LedgerError, SentCopy};
use crate::mailbox::{Appended, Folder, ImapServer, MailboxError, Session};

/// Copies that are saved on one connection.
const BATCH: u32 = 50;

/// How long to wait when no copy is due; the bell rings earlier.
const NAP: Duration = Duration::from_secs(60);

/// The first rest after trouble, and the longest.
const PAUSE_MILLIS: (i64, i64) = (5_000, 3_600_000);

/// Saves what is owed until the daemon stops.
pub async fn run(gateway: Arc<Gateway>, server: Arc<ImapServer>, stop: watch::Receiver<bool>) {
    let mut chore = Chore::new("the copies of sent mails", &gateway.copies, stop);
    let pause = |any| if any { Duration::ZERO } else { NAP };
    while chore.goes_on() {
        // What is half done is found by its Message-ID at the next start.
        chore.turn(gateway.save_copies(&server).map_ok(pause)).await;
    }
}

impl Gateway {
    /// Saves the due copies of one user; whether there were any.
    async fn save_copies(&self, server: &ImapServer) -> Result<bool, LedgerError> {
        let copies = self.ledger.copies_due(now_millis(), BATCH).await?;
        let Some(first) = copies.first() else { return Ok(false) };
        let Some(user) = self.user(&Address::in_mail(&first.user)) else {
            for copy in &copies {
                self.refuse(copy, "the user is not in the configuration any more").await?;
            }
            return Ok(true);
        };
        self.save_all(server, &user, &copies).await?;
        Ok(true)
    }

    async fn save_all(&self, server: &ImapServer, user: &User, copies: &[SentCopy]) -> Result<(), LedgerError> {
        let (mut session, folder) = match self.open_sent_folder(server, user).await {
            Ok(Some(opened)) => opened,
            Ok(None) => {
                for copy in copies {
                    self.refuse(copy, "the mailbox has no folder with the attribute \\Sent, and none named Sent")
                        .await?;
                }
                return Ok(());
            }
            Err(error) => return self.put_off_all(copies, &error).await,
        };
        for copy in copies {
            match save(&mut session, &folder, copy).await {
                Ok(Appended::Saved) => self.ledger.settle_copy(copy.outbox_id, CopyState::Saved, "").await?,
                Ok(Appended::Refused(why)) => self.refuse(copy, &why).await?,
                Err(error) => self.put_off(copy, &error).await?,
            }
            if !session.is_usable() {
                // The server may break on this very mail, so the others do not wait for as long as it does. At once they would be
                // a storm of connections where it breaks on all.
                return self.ledger.defer_copies(&copy.user, now_millis() + PAUSE_MILLIS.0).await;
            }
        }
        // Whether the server hears it does not matter.
        let _ = tokio::time::timeout(Duration::from_secs(1), session.logout()).await;
        Ok(())
    }

    /// A session with the Sent folder open, and its name; nothing where there is no such folder.
    async fn open_sent_folder(
        &self,
        server: &ImapServer,
        user: &User,
    ) -> Result<Option<(Session, String)>, MailboxError> {
        // Where logins are refused, one may have to wait for hours, and the other users' copies with it.
        let logging_in = tokio::time::timeout(LOGIN_PATIENCE, self.log_in(server, user)).await;
        let login = || "logging in for a copy in the Sent folder".to_owned();
        let mut session =
            logging_in.map_err(|_| MailboxError::Timeout { during: login(), after: LOGIN_PATIENCE })??;
        let Some(folder) = sent_folder(&mut session).await? else { return Ok(None) };
        session.examine(&folder).await?;
        Ok(Some((session, folder)))
    }

    async fn refuse(&self, copy: &SentCopy, why: &str) -> Result<(), LedgerError> {
        tracing::warn!(user = copy.user, message_id = copy.message_id, why, "no copy in the Sent folder");
        self.ledger.settle_copy(copy.outbox_id, CopyState::Refused, why).await
    }

    /// Puts off one copy, on which the server fails; gives up when it is as old as a mail may become.
    async fn put_off(&self, copy: &SentCopy, error: &MailboxError) -> Result<(), LedgerError> {
        if self.is_too_old(copy) {
            return self.refuse(copy, &error.to_string()).await;
        }
        tracing::info!(user = copy.user, message_id = copy.message_id, %error, "a copy for the Sent folder waits");
        self.ledger
            .postpone_copy(copy.outbox_id, now_millis() + rest(PAUSE_MILLIS, copy.attempts), &error.to_string())
            .await
    }

    /// Puts off all copies of a user, whose folder cannot be opened.
    async fn put_off_all(&self, copies: &[SentCopy], error: &MailboxError) -> Result<(), LedgerError> {
        for copy in copies.iter().filter(|copy| self.is_too_old(copy)) {
            self.refuse(copy, &error.to_string()).await?;
        }
        let Some(first) = copies.first() else { return Ok(()) };
        tracing::info!(user = first.user, %error, "copies for the Sent folder wait");
        self.ledger
            .postpone_copies(&first.user, now_millis() + rest(PAUSE_MILLIS, first.attempts), &error.to_string())
            .await
    }

    fn is_too_old(&self, copy: &SentCopy) -> bool {
        let age = u64::try_from(now_millis() - copy.created_at).unwrap_or(0);
        Duration::from_millis(age) > self.config.smtp.give_up_after
    }
}

/// Puts a copy into the open folder, unless it lies there already.
async fn save(session: &mut Session, folder: &str, copy: &SentCopy) -> Result<Appended, MailboxError> {
    if session.holds(&copy.message_id).await? {
        return Ok(Appended::Saved);
    }
    let sent_at = chrono::DateTime::from_timestamp_millis(copy.created_at).unwrap_or_default();
    session.append(folder, &copy.raw, sent_at).await
}

/// How long one login may take; it is tried again later.
const LOGIN_PATIENCE: Duration = Duration::from_secs(60);

/// The folder for sent mail: the one that the server says it is (RFC 6154 §2), or else the one that is named so.
async fn sent_folder(session: &mut Session) -> Result<Option<String>, MailboxError> {
    let folders = session.folders().await?;
    // What is listed as a name alone holds no mail. RFC 3501 §7.2.2, RFC 5258 §3.4.
    let holds_mail = |folder: &&Folder| !folder.has("\\Noselect") && !folder.has("\\NonExistent");
    let folders: Vec<&Folder> = folders.iter().filter(holds_mail).collect();
    let marked = folders.iter().find(|folder| folder.has("\\Sent"));
    let named = || folders.iter().find(|folder| folder.name.eq_ignore_ascii_case("Sent"));
    Ok(marked.or_else(named).map(|folder| folder.name.clone()))
}
