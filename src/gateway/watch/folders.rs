//! Which folders of a mailbox are watched, and how far each has been read.

use std::collections::BTreeSet;

use chrono::Utc;
use tokio::time::Instant;

use super::{LOOK_UP_INTERVAL, WatchError, Watcher};
use crate::gateway::receive::Place;
use crate::gateway::{GatewayError, now_millis};
use crate::ledger::{CursorRecord, Failures};
use crate::mailbox::{
    Backfill, ChosenFolder, Created, Cursor, Folder, FolderState, ImapUid, MailboxError, Plan, Session, UidValidity,
    answer_folders, plan,
};

/// How many days of mail are looked at again when a folder has new identifiers.
const RESCAN_DAYS: u32 = 30;

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1_000;

/// A folder that is watched.
#[derive(Debug)]
pub(super) struct WatchedFolder {
    pub chosen: ChosenFolder,
    /// How far it has been read; nothing when it was never seen.
    pub cursor: Option<Cursor>,
    /// What arrived before is none of our business, Unix milliseconds.
    pub since_at: i64,
    /// Ordinary mails that lie between the cursor and what of it is stored.
    pub unsaved: usize,
    /// Up to this mail each is asked for by itself: one of them cannot be understood, and would break every connection.
    pub careful_until: Option<ImapUid>,
    /// Mails whose structure cannot be understood.
    pub unreadable: BTreeSet<ImapUid>,
    /// What has failed about the mail at which the reading stands, or stood.
    pub failures: Option<Failures>,
    /// The mail whose structure broke connections, and how many.
    pub stumbled: Option<(ImapUid, u32)>,
    /// How often it was tried to learn from old mails whom the user knows.
    pub acquainting: u32,
    /// Mails that were given up, in case that they are met again before the cursor has moved.
    pub given_up: BTreeSet<ImapUid>,
    /// The number of changes when its keywords were looked at; nothing where that was never, or there is no such number.
    pub tags_modseq: Option<u64>,
}

impl WatchedFolder {
    pub(super) fn record(&self, cursor: Cursor) -> CursorRecord {
        CursorRecord {
            uid_validity: cursor.uid_validity.0,
            next_uid: cursor.next_uid.0,
            highest_modseq: i64::try_from(cursor.highest_modseq).unwrap_or(i64::MAX),
            since_at: self.since_at,
        }
    }

    /// Notes what was stored.
    pub(super) fn has_stored(&mut self, cursor: Option<Cursor>) {
        if let Some(cursor) = cursor {
            (self.cursor, self.unsaved) = (Some(cursor), 0);
            self.given_up.retain(|uid| *uid >= cursor.next_uid);
            self.unreadable.retain(|uid| *uid >= cursor.next_uid);
        }
    }

    /// Where a mail of the folder is found, for the pipeline.
    pub(super) fn place<'a>(&'a self, user: &'a crate::config::User, cursor: Option<Cursor>) -> Place<'a> {
        let cursor = cursor.map(|cursor| self.record(cursor));
        Place { user, folder: &self.chosen.shown, role: self.chosen.role, cursor }
    }
}

impl Watcher {
    /// Whether it is time to see which folders there are.
    pub(super) fn folders_are_due(&self) -> bool {
        self.listed_at.is_none_or(|listed_at| listed_at.elapsed() >= LOOK_UP_INTERVAL)
    }

    /// Sees which folders there are, and says so when they are others than before.
    pub(super) async fn look_up_folders(&mut self, session: &mut Session) -> Result<(), WatchError> {
        let wanted = &self.common.gateway.config.imap.watch;
        let folders = self.with_answer_folders(session).await?;
        let choice = self.common.gateway.choose_folders(&folders);
        self.listed_at = Some(Instant::now());
        if choice.folders.is_empty() {
            let (folder, text) = (wanted.join(", "), "none of them is there".to_owned());
            return Err(MailboxError::NoSuchFolder { folder, text }.into());
        }
        let is_same = choice.folders.iter().eq(self.folders.iter().map(|folder| &folder.chosen));
        if is_same {
            return Ok(());
        }
        let user = self.user.key();
        if choice.left_out > 0 {
            let (watched, left_out) = (choice.folders.len(), choice.left_out);
            tracing::warn!(
                user,
                watched,
                left_out,
                "too many folders match [imap] watch; the last ones by name are not watched"
            );
        }
        if !choice.missing.is_empty() {
            tracing::debug!(user, missing = choice.missing.join(", "), "not all folders of [imap] watch are there");
        }
        self.take_folders(choice.folders).await
    }

    /// All folders of the user; those of the answers are made where they are wanted and missing.
    async fn with_answer_folders(&self, session: &mut Session) -> Result<Vec<Folder>, WatchError> {
        let folders = session.folders().await?;
        if !self.common.gateway.config.answers.folders {
            return Ok(folders);
        }
        let user = self.user.key();
        let Some(wanted) = answer_folders(&folders) else {
            if self.listed_at.is_none() {
                tracing::warn!(user, "answers.folders: folders hold no folders on this server");
            }
            return Ok(folders);
        };
        let missing = wanted.into_iter().filter(|wanted| !folders.iter().any(|known| known.name == wanted.name));
        let mut is_made = false;
        for folder in missing {
            match session.create_for_answers(&folder).await? {
                Created::Done => is_made = true,
                // Told once, and not each time that the folders are looked up.
                Created::Refused(why) if self.listed_at.is_none() => {
                    tracing::warn!(user, folder = folder.name, why, "answers.folders: not made");
                }
                Created::Refused(_) => {}
            }
        }
        Ok(if is_made { session.folders().await? } else { folders })
    }

    async fn take_folders(&mut self, chosen: Vec<ChosenFolder>) -> Result<(), WatchError> {
        let ledger = &self.common.gateway.ledger;
        // Asked before any of them is read: at the first sight of a mailbox all its folders are new.
        let ours_since = ledger.ours_since(self.user.key()).await.map_err(GatewayError::from)?;
        let mut before = std::mem::take(&mut self.folders);
        for chosen in chosen {
            let known = before.iter().position(|folder| folder.chosen == chosen);
            let folder = match known {
                Some(at) => before.swap_remove(at),
                None => self.new_folder(chosen, ours_since).await?,
            };
            self.folders.push(folder);
        }
        let names = || self.folders.iter().map(|folder| folder.chosen.shown.as_str());
        tracing::debug!(
            user = self.user.key(),
            folders = names().collect::<Vec<_>>().join(", "),
            "watching these folders"
        );
        self.common.gateway.board.set_folders(self.user.key(), names());
        Ok(())
    }

    async fn new_folder(&self, chosen: ChosenFolder, ours_since: Option<i64>) -> Result<WatchedFolder, GatewayError> {
        let backfill_millis = i64::from(self.common.gateway.config.imap.backfill_days) * DAY_MILLIS;
        let ledger = &self.common.gateway.ledger;
        let stored = ledger.cursor(self.user.key(), &chosen.shown).await?;
        let failures = ledger.failures(self.user.key(), &chosen.shown).await?;
        let since_at = stored.map(|record| record.since_at).or(ours_since);
        Ok(WatchedFolder {
            chosen,
            cursor: stored.map(|record| Cursor {
                uid_validity: UidValidity(record.uid_validity),
                next_uid: ImapUid(record.next_uid),
                highest_modseq: u64::try_from(record.highest_modseq).unwrap_or(0),
            }),
            since_at: since_at.unwrap_or_else(|| now_millis() - backfill_millis),
            unsaved: 0,
            careful_until: None,
            unreadable: BTreeSet::new(),
            failures,
            stumbled: None,
            acquainting: 0,
            given_up: BTreeSet::new(),
            tags_modseq: None,
        })
    }

    /// What is to be read of a folder.
    ///
    /// A folder that appears in a mailbox that is known is read from the time on since when the mailbox is: what was filed or moved
    /// there before we heard of the folder is not lost, and what was taken elsewhere is recognised.
    pub(super) fn plan_for(&self, folder: &WatchedFolder, state: &FolderState) -> Plan {
        let age = (now_millis() - folder.since_at).max(0);
        let days = match age / DAY_MILLIS {
            // Seen just now, with no wish for what was there before.
            0 if age < 60_000 => 0,
            days => u32::try_from(days).unwrap_or(u32::MAX).saturating_add(1),
        };
        let first_sight_days = days.min(RESCAN_DAYS.max(self.common.gateway.config.imap.backfill_days));
        let backfill = Backfill { first_sight_days, rescan_days: RESCAN_DAYS };
        plan(folder.cursor, state, backfill, Utc::now().date_naive())
    }
}
