//! What the daemon is doing right now, for `imipd status`.

use std::collections::BTreeMap;
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

/// The state of all folders, kept up to date by those who work on them.
#[derive(Debug, Default)]
pub struct StatusBoard {
    mailboxes: Mutex<BTreeMap<(String, String), MailboxStatus>>,
    smtp_error: Mutex<String>,
    /// By user: what keeps their mail back, and until when, Unix milliseconds.
    storms: Mutex<BTreeMap<String, (String, i64)>>,
}

impl StatusBoard {
    /// Enters a folder that will be watched.
    pub fn enter(&self, user: &str, folder: &str) {
        let status = MailboxStatus {
            user: user.to_owned(),
            folder: folder.to_owned(),
            phase: Phase::Starting,
            since: rfc3339(now_millis()),
            last_error: String::new(),
            mails: 0,
        };
        locked(&self.mailboxes).insert((user.to_owned(), folder.to_owned()), status);
    }

    /// Records a new phase; a folder that is watched has no trouble any more.
    pub fn set_phase(&self, user: &str, folder: &str, phase: Phase) {
        self.update(user, folder, |status| {
            if status.phase != phase {
                status.phase = phase;
                status.since = rfc3339(now_millis());
            }
            if phase == Phase::Watching {
                status.last_error.clear();
            }
        });
    }

    /// Records trouble with a folder.
    pub fn fail(&self, user: &str, folder: &str, error: &str) {
        self.set_phase(user, folder, Phase::Failing);
        self.update(user, folder, |status| error.clone_into(&mut status.last_error));
    }

    /// Counts a mail.
    pub fn count_mail(&self, user: &str, folder: &str) {
        self.update(user, folder, |status| status.mails += 1);
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

    pub fn mailboxes(&self) -> Vec<MailboxStatus> {
        locked(&self.mailboxes).values().cloned().collect()
    }

    fn update(&self, user: &str, folder: &str, change: impl FnOnce(&mut MailboxStatus)) {
        if let Some(status) = locked(&self.mailboxes).get_mut(&(user.to_owned(), folder.to_owned())) {
            change(status);
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
