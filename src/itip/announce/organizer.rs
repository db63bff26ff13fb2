//! The organizer's side: who is told what when the organizer stores or deletes an object.
//!
//! | what changed | who is told | how |
//! |---|---|---|
//! | a new object, or attendees for what had none | every attendee who has not answered | one REQUEST with all components |
//! | the master | everybody invited | the full REQUEST |
//! | an override | the attendees of that override | REQUEST of the override |
//! | a new override | its attendees | ADD, or CANCEL when its STATUS is CANCELLED |
//! | an override is gone | its attendees | CANCEL of the instance |
//! | a cancelled override is gone | its attendees | the full REQUEST: it takes place again |
//! | attendees are gone, or another agent writes to them | those attendees | CANCEL of the instances that they left |
//! | STATUS becomes CANCELLED | the attendees of what it is about | CANCEL |
//! | anything about what is cancelled | nobody | |
//! | SCHEDULE-FORCE-SEND appears on an attendee, or RSVP=FALSE goes | that attendee | REQUEST |
//! | the object is deleted, or ORGANIZER and ATTENDEEs taken off it | everybody | CANCEL of the master |
//!
//! Whoever gets a full REQUEST gets nothing partial besides; whoever would get two kinds gets the full one.

use std::collections::BTreeSet;

use calcard::icalendar::{ICalendarComponent, ICalendarParticipationStatus, ICalendarProperty};

use super::Author;
use super::debts::Debts;
use super::message::{all_attended, cancellation, organizer_address, partial, sorted};
use super::recipients::{addressees, anyone, everybody, is_asked, is_updated};
use crate::itip::address::Address;
use crate::itip::change::{Difference, attendee_set, is_rescheduled};
use crate::itip::component::{ComponentExt, Party, set_partstat};
use crate::itip::decision::{Announcement, Outgoing, Refusal};
use crate::itip::instance::InstanceKey;
use crate::itip::method::Method;
use crate::itip::object::CalendarObject;
use crate::itip::recurrence;
use crate::itip::revision::{Revision, Revisions, Sequence};
use crate::itip::summary::{Occasion, Participants, Summary};
use crate::itip::zone::Zones;

/// The organizer stores `after`.
pub(super) fn put(
    before: Option<&CalendarObject>,
    mut after: CalendarObject,
    revisions: &Revisions,
    author: Author<'_>,
) -> Announcement {
    let mut revisions = revisions.clone();
    let meeting = before.filter(|before| !is_stripped(before));
    let outgoing = match (meeting, is_stripped(&after)) {
        (None, true) => Err(Refusal::NoSchedulingInfo),
        (None, false) => invite(before, &mut after, &mut revisions, author),
        (Some(before), true) => delete(before, &mut revisions, author),
        (Some(before), false) => {
            Update { before, after: &mut after, revisions: &mut revisions, author, debts: Debts::default() }.run()
        }
    };
    Announcement { store: Some(after), revisions, outgoing }
}

/// The organizer deletes the object: one CANCEL of the whole to everybody, of the overrides where there is no master.
pub(super) fn delete(
    before: &CalendarObject,
    revisions: &mut Revisions,
    author: Author<'_>,
) -> Result<Vec<Outgoing>, Refusal> {
    for (key, component) in before.components() {
        remember_cancel(revisions, before, key, component.sequence().next(), author);
    }
    call_off(before, Participants::Hidden, |component| component.sequence().next(), author)
}

/// The CANCEL of the whole to everybody, with the values that they know.
fn call_off(
    before: &CalendarObject,
    participants: Participants,
    sequence: impl Fn(&ICalendarComponent) -> Sequence,
    author: Author<'_>,
) -> Result<Vec<Outgoing>, Refusal> {
    let to: BTreeSet<Address> = everybody(before, author, anyone).collect();
    if to.is_empty() {
        return Err(Refusal::NothingToSend);
    }
    let summary =
        |principal: &ICalendarComponent| Summary::new(Occasion::Cancel, principal, before.zones(), participants);
    cancel(before, (sorted(to), summary), sequence, author).map(|outgoing| vec![outgoing])
}

/// The CANCEL of what is cancelled already, as it stands, for somebody who has lost track (RFC 5546 §3.2.6).
pub fn cancel_of_whole(object: &CalendarObject, to: Vec<Address>, author: Author<'_>) -> Result<Outgoing, Refusal> {
    let summary =
        |principal: &ICalendarComponent| Summary::new(Occasion::Cancel, principal, object.zones(), Participants::Shown);
    cancel(object, (to, summary), ComponentExt::sequence, author)
}

fn cancel(
    before: &CalendarObject,
    (to, summary): (Vec<Address>, impl Fn(&ICalendarComponent) -> Summary),
    sequence: impl Fn(&ICalendarComponent) -> Sequence,
    author: Author<'_>,
) -> Result<Outgoing, Refusal> {
    let from = organizer_address(before).ok_or(Refusal::NoSchedulingInfo)?;
    let summary = summary(before.principal().ok_or(Refusal::NothingToSend)?);
    let cancelled: Vec<_> = match before.master() {
        Some(master) => vec![(InstanceKey::Master, master)],
        None => before.components().collect(),
    };
    let components = cancelled
        .into_iter()
        .map(|(key, component)| (key, cancellation(component, sequence(component), author.now, |_| true)));
    let object = partial(before, Method::Cancel, components, author);
    Ok(Outgoing { from, to, method: Method::Cancel, summary, object })
}

/// Whether neither an organizer nor attendees are left.
fn is_stripped(object: &CalendarObject) -> bool {
    object.components().all(|(_, component)| component.organizer().is_none() || component.attendees().next().is_none())
}

/// Keeps the SEQUENCE of a CANCEL: what was called off may come back, and must not be late then (RFC 5546 §4.2.9).
fn remember_cancel(
    revisions: &mut Revisions,
    object: &CalendarObject,
    key: InstanceKey,
    sequence: Sequence,
    author: Author<'_>,
) {
    revisions.organizer = organizer_address(object);
    revisions.take(key, Revision { sequence, dtstamp: author.now }, true);
}

/// The highest SEQUENCE that an instance ever went out with, as far as its own component no longer tells.
fn sent_before(revisions: &Revisions, key: InstanceKey) -> Sequence {
    let own = revisions.instances.get(&key).map(|sent| sent.revision.sequence);
    let whole = revisions.instances.get(&InstanceKey::Master).filter(|sent| sent.cancelled);
    own.max(whole.map(|sent| sent.revision.sequence)).unwrap_or_default()
}

/// The highest SEQUENCE that anything of the object ever went out with; nothing when nobody has heard of it.
///
/// What comes back begins above all of it: an instance that had counted ahead of its series would otherwise take every answer for one to
/// an earlier time.
fn highest_ever(revisions: &Revisions) -> Option<Sequence> {
    let sent = revisions.instances.values().map(|sent| sent.revision.sequence).max()?;
    Some(revisions.rescheduled.values().copied().max().unwrap_or_default().max(sent))
}

/// A meeting that nobody has heard of: everybody who has not answered is asked.
fn invite(
    before: Option<&CalendarObject>,
    after: &mut CalendarObject,
    revisions: &mut Revisions,
    author: Author<'_>,
) -> Result<Vec<Outgoing>, Refusal> {
    let keys: Vec<InstanceKey> = after.keys().collect();
    let called_off = highest_ever(revisions);
    for key in keys {
        let held = before.and_then(|before| before.get(key)).map(ComponentExt::sequence).unwrap_or_default();
        let Some(component) = after.get_mut(key) else { continue };
        let sequence = component.sequence().max(held).max(called_off.unwrap_or_default()).next();
        component.set_sequence(sequence);
        if called_off.is_some() {
            // Whatever was answered before it was called off was not said about what is asked now.
            revisions.rescheduled.insert(key, sequence);
        }
    }
    if let (Some(sent), Some(master)) = (revisions.instances.get_mut(&InstanceKey::Master), after.master()) {
        sent.cancelled = master.is_cancelled();
    }
    let from = organizer_address(after).ok_or(Refusal::NoSchedulingInfo)?;
    // RFC 5546 §3.2.2: nobody is asked to something that is cancelled.
    let on = after.components().filter(|(_, component)| !component.is_cancelled());
    let to: BTreeSet<Address> = on.flat_map(|(_, component)| addressees(component, author, is_asked)).collect();
    let principal = after.principal().ok_or(Refusal::NothingToSend)?;
    if to.is_empty() {
        return Err(Refusal::NothingToSend);
    }
    let summary = Summary::new(Occasion::Invite, principal, after.zones(), Participants::Shown);
    let object = all_attended(after, author);
    Ok(vec![Outgoing { from, to: sorted(to), method: Method::Request, summary, object }])
}

/// A meeting that others know, and its new version.
struct Update<'a> {
    before: &'a CalendarObject,
    after: &'a mut CalendarObject,
    revisions: &'a mut Revisions,
    author: Author<'a>,
    debts: Debts,
}

/// How an instance went on from one version to the next.
enum Course {
    GoesOn,
    CalledOff,
    StaysCancelled,
}

impl Update<'_> {
    fn run(mut self) -> Result<Vec<Outgoing>, Refusal> {
        let keys: Vec<InstanceKey> = self.after.keys().collect();
        let mut whole_is_off = false;
        for key in keys {
            match self.before.get(key) {
                Some(held) => whole_is_off |= self.changed(key, held) && key == InstanceKey::Master,
                None => self.appeared(key),
            }
        }
        let before = self.before;
        for (key, held) in before.components().filter(|(key, _)| self.after.get(*key).is_none()).collect::<Vec<_>>() {
            self.went(key, held);
        }
        if whole_is_off {
            let sequence = self.after.master().map(ComponentExt::sequence).unwrap_or_default();
            return call_off(before, Participants::Shown, |_| sequence, self.author);
        }
        self.debts.settle(before, self.after, self.author)
    }

    /// An instance that was there before; returns whether it has just been called off.
    fn changed(&mut self, key: InstanceKey, held: &ICalendarComponent) -> bool {
        let (zones, author) = (self.after.zones().clone(), self.author);
        let Some(component) = self.after.get_mut(key) else { return false };
        let difference = Difference::between((held, self.before.zones()), (component, &zones));
        // The user's client may not know how far SEQUENCE has come; nor may what is held, when it came back while nobody
        // was invited.
        let highest = held.sequence().max(component.sequence()).max(sent_before(self.revisions, key));
        let sequence = if difference.raises_sequence() { highest.next() } else { highest };
        if sequence != component.sequence() {
            component.set_sequence(sequence);
        }
        if difference.reschedules() {
            ask_again(component, author);
            self.revisions.rescheduled.insert(key, sequence);
        }
        match course(held, component) {
            Course::StaysCancelled => return false,
            Course::CalledOff => {
                self.debts.owe_cancel(addressees(held, author, anyone), key, sequence);
                return true;
            }
            Course::GoesOn => {}
        }
        if difference.is_announced() {
            self.announce_change(key, held, &difference, sequence);
            return false;
        }
        let wanted = newly_wanted(held, component);
        if !wanted.is_empty() {
            self.owe_request(key, |party| wanted.contains(&party.address()));
        }
        false
    }

    fn announce_change(
        &mut self,
        key: InstanceKey,
        held: &ICalendarComponent,
        difference: &Difference,
        sequence: Sequence,
    ) {
        self.owe_request(key, |party| is_updated(party, difference.reschedules()));
        if !difference.left.is_empty() {
            let gone = |party: Party<'_>| difference.left.contains(&party.address());
            self.debts.owe_cancel(addressees(held, self.author, gone), key, sequence);
        }
    }

    /// A changed master is everybody's business, a changed override that of its attendees.
    fn owe_request(&mut self, key: InstanceKey, wants: impl Fn(Party<'_>) -> bool) {
        match key {
            InstanceKey::Master => self.debts.owe_all(everybody(self.after, self.author, &wants)),
            InstanceKey::This(_) | InstanceKey::ThisAndFuture(_) => {
                let Some(component) = self.after.get(key) else { return };
                self.debts.owe(addressees(component, self.author, &wants), Method::Request, key);
            }
        }
    }

    /// An instance that was not there before.
    fn appeared(&mut self, key: InstanceKey) {
        let (zones, author) = (self.after.zones().clone(), self.author);
        let Some(component) = self.after.get_mut(key) else { return };
        let sequence = component.sequence().max(sent_before(self.revisions, key)).next();
        component.set_sequence(sequence);
        self.revisions.split_off(key);
        let is_moved = is_moved(self.before, key, (component, &zones));
        if is_moved {
            ask_again(component, author);
        }
        if is_moved || component.moment(&ICalendarProperty::Dtstart, &zones) != key.moment() {
            // An answer on its way for this instance means the time that it had in the series.
            self.revisions.rescheduled.insert(key, sequence);
        }
        if component.is_cancelled() {
            // Whom it names is told; where it names nobody it is off for all.
            let names_nobody = component.attendees().next().is_none();
            let named = if names_nobody { self.before.master() } else { Some(&*component) };
            let to: Vec<Address> = named.into_iter().flat_map(|named| addressees(named, author, anyone)).collect();
            return self.debts.owe_cancel(to, key, sequence);
        }
        let to: Vec<Address> = addressees(component, author, |party| is_updated(party, true)).collect();
        match key {
            // Until now there were overrides alone; the series itself is news to everybody.
            InstanceKey::Master => self.debts.owe_all(to),
            InstanceKey::This(_) | InstanceKey::ThisAndFuture(_) => {
                let stay: BTreeSet<Address> = component.attendees().map(Party::address).collect();
                self.debts.owe(to, Method::Add, key);
                let Some(master) = self.after.master() else { return };
                let gone = |party: Party<'_>| !stay.contains(&party.address());
                let left: Vec<Address> = addressees(master, author, gone).collect();
                self.debts.owe_cancel(left, key, sequence);
            }
        }
    }

    /// An instance that is no longer there.
    fn went(&mut self, key: InstanceKey, held: &ICalendarComponent) {
        let to = addressees(held, self.author, anyone);
        if let Some(master) = self.after.master().filter(|_| held.is_cancelled()) {
            // Without its exception it takes place again, as the series says; a CANCEL would say the opposite. The
            // CANCEL that it once went out with still counts for whatever follows.
            remember_cancel(self.revisions, self.before, key, held.sequence(), self.author);
            let invited = attendee_set(master);
            return self.debts.owe_all(to.filter(|address| invited.contains(address)));
        }
        let sequence = held.sequence().next();
        self.debts.owe_cancel(to, key, sequence);
        remember_cancel(self.revisions, self.before, key, sequence, self.author);
    }
}

fn course(held: &ICalendarComponent, component: &ICalendarComponent) -> Course {
    match (held.is_cancelled(), component.is_cancelled()) {
        (true, true) => Course::StaysCancelled,
        (false, true) => Course::CalledOff,
        (true, false) | (false, false) => Course::GoesOn,
    }
}

/// Those who are to be written to though nothing else has changed.
///
/// SCHEDULE-FORCE-SEND has its effect once, when it appears (RFC 6638 §7.2); so has an answer that was waived and is
/// wanted now (RFC 5546 §3.2.2.7).
fn newly_wanted(held: &ICalendarComponent, component: &ICalendarComponent) -> BTreeSet<Address> {
    let those = |component: &ICalendarComponent, are: fn(Party<'_>) -> bool| -> BTreeSet<Address> {
        component.attendees().filter(|party| are(*party)).map(Party::address).collect()
    };
    let forced = &those(component, |party| party.is_forced()) - &those(held, |party| party.is_forced());
    let unanswered = |party: Party<'_>| !party.waives_rsvp() && !party.has_answered();
    let asked = &those(held, |party| party.waives_rsvp()) & &those(component, unanswered);
    &forced | &asked
}

/// Whether a new override takes place at another time than the instance had until now.
fn is_moved(before: &CalendarObject, key: InstanceKey, (component, zones): (&ICalendarComponent, &Zones)) -> bool {
    let Some(instance) = recurrence::instance_of(before, key) else { return false };
    component.has_property(&ICalendarProperty::Dtstart)
        && is_rescheduled((&instance, before.zones()), (component, zones))
}

/// The time changed: everybody but the organizer is asked again (RFC 6638 §3.2.8).
fn ask_again(component: &mut ICalendarComponent, author: Author<'_>) {
    for entry in component.entries.iter_mut().filter(|entry| entry.name == ICalendarProperty::Attendee) {
        let party = Party(entry);
        if party.partstat().is_some() && !party.is_among(author.addresses) {
            set_partstat(entry, ICalendarParticipationStatus::NeedsAction);
        }
    }
}
