//! Instants of iCalendar values: what lets two spellings of one moment compare as equal.

use calcard::common::PartialDateTime;
use calcard::icalendar::{ICalendarEntry, ICalendarPeriod, ICalendarValue};
use chrono::{NaiveDate, NaiveDateTime};

use super::zone::Zone;

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

/// The moments of all values of a property in a zone; values that are no dates are left out.
pub(super) fn moments(entry: &ICalendarEntry, zone: Zone) -> impl Iterator<Item = Moment> + use<'_> {
    entry.values.iter().filter_map(move |value| match value {
        ICalendarValue::PartialDateTime(date) => moment(date, &zone),
        ICalendarValue::Period(ICalendarPeriod::Range { start, .. } | ICalendarPeriod::Duration { start, .. }) => {
            moment(start, &zone)
        }
        _ => None,
    })
}

/// The moment of one value, read in `zone` unless it says UTC or an offset itself.
pub fn moment(date: &PartialDateTime, zone: &Zone) -> Option<Moment> {
    let resolved = date.to_date_time()?;
    if date.hour.is_none() {
        return Some(Moment::Date(resolved.date_time.and_utc().timestamp().div_euclid(86_400)));
    }
    if let Some(offset) = resolved.offset {
        return Some(Moment::Instant(resolved.date_time.and_utc().timestamp() - i64::from(offset.local_minus_utc())));
    }
    Some(match zone.is_floating() {
        true => Moment::Floating(resolved.date_time.and_utc().timestamp()),
        false => Moment::Instant(zone.to_unix(resolved.date_time)),
    })
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

    #[test]
    fn the_basic_format_is_read_back() {
        for moment in [Moment::Date(20_000), Moment::Floating(1_234_567_890), Moment::Instant(-86_399)] {
            assert_eq!(parse_basic_format(&basic_format(moment)), Some(moment));
        }
    }
}
