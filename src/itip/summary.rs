//! What a message says at a glance: for the subject and the text of the mail, and for scenarios.

use calcard::icalendar::{
    ICalendarComponent, ICalendarParticipationStatus, ICalendarProperty, ICalendarRecurrenceRule, ICalendarValue,
};

use super::address::Address;
use super::component::ComponentExt;
use super::method::Method;
use super::zone::Zones;

/// The occasion of a message with the values that a reader wants to see.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    pub occasion: Occasion,
    /// The current values.
    pub current: Vec<Field>,
    /// The values before the change, only those that differ.
    pub previous: Vec<Field>,
}

/// Why a message is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Occasion {
    Invite,
    Update(Method),
    Cancel,
    Rsvp(ICalendarParticipationStatus),
}

/// One value of a summary.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub name: FieldName,
    pub value: ItipValue,
}

/// The values that a summary can show, in the order of their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldName {
    Attendee,
    Description,
    Dtstart,
    Location,
    Rrule,
    Summary,
}

impl FieldName {
    pub fn as_str(self) -> &'static str {
        match self {
            FieldName::Attendee => "attendee",
            FieldName::Description => "description",
            FieldName::Dtstart => "dtstart",
            FieldName::Location => "location",
            FieldName::Rrule => "rrule",
            FieldName::Summary => "summary",
        }
    }
}

/// A value of a summary; its `Debug` form is part of the scenario language.
#[derive(Clone, Debug, PartialEq)]
pub enum ItipValue {
    Participants(Vec<ItipParticipant>),
    Text(String),
    Time(ItipTime),
    Rrule(Box<ICalendarRecurrenceRule>),
}

/// Somebody who takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItipParticipant {
    /// The mail address, lower case.
    pub email: String,
    pub name: Option<String>,
    pub is_organizer: bool,
}

/// When something starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItipTime {
    /// Unix seconds; for floating times and dates as if they were UTC.
    pub start: i64,
    /// calcard's number of the zone that TZID names; 32768 without TZID.
    pub tz_id: u16,
}

/// Whether a summary lists who takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Participants {
    Shown,
    /// A message that comes from deleting the object leaves them out.
    Hidden,
}

impl Summary {
    /// The summary of a message about `component`.
    pub fn new(occasion: Occasion, component: &ICalendarComponent, zones: &Zones, participants: Participants) -> Self {
        let mut current = fields(component, zones);
        if participants == Participants::Hidden {
            current.retain(|field| field.name != FieldName::Attendee);
        }
        Self { occasion, current, previous: Vec::new() }
    }

    /// The summary of an update: the values of `now`, and those of `before` that differ.
    pub fn of_update(
        occasion: Occasion,
        (now, zones): (&ICalendarComponent, &Zones),
        (before, zones_before): (&ICalendarComponent, &Zones),
    ) -> Self {
        let mut summary = Self::new(occasion, now, zones, Participants::Shown);
        let mut previous = values(before, zones_before);
        if !same_parties(now, before) {
            previous.extend(participants(before).map(|value| Field { name: FieldName::Attendee, value }));
        }
        previous.retain(|field| !summary.current.contains(field));
        summary.previous = previous;
        summary
    }
}

/// Whether two versions name the same people in the same way, PARTSTAT aside; a large meeting is compared in no time.
fn same_parties(one: &ICalendarComponent, other: &ICalendarComponent) -> bool {
    fn named(component: &ICalendarComponent) -> impl Iterator<Item = (&str, Option<&str>)> {
        let parties = component.organizer().into_iter().chain(component.attendees());
        parties.map(|party| (party.written(), party.name()))
    }
    named(one).eq(named(other))
}

fn fields(component: &ICalendarComponent, zones: &Zones) -> Vec<Field> {
    let participants = participants(component).map(|value| Field { name: FieldName::Attendee, value });
    participants.into_iter().chain(values(component, zones)).collect()
}

/// All fields but the participants.
fn values(component: &ICalendarComponent, zones: &Zones) -> Vec<Field> {
    let text = |property| {
        component.text(&property).filter(|text| !text.is_empty()).map(|text| ItipValue::Text(text.to_owned()))
    };
    let values = [
        (FieldName::Description, text(ICalendarProperty::Description)),
        (FieldName::Dtstart, start(component, zones)),
        (FieldName::Location, text(ICalendarProperty::Location)),
        (FieldName::Rrule, rrule(component)),
        (FieldName::Summary, text(ICalendarProperty::Summary)),
    ];
    values.into_iter().filter_map(|(name, value)| Some(Field { name, value: value? })).collect()
}

/// The organizer first, then the attendees, none twice: by name where all have one, by address otherwise.
fn participants(component: &ICalendarComponent) -> Option<ItipValue> {
    let organizer = component.organizer();
    let organizer_address = organizer.map(|party| party.address());
    let mut named: Vec<(Address, Option<&str>)> = component
        .attendees()
        .map(|party| (party.address(), party.name()))
        .filter(|(address, _)| organizer_address.as_ref() != Some(address))
        .collect();
    // The sort keeps the order of equals, so that whoever stands there twice keeps the first name.
    named.sort_by(|a, b| a.0.cmp(&b.0));
    named.dedup_by(|a, b| a.0 == b.0);
    let mut others: Vec<ItipParticipant> =
        named.into_iter().map(|(address, name)| participant(address, name, false)).collect();
    // A pair-wise rule (by name where both have one) would be no order at all when only some have names.
    if others.iter().all(|one| one.name.is_some()) {
        others.sort_by(|a, b| a.name.cmp(&b.name));
    }
    let first = organizer.zip(organizer_address).map(|(party, address)| {
        let name = party.name().or_else(|| {
            component.attendees().find(|attendee| attendee.is(&address)).and_then(|attendee| attendee.name())
        });
        participant(address, name, true)
    });
    let all: Vec<ItipParticipant> = first.into_iter().chain(others).collect();
    (!all.is_empty()).then_some(ItipValue::Participants(all))
}

fn participant(address: Address, name: Option<&str>, is_organizer: bool) -> ItipParticipant {
    ItipParticipant { email: address.into_string(), name: name.map(str::to_owned), is_organizer }
}

fn start(component: &ICalendarComponent, zones: &Zones) -> Option<ItipValue> {
    let entry = component.property(&ICalendarProperty::Dtstart)?;
    let tz_id = zones.of_entry(entry).calcard_id();
    Some(ItipValue::Time(ItipTime { start: zones.moment(entry)?.as_seconds(), tz_id }))
}

fn rrule(component: &ICalendarComponent) -> Option<ItipValue> {
    match component.property(&ICalendarProperty::Rrule)?.values.first()? {
        ICalendarValue::RecurrenceRule(rule) => Some(ItipValue::Rrule(rule.clone())),
        _ => None,
    }
}
