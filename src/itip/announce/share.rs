//! After replies, the other attendees may want to see who comes (RFC 5546 §3.2.2.2).
//!
//! | who answered since the last time | who is told |
//! |---|---|
//! | nobody | nobody |
//! | one attendee | everybody but that one, who knows |
//! | several | everybody, since none knows of the others |
//!
//! Whoever declined or was never asked is left in peace; whether and when this is sent is policy.

use std::collections::BTreeSet;

use super::message::{full_request, sorted};
use super::recipients::{addressees, is_updated};
use super::{Author, Role, is_ours, role};
use crate::itip::address::Address;
use crate::itip::component::ComponentExt;
use crate::itip::decision::Outgoing;
use crate::itip::object::CalendarObject;

/// The full REQUEST that shows the others what those of `since` have answered; nothing when nobody is to be told.
///
/// SEQUENCE stays as it is: nobody is asked again, and every answer stands (RFC 5546 §2.1.4, RFC 6638 §4.2).
pub fn share_answers(object: &CalendarObject, since: &[Address], author: Author<'_>) -> Option<Outgoing> {
    let is_organizer = role(None, object, author.addresses).ok()? == Role::Organizer && is_ours(object).is_ok();
    let going_on = |component: &calcard::icalendar::ICalendarComponent| !component.is_cancelled();
    // A REQUEST cannot say that the whole is off (RFC 5546 §3.2.2).
    if !is_organizer || !object.master().is_none_or(going_on) {
        return None;
    }
    let answered: BTreeSet<&Address> = since.iter().filter(|one| !author.addresses.contains(one)).collect();
    let mut to: BTreeSet<Address> = object
        .components()
        .filter(|(_, component)| going_on(component))
        .flat_map(|(_, component)| addressees(component, author, |party| is_updated(party, false)))
        .collect();
    match answered.len() {
        0 => return None,
        1 => to.retain(|address| !answered.contains(address)),
        _ => {}
    }
    if to.is_empty() { None } else { full_request(object, sorted(to), author) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::itip::component::Party;
    use crate::itip::method::Method;

    const MEETING: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:moor-7\r\nSEQUENCE:4\r\n\
        DTSTART:20300601T080000Z\r\nDTEND:20300601T160000Z\r\nSUMMARY:Walk across the moor\r\n\
        ORGANIZER:mailto:ada@walks.example\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:ada@walks.example\r\n\
        ATTENDEE;PARTSTAT=ACCEPTED;SCHEDULE-STATUS=\"2.0\":mailto:bo@walks.example\r\n\
        ATTENDEE;PARTSTAT=TENTATIVE:mailto:cy@walks.example\r\n\
        ATTENDEE;PARTSTAT=DECLINED:mailto:di@walks.example\r\n\
        ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:ed@walks.example\r\n\
        ATTENDEE;RSVP=FALSE:mailto:fay@walks.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    fn addresses(names: &[&str]) -> Vec<Address> {
        names.iter().map(|name| Address::parse(&format!("{name}@walks.example"))).collect()
    }

    fn shared(text: &str, user: &str, since: &[&str]) -> Option<Outgoing> {
        let own = addresses(&[user]);
        let author = Author { addresses: &own, now: 1_900_000_000, prodid: "-//x//EN" };
        share_answers(&CalendarObject::parse(text).expect("an object"), &addresses(since), author)
    }

    #[test]
    fn one_answer_is_shown_to_the_others_without_raising_sequence() {
        let outgoing = shared(MEETING, "ada", &["bo"]).expect("a message");
        assert_eq!(outgoing.to, addresses(&["cy", "ed"]));
        assert_eq!(outgoing.method, Method::Request);
        let master = outgoing.object.master().expect("a master");
        assert_eq!(master.sequence().0, 4);
        let bo = master.attendees().find(|party| party.is(&addresses(&["bo"])[0])).and_then(Party::partstat);
        assert_eq!(bo, Some(&calcard::icalendar::ICalendarParticipationStatus::Accepted));
        assert!(!outgoing.object.to_text().contains("SCHEDULE-STATUS"));
    }

    #[test]
    fn several_answers_are_shown_to_those_who_gave_them_as_well() {
        let outgoing = shared(MEETING, "ada", &["bo", "cy", "di"]).expect("a message");
        assert_eq!(outgoing.to, addresses(&["bo", "cy", "ed"]));
    }

    #[test]
    fn nothing_is_shared_without_answers_of_others_by_an_attendee_or_when_it_is_off() {
        assert!(shared(MEETING, "ada", &[]).is_none());
        assert!(shared(MEETING, "ada", &["ada"]).is_none());
        assert!(shared(MEETING, "bo", &["cy"]).is_none());
        let off = MEETING.replace("SUMMARY", "STATUS:CANCELLED\r\nSUMMARY");
        assert!(shared(&off, "ada", &["bo"]).is_none());
    }
}
