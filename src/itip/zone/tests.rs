use super::*;
use crate::itip::time::parse_basic_format;

fn unix(text: &str) -> i64 {
    parse_basic_format(text).expect("a time").as_seconds()
}

fn local(text: &str) -> NaiveDateTime {
    DateTime::from_timestamp(unix(text), 0).expect("a time").naive_utc()
}

fn part(kind: &str, lines: &str) -> String {
    format!("BEGIN:{kind}\r\n{}\r\nEND:{kind}\r\n", lines.replace('\n', "\r\n"))
}

fn zones(parts: &str) -> Zones {
    let text = format!("BEGIN:VCALENDAR\r\n{}END:VCALENDAR\r\n", vtimezone("Somewhere", parts));
    Zones::of(&crate::itip::text::parse(&text).expect("a calendar"))
}

fn vtimezone(tzid: &str, parts: &str) -> String {
    format!("BEGIN:VTIMEZONE\r\nTZID:{tzid}\r\n{parts}END:VTIMEZONE\r\n")
}

/// New York as the example of RFC 5545 §3.6.5 has it, in its last years.
fn new_york() -> String {
    part(
        "DAYLIGHT",
        "DTSTART:20070311T020000\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU\nTZOFFSETFROM:-0500\nTZOFFSETTO:-0400",
    ) + &part(
        "STANDARD",
        "DTSTART:20071104T020000\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU\nTZOFFSETFROM:-0400\nTZOFFSETTO:-0500",
    )
}

fn fault(parts: &str) -> Option<ZoneFault> {
    let zones = zones(parts);
    assert_eq!(zones.resolve("Somewhere").is_floating(), zones.faults().next().is_some());
    zones.faults().next().map(|(tzid, fault)| {
        assert_eq!(tzid, "Somewhere");
        fault
    })
}

#[test]
fn a_gap_uses_the_offset_before_it_and_an_overlap_the_first() {
    let berlin = Zones::default().resolve("Europe/Berlin");
    // 02:30 does not exist on that day; with +01:00 it is 01:30 UTC.
    assert_eq!(berlin.to_unix(local("20260329T023000")), unix("20260329T013000Z"));
    // 02:30 exists twice; the first is summer time.
    assert_eq!(berlin.to_unix(local("20261025T023000")), unix("20261025T003000Z"));
}

#[test]
fn rules_of_its_own_are_read_as_those_of_the_known_zone() {
    let (own, known) = (zones(&new_york()).resolve("Somewhere"), Zones::default().resolve("America/New_York"));
    assert!(matches!(own, Zone::Own(_)));
    // Every hour of a year with all its changes, gap and overlap among them, in both directions.
    for hour in 0..9_000 {
        let at = unix("20250101T003000Z") + hour * 3_600;
        let wall = DateTime::from_timestamp(at, 0).expect("a time").naive_utc();
        assert_eq!(own.to_unix(wall), known.to_unix(wall), "{wall}");
        assert_eq!(own.to_local(at), known.to_local(at), "{wall} UTC");
    }
}

#[test]
fn the_first_part_says_what_held_before_it_and_rdate_adds_changes() {
    let parts = part("STANDARD", "DTSTART:20100101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200")
        + &part(
            "DAYLIGHT",
            "DTSTART:20150601T000000\nRDATE:20160601T000000,20170601T000000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0330",
        )
        + &part("STANDARD", "DTSTART:20150901T000000\nRDATE:20160901T000000\nTZOFFSETFROM:+0330\nTZOFFSETTO:+0200");
    let zone = zones(&parts).resolve("Somewhere");
    for (wall, utc) in [
        ("20091231T120000", "20091231T110000Z"),
        ("20100102T120000", "20100102T100000Z"),
        ("20160701T120000", "20160701T083000Z"),
        ("20161001T120000", "20161001T100000Z"),
        ("20190101T120000", "20190101T083000Z"),
    ] {
        assert_eq!(zone.to_unix(local(wall)), unix(utc), "{wall}");
    }
}

#[test]
fn until_in_utc_ends_a_rule_on_the_clock_before_the_change() {
    // RFC 5545 §3.6.5: the last Sunday of April 1973 at two, in standard time, is 07:00 UTC.
    let rule = "DTSTART:19670430T020000\nRRULE:FREQ=YEARLY;BYMONTH=4;BYDAY=-1SU;UNTIL=19730429T070000Z\nTZOFFSETFROM:-0500\nTZOFFSETTO:-0400";
    let autumn =
        "DTSTART:19671029T020000\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\nTZOFFSETFROM:-0400\nTZOFFSETTO:-0500";
    let zone = zones(&(part("DAYLIGHT", rule) + &part("STANDARD", autumn))).resolve("Somewhere");
    assert_eq!(zone.to_unix(local("19730701T120000")), unix("19730701T160000Z"));
    assert_eq!(zone.to_unix(local("19740701T120000")), unix("19740701T170000Z"));
}

#[test]
fn what_cannot_be_understood_floats_and_is_said() {
    let standard = "DTSTART:20070101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100";
    let every_minute = format!("{standard}\nRRULE:FREQ=MINUTELY;COUNT=500");
    let endless = format!("{standard}\nRRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30");
    let many = vec!["20070101T000000"; 100_001].join(",");
    for (parts, expected) in [
        (String::new(), ZoneFault::Empty),
        (part("STANDARD", "TZOFFSETFROM:+0100\nTZOFFSETTO:+0100"), ZoneFault::NoStart),
        (part("STANDARD", "DTSTART:whenever\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100"), ZoneFault::NoStart),
        (part("STANDARD", "DTSTART:20070101T000000\nTZOFFSETTO:+0100"), ZoneFault::NoOffset),
        (part("STANDARD", "DTSTART:20070101T000000\nTZOFFSETFROM:+9900\nTZOFFSETTO:+0100"), ZoneFault::NoOffset),
        (part("STANDARD", &format!("{standard}\nRRULE:FREQ=SOMETIMES")), ZoneFault::UnreadableRule),
        (part("STANDARD", &format!("{standard}\nRDATE:soon")), ZoneFault::UnreadableRule),
        (part("STANDARD", &every_minute), ZoneFault::Restless),
        (part("STANDARD", &endless), ZoneFault::TooMuchWork),
        (part("STANDARD", &format!("{standard}\nRDATE:{many}")), ZoneFault::TooMuchWork),
    ] {
        assert_eq!(fault(&parts), Some(expected), "{}", parts.get(..200).unwrap_or(&parts));
    }
    assert_eq!(fault(&part("STANDARD", standard)), None);
}

#[test]
fn nonsense_offsets_are_followed_as_they_are_written() {
    // Neither part begins where the other ends. In UTC the second comes first: 00:01 and 12:00 on 1 January.
    let parts = part("STANDARD", "DTSTART:20200101T000000\nTZOFFSETFROM:-1200\nTZOFFSETTO:+1400")
        + &part("DAYLIGHT", "DTSTART:20200102T000000\nTZOFFSETFROM:+2359\nTZOFFSETTO:-2359");
    let zone = zones(&parts).resolve("Somewhere");
    assert_eq!(zone.to_unix(local("20191231T000000")), unix("20191230T000100Z"));
    assert_eq!(zone.to_unix(local("20200201T000000")), unix("20200131T100000Z"));
    for hour in 0..96 {
        let at = unix("20191230T000000Z") + hour * 3_600;
        assert!(zone.to_local(at).is_some_and(|wall| (zone.to_unix(wall) - at).abs() <= 2 * 86_400));
    }
}

#[test]
fn ten_thousand_zones_share_one_budget() {
    let many: String = (0..4_000).map(|number| vtimezone(&format!("Z{number}"), &new_york())).collect();
    let text = format!("BEGIN:VCALENDAR\r\n{many}END:VCALENDAR\r\n");
    let zones = Zones::of(&crate::itip::text::parse(&text).expect("a calendar"));
    assert!(matches!(zones.resolve("Z0"), Zone::Own(_)));
    assert!(zones.resolve("Z3999").is_floating());
    let faults: Vec<_> = zones.faults().collect();
    assert_eq!(faults.len(), limits::ZONE_FAULTS_MAX);
    assert!(faults.iter().all(|(_, fault)| *fault == ZoneFault::TooMuchWork));
}

#[test]
fn two_clocks_are_alike_when_they_are_from_some_time_on() {
    let early = part("STANDARD", "DTSTART:19000101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:-0500") + &new_york();
    let (early, late) = (zones(&early).resolve("Somewhere"), zones(&new_york()).resolve("Somewhere"));
    assert!(early.runs_like(&late, unix("20250101T000000Z")));
    assert!(!early.runs_like(&late, unix("18990101T000000Z")));
    assert!(Zone::UTC.runs_like(&Zones::default().resolve("Etc/UTC"), 0));
    assert!(!Zone::UTC.runs_like(&late, 0));
}
