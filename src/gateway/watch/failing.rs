//! Mails that fail again and again must not stop those behind them.

use std::sync::Arc;

use super::queue::Queue;
use super::{WatchError, Watcher};
use crate::gateway::{Attempt, GatewayError};
use crate::ledger::{Failure, Failures, MailNumber};
use crate::mailbox::{ImapUid, MailStructure, MailboxError, Session};

/// Connections that may break where a mail's structure is asked for before the mail is taken to be the reason.
const STUMBLES_MAX: u32 = 3;

impl Watcher {
    /// What has failed about a mail, if it is not to be tried again.
    pub(super) fn hopeless(&self, queue: &Queue, uid: ImapUid) -> Option<Failures> {
        let failures = self.folders.get(queue.folder)?.failures.as_ref()?;
        let is_it = failures.number == number(queue, uid) && failures.attempts >= failures.last.attempts_max;
        is_it.then(|| failures.clone())
    }

    /// Counts a failure of a mail; all of them now.
    pub(super) async fn count(
        &mut self,
        queue: &Queue,
        uid: ImapUid,
        failure: Failure,
    ) -> Result<Failures, GatewayError> {
        let (user, gateway) = (Arc::clone(&self.user), Arc::clone(&self.common.gateway));
        let place = self.folders.get(queue.folder).map(|folder| folder.place(&user, None));
        let counted = match place {
            Some(place) => gateway.count_failure(place, number(queue, uid), failure).await?,
            None => Failures { number: number(queue, uid), attempts: 1, last: failure },
        };
        let (attempts, attempts_max) = (counted.attempts, counted.last.attempts_max);
        let error = counted.last.error.as_str();
        tracing::warn!(user = user.key(), mail = uid.0, attempts, attempts_max, error, "a mail cannot be processed");
        if let Some(folder) = self.folders.get_mut(queue.folder) {
            folder.failures = Some(counted.clone());
            // The mails around it must not be asked for along with it again.
            folder.careful_until = folder.careful_until.max(Some(uid));
        }
        Ok(counted)
    }

    /// Makes the first mail of a queue a dead letter.
    pub(super) async fn give_up(
        &mut self,
        session: &mut Session,
        queue: &mut Queue,
        (mail, failures): (&MailStructure, Failures),
    ) -> Result<(), WatchError> {
        let header = match failures.attempts > failures.last.attempts_max {
            // Its header broke the connection as well.
            true => None,
            false => {
                if !self.open(session, queue).await? {
                    return Ok(());
                }
                self.count(queue, mail.uid, failures.last.clone()).await?;
                session.header(mail.uid).await?
            }
        };
        let (user, gateway) = (Arc::clone(&self.user), Arc::clone(&self.common.gateway));
        let Some(folder) = self.folders.get_mut(queue.folder) else { return Ok(()) };
        let cursor = queue.cursor_after(mail.uid);
        let attempt = Attempt { nth: failures.attempts, ..Attempt::first(number(queue, mail.uid)) };
        gateway.bury((folder.place(&user, cursor), attempt), header.as_deref(), &failures.last).await?;
        folder.has_stored(cursor);
        folder.given_up.insert(mail.uid);
        self.is_done(queue);
        Ok(())
    }

    /// Whether the trouble that the question about structures from `first` on has met lies in a mail.
    ///
    /// What cannot be understood does; where a connection broke it may have been chance, unless it is always the same place.
    pub(super) fn stumbles(&mut self, at: usize, first: ImapUid, error: &MailboxError) -> bool {
        let Some(folder) = self.folders.get_mut(at) else { return false };
        let before = folder.stumbled.filter(|(uid, _)| *uid == first).map_or(0, |(_, times)| times);
        folder.stumbled = Some((first, before + 1));
        error.is_about_a_mail() || before + 1 >= STUMBLES_MAX
    }
}

fn number(queue: &Queue, uid: ImapUid) -> MailNumber {
    MailNumber { uid_validity: queue.uid_validity.0, uid: uid.0 }
}
