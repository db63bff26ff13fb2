//! Mails that cannot be processed: they are counted, become dead letters, and are taken up again.

mod live;

use std::path::Path;
use std::sync::Arc;

use imipd::config::{Config, Files};
use imipd::gateway::{Attempt, Gateway, Place, Taken, Trouble};
use imipd::ledger::{DeadLetter, DeadLetterFilter, Failure, MailNumber, TagLook};
use imipd::mailbox::{FolderRole, MailboxError};
use live::{Plan, Site, mail, meeting, with_method};

const USER: &str = "a@example.com";

async fn open(folder: &Path) -> Arc<Gateway> {
    std::fs::write(folder.join("password"), "secret\n").expect("a password");
    let text = format!(
        "[database]\nurl = \"sqlite://{}/imipd.db\"\n[[user]]\naddresses = [\"{USER}\"]\npassword_file = \"password\"\n",
        folder.display()
    );
    Gateway::open(Config::parse(&text, folder).expect("a configuration")).await.expect("a database")
}

fn inbox(gateway: &Gateway) -> Place<'_> {
    Place { user: &gateway.config.users[0], folder: "INBOX", role: FolderRole::Inbox, cursor: None }
}

fn number(uid: u32) -> MailNumber {
    MailNumber { uid_validity: 7, uid }
}

fn failure() -> Failure {
    let closed = MailboxError::Closed { during: "UID FETCH".to_owned(), text: None };
    Trouble::Mailbox(&closed).failure().expect("the mail is to blame")
}

async fn letters(gateway: &Gateway) -> Vec<DeadLetter> {
    let all = DeadLetterFilter { most: 100, ..DeadLetterFilter::default() };
    gateway.ledger.find_dead_letters(&all).await.expect("dead letters")
}

fn invitation(uid: &str) -> String {
    let calendar = with_method(&meeting(uid, "x@example.org", &[USER]), "REQUEST");
    mail("x@example.org", USER, &format!("<{uid}@example.org>"), "REQUEST", &calendar)
}

fn header(raw: &str) -> Vec<u8> {
    let normal = raw.replace("\r\n", "\n");
    normal.split("\n\n").next().map(|header| format!("{header}\n\n")).unwrap_or_default().into_bytes()
}

#[tokio::test]
async fn failures_are_counted_for_one_mail_and_outlive_a_restart() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path()).await;
    for expected in 1..=3 {
        let counted = gateway.count_failure(inbox(&gateway), number(5), failure()).await.expect("counted");
        assert_eq!((counted.attempts, counted.last.attempts_max), (expected, 8));
    }
    drop(gateway);
    let gateway = open(folder.path()).await;
    let known = gateway.ledger.failures(USER, "INBOX").await.expect("failures").expect("some");
    assert_eq!((known.number, known.attempts), (number(5), 3));
    let other = gateway.count_failure(inbox(&gateway), number(6), failure()).await.expect("counted");
    assert_eq!(other.attempts, 1, "another mail begins anew");
}

#[tokio::test]
async fn a_dead_letter_names_its_mail_and_goes_when_the_mail_is_processed() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path()).await;
    let raw = invitation("1");
    let attempt = Attempt { nth: 8, ..Attempt::first(number(5)) };
    gateway.bury((inbox(&gateway), attempt), Some(&header(&raw)), &failure()).await.expect("buried");
    let letter = letters(&gateway).await.pop().expect("a dead letter");
    assert_eq!((letter.message_id.as_str(), letter.sender.as_str()), ("<1@example.org>", "x@example.org"));
    assert_eq!((letter.number, letter.attempts, letter.reason.as_str()), (number(5), 8, "cannot-be-fetched"));

    let again = Attempt { dead_letter: Some(letter.id), ..Attempt::first(number(5)) };
    let taken = gateway.receive_attempt(inbox(&gateway), again, raw.as_bytes()).await.expect("decided");
    let verdicts: Vec<_> = taken.records().into_iter().map(|record| record.verdict).collect();
    assert_eq!(verdicts, ["applied"], "being dead is not being seen before");
    assert_eq!(letters(&gateway).await, []);

    let late = gateway.receive_attempt(inbox(&gateway), again, raw.as_bytes()).await.expect("decided");
    assert_eq!(late, Taken::ByAnother, "the second of two changes nothing");
}

#[tokio::test]
async fn a_dead_letter_that_fails_again_stays_the_same_one() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path()).await;
    let attempt = Attempt { nth: 2, ..Attempt::first(number(5)) };
    gateway.bury((inbox(&gateway), attempt), None, &failure()).await.expect("buried");
    let first = letters(&gateway).await.pop().expect("a dead letter");
    let again = Attempt { dead_letter: Some(first.id), ..Attempt::first(number(5)) };
    gateway.bury((inbox(&gateway), again), None, &failure()).await.expect("buried");
    let all = letters(&gateway).await;
    assert_eq!(all.iter().map(|one| (one.id, one.attempts)).collect::<Vec<_>>(), [(first.id, 3)]);
}

/// The flags of the only mail with this Message-ID in INBOX, as Maildir has them: `S` is \Seen, small letters are keywords.
fn flags(site: &Site, message_id: &str) -> String {
    let mails = site.inbox("a");
    let found = mails.iter().find(|mail| mail.header("Message-ID").is_some_and(|id| id.trim() == message_id));
    let name = found.and_then(|mail| mail.path.file_name()).map(|name| name.to_string_lossy().into_owned());
    name.and_then(|name| name.split(":2,").nth(1).map(str::to_owned)).unwrap_or_default()
}

#[test]
fn a_dead_letter_is_taken_up_again_with_and_without_a_daemon() {
    let imap = "mark = \"$Imipd\"\nmark_dead = \"$ImipdFailed\"";
    let plan = Plan { users: &["a"], watched: &["a"], imap, ..Plan::default() };
    let Some(mut site) = Site::prepare(&plan) else { return };
    let raw = invitation("1");
    site.lab.deliver("a", raw.as_bytes()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let config = Config::load(&site.path("config.toml"), Files::Unchecked).map_err(|f| f.to_string()).unwrap();
        let gateway = Gateway::open(config).await.unwrap();
        let known = (inbox(&gateway), Attempt::default());
        gateway.bury(known, Some(&header(&raw)), &failure()).await.unwrap();
    });
    assert_eq!(site.status()["dead_letters"], 1);
    let retried = site.json(&["retry", "1@example.org"]);
    assert_eq!(retried[0]["outcome"], "processed", "{retried}");
    assert_eq!(site.decision("a", "<1@example.org>")["verdict"], "applied");
    assert_eq!(site.status()["dead_letters"], 0);

    site.start();
    live::wait_until("the mail is marked", || flags(&site, "<1@example.org>").contains(|c: char| c.is_lowercase()));
    let large = invitation("2")
        .replace("END:VEVENT", &format!("{}END:VEVENT", "X-LONG:xxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n".repeat(80_000)));
    site.lab.deliver("a", large.as_bytes()).unwrap();
    let decision = site.decision("a", "<2@example.org>");
    assert_eq!((&decision["verdict"], &decision["reason"]), (&"dead-letter".into(), &"too-large".into()));
    assert_eq!((&decision["sender"], &site.status()["dead_letters"]), (&"x@example.org".into(), &1.into()));
    live::wait_until("it is marked", || flags(&site, "<2@example.org>").contains(|c: char| c.is_lowercase()));
    assert!(!flags(&site, "<1@example.org>").contains('S') && !flags(&site, "<2@example.org>").contains('S'));
    assert!(site.fails(&["retry", "--all"]).contains("fails as before"));
    assert_eq!(site.status()["dead_letters"], 1);
    site.stop();
    site.lab.clear_mail("a@example.com").unwrap();
    assert!(site.done(&["retry", "--all"]).contains("is gone"));
    assert_eq!(site.status()["dead_letters"], 0);
}

#[test]
fn the_keyword_of_a_dead_letter_is_an_answer_when_it_is_taken_up() {
    let more = "[answers.keywords]\naccept = \"$label1\"\n";
    let Some(site) = Site::prepare(&Plan { users: &["a"], watched: &["a"], more, ..Plan::default() }) else { return };
    let raw = invitation("1");
    site.lab.deliver("a", raw.as_bytes()).unwrap();
    site.lab.imap("a", &["SELECT INBOX", "UID STORE 1 +FLAGS ($label1)"]).unwrap();
    let numbers = std::fs::read_to_string(site.lab.maildir("a").join("dovecot-uidlist")).unwrap();
    let uid_validity = numbers.split_whitespace().find_map(|word| word.strip_prefix('V')?.parse().ok()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let bury = || {
        runtime.block_on(async {
            let config = Config::load(&site.path("config.toml"), Files::Unchecked).map_err(|f| f.to_string()).unwrap();
            let gateway = Gateway::open(config).await.unwrap();
            let known = Attempt::first(MailNumber { uid_validity, uid: 1 });
            gateway.bury((inbox(&gateway), known), Some(&header(&raw)), &failure()).await.unwrap();
            // As the watcher leaves it, that has looked at the keyword and could not take its mail.
            let mut transaction = gateway.ledger.begin().await.unwrap();
            transaction.set_look((USER, "INBOX"), TagLook { uid_validity, next_uid: 2 }).await.unwrap();
            transaction.add_tag((USER, "INBOX"), &(1, "accept".to_owned())).await.unwrap();
            transaction.commit().await.unwrap();
        });
    };
    let partstat = || live::partstat(&site.get("a", "1").expect("stored"), USER);
    bury();
    assert_eq!(site.json(&["retry", "1@example.org"])[0]["outcome"], "processed");
    assert_eq!(partstat().as_deref(), Some("ACCEPTED"));
    // The user has changed their mind since; the keyword was answered.
    site.respond("a", "1", "decline");
    bury();
    assert_eq!(site.json(&["retry", "1@example.org"])[0]["outcome"], "processed");
    assert_eq!(partstat().as_deref(), Some("DECLINED"));
}

#[test]
fn whom_a_user_has_written_to_is_known_and_nobody_else() {
    let Some(mut site) = Site::prepare(&Plan { users: &["a"], watched: &["a"], ..Plan::default() }) else { return };
    let sent =
        |to: &str, from: &str| format!("From: {from}\r\nTo: {to}\r\nSubject: x\r\nMessage-ID: <{to}>\r\n\r\nHello\r\n");
    site.lab.append("a", "Sent", sent("old@example.org", USER).as_bytes()).unwrap();
    site.start();
    site.lab.append("a", "Sent", sent("new@example.org", USER).as_bytes()).unwrap();
    site.lab.append("a", "Sent", sent("other@example.org", "eve@example.org").as_bytes()).unwrap();
    site.lab.append("a", "Sent", sent("last@example.org", USER).as_bytes()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let known = || {
        runtime.block_on(async {
            let config = Config::load(&site.path("config.toml"), Files::Unchecked).map_err(|f| f.to_string()).unwrap();
            let gateway = Gateway::open(config).await.unwrap();
            let mut known = gateway.ledger.acquaintances(USER, 100).await.unwrap();
            known.sort();
            known
        })
    };
    live::wait_until("the last one is known", || known().contains(&"last@example.org".to_owned()));
    assert_eq!(known(), ["last@example.org", "new@example.org", "old@example.org"]);
}
