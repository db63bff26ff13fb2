//! Mails that cannot be delivered, with a real Postfix and Dovecot: who fails is marked, and the user is told once.

mod live;

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use imipd_lab::{Behaviour, DeliveredMail, Lab, Mta};
use live::{Plan, Site, mail, meeting, partstat, wait_for, wait_until, with_method};

const A: &str = "a@example.com";
const B: &str = "b@example.com";

/// The lab's Postfix has no mailbox there and finds out only after it has taken the mail.
const NOBODY: &str = "nobody@far.example";
const NO_ONE: &str = "no.one@far.example";

/// SCHEDULE-STATUS of an attendee in the stored text.
fn status_of(site: &Site, user: &str, uid: &str, attendee: &str) -> Option<String> {
    let text = site.get(user, uid)?.replace("\r\n ", "");
    let line =
        text.lines().find(|line| line.ends_with(&format!("mailto:{attendee}")) && line.contains("SCHEDULE-STATUS"))?;
    let status = line.split("SCHEDULE-STATUS=").nth(1)?;
    Some(status.split([';', ':']).next()?.trim_matches('"').to_owned())
}

/// The notes about what was not delivered in a user's INBOX.
fn notes(site: &Site, user: &str) -> Vec<DeliveredMail> {
    let mails = site.inbox(user).into_iter();
    mails.filter(|mail| mail.header("Subject").is_some_and(|subject| subject.starts_with("Not delivered"))).collect()
}

fn text(mail: &DeliveredMail) -> String {
    String::from_utf8_lossy(&mail.raw).into_owned()
}

fn reasons(site: &Site, user: &str) -> Vec<String> {
    let log = site.json(&["log", "--user", user]);
    live::site::array(log).into_iter().map(|one| one["reason"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn an_invitation_that_comes_back_is_marked_and_told_once() {
    let Some(site) = Site::open(&Plan { mta: Mta::Postfix, ..Plan::default() }) else { return };
    site.put("a", &meeting("far", A, &[B, NOBODY, NO_ONE]));
    wait_until("the report is taken", || reasons(&site, A).iter().any(|reason| reason == "not-delivered"));
    wait_until("both are marked", || {
        [NOBODY, NO_ONE].iter().all(|one| status_of(&site, "a", "far", one).as_deref() == Some("5.1"))
    });
    assert_ne!(status_of(&site, "a", "far", B).as_deref(), Some("5.1"), "B got it");
    let note = wait_for("A is told", || notes(&site, "a").pop());
    let told = text(&note);
    // A Message-ID may end as B begins.
    assert!(told.contains(NOBODY) && told.contains(NO_ONE) && !told.contains(&format!(" {B}")), "{told}");
    assert!(note.header("Auto-Submitted").is_some_and(|value| value == "auto-generated"), "{told}");
    // The next mail to the same addresses comes back as well, and A knows already.
    let returned = |site: &Site| reasons(site, A).iter().filter(|reason| *reason == "not-delivered").count();
    let before = returned(&site);
    site.put("a", &meeting("far", A, &[B, NOBODY, NO_ONE]).replace("Meeting far", "Meeting far away"));
    wait_until("the update comes back", || returned(&site) > before);
    wait_until("all is said", || site.status()["idle"] == true);
    assert_eq!(notes(&site, "a").len(), 1, "once");
    // Nothing was announced for the marks: B has the invitation and the update.
    assert_eq!(site.inbox("b").len(), 2);
}

#[test]
fn an_address_that_the_submission_server_knows_to_be_nobodys_ends_as_one_that_comes_back() {
    let Some(site) = Site::open(&Plan { mta: Mta::Postfix, ..Plan::default() }) else { return };
    // Postfix has a list of who is at example.com and says 550 5.1.1 to RCPT.
    let no_one = "no.one@example.com";
    site.put("a", &meeting("gone", A, &[B, no_one]));
    wait_until("the mark is there", || status_of(&site, "a", "gone", no_one).as_deref() == Some("5.1"));
    let note = wait_for("A is told", || notes(&site, "a").pop());
    assert!(text(&note).contains(no_one) && text(&note).contains("5.1.1"), "{}", text(&note));
    assert_eq!(status_of(&site, "a", "gone", B).as_deref(), Some("1.1"), "who stands beside them gets it");
    assert_eq!(site.inbox("a").len(), 1, "no report was sent: the note alone");
}

#[test]
fn a_refusal_by_the_submission_server_is_told_as_well() {
    let Some(site) = Site::open(&Plan::default()) else { return };
    let relay = site.lab.relay().expect("the relay");
    relay.set_behaviour(Behaviour { refused_recipients: vec![B.to_owned()], ..Behaviour::default() });
    site.put("a", &meeting("near", A, &[B]));
    let note = wait_for("A is told", || notes(&site, "a").pop());
    assert!(text(&note).contains(B), "{}", text(&note));
    assert!(status_of(&site, "a", "near", B).is_some_and(|status| status != "1.1"));
}

fn saving_server(lab: &Lab) -> String {
    let port = lab.smtp_port();
    format!("host = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"\nsave_sent = true")
}

/// Makes every saved copy owed again.
fn owe_again(site: &Site) {
    let url = format!("sqlite://{}", site.path("imipd.db").display());
    tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
        let pool = sqlx::SqlitePool::connect(&url).await.expect("the database");
        let owed = sqlx::query("UPDATE sent_copy SET state = 'owed', next_attempt_at = 0 WHERE state = 'saved'");
        assert_eq!(owed.execute(&pool).await.expect("an update").rows_affected(), 1);
        pool.close().await;
    });
}

#[test]
fn a_copy_of_each_mail_is_saved_once_in_the_sent_folder_as_read() {
    let Some(mut site) = Site::open(&Plan { smtp_server: Some(saving_server), ..Plan::default() }) else { return };
    let sent = |site: &Site| site.lab.mails("a", "Sent").unwrap_or_default();
    site.put("a", &meeting("kept", A, &[B]));
    let copy = wait_for("the copy is there", || sent(&site).pop());
    let name = copy.path.file_name().expect("a name").to_string_lossy().into_owned();
    assert!(name.split(",").last().is_some_and(|flags| flags.contains('S')), "read: {name}");
    let id = copy.header("Message-ID").expect("a Message-ID");
    assert_eq!(Some(&id), wait_for("B has it", || site.inbox("b").pop()).header("Message-ID").as_ref());
    // As after dying between the server's answer and our commit.
    wait_until("all is said", || site.status()["idle"] == true);
    site.kill();
    owe_again(&site);
    site.start();
    site.put("a", &meeting("kept-too", A, &[B]));
    wait_until("the second copy is there", || sent(&site).len() >= 2);
    assert_eq!(sent(&site).iter().filter(|mail| mail.header("Message-ID").as_ref() == Some(&id)).count(), 1);
    assert_eq!(site.status()["outbox"]["copies_refused"], 0);
}

/// A mailbox into which no client can put any more; what is delivered still comes in.
const FULL: &str = "protocol imap {\n  mail_plugins = quota imap_quota\n}\nplugin {\n  quota = maildir:User quota\n  \
                    quota_rule = *:storage=1K\n}\n";

#[test]
fn a_copy_that_a_full_mailbox_does_not_take_is_said_once_and_holds_up_nothing() {
    let plan = Plan { smtp_server: Some(saving_server), dovecot: FULL, ..Plan::default() };
    let Some(mut site) = Site::open(&plan) else { return };
    let refusals = |site: &Site| site.log().matches("no copy in the Sent folder").count();
    site.put("a", &meeting("full", A, &[B]));
    wait_until("the refusal is counted", || site.status()["outbox"]["copies_refused"] == 1);
    assert_eq!(site.inbox("b").len(), 1);
    assert!(site.log().contains("why=\"[OVERQUOTA] "), "{}", site.log());
    assert!(site.lab.mails("a", "Sent").expect("read").is_empty());
    // Neither time nor another copy nor a new daemon has it tried again.
    site.put("a", &meeting("full-too", A, &[B]));
    wait_until("the second refusal is counted", || site.status()["outbox"]["copies_refused"] == 2);
    site.restart();
    wait_until("all is said", || site.status()["idle"] == true);
    assert_eq!((refusals(&site), site.inbox("b").len()), (2, 2));
}

/// An IMAP server on which a client that puts away one certain mail is cut off. How often that was tried.
fn breaking_server(lab: &Lab, marked: &'static str) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let (port, behind) = (listener.local_addr().expect("an address").port(), lab.imap_port());
    let tries = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&tries);
    // It ends with the test program.
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(("127.0.0.1", behind)).expect("Dovecot");
            let back = (server.try_clone().expect("a socket"), client.try_clone().expect("a socket"));
            std::thread::spawn(move || io::copy(&mut &back.0, &mut &back.1));
            let count = Arc::clone(&count);
            std::thread::spawn(move || pass_on(&client, &server, marked, &count));
        }
    });
    (port, tries)
}

/// Passes on what a client says until the mark is in it.
fn pass_on(client: &TcpStream, server: &TcpStream, marked: &str, tries: &AtomicUsize) {
    let (mut said, mut buffer) = (Vec::new(), vec![0; 65_536]);
    while let Ok(octets @ 1..) = (&mut &*client).read(&mut buffer) {
        let news = buffer.get(..octets).unwrap_or_default();
        said.extend_from_slice(news);
        let is_append = said.windows(6).any(|window| window == b"APPEND");
        if is_append && said.windows(marked.len()).any(|window| window == marked.as_bytes()) {
            tries.fetch_add(1, Ordering::SeqCst);
            break;
        }
        if (&mut &*server).write_all(news).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}

#[test]
fn a_copy_on_which_the_server_breaks_does_not_hold_up_the_others() {
    let plan = Plan { smtp_server: Some(saving_server), users: &["a", "b"], watched: &["a"], ..Plan::default() };
    let Some(mut site) = Site::prepare(&plan) else { return };
    let (port, tries) = breaking_server(&site.lab, "SUMMARY:Meeting poison");
    site.redirect(port, site.lab.smtp_port());
    site.start();
    site.put("a", &meeting("poison", A, &[B]));
    wait_until("the server has broken", || tries.load(Ordering::SeqCst) > 0);
    site.put("a", &meeting("wholesome", A, &[B]));
    let sent = wait_for("the copy of the other is there", || site.lab.mails("a", "Sent").expect("read").pop());
    assert!(String::from_utf8_lossy(&sent.raw).contains("SUMMARY:Meeting wholesome"));
    assert!(tries.load(Ordering::SeqCst) <= 3, "tried {} times", tries.load(Ordering::SeqCst));
    assert_eq!(site.status()["outbox"]["copies_refused"], 0);
}

fn token_server(lab: &Lab) -> String {
    let port = lab.smtp_port();
    format!("host = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"\nenvelope_from = \"c+{{token}}@example.com\"")
}

#[test]
fn reports_to_an_address_with_a_token_stay_out_of_the_users_mailbox() {
    let plan = Plan { mta: Mta::Postfix, smtp_server: Some(token_server), ..Plan::default() };
    let Some(site) = Site::open(&plan) else { return };
    site.put("a", &meeting("token", A, &[NOBODY]));
    wait_until("the mark is there", || status_of(&site, "a", "token", NOBODY).as_deref() == Some("5.1"));
    wait_for("A is told", || notes(&site, "a").pop());
    let report = site.inbox("c").pop().expect("the report is in the mailbox of the address");
    assert!(text(&report).contains("multipart/report"));
    assert_eq!(site.inbox("a").len(), 1, "the note alone");
}

/// B's answer to a meeting of A's, as B's own client writes it.
fn acceptance(uid: &str) -> String {
    let calendar = meeting(uid, A, &[B]);
    let answered = calendar.lines().filter(|line| !line.ends_with(A) || line.starts_with("ORGANIZER"));
    let answered: Vec<String> = answered.map(accepted).collect();
    with_method(&(answered.join("\r\n") + "\r\n"), "REPLY").replace("DTSTAMP:2031", "DTSTAMP:2032")
}

/// A line in which B has accepted.
fn accepted(line: &str) -> String {
    match line.starts_with("ATTENDEE") && line.ends_with(B) {
        true => format!("ATTENDEE;PARTSTAT=ACCEPTED:mailto:{B}"),
        false => line.to_owned(),
    }
}

/// The methods of the mails in the outbox, oldest first.
fn methods(site: &Site) -> Vec<String> {
    let mails = site.outbox().into_iter().rev();
    mails.map(|mail| mail["method"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn what_a_users_own_client_has_sent_is_followed_and_not_sent_again() {
    let Some(site) = Site::open(&Plan { imap: "poll_interval = \"5s\"", ..Plan::default() }) else { return };
    let append = |user: &str, raw: &str| site.lab.append(user, "Sent", raw.as_bytes()).expect("a mail in Sent");
    let answer_of = |user: &str, uid: &str| site.get(user, uid).and_then(|text| partstat(&text, B));
    // A REPLY: the stored calendar follows.
    site.put("a", &meeting("one", A, &[B]));
    wait_until("B is invited", || answer_of("b", "one").is_some());
    append("b", &mail(B, A, "<one@client.example>", "REPLY", &acceptance("one")));
    wait_until("B's calendar follows", || answer_of("b", "one").as_deref() == Some("ACCEPTED"));
    // A REQUEST: it is stored, and the answer to it finds it.
    append("a", &mail(A, B, "<two@client.example>", "REQUEST", &with_method(&meeting("two", A, &[B]), "REQUEST")));
    wait_until("A's calendar has it", || answer_of("a", "two").is_some());
    let answer = mail(B, A, "<two-yes@client.example>", "REPLY", &acceptance("two"));
    site.lab.deliver("a", answer.as_bytes()).expect("an answer");
    wait_until("B's answer is taken", || answer_of("a", "two").as_deref() == Some("ACCEPTED"));
    assert_eq!(methods(&site), ["REQUEST"], "nothing was sent but the invitation to the first");
    // What the client stores first and sends then: within the grace nothing leaves.
    site.put("a", &meeting("three", A, &[B]));
    let stored = wait_for("B is invited again", || site.get("b", "three"));
    let file = site.path("three.ics");
    let stored: Vec<String> = stored.replace("\r\n ", "").lines().map(accepted).collect();
    let stored = stored.join("\r\n") + "\r\n";
    std::fs::write(&file, &stored).expect("a calendar file");
    // A client answers what it holds, with the SEQUENCE that it holds.
    let is_other = |line: &&str| line.starts_with("ATTENDEE") && !line.ends_with(B);
    let answer: Vec<&str> = stored.lines().filter(|line| !is_other(line)).collect();
    let answer = with_method(&(answer.join("\r\n") + "\r\n"), "REPLY");
    let file = file.display().to_string();
    site.done(&["calendar", "put", "--user", B, "--from-client", &file]);
    assert_eq!(methods(&site), ["REQUEST", "REQUEST", "REPLY"]);
    assert_eq!(site.outbox()[0]["recipients"][0]["state"], "waiting");
    append("b", &mail(B, A, "<three@client.example>", "REPLY", &answer));
    wait_until("the debt is settled", || site.outbox()[0]["recipients"][0]["state"] == "sent");
    let in_inbox: Vec<_> = site.inbox("a").iter().map(|mail| mail.header("Message-ID")).collect();
    assert_eq!(
        in_inbox,
        [Some("<two-yes@client.example>".to_owned())],
        "of the answers only the one that B's client sent"
    );
}

#[test]
fn the_outbox_is_worked_on_by_command() {
    // Without a daemon everything waits.
    let Some(site) = Site::prepare(&Plan::default()) else { return };
    site.put("a", &meeting("waits", A, &[B]));
    site.put("a", &meeting("waits-too", A, &[B]));
    let listed = site.outbox();
    let id = listed[1]["id"].to_string();
    assert_eq!((listed.len(), &listed[1]["method"], &listed[1]["uid"]), (2, &"REQUEST".into(), &"waits".into()));
    assert!(listed[1]["text"].is_null() && site.done(&["outbox", "list"]).contains(B));
    let shown = site.json(&["outbox", "show", &id]);
    let whole = site.done(&["outbox", "show", &id]);
    assert!(whole.contains("Content-Type: multipart/mixed") && whole.contains("METHOD:REQUEST"), "{whole}");
    assert_eq!(shown["text"].as_str().map(|text| text.contains("METHOD:REQUEST")), Some(true), "{shown}");
    assert_eq!(shown["recipients"][0]["address"], B);
    assert_eq!(site.json(&["outbox", "retry", &id])[0]["recipients"], 1);
    assert_eq!(site.json(&["outbox", "drop", &id])[0]["recipients"], 1);
    let dropped = &site.outbox()[1]["recipients"][0];
    assert!(
        dropped["state"] == "dropped" && dropped["detail"].as_str().is_some_and(|why| !why.is_empty()),
        "{dropped}"
    );
    assert_eq!(status_of(&site, "a", "waits", B).as_deref(), Some("5.1"));
    assert!(site.fails(&["outbox", "drop", &id]).contains("is not dropped"));
    for unknown in [["show", "999"], ["retry", "999"], ["drop", "999"]] {
        assert!(site.fails(&[&["outbox"], &unknown[..]].concat()).contains("there is no mail 999"));
    }
    assert!(site.json(&["outbox", "resume", "--user", A]).is_object());
    assert_eq!(site.outbox()[0]["recipients"][0]["state"], "waiting", "the other one is as it was");
}
