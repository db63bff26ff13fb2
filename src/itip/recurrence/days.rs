//! Which days a rule picks: its BY parts as sets, so that a day costs the same however long the rule is.

use calcard::icalendar::{ICalendarDay, ICalendarRecurrenceRule, ICalendarWeekday};
use chrono::{Datelike, NaiveDate, Weekday};

/// The largest number in any BY part that speaks of days (RFC 5545 §3.3.10).
const LARGEST: i64 = 366;

/// The BY parts of a rule that speak of days.
#[derive(Clone, Debug)]
pub(super) struct Days {
    pub months: Numbers,
    pub weeks: Numbers,
    pub year_days: Numbers,
    pub month_days: Numbers,
    pub weekdays: Weekdays,
}

impl Days {
    pub fn of(rule: &ICalendarRecurrenceRule) -> Self {
        Self {
            months: rule.bymonth.iter().map(|one| i64::from(one.month())).collect(),
            weeks: rule.byweekno.iter().map(|one| i64::from(*one)).collect(),
            year_days: rule.byyearday.iter().map(|one| i64::from(*one)).collect(),
            month_days: rule.bymonthday.iter().map(|one| i64::from(*one)).collect(),
            weekdays: Weekdays::of(&rule.byday),
        }
    }
}

/// A set of numbers, each counted from the beginning or, when negative, from the end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Numbers {
    bits: [u64; 12],
    is_given: bool,
}

impl Numbers {
    /// Whether the rule has no such part; a part without any possible number picks nothing.
    pub fn is_absent(&self) -> bool {
        !self.is_given
    }

    pub fn has(&self, number: i64) -> bool {
        slot(number).and_then(|(word, bit)| Some(self.bits.get(word)? & bit)).is_some_and(|bit| bit != 0)
    }

    /// Whether something at that position is meant, of so many there are.
    pub fn has_position(&self, position: i64, of: i64) -> bool {
        self.has(position) || self.has(position - of - 1)
    }
}

impl FromIterator<i64> for Numbers {
    fn from_iter<I: IntoIterator<Item = i64>>(numbers: I) -> Self {
        let mut set = Self::default();
        for number in numbers {
            set.is_given = true;
            let Some((word, bit)) = slot(number) else { continue };
            if let Some(word) = set.bits.get_mut(word) {
                *word |= bit;
            }
        }
        set
    }
}

fn slot(number: i64) -> Option<(usize, u64)> {
    let is_possible = number != 0 && (-LARGEST..=LARGEST).contains(&number);
    let index = usize::try_from(if number > 0 { number } else { LARGEST - number }).ok().filter(|_| is_possible)?;
    Some((index / 64, 1 << (index % 64)))
}

/// BYDAY: weekdays, each of them or the n-th.
#[derive(Clone, Debug, Default)]
pub(super) struct Weekdays {
    is_given: bool,
    every: [bool; 7],
    /// The numbers of each weekday; empty where no weekday has a number.
    numbered: Vec<Numbers>,
}

impl Weekdays {
    fn of(days: &[ICalendarDay]) -> Self {
        let mut weekdays = Self { is_given: !days.is_empty(), ..Self::default() };
        let of_weekday = |index: usize| {
            let same = days.iter().filter(move |day| index_of(chrono_weekday(day.weekday)) == index);
            same.filter_map(|day| day.ordwk.map(i64::from).filter(|number| *number != 0))
        };
        for day in days {
            let is_every = day.ordwk.is_none_or(|number| number == 0);
            if let Some(every) = weekdays.every.get_mut(index_of(chrono_weekday(day.weekday))) {
                *every |= is_every;
            }
        }
        if (0..7).any(|index| of_weekday(index).next().is_some()) {
            weekdays.numbered = (0..7).map(|index| of_weekday(index).collect()).collect();
        }
        weekdays
    }

    pub fn is_absent(&self) -> bool {
        !self.is_given
    }

    /// Whether a day is meant whatever its number.
    pub fn has_every(&self, day: NaiveDate) -> bool {
        self.every.get(index_of(day.weekday())).is_some_and(|every| *every)
    }

    /// The numbers that the weekday of a day has.
    pub fn numbers(&self, day: NaiveDate) -> Option<&Numbers> {
        self.numbered.get(index_of(day.weekday())).filter(|numbers| !numbers.is_absent())
    }
}

fn index_of(weekday: Weekday) -> usize {
    weekday.num_days_from_monday() as usize
}

/// The weekday as chrono has it.
pub fn chrono_weekday(weekday: ICalendarWeekday) -> Weekday {
    match weekday {
        ICalendarWeekday::Sunday => Weekday::Sun,
        ICalendarWeekday::Monday => Weekday::Mon,
        ICalendarWeekday::Tuesday => Weekday::Tue,
        ICalendarWeekday::Wednesday => Weekday::Wed,
        ICalendarWeekday::Thursday => Weekday::Thu,
        ICalendarWeekday::Friday => Weekday::Fri,
        ICalendarWeekday::Saturday => Weekday::Sat,
    }
}
