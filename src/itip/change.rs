//! What differs between two versions of a component, and how much that matters to the others.

use std::collections::BTreeSet;

use calcard::icalendar::{
    ICalendarComponent, ICalendarEntry, ICalendarProperty, ICalendarRecurrenceRule, ICalendarValue, ICalendarWeekday,
};

use super::address::Address;
use super::component::{ComponentExt, Party, ScheduleAgent};
use super::time::Moment;
use super::zone::{Zone, Zones};

/// How much a property matters to the other parties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// The owner's own business: never announced.
    Private,
    /// Announced, without raising SEQUENCE.
    Informs,
    /// Announced with a higher SEQUENCE (RFC 5546 §2.1.4).
    Raises,
    /// Changes when it takes place: everybody is asked again (RFC 6638 §3.2.8).
    Reschedules,
}

/// The weight of a property other than ATTENDEE.
pub fn weight(name: &ICalendarProperty) -> Weight {
    match name {
        ICalendarProperty::Dtstart
        | ICalendarProperty::Dtend
        | ICalendarProperty::Due
        | ICalendarProperty::Duration
        | ICalendarProperty::Rrule
        | ICalendarProperty::Rdate
        | ICalendarProperty::Exdate => Weight::Reschedules,
        ICalendarProperty::Status | ICalendarProperty::Location => Weight::Raises,
        ICalendarProperty::Summary
        | ICalendarProperty::Description
        | ICalendarProperty::Url
        | ICalendarProperty::Attach
        | ICalendarProperty::Conference
        | ICalendarProperty::Geo
        | ICalendarProperty::Contact
        | ICalendarProperty::Resources
        | ICalendarProperty::Priority
        | ICalendarProperty::PercentComplete
        | ICalendarProperty::Completed => Weight::Informs,
        _ => Weight::Private,
    }
}

/// What differs between two versions of one instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// The properties that differ and matter, by name, sorted.
    pub properties: BTreeSet<ICalendarProperty>,
    /// Who was added to the attendees that the gateway writes to.
    pub joined: BTreeSet<Address>,
    /// Who was taken off them, or handed to another agent, which counts as taken off (RFC 6638 §3.2.1.3).
    pub left: BTreeSet<Address>,
    /// Whether the list of attendees differs, whoever writes to them.
    pub other_list: bool,
}

impl Difference {
    /// Compares two versions of one instance.
    pub fn between(before: (&ICalendarComponent, &Zones), after: (&ICalendarComponent, &Zones)) -> Self {
        let names = suspects(before.0, after.0);
        let properties = names.into_iter().filter(|name| differs(name, before, after)).cloned().collect();
        if same_list(before.0, after.0) {
            return Self { properties, ..Self::default() };
        }
        let (was, is) = (reached(before.0), reached(after.0));
        let joined = is.difference(&was).cloned().collect();
        let left = was.difference(&is).cloned().collect();
        let other_list = attendee_set(before.0) != attendee_set(after.0);
        Self { properties, joined, left, other_list }
    }

    /// Whether there is anything that others need to know.
    pub fn is_announced(&self) -> bool {
        !self.properties.is_empty() || self.raises_sequence()
    }

    /// Whether SEQUENCE has to rise (RFC 5546 §2.1.4, and LOCATION and the attendees by our own rule).
    pub fn raises_sequence(&self) -> bool {
        let other_guests = self.other_list || !self.joined.is_empty() || !self.left.is_empty();
        other_guests || self.reaches(Weight::Raises)
    }

    /// Whether it takes place at another time.
    pub fn reschedules(&self) -> bool {
        self.reaches(Weight::Reschedules)
    }

    fn reaches(&self, least: Weight) -> bool {
        self.properties.iter().any(|name| weight(name) >= least)
    }
}

/// The properties that matter and that two versions may differ in, none twice.
///
/// Most versions list most properties in the same places. What stands unchanged in its place differs only where it follows
/// a clock, whose rules may have changed.
fn suspects<'a>(before: &'a ICalendarComponent, after: &'a ICalendarComponent) -> Vec<&'a ICalendarProperty> {
    let matters = |entry: &&ICalendarEntry| weight(&entry.name) > Weight::Private;
    let mut names: Vec<&ICalendarProperty> = Vec::new();
    let (mut was, mut is) = (before.entries.iter().filter(matters), after.entries.iter().filter(matters));
    loop {
        match (was.next(), is.next()) {
            (None, None) => break,
            (Some(one), Some(other)) if one == other && one.tz_id().is_none() => {}
            (one, other) => names.extend(one.into_iter().chain(other).map(|entry| &entry.name)),
        }
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// Whether the times of two versions of one instance differ, recurrence included.
pub fn is_rescheduled(before: (&ICalendarComponent, &Zones), after: (&ICalendarComponent, &Zones)) -> bool {
    [
        ICalendarProperty::Dtstart,
        ICalendarProperty::Dtend,
        ICalendarProperty::Duration,
        ICalendarProperty::Due,
        ICalendarProperty::Rrule,
        ICalendarProperty::Rdate,
        ICalendarProperty::Exdate,
    ]
    .iter()
    .any(|name| differs(name, before, after))
}

/// Whether two versions list the same attendees in the same spelling and order, and the gateway writes to the same of them.
fn same_list(before: &ICalendarComponent, after: &ICalendarComponent) -> bool {
    let (mut was, mut is) = (before.attendees(), after.attendees());
    loop {
        match (was.next(), is.next()) {
            (None, None) => return true,
            (Some(one), Some(other))
                if one.written() == other.written() && is_reachable(one) == is_reachable(other) => {}
            (Some(_), _) | (None, Some(_)) => return false,
        }
    }
}

/// The addresses of all attendees.
pub fn attendee_set(component: &ICalendarComponent) -> BTreeSet<Address> {
    component.attendees().map(|attendee| attendee.address()).collect()
}

/// The addresses of the attendees that the gateway writes to.
fn reached(component: &ICalendarComponent) -> BTreeSet<Address> {
    component.attendees().filter(|attendee| is_reachable(*attendee)).map(Party::address).collect()
}

/// Whether the gateway is the one that sends to this attendee (RFC 6638 §7.1).
pub fn is_reachable(party: Party<'_>) -> bool {
    party.agent() == ScheduleAgent::Server
}

/// Whether a property's meaning differs; a mere re-encoding of the same value does not.
pub fn differs(
    name: &ICalendarProperty,
    (before, zones_before): (&ICalendarComponent, &Zones),
    (after, zones_after): (&ICalendarComponent, &Zones),
) -> bool {
    let is_same_clock = |entry: &ICalendarEntry| {
        let tzid = entry.tz_id().filter(|_| weight(name) == Weight::Reschedules);
        tzid.is_none_or(|tzid| zones_before.resolve(tzid) == zones_after.resolve(tzid))
    };
    if before.properties(name).eq(after.properties(name)) && before.properties(name).all(is_same_clock) {
        return false;
    }
    match name {
        ICalendarProperty::Dtstart => starts_otherwise((before, zones_before), (after, zones_after)),
        ICalendarProperty::Dtend | ICalendarProperty::Duration | ICalendarProperty::Due => {
            end(before, zones_before) != end(after, zones_after)
        }
        ICalendarProperty::Rdate | ICalendarProperty::Exdate => {
            moments(name, before, zones_before) != moments(name, after, zones_after)
        }
        ICalendarProperty::Rrule => rules(before) != rules(after),
        _ => values(name, before) != values(name, after),
    }
}

/// Whether it starts at another time or, where it recurs, on another clock: the zone moves the later instances.
fn starts_otherwise(
    (before, zones_before): (&ICalendarComponent, &Zones),
    (after, zones_after): (&ICalendarComponent, &Zones),
) -> bool {
    let start = |component: &ICalendarComponent, zones: &Zones| component.moment(&ICalendarProperty::Dtstart, zones);
    let clock = |component: &ICalendarComponent, zones: &Zones| {
        component.has_property(&ICalendarProperty::Rrule).then(|| clock_of_start(component, zones))
    };
    let (was, is) = (start(before, zones_before), start(after, zones_after));
    was != is
        || match (clock(before, zones_before), clock(after, zones_after)) {
            (Some(was), Some(now)) => !was.runs_like(&now, is.map_or(0, Moment::as_seconds)),
            (None, None) => false,
            (Some(_), None) | (None, Some(_)) => true,
        }
}

/// The clock that DTSTART follows, and the whole series with it.
pub fn clock_of_start(component: &ICalendarComponent, zones: &Zones) -> Zone {
    let Some(entry) = component.property(&ICalendarProperty::Dtstart) else { return Zone::FLOATING };
    match entry.values.first() {
        Some(ICalendarValue::PartialDateTime(date)) if date.tz_hour.is_some() => Zone::UTC,
        _ => zones.of_entry(entry),
    }
}

/// When it ends, whether said by DTEND, DUE or DURATION.
pub fn end(component: &ICalendarComponent, zones: &Zones) -> Option<Moment> {
    let said = [ICalendarProperty::Dtend, ICalendarProperty::Due];
    if let Some(moment) = said.iter().find_map(|name| component.moment(name, zones)) {
        return Some(moment);
    }
    let start = component.moment(&ICalendarProperty::Dtstart, zones)?;
    let seconds = match component.property(&ICalendarProperty::Duration).and_then(|entry| entry.values.first()) {
        Some(ICalendarValue::Duration(duration)) => duration.as_seconds(),
        // RFC 5545 §3.6.1: without an end, a DATE lasts one day and a DATE-TIME no time at all.
        _ => match start {
            Moment::Date(_) => 86_400,
            Moment::Floating(_) | Moment::Instant(_) => 0,
        },
    };
    Some(match start {
        Moment::Date(days) => Moment::Date(days.saturating_add(seconds / 86_400)),
        Moment::Floating(at) => Moment::Floating(at.saturating_add(seconds)),
        Moment::Instant(at) => Moment::Instant(at.saturating_add(seconds)),
    })
}

/// The moments that RDATE or EXDATE name.
pub fn moments(name: &ICalendarProperty, component: &ICalendarComponent, zones: &Zones) -> BTreeSet<Moment> {
    component.properties(name).flat_map(|entry| zones.moments(entry)).collect()
}

fn rules(component: &ICalendarComponent) -> BTreeSet<ICalendarRecurrenceRule> {
    component
        .properties(&ICalendarProperty::Rrule)
        .flat_map(|entry| &entry.values)
        .filter_map(|value| match value {
            ICalendarValue::RecurrenceRule(rule) => Some(canonical(rule)),
            _ => None,
        })
        .collect()
}

/// A rule without the parts that only say the default (RFC 5545 §3.3.10: INTERVAL=1, WKST=MO), its lists in order.
fn canonical(rule: &ICalendarRecurrenceRule) -> ICalendarRecurrenceRule {
    let mut rule = rule.clone();
    rule.interval = rule.interval.filter(|interval| *interval != 1);
    rule.wkst = rule.wkst.filter(|wkst| *wkst != ICalendarWeekday::Monday);
    rule.bysecond.sort();
    rule.byminute.sort();
    rule.byhour.sort();
    rule.byday.sort();
    rule.bymonthday.sort();
    rule.byyearday.sort();
    rule.byweekno.sort();
    rule.bymonth.sort();
    rule.bysetpos.sort();
    rule
}

/// All values of a property in their order; an empty property is as good as none.
fn values<'a>(name: &'a ICalendarProperty, component: &'a ICalendarComponent) -> Vec<&'a ICalendarValue> {
    let is_empty = |value: &&ICalendarValue| !matches!(value, ICalendarValue::Text(text) if text.is_empty());
    component.properties(name).flat_map(|entry: &ICalendarEntry| &entry.values).filter(is_empty).collect()
}
