//! What became of a message on its way, written beside whom it went to (RFC 6638 §3.2.9, §7.3).
//!
//! | the object is the user's as | the message went to | SCHEDULE-STATUS stands on |
//! |---|---|---|
//! | ORGANIZER | an attendee | the ATTENDEE |
//! | ATTENDEE | the organizer | ORGANIZER |
//! | ATTENDEE | a delegate or delegator | the ATTENDEE |
//!
//! It is a note to the owner of the calendar and to nobody else: no SEQUENCE rises, no DTSTAMP moves, nothing is owed,
//! and it never leaves (see [`super::component::strip_schedule_parameters`]). The next answer or delivery replaces it.

use std::collections::BTreeMap;

use calcard::icalendar::{
    ICalendarComponent, ICalendarEntry, ICalendarParameterName, ICalendarParameterValue, ICalendarProperty,
};

use super::address::Address;
use super::component::{ComponentExt, Party, set_parameter};
use super::instance::InstanceKey;
use super::limits;
use super::object::CalendarObject;

/// The object with the outcome of a delivery on whom the message went to, in all instances; nothing when nothing changes.
///
/// `status` is one code of RFC 6638 §3.2.9, such as `1.1` or `5.1`; what is none changes nothing.
pub fn with_schedule_status(held: &CalendarObject, attendee: &Address, status: &str) -> Option<CalendarObject> {
    let keys: Vec<InstanceKey> = held.keys().collect();
    with_schedule_statuses(held, &BTreeMap::from([(attendee.clone(), status.to_owned())]), &keys)
}

/// The same for several recipients at once and the given instances alone: what a large meeting needs.
pub fn with_schedule_statuses(
    held: &CalendarObject,
    outcomes: &BTreeMap<Address, String>,
    instances: &[InstanceKey],
) -> Option<CalendarObject> {
    let marked: Vec<(InstanceKey, Vec<(usize, &str)>)> = instances
        .iter()
        .filter_map(|key| Some((*key, unmarked(held.get(*key)?, outcomes))))
        .filter(|(_, parties)| !parties.is_empty())
        .collect();
    if marked.is_empty() {
        return None;
    }
    let mut object = held.clone();
    for (key, parties) in marked {
        let Some(component) = object.get_mut(key) else { continue };
        for (index, status) in parties {
            let value = ICalendarParameterValue::Text(status.to_owned());
            if let Some(entry) = component.entries.get_mut(index) {
                set_parameter(entry, ICalendarParameterName::ScheduleStatus, value);
            }
        }
    }
    Some(object)
}

/// Where in a component an outcome has to be written that does not stand there yet.
fn unmarked<'a>(component: &ICalendarComponent, outcomes: &'a BTreeMap<Address, String>) -> Vec<(usize, &'a str)> {
    let organizer = component.organizer().map(Party::address);
    let outcome = |entry: &ICalendarEntry| {
        let party = Party(entry);
        let address = match entry.name {
            ICalendarProperty::Organizer => organizer.clone()?,
            // Nobody writes to themselves, so what went to the organizer was an answer to ORGANIZER.
            ICalendarProperty::Attendee => Some(party.address()).filter(|one| organizer.as_ref() != Some(one))?,
            _ => return None,
        };
        let status = outcomes.get(&address).map(String::as_str).filter(|status| is_status(status))?;
        let written = entry.parameter(&ICalendarParameterName::ScheduleStatus);
        (written.and_then(ICalendarParameterValue::as_text) != Some(status)).then_some(status)
    };
    let entries = component.entries.iter().enumerate();
    entries.filter_map(|(index, entry)| Some((index, outcome(entry)?))).collect()
}

/// Whether a text is a status code: two or three numbers with dots between them (RFC 5545 §3.8.8.3).
pub fn is_status(status: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    status.len() <= limits::STATUS_CODE_BYTES_MAX
        && (2..=3).contains(&status.split('.').count())
        && status.split('.').all(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::itip::announce::{self, Author, put};
    use crate::itip::{Refusal, Revisions};

    const SERIES: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:choir-3\r\n\
        SEQUENCE:2\r\nDTSTAMP:20300101T000000Z\r\nDTSTART:20300603T170000Z\r\nRRULE:FREQ=WEEKLY;COUNT=5\r\n\
        ORGANIZER:mailto:ada@choir.example\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:ada@choir.example\r\n\
        ATTENDEE;PARTSTAT=ACCEPTED:MAILTO:Bo@choir.example\r\n\
        ATTENDEE;SCHEDULE-STATUS=\"1.1\":mailto:cy@choir.example\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:choir-3\r\nRECURRENCE-ID:20300610T170000Z\r\nSEQUENCE:2\r\n\
        DTSTAMP:20300101T000000Z\r\nDTSTART:20300610T180000Z\r\nORGANIZER:mailto:ada@choir.example\r\n\
        ATTENDEE:mailto:bo@choir.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    fn address(name: &str) -> Address {
        Address::parse(&format!("{name}@choir.example"))
    }

    fn held() -> CalendarObject {
        CalendarObject::parse(SERIES).expect("an object")
    }

    fn lines<'a>(text: &'a str, with: &str) -> Vec<&'a str> {
        text.lines().filter(|line| line.contains(with)).collect()
    }

    #[test]
    fn the_outcome_stands_on_the_attendee_in_every_instance_and_nothing_else_changes() {
        let after = with_schedule_status(&held(), &address("bo"), "5.1").expect("a change").to_text();
        assert_eq!(lines(&after, "SCHEDULE-STATUS=5.1").len(), 2, "{after}");
        assert_eq!(after.replace(";SCHEDULE-STATUS=5.1", ""), held().to_text());
    }

    #[test]
    fn only_the_given_instances_are_marked_and_several_recipients_at_once() {
        let override_key = held().keys().nth(1).expect("an override");
        let outcomes = BTreeMap::from([(address("bo"), "3.7".to_owned()), (address("cy"), "1.2".to_owned())]);
        let after = with_schedule_statuses(&held(), &outcomes, &[override_key]).expect("a change");
        assert_eq!(lines(&after.to_text(), "SCHEDULE-STATUS=3.7").len(), 1);
        assert!(after.master().is_some_and(|master| held().master() == Some(master)));
        let all: Vec<InstanceKey> = held().keys().collect();
        let after = with_schedule_statuses(&held(), &outcomes, &all).expect("a change").to_text();
        assert_eq!((lines(&after, "=3.7").len(), lines(&after, "=1.2").len()), (2, 1));
    }

    #[test]
    fn nothing_changes_for_a_stranger_the_same_outcome_or_what_is_no_status() {
        for (name, status) in
            [("di", "5.1"), ("cy", "1.1"), ("bo", ""), ("bo", "5"), ("bo", "5.1;x"), ("bo", "5.1.1.1")]
        {
            assert!(with_schedule_status(&held(), &address(name), status).is_none(), "{name} {status}");
        }
    }

    #[test]
    fn the_outcome_of_an_answer_stands_on_the_organizer() {
        let after = with_schedule_status(&held(), &address("ada"), "5.1").expect("a change").to_text();
        let marked = lines(&after, "SCHEDULE-STATUS=5.1");
        assert!(marked.iter().all(|line| line.starts_with("ORGANIZER")) && marked.len() == 2, "{after}");
    }

    #[test]
    fn an_outcome_is_never_announced_whether_it_comes_or_goes() {
        let marked = with_schedule_status(&held(), &address("bo"), "5.1").expect("a change");
        for user in ["ada", "bo"] {
            let own = [address(user)];
            let author = Author { addresses: &own, now: 1_900_000_000, prodid: "-//x//EN" };
            for (before, after) in [(held(), marked.clone()), (marked.clone(), held())] {
                let announced = put(Some(&before), after.clone(), &Revisions::default(), author);
                assert_eq!(announced.outgoing.err(), Some(Refusal::NothingToSend), "{user}");
                assert_eq!(announced.store, Some(after));
            }
        }
    }

    #[test]
    fn an_outcome_leaves_with_no_message() {
        let own = [address("ada")];
        let author = Author { addresses: &own, now: 1_900_000_000, prodid: "-//x//EN" };
        let marked = with_schedule_status(&held(), &address("bo"), "5.1").expect("a change");
        let gone = announce::delete(&marked, &Revisions::default(), author).outgoing.expect("a CANCEL");
        let moved = CalendarObject::parse(&marked.to_text().replace("T170000Z", "T173000Z")).expect("an object");
        let moved = put(Some(&marked), moved, &Revisions::default(), author).outgoing.expect("a REQUEST");
        for message in gone.iter().chain(&moved) {
            assert!(!message.object.to_text().contains("SCHEDULE-STATUS"));
        }
    }
}
