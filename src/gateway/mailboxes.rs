//! The mailboxes that are watched: a task for each, which the others can start, stop and wake by the user's key.

use std::any::Any;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::Gateway;
use super::watch::{Common, Watcher, stopped};
use crate::config::User;
use crate::mailbox::ImapServer;

/// How long a watcher that broke off rests before it is started anew.
const AFTER_PANIC: Duration = Duration::from_secs(30);

/// Between two logins at the start, so that a thousand mailboxes do not knock at once.
const STAGGER: Duration = Duration::from_millis(5);

/// The bells of all watched mailboxes, by the user's key.
///
/// Kept apart from [`Mailboxes`], so that whoever knows the gateway can ring.
#[derive(Debug, Default)]
pub struct Doorbells(Mutex<HashMap<String, Arc<Notify>>>);

impl Doorbells {
    /// Wakes the watcher of a mailbox: there may be new mail. False when nobody watches it.
    ///
    /// Cheap, and harmless when it was for nothing; rings during work are remembered as one.
    pub fn ring(&self, user_key: &str) -> bool {
        let bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bells.get(user_key).map(|bell| bell.notify_one()).is_some()
    }

    fn hang(&self, user_key: &str) -> Arc<Notify> {
        let mut bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(bells.entry(user_key.to_owned()).or_default())
    }

    fn take_down(&self, user_key: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(user_key);
    }
}

/// The tasks that watch, one for each user.
#[derive(Debug)]
pub struct Mailboxes {
    common: Arc<Common>,
    tasks: HashMap<String, Task>,
}

#[derive(Debug)]
struct Task {
    stop: watch::Sender<bool>,
    handle: JoinHandle<()>,
}

impl Mailboxes {
    /// Nobody's mailbox is watched yet.
    pub fn new(gateway: Arc<Gateway>, server: Arc<ImapServer>) -> Self {
        Self { common: Arc::new(Common::new(gateway, server)), tasks: HashMap::new() }
    }

    /// Watches the mailboxes of these users from now on, the logins spread over some seconds.
    pub fn start_all(&mut self, users: impl IntoIterator<Item = Arc<User>>) {
        for (user, nth) in users.into_iter().zip(0..) {
            self.start_after(user, STAGGER.saturating_mul(nth).min(Duration::from_secs(60)));
        }
    }

    /// Watches the mailbox of a user from now on.
    ///
    /// Where the mailbox is watched already, as before a change of the user, the watcher of before is stopped, and the new one
    /// begins when that has ended: two of them never work on one mailbox.
    pub fn start(&mut self, user: Arc<User>) {
        self.start_after(user, Duration::ZERO);
    }

    fn start_after(&mut self, user: Arc<User>, wait: Duration) {
        let key = user.key().to_owned();
        let earlier = self.tasks.remove(&key);
        let (stop, stopping) = watch::channel(false);
        let watch = Watch {
            common: Arc::clone(&self.common),
            bell: self.common.gateway.doorbells.hang(&key),
            user,
            stop: stopping,
        };
        self.common.gateway.board.enter(&key);
        let handle = tokio::spawn(async move {
            if let Some(earlier) = earlier {
                earlier.end().await;
            }
            watch.for_ever(wait).await;
        });
        self.tasks.insert(key, Task { stop, handle });
    }

    /// Stops watching the mailbox of a user; returns when the mail in hand is done. Nothing where it is not watched.
    pub async fn stop(&mut self, user_key: &str) {
        let Some(task) = self.tasks.remove(user_key) else { return };
        self.common.gateway.doorbells.take_down(user_key);
        task.end().await;
        self.common.gateway.board.leave(user_key);
    }

    /// Stops watching all of them; returns when the mail in hand is done.
    pub async fn stop_all(&mut self) {
        for task in self.tasks.values() {
            let _ = task.stop.send(true);
        }
        for (_, task) in self.tasks.drain() {
            task.end().await;
        }
    }
}

impl Task {
    async fn end(mut self) {
        // A task that is gone already has ended as well.
        let _ = self.stop.send(true);
        let _ = (&mut self.handle).await;
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.handle.abort();
    }
}

/// What one task needs.
struct Watch {
    common: Arc<Common>,
    user: Arc<User>,
    bell: Arc<Notify>,
    stop: watch::Receiver<bool>,
}

impl Watch {
    /// Runs a watcher, and runs it anew should it break off: a fault of ours costs one mailbox some seconds.
    async fn for_ever(mut self, mut wait: Duration) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stopped(&mut self.stop) => return,
            }
            let Err(panic) = contained(async { self.watcher().run().await }).await else { return };
            let text = format!("a fault of imipd broke off the watching: {panic}; please report it");
            tracing::error!(user = self.user.key(), "{text}");
            self.common.gateway.board.count_panic(self.user.key(), &text);
            wait = AFTER_PANIC;
        }
    }

    fn watcher(&self) -> Watcher {
        Watcher::new(Arc::clone(&self.common), Arc::clone(&self.user), Arc::clone(&self.bell), self.stop.clone())
    }
}

/// The value of a future, or what it said when it panicked.
async fn contained<F: Future>(future: F) -> Result<F::Output, String> {
    AssertUnwindSafe(future).catch_unwind().await.map_err(|panic| said(panic.as_ref()))
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without words".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_contained_and_its_words_are_kept() {
        assert_eq!(contained(async { 7 }).await, Ok(7));
        let broken = contained(async {
            tokio::task::yield_now().await;
            if true {
                panic!("mail {} is odd", 3);
            }
        });
        assert_eq!(broken.await, Err("mail 3 is odd".to_owned()));
    }

    #[test]
    fn only_a_watched_mailbox_has_a_bell() {
        let bells = Doorbells::default();
        assert!(!bells.ring("a@example.com"));
        bells.hang("a@example.com");
        assert!(bells.ring("a@example.com"));
        bells.take_down("a@example.com");
        assert!(!bells.ring("a@example.com"));
    }
}
