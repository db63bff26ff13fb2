//! Mails that cannot be delivered, with a real Postfix and Dovecot: who fails is marked, and the user is told once.

mod live;

use imipd_lab::{Behaviour, DeliveredMail, Lab, Mta};
use live::{Plan, Site, meeting, wait_for, wait_until};

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
    assert!(told.contains(NOBODY) && told.contains(NO_ONE) && !told.contains(B), "{told}");
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
