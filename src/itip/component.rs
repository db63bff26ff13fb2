//! A typed view of one component: the properties that scheduling reads and writes.

use calcard::icalendar::{
    ICalendarComponent, ICalendarEntry, ICalendarParameter, ICalendarParameterName, ICalendarParameterValue,
    ICalendarParticipationStatus, ICalendarProperty, ICalendarScheduleAgentValue, ICalendarStatus, ICalendarValue,
};

use super::address::Address;
use super::limits;
use super::revision::{Revision, Sequence};
use super::time::{Moment, partial};
use super::zone::Zones;

/// Who sends the messages that an attendee or organizer is owed (RFC 6638 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScheduleAgent {
    Server,
    Client,
    None,
}

/// What scheduling asks of a component.
pub trait ComponentExt {
    /// SEQUENCE; an absent one is 0 (RFC 5545 §3.8.7.4).
    fn sequence(&self) -> Sequence;
    /// The revision of this component as its text says (RFC 5546 §2.1.5).
    fn revision(&self) -> Revision;
    /// The ORGANIZER property.
    fn organizer(&self) -> Option<Party<'_>>;
    /// The ATTENDEE properties, in their order.
    fn attendees(&self) -> impl Iterator<Item = Party<'_>>;
    /// The ATTENDEE that is one of `addresses`.
    fn attendee_among(&self, addresses: &[Address]) -> Option<Party<'_>>;
    /// The text of a property's first value.
    fn text(&self, name: &ICalendarProperty) -> Option<&str>;
    /// The moment of a property's first value.
    fn moment(&self, name: &ICalendarProperty, zones: &Zones) -> Option<Moment>;
    /// Whether STATUS is CANCELLED.
    fn is_cancelled(&self) -> bool;
    /// Sets a property to one value without parameters, in place where it stood, at the end otherwise.
    fn set(&mut self, name: ICalendarProperty, value: ICalendarValue);
    /// Removes every property of that name.
    fn remove(&mut self, name: &ICalendarProperty);
    /// Writes SEQUENCE.
    fn set_sequence(&mut self, sequence: Sequence);
    /// Writes DTSTAMP, Unix seconds.
    fn set_dtstamp(&mut self, unix: i64);
    /// Writes STATUS:CANCELLED.
    fn set_cancelled(&mut self);
}

impl ComponentExt for ICalendarComponent {
    fn sequence(&self) -> Sequence {
        let value = self.property(&ICalendarProperty::Sequence).and_then(|entry| entry.values.first());
        // Real mail holds numbers beyond what calcard reads as an integer; those stay text.
        let number = match value {
            Some(ICalendarValue::Integer(number)) => *number,
            Some(ICalendarValue::Text(text)) => {
                text.trim().parse::<f64>().map_or(0, |number| number.clamp(0.0, limits::SEQUENCE_MAX as f64) as i64)
            }
            _ => 0,
        };
        Sequence(number.clamp(0, limits::SEQUENCE_MAX))
    }

    fn revision(&self) -> Revision {
        let dtstamp = self.moment(&ICalendarProperty::Dtstamp, &Zones::default());
        Revision { sequence: self.sequence(), dtstamp: dtstamp.map_or(Revision::UNDATED, Moment::as_seconds) }
    }

    fn organizer(&self) -> Option<Party<'_>> {
        self.property(&ICalendarProperty::Organizer).map(Party)
    }

    fn attendees(&self) -> impl Iterator<Item = Party<'_>> {
        self.entries.iter().filter(|entry| entry.name == ICalendarProperty::Attendee).map(Party)
    }

    fn attendee_among(&self, addresses: &[Address]) -> Option<Party<'_>> {
        self.attendees().find(|attendee| attendee.is_among(addresses))
    }

    fn text(&self, name: &ICalendarProperty) -> Option<&str> {
        self.property(name).and_then(|entry| entry.values.first()).and_then(ICalendarValue::as_text)
    }

    fn moment(&self, name: &ICalendarProperty, zones: &Zones) -> Option<Moment> {
        self.property(name).and_then(|entry| zones.moment(entry))
    }

    fn is_cancelled(&self) -> bool {
        self.status() == Some(&ICalendarStatus::Cancelled)
    }

    fn set(&mut self, name: ICalendarProperty, value: ICalendarValue) {
        match self.property_mut(&name) {
            Some(entry) => {
                entry.params.clear();
                entry.values = vec![value];
            }
            None => self.entries.push(ICalendarEntry { name, params: Vec::new(), values: vec![value] }),
        }
    }

    fn remove(&mut self, name: &ICalendarProperty) {
        self.entries.retain(|entry| entry.name != *name);
    }

    fn set_sequence(&mut self, sequence: Sequence) {
        self.set(ICalendarProperty::Sequence, ICalendarValue::Integer(sequence.0));
    }

    fn set_dtstamp(&mut self, unix: i64) {
        let value = ICalendarValue::PartialDateTime(Box::new(partial(Moment::Instant(unix))));
        self.set(ICalendarProperty::Dtstamp, value);
    }

    fn set_cancelled(&mut self) {
        self.set(ICalendarProperty::Status, ICalendarValue::Status(ICalendarStatus::Cancelled));
    }
}

/// An ORGANIZER or ATTENDEE property, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct Party<'a>(pub &'a ICalendarEntry);

impl<'a> Party<'a> {
    /// The calendar address as it is written, `mailto:` and all; empty when the value is none.
    pub fn written(self) -> &'a str {
        self.0.values.first().and_then(ICalendarValue::as_text).unwrap_or("")
    }

    /// The address in comparable form.
    pub fn address(self) -> Address {
        Address::parse(self.written())
    }

    /// Whether this is one of `addresses`.
    pub fn is_among(self, addresses: &[Address]) -> bool {
        addresses.iter().any(|address| address.is(self.written()))
    }

    /// Whether this is that calendar user.
    pub fn is(self, address: &Address) -> bool {
        address.is(self.written())
    }

    /// CN, the display name.
    pub fn name(self) -> Option<&'a str> {
        self.parameter_text(&ICalendarParameterName::Cn)
    }

    /// Whoever acts for this party (RFC 5545 §3.2.18).
    pub fn sent_by(self) -> Option<Address> {
        self.parameter_text(&ICalendarParameterName::SentBy).map(Address::parse)
    }

    /// LANGUAGE, the tag of what this party reads (RFC 5545 §3.2.10).
    pub fn language(self) -> Option<&'a str> {
        self.parameter_text(&ICalendarParameterName::Language)
    }

    /// PARTSTAT; nothing where it is absent or unknown, which counts as NEEDS-ACTION (RFC 5545 §3.2.12).
    pub fn partstat(self) -> Option<&'a ICalendarParticipationStatus> {
        match self.0.parameter(&ICalendarParameterName::Partstat) {
            Some(ICalendarParameterValue::Partstat(partstat)) => Some(partstat),
            _ => None,
        }
    }

    /// Whether the party has answered in any way.
    pub fn has_answered(self) -> bool {
        !matches!(self.partstat(), None | Some(ICalendarParticipationStatus::NeedsAction))
    }

    /// Whether RSVP is FALSE; absent is not the same here (itip-rules: only an explicit FALSE excludes).
    pub fn waives_rsvp(self) -> bool {
        self.parameter_text(&ICalendarParameterName::Rsvp).is_some_and(|rsvp| rsvp.eq_ignore_ascii_case("FALSE"))
    }

    /// SCHEDULE-AGENT; absent is SERVER, unknown is NONE (RFC 6638 §7.1).
    pub fn agent(self) -> ScheduleAgent {
        match self.0.parameter(&ICalendarParameterName::ScheduleAgent) {
            None | Some(ICalendarParameterValue::ScheduleAgent(ICalendarScheduleAgentValue::Server)) => {
                ScheduleAgent::Server
            }
            Some(ICalendarParameterValue::ScheduleAgent(ICalendarScheduleAgentValue::Client)) => ScheduleAgent::Client,
            Some(_) => ScheduleAgent::None,
        }
    }

    /// Whether SCHEDULE-FORCE-SEND asks for a message in any case (RFC 6638 §7.2).
    pub fn is_forced(self) -> bool {
        self.0.has_parameter(&ICalendarParameterName::ScheduleForceSend)
    }

    /// The addresses of a parameter that lists calendar users (DELEGATED-TO, DELEGATED-FROM, MEMBER).
    pub fn addresses(self, name: &'a ICalendarParameterName) -> impl Iterator<Item = Address> + 'a {
        self.0.parameters(name).filter_map(ICalendarParameterValue::as_text).map(Address::parse)
    }

    fn parameter_text(self, name: &ICalendarParameterName) -> Option<&'a str> {
        self.0.parameter(name).and_then(ICalendarParameterValue::as_text)
    }
}

/// Sets or replaces a parameter, at the end where it was absent.
pub fn set_parameter(entry: &mut ICalendarEntry, name: ICalendarParameterName, value: ICalendarParameterValue) {
    match entry.params.iter_mut().find(|param| param.name == name) {
        Some(param) => param.value = value,
        None => entry.params.push(ICalendarParameter { name, value }),
    }
}

/// Removes every parameter of that name.
pub fn remove_parameter(entry: &mut ICalendarEntry, name: &ICalendarParameterName) {
    entry.params.retain(|param| param.name != *name);
}

/// Writes PARTSTAT.
pub fn set_partstat(entry: &mut ICalendarEntry, partstat: ICalendarParticipationStatus) {
    set_parameter(entry, ICalendarParameterName::Partstat, ICalendarParameterValue::Partstat(partstat));
}

/// Removes what never leaves the calendar that it stands in (RFC 6638 §7: SCHEDULE-AGENT, -STATUS, -FORCE-SEND).
pub fn strip_schedule_parameters(entry: &mut ICalendarEntry) {
    entry.params.retain(|param| {
        !matches!(
            param.name,
            ICalendarParameterName::ScheduleAgent
                | ICalendarParameterName::ScheduleStatus
                | ICalendarParameterName::ScheduleForceSend
        )
    });
}

/// An ATTENDEE or ORGANIZER that names `address` and nothing else.
pub fn plain_party(name: ICalendarProperty, written: &str) -> ICalendarEntry {
    let value = ICalendarValue::Uri(calcard::icalendar::Uri::Location(written.to_owned()));
    ICalendarEntry { name, params: Vec::new(), values: vec![value] }
}
