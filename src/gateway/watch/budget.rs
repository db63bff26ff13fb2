//! Who may hold a connection, when there are fewer connections than mailboxes.
//!
//! A few connections are kept for visits: the mailboxes without a connection of their own are looked at in turn, first come, first
//! served. The others are held by the users whose mail came last. A user gets in on account of mail that a visit has found, so a
//! mailbox that is only visited is late by one visit and not by more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// One in how many connections is kept for visits.
const VISITS_SHARE: usize = 10;

/// All connections.
#[derive(Debug)]
pub struct Budget {
    /// Nothing where there is no limit.
    connections: Option<Arc<Semaphore>>,
    max: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    users: usize,
    holders: HashMap<String, Holder>,
}

#[derive(Debug)]
struct Holder {
    active_at: Option<Instant>,
    leave: Arc<Notify>,
}

impl Budget {
    /// At most so many connections; 0 for no limit.
    pub fn new(max: usize) -> Self {
        let connections = (max > 0).then(|| Arc::new(Semaphore::new(max)));
        Self { connections, max, state: Mutex::default() }
    }

    /// Waits for the right to open a connection, which lasts as long as what is returned.
    pub async fn connection(&self) -> Option<OwnedSemaphorePermit> {
        match &self.connections {
            // The semaphore is never closed.
            Some(connections) => Arc::clone(connections).acquire_owned().await.ok(),
            None => None,
        }
    }

    /// Counts a user among those who need connections, as long as what is returned lasts.
    pub fn join(self: &Arc<Self>, user_key: &str) -> Member {
        let mut state = self.state();
        state.users += 1;
        while state.holders.len() > self.holders_max(state.users) {
            state.dismiss_least_active();
        }
        drop(state);
        Member { budget: Arc::clone(self), user_key: user_key.to_owned() }
    }

    fn holders_max(&self, users: usize) -> usize {
        match users <= self.max {
            _ if self.connections.is_none() => usize::MAX,
            true => self.max,
            false => self.max.saturating_sub((self.max / VISITS_SHARE).max(1)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn least_active(&self) -> Option<(&String, Option<Instant>)> {
        self.holders.iter().map(|(key, holder)| (key, holder.active_at)).min_by_key(|(_, active_at)| *active_at)
    }

    fn dismiss_least_active(&mut self) {
        let least = self.least_active().map(|(key, _)| key.clone());
        if let Some(holder) = least.and_then(|key| self.holders.remove(&key)) {
            holder.leave.notify_one();
        }
    }
}

/// A user among those who need connections.
#[derive(Debug)]
pub struct Member {
    budget: Arc<Budget>,
    user_key: String,
}

impl Member {
    /// Asks to keep the connection that is open, given when mail came last; what is returned is rung when it has to be given back.
    ///
    /// Nothing when all connections are held by users whose mail came later.
    pub fn hold(&self, active_at: Option<Instant>) -> Option<Arc<Notify>> {
        if self.budget.connections.is_none() {
            return Some(Arc::new(Notify::new()));
        }
        let mut state = self.budget.state();
        if let Some(holder) = state.holders.get_mut(&self.user_key) {
            holder.active_at = active_at;
            return Some(Arc::clone(&holder.leave));
        }
        let holders_max = self.budget.holders_max(state.users);
        if state.holders.len() >= holders_max {
            let is_later = state.least_active().is_some_and(|(_, least)| active_at > least);
            if !is_later {
                return None;
            }
            state.dismiss_least_active();
        }
        let leave = Arc::new(Notify::new());
        state.holders.insert(self.user_key.clone(), Holder { active_at, leave: Arc::clone(&leave) });
        Some(leave)
    }

    /// Gives back what is held, for others.
    pub fn let_go(&self) {
        self.budget.state().holders.remove(&self.user_key);
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut state = self.budget.state();
        state.users = state.users.saturating_sub(1);
        state.holders.remove(&self.user_key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn members(max: usize, users: usize) -> (Arc<Budget>, Vec<Member>) {
        let budget = Arc::new(Budget::new(max));
        let members = (0..users).map(|number| budget.join(&format!("u{number}"))).collect();
        (budget, members)
    }

    #[test]
    fn where_there_is_enough_everybody_holds_a_connection() {
        for (max, users) in [(0, 50), (4, 4)] {
            let (_budget, members) = members(max, users);
            assert!(members.iter().all(|member| member.hold(None).is_some()));
        }
    }

    #[test]
    fn one_connection_is_kept_for_visits_and_the_latest_mail_wins_the_others() {
        let (_budget, members) = members(2, 4);
        let now = Instant::now();
        let first = members[0].hold(None).expect("the first comes first");
        assert!(members[1].hold(None).is_none(), "the other connection is for visits");
        assert!(members[1].hold(Some(now)).is_some(), "mail wins over none");
        assert!(members[0].hold(None).is_none());
        assert!(members[2].hold(Some(now)).is_none(), "not later");
        assert!(members[2].hold(Some(now + Duration::from_secs(1))).is_some());
        let mut told = tokio_test_now(first.notified());
        assert!(told.take().is_some(), "whoever has to leave is told");
    }

    /// The value of a future that is ready.
    fn tokio_test_now<F: Future>(future: F) -> Option<F::Output> {
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        match std::pin::pin!(future).poll(&mut cx) {
            std::task::Poll::Ready(value) => Some(value),
            std::task::Poll::Pending => None,
        }
    }

    #[test]
    fn with_a_single_connection_everybody_is_visited() {
        let (_budget, members) = members(1, 2);
        assert!(members.iter().all(|member| member.hold(Some(Instant::now())).is_none()));
    }

    #[test]
    fn who_came_when_there_was_enough_makes_room_when_there_is_not() {
        let (budget, members) = members(2, 2);
        let rings: Vec<_> = members.iter().map(|member| member.hold(None).expect("enough for two")).collect();
        let _third = budget.join("third");
        let told = rings.iter().filter(|ring| tokio_test_now(ring.notified()).is_some()).count();
        assert_eq!(told, 1);
    }

    #[tokio::test]
    async fn there_are_never_more_connections_than_the_limit() {
        let budget = Budget::new(2);
        let first = budget.connection().await;
        let _second = budget.connection().await;
        assert!(tokio_test_now(budget.connection()).is_none());
        drop(first);
        assert!(tokio_test_now(budget.connection()).is_some());
    }
}
