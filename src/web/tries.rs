//! How often somebody may try: counted in a table that never grows beyond its size.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::limits::{ANSWERS_MAX, MISSES_MAX, REQUESTS_MAX, TRIES_KEPT_MAX, TRIES_WINDOW};

/// Who or what is counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Counted {
    /// Everybody behind one address; nothing stands for all whose address is not told.
    Client(Option<IpAddr>),
    /// A link, by its digest.
    Link(String),
}

/// What was counted since when.
#[derive(Clone, Copy, Debug)]
struct Count {
    since: Instant,
    requests: u32,
    misses: u32,
}

/// Counts attempts, and says who has to wait.
#[derive(Debug, Default)]
pub(super) struct Tries(Mutex<HashMap<Counted, Count>>);

impl Tries {
    /// Counts a request; how long the client has to wait when there were too many, or too many that led nowhere.
    pub(super) fn request(&self, client: Option<IpAddr>, now: Instant) -> Result<(), Duration> {
        self.count(Counted::Client(client), now, |count| {
            count.requests = count.requests.saturating_add(1);
            count.requests <= REQUESTS_MAX && count.misses < MISSES_MAX
        })
    }

    /// Counts a link that led nowhere.
    pub(super) fn miss(&self, client: Option<IpAddr>, now: Instant) {
        let counted = |count: &mut Count| {
            count.misses = count.misses.saturating_add(1);
            true
        };
        // Whoever has to wait learns of it at the next request.
        let _ = self.count(Counted::Client(client), now, counted);
    }

    /// Counts an answer at a link.
    pub(super) fn answer(&self, digest: String, now: Instant) -> Result<(), Duration> {
        self.count(Counted::Link(digest), now, |count| {
            count.requests = count.requests.saturating_add(1);
            count.requests <= ANSWERS_MAX
        })
    }

    fn count(&self, counted: Counted, now: Instant, is_fine: impl FnOnce(&mut Count) -> bool) -> Result<(), Duration> {
        // Whoever panicked there has left numbers behind, and no more.
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !table.contains_key(&counted) {
            make_room(&mut table, now);
        }
        let fresh = Count { since: now, requests: 0, misses: 0 };
        let count = table.entry(counted).or_insert(fresh);
        if now.duration_since(count.since) >= TRIES_WINDOW {
            *count = fresh;
        }
        match is_fine(count) {
            true => Ok(()),
            false => Err(TRIES_WINDOW.saturating_sub(now.duration_since(count.since))),
        }
    }
}

/// Forgets whose time is over, and if nobody's is, who has been counted for longest.
fn make_room(table: &mut HashMap<Counted, Count>, now: Instant) {
    if table.len() < TRIES_KEPT_MAX {
        return;
    }
    table.retain(|_, count| now.duration_since(count.since) < TRIES_WINDOW);
    if table.len() >= TRIES_KEPT_MAX {
        let oldest = table.iter().min_by_key(|(_, count)| count.since).map(|(counted, _)| counted.clone());
        oldest.map(|oldest| table.remove(&oldest));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn who_guesses_has_to_wait_until_the_time_is_over_and_nobody_else_has() {
        let (tries, start) = (Tries::default(), Instant::now());
        for _ in 0..MISSES_MAX {
            assert_eq!(tries.request(client(1), start), Ok(()));
            tries.miss(client(1), start);
        }
        let later = start + Duration::from_secs(60);
        assert_eq!(tries.request(client(1), later), Err(TRIES_WINDOW - Duration::from_secs(60)));
        assert_eq!(tries.request(client(2), later), Ok(()));
        assert_eq!(tries.request(client(1), start + TRIES_WINDOW), Ok(()));
    }

    #[test]
    fn a_link_is_answered_only_so_often() {
        let (tries, start) = (Tries::default(), Instant::now());
        assert!((0..ANSWERS_MAX).all(|_| tries.answer("a".into(), start).is_ok()));
        assert!(tries.answer("a".into(), start).is_err());
        assert!(tries.answer("b".into(), start).is_ok());
    }

    #[test]
    fn the_table_does_not_grow_without_end() {
        let (tries, start) = (Tries::default(), Instant::now());
        for number in 0..2 * u32::try_from(TRIES_KEPT_MAX).expect("a small number") {
            let now = start + Duration::from_millis(u64::from(number));
            assert_eq!(tries.request(Some(IpAddr::from(number.to_be_bytes())), now), Ok(()));
        }
        assert_eq!(tries.0.lock().expect("a table").len(), TRIES_KEPT_MAX);
    }
}
