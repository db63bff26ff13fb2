//! A recurrence rule in words.

use calcard::icalendar::{ICalendarDay, ICalendarFrequency, ICalendarRecurrenceRule, ICalendarWeekday};
use chrono::NaiveDate;

/// A rule as a person says it, such as "every 2 weeks on Monday and Thursday, 10 times".
///
/// What has no short wording is said to recur and no more; the calendar part has it all.
pub fn in_words(rule: &ICalendarRecurrenceRule) -> String {
    let is_intricate = !(rule.bysetpos.is_empty()
        && rule.byweekno.is_empty()
        && rule.byyearday.is_empty()
        && rule.byhour.is_empty()
        && rule.byminute.is_empty()
        && rule.bysecond.is_empty()
        && rule.bymonth.is_empty());
    let mut words = every(rule.freq, rule.interval.unwrap_or(1));
    if is_intricate {
        words.push_str(", on certain days");
    } else {
        words.push_str(&on_days(rule));
    }
    words + &end(rule)
}

fn every(freq: ICalendarFrequency, interval: u16) -> String {
    let unit = match freq {
        ICalendarFrequency::Yearly => "year",
        ICalendarFrequency::Monthly => "month",
        ICalendarFrequency::Weekly => "week",
        ICalendarFrequency::Daily => "day",
        ICalendarFrequency::Hourly => "hour",
        ICalendarFrequency::Minutely => "minute",
        ICalendarFrequency::Secondly => "second",
    };
    if interval <= 1 { format!("every {unit}") } else { format!("every {interval} {unit}s") }
}

fn on_days(rule: &ICalendarRecurrenceRule) -> String {
    let mut days: Vec<String> = rule.byday.iter().map(weekday).collect();
    days.extend(rule.bymonthday.iter().map(|&day| match day {
        -1 => "the last day".to_owned(),
        ..=0 => format!("the {} day from the end", ordinal(i64::from(day).abs())),
        1.. => format!("the {}", ordinal(i64::from(day))),
    }));
    match days.split_last() {
        None => String::new(),
        Some((only, [])) => format!(" on {only}"),
        Some((last, others)) => format!(" on {} and {last}", others.join(", ")),
    }
}

fn weekday(day: &ICalendarDay) -> String {
    let name = match day.weekday {
        ICalendarWeekday::Monday => "Monday",
        ICalendarWeekday::Tuesday => "Tuesday",
        ICalendarWeekday::Wednesday => "Wednesday",
        ICalendarWeekday::Thursday => "Thursday",
        ICalendarWeekday::Friday => "Friday",
        ICalendarWeekday::Saturday => "Saturday",
        ICalendarWeekday::Sunday => "Sunday",
    };
    match day.ordwk.map(i64::from) {
        None | Some(0) => name.to_owned(),
        Some(-1) => format!("the last {name}"),
        Some(number @ ..=-2) => format!("the {} {name} from the end", ordinal(number.abs())),
        Some(number) => format!("the {} {name}", ordinal(number)),
    }
}

fn ordinal(number: i64) -> String {
    let suffix = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{suffix}")
}

fn end(rule: &ICalendarRecurrenceRule) -> String {
    if let Some(count) = rule.count {
        return if count == 1 { ", once".to_owned() } else { format!(", {count} times") };
    }
    let until = rule.until.as_ref().and_then(|until| {
        let (year, month, day) = (until.year?, until.month?, until.day?);
        NaiveDate::from_ymd_opt(i32::from(year), u32::from(month), u32::from(day))
    });
    until.map_or_else(String::new, |day| format!(", until {}", day.format("%-d %B %Y")))
}

#[cfg(test)]
mod tests {
    use calcard::icalendar::{ICalendar, ICalendarValue};

    use super::*;

    fn words(rule: &str) -> String {
        let text = format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nRRULE:{rule}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
        let calendar = ICalendar::parse(&text).expect("a calendar");
        match &calendar.components[1].entries[0].values[0] {
            ICalendarValue::RecurrenceRule(rule) => in_words(rule),
            other => panic!("no rule: {other:?}"),
        }
    }

    #[test]
    fn rules_are_said_as_people_say_them() {
        for (rule, expected) in [
            ("FREQ=DAILY", "every day"),
            ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;COUNT=10", "every 2 weeks on Monday and Thursday, 10 times"),
            (
                "FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20260901T120000Z",
                "every month on the last Friday, until 1 September 2026",
            ),
            ("FREQ=MONTHLY;BYMONTHDAY=1,15,22", "every month on the 1st, the 15th and the 22nd"),
            ("FREQ=YEARLY;BYMONTH=3;BYDAY=2SU", "every year, on certain days"),
        ] {
            assert_eq!(words(rule), expected, "{rule}");
        }
    }
}
