//! Time zones: which moment a wall clock means, by the name of the zone or by the rules of its VTIMEZONE.
//!
//! | TZID is | and the VTIMEZONE | the times are |
//! |---|---|---|
//! | known by name, or its VTIMEZONE names a known place | says anything | in the zone of that name |
//! | unknown | has rules that can be understood | on the clock of those rules (RFC 5545 §3.6.5) |
//! | unknown | has rules that cannot be understood, or are endless work | floating, and a [`ZoneFault`] says so |
//! | unknown | is missing | floating |
//!
//! The name is trusted first, because senders copy rules from anywhere; a wrong instant would do more harm than none, so
//! what is not understood as a whole counts for nothing.

mod rules;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use calcard::common::timezone::Tz;
use calcard::icalendar::{ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarEntry, ICalendarProperty};
use chrono::{DateTime, Duration, NaiveDateTime, Offset, TimeZone};

pub use rules::{Onsets, ZoneFault};

use super::component::ComponentExt;
use super::limits;
use super::time::{Moment, moments};

/// The clock that a time follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Zone {
    /// A zone that is known by its name, a fixed offset, or none at all.
    Known(Tz),
    /// The rules of a VTIMEZONE under a name that nobody knows.
    Own(Arc<Onsets>),
}

impl Zone {
    pub const FLOATING: Self = Self::Known(Tz::Floating);
    pub const UTC: Self = Self::Known(Tz::UTC);

    pub fn is_floating(&self) -> bool {
        matches!(self, Self::Known(Tz::Floating))
    }

    /// The number by which calcard knows the zone; that of floating times for one that it does not know.
    pub fn calcard_id(&self) -> u16 {
        match self {
            Self::Known(tz) => tz.as_id(),
            Self::Own(_) => Tz::Floating.as_id(),
        }
    }

    /// Unix seconds of a wall clock time.
    ///
    /// In an overlap the first of the two counts; in a gap the offset before the gap (RFC 5545 §3.3.5).
    pub fn to_unix(&self, local: NaiveDateTime) -> i64 {
        let seconds = local.and_utc().timestamp();
        match self {
            Self::Known(tz) => {
                let offset = tz.offset_from_local_datetime(&local).earliest().or_else(|| {
                    let before = local.checked_sub_signed(Duration::hours(3))?;
                    tz.offset_from_local_datetime(&before).earliest()
                });
                seconds - offset.map_or(0, |offset| i64::from(offset.fix().local_minus_utc()))
            }
            Self::Own(onsets) => onsets.to_unix(seconds),
        }
    }

    /// The wall clock at a Unix time; the same clock as UTC for a floating zone.
    pub fn to_local(&self, unix: i64) -> Option<NaiveDateTime> {
        let utc = DateTime::from_timestamp(unix, 0)?.naive_utc();
        let offset = match self {
            Self::Known(tz) => i64::from(tz.offset_from_utc_datetime(&utc).fix().local_minus_utc()),
            Self::Own(onsets) => onsets.offset_at(unix),
        };
        utc.checked_add_signed(Duration::seconds(offset))
    }

    /// Whether two clocks show the same from a Unix time on; UTC is one clock, whatever it is called.
    pub fn runs_like(&self, other: &Zone, from: i64) -> bool {
        match (self, other) {
            (Self::Known(one), Self::Known(other)) => (one.is_utc() && other.is_utc()) || one == other,
            (Self::Own(one), Self::Own(other)) => one.runs_like(other, from),
            (Self::Known(_), Self::Own(_)) | (Self::Own(_), Self::Known(_)) => false,
        }
    }
}

/// The time zones that one calendar text names: its own VTIMEZONEs first, then the names that are known everywhere.
///
/// Cheap to copy, and nothing at all where there are none; a name is looked up in a tree, because one mail may use twenty
/// thousand of them.
#[derive(Clone, Debug, Default)]
pub struct Zones(Option<Arc<Table>>);

#[derive(Clone, Debug, Default)]
struct Table {
    zones: BTreeMap<String, Zone>,
    faults: Vec<(String, ZoneFault)>,
}

impl Zones {
    /// Reads the VTIMEZONE components of a calendar.
    ///
    /// Rules are worked out only under names that nobody knows, and for all of them together against one budget.
    pub fn of(calendar: &ICalendar) -> Self {
        let mut table: Option<Table> = None;
        let mut budget = limits::ZONE_STEPS_MAX;
        for zone in calendar.timezones() {
            let Some(tzid) = zone.text(&ICalendarProperty::Tzid) else { continue };
            let table = table.get_or_insert_default();
            if !table.zones.contains_key(tzid) {
                table.read(tzid, zone, calendar, &mut budget);
            }
        }
        Self(table.map(Arc::new))
    }

    /// The zone that a TZID names; floating when nobody knows it.
    pub fn resolve(&self, tzid: &str) -> Zone {
        self.own(tzid).cloned().unwrap_or_else(|| tzid.parse().map_or(Zone::FLOATING, Zone::Known))
    }

    /// The zone of a property's value, by its TZID parameter.
    pub fn of_entry(&self, entry: &ICalendarEntry) -> Zone {
        entry.tz_id().map_or(Zone::FLOATING, |tzid| self.resolve(tzid))
    }

    /// The moment of a property's first value; nothing when it is no date.
    pub fn moment(&self, entry: &ICalendarEntry) -> Option<Moment> {
        self.moments(entry).next()
    }

    /// The moments of all values of a property; values that are no dates are left out.
    pub fn moments<'a>(&self, entry: &'a ICalendarEntry) -> impl Iterator<Item = Moment> + use<'a> {
        moments(entry, self.of_entry(entry))
    }

    /// The VTIMEZONEs whose rules count for nothing, and why; the first few of them.
    pub fn faults(&self) -> impl Iterator<Item = (&str, ZoneFault)> {
        self.0.iter().flat_map(|table| &table.faults).map(|(tzid, fault)| (tzid.as_str(), *fault))
    }

    /// What the calendar itself says about a name.
    fn own(&self, tzid: &str) -> Option<&Zone> {
        self.0.as_ref().and_then(|table| table.zones.get(tzid))
    }

    /// Takes what another calendar says about some names, unless it is said here.
    pub(super) fn adopt<'a>(&mut self, other: &Zones, names: impl IntoIterator<Item = &'a str>) {
        for name in names {
            if let Some(zone) = other.own(name).filter(|_| self.own(name).is_none()) {
                Arc::make_mut(self.0.get_or_insert_default()).zones.insert(name.to_owned(), zone.clone());
            }
        }
    }

    /// Forgets what is said about some names.
    pub(super) fn forget<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) {
        let Some(table) = self.0.as_mut().map(Arc::make_mut) else { return };
        for name in names {
            table.zones.remove(name);
        }
    }
}

impl Table {
    fn read(&mut self, tzid: &str, zone: &ICalendarComponent, calendar: &ICalendar, budget: &mut usize) {
        if let Some((_, tz)) = zone.timezone() {
            self.zones.insert(tzid.to_owned(), Zone::Known(tz));
            return;
        }
        let is_observance = |part: &&ICalendarComponent| {
            matches!(part.component_type, ICalendarComponentType::Standard | ICalendarComponentType::Daylight)
        };
        let parts = zone.component_ids.iter().filter_map(|&child| calendar.components.get(child as usize));
        let own = match Onsets::of(parts.filter(is_observance), budget) {
            Ok(onsets) => Zone::Own(Arc::new(onsets)),
            Err(fault) => {
                if self.faults.len() < limits::ZONE_FAULTS_MAX {
                    self.faults.push((tzid.to_owned(), fault));
                }
                Zone::FLOATING
            }
        };
        self.zones.insert(tzid.to_owned(), own);
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(tz) => write!(f, "{tz}"),
            Self::Own(_) => f.write_str("rules of its own"),
        }
    }
}

#[cfg(test)]
mod tests;
