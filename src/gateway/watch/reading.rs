//! What is new in the folders of a mailbox, read in the order in which it arrived.

use std::sync::Arc;

use tokio::time::Instant;

use super::queue::{Job, Queue, next_window};
use super::{Scope, WatchError, Watcher};
use crate::gateway::reading::{Trouble, too_large};
use crate::gateway::{Attempt, Extent, Phase};
use crate::ledger::MailNumber;
use crate::mailbox::{
    Cursor, Fetched, FetchedMail, FolderState, ImapUid, MailStructure, MailboxError, Plan, Session, limits,
};

/// Ordinary mails behind which the cursor is stored; they are looked at again when the daemon ends before.
const UNSAVED_MAX: usize = 1;

/// Mails that a server may announce at once and that are still asked for without asking how many there are.
const FEW: u32 = 100;

impl Watcher {
    /// Reads everything that is new, and leaves the first folder open.
    pub(super) async fn catch_up(&mut self, session: &mut Session, mut scope: Scope) -> Result<(), WatchError> {
        loop {
            let mut queues = self.find_news(session, scope).await?;
            if !queues.is_empty() {
                self.common.gateway.board.set_phase(self.user.key(), Phase::Reading);
                self.read_all(session, &mut queues).await?;
            }
            let main = self.folders.first().map(|folder| folder.chosen.name.as_str());
            if self.is_stopped() || self.listed_at.is_none() || session.open_folder() == main {
                return Ok(());
            }
            // Mail may have come to the first folder while another one was open.
            scope = Scope::All;
        }
    }

    /// The folders with news.
    async fn find_news(&mut self, session: &mut Session, scope: Scope) -> Result<Vec<Queue>, WatchError> {
        if scope == Scope::OpenFolder
            && let Some(queue) = self.news_of_open_folder(session)
        {
            return Ok(vec![queue]);
        }
        let mut queues = Vec::new();
        // The first comes last, so that it is open when there is nothing to read.
        for at in (0..self.folders.len()).rev() {
            let Some(name) = self.folders.get(at).map(|folder| folder.chosen.name.clone()) else { continue };
            // RFC 3501 §6.3.10: STATUS is not for the folder that is open.
            let is_first = at == 0;
            let state = if is_first { session.examine(&name).await } else { session.status(&name).await };
            match state {
                Ok(state) => queues.extend(self.queue_for(session, at, &state).await?),
                Err(error) if !is_first && self.has_vanished(&error) => {}
                Err(error) => {
                    self.has_vanished(&error);
                    return Err(error.into());
                }
            }
        }
        Ok(queues)
    }

    /// What is new in the open folder, without asking the server for more than the mails; nothing when it may be much.
    fn news_of_open_folder(&self, session: &Session) -> Option<Queue> {
        let folder = self.folders.first()?;
        let is_open = session.open_folder() == Some(folder.chosen.name.as_str());
        let is_few = session.fresh() <= FEW;
        let cursor = folder.cursor.filter(|_| is_open && is_few && folder.careful_until.is_none())?;
        Some(Queue::onward(0, cursor, None))
    }

    async fn queue_for(
        &mut self,
        session: &mut Session,
        at: usize,
        state: &FolderState,
    ) -> Result<Option<Queue>, WatchError> {
        if self.folders.get(at).is_some_and(|folder| folder.cursor.is_none() && state.exists > 0) {
            self.get_acquainted(session, at).await?;
        }
        let Some(folder) = self.folders.get(at) else { return Ok(None) };
        match self.plan_for(folder, state) {
            Plan::Nothing { cursor } if folder.cursor.is_some() => {
                self.set_cursor(at, cursor);
                Ok(None)
            }
            Plan::Nothing { cursor } => self.save_cursor(at, cursor).await.map(|()| None),
            Plan::Continue { cursor } => {
                let highest_modseq = state.highest_modseq.unwrap_or(0);
                let last = ImapUid(state.uid_next.0.saturating_sub(1));
                Ok(Some(Queue::onward(at, Cursor { highest_modseq, ..cursor }, Some(last))))
            }
            Plan::Since { day, then, why } => {
                let (user, folder) = (self.user.key(), &folder.chosen.shown);
                tracing::info!(user, folder, %day, ?why, "reading mail by date");
                Ok(Some(Queue::new(at, then.uid_validity, Job::Since { day, then, remaining: None })))
            }
        }
    }

    /// Reads the mails of all queues, each time the one that arrived first.
    ///
    /// Within a folder their order is that of their numbers, whatever their dates say: the cursor has no holes.
    async fn read_all(&mut self, session: &mut Session, queues: &mut [Queue]) -> Result<(), WatchError> {
        loop {
            for queue in queues.iter_mut() {
                while queue.pending.is_empty() && !queue.is_finished {
                    if self.is_stopped() {
                        return Ok(());
                    }
                    self.refill(session, queue).await?;
                }
            }
            let next = queues.iter_mut().filter(|queue| !queue.pending.is_empty()).min_by_key(|queue| queue.arrived());
            match next {
                Some(queue) if !self.is_stopped() => self.read_next(session, queue).await?,
                _ => return Ok(()),
            }
        }
    }

    /// Opens the folder of a queue, unless it is; false when it is not what it was, and has to be looked at anew.
    pub(super) async fn open(&mut self, session: &mut Session, queue: &mut Queue) -> Result<bool, WatchError> {
        let Some(name) = self.folders.get(queue.folder).map(|folder| folder.chosen.name.clone()) else {
            return Ok(false);
        };
        if session.open_folder() == Some(name.as_str()) {
            return Ok(true);
        }
        let is_same = match session.examine(&name).await {
            Ok(state) => state.uid_validity == queue.uid_validity,
            Err(error) if self.has_vanished(&error) => false,
            Err(error) => return Err(error.into()),
        };
        if !is_same {
            queue.pending.clear();
            queue.is_finished = true;
        }
        Ok(is_same)
    }

    /// Finds the next mails of interest; what lies before them is done.
    async fn refill(&mut self, session: &mut Session, queue: &mut Queue) -> Result<(), WatchError> {
        if !self.open(session, queue).await? {
            return Ok(());
        }
        queue.texts.clear();
        match &mut queue.job {
            Job::Onward { .. } => self.refill_onward(session, queue).await,
            Job::Since { day, then, remaining } => {
                if remaining.is_none() {
                    let uids = session.search_since(*day).await?;
                    *remaining = Some(uids.into_iter().filter(|uid| *uid < then.next_uid).collect());
                }
                self.refill_since(session, queue).await
            }
        }
    }

    async fn refill_onward(&mut self, session: &mut Session, queue: &mut Queue) -> Result<(), WatchError> {
        let Job::Onward { looked, last, window } = &mut queue.job else { return Ok(()) };
        let first = looked.next_uid;
        if last.is_some_and(|last| first > last) {
            queue.is_finished = true;
            return Ok(());
        }
        let top = ImapUid(first.0.saturating_add(window.saturating_sub(1)));
        let until = last.map(|last| last.min(top));
        let asked = self.structures(session, queue.folder, (first, until)).await?;
        *window = if asked.is_all { next_window(*window, asked.found) } else { *window };
        let behind = match until {
            Some(until) if asked.is_all => looked.after(until),
            _ => asked.mails.last().map_or(*looked, |mail| looked.after(mail.uid)),
        };
        // What is left of an open range may be more than fits into one answer.
        queue.is_finished = behind == *looked || (last.is_none() && asked.is_all);
        let before = std::mem::replace(looked, behind);
        queue.pending.extend(self.of_interest(queue.folder, asked.mails).await?);
        if queue.pending.is_empty() {
            self.pass_over(queue.folder, (before, behind), asked.found).await?;
        }
        Ok(())
    }

    async fn refill_since(&mut self, session: &mut Session, queue: &mut Queue) -> Result<(), WatchError> {
        let at = queue.folder;
        let Job::Since { then, remaining: Some(remaining), .. } = &mut queue.job else { return Ok(()) };
        let Some(first) = remaining.front().copied() else {
            queue.is_finished = true;
            let then = *then;
            return self.save_cursor(at, then).await;
        };
        let most = if self.is_careful(at, first) { 1 } else { limits::STRUCTURES_WANTED as usize };
        let uids: Vec<_> = remaining.iter().copied().take(most).collect();
        let fields = self.fields_now(at).await?;
        let mails = match uids.as_slice() {
            [only] => self.structures(session, at, (*only, Some(*only))).await?.mails,
            several => match session.structures_of(several, fields).await {
                Ok(mails) => mails,
                Err(error) => return Err(self.be_careful(at, (first, several.last().copied()), error)),
            },
        };
        remaining.drain(..uids.len());
        let mails = self.of_interest(at, mails).await?;
        let Some(folder) = self.folders.get(at) else { return Ok(()) };
        // The server tells the arrival in whole seconds. New numbers are no reason to take in what was left alone at first sight.
        let ours_since = folder.since_at.div_euclid(1_000);
        let is_ours = |mail: &MailStructure| {
            mail.internal_date.is_none_or(|arrived| arrived.timestamp() >= ours_since)
                && !folder.given_up.contains(&mail.uid)
        };
        queue.pending.extend(mails.into_iter().filter(is_ours));
        Ok(())
    }

    /// Whether a mail has to be asked for by itself.
    fn is_careful(&mut self, at: usize, first: ImapUid) -> bool {
        let Some(folder) = self.folders.get_mut(at) else { return false };
        if folder.careful_until.is_some_and(|until| first > until) {
            folder.careful_until = None;
        }
        folder.careful_until.is_some()
    }

    /// What is known of the mails of a range before they are fetched.
    ///
    /// While there is one among them that cannot be understood, only the first: its structure, or its size where that was it.
    async fn structures(
        &mut self,
        session: &mut Session,
        at: usize,
        (first, last): (ImapUid, Option<ImapUid>),
    ) -> Result<Asked, WatchError> {
        let fields = self.fields_now(at).await?;
        if !self.is_careful(at, first) {
            let until = last.or(Some(ImapUid(first.0.saturating_add(FEW))));
            return match session.structures(first, last, fields).await {
                Ok(mails) => Ok(Asked::all(mails)),
                Err(error) => Err(self.be_careful(at, (first, until), error)),
            };
        }
        let sizes = session.sizes(first, last).await?;
        let Some(only) = sizes.into_iter().next() else { return Ok(Asked::all(Vec::new())) };
        let uid = only.uid;
        let is_unreadable = self.folders.get(at).is_some_and(|folder| folder.unreadable.contains(&uid));
        let mails = match is_unreadable {
            true => vec![only],
            false => match session.structures(uid, Some(uid), fields).await {
                // Vanished meanwhile; its number is passed all the same.
                Ok(mails) if mails.is_empty() => vec![MailStructure { octets: 0, ..only }],
                Ok(mails) => mails,
                Err(error) => {
                    if self.stumbles(at, uid, &error)
                        && let Some(folder) = self.folders.get_mut(at)
                    {
                        folder.unreadable.insert(uid);
                    }
                    return Err(error.into());
                }
            },
        };
        Ok(Asked { mails, found: 1, is_all: false })
    }

    /// Notes that a mail from `first` to `until` breaks connections, unless it may have been the connection's fault.
    fn be_careful(&mut self, at: usize, (first, until): (ImapUid, Option<ImapUid>), error: MailboxError) -> WatchError {
        let is_time = self.stumbles(at, first, &error);
        if let Some(folder) = self.folders.get_mut(at).filter(|_| is_time) {
            folder.careful_until = folder.careful_until.max(until);
        }
        error.into()
    }

    /// Fetches the first mail of a queue, small ones along with those behind it, and has it decided.
    async fn read_next(&mut self, session: &mut Session, queue: &mut Queue) -> Result<(), WatchError> {
        let Some(mail) = queue.pending.front().cloned() else { return Ok(()) };
        if let Some(failures) = self.hopeless(queue, mail.uid) {
            return self.give_up(session, queue, (&mail, failures)).await;
        }
        let text = match queue.texts.remove(&mail.uid) {
            Some(text) => text,
            None => {
                if !self.open(session, queue).await? {
                    return Ok(());
                }
                let count = Session::batch_of(&queue.pending);
                if self.is_careful(queue.folder, mail.uid) || count < 2 {
                    return self.read_single(session, queue, &mail).await;
                }
                self.fetch_many(session, queue, count).await?;
                queue.texts.remove(&mail.uid).flatten()
            }
        };
        if let Some(fetched) = text {
            self.decide(queue, &mail, &fetched).await?;
        }
        self.is_done(queue);
        Ok(())
    }

    async fn fetch_many(&mut self, session: &mut Session, queue: &mut Queue, count: usize) -> Result<(), WatchError> {
        let batch: Vec<_> = queue.pending.iter().take(count).collect();
        let Some((first, last)) = batch.first().zip(batch.last()).map(|(one, other)| (one.uid, other.uid)) else {
            return Ok(());
        };
        match session.fetch_many(&batch).await {
            Ok(mut fetched) => {
                for mail in batch {
                    let position = fetched.iter().position(|one| one.uid == mail.uid);
                    queue.texts.insert(mail.uid, position.map(|at| fetched.swap_remove(at)));
                }
                Ok(())
            }
            Err(error) => Err(self.be_careful(queue.folder, (first, Some(last)), error)),
        }
    }

    async fn read_single(
        &mut self,
        session: &mut Session,
        queue: &mut Queue,
        mail: &MailStructure,
    ) -> Result<(), WatchError> {
        match session.fetch(mail).await {
            Ok(Fetched::Mail(fetched)) => self.decide(queue, mail, &fetched).await?,
            Ok(Fetched::Vanished) => {}
            Ok(fetched @ Fetched::TooLarge { .. }) => {
                let Some(failure) = too_large(&fetched) else { return Ok(()) };
                // Counted at once: should the header break the connection, the next one does not ask for it again.
                let failures = self.count(queue, mail.uid, failure).await?;
                return self.give_up(session, queue, (mail, failures)).await;
            }
            Err(error) => {
                if let Some(failure) = Trouble::Mailbox(&error).failure() {
                    self.count(queue, mail.uid, failure).await?;
                }
                // The connection is spent, but one of the next gives the mail up.
                return Err(error.into());
            }
        }
        self.is_done(queue);
        Ok(())
    }

    async fn decide(&mut self, queue: &Queue, mail: &MailStructure, fetched: &FetchedMail) -> Result<(), WatchError> {
        let user = Arc::clone(&self.user);
        let Some(folder) = self.folders.get_mut(queue.folder) else { return Ok(()) };
        let cursor = queue.cursor_after(mail.uid);
        self.active_at = Some(Instant::now());
        let number = MailNumber { uid_validity: queue.uid_validity.0, uid: mail.uid.0 };
        let attempt = Attempt { extent: Extent::of(fetched), ..Attempt::first(number) };
        let place = folder.place(&user, cursor);
        let taken = self.common.gateway.receive_attempt(place, attempt, &fetched.raw).await;
        if let Err(error) = taken {
            if let Some(failure) = Trouble::Gateway(&error).failure() {
                self.count(queue, mail.uid, failure).await?;
            }
            return Err(error.into());
        }
        folder.has_stored(cursor);
        Ok(())
    }

    /// Takes a mail that is done off the queue.
    pub(super) fn is_done(&self, queue: &mut Queue) {
        queue.pending.pop_front();
        if let Some(folder) = self.folders.get(queue.folder) {
            self.common.gateway.board.count_mail(self.user.key(), &folder.chosen.shown);
        }
    }

    /// Moves a folder's cursor behind ordinary mails; it is stored only now and then.
    async fn pass_over(
        &mut self,
        at: usize,
        (before, behind): (Cursor, Cursor),
        mails: usize,
    ) -> Result<(), WatchError> {
        let Some(folder) = self.folders.get_mut(at).filter(|_| behind != before) else { return Ok(()) };
        folder.unsaved += mails;
        if folder.unsaved >= UNSAVED_MAX {
            return self.save_cursor(at, behind).await;
        }
        self.set_cursor(at, behind);
        Ok(())
    }

    fn set_cursor(&mut self, at: usize, cursor: Cursor) {
        if let Some(folder) = self.folders.get_mut(at) {
            folder.cursor = Some(cursor);
        }
    }

    async fn save_cursor(&mut self, at: usize, cursor: Cursor) -> Result<(), WatchError> {
        let user = Arc::clone(&self.user);
        let Some(folder) = self.folders.get_mut(at) else { return Ok(()) };
        let place = folder.place(&user, Some(cursor));
        self.common.gateway.record(place, Attempt::default(), Vec::new()).await?;
        folder.has_stored(Some(cursor));
        Ok(())
    }
}

/// What came of asking for structures.
struct Asked {
    mails: Vec<MailStructure>,
    /// How many mails there are, as far as was asked.
    found: usize,
    /// Whether nothing of the range was left out.
    is_all: bool,
}

impl Asked {
    fn all(mails: Vec<MailStructure>) -> Self {
        let found = mails.len();
        Self { mails, found, is_all: found < limits::STRUCTURES_MAX }
    }
}
