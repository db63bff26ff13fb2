//! What a recurrence rule says, as far as people have words for it; no language yet.

use calcard::icalendar::{ICalendarDay, ICalendarFrequency, ICalendarMonth, ICalendarRecurrenceRule};
use chrono::{Datelike, NaiveDate, TimeZone, Weekday};

use super::facts::When;
use crate::itip::recurrence::chrono_weekday;

/// A series as a person says it: how often, until when, with how many exceptions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recurrence {
    pub pattern: Pattern,
    pub end: End,
    /// The dates that are left out (EXDATE).
    pub exceptions: usize,
}

/// How often something happens; `every` counts the periods from one time to the next, and is at least 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    Hours {
        every: u16,
    },
    Days {
        every: u16,
    },
    /// Monday to Friday.
    Workdays,
    /// On these weekdays; never empty.
    Weeks {
        every: u16,
        on: Vec<Weekday>,
    },
    /// On these days of the month; never empty.
    Months {
        every: u16,
        on: Vec<MonthDay>,
    },
    /// On this day of this month, 1 to 12.
    Years {
        every: u16,
        month: u32,
        on: MonthDay,
    },
    /// What has no short wording. The mail says that it repeats, and no more: the calendar part has it all.
    Intricate,
}

/// A day within a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MonthDay {
    /// 1 to 31.
    Day(u32),
    Last,
    /// The first to fifth of such weekdays; -1 is the last.
    Nth(i64, Weekday),
    /// The first (1) or last (-1) day from Monday to Friday.
    Workday(i64),
}

/// When a series ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Never,
    Count(u32),
    /// On this day, the day of the event's own clock.
    Until(NaiveDate),
}

impl Recurrence {
    /// Reads a rule of a series that starts at `start`, which fills in what the rule leaves open (RFC 5545 §3.3.10).
    pub fn of(rule: &ICalendarRecurrenceRule, start: &When) -> Self {
        let pattern = pattern(rule, start.day()).unwrap_or(Pattern::Intricate);
        Self { pattern, end: end(rule, start), exceptions: 0 }
    }

    /// A series that no single rule describes: several rules, or dates one by one.
    pub fn intricate() -> Self {
        Self { pattern: Pattern::Intricate, end: End::Never, exceptions: 0 }
    }
}

fn pattern(rule: &ICalendarRecurrenceRule, start: NaiveDate) -> Option<Pattern> {
    let has_rare_part = !(rule.byweekno.is_empty()
        && rule.byyearday.is_empty()
        && rule.byhour.is_empty()
        && rule.byminute.is_empty()
        && rule.bysecond.is_empty()
        && rule.rscale.is_none()
        && rule.skip.is_none());
    if has_rare_part {
        return None;
    }
    let every = rule.interval.unwrap_or(1).max(1);
    let is_plain = rule.byday.is_empty() && rule.bymonthday.is_empty() && rule.bysetpos.is_empty();
    let in_any_month = rule.bymonth.is_empty();
    match rule.freq {
        ICalendarFrequency::Hourly if is_plain && in_any_month => Some(Pattern::Hours { every }),
        ICalendarFrequency::Daily if is_plain && in_any_month => Some(Pattern::Days { every }),
        ICalendarFrequency::Daily if every == 1 && in_any_month && is_workdays(rule) => Some(Pattern::Workdays),
        ICalendarFrequency::Weekly if in_any_month => weekly(rule, every, start),
        ICalendarFrequency::Monthly if in_any_month => Some(Pattern::Months { every, on: month_days(rule, start)? }),
        ICalendarFrequency::Yearly => yearly(rule, every, start),
        ICalendarFrequency::Hourly
        | ICalendarFrequency::Daily
        | ICalendarFrequency::Weekly
        | ICalendarFrequency::Monthly
        | ICalendarFrequency::Minutely
        | ICalendarFrequency::Secondly => None,
    }
}

fn weekly(rule: &ICalendarRecurrenceRule, every: u16, start: NaiveDate) -> Option<Pattern> {
    if !rule.bymonthday.is_empty() || !rule.bysetpos.is_empty() {
        return None;
    }
    if every == 1 && is_workdays(rule) {
        return Some(Pattern::Workdays);
    }
    // A number has no meaning here (RFC 5545 §3.3.10), so who wrote one meant something that we do not know.
    let mut on: Vec<Weekday> = rule.byday.iter().map(without_number).collect::<Option<_>>()?;
    on.sort_by_key(Weekday::num_days_from_monday);
    on.dedup();
    if on.is_empty() {
        on.push(start.weekday());
    }
    Some(Pattern::Weeks { every, on })
}

fn yearly(rule: &ICalendarRecurrenceRule, every: u16, start: NaiveDate) -> Option<Pattern> {
    let month = match rule.bymonth.as_slice() {
        // Without BYMONTH a BYDAY or BYMONTHDAY would count through the whole year.
        [] if rule.byday.is_empty() && rule.bymonthday.is_empty() => start.month(),
        [only] => plain_month(only)?,
        _ => return None,
    };
    match month_days(rule, start)?.as_slice() {
        [MonthDay::Workday(_)] => None,
        [only] => Some(Pattern::Years { every, month, on: *only }),
        _ => None,
    }
}

fn plain_month(month: &ICalendarMonth) -> Option<u32> {
    let number = u32::from(month.month());
    (!month.is_leap() && (1..=12).contains(&number)).then_some(number)
}

/// The days of a month that a rule picks; nothing when it picks them in a way that has no short wording.
fn month_days(rule: &ICalendarRecurrenceRule, start: NaiveDate) -> Option<Vec<MonthDay>> {
    match (rule.byday.as_slice(), rule.bymonthday.as_slice(), rule.bysetpos.as_slice()) {
        ([], [], []) => Some(vec![MonthDay::Day(start.day())]),
        ([], days, []) => days.iter().map(|day| numbered_day(i64::from(*day))).collect(),
        (days, [], []) => days.iter().map(numbered_weekday).collect(),
        // The way in which Outlook says the second Tuesday, and the last working day.
        ([only], [], [position]) => Some(vec![MonthDay::Nth(usual(i64::from(*position))?, without_number(only)?)]),
        (_, [], [position @ (-1 | 1)]) if is_workdays(rule) => Some(vec![MonthDay::Workday(i64::from(*position))]),
        _ => None,
    }
}

fn numbered_day(day: i64) -> Option<MonthDay> {
    match day {
        -1 => Some(MonthDay::Last),
        1..=31 => u32::try_from(day).ok().map(MonthDay::Day),
        _ => None,
    }
}

fn numbered_weekday(day: &ICalendarDay) -> Option<MonthDay> {
    Some(MonthDay::Nth(usual(i64::from(day.ordwk?))?, chrono_weekday(day.weekday)))
}

/// A number of a weekday within a month that every language has a word for.
fn usual(number: i64) -> Option<i64> {
    matches!(number, -1 | 1..=5).then_some(number)
}

fn without_number(day: &ICalendarDay) -> Option<Weekday> {
    day.ordwk.is_none().then(|| chrono_weekday(day.weekday))
}

fn is_workdays(rule: &ICalendarRecurrenceRule) -> bool {
    const WORKDAYS: [Weekday; 5] = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri];
    let days: Option<Vec<Weekday>> = rule.byday.iter().map(without_number).collect();
    rule.bymonthday.is_empty()
        && days.is_some_and(|days| days.len() == 5 && WORKDAYS.iter().all(|workday| days.contains(workday)))
}

/// The end; an UNTIL in UTC is told as the day that it falls on where the event takes place (RFC 5545 §3.3.10).
fn end(rule: &ICalendarRecurrenceRule, start: &When) -> End {
    if let Some(count) = rule.count {
        return End::Count(count);
    }
    let Some(until) = &rule.until else { return End::Never };
    let Some(resolved) = until.to_date_time() else { return End::Never };
    let is_utc = until.hour.is_some() && resolved.offset.is_some();
    match start {
        When::At(time) if is_utc => End::Until(time.timezone().from_utc_datetime(&resolved.date_time).date_naive()),
        When::At(_) | When::Day(_) | When::Local { .. } => End::Until(resolved.date_time.date()),
    }
}
