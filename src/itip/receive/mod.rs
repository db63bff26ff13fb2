//! What a message does to the calendar of the user who received it (RFC 5546 §3).
//!
//! Every method has a file with the same four parts: is it for us and may they; is it new; what changes; what do we
//! answer. What all methods share is checked here, before.

mod cancel;
mod counter;
mod refresh;
mod reply;
mod request;

use calcard::icalendar::ICalendarComponent;

use super::address::Address;
use super::announce::Author;
use super::component::ComponentExt;
use super::decision::{Decision, Reason, Refusal};
use super::method::Method;
use super::object::CalendarObject;
use super::revision::Revisions;

/// What the user holds of the UID that a message speaks of.
#[derive(Clone, Copy, Debug)]
pub struct Held<'a> {
    pub object: Option<&'a CalendarObject>,
    pub revisions: &'a Revisions,
}

/// A scheduling message as it came in.
#[derive(Clone, Debug)]
pub struct ItipMessage {
    pub method: Method,
    /// The calendar, METHOD included.
    pub object: CalendarObject,
}

impl ItipMessage {
    /// Reads a message; the METHOD in the calendar counts, `method_parameter` where it is missing (RFC 6047 §2.4).
    pub fn parse(text: &str, method_parameter: Option<Method>) -> Result<Self, Refusal> {
        let object = CalendarObject::parse(text)?;
        let method = match object.method() {
            Some(written) => Method::parse(written).ok_or_else(|| Refusal::UnsupportedMethod(written.to_owned()))?,
            None => method_parameter.ok_or(Refusal::MissingMethod)?,
        };
        Ok(Self { method, object })
    }
}

/// What the engine has to know besides the message and what is held.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub author: Author<'a>,
    /// Who sent the mail.
    pub sender: &'a Address,
    pub policy: Policy,
}

/// What the user or the site leaves to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    pub new_invitations: Admission,
    pub party_crashers: PartyCrashers,
}

/// What happens with an invitation to something that is not held yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is added to the calendar.
    Add,
    /// It waits until the user accepts or declines it.
    Wait,
}

/// What happens with an answer from somebody who was never invited (RFC 5546 §3.2.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartyCrashers {
    Refuse,
    Propose,
}

impl Default for Policy {
    fn default() -> Self {
        Self { new_invitations: Admission::Add, party_crashers: PartyCrashers::Refuse }
    }
}

/// Decides what a message does.
///
/// Never fails: a stale message or a stranger is normal input, and the decision says why.
pub fn receive(held: Held<'_>, message: ItipMessage, context: Context<'_>) -> Decision {
    let outcome = match message.method {
        Method::Request | Method::Add => request::receive(held, message, context),
        Method::Cancel => cancel::receive(held, message, context),
        Method::Reply => reply::receive(held, message, context),
        Method::Refresh => refresh::receive(held, &message, context),
        Method::Counter => counter::counter(held, &message, context),
        Method::DeclineCounter => counter::decline_counter(held, &message, context),
        // RFC 5546 §3.2.1: an announcement, not an invitation; ticket shops send them by the thousand.
        Method::Publish => Err(Refusal::UnsupportedMethod(Method::Publish.as_str().to_owned())),
    };
    outcome.unwrap_or_else(Decision::refused)
}

/// The ORGANIZER of a message from an organizer, after checking that the sender is it (itip-rules: REQUEST, ADD, CANCEL, DECLINECOUNTER).
///
/// Where an object is held its ORGANIZER counts, not the message's: whoever forges a message writes the message.
fn organizer_as_sender(held: Held<'_>, message: &CalendarObject, context: Context<'_>) -> Result<Address, Refusal> {
    let claimed = message.organizer()?.ok_or(Refusal::NoSchedulingInfo)?;
    if context.author.addresses.contains(&claimed) {
        return Err(Refusal::OrganizerIsLocalAddress);
    }
    let stored = held.object.map(CalendarObject::organizer).transpose()?.flatten();
    let organizer = stored.as_ref().unwrap_or(&claimed);
    let party_source = held.object.unwrap_or(message);
    if !speaks_for_organizer(party_source, organizer, context.sender) {
        return Err(not_organizer(held, context.sender));
    }
    if *organizer != claimed {
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

fn not_organizer(held: Held<'_>, sender: &Address) -> Refusal {
    let is_fellow = held.object.is_some_and(|object| object.has_attendee(std::slice::from_ref(sender)));
    if is_fellow { Refusal::NotOrganizer } else { Refusal::SenderIsNotOrganizerNorAttendee }
}

/// The held object of a message to its organizer, after checking that the user is the organizer.
fn held_by_organizer<'a>(
    held: Held<'a>,
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
        _ => Ok(object),
    }
}

/// A decision that says that nothing is new, but remembers the order of messages if that moved on.
fn nothing_new(held: Held<'_>, revisions: Revisions) -> Decision {
    let moved = revisions != *held.revisions;
    Decision { revisions: moved.then_some(revisions), ..Decision::unchanged(Reason::NothingNew) }
}
