use std::time::Instant;

use super::*;
use crate::itip::time::parse_basic_format;

/// A master with the given lines, DTSTART among them.
fn object(lines: &str) -> CalendarObject {
    let text = format!(
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n{}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        lines.replace('\n', "\r\n")
    );
    CalendarObject::parse(&text).expect("an object")
}

/// The first `most` instances after 1990 as basic-format text, in UTC where there is a zone.
fn instances(lines: &str, most: usize) -> Vec<String> {
    let object = object(lines);
    let set = RecurrenceSet::of(object.master().expect("a master"), object.zones()).expect("a set");
    let (from, to) = match set.start {
        Moment::Date(_) => (Moment::Date(0), Moment::Date(i64::MAX / 86_400)),
        Moment::Floating(_) => (Moment::Floating(0), Moment::Floating(i64::MAX)),
        Moment::Instant(_) => (Moment::Instant(0), Moment::Instant(i64::MAX)),
    };
    set.within(from, to, most).moments.into_iter().map(crate::itip::time::basic_format).collect()
}

fn contains(lines: &str, moment: &str) -> Membership {
    let object = object(lines);
    let set = RecurrenceSet::of(object.master().expect("a master"), object.zones()).expect("a set");
    set.contains(parse_basic_format(moment).expect("a moment"))
}

// The expectations are those of the examples in RFC 5545 §3.8.5.3, in floating time, or worked out by hand.

#[test]
fn the_examples_of_the_rfc() {
    let cases: [(&str, &str, &[&str]); 9] = [
        (
            "19970902T090000",
            "FREQ=DAILY;INTERVAL=10;COUNT=5",
            &["19970902", "19970912", "19970922", "19971002", "19971012"],
        ),
        (
            "19970902T090000",
            "FREQ=WEEKLY;COUNT=4;WKST=SU;BYDAY=TU,TH",
            &["19970902", "19970904", "19970909", "19970911"],
        ),
        ("19970905T090000", "FREQ=MONTHLY;COUNT=3;BYDAY=1FR", &["19970905", "19971003", "19971107"]),
        ("19970922T090000", "FREQ=MONTHLY;COUNT=3;BYDAY=-2MO", &["19970922", "19971020", "19971117"]),
        ("19970928T090000", "FREQ=MONTHLY;BYMONTHDAY=-3", &["19970928", "19971029", "19971128", "19971229"]),
        ("19970519T090000", "FREQ=YEARLY;BYDAY=20MO", &["19970519", "19980518", "19990517"]),
        ("19970512T090000", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", &["19970512", "19980511", "19990517"]),
        (
            "19970929T090000",
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
            &["19970929", "19971030", "19971127", "19971230"],
        ),
        (
            "19970805T090000",
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
            &["19970805", "19970817", "19970819", "19970831"],
        ),
    ];
    for (start, rule, expected) in cases {
        let found = instances(&format!("DTSTART:{start}\nRRULE:{rule}"), expected.len());
        let expected: Vec<String> = expected.iter().map(|day| format!("{day}T090000")).collect();
        assert_eq!(found, expected, "{rule}");
    }
}

#[test]
fn count_holds_where_bysetpos_picks_the_start() {
    let found = instances("DTSTART:19970929T090000\nRRULE:FREQ=MONTHLY;COUNT=3;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2", 9);
    assert_eq!(found, ["19970929T090000", "19971030T090000", "19971127T090000"]);
}

#[test]
fn the_first_week_may_begin_in_december() {
    // The Wednesday of week 1 of 2026 is the last day of 2025 (ISO 8601).
    let found = instances("DTSTART:20250101T090000\nRRULE:FREQ=YEARLY;COUNT=3;BYWEEKNO=1;BYDAY=WE", 9);
    assert_eq!(found, ["20250101T090000", "20251231T090000", "20270106T090000"]);
}

#[test]
fn wkst_moves_the_fortnight() {
    let found = instances("DTSTART:19970805T090000\nRRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", 4);
    assert_eq!(found, ["19970805T090000", "19970810T090000", "19970819T090000", "19970824T090000"]);
}

#[test]
fn until_in_utc_is_compared_as_an_instant() {
    // 09:00 in Berlin is 08:00 UTC in winter: the last instance is the one at UNTIL itself.
    let lines = "DTSTART;TZID=Europe/Berlin:20260105T090000\nRRULE:FREQ=DAILY;UNTIL=20260107T080000Z";
    assert_eq!(instances(lines, 9), ["20260105T080000Z", "20260106T080000Z", "20260107T080000Z"]);
    // 20:00 in New York is 01:00 UTC of the next day.
    let lines = "DTSTART;TZID=America/New_York:20260105T200000\nRRULE:FREQ=DAILY;UNTIL=20260107T000000Z";
    assert_eq!(instances(lines, 9), ["20260106T010000Z"]);
}

#[test]
fn a_series_keeps_its_wall_clock_over_a_change_of_offset() {
    let lines = "DTSTART;TZID=Europe/Berlin:20260327T023000\nRRULE:FREQ=DAILY;COUNT=4";
    // 29 March has no 02:30: the offset before the gap makes it 01:30 UTC.
    assert_eq!(instances(lines, 9), ["20260327T013000Z", "20260328T013000Z", "20260329T013000Z", "20260330T003000Z"]);
    assert_eq!(contains(lines, "20260329T013000Z"), Membership::Instance);
    assert_eq!(contains(lines, "20260330T003000Z"), Membership::Instance);
    assert_eq!(contains(lines, "20260330T013000Z"), Membership::NoInstance);
}

#[test]
fn rdate_joins_exdate_leaves_and_dtstart_always_counts() {
    let lines =
        "DTSTART:20260101T100000Z\nRRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=3\nRDATE:20260103T100000Z\nEXDATE:20260105T100000Z";
    // Thursday 1 January is no Monday, but counts as the first of the three.
    assert_eq!(instances(lines, 9), ["20260101T100000Z", "20260103T100000Z", "20260112T100000Z"]);
    assert_eq!(contains(lines, "20260105T100000Z"), Membership::NoInstance);
    assert_eq!(contains(lines, "20260103T100000Z"), Membership::Instance);
}

#[test]
fn dates_and_floating_times_are_instances_of_their_own_kind_only() {
    assert_eq!(contains("DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY", "20300101"), Membership::Instance);
    assert_eq!(contains("DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY", "20300101T000000Z"), Membership::NoInstance);
    assert_eq!(contains("DTSTART:20260101T090000\nRRULE:FREQ=DAILY", "20260301T090000"), Membership::Instance);
    assert_eq!(contains("DTSTART:20260101T090000\nRRULE:FREQ=DAILY", "20260301T090000Z"), Membership::NoInstance);
}

#[test]
fn the_last_instance_of_a_series_that_has_one() {
    let last = |lines: &str| {
        let object = object(lines);
        RecurrenceSet::of(object.master().expect("a master"), object.zones()).expect("a set").last()
    };
    assert_eq!(last("DTSTART:20260101T100000Z\nRRULE:FREQ=DAILY;COUNT=3"), parse_basic_format("20260103T100000Z"));
    assert_eq!(last("DTSTART:20260101T100000Z\nRRULE:FREQ=DAILY"), None);
    assert_eq!(last("DTSTART:20260101T100000Z"), parse_basic_format("20260101T100000Z"));
}

#[test]
fn no_rule_takes_long() {
    let all = |last: u32| (0..=last).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let bomb =
        format!("FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR={};BYMINUTE={};BYSECOND={}", all(23), all(59), all(59));
    let rules = [
        bomb.as_str(),
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=SECONDLY;COUNT=4000000000",
        "FREQ=DAILY;INTERVAL=65535;BYDAY=MO;BYMONTHDAY=31;BYMONTH=4",
        "FREQ=YEARLY;INTERVAL=65535;BYSETPOS=-1,1,366;BYDAY=MO",
    ];
    for rule in rules {
        let object = object(&format!("DTSTART:20260101T000000Z\nRRULE:{rule}"));
        let set = RecurrenceSet::of(object.master().expect("a master"), object.zones()).expect("a set");
        let started = Instant::now();
        let answer = set.contains(parse_basic_format("20991231T235959Z").expect("a moment"));
        let within = set.within(Moment::Instant(0), Moment::Instant(i64::MAX), 1_000);
        let last = set.last();
        // A generous bound for a build without optimisation; what is shown is that the work has a limit at all.
        assert!(started.elapsed().as_millis() < 2_000, "{rule}: {:?} {answer:?} {last:?}", started.elapsed());
        assert!(within.moments.len() <= 1_000);
    }
}

#[test]
fn more_rules_dates_or_values_than_any_series_has_are_not_answered_for() {
    let dates = vec!["20260102T000000Z"; limits::RECURRENCE_DATES_MAX + 1].join(",");
    let rules = vec!["RRULE:FREQ=DAILY"; limits::RECURRENCE_RULES_MAX + 1].join("\n");
    let values = vec!["5"; limits::RULE_VALUES_MAX + 1].join(",");
    for lines in [format!("RDATE:{dates}"), rules, format!("RRULE:FREQ=MONTHLY;BYMONTHDAY={values}")] {
        let object = object(&format!("DTSTART:20260101T000000Z\n{lines}"));
        let set = RecurrenceSet::of(object.master().expect("a master"), object.zones()).expect("a set");
        let second = parse_basic_format("20260105T000000Z").expect("a moment");
        assert_eq!(set.contains(second), Membership::Undecided);
        assert!(set.within(Moment::Instant(0), second, 9).cut_off);
        assert_eq!(set.last(), None);
    }
}
