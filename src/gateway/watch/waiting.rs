//! Until there is more to read: the server tells, somebody rings, or the time is over.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::{End, NotifyUse, Scope, WatchError, Watcher, stopped};
use crate::config::Wake;
use crate::mailbox::{IdleEnd, MailboxError, Session};

/// How long a connection that a push has opened is kept, for mail seldom comes alone.
const LINGER: Duration = Duration::from_secs(10);

/// What is to be done after a wait.
pub(super) enum Next {
    Look(Scope),
    End(End),
}

/// Who ended a wait.
enum Waker {
    Nobody,
    Bell,
    Budget,
    Stop,
}

impl Watcher {
    /// Has the server tell of all folders, where it can and there are several; false where they have to be asked for.
    async fn ask_for_notify(&mut self, session: &mut Session) -> Result<bool, WatchError> {
        let is_alone = self.folders.len() < 2;
        if is_alone || self.notify == NotifyUse::Refused || self.common.gateway.config.imap.wake == Wake::Push {
            return Ok(false);
        }
        let names: Vec<_> = self.folders.iter().map(|folder| folder.chosen.name.as_str()).collect();
        let answer = session.notify(&names).await;
        // A server that takes offence must not be asked again on the next connection.
        let is_refused = match &answer {
            Ok(granted) => !granted,
            Err(error) => !error.is_transient(),
        };
        if is_refused {
            self.notify = NotifyUse::Refused;
        }
        Ok(answer?)
    }

    /// Waits on the connection, or says that it is to be given up.
    pub(super) async fn wait(&mut self, session: &mut Session, is_notified: &mut bool) -> Result<Next, WatchError> {
        let common = Arc::clone(&self.common);
        let imap = &common.gateway.config.imap;
        if session.notify_is_over() && *is_notified {
            (*is_notified, self.notify) = (false, NotifyUse::Refused);
            return Ok(Next::Look(Scope::All));
        }
        let renew = imap.renew_interval;
        let (most, leave) = match imap.wake {
            Wake::Push => (LINGER, Arc::new(Notify::new())),
            Wake::Auto => match self.member.hold(self.active_at) {
                None => return Ok(Next::End(End::Away)),
                Some(_) if !*is_notified && Box::pin(self.ask_for_notify(session)).await? => {
                    // Mail may have come before the server heard of our wish.
                    *is_notified = true;
                    return Ok(Next::Look(Scope::All));
                }
                Some(leave) if *is_notified || self.folders.len() < 2 => (renew, leave),
                Some(leave) => (renew.min(imap.poll_interval), leave),
            },
        };
        let mut waker = Waker::Nobody;
        let end = session.idle(most, self.woken(&leave, &mut waker)).await?;
        Ok(match (waker, end) {
            (Waker::Stop, _) => Next::End(End::Stopped),
            (Waker::Budget, _) => Next::End(End::Away),
            (_, IdleEnd::Timeout) if imap.wake == Wake::Push => Next::End(End::Away),
            (_, IdleEnd::NewMail) => Next::Look(Scope::OpenFolder),
            (Waker::Bell | Waker::Nobody, _) => Next::Look(Scope::All),
        })
    }

    async fn woken(&self, leave: &Notify, waker: &mut Waker) {
        let mut stop = self.stop.clone();
        *waker = tokio::select! {
            () = self.bell.notified() => Waker::Bell,
            () = leave.notified() => Waker::Budget,
            () = stopped(&mut stop) => Waker::Stop,
        };
    }

    /// Waits without a connection.
    pub(super) async fn stay_away(&mut self) {
        let imap = &self.common.gateway.config.imap;
        let most = match imap.wake {
            Wake::Push => imap.safety_poll,
            Wake::Auto => imap.poll_interval,
        };
        tokio::select! {
            () = tokio::time::sleep(staggered(most, self.user.key())) => {}
            () = self.bell.notified() => {}
            () = stopped(&mut self.stop) => {}
        }
    }

    /// Whether a folder is not there any more; which there are is then looked up.
    pub(super) fn has_vanished(&mut self, error: &MailboxError) -> bool {
        let has_vanished = matches!(error, MailboxError::NoSuchFolder { .. });
        if has_vanished {
            self.listed_at = None;
        }
        has_vanished
    }
}

/// Between nine tenths of a time and all of it, different for each user, so that those who were woken together part.
fn staggered(most: Duration, user_key: &str) -> Duration {
    let spread = user_key.bytes().fold(7_u32, |sum, octet| sum.wrapping_mul(31).wrapping_add(u32::from(octet))) % 1000;
    most - most / 10_000 * spread
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polls_of_many_users_are_spread() {
        let hour = Duration::from_secs(3600);
        let times: std::collections::BTreeSet<_> =
            (0..100).map(|number| staggered(hour, &format!("user{number}@example.com"))).collect();
        assert!(times.len() > 80, "{} different times", times.len());
        assert!(times.iter().all(|time| *time <= hour && *time >= hour.mul_f32(0.9)));
    }
}
