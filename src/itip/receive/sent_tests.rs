//! What the user's own client has sent.

use std::borrow::Cow;

use calcard::common::IanaString;

use super::sent;
use crate::itip::announce::{Author, put};
use crate::itip::component::ComponentExt;
use crate::itip::receive::{Context, Held, ItipMessage, Policy, receive};
use crate::itip::{Address, CalendarObject, Decision, Reason, Refusal, Revisions, Sequence, Verdict};

const ADA: &str = "ada@choir.example";
const BO: &str = "bo@choir.example";

fn text(method: &str, sequence: i64, stamp: &str, lines: &str) -> String {
    let method = if method.is_empty() { String::new() } else { format!("METHOD:{method}\r\n") };
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\n{method}BEGIN:VEVENT\r\nUID:choir-9\r\nSEQUENCE:{sequence}\r\n\
         DTSTAMP:203001{stamp}00Z\r\nORGANIZER:mailto:{ADA}\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

const RECITAL: &str = "DTSTART:20300603T170000Z\r\nSUMMARY:Recital\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:ada@choir.example\r\n\
    ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bo@choir.example\r\n\
    ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:cy@choir.example\r\n";

fn message(text: &str) -> ItipMessage {
    ItipMessage::parse(text, None).expect("a message")
}

/// A calendar of one user.
struct Calendar {
    user: [Address; 1],
    object: Option<CalendarObject>,
    revisions: Revisions,
}

impl Calendar {
    fn of(user: &str) -> Self {
        Self { user: [Address::parse(user)], object: None, revisions: Revisions::default() }
    }

    fn author(&self) -> Author<'_> {
        Author { addresses: &self.user, now: 1_893_000_000, prodid: "-//x//EN" }
    }

    fn keep(&mut self, decision: Decision) -> Decision {
        self.object = decision.store.clone().or(self.object.take());
        self.revisions = decision.revisions.clone().unwrap_or_else(|| self.revisions.clone());
        assert!(decision.outgoing.is_empty(), "nothing is owed");
        decision
    }

    fn sent(&mut self, text: &str) -> Decision {
        let held = Held { object: self.object.as_ref().map(Cow::Borrowed), revisions: &self.revisions };
        let decision = sent(held, message(text), self.author());
        self.keep(decision)
    }

    fn receive(&mut self, sender: &str, text: &str) -> Decision {
        let sender = Address::parse(sender);
        let held = Held { object: self.object.as_ref().map(Cow::Borrowed), revisions: &self.revisions };
        let context = Context { author: self.author(), sender: &sender, policy: Policy::default() };
        let decision = receive(held, message(text), context);
        self.keep(decision)
    }

    fn put(&mut self, text: &str) {
        let after = CalendarObject::parse(text).expect("an object");
        let announcement = put(self.object.as_ref(), after, &self.revisions, self.author());
        (self.object, self.revisions) = (announcement.store, announcement.revisions);
    }

    fn stored(&self) -> String {
        self.object.as_ref().expect("an object").to_text().replace("\r\n ", "")
    }

    fn partstat(&self, who: &str) -> String {
        let object = self.object.as_ref().expect("an object");
        let party = object.principal().and_then(|one| one.attendee_among(&[Address::parse(who)])).expect("an attendee");
        party.partstat().map_or("none", |partstat| partstat.as_str()).to_owned()
    }
}

fn reply(partstat: &str, sequence: i64, stamp: &str) -> String {
    text("REPLY", sequence, stamp, &format!("ATTENDEE;PARTSTAT={partstat}:mailto:{BO}\r\n"))
}

#[test]
fn a_meeting_that_the_client_organizes_is_stored_and_answered() {
    let mut ada = Calendar::of(ADA);
    assert_eq!(ada.sent(&text("REQUEST", 0, "01T0900", RECITAL)).reason, Reason::SentByClient);
    assert!(!ada.stored().contains("METHOD") && ada.stored().contains("SEQUENCE:0"), "{}", ada.stored());
    assert_eq!(ada.receive(BO, &reply("ACCEPTED", 0, "01T1000")).reason, Reason::Answered);
    assert_eq!(ada.partstat(BO), "ACCEPTED");
}

#[test]
fn an_update_of_the_client_keeps_the_answers_and_a_rescheduling_asks_again() {
    let mut ada = Calendar::of(ADA);
    ada.sent(&text("REQUEST", 0, "01T0900", RECITAL));
    ada.receive(BO, &reply("ACCEPTED", 0, "01T1000"));
    assert_eq!(
        ada.sent(&text("REQUEST", 1, "01T1100", &RECITAL.replace("Recital", "Grand recital"))).verdict,
        Verdict::Applied
    );
    assert_eq!((ada.partstat(BO).as_str(), ada.stored().contains("Grand")), ("ACCEPTED", true));
    ada.sent(&text("REQUEST", 2, "01T1200", &RECITAL.replace("T170000Z", "T180000Z")));
    assert_eq!((ada.partstat(BO).as_str(), ada.stored().contains("SEQUENCE:2")), ("NEEDS-ACTION", true));
    assert_eq!(ada.receive(BO, &reply("ACCEPTED", 1, "01T1130")).reason, Reason::AnswersOlderTime);
    assert_eq!(ada.receive(BO, &reply("DECLINED", 2, "01T1230")).reason, Reason::Answered);
}

#[test]
fn an_older_copy_changes_nothing_and_the_same_copy_is_nothing_new() {
    let mut ada = Calendar::of(ADA);
    let newer = text("REQUEST", 1, "01T1100", &RECITAL.replace("Recital", "Grand recital"));
    ada.sent(&newer);
    let stored = ada.stored();
    assert_eq!(ada.sent(&text("REQUEST", 0, "01T0900", RECITAL)).reason, Reason::Refused(Refusal::OutOfSequence));
    assert_eq!(ada.sent(&newer).verdict, Verdict::Unchanged);
    assert_eq!(ada.stored(), stored);
}

#[test]
fn the_client_may_count_lower_than_the_gateway_that_stored_the_same() {
    let mut ada = Calendar::of(ADA);
    ada.put(&text("", 0, "01T0900", RECITAL));
    assert!(ada.stored().contains("SEQUENCE:1"), "the gateway counts up: {}", ada.stored());
    assert_eq!(ada.sent(&text("REQUEST", 0, "01T0900", RECITAL)).reason, Reason::SentByClient);
    let master = ada.object.as_ref().and_then(CalendarObject::master).map(ComponentExt::sequence);
    assert_eq!(master, Some(Sequence(0)), "the attendees know no other");
    ada.put(&text("", 0, "01T0930", &RECITAL.replace("T170000Z", "T180000Z")));
    assert_eq!(ada.sent(&text("REQUEST", 0, "01T0800", RECITAL)).reason, Reason::Refused(Refusal::OutOfSequence));
}

#[test]
fn a_cancel_of_the_client_cancels_or_takes_off_whom_it_names() {
    let mut ada = Calendar::of(ADA);
    ada.sent(&text("REQUEST", 0, "01T0900", RECITAL));
    let cy_alone = "STATUS:CANCELLED\r\nATTENDEE:mailto:cy@choir.example\r\n";
    assert_eq!(ada.sent(&text("CANCEL", 1, "01T1000", cy_alone)).reason, Reason::SentByClient);
    assert!(
        !ada.stored().contains("cy@") && ada.stored().contains(BO) && !ada.stored().contains("CANCELLED"),
        "{}",
        ada.stored()
    );
    let all = "STATUS:CANCELLED\r\nATTENDEE:mailto:bo@choir.example\r\n";
    assert_eq!(ada.sent(&text("CANCEL", 2, "01T1100", all)).reason, Reason::SentByClient);
    assert!(ada.stored().contains("STATUS:CANCELLED"), "{}", ada.stored());
    let late = ada.sent(&text("REQUEST", 1, "01T0930", RECITAL));
    assert_eq!(late.reason, Reason::Refused(Refusal::OutOfSequence));
}

#[test]
fn only_the_organizer_organizes() {
    let mut bo = Calendar::of(BO);
    assert_eq!(bo.sent(&text("REQUEST", 0, "01T0900", RECITAL)).reason, Reason::Refused(Refusal::NotOrganizer));
    bo.receive(ADA, &text("REQUEST", 0, "01T0900", RECITAL));
    let stored = bo.stored();
    assert_eq!(
        bo.sent(&text("CANCEL", 9, "01T1000", "STATUS:CANCELLED\r\n")).reason,
        Reason::Refused(Refusal::NotOrganizer)
    );
    assert_eq!(bo.stored(), stored);
}

#[test]
fn the_own_answer_is_taken_from_the_client() {
    let mut bo = Calendar::of(BO);
    assert_eq!(bo.sent(&reply("ACCEPTED", 0, "01T1000")).reason, Reason::Refused(Refusal::EventNotFound));
    bo.receive(ADA, &text("REQUEST", 0, "01T0900", RECITAL));
    assert_eq!(bo.sent(&reply("TENTATIVE", 0, "01T1000")).reason, Reason::SentByClient);
    assert_eq!(bo.partstat(BO), "TENTATIVE");
    assert_eq!(bo.sent(&reply("TENTATIVE", 0, "01T1000")).reason, Reason::NothingNew);
    bo.receive(ADA, &text("REQUEST", 1, "01T1200", &RECITAL.replace("T170000Z", "T180000Z")));
    assert_eq!(bo.sent(&reply("ACCEPTED", 0, "01T1100")).reason, Reason::AnswersOlderTime);
    assert_eq!(bo.partstat(BO), "NEEDS-ACTION");
    let cys = reply("ACCEPTED", 1, "01T1300").replace(BO, "cy@choir.example");
    assert_eq!(bo.sent(&cys).reason, Reason::Refused(Refusal::NotOrganizerNorAttendee));
}

#[test]
fn an_answer_where_the_client_is_the_agent_is_followed_all_the_same() {
    let mut bo = Calendar::of(BO);
    bo.receive(ADA, &text("REQUEST", 0, "01T0900", RECITAL));
    let own = bo.stored().replace("ORGANIZER:", "ORGANIZER;SCHEDULE-AGENT=CLIENT:");
    bo.put(&own);
    assert_eq!(bo.sent(&reply("DECLINED", 0, "01T1000")).reason, Reason::SentByClient);
    assert_eq!(bo.partstat(BO), "DECLINED");
}

#[test]
fn an_answer_for_one_instance_splits_it_off() {
    let mut bo = Calendar::of(BO);
    bo.receive(ADA, &text("REQUEST", 0, "01T0900", &format!("RRULE:FREQ=DAILY;COUNT=3\r\n{RECITAL}")));
    let one = reply("DECLINED", 0, "01T1000").replace("UID:choir-9", "UID:choir-9\r\nRECURRENCE-ID:20300604T170000Z");
    assert_eq!(bo.sent(&one).reason, Reason::SentByClient);
    assert_eq!(bo.object.as_ref().map(|object| object.keys().count()), Some(2));
    assert_eq!(bo.partstat(BO), "NEEDS-ACTION", "the series is not answered");
}

#[test]
fn an_update_of_the_series_keeps_the_answers_for_single_instances() {
    let mut ada = Calendar::of(ADA);
    let series = format!("RRULE:FREQ=DAILY;COUNT=3\r\n{RECITAL}");
    ada.sent(&text("REQUEST", 0, "01T0900", &series));
    let one = reply("DECLINED", 0, "01T1000").replace("UID:choir-9", "UID:choir-9\r\nRECURRENCE-ID:20300604T170000Z");
    ada.receive(BO, &one);
    ada.sent(&text("REQUEST", 1, "01T1100", &format!("{series}URL:https://choir.example/9\r\n")));
    assert!(ada.stored().contains("https://choir.example/9") && ada.stored().contains("DECLINED"), "{}", ada.stored());
}

#[test]
fn other_methods_are_only_noted() {
    let mut bo = Calendar::of(BO);
    bo.receive(ADA, &text("REQUEST", 0, "01T0900", RECITAL));
    for method in ["COUNTER", "REFRESH", "PUBLISH", "ADD", "DECLINECOUNTER"] {
        let decision = bo.sent(&text(method, 0, "01T1000", RECITAL));
        assert_eq!((decision.verdict, decision.reason), (Verdict::Unchanged, Reason::SentByClient), "{method}");
    }
}
