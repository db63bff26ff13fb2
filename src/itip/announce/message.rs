//! The components of outgoing messages.

use std::collections::BTreeSet;

use calcard::icalendar::{
    ICalendarComponent, ICalendarEntry, ICalendarMethod, ICalendarParameter, ICalendarParameterName,
    ICalendarParameterValue, ICalendarParticipationStatus, ICalendarProperty,
};

use super::Author;
use crate::itip::address::Address;
use crate::itip::component::{ComponentExt, Party, plain_party, strip_schedule_parameters};
use crate::itip::decision::Outgoing;
use crate::itip::instance::InstanceKey;
use crate::itip::method::Method;
use crate::itip::object::{CalendarObject, Kind};
use crate::itip::revision::Sequence;
use crate::itip::summary::{Occasion, Participants, Summary};

/// The REQUEST with all that attendees take part in, as it goes to somebody who asked for it (RFC 5546 §3.2.6).
pub fn full_request(object: &CalendarObject, to: Vec<Address>, author: Author<'_>) -> Option<Outgoing> {
    let principal = object.principal()?;
    let summary = Summary::new(Occasion::Update(Method::Request), principal, object.zones(), Participants::Shown);
    let from = organizer_address(object)?;
    Some(Outgoing { from, to, method: Method::Request, summary, object: all_attended(object, author) })
}

/// The organizer's address as the object spells it: answers must come back to the address that was invited from.
pub fn organizer_address(object: &CalendarObject) -> Option<Address> {
    object.components().find_map(|(_, component)| component.organizer()).map(Party::address)
}

/// A REQUEST that holds every component with attendees.
pub fn all_attended(object: &CalendarObject, author: Author<'_>) -> CalendarObject {
    let attended = object.components().filter(|(_, component)| component.attendees().next().is_some());
    let components = attended.map(|(key, component)| (key, invitation(component, author.now)));
    partial(object, Method::Request, components, author)
}

/// A component as it stands in a REQUEST or ADD.
///
/// Alarms are the sender's own, REQUEST-STATUS is not allowed (RFC 5546 §3.2.2), SCHEDULE parameters do not leave
/// (RFC 6638 §7), and whoever has not answered is marked as asked.
pub fn invitation(component: &ICalendarComponent, now: i64) -> ICalendarComponent {
    // A DTSTAMP may be added to what there is.
    let mut entries = Vec::with_capacity(component.entries.len() + 1);
    for entry in component.entries.iter().filter(|entry| entry.name != ICalendarProperty::RequestStatus) {
        let mut entry = entry.clone();
        strip_schedule_parameters(&mut entry);
        if entry.name == ICalendarProperty::Attendee {
            ask(&mut entry);
        }
        entries.push(entry);
    }
    let component_type = component.component_type.clone();
    let mut invitation = ICalendarComponent { component_type, entries, component_ids: Vec::new() };
    invitation.set_dtstamp(now);
    invitation
}

/// Appends PARTSTAT=NEEDS-ACTION where there is no PARTSTAT and an answer is not waived.
fn ask(entry: &mut ICalendarEntry) {
    let party = Party(entry);
    if entry.has_parameter(&ICalendarParameterName::Partstat) || party.waives_rsvp() {
        return;
    }
    entry.params.push(ICalendarParameter {
        name: ICalendarParameterName::Partstat,
        value: ICalendarParameterValue::Partstat(ICalendarParticipationStatus::NeedsAction),
    });
}

/// The properties that a message about a part of an object repeats, beside those that scheduling needs.
fn is_repeated(name: &ICalendarProperty) -> bool {
    matches!(
        name,
        ICalendarProperty::Uid
            | ICalendarProperty::RecurrenceId
            | ICalendarProperty::Organizer
            | ICalendarProperty::Summary
            | ICalendarProperty::Description
            | ICalendarProperty::Dtstart
            | ICalendarProperty::Dtend
            | ICalendarProperty::Due
            | ICalendarProperty::Duration
    )
}

/// A component reduced to what identifies and describes it, with the attendees that `keep` picks.
fn reduced(
    component: &ICalendarComponent,
    is_repeated: impl Fn(&ICalendarProperty) -> bool,
    keep: impl Fn(Party<'_>) -> bool,
) -> ICalendarComponent {
    let entries = component.entries.iter().filter(|entry| match entry.name {
        ICalendarProperty::Attendee => keep(Party(entry)),
        _ => is_repeated(&entry.name),
    });
    let mut reduced = ICalendarComponent {
        component_type: component.component_type.clone(),
        entries: entries.cloned().collect(),
        component_ids: Vec::new(),
    };
    reduced.entries.iter_mut().for_each(strip_schedule_parameters);
    reduced
}

/// A component as it stands in a CANCEL, with the attendees that `keep` picks (RFC 5546 §3.2.5).
///
// unclear: RFC 5546 §3.2.5 leaves STATUS out when attendees are removed from something that goes on for others;
// receivers in the field look for STATUS:CANCELLED only, and the message goes to nobody else.
pub fn cancellation(
    component: &ICalendarComponent,
    sequence: Sequence,
    now: i64,
    keep: impl Fn(Party<'_>) -> bool,
) -> ICalendarComponent {
    let with_location = |name: &ICalendarProperty| is_repeated(name) || *name == ICalendarProperty::Location;
    let mut cancellation = reduced(component, with_location, keep);
    cancellation.set_cancelled();
    cancellation.set_dtstamp(now);
    cancellation.set_sequence(sequence);
    cancellation
}

/// A component as it stands in a REPLY, with `attendee` as the one ATTENDEE (RFC 5546 §3.2.3).
pub fn answer(component: &ICalendarComponent, attendee: ICalendarEntry, now: i64) -> ICalendarComponent {
    let with_comment = |name: &ICalendarProperty| is_repeated(name) || *name == ICalendarProperty::Comment;
    let mut answer = reduced(component, with_comment, |_| false);
    answer.entries.push(attendee);
    answer.set_dtstamp(now);
    answer.set_sequence(component.sequence());
    answer
}

/// A component as an attendee proposes it, in a COUNTER (RFC 5546 §3.2.7).
///
/// All that the proposal says, COMMENT included; but what identifies the object is as held: who organizes it, and the SEQUENCE
/// that is countered. The proposer stands among the attendees, since SENT-BY and lists hide who wrote the mail.
pub fn proposal(
    wanted: &ICalendarComponent,
    held: &ICalendarComponent,
    own: Party<'_>,
    author: Author<'_>,
) -> ICalendarComponent {
    let is_kept = |entry: &&ICalendarEntry| {
        !matches!(entry.name, ICalendarProperty::Organizer | ICalendarProperty::RequestStatus)
    };
    let mut proposal = ICalendarComponent {
        component_type: wanted.component_type.clone(),
        entries: wanted.entries.iter().filter(is_kept).cloned().collect(),
        component_ids: Vec::new(),
    };
    proposal.entries.extend(held.organizer().map(|organizer| organizer.0.clone()));
    if proposal.attendee_among(author.addresses).is_none() {
        proposal.entries.push(own.0.clone());
    }
    proposal.entries.iter_mut().for_each(strip_schedule_parameters);
    proposal.set_dtstamp(author.now);
    proposal.set_sequence(held.sequence());
    proposal
}

/// A component as it stands in a DECLINECOUNTER, with all attendees (RFC 5546 §3.2.8).
pub fn refused_proposal(component: &ICalendarComponent, now: i64) -> ICalendarComponent {
    let with_location = |name: &ICalendarProperty| is_repeated(name) || *name == ICalendarProperty::Location;
    let mut refused = reduced(component, with_location, |_| true);
    refused.set_dtstamp(now);
    refused.set_sequence(component.sequence());
    refused
}

/// A component as it stands in a REFRESH: what identifies it, and who asks (RFC 5546 §3.2.6).
///
// unclear: RFC 5546 §3.4.6 forbids ORGANIZER in the REFRESH of a VTODO, and §3.2.6 requires it for a VEVENT; we follow both,
// because whoever is asked knows that they organize it.
pub fn question(component: &ICalendarComponent, asker: &Address, now: i64) -> ICalendarComponent {
    let is_needed = |name: &ICalendarProperty| match name {
        ICalendarProperty::Uid | ICalendarProperty::RecurrenceId => true,
        ICalendarProperty::Organizer => Kind::of(component) != Some(Kind::Todo),
        _ => false,
    };
    let mut question = reduced(component, is_needed, |_| false);
    question.entries.push(plain_party(ICalendarProperty::Attendee, &format!("mailto:{asker}")));
    question.set_dtstamp(now);
    question
}

/// A message about some instances; every component names the organizer (RFC 5546 §3.2.2).
pub fn partial(
    object: &CalendarObject,
    method: Method,
    components: impl IntoIterator<Item = (InstanceKey, ICalendarComponent)>,
    author: Author<'_>,
) -> CalendarObject {
    let mut message = object.envelope(icalendar_method(method), author.prodid);
    let organizer = || {
        let mut organizer = object.components().find_map(|(_, component)| component.organizer())?.0.clone();
        strip_schedule_parameters(&mut organizer);
        Some(organizer)
    };
    for (key, mut component) in components {
        if component.organizer().is_none() {
            component.entries.extend(organizer());
        }
        message.insert(key, component);
    }
    message.adopt_used_zones(object);
    message
}

fn icalendar_method(method: Method) -> ICalendarMethod {
    match method {
        Method::Publish => ICalendarMethod::Publish,
        Method::Request => ICalendarMethod::Request,
        Method::Reply => ICalendarMethod::Reply,
        Method::Add => ICalendarMethod::Add,
        Method::Cancel => ICalendarMethod::Cancel,
        Method::Refresh => ICalendarMethod::Refresh,
        Method::Counter => ICalendarMethod::Counter,
        Method::DeclineCounter => ICalendarMethod::Declinecounter,
    }
}

/// The addresses in order, none twice.
pub fn sorted(addresses: BTreeSet<Address>) -> Vec<Address> {
    addresses.into_iter().collect()
}
