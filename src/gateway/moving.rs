//! Mails are moved out of the folders of answers, where `answers.after` asks for it.
//!
//! A move is owed from the transaction that decides about the mail, and made later, on a connection of its own. Who dies before it is
//! struck out makes it again, which changes nothing: the mail is gone from the folder then, or is found where it was to go.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::chore::{Chore, rest};
use super::limits::{MARK_ATTEMPTS_MAX, MARK_PAUSE_MILLIS, MARKS_MAX, RETRY_LOGIN_MAX};
use super::{Gateway, now_millis};
use crate::config::AfterAnswer;
use crate::itip::Address;
use crate::ledger::{LedgerError, MoveTarget, OwedMove};
use crate::mailbox::{Folder, ImapServer, ImapUid, MailboxError, Relocated, Session, UidValidity, archive};

/// How long to wait when nothing is owed; the bell rings earlier.
const NAP: Duration = Duration::from_secs(60);

/// Moves what is owed until the daemon stops.
pub async fn run(gateway: Arc<Gateway>, server: Arc<ImapServer>, stop: watch::Receiver<bool>) {
    let mut told = BTreeSet::new();
    let mut chore = Chore::new("the mails that are to be moved", &gateway.moves, stop);
    while chore.goes_on() {
        chore.turn(gateway.make_moves(&server, &mut told)).await;
    }
}

impl Gateway {
    /// Whether mails are moved at all.
    pub(super) fn moves_mail(&self) -> bool {
        self.config.answers.folders && self.config.answers.after != AfterAnswer::Stays
    }

    /// Moves the mails of one folder that are due; how long to wait before the next ones.
    async fn make_moves(
        &self,
        server: &ImapServer,
        told: &mut BTreeSet<(String, String)>,
    ) -> Result<Duration, LedgerError> {
        let now = now_millis();
        let owed = self.ledger.due_moves(now, MARKS_MAX).await?;
        let Some(first) = owed.first() else {
            let next_at = self.ledger.next_move_at().await?;
            let wait = next_at.map_or(NAP, |at| Duration::from_millis(u64::try_from(at - now).unwrap_or(0)));
            return Ok(wait.min(NAP));
        };
        let mut why = None;
        match self.move_all(server, first, &owed).await {
            Ok(refused) => why = refused,
            Err(MoveError::Ledger(error)) => return Err(error),
            Err(MoveError::Mailbox(error)) if first.attempts >= MARK_ATTEMPTS_MAX => {
                self.ledger.strike_move(first).await?;
                why = Some(error.to_string());
            }
            Err(MoveError::Mailbox(error)) => {
                tracing::info!(user = first.user, folder = first.folder, %error, "mails wait to be moved");
                let rest = rest(MARK_PAUSE_MILLIS, first.attempts);
                for one in &owed {
                    self.ledger.postpone_move(one, now_millis() + rest).await?;
                }
            }
        }
        if let Some(why) = why
            && told.insert((first.user.clone(), first.folder.clone()))
        {
            tracing::warn!(user = first.user, folder = first.folder, why, "answered mails stay in this folder");
        }
        Ok(Duration::ZERO)
    }

    /// Moves mails of one folder; why some of them stay, where the server refuses.
    async fn move_all(
        &self,
        server: &ImapServer,
        first: &OwedMove,
        owed: &[OwedMove],
    ) -> Result<Option<String>, MoveError> {
        let Some(user) = self.user(&Address::in_mail(&first.user)) else {
            return self.keep_all(owed, "the user is not in the configuration any more").await;
        };
        // Where logins are refused, one may have to wait for hours, and the other users' mails with it.
        let logging_in = tokio::time::timeout(RETRY_LOGIN_MAX, self.log_in(server, &user)).await;
        let during = "logging in to move mails".to_owned();
        let mut session = logging_in.map_err(|_| MailboxError::Timeout { during, after: RETRY_LOGIN_MAX })??;
        let folders = session.folders().await?;
        let Some(from) = self.choose_folders(&folders).folders.into_iter().find(|one| one.shown == first.folder) else {
            return self.keep_all(owed, "the folder is watched no more").await;
        };
        let mut why = None;
        for one in owed {
            match relocate(&mut session, (&from.name, &folders), one).await? {
                Relocated::Done | Relocated::Renumbered => {}
                Relocated::Refused(text) => why = Some(text),
            }
            self.ledger.strike_move(one).await?;
        }
        // Whether the server hears it does not matter.
        let _ = tokio::time::timeout(Duration::from_secs(1), session.logout()).await;
        Ok(why)
    }

    async fn keep_all(&self, owed: &[OwedMove], why: &str) -> Result<Option<String>, MoveError> {
        for one in owed {
            self.ledger.strike_move(one).await?;
        }
        Ok(Some(why.to_owned()))
    }
}

/// Why mails could not be moved.
#[derive(Debug, thiserror::Error)]
enum MoveError {
    #[error(transparent)]
    Mailbox(#[from] MailboxError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

async fn relocate(
    session: &mut Session,
    (from, folders): (&str, &[Folder]),
    owed: &OwedMove,
) -> Result<Relocated, MailboxError> {
    let target = match owed.target {
        MoveTarget::Inbox => None,
        MoveTarget::Archive => archive(folders),
    };
    let number = (ImapUid(owed.number.uid), owed.message_id.as_str());
    let place = (from, UidValidity(owed.number.uid_validity));
    match session.relocate(place, number, target.unwrap_or("INBOX")).await {
        // The folder of the mail, or the one it was to go to, is gone; the mail is not ours to look for.
        Err(MailboxError::NoSuchFolder { text, .. }) => Ok(Relocated::Refused(text)),
        other => other,
    }
}
