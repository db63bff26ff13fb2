//! Keywords on mails that were processed, or could not be, where `imap.mark` and `imap.mark_dead` ask for them.
//!
//! A keyword is owed from the transaction that decides about the mail, and set later, on a connection of its own: nothing waits for it,
//! and what the server does not take is told once for each folder and left at that. Mail is watched by its numbers, which do not change
//! with its flags, so a keyword of ours wakes nobody.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::chore::{Chore, rest};
use super::limits::{MARK_ATTEMPTS_MAX, MARK_DELAY_MILLIS, MARK_PAUSE_MILLIS, MARKS_MAX, RETRY_LOGIN_MAX};
use super::receive::{Attempt, DEAD_LETTER, Place};
use super::{Gateway, now_millis};
use crate::itip::Address;
use crate::ledger::{DecisionRecord, LedgerError, MarkKind, OwedMark, Transaction};
use crate::mailbox::{ImapServer, ImapUid, MailboxError, MarkChange, Marked, UidValidity};

/// How long to wait when no keyword is owed; the bell rings earlier.
const NAP: Duration = Duration::from_secs(60);

/// Sets what is owed until the daemon stops.
pub async fn run(gateway: Arc<Gateway>, server: Arc<ImapServer>, stop: watch::Receiver<bool>) {
    let mut told = BTreeSet::new();
    let mut chore = Chore::new("the keywords that are owed", &gateway.marks, stop);
    while chore.goes_on() {
        chore.turn(gateway.set_marks(&server, &mut told)).await;
    }
}

impl Gateway {
    /// Whether keywords are asked for at all.
    pub(super) fn marks_mail(&self) -> bool {
        self.config.imap.mark.is_some() || self.config.imap.mark_dead.is_some()
    }

    /// Enters the keyword that a mail gets for what was decided about it.
    pub(super) async fn owe_mark(
        &self,
        transaction: &mut Transaction,
        place: Place<'_>,
        (attempt, records): (Attempt, &[DecisionRecord]),
    ) -> Result<(), LedgerError> {
        let is_dead = records.iter().any(|record| record.verdict == DEAD_LETTER);
        let (imap, is_known) = (&self.config.imap, attempt.number.uid > 0);
        let kind = match attempt.dead_letter {
            _ if !is_known || !self.marks_mail() => return Ok(()),
            _ if is_dead && imap.mark_dead.is_none() => return Ok(()),
            _ if is_dead => MarkKind::Dead,
            Some(_) => MarkKind::Raised,
            None if records.is_empty() || imap.mark.is_none() => return Ok(()),
            None => MarkKind::Handled,
        };
        let at = now_millis() + MARK_DELAY_MILLIS;
        transaction.owe_mark((place.user.key(), place.folder), attempt.number, kind, at).await
    }

    /// Sets the due keywords of one folder; how long to wait before the next ones.
    async fn set_marks(
        &self,
        server: &ImapServer,
        told: &mut BTreeSet<(String, String)>,
    ) -> Result<Duration, LedgerError> {
        let now = now_millis();
        let marks = self.ledger.due_marks(now, MARKS_MAX).await?;
        let Some(first) = marks.first() else {
            let next_at = self.ledger.next_mark_at().await?;
            let wait = next_at.map_or(NAP, |at| Duration::from_millis(u64::try_from(at - now).unwrap_or(0)));
            return Ok(wait.min(NAP));
        };
        let refused = match self.set_all(server, first, &marks).await {
            Ok(Marked::Done | Marked::Renumbered) => None,
            Ok(Marked::Refused(why)) => Some(why),
            Err(error) if first.attempts >= MARK_ATTEMPTS_MAX => Some(error.to_string()),
            Err(error) => {
                tracing::info!(user = first.user, folder = first.folder, %error, "keywords wait");
                return self.put_off_marks(first, &marks).await.map(|()| Duration::ZERO);
            }
        };
        if let Some(why) = refused
            && told.insert((first.user.clone(), first.folder.clone()))
        {
            tracing::warn!(user = first.user, folder = first.folder, why, "mails get no keyword in this folder");
        }
        let mut transaction = self.ledger.begin().await?;
        for mark in &marks {
            transaction.strike_mark(mark).await?;
        }
        transaction.commit().await?;
        Ok(Duration::ZERO)
    }

    async fn set_all(&self, server: &ImapServer, first: &OwedMark, marks: &[OwedMark]) -> Result<Marked, MailboxError> {
        let Some(user) = self.user(&Address::in_mail(&first.user)) else {
            return Ok(Marked::Refused("the user is not in the configuration any more".to_owned()));
        };
        // Where logins are refused, one may have to wait for hours, and the other users' keywords with it.
        let logging_in = tokio::time::timeout(RETRY_LOGIN_MAX, self.log_in(server, &user)).await;
        let during = "logging in for keywords".to_owned();
        let mut session = logging_in.map_err(|_| MailboxError::Timeout { during, after: RETRY_LOGIN_MAX })??;
        let folders = self.choose_folders(&session.folders().await?).folders;
        let Some(folder) = folders.into_iter().find(|folder| folder.shown == first.folder) else {
            return Ok(Marked::Refused("the folder is watched no more".to_owned()));
        };
        let place = (folder.name.as_str(), UidValidity(first.number.uid_validity));
        let mut outcome = Marked::Done;
        for kind in [MarkKind::Handled, MarkKind::Raised, MarkKind::Dead] {
            let mut uids: Vec<_> =
                marks.iter().filter(|mark| mark.kind == kind).map(|mark| ImapUid(mark.number.uid)).collect();
            uids.sort_unstable();
            let changes = self.changes(kind);
            if uids.is_empty() || changes.is_empty() || outcome != Marked::Done {
                continue;
            }
            outcome = session.mark(place, &uids, &changes).await?;
        }
        // Whether the server hears it does not matter.
        let _ = tokio::time::timeout(Duration::from_secs(1), session.logout()).await;
        Ok(outcome)
    }

    fn changes(&self, kind: MarkKind) -> Vec<MarkChange<'_>> {
        let imap = &self.config.imap;
        let (handled, dead) = (imap.mark.as_deref(), imap.mark_dead.as_deref());
        match kind {
            MarkKind::Handled => handled.map(MarkChange::Set).into_iter().collect(),
            MarkKind::Dead => dead.map(MarkChange::Set).into_iter().collect(),
            MarkKind::Raised => dead.map(MarkChange::Clear).into_iter().chain(handled.map(MarkChange::Set)).collect(),
        }
    }

    async fn put_off_marks(&self, first: &OwedMark, marks: &[OwedMark]) -> Result<(), LedgerError> {
        let rest = rest(MARK_PAUSE_MILLIS, first.attempts);
        let mut transaction = self.ledger.begin().await?;
        for mark in marks {
            transaction.postpone_mark(mark, now_millis() + rest).await?;
        }
        transaction.commit().await.map(drop)
    }
}
