//! The REPLY of an attendee who has answered the organizer by another way: a link, or a word in a mail.

use super::{Answer, Author, put, respond};
use crate::itip::address::Address;
use crate::itip::component::ComponentExt;
use crate::itip::decision::Refusal;
use crate::itip::instance::InstanceKey;
use crate::itip::method::Method;
use crate::itip::object::CalendarObject;
use crate::itip::revision::{Revisions, Sequence};

/// What an attendee has said otherwise than by a REPLY.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    pub attendee: &'a Address,
    pub answer: &'a Answer,
    /// The SEQUENCE of the invitation that was answered: the time may have changed since.
    pub asked_at: Sequence,
}

/// The REPLY that an attendee would have sent to the organizer of `held`, for the organizer's own gateway to receive.
///
/// What the attendee has said last stays unsaid: fails with `NothingToSend` when the answer is the one that stands there. Fails
/// with `NotOrganizerNorAttendee` when the attendee is not asked, with `EventNotFound` when there is no such instance.
///
/// `now` (Unix seconds) has to be later than the DTSTAMP of the attendee's last REPLY, or the answer counts as an older one.
///
/// RFC 5546 §3.2.3.
pub fn reply_on_behalf(
    held: &CalendarObject,
    said: Said<'_>,
    (now, prodid): (i64, &str),
) -> Result<CalendarObject, Refusal> {
    let addresses = std::slice::from_ref(said.attendee);
    let organizer = held.organizer()?.ok_or(Refusal::NoSchedulingInfo)?;
    if organizer == *said.attendee {
        return Err(Refusal::OrganizerIsLocalAddress);
    }
    let after = respond(held, addresses, said.answer)?;
    let author = Author { addresses, now, prodid };
    let announcement = put(Some(held), after, &Revisions::default(), author);
    let replies = announcement.outgoing?.into_iter();
    let mut to_organizer = replies.filter(|said| said.method == Method::Reply && said.to.contains(&organizer));
    let mut reply = to_organizer.next().ok_or(Refusal::NothingToSend)?.object;
    reply.set_method(Method::Reply);
    let keys: Vec<InstanceKey> = reply.keys().collect();
    for key in keys {
        if let Some(component) = reply.get_mut(key) {
            component.set_sequence(said.asked_at.min(component.sequence()));
        }
    }
    Ok(reply)
}

#[cfg(test)]
mod tests {
    use calcard::icalendar::ICalendarParticipationStatus as Partstat;

    use super::*;

    const HELD: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:u\r\n\
        DTSTAMP:20260101T000000Z\r\nSEQUENCE:3\r\nDTSTART:20400601T080000Z\r\nDTEND:20400601T090000Z\r\n\
        RRULE:FREQ=WEEKLY;COUNT=4\r\nSUMMARY:Walk\r\nORGANIZER:mailto:ada@example.com\r\n\
        ATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:bo@example.org\r\n\
        ATTENDEE;PARTSTAT=ACCEPTED:mailto:cy@example.org\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    fn held() -> CalendarObject {
        CalendarObject::parse(HELD).expect("an object")
    }

    fn say(attendee: &str, partstat: Partstat, instance: Option<&str>) -> Result<String, Refusal> {
        let instance = instance.and_then(InstanceKey::parse);
        let answer = Answer { partstat, instance, comment: Some("On foot".to_owned()) };
        let said = Said { attendee: &Address::in_mail(attendee), answer: &answer, asked_at: Sequence(2) };
        reply_on_behalf(&held(), said, (1_770_000_000, "-//test//EN")).map(|reply| reply.to_text())
    }

    #[test]
    fn it_is_the_reply_of_that_attendee_alone() {
        let reply = say("bo@example.org", Partstat::Accepted, None).expect("a reply");
        for line in ["METHOD:REPLY\r\n", "SEQUENCE:2\r\n", "DTSTAMP:20260202T024000Z\r\n", "COMMENT:On foot\r\n"] {
            assert!(reply.contains(line), "{line} in {reply}");
        }
        assert!(reply.contains("ATTENDEE;PARTSTAT=ACCEPTED:mailto:bo@example.org\r\n"), "{reply}");
        assert!(!reply.contains("cy@example.org"), "{reply}");
    }

    #[test]
    fn an_instance_is_answered_alone() {
        let reply = say("cy@example.org", Partstat::Declined, Some("20400608T080000Z")).expect("a reply");
        assert!(reply.contains("RECURRENCE-ID:20400608T080000Z\r\n"), "{reply}");
        assert_eq!(say("cy@example.org", Partstat::Declined, Some("20400609T080000Z")), Err(Refusal::EventNotFound));
    }

    #[test]
    fn only_who_is_asked_can_answer() {
        assert_eq!(say("eve@example.net", Partstat::Accepted, None), Err(Refusal::NotOrganizerNorAttendee));
        assert_eq!(say("ada@example.com", Partstat::Accepted, None), Err(Refusal::OrganizerIsLocalAddress));
    }
}
