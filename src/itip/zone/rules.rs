//! The rules of a VTIMEZONE: when its clock changes, and by how much (RFC 5545 §3.6.5).

use calcard::common::PartialDateTime;
use calcard::common::timezone::Tz;
use calcard::icalendar::{ICalendarComponent, ICalendarProperty, ICalendarValue};
use chrono::{Datelike, FixedOffset, NaiveDateTime};

use super::Zone;
use crate::itip::limits;
use crate::itip::recurrence::{Rule, values_in};

/// Why the rules of a VTIMEZONE count for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZoneFault {
    #[error("it has no STANDARD or DAYLIGHT part")]
    Empty,
    #[error("a part has no usable DTSTART")]
    NoStart,
    #[error("a part has no usable TZOFFSETFROM or TZOFFSETTO")]
    NoOffset,
    #[error("a part has an RRULE or RDATE that cannot be read")]
    UnreadableRule,
    #[error("its clock changes more often than any clock does")]
    Restless,
    #[error("its rules are more work than they may be")]
    TooMuchWork,
}

/// When the clock of a zone changes; sorted, with the offsets in seconds east of UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Onsets {
    /// The offset before the first change.
    before: i64,
    changes: Vec<Change>,
}

/// From this Unix time on this offset holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Change {
    at: i64,
    offset: i64,
}

/// The longest time, in seconds, by which a local time and the same clock in UTC can differ.
const A_DAY: i64 = 86_400;

impl Onsets {
    /// Works out the STANDARD and DAYLIGHT parts of a VTIMEZONE, up to the year of [`limits::ZONE_YEAR_LAST`].
    pub(super) fn of<'a>(
        parts: impl Iterator<Item = &'a ICalendarComponent>,
        budget: &mut usize,
    ) -> Result<Self, ZoneFault> {
        let mut changes: Vec<(Change, i64)> = Vec::new();
        for part in parts {
            spend(budget, 1)?;
            Part::of(part)?.add_to(&mut changes, budget)?;
        }
        changes.sort_by_key(|(change, _)| change.at);
        let before = changes.first().map(|(_, from)| *from).ok_or(ZoneFault::Empty)?;
        let mut changes: Vec<Change> = changes.into_iter().map(|(change, _)| change).collect();
        changes.dedup();
        // Every look at the clock goes through the changes within two days.
        let is_restless = |some: &[Change]| match some {
            [first, .., last] => last.at - first.at < 2 * A_DAY,
            _ => false,
        };
        match changes.windows(limits::ZONE_CHANGES_NEAR_MAX).any(is_restless) {
            true => Err(ZoneFault::Restless),
            false => Ok(Self { before, changes }),
        }
    }

    /// The offset at a Unix time.
    pub fn offset_at(&self, unix: i64) -> i64 {
        self.offset_before(self.changes.partition_point(|change| change.at <= unix))
    }

    /// The offset that holds until the change of that number.
    fn offset_before(&self, number: usize) -> i64 {
        number.checked_sub(1).and_then(|last| self.changes.get(last)).map_or(self.before, |change| change.offset)
    }

    /// Unix seconds of a wall clock, which is given as if it were UTC; the first of two (RFC 5545 §3.3.5).
    pub(super) fn to_unix(&self, local: i64) -> i64 {
        let first = self.changes.partition_point(|change| change.at <= local.saturating_sub(A_DAY));
        let near = self.changes.iter().skip(first).take_while(|change| change.at <= local.saturating_add(A_DAY));
        let (mut offset, mut began) = (self.offset_before(first), i64::MIN);
        let mut passed = local.saturating_sub(offset);
        for change in near.map(Some).chain([None]) {
            let (unix, ends) = (local.saturating_sub(offset), change.map_or(i64::MAX, |change| change.at));
            if (began..ends).contains(&unix) {
                return unix;
            }
            if unix >= ends {
                passed = unix;
            }
            began = ends;
            offset = change.map_or(offset, |change| change.offset);
        }
        // Never shown: what the clock before the gap would have shown.
        passed
    }

    /// Whether two clocks show the same from a Unix time on: a VTIMEZONE may begin with its event or long before.
    pub(super) fn runs_like(&self, other: &Self, from: i64) -> bool {
        fn later(onsets: &Onsets, from: i64) -> impl Iterator<Item = &Change> {
            onsets.changes.iter().skip_while(move |change| change.at <= from)
        }
        self.offset_at(from) == other.offset_at(from) && later(self, from).eq(later(other, from))
    }
}

/// A STANDARD or DAYLIGHT part.
struct Part<'a> {
    component: &'a ICalendarComponent,
    start: NaiveDateTime,
    from: FixedOffset,
    to: FixedOffset,
}

impl<'a> Part<'a> {
    fn of(component: &'a ICalendarComponent) -> Result<Self, ZoneFault> {
        let value = |name| component.property(&name).and_then(|entry| entry.values.first());
        let start = match value(ICalendarProperty::Dtstart) {
            Some(ICalendarValue::PartialDateTime(date)) => date.to_date_time().ok_or(ZoneFault::NoStart)?.date_time,
            _ => return Err(ZoneFault::NoStart),
        };
        let offset = |name| match value(name) {
            Some(ICalendarValue::PartialDateTime(offset)) => read_offset(offset).ok_or(ZoneFault::NoOffset),
            _ => Err(ZoneFault::NoOffset),
        };
        let (from, to) = (offset(ICalendarProperty::Tzoffsetfrom)?, offset(ICalendarProperty::Tzoffsetto)?);
        Ok(Self { component, start, from, to })
    }

    /// Adds the changes at DTSTART, by RRULE and by RDATE, each with the offset before it.
    fn add_to(&self, changes: &mut Vec<(Change, i64)>, budget: &mut usize) -> Result<(), ZoneFault> {
        self.push(self.start, changes);
        for entry in self.component.properties(&ICalendarProperty::Rdate) {
            spend(budget, entry.values.len())?;
            for value in &entry.values {
                let ICalendarValue::PartialDateTime(date) = value else { return Err(ZoneFault::UnreadableRule) };
                let date = date.to_date_time().ok_or(ZoneFault::UnreadableRule)?;
                self.push(date.date_time, changes);
            }
        }
        let rules = self.component.properties(&ICalendarProperty::Rrule).flat_map(|entry| &entry.values);
        for value in rules {
            let ICalendarValue::RecurrenceRule(rule) = value else { return Err(ZoneFault::UnreadableRule) };
            spend(budget, values_in(rule))?;
            // RFC 5545 §3.6.5: the times of onset, UNTIL among them, are on the clock before the change.
            let rule = Rule::new(rule, self.start, Zone::Known(Tz::Fixed(self.from)));
            let mut onsets = rule.candidates(first_day(), budget);
            for onset in onsets.by_ref().take_while(|onset| onset.year() <= limits::ZONE_YEAR_LAST) {
                self.push(onset, changes);
            }
            if onsets.is_cut_off() {
                return Err(ZoneFault::TooMuchWork);
            }
        }
        Ok(())
    }

    fn push(&self, onset: NaiveDateTime, changes: &mut Vec<(Change, i64)>) {
        let seconds = |offset: FixedOffset| i64::from(offset.local_minus_utc());
        let at = onset.and_utc().timestamp().saturating_sub(seconds(self.from));
        changes.push((Change { at, offset: seconds(self.to) }, seconds(self.from)));
    }
}

/// Where rules without COUNT are taken up: what an invented clock did before is nobody's meeting.
fn first_day() -> Option<NaiveDateTime> {
    chrono::NaiveDate::from_ymd_opt(limits::ZONE_YEAR_FIRST, 1, 1)?.and_hms_opt(0, 0, 0)
}

/// An offset of less than a day, which is all that can be written (RFC 5545 §3.3.14).
fn read_offset(value: &PartialDateTime) -> Option<FixedOffset> {
    let (hours, minutes) = (i32::from(value.tz_hour?), i32::from(value.tz_minute.unwrap_or(0)));
    let seconds = (hours < 24 && minutes < 60).then_some(hours * 3_600 + minutes * 60)?;
    FixedOffset::east_opt(if value.tz_minus { -seconds } else { seconds })
}

fn spend(budget: &mut usize, steps: usize) -> Result<(), ZoneFault> {
    *budget = budget.checked_sub(steps).ok_or(ZoneFault::TooMuchWork)?;
    Ok(())
}
