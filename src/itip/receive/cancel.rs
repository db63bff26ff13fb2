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

use super::standing::organizer_as_sender;
use super::{Context, ItipMessage, Known, clean, nothing_new, sent_at};
use crate::itip::change::attendee_set;
use crate::itip::component::{ComponentExt, Party};
use crate::itip::decision::{Decision, Reason, Refusal, Verdict};
use crate::itip::instance::InstanceKey;
use crate::itip::object::CalendarObject;
use crate::itip::revision::{Revision, Revisions, Taken};

pub(super) fn receive(held: Known<'_>, message: ItipMessage, context: Context<'_>) -> Result<Decision, Refusal> {
    let organizer = organizer_as_sender(held, &message.object, context)?;
    let mut revisions = held.revisions.clone();
    let is_anothers = revisions.organizer.as_ref().is_some_and(|known| *known != organizer);
    revisions.organizer = Some(organizer);
    let mut object = message.object;
    clean(&mut object);
    let Some(stored) = held.object else {
        return if is_anothers { Err(Refusal::EventNotFound) } else { Ok(remember(&object, revisions, held)) };
    };
    let sent_at = sent_at(&object);
    let fresh: Vec<(InstanceKey, Revision, &ICalendarComponent)> = object
        .components()
        .map(|(key, component)| (key, revision(held, key, component, sent_at), component))
        .filter(|(key, revision, _)| !held.is_stale(*key, *revision))
        .collect();
    if fresh.is_empty() {
        return Err(Refusal::OutOfSequence);
    }
    let changed = fresh.iter().map(|(key, _, _)| *key).collect();
    let mut merged = stored.clone();
    merged.adopt_zones(&object);
    for (key, revision, component) in fresh {
        if held.revisions.has_cancelled(key, revision) {
            // This very message has been taken; marking again would undo what only the first time writes.
            continue;
        }
        let removes_others = is_about_others(component, context);
        let cancellation = Taken { revision, cancelled: !removes_others };
        revisions.take(key, revision, cancellation.cancelled);
        let swept = swept(&merged, held.revisions, (key, cancellation));
        match removes_others {
            true => uninvite(&mut merged, key, &swept, component),
            false => cancel(&mut merged, key, &swept, component),
        }
    }
    if merged == *stored {
        return Ok(nothing_new(held.revisions, revisions));
    }
    Ok(Decision {
        verdict: Verdict::Applied,
        reason: Reason::Cancelled,
        store: Some(merged),
        revisions: Some(revisions),
        changed,
        outgoing: Vec::new(),
    })
}

/// The revision of one component of a CANCEL.
///
/// RFC 5546 §3.2.5 wants a SEQUENCE; one that lacks it (some booking systems) makes no claim on the order, so it stands
/// where the instance stands, and DTSTAMP decides.
fn revision(held: Known<'_>, key: InstanceKey, component: &ICalendarComponent, sent_at: i64) -> Revision {
    let is_claimed = component.has_property(&ICalendarProperty::Sequence);
    let sequence = if is_claimed { component.sequence() } else { held.sequence(key) };
    Revision { sequence, dtstamp: sent_at }
}

/// Nothing is held; the order of messages alone is kept (RFC 5546 §5.2.1).
fn remember(message: &CalendarObject, mut revisions: Revisions, held: Known<'_>) -> Decision {
    let sent_at = sent_at(message);
    for (key, component) in message.components() {
        revisions.take(key, revision(held, key, component, sent_at), true);
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

/// The other instances that a CANCEL takes along: all, or the later ones, unless they are newer than it.
fn swept(object: &CalendarObject, revisions: &Revisions, (key, message): (InstanceKey, Taken)) -> Vec<InstanceKey> {
    if let InstanceKey::This(_) = key {
        return Vec::new();
    }
    object.keys().filter(|other| is_swept(*other, key) && !revisions.survives(*other, (key, message))).collect()
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

fn uninvite(object: &mut CalendarObject, key: InstanceKey, swept: &[InstanceKey], message: &ICalendarComponent) {
    let gone = attendee_set(message);
    for key in swept.iter().chain([&key]) {
        if let Some(component) = object.get_mut(*key) {
            component
                .entries
                .retain(|entry| entry.name != ICalendarProperty::Attendee || !gone.contains(&Party(entry).address()));
        }
    }
}

fn cancel(object: &mut CalendarObject, key: InstanceKey, swept: &[InstanceKey], message: &ICalendarComponent) {
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
        None => object.insert(key, cancelled_override(message)),
    }
    for other in swept {
        if let Some(component) = object.get_mut(*other) {
            mark(component, message);
        }
    }
}

/// An override that says of one instance that it does not take place.
fn cancelled_override(message: &ICalendarComponent) -> ICalendarComponent {
    let mut component = ICalendarComponent { component_ids: Vec::new(), ..message.clone() };
    // RFC 5545 §3.8.4.4: one instance does not recur, whatever the message repeats of the series.
    for name in [ICalendarProperty::Rrule, ICalendarProperty::Rdate, ICalendarProperty::Exdate] {
        component.remove(&name);
    }
    component.set_cancelled();
    component
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
