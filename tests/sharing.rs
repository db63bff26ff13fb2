//! A gateway without servers: answers that came by mail are shared with the other attendees when their time has come, and
//! what is published comes in, where the policy says so.

use std::path::Path;
use std::sync::Arc;

use imipd::config::Config;
use imipd::gateway::{Change, Gateway, Place, now_millis};
use imipd::itip::{CalUid, CalendarObject};
use imipd::ledger::OutboxEntry;
use imipd::mailbox::FolderRole;

const UID: &str = "moor-7@example.com";

/// Later than any answer is gathered for, Unix milliseconds from now.
const HOURS: i64 = 2 * 3_600_000;

/// A gateway on the database in `folder`, with one user, Ada.
async fn open(folder: &Path, policy: &str) -> Arc<Gateway> {
    let password = folder.join("password");
    std::fs::write(&password, "secret\n").expect("a password");
    let text = format!(
        "[database]\nurl = \"sqlite://{}/imipd.db\"\n[policy]\n{policy}\n\
         [[user]]\naddresses = [\"ada@example.com\"]\npassword_file = \"password\"\n",
        folder.display()
    );
    Gateway::open(Config::parse(&text, folder).expect("a configuration")).await.expect("a database")
}

/// Ada invites Bo, Cy and Di.
async fn invite(gateway: &Gateway) {
    let attendees: String =
        ["bo", "cy", "di"].map(|name| format!("ATTENDEE;RSVP=TRUE:mailto:{name}@example.org\r\n")).concat();
    let text = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:{UID}\r\nSUMMARY:Walk\r\n\
         DTSTAMP:20260101T000000Z\r\nDTSTART:20400601T080000Z\r\nDTEND:20400601T160000Z\r\n\
         ORGANIZER:mailto:ada@example.com\r\n{attendees}END:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    let object = CalendarObject::parse(&text).expect("an object");
    gateway.change(&gateway.config.users[0], Change::Put(Box::new(object))).await.expect("stored");
}

/// `name` answers by mail; the reason that is recorded.
async fn answer(gateway: &Gateway, name: &str, partstat: &str) -> String {
    let stored = gateway.object(&gateway.config.users[0], &CalUid(UID.to_owned())).await.expect("read").expect("held");
    let sequence = stored.content.lines().find_map(|line| line.strip_prefix("SEQUENCE:")).unwrap_or("0");
    let raw = format!(
        "From: {name}@example.org\r\nTo: ada@example.com\r\nSubject: answer\r\nMessage-ID: <{partstat}.{name}@example.org>\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/calendar; charset=utf-8; method=REPLY\r\n\r\n\
         BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nUID:{UID}\r\n\
         DTSTAMP:20260102T000000Z\r\nSEQUENCE:{sequence}\r\nORGANIZER:mailto:ada@example.com\r\n\
         ATTENDEE;PARTSTAT={partstat}:mailto:{name}@example.org\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    let place = Place { user: &gateway.config.users[0], folder: "INBOX", role: FolderRole::Inbox, cursor: None };
    let records = gateway.receive_mail(place, raw.as_bytes()).await.expect("decided");
    records.into_iter().map(|record| record.reason).collect()
}

/// Lets the time pass until everything gathered is due.
async fn share(gateway: &Gateway) {
    gateway.share_answers(chrono::Utc::now().timestamp_millis() + HOURS).await.expect("shared");
}

/// The mails after the invitation, oldest first, with their recipients.
async fn mails(gateway: &Gateway) -> Vec<(OutboxEntry, Vec<String>)> {
    let mut mails = Vec::new();
    for entry in gateway.ledger.outbox(100).await.expect("an outbox").into_iter().rev().skip(1) {
        let entry = gateway.ledger.outbox_entry(entry.id).await.expect("an outbox").expect("a mail");
        let recipients = gateway.ledger.recipients(entry.id).await.expect("an outbox");
        mails.push((entry, recipients.into_iter().map(|one| one.address).collect()));
    }
    mails
}

#[tokio::test]
async fn answers_are_gathered_and_shared_once() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path(), "share_answers = \"30s\"").await;
    invite(&gateway).await;
    assert_eq!(answer(&gateway, "bo", "ACCEPTED").await, "answered");
    assert_eq!(answer(&gateway, "cy", "DECLINED").await, "answered");
    gateway.share_answers(chrono::Utc::now().timestamp_millis()).await.expect("nothing is due");
    assert_eq!(mails(&gateway).await.len(), 0, "they are gathered for a while");

    // Died, and started again, before it was time.
    gateway.ledger.close().await;
    let gateway = open(folder.path(), "share_answers = \"30s\"").await;
    let due_at = gateway.ledger.next_due_at(now_millis()).await.expect("a time");
    assert!(due_at.is_some(), "the courier wakes for it");
    share(&gateway).await;
    share(&gateway).await;
    let told = mails(&gateway).await;
    let [(mail, recipients)] = told.as_slice() else { panic!("one mail, not {}", told.len()) };
    // Cy declined and is left in peace; of two answers nobody knows both, so Bo is told as well.
    assert_eq!(
        (mail.debt.method.as_str(), recipients.as_slice()),
        ("REQUEST", ["bo@example.org", "di@example.org"].map(String::from).as_slice())
    );
    let text = calendar_of(&mail.debt.raw);
    assert!(text.contains("SEQUENCE:1\r\n"), "{text}");
    assert!(text.contains("PARTSTAT=ACCEPTED") && text.contains("PARTSTAT=DECLINED"), "{text}");

    // The same answer once more is known, and nobody hears of it again.
    assert_eq!(answer(&gateway, "bo", "ACCEPTED").await, "seen-before");
    share(&gateway).await;
    assert_eq!(mails(&gateway).await.len(), 1);
}

#[tokio::test]
async fn who_answered_alone_is_not_told() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path(), "share_answers = \"1h\"").await;
    invite(&gateway).await;
    answer(&gateway, "bo", "TENTATIVE").await;
    share(&gateway).await;
    let told: Vec<Vec<String>> = mails(&gateway).await.into_iter().map(|(_, recipients)| recipients).collect();
    assert_eq!(told, [["cy@example.org", "di@example.org"]]);
}

#[tokio::test]
async fn nothing_is_gathered_unless_the_policy_says_so() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path(), "").await;
    invite(&gateway).await;
    answer(&gateway, "bo", "ACCEPTED").await;
    let far = i64::MAX;
    assert_eq!(gateway.ledger.answers_due(far, 10).await.expect("answers"), []);
    share(&gateway).await;
    assert_eq!(mails(&gateway).await.len(), 0);
}

#[tokio::test]
async fn what_is_gathered_goes_with_the_meeting_and_with_the_policy() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path(), "share_answers = \"1h\"").await;
    invite(&gateway).await;
    answer(&gateway, "bo", "ACCEPTED").await;
    let delete = Change::Delete(CalUid(UID.to_owned()));
    gateway.change(&gateway.config.users[0], delete).await.expect("deleted");
    share(&gateway).await;
    let methods: Vec<String> = mails(&gateway).await.into_iter().map(|(mail, _)| mail.debt.method).collect();
    assert_eq!(methods, ["CANCEL"]);

    invite(&gateway).await;
    answer(&gateway, "cy", "TENTATIVE").await;
    let before = mails(&gateway).await.len();
    assert_eq!(gateway.ledger.answers_due(i64::MAX, 10).await.expect("answers").len(), 1);
    gateway.ledger.close().await;
    let gateway = open(folder.path(), "share_answers = \"no\"").await;
    share(&gateway).await;
    assert_eq!(mails(&gateway).await.len(), before, "the policy was changed meanwhile");
    assert_eq!(gateway.ledger.answers_due(i64::MAX, 10).await.expect("answers"), [], "and they wait no more");
}

/// Somebody publishes a walk to Ada; the reason that is recorded.
async fn published(policy: &str) -> String {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path(), policy).await;
    let raw = format!(
        "From: club@example.net\r\nTo: ada@example.com\r\nSubject: walk\r\nMessage-ID: <walk@example.net>\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/calendar; charset=utf-8; method=PUBLISH\r\n\r\n\
         BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nMETHOD:PUBLISH\r\nBEGIN:VEVENT\r\nUID:{UID}\r\n\
         DTSTAMP:20260102T000000Z\r\nDTSTART:20400601T080000Z\r\nSUMMARY:Walk\r\n\
         ORGANIZER:mailto:club@example.net\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    let user = &gateway.config.users[0];
    let place = Place { user, folder: "INBOX", role: FolderRole::Inbox, cursor: None };
    let records = gateway.receive_mail(place, raw.as_bytes()).await.expect("decided");
    let is_held = gateway.object(user, &CalUid(UID.to_owned())).await.expect("a calendar").is_some();
    assert_eq!(is_held, records[0].reason == "published", "{policy}");
    assert_eq!(gateway.ledger.outbox(10).await.expect("an outbox"), [], "nobody is answered");
    records[0].reason.clone()
}

#[tokio::test]
async fn publications_come_in_by_policy_alone() {
    assert_eq!(published("").await, "unsupported-method");
    assert_eq!(published("publications = \"import\"").await, "published");
    assert_eq!(published("publications = \"import\"\nauto_add = \"domain\"").await, "unsupported-method");
}

/// The calendar text of a mail.
fn calendar_of(raw: &[u8]) -> String {
    let email = imipd::imip::extract(raw);
    email.calendars.into_iter().map(|part| part.text.replace("\r\n ", "")).next().expect("a calendar")
}
