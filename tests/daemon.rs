//! The daemon beside real mail servers: what it does with users, servers and mails that go right and wrong.

mod live;

use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use imipd_lab::{Behaviour, Mta, password};
use live::daemon::IMIPD;
use live::site::{address, texts};
use live::slow_smtp::SlowSmtp;
use live::{Plan, Site, mail, measured, meeting, partstat, wait_for, wait_until, with_method};
use serde_json::Value;

const A: &str = "a@example.com";
const B: &str = "b@example.com";
const C: &str = "c@example.com";

/// What the issue promises: a change has its mails on the way within a second. The bound leaves room for a machine that
/// other test programs keep busy; the figure itself is printed.
const ON_THE_WAY: Duration = Duration::from_secs(5);

// Commands and signals.

#[test]
fn a_change_is_on_its_way_within_a_second() {
    let Some(site) = Site::open(&Plan::default()) else { return };
    let begun = SystemTime::now();
    site.put("a", &meeting("prompt", A, &[B, C]));
    report_way(&site, "put", begun, "b");
    site.wait_settled();
    let begun = SystemTime::now();
    site.respond("b", "prompt", "accept");
    report_way(&site, "respond", begun, "a");
    site.wait_settled();
    assert_eq!(partstat(&site.get("a", "prompt").expect("A's copy"), B).as_deref(), Some("ACCEPTED"));
    let begun = SystemTime::now();
    site.delete("a", "prompt");
    report_way(&site, "delete", begun, "b");
    site.wait_settled();
    assert!(site.get("a", "prompt").is_none());
    assert!(site.get("b", "prompt").expect("B's copy").contains("STATUS:CANCELLED"));
    measured("arrival in the INBOX to commit, relay", &live::spread(site.arrival_to_commit()));
}

/// Waits for the newest mail of the outbox in a recipient's INBOX, and tells how long everything took since `begun`.
fn report_way(site: &Site, what: &str, begun: SystemTime, recipient: &str) {
    let newest = site.outbox().into_iter().next().expect("a mail in the outbox");
    let id = newest["message_id"].as_str().expect("a Message-ID").to_owned();
    let entered = newest["created_at"].as_str().and_then(|at| chrono::DateTime::parse_from_rfc3339(at).ok());
    let entered = SystemTime::from(entered.expect("a time")).duration_since(begun).unwrap_or_default();
    let arrived = wait_for("the mail arrives", || arrival(site, recipient, &id));
    let delivered = arrived.duration_since(begun).unwrap_or_default();
    let (entered_ms, delivered_ms) = (entered.as_millis(), delivered.as_millis());
    measured(what, &format!("outbox row after {entered_ms} ms, delivered after {delivered_ms} ms"));
    assert!(delivered < ON_THE_WAY, "{what}: delivered only after {delivered:?}");
}

fn arrival(site: &Site, user: &str, message_id: &str) -> Option<SystemTime> {
    let mails = site.inbox(user);
    mails.iter().find(|mail| mail.header("Message-ID").as_deref() == Some(message_id)).map(|mail| mail.arrived)
}

#[test]
fn answers_given_within_one_second_arrive_as_the_last_one() {
    let Some(site) = Site::open(&Plan::default()) else { return };
    site.put("a", &meeting("fickle", A, &[B]));
    site.wait_settled();
    for answer in ["accept", "decline", "accept"] {
        site.respond("b", "fickle", answer);
    }
    site.wait_settled();
    let stored = site.get("a", "fickle").expect("A's copy");
    assert_eq!(partstat(&stored, B).as_deref(), Some("ACCEPTED"), "{stored}");
}

#[test]
fn sigterm_ends_the_daemon_in_time_and_with_0() {
    let Some(mut site) = Site::open(&Plan::default()) else { return };
    let (status, took) = site.stop();
    assert_eq!(status.code(), Some(0), "an idle daemon");
    measured("SIGTERM, idle", &format!("{} ms", took.as_millis()));
    let lines = site.log().lines().count();
    site.launch();
    // Before it has logged anything it may not even be the program that we started.
    wait_until("the daemon has begun", || site.log().lines().count() > lines);
    let (status, took) = site.stop();
    assert_eq!(status.code(), Some(0), "a daemon that has just been started");
    measured("SIGTERM, just started", &format!("{} ms", took.as_millis()));
    site.start();
    for nth in 0..10 {
        site.put("a", &meeting(&format!("load-{nth}"), A, &[B, C]));
    }
    let (status, took) = site.stop();
    assert_eq!(status.code(), Some(0), "a daemon at work");
    measured("SIGTERM, at work", &format!("{} ms", took.as_millis()));
    assert!(took < Duration::from_secs(5), "it took {took:?}");
    site.start();
    site.wait_settled();
    for nth in 0..10 {
        assert!(site.get("c", &format!("load-{nth}")).is_some(), "C has no load-{nth}");
    }
    assert_eq!(site.inbox("b").len(), 10, "B got a mail twice or never");
}

#[test]
fn sigterm_does_not_wait_for_servers_that_say_nothing() {
    // A port that is open, and a server that never says a word: the kernel accepts, nobody reads.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("its number").port();
    let Some(mut site) = Site::prepare(&Plan::default()) else { return };
    site.redirect(port, port);
    site.launch();
    wait_until("the daemon answers", || site.status()["running"] == true);
    site.put("a", &meeting("unheard", A, &[B]));
    let (status, took) = site.stop();
    assert_eq!(status.code(), Some(0));
    measured("SIGTERM, silent servers", &format!("{} ms", took.as_millis()));
    assert!(took < Duration::from_secs(5), "it took {took:?}");
}

#[test]
fn sigterm_finishes_the_mails_in_hand_and_begins_no_others() {
    let Some(mut site) = Site::prepare(&Plan::default()) else { return };
    let slow = SlowSmtp::start(Duration::from_millis(700));
    site.redirect(site.lab.imap_port(), slow.port);
    for nth in 0..40 {
        site.put("a", &meeting(&format!("queued-{nth}"), A, &[B]));
    }
    site.launch();
    wait_until("some mails are taken", || slow.taken().len() >= 2);
    let (status, took) = site.stop();
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(5), "it took {took:?}");
    measured("SIGTERM, 40 mails queued at a slow server", &format!("{} ms", took.as_millis()));
    assert_eq!(recorded_as_sent(&site), sorted(slow.taken()), "a mail was taken, and that was not recorded");
    assert!(slow.taken().len() < 40, "the server was not slow enough to prove anything");
    // What was left goes out at the next start, and nothing of what was taken goes again.
    let fast = SlowSmtp::start(Duration::ZERO);
    site.configure(&Plan::default());
    site.redirect(site.lab.imap_port(), fast.port);
    site.launch();
    wait_until("the rest is taken", || slow.taken().len() + fast.taken().len() >= 40);
    site.stop();
    let all = sorted([slow.taken(), fast.taken()].concat());
    assert_eq!(recorded_as_sent(&site), all);
    assert_eq!(all.len(), 40);
}

/// The Message-IDs of the mails that have reached all their recipients, sorted.
fn recorded_as_sent(site: &Site) -> Vec<String> {
    let is_sent = |mail: &Value| live::site::array(mail["recipients"].clone()).iter().all(|to| to["state"] == "sent");
    let ids = site.outbox().into_iter().filter(is_sent);
    sorted(ids.map(|mail| mail["message_id"].as_str().expect("a Message-ID").to_owned()).collect())
}

fn sorted(mut list: Vec<String>) -> Vec<String> {
    list.sort();
    list
}

#[test]
fn a_second_daemon_on_the_same_database_is_refused() {
    let Some(mut site) = Site::open(&Plan::default()) else { return };
    let mut second = site.another_daemon("second.log");
    let status = second.wait(live::PATIENCE).expect("the second daemon ends");
    site.lab.disown(second.process());
    assert_eq!(status.code(), Some(1));
    let said = std::fs::read_to_string(site.path("second.log")).expect("its log");
    assert!(said.contains("another imipd works on this database"), "{said}");
    // The first one has lost nothing by it.
    site.put("a", &meeting("undisturbed", A, &[B]));
    site.wait_settled();
    assert!(site.get("b", "undisturbed").is_some());
    site.stop();
    one_of_several_survives(&site);
}

/// Started in the same moment, all see that nobody answers on the socket; still only one may go on.
fn one_of_several_survives(site: &Site) {
    for round in 0..3 {
        let mut daemons: Vec<_> = (0..4).map(|nth| site.another_daemon(&format!("race-{round}-{nth}.log"))).collect();
        wait_until("three of four daemons end", || daemons.iter_mut().filter_map(|one| one.ended()).count() == 3);
        wait_until("the fourth answers", || site.status()["running"] == true);
        for daemon in &mut daemons {
            match daemon.ended() {
                Some(status) => assert_eq!(status.code(), Some(1)),
                None => assert_eq!(daemon.terminate().0.code(), Some(0)),
            }
            site.lab.disown(daemon.process());
        }
    }
}

#[test]
fn a_database_may_be_opened_first_by_several_at_once() {
    let Some(site) = Site::prepare(&Plan::default()) else { return };
    let place = site.path("config.toml");
    for _ in 0..6 {
        let run = || Command::new(IMIPD).arg("--config").arg(&place).args(["calendar", "list", "--user", A]).output();
        let outputs: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(run)).collect();
            threads.into_iter().map(|thread| thread.join().expect("a thread").expect("imipd")).collect()
        });
        for output in outputs {
            assert!(output.status.success(), "{}", texts(&output).1);
        }
        site.remove_database();
    }
}

// Servers that fail.

#[test]
fn a_wrong_password_stops_one_user_and_no_other() {
    let plan = Plan { of_user: &[("b", "password_file = \"b-password\"")], ..Plan::default() };
    let Some(mut site) = Site::prepare(&plan) else { return };
    site.secret("b-password", "not the password");
    let said = site.fails(&["check"]);
    let line = said.lines().find(|line| line.starts_with("FAILED") && line.contains(B));
    assert!(line.is_some_and(|line| line.contains("check the login, and the password")), "{said}");
    assert!(said.contains("ok       IMAP: a@example.com"), "{said}");
    site.launch();
    wait_until("B's mailbox fails", || site.mailbox("b")["phase"] == "failing");
    let error = site.mailbox("b")["last_error"].to_string();
    assert!(error.contains("refuses the login b@example.com"), "{error}");
    let log = wait_for("the log says so", || lines_with(&site.log(), "cannot log in"));
    assert!(log.iter().all(|line| line.contains(B) && line.contains("retry_in=")), "{log:?}");
    wait_until("A and C are watched", || ["a", "c"].iter().all(|user| site.mailbox(user)["phase"] == "watching"));
    site.put("a", &meeting("without-b", A, &[B, C]));
    wait_until("C has it", || site.get("c", "without-b").is_some());
    assert_eq!(site.status()["outbox"]["waiting"], 0);
    // An account is not to be locked by us: the next attempt is half a minute away.
    assert_eq!(lines_with(&site.log(), "cannot log in").map(|lines| lines.len()), Some(1));
    // Once the password is right, B gets what came meanwhile only from then on: the mailbox is seen for the first time.
    site.stop();
    site.secret("b-password", &password(B));
    site.start();
    site.put("a", &meeting("with-b", A, &[B, C]));
    wait_until("B has it", || site.get("b", "with-b").is_some());
}

fn lines_with(log: &str, what: &str) -> Option<Vec<String>> {
    let lines: Vec<String> = log.lines().filter(|line| line.contains(what)).map(str::to_owned).collect();
    (!lines.is_empty()).then_some(lines)
}

#[test]
fn an_imap_server_may_go_and_come_back() {
    let Some(mut site) = Site::open(&Plan::default()) else { return };
    site.lab.stop_dovecot();
    wait_until("all mailboxes fail", || ["a", "b", "c"].iter().all(|user| site.mailbox(user)["phase"] == "failing"));
    let said = site.fails(&["check"]);
    assert!(said.contains("FAILED   IMAP: a@example.com") && said.contains("cannot reach the IMAP server"), "{said}");
    let error = site.mailbox("a")["last_error"].to_string();
    assert!(!error.is_empty(), "status names no trouble");
    assert!(lines_with(&site.log(), "cannot watch").is_some_and(|lines| lines.len() >= 3), "{}", site.log());
    site.lab.start_dovecot().expect("Dovecot again");
    // The daemon is still waiting for its next attempt.
    deliver(&site, "b", A, "<meanwhile@example.com>", "REQUEST", &meeting("meanwhile", A, &[B]));
    let decision = site.decision("b", "<meanwhile@example.com>");
    assert_eq!((&decision["verdict"], &decision["reason"]), (&Value::from("applied"), &Value::from("invited")));
    site.wait_watching();
    assert_eq!(site.mailbox("b")["last_error"], "", "a trouble that is over is no longer told");
    // Down at the start is the same as down later.
    site.stop();
    site.lab.stop_dovecot();
    site.launch();
    wait_until("the mailbox fails", || site.mailbox("a")["last_error"].to_string().contains("cannot reach"));
    site.lab.start_dovecot().expect("Dovecot again");
    site.wait_watching();
}

fn deliver(site: &Site, to: &str, from: &str, message_id: &str, method: &str, calendar: &str) {
    let raw = mail(from, &address(to), message_id, method, &with_method(calendar, method));
    site.lab.deliver(to, raw.as_bytes()).expect("delivered");
}

fn imaps_without_ca(lab: &imipd_lab::Lab) -> String {
    format!("host = \"localhost\"\nport = {}\nsecurity = \"tls\"", lab.imaps_port().expect("IMAPS"))
}

fn imaps(lab: &imipd_lab::Lab) -> String {
    format!("{}\nca_file = \"{}\"", imaps_without_ca(lab), lab.ca_file().expect("a CA").display())
}

/// STARTTLS with Postfix; the relay has none.
fn starttls(lab: &imipd_lab::Lab) -> String {
    let (port, ca) = (lab.smtp_port(), lab.ca_file().expect("a CA").display());
    match lab.relay() {
        Some(_) => format!("host = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\""),
        None => format!("host = \"localhost\"\nport = {port}\nsecurity = \"starttls\"\nca_file = \"{ca}\""),
    }
}

#[test]
fn a_certificate_that_does_not_verify_is_named_and_with_its_authority_all_works() {
    let plan = Plan { mta: Mta::Auto, tls: true, imap_server: Some(imaps_without_ca), ..Plan::default() };
    let Some(mut site) = Site::prepare(&plan) else { return };
    let said = site.fails(&["check"]);
    let named = said.lines().any(|line| line.starts_with("FAILED") && line.contains("certificate of the IMAP server"));
    assert!(named && said.contains("ca_file"), "{said}");
    site.launch();
    wait_until("status names it", || site.mailbox("a")["last_error"].to_string().contains("certificate"));
    wait_until("the log names it", || lines_with(&site.log(), "certificate").is_some());
    site.stop();
    site.configure(&Plan { imap_server: Some(imaps), smtp_server: Some(starttls), ..plan });
    site.done(&["check"]);
    site.start();
    site.put("a", &meeting("protected", A, &[B]));
    site.wait_settled();
    assert!(site.get("b", "protected").is_some());
}

#[test]
fn mails_wait_for_a_submission_server_that_is_down() {
    let Some(mut site) = Site::open(&Plan::default()) else { return };
    site.lab.stop_mta();
    site.put("a", &meeting("patient", A, &[B, C]));
    site.put("a", &meeting("patient", A, &[B, C]).replace("090000Z", "080000Z"));
    wait_until("status tells of it", || {
        let outbox = site.status()["outbox"].clone();
        outbox["waiting"] == 4 && outbox["last_error"].to_string().contains("cannot reach the SMTP server")
    });
    assert!(site.fails(&["check"]).contains("FAILED   SMTP"));
    assert_eq!(site.status()["idle"], false);
    site.lab.start_mta().expect("the relay again");
    site.wait_settled();
    assert_eq!(site.status()["outbox"]["last_error"], "");
    assert!(site.get("b", "patient").is_some_and(|text| text.contains("DTSTART:20310203T080000Z")));
    assert_eq!(site.inbox("c").len(), 2);
}

#[test]
fn a_refused_recipient_does_not_keep_the_mail_from_the_others() {
    let Some(site) = Site::open(&Plan::default()) else { return };
    let relay = site.lab.relay().expect("the relay");
    relay.set_behaviour(Behaviour { refused_recipients: vec![B.to_owned()], ..Behaviour::default() });
    site.put("a", &meeting("half", A, &[B, C]));
    site.wait_settled();
    assert!(site.get("c", "half").is_some());
    assert!(site.inbox("b").is_empty());
    let mails = site.outbox();
    let states: Vec<_> = live::site::array(mails.first().expect("a mail")["recipients"].clone())
        .into_iter()
        .map(|one| (one["address"].to_string(), one["state"].to_string(), one["detail"].to_string()))
        .collect();
    assert_eq!(states.len(), 2, "{states:?}");
    assert!(states.iter().any(|(to, state, said)| to.contains(B) && state == "\"failed\"" && said.contains("550")));
    assert!(states.iter().any(|(to, state, _)| to.contains(C) && state == "\"sent\""), "{states:?}");
    assert!(site.done(&["outbox", "list"]).lines().any(|line| line.contains("failed") && line.contains(B)));
    assert_eq!(site.status()["outbox"]["failed"], 1);
}

// What mails bring.

#[test]
fn odd_mails_get_a_decision_and_change_nothing() {
    let Some(site) = Site::open(&Plan::default()) else { return };
    let invitation = meeting("solid", A, &[B, C]);
    deliver(&site, "b", A, "<invitation@x>", "REQUEST", &invitation);
    assert_eq!(site.decision("b", "<invitation@x>")["reason"], "invited");
    let stored = site.get("b", "solid").expect("B's copy");
    let unchanged = |what: &str| assert_eq!(site.get("b", "solid").as_deref(), Some(stored.as_str()), "{what}");

    deliver(&site, "b", A, "<broken@x>", "REQUEST", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:so");
    let broken = site.decision("b", "<broken@x>");
    assert!(["refused", "ignored"].contains(&broken["verdict"].as_str().expect("a verdict")), "{broken}");
    assert!(!broken["reason"].to_string().is_empty() && broken["text"].to_string().len() > 10, "{broken}");
    unchanged("a broken calendar");

    let garbage = mail(A, B, "<garbage@x>", "REQUEST", "\u{0}\u{fffd} this is no calendar at all\r\n");
    site.lab.deliver("b", garbage.as_bytes()).expect("delivered");
    assert_eq!(site.decision("b", "<garbage@x>")["reason"], "not-calendar-text");
    unchanged("what is no calendar");

    let spoofed = invitation.replace("SEQUENCE:0", "SEQUENCE:7\r\nSTATUS:CANCELLED");
    deliver(&site, "b", C, "<spoofed@x>", "CANCEL", &spoofed);
    let decision = site.decision("b", "<spoofed@x>");
    assert_eq!((&decision["verdict"], &decision["reason"]), (&"refused".into(), &"not-organizer".into()));
    unchanged("a CANCEL of a fellow attendee");

    deliver(&site, "b", A, "<invitation@x>", "REQUEST", &invitation);
    wait_until("the copy is decided", || site.decisions_about("b", "<invitation@x>").len() == 2);
    assert_eq!(site.decision("b", "<invitation@x>")["reason"], "seen-before");
    unchanged("the same mail again");

    deliver(&site, "b", A, "<invitation-2@x>", "REQUEST", &invitation);
    let again = site.decision("b", "<invitation-2@x>");
    assert_eq!((&again["verdict"], &again["reason"]), (&"unchanged".into(), &"nothing-new".into()));
    unchanged("the same calendar under another Message-ID");

    assert!(site.outbox().is_empty(), "nobody is owed a mail for any of this");
    assert_eq!(site.status()["dead_letters"], 0);
    assert!(site.inbox("b").iter().all(|mail| !is_seen(&mail.path)), "a mail was marked as read");
}

fn is_seen(path: &std::path::Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    name.split_once(":2,").is_some_and(|(_, flags)| flags.contains('S'))
}

#[test]
fn a_mail_without_calendar_moves_the_cursor_and_leaves_no_decision() {
    let Some(mut site) = Site::open(&Plan::default()) else { return };
    let hello = format!("From: {A}\r\nTo: {B}\r\nSubject: hello\r\nMessage-ID: <hello@x>\r\n\r\nhello\r\n");
    site.lab.deliver("b", hello.as_bytes()).expect("delivered");
    // The invitation behind it shows that the ordinary mail has been passed.
    deliver(&site, "b", A, "<after@x>", "REQUEST", &meeting("after", A, &[B]));
    site.decision("b", "<after@x>");
    assert!(site.decisions_about("b", "<hello@x>").is_empty());
    site.lab.deliver("b", hello.as_bytes()).expect("delivered");
    wait_until("the cursor stands behind the last mail", || cursor(&site, B) == Some(4));
    assert_eq!(site.decisions().len(), 1);
    site.restart();
    assert_eq!(cursor(&site, B), Some(4));
    assert_eq!(site.decisions().len(), 1, "after a restart nothing is decided again");
    assert!(site.inbox("b").iter().all(|mail| !is_seen(&mail.path)), "a mail was marked as read");
}

/// The next IMAP UID to be read in a user's INBOX, as the database has it.
fn cursor(site: &Site, user: &str) -> Option<u32> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let ledger = imipd::ledger::Ledger::open(&site.path("imipd.db")).await.expect("the database");
        let cursor = ledger.cursor(user, "INBOX").await.expect("a cursor");
        ledger.close().await;
        cursor.map(|cursor| cursor.next_uid)
    })
}

#[test]
fn an_invitation_that_waits_is_taken_in_by_its_answer() {
    let plan = Plan { of_user: &[("b", "auto_add = \"never\"")], ..Plan::default() };
    let Some(site) = Site::open(&plan) else { return };
    site.put("a", &meeting("asked", A, &[B, C]));
    site.wait_settled();
    assert!(site.get("b", "asked").is_none(), "it must not stand in the calendar unasked");
    assert!(site.get("c", "asked").is_some(), "the setting is B's own");
    let waiting = site.json(&["invitations", "--user", B]);
    assert_eq!((&waiting[0]["uid"], &waiting[0]["reason"]), (&"asked".into(), &"waits-for-user".into()), "{waiting}");
    site.respond("b", "asked", "accept");
    site.wait_settled();
    assert_eq!(partstat(&site.get("b", "asked").expect("B's copy"), B).as_deref(), Some("ACCEPTED"));
    assert_eq!(partstat(&site.get("a", "asked").expect("A's copy"), B).as_deref(), Some("ACCEPTED"));
    assert_eq!(site.json(&["invitations", "--user", B]), Value::Array(Vec::new()));
    // From now on it is B's, and what the organizer changes comes in by itself.
    site.delete("a", "asked");
    site.wait_settled();
    assert!(site.get("b", "asked").is_some_and(|text| text.contains("STATUS:CANCELLED")));
}

#[test]
fn an_invitation_with_4000_attendees_is_taken() {
    let Some(site) = Site::open(&Plan::default()) else { return };
    let others: Vec<String> = (0..4_000).map(|nth| format!("guest-{nth:04}@elsewhere.example.org")).collect();
    let mut invited: Vec<&str> = others.iter().map(String::as_str).collect();
    invited.push(B);
    let invitation = meeting("crowd", A, &invited);
    assert!(invitation.len() > 200_000);
    let begun = Instant::now();
    deliver(&site, "b", A, "<crowd@x>", "REQUEST", &invitation);
    assert_eq!(site.decision("b", "<crowd@x>")["reason"], "invited");
    measured("an invitation with 4,000 attendees, delivered to decided", &format!("{:?}", begun.elapsed()));
    let begun = Instant::now();
    site.respond("b", "crowd", "accept");
    measured("its answer", &format!("{:?}", begun.elapsed()));
    wait_until("A gets the answer", || site.inbox("a").len() == 1);
    let begun = Instant::now();
    let later = invitation.replace("SEQUENCE:0", "SEQUENCE:1").replace("T090000Z", "T093000Z");
    deliver(&site, "b", A, "<crowd-2@x>", "REQUEST", &later);
    assert_eq!(site.decision("b", "<crowd-2@x>")["reason"], "updated");
    measured("its update", &format!("{:?}", begun.elapsed()));
}

#[test]
fn an_organizer_invites_300_people() {
    let names: Vec<String> = (0..300).map(|nth| format!("guest-{nth:03}")).collect();
    let mut users: Vec<&str> = names.iter().map(String::as_str).collect();
    users.extend(["a", "b"]);
    let Some(site) = Site::open(&Plan { users: &users, watched: &["a", "b"], ..Plan::default() }) else { return };
    let guests: Vec<String> = names.iter().map(|name| address(name)).collect();
    let mut invited: Vec<&str> = guests.iter().map(String::as_str).collect();
    invited.push(B);
    let begun = Instant::now();
    site.put("a", &meeting("assembly", A, &invited));
    measured("put with 301 attendees", &format!("{:?}", begun.elapsed()));
    site.wait_settled();
    measured("until all 301 had it", &format!("{:?}", begun.elapsed()));
    assert!(names.iter().all(|name| site.inbox(name).len() == 1), "somebody has no invitation, or two");
    assert_eq!(site.status()["outbox"]["failed"], 0);
    site.respond("b", "assembly", "tentative");
    site.wait_settled();
    assert_eq!(partstat(&site.get("a", "assembly").expect("A's copy"), B).as_deref(), Some("TENTATIVE"));
}

// Mailboxes seen for the first time, and anew.

#[test]
fn mail_from_before_is_read_as_far_back_as_configured() {
    let Some(mut site) = Site::prepare(&Plan::default()) else { return };
    deliver(&site, "b", A, "<before@x>", "REQUEST", &meeting("before", A, &[B]));
    deliver(&site, "c", A, "<before@x>", "REQUEST", &meeting("before", A, &[C]));
    site.start();
    assert!(site.decisions().is_empty(), "without backfill_days only new mail counts");
    site.stop();
    // C's mailbox has been seen now; what lay there stays unread. B's is seen for the first time by a new database.
    site.remove_database();
    site.configure(&Plan { imap: "backfill_days = 2", watched: &["a", "b"], ..Plan::default() });
    site.launch();
    assert_eq!(site.decision("b", "<before@x>")["reason"], "invited");
    assert!(site.get("b", "before").is_some());
}

#[test]
fn a_mailbox_with_new_identifiers_applies_nothing_twice_and_nothing_from_before() {
    let Some(mut site) = Site::prepare(&Plan::default()) else { return };
    deliver(&site, "b", A, "<before@x>", "REQUEST", &meeting("before", A, &[B]));
    // Servers tell a mail's arrival in whole seconds: what comes within the second of the first sight may count as later.
    let second = SystemTime::now();
    wait_until("the second is over", || second.elapsed().is_ok_and(|past| past > Duration::from_millis(1_001)));
    site.start();
    site.put("a", &meeting("kept", A, &[B]));
    site.put("a", &meeting("gone", A, &[B]));
    site.wait_settled();
    site.respond("b", "kept", "accept");
    site.wait_settled();
    site.delete("b", "gone");
    site.wait_settled();
    let calendars = |site: &Site| ["a", "b"].map(|user| ["kept", "gone"].map(|uid| site.get(user, uid)));
    let (before, mails) = (calendars(&site), site.outbox().len());
    let decided = site.decisions().len();
    site.lab.stop_dovecot();
    for user in ["a", "b", "c"] {
        renumber(&site, user);
    }
    site.lab.start_dovecot().expect("Dovecot again");
    wait_until("B's mails are looked at again", || {
        site.decisions().iter().filter(|one| one["reason"] == "seen-before" && one["user"] == B).count() >= 2
    });
    site.wait_watching();
    site.wait_settled();
    assert!(site.decisions().len() > decided);
    assert!(site.get("b", "before").is_none(), "what lay there before imipd came was taken in");
    assert_eq!(calendars(&site), before, "a calendar changed");
    assert_eq!(site.outbox().len(), mails, "a mail went out");
    // What comes from now on is read as ever.
    site.delete("a", "kept");
    site.wait_settled();
    assert!(site.get("b", "kept").is_some_and(|text| text.contains("STATUS:CANCELLED")));
}

/// Makes Dovecot forget the numbers of an INBOX: the next look gives it a new UIDVALIDITY.
fn renumber(site: &Site, user: &str) {
    let maildir = site.path("dovecot/mail").join(address(user)).join("Maildir");
    for entry in std::fs::read_dir(&maildir).expect("a Maildir").flatten() {
        if entry.file_name().to_string_lossy().starts_with("dovecot") {
            std::fs::remove_file(entry.path()).expect("removed");
        }
    }
}
