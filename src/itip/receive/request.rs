//! REQUEST and ADD: the organizer tells what takes place (RFC 5546 §3.2.2, §3.2.4).
//!
//! | held | the message names | what happens |
//! |---|---|---|
//! | nothing | a master | the object is created with all its components |
//! | nothing | overrides alone | the object is created with those instances |
//! | nothing | ADD without RECURRENCE-ID | REFRESH to the organizer |
//! | an object | a master | the set of instances is replaced; newer overrides stay |
//! | an object | overrides alone | only the instances named change |
//! | an object | ADD without RECURRENCE-ID | the instance joins the series as an RDATE |
//! | nothing, but a newer CANCEL is remembered | anything | out of sequence |

use calcard::icalendar::{
    ICalendarComponent, ICalendarEntry, ICalendarMethod, ICalendarParticipationStatus, ICalendarProperty,
};

use super::{Admission, Context, Held, ItipMessage, nothing_new, organizer_as_sender};
use crate::itip::address::Address;
use crate::itip::change::is_rescheduled;
use crate::itip::component::{ComponentExt, Party, plain_party, set_partstat, strip_schedule_parameters};
use crate::itip::decision::{Decision, Outgoing, Reason, Refusal, Verdict};
use crate::itip::instance::InstanceKey;
use crate::itip::method::Method;
use crate::itip::object::CalendarObject;
use crate::itip::revision::Revisions;
use crate::itip::summary::{Occasion, Participants, Summary};
use crate::itip::time::Zones;

pub(super) fn receive(held: Held<'_>, message: ItipMessage, context: Context<'_>) -> Result<Decision, Refusal> {
    let organizer = organizer_as_sender(held, &message.object, context)?;
    let mut revisions = held.revisions.clone();
    if revisions.organizer.as_ref().is_some_and(|known| *known != organizer) && held.object.is_none() {
        // What somebody else sent about this UID binds nobody: a stranger's CANCEL must not block an invitation.
        revisions = Revisions::default();
    }
    revisions.organizer = Some(organizer);
    let ItipMessage { method, mut object } = message;
    clean(&mut object);
    if method == Method::Add {
        object = match name_added_instance(object) {
            Ok(named) => named,
            Err(unnamed) if held.object.is_none() => return ask_for_whole(&unnamed, context),
            Err(unnamed) => return add_to_series(held, unnamed, revisions, context),
        };
    }
    match held.object {
        None => create(object, revisions, context),
        Some(stored) => update(stored, object, revisions, held, context),
    }
}

/// Drops what is not ours to store: the organizer's alarms, METHOD, and scheduling parameters that had no business here.
fn clean(object: &mut CalendarObject) {
    object.remove_method();
    object.drop_nested();
    let keys: Vec<InstanceKey> = object.keys().collect();
    for key in keys {
        if let Some(component) = object.get_mut(key) {
            component.entries.iter_mut().for_each(strip_schedule_parameters);
        }
    }
}

fn create(object: CalendarObject, mut revisions: Revisions, context: Context<'_>) -> Result<Decision, Refusal> {
    let keys: Vec<InstanceKey> = object.keys().collect();
    for (key, component) in object.components() {
        let revision = component.revision();
        let taken = revisions.has_taken(key, revision);
        if revisions.is_stale(key, revision) {
            return Err(Refusal::OutOfSequence);
        }
        if taken {
            // The user has deleted what this very message brought; it comes a second time.
            return Ok(Decision::unchanged(Reason::NothingNew));
        }
    }
    for (key, component) in object.components() {
        revisions.take(key, component.revision(), component.is_cancelled());
    }
    if !object.has_attendee(context.author.addresses) {
        return Ok(Decision::proposed(Reason::NotInvitedByName));
    }
    if context.policy.new_invitations == Admission::Wait {
        return Ok(Decision::proposed(Reason::WaitsForUser));
    }
    Ok(Decision {
        verdict: Verdict::Applied,
        reason: Reason::Invited,
        store: Some(object),
        revisions: Some(revisions),
        changed: keys,
        outgoing: Vec::new(),
    })
}

fn update(
    stored: &CalendarObject,
    incoming: CalendarObject,
    mut revisions: Revisions,
    held: Held<'_>,
    context: Context<'_>,
) -> Result<Decision, Refusal> {
    let is_late =
        |(key, component): (InstanceKey, &ICalendarComponent)| held.revisions.is_stale(key, component.revision());
    if incoming.components().all(is_late) {
        return Err(Refusal::OutOfSequence);
    }
    let full = incoming.master().map(ComponentExt::revision);
    let replaces_all = full.is_some_and(|full| !held.revisions.is_stale(InstanceKey::Master, full));
    let mut merged = if replaces_all { replaced(stored, &incoming, held) } else { stored.clone() };
    let keys: Vec<InstanceKey> =
        incoming.keys().filter(|key| incoming.get(*key).is_some_and(|c| !is_late((*key, c)))).collect();
    merged.adopt_zones(&incoming);
    for &key in &keys {
        let Some(component) = incoming.get(key) else { continue };
        revisions.take(key, component.revision(), component.is_cancelled());
        let updated =
            with_own_properties((stored, key), (component.clone(), incoming.zones()), context.author.addresses);
        put_component(&mut merged, key, updated);
    }
    if let Some(full) = full.filter(|_| replaces_all) {
        for key in stored.keys().filter(|key| merged.get(*key).is_none()) {
            revisions.supersede(key, full);
        }
    }
    let changed: Vec<InstanceKey> = changed_keys(stored, &merged);
    if changed.is_empty() {
        return Ok(nothing_new(held, revisions));
    }
    Ok(Decision {
        verdict: Verdict::Applied,
        reason: Reason::Updated,
        store: Some(merged),
        revisions: Some(revisions),
        changed,
        outgoing: Vec::new(),
    })
}

/// The stored object without the overrides that a full message does not hold, unless they are newer than it (RFC 5546 §4.4.7).
fn replaced(stored: &CalendarObject, incoming: &CalendarObject, held: Held<'_>) -> CalendarObject {
    let Some(full) = incoming.master().map(ComponentExt::revision) else { return stored.clone() };
    let mut merged = stored.clone();
    for key in stored.keys() {
        if incoming.get(key).is_none() && !held.revisions.survives(key, full) {
            merged.remove(key);
        }
    }
    merged
}

/// Replaces a component's properties and keeps what is nested in the stored one: the user's alarms.
fn put_component(object: &mut CalendarObject, key: InstanceKey, component: ICalendarComponent) {
    match object.get_mut(key) {
        Some(held) => held.entries = component.entries,
        None => object.insert(key, ICalendarComponent { component_ids: Vec::new(), ..component }),
    }
}

/// The instances whose components differ between two versions of an object.
fn changed_keys(stored: &CalendarObject, merged: &CalendarObject) -> Vec<InstanceKey> {
    let sorted = |component: &ICalendarComponent| {
        let mut entries = component.entries.clone();
        entries.sort();
        entries
    };
    let mut keys: Vec<InstanceKey> = stored.keys().chain(merged.keys()).collect();
    keys.sort();
    keys.dedup();
    keys.retain(|key| match (stored.get(*key), merged.get(*key)) {
        (Some(one), Some(other)) => one.entries != other.entries && sorted(one) != sorted(other),
        (None, None) => false,
        (Some(_), None) | (None, Some(_)) => true,
    });
    keys
}

/// The properties of a stored copy that are the user's own and survive an update.
fn is_own(name: &ICalendarProperty) -> bool {
    match name {
        ICalendarProperty::Transp
        | ICalendarProperty::Class
        | ICalendarProperty::Color
        | ICalendarProperty::Categories
        | ICalendarProperty::Comment => true,
        ICalendarProperty::Other(name) => {
            let name = name.to_ascii_uppercase();
            name.starts_with("X-MOZ-") || name.starts_with("X-APPLE-")
        }
        _ => false,
    }
}

/// The organizer's new version of an instance with the user's own properties and answer put back.
fn with_own_properties(
    (stored, key): (&CalendarObject, InstanceKey),
    (mut incoming, zones): (ICalendarComponent, &Zones),
    addresses: &[Address],
) -> ICalendarComponent {
    let Some(held) = stored.get(key) else {
        if let Some(master) = stored.master().filter(|_| !is_moved(&incoming, key, zones)) {
            keep_answer(master.attendee_among(addresses), &mut incoming, addresses, false);
        }
        return incoming;
    };
    let rescheduled = is_rescheduled((held, stored.zones()), (&incoming, zones));
    keep_answer(held.attendee_among(addresses), &mut incoming, addresses, rescheduled);
    incoming.entries.retain(|entry| !is_own(&entry.name));
    incoming.entries.extend(held.entries.iter().filter(|entry| is_own(&entry.name)).cloned());
    incoming
}

/// Whether an override takes place at another time than the instance that it overrides.
fn is_moved(component: &ICalendarComponent, key: InstanceKey, zones: &Zones) -> bool {
    component.moment(&ICalendarProperty::Dtstart, zones) != key.moment()
}

/// Puts the user's own PARTSTAT back; when the time changed it is NEEDS-ACTION again.
///
/// The organizer's idea of it never counts, not even where the user has said nothing yet: what the first delivery
/// of a message reset, the second would otherwise set again.
fn keep_answer(own: Option<Party<'_>>, incoming: &mut ICalendarComponent, addresses: &[Address], rescheduled: bool) {
    let Some(own) = own else { return };
    let unanswered = ICalendarParticipationStatus::NeedsAction;
    let answer = own.partstat().filter(|_| !rescheduled).cloned().unwrap_or(unanswered.clone());
    let is_attendee = |entry: &&mut ICalendarEntry| entry.name == ICalendarProperty::Attendee;
    let own_entry = incoming.entries.iter_mut().filter(is_attendee).find(|entry| Party(entry).is_among(addresses));
    // An absent PARTSTAT says NEEDS-ACTION already (RFC 5545 §3.2.12).
    if let Some(entry) = own_entry.filter(|entry| *Party(entry).partstat().unwrap_or(&unanswered) != answer) {
        set_partstat(entry, answer);
    }
}

/// An ADD as it stands in RFC 5546 §3.2.4 has no RECURRENCE-ID and one component; ours, like many others, name the instance.
fn name_added_instance(object: CalendarObject) -> Result<CalendarObject, CalendarObject> {
    if object.master().is_some() { Err(object) } else { Ok(object) }
}

/// An ADD in the form of RFC 5546 §3.2.4: the instance is treated as if an RDATE in the master named it.
fn add_to_series(
    held: Held<'_>,
    added: CalendarObject,
    mut revisions: Revisions,
    context: Context<'_>,
) -> Result<Decision, Refusal> {
    let (Some(stored), Some(component)) = (held.object, added.master()) else { return Err(Refusal::EventNotFound) };
    let start = component.property(&ICalendarProperty::Dtstart).ok_or(Refusal::ICalendarParseError)?;
    let moment = added.zones().moment(start).ok_or(Refusal::ICalendarParseError)?;
    let key = InstanceKey::This(moment);
    let revision = component.revision();
    if held.revisions.is_stale(InstanceKey::Master, revision) || held.revisions.is_stale(key, revision) {
        return Err(Refusal::OutOfSequence);
    }
    let mut instance = component.clone();
    instance.entries.push(ICalendarEntry { name: ICalendarProperty::RecurrenceId, ..start.clone() });
    let instance = with_own_properties((stored, key), (instance, added.zones()), context.author.addresses);
    let mut merged = stored.clone();
    merged.adopt_zones(&added);
    put_component(&mut merged, key, instance);
    if let Some(master) = merged.get_mut(InstanceKey::Master) {
        let known = master.properties(&ICalendarProperty::Rdate).flat_map(|entry| added.zones().moments(entry));
        if !known.into_iter().any(|known| known == moment) {
            master.entries.push(ICalendarEntry { name: ICalendarProperty::Rdate, ..start.clone() });
        }
    }
    revisions.take(key, revision, false);
    let changed = changed_keys(stored, &merged);
    if changed.is_empty() {
        return Ok(nothing_new(held, revisions));
    }
    Ok(Decision {
        verdict: Verdict::Applied,
        reason: Reason::Updated,
        store: Some(merged),
        revisions: Some(revisions),
        changed,
        outgoing: Vec::new(),
    })
}

/// The series is not held: its organizer is asked for the whole (RFC 5546 §3.2.4, §3.2.6).
fn ask_for_whole(added: &CalendarObject, context: Context<'_>) -> Result<Decision, Refusal> {
    let component = added.master().ok_or(Refusal::EventNotFound)?;
    let organizer = component.organizer().ok_or(Refusal::NoSchedulingInfo)?;
    let from = match component.attendee_among(context.author.addresses) {
        Some(own) => own.address(),
        None => context.author.addresses.first().cloned().ok_or(Refusal::NotOrganizerNorAttendee)?,
    };
    let mut refresh = ICalendarComponent { component_type: component.component_type.clone(), ..Default::default() };
    let identifies =
        |entry: &&ICalendarEntry| matches!(entry.name, ICalendarProperty::Uid | ICalendarProperty::Organizer);
    refresh.entries = component.entries.iter().filter(identifies).cloned().collect();
    refresh.entries.push(plain_party(ICalendarProperty::Attendee, &format!("mailto:{from}")));
    refresh.set_dtstamp(context.author.now);
    let mut object = added.envelope(ICalendarMethod::Refresh, context.author.prodid);
    object.insert(InstanceKey::Master, refresh);
    let occasion = Occasion::Update(Method::Refresh);
    let summary = Summary::new(occasion, component, added.zones(), Participants::Hidden);
    let to = vec![organizer.address()];
    let outgoing = vec![Outgoing { from, to, method: Method::Refresh, summary, object }];
    Ok(Decision { outgoing, ..Decision::unchanged(Reason::AskedForWhole) })
}
