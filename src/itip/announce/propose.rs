//! What a user says about an object without changing it: COUNTER, DECLINECOUNTER, REFRESH and PUBLISH.
//!
//! | the user is | and | is sent |
//! |---|---|---|
//! | an ATTENDEE | proposes another time, place or guest | COUNTER to the organizer: the whole proposal, SEQUENCE as held |
//! | ORGANIZER | refuses a proposal | DECLINECOUNTER to the proposer: SEQUENCE as held; nobody's answer changes |
//! | an ATTENDEE | has lost track | REFRESH to the organizer: which object, who asks, and nothing else |
//! | ORGANIZER | makes it known to others | PUBLISH to them: without ATTENDEE |
//! | an ATTENDEE | refuses a proposal, or publishes | nothing: `NotOrganizer` |
//! | ORGANIZER | proposes to themselves, or asks themselves | nothing: `OrganizerIsLocalAddress` |
//! | anybody else | | nothing: `NotOrganizerNorAttendee` |
//!
//! A proposal changes nothing until the organizer changes the object, so nothing is stored here.

use std::collections::BTreeSet;

use calcard::icalendar::{ICalendarComponent, ICalendarParameterName, ICalendarProperty};

use super::message::{invitation, organizer_address, partial, proposal, question, refused_proposal, sorted};
use super::{Author, Role, is_ours, role};
use crate::itip::address::Address;
use crate::itip::component::{ComponentExt, Party};
use crate::itip::decision::{Outgoing, Refusal};
use crate::itip::instance::InstanceKey;
use crate::itip::method::Method;
use crate::itip::object::CalendarObject;
use crate::itip::recurrence;
use crate::itip::summary::{Occasion, Participants, Summary};

/// The COUNTER by which an attendee proposes another version of what they hold.
///
/// `proposed` is one component: the master, or one instance that the object has. Fails with `CannotModifyProperty` when
/// it names another organizer or leaves out when it starts.
///
/// RFC 5546 §3.2.7, §3.4.7.
pub fn counter(object: &CalendarObject, proposed: &CalendarObject, author: Author<'_>) -> Result<Outgoing, Refusal> {
    let organizer = organizer_of_attendee(object, author)?;
    let (key, wanted) = sole_component(object, proposed)?;
    let held = instance(object, key)?;
    let own = held.attendee_among(author.addresses).ok_or(Refusal::NotOrganizerNorAttendee)?;
    if wanted.organizer().is_some_and(|named| !named.is(&organizer)) {
        return Err(Refusal::CannotModifyProperty("ORGANIZER".to_owned()));
    }
    // An event has to say when; a to-do need not (RFC 5545 §3.6.2).
    let has_start = |component: &ICalendarComponent| component.has_property(&ICalendarProperty::Dtstart);
    if has_start(&held) && !has_start(wanted) {
        return Err(Refusal::CannotModifyProperty("DTSTART".to_owned()));
    }
    let component = proposal(wanted, &held, own, author);
    let occasion = Occasion::Update(Method::Counter);
    let summary = Summary::of_update(occasion, (&component, proposed.zones()), (&held, object.zones()));
    let mut message = partial(proposed, Method::Counter, [(key, component)], author);
    // Whoever proposes a time in a zone of the invitation need not define it anew.
    message.adopt_used_zones(object);
    Ok(Outgoing { from: own.address(), to: vec![organizer], method: Method::Counter, summary, object: message })
}

/// The one component of a proposal (RFC 5546 §3.2.7: exactly one), which has to be about `object`.
fn sole_component<'a>(
    object: &CalendarObject,
    proposed: &'a CalendarObject,
) -> Result<(InstanceKey, &'a ICalendarComponent), Refusal> {
    if proposed.uid() != object.uid() {
        return Err(Refusal::EventNotFound);
    }
    if proposed.kind() != object.kind() {
        return Err(Refusal::MultipleObjectTypes);
    }
    let mut components = proposed.components();
    match (components.next(), components.next()) {
        (Some(single), None) => Ok(single),
        _ => Err(Refusal::MultipleObjectInstances),
    }
}

/// The DECLINECOUNTER by which the organizer refuses what `proposer` has proposed for an instance.
///
/// Fails with `UnknownParticipant` when nobody of that address could have proposed anything, and with `EventNotFound`
/// when there is no such instance.
///
/// RFC 5546 §3.2.8, §3.4.8.
pub fn decline_counter(
    object: &CalendarObject,
    proposer: &Address,
    key: InstanceKey,
    author: Author<'_>,
) -> Result<Outgoing, Refusal> {
    let organizer = own_address_of_organizer(object, author)?;
    is_ours(object)?;
    let component = instance(object, key)?;
    if author.addresses.contains(proposer) || !component.attendees().any(|party| may_propose(party, proposer)) {
        return Err(Refusal::UnknownParticipant(proposer.clone()));
    }
    let occasion = Occasion::Update(Method::DeclineCounter);
    let summary = Summary::new(occasion, &component, object.zones(), Participants::Shown);
    let refused = refused_proposal(&component, author.now);
    let message = partial(object, Method::DeclineCounter, [(key, refused)], author);
    let (to, method) = (vec![proposer.clone()], Method::DeclineCounter);
    Ok(Outgoing { from: organizer, to, method, summary, object: message })
}

/// Whether a COUNTER of `address` would have been taken: from the attendee, their secretary, or whom they sent instead.
fn may_propose(party: Party<'_>, address: &Address) -> bool {
    let delegates = ICalendarParameterName::DelegatedTo;
    party.is(address)
        || party.sent_by().as_ref() == Some(address)
        || party.addresses(&delegates).any(|delegate| delegate == *address)
}

/// The REFRESH by which an attendee asks the organizer for the current version.
///
/// Who holds a single instance and no series asks for that instance alone.
///
/// RFC 5546 §3.2.6, §3.4.6.
pub fn refresh(object: &CalendarObject, author: Author<'_>) -> Result<Outgoing, Refusal> {
    let organizer = organizer_of_attendee(object, author)?;
    let asking = |component: &ICalendarComponent| component.attendee_among(author.addresses).map(Party::address);
    let asker = object.components().find_map(|(_, component)| asking(component));
    let from = asker.ok_or(Refusal::NotOrganizerNorAttendee)?;
    let (first, principal) = object.components().next().ok_or(Refusal::EventNotFound)?;
    // One component, whatever is held: about the one instance, or about all there is.
    let key = if object.keys().count() == 1 { first } else { InstanceKey::Master };
    let mut question = question(principal, &from, author.now);
    if key == InstanceKey::Master {
        question.remove(&ICalendarProperty::RecurrenceId);
    }
    let occasion = Occasion::Update(Method::Refresh);
    let summary = Summary::new(occasion, principal, object.zones(), Participants::Hidden);
    let mut message = object.envelope(calcard::icalendar::ICalendarMethod::Refresh, author.prodid);
    message.insert(key, question);
    message.adopt_used_zones(object);
    Ok(Outgoing { from, to: vec![organizer], method: Method::Refresh, summary, object: message })
}

/// The PUBLISH by which the organizer makes an object known to people who are not asked.
///
/// RFC 5546 §3.2.1, §3.4.1, §3.5.1: ATTENDEE must not be there, so who takes part stays between those who do.
pub fn publish(object: &CalendarObject, to: &[Address], author: Author<'_>) -> Result<Outgoing, Refusal> {
    let from = own_address_of_organizer(object, author)?;
    let to: BTreeSet<Address> = to.iter().filter(|address| !author.addresses.contains(address)).cloned().collect();
    if to.is_empty() {
        return Err(Refusal::NothingToSend);
    }
    let published = |component: &ICalendarComponent| {
        let mut published = invitation(component, author.now);
        published.remove(&ICalendarProperty::Attendee);
        published
    };
    let components = object.components().map(|(key, component)| (key, published(component)));
    let message = partial(object, Method::Publish, components, author);
    let principal = message.principal().ok_or(Refusal::EventNotFound)?;
    let occasion = Occasion::Update(Method::Publish);
    let summary = Summary::new(occasion, principal, message.zones(), Participants::Shown);
    Ok(Outgoing { from, to: sorted(to), method: Method::Publish, summary, object: message })
}

/// Whom an attendee writes to.
fn organizer_of_attendee(object: &CalendarObject, author: Author<'_>) -> Result<Address, Refusal> {
    match role(None, object, author.addresses)? {
        Role::Organizer => return Err(Refusal::OrganizerIsLocalAddress),
        Role::Attendee => {}
    }
    is_ours(object)?;
    organizer_address(object).ok_or(Refusal::NoSchedulingInfo)
}

/// The address by which the user organizes an object.
fn own_address_of_organizer(object: &CalendarObject, author: Author<'_>) -> Result<Address, Refusal> {
    match role(None, object, author.addresses)? {
        Role::Organizer => organizer_address(object).ok_or(Refusal::NoSchedulingInfo),
        Role::Attendee => Err(Refusal::NotOrganizer),
    }
}

/// An instance as it stands, with a component of its own or as the series has it.
pub(super) fn instance(object: &CalendarObject, key: InstanceKey) -> Result<ICalendarComponent, Refusal> {
    let held = object.get(key).cloned();
    held.or_else(|| recurrence::instance_of(object, key)).ok_or(Refusal::EventNotFound)
}
