//! REQUEST: the organizer tells what takes place (RFC 5546 §3.2.2).
//!
//! | held | the message names | what happens |
//! |---|---|---|
//! | nothing | a master | the object is created with all its components |
//! | nothing | overrides alone | the object is created with those instances |
//! | nothing, but a newer CANCEL of the whole is remembered | anything | out of sequence |
//! | nothing, but a newer CANCEL of an instance is remembered | a master | created, with that instance cancelled |
//! | nothing, but this very message was taken before | anything | nothing new: the user deleted it |
//! | nothing | others, not the user | waits for the user |
//! | nothing | the user as delegate of the sender | waits for the user |
//! | an object | a master | the set of instances is replaced; newer overrides stay |
//! | an object | overrides alone | only the instances named change |
//! | an object | an older revision | out of sequence |

use calcard::icalendar::{ICalendarComponent, ICalendarEntry, ICalendarProperty};

use super::own::with_own_properties;
use super::standing::{is_delegation, organizer_as_sender};
use super::{Admission, Context, Held, ItipMessage, Known, clean, nothing_new, sent_at};
use crate::itip::address::Address;
use crate::itip::change::is_rescheduled;
use crate::itip::component::{ComponentExt, Party};
use crate::itip::decision::{Decision, Reason, Refusal, Verdict};
use crate::itip::instance::InstanceKey;
use crate::itip::limits;
use crate::itip::object::CalendarObject;
use crate::itip::recurrence;
use crate::itip::revision::{Revision, Revisions, Taken};

pub(super) fn receive(held: Held<'_>, message: ItipMessage, context: Context<'_>) -> Result<Decision, Refusal> {
    let organizer = match organizer_as_sender(held.known(), &message.object, context) {
        Err(Refusal::SenderIsNotOrganizerNorAttendee)
            if held.object.is_none() && is_delegation(&message.object, context) =>
        {
            return Ok(Decision::proposed(Reason::DelegatedToUser));
        }
        outcome => outcome?,
    };
    let mut object = message.object;
    clean(&mut object);
    take(held, Incoming::new(object), organizer, context)
}

/// What an organizer's message says, and when it was sent.
pub(super) struct Incoming {
    pub object: CalendarObject,
    sent_at: i64,
}

impl Incoming {
    pub fn new(object: CalendarObject) -> Self {
        let sent_at = sent_at(&object);
        Self { object, sent_at }
    }

    pub fn revision(&self, component: &ICalendarComponent) -> Revision {
        Revision { sequence: component.sequence(), dtstamp: self.sent_at }
    }

    /// The instances that it speaks of and does not come too late for.
    fn not_late(&self, held: Known<'_>) -> Vec<(InstanceKey, Revision)> {
        let named = self.object.components().map(|(key, component)| (key, self.revision(component)));
        named.filter(|(key, revision)| !held.is_stale(*key, *revision)).collect()
    }

    /// The revision of a full message, which speaks for every instance.
    pub fn full(&self) -> Option<Taken> {
        let master = self.object.master()?;
        Some(Taken { revision: self.revision(master), cancelled: master.is_cancelled() })
    }
}

/// Creates or updates an object by a message whose instances are all named.
pub(super) fn take(
    held: Held<'_>,
    incoming: Incoming,
    organizer: Address,
    context: Context<'_>,
) -> Result<Decision, Refusal> {
    let revisions = remembered(held.known(), organizer);
    let fresh = incoming.not_late(held.known());
    match held.object {
        None => create(incoming, revisions, context),
        Some(_) if fresh.is_empty() => Err(Refusal::OutOfSequence),
        Some(stored) => Ok(update(stored.into_owned(), incoming, (fresh, held.revisions, revisions), context)),
    }
}

/// What is remembered of the messages of this organizer.
///
/// What somebody else sent about this UID binds nobody: a stranger's CANCEL must not block an invitation.
pub(super) fn remembered(held: Known<'_>, organizer: Address) -> Revisions {
    let by_another = held.revisions.organizer.as_ref().is_some_and(|known| *known != organizer);
    let mut revisions = if by_another && held.object.is_none() { Revisions::default() } else { held.revisions.clone() };
    revisions.organizer = Some(organizer);
    revisions
}

fn create(incoming: Incoming, revisions: Revisions, context: Context<'_>) -> Result<Decision, Refusal> {
    if is_repeated(&incoming, &revisions)? {
        return Ok(Decision::unchanged(Reason::NothingNew));
    }
    if !incoming.object.has_attendee(context.author.addresses) {
        return Ok(Decision::proposed(Reason::NotInvitedByName));
    }
    match context.policy.new_invitations {
        Admission::Wait => Ok(Decision::proposed(Reason::WaitsForUser)),
        Admission::Add => Ok(added(incoming, revisions, Reason::Invited)),
    }
}

/// Whether the user has deleted what this very message brought; `OutOfSequence` when it was cancelled before it came.
pub(super) fn is_repeated(incoming: &Incoming, known: &Revisions) -> Result<bool, Refusal> {
    let (mut is_fresh, mut is_known) = (false, false);
    for (key, component) in incoming.object.components() {
        let revision = incoming.revision(component);
        is_known |= known.has_taken(key, revision);
        is_fresh |= !known.has_taken(key, revision) && !known.is_stale(key, revision);
    }
    if is_fresh || is_known { Ok(!is_fresh) } else { Err(Refusal::OutOfSequence) }
}

/// The decision to create an object of what is new in a message.
pub(super) fn added(mut incoming: Incoming, mut revisions: Revisions, reason: Reason) -> Decision {
    let known = revisions.clone();
    for (key, component) in incoming.object.components() {
        revisions.take(key, incoming.revision(component), component.is_cancelled());
    }
    drop_late(&mut incoming, &known);
    if let Some(full) = incoming.full() {
        recall(&mut incoming.object, &mut revisions, full);
    }
    Decision {
        verdict: Verdict::Applied,
        reason,
        changed: incoming.object.keys().collect(),
        store: Some(incoming.object),
        revisions: Some(revisions),
        outgoing: Vec::new(),
    }
}

/// Drops or cancels the instances of which something newer is remembered.
fn drop_late(incoming: &mut Incoming, known: &Revisions) {
    let named: Vec<(InstanceKey, Revision)> =
        incoming.object.components().map(|(key, component)| (key, incoming.revision(component))).collect();
    for (key, _) in named.into_iter().filter(|(key, revision)| known.is_stale(*key, *revision)) {
        let is_cancelled = known.instances.get(&key).is_some_and(|taken| taken.cancelled);
        match incoming.object.get_mut(key).filter(|_| is_cancelled) {
            Some(component) => component.set_cancelled(),
            None => incoming.object.remove(key),
        }
    }
}

/// Brings what is remembered about instances that `object` does not hold in line with a full message just taken.
///
/// What was called off later, before the series came, is made from the series and cancelled (RFC 5546 §5.2.1); what is
/// older than the full message counts no more (RFC 5546 §4.4.7).
fn recall(object: &mut CalendarObject, revisions: &mut Revisions, full: Taken) {
    let missing: Vec<(InstanceKey, Taken)> = revisions
        .instances
        .iter()
        .filter(|(key, _)| **key != InstanceKey::Master && object.get(**key).is_none())
        .map(|(key, taken)| (*key, *taken))
        .take(limits::INSTANCES_ASKED_MAX)
        .collect();
    for (key, taken) in missing {
        if !revisions.survives(key, (InstanceKey::Master, full)) {
            revisions.supersede(key);
        } else if let Some(mut instance) = recurrence::instance_of(object, key).filter(|_| taken.cancelled) {
            instance.set_cancelled();
            object.insert(key, instance);
        }
    }
}

/// Changes the stored object in place.
fn update(
    mut object: CalendarObject,
    mut incoming: Incoming,
    (fresh, known, mut revisions): (Vec<(InstanceKey, Revision)>, &Revisions, Revisions),
    context: Context<'_>,
) -> Decision {
    // The same message again is rare; only then it matters whether anything is different.
    let is_repetition = fresh.iter().all(|(key, revision)| known.has_taken(*key, *revision));
    let original = is_repetition.then(|| object.clone());
    let full = incoming.full().filter(|_| fresh.iter().any(|(key, _)| *key == InstanceKey::Master));
    let addresses = context.author.addresses;
    let gone =
        full.map_or_else(Vec::new, |full| drop_outdated(&mut object, &incoming.object, (known, full), addresses));
    let added = full.map_or_else(Vec::new, |full| later_additions(&object, &incoming.object, (known, full)));
    let zones = incoming.object.zones().clone();
    // Overrides first: what had none until now was answered with the master as it was.
    for &(key, revision) in fresh.iter().rev() {
        let Some(component) = incoming.object.take(key) else { continue };
        revisions.take(key, revision, component.is_cancelled());
        let component = with_own_properties((&object, key), (component, &zones), addresses);
        put_component(&mut object, key, component);
    }
    match full {
        Some(full) => {
            object.replace_zones(&incoming.object);
            keep_additions(&mut object, added);
            recall(&mut object, &mut revisions, full);
        }
        None => object.adopt_zones(&incoming.object),
    }
    if original.is_some_and(|original| is_same_object(&original, &object)) {
        return nothing_new(known, revisions);
    }
    let changed = fresh.into_iter().map(|(key, _)| key).chain(gone).collect();
    updated(object, changed, revisions)
}

/// The decision about an object that was merged from a stored one and a message.
pub(super) fn updated(merged: CalendarObject, changed: Vec<InstanceKey>, revisions: Revisions) -> Decision {
    Decision {
        verdict: Verdict::Applied,
        reason: Reason::Updated,
        store: Some(merged),
        revisions: Some(revisions),
        changed,
        outgoing: Vec::new(),
    }
}

/// Drops the overrides that a full message does not hold, unless they are newer than it (RFC 5546 §4.4.7) or hold
/// nothing but the user's answer for an instance that goes on; returns those that changed.
fn drop_outdated(
    object: &mut CalendarObject,
    incoming: &CalendarObject,
    (known, full): (&Revisions, Taken),
    addresses: &[Address],
) -> Vec<InstanceKey> {
    let is_outdated =
        |key: &InstanceKey| incoming.get(*key).is_none() && !known.survives(*key, (InstanceKey::Master, full));
    let outdated: Vec<InstanceKey> = object.keys().filter(is_outdated).collect();
    for &key in outdated.iter().rev() {
        match own_answer(object, incoming, key, known, addresses) {
            Some(answer) => put_component(object, key, answer),
            None => object.remove(key),
        }
    }
    outdated
}

/// The RDATEs of instances that an ADD brought after the full message was sent; it cannot name them (RFC 5546 §3.2.4).
fn later_additions(
    stored: &CalendarObject,
    incoming: &CalendarObject,
    (known, full): (&Revisions, Taken),
) -> Vec<ICalendarEntry> {
    let is_later = |moment| {
        let key = InstanceKey::This(moment);
        stored.get(key).is_some() && incoming.get(key).is_none() && known.survives(key, (InstanceKey::Master, full))
    };
    let dates = stored.master().into_iter().flat_map(|master| master.properties(&ICalendarProperty::Rdate));
    dates.filter(|entry| stored.zones().moment(entry).is_some_and(is_later)).cloned().collect()
}

/// Names the dates of later additions in the series again, so that their overrides still belong to it.
fn keep_additions(object: &mut CalendarObject, added: Vec<ICalendarEntry>) {
    let zones = object.zones().clone();
    let Some(master) = object.get_mut(InstanceKey::Master).filter(|_| !added.is_empty()) else { return };
    let known: Vec<_> = master.properties(&ICalendarProperty::Rdate).flat_map(|entry| zones.moments(entry)).collect();
    let is_new = |entry: &ICalendarEntry| zones.moment(entry).is_some_and(|moment| !known.contains(&moment));
    master.entries.extend(added.into_iter().filter(is_new));
}

/// The override that the user made to answer for one instance alone, as it stands in the new series.
///
/// The organizer's message need not know of it yet, or ever: few systems send each attendee's exceptions round. Where
/// the series is not rescheduled, the answer survives like any other. Nothing for overrides that the
/// organizer sent, and where no message of the organizer is remembered, so that nobody can tell whose they are.
fn own_answer(
    stored: &CalendarObject,
    incoming: &CalendarObject,
    key: InstanceKey,
    known: &Revisions,
    addresses: &[Address],
) -> Option<ICalendarComponent> {
    let is_known = |key: &InstanceKey| known.instances.contains_key(key);
    if is_known(&key) || !is_known(&InstanceKey::Master) {
        return None;
    }
    let (split, master) = (stored.get(key)?, stored.master()?);
    if !split.attendee_among(addresses).is_some_and(Party::has_answered) {
        return None;
    }
    let instance = recurrence::instance_of(incoming, key)?;
    let is_same = |was, is| !is_rescheduled((was, stored.zones()), (is, incoming.zones()));
    let goes_on = is_same(split, &instance) && is_same(master, incoming.master()?);
    goes_on.then(|| with_own_properties((stored, key), (instance, incoming.zones()), addresses))
}

/// Replaces a component's properties and keeps what is nested in the stored one: the user's alarms.
pub(super) fn put_component(object: &mut CalendarObject, key: InstanceKey, component: ICalendarComponent) {
    match object.get_mut(key) {
        Some(held) => held.entries = component.entries,
        None => object.insert(key, ICalendarComponent { component_ids: Vec::new(), ..component }),
    }
}

/// Whether two versions of an object say the same; the order of properties says nothing.
pub(super) fn is_same_object(one: &CalendarObject, other: &CalendarObject) -> bool {
    fn sorted(component: &ICalendarComponent) -> Vec<&ICalendarEntry> {
        let mut entries: Vec<&ICalendarEntry> = component.entries.iter().collect();
        entries.sort_unstable();
        entries
    }
    one.keys().eq(other.keys())
        && one.components().zip(other.components()).all(|((_, one), (_, other))| {
            one.entries == other.entries || (one.entries.len() == other.entries.len() && sorted(one) == sorted(other))
        })
}
