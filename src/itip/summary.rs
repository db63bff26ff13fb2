//! What a message says at a glance: for the subject and the text of the mail, and for scenarios.

use calcard::icalendar::{
    ICalendarComponent, ICalendarEntry, ICalendarParticipationStatus, ICalendarProperty, ICalendarRecurrenceRule,
    ICalendarValue,
};

use super::address::Address;
use super::change::end;
use super::component::ComponentExt;
use super::method::Method;
use super::time::Moment;
use super::zone::Zones;

/// The occasion of a message with the values that a reader wants to see.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    pub occasion: Occasion,
    /// The current values.
    pub current: Vec<Field>,
    /// The values before the change, only those that differ.
    pub previous: Vec<Field>,
    /// What else a reader needs to see old beside new; nothing when nothing is replaced.
    pub replaced: Option<Replaced>,
}

/// What an update replaces, apart from the values of [`Summary::previous`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// When it ended.
    pub end: Option<Moment>,
    /// Which values there were at all.
    pub fields: Vec<FieldName>,
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
        Self { occasion, current, previous: Vec::new(), replaced: None }
    }

    /// The summary of an update: the values of `now`, and those of `before` that differ.
    pub fn of_update(
        occasion: Occasion,
        (now, zones): (&ICalendarComponent, &Zones),
        (before, zones_before): (&ICalendarComponent, &Zones),
    ) -> Self {
        let mut summary = Self::new(occasion, now, zones, Participants::Shown);
        let differing = VALUES.into_iter().filter(|name| {
            let written = (property(now, *name), property(before, *name));
            written.0 != written.1 || *name == FieldName::Dtstart
        });
        let mut previous: Vec<Field> = differing.filter_map(|name| field(name, before, zones_before)).collect();
        let fields = VALUES.into_iter().filter(|name| property(before, *name).is_some()).collect();
        summary.replaced = Some(Replaced { end: end(before, zones_before), fields });
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

/// All fields but the participants.
const VALUES: [FieldName; 5] =
    [FieldName::Description, FieldName::Dtstart, FieldName::Location, FieldName::Rrule, FieldName::Summary];

fn fields(component: &ICalendarComponent, zones: &Zones) -> Vec<Field> {
    let participants = participants(component).map(|value| Field { name: FieldName::Attendee, value });
    let values = VALUES.into_iter().filter_map(|name| field(name, component, zones));
    participants.into_iter().chain(values).collect()
}

/// The property that a field shows; that of ATTENDEE shows many.
fn property(component: &ICalendarComponent, name: FieldName) -> Option<&ICalendarEntry> {
    component.property(match name {
        FieldName::Attendee => &ICalendarProperty::Attendee,
        FieldName::Description => &ICalendarProperty::Description,
        FieldName::Dtstart => &ICalendarProperty::Dtstart,
        FieldName::Location => &ICalendarProperty::Location,
        FieldName::Rrule => &ICalendarProperty::Rrule,
        FieldName::Summary => &ICalendarProperty::Summary,
    })
}

fn field(name: FieldName, component: &ICalendarComponent, zones: &Zones) -> Option<Field> {
    let entry = property(component, name)?;
    let value = match name {
        FieldName::Attendee => participants(component)?,
        FieldName::Dtstart => {
            let start = zones.moment(entry)?.as_seconds();
            ItipValue::Time(ItipTime { start, tz_id: zones.of_entry(entry).calcard_id() })
        }
        FieldName::Rrule => match entry.values.first()? {
            ICalendarValue::RecurrenceRule(rule) => ItipValue::Rrule(rule.clone()),
            _ => return None,
        },
        FieldName::Description | FieldName::Location | FieldName::Summary => {
            let text = entry.values.first()?.as_text().filter(|text| !text.is_empty())?;
            ItipValue::Text(text.to_owned())
        }
    };
    Some(Field { name, value })
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
