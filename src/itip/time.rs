//! Instants of iCalendar values: what lets two spellings of one moment compare as equal.

use calcard::common::PartialDateTime;
use calcard::common::timezone::Tz;
use calcard::icalendar::{ICalendar, ICalendarEntry, ICalendarValue};
use chrono::{Duration, NaiveDate, NaiveDateTime, Offset, TimeZone};

/// A point in time as iCalendar can express it; days and seconds count from 1970-01-01.
///
/// A DATE, a floating time and an instant are different things even where their numbers agree (RFC 5545 §3.3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// A DATE: whole days.
    Date(i64),
    /// A DATE-TIME without a zone: seconds on the wall clock of wherever one is.
    Floating(i64),
    /// A DATE-TIME in UTC or in a zone: Unix seconds.
    Instant(i64),
}

impl Moment {
    /// Seconds for ordering and for display: the start of the day for a DATE, the wall clock for a floating time.
    pub fn as_seconds(self) -> i64 {
        match self {
            Moment::Date(days) => days.saturating_mul(86_400),
            Moment::Floating(seconds) | Moment::Instant(seconds) => seconds,
        }
    }
}

/// The time zones that one calendar text names: its own VTIMEZONEs first, then the names that are known everywhere.
#[derive(Clone, Debug, Default)]
pub struct Zones(Vec<(String, Tz)>);

impl Zones {
    /// Reads the VTIMEZONE components of a calendar.
    pub fn of(calendar: &ICalendar) -> Self {
        Self(calendar.timezones().filter_map(|zone| zone.timezone()).map(|(id, tz)| (id.to_owned(), tz)).collect())
    }

    /// The zone that a TZID names; floating when nobody knows it.
    ///
    // unclear: RFC 5545 §3.2.19 wants the VTIMEZONE's own rules; invented ones stay floating, because a
    // wrong instant would do more harm than none.
    pub fn resolve(&self, tzid: &str) -> Tz {
        self.0
            .iter()
            .find(|(id, _)| id == tzid)
            .map(|(_, tz)| *tz)
            .or_else(|| tzid.parse().ok())
            .unwrap_or(Tz::Floating)
    }

    /// The zone of a property's value, by its TZID parameter.
    pub fn of_entry(&self, entry: &ICalendarEntry) -> Tz {
        entry.tz_id().map_or(Tz::Floating, |tzid| self.resolve(tzid))
    }

    /// The moment of a property's first value; nothing when it is no date.
    pub fn moment(&self, entry: &ICalendarEntry) -> Option<Moment> {
        self.moments(entry).next()
    }

    /// The moments of all values of a property; values that are no dates are left out.
    pub fn moments<'a>(&self, entry: &'a ICalendarEntry) -> impl Iterator<Item = Moment> + use<'a> {
        let zone = self.of_entry(entry);
        entry.values.iter().filter_map(move |value| match value {
            ICalendarValue::PartialDateTime(date) => moment(date, zone),
            ICalendarValue::Period(calcard::icalendar::ICalendarPeriod::Range { start, .. })
            | ICalendarValue::Period(calcard::icalendar::ICalendarPeriod::Duration { start, .. }) => {
                moment(start, zone)
            }
            _ => None,
        })
    }
}

/// The moment of one value, read in `zone` unless it says UTC or an offset itself.
pub fn moment(date: &PartialDateTime, zone: Tz) -> Option<Moment> {
    let resolved = date.to_date_time()?;
    if date.hour.is_none() {
        return Some(Moment::Date(resolved.date_time.and_utc().timestamp().div_euclid(86_400)));
    }
    if let Some(offset) = resolved.offset {
        return Some(Moment::Instant(resolved.date_time.and_utc().timestamp() - i64::from(offset.local_minus_utc())));
    }
    Some(match zone {
        Tz::Floating => Moment::Floating(resolved.date_time.and_utc().timestamp()),
        Tz::Fixed(_) | Tz::Tz(_) => Moment::Instant(local_to_unix(resolved.date_time, zone)),
    })
}

/// Unix seconds of a wall clock time in a zone.
///
/// In an overlap the first of the two counts; in a gap the offset before the gap (RFC 5545 §3.3.5).
pub fn local_to_unix(local: NaiveDateTime, zone: Tz) -> i64 {
    let offset = zone.offset_from_local_datetime(&local).earliest().or_else(|| {
        let before = local.checked_sub_signed(Duration::hours(3))?;
        zone.offset_from_local_datetime(&before).earliest()
    });
    local.and_utc().timestamp() - offset.map_or(0, |offset| i64::from(offset.fix().local_minus_utc()))
}

/// The wall clock in a zone at a Unix time; the same clock as UTC for a floating zone.
pub fn unix_to_local(unix: i64, zone: Tz) -> Option<NaiveDateTime> {
    let utc = chrono::DateTime::from_timestamp(unix, 0)?.naive_utc();
    let offset = zone.offset_from_utc_datetime(&utc).fix().local_minus_utc();
    utc.checked_add_signed(Duration::seconds(i64::from(offset)))
}

/// The value of a DATE, of a floating or of a UTC DATE-TIME.
pub fn partial(moment: Moment) -> PartialDateTime {
    match moment {
        Moment::Date(days) => PartialDateTime::from_date_timestamp(days.saturating_mul(86_400)),
        Moment::Floating(seconds) => PartialDateTime::from_naive_timestamp(seconds),
        Moment::Instant(seconds) => PartialDateTime::from_utc_timestamp(seconds),
    }
}

/// A moment in the basic format of RFC 5545 §3.3: `19970701`, `19970701T210000`, `19970701T210000Z`.
pub fn basic_format(moment: Moment) -> String {
    let Some(at) = chrono::DateTime::from_timestamp(moment.as_seconds(), 0) else { return "invalid".to_owned() };
    match moment {
        Moment::Date(_) => at.format("%Y%m%d").to_string(),
        Moment::Floating(_) => at.format("%Y%m%dT%H%M%S").to_string(),
        Moment::Instant(_) => at.format("%Y%m%dT%H%M%SZ").to_string(),
    }
}

/// Reads what [`basic_format`] writes.
pub fn parse_basic_format(text: &str) -> Option<Moment> {
    if text.len() == 8 {
        let date = NaiveDate::parse_from_str(text, "%Y%m%d").ok()?;
        return Some(Moment::Date(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp() / 86_400));
    }
    let (digits, utc) = text.strip_suffix('Z').map_or((text, false), |digits| (digits, true));
    let seconds = NaiveDateTime::parse_from_str(digits, "%Y%m%dT%H%M%S").ok()?.and_utc().timestamp();
    Some(if utc { Moment::Instant(seconds) } else { Moment::Floating(seconds) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").expect("a time")
    }

    #[test]
    fn a_gap_uses_the_offset_before_it_and_an_overlap_the_first() {
        let berlin: Tz = "Europe/Berlin".parse().expect("a zone");
        // 02:30 does not exist on that day; with +01:00 it is 01:30 UTC.
        assert_eq!(local_to_unix(local("2026-03-29 02:30"), berlin), local("2026-03-29 01:30").and_utc().timestamp());
        // 02:30 exists twice; the first is summer time.
        assert_eq!(local_to_unix(local("2026-10-25 02:30"), berlin), local("2026-10-25 00:30").and_utc().timestamp());
    }

    #[test]
    fn the_basic_format_is_read_back() {
        for moment in [Moment::Date(20_000), Moment::Floating(1_234_567_890), Moment::Instant(-86_399)] {
            assert_eq!(parse_basic_format(&basic_format(moment)), Some(moment));
        }
    }
}
