//! One mailbox: read what is new in its folders, wait for more, for ever.
//!
//! | file | what it does |
//! |---|---|
//! | `folders` | which folders are watched, and how far each has been read |
//! | `reading` | what is new, in the order in which it arrived |
//! | `tags` | keywords that are answers |
//! | `waiting` | until there is more: NOTIFY, IDLE, or a visit from time to time |
//! | `failing` | mails that fail, and what becomes of them |
//! | `correspondence` | whom the user has written to, and what is of interest without a calendar |
//! | `budget` | who may hold a connection, where there are fewer connections than mailboxes |

mod budget;
mod correspondence;
mod failing;
mod folders;
mod queue;
mod reading;
mod tags;
mod waiting;

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::Instant;

use self::budget::{Budget, Member};
use self::folders::WatchedFolder;
use self::waiting::Next;
use super::{Gateway, GatewayError, Phase};
use crate::config::User;
use crate::mailbox::{ImapServer, MailboxError, Session};

/// How often it is looked which folders there are.
const LOOK_UP_INTERVAL: Duration = Duration::from_secs(10 * 60);

/// Logins at the same time: when a server comes back, a thousand mailboxes want in.
const LOGINS_AT_ONCE: usize = 32;

/// Why watching has to start over.
#[derive(Debug, thiserror::Error)]
enum WatchError {
    #[error(transparent)]
    Mailbox(#[from] MailboxError),
    #[error(transparent)]
    Gateway(#[from] GatewayError),
}

impl WatchError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Mailbox(error) => error.is_transient() || error.is_about_a_mail(),
            Self::Gateway(_) => true,
        }
    }
}

/// What the watchers of all mailboxes share.
#[derive(Debug)]
pub struct Common {
    pub gateway: Arc<Gateway>,
    server: Arc<ImapServer>,
    budget: Arc<Budget>,
    logins: Semaphore,
}

impl Common {
    pub fn new(gateway: Arc<Gateway>, server: Arc<ImapServer>) -> Self {
        let budget = Arc::new(Budget::new(gateway.config.imap.max_connections as usize));
        Self { gateway, server, budget, logins: Semaphore::new(LOGINS_AT_ONCE) }
    }
}

/// A mailbox that is watched.
pub struct Watcher {
    common: Arc<Common>,
    user: Arc<User>,
    /// Rung when there may be new mail.
    bell: Arc<Notify>,
    /// True once the watching is to end.
    stop: watch::Receiver<bool>,
    member: Member,
    /// The first is the one that is open while we wait.
    folders: Vec<WatchedFolder>,
    listed_at: Option<Instant>,
    /// When mail came last.
    active_at: Option<Instant>,
    notify: NotifyUse,
}

/// Whether the server is asked for NOTIFY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NotifyUse {
    Wanted,
    /// It has refused, or given up.
    Refused,
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// The folder that is open: the server has told of new mail there.
    OpenFolder,
    All,
}

/// How a connection ended that did not break.
enum End {
    /// The watching is over.
    Stopped,
    /// Others need the connection, or nobody does.
    Away,
}

impl Watcher {
    pub fn new(common: Arc<Common>, user: Arc<User>, bell: Arc<Notify>, stop: watch::Receiver<bool>) -> Self {
        let member = common.budget.join(user.key());
        Self {
            common,
            user,
            bell,
            stop,
            member,
            folders: Vec::new(),
            listed_at: None,
            active_at: None,
            notify: NotifyUse::Wanted,
        }
    }

    /// Watches until it is told to stop; trouble is recorded, and tried again with backoff.
    pub async fn run(mut self) {
        let mut backoff = schedule(true);
        while !self.is_stopped() {
            let mut progress = Progress::default();
            let error = match self.visit(&mut progress).await {
                Ok(End::Stopped) => return,
                Ok(End::Away) => {
                    backoff = schedule(true);
                    self.stay_away().await;
                    continue;
                }
                Err(error) => error,
            };
            let is_transient = error.is_transient();
            if progress.caught_up {
                backoff = schedule(is_transient);
            }
            self.common.gateway.board.fail(self.user.key(), &error.to_string());
            if matches!(error, WatchError::Mailbox(MailboxError::LoginRefused { .. })) {
                // When it is tried again is decided where it is tried, and told there.
                backoff = schedule(true);
                continue;
            }
            let pause = backoff.next().unwrap_or(BACKOFF_MAX).max(least_pause(is_transient));
            tracing::warn!(user = self.user.key(), retry_in = ?pause, %error, "cannot watch");
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stopped(&mut self.stop) => return,
            }
        }
    }

    fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// One connection, from login until trouble, until it is needed no more, or until the end of the watching.
    async fn visit(&mut self, progress: &mut Progress) -> Result<End, WatchError> {
        // Where logins are refused this takes hours, and nobody waits for a connection meanwhile.
        tokio::select! {
            allowed = self.common.gateway.may_log_in(&self.user) => allowed?,
            () = stopped(&mut self.stop) => return Ok(End::Stopped),
        }
        let _connection = tokio::select! {
            connection = self.common.budget.connection() => connection,
            () = stopped(&mut self.stop) => return Ok(End::Stopped),
        };
        let common = Arc::clone(&self.common);
        let mut session = tokio::select! {
            // Boxed, as all that is long before the wait is: the wait alone is what a thousand mailboxes do all day.
            session = Box::pin(connect(&common, &self.user)) => session?,
            () = stopped(&mut self.stop) => return Ok(End::Stopped),
        };
        self.common.gateway.board.set_phase(self.user.key(), Phase::Reading);
        if !self.common.gateway.config.answers.keywords.is_empty() {
            session.heed_flags();
        }
        let end = self.stay(&mut session, progress).await;
        self.member.let_go();
        if end.is_ok() {
            // The server learns that we leave; whether it hears us does not matter.
            let _ = Box::pin(tokio::time::timeout(Duration::from_secs(1), session.logout())).await;
        }
        end
    }

    async fn stay(&mut self, session: &mut Session, progress: &mut Progress) -> Result<End, WatchError> {
        let mut scope = Scope::All;
        let mut is_notified = false;
        loop {
            if self.folders_are_due() {
                // The server is asked anew to tell, too: of the folders that there are now.
                Box::pin(self.look_up_folders(session)).await?;
                (is_notified, scope) = (false, Scope::All);
            }
            Box::pin(self.catch_up(session, scope)).await?;
            let is_behind = Box::pin(self.read_tags(session)).await?;
            if self.is_stopped() {
                return Ok(End::Stopped);
            }
            if is_behind {
                scope = Scope::All;
                continue;
            }
            progress.caught_up = true;
            self.common.gateway.board.set_phase(self.user.key(), Phase::Watching);
            match self.wait(session, &mut is_notified).await? {
                Next::Look(next) => scope = next,
                Next::End(end) => return Ok(end),
            }
            self.common.gateway.board.set_phase(self.user.key(), Phase::Reading);
        }
    }
}

/// Logs in, when it is our turn to.
async fn connect(common: &Common, user: &User) -> Result<Session, MailboxError> {
    // The semaphore is never closed.
    let _login = common.logins.acquire().await.ok();
    common.gateway.log_in(&common.server, user).await
}

/// How far a session came.
#[derive(Debug, Default)]
struct Progress {
    caught_up: bool,
}

/// The longest pause between two attempts.
const BACKOFF_MAX: Duration = Duration::from_secs(15 * 60);

/// The pauses between attempts: short where time alone may help, long where somebody has to do something.
///
/// A wrong password is tried seldom, so that no account is locked by us.
fn schedule(is_transient: bool) -> ExponentialBackoff {
    let (least, most) = if is_transient { (1, 60) } else { (30, 15 * 60) };
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_secs(least))
        .with_max_delay(Duration::from_secs(most))
        .with_jitter()
        .without_max_times()
        .build()
}

fn least_pause(is_transient: bool) -> Duration {
    if is_transient { Duration::from_millis(500) } else { Duration::from_secs(30) }
}

/// Resolves when the daemon is to stop.
pub async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _ = stop.wait_for(|stop| *stop).await;
}
