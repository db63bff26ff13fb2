//! The attendee's side: what the organizer is told when an attendee stores or deletes their copy.
//!
//! | what the attendee does | what goes out |
//! |---|---|
//! | changes their PARTSTAT, in the master or an override | REPLY for those instances |
//! | splits off an instance and answers for it alone | REPLY for that instance |
//! | adds an EXDATE, or deletes an override | REPLY: DECLINED for that instance |
//! | deletes the object | REPLY: DECLINED for every instance not declined already |
//! | reports progress with a to-do they have answered | REPLY with STATUS, PERCENT-COMPLETE, COMPLETED |
//! | sets SCHEDULE-FORCE-SEND on ORGANIZER | REPLY with the answer as it is |
//! | delegates | REQUEST to the delegate, REPLY to the organizer |
//! | changes anything about what is cancelled, or what is private | nothing is owed |
//! | changes what is the organizer's | nothing: refused |

use std::collections::BTreeSet;

use calcard::icalendar::{ICalendarComponent, ICalendarParameterName, ICalendarParticipationStatus, ICalendarProperty};

use super::Author;
use super::delegation::delegation;
use super::replies::{PROGRESS, Replies};
use crate::itip::address::Address;
use crate::itip::change::{Weight, attendee_set, differs, moments, weight};
use crate::itip::component::{ComponentExt, Party};
use crate::itip::decision::{Announcement, Outgoing, Refusal};
use crate::itip::instance::InstanceKey;
use crate::itip::object::{CalendarObject, Kind};
use crate::itip::recurrence::{self, Membership};
use crate::itip::revision::Revisions;
use crate::itip::summary::Participants;

type Partstat = ICalendarParticipationStatus;

/// The attendee stores `after`.
pub(super) fn put(
    before: Option<&CalendarObject>,
    mut after: CalendarObject,
    revisions: &Revisions,
    author: Author<'_>,
) -> Announcement {
    if let Some(before) = before {
        keep_sequences(before, &mut after);
    }
    let outgoing = answers(before, &after, author);
    Announcement { store: Some(after), revisions: revisions.clone(), outgoing }
}

/// The attendee deletes the object: what was not declined yet is declined (RFC 6638 §3.2.2.4).
pub(super) fn delete(before: &CalendarObject, author: Author<'_>) -> Result<Vec<Outgoing>, Refusal> {
    let mut replies = Replies::default();
    for (key, component) in before.components() {
        decline_open(&mut replies, key, component, author);
    }
    replies.into_messages(before, Participants::Hidden, author)
}

/// Declines an instance that takes place and is not declined yet.
fn decline_open(replies: &mut Replies, key: InstanceKey, component: &ICalendarComponent, author: Author<'_>) {
    let own = component.attendee_among(author.addresses).filter(|_| !component.is_cancelled());
    if let Some(own) = own.filter(|own| own.partstat() != Some(&Partstat::Declined)) {
        replies.decline(key, component, own, author.now);
    }
}

fn answers(
    before: Option<&CalendarObject>,
    after: &CalendarObject,
    author: Author<'_>,
) -> Result<Vec<Outgoing>, Refusal> {
    let mut replies = Replies::default();
    for (key, component) in after.components() {
        let Some(before) = before else {
            replies.say_answered(key, component, author);
            continue;
        };
        match before.get(key) {
            Some(held) => {
                check_unmodified((held, before), (component, after), author)?;
                changed_answer(&mut replies, key, (held, before), (component, after), author);
            }
            None => answer_of_new_override(&mut replies, key, before, (component, after), author)?,
        }
    }
    if let Some(before) = before {
        gone_overrides(&mut replies, before, after, author)?;
        excluded_dates(&mut replies, before, after, author);
    }
    let answers = replies.into_messages(after, Participants::Shown, author)?;
    Ok(delegation(before, after, author).into_iter().chain(answers).collect())
}

/// An attendee never raises SEQUENCE: answers name the revision that the organizer sent (RFC 5546 §2.1.4).
fn keep_sequences(before: &CalendarObject, after: &mut CalendarObject) {
    let keys: Vec<InstanceKey> = after.keys().collect();
    for key in keys {
        // What the attendee splits off is still what the organizer sent of the series.
        let Some(sequence) = before.get(key).or(before.master()).map(ComponentExt::sequence) else { continue };
        if let Some(component) = after.get_mut(key).filter(|component| component.sequence() != sequence) {
            component.set_sequence(sequence);
        }
    }
}

/// Refuses a change of what belongs to the organizer (RFC 6638 §3.2.2.1).
fn check_unmodified(
    (held, before): (&ICalendarComponent, &CalendarObject),
    (component, after): (&ICalendarComponent, &CalendarObject),
    author: Author<'_>,
) -> Result<(), Refusal> {
    if attendee_set(held) != attendees_without_delegates(held, component, author) {
        return Err(Refusal::CannotModifyAddress);
    }
    let names: BTreeSet<&ICalendarProperty> =
        held.entries.iter().chain(&component.entries).map(|entry| &entry.name).collect();
    match foreign_change(names, (held, before), (component, after)) {
        Some(name) => Err(Refusal::CannotModifyProperty(name.as_str().to_owned())),
        None => Ok(()),
    }
}

/// Who is listed; whom the user delegates to may be, without having been so before.
fn attendees_without_delegates(
    held: &ICalendarComponent,
    component: &ICalendarComponent,
    author: Author<'_>,
) -> BTreeSet<Address> {
    let was = attendee_set(held);
    let delegates: BTreeSet<Address> = component
        .attendee_among(author.addresses)
        .map(|own| own.addresses(&ICalendarParameterName::DelegatedTo).collect())
        .unwrap_or_default();
    let is = attendee_set(component).into_iter();
    is.filter(|address| !delegates.contains(address) || was.contains(address)).collect()
}

/// The first of some properties that differs and is not the attendee's to change.
fn foreign_change<'a>(
    names: BTreeSet<&'a ICalendarProperty>,
    (held, before): (&'a ICalendarComponent, &CalendarObject),
    (component, after): (&'a ICalendarComponent, &CalendarObject),
) -> Option<&'a ICalendarProperty> {
    names
        .into_iter()
        .filter(|name| !may_change(name, after.kind()))
        .find(|name| differs(name, (held, before.zones()), (component, after.zones())))
}

fn may_change(name: &ICalendarProperty, kind: Kind) -> bool {
    let own_progress = kind == Kind::Todo && PROGRESS.contains(name);
    own_progress || *name == ICalendarProperty::Exdate || weight(name) < Weight::Raises
}

/// The answer in a component that was held before.
fn changed_answer(
    replies: &mut Replies,
    key: InstanceKey,
    (held, before): (&ICalendarComponent, &CalendarObject),
    (component, after): (&ICalendarComponent, &CalendarObject),
    author: Author<'_>,
) {
    let (was, is) = (held.attendee_among(author.addresses), component.attendee_among(author.addresses));
    let is_forced = |component: &ICalendarComponent| component.organizer().is_some_and(Party::is_forced);
    let other_answer = is.and_then(Party::partstat) != was.and_then(Party::partstat);
    // RFC 5546 §3.4.3: the REPLY for a VTODO tells how far it has come as well.
    let other_progress = after.kind() == Kind::Todo
        && PROGRESS.iter().any(|name| differs(name, (held, before.zones()), (component, after.zones())));
    let newly_forced = is_forced(component) && !is_forced(held);
    if !held.is_cancelled() && (other_answer || other_progress || newly_forced) {
        replies.say_answered(key, component, author);
    }
}

/// An attendee may split off an instance to answer for it alone, and for nothing else (RFC 6638 §3.2.2.1).
fn answer_of_new_override(
    replies: &mut Replies,
    key: InstanceKey,
    before: &CalendarObject,
    (component, after): (&ICalendarComponent, &CalendarObject),
    author: Author<'_>,
) -> Result<(), Refusal> {
    let master = before.master().ok_or(Refusal::CannotModifyInstance)?;
    if !attendees_without_delegates(master, component, author).is_subset(&attendee_set(master)) {
        return Err(Refusal::CannotModifyAddress);
    }
    // Clients split off as little as they need: what is left out is as in the series.
    let names: BTreeSet<&ICalendarProperty> = component.entries.iter().map(|entry| &entry.name).collect();
    match recurrence::instance_of(after, key) {
        Some(instance) if foreign_change(names, (&instance, after), (component, after)).is_none() => {}
        // Too far away to tell: the organizer will know.
        None if recurrence::membership(after, key) == Membership::Undecided => {}
        Some(_) | None => return Err(Refusal::CannotModifyInstance),
    }
    changed_answer(replies, key, (master, before), (component, after), author);
    Ok(())
}

fn gone_overrides(
    replies: &mut Replies,
    before: &CalendarObject,
    after: &CalendarObject,
    author: Author<'_>,
) -> Result<(), Refusal> {
    for (key, held) in before.components().filter(|(key, _)| after.get(*key).is_none()) {
        if key == InstanceKey::Master {
            return Err(Refusal::CannotModifyInstance);
        }
        decline_open(replies, key, held, author);
    }
    Ok(())
}

/// A new EXDATE declines that instance (RFC 6638 §3.2.2.3), if there was one and it was not declined with the series.
fn excluded_dates(replies: &mut Replies, before: &CalendarObject, after: &CalendarObject, author: Author<'_>) {
    let (Some(held), Some(master)) = (before.master(), after.master()) else { return };
    let was = moments(&ICalendarProperty::Exdate, held, before.zones());
    let is = moments(&ICalendarProperty::Exdate, master, after.zones());
    for moment in is.difference(&was) {
        let key = InstanceKey::This(*moment);
        // An override of that day answers for itself: it is still there, or it is gone and declined already.
        let instance = recurrence::instance_of(before, key).filter(|_| before.get(key).is_none());
        if let Some(instance) = instance {
            decline_open(replies, key, &instance, author);
        }
    }
}
