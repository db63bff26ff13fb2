//! Two engines that write to each other fall silent, whatever the first message was.

use std::borrow::Cow;
use std::collections::VecDeque;

use imipd::itip::receive::{Context, Held, ItipMessage, PartyCrashers, Policy, Publications, receive};
use imipd::itip::{Address, Author, CalendarObject, Revisions, announce};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

const SIDES: [&str; 2] = ["ada@elm.example", "bo@oak.example"];

/// The longest conversation that one message may start: a question about an addition, its answer, nothing.
const MESSAGES_MAX: usize = 4;

/// A message of any method, by and about any of the two, sensible or not.
fn message() -> impl Strategy<Value = (usize, String)> {
    let method = select(vec!["REQUEST", "REPLY", "ADD", "CANCEL", "REFRESH", "COUNTER", "DECLINECOUNTER", "PUBLISH"]);
    let instance = select(vec![
        "",
        "RECURRENCE-ID:20300202T100000Z\r\n",
        "RECURRENCE-ID;RANGE=THISANDFUTURE:20300203T100000Z\r\n",
    ]);
    let rule = select(vec!["", "RRULE:FREQ=DAILY;COUNT=5\r\n"]);
    let partstat = select(vec![
        "",
        ";PARTSTAT=ACCEPTED",
        ";PARTSTAT=DECLINED",
        ";PARTSTAT=DELEGATED;DELEGATED-TO=\"mailto:ada@elm.example\"",
    ]);
    let kind = select(vec!["VEVENT", "VEVENT", "VTODO"]);
    (0..2usize, method, 0..3u8, 0..2usize, instance, rule, (partstat, kind, 0..3u8)).prop_map(
        |(from, method, sequence, organizer, instance, rule, (partstat, kind, second))| {
            let (ada, bo) = (SIDES[organizer], SIDES[1 - organizer]);
            let text = format!(
                "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nMETHOD:{method}\r\nBEGIN:{kind}\r\nUID:loop-1@elm.example\r\n\
                 DTSTAMP:20300101T00000{second}Z\r\nDTSTART:20300201T100000Z\r\nSEQUENCE:{sequence}\r\n{instance}{rule}\
                 ORGANIZER:mailto:{ada}\r\nATTENDEE:mailto:{ada}\r\nATTENDEE;RSVP=TRUE{partstat}:mailto:{bo}\r\nEND:{kind}\r\nEND:VCALENDAR\r\n"
            );
            (from, text)
        },
    )
}

#[derive(Default)]
struct Side {
    object: Option<CalendarObject>,
    revisions: Revisions,
}

struct Pair {
    sides: [Side; 2],
    now: i64,
    policy: Policy,
}

impl Pair {
    /// One side stores what the message holds, if it can be stored, and tells the other.
    fn put(&mut self, side: usize, text: &str) -> Vec<(usize, String)> {
        let Ok(mut object) = CalendarObject::parse(text) else { return Vec::new() };
        object.remove_method();
        let addresses = [Address::parse(SIDES[side])];
        let author = Author { addresses: &addresses, now: self.now, prodid: "-//test//EN" };
        let held = &self.sides[side];
        let announcement = announce::put(held.object.as_ref(), object, &held.revisions, author);
        self.sides[side] = Side { object: announcement.store, revisions: announcement.revisions };
        to_other_side(announcement.outgoing.unwrap_or_default(), side)
    }

    fn deliver(&mut self, from: usize, text: &str) -> Vec<(usize, String)> {
        self.now += 1;
        let to = 1 - from;
        let (sender, addresses) = (Address::parse(SIDES[from]), [Address::parse(SIDES[to])]);
        let Ok(message) = ItipMessage::parse(text, None) else { return Vec::new() };
        let author = Author { addresses: &addresses, now: self.now, prodid: "-//test//EN" };
        let context = Context { author, sender: &sender, policy: self.policy };
        let held =
            Held { object: self.sides[to].object.as_ref().map(Cow::Borrowed), revisions: &self.sides[to].revisions };
        let decision = receive(held, message, context);
        let side = &mut self.sides[to];
        side.object = decision.store.or(side.object.take());
        side.revisions = decision.revisions.unwrap_or_else(|| side.revisions.clone());
        to_other_side(decision.outgoing, to)
    }
}

fn to_other_side(messages: Vec<imipd::itip::Outgoing>, side: usize) -> Vec<(usize, String)> {
    let other = Address::parse(SIDES[1 - side]);
    let for_other = messages.into_iter().filter(|message| message.to.contains(&other));
    for_other.map(|message| (side, message.object.to_text())).collect()
}

proptest! {
    #![proptest_config(crate::cases(300))]

    #[test]
    fn two_engines_fall_silent(puts in vec(message(), 0..3), messages in vec(message(), 1..6), open in any::<[bool; 2]>()) {
        let party_crashers = if open[0] { PartyCrashers::Propose } else { PartyCrashers::Refuse };
        let publications = if open[1] { Publications::Import } else { Publications::Refuse };
        let policy = Policy { party_crashers, publications, ..Policy::default() };
        let mut pair = Pair { sides: [Side::default(), Side::default()], now: 1_893_456_000, policy };
        let stored: Vec<(usize, String)> = puts.iter().flat_map(|(side, text)| pair.put(*side, text)).collect();
        for first in stored.into_iter().chain(messages) {
            let mut on_the_way = VecDeque::from([first.clone()]);
            let mut delivered = 0;
            while let Some((from, text)) = on_the_way.pop_front() {
                delivered += 1;
                prop_assert!(delivered <= MESSAGES_MAX, "they go on and on after {}", first.1);
                on_the_way.extend(pair.deliver(from, &text));
            }
        }
    }
}
