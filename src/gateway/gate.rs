//! When a login may be tried: refused passwords wait longer each time, and what many users share is tried once for all.
//!
//! A server that sees a wrong password again and again locks the account, or us out. So after a refusal the same login waits
//! for 30 seconds, twice as long after each further one up to 15 minutes, and after a day an hour. The waiting is remembered in a
//! file beside the database, because a daemon that is started again is as wrong as it was before.
//!
//! The master user's password is everybody's: while it is not known to be right, one login at a time is tried with it. A first
//! refusal may be about that one mailbox, and a second user gives a second opinion at once; after that it waits as a single
//! login does. A login that succeeds ends all of it, and so does a password that is another than the one refused.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ring::digest;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::now_millis;

/// The first pause after a refusal, and the unit of the further ones.
const FIRST_PAUSE: Duration = Duration::from_secs(30);

/// The longest pause of the first day.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// The pause when a login has been refused for a day.
const HOPELESS_PAUSE: Duration = Duration::from_secs(60 * 60);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a login that succeeded speaks for those that begin after it.
const PROOF_LASTS: Duration = Duration::from_secs(10);

/// How long one login keeps the others waiting; a server that does not answer must not hold up everybody.
const LEAD_LASTS: Duration = Duration::from_secs(5);

/// After this time those who wait look whether the password has become another.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Bytes of the file that are read, more than it has for a hundred thousand logins.
const FILE_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// With what a login is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Whose mailbox.
    pub login: String,
    /// The master user whose password it is, when it is not the user's own.
    pub master: Option<String>,
    /// Tells one password from another; see [`fingerprint`].
    pub fingerprint: Option<u16>,
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Succeeded,
    /// The server refuses the name or the password.
    Refused,
    /// The password is right, but may not open this mailbox.
    Forbidden,
}

/// What is known of a login that was refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Refusals {
    count: u32,
    /// Unix milliseconds.
    first_at: i64,
    /// Unix milliseconds; no attempt before.
    next_at: i64,
    fingerprint: Option<u16>,
}

/// What is known of a password that many users share, while the daemon runs.
#[derive(Debug, Default)]
struct Shared {
    proven_at: Option<Instant>,
    lead_since: Option<Instant>,
}

#[derive(Debug, Default)]
struct State {
    refusals: BTreeMap<String, Refusals>,
    shared: BTreeMap<String, Shared>,
}

/// Lets logins through when they may be tried.
#[derive(Debug)]
pub struct LoginGate {
    file: PathBuf,
    state: Mutex<State>,
    changed: Notify,
}

/// The right to try a login once. Dropping it without a report says nothing about the password.
#[derive(Debug)]
pub struct Permit<'a> {
    gate: &'a LoginGate,
    attempt: Attempt,
}

/// Whether a login may be tried now.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Admitted,
    /// Another is being tried with the same password, or this login was refused.
    Wait(Duration),
    /// The password that is shared was refused, for other mailboxes too.
    WaitForAll(Duration),
}

impl LoginGate {
    /// The gate of a database, with what an earlier daemon has remembered.
    pub fn open(database: &Path) -> Self {
        let mut name = database.file_name().map(std::ffi::OsStr::to_owned).unwrap_or_default();
        name.push(".logins");
        let file = database.with_file_name(name);
        let state = State { refusals: remembered(&file), shared: BTreeMap::new() };
        Self { file, state: Mutex::new(state), changed: Notify::new() }
    }

    /// Waits until the login may be tried; nothing when the password should be read again first.
    ///
    /// `held` is told how long the password of all will wait, when it was refused.
    pub async fn pass(&self, attempt: &Attempt, held: impl FnOnce(Duration)) -> Option<Permit<'_>> {
        // Enrolled before the look: a change between the two must not be missed.
        let mut changed = std::pin::pin!(self.changed.notified());
        changed.as_mut().enable();
        let wait = match self.ask(attempt, now_millis(), Instant::now()) {
            Verdict::Admitted => return Some(Permit { gate: self, attempt: attempt.clone() }),
            Verdict::Wait(wait) => wait,
            Verdict::WaitForAll(wait) => {
                held(wait);
                wait
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait.min(LOOK_AGAIN)) => {}
            () = changed => {}
        }
        None
    }

    fn ask(&self, attempt: &Attempt, now: i64, instant: Instant) -> Verdict {
        let mut state = self.locked();
        if let Some(wait) = state.rest_of(&attempt.own_key(), attempt, now) {
            return Verdict::Wait(wait);
        }
        let Some(key) = attempt.shared_key() else { return Verdict::Admitted };
        if let Some(wait) = state.rest_of(&key, attempt, now) {
            return Verdict::WaitForAll(wait);
        }
        let is_refused = state.refusals.contains_key(&key);
        let shared = state.shared.entry(key).or_default();
        let is_proven = shared.proven_at.is_some_and(|at| instant.duration_since(at) < PROOF_LASTS);
        if is_proven && !is_refused {
            return Verdict::Admitted;
        }
        match shared.lead_since.map(|since| LEAD_LASTS.saturating_sub(instant.duration_since(since))) {
            Some(rest) if !rest.is_zero() => Verdict::Wait(rest),
            _ => {
                shared.lead_since = Some(instant);
                Verdict::Admitted
            }
        }
    }

    /// Takes down what came of an attempt; how long this login has to wait now.
    fn report(&self, attempt: &Attempt, outcome: Outcome, now: i64, instant: Instant) -> Duration {
        let mut state = self.locked();
        let before = state.refusals.len();
        let (own, shared) = (attempt.own_key(), attempt.shared_key());
        match outcome {
            Outcome::Succeeded => drop(state.refusals.remove(&own)),
            Outcome::Refused | Outcome::Forbidden => state.refuse(own, attempt, now, OWN_FREE),
        }
        if let Some(key) = shared {
            match outcome {
                Outcome::Succeeded | Outcome::Forbidden => {
                    state.refusals.remove(&key);
                    state.shared.entry(key).or_default().proven_at = Some(instant);
                }
                Outcome::Refused => state.refuse(key, attempt, now, SHARED_FREE),
            }
        }
        if outcome != Outcome::Succeeded || state.refusals.len() != before {
            remember(&self.file, &state.refusals);
        }
        state.rest_of(&attempt.own_key(), attempt, now).unwrap_or_default()
    }

    /// Has everybody who waits look again, as after a change of the configuration.
    pub fn look_again(&self) {
        self.changed.notify_waiters();
    }

    /// Forgets the users who are not there any more.
    pub fn keep_only(&self, logins: &BTreeSet<&str>) {
        let mut state = self.locked();
        let before = state.refusals.len();
        state.refusals.retain(|key, _| key.strip_prefix(OWN).is_none_or(|login| logins.contains(login)));
        if state.refusals.len() != before {
            remember(&self.file, &state.refusals);
        }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// Says what came of the attempt; how long this login has to wait now.
    pub fn report(self, outcome: Outcome) -> Duration {
        self.gate.report(&self.attempt, outcome, now_millis(), Instant::now())
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.attempt.shared_key() {
            self.gate.locked().shared.entry(key).or_default().lead_since = None;
            self.gate.changed.notify_waiters();
        }
    }
}

/// Before the key of a user's login.
const OWN: &str = "login ";

/// Refusals without a pause of their own: none for a user, and one for a shared password, since it may be about that user.
const OWN_FREE: u32 = 0;
const SHARED_FREE: u32 = 1;

impl Attempt {
    fn own_key(&self) -> String {
        format!("{OWN}{}", self.login)
    }

    fn shared_key(&self) -> Option<String> {
        self.master.as_ref().map(|master| format!("master {master}"))
    }
}

impl State {
    /// How long no attempt may be made yet.
    fn rest_of(&self, key: &str, attempt: &Attempt, now: i64) -> Option<Duration> {
        let refusals = self.refusals.get(key).filter(|refusals| refusals.are_about(attempt))?;
        (refusals.next_at > now).then(|| Duration::from_millis(refusals.next_at.abs_diff(now)))
    }

    fn refuse(&mut self, key: String, attempt: &Attempt, now: i64, free: u32) {
        let same = self.refusals.remove(&key).filter(|refusals| refusals.are_about(attempt));
        let (count, first_at) = same.map_or((1, now), |same| (same.count.saturating_add(1), same.first_at));
        let has_lasted = Duration::from_millis(now.abs_diff(first_at));
        let next_at = now.saturating_add(millis(pause(count.saturating_sub(free), has_lasted)));
        self.refusals.insert(key, Refusals { count, first_at, next_at, fingerprint: attempt.fingerprint });
    }
}

impl Refusals {
    /// Whether it was this password that was refused.
    fn are_about(&self, attempt: &Attempt) -> bool {
        self.fingerprint == attempt.fingerprint
    }
}

/// The pause after so many refusals in so long a time.
fn pause(refusals: u32, has_lasted: Duration) -> Duration {
    match refusals.checked_sub(1) {
        None => Duration::ZERO,
        Some(_) if has_lasted >= DAY => HOPELESS_PAUSE,
        Some(doublings) => FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST_PAUSE),
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Sixteen bits of a password's digest: enough to tell that it has changed, too few to tell what it is.
pub fn fingerprint(secret: &str) -> u16 {
    let digest = digest::digest(&digest::SHA256, format!("imipd login gate\0{secret}").as_bytes());
    digest.as_ref().iter().take(2).fold(0, |bits, octet| (bits << 8) | u16::from(*octet))
}

/// What the file holds; nothing when it cannot be read, which costs one attempt too many.
fn remembered(file: &Path) -> BTreeMap<String, Refusals> {
    let mut text = String::new();
    let read = std::fs::File::open(file)
        .and_then(|file| std::io::Read::read_to_string(&mut std::io::Read::take(file, FILE_BYTES_MAX), &mut text));
    match read {
        Ok(_) => serde_json::from_str(&text).unwrap_or_default(),
        Err(_) => BTreeMap::new(),
    }
}

/// Writes the file as a whole, so that a crash leaves the one before.
fn remember(file: &Path, refusals: &BTreeMap<String, Refusals>) {
    let mut fresh = file.as_os_str().to_owned();
    fresh.push(".new");
    let text = serde_json::to_vec(refusals).map_err(std::io::Error::other);
    let written = text.and_then(|text| std::fs::write(&fresh, text)).and_then(|()| std::fs::rename(&fresh, file));
    if let Err(error) = written {
        tracing::warn!(file = %file.display(), %error, "refused logins cannot be remembered");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000;

    fn gate(folder: &Path) -> LoginGate {
        LoginGate::open(&folder.join("imipd.db"))
    }

    fn own(login: &str, secret: &str) -> Attempt {
        Attempt { login: login.to_owned(), master: None, fingerprint: Some(fingerprint(secret)) }
    }

    fn by_master(login: &str) -> Attempt {
        Attempt { master: Some("imipd".to_owned()), ..own(login, "master") }
    }

    fn wait(gate: &LoginGate, attempt: &Attempt, now: i64) -> Option<i64> {
        match gate.ask(attempt, now, Instant::now()) {
            Verdict::Admitted => None,
            Verdict::Wait(wait) | Verdict::WaitForAll(wait) => Some(millis(wait)),
        }
    }

    /// One attempt and what came of it.
    fn attempted(gate: &LoginGate, attempt: &Attempt, outcome: Outcome, now: i64) {
        assert_eq!(gate.ask(attempt, now, Instant::now()), Verdict::Admitted, "{attempt:?} at {now}");
        gate.report(attempt, outcome, now, Instant::now());
        drop(Permit { gate, attempt: attempt.clone() });
    }

    #[test]
    fn a_wrong_password_waits_longer_each_time_and_after_a_day_an_hour() {
        let folder = tempfile::tempdir().unwrap();
        let (mut gate, anna) = (gate(folder.path()), own("anna", "wrong"));
        let (mut now, mut attempts) = (0, Vec::new());
        while now < 2 * millis(DAY) {
            // A daemon that is started anew before each attempt is no more eager.
            gate = LoginGate { file: gate.file.clone(), ..LoginGate::open(&folder.path().join("imipd.db")) };
            match wait(&gate, &anna, now) {
                Some(wait) => now += wait,
                None => {
                    attempts.push(now / SECOND);
                    gate.report(&anna, Outcome::Refused, now, Instant::now());
                }
            }
        }
        assert_eq!(attempts[..6], [0, 30, 90, 210, 450, 930]);
        assert_eq!(attempts[7] - attempts[6], 900, "fifteen minutes are the most of the first day");
        assert_eq!(attempts[attempts.len() - 1] - attempts[attempts.len() - 2], 3600);
        assert!(attempts.len() < 130, "{} attempts in two days", attempts.len());
    }

    #[test]
    fn another_password_is_tried_at_once_and_a_success_ends_the_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let gate = gate(folder.path());
        attempted(&gate, &own("anna", "wrong"), Outcome::Refused, 0);
        assert_eq!(wait(&gate, &own("anna", "wrong"), SECOND), Some(29 * SECOND));
        attempted(&gate, &own("anna", "right"), Outcome::Succeeded, SECOND);
        assert_eq!(wait(&gate, &own("anna", "wrong"), SECOND), None);
        assert_eq!(std::fs::read_to_string(&gate.file).unwrap(), "{}");
    }

    #[test]
    fn a_wrong_master_password_is_tried_twice_and_then_once_in_an_interval_for_all() {
        let folder = tempfile::tempdir().unwrap();
        let gate = gate(folder.path());
        let users: Vec<Attempt> = (0..1000).map(|at| by_master(&format!("user{at}"))).collect();
        let mut at = Vec::new();
        for second in 0..3600 {
            for user in &users {
                if wait(&gate, user, second * SECOND).is_none() {
                    at.push(second);
                    gate.report(user, Outcome::Refused, second * SECOND, Instant::now());
                    drop(Permit { gate: &gate, attempt: user.clone() });
                }
            }
        }
        assert_eq!(at, [0, 0, 30, 90, 210, 450, 930, 1830, 2730]);
    }

    #[test]
    fn one_user_whom_the_master_may_not_open_does_not_hold_up_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let gate = gate(folder.path());
        attempted(&gate, &by_master("gone"), Outcome::Refused, 0);
        attempted(&gate, &by_master("anna"), Outcome::Succeeded, 0);
        assert_eq!(wait(&gate, &by_master("bea"), 0), None);
        assert_eq!(wait(&gate, &by_master("gone"), SECOND), Some(29 * SECOND));
        attempted(&gate, &by_master("closed"), Outcome::Forbidden, SECOND);
        assert_eq!(wait(&gate, &by_master("bea"), SECOND), None);
    }

    #[test]
    fn while_the_master_password_is_not_known_to_be_right_one_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let gate = gate(folder.path());
        let began = Instant::now();
        assert_eq!(gate.ask(&by_master("a"), 0, began), Verdict::Admitted);
        assert_eq!(gate.ask(&by_master("b"), 0, began), Verdict::Wait(LEAD_LASTS));
        assert_eq!(gate.ask(&by_master("b"), 0, began + LEAD_LASTS), Verdict::Admitted, "no answer is no news");
        gate.report(&by_master("a"), Outcome::Succeeded, 0, began + LEAD_LASTS);
        for user in ["c", "d", "e"] {
            assert_eq!(gate.ask(&by_master(user), 0, began + LEAD_LASTS), Verdict::Admitted);
        }
    }

    #[tokio::test]
    async fn those_who_wait_go_on_when_the_first_has_come_through() {
        let folder = tempfile::tempdir().unwrap();
        let gate = gate(folder.path());
        let (first, second) = (by_master("a"), by_master("b"));
        let permit = gate.pass(&first, |_| {}).await.unwrap();
        let waiting = async {
            loop {
                if let Some(permit) = gate.pass(&second, |_| {}).await {
                    return permit;
                }
            }
        };
        let (_, permit) = tokio::join!(async { permit.report(Outcome::Succeeded) }, waiting);
        drop(permit);
    }

    #[test]
    fn a_damaged_file_is_as_none() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("imipd.db.logins"), "{\"login a\": 7").unwrap();
        assert_eq!(wait(&gate(folder.path()), &own("a", "x"), 0), None);
    }
}
