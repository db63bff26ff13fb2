//! What a message does to the calendar of the user who received it (RFC 5546 §3).
//!
//! Every method has a file with the same four parts: is it for us and may they; is it new; what changes; what do we
//! answer. What all methods share is checked here, before.

mod add;
mod cancel;
mod counter;
mod own;
mod publish;
mod refresh;
mod reply;
mod request;
mod sent;
mod standing;

pub use sent::sent;
pub use standing::names_delegate;

use std::borrow::Cow;

use super::address::Address;
use super::announce::Author;
use super::component::{ComponentExt, strip_schedule_parameters};
use super::decision::{Decision, Reason, Refusal};
use super::instance::InstanceKey;
use super::limits;
use super::method::Method;
use super::object::{CalendarObject, Kind};
use super::revision::{Revision, Revisions, Sequence};
use super::time::Moment;

/// What the user holds of the UID that a message speaks of.
///
/// An object that is handed over is changed in place; a borrowed one is copied if the message changes it.
#[derive(Clone, Debug)]
pub struct Held<'a> {
    pub object: Option<Cow<'a, CalendarObject>>,
    pub revisions: &'a Revisions,
}

impl Held<'_> {
    fn known(&self) -> Known<'_> {
        Known { object: self.object.as_deref(), revisions: self.revisions }
    }
}

/// What is held, for looking at.
#[derive(Clone, Copy, Debug)]
struct Known<'a> {
    object: Option<&'a CalendarObject>,
    revisions: &'a Revisions,
}

impl Known<'_> {
    /// Whether a message of the organizer about `key` comes too late.
    ///
    /// Where nothing is remembered the stored SEQUENCE counts: a lower one must not update it (RFC 5546 §4.1.2). The
    /// stored DTSTAMP says nothing, since any client of the user may have written it.
    fn is_stale(self, key: InstanceKey, incoming: Revision) -> bool {
        let is_remembered = self.revisions.instances.contains_key(&key);
        let below_stored = !is_remembered && incoming.sequence < self.sequence(key);
        below_stored || self.revisions.is_stale(key, incoming)
    }

    /// How far the SEQUENCE of an instance has come: as remembered, or else as stored.
    fn sequence(self, key: InstanceKey) -> Sequence {
        let remembered = self.revisions.instances.get(&key).map(|taken| taken.revision.sequence);
        let stored = || self.object.and_then(|object| object.get(key)).map(ComponentExt::sequence);
        remembered.or_else(stored).unwrap_or_default()
    }
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
            Some(written) => Method::parse(written).ok_or_else(|| Refusal::UnsupportedMethod(printable(written)))?,
            None => method_parameter.ok_or(Refusal::MissingMethod)?,
        };
        Ok(Self { method, object })
    }
}

/// The name of an unknown method, fit for a log: short, and without anything but letters, digits and hyphens.
fn printable(written: &str) -> String {
    let printable = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '?' };
    written.chars().take(limits::METHOD_NAME_CHARS_MAX).map(printable).collect()
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
    pub publications: Publications,
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

/// What happens with what somebody publishes to the user without inviting them (RFC 5546 §3.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publications {
    Refuse,
    /// It is added to the calendar, and follows its publisher.
    Import,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            new_invitations: Admission::Add,
            party_crashers: PartyCrashers::Refuse,
            publications: Publications::Refuse,
        }
    }
}

/// Decides what a message does.
///
/// Never fails: a stale message or a stranger is normal input, and the decision says why.
pub fn receive(held: Held<'_>, mut message: ItipMessage, context: Context<'_>) -> Decision {
    let checked = check(held.known(), &message, context);
    if let (Ok(()), Some(series)) = (&checked, held.object.as_deref()) {
        name_instances(&mut message.object, series);
    }
    let outcome = checked.and_then(|()| match message.method {
        Method::Request => request::receive(held, message, context),
        Method::Add => add::receive(held, message, context),
        Method::Cancel => cancel::receive(held.known(), message, context),
        Method::Reply => reply::receive(held, message, context),
        Method::Refresh => refresh::receive(held.known(), &message, context),
        Method::Counter => counter::counter(held.known(), &message, context),
        Method::DeclineCounter => counter::decline_counter(held.known(), &message, context),
        Method::Publish => publish::receive(held, message, context),
    });
    outcome.unwrap_or_else(Decision::refused)
}

/// Has a message about instances that it names by their days speak of them by their times, as the series does.
fn name_instances(message: &mut CalendarObject, series: &CalendarObject) {
    if message.master().is_some() {
        return;
    }
    let is_day = |key: &InstanceKey| matches!(key.moment(), Some(Moment::Date(_)));
    let days: Vec<InstanceKey> = message.keys().filter(is_day).take(limits::INSTANCES_ASKED_MAX).collect();
    for day in days {
        let instance = series.on_series_clock(day);
        if instance != day {
            message.rename(day, instance);
        }
    }
}

/// What has to hold for a message of any method.
fn check(held: Known<'_>, message: &ItipMessage, context: Context<'_>) -> Result<(), Refusal> {
    if !is_scheduled(message.object.kind(), message.method) {
        return Err(Refusal::InvalidComponentType);
    }
    // A mail without a usable author speaks for nobody, not even for an ORGANIZER that is just as empty.
    if !context.sender.is_mailable() {
        return Err(Refusal::SenderIsNotOrganizerNorAttendee);
    }
    if held.object.is_some_and(|object| object.kind() != message.object.kind()) {
        return Err(Refusal::MultipleObjectTypes);
    }
    if !says_when(message.method) {
        return Ok(());
    }
    match (message.object.has_readable_starts(), message.object.has_bearable_rules()) {
        (false, _) => Err(Refusal::ICalendarParseError),
        (true, false) => Err(Refusal::EventTooLarge),
        (true, true) => Ok(()),
    }
}

/// Whether the times of a message are taken, so that they have to be times; what calls off or answers has its instance alone.
fn says_when(method: Method) -> bool {
    match method {
        Method::Publish | Method::Request | Method::Add | Method::Counter => true,
        Method::Reply | Method::Cancel | Method::Refresh | Method::DeclineCounter => false,
    }
}

/// Whether iTIP has this method for this kind of component (RFC 5546 §3, the table of methods).
fn is_scheduled(kind: Kind, method: Method) -> bool {
    match (kind, method) {
        (Kind::Event | Kind::Todo, _) => true,
        (Kind::Journal, Method::Publish | Method::Add | Method::Cancel) => true,
        (
            Kind::Journal,
            Method::Request | Method::Reply | Method::Refresh | Method::Counter | Method::DeclineCounter,
        ) => false,
    }
}

/// When a message was sent: the latest DTSTAMP of its components.
///
/// Some clients stamp a component when it changes and not when it is sent, so only the latest of them dates the message.
fn sent_at(message: &CalendarObject) -> i64 {
    let stamps = message.components().map(|(_, component)| component.revision().dtstamp);
    stamps.max().unwrap_or(Revision::UNDATED)
}

/// The messages of an organizer are stored without METHOD, without the organizer's alarms, and without the scheduling
/// parameters that had no business in them (RFC 6638 §7).
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

/// A decision that says that nothing is new, but remembers the order of messages if that moved on.
fn nothing_new(known: &Revisions, revisions: Revisions) -> Decision {
    let moved = revisions != *known;
    Decision { revisions: moved.then_some(revisions), ..Decision::unchanged(Reason::NothingNew) }
}
