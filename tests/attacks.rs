//! Attacks by mail on a gateway that wants proof: no stored calendar changes, nothing goes out, and each has a reason.
//!
//! The raw mails and their reasons are in `tests/mail/attacks`; what has to be made for the moment is below.

#[path = "attacks/site.rs"]
mod site;

use imipd::gateway::{Change, Respond, Waiting};
use imipd::itip::announce::Answer;
use imipd::itip::{Address, CalUid};
use site::{PROVEN, Site, calendar, mail};

/// The files and what is to be recorded of each.
fn attacks() -> Vec<(String, Vec<u8>, String)> {
    let folder = format!("{}/tests/mail/attacks", env!("CARGO_MANIFEST_DIR"));
    let expected = std::fs::read_to_string(format!("{folder}/expected.txt")).expect("the expectations");
    let rows = expected.lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| {
        let (name, reasons) = row.split_once(": ").expect("a name and its reasons");
        let raw = std::fs::read(format!("{folder}/{name}.eml")).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name.to_owned(), raw, reasons.to_owned())
    })
    .collect()
}

#[test]
fn every_attack_is_expected_somewhere() {
    let folder = format!("{}/tests/mail/attacks", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let count = files.filter(|path| path.extension().is_some_and(|extension| extension == "eml")).count();
    assert_eq!(count, attacks().len());
    assert!(count >= 60, "{count}");
}

#[tokio::test]
async fn no_attack_changes_a_calendar_or_makes_a_mail_go_out() {
    let site = Site::open("").await;
    site.live().await;
    let before = site.state().await;
    for round in 1..=2 {
        for (name, raw, expected) in attacks() {
            let records = site.receive(&raw).await;
            let reasons: Vec<&str> = records.iter().map(|record| record.reason.as_str()).collect();
            // The second time what waits is known already.
            let is_known = round == 2 && reasons.iter().all(|reason| *reason == "seen-before");
            assert!(reasons.join(" ") == expected || is_known, "{name}, round {round}: {reasons:?}, not {expected}");
            assert!(records.iter().all(|record| !record.text.is_empty()), "{name}");
            assert_eq!(site.state().await, before, "{name}, round {round}");
        }
    }
}

#[tokio::test]
async fn explain_says_of_an_attack_what_would_be_decided() {
    let site = Site::open("").await;
    site.live().await;
    let before = site.state().await;
    for (name, raw, expected) in attacks() {
        let explanation = site.gateway.explain(site.ada(), &raw).await.expect("explained");
        let reasons: Vec<&str> = explanation.parts.iter().map(|part| part.reason.as_str()).collect();
        let is_about_the_mail = matches!(expected.as_str(), "no-single-author" | "inside-bounce");
        // Where a mail lies is not known here, so the engine has to refuse what looks like one's own.
        let is_placed = expected == "own-address-outside-sent" && reasons == ["organizer-is-local-address"];
        let is_as_decided = is_placed || reasons.join(" ") == expected;
        assert!(is_about_the_mail && reasons.is_empty() || is_as_decided, "{name}: {reasons:?}");
        assert!(explanation.parts.iter().all(|part| part.diff.is_empty() && part.mails.is_empty()), "{name}");
    }
    assert_eq!(site.state().await, before);
}

#[tokio::test]
async fn explain_says_why_the_rules_of_a_zone_count_for_nothing() {
    let site = Site::open("").await;
    let header = format!("{}From: boss@corp.example", PROVEN.replace("DOMAIN", "corp.example"));
    let event = calendar(
        "REQUEST",
        "zoned@corp.example",
        "DTSTAMP:20260101T100000Z\nDTSTART;TZID=Nowhere:20400301T080000\nORGANIZER:mailto:boss@corp.example\n\
         ATTENDEE:mailto:ada@example.com",
    );
    let zone = "BEGIN:VTIMEZONE\nTZID:Nowhere\nEND:VTIMEZONE\nBEGIN:VEVENT";
    let raw = mail(&header, "<z@x>", "REQUEST", &event.replacen("BEGIN:VEVENT", zone, 1));
    let explanation = site.gateway.explain(site.ada(), &raw).await.expect("explained");
    let faults: Vec<_> = explanation.parts.iter().flat_map(|part| part.zone_faults.clone()).collect();
    assert_eq!(faults, [("Nowhere".to_owned(), "it has no STANDARD or DAYLIGHT part".to_owned())]);
}

#[tokio::test]
async fn the_honest_are_heard_after_all_attacks() {
    let site = Site::open("").await;
    site.live().await;
    for (_, raw, _) in attacks() {
        site.receive(&raw).await;
    }
    assert_eq!(site.honest_reply("cyd@partner.example", "ACCEPTED").await, "answered");
    assert_eq!(site.honest_update().await, "updated");
    assert_eq!(site.honest_cancel().await, "cancelled");
}

#[tokio::test]
async fn what_is_not_proven_waits_until_the_user_believes_it() {
    let site = Site::open("").await;
    site.live().await;
    let before = site.state().await;
    let cancel = site::cancel("20260201T100000Z");
    let unproven = mail("From: boss@corp.example", "<c1@corp.example>", "CANCEL", &cancel);
    assert_eq!(site.reason(&unproven).await, "sender-unproven");
    assert_eq!(site.state().await, before);
    let waiting = |sender: Option<&str>| Waiting {
        uid: CalUid("review-1@corp.example".to_owned()),
        sender: sender.map(Address::in_mail),
    };
    let forged = mail("From: eve@evil.example", "<c2@evil.example>", "CANCEL", &cancel);
    assert_eq!(site.reason(&forged).await, "sender-is-not-organizer-nor-attendee", "a stranger does not even wait");

    site.gateway.change(site.ada(), Change::Believe(waiting(Some("eve@evil.example")))).await.expect_err("not hers");
    site.gateway.change(site.ada(), Change::Believe(waiting(None))).await.expect("believed");
    assert!(site.object("review-1@corp.example").await.contains("STATUS:CANCELLED"));
    site.gateway.change(site.ada(), Change::Believe(waiting(None))).await.expect_err("nothing waits any more");

    let reply = site::reply("cyd@partner.example", "ACCEPTED");
    let unproven = mail("From: cyd@partner.example", "<r1@partner.example>", "REPLY", &reply);
    assert_eq!(site.reason(&unproven).await, "sender-unproven");
    let plan = Waiting { uid: CalUid("plan-1@example.com".to_owned()), sender: None };
    let before = site.state().await;
    site.gateway.change(site.ada(), Change::Dismiss(plan.clone())).await.expect("dismissed");
    site.gateway.change(site.ada(), Change::Dismiss(plan)).await.expect_err("nothing waits any more");
    assert_eq!(site.state().await, before);
}

#[tokio::test]
async fn an_answer_takes_the_proven_invitation_and_never_one_of_several_forged() {
    let site = Site::open("auto_add = \"never\"").await;
    let invitation = |who: &str| {
        calendar(
            "REQUEST",
            "new-1@corp.example",
            &format!(
                "DTSTAMP:20260101T100000Z\nDTSTART:20400301T080000Z\nSUMMARY:Of {who}\nORGANIZER:mailto:{who}\nATTENDEE:mailto:ada@example.com"
            ),
        )
    };
    for (who, id) in [("eve@evil.example", "<1@x>"), ("mal@evil.example", "<2@x>")] {
        let reason = site.reason(&mail(&format!("From: {who}"), id, "REQUEST", &invitation(who))).await;
        assert_eq!(reason, "sender-unproven");
    }
    let accept = || {
        let answer = Answer {
            partstat: calcard::icalendar::ICalendarParticipationStatus::Accepted,
            instance: None,
            comment: None,
        };
        Change::Respond(CalUid("new-1@corp.example".to_owned()), Respond { answer, now: 1_780_000_000 })
    };
    let several = site.gateway.change(site.ada(), accept()).await.expect_err("two strangers");
    assert!(several.to_string().contains("eve@evil.example, mal@evil.example"), "{several}");
    let proven = format!("{}From: boss@corp.example", PROVEN.replace("DOMAIN", "corp.example"));
    assert_eq!(
        site.reason(&mail(&proven, "<3@x>", "REQUEST", &invitation("boss@corp.example"))).await,
        "waits-for-user"
    );
    let changed = site.gateway.change(site.ada(), accept()).await.expect("answered");
    assert_eq!(changed.mails, [("REPLY".to_owned(), vec!["boss@corp.example".to_owned()])]);
}

#[tokio::test]
async fn auto_add_lets_in_whom_it_names_and_nobody_else() {
    let proven =
        |who: &str| format!("{}From: {who}", PROVEN.replace("DOMAIN", who.split_once('@').expect("an address").1));
    let plain = |who: &str| format!("From: {who}");
    let cases = [
        // auto_add, header, what becomes of a first invitation
        ("auto_add = \"never\"", proven("x@example.com"), "waits-for-user"),
        ("auto_add = \"known\"", proven("x@corp.example"), "waits-for-user"),
        ("auto_add = \"known\"", proven("bob@partner.example"), "invited"),
        ("auto_add = \"known\"", plain("bob@partner.example"), "sender-unproven"),
        ("auto_add = \"known\"\nknown = [\"corp.example\"]", proven("x@team.corp.example"), "invited"),
        ("auto_add = \"domain\"", proven("x@example.com"), "invited"),
        ("auto_add = \"domain\"", proven("x@corp.example"), "waits-for-user"),
        ("auto_add = \"authenticated\"", proven("x@corp.example"), "invited"),
        ("auto_add = \"authenticated\"", plain("x@corp.example"), "sender-unproven"),
        ("auto_add = \"all\"\nstrangers = [\"corp.example\"]", proven("x@corp.example"), "waits-for-user"),
        (
            "auto_add = \"all\"",
            format!("X-Spam-Status: Yes, score=9\r\n{}", proven("x@corp.example")),
            "marked-as-spam",
        ),
        ("auto_add = \"all\"", format!("X-Spam-Status: No, score=1\r\n{}", proven("x@corp.example")), "invited"),
        ("auto_add = \"all\"\ntrust = \"from\"", plain("x@corp.example"), "invited"),
        ("auto_add = \"authenticated\"\ntrust = \"from\"", plain("x@corp.example"), "waits-for-user"),
        ("auto_add = \"authenticated\"\ntrust = \"from\"", proven("x@corp.example"), "invited"),
    ];
    for (policy, header, expected) in cases {
        let site = Site::open(policy).await;
        site.organize().await;
        let organizer = header.rsplit_once("From: ").expect("a sender").1;
        let text = calendar(
            "REQUEST",
            "first@x.example",
            &format!(
                "DTSTAMP:20260101T100000Z\nDTSTART:20400301T080000Z\nORGANIZER:mailto:{organizer}\nATTENDEE:mailto:ada@example.com"
            ),
        );
        assert_eq!(site.reason(&mail(&header, "<f@x>", "REQUEST", &text)).await, expected, "{policy}: {header}");
    }
}

#[tokio::test]
async fn hostile_texts_stay_texts() {
    let site = Site::open("").await;
    let bcc = "x\\r\\nBcc: victim@example.org\\r\\n\\r\\nbody";
    let raw = "x\r\nBcc: victim@example.org";
    let hostile = [
        ("'; DROP TABLE object; --", format!("SUMMARY:{bcc}")),
        ("../../../etc/passwd", format!("LOCATION:{bcc}")),
        ("a\\r\\nBcc: victim@example.org", format!("SUMMARY:{raw}")),
        ("<script>alert(1)</script>", "SUMMARY:=?utf-8?q?x=0D=0ABcc:_victim@example.org?=".to_owned()),
        ("%0d%0aBcc:victim@example.org", "DESCRIPTION:.\\n\\n.\\nQUIT".to_owned()),
        ("u6@x", "X-A:1\nDTEND;TZID=\"x\r\nBcc: victim@example.org\":20400301T090000".to_owned()),
    ];
    for (at, (uid, line)) in hostile.into_iter().enumerate() {
        let text = calendar(
            "REQUEST",
            uid,
            &format!(
                "DTSTAMP:20260101T100000Z\nDTSTART:20400301T080000Z\n{line}\n\
             ORGANIZER;CN=\"x^nBcc: victim@example.org\":mailto:boss@corp.example\nATTENDEE;CN=\"a\nBcc: v@example.org\":mailto:ada@example.com"
            ),
        );
        let header = format!("{}From: boss@corp.example", PROVEN.replace("DOMAIN", "corp.example"));
        let reason = site.reason(&mail(&header, &format!("<h{at}@x>"), "REQUEST", &text)).await;
        assert_eq!(reason, "invited", "{uid}");
    }
    for stored in site.gateway.objects(site.ada()).await.expect("a calendar") {
        let answer = Answer {
            partstat: calcard::icalendar::ICalendarParticipationStatus::Accepted,
            instance: None,
            comment: Some("y\r\nBcc: victim@example.org".to_owned()),
        };
        let respond = Change::Respond(stored.uid.clone(), Respond { answer, now: 1_780_000_000 });
        let changed = site.gateway.change(site.ada(), respond).await.expect("answered");
        assert_eq!(changed.mails, [("REPLY".to_owned(), vec!["boss@corp.example".to_owned()])], "{}", stored.uid);
    }
    for entry in site.gateway.ledger.outbox(100).await.expect("an outbox") {
        let whole = site.gateway.ledger.outbox_entry(entry.id).await.expect("an outbox").expect("a mail");
        let raw = String::from_utf8_lossy(&whole.debt.raw).into_owned();
        let (header, _) = raw.split_once("\r\n\r\n").expect("a header");
        let names: Vec<String> = header
            .split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .filter_map(|line| line.split_once(':'))
            .map(|(name, _)| name.to_ascii_lowercase())
            .collect();
        assert!(!names.iter().any(|name| name == "bcc"), "{header}");
        for once in ["from", "to", "subject", "date", "message-id"] {
            assert_eq!(names.iter().filter(|name| *name == once).count(), 1, "{once}: {header}");
        }
        assert!(!raw.replace("\r\n", "").contains(['\r', '\n']), "a bare line end");
    }
}

#[tokio::test]
async fn a_copy_that_is_sent_ahead_does_not_keep_out_the_true_mail() {
    let site = Site::open("").await;
    site.live().await;
    let header = format!("{}From: boss@corp.example", PROVEN.replace("DOMAIN", "corp.example"));
    let honest = mail(&header, "<race@corp.example>", "CANCEL", &site::cancel("20260201T100000Z"));
    let ahead = site::forged(&honest, "<race@corp.example>");
    assert_eq!(site.reason(&ahead).await, "sender-unproven");
    assert_eq!(site.reason(&honest).await, "cancelled");
}

#[tokio::test]
async fn a_mail_under_the_message_id_of_ours_is_not_ours() {
    let site = Site::open("").await;
    site.live().await;
    let entry = site.gateway.ledger.outbox(1).await.expect("an outbox").remove(0);
    let before = site.state().await;
    let text = site::cancel("20260201T100000Z");
    let raw = mail("From: boss@corp.example", &entry.debt.message_id, "CANCEL", &text);
    assert_eq!(site.reason(&raw).await, "own-message", "to the one who sent it, nothing is new");
    // To somebody else of the site the Message-ID proves nothing; only the very mail is proof.
    let to_bo = site.receive_as(1, &raw).await;
    assert_eq!(to_bo[0].reason, "sender-unproven");
    assert_eq!(site.state().await, before);
}

#[tokio::test]
async fn what_imipd_wrote_itself_needs_no_other_proof() {
    let site = Site::open("").await;
    let text = calendar(
        "PUBLISH",
        "team-1@example.com",
        "DTSTAMP:20260101T100000Z\nDTSTART:20400301T080000Z\nORGANIZER:mailto:ada@example.com\nATTENDEE;RSVP=TRUE:mailto:bo@example.com",
    );
    site.put(&text.replace("METHOD:PUBLISH\n", "")).await;
    let entry = site.gateway.ledger.outbox(1).await.expect("an outbox").remove(0);
    let whole = site.gateway.ledger.outbox_entry(entry.id).await.expect("an outbox").expect("a mail");
    let records = site.receive_as(1, &whole.debt.raw).await;
    assert_eq!((records[0].reason.as_str(), records[0].proof.as_str()), ("invited", "authenticated-own-mail"));
    let changed = String::from_utf8(whole.debt.raw).expect("text").replace("20400301T080000Z", "20400302T080000Z");
    let records = site.receive_as(1, changed.as_bytes()).await;
    assert_eq!(records[0].reason, "sender-unproven");
}

#[tokio::test]
async fn too_much_is_refused_and_said() {
    let policy = "[policy.limits]\nattendees = 3\nobjects = 2\nwaiting = 2\nmessages_per_hour = 6\nanswers = 2";
    let site = Site::open(policy).await;
    let boss = format!("{}From: boss@corp.example", PROVEN.replace("DOMAIN", "corp.example"));
    let invite = |at: usize, attendees: usize| {
        let attendees: String = (0..attendees).map(|n| format!("\nATTENDEE:mailto:a{n}@x.example")).collect();
        let text = calendar(
            "REQUEST",
            &format!("n{at}@corp.example"),
            &format!(
                "DTSTAMP:20260101T100000Z\nDTSTART:20400301T080000Z\nORGANIZER:mailto:boss@corp.example\nATTENDEE:mailto:ada@example.com{attendees}"
            ),
        );
        mail(&boss, &format!("<n{at}@x>"), "REQUEST", &text)
    };
    assert_eq!(site.reason(&invite(0, 3)).await, "too-many-attendees");
    assert_eq!(site.reason(&invite(1, 2)).await, "invited");
    assert_eq!(site.reason(&invite(2, 2)).await, "invited");
    assert_eq!(site.reason(&invite(3, 2)).await, "calendar-full");
    assert_eq!(site.reason(&site::forged(&invite(4, 2), "<n4b@x>")).await, "calendar-full");
    for at in 5..9 {
        site.reason(&invite(at, 2)).await;
    }
    let stale = invite(1, 2);
    let fresh = String::from_utf8(stale).expect("text").replace("<n1@x>", "<n1b@x>").replace("20260101T", "20260105T");
    let last = site.reason(fresh.as_bytes()).await;
    assert_eq!(last, "updated", "refusals before the sender was judged do not count against them");
}

/// What is made to be too much: each is refused, and says why.
#[tokio::test]
async fn bombs_are_refused_and_said() {
    let site = Site::open("auto_add = \"all\"").await;
    let header = format!("{}From: boss@corp.example", PROVEN.replace("DOMAIN", "corp.example"));
    let event = |lines: &str| {
        calendar(
            "REQUEST",
            "bomb@corp.example",
            &format!(
                "DTSTAMP:20260101T100000Z\nDTSTART:20400301T080000Z\nORGANIZER:mailto:boss@corp.example\nATTENDEE:mailto:ada@example.com\n{lines}"
            ),
        )
    };
    let attendees: String = (0..200_000).map(|n| format!("ATTENDEE:mailto:a{n}@x.example\n")).collect();
    let some_attendees: String = (0..90_000).map(|n| format!("ATTENDEE:mailto:a{n}@x.example\n")).collect();
    let alarms = "BEGIN:VALARM\nEND:VALARM\n".repeat(30_000);
    let bombs = [
        ("ten megabytes", event(&format!("DESCRIPTION:{}", "x".repeat(10 << 20))), "too-large"),
        ("200,000 attendees", event(&attendees), "too-large"),
        ("90,000 attendees", event(&some_attendees), "too-many-attendees"),
        ("empty lines of text", event(&"X:\n".repeat(500_000)), "too-large"),
        ("components", event(&alarms), "too-large"),
        ("components within components", event(&"BEGIN:X\n".repeat(100_000)), "too-large"),
        ("a series of every second", event("RRULE:FREQ=SECONDLY"), "event-too-large"),
        (
            "a long UID",
            calendar("REQUEST", &"u".repeat(5_000), "DTSTAMP:20260101T100000Z\nORGANIZER:mailto:boss@corp.example"),
            "event-too-large",
        ),
    ];
    for (at, (name, text, expected)) in bombs.into_iter().enumerate() {
        let reason = site.reason(&mail(&header, &format!("<b{at}@x>"), "REQUEST", &text)).await;
        assert_eq!(reason, expected, "{name}");
    }
    let boundary = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n";
    let deep = format!("{header}\r\nMessage-ID: <d@x>\r\n{}", boundary.repeat(20_000));
    assert_eq!(site.receive(deep.as_bytes()).await.len(), 0, "there is no calendar in it");
}

/// Whether a mail changes Ada's calendar at a site with this policy, and what is said about it.
async fn taken(policy: &str, header: &str, (method, text): (&str, &str)) -> (bool, String) {
    let site = Site::open(policy).await;
    site.live().await;
    let before = site.state().await;
    let records = site.receive(&mail(header, "<exception@x.example>", method, text)).await;
    let said = records.into_iter().map(|record| format!("{} {}", record.reason, record.proof)).collect();
    (site.state().await != before, said)
}

/// What the site's server found, and the fields that name the sender.
fn found(results: &str, fields: &str) -> String {
    format!("Authentication-Results: mx.example.com; {results}\r\n{fields}")
}

const GOOGLE: &str = "From: cyd@partner.example\r\nSender: Google Calendar <calendar-notification@google.com>";

#[tokio::test]
async fn googles_replies_count_when_google_signed_them() {
    let reply = site::reply("cyd@partner.example", "ACCEPTED");
    let cancel = site::cancel("20260201T100000Z");
    let signed = found("dkim=pass header.d=google.com; dmarc=fail header.from=partner.example", GOOGLE);
    let (is_taken, said) = taken("", &signed, ("REPLY", &reply)).await;
    assert!(is_taken && said.starts_with("answered "), "{said}");
    let no_sender = found("dkim=pass header.d=google.com", "From: cyd@partner.example");
    let boss = signed.replace("cyd@partner.example", "boss@corp.example");
    for (policy, header, method, text) in [
        ("exceptions = []", signed.clone(), "REPLY", &reply),
        ("", found("dkim=pass header.d=evil.example", GOOGLE), "REPLY", &reply),
        ("", found("dkim=pass header.d=google.com.evil.example", GOOGLE), "REPLY", &reply),
        ("", found("dkim=fail header.d=google.com", GOOGLE), "REPLY", &reply),
        ("", GOOGLE.to_owned(), "REPLY", &reply),
        ("", no_sender, "REPLY", &reply),
        ("", boss, "CANCEL", &cancel),
        // Google says who answers, and that is whom the answer is from.
        ("", signed.replace("cyd@partner.example", "eve@evil.example"), "REPLY", &reply),
    ] {
        let (is_taken, said) = taken(policy, &header, (method, text)).await;
        assert!(!is_taken && !said.is_empty(), "{policy} {header}: {said}");
    }
}

/// An invitation by this organizer.
fn invitation(organizer: &str) -> String {
    let lines = format!(
        "DTSTAMP:20260101T100000Z\nDTSTART:20400301T080000Z\nORGANIZER:mailto:{organizer}\nATTENDEE:mailto:ada@example.com"
    );
    calendar("REQUEST", "exception-1@x.example", &lines)
}

#[tokio::test]
async fn googles_calendars_speak_when_google_signed_it() {
    let text = invitation("c_1@group.calendar.google.com");
    let signed = found("dkim=pass header.d=google.com", GOOGLE);
    let (is_taken, said) = taken("", &signed, ("REQUEST", &text)).await;
    assert!(is_taken && said.starts_with("invited "), "{said}");
    let of_another = invitation("c_1@group.calendar.google.com.evil.example");
    for (policy, header, text) in [
        ("exceptions = []", signed.clone(), &text),
        ("", found("dkim=pass header.d=partner.example", GOOGLE), &text),
        ("", GOOGLE.to_owned(), &text),
        ("", signed, &of_another),
    ] {
        let (is_taken, said) = taken(policy, &header, ("REQUEST", text)).await;
        assert!(!is_taken && !said.is_empty(), "{policy} {header}: {said}");
    }
}

#[tokio::test]
async fn a_list_that_is_named_speaks_for_its_authors() {
    const LISTS: &str = "lists = [\"lists.example.org\"]";
    let reply = site::reply("cyd@partner.example", "ACCEPTED");
    let fields = "From: Cyd via Team <team@lists.example.org>\r\nReply-To: cyd@partner.example\r\nList-Id: <team.lists.example.org>";
    let passed = |domain: &str, fields: &str| found(&format!("dmarc=pass header.from={domain}"), fields);
    let honest = passed("lists.example.org", fields);
    let (is_taken, said) = taken(LISTS, &honest, ("REPLY", &reply)).await;
    assert!(is_taken && said.starts_with("answered "), "{said}");
    let evil = fields.replace("lists.example.org", "lists.evil.example");
    let two_people = fields.replace("Reply-To: ", "Reply-To: eve@evil.example, ");
    for (policy, header) in [
        ("", honest),
        (LISTS, fields.to_owned()),
        (LISTS, passed("evil.example", fields)),
        (LISTS, passed("lists.evil.example", &evil)),
        (LISTS, passed("lists.example.org", &two_people)),
        (LISTS, passed("lists.example.org", &fields.replace("\r\nList-Id: <team.lists.example.org>", ""))),
    ] {
        let (is_taken, said) = taken(policy, &header, ("REPLY", &reply)).await;
        assert!(!is_taken && !said.is_empty(), "{policy} {header}: {said}");
    }
}

#[tokio::test]
async fn a_booking_system_that_is_named_brings_new_meetings_only() {
    const BOOKING: &str = "booking_systems = [\"booking.example\"]";
    let text = invitation("boss@corp.example");
    let proven = found("dmarc=pass header.from=booking.example", "From: robot@booking.example");
    let (is_taken, said) = taken(BOOKING, &proven, ("REQUEST", &text)).await;
    assert!(is_taken && said.starts_with("invited "), "{said}");
    let update = text.replace("exception-1@x.example", "review-1@corp.example").replace("20260101T", "20260601T");
    let cancel = site::cancel("20260601T100000Z");
    let unproven = "From: robot@booking.example".to_owned();
    let another = found("dmarc=pass header.from=evil.example", "From: robot@evil.example");
    for (policy, header, method, text) in [
        ("", proven.clone(), "REQUEST", &text),
        (BOOKING, unproven, "REQUEST", &text),
        (BOOKING, another, "REQUEST", &text),
        (BOOKING, proven.clone(), "REQUEST", &update),
        (BOOKING, proven, "CANCEL", &cancel),
    ] {
        let (is_taken, said) = taken(policy, &header, (method, text)).await;
        assert!(!is_taken && !said.is_empty(), "{policy} {header} {method}: {said}");
    }
}
