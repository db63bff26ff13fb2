//! CANCEL: the organizer calls something off (RFC 5546 §3.2.5).
//!
//! | held | the message names | what happens |
//! |---|---|---|
//! | nothing | anything | remembered, so that its REQUEST, arriving late, is stale |
//! | an object | the master | every instance is marked as cancelled |
//! | an object | an instance with an override | the override is marked as cancelled |
//! | an object | an instance without one | a cancelled override is made from the message |
//! | an object | an instance and all that follow | the same, and the later overrides are marked too |
//! | an object | only other attendees, without STATUS | those attendees are taken off; it goes on for the user |

use calcard::icalendar::{ICalendarComponent, ICalendarEntry, ICalendarProperty};

use super::{Context, Held, ItipMessage, nothing_new, organizer_as_sender};
use crate::itip::change::attendee_set;
use crate::itip::component::{ComponentExt, Party};
use crate::itip::decision::{Decision, Reason, Refusal, Verdict};
use crate::itip::instance::InstanceKey;
use crate::itip::object::CalendarObject;
use crate::itip::revision::Revisions;

pub(super) fn receive(held: Held<'_>, message: ItipMessage, context: Context<'_>) -> Result<Decision, Refusal> {
    let organizer = organizer_as_sender(held, &message.object, context)?;
    let mut revisions = held.revisions.clone();
    let Some(stored) = held.object else {
        if revisions.organizer.as_ref().is_some_and(|known| *known != organizer) {
            return Err(Refusal::EventNotFound);
        }
        revisions.organizer = Some(organizer);
        return Ok(remember(&message.object, revisions, held));
    };
    revisions.organizer = Some(organizer);
    let fresh: Vec<(InstanceKey, &ICalendarComponent)> = message
        .object
        .components()
        .filter(|(key, component)| !held.revisions.is_stale(*key, component.revision()))
        .collect();
    if fresh.is_empty() {
        return Err(Refusal::OutOfSequence);
    }
    let mut merged = stored.clone();
    merged.adopt_zones(&message.object);
    for (key, component) in fresh {
        if held.revisions.has_cancelled(key, component.revision()) {
            // This very message has been taken; marking again would undo what only the first time writes.
            continue;
        }
        let removes_others = is_about_others(component, context);
        revisions.take(key, component.revision(), !removes_others);
        if removes_others {
            uninvite(&mut merged, key, component);
        } else {
            cancel(&mut merged, key, component, held.revisions);
        }
    }
    if merged == *stored {
        return Ok(nothing_new(held, revisions));
    }
    Ok(Decision {
        verdict: Verdict::Applied,
        reason: Reason::Cancelled,
        store: Some(merged),
        revisions: Some(revisions),
        changed: message.object.keys().collect(),
        outgoing: Vec::new(),
    })
}

/// Nothing is held; the order of messages alone is kept (RFC 5546 §5.2.1).
fn remember(message: &CalendarObject, mut revisions: Revisions, held: Held<'_>) -> Decision {
    for (key, component) in message.components() {
        revisions.take(key, component.revision(), true);
    }
    if revisions == *held.revisions {
        return Decision::unchanged(Reason::NothingNew);
    }
    Decision { revisions: Some(revisions), ..Decision::unchanged(Reason::CancelRemembered) }
}

/// Whether a component only takes other attendees off something that goes on.
///
/// RFC 5546 §3.2.5: STATUS:CANCELLED cancels for all; without it the ATTENDEEs listed are those removed.
fn is_about_others(component: &ICalendarComponent, context: Context<'_>) -> bool {
    !component.is_cancelled()
        && component.attendees().next().is_some()
        && component.attendee_among(context.author.addresses).is_none()
}

fn uninvite(object: &mut CalendarObject, key: InstanceKey, message: &ICalendarComponent) {
    let gone = attendee_set(message);
    if let Some(component) = object.get_mut(key) {
        component
            .entries
            .retain(|entry| entry.name != ICalendarProperty::Attendee || !gone.contains(&Party(entry).address()));
    }
}

fn cancel(object: &mut CalendarObject, key: InstanceKey, message: &ICalendarComponent, revisions: &Revisions) {
    match object.get_mut(key) {
        Some(component) => {
            mark(component, message);
            // The reference scenario: what a CANCEL names has no SEQUENCE afterwards; its order is kept in Revisions.
            component.remove(&ICalendarProperty::Sequence);
            if let Some(stamp) = message.property(&ICalendarProperty::Dtstamp) {
                component.remove(&ICalendarProperty::Dtstamp);
                component.entries.push(stamp.clone());
            }
        }
        None if key == InstanceKey::Master => {}
        None => {
            let mut component = ICalendarComponent { component_ids: Vec::new(), ..message.clone() };
            component.set_cancelled();
            object.insert(key, component);
        }
    }
    let swept: Vec<InstanceKey> = object
        .keys()
        .filter(|other| is_swept(*other, key) && !revisions.survives(*other, message.revision()))
        .collect();
    for other in swept {
        if let Some(component) = object.get_mut(other) {
            mark(component, message);
        }
    }
}

/// Whether a CANCEL of `named` takes `other` along.
fn is_swept(other: InstanceKey, named: InstanceKey) -> bool {
    if other == named {
        return false;
    }
    match named {
        InstanceKey::Master => true,
        InstanceKey::This(_) => false,
        InstanceKey::ThisAndFuture(from) => other.moment().is_some_and(|moment| moment >= from),
    }
}

/// STATUS:CANCELLED, with ORGANIZER and ATTENDEE as in the message.
fn mark(component: &mut ICalendarComponent, message: &ICalendarComponent) {
    let is_party =
        |entry: &ICalendarEntry| matches!(entry.name, ICalendarProperty::Organizer | ICalendarProperty::Attendee);
    component.set_cancelled();
    // A CANCEL of a published event names nobody (RFC 5546 §4.1.3); then who takes part stays as it was.
    if message.attendees().next().is_none() {
        return;
    }
    component.entries.retain(|entry| !is_party(entry));
    component.entries.extend(message.entries.iter().filter(|entry| is_party(entry)).cloned());
}
