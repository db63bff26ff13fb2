//! A whole calendar as one iCalendar text, for those who subscribe to it.

use std::collections::BTreeMap;

use super::lines;

/// Puts the objects of a calendar, each an iCalendar text of its own, into one VCALENDAR.
///
/// Every time zone stands there once. Two that have one TZID and different rules, as invented ones may, are told apart by a new
/// TZID for the later. `name` is what applications show for the calendar (X-WR-CALNAME, which all of them read; RFC 7986 §5.1 NAME).
///
/// Lines are folded at 75 octets and end in CRLF; METHOD is left out, since nothing here is a message (RFC 5545 §3.7.2).
pub fn merged<'a>(objects: impl IntoIterator<Item = &'a str>, name: &str, prodid: &str) -> String {
    let mut feed = Feed::default();
    for line in ["BEGIN:VCALENDAR", "VERSION:2.0"] {
        lines::fold_into(&mut feed.text, line);
    }
    lines::fold_into(&mut feed.text, &format!("PRODID:{prodid}"));
    for property in ["NAME", "X-WR-CALNAME"] {
        lines::fold_into(&mut feed.text, &format!("{property}:{}", escaped(name)));
    }
    for object in objects {
        feed.add(object);
    }
    lines::fold_into(&mut feed.text, "END:VCALENDAR");
    feed.text
}

/// TEXT as it stands in a value, RFC 5545 §3.3.11; control characters are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !c.is_control()) {
        if matches!(c, '\\' | ';' | ',') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[derive(Default)]
struct Feed {
    text: String,
    /// The time zones that stand there: TZID, and the lines.
    zones: BTreeMap<String, Vec<String>>,
}

impl Feed {
    fn add(&mut self, object: &str) {
        let components = components(object);
        let (zones, others): (Vec<_>, Vec<_>) = components.into_iter().partition(|block| is_zone(block));
        let mut renamed = BTreeMap::new();
        for zone in zones {
            let Some(tzid) = tzid_of(&zone) else { continue };
            let known_as = self.enter(&tzid, zone);
            if known_as != tzid {
                renamed.insert(tzid, known_as);
            }
        }
        for line in others.iter().flatten() {
            lines::fold_into(&mut self.text, &with_zones(line, &renamed));
        }
    }

    /// Writes a time zone unless it stands there already; the TZID under which it stands there.
    fn enter(&mut self, tzid: &str, zone: Vec<String>) -> String {
        let mut known_as = tzid.to_owned();
        let mut nth = 1_usize;
        while let Some(there) = self.zones.get(&known_as) {
            if *there == zone {
                return known_as;
            }
            nth += 1;
            known_as = format!("{tzid} {nth}");
        }
        for line in &zone {
            let is_tzid = lines::property_name(line).is_some_and(|name| name.eq_ignore_ascii_case("TZID"));
            let line = if is_tzid { format!("TZID:{known_as}") } else { line.clone() };
            lines::fold_into(&mut self.text, &line);
        }
        self.zones.insert(known_as.clone(), zone);
        known_as
    }
}

/// The components that stand in VCALENDAR itself, as unfolded lines, BEGIN and END included.
fn components(object: &str) -> Vec<Vec<String>> {
    let mut found: Vec<Vec<String>> = Vec::new();
    let mut depth = 0_usize;
    for line in lines::unfolded(object) {
        let name = lines::property_name(&line).unwrap_or_default();
        let (begins, ends) = (name.eq_ignore_ascii_case("BEGIN"), name.eq_ignore_ascii_case("END"));
        if begins {
            depth += 1;
            if depth == 2 {
                found.push(Vec::new());
            }
        }
        if depth >= 2
            && let Some(last) = found.last_mut()
        {
            last.push(line.into_owned());
        }
        if ends {
            depth = depth.saturating_sub(1);
        }
    }
    found
}

fn is_zone(block: &[String]) -> bool {
    block.first().is_some_and(|line| line.trim().eq_ignore_ascii_case("BEGIN:VTIMEZONE"))
}

fn tzid_of(zone: &[String]) -> Option<String> {
    let line =
        zone.iter().find(|line| lines::property_name(line).is_some_and(|name| name.eq_ignore_ascii_case("TZID")))?;
    lines::property_value(line).map(|value| value.trim().to_owned())
}

/// A line with the TZID parameter that its time zone has got here.
fn with_zones(line: &str, renamed: &BTreeMap<String, String>) -> String {
    let value = lines::property_value(line).filter(|_| !renamed.is_empty());
    let Some((value, head)) = value.and_then(|value| Some((value, line.get(..line.len() - value.len() - 1)?))) else {
        return line.to_owned();
    };
    let parameters = split_outside_quotes(head);
    let new: Vec<String> = parameters.into_iter().map(|parameter| with_zone(parameter, renamed)).collect();
    format!("{}:{value}", new.join(";"))
}

fn with_zone(parameter: &str, renamed: &BTreeMap<String, String>) -> String {
    let new = parameter.split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("TZID"));
    let new = new.and_then(|(_, tzid)| renamed.get(tzid.trim_matches('"')));
    new.map_or_else(|| parameter.to_owned(), |tzid| format!("TZID=\"{tzid}\""))
}

/// The parts between semicolons; one within quotes does not part (RFC 5545 §3.2).
fn split_outside_quotes(head: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut is_quoted) = (0, false);
    for (at, c) in head.char_indices() {
        match c {
            '"' => is_quoted = !is_quoted,
            ';' if !is_quoted => {
                parts.extend(head.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(head.get(start..));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(uid: &str, tzid: &str, offset: &str) -> String {
        format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nMETHOD:REQUEST\r\nBEGIN:VTIMEZONE\r\nTZID:{tzid}\r\n\
             BEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:{offset}\r\nTZOFFSETTO:{offset}\r\nEND:STANDARD\r\n\
             END:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTART;X-A=\";TZID=no\";TZID=\"{tzid}\":20260101T100000\r\n\
             BEGIN:VALARM\r\nACTION:DISPLAY\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        )
    }

    #[test]
    fn many_objects_are_one_calendar_with_each_zone_once() {
        let objects = [object("1", "Our time", "+0100"), object("2", "Our time", "+0100")];
        let feed = merged(objects.iter().map(String::as_str), "Ada; home", "-//test//EN");
        assert_eq!(feed.matches("BEGIN:VCALENDAR\r\n").count(), 1);
        assert_eq!(feed.matches("BEGIN:VTIMEZONE\r\n").count(), 1);
        assert_eq!(feed.matches("BEGIN:VEVENT\r\n").count(), 2);
        assert_eq!(feed.matches("BEGIN:VALARM\r\n").count(), 2);
        assert!(!feed.contains("METHOD"));
        assert!(feed.contains("\r\nX-WR-CALNAME:Ada\\; home\r\n"));
        assert!(feed.ends_with("END:VEVENT\r\nEND:VCALENDAR\r\n"));
    }

    #[test]
    fn two_zones_of_one_name_are_told_apart() {
        let objects =
            [object("1", "Our time", "+0100"), object("2", "Our time", "+0230"), object("3", "Our time", "+0230")];
        let feed = merged(objects.iter().map(String::as_str), "Ada", "-//test//EN");
        assert_eq!(feed.matches("BEGIN:VTIMEZONE\r\n").count(), 2);
        assert!(feed.contains("UID:1\r\nDTSTART;X-A=\";TZID=no\";TZID=\"Our time\":20260101T100000\r\n"), "{feed}");
        for uid in ["2", "3"] {
            let start = format!("UID:{uid}\r\nDTSTART;X-A=\";TZID=no\";TZID=\"Our time 2\":20260101T100000\r\n");
            assert!(feed.contains(&start), "{feed}");
        }
    }

    #[test]
    fn an_empty_or_broken_object_harms_no_other() {
        let good = object("1", "Our time", "+0100");
        let feed = merged(["", "BEGIN:VCALENDAR\r\nEND", "garbage", good.as_str()], "", "-//test//EN");
        assert_eq!(feed.matches("BEGIN:VEVENT\r\n").count(), 1);
        assert_eq!(
            merged([], "", "p"),
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:p\r\nNAME:\r\nX-WR-CALNAME:\r\nEND:VCALENDAR\r\n"
        );
    }
}
