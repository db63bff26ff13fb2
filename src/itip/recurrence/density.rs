//! How often a rule can take place on one day, told from the rule alone.

use calcard::icalendar::{ICalendarFrequency, ICalendarRecurrenceRule};

use crate::itip::limits;

/// Whether a rule has more instances on a day than anybody could take part in.
///
/// RFC 5545 §3.3.10 allows one each second for ever. Such a rule says nothing to people, and makes whoever looks for one of
/// its instances go through hundreds of thousands of others; COUNT makes it harmless.
pub fn is_too_dense(rule: &ICalendarRecurrenceRule) -> bool {
    let is_short =
        rule.count.is_some_and(|count| usize::try_from(count).is_ok_and(|n| n <= limits::INSTANCES_PER_DAY_MAX));
    !is_short && instances_per_day(rule) > limits::INSTANCES_PER_DAY_MAX
}

/// The most instances that a rule can have on one day.
fn instances_per_day(rule: &ICalendarRecurrenceRule) -> usize {
    let (hours, minutes, seconds) = (rule.byhour.len(), rule.byminute.len(), rule.bysecond.len());
    // What is coarser than a part of the rule, or the same, is limited by it; what is finer is multiplied (RFC 5545 §3.3.10).
    let only = |values: usize, all: usize| if values == 0 { all } else { values };
    let (limited, periods, each): (usize, usize, usize) = match rule.freq {
        ICalendarFrequency::Secondly => (only(hours, 24) * only(minutes, 60) * only(seconds, 60), 86_400, 1),
        ICalendarFrequency::Minutely => (only(hours, 24) * only(minutes, 60), 1_440, only(seconds, 1)),
        ICalendarFrequency::Hourly => (only(hours, 24), 24, only(minutes, 1) * only(seconds, 1)),
        ICalendarFrequency::Daily
        | ICalendarFrequency::Weekly
        | ICalendarFrequency::Monthly
        | ICalendarFrequency::Yearly => (1, 1, only(hours, 1) * only(minutes, 1) * only(seconds, 1)),
    };
    let interval = usize::from(rule.interval.unwrap_or(1).max(1));
    limited.min(usize::div_ceil(periods, interval)).saturating_mul(each)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::itip::CalendarObject;
    use calcard::icalendar::{ICalendarProperty, ICalendarValue};

    fn is_refused(rule: &str) -> bool {
        let text =
            format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nRRULE:{rule}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
        let object = CalendarObject::parse(&text).expect("an object");
        let entry = object.master().and_then(|master| master.property(&ICalendarProperty::Rrule)).expect("a rule");
        match entry.values.first() {
            Some(ICalendarValue::RecurrenceRule(rule)) => is_too_dense(rule),
            other => panic!("{rule} is read as {other:?}"),
        }
    }

    #[test]
    fn rules_that_people_have_are_taken() {
        for rule in [
            "FREQ=WEEKLY",
            "FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40",
            "FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16",
            "FREQ=MINUTELY;INTERVAL=90;COUNT=4",
            "FREQ=MINUTELY",
            "FREQ=HOURLY;INTERVAL=3;BYMINUTE=0,15,30,45",
            "FREQ=SECONDLY;COUNT=10",
            "FREQ=SECONDLY;INTERVAL=3600",
            "FREQ=YEARLY;BYMONTH=1;BYDAY=SU;BYHOUR=8,9;BYMINUTE=30",
        ] {
            assert!(!is_refused(rule), "{rule}");
        }
    }

    #[test]
    fn rules_of_every_second_are_refused() {
        let sixty = (0..60).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        for rule in [
            "FREQ=SECONDLY".to_owned(),
            "FREQ=SECONDLY;COUNT=1000000".to_owned(),
            format!("FREQ=MINUTELY;BYSECOND={sixty}"),
            format!("FREQ=HOURLY;BYMINUTE={sixty};BYSECOND={sixty}"),
            format!("FREQ=YEARLY;BYDAY=MO,TU;BYHOUR=1,2,3,4,5,6;BYMINUTE={sixty};BYSECOND={sixty}"),
        ] {
            assert!(is_refused(&rule), "{rule}");
        }
    }
}
