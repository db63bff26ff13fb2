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
