//! Dates, spans and durations in words; the zone is always named, since a reader elsewhere must not have to guess.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, Offset, TimeDelta, Timelike};

use super::Voice;
use super::clean::{isolated, one_line};
use crate::imip::facts::When;
use crate::imip::language::Value;
use crate::imip::limits;

impl Voice<'_> {
    /// A day without its weekday.
    pub(super) fn date(&self, day: NaiveDate) -> String {
        let year = day.year().to_string();
        self.say("date", &[("day", day.day().into()), ("month", day.month().into()), ("year", Value::Text(&year))])
    }

    fn weekday_date(&self, day: NaiveDate) -> String {
        let weekday = self.say("weekday", &[("day", day.weekday().number_from_monday().into())]);
        self.say("date-weekday", &[("weekday", (&weekday).into()), ("date", (&self.date(day)).into())])
    }

    fn time(&self, time: NaiveDateTime) -> String {
        let (is_pm, hour12) = time.hour12();
        let (hour24, minute) = (format!("{:02}", time.hour()), format!("{:02}", time.minute()));
        let half = if is_pm { "pm" } else { "am" };
        self.say(
            "time",
            &[
                ("hour", time.hour().into()),
                ("hour24", (&hour24).into()),
                ("hour12", hour12.into()),
                ("half", half.into()),
                ("minute", (&minute).into()),
            ],
        )
    }

    fn date_time(&self, time: NaiveDateTime) -> String {
        let (date, time) = (self.weekday_date(time.date()), self.time(time));
        self.say("date-time", &[("date", (&date).into()), ("time", (&time).into())])
    }

    /// A point in time.
    pub(super) fn instant(&self, when: &When) -> String {
        match when {
            When::Day(day) => self.weekday_date(*day),
            When::At(time) => self.in_zone(&self.date_time(time.naive_local()), when),
            When::Local { time, .. } => self.in_zone(&self.date_time(*time), when),
        }
    }

    /// A point in time on a clock that is named elsewhere.
    pub(super) fn instant_alone(&self, when: &When) -> String {
        match when {
            When::Day(day) => self.weekday_date(*day),
            When::At(time) => self.date_time(time.naive_local()),
            When::Local { time, .. } => self.date_time(*time),
        }
    }

    /// A span of time; the same day is not said twice.
    pub(super) fn period(&self, start: &When, end: Option<&When>) -> String {
        match (start, end) {
            (When::Day(first), end) => self.days(*first, end),
            (When::At(from), Some(When::At(to))) if from.timezone() == to.timezone() => {
                self.in_zone(&self.span(from.naive_local(), to.naive_local()), start)
            }
            (When::Local { time: from, zone }, Some(When::Local { time: to, zone: end_zone })) if zone == end_zone => {
                self.in_zone(&self.span(*from, *to), start)
            }
            (start, None) => self.instant(start),
            (start, Some(end)) => self.range(&self.instant(start), &self.instant(end)),
        }
    }

    fn span(&self, start: NaiveDateTime, end: NaiveDateTime) -> String {
        if end == start {
            return self.date_time(start);
        }
        if end.date() != start.date() {
            return self.range(&self.date_time(start), &self.date_time(end));
        }
        let (start_time, end_time) = (self.time(start), self.time(end));
        let times = self.say("times", &[("start", (&start_time).into()), ("end", (&end_time).into())]);
        self.say("date-times", &[("date", (&self.weekday_date(start.date())).into()), ("times", (&times).into())])
    }

    fn range(&self, start: &str, end: &str) -> String {
        self.say("from-to", &[("start", start.into()), ("end", end.into())])
    }

    fn days(&self, first: NaiveDate, end: Option<&When>) -> String {
        let date = match last_day(first, end) {
            Some(last) => {
                let (first, last) = (self.weekday_date(first), self.weekday_date(last));
                self.say("days-to", &[("start", (&first).into()), ("end", (&last).into())])
            }
            None => self.weekday_date(first),
        };
        self.say("whole-day", &[("date", (&date).into())])
    }

    fn in_zone(&self, period: &str, when: &When) -> String {
        let zone = match when {
            When::At(time) => {
                let (name, seconds) = (time.timezone().name(), time.offset().fix().local_minus_utc());
                if name == "UTC" { name.to_owned() } else { format!("{name}, {}", offset(seconds)) }
            }
            When::Day(_) => String::new(),
            When::Local { zone, .. } => isolated(one_line(zone.as_deref().unwrap_or_default(), limits::NAME_CHARS_MAX)),
        };
        let zone = if zone.is_empty() { self.word("local-time") } else { zone };
        self.say("in-zone", &[("period", period.into()), ("zone", (&zone).into())])
    }

    /// How long something takes; nothing where it takes no time, or just the one day that is named anyway.
    pub(super) fn duration(&self, start: &When, end: &When) -> Option<String> {
        let taken = match (start, end) {
            (When::Day(first), When::Day(last)) => *last - *first,
            (When::At(start), When::At(end)) => *end - *start,
            (When::Local { time: start, zone }, When::Local { time: end, zone: end_zone }) if zone == end_zone => {
                *end - *start
            }
            (When::Day(_) | When::At(_) | When::Local { .. }, _) => return None,
        };
        if taken < TimeDelta::minutes(1) || (matches!(start, When::Day(_)) && taken <= TimeDelta::days(1)) {
            return None;
        }
        let parts = [
            ("duration-days", taken.num_days()),
            ("duration-hours", taken.num_hours() % 24),
            ("duration-minutes", taken.num_minutes() % 60),
        ];
        let parts = parts.into_iter().filter(|(_, count)| *count > 0);
        let said = parts.map(|(id, count)| self.say(id, &[("count", Value::Number(count))]));
        said.reduce(|first, second| {
            self.say("duration-and", &[("first", (&first).into()), ("second", (&second).into())])
        })
    }
}

/// The last day of several; DTEND of whole days is the day after it (RFC 5545 §3.6.1).
fn last_day(first: NaiveDate, end: Option<&When>) -> Option<NaiveDate> {
    match end {
        Some(When::Day(end)) => end.checked_sub_days(Days::new(1)).filter(|last| *last > first),
        Some(When::At(_) | When::Local { .. }) | None => None,
    }
}

/// An offset as people know it: UTC+2, UTC−3:30.
fn offset(seconds: i32) -> String {
    let sign = if seconds < 0 { '\u{2212}' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    match minutes % 60 {
        0 => format!("UTC{sign}{}", minutes / 60),
        rest => format!("UTC{sign}{}:{rest:02}", minutes / 60),
    }
}
