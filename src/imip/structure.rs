//! BEGIN and END in pairs, although the sender forgot some.
//!
//! A parser that meets a missing END:VEVENT takes the next VEVENT for a child and swallows a following VCALENDAR;
//! one stray END closes the calendar before its time. RFC 5545 §3.6 has components of known kinds at known places,
//! so the pairs can be restored by what may not lie in what.

use super::limits;
use super::lines;
use super::quirk::Quirk;

/// The components that lie in VCALENDAR itself and never in each other (RFC 5545 §3.6, RFC 7953 §3.1).
const TOP_LEVEL: [&str; 6] = ["VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VTIMEZONE", "VAVAILABILITY"];

/// The components that do not hold one another (RFC 5545 §3.6.5, §3.6.6).
const NEVER_IN_EACH_OTHER: [&[&str]; 2] = [&["VALARM"], &["STANDARD", "DAYLIGHT"]];

const CALENDAR: &str = "VCALENDAR";

/// What a line does to the structure.
enum Step<'a> {
    Begin(&'a str),
    End(&'a str),
    Property,
}

fn step(line: &str) -> Step<'_> {
    let Some(name) = lines::property_name(line) else { return Step::Property };
    let value = lines::property_value(line).map(str::trim);
    match value {
        Some(component) if name.eq_ignore_ascii_case("BEGIN") => Step::Begin(component),
        Some(component) if name.eq_ignore_ascii_case("END") => Step::End(component),
        Some(_) | None => Step::Property,
    }
}

/// Whether the line opens a component.
pub(super) fn is_begin(line: &str) -> bool {
    matches!(step(line), Step::Begin(_))
}

/// Whether the line closes a VCALENDAR.
pub(super) fn is_end_of_calendar(line: &str) -> bool {
    matches!(step(line), Step::End(name) if name.eq_ignore_ascii_case(CALENDAR))
}

/// Whether the text is one VCALENDAR with all components closed in order, and nothing around it.
pub(super) fn is_balanced(text: &str) -> bool {
    let mut open: Vec<String> = Vec::new();
    let mut is_over = false;
    for line in lines::unfolded(text) {
        if is_over {
            return false;
        }
        match step(&line) {
            Step::Begin(name) => {
                let name = name.to_ascii_uppercase();
                if closes_before(&open, &name) != open.len() || open.len() >= limits::COMPONENT_NESTING_MAX {
                    return false;
                }
                if open.is_empty() && name != CALENDAR {
                    return false;
                }
                open.push(name);
            }
            Step::End(name) => {
                if !open.pop().is_some_and(|last| last.eq_ignore_ascii_case(name)) {
                    return false;
                }
                is_over = open.is_empty();
            }
            Step::Property if open.is_empty() => return false,
            Step::Property => {}
        }
    }
    is_over
}

/// How many of the open components may stay open when `name` begins.
fn closes_before(open: &[String], name: &str) -> usize {
    if name == CALENDAR {
        return 0;
    }
    if TOP_LEVEL.contains(&name) {
        return open.len().min(1);
    }
    NEVER_IN_EACH_OTHER
        .iter()
        .filter(|kin| kin.contains(&name))
        .filter_map(|kin| open.iter().position(|holder| kin.contains(&holder.as_str())))
        .min()
        .unwrap_or(open.len())
}

/// Writes content lines back with every component closed where it must be.
#[derive(Default)]
pub(super) struct Balance {
    out: String,
    open: Vec<String>,
    /// Components that were left out because they lie too deep, and are not closed yet.
    too_deep: usize,
    calendars: usize,
    quirks: Vec<Quirk>,
}

impl Balance {
    /// Takes the next content line.
    pub(super) fn take(&mut self, line: &str) {
        match step(line.trim_start()) {
            Step::Begin(name) => self.begin(&name.to_ascii_uppercase()),
            Step::End(name) => self.end(&name.to_ascii_uppercase()),
            Step::Property if self.open.is_empty() => self.quirks.push(Quirk::TextAroundCalendar),
            Step::Property if self.too_deep > 0 => {}
            Step::Property => self.write(line),
        }
    }

    /// Closes what is open; the text, and what was wrong.
    pub(super) fn finish(mut self) -> (String, Vec<Quirk>) {
        self.close_down_to(0);
        (self.out, self.quirks)
    }

    fn begin(&mut self, name: &str) {
        let stays = closes_before(&self.open, name);
        self.close_down_to(stays);
        // A parser that recurses must not be led down; honest calendars have three levels.
        if self.open.len() >= limits::COMPONENT_NESTING_MAX {
            self.too_deep += 1;
            self.quirks.push(Quirk::OverLimit);
            return;
        }
        if self.open.is_empty() {
            self.begin_calendar(name == CALENDAR);
        }
        if name != CALENDAR {
            self.open(name);
        }
    }

    fn begin_calendar(&mut self, is_written: bool) {
        if !is_written {
            self.quirks.push(Quirk::BareComponent);
        }
        self.calendars += 1;
        if self.calendars == 2 {
            self.quirks.push(Quirk::SeveralCalendars);
        }
        self.open(CALENDAR);
        if !is_written {
            self.write("VERSION:2.0");
        }
    }

    fn end(&mut self, name: &str) {
        if self.too_deep > 0 && !TOP_LEVEL.contains(&name) && name != CALENDAR {
            self.too_deep -= 1;
            return;
        }
        let place = self.open.iter().rposition(|open| open == name).or_else(|| self.mistaken_for(name));
        match place {
            Some(place) => {
                self.close_down_to(place + 1);
                self.close();
            }
            None => self.quirks.push(Quirk::StrayEnd),
        }
    }

    /// The open component that an END with the wrong name means; RFC 6047 itself closes a VTODO by END:VEVENT.
    fn mistaken_for(&mut self, name: &str) -> Option<usize> {
        let is_top_level = TOP_LEVEL.contains(&name) && self.open.len() > 1;
        is_top_level.then(|| {
            self.quirks.push(Quirk::MissingEnd);
            1
        })
    }

    fn close_down_to(&mut self, count: usize) {
        if self.open.len() > count {
            self.too_deep = 0;
        }
        while self.open.len() > count {
            self.quirks.push(Quirk::MissingEnd);
            self.close();
        }
    }

    fn open(&mut self, name: &str) {
        self.open.push(name.to_owned());
        self.write(&format!("BEGIN:{name}"));
    }

    fn close(&mut self) {
        if let Some(name) = self.open.last().cloned() {
            self.write(&format!("END:{name}"));
            self.open.pop();
        }
    }

    fn write(&mut self, line: &str) {
        lines::fold_into(&mut self.out, line);
    }
}

/// Splits a mended text into its VCALENDARs.
pub(super) fn calendars(mended: &str) -> Vec<&str> {
    const END: &str = "\r\nEND:VCALENDAR\r\n";
    mended.split_inclusive(END).filter(|calendar| !calendar.trim().is_empty()).collect()
}
