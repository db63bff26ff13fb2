//! What an organizer does with what others propose, and an attendee with an invitation besides answering it: as a change of
//! the object that is then put like any other.
//!
//! | what was proposed | accepted | declined |
//! |---|---|---|
//! | COUNTER of an attendee | the times, place and texts of the proposal are taken | DECLINECOUNTER, see [`super::decline_counter`] |
//! | REPLY of somebody never invited | they take part, with their answer | nothing: nobody owes a stranger an answer |
//!
// unclear: RFC 5546 §3.2.7 lets a COUNTER propose further attendees. They are left out, because whoever accepts a time need not
// have seen them; the organizer adds them by hand.

use calcard::icalendar::{
    ICalendarComponent, ICalendarParameterName, ICalendarParameterValue, ICalendarParticipationStatus,
    ICalendarProperty, ICalendarValue, Uri,
};

use super::propose::instance;
use super::respond::{Answer, respond};
use crate::itip::address::Address;
use crate::itip::component::{ComponentExt, Party, plain_party, set_parameter, set_partstat};
use crate::itip::decision::Refusal;
use crate::itip::instance::InstanceKey;
use crate::itip::object::CalendarObject;
use crate::itip::recurrence;
use crate::itip::time::Moment;

/// The organizer's object with what a COUNTER proposes; putting it in place of `held` is the acceptance (RFC 5546 §4.2.4).
///
/// Fails with `EventNotFound` when the object has no such instance any more.
pub fn accept_counter(held: &CalendarObject, proposed: &CalendarObject) -> Result<CalendarObject, Refusal> {
    let mut after = held.clone();
    after.adopt_zones(proposed);
    for (key, wanted) in proposed.components() {
        let key = held.on_series_clock(key);
        let mut component = instance(held, key)?;
        take_proposed(&mut component, wanted, key);
        match after.get_mut(key) {
            Some(own) => own.entries = component.entries,
            None => after.insert(key, ICalendarComponent { component_ids: Vec::new(), ..component }),
        }
    }
    Ok(after)
}

/// Takes over what a proposal says; what it leaves out stays, but start and end go together.
fn take_proposed(component: &mut ICalendarComponent, wanted: &ICalendarComponent, key: InstanceKey) {
    const ENDS: [ICalendarProperty; 3] =
        [ICalendarProperty::Dtend, ICalendarProperty::Due, ICalendarProperty::Duration];
    let mut names = vec![ICalendarProperty::Location, ICalendarProperty::Summary, ICalendarProperty::Description];
    names.push(ICalendarProperty::Dtstart);
    if key == InstanceKey::Master {
        names.extend([ICalendarProperty::Rrule, ICalendarProperty::Rdate, ICalendarProperty::Exdate]);
    }
    names.retain(|name| wanted.has_property(name));
    if wanted.has_property(&ICalendarProperty::Dtstart) || ENDS.iter().any(|name| wanted.has_property(name)) {
        names.extend(ENDS);
    }
    for name in names {
        component.remove(&name);
        component.entries.extend(wanted.properties(&name).cloned());
    }
}

/// The organizer's object with somebody who answered without being invited (RFC 5546 §3.2.2.6).
///
/// Only their own ATTENDEE is taken, and of it the answer alone. Fails with `EventNotFound` when they answered for an
/// instance that there is not, with `SenderIsNotParticipant` when they do not answer for themselves.
pub fn admit(held: &CalendarObject, reply: &CalendarObject, crasher: &Address) -> Result<CalendarObject, Refusal> {
    let mut after = held.clone();
    for (key, answer) in reply.components() {
        let key = held.on_series_clock(key);
        let own = answer.attendees().find(|party| party.is(crasher));
        let own = own.ok_or_else(|| Refusal::SenderIsNotParticipant(crasher.clone()))?;
        let mut component = instance(held, key)?;
        if component.attendees().any(|party| party.is(crasher)) {
            continue;
        }
        let mut entry = plain_party(ICalendarProperty::Attendee, &format!("mailto:{crasher}"));
        if let Some(partstat) = own.partstat() {
            set_partstat(&mut entry, partstat.clone());
        }
        component.entries.push(entry);
        match after.get_mut(key) {
            Some(own) => own.entries = component.entries,
            None => after.insert(key, ICalendarComponent { component_ids: Vec::new(), ..component }),
        }
    }
    Ok(after)
}

/// The attendee's object with somebody else sent in their place; putting it tells both (RFC 5546 §3.2.2.3).
///
/// Fails with `UnknownParticipant` when nobody can be reached there, or it is the user themselves.
pub fn delegate(
    object: &CalendarObject,
    addresses: &[Address],
    delegate: &Address,
    (instance, comment): (Option<InstanceKey>, Option<String>),
) -> Result<CalendarObject, Refusal> {
    let is_organizer = object.organizer()?.is_some_and(|organizer| organizer == *delegate);
    if !delegate.is_mailable() || addresses.contains(delegate) || is_organizer {
        return Err(Refusal::UnknownParticipant(delegate.clone()));
    }
    let partstat = ICalendarParticipationStatus::Delegated;
    let mut after = respond(object, addresses, &Answer { partstat, instance, comment })?;
    let keys: Vec<InstanceKey> = instance.map_or_else(|| after.keys().collect(), |key| vec![key]);
    for key in keys {
        let Some(component) = after.get_mut(key).filter(|component| !component.is_cancelled()) else { continue };
        let attendees = component.entries.iter_mut().filter(|entry| entry.name == ICalendarProperty::Attendee);
        if let Some(own) = attendees.into_iter().find(|entry| Party(entry).is_among(addresses)) {
            let to = ICalendarParameterValue::Uri(Uri::Location(format!("mailto:{delegate}")));
            set_parameter(own, ICalendarParameterName::DelegatedTo, to);
        }
    }
    Ok(after)
}

/// Another time or place that an attendee would like better.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// The instance spoken of; the whole when there is none.
    pub instance: Option<InstanceKey>,
    pub start: Option<Moment>,
    /// Where only the start is given the length stays.
    pub end: Option<Moment>,
    pub location: Option<String>,
    pub comment: Option<String>,
}

/// The proposal that says a wish, for [`super::counter`]: one component, as held but for what is wished.
///
/// Fails with `EventNotFound` when there is no such instance, with `CannotModifyProperty` when a time is not of the kind that
/// the event has, or it would end before it starts, and with `NothingToSend` when nothing is wished.
pub fn wished(object: &CalendarObject, wish: &Wish) -> Result<CalendarObject, Refusal> {
    if wish.start.is_none() && wish.end.is_none() && wish.location.is_none() {
        return Err(Refusal::NothingToSend);
    }
    let key = wish.instance.unwrap_or(InstanceKey::Master);
    let mut component = instance(object, key)?;
    component.component_ids.clear();
    if wish.start.is_some() || wish.end.is_some() {
        recurrence::reschedule(&mut component, object.zones(), (wish.start, wish.end))?;
    }
    let texts = [(ICalendarProperty::Location, &wish.location), (ICalendarProperty::Comment, &wish.comment)];
    for (name, text) in texts {
        if let Some(text) = text {
            component.set(name, ICalendarValue::Text(text.clone()));
        }
    }
    let mut proposed = object.clone();
    let keys: Vec<InstanceKey> = proposed.keys().collect();
    keys.into_iter().for_each(|key| proposed.remove(key));
    proposed.insert(key, component);
    Ok(proposed)
}

#[cfg(test)]
mod tests {
    use calcard::icalendar::ICalendarEntry;

    use super::*;

    const MEETING: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:moor-7\r\nSEQUENCE:4\r\n\
        DTSTART;TZID=Europe/Berlin:20300601T080000\r\nDTEND;TZID=Europe/Berlin:20300601T090000\r\nSUMMARY:Walk\r\n\
        LOCATION:Moor\r\nRRULE:FREQ=DAILY;COUNT=3\r\nORGANIZER:mailto:ada@walks.example\r\n\
        ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bo@walks.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    fn held() -> CalendarObject {
        CalendarObject::parse(MEETING).expect("an object")
    }

    fn bo() -> [Address; 1] {
        [Address::parse("bo@walks.example")]
    }

    fn local(text: &str) -> Option<Moment> {
        crate::itip::time::parse_basic_format(text)
    }

    fn entry<'a>(object: &'a CalendarObject, name: &ICalendarProperty) -> Option<&'a ICalendarEntry> {
        object.principal().and_then(|component| component.property(name))
    }

    #[test]
    fn a_wish_keeps_the_zone_and_the_length_and_names_its_instance() {
        let second = held().on_series_clock(InstanceKey::This(local("20300602T080000").expect("a time")));
        let wish = Wish { instance: Some(second), start: local("20300602T100000"), ..Wish::default() };
        let text = wished(&held(), &wish).expect("a proposal").to_text();
        for line in [
            "RECURRENCE-ID;TZID=Europe/Berlin:20300602T080000",
            "DTSTART;TZID=Europe/Berlin:20300602T100000",
            "DTEND;TZID=Europe/Berlin:20300602T110000",
        ] {
            assert!(text.contains(line), "{text}");
        }
        assert!(!text.contains("RRULE"));
    }

    #[test]
    fn a_wish_of_nothing_of_another_kind_or_backwards_is_none() {
        let backwards = Wish { start: local("20300601T100000"), end: local("20300601T090000"), ..Wish::default() };
        let whole_day = Wish { start: local("20300601"), ..Wish::default() };
        assert_eq!(wished(&held(), &Wish::default()).err(), Some(Refusal::NothingToSend));
        assert_eq!(wished(&held(), &backwards).err(), Some(Refusal::CannotModifyProperty("DTEND".into())));
        assert_eq!(wished(&held(), &whole_day).err(), Some(Refusal::CannotModifyProperty("DTSTART".into())));
    }

    #[test]
    fn an_accepted_proposal_moves_the_event_and_adds_nobody() {
        let wish = Wish { start: local("20300601T100000"), location: Some("Inn".into()), ..Wish::default() };
        let text = wished(&held(), &wish).expect("a proposal").to_text();
        let with_guest =
            text.replace("END:VEVENT", "ATTENDEE:mailto:eve@evil.example\r\nSTATUS:CANCELLED\r\nEND:VEVENT");
        let proposed = CalendarObject::parse(&with_guest).expect("a proposal");
        let after = accept_counter(&held(), &proposed).expect("accepted").to_text();
        assert!(after.contains("DTSTART;TZID=Europe/Berlin:20300601T100000\r\n"), "{after}");
        assert!(after.contains("DTEND;TZID=Europe/Berlin:20300601T110000\r\n") && after.contains("LOCATION:Inn"));
        assert!(after.contains("RRULE:") && !after.contains("eve@") && !after.contains("STATUS:"), "{after}");
    }

    #[test]
    fn who_came_uninvited_is_admitted_with_their_own_answer_alone() {
        let reply = |who: &str| {
            let text = format!(
                "BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nUID:moor-7\r\nSUMMARY:Mine\r\n\
                 ATTENDEE;PARTSTAT=ACCEPTED;ROLE=CHAIR:mailto:{who}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
            );
            CalendarObject::parse(&text).expect("a reply")
        };
        let cy = Address::parse("cy@walks.example");
        let after = admit(&held(), &reply("cy@walks.example"), &cy).expect("admitted");
        let written = after.to_text();
        assert!(written.contains("ATTENDEE;PARTSTAT=ACCEPTED:mailto:cy@walks.example\r\n"), "{written}");
        assert_eq!(entry(&after, &ICalendarProperty::Summary), entry(&held(), &ICalendarProperty::Summary));
        assert!(admit(&held(), &reply("di@walks.example"), &cy).is_err());
    }

    #[test]
    fn a_delegate_is_named_and_can_be_neither_oneself_nor_the_organizer() {
        let cy = Address::parse("cy@walks.example");
        let after = delegate(&held(), &bo(), &cy, (None, None)).expect("delegated").to_text();
        let unfolded = after.replace("\r\n ", "");
        assert!(unfolded.contains("PARTSTAT=DELEGATED;DELEGATED-TO=\"mailto:cy@walks.example\""), "{unfolded}");
        for nobody in ["bo@walks.example", "ada@walks.example", "nowhere"] {
            assert!(delegate(&held(), &bo(), &Address::parse(nobody), (None, None)).is_err(), "{nobody}");
        }
    }
}
