//! As much iCalendar as the demo reads, on purpose not by the library that imipd writes it with.

use chrono::{DateTime, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;

/// The components of a stored calendar object that are meetings: the master and its overrides.
pub struct CalendarObject {
    pub events: Vec<Event>,
}

/// The properties of one VEVENT, without those of its subcomponents.
pub struct Event {
    properties: Vec<Property>,
}

pub struct Property {
    pub name: String,
    parameters: Vec<(String, String)>,
    pub value: String,
}

impl CalendarObject {
    pub fn parse(text: &str) -> Self {
        let mut events = Vec::new();
        let mut open: Vec<String> = Vec::new();
        for line in unfold(text) {
            let Some(property) = Property::parse(&line) else { continue };
            let in_event = open.last().is_some_and(|name| name == "VEVENT");
            match (property.name.as_str(), events.last_mut()) {
                ("BEGIN", _) => {
                    open.push(property.value.to_ascii_uppercase());
                    if open.last().is_some_and(|name| name == "VEVENT") {
                        events.push(Event { properties: Vec::new() });
                    }
                }
                ("END", _) => drop(open.pop()),
                (_, Some(event)) if in_event => event.properties.push(property),
                _ => {}
            }
        }
        Self { events }
    }

    pub fn master(&self) -> Option<&Event> {
        self.events.iter().find(|event| event.property("RECURRENCE-ID").is_none())
    }

    pub fn overrides(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(|event| event.property("RECURRENCE-ID").is_some())
    }

    /// The override of the instance that began at `original`.
    pub fn instance(&self, original: DateTime<Utc>) -> Option<&Event> {
        self.overrides().find(|event| event.instant("RECURRENCE-ID") == Some(original))
    }
}

impl Event {
    pub fn property(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.name == name)
    }

    /// A property's value, empty when there is none, its escapes undone.
    pub fn text(&self, name: &str) -> String {
        let value = self.property(name).map(|property| property.value.as_str()).unwrap_or_default();
        value.replace("\\n", " ").replace("\\,", ",").replace("\\;", ";").replace("\\\\", "\\")
    }

    pub fn instant(&self, name: &str) -> Option<DateTime<Utc>> {
        Some(self.property(name)?.local()?.to_utc())
    }

    /// The time in the zone it is written in.
    pub fn local(&self, name: &str) -> Option<DateTime<Tz>> {
        self.property(name)?.local()
    }

    pub fn is_cancelled(&self) -> bool {
        self.text("STATUS") == "CANCELLED"
    }

    /// What the attendee has answered; `None` when not invited.
    ///
    /// An absent PARTSTAT is NEEDS-ACTION, RFC 5545 §3.2.12.
    pub fn partstat(&self, address: &str) -> Option<&str> {
        let attendee = self.attendees().find(|attendee| attendee.address() == address)?;
        Some(attendee.parameter("PARTSTAT").unwrap_or("NEEDS-ACTION"))
    }

    pub fn attendees(&self) -> impl Iterator<Item = &Property> {
        self.properties.iter().filter(|property| property.name == "ATTENDEE")
    }
}

impl Property {
    fn parse(line: &str) -> Option<Self> {
        let colon = outside_quotes(line, ':').next()?;
        let (head, value) = (line.get(..colon)?, line.get(colon + 1..)?);
        let mut from = 0;
        let mut pieces = Vec::new();
        for end in outside_quotes(head, ';').chain([head.len()]) {
            pieces.push(head.get(from..end)?);
            from = end + 1;
        }
        let (name, parameters) = pieces.split_first()?;
        let parameters = parameters
            .iter()
            .filter_map(|piece| piece.split_once('='))
            .map(|(name, value)| (name.to_ascii_uppercase(), value.trim_matches('"').to_owned()));
        Some(Self { name: name.to_ascii_uppercase(), parameters: parameters.collect(), value: value.to_owned() })
    }

    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The mail address in a calendar address.
    pub fn address(&self) -> String {
        let lower = self.value.to_ascii_lowercase();
        lower.strip_prefix("mailto:").unwrap_or(&lower).to_owned()
    }

    fn local(&self) -> Option<DateTime<Tz>> {
        let (zone, time) = match self.value.strip_suffix('Z') {
            Some(time) => (Tz::UTC, time),
            None => (self.parameter("TZID")?.parse().ok()?, self.value.as_str()),
        };
        let time = NaiveDateTime::parse_from_str(time, "%Y%m%dT%H%M%S").ok()?;
        zone.from_local_datetime(&time).earliest()
    }
}

/// The logical lines of an iCalendar text.
fn unfold(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// Where `wanted` stands in the text, outside quoted parameter values.
fn outside_quotes(text: &str, wanted: char) -> impl Iterator<Item = usize> {
    let mut quoted = false;
    text.char_indices().filter_map(move |(position, character)| {
        quoted ^= character == '"';
        (character == wanted && !quoted).then_some(position)
    })
}
