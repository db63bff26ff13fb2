//! What the daemon is doing right now, for `imipd status`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::now_millis;

/// The state of one watched folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxStatus {
    pub user: String,
    pub folder: String,
    pub phase: Phase,
    /// When the phase began, RFC 3339.
    pub since: String,
    /// The last trouble, a sentence; empty when there was none since the last success.
    pub last_error: String,
    /// The mails read since the daemon started.
    pub mails: u64,
}

/// What is being done with a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The first connection is being made.
    Starting,
    /// Mail is being fetched or decided.
    Reading,
    /// All that is there has been read; the server tells when there is more.
    Watching,
    /// The server cannot be used; it is tried again.
    Failing,
}

/// What `imipd status` shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Whether a daemon answered.
    pub running: bool,
    /// Whether no mail is being fetched or decided and none is waiting to be sent.
    pub idle: bool,
    pub mailboxes: Vec<MailboxStatus>,
    pub outbox: OutboxStatus,
    /// Mails that could not be processed and are not tried again.
    pub dead_letters: u64,
    /// How often the watching of a mailbox broke off by a fault of imipd, since it started.
    #[serde(default)]
    pub panics: u64,
}

/// The outbox in numbers, by recipient.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxStatus {
    pub waiting: i64,
    pub failed: i64,
    /// Those of the waiting whom a rate limit keeps waiting.
    #[serde(default)]
    pub held: i64,
    pub last_error: String,
    /// The rate limits that keep mail back, a sentence for each user.
    #[serde(default)]
    pub storms: Vec<String>,
}

/// The state of all mailboxes, kept up to date by those who work on them.
#[derive(Debug, Default)]
pub struct StatusBoard {
    mailboxes: Mutex<BTreeMap<String, Mailbox>>,
    smtp_error: Mutex<String>,
    panics: AtomicU64,
    /// By user: what keeps their mail back, and until when, Unix milliseconds.
    storms: Mutex<BTreeMap<String, (String, i64)>>,
}

/// One mailbox; its folders share a connection, and so a phase.
#[derive(Debug)]
struct Mailbox {
    phase: Phase,
    since_at: i64,
    last_error: String,
    /// By name, each with the mails read in it.
    folders: Vec<(String, u64)>,
}

impl StatusBoard {
    /// Enters a mailbox that will be watched.
    pub fn enter(&self, user: &str) {
        let mailbox =
            Mailbox { phase: Phase::Starting, since_at: now_millis(), last_error: String::new(), folders: Vec::new() };
        locked(&self.mailboxes).insert(user.to_owned(), mailbox);
    }

    /// Forgets a mailbox that is watched no more.
    pub fn leave(&self, user: &str) {
        locked(&self.mailboxes).remove(user);
    }

    /// Records which folders of a mailbox are watched; those that were there before keep their count.
    pub fn set_folders<'a>(&self, user: &str, names: impl Iterator<Item = &'a str>) {
        self.update(user, |mailbox| {
            let counted = std::mem::take(&mut mailbox.folders);
            let count = |name: &str| counted.iter().find(|(known, _)| known == name).map_or(0, |(_, mails)| *mails);
            mailbox.folders = names.map(|name| (name.to_owned(), count(name))).collect();
        });
    }

    /// Records a new phase; a mailbox that is watched has no trouble any more.
    pub fn set_phase(&self, user: &str, phase: Phase) {
        self.update(user, |mailbox| {
            if mailbox.phase != phase {
                mailbox.phase = phase;
                mailbox.since_at = now_millis();
            }
            if phase == Phase::Watching {
                mailbox.last_error = String::new();
            }
        });
    }

    /// Records trouble with a mailbox.
    pub fn fail(&self, user: &str, error: &str) {
        self.set_phase(user, Phase::Failing);
        self.update(user, |mailbox| error.clone_into(&mut mailbox.last_error));
    }

    /// Records trouble that is our own fault.
    pub fn count_panic(&self, user: &str, error: &str) {
        self.panics.fetch_add(1, Ordering::Relaxed);
        self.fail(user, error);
    }

    /// How often the watching of a mailbox broke off by a fault of ours, since the daemon started.
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    /// Counts a mail.
    pub fn count_mail(&self, user: &str, folder: &str) {
        self.update(user, |mailbox| {
            if let Some((_, mails)) = mailbox.folders.iter_mut().find(|(name, _)| name == folder) {
                *mails += 1;
            }
        });
    }

    /// Records the last trouble with the submission server; empty when it works.
    pub fn set_smtp_error(&self, error: &str) {
        error.clone_into(&mut locked(&self.smtp_error));
    }

    pub fn smtp_error(&self) -> String {
        locked(&self.smtp_error).clone()
    }

    /// Records that a rate limit keeps mail of a user back until an instant, Unix milliseconds.
    pub fn note_storm(&self, user: &str, text: &str, until: i64) {
        locked(&self.storms).insert(user.to_owned(), (text.to_owned(), until));
    }

    /// Records that no rate limit keeps mail of a user back any more.
    pub fn calm(&self, user: &str) {
        locked(&self.storms).remove(user);
    }

    /// What keeps mail back now.
    pub fn storms(&self) -> Vec<String> {
        let mut storms = locked(&self.storms);
        storms.retain(|_, (_, until)| *until > now_millis());
        storms.values().map(|(text, _)| text.clone()).collect()
    }

    /// A row for each watched folder, by user; one without a folder while those of a mailbox are not known yet.
    pub fn mailboxes(&self) -> Vec<MailboxStatus> {
        locked(&self.mailboxes).iter().flat_map(|(user, mailbox)| mailbox.rows(user)).collect()
    }

    fn update(&self, user: &str, change: impl FnOnce(&mut Mailbox)) {
        if let Some(mailbox) = locked(&self.mailboxes).get_mut(user) {
            change(mailbox);
        }
    }
}

impl Mailbox {
    fn rows(&self, user: &str) -> Vec<MailboxStatus> {
        let row = |folder: &str, mails: u64| MailboxStatus {
            user: user.to_owned(),
            folder: folder.to_owned(),
            phase: self.phase,
            since: rfc3339(self.since_at),
            last_error: self.last_error.clone(),
            mails,
        };
        match self.folders.as_slice() {
            [] => vec![row("", 0)],
            folders => folders.iter().map(|(name, mails)| row(name, *mails)).collect(),
        }
    }
}

/// The value behind a lock; one that a panic has left is as good as any, since every change is a single assignment.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Unix milliseconds as RFC 3339 with milliseconds, in UTC.
pub fn rfc3339(millis: i64) -> String {
    chrono::DateTime::from_timestamp_millis(millis)
        .map_or_else(String::new, |at| at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
}
