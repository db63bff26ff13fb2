//! The organizer's side: who is told what when the organizer stores or deletes an object.
//!
//! | what changed | who is told | how |
//! |---|---|---|
//! | a new object | every attendee who has not answered | one REQUEST with all components |
//! | the master | everybody invited | the full REQUEST |
//! | an override | the attendees of that override | REQUEST of the override |
//! | a new override | its attendees | ADD, or CANCEL when its STATUS is CANCELLED |
//! | an override is gone | its attendees | CANCEL of the instance |
//! | attendees are gone | those attendees | CANCEL of the instances that they left |
//! | the object is deleted, or ORGANIZER and ATTENDEEs taken off it | everybody | CANCEL of the master |
//!
//! Whoever gets a full REQUEST gets nothing partial besides; whoever would get two kinds gets the full one.

use std::collections::{BTreeMap, BTreeSet};

use calcard::icalendar::{ICalendarComponent, ICalendarParticipationStatus, ICalendarProperty};

use super::Author;
use super::message::{all_attended, cancellation, invitation, organizer_address, partial, sorted};
use crate::itip::address::Address;
use crate::itip::change::Difference;
use crate::itip::component::{ComponentExt, Party, ScheduleAgent, set_partstat};
use crate::itip::decision::{Announcement, Outgoing, Refusal};
use crate::itip::instance::InstanceKey;
use crate::itip::method::Method;
use crate::itip::object::CalendarObject;
use crate::itip::revision::{Revisions, Sequence};
use crate::itip::summary::{Occasion, Participants, Summary};

/// The organizer stores `after`.
pub(super) fn put(
    before: Option<&CalendarObject>,
    mut after: CalendarObject,
    revisions: &Revisions,
    author: Author<'_>,
) -> Announcement {
    let mut revisions = revisions.clone();
    let outgoing = match before {
        Some(before) if is_stripped(&after) => delete(before, author),
        _ if is_stripped(&after) => Err(Refusal::NoSchedulingInfo),
        None => invite(&mut after, author),
        Some(before) => update(before, &mut after, &mut revisions, author),
    };
    Announcement { store: Some(after), revisions, outgoing }
}

/// The organizer deletes the object: one CANCEL of the whole to everybody, of the overrides where there is no master.
pub(super) fn delete(before: &CalendarObject, author: Author<'_>) -> Result<Vec<Outgoing>, Refusal> {
    let from = organizer_address(before).ok_or(Refusal::NoSchedulingInfo)?;
    let to: BTreeSet<Address> =
        before.components().flat_map(|(_, component)| addressees(component, &from, is_reachable)).collect();
    let principal = before.principal().ok_or(Refusal::NothingToSend)?;
    if to.is_empty() {
        return Err(Refusal::NothingToSend);
    }
    let summary = Summary::new(Occasion::Cancel, principal, before.zones(), Participants::Hidden);
    let cancelled: Vec<_> = match before.master() {
        Some(master) => vec![(InstanceKey::Master, master)],
        None => before.components().collect(),
    };
    let components = cancelled
        .into_iter()
        .map(|(key, component)| (key, cancellation(component, component.sequence().next(), author.now, |_| true)));
    let object = partial(before, Method::Cancel, components, author);
    Ok(vec![Outgoing { from, to: sorted(to), method: Method::Cancel, summary, object }])
}

/// Whether neither an organizer nor attendees are left.
fn is_stripped(object: &CalendarObject) -> bool {
    object.components().all(|(_, component)| component.organizer().is_none() || component.attendees().next().is_none())
}

/// A new object: everybody who has not answered is asked.
fn invite(after: &mut CalendarObject, author: Author<'_>) -> Result<Vec<Outgoing>, Refusal> {
    let keys: Vec<InstanceKey> = after.keys().collect();
    for key in keys {
        if let Some(component) = after.get_mut(key) {
            let sequence = component.sequence().next();
            component.set_sequence(sequence);
        }
    }
    let from = organizer_address(after).ok_or(Refusal::NoSchedulingInfo)?;
    let to: BTreeSet<Address> =
        after.components().flat_map(|(_, component)| addressees(component, &from, is_asked)).collect();
    let principal = after.principal().ok_or(Refusal::NothingToSend)?;
    if to.is_empty() {
        return Err(Refusal::NothingToSend);
    }
    let summary = Summary::new(Occasion::Invite, principal, after.zones(), Participants::Shown);
    let object = all_attended(after, author);
    Ok(vec![Outgoing { from, to: sorted(to), method: Method::Request, summary, object }])
}

/// What became of each instance, and who is owed what about it.
#[derive(Default)]
struct Debts {
    /// Recipients of the full REQUEST.
    full: BTreeSet<Address>,
    /// By recipient: the instances of each method.
    partial: BTreeMap<Address, BTreeMap<Method, BTreeSet<InstanceKey>>>,
    /// The SEQUENCE of the CANCEL about an instance.
    cancelled: BTreeMap<InstanceKey, Sequence>,
}

impl Debts {
    fn owe(&mut self, to: impl IntoIterator<Item = Address>, method: Method, key: InstanceKey) {
        for address in to {
            self.partial.entry(address).or_default().entry(method).or_default().insert(key);
        }
    }
}

fn update(
    before: &CalendarObject,
    after: &mut CalendarObject,
    revisions: &mut Revisions,
    author: Author<'_>,
) -> Result<Vec<Outgoing>, Refusal> {
    let from = organizer_address(after).ok_or(Refusal::NoSchedulingInfo)?;
    let mut debts = Debts::default();
    let keys: Vec<InstanceKey> = after.keys().collect();
    for key in keys {
        match before.get(key) {
            Some(held) => changed(held, before, after, key, revisions, &from, &mut debts),
            None => appeared(after, key, &from, &mut debts),
        }
    }
    for (key, held) in before.components().filter(|(key, _)| after.get(*key).is_none()) {
        debts.cancelled.insert(key, held.sequence().next());
        debts.owe(addressees(held, &from, is_reachable), Method::Cancel, key);
    }
    settle(before, after, debts, from, author)
}

/// An instance that was there before.
fn changed(
    held: &ICalendarComponent,
    before: &CalendarObject,
    after: &mut CalendarObject,
    key: InstanceKey,
    revisions: &mut Revisions,
    from: &Address,
    debts: &mut Debts,
) {
    let zones = after.zones().clone();
    let Some(component) = after.get_mut(key) else { return };
    let difference = Difference::between((held, before.zones()), (component, &zones));
    // The user's client may not know how far SEQUENCE has come.
    let highest = held.sequence().max(component.sequence());
    let sequence = if difference.raises_sequence() { highest.next() } else { highest };
    if sequence != component.sequence() {
        component.set_sequence(sequence);
    }
    if difference.reschedules() {
        ask_again(component, from);
        revisions.rescheduled.insert(key, sequence);
    }
    if !difference.is_announced() {
        return;
    }
    let wants = |party: Party<'_>| is_updated(party, difference.reschedules());
    match key {
        InstanceKey::Master => debts.full.extend(everybody(after, from, wants)),
        InstanceKey::This(_) | InstanceKey::ThisAndFuture(_) => {
            debts.owe(addressees(component, from, wants), Method::Request, key);
        }
    }
    if !difference.left.is_empty() {
        debts.cancelled.insert(key, sequence);
        let gone = |party: Party<'_>| is_reachable(party) && difference.left.contains(&party.address());
        debts.owe(addressees(held, from, gone), Method::Cancel, key);
    }
}

/// An instance that was not there before.
fn appeared(after: &mut CalendarObject, key: InstanceKey, from: &Address, debts: &mut Debts) {
    let Some(component) = after.get_mut(key) else { return };
    let sequence = component.sequence().next();
    component.set_sequence(sequence);
    if component.is_cancelled() {
        debts.cancelled.insert(key, sequence);
        debts.owe(addressees(component, from, is_reachable), Method::Cancel, key);
        return;
    }
    let to: BTreeSet<Address> = addressees(component, from, |party| is_updated(party, true)).collect();
    match key {
        // Until now there were overrides alone; the series itself is news to everybody.
        InstanceKey::Master => debts.full.extend(to),
        InstanceKey::This(_) | InstanceKey::ThisAndFuture(_) => {
            let stay: BTreeSet<Address> = component.attendees().map(Party::address).collect();
            debts.owe(to, Method::Add, key);
            let Some(master) = after.master() else { return };
            let gone = |party: Party<'_>| is_reachable(party) && !stay.contains(&party.address());
            let left: Vec<Address> = addressees(master, from, gone).collect();
            if !left.is_empty() {
                debts.cancelled.insert(key, sequence);
                debts.owe(left, Method::Cancel, key);
            }
        }
    }
}

/// The time changed: everybody but the organizer is asked again (RFC 6638 §3.2.8).
fn ask_again(component: &mut ICalendarComponent, organizer: &Address) {
    for entry in component.entries.iter_mut().filter(|entry| entry.name == ICalendarProperty::Attendee) {
        let party = Party(entry);
        if party.partstat().is_some() && !party.is(organizer) {
            set_partstat(entry, ICalendarParticipationStatus::NeedsAction);
        }
    }
}

/// Turns debts into messages: full REQUESTs first, then the partial ones by method, instances and recipients.
fn settle(
    before: &CalendarObject,
    after: &CalendarObject,
    mut debts: Debts,
    from: Address,
    author: Author<'_>,
) -> Result<Vec<Outgoing>, Refusal> {
    let invited: BTreeSet<Address> = everybody(after, &from, is_reachable).collect();
    let mut groups: BTreeMap<(Method, Vec<InstanceKey>), BTreeSet<Address>> = BTreeMap::new();
    for (address, owed) in std::mem::take(&mut debts.partial) {
        if debts.full.contains(&address) {
            continue;
        }
        let two_kinds = owed.len() > 1;
        if two_kinds && invited.contains(&address) {
            debts.full.insert(address);
            continue;
        }
        for (method, keys) in owed {
            groups.entry((method, keys.into_iter().collect())).or_default().insert(address.clone());
        }
    }
    let mut messages = Vec::new();
    if !debts.full.is_empty() {
        let summary = update_summary(Occasion::Update(Method::Request), before, after);
        let object = all_attended(after, author);
        let to = sorted(std::mem::take(&mut debts.full));
        messages.push(Outgoing { from: from.clone(), to, method: Method::Request, summary, object });
    }
    for ((method, keys), to) in groups {
        messages.push(about_instances((before, after), method, &keys, to, (&debts.cancelled, &from), author));
    }
    if messages.is_empty() { Err(Refusal::NothingToSend) } else { Ok(messages) }
}

/// The message about some instances to some of their attendees.
fn about_instances(
    (before, after): (&CalendarObject, &CalendarObject),
    method: Method,
    keys: &[InstanceKey],
    to: BTreeSet<Address>,
    (cancelled, from): (&BTreeMap<InstanceKey, Sequence>, &Address),
    author: Author<'_>,
) -> Outgoing {
    let components = keys.iter().filter_map(|&key| {
        if method != Method::Cancel {
            return Some((key, invitation(after.get(key)?, author.now)));
        }
        let sequence = cancelled.get(&key).copied().unwrap_or_default();
        // Who left is named by the version that still names them.
        let named = |component: &&ICalendarComponent| component.attendees().any(|party| to.contains(&party.address()));
        let versions = [after.get(key), before.get(key), after.master()];
        let component = versions.into_iter().flatten().find(named)?;
        let mut cancellation = cancellation(component, sequence, author.now, |party| to.contains(&party.address()));
        identify(&mut cancellation, after.get(key).or(before.get(key))?);
        Some((key, cancellation))
    });
    let components: Vec<_> = components.collect();
    let object = partial(after, method, components, author);
    let summary = match method {
        Method::Cancel => cancel_summary(before),
        _ => update_summary(Occasion::Update(method), before, after),
    };
    Outgoing { from: from.clone(), to: sorted(to), method, summary, object }
}

/// Gives a component made from the master the RECURRENCE-ID of the instance that it speaks of.
fn identify(component: &mut ICalendarComponent, instance: &ICalendarComponent) {
    if component.has_property(&ICalendarProperty::RecurrenceId) {
        return;
    }
    let Some(recurrence_id) = instance.property(&ICalendarProperty::RecurrenceId) else { return };
    component.entries.push(recurrence_id.clone());
    for name in [ICalendarProperty::Dtstart, ICalendarProperty::Dtend, ICalendarProperty::Due] {
        component.remove(&name);
    }
}

/// What an update shows: the new master's values, and the old master's where they differ.
fn update_summary(occasion: Occasion, before: &CalendarObject, after: &CalendarObject) -> Summary {
    match (after.principal(), before.principal()) {
        (Some(now), Some(was)) => {
            Summary::new(occasion, now, after.zones(), Participants::Shown).since(was, before.zones())
        }
        _ => Summary { occasion, current: Vec::new(), previous: Vec::new() },
    }
}

/// What a CANCEL of a part shows: the values before the change, since those are what its recipients know.
fn cancel_summary(before: &CalendarObject) -> Summary {
    match before.principal() {
        Some(was) => Summary::new(Occasion::Cancel, was, before.zones(), Participants::Shown),
        None => Summary { occasion: Occasion::Cancel, current: Vec::new(), previous: Vec::new() },
    }
}

/// The attendees of a component, without the organizer, that `wants` picks.
fn addressees(
    component: &ICalendarComponent,
    organizer: &Address,
    wants: impl Fn(Party<'_>) -> bool,
) -> impl Iterator<Item = Address> {
    component.attendees().filter(move |party| !party.is(organizer) && wants(*party)).map(Party::address)
}

/// The attendees of all components, without the organizer, that `wants` picks.
fn everybody(
    object: &CalendarObject,
    organizer: &Address,
    wants: impl Fn(Party<'_>) -> bool + Copy,
) -> impl Iterator<Item = Address> {
    object.components().flat_map(move |(_, component)| addressees(component, organizer, wants))
}

/// Whether the gateway is the one that sends to this attendee (RFC 6638 §7.1).
fn is_reachable(party: Party<'_>) -> bool {
    party.agent() == ScheduleAgent::Server
}

/// Whether an attendee of a new object is asked.
fn is_asked(party: Party<'_>) -> bool {
    is_reachable(party) && (party.is_forced() || (!party.waives_rsvp() && !party.has_answered()))
}

/// Whether an attendee hears of a change: not one who declined, unless the time changed; not one who was never asked.
fn is_updated(party: Party<'_>, rescheduled: bool) -> bool {
    if !is_reachable(party) || party.is_forced() {
        return is_reachable(party);
    }
    let never_asked = party.waives_rsvp() && !party.has_answered();
    let declined = party.partstat() == Some(&ICalendarParticipationStatus::Declined);
    !never_asked && (rescheduled || !declined)
}
