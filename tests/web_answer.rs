//! The page behind the links in invitations, as the real web server serves it.

mod page;

use std::io::Write;
use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use imipd::gateway::Place;
use imipd::imip::extract;
use imipd::mailbox::FolderRole;
use page::{BO, Reply, Site, UID, event, series, walk, week};

/// A text without its tags and line ends, as somebody reads it.
fn seen(reply: &Reply) -> String {
    let mut out = String::new();
    let mut is_tag = false;
    for c in reply.body.chars() {
        match c {
            '<' => is_tag = true,
            '>' => is_tag = false,
            c if !is_tag => out.push(c),
            _ => {}
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The calendar of a mail, its lines unfolded.
fn reply_in(raw: &[u8]) -> String {
    extract(raw).calendars[0].text.replace("\r\n ", "")
}

#[tokio::test]
async fn whoever_follows_a_link_changes_nothing() {
    let site = Site::start("").await;
    site.put(&walk()).await;
    let (token, mut links) = (site.link().await, site.links().await);
    assert!(links.len() >= 6, "three in the text and three in the HTML: {links:?}");
    links.extend(["", "?answer=yes&saved=1&comment=x"].map(|more| format!("/answer/{token}{more}")));
    let before = site.state().await;
    for method in ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"] {
        for link in &links {
            let reply = site.ask(&format!("{method} {link} HTTP/1.1"), b"").await;
            let expected = if matches!(method, "GET" | "HEAD") { 200 } else { 405 };
            assert_eq!(reply.status, expected, "{method} {link}");
        }
    }
    assert_eq!(site.state().await, before);
    let page = site.get(&format!("{token}?answer=no")).await;
    assert!(page.body.contains("value=\"no\" required checked"), "what the link says is only chosen beforehand");
    assert!(seen(&page).contains("Nothing has been sent yet"), "{page:?}");
}

#[tokio::test]
async fn the_page_tells_what_is_asked_and_keeps_to_itself() {
    let site = Site::start("").await;
    site.put(&walk()).await;
    let page = site.get(&site.link().await).await;
    let text = seen(&page);
    for told in [
        "Ada Lovelace invites you to this event",
        "Walk across the moor",
        "Friday 1 June 2040, 10:00 to 12:00 (Europe/Berlin, UTC+2)",
        "Old mill",
        "This link answers for bo@example.org.",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert!(!text.contains("Cy"), "who else comes is told only where the organizer's site allows it");
    for (name, value) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-robots-tag", "noindex, nofollow"),
        ("content-language", "en"),
    ] {
        assert_eq!(page.header(name), Some(value), "{name}");
    }
    let policy = page.header("content-security-policy").expect("a policy");
    for rule in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
        assert!(policy.contains(rule) && !policy.contains("unsafe"), "{policy}");
    }
    assert_eq!(page.header("set-cookie"), None);
    for inline in ["<style", "style=", "onclick", "http://", "https://"] {
        assert!(!page.body.contains(inline), "{inline}");
    }
    for (file, content_type) in [("page.css", "text/css; charset=utf-8"), ("page.js", "text/javascript; charset=utf-8")]
    {
        let asset = site.get(file).await;
        assert_eq!((asset.status, asset.header("content-type")), (200, Some(content_type)));
    }
}

#[tokio::test]
async fn an_answer_is_taken_changed_and_told_to_the_organizer() {
    let site = Site::start("").await;
    site.put(&walk()).await;
    let token = site.link().await;
    let reply = site.post(&token, "answer=yes&comment=With+cake%0D%0Aand+tea&tz=Europe%2FParis").await;
    assert_eq!((reply.status, reply.body.as_str()), (303, ""));
    let to = reply.header("location").expect("a place to go").to_owned();
    let page = site.get(&to).await;
    let text = seen(&page);
    assert!(text.contains("Thank you. Your answer has been passed on to Ada Lovelace."), "{text}");
    assert!(text.contains("Answer so far Bo Diddley has accepted"), "{text}");
    assert_eq!(site.answers().await, ["ACCEPTED"]);
    let decision = site.decisions().await.into_iter().next().expect("a decision");
    assert_eq!((decision.folder.as_str(), decision.reason.as_str()), ("web", "answered"), "{decision:?}");

    let notes = site.notes().await;
    let raw = String::from_utf8(notes[0].debt.raw.clone()).expect("ASCII") + &reply_in(&notes[0].debt.raw);
    for line in [
        "From: \"Bo Diddley via imipd\" <ada@example.com>",
        "Reply-To: \"Bo Diddley\" <bo@example.org>",
        "Auto-Submitted: auto-generated",
        "METHOD:REPLY",
        "ATTENDEE;CN=\"Bo Diddley\";PARTSTAT=ACCEPTED:mailto:bo@example.org",
        "COMMENT:With cake\\nand tea",
    ] {
        assert!(raw.contains(line), "{line}: {raw}");
    }
    assert_eq!((notes.len(), notes[0].debt.subject.as_str()), (1, "Accepted: Walk across the moor (1 June 2040)"));
    assert_eq!(site.gateway.ledger.recipients(notes[0].id).await.expect("read")[0].address, "ada@example.com");

    assert_eq!(site.post(&token, "answer=no").await.status, 303);
    assert_eq!(site.answers().await, ["DECLINED"]);
    assert_eq!(site.notes().await.len(), 2);
    let back = site.post(&token, "answer=yes&comment=With+cake%0D%0Aand+tea").await;
    assert_eq!((back.status, site.answers().await), (303, vec!["ACCEPTED".to_owned()]));
    assert_eq!(site.notes().await.len(), 3, "to change one's mind back is news");
    let metrics = site.ask("GET /metrics HTTP/1.1", b"").await.body;
    assert!(metrics.contains("imipd_answer_pages_total{outcome=\"taken\"} 3"), "{metrics}");
}

#[tokio::test]
async fn the_same_answer_again_is_no_news_but_a_new_comment_is() {
    let site = Site::start("").await;
    site.put(&walk()).await;
    let token = site.link().await;
    assert_eq!(site.post(&token, "answer=maybe").await.status, 303);
    let after_first = site.state().await;
    assert_eq!(site.post(&token, "answer=maybe&comment=+%0D%0A+").await.status, 303);
    assert_eq!(site.state().await, after_first);
    for _ in 0..2 {
        assert_eq!(site.post(&token, "answer=maybe&comment=My+train+is+late").await.status, 303);
    }
    let notes = site.notes().await;
    assert_eq!(notes.len(), 2, "the comment is passed on, and once");
    assert!(reply_in(&notes[1].debt.raw).contains("COMMENT:My train is late"));
    assert_eq!(site.answers().await, ["TENTATIVE"]);
}

#[tokio::test]
async fn the_mail_that_tells_of_an_answer_is_known_when_it_arrives() {
    let site = Site::start("").await;
    site.put(&walk()).await;
    site.post(&site.link().await, "answer=yes").await;
    let raw = site.notes().await.remove(0).debt.raw;
    let before = site.stored().await;
    let place = Place { user: site.ada(), folder: "INBOX", role: FolderRole::Inbox, cursor: None };
    let records = site.gateway.receive_mail(place, &raw).await.expect("decided");
    assert_eq!(records[0].reason, "own-message");
    assert_eq!(site.stored().await, before);
}

#[tokio::test]
async fn one_date_of_a_series_is_answered_alone() {
    let site = Site::start("").await;
    site.put(&series()).await;
    let token = site.link().await;
    let page = site.get(&token).await;
    assert!(
        seen(&page).contains("All dates Tuesday 5 June 2040, 19:00 Tuesday 12 June 2040, 19:00"),
        "{}",
        seen(&page)
    );
    assert_eq!(page.body.matches("name=\"date\"").count(), 7, "all of them, and six to choose from");
    assert!(seen(&page).contains("Only the next dates are listed"));
    let form = format!("answer=no&date={}", week(1));
    let reply = site.post(&token, &form).await;
    assert_eq!(reply.status, 303);
    assert_eq!(site.answers().await, ["NEEDS-ACTION", "DECLINED"]);
    let page = site.get(reply.header("location").expect("a place to go")).await;
    assert!(seen(&page).contains("Tuesday 12 June 2040, 19:00 No"), "{}", seen(&page));
    assert_eq!(site.post(&token, "answer=yes&date=all").await.status, 303);
    assert_eq!(site.answers().await, ["ACCEPTED", "ACCEPTED"]);

    let before = site.state().await;
    for (date, status) in [("20400606T170000Z", 409), ("20010101", 409), ("20400612T170000Z%2B", 400), ("soon", 400)] {
        let reply = site.post(&token, &format!("answer=no&date={date}")).await;
        assert_eq!(reply.status, status, "{date}");
    }
    assert_eq!(site.stored().await, before.0);
}

#[tokio::test]
async fn a_date_that_was_moved_has_a_link_of_its_own() {
    let site = Site::start("").await;
    site.put(&series()).await;
    let token = site.link().await;
    let stored = site.stored().await.expect("an object");
    let event = &stored[stored.find("BEGIN:VEVENT").expect("an event")..stored.find("END:VCALENDAR").expect("an end")];
    let moved = event
        .replace("RRULE:FREQ=WEEKLY;COUNT=12\r\n", "RECURRENCE-ID;TZID=Europe/Berlin:20400612T190000\r\n")
        .replace("20400605T190000", "20400613T190000")
        .replace("20400605T210000", "20400613T210000");
    site.put(&stored.replace("END:VCALENDAR", &format!("{moved}END:VCALENDAR"))).await;
    let of_its_own = site.link().await;
    assert_ne!(token, of_its_own);
    assert!(seen(&site.get(&of_its_own).await).contains("Wednesday 13 June 2040, 19:00"));
    let page = site.get(&token).await;
    assert!(
        page.status == 200 && !page.body.contains(&week(1)),
        "whoever got the old mail was asked about another time"
    );
    let reply = site.post(&token, &format!("answer=yes&date={}", week(1))).await;
    assert!(reply.status == 410 && seen(&reply).contains("This invitation has been replaced"), "{reply:?}");
    assert!(!site.answers().await.contains(&"ACCEPTED".to_owned()));
    assert_eq!(site.post(&of_its_own, "answer=yes").await.status, 303);
    assert_eq!(site.post(&token, "answer=no").await.status, 303);
    assert_eq!(site.answers().await, ["DECLINED", "ACCEPTED"]);
}

#[tokio::test]
async fn a_link_for_one_date_answers_for_no_other() {
    let site = Site::start("").await;
    site.put(&series()).await;
    let token = site.link_with(|link| link.instance = week(2)).await;
    let page = site.get(&token).await;
    assert!(seen(&page).contains("Tuesday 19 June 2040, 19:00 to 21:00"), "{}", seen(&page));
    assert!(!page.body.contains("name=\"date\""));
    site.post(&token, &format!("answer=yes&date={}", week(3))).await;
    assert_eq!(site.answers().await, ["NEEDS-ACTION", "ACCEPTED"]);
    let stored = site.stored().await.expect("an object");
    assert!(stored.contains("RECURRENCE-ID;TZID=Europe/Berlin:20400619T190000"), "{stored}");
}

/// Sends each answer to a link that is closed, and finds the page with `told`, and nothing changed.
async fn finds_closed(site: &Site, token: &str, told: &str) {
    let before = site.state().await;
    let get = site.get(token).await;
    let post = site.post(token, "answer=yes&comment=x").await;
    for reply in [get, post] {
        assert_eq!(reply.status, 410, "{told}");
        assert!(seen(&reply).contains(told), "{told}: {}", seen(&reply));
        assert!(!reply.body.contains("<form"), "{told}");
    }
    assert_eq!(site.state().await, before, "{told}");
}

#[tokio::test]
async fn a_link_that_answers_no_more_says_why() {
    let site = Site::start("").await;
    site.put(&walk()).await;
    let expired = site.link_with(|link| (link.expires_at, link.sequence) = (1, 7)).await;
    finds_closed(&site, &expired, "This link has expired").await;
    let revoked = site.link_with(|link| (link.revoked_at, link.sequence) = (1, 8)).await;
    finds_closed(&site, &revoked, "This link is no longer valid").await;
    let stranger = site.link_with(|link| link.attendee = "eve@example.net".to_owned()).await;
    finds_closed(&site, &stranger, "You are no longer invited").await;
    assert!(!seen(&site.get(&stranger).await).contains("moor"), "whoever is not invited learns nothing");

    let token = site.link().await;
    site.put(&walk().replace("T10", "T14").replace("T12", "T16")).await;
    finds_closed(&site, &token, "This invitation has been replaced").await;
    site.put(&walk().replace("END:VEVENT", "STATUS:CANCELLED\r\nEND:VEVENT")).await;
    finds_closed(&site, &token, "Ada Lovelace has cancelled this event. Cancelled: Walk across the moor").await;
    site.delete().await;
    finds_closed(&site, &token, "This has been cancelled There is nothing to answer any more").await;
}

#[tokio::test]
async fn what_is_no_link_opens_nothing() {
    let site = Site::start("").await;
    site.put(&walk()).await;
    let token = site.link().await;
    let feed = site.gateway.create_feed(site.ada()).await.expect("a feed").expose();
    let before = site.state().await;
    let flipped: String = token.chars().map(|c| if c == 'A' { 'B' } else { 'A' }).collect();
    let guesses = [&token[..21], &token[1..], "", &feed, &flipped, "..%2F..%2Fetc%2Fpasswd", "%00", &"A".repeat(5_000)];
    for guess in guesses {
        let reply = site.get(guess).await;
        assert_eq!(reply.status, 404, "{guess}");
        assert!(seen(&reply).contains("This link does not work"), "{guess}");
        let expected = if guess.is_empty() { 405 } else { 404 };
        assert_eq!(site.post(guess, "answer=yes").await.status, expected, "{guess}");
    }
    assert_eq!(site.get(&format!("{token}/x")).await.status, 404);
    assert_eq!(site.state().await, before);
}

#[tokio::test]
async fn a_row_that_somebody_has_changed_opens_nothing() {
    let site = Site::start("").await;
    site.put(&walk()).await;
    let token = site.link_with(|link| link.attendee = "cy@example.org".to_owned()).await;
    let path = site.gateway.config.database.path.clone();
    let url = format!("sqlite://{}", path.display());
    let pool = sqlx::SqlitePool::connect(&url).await.expect("the database");
    sqlx::query("UPDATE link SET attendee = ?").bind(BO).execute(&pool).await.expect("changed");
    assert_eq!(site.get(&token).await.status, 404);
    assert_eq!(site.post(&token, "answer=no").await.status, 404);
    assert_eq!(site.answers().await, ["NEEDS-ACTION"]);
}

#[tokio::test]
async fn a_thousand_guesses_end_soon_and_keep_nobody_else_out() {
    let site = Site::start("trusted_proxies = [\"127.0.0.1\"]").await;
    site.put(&walk()).await;
    let token = site.link().await;
    let before = site.state().await;
    let mut limited = 0;
    for number in 0..1_000_u32 {
        let guess = format!("{number:022}");
        let head = format!("POST /answer/{guess} HTTP/1.1\r\nX-Forwarded-For: {number}.1.1.1, 192.0.2.66");
        let reply = site.ask(&head, b"answer=yes").await;
        assert!(matches!(reply.status, 404 | 429), "{}", reply.status);
        if reply.status == 429 {
            let wait: u64 = reply.header("retry-after").and_then(|wait| wait.parse().ok()).expect("a time");
            assert!((1..=601).contains(&wait) && seen(&reply).contains("Too many attempts"), "{wait}");
            limited += 1;
        }
    }
    assert_eq!(limited, 980);
    let head = |client: &str| format!("GET /answer/{token} HTTP/1.1\r\nX-Forwarded-For: {client}");
    assert_eq!(site.ask(&head("192.0.2.66"), b"").await.status, 429, "or it could tell what is a link and what is not");
    assert_eq!(site.ask(&head("192.0.2.67"), b"").await.status, 200);
    assert_eq!(site.state().await, before);
}

#[tokio::test]
async fn nobody_fills_the_mailbox_of_an_organizer() {
    let site = Site::start("").await;
    site.put(&walk()).await;
    let token = site.link().await;
    let mut statuses = Vec::new();
    for number in 0..30 {
        statuses.push(site.post(&token, &format!("answer=yes&comment={number}")).await.status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 20);
    assert_eq!(statuses.last(), Some(&429));
    assert_eq!(site.notes().await.len(), 10);
}

#[tokio::test]
async fn answers_at_once_are_taken_one_after_the_other() {
    let site = Site::start("").await;
    site.put(&walk()).await;
    let token = site.link().await;
    let same = join_all((0..8).map(|_| site.post(&token, "answer=yes&comment=Hello"))).await;
    assert!(same.iter().all(|reply| reply.status == 303), "{same:?}");
    assert_eq!((site.answers().await, site.notes().await.len()), (vec!["ACCEPTED".to_owned()], 1));
    let both = join_all(["answer=no", "answer=maybe"].map(|form| site.post(&token, form))).await;
    assert!(both.iter().all(|reply| reply.status == 303), "{both:?}");
    let notes = site.notes().await;
    assert_eq!(notes.len(), 3);
    let last = reply_in(&notes[2].debt.raw);
    assert!(
        last.contains(&format!("PARTSTAT={}", site.answers().await[0])),
        "the last one told is the one that stands"
    );
}

#[tokio::test]
async fn what_is_no_form_of_ours_is_refused() {
    let site = Site::start("").await;
    site.put(&walk()).await;
    let token = site.link().await;
    let before = site.state().await;
    for (form, status) in [
        ("", 422),
        ("comment=x", 422),
        ("answer=", 400),
        ("answer=NEEDS-ACTION", 400),
        ("answer=yes%00", 400),
        ("answer=yes&answer=nonsense", 400),
    ] {
        let reply = site.post(&token, form).await;
        assert_eq!(reply.status, status, "{form}");
    }
    assert!(seen(&site.post(&token, "").await).contains("Please choose one of the answers."));
    assert_eq!(site.post(&token, &format!("answer=yes&comment={}", "x".repeat(20_000))).await.status, 413);
    for content_type in
        ["text/plain", "application/json", "multipart/form-data; boundary=x", "", "x".repeat(900).as_str()]
    {
        let head = format!("POST /answer/{token} HTTP/1.1\r\nContent-Type: {content_type}");
        assert_eq!(site.ask(&head, b"answer=yes").await.status, 415, "{content_type}");
    }
    assert_eq!(site.state().await, before);
}

#[tokio::test]
async fn hostile_texts_are_shown_as_texts() {
    let site = Site::start("show_attendees = true").await;
    let hostile = "<script>alert(1)</script><img src=x onerror=alert(2)>\u{202e}'\"&";
    let text = event(&format!(
        "SUMMARY:{hostile}\r\nLOCATION:javascript:alert(1)\\n{hostile}\r\nDESCRIPTION:</div></main>{hostile}{}\r\n\
         DTSTART:20400601T080000Z\r\nATTENDEE;CN=\"<b>{{{{ 7*7 }}}}</b>\":mailto:eve@example.net\r\n",
        "x".repeat(10_000)
    ));
    site.put(&text.replace("CN=Ada Lovelace", "CN=\"Ada</h1><script src=//evil.example>\"")).await;
    let token = site.link().await;
    let page = site.get(&token).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.body.matches("<script").count(), 1, "our own: {}", page.body);
    for bad in ["<img", "<b>", "\u{202e}", "49", "</main>&lt;"] {
        assert!(!page.body.contains(bad), "{bad}: {}", page.body);
    }
    assert!(page.body.contains("&lt;script&gt;alert(1)"), "{}", page.body);
    assert!(page.body.len() < 80_000, "{}", page.body.len());
    let comment = "%0D%0ABcc:+eve@evil.example%0D%0A%0D%0AATTENDEE:x%E2%80%AE%00";
    site.post(&token, &format!("answer=yes&comment={comment}")).await;
    let raw = String::from_utf8(site.notes().await[0].debt.raw.clone()).expect("ASCII");
    assert!(!raw.contains("\nBcc") && !raw.contains("\nATTENDEE:x"), "{raw}");
    assert!(reply_in(raw.as_bytes()).contains("COMMENT:Bcc: eve@evil.example\\n\\nATTENDEE:x"), "{raw}");
}

#[tokio::test]
async fn language_and_clock_are_the_visitors() {
    let site = Site::start("").await;
    site.put(&walk()).await;
    let token = site.link().await;
    let german = site.ask(&format!("GET /answer/{token} HTTP/1.1\r\nAccept-Language: tlh, de-CH;q=0.9"), b"").await;
    assert_eq!(german.header("content-language"), Some("de"));
    assert!(german.body.contains("<html lang=\"de\"") && seen(&german).contains("Nehmen Sie teil?"));
    let tokyo = site.get(&format!("{token}?tz=Asia%2FTokyo")).await;
    assert!(seen(&tokyo).contains("17:00 to 19:00 (Asia/Tokyo, UTC+9)"), "{}", seen(&tokyo));
    assert!(seen(&tokyo).contains("For Ada Lovelace: Friday 1 June 2040, 10:00 to 12:00 (Europe/Berlin, UTC+2)"));
    for nonsense in ["Mars%2FOlympus", "..%2F..%2Fetc", "%3Cscript%3E", ""] {
        let page = site.get(&format!("{token}?tz={nonsense}")).await;
        assert!(page.status == 200 && seen(&page).contains("10:00 to 12:00 (Europe/Berlin"), "{nonsense}");
    }
    let missing = site.ask("GET /answer/x HTTP/1.1\r\nAccept-Language: fr", b"").await;
    assert!(seen(&missing).contains("Ce lien ne fonctionne pas"), "{missing:?}");

    site.put(&walk().replace("CN=Bo Diddley;", "CN=Bo Diddley;LANGUAGE=pl;")).await;
    assert_eq!(site.get(&token).await.header("content-language"), Some("pl"), "what the organizer knows of them");
}

#[tokio::test]
async fn who_else_comes_is_told_where_that_is_allowed() {
    let site = Site::start("show_attendees = true").await;
    let many: String = (0..60).map(|n| format!("ATTENDEE:mailto:p{n}@example.org\r\n")).collect();
    site.put(&walk().replace("SUMMARY", &format!("{many}SUMMARY"))).await;
    // Nobody of so many was sent links.
    let text = seen(&site.get(&site.link_with(|_| {}).await).await);
    assert!(text.contains("Who else is invited Cy Twombly has accepted"), "{text}");
    assert!(
        text.contains("p48@example.org") && !text.contains("p49@example.org") && text.contains("and 11 more people")
    );
}

/// What is logged, all of it.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn no_token_is_logged() {
    let logged = Logged::default();
    let to = logged.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || to.clone())
        .with_ansi(false)
        .finish();
    // On one thread, where everything is logged there.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let token = tracing::subscriber::with_default(subscriber, || {
        runtime.block_on(async {
            let site = Site::start("").await;
            site.put(&walk()).await;
            let token = site.link().await;
            site.get(&format!("{token}?answer=yes")).await;
            site.post(&token, "answer=yes").await;
            site.post(&token, "answer=nonsense").await;
            site.get(&format!("{token}x")).await;
            token
        })
    });
    let text = String::from_utf8(logged.0.lock().expect("the log").clone()).expect("text");
    assert!(text.contains(UID) && text.contains("answered"), "the decision is logged: {text}");
    assert!(!text.contains(&token), "{text}");
}
