//! Keywords that are answers: which mails have got one since somebody looked last.
//!
//! | a mail with such a keyword | what happens |
//! |---|---|
//! | had it when the folder was looked at last | nothing |
//! | was there then without it | the user has answered |
//! | has come since, and the user has answered by this mail before | nothing: it was moved here with its keyword |
//! | has come since otherwise | the user has answered |
//! | is in a folder that nobody has looked at yet, or that has new numbers | nothing |
//! | has two of them at once | nothing, and a reason |
//!
//! Taking a keyword off says nothing; setting it again is an answer again.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{Days, Utc};

use super::{WatchError, Watcher};
use crate::gateway::{Attempt, Extent, GatewayError};
use crate::imip::answer::Choice;
use crate::ledger::{MailNumber, Tag, TagLook};
use crate::mailbox::{Fetched, FolderRole, FolderState, ImapUid, Session};

/// How old mail may be whose keywords are looked at.
const TAGGED_DAYS: u64 = 90;

impl Watcher {
    /// Looks at the keywords of all folders where that is asked for; the first folder is the open one afterwards.
    ///
    /// True when there is mail that has not been read: opening a folder swallows the news that it has some.
    pub(super) async fn read_tags(&mut self, session: &mut Session) -> Result<bool, WatchError> {
        if self.common.gateway.config.answers.keywords.is_empty() {
            return Ok(false);
        }
        let mut is_behind = false;
        for at in (0..self.folders.len()).rev() {
            let Some(folder) = self.folders.get(at) else { continue };
            let is_meant = matches!(folder.chosen.role, FolderRole::Inbox | FolderRole::Other);
            let name = folder.chosen.name.clone();
            if !is_meant || self.is_stopped() {
                continue;
            }
            // RFC 7162 §3.1.2.1: no flag has changed as long as this number has not.
            let is_known = at > 0 && folder.tags_modseq.is_some() && {
                let modseq = session.status(&name).await.ok().and_then(|state| state.highest_modseq);
                modseq == self.folders.get(at).and_then(|folder| folder.tags_modseq)
            };
            if is_known {
                continue;
            }
            match session.examine(&name).await {
                Ok(state) => {
                    is_behind |= self.is_behind(at, &state);
                    self.read_tags_of(session, at, state).await?;
                }
                Err(error) if at > 0 && self.has_vanished(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let main = self.folders.first().map(|folder| folder.chosen.name.clone());
        if let Some(main) = main.filter(|main| session.open_folder() != Some(main.as_str())) {
            let state = session.examine(&main).await?;
            is_behind |= self.is_behind(0, &state);
        }
        Ok(is_behind)
    }

    /// Whether a folder has mail behind its cursor.
    fn is_behind(&self, at: usize, state: &FolderState) -> bool {
        let cursor = self.folders.get(at).and_then(|folder| folder.cursor);
        cursor.is_none_or(|cursor| cursor.uid_validity != state.uid_validity || cursor.next_uid < state.uid_next)
    }

    async fn read_tags_of(&mut self, session: &mut Session, at: usize, state: FolderState) -> Result<(), WatchError> {
        let (gateway, user) = (Arc::clone(&self.common.gateway), Arc::clone(&self.user));
        let Some(shown) = self.folders.get(at).map(|folder| folder.chosen.shown.clone()) else { return Ok(()) };
        let today = Utc::now().date_naive();
        let since = today.checked_sub_days(Days::new(TAGGED_DAYS)).unwrap_or(today);
        let mut found: BTreeSet<Tag> = BTreeSet::new();
        for (choice, keyword) in &gateway.config.answers.keywords {
            let uids = session.with_keyword(keyword, since).await?;
            found.extend(uids.into_iter().map(|uid| (uid.0, choice.as_str().to_owned())));
        }
        let look = TagLook { uid_validity: state.uid_validity.0, next_uid: state.uid_next.0 };
        let before = gateway.ledger.tags(user.key(), &shown).await.map_err(GatewayError::from)?;
        let (last, known) = match before {
            Some((last, known)) if last.uid_validity == look.uid_validity => (Some(last), known),
            other => (None, other.map(|(_, known)| known).unwrap_or_default()),
        };
        if let Some(last) = last {
            let fresh: Vec<Tag> = found.difference(&known).cloned().collect();
            for tag in &fresh {
                self.take_tag(session, (at, look), (tag, last, &fresh)).await?;
            }
        }
        self.note_tags(&shown, look, (&known, &found)).await?;
        if let Some(folder) = self.folders.get_mut(at) {
            folder.tags_modseq = state.highest_modseq;
        }
        Ok(())
    }

    /// Takes the answer that a keyword gives.
    async fn take_tag(
        &mut self,
        session: &mut Session,
        (at, look): (usize, TagLook),
        (tag, last, fresh): (&Tag, TagLook, &[Tag]),
    ) -> Result<(), WatchError> {
        let uid = ImapUid(tag.0);
        let choice = Choice::ALL.into_iter().find(|choice| choice.as_str() == tag.1);
        let Some(mail) = session.structures(uid, Some(uid), self.fields_of(at)).await?.pop() else { return Ok(()) };
        let (raw, extent) = match session.fetch(&mail).await? {
            Fetched::Mail(fetched) => {
                let extent = Extent::of(&fetched);
                (fetched.raw, extent)
            }
            // It is known by the log of its arrival.
            Fetched::Vanished | Fetched::TooLarge { .. } => return Ok(()),
        };
        let Some(folder) = self.folders.get(at) else { return Ok(()) };
        let place = folder.place(&self.user, None);
        let gateway = &self.common.gateway;
        let has_come = tag.0 >= last.next_uid;
        let is_double = fresh.iter().filter(|(uid, _)| *uid == tag.0).count() > 1;
        if is_double || (has_come && gateway.is_answered_by(&self.user, &raw).await?) {
            let (user, shown) = (self.user.key(), &folder.chosen.shown);
            tracing::info!(
                user,
                folder = shown,
                uid = tag.0,
                is_double,
                "a keyword that came with its mail, or beside another one, is no answer"
            );
            return Ok(());
        }
        let number = MailNumber { uid_validity: look.uid_validity, uid: tag.0 };
        let attempt = Attempt { tagged: choice, extent, ..Attempt::first(number) };
        gateway.receive_attempt(place, attempt, &raw).await?;
        Ok(())
    }

    /// Records what was found, in place of what was known.
    async fn note_tags(
        &self,
        shown: &str,
        look: TagLook,
        (known, found): (&BTreeSet<Tag>, &BTreeSet<Tag>),
    ) -> Result<(), GatewayError> {
        let place = (self.user.key(), shown);
        let mut transaction = self.common.gateway.ledger.begin().await?;
        for gone in known.difference(found) {
            transaction.remove_tag(place, gone).await?;
        }
        for new in found.difference(known) {
            transaction.add_tag(place, new).await?;
        }
        transaction.set_look(place, look).await?;
        transaction.commit().await?;
        Ok(())
    }
}
