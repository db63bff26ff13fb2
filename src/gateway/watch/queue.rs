//! The new mails of one folder that wait to be decided.

use std::collections::{BTreeMap, VecDeque};

use chrono::NaiveDate;

use crate::mailbox::{Cursor, FetchedMail, ImapUid, MailStructure, UidValidity, limits};

/// The least numbers that one command asks about.
const WINDOW_MIN: u32 = 16;

/// A folder with news.
#[derive(Debug)]
pub(super) struct Queue {
    /// The position of the folder in the mailbox.
    pub folder: usize,
    pub uid_validity: UidValidity,
    pub job: Job,
    /// Mails of interest, ascending.
    pub pending: VecDeque<MailStructure>,
    /// Texts that were fetched together; nothing for a mail that has vanished.
    pub texts: BTreeMap<ImapUid, Option<FetchedMail>>,
    pub is_finished: bool,
}

/// Which mails are read.
#[derive(Debug)]
pub(super) enum Job {
    /// All behind the cursor. `looked` is how far their structures are known; `last` is the highest that there is, or nothing
    /// when few are expected.
    Onward { looked: Cursor, last: Option<ImapUid>, window: u32 },
    /// Those received since a day; the cursor is `then` when all of them are done.
    Since { day: NaiveDate, then: Cursor, remaining: Option<VecDeque<ImapUid>> },
}

impl Queue {
    pub(super) fn new(folder: usize, uid_validity: UidValidity, job: Job) -> Self {
        let (pending, texts) = (VecDeque::new(), BTreeMap::new());
        Self { folder, uid_validity, job, pending, texts, is_finished: false }
    }

    pub(super) fn onward(folder: usize, cursor: Cursor, last: Option<ImapUid>) -> Self {
        let job = Job::Onward { looked: cursor, last, window: limits::STRUCTURES_WANTED };
        Self::new(folder, cursor.uid_validity, job)
    }

    /// When the first of the mails arrived, in seconds; a mail without a date holds nobody up.
    pub(super) fn arrived(&self) -> Option<i64> {
        self.pending.front().map(|mail| mail.internal_date.map_or(i64::MIN, |date| date.timestamp()))
    }

    /// The cursor once the first of the mails is done; nothing while mail is read by date.
    ///
    /// With the last of them all that was looked at is done, and not only what was of interest.
    pub(super) fn cursor_after(&self, uid: ImapUid) -> Option<Cursor> {
        match &self.job {
            Job::Onward { looked, .. } if self.pending.len() <= 1 => Some(*looked),
            Job::Onward { looked, .. } => Some(Cursor { next_uid: uid.next(), ..*looked }),
            Job::Since { .. } => None,
        }
    }
}

/// The next window, when one has brought `found` mails: as many numbers as will bring about as many mails as are wanted.
///
/// Numbers are not dense: of a folder that was emptied many times, a few mails may be left among a million numbers.
pub(super) fn next_window(window: u32, found: usize) -> u32 {
    let found = u32::try_from(found).unwrap_or(u32::MAX).max(1);
    let wanted = u64::from(window) * u64::from(limits::STRUCTURES_WANTED) / u64::from(found);
    let most = u64::from(window).saturating_mul(4);
    u32::try_from(wanted.min(most)).unwrap_or(u32::MAX).max(WINDOW_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_follows_the_density() {
        assert_eq!(next_window(500, 500), 500);
        assert_eq!(next_window(500, 250), 1000);
        assert_eq!(next_window(500, 0), 2000);
        assert_eq!(next_window(100_000, 1000), 50_000);
        assert_eq!(next_window(u32::MAX, 0), u32::MAX);
        assert_eq!(next_window(WINDOW_MIN, 5000), WINDOW_MIN);
    }
}
