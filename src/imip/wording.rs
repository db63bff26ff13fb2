//! The words of a mail, in English. Another language is another file with these functions.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime};

use super::facts::{Answer, Earlier, Facts, Occasion, When};
use super::limits;

/// The width of the text body. RFC 5322 §2.1.1 asks for at most 78; quoting in an answer needs some room.
const WIDTH: usize = 72;

/// The subject: what it is about, then the summary. One line, free of control characters.
pub fn subject(occasion: Occasion, facts: &Facts) -> String {
    let summary = header_text(facts.summary.as_deref().unwrap_or_default(), limits::SUBJECT_CHARS_MAX);
    let title = if summary.is_empty() { "(no title)" } else { &summary };
    format!("{}: {title}", label(occasion, facts.answer))
}

fn label(occasion: Occasion, answer: Option<Answer>) -> &'static str {
    match occasion {
        Occasion::Invitation => "Invitation",
        Occasion::Update => "Updated",
        Occasion::NewDates => "New dates",
        Occasion::Cancellation => "Cancelled",
        Occasion::Reply => answer_label(answer.unwrap_or(Answer::Undecided)),
        Occasion::Counter => "New time proposed",
        Occasion::CounterDeclined => "Proposal declined",
        Occasion::Refresh => "Please send again",
        Occasion::Publication => "Event",
    }
}

fn answer_label(answer: Answer) -> &'static str {
    match answer {
        Answer::Accepted => "Accepted",
        Answer::Declined => "Declined",
        Answer::Tentative => "Tentative",
        Answer::Delegated => "Delegated",
        Answer::Completed => "Completed",
        Answer::InProcess => "In progress",
        Answer::Undecided => "Undecided",
    }
}

/// The text body: who wants what, when, where, and how to answer. Lines end in `\n`, wrapped at 72 characters.
///
/// `component` is the kind of the calendar object, such as `VEVENT`.
pub fn body(occasion: Occasion, component: &str, facts: &Facts) -> String {
    let mut out = String::new();
    paragraph(&mut out, &opening(occasion, noun(component), facts));
    out.push('\n');
    out.push_str(&table(facts));
    if let Some(comment) = fact(facts.comment.as_deref()) {
        out.push('\n');
        paragraph(&mut out, &format!("Comment: {comment}"));
    }
    if let Some(description) = facts.description.as_deref().map(description).filter(|text| !text.is_empty()) {
        out.push('\n');
        out.push_str(&description);
    }
    out.push('\n');
    paragraph(&mut out, closing(occasion));
    out
}

fn noun(component: &str) -> &'static str {
    match component {
        "VTODO" => "task",
        "VJOURNAL" => "journal entry",
        "VFREEBUSY" => "free/busy time",
        _ => "event",
    }
}

fn opening(occasion: Occasion, noun: &str, facts: &Facts) -> String {
    let organizer = fact(facts.organizer.as_deref()).unwrap_or_else(|| "The organizer".to_owned());
    let attendee = fact(facts.attendee.as_deref()).unwrap_or_else(|| "An attendee".to_owned());
    match occasion {
        Occasion::Invitation => format!("{organizer} invites you to this {noun}."),
        Occasion::Update => format!("{organizer} has changed this {noun}."),
        Occasion::NewDates => format!("{organizer} has added dates to this {noun}."),
        Occasion::Cancellation => format!("{organizer} has cancelled this {noun}."),
        Occasion::Reply => answer_sentence(&attendee, facts.answer.unwrap_or(Answer::Undecided)),
        Occasion::Counter => format!("{attendee} proposes a new time for this {noun}."),
        Occasion::CounterDeclined => format!("{organizer} has declined your proposal for this {noun}."),
        Occasion::Refresh => format!("{attendee} asks for the current state of this {noun}."),
        Occasion::Publication => format!("{organizer} has published this {noun}."),
    }
}

fn answer_sentence(attendee: &str, answer: Answer) -> String {
    match answer {
        Answer::Accepted => format!("{attendee} has accepted."),
        Answer::Declined => format!("{attendee} has declined."),
        Answer::Tentative => format!("{attendee} has tentatively accepted."),
        Answer::Delegated => format!("{attendee} has sent somebody else instead."),
        Answer::Completed => format!("{attendee} has completed this task."),
        Answer::InProcess => format!("{attendee} is working on this task."),
        Answer::Undecided => format!("{attendee} has not decided yet."),
    }
}

fn closing(occasion: Occasion) -> &'static str {
    match occasion {
        Occasion::Invitation | Occasion::Update | Occasion::NewDates => {
            "To answer, accept or decline this invitation in your mail or calendar program."
        }
        Occasion::Counter => "To take the new time, change it in your calendar; otherwise nothing changes.",
        Occasion::Cancellation
        | Occasion::Reply
        | Occasion::CounterDeclined
        | Occasion::Refresh
        | Occasion::Publication => "Your calendar program reads this from the attached file; nothing needs to be done.",
    }
}

fn table(facts: &Facts) -> String {
    let mut out = String::new();
    let now = Earlier {
        summary: facts.summary.clone(),
        location: facts.location.clone(),
        start: facts.start.clone(),
        end: facts.end.clone(),
        recurrence: facts.recurrence.clone(),
    };
    let before = facts.before.as_deref();
    for (name, read) in ROWS {
        row(&mut out, name, read(&now), before.map(read));
    }
    out
}

type Row = (&'static str, fn(&Earlier) -> Option<String>);

const ROWS: [Row; 4] = [
    ("What", |facts| fact(facts.summary.as_deref())),
    ("When", |facts| facts.start.as_ref().map(|start| period(start, facts.end.as_ref()))),
    ("Repeats", |facts| fact(facts.recurrence.as_deref())),
    ("Where", |facts| fact(facts.location.as_deref())),
];

/// One fact; in an update that changed it, the old one below it.
fn row(out: &mut String, name: &str, now: Option<String>, before: Option<Option<String>>) {
    let changed_from = before.filter(|before| *before != now);
    if now.is_none() && changed_from.is_none() {
        return;
    }
    wrapped(out, &format!("{name:8} "), now.as_deref().unwrap_or("-"));
    if let Some(before) = changed_from {
        wrapped(out, "         ", &format!("(before: {})", before.as_deref().unwrap_or("-")));
    }
}

/// A span of time, the zone always named: a reader elsewhere must not have to guess.
pub fn period(start: &When, end: Option<&When>) -> String {
    match (start, end) {
        (When::Day(first), end) => days(*first, end),
        (When::At(start), Some(When::At(end))) if start.timezone() == end.timezone() => {
            span(start.naive_local(), Some(end.naive_local()), Some(start.timezone().name()))
        }
        (When::Local { time, zone }, Some(When::Local { time: end, zone: end_zone })) if zone == end_zone => {
            span(*time, Some(*end), zone.as_deref())
        }
        (start, None) => instant(start),
        (start, Some(end)) => format!("{} to {}", instant(start), instant(end)),
    }
}

fn instant(when: &When) -> String {
    match when {
        When::Day(day) => date(*day),
        When::At(time) => span(time.naive_local(), None, Some(time.timezone().name())),
        When::Local { time, zone } => span(*time, None, zone.as_deref()),
    }
}

fn days(first: NaiveDate, end: Option<&When>) -> String {
    // DTEND of whole days is the day after the last one (RFC 5545 §3.6.1).
    let last = match end {
        Some(When::Day(end)) => end.checked_sub_days(Days::new(1)).filter(|last| *last > first),
        Some(When::At(_) | When::Local { .. }) | None => None,
    };
    match last {
        Some(last) => format!("{} to {} (all day)", date(first), date(last)),
        None => format!("{} (all day)", date(first)),
    }
}

fn span(start: NaiveDateTime, end: Option<NaiveDateTime>, zone: Option<&str>) -> String {
    let zone = match zone.map(|zone| one_line(zone, limits::NAME_CHARS_MAX)) {
        Some(zone) if !zone.is_empty() => format!(" ({zone})"),
        Some(_) | None => " (local time)".to_owned(),
    };
    let from = format!("{}, {}", date(start.date()), start.format("%H:%M"));
    match end.filter(|end| *end != start) {
        Some(end) if end.date() == start.date() => format!("{from} to {}{zone}", end.format("%H:%M")),
        Some(end) => format!("{from} to {}, {}{zone}", date(end.date()), end.format("%H:%M")),
        None => format!("{from}{zone}"),
    }
}

fn date(day: NaiveDate) -> String {
    format!("{} {} {}", day.format("%A"), day.day(), day.format("%B %Y"))
}

fn fact(text: Option<&str>) -> Option<String> {
    text.map(|text| one_line(text, limits::FACT_CHARS_MAX)).filter(|text| !text.is_empty())
}

/// A text on one line: controls and direction overrides removed, blanks collapsed, cut at `chars_max` characters.
///
/// A direction override makes `moc.elpmaxe` read as `example.com`; no summary needs one.
pub fn one_line(text: &str, chars_max: usize) -> String {
    let mut out = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        let mut kept = word.chars().filter(|c| !is_deceptive(*c)).peekable();
        if !out.is_empty() && kept.peek().is_some() {
            out.push(' ');
        }
        out.extend(kept);
        if out.len() > chars_max.saturating_mul(4) + 4 {
            break;
        }
    }
    cut(&out, chars_max)
}

/// A text for a header field: one line, and no encoded word of somebody else's making.
///
/// A summary of `=?utf-8?q?=0d=0a?=` would be decoded by the reader's program (RFC 2047 §6.2), and not all of them
/// stop at line ends then.
pub fn header_text(text: &str, chars_max: usize) -> String {
    one_line(text, chars_max).replace("=?", "= ?")
}

/// Controls that are not seen but change what is read: bidirectional overrides and isolates, line separators, BOM.
fn is_deceptive(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}' | '\u{2029}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Cuts between characters, and between words when one ends in the last third; three dots show it.
fn cut(text: &str, chars_max: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(chars_max) else { return text.to_owned() };
    let head = text.get(..end).unwrap_or(text);
    let head = match head.rfind(' ') {
        Some(blank) if blank * 3 > head.len() * 2 => head.get(..blank).unwrap_or(head),
        Some(_) | None => head,
    };
    // A joiner or a combining mark at the cut would join with the dots.
    format!("{}...", head.trim_end_matches(['\u{200d}', '\u{fe0f}', ' ']))
}

fn description(text: &str) -> String {
    let shown: String = text.chars().take(limits::DESCRIPTION_CHARS_MAX).collect();
    let is_cut = shown.len() < text.len();
    let mut out = String::new();
    let mut is_gap = true;
    for line in shown.lines() {
        let line = one_line(line, limits::DESCRIPTION_CHARS_MAX);
        if line.is_empty() {
            // Two blank lines in a row say no more than one.
            out.push_str(if is_gap { "" } else { "\n" });
        } else {
            paragraph(&mut out, &line);
        }
        is_gap = line.is_empty();
    }
    if is_cut {
        paragraph(&mut out, "[The text goes on in the calendar entry.]");
    }
    out
}

fn paragraph(out: &mut String, text: &str) {
    wrapped(out, "", text);
}

/// Wraps at [`WIDTH`]; lines after the first are indented as wide as `lead`. A word that is longer stays whole,
/// since most of those are links.
fn wrapped(out: &mut String, lead: &str, text: &str) {
    let indent = lead.chars().count();
    out.push_str(lead);
    let mut column = indent;
    for word in text.split(' ') {
        let width = word.chars().count();
        if column > indent && column + 1 + width > WIDTH {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = indent;
        } else if column > indent {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    fn berlin(day: u32, hour: u32) -> When {
        When::At(chrono_tz::Europe::Berlin.with_ymd_and_hms(2026, 6, day, hour, 30, 0).unwrap())
    }

    fn day(day: u32) -> When {
        When::Day(NaiveDate::from_ymd_opt(2026, 6, day).unwrap())
    }

    #[test]
    fn periods_name_weekday_and_zone() {
        let local = When::Local {
            time: NaiveDate::from_ymd_opt(2026, 6, 3).unwrap().and_hms_opt(9, 0, 0).unwrap(),
            zone: None,
        };
        for (start, end, expected) in [
            (berlin(2, 9), Some(berlin(2, 10)), "Tuesday 2 June 2026, 09:30 to 10:30 (Europe/Berlin)"),
            (
                berlin(2, 9),
                Some(berlin(3, 10)),
                "Tuesday 2 June 2026, 09:30 to Wednesday 3 June 2026, 10:30 (Europe/Berlin)",
            ),
            (berlin(2, 9), None, "Tuesday 2 June 2026, 09:30 (Europe/Berlin)"),
            (day(2), Some(day(3)), "Tuesday 2 June 2026 (all day)"),
            (day(2), Some(day(5)), "Tuesday 2 June 2026 to Thursday 4 June 2026 (all day)"),
            (local, None, "Wednesday 3 June 2026, 09:00 (local time)"),
        ] {
            assert_eq!(period(&start, end.as_ref()), expected);
        }
    }

    #[test]
    fn an_update_shows_old_beside_new() {
        let facts = Facts {
            summary: Some("Review".into()),
            location: Some("Room 2".into()),
            start: Some(day(2)),
            organizer: Some("Ada".into()),
            before: Some(Box::new(Earlier {
                summary: Some("Review".into()),
                location: Some("Room 1".into()),
                start: Some(day(1)),
                ..Earlier::default()
            })),
            ..Facts::default()
        };
        assert_eq!(
            body(Occasion::Update, "VEVENT", &facts),
            "Ada has changed this event.\n\n\
             What     Review\n\
             When     Tuesday 2 June 2026 (all day)\n         (before: Monday 1 June 2026 (all day))\n\
             Where    Room 2\n         (before: Room 1)\n\n\
             To answer, accept or decline this invitation in your mail or calendar\nprogram.\n"
        );
    }

    #[test]
    fn one_line_is_one_line() {
        assert_eq!(one_line("a\r\nBcc: x@example.com\0\u{202e}b\u{2028}c", 100), "a Bcc: x@example.com b c");
        assert_eq!(one_line(&"word ".repeat(1_000), 24), "word word word word...");
        assert_eq!(one_line(&"😀".repeat(30), 5), format!("{}...", "😀".repeat(5)));
    }
}
