//! What the user's own client has sent: the stored copy follows, and nothing is owed for it.
//!
//! | the user sent | and is | what happens |
//! |---|---|---|
//! | REQUEST | its organizer | created, or changed as the message says; the answers of the attendees stay |
//! | REQUEST | its organizer, with an older revision | out of sequence |
//! | REQUEST | somebody else | refused: what an attendee forwards or delegates changes nothing here |
//! | CANCEL | its organizer | cancelled, or the attendees whom it names are taken off |
//! | REPLY | an attendee | the own answer, for the instances named |
//! | REPLY | an attendee, to a revision that has been replaced | nothing: the organizer awaits a new answer |
//! | ADD, COUNTER, DECLINECOUNTER, REFRESH, PUBLISH | anything | nothing is stored |
//!
//! Who sent the mail is not asked here: whoever calls this knows that the user did.

use std::borrow::Cow;
use std::collections::BTreeSet;

use calcard::icalendar::{ICalendarComponent, ICalendarEntry, ICalendarProperty};

use super::own::is_own;
use super::request::{Incoming, is_same_object, put_component};
use super::{Context, Held, ItipMessage, Known, Policy, cancel, clean, is_scheduled, nothing_new};
use crate::itip::address::Address;
use crate::itip::announce::{self, Answer, Author};
use crate::itip::change::{Difference, attendee_set, is_rescheduled};
use crate::itip::component::{ComponentExt, Party, set_partstat};
use crate::itip::decision::{Decision, Reason, Refusal, Verdict};
use crate::itip::instance::InstanceKey;
use crate::itip::limits;
use crate::itip::method::Method;
use crate::itip::object::CalendarObject;
use crate::itip::recurrence;
use crate::itip::revision::{Revision, Revisions};
use crate::itip::zone::Zones;

/// Decides what a message does that the user's own client has sent; `outgoing` is always empty.
pub fn sent(held: Held<'_>, message: ItipMessage, author: Author<'_>) -> Decision {
    let outcome = check(held.known(), &message).and_then(|()| match message.method {
        Method::Request => request(held, message.object, author),
        Method::Cancel => cancel(held.known(), message, author),
        Method::Reply => reply(held.known(), &message.object, author),
        Method::Add | Method::Counter | Method::DeclineCounter | Method::Refresh | Method::Publish => {
            Ok(Decision::unchanged(Reason::SentByClient))
        }
    });
    outcome.unwrap_or_else(Decision::refused)
}

fn check(held: Known<'_>, message: &ItipMessage) -> Result<(), Refusal> {
    if !is_scheduled(message.object.kind(), message.method) {
        return Err(Refusal::InvalidComponentType);
    }
    if message.object.keys().count() > limits::INSTANCES_ASKED_MAX {
        return Err(Refusal::EventTooLarge);
    }
    match held.object.is_some_and(|object| object.kind() != message.object.kind()) {
        true => Err(Refusal::MultipleObjectTypes),
        false => Ok(()),
    }
}

/// The organizer of a message, who has to be the user, here as in what is held.
fn own_organizer(held: Known<'_>, message: &CalendarObject, author: Author<'_>) -> Result<Address, Refusal> {
    let organizer = message.organizer()?.ok_or(Refusal::NoSchedulingInfo)?;
    if !author.addresses.contains(&organizer) {
        return Err(Refusal::NotOrganizer);
    }
    match held.object.map(CalendarObject::organizer).transpose()?.flatten() {
        Some(stored) if stored != organizer => Err(Refusal::OrganizerMismatch),
        Some(_) | None => Ok(organizer),
    }
}

fn request(held: Held<'_>, mut object: CalendarObject, author: Author<'_>) -> Result<Decision, Refusal> {
    let organizer = own_organizer(held.known(), &object, author)?;
    clean(&mut object);
    let incoming = Incoming::new(object);
    let fresh = fresh(&incoming, held.known());
    if fresh.is_empty() {
        return Err(Refusal::OutOfSequence);
    }
    let changed: Vec<InstanceKey> = fresh.iter().map(|(key, _)| *key).collect();
    let stored = held.object.as_deref();
    let merged = match stored {
        Some(stored) => merged(stored, incoming, (&fresh, held.revisions)),
        None => incoming.object,
    };
    let announcement = announce::put(stored, merged, held.revisions, author);
    let mut object = announcement.store.ok_or(Refusal::NothingToSend)?;
    let mut revisions = announcement.revisions;
    revisions.organizer = Some(organizer);
    adopt_order(&mut object, &mut revisions, &fresh);
    if stored.is_some_and(|stored| is_same_object(stored, &object)) {
        return Ok(nothing_new(held.revisions, revisions));
    }
    Ok(followed(object, revisions, changed))
}

/// The instances that a message speaks of and is not late for.
///
/// A SEQUENCE below the stored one is late, unless the message says what is stored: the gateway counts up when the user's client has
/// stored a meeting, and the client's own mail has the lower number then.
fn fresh(incoming: &Incoming, held: Known<'_>) -> Vec<(InstanceKey, Revision)> {
    let says_the_same = |key, component| {
        let stored = held.object.and_then(|object| Some((object.get(key)?, object.zones())));
        stored.is_some_and(|stored| !Difference::between(stored, (component, incoming.object.zones())).is_announced())
    };
    let below_stored = |key, revision: Revision| {
        held.object.and_then(|object| object.get(key)).is_some_and(|stored| revision.sequence < stored.sequence())
    };
    incoming
        .object
        .components()
        .map(|(key, component)| (key, incoming.revision(component), component))
        .filter(|(key, revision, _)| !held.revisions.is_stale(*key, *revision))
        .filter(|(key, revision, component)| !below_stored(*key, *revision) || says_the_same(*key, component))
        .map(|(key, revision, _)| (key, revision))
        .collect()
}

/// What is stored with what the message says in its place.
fn merged(
    stored: &CalendarObject,
    mut incoming: Incoming,
    (fresh, known): (&[(InstanceKey, Revision)], &Revisions),
) -> CalendarObject {
    let mut merged = stored.clone();
    let is_full = fresh.iter().any(|(key, _)| *key == InstanceKey::Master);
    if is_full {
        for key in outdated(stored, &incoming, known) {
            merged.remove(key);
        }
    }
    let zones = incoming.object.zones().clone();
    for (key, _) in fresh.iter().rev() {
        let Some(mut component) = incoming.object.take(*key) else { continue };
        if let Some(held) = stored.get(*key).or(stored.master()) {
            keep_answers((held, stored.zones()), (&mut component, &zones));
        }
        if let Some(held) = stored.get(*key) {
            keep_own(held, &mut component);
        }
        put_component(&mut merged, *key, component);
    }
    match is_full {
        true => merged.replace_zones(&incoming.object),
        false => merged.adopt_zones(&incoming.object),
    }
    merged
}

/// The stored overrides that a full message leaves out and that hold more than an attendee's answer to the series.
fn outdated(stored: &CalendarObject, incoming: &Incoming, known: &Revisions) -> Vec<InstanceKey> {
    let Some(full) = incoming.full() else { return Vec::new() };
    let holds_answers_alone = |key| {
        let instance = recurrence::instance_of(&incoming.object, key);
        let pair = stored.get(key).zip(instance.as_ref());
        pair.is_some_and(|(held, instance)| {
            !Difference::between((instance, incoming.object.zones()), (held, stored.zones())).is_announced()
        })
    };
    let is_left_out = |key: &InstanceKey| *key != InstanceKey::Master && incoming.object.get(*key).is_none();
    let is_older = |key: &InstanceKey| !known.survives(*key, (InstanceKey::Master, full));
    stored.keys().filter(is_left_out).filter(is_older).filter(|key| !holds_answers_alone(*key)).collect()
}

/// The answers that have come in are newer than what the client knew of them; at another time they count no more.
fn keep_answers(held: (&ICalendarComponent, &Zones), (incoming, zones): (&mut ICalendarComponent, &Zones)) {
    if is_rescheduled(held, (incoming, zones)) {
        return;
    }
    for entry in incoming.entries.iter_mut().filter(|entry| entry.name == ICalendarProperty::Attendee) {
        let known = held.0.attendee_among(&[Party(entry).address()]).filter(|party| party.has_answered());
        if let Some(partstat) = known.and_then(Party::partstat).filter(|is| Party(entry).partstat() != Some(is)) {
            set_partstat(entry, partstat.clone());
        }
    }
}

/// What is the organizer's own, and no mail brings.
fn keep_own(held: &ICalendarComponent, incoming: &mut ICalendarComponent) {
    let brought: BTreeSet<ICalendarProperty> = incoming.entries.iter().map(|entry| entry.name.clone()).collect();
    let is_missing = |entry: &&ICalendarEntry| is_own(&entry.name) && !brought.contains(&entry.name);
    incoming.entries.extend(held.entries.iter().filter(is_missing).cloned());
}

/// The order is that of the mail, since the attendees know no other: they answer to the SEQUENCE that they got.
fn adopt_order(object: &mut CalendarObject, revisions: &mut Revisions, fresh: &[(InstanceKey, Revision)]) {
    for &(key, revision) in fresh {
        let Some(component) = object.get_mut(key) else { continue };
        if component.sequence() != revision.sequence {
            component.set_sequence(revision.sequence);
        }
        revisions.take(key, revision, component.is_cancelled());
        if let Some(since) = revisions.rescheduled.get_mut(&key) {
            *since = revision.sequence.min(*since);
        }
    }
}

fn cancel(held: Known<'_>, mut message: ItipMessage, author: Author<'_>) -> Result<Decision, Refusal> {
    let organizer = own_organizer(held, &message.object, author)?;
    let stored = held.object.ok_or(Refusal::EventNotFound)?;
    let keys: Vec<InstanceKey> = message.object.keys().collect();
    for key in keys {
        let invited = stored.get(key).or(stored.master()).map(attendee_set).unwrap_or_default();
        let Some(component) = message.object.get_mut(key) else { continue };
        if is_about_some(&attendee_set(component), &invited, &organizer) {
            // Outlook says CANCELLED to those who are taken off, although it goes on for the others (RFC 5546 §3.2.5).
            component.remove(&ICalendarProperty::Status);
        }
    }
    // Seen as somebody else's, so that it is taken from the organizer.
    let stranger = Author { addresses: &[], ..author };
    let context = Context { author: stranger, sender: &organizer, policy: Policy::default() };
    let decision = cancel::receive(held, message, context)?;
    let reason = if decision.verdict == Verdict::Applied { Reason::SentByClient } else { decision.reason };
    Ok(Decision { reason, ..decision })
}

/// Whether a CANCEL names some of the invited and not all of them.
fn is_about_some(named: &BTreeSet<Address>, invited: &BTreeSet<Address>, organizer: &Address) -> bool {
    let is_left = |address: &&Address| *address != organizer && !named.contains(*address);
    named.iter().any(|address| address != organizer) && invited.iter().any(|address| is_left(&address))
}

fn reply(held: Known<'_>, message: &CalendarObject, author: Author<'_>) -> Result<Decision, Refusal> {
    let stored = held.object.ok_or(Refusal::EventNotFound)?;
    let organizer = stored.organizer()?.ok_or(Refusal::NoSchedulingInfo)?;
    if author.addresses.contains(&organizer) {
        return Err(Refusal::NothingToSend);
    }
    let mut after = Cow::Borrowed(stored);
    let mut is_late = false;
    for (key, component) in message.components() {
        let own = component.attendee_among(author.addresses).ok_or(Refusal::NotOrganizerNorAttendee)?;
        if is_replaced(held, key, component) {
            is_late = true;
            continue;
        }
        let answer = Answer {
            partstat: own.partstat().cloned().unwrap_or(calcard::icalendar::ICalendarParticipationStatus::NeedsAction),
            instance: Some(key),
            comment: component.text(&ICalendarProperty::Comment).map(str::to_owned),
        };
        after = Cow::Owned(announce::respond(&after, author.addresses, &answer)?);
    }
    if is_same_object(stored, &after) {
        let reason = if is_late { Reason::AnswersOlderTime } else { Reason::NothingNew };
        return Ok(Decision::unchanged(reason));
    }
    let changed = message.keys().collect();
    let announcement = announce::put(Some(stored), after.into_owned(), held.revisions, author);
    let object = announcement.store.ok_or(Refusal::NothingToSend)?;
    Ok(followed(object, announcement.revisions, changed))
}

/// Whether the organizer has sent another revision since the answer was given.
fn is_replaced(held: Known<'_>, key: InstanceKey, answer: &ICalendarComponent) -> bool {
    let taken = held.revisions.instances.get(&key).or(held.revisions.instances.get(&InstanceKey::Master));
    let is_named = answer.has_property(&ICalendarProperty::Sequence);
    taken.is_some_and(|taken| {
        is_named
            && answer.sequence() < taken.revision.sequence
            && answer.revision().was_sent_before(Revision { sequence: answer.sequence(), ..taken.revision })
    })
}

fn followed(object: CalendarObject, revisions: Revisions, changed: Vec<InstanceKey>) -> Decision {
    Decision {
        verdict: Verdict::Applied,
        reason: Reason::SentByClient,
        store: Some(object),
        revisions: Some(revisions),
        changed,
        outgoing: Vec::new(),
    }
}

#[cfg(test)]
#[path = "sent_tests.rs"]
mod sent_tests;
