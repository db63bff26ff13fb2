//! One RRULE: its candidates by period, each found by arithmetic and not by building a set.

use std::collections::BTreeSet;

use calcard::common::PartialDateTime;
use calcard::icalendar::{ICalendarFrequency, ICalendarRecurrenceRule, ICalendarWeekday};
use chrono::{Datelike, Duration, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use super::days::{Days, Numbers, chrono_weekday};

use crate::itip::time::{Moment, moment};
use crate::itip::zone::Zone;

/// A rule with the start that fills in what it leaves open (RFC 5545 §3.3.10).
#[derive(Clone, Debug)]
pub struct Rule<'a> {
    rule: &'a ICalendarRecurrenceRule,
    start: NaiveDateTime,
    zone: Zone,
    until: Option<Moment>,
    days: Days,
    /// BYHOUR, BYMINUTE and BYSECOND, each number one higher, since zero is none.
    times: [Numbers; 3],
    /// BYSETPOS, in order, none twice; none beyond what RFC 5545 §3.3.10 allows.
    positions: Vec<i64>,
    hours: Vec<u32>,
    minutes: Vec<u32>,
    seconds: Vec<u32>,
}

impl<'a> Rule<'a> {
    pub fn new(rule: &'a ICalendarRecurrenceRule, start: NaiveDateTime, zone: Zone) -> Self {
        let until = rule.until.as_ref().and_then(|until| read_until(until, &zone));
        let (hours, minutes) = (&rule.byhour, &rule.byminute);
        let sub_daily = |freq: ICalendarFrequency| rule.freq >= freq;
        let times = [&rule.byhour, &rule.byminute, &rule.bysecond];
        let positions: BTreeSet<i64> = rule.bysetpos.iter().map(|position| i64::from(*position)).collect();
        Self {
            days: Days::of(rule),
            times: times.map(|by| by.iter().map(|value| i64::from(*value) + 1).collect()),
            positions: positions.into_iter().filter(|position| (-366..=366).contains(position)).collect(),
            hours: part(hours, 23, start.hour(), sub_daily(ICalendarFrequency::Hourly)),
            minutes: part(minutes, 59, start.minute(), sub_daily(ICalendarFrequency::Minutely)),
            seconds: part(&rule.bysecond, 59, start.second(), sub_daily(ICalendarFrequency::Secondly)),
            rule,
            start,
            zone,
            until,
        }
    }

    /// Whether the rule says itself where it ends.
    pub fn is_finite(&self) -> bool {
        self.rule.count.is_some() || self.until.is_some()
    }

    /// The candidates from the period before `near` on; from the start where COUNT makes every one of them matter.
    pub fn candidates<'b>(&'b self, near: Option<NaiveDateTime>, budget: &'b mut usize) -> Candidates<'a, 'b> {
        let first = match (self.rule.count, near) {
            (None, Some(near)) => self.period_of(near).saturating_sub(2).max(0),
            _ => 0,
        };
        let left = self.rule.count.map(u64::from);
        // RFC 5545 §3.8.5.3: DTSTART counts as the first instance even where the rule does not produce it.
        let left = left.map(|left| if self.produces_start(budget) { left } else { left.saturating_sub(1) });
        Candidates { rule: self, period: first, inside: None, left, budget, state: State::Going }
    }

    fn interval(&self) -> i64 {
        i64::from(self.rule.interval.unwrap_or(1).max(1))
    }

    /// The number of the period that a wall clock lies in.
    fn period_of(&self, at: NaiveDateTime) -> i64 {
        let units = match self.rule.freq {
            ICalendarFrequency::Yearly => i64::from(at.year() - self.start.year()),
            ICalendarFrequency::Monthly => months(at.date()) - months(self.start.date()),
            ICalendarFrequency::Weekly => {
                (self.week_start(at.date()) - self.week_start(self.start.date())).num_days() / 7
            }
            ICalendarFrequency::Daily => (at.date() - self.start.date()).num_days(),
            ICalendarFrequency::Hourly => (at - self.start).num_hours(),
            ICalendarFrequency::Minutely => (at - self.start).num_minutes(),
            ICalendarFrequency::Secondly => (at - self.start).num_seconds(),
        };
        units.div_euclid(self.interval())
    }

    /// The days of a period that the rule picks, and the times on each; nothing beyond the calendar.
    fn period(&self, number: i64, budget: &mut usize) -> Option<Period> {
        let units = number.checked_mul(self.interval())?;
        let (first, length) = match self.rule.freq {
            ICalendarFrequency::Yearly => return self.year(units, budget),
            ICalendarFrequency::Monthly => {
                let month = months(self.start.date()).checked_add(units)?;
                let year = i32::try_from(month.div_euclid(12)).ok()?;
                let first = NaiveDate::from_ymd_opt(year, u32::try_from(month.rem_euclid(12)).ok()? + 1, 1)?;
                (first, u64::from(days_in_month(first)))
            }
            ICalendarFrequency::Weekly => {
                let days = Duration::try_days(units.checked_mul(7)?)?;
                (self.week_start(self.start.date()).checked_add_signed(days)?, 7)
            }
            ICalendarFrequency::Daily => (self.start.date().checked_add_signed(Duration::try_days(units)?)?, 1),
            ICalendarFrequency::Hourly => return self.sub_daily(Duration::try_hours(units)?, budget),
            ICalendarFrequency::Minutely => return self.sub_daily(Duration::try_minutes(units)?, budget),
            ICalendarFrequency::Secondly => return self.sub_daily(Duration::try_seconds(units)?, budget),
        };
        *budget = budget.saturating_sub(length as usize);
        is_writable(first.year()).then(|| self.on_days(first.iter_days().take(length as usize)))
    }

    /// The period of a year: only the months that the rule speaks of are looked through.
    fn year(&self, since_start: i64, budget: &mut usize) -> Option<Period> {
        let year = i32::try_from(since_start).ok()?.checked_add(self.start.year()).filter(|year| is_writable(*year))?;
        let months = &self.days.months;
        let is_start_alone = months.is_absent() && self.speaks_of_no_days() && self.days.weeks.is_absent();
        let is_meant = |month: &u32| match is_start_alone {
            true => *month == self.start.month(),
            false => months.is_absent() || months.has(i64::from(*month)),
        };
        let firsts = (1..=12).filter(is_meant).filter_map(|month| NaiveDate::from_ymd_opt(year, month, 1));
        let mut looked_at = 0;
        let period = self.on_days(firsts.flat_map(|first| {
            looked_at += days_in_month(first) as usize;
            first.iter_days().take(days_in_month(first) as usize)
        }));
        *budget = budget.saturating_sub(looked_at);
        Some(period)
    }

    /// Those of some days in a row that the rule picks.
    fn on_days(&self, days: impl Iterator<Item = NaiveDate>) -> Period {
        let days = days.filter(|day| self.picks_day(*day)).collect();
        Period { days, hours: self.hours.clone(), minutes: self.minutes.clone(), seconds: self.seconds.clone() }
    }

    fn speaks_of_no_days(&self) -> bool {
        self.days.weekdays.is_absent() && self.days.month_days.is_absent() && self.days.year_days.is_absent()
    }

    /// A period of an hour, a minute or a second: one moment of the start's clock, with the finer parts expanded.
    fn sub_daily(&self, since_start: Duration, budget: &mut usize) -> Option<Period> {
        *budget = budget.saturating_sub(1);
        let at = self.start.checked_add_signed(since_start)?;
        if !is_writable(at.year()) {
            return None;
        }
        let allowed = |by: &Numbers, value: u32| by.is_absent() || by.has(i64::from(value) + 1);
        let (freq, [hours, minutes, seconds]) = (self.rule.freq, &self.times);
        let picked = allowed(hours, at.hour())
            && (freq < ICalendarFrequency::Minutely || allowed(minutes, at.minute()))
            && (freq < ICalendarFrequency::Secondly || allowed(seconds, at.second()))
            && self.picks_day(at.date());
        let fixed =
            |is_fixed: bool, value: u32, expanded: &[u32]| if is_fixed { vec![value] } else { expanded.to_vec() };
        Some(Period {
            days: if picked { vec![at.date()] } else { Vec::new() },
            hours: vec![at.hour()],
            minutes: fixed(freq >= ICalendarFrequency::Minutely, at.minute(), &self.minutes),
            seconds: fixed(freq >= ICalendarFrequency::Secondly, at.second(), &self.seconds),
        })
    }

    /// Whether a day passes every BY part that speaks of days, with DTSTART filling in (RFC 5545 §3.3.10, table).
    fn picks_day(&self, day: NaiveDate) -> bool {
        let days = &self.days;
        let month = days.months.is_absent() || days.months.has(i64::from(day.month()));
        let week = || days.weeks.is_absent() || self.is_week(day);
        let year_day = || {
            let length = if day.leap_year() { 366 } else { 365 };
            days.year_days.is_absent() || days.year_days.has_position(i64::from(day.ordinal()), length)
        };
        let month_day = || {
            let length = i64::from(days_in_month(day));
            days.month_days.is_absent() || days.month_days.has_position(i64::from(day.day()), length)
        };
        let weekday = || days.weekdays.is_absent() || self.is_weekday(day);
        month && month_day() && weekday() && year_day() && week() && self.fits_start(day)
    }

    /// What DTSTART decides where the rule says nothing about days.
    fn fits_start(&self, day: NaiveDate) -> bool {
        let rule = self.rule;
        let start = self.start.date();
        let no_days = self.speaks_of_no_days();
        match rule.freq {
            ICalendarFrequency::Yearly if no_days && !self.days.weeks.is_absent() => day.weekday() == start.weekday(),
            ICalendarFrequency::Yearly if no_days => {
                day.day() == start.day() && (!self.days.months.is_absent() || day.month() == start.month())
            }
            ICalendarFrequency::Monthly if no_days => day.day() == start.day(),
            ICalendarFrequency::Weekly if self.days.weekdays.is_absent() => day.weekday() == start.weekday(),
            ICalendarFrequency::Yearly
            | ICalendarFrequency::Monthly
            | ICalendarFrequency::Weekly
            | ICalendarFrequency::Daily
            | ICalendarFrequency::Hourly
            | ICalendarFrequency::Minutely
            | ICalendarFrequency::Secondly => true,
        }
    }

    /// Whether a day is the weekday of a BYDAY, the n-th of its month or year where it says so.
    fn is_weekday(&self, day: NaiveDate) -> bool {
        if self.days.weekdays.has_every(day) {
            return true;
        }
        let Some(numbers) = self.days.weekdays.numbers(day) else { return false };
        let in_month = match self.rule.freq {
            ICalendarFrequency::Monthly => true,
            ICalendarFrequency::Yearly => !self.days.months.is_absent(),
            // RFC 5545 §3.3.10: a number means nothing in the other frequencies.
            ICalendarFrequency::Weekly
            | ICalendarFrequency::Daily
            | ICalendarFrequency::Hourly
            | ICalendarFrequency::Minutely
            | ICalendarFrequency::Secondly => return true,
        };
        let (position, length) = match in_month {
            true => (i64::from(day.day()), i64::from(days_in_month(day))),
            false => (i64::from(day.ordinal()), if day.leap_year() { 366 } else { 365 }),
        };
        numbers.has((position - 1) / 7 + 1) || numbers.has(-((length - position) / 7 + 1))
    }

    /// Whether a day lies in a BYWEEKNO, weeks beginning on WKST; the days around New Year count where their week does.
    fn is_week(&self, day: NaiveDate) -> bool {
        // The fourth day of a week decides which year it belongs to (RFC 5545 §3.3.10).
        let middle = |day: NaiveDate| self.week_start(day).checked_add_signed(Duration::days(3));
        let Some(own) = middle(day) else { return false };
        let number = i64::from(own.ordinal0() / 7) + 1;
        let last = NaiveDate::from_ymd_opt(own.year(), 12, 28)
            .and_then(middle)
            .map_or(52, |middle| i64::from(middle.ordinal0() / 7) + 1);
        self.days.weeks.has_position(number, last)
    }

    fn week_start(&self, day: NaiveDate) -> NaiveDate {
        let first = chrono_weekday(self.rule.wkst.unwrap_or(ICalendarWeekday::Monday));
        let back = day.weekday().days_since(first);
        day.checked_sub_signed(Duration::days(i64::from(back))).unwrap_or(day)
    }

    /// Whether a wall clock lies before DTSTART; after a gap in the clock an earlier reading may be a later moment.
    fn is_before_start(&self, local: NaiveDateTime) -> bool {
        local < self.start
            && match &self.zone {
                zone if zone.is_floating() => true,
                zone => zone.to_unix(local) < zone.to_unix(self.start),
            }
    }

    fn is_beyond_until(&self, local: NaiveDateTime) -> bool {
        match self.until {
            None => false,
            Some(Moment::Date(days)) => local.and_utc().timestamp().div_euclid(86_400) > days,
            Some(Moment::Floating(seconds)) => local.and_utc().timestamp() > seconds,
            Some(Moment::Instant(unix)) => match &self.zone {
                zone if zone.is_floating() => local.and_utc().timestamp() > unix,
                zone => zone.to_unix(local) > unix,
            },
        }
    }

    fn produces_start(&self, budget: &mut usize) -> bool {
        let Some(period) = self.period(0, budget) else { return false };
        let is_candidate = period.days.contains(&self.start.date())
            && period.hours.contains(&self.start.hour())
            && period.minutes.contains(&self.start.minute())
            && period.seconds.contains(&self.start.second());
        let picked = || period.positions(&self.positions).into_iter();
        is_candidate
            && (self.rule.bysetpos.is_empty() || picked().any(|position| period.at(position) == Some(self.start)))
    }
}

/// The candidates of a rule, in order of their wall clocks.
pub struct Candidates<'a, 'b> {
    rule: &'b Rule<'a>,
    period: i64,
    /// The period that is being walked through, with the positions that are still to come.
    inside: Option<(Period, Vec<usize>, usize)>,
    left: Option<u64>,
    budget: &'b mut usize,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Going,
    Finished,
    CutOff,
}

impl Candidates<'_, '_> {
    /// Whether the budget ran out before the rule did.
    pub fn is_cut_off(&self) -> bool {
        self.state == State::CutOff
    }

    fn stop(&mut self, state: State) -> Option<NaiveDateTime> {
        self.state = state;
        None
    }

    /// The next candidate of the current period.
    fn next_inside(&mut self) -> Option<NaiveDateTime> {
        let (period, positions, next) = self.inside.as_mut()?;
        // Without BYSETPOS there is no list of positions: all of them count.
        let index = if positions.is_empty() { Some(*next) } else { positions.get(*next).copied() };
        *next += 1;
        index.and_then(|index| period.at(index))
    }

    fn enter_next_period(&mut self) -> Option<()> {
        let period = self.rule.period(self.period, self.budget)?;
        self.period += 1;
        let positions = period.positions(&self.rule.positions);
        *self.budget = self.budget.saturating_sub(self.rule.positions.len());
        // A period in which no BYSETPOS exists has no candidate at all.
        let is_void = !self.rule.rule.bysetpos.is_empty() && positions.is_empty();
        self.inside = (!is_void).then_some((period, positions, 0));
        Some(())
    }
}

impl Iterator for Candidates<'_, '_> {
    type Item = NaiveDateTime;

    fn next(&mut self) -> Option<NaiveDateTime> {
        while self.state == State::Going {
            if *self.budget == 0 {
                return self.stop(State::CutOff);
            }
            *self.budget -= 1;
            if self.left == Some(0) {
                return self.stop(State::Finished);
            }
            let Some(local) = self.next_inside() else {
                self.inside = None;
                if self.enter_next_period().is_none() {
                    return self.stop(State::Finished);
                }
                continue;
            };
            if self.rule.is_before_start(local) {
                continue;
            }
            if self.rule.is_beyond_until(local) {
                return self.stop(State::Finished);
            }
            self.left = self.left.map(|left| left - 1);
            return Some(local);
        }
        None
    }
}

/// The candidates of one period: every picked day at every picked time, numbered in order.
struct Period {
    days: Vec<NaiveDate>,
    hours: Vec<u32>,
    minutes: Vec<u32>,
    seconds: Vec<u32>,
}

impl Period {
    fn times(&self) -> usize {
        self.hours.len() * self.minutes.len() * self.seconds.len()
    }

    fn at(&self, index: usize) -> Option<NaiveDateTime> {
        let times = self.times();
        if times == 0 {
            return None;
        }
        let (day, time) = (self.days.get(index / times)?, index % times);
        let (minute_and_second, per_hour) = (time, self.minutes.len() * self.seconds.len());
        let hour = self.hours.get(time / per_hour)?;
        let minute = self.minutes.get(minute_and_second % per_hour / self.seconds.len())?;
        let second = self.seconds.get(time % self.seconds.len())?;
        Some(day.and_time(NaiveTime::from_hms_opt(*hour, *minute, *second)?))
    }

    /// The positions that BYSETPOS picks, in order, none twice.
    fn positions(&self, wanted: &[i64]) -> Vec<usize> {
        let size = (self.days.len() * self.times()) as i64;
        let mut positions: Vec<usize> = wanted
            .iter()
            .map(|&position| if position > 0 { position - 1 } else { size + position })
            .filter(|position| (0..size).contains(position))
            .filter_map(|position| usize::try_from(position).ok())
            .collect();
        positions.sort_unstable();
        positions.dedup();
        positions
    }
}

/// How many values the BY parts of a rule have together.
pub fn values_in(rule: &ICalendarRecurrenceRule) -> usize {
    let times = rule.bysecond.len() + rule.byminute.len() + rule.byhour.len();
    let days = rule.byday.len() + rule.bymonthday.len() + rule.byyearday.len();
    times + days + rule.byweekno.len() + rule.bymonth.len() + rule.bysetpos.len()
}

/// The values of BYHOUR, BYMINUTE or BYSECOND in order; DTSTART's own where the rule names none.
///
/// A frequency as fine as the part limits it and does not expand it: there the period itself decides.
fn part(by: &[u8], max: u32, start: u32, limits: bool) -> Vec<u32> {
    let mut values: Vec<u32> = by.iter().map(|&value| u32::from(value)).filter(|value| *value <= max).collect();
    values.sort_unstable();
    values.dedup();
    if by.is_empty() || limits { vec![start] } else { values }
}

fn read_until(until: &PartialDateTime, zone: &Zone) -> Option<Moment> {
    // A local UNTIL under a zone is against RFC 5545 §3.3.10, but its meaning is plain.
    moment(until, zone)
}

/// Beyond year 9999 there is nothing that iCalendar could write down (RFC 5545 §3.3.4).
fn is_writable(year: i32) -> bool {
    year <= 9_999
}

fn months(day: NaiveDate) -> i64 {
    i64::from(day.year()) * 12 + i64::from(day.month0())
}

fn days_in_month(day: NaiveDate) -> u32 {
    match day.month() {
        4 | 6 | 9 | 11 => 30,
        2 if day.leap_year() => 29,
        2 => 28,
        _ => 31,
    }
}
