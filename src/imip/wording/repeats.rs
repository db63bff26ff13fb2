//! A series in words.

use chrono::Weekday;

use super::Voice;
use crate::imip::language::Value;
use crate::imip::recurrence::{End, MonthDay, Pattern, Recurrence};

impl Voice<'_> {
    /// How often something happens, such as "every second Tuesday until 1 September 2026".
    pub(super) fn repeats(&self, recurrence: &Recurrence) -> String {
        let rule = self.pattern(&recurrence.pattern);
        let rule = match recurrence.end {
            End::Never => rule,
            End::Count(count) => self.say("repeats-times", &[("rule", (&rule).into()), ("count", count.into())]),
            End::Until(day) => {
                self.say("repeats-until", &[("rule", (&rule).into()), ("date", (&self.date(day)).into())])
            }
        };
        match i64::try_from(recurrence.exceptions).unwrap_or(i64::MAX) {
            0 => rule,
            count => self.say("repeats-except", &[("rule", (&rule).into()), ("count", Value::Number(count))]),
        }
    }

    fn pattern(&self, pattern: &Pattern) -> String {
        match pattern {
            Pattern::Hours { every } => self.say("every-hour", &[("every", u32::from(*every).into())]),
            Pattern::Days { every } => self.say("every-day", &[("every", u32::from(*every).into())]),
            Pattern::Workdays => self.word("every-workday"),
            Pattern::Weeks { every, on } => self.weeks(*every, on),
            Pattern::Months { every, on } => {
                let days = self.list(on.iter().map(|day| self.month_day(*day)).collect());
                self.say("monthly", &[("every", u32::from(*every).into()), ("days", (&days).into())])
            }
            Pattern::Years { every, month, on } => {
                let day = self.day_of_month(*on, *month);
                self.say("yearly", &[("every", u32::from(*every).into()), ("day", (&day).into())])
            }
            Pattern::Intricate => self.word("repeats-somehow"),
        }
    }

    fn weeks(&self, every: u16, on: &[Weekday]) -> String {
        let every = ("every", u32::from(every).into());
        if let [only] = on {
            return self.say("weekly-on-one", &[every, ("day", number(*only))]);
        }
        let days = self.list(on.iter().map(|day| self.say("item-weekday", &[("day", number(*day))])).collect());
        self.say("weekly-on-several", &[every, ("days", (&days).into())])
    }

    fn month_day(&self, day: MonthDay) -> String {
        match day {
            MonthDay::Day(day) => self.say("item-day", &[("day", day.into())]),
            MonthDay::Last => self.word("item-last-day"),
            MonthDay::Nth(nth, day) => {
                self.say("item-weekday-of-month", &[("nth", Value::Number(nth)), ("day", number(day))])
            }
            MonthDay::Workday(nth) => self.say("item-workday-of-month", &[("nth", Value::Number(nth))]),
        }
    }

    fn day_of_month(&self, day: MonthDay, month: u32) -> String {
        let month = ("month", month.into());
        match day {
            MonthDay::Day(day) => self.say("day-of-year", &[("day", day.into()), month]),
            MonthDay::Last => self.say("last-day-of-month", &[month]),
            MonthDay::Nth(nth, day) => {
                self.say("weekday-of-month", &[("nth", Value::Number(nth)), ("day", number(day)), month])
            }
            // No rule is read as this: it would need words that nobody uses.
            MonthDay::Workday(_) => self.word("repeats-somehow"),
        }
    }

    /// Several things in a row: "a, b and c".
    fn list(&self, items: Vec<String>) -> String {
        let mut items = items.into_iter().rev();
        let Some(last) = items.next() else { return String::new() };
        let Some(before) = items.next() else { return last };
        let two = self.say("list-two", &[("first", (&before).into()), ("second", (&last).into())]);
        items.fold(two, |rest, first| self.say("list-more", &[("first", (&first).into()), ("rest", (&rest).into())]))
    }
}

/// 1 for Monday to 7 for Sunday.
fn number(day: Weekday) -> Value<'static> {
    day.number_from_monday().into()
}
