//! How much may leave in an hour, so that a loop or a stolen calendar does not become a storm of mail.
//!
//! | limit | counted | what it stops |
//! |---|---|---|
//! | per user | recipients of all mails of a user | a script, or somebody else, who invites the world |
//! | per event | mails about one object to one recipient | two programs that answer each other for ever |
//!
//! An hour begins with the first mail in it. What is too much waits until it is over; it is never lost.

use std::collections::{HashMap, HashSet};

use super::limits::RATE_WINDOW;
use crate::itip::Address;

/// The most that leaves within an hour; zero is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// Recipients, over all mails of a user.
    pub per_user: u32,
    /// Mails about one object to one recipient.
    pub per_event: u32,
}

/// A user, and the UID of one of their objects.
type Event = (String, String);

/// What was counted in the hour that began with it.
#[derive(Clone, Copy, Debug)]
struct Window {
    /// Unix milliseconds.
    began_at: i64,
    count: u32,
}

/// Who exceeds which limit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Storm {
    User(String),
    Event(String, String),
}

/// Who of the recipients of a mail may get it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    pub admitted: Vec<Address>,
    /// Why the others may not.
    pub held: Option<Held>,
}

/// Why a mail is kept back, and how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub storm: Storm,
    /// Unix milliseconds.
    pub until: i64,
    /// Whether nobody has been told of this storm yet.
    pub is_news: bool,
}

/// The count of what leaves.
#[derive(Debug)]
pub struct RateLimiter {
    limits: RateLimits,
    users: HashMap<String, Window>,
    events: HashMap<Event, HashMap<Address, Window>>,
    storms: HashSet<Storm>,
    swept_at: i64,
}

impl RateLimiter {
    pub fn new(limits: RateLimits) -> Self {
        let (users, events, storms) = Default::default();
        Self { limits, users, events, storms, swept_at: 0 }
    }

    /// Counts what was sent before we started: so many mails to one recipient, the first of them at `began_at`.
    pub fn remember(&mut self, event: (&str, &str), to: &Address, began_at: i64, count: u32) {
        let (user, cal_uid) = event;
        let of_user = self.users.entry(user.to_owned()).or_insert(Window::beginning(began_at));
        let of_event = self.events.entry((user.to_owned(), cal_uid.to_owned())).or_default();
        for window in [of_user, of_event.entry(to.clone()).or_insert(Window::beginning(began_at))] {
            window.began_at = window.began_at.min(began_at);
            window.count = window.count.saturating_add(count);
        }
    }

    /// Decides who may get a mail at `now`, Unix milliseconds, and counts them.
    pub fn admit(&mut self, event: (&str, &str), recipients: Vec<Address>, now: i64) -> Admission {
        self.sweep(now);
        let (user, cal_uid) = event;
        let mut admitted = Vec::with_capacity(recipients.len());
        let mut held = None;
        for recipient in recipients {
            match self.count(user, cal_uid, &recipient, now) {
                Ok(()) => admitted.push(recipient),
                Err((storm, until)) => held = Some((storm, until)),
            }
        }
        let held = held.map(|(storm, until)| Held { is_news: self.storms.insert(storm.clone()), storm, until });
        if held.is_none() {
            self.storms.remove(&Storm::User(user.to_owned()));
            self.storms.remove(&Storm::Event(user.to_owned(), cal_uid.to_owned()));
        }
        Admission { admitted, held }
    }

    /// Takes back what was counted for a mail that did not leave.
    pub fn refund(&mut self, event: (&str, &str), recipient: &Address) {
        let (user, cal_uid) = event;
        let of_event = self.events.get_mut(&(user.to_owned(), cal_uid.to_owned()));
        let of_recipient = of_event.and_then(|event| event.get_mut(recipient));
        for window in self.users.get_mut(user).into_iter().chain(of_recipient) {
            window.count = window.count.saturating_sub(1);
        }
    }

    /// Counts anew for a user.
    pub fn release(&mut self, user: &str) {
        self.users.remove(user);
        self.events.retain(|(of, _), _| of != user);
        self.storms.retain(|storm| match storm {
            Storm::User(of) | Storm::Event(of, _) => of != user,
        });
    }

    fn count(&mut self, user: &str, cal_uid: &str, to: &Address, now: i64) -> Result<(), (Storm, i64)> {
        let RateLimits { per_user, per_event } = self.limits;
        let of_user = *self.of_user(user, now);
        if per_user > 0 && of_user.count >= per_user {
            return Err((Storm::User(user.to_owned()), of_user.end()));
        }
        let of_event = self.of_event(user, cal_uid, to, now);
        if per_event > 0 && of_event.count >= per_event {
            return Err((Storm::Event(user.to_owned(), cal_uid.to_owned()), of_event.end()));
        }
        of_event.count += 1;
        self.of_user(user, now).count += 1;
        Ok(())
    }

    fn of_user(&mut self, user: &str, now: i64) -> &mut Window {
        let window = self.users.entry(user.to_owned()).or_insert(Window::beginning(now));
        window.renew(now);
        window
    }

    fn of_event(&mut self, user: &str, cal_uid: &str, to: &Address, now: i64) -> &mut Window {
        let event = self.events.entry((user.to_owned(), cal_uid.to_owned())).or_default();
        let window = event.entry(to.clone()).or_insert(Window::beginning(now));
        window.renew(now);
        window
    }

    /// Forgets the hours that are over, once in each.
    fn sweep(&mut self, now: i64) {
        if now - self.swept_at < window_millis() {
            return;
        }
        self.swept_at = now;
        self.users.retain(|_, window| !window.is_over(now));
        for event in self.events.values_mut() {
            event.retain(|_, window| !window.is_over(now));
        }
        self.events.retain(|_, event| !event.is_empty());
    }
}

impl Window {
    fn beginning(now: i64) -> Self {
        Self { began_at: now, count: 0 }
    }

    fn end(self) -> i64 {
        self.began_at.saturating_add(window_millis())
    }

    fn is_over(self, now: i64) -> bool {
        // A clock that was set back must not make an hour last for days.
        now >= self.end() || now < self.began_at
    }

    fn renew(&mut self, now: i64) {
        if self.is_over(now) {
            *self = Self::beginning(now);
        }
    }
}

fn window_millis() -> i64 {
    i64::try_from(RATE_WINDOW.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const EVENT: (&str, &str) = ("a@example.com", "1");

    fn to(names: &[&str]) -> Vec<Address> {
        names.iter().map(|name| Address::parse(&format!("{name}@example.org"))).collect()
    }

    fn limiter(per_user: u32, per_event: u32) -> RateLimiter {
        RateLimiter::new(RateLimits { per_user, per_event })
    }

    #[test]
    fn what_is_too_much_for_a_user_waits_for_the_end_of_the_hour() {
        let mut limiter = limiter(3, 0);
        assert_eq!(limiter.admit(EVENT, to(&["b", "c"]), 100).held, None);
        let admission = limiter.admit(("a@example.com", "2"), to(&["d", "e"]), 200);
        assert_eq!(admission.admitted, to(&["d"]));
        let storm = Storm::User("a@example.com".to_owned());
        assert_eq!(admission.held, Some(Held { storm: storm.clone(), until: 100 + HOUR, is_news: true }));
        let again = limiter.admit(("a@example.com", "3"), to(&["f"]), 300);
        assert_eq!(again.held, Some(Held { storm, until: 100 + HOUR, is_news: false }));
        assert_eq!(limiter.admit(("z@example.com", "3"), to(&["f"]), 300).held, None, "somebody else's mail leaves");
        assert_eq!(limiter.admit(("a@example.com", "3"), to(&["f"]), 100 + HOUR).admitted, to(&["f"]));
    }

    #[test]
    fn one_recipient_is_not_told_of_one_event_without_end() {
        let mut limiter = limiter(0, 2);
        for now in [1, 2] {
            assert_eq!(limiter.admit(EVENT, to(&["b"]), now).held, None);
        }
        let admission = limiter.admit(EVENT, to(&["b", "c"]), 3);
        assert_eq!(admission.admitted, to(&["c"]), "who has not been written to is not concerned");
        assert!(admission.held.is_some_and(|held| matches!(held.storm, Storm::Event(..)) && held.until == 1 + HOUR));
        assert_eq!(limiter.admit(("a@example.com", "2"), to(&["b"]), 3).held, None);
    }

    #[test]
    fn what_did_not_leave_is_not_counted() {
        let mut limiter = limiter(1, 1);
        assert_eq!(limiter.admit(EVENT, to(&["b"]), 1).held, None);
        limiter.refund(EVENT, &to(&["b"])[0]);
        assert_eq!(limiter.admit(EVENT, to(&["b"]), 2).held, None);
        assert!(limiter.admit(EVENT, to(&["b"]), 3).held.is_some());
    }

    #[test]
    fn a_restart_forgets_nothing_and_a_release_everything_of_one_user() {
        let mut limiter = limiter(5, 5);
        limiter.remember(EVENT, &to(&["b"])[0], 10, 3);
        limiter.remember(EVENT, &to(&["c"])[0], 5, 2);
        let held = limiter.admit(EVENT, to(&["d"]), 20).held.expect("too much");
        assert_eq!(held.until, 5 + HOUR);
        limiter.release("a@example.com");
        assert_eq!(limiter.admit(EVENT, to(&["d"]), 20).held, None);
    }

    #[test]
    fn the_end_of_a_storm_makes_the_next_one_news() {
        let mut limiter = limiter(1, 0);
        limiter.admit(EVENT, to(&["b"]), 0);
        assert!(limiter.admit(EVENT, to(&["b"]), 1).held.is_some_and(|held| held.is_news));
        assert_eq!(limiter.admit(EVENT, to(&["b"]), HOUR).held, None);
        assert!(limiter.admit(EVENT, to(&["b"]), HOUR + 1).held.is_some_and(|held| held.is_news));
    }
}
