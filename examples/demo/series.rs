//! The meeting of the demo, as A's calendar app would write it.

use anyhow::{Result, ensure};
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

use crate::{A, B, C, D};

const ZONE: Tz = Tz::Europe__Berlin;
const FORM: &str = "%Y%m%dT%H%M%S";

/// A weekly series of four Mondays, 10:00 to 11:00 in Berlin.
pub struct Series {
    pub uid: String,
    first: NaiveDate,
}

impl Series {
    /// The series that begins on the Monday of next week, under a UID of its own.
    pub fn starting_next_week() -> Self {
        let today = Utc::now().date_naive();
        let first = today + Days::new(7 - u64::from(today.weekday().num_days_from_monday()));
        Self { uid: format!("weekly-{}@example.com", Utc::now().timestamp_micros()), first }
    }

    pub fn text(&self) -> String {
        let start = self.first.and_time(at(10));
        let end = self.first.and_time(at(11));
        let stamp = Utc::now().format(FORM);
        let uid = &self.uid;
        let text = format!(
            "BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//imipd//demo//EN
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:DAYLIGHT
DTSTART:19810329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19961027T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:{uid}
DTSTAMP:{stamp}Z
SEQUENCE:0
DTSTART;TZID=Europe/Berlin:{start}
DTEND;TZID=Europe/Berlin:{end}
RRULE:FREQ=WEEKLY;COUNT=4
SUMMARY:Weekly planning
LOCATION:Room 2
STATUS:CONFIRMED
ORGANIZER;CN=Anna:mailto:{A}
ATTENDEE;CN=Anna;PARTSTAT=ACCEPTED:mailto:{A}
ATTENDEE;CN=Ben;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{B}
ATTENDEE;CN=Clara;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{C}
ATTENDEE;CN=David;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{D}
END:VEVENT
END:VCALENDAR
",
            start = start.format(FORM),
            end = end.format(FORM),
        );
        text.replace('\n', "\r\n")
    }

    /// The instance that gets moved, by its original start.
    pub fn second(&self) -> DateTime<Utc> {
        instant(self.second_local())
    }

    /// Where it is moved to: the day after, 14:00.
    pub fn moved_to(&self) -> DateTime<Utc> {
        instant(self.moved_local())
    }

    fn second_local(&self) -> NaiveDateTime {
        (self.first + Days::new(7)).and_time(at(10))
    }

    fn moved_local(&self) -> NaiveDateTime {
        (self.first + Days::new(8)).and_time(at(14))
    }

    /// The stored text with the second instance moved, as a calendar app edits it: a copy of the master's component with
    /// the instance's name and the new times.
    pub fn with_second_moved(&self, stored: &str) -> Result<String> {
        let lines: Vec<&str> = stored.lines().collect();
        let begin = lines.iter().position(|line| *line == "BEGIN:VEVENT");
        let end = lines.iter().position(|line| *line == "END:VEVENT");
        let (Some(begin), Some(end)) = (begin, end) else {
            anyhow::bail!("A's stored calendar has no VEVENT:\n{stored}")
        };
        ensure!(begin < end, "A's stored calendar is out of order:\n{stored}");
        let (before, after) = lines.split_at(end + 1);
        let moved = before.get(begin..).unwrap_or_default();
        let moved = self.moved_instance(moved);
        let all = before
            .iter()
            .map(|line| (*line).to_owned())
            .chain(moved)
            .chain(after.iter().map(|line| (*line).to_owned()));
        Ok(all.map(|line| line + "\r\n").collect())
    }

    fn moved_instance(&self, master: &[&str]) -> Vec<String> {
        let original = self.second_local().format(FORM);
        let (start, end) = (self.moved_local(), self.moved_local().date().and_time(at(15)));
        let mut lines = Vec::new();
        let mut dropped = false;
        for line in master {
            // A folded line goes where its beginning went.
            if !line.starts_with([' ', '\t']) {
                dropped = ["RRULE", "DTSTART", "DTEND"].iter().any(|name| line.starts_with(name));
            }
            if !dropped {
                lines.push((*line).to_owned());
            }
        }
        let times = [
            format!("RECURRENCE-ID;TZID=Europe/Berlin:{original}"),
            format!("DTSTART;TZID=Europe/Berlin:{}", start.format(FORM)),
            format!("DTEND;TZID=Europe/Berlin:{}", end.format(FORM)),
        ];
        lines.splice(1..1, times);
        lines
    }
}

fn at(hour: u32) -> NaiveTime {
    NaiveTime::MIN + chrono::Duration::hours(i64::from(hour))
}

/// The hours of the demo exist once on every day, in every year.
fn instant(local: NaiveDateTime) -> DateTime<Utc> {
    ZONE.from_local_datetime(&local).earliest().map_or_else(|| local.and_utc(), |time| time.to_utc())
}
