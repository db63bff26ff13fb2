//! How far a folder has been read, and what is to be read next. Pure.

use chrono::{Days, NaiveDate};

use super::argument::{ImapUid, UidValidity};
use super::folder::FolderState;

/// How far a folder has been read; every mail below `next_uid` is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub uid_validity: UidValidity,
    /// The lowest identifier that is not done yet.
    pub next_uid: ImapUid,
    /// What [`FolderState::highest_modseq`] was at that time or before; 0 where the server keeps none.
    pub highest_modseq: u64,
}

impl Cursor {
    /// The cursor behind everything that is in the folder now.
    pub fn at_end(folder: &FolderState) -> Self {
        let highest_modseq = folder.highest_modseq.unwrap_or(0);
        Self { uid_validity: folder.uid_validity, next_uid: folder.uid_next, highest_modseq }
    }

    /// The cursor behind `uid`; it never moves back.
    pub fn after(self, uid: ImapUid) -> Self {
        Self { next_uid: self.next_uid.max(uid.next()), ..self }
    }
}

/// How far back is read when there is no usable cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backfill {
    /// Days of mail to read when a folder is seen for the first time; 0 reads only what arrives from now on.
    pub first_sight_days: u32,
    /// Days of mail to read again when the folder's identifiers have lost their meaning.
    pub rescan_days: u32,
}

/// What is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Nothing; `cursor` is kept.
    Nothing { cursor: Cursor },
    /// The mails from the cursor's `next_uid` on.
    Continue { cursor: Cursor },
    /// The mails received on `day` or later that lie below `then`; afterwards `then` is the cursor.
    ///
    /// Until all of them are done no cursor is stored, so a crash begins again. After
    /// [`SinceWhy::Renumbered`] most of them were seen under other identifiers: they are recognised by Message-ID.
    Since { day: NaiveDate, then: Cursor, why: SinceWhy },
}

/// Why mail is read by date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinceWhy {
    /// The folder is seen for the first time.
    FirstSight,
    /// The folder has a new UIDVALIDITY, or counts from below where it was.
    Renumbered,
}

/// Decides what is to be read of a folder.
///
/// RFC 3501 §2.3.1.1: with an unchanged UIDVALIDITY an identifier is never given twice, so nothing below the cursor
/// is new. RFC 4549 §4.1: with a changed one all that is remembered is void.
pub fn plan(stored: Option<Cursor>, folder: &FolderState, backfill: Backfill, today: NaiveDate) -> Plan {
    let end = Cursor::at_end(folder);
    let Some(cursor) = stored else {
        return match backfill.first_sight_days {
            0 => Plan::Nothing { cursor: end },
            days => Plan::Since { day: days_before(today, days), then: end, why: SinceWhy::FirstSight },
        };
    };
    // A UIDNEXT below the cursor breaks the promise; a folder restored from a backup does this. When enough mail has come since,
    // only the number of changes tells that what lies below the cursor is not what was read.
    let is_restored = folder.uid_next < cursor.next_uid
        || folder.highest_modseq.is_some_and(|highest_modseq| highest_modseq < cursor.highest_modseq);
    if cursor.uid_validity != folder.uid_validity || is_restored {
        let day = days_before(today, backfill.rescan_days);
        return Plan::Since { day, then: end, why: SinceWhy::Renumbered };
    }
    if folder.uid_next == cursor.next_uid { Plan::Nothing { cursor } } else { Plan::Continue { cursor } }
}

fn days_before(today: NaiveDate, days: u32) -> NaiveDate {
    // The server compares in its own time zone, so a day is added. RFC 3501 §6.4.4, SINCE.
    today.checked_sub_days(Days::new(u64::from(days) + 1)).unwrap_or(NaiveDate::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKFILL: Backfill = Backfill { first_sight_days: 0, rescan_days: 30 };

    fn folder(validity: u32, next: u32) -> FolderState {
        FolderState { uid_validity: UidValidity(validity), uid_next: ImapUid(next), exists: 5, highest_modseq: None }
    }

    fn cursor(validity: u32, next: u32) -> Cursor {
        Cursor { uid_validity: UidValidity(validity), next_uid: ImapUid(next), highest_modseq: 0 }
    }

    fn day(month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, month, day).unwrap()
    }

    #[test]
    fn at_first_sight_only_what_arrives_from_now_on_is_read() {
        let plan = plan(None, &folder(1, 100), BACKFILL, day(5, 1));
        assert_eq!(plan, Plan::Nothing { cursor: cursor(1, 100) });
    }

    #[test]
    fn at_first_sight_some_days_are_read_where_that_is_wanted() {
        let backfill = Backfill { first_sight_days: 7, ..BACKFILL };
        let plan = plan(None, &folder(1, 100), backfill, day(5, 10));
        assert_eq!(plan, Plan::Since { day: day(5, 2), then: cursor(1, 100), why: SinceWhy::FirstSight });
    }

    #[test]
    fn reading_goes_on_behind_the_cursor() {
        let today = day(5, 1);
        assert_eq!(
            plan(Some(cursor(1, 90)), &folder(1, 100), BACKFILL, today),
            Plan::Continue { cursor: cursor(1, 90) }
        );
        assert_eq!(
            plan(Some(cursor(1, 100)), &folder(1, 100), BACKFILL, today),
            Plan::Nothing { cursor: cursor(1, 100) }
        );
    }

    #[test]
    fn a_new_uidvalidity_reads_some_days_again() {
        let plan = plan(Some(cursor(1, 90)), &folder(2, 3), BACKFILL, day(5, 31));
        assert_eq!(plan, Plan::Since { day: day(4, 30), then: cursor(2, 3), why: SinceWhy::Renumbered });
    }

    #[test]
    fn a_folder_that_counts_from_below_is_read_again() {
        let plan = plan(Some(cursor(1, 90)), &folder(1, 40), BACKFILL, day(5, 31));
        assert!(matches!(plan, Plan::Since { why: SinceWhy::Renumbered, .. }));
    }

    #[test]
    fn a_folder_with_fewer_changes_than_before_was_restored_although_it_has_grown_again() {
        let before = Cursor { highest_modseq: 70, ..cursor(1, 90) };
        for (now, is_restored) in [(Some(69), true), (Some(70), false), (None, false)] {
            let grown = FolderState { highest_modseq: now, ..folder(1, 100) };
            let plan = plan(Some(before), &grown, BACKFILL, day(5, 31));
            assert_eq!(matches!(plan, Plan::Since { why: SinceWhy::Renumbered, .. }), is_restored, "{now:?}");
        }
    }

    #[test]
    fn a_cursor_never_moves_back() {
        assert_eq!(cursor(1, 90).after(ImapUid(95)), cursor(1, 96));
        assert_eq!(cursor(1, 90).after(ImapUid(3)), cursor(1, 90));
        assert_eq!(cursor(1, 90).after(ImapUid(u32::MAX)).next_uid, ImapUid(u32::MAX));
    }
}
