//! SIGKILL at any moment: nothing is lost, and nothing is sent twice but as the very same mail.
//!
//! A mail arrives twice when the daemon dies, or the connection does, after the server has taken it and before that was
//! committed: nobody can know then whether it was taken, and a mail too many, which its Message-ID tells apart, is better
//! than one too few. How often it happened is printed.
//!
//! `IMIPD_CRASH_SEED` picks other moments, `IMIPD_CRASH_KILLS` how many they are.

mod live;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use imipd_lab::{Behaviour, Mta};
use live::site::{address, array};
use live::{Plan, Site, measured, meeting, partstat, wait_until};

const A: &str = "a@example.com";
const GUESTS: [&str; 3] = ["b", "c", "d"];

/// What should be: what was done by command, and nothing that the daemon made of it.
#[derive(Debug, Default)]
struct Meeting {
    uid: String,
    answers: BTreeMap<&'static str, &'static str>,
    is_cancelled: bool,
}

/// A site whose daemon dies, and what it owes.
struct Load {
    site: Site,
    meetings: Vec<Meeting>,
    kills: usize,
    /// How often the relay was told to take a mail and to hang up.
    kept_silent: usize,
}

impl Load {
    /// A daemon that has seen all mailboxes. Nothing when a server is missing here.
    fn open() -> Option<Self> {
        Self::open_over(Mta::Relay)
    }

    fn open_over(mta: Mta) -> Option<Self> {
        let users = ["a", "b", "c", "d"];
        let site = Site::open(&Plan { users: &users, watched: &users, mta, ..Plan::default() })?;
        Some(Self { site, meetings: Vec::new(), kills: 0, kept_silent: 0 })
    }

    fn invite(&mut self) {
        let uid = format!("meeting-{}", self.meetings.len());
        let guests = GUESTS.map(address);
        self.site.put("a", &meeting(&uid, A, &guests.each_ref().map(String::as_str)));
        self.meetings.push(Meeting { uid, ..Meeting::default() });
    }

    /// Answers, when the invitation has come in; whether it had.
    fn answer(&mut self, nth: usize, guest: &'static str, answer: &'static str) -> bool {
        let Some(meeting) = self.meetings.get_mut(nth) else { return false };
        let has_it = !meeting.is_cancelled && self.site.get(guest, &meeting.uid).is_some();
        if has_it {
            self.site.respond(guest, &meeting.uid, answer);
            meeting.answers.insert(guest, if answer == "accept" { "ACCEPTED" } else { "DECLINED" });
        }
        has_it
    }

    /// One thing that somebody does; what it is chance decides.
    fn act(&mut self, round: usize, dice: &mut Dice) {
        if round.is_multiple_of(6) {
            return self.invite();
        }
        let Some(nth) = pick(dice, self.meetings.len()) else { return };
        let Some(meeting) = self.meetings.get(nth) else { return };
        if dice.below(8) == 0 && !meeting.is_cancelled {
            return self.cancel(nth);
        }
        let silent = GUESTS.into_iter().filter(|guest| !meeting.answers.contains_key(guest)).collect::<Vec<_>>();
        if let Some(guest) = pick(dice, silent.len()).and_then(|nth| silent.get(nth).copied()) {
            let answer = if dice.below(2) == 0 { "accept" } else { "decline" };
            self.answer(nth, guest, answer);
        }
    }

    fn cancel(&mut self, nth: usize) {
        let meeting = self.meetings.get_mut(nth).expect("a meeting");
        self.site.delete("a", &meeting.uid);
        meeting.is_cancelled = true;
    }

    /// SIGKILL, and a new daemon, which is not waited for.
    fn crash(&mut self) {
        self.site.kill();
        self.kills += 1;
        self.site.launch();
    }

    fn set_faults(&mut self, behaviour: Behaviour) {
        self.kept_silent += usize::try_from(behaviour.close_after_delivery).expect("a number");
        self.site.lab.relay().expect("the relay").set_behaviour(behaviour);
    }

    /// Waits for the end of all work, and compares everything with what should be. `what` is for the figures.
    fn verify(&self, what: &str) -> usize {
        self.site.wait_settled();
        for meeting in &self.meetings {
            self.verify_calendars(meeting);
        }
        self.verify_debts();
        let twice = self.verify_arrivals();
        let mails: usize = self.site.arrived().values().sum();
        let kills = self.kills;
        // A few for each death, and for each acceptance that the relay kept to itself. On a slow disk several mails wait to be recorded;
        // but who sent everything twice would have half of all come again.
        let few = (kills + self.kept_silent) * GUESTS.len();
        let is_explained = twice <= few || twice * 5 <= mails * 2;
        assert!(is_explained, "{what}: {twice} of {mails} mails came again, and {kills} kills explain {few}");
        measured(
            what,
            &format!(
                "{kills} kills, {mails} mails, {twice} of them again with the same Message-ID, because their acceptance was \
                 lost: the daemon or the connection died between it and the commit"
            ),
        );
        twice
    }

    fn verify_calendars(&self, meeting: &Meeting) {
        let uid = &meeting.uid;
        let organizers = self.site.get("a", uid);
        assert_eq!(organizers.is_none(), meeting.is_cancelled, "A's copy of {uid}: {organizers:?}");
        for guest in GUESTS {
            let held = self.site.get(guest, uid).unwrap_or_else(|| panic!("{guest} has lost {uid}"));
            assert_eq!(held.contains("STATUS:CANCELLED"), meeting.is_cancelled, "{guest}'s copy: {held}");
            let answer = *meeting.answers.get(guest).unwrap_or(&"NEEDS-ACTION");
            if let Some(organizers) = &organizers {
                let noted = partstat(organizers, &address(guest));
                assert_eq!(noted.as_deref(), Some(answer), "A's copy of {uid} about {guest}: {organizers}");
                assert_eq!(partstat(&held, &address(guest)).as_deref(), Some(answer), "{guest}'s own copy: {held}");
            }
        }
    }

    /// Every debt was entered once: one invitation and at most one cancellation for each guest, one mail for each answer.
    fn verify_debts(&self) {
        let mut owed: BTreeMap<(String, String, String), usize> = BTreeMap::new();
        for meeting in &self.meetings {
            let key = |to: &str, method: &str| (address(to), meeting.uid.clone(), method.to_owned());
            for guest in GUESTS {
                owed.insert(key(guest, "REQUEST"), 1);
                if meeting.is_cancelled {
                    owed.insert(key(guest, "CANCEL"), 1);
                }
            }
            if !meeting.answers.is_empty() {
                owed.insert(key("a", "REPLY"), meeting.answers.len());
            }
        }
        let mut entered: BTreeMap<(String, String, String), BTreeSet<String>> = BTreeMap::new();
        for mail in self.site.outbox() {
            let text = |name: &str| mail[name].as_str().expect("a text").to_owned();
            for to in array(mail["recipients"].clone()) {
                assert_eq!(to["state"], "sent", "{mail}");
                let place = (to["address"].as_str().expect("an address").to_owned(), text("uid"), text("method"));
                entered.entry(place).or_default().insert(text("message_id"));
            }
        }
        let entered: BTreeMap<_, usize> = entered.into_iter().map(|(place, ids)| (place, ids.len())).collect();
        assert_eq!(entered, owed, "what was entered (left) is not what was owed (right)");
    }

    /// Every mail of the outbox arrived at each recipient, and no other mail did; how many came more than once.
    fn verify_arrivals(&self) -> usize {
        let mut arrived = self.site.arrived();
        let mut again = 0;
        for mail in self.site.outbox() {
            for to in array(mail["recipients"].clone()) {
                let place =
                    [&to["address"], &mail["message_id"]].map(|value| value.as_str().expect("a text").to_owned());
                let copies = arrived.remove(&place.into()).unwrap_or_else(|| panic!("never arrived: {mail}"));
                again += copies - 1;
            }
        }
        assert!(arrived.is_empty(), "mails that nobody owed: {arrived:?}");
        again
    }
}

#[test]
fn killed_when_a_change_has_just_been_made() {
    let Some(mut load) = Load::open() else { return };
    for _ in 0..3 {
        load.invite();
        load.crash();
    }
    load.site.wait_settled();
    for nth in 0..3 {
        assert!(load.answer(nth, "b", "accept") && load.answer(nth, "c", "decline"));
        load.crash();
    }
    load.site.wait_settled();
    for nth in 0..2 {
        load.cancel(nth);
        load.crash();
    }
    load.verify("killed right after put, respond and delete");
}

#[test]
fn killed_while_mails_are_being_delivered() {
    let Some(mut load) = Load::open() else { return };
    for _ in 0..3 {
        let before = load.site.inbox("b").len();
        (0..5).for_each(|_| load.invite());
        wait_until("the first of them arrives", || load.site.inbox("b").len() > before);
        load.crash();
    }
    load.site.wait_settled();
    for nth in 0..5 {
        load.cancel(nth);
    }
    load.crash();
    load.verify("killed while mails are being delivered");
}

#[test]
fn killed_while_mailboxes_are_being_read() {
    let Some(mut load) = Load::open() else { return };
    (0..12).for_each(|_| load.invite());
    for part in 1..4 {
        // Each daemon gets to decide some of the 36 mails.
        wait_until("some mails are decided", || decided(&load.site) >= part * 4);
        load.crash();
    }
    load.site.wait_settled();
    // Counted before the first of them: all may be decided by the time the last one is given.
    let before = decided(&load.site);
    (0..12).for_each(|nth| assert!(load.answer(nth, "b", "decline") && load.answer(nth, "d", "accept")));
    wait_until("some answers are decided", || decided(&load.site) > before);
    load.crash();
    load.verify("killed while INBOXes are being read");
}

/// How many mails have been decided, for all users.
fn decided(site: &Site) -> usize {
    site.decisions().iter().filter(|decision| decision["folder"] == "INBOX").count()
}

#[test]
fn killed_before_an_acceptance_could_be_recorded() {
    let Some(mut load) = Load::open() else { return };
    load.set_faults(Behaviour { close_after_delivery: 3, ..Behaviour::default() });
    (0..3).for_each(|_| load.invite());
    wait_until("a mail arrives whose acceptance nobody heard", || !load.site.inbox("d").is_empty());
    load.crash();
    let again = load.verify("killed before an acceptance could be recorded");
    // Three mails to three guests each were delivered, and had to be sent again; the kill may have added to it.
    assert!(again >= 9, "the relay has not done what this test is about");
    // A server that takes a mail and loses it says as little.
    load.set_faults(Behaviour { close_before_delivery: 1, defer_data: 1, close_at_connect: 1, ..Behaviour::default() });
    load.cancel(0);
    load.crash();
    load.verify("and with a server that loses what it was given");
}

#[test]
fn killed_at_any_moment_over_the_relay() {
    let Some(load) = Load::open() else { return };
    killed_at_any_moment(load, "the relay, which fails now and then", 1, 120);
}

#[test]
fn killed_at_any_moment_over_postfix() {
    let Some(load) = Load::open_over(Mta::Postfix) else { return };
    killed_at_any_moment(load, "Postfix", 2, 80);
}

/// Invitations, answers and cancellations, and after each something between no time and some time until SIGKILL.
fn killed_at_any_moment(mut load: Load, over: &str, nth_load: u64, kills: usize) {
    let seed = number("IMIPD_CRASH_SEED").unwrap_or(20_261_122);
    let kills = number("IMIPD_CRASH_KILLS").and_then(|kills| usize::try_from(kills).ok()).unwrap_or(kills);
    let mut dice = Dice(seed.wrapping_mul(nth_load));
    for round in 0..kills {
        if load.site.lab.relay().is_some() {
            load.set_faults(match round % 10 {
                3 => Behaviour { close_after_delivery: 1, ..Behaviour::default() },
                7 => Behaviour { close_at_connect: 1, defer_data: 1, ..Behaviour::default() },
                _ => Behaviour::default(),
            });
        }
        load.act(round, &mut dice);
        // Not to wait for anything: this is the moment at which it dies. Short ones catch its start.
        let most = if dice.below(3) == 0 { 700 } else { 150 };
        std::thread::sleep(Duration::from_millis(dice.below(most)));
        load.crash();
    }
    if load.site.lab.relay().is_some() {
        load.set_faults(Behaviour::default());
    }
    load.verify(&format!("killed at {kills} moments over {over}, seed {seed}"));
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

/// One of so many; nothing of none.
fn pick(dice: &mut Dice, of: usize) -> Option<usize> {
    let of = u64::try_from(of).ok().filter(|of| *of > 0)?;
    usize::try_from(dice.below(of)).ok()
}

/// Chance that can be had again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        // Knuth's linear congruential generator; its upper bits are the good ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}
