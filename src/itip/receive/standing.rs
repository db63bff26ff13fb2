//! Who may say what: the sender of the mail against the *stored* object (RFC 5546 §1.4, §6.1; RFC 6047 §2.2.1).
//!
//! | message | who has to be the sender |
//! |---|---|
//! | PUBLISH, REQUEST, ADD, CANCEL, DECLINECOUNTER | the stored ORGANIZER, or its stored SENT-BY |
//! | the same, and nothing is held | the ORGANIZER of the message, or its SENT-BY |
//! | REQUEST to a delegate, and nothing is held | the ATTENDEE who delegates; the user decides |
//! | REPLY, COUNTER, REFRESH | an ATTENDEE, their stored SENT-BY, or the delegate whom they name |

use calcard::icalendar::{ICalendarComponent, ICalendarParameterName};

use super::{Context, Known};
use crate::itip::address::Address;
use crate::itip::component::ComponentExt;
use crate::itip::decision::Refusal;
use crate::itip::object::CalendarObject;

/// The ORGANIZER of a message from an organizer, after checking that the sender is it.
///
/// Where an object is held its ORGANIZER counts, not the message's: whoever forges a message writes the message.
pub(super) fn organizer_as_sender(
    held: Known<'_>,
    message: &CalendarObject,
    context: Context<'_>,
) -> Result<Address, Refusal> {
    let claimed = message.organizer()?.ok_or(Refusal::NoSchedulingInfo)?;
    if context.author.addresses.contains(&claimed) {
        return Err(Refusal::OrganizerIsLocalAddress);
    }
    let organizer = match held.object {
        // What the user keeps without an organizer is nobody's to change by mail.
        Some(object) => object.organizer()?.ok_or(Refusal::OrganizerMismatch)?,
        None => claimed.clone(),
    };
    if !speaks_for_organizer(held.object.unwrap_or(message), &organizer, context.sender) {
        return Err(not_organizer(held, context.sender));
    }
    if organizer != claimed {
        return Err(Refusal::OrganizerMismatch);
    }
    Ok(claimed)
}

/// Whether the sender is the organizer, or the one whom the object names as acting for it (RFC 5545 §3.2.18).
fn speaks_for_organizer(object: &CalendarObject, organizer: &Address, sender: &Address) -> bool {
    let is_secretary = |component: &ICalendarComponent| {
        component.organizer().and_then(|party| party.sent_by()).is_some_and(|sent_by| sent_by == *sender)
    };
    sender == organizer || object.components().any(|(_, component)| is_secretary(component))
}

fn not_organizer(held: Known<'_>, sender: &Address) -> Refusal {
    let is_fellow = held.object.is_some_and(|object| object.has_attendee(std::slice::from_ref(sender)));
    if is_fellow { Refusal::NotOrganizer } else { Refusal::SenderIsNotOrganizerNorAttendee }
}

/// Whether a REQUEST says that its sender, an attendee, sends the user in their place (RFC 5546 §3.2.2.3).
pub(super) fn is_delegation(message: &CalendarObject, context: Context<'_>) -> bool {
    let (from, to) = (ICalendarParameterName::DelegatedFrom, ICalendarParameterName::DelegatedTo);
    message.components().any(|(_, component)| {
        let delegator = component.attendees().find(|party| party.is(context.sender));
        let delegate = component.attendee_among(context.author.addresses);
        delegator.zip(delegate).is_some_and(|(delegator, delegate)| {
            delegator.addresses(&to).any(|address| delegate.is(&address))
                || delegate.addresses(&from).any(|address| delegator.is(&address))
        })
    })
}

/// The held object of a message to its organizer, after checking that the user is the organizer.
pub(super) fn held_by_organizer<'a>(
    held: Known<'a>,
    message: &CalendarObject,
    context: Context<'_>,
) -> Result<&'a CalendarObject, Refusal> {
    let object = held.object.ok_or(Refusal::EventNotFound)?;
    let organizer = object.organizer()?.ok_or(Refusal::NoSchedulingInfo)?;
    if !context.author.addresses.contains(&organizer) {
        return Err(Refusal::NotOrganizer);
    }
    // Exchange and some others leave ORGANIZER out; the stored one counts then, by UID and attendee.
    match message.organizer()? {
        Some(claimed) if !context.author.addresses.contains(&claimed) => Err(Refusal::OrganizerMismatch),
        Some(_) | None => Ok(object),
    }
}

/// The attendee of any instance for whom the sender may speak.
pub(super) fn attendee_of_sender(stored: &CalendarObject, sender: &Address) -> Result<Address, Refusal> {
    if stored.has_attendee(std::slice::from_ref(sender)) || stored.components().any(|(_, c)| is_delegate(c, sender)) {
        return Ok(sender.clone());
    }
    let parties = || stored.components().flat_map(|(_, component)| component.attendees());
    let principal = parties().find(|party| party.sent_by().as_ref() == Some(sender));
    principal.map(|party| party.address()).ok_or_else(|| Refusal::UnknownParticipant(sender.clone()))
}

/// Whether the stored object itself says that `sender` acts for `attendee`.
///
/// SENT-BY in a reply alone proves nothing: whoever forges a reply writes it (RFC 6047 §2.2.1).
pub(super) fn is_named_secretary(stored: &CalendarObject, attendee: &Address, sender: &Address) -> bool {
    stored
        .components()
        .flat_map(|(_, component)| component.attendees())
        .any(|party| party.is(attendee) && party.sent_by().as_ref() == Some(sender))
}

/// Whether an attendee of any instance has delegated to `address`.
pub fn names_delegate(object: &CalendarObject, address: &Address) -> bool {
    object.components().any(|(_, component)| is_delegate(component, address))
}

/// Whether an attendee of a stored instance has delegated to `address`.
pub(super) fn is_delegate(component: &ICalendarComponent, address: &Address) -> bool {
    delegator_of(component, address).is_some()
}

/// The attendee of a stored instance who has delegated to `address`.
pub(super) fn delegator_of(component: &ICalendarComponent, address: &Address) -> Option<Address> {
    let to = ICalendarParameterName::DelegatedTo;
    component
        .attendees()
        .find(|party| party.addresses(&to).any(|delegate| delegate == *address))
        .map(|party| party.address())
}
