use super::*;

fn calendar(inner: &[&str]) -> String {
    let mut out = String::from("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n");
    for line in inner {
        out.push_str(line);
        out.push_str("\r\n");
    }
    out + "END:VCALENDAR\r\n"
}

#[test]
fn a_sound_text_is_left_as_it_is() {
    let text = calendar(&[
        "METHOD:REQUEST",
        "BEGIN:VEVENT",
        "X-Foo:1",
        "DTSTART;TZID=\"(UTC+01:00) Amsterdam, Berlin\":20240101T100000",
        "ATTENDEE;CN=\"a:b\":mailto:a@example.com",
        "SUMMARY:a folded",
        "  line",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "END:VALARM",
        "BEGIN:VALARM",
        "END:VALARM",
        "END:VEVENT",
    ]);
    assert_eq!(mend(&text), (text, vec![]));
}

#[test]
fn line_feeds_alone_are_no_quirk() {
    let text = calendar(&["BEGIN:VEVENT", "UID:1", "END:VEVENT"]);
    assert_eq!(mend(&text.replace("\r\n", "\n")), (text, vec![]));
}

#[test]
fn lines_are_mended() {
    let cases: [(&str, &[&str], Quirk); 9] = [
        ("ORGANIZER ada@example.net", &["ORGANIZER:ada@example.net"], Quirk::MissingColon),
        ("ATTENDEE;CN=B:Maito:b@example.com", &["ATTENDEE;CN=B:mailto:b@example.com"], Quirk::MisspelledMailto),
        (
            "DTSTART;TZID=(UTC+01:00) Amsterdam, Berlin:20240101T100000",
            &["DTSTART;TZID=\"(UTC+01:00) Amsterdam, Berlin\":20240101T100000"],
            Quirk::UnquotedTimeZone,
        ),
        (
            "DTEND;VALUE=DATE-TIME;tzid=Chennai\\, Kolkata;X-A=1:20240101T100000",
            &["DTEND;VALUE=DATE-TIME;tzid=\"Chennai, Kolkata\";X-A=1:20240101T100000"],
            Quirk::UnquotedTimeZone,
        ),
        ("SUMMARY:a\r\n\r\nUID:1", &["SUMMARY:a", "UID:1"], Quirk::BlankLines),
        ("SUMMARY:a\0b", &["SUMMARY:ab"], Quirk::NulBytes),
        (
            "DESCRIPTION:short\r\nhttps://example.com/",
            &["DESCRIPTION:short\\nhttps://example.com/"],
            Quirk::FoldWithoutBlank,
        ),
        (
            "DESCRIPTION:0123456789012345678901234567890123456789012345678901234567890123\r\nend",
            &["DESCRIPTION:0123456789012345678901234567890123456789012345678901234567890123end"],
            Quirk::FoldWithoutBlank,
        ),
        ("BEGIN:VALARM\r\nEND:VALARM\r\nEND:VALARM", &["BEGIN:VALARM", "END:VALARM"], Quirk::StrayEnd),
    ];
    for (wrong, right, quirk) in cases {
        let text = calendar(&["BEGIN:VEVENT", wrong, "END:VEVENT"]);
        let (mended, quirks) = mend(&text);
        let (expected, _) = mend(&calendar(&[&["BEGIN:VEVENT"], right, &["END:VEVENT"]].concat()));
        assert_eq!(mended.replace("\r\n ", ""), expected.replace("\r\n ", ""), "{wrong:?}");
        assert_eq!(quirks, [quirk], "{wrong:?}");
    }
}

#[test]
fn components_are_closed_where_their_sibling_starts() {
    let two_events = calendar(&["BEGIN:VEVENT", "UID:1", "END:VEVENT", "BEGIN:VEVENT", "UID:2", "END:VEVENT"]);
    let alarm = calendar(&["BEGIN:VEVENT", "BEGIN:VALARM", "ACTION:AUDIO", "END:VALARM", "END:VEVENT"]);
    let cases = [
        (two_events.replacen("END:VEVENT\r\n", "", 1), two_events.clone(), Quirk::MissingEnd),
        (two_events.replace("END:VCALENDAR\r\n", ""), two_events.clone(), Quirk::MissingEnd),
        (two_events.replace("END:VEVENT\r\nEND:VCALENDAR\r\n", ""), two_events.clone(), Quirk::MissingEnd),
        (alarm.replace("END:VALARM\r\n", ""), alarm.clone(), Quirk::MissingEnd),
        (two_events.replacen("END:VEVENT", "END:VTODO", 1), two_events.clone(), Quirk::MissingEnd),
        (format!("debug output\r\n{two_events}"), two_events.clone(), Quirk::TextAroundCalendar),
        (format!("{two_events}-- \r\nlist footer: x\r\n"), two_events.clone(), Quirk::TextAroundCalendar),
        (format!("{two_events}{alarm}"), format!("{two_events}{alarm}"), Quirk::SeveralCalendars),
        (
            "BEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\n".into(),
            calendar(&["BEGIN:VEVENT", "UID:1", "END:VEVENT"]),
            Quirk::BareComponent,
        ),
    ];
    for (wrong, right, quirk) in cases {
        let (mended, quirks) = mend(&wrong);
        assert_eq!(mended, right, "{wrong}");
        assert!(quirks.contains(&quirk), "{quirks:?} of {wrong}");
    }
}

#[test]
fn mending_twice_equals_mending_once() {
    let texts = [
        "",
        "nothing here",
        "BEGIN:VCALENDAR",
        "BEGIN:VEVENT\nBEGIN:VEVENT\nEND:VCALENDAR\nEND:VCALENDAR\nBEGIN:VTODO",
        " BEGIN:VCALENDAR\rMETHOD:REQUEST\r\r\rBEGIN:VTIMEZONE\rBEGIN:STANDARD\rBEGIN:DAYLIGHT\rEND:VEVENT\rgarbage",
    ];
    for text in texts {
        let (once, _) = mend(text);
        assert_eq!(mend(&once).0, once, "{text:?}");
    }
}

#[test]
fn deep_nesting_is_cut() {
    let text = "BEGIN:X-A\r\n".repeat(10_000);
    let (mended, quirks) = mend(&text);
    assert!(mended.matches("BEGIN:").count() <= 12, "{}", mended.len());
    assert!(quirks.contains(&Quirk::OverLimit));
}

#[test]
fn names_are_unique_and_kebab_case() {
    // Walks the list by discriminant order of the texts: two quirks must never share a name in the metrics.
    let all = [
        Quirk::SeveralAuthors,
        Quirk::MethodMismatch,
        Quirk::MethodParameterMissing,
        Quirk::MethodOnlyInParameter,
        Quirk::EmptyPart,
        Quirk::NotCalendarText,
        Quirk::CalendarAsFile,
        Quirk::DifferentCopies,
        Quirk::BrokenTransferEncoding,
        Quirk::MislabelledCharset,
        Quirk::UndeclaredLatin1,
        Quirk::UnknownCharset,
        Quirk::Utf16,
        Quirk::ByteOrderMark,
        Quirk::NulBytes,
        Quirk::CarriageReturnsOnly,
        Quirk::BlankLines,
        Quirk::FoldWithoutBlank,
        Quirk::MisspelledMailto,
        Quirk::MissingColon,
        Quirk::UnquotedTimeZone,
        Quirk::MissingEnd,
        Quirk::StrayEnd,
        Quirk::TextAroundCalendar,
        Quirk::SeveralCalendars,
        Quirk::BareComponent,
        Quirk::OverLimit,
    ];
    let mut names: Vec<_> = all.iter().map(|quirk| quirk.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all.len());
    for quirk in all {
        assert!(quirk.name().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
        assert!(!quirk.describe().is_empty());
    }
}
