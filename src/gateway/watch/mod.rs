//! One mailbox: read what is new in its folders, wait for more, for ever.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use chrono::Utc;
use tokio::sync::{Notify, watch};

use super::receive::{Place, record_about};
use super::{Gateway, GatewayError, Phase, now_millis};
use crate::config::User;
use crate::ledger::CursorRecord;
use crate::mailbox::{
    Backfill, Cursor, Fetched, FolderRole, IdleEnd, ImapServer, ImapUid, MailStructure, MailboxError, Plan, Session,
    UidValidity, plan,
};

/// How long one IDLE lasts at most; servers end it after 30 minutes (RFC 2177 §3).
const IDLE_MAX: Duration = Duration::from_secs(25 * 60);

/// How many days of mail are looked at again when a folder has new identifiers.
const RESCAN_DAYS: u32 = 30;

/// An IDLE that ends sooner than this without news is the server's way of saying no.
const IDLE_MIN: Duration = Duration::from_secs(2);

/// Why watching has to start over.
#[derive(Debug, thiserror::Error)]
enum WatchError {
    #[error(transparent)]
    Mailbox(#[from] MailboxError),
    #[error(transparent)]
    Gateway(#[from] GatewayError),
}

/// A mailbox that is watched.
pub struct Watcher {
    gateway: Arc<Gateway>,
    server: Arc<ImapServer>,
    user: Arc<User>,
    /// Rung when there may be new mail.
    bell: Arc<Notify>,
    /// True once the watching is to end.
    stop: watch::Receiver<bool>,
    folders: Vec<WatchedFolder>,
}

/// A folder that is watched.
struct WatchedFolder {
    name: String,
    role: FolderRole,
    /// How its mails are asked for.
    manner: Manner,
}

/// How mails are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Manner {
    /// By their structures, many at once.
    #[default]
    Structures,
    /// By their sizes alone: the structure of one of them cannot be understood, and would break every connection.
    Sizes,
}

impl Watcher {
    pub fn new(
        gateway: Arc<Gateway>,
        server: Arc<ImapServer>,
        user: Arc<User>,
        (bell, stop): (Arc<Notify>, watch::Receiver<bool>),
    ) -> Self {
        let folders = gateway.config.imap.watch.iter().map(|name| WatchedFolder {
            name: name.clone(),
            role: if name == "INBOX" { FolderRole::Inbox } else { FolderRole::Other },
            manner: Manner::Structures,
        });
        let folders = folders.collect();
        Self { gateway, server, user, bell, stop, folders }
    }

    /// Watches until it is told to stop; trouble is recorded, and tried again with backoff.
    pub async fn run(mut self) {
        let user = Arc::clone(&self.user);
        self.gateway.board.set_folders(user.key(), self.folders.iter().map(|folder| folder.name.as_str()));
        let mut backoff = schedule(true);
        while !*self.stop.borrow() {
            let mut progress = Progress::default();
            let Err(error) = self.session(&user, &mut progress).await else { return };
            let is_transient = match &error {
                WatchError::Mailbox(error) => error.is_transient() || error.is_about_a_mail(),
                WatchError::Gateway(_) => true,
            };
            if progress.caught_up {
                backoff = schedule(is_transient);
            }
            self.gateway.board.fail(user.key(), &error.to_string());
            if matches!(error, WatchError::Mailbox(MailboxError::LoginRefused { .. })) {
                // When it is tried again is decided where it is tried, and told there.
                backoff = schedule(true);
                continue;
            }
            let pause = backoff.next().unwrap_or(BACKOFF_MAX).max(least_pause(is_transient));
            tracing::warn!(user = user.key(), retry_in = ?pause, %error, "cannot watch");
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stopped(&mut self.stop) => return,
            }
        }
    }

    /// One connection, from login until trouble or the end of the watching.
    async fn session(&mut self, user: &User, progress: &mut Progress) -> Result<(), WatchError> {
        let mut session = tokio::select! {
            session = self.gateway.log_in(&self.server, user) => session?,
            () = stopped(&mut self.stop) => return Ok(()),
        };
        while !*self.stop.borrow() {
            // The first folder is read last, so that it is the one that is open while we wait.
            for at in (0..self.folders.len()).rev() {
                self.catch_up_noting_manner(&mut session, at).await?;
            }
            progress.caught_up = true;
            self.gateway.board.set_phase(user.key(), Phase::Watching);
            let began = tokio::time::Instant::now();
            let (mut stop, bell) = (self.stop.clone(), Arc::clone(&self.bell));
            let woken = async {
                tokio::select! {
                    () = bell.notified() => {}
                    () = stopped(&mut stop) => {}
                }
            };
            let most = if self.folders.len() > 1 { self.gateway.config.imap.poll_interval } else { IDLE_MAX };
            let end = session.idle(most.min(IDLE_MAX), woken).await?;
            self.gateway.board.set_phase(user.key(), Phase::Reading);
            if end != IdleEnd::NewMail && end != IdleEnd::Woken && began.elapsed() < IDLE_MIN {
                tokio::time::sleep(IDLE_MIN).await;
            }
        }
        // The server learns that we leave; whether it hears us does not matter.
        let _ = tokio::time::timeout(Duration::from_secs(1), session.logout()).await;
        Ok(())
    }

    async fn catch_up_noting_manner(&mut self, session: &mut Session, at: usize) -> Result<(), WatchError> {
        let Some(folder) = self.folders.get(at) else { return Ok(()) };
        let result = self.catch_up(session, folder).await;
        let manner = match &result {
            Err(WatchError::Mailbox(error)) if error.is_about_a_mail() => Manner::Sizes,
            _ => Manner::Structures,
        };
        if let Some(folder) = self.folders.get_mut(at) {
            folder.manner = manner;
        }
        result
    }

    /// Reads everything that is new.
    async fn catch_up(&self, session: &mut Session, of: &WatchedFolder) -> Result<(), WatchError> {
        let folder = session.examine(&of.name).await?;
        self.gateway.board.set_phase(self.user.key(), Phase::Reading);
        let stored = self.gateway.ledger.cursor(self.user.key(), &of.name).await.map_err(GatewayError::from)?;
        let ours_since = stored.map_or_else(|| self.first_sight(), |record| record.since_at);
        let stored = stored.map(|record| Cursor {
            uid_validity: UidValidity(record.uid_validity),
            next_uid: ImapUid(record.next_uid),
        });
        let backfill = Backfill { first_sight_days: self.gateway.config.imap.backfill_days, rescan_days: RESCAN_DAYS };
        match plan(stored, &folder, backfill, Utc::now().date_naive()) {
            Plan::Nothing { cursor } if stored == Some(cursor) => Ok(()),
            Plan::Nothing { cursor } => self.save_cursor(of, cursor).await,
            Plan::Continue { cursor } => self.read_on(session, of, cursor).await,
            Plan::Since { day, then, why } => {
                tracing::info!(user = self.user.key(), folder = of.name, %day, ?why, "reading mail by date");
                self.read_since(session, of, Since { day, then, ours_since }).await
            }
        }
    }

    /// From when on mail is ours if the folder is seen for the first time now, Unix milliseconds.
    fn first_sight(&self) -> i64 {
        const DAY: i64 = 24 * 60 * 60 * 1_000;
        now_millis() - i64::from(self.gateway.config.imap.backfill_days) * DAY
    }

    /// Reads from the cursor to the end of the folder.
    async fn read_on(&self, session: &mut Session, of: &WatchedFolder, mut cursor: Cursor) -> Result<(), WatchError> {
        loop {
            let mails = self.mails(session, of, (cursor.next_uid, None)).await?;
            let Some(last) = mails.last().map(|mail| mail.uid) else { return Ok(()) };
            for mail in mails.iter().filter(|mail| mail.is_of_interest()) {
                if *self.stop.borrow() {
                    return Ok(());
                }
                self.read_mail(session, of, mail, Some(self.record(cursor.after(mail.uid)))).await?;
            }
            cursor = cursor.after(last);
            self.save_cursor(of, cursor).await?;
        }
    }

    /// Reads the mails received since a day; the cursor moves when all of them are done.
    async fn read_since(&self, session: &mut Session, of: &WatchedFolder, since: Since) -> Result<(), WatchError> {
        let Since { day, then, .. } = since;
        for uid in session.search_since(day).await?.into_iter().filter(|uid| *uid < then.next_uid) {
            if *self.stop.borrow() {
                return Ok(());
            }
            let mails = self.mails(session, of, (uid, Some(uid))).await?;
            for mail in mails.iter().filter(|mail| mail.is_of_interest() && since.is_ours(mail)) {
                self.read_mail(session, of, mail, None).await?;
            }
        }
        self.save_cursor(of, then).await
    }

    /// What is known of the mails of a range before they are fetched.
    async fn mails(
        &self,
        session: &mut Session,
        of: &WatchedFolder,
        (first, last): (ImapUid, Option<ImapUid>),
    ) -> Result<Vec<MailStructure>, MailboxError> {
        match of.manner {
            Manner::Structures => session.structures(first, last).await,
            Manner::Sizes => session.sizes(first, last).await,
        }
    }

    /// Fetches one mail and has it decided.
    async fn read_mail(
        &self,
        session: &mut Session,
        of: &WatchedFolder,
        mail: &MailStructure,
        cursor: Option<CursorRecord>,
    ) -> Result<(), WatchError> {
        let place = self.place(of, cursor);
        match session.fetch(mail).await {
            Ok(Fetched::Mail(fetched)) => drop(self.gateway.receive_mail(place, &fetched.raw).await?),
            Ok(Fetched::Vanished) => {}
            Ok(Fetched::TooLarge { what, octets, octets_max }) => {
                let text = format!("Not taken: {what} has {octets} bytes, more than the {octets_max} that are read.");
                self.give_up_on(place, mail, "too-large", &text).await?;
            }
            Err(error) if error.is_about_a_mail() => {
                // The connection is spent, but the next one must not stumble over the same mail.
                self.give_up_on(place, mail, "unreadable-mail", &format!("Not taken: {error}.")).await?;
                return Err(error.into());
            }
            Err(error) => return Err(error.into()),
        }
        self.gateway.board.count_mail(self.user.key(), &of.name);
        Ok(())
    }

    async fn give_up_on(
        &self,
        place: Place<'_>,
        mail: &MailStructure,
        reason: &str,
        text: &str,
    ) -> Result<(), GatewayError> {
        // A mail that cannot be read has no Message-ID to be found by; its number in the folder has to serve.
        let text = format!("{text} It is mail {} of the folder.", mail.uid.0);
        self.gateway.record(place, vec![record_about(place, reason, &text)]).await.map(drop)
    }

    fn record(&self, cursor: Cursor) -> CursorRecord {
        let since_at = self.first_sight();
        CursorRecord { uid_validity: cursor.uid_validity.0, next_uid: cursor.next_uid.0, since_at }
    }

    fn place<'a>(&'a self, of: &'a WatchedFolder, cursor: Option<CursorRecord>) -> Place<'a> {
        Place { user: &self.user, folder: &of.name, role: of.role, cursor }
    }

    async fn save_cursor(&self, of: &WatchedFolder, cursor: Cursor) -> Result<(), WatchError> {
        let place = self.place(of, Some(self.record(cursor)));
        self.gateway.record(place, Vec::new()).await?;
        Ok(())
    }
}

/// How far a session came.
#[derive(Debug, Default)]
struct Progress {
    caught_up: bool,
}

/// Which mails are read by date.
#[derive(Clone, Copy, Debug)]
struct Since {
    day: chrono::NaiveDate,
    /// The cursor when all of them are done.
    then: Cursor,
    /// What arrived before was there before us, Unix milliseconds.
    ours_since: i64,
}

impl Since {
    /// Whether a mail came when the folder was ours; the server tells its arrival in whole seconds.
    ///
    /// New numbers in a folder are no reason to take in what was left alone at first sight.
    fn is_ours(&self, mail: &MailStructure) -> bool {
        mail.internal_date.is_none_or(|arrived| arrived.timestamp() >= self.ours_since.div_euclid(1_000))
    }
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
