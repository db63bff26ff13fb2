//! ADD: the organizer adds an instance to a series (RFC 5546 §3.2.4).
//!
//! | held | the instance | what happens |
//! |---|---|---|
//! | an object or nothing | has a RECURRENCE-ID | the same as a REQUEST of that instance |
//! | an object | has none | it joins the series as if an RDATE named it |
//! | an object, or a CANCEL is remembered | is older than that | out of sequence |
//! | nothing | has none, and names the user | REFRESH to the organizer, once |
//! | nothing | has none, and does not name the user | waits for the user |
//! | nothing | is of a journal | refused: there is no REFRESH for one (RFC 5546 §3.5.2) |

use calcard::icalendar::{ICalendarComponent, ICalendarEntry, ICalendarMethod, ICalendarProperty};

use super::own::with_own_properties;
use super::request::{Incoming, is_same_object, put_component, remembered, take, updated};
use super::standing::organizer_as_sender;
use super::{Admission, Context, Held, ItipMessage, Known, clean, nothing_new};
use crate::itip::address::Address;
use crate::itip::announce::question;
use crate::itip::component::ComponentExt;
use crate::itip::decision::{Decision, Outgoing, Reason, Refusal};
use crate::itip::instance::InstanceKey;
use crate::itip::method::Method;
use crate::itip::object::{CalendarObject, Kind};
use crate::itip::summary::{Occasion, Participants, Summary};

pub(super) fn receive(held: Held<'_>, message: ItipMessage, context: Context<'_>) -> Result<Decision, Refusal> {
    let organizer = organizer_as_sender(held.known(), &message.object, context)?;
    let mut object = message.object;
    clean(&mut object);
    let incoming = Incoming::new(object);
    // RFC 5546 §3.2.4 has one component without RECURRENCE-ID; our own ADDs, like many others, name the instance.
    let Some(added) = Added::of(&incoming)? else { return take(held, incoming, organizer, context) };
    let held = held.known();
    match held.object {
        Some(stored) => join_series(held, stored, &incoming, &added, (organizer, context)),
        None => ask_for_whole(held, &incoming, &added, (organizer, context)),
    }
}

/// The one component of an ADD as RFC 5546 §3.2.4 has it.
struct Added {
    component: ICalendarComponent,
    /// Its DTSTART, which names the instance.
    start: ICalendarEntry,
    key: InstanceKey,
}

impl Added {
    /// Nothing when the message names its instances by RECURRENCE-ID.
    fn of(incoming: &Incoming) -> Result<Option<Self>, Refusal> {
        let Some(component) = incoming.object.master() else { return Ok(None) };
        let start = component.property(&ICalendarProperty::Dtstart).ok_or(Refusal::ICalendarParseError)?.clone();
        let moment = incoming.object.zones().moment(&start).ok_or(Refusal::ICalendarParseError)?;
        Ok(Some(Self { component: component.clone(), start, key: InstanceKey::This(moment) }))
    }

    fn is_stale(&self, held: Known<'_>, incoming: &Incoming) -> bool {
        let revision = incoming.revision(&self.component);
        held.is_stale(InstanceKey::Master, revision) || held.is_stale(self.key, revision)
    }
}

/// The instance is treated as if an RDATE in the master named it.
fn join_series(
    held: Known<'_>,
    stored: &CalendarObject,
    incoming: &Incoming,
    added: &Added,
    (organizer, context): (Address, Context<'_>),
) -> Result<Decision, Refusal> {
    if added.is_stale(held, incoming) {
        return Err(Refusal::OutOfSequence);
    }
    let mut instance = added.component.clone();
    instance.entries.push(ICalendarEntry { name: ICalendarProperty::RecurrenceId, ..added.start.clone() });
    let zones = incoming.object.zones();
    let instance = with_own_properties((stored, added.key), (instance, zones), context.author.addresses);
    let mut merged = stored.clone();
    merged.adopt_zones(&incoming.object);
    put_component(&mut merged, added.key, instance);
    let zones = merged.zones().clone();
    if let Some(master) = merged.get_mut(InstanceKey::Master) {
        let known = master.properties(&ICalendarProperty::Rdate).flat_map(|entry| zones.moments(entry));
        if !known.into_iter().any(|known| Some(known) == added.key.moment()) {
            master.entries.push(ICalendarEntry { name: ICalendarProperty::Rdate, ..added.start.clone() });
        }
    }
    let (mut revisions, revision) = (remembered(held, organizer), incoming.revision(&added.component));
    revisions.take(added.key, revision, added.component.is_cancelled());
    if held.revisions.has_taken(added.key, revision) && is_same_object(stored, &merged) {
        return Ok(nothing_new(held.revisions, revisions));
    }
    Ok(updated(merged, vec![added.key], revisions))
}

/// The series is not held: its organizer is asked for the whole (RFC 5546 §3.2.4, §3.2.6).
///
/// Only on behalf of a user who is named, and whose invitations come in by themselves: whoever answers tells the other
/// side that the address is read.
fn ask_for_whole(
    held: Known<'_>,
    incoming: &Incoming,
    added: &Added,
    (organizer, context): (Address, Context<'_>),
) -> Result<Decision, Refusal> {
    let revision = incoming.revision(&added.component);
    let mut revisions = remembered(held, organizer.clone());
    let known = Known { object: None, revisions: &revisions };
    if incoming.object.kind() == Kind::Journal {
        return Err(Refusal::EventNotFound);
    }
    if added.is_stale(known, incoming) {
        return Err(Refusal::OutOfSequence);
    }
    if revisions.has_taken(added.key, revision) {
        return Ok(nothing_new(held.revisions, revisions));
    }
    let Some(own) = added.component.attendee_among(context.author.addresses) else {
        return Ok(Decision::proposed(Reason::NotInvitedByName));
    };
    if context.policy.new_invitations == Admission::Wait {
        return Ok(Decision::proposed(Reason::WaitsForUser));
    }
    revisions.take(added.key, revision, false);
    let outgoing = vec![refresh(incoming, &added.component, (own.address(), organizer), context)];
    Ok(Decision { revisions: Some(revisions), outgoing, ..Decision::unchanged(Reason::AskedForWhole) })
}

/// The REFRESH to the organizer (RFC 5546 §3.2.6).
fn refresh(
    incoming: &Incoming,
    component: &ICalendarComponent,
    (from, organizer): (Address, Address),
    context: Context<'_>,
) -> Outgoing {
    let refresh = question(component, &from, context.author.now);
    let mut object = incoming.object.envelope(ICalendarMethod::Refresh, context.author.prodid);
    object.insert(InstanceKey::Master, refresh);
    let occasion = Occasion::Update(Method::Refresh);
    let summary = Summary::new(occasion, component, incoming.object.zones(), Participants::Hidden);
    Outgoing { from, to: vec![organizer], method: Method::Refresh, summary, object }
}
