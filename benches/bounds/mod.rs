//! The worst that a recurrence question can be asked: no input may take more than 20 ms or 16 MB.

use std::hint::black_box;
use std::time::{Duration, Instant};

use imipd::itip::CalendarObject;
use imipd::itip::recurrence::RecurrenceSet;
use imipd::itip::time::{Moment, parse_basic_format};

use crate::memory;

/// How often each question is asked.
const ROUNDS: usize = 7;

fn numbers(from: i32, to: i32) -> String {
    (from..=to).filter(|number| *number != 0).map(|number| number.to_string()).collect::<Vec<_>>().join(",")
}

/// Dates a minute apart.
fn minutes(count: i64) -> String {
    let minute = |number| chrono::DateTime::from_timestamp(1_767_225_600 + number * 60, 0).expect("a time");
    (0..count).map(|number| minute(number).format("%Y%m%dT%H%M%S").to_string()).collect::<Vec<_>>().join(",")
}

/// What is asked about: a name, and the lines of the master.
fn worst() -> Vec<(&'static str, String)> {
    let utc = |rule: &str| format!("DTSTART:20260101T000000Z\r\nRRULE:{rule}");
    let berlin = |rule: &str| format!("DTSTART;TZID=Europe/Berlin:20260101T000000\r\nRRULE:{rule}");
    let every = format!("BYHOUR={};BYMINUTE={};BYSECOND={}", numbers(0, 23), numbers(0, 59), numbers(0, 59));
    let days = "BYDAY=MO,TU,WE,TH,FR,SA,SU";
    let all = format!(
        "BYMONTH={};BYMONTHDAY={};BYYEARDAY={};BYWEEKNO={};{days};{every}",
        numbers(1, 12),
        numbers(-31, 31),
        numbers(-366, 366),
        numbers(-53, 53)
    );
    let ordinals: Vec<String> = (-53..=53).filter(|n| *n != 0).map(|n| format!("{n}MO,{n}SU")).collect();
    vec![
        ("every second", berlin(&format!("FREQ=YEARLY;{days};{every}"))),
        ("all BY parts", berlin(&format!("FREQ=YEARLY;{all}"))),
        ("all BY parts, COUNT", berlin(&format!("FREQ=YEARLY;COUNT=4000000000;{all}"))),
        ("BYSETPOS of all", berlin(&format!("FREQ=YEARLY;BYSETPOS={};{days};{every}", numbers(-366, 366)))),
        ("BYSETPOS nowhere", berlin("FREQ=DAILY;BYSETPOS=366;BYHOUR=1,2")),
        ("BYSETPOS a day", berlin(&format!("FREQ=DAILY;BYSETPOS={};BYMONTH=2;BYMONTHDAY=30", numbers(-366, 366)))),
        ("n-th weekdays", berlin(&format!("FREQ=YEARLY;BYDAY={};BYMONTHDAY=31;BYMONTH=2", ordinals.join(",")))),
        ("weeks that never are", berlin(&format!("FREQ=YEARLY;BYWEEKNO={};BYYEARDAY=180", numbers(1, 20)))),
        ("weekly, day 31 of June", berlin("FREQ=WEEKLY;BYMONTH=6;BYMONTHDAY=31;BYDAY=MO,TU,WE,TH,FR,SA,SU")),
        ("monthly 30 February", berlin("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30")),
        ("29 February, INTERVAL=1000", utc("FREQ=YEARLY;INTERVAL=1000;BYMONTH=2;BYMONTHDAY=29")),
        ("29 February, odd years", utc("FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29")),
        ("no second of 30 February", utc("FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30")),
        ("no minute that exists", berlin("FREQ=MINUTELY;BYHOUR=3;BYMINUTE=59;BYMONTH=4;BYMONTHDAY=31")),
        ("COUNT of billions", berlin("FREQ=SECONDLY;COUNT=4000000000")),
        ("UNTIL far away", berlin("FREQ=SECONDLY;UNTIL=99991231T235959Z")),
        (
            "a list of 4 MB",
            berlin(&format!("FREQ=DAILY;BYMONTHDAY=30;BYMONTH=2;BYDAY={}", vec!["5MO"; 900_000].join(","))),
        ),
        (
            "60,000 rules",
            vec!["RRULE:FREQ=YEARLY;COUNT=3;BYDAY=MO,TU"; 60_000].join("\r\n") + "\r\nDTSTART:20260101T000000Z",
        ),
        ("10,000 RDATE and EXDATE", dates(10_000)),
        ("25,000 RDATE and EXDATE", dates(25_000)),
        ("100,000 RDATE and EXDATE", dates(100_000)),
        ("10,000 days excluded", {
            let day =
                |number: i64| chrono::DateTime::from_timestamp(1_767_225_600 + number * 86_400, 0).expect("a time");
            let days: Vec<String> = (0..10_000).map(|number| day(number).format("%Y%m%d").to_string()).collect();
            format!("{}\r\nEXDATE;VALUE=DATE:{}", berlin("FREQ=DAILY"), days.join(","))
        }),
    ]
}

fn dates(count: i64) -> String {
    let zone = "TZID=Europe/Berlin";
    format!(
        "DTSTART;{zone}:20260101T000000\r\nRRULE:FREQ=MINUTELY\r\nRDATE;{zone}:{list}\r\nEXDATE;{zone}:{list}",
        list = minutes(count)
    )
}

/// Prints a row for each of the worst, unless `wanted` picks other rows.
pub fn measure(wanted: &[String]) {
    let is_wanted = |name: &str| wanted.iter().all(|word| format!("recurrence {name}").contains(word.as_str()));
    let rows: Vec<(&str, String)> = worst().into_iter().filter(|(name, _)| is_wanted(name)).collect();
    if rows.is_empty() {
        return;
    }
    println!("\nRecurrence, the longest of {ROUNDS} times and the most memory; no more than 20 ms and 16 MB.\n");
    println!("{:<28} {:>12} {:>12} {:>12} {:>12}", "rule", "an instance?", "a window", "the last", "memory");
    let (mut longest, mut most) = (Duration::ZERO, 0);
    for (name, lines) in rows {
        let (times, memory) = row(name, &lines);
        longest = times.into_iter().fold(longest, Duration::max);
        most = most.max(memory);
    }
    println!("{:<28} {:>38} {:>12}", "the worst of all", format!("{longest:.1?}"), megabytes(most));
}

fn row(name: &str, lines: &str) -> ([Duration; 3], usize) {
    let text = format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
    let object = CalendarObject::parse(&text).expect("an object");
    let set = || RecurrenceSet::of(object.master().expect("a master"), object.zones()).expect("a set");
    let far = parse_basic_format("20991231T225959Z").expect("a moment");
    let questions: [&dyn Fn(); 3] = [
        &|| {
            black_box(set().contains(far));
        },
        &|| {
            black_box(set().within(Moment::Instant(0), Moment::Instant(i64::MAX), 1_000));
        },
        &|| {
            black_box(set().last());
        },
    ];
    let (times, memory) =
        memory::peak_of(|| questions.map(|question| (0..ROUNDS).map(|_| timed(question)).max().unwrap_or_default()));
    let [one, two, three] = times.map(|time| format!("{time:.1?}"));
    println!("{name:<28} {one:>12} {two:>12} {three:>12} {:>12}", megabytes(memory));
    (times, memory)
}

fn timed(question: &dyn Fn()) -> Duration {
    let began = Instant::now();
    question();
    began.elapsed()
}

fn megabytes(bytes: usize) -> String {
    format!("{:.2} MB", bytes as f64 / 1e6)
}
