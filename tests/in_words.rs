//! A gateway without servers: mails that say "yes" answer invitations, and everything doubtful answers nothing.

use std::path::Path;
use std::sync::Arc;

use imipd::config::Config;
use imipd::gateway::{Change, Gateway, Place};
use imipd::itip::{CalUid, CalendarObject};
use imipd::mailbox::FolderRole;

const UID: &str = "choir-1@example.com";
const ADA: &str = "ada@example.com";
const BO: &str = "bo@example.org";
const CY: &str = "cy@example.org";

async fn open(folder: &Path, more: &str) -> Arc<Gateway> {
    std::fs::write(folder.join("password"), "secret\n").expect("a password");
    let text = format!(
        "[database]\nurl = \"sqlite://{}/imipd.db\"\n{more}\n[[user]]\naddresses = [\"{ADA}\"]\npassword_file = \"password\"\n",
        folder.display()
    );
    Gateway::open(Config::parse(&text, folder).expect("a configuration")).await.expect("a database")
}

fn calendar(method: &str, organizer: &str, lines: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n{method}BEGIN:VEVENT\r\nUID:{UID}\r\nSUMMARY:Rehearsal\r\n\
         SEQUENCE:0\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20400601T080000Z\r\nDTEND:20400601T100000Z\r\n\
         RRULE:FREQ=WEEKLY;COUNT=5\r\nORGANIZER:mailto:{organizer}\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

fn asked(address: &str) -> String {
    format!("ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{address}\r\n")
}

/// Reads a mail; verdict and reason of what was decided.
async fn take(gateway: &Gateway, role: FolderRole, raw: &str) -> Vec<(String, String)> {
    let folder = if role == FolderRole::Sent { "Sent" } else { "INBOX" };
    let place = Place { user: &gateway.config.users[0], folder, role, cursor: None };
    let records = gateway.receive_mail(place, raw.as_bytes()).await.expect("decided");
    records.into_iter().map(|record| (record.verdict, record.reason)).collect()
}

fn words(id: &str, from: &str, answers: &str, body: &str) -> String {
    format!(
        "From: {from}\r\nTo: somebody@example.net\r\nSubject: Re: Rehearsal\r\nMessage-ID: <{id}@client.example>\r\n\
         In-Reply-To: {answers}\r\n\r\n{body}\r\n"
    )
}

fn decided(verdict: &str, reason: &str) -> Vec<(String, String)> {
    vec![(verdict.to_owned(), reason.to_owned())]
}

/// Bo invites Ada by a mail of which the Message-ID is `<invitation@example.org>`.
async fn invited(gateway: &Gateway) {
    let text = calendar("METHOD:REQUEST\r\n", BO, &asked(ADA));
    let raw = format!(
        "From: {BO}\r\nTo: {ADA}\r\nMessage-ID: <invitation@example.org>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/calendar; charset=utf-8; method=REQUEST\r\n\r\n{text}"
    );
    assert_eq!(take(gateway, FolderRole::Inbox, &raw).await, decided("applied", "invited"));
}

/// Ada invites Bo; the Message-ID of the mail that Bo gets.
async fn invites(gateway: &Gateway) -> String {
    let object = CalendarObject::parse(&calendar("", ADA, &asked(BO))).expect("an object");
    gateway.change(&gateway.config.users[0], Change::Put(Box::new(object))).await.expect("stored");
    let outbox = gateway.ledger.outbox(10).await.expect("an outbox");
    outbox.first().expect("an invitation").debt.message_id.clone()
}

async fn stored(gateway: &Gateway) -> String {
    let stored = gateway.object(&gateway.config.users[0], &CalUid(UID.to_owned())).await.expect("read");
    stored.expect("an object").content
}

/// The answers that wait to be sent, newest first: to whom, and the calendar.
async fn replies(gateway: &Gateway) -> Vec<(String, String)> {
    let mut replies = Vec::new();
    for entry in gateway.ledger.outbox(10).await.expect("an outbox") {
        let entry = gateway.ledger.outbox_entry(entry.id).await.expect("an outbox").expect("a mail");
        if entry.debt.method == "REPLY" {
            let to = gateway.ledger.recipients(entry.id).await.expect("an outbox").remove(0).address;
            let email = imipd::imip::extract(&entry.debt.raw);
            replies.push((to, email.calendars.first().expect("a calendar").text.clone()));
        }
    }
    replies
}

#[tokio::test]
async fn a_user_answers_by_replying_to_the_invitation() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path(), "").await;
    invited(&gateway).await;
    let answer = words("1", ADA, "<invitation@example.org>", "Ja\r\n\r\nIch bringe Noten mit.\r\n\r\n> Kommst du?");
    assert_eq!(take(&gateway, FolderRole::Sent, &answer).await, decided("applied", "answered-in-words"));
    assert!(stored(&gateway).await.contains("PARTSTAT=ACCEPTED"), "the user's own calendar follows");
    let told = replies(&gateway).await;
    let [(to, text)] = told.as_slice() else { panic!("one answer, not {}", told.len()) };
    assert_eq!(to, BO);
    assert!(text.contains("PARTSTAT=ACCEPTED") && text.contains("COMMENT:Ich bringe Noten mit."), "{text}");

    // The same mail in another folder, or read again.
    assert_eq!(take(&gateway, FolderRole::Sent, &answer).await, decided("ignored", "seen-before"));
    assert_eq!(replies(&gateway).await.len(), 1);
    // Another mind is another answer.
    let no = words("2", ADA, "<invitation@example.org>", "no");
    assert_eq!(take(&gateway, FolderRole::Sent, &no).await, decided("applied", "answered-in-words"));
    assert!(stored(&gateway).await.contains("PARTSTAT=DECLINED"));
    assert_eq!(replies(&gateway).await.len(), 2);
}

#[tokio::test]
async fn an_attendee_answers_in_words() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path(), "").await;
    let invitation = invites(&gateway).await;
    let answer = words("1", BO, &invitation, "maybe\r\n\r\nSent from my telephone");
    assert_eq!(take(&gateway, FolderRole::Inbox, &answer).await, decided("applied", "answered"));
    assert!(stored(&gateway).await.contains("PARTSTAT=TENTATIVE"));
    assert_eq!(take(&gateway, FolderRole::Inbox, &answer).await, decided("ignored", "seen-before"));
    let again = words("2", BO, &invitation, "maybe");
    assert_eq!(take(&gateway, FolderRole::Inbox, &again).await, decided("unchanged", "answered-in-words"));
    assert!(replies(&gateway).await.is_empty(), "no answer to an answer");
}

#[tokio::test]
async fn only_who_was_invited_answers_for_themselves() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path(), "").await;
    let invitation = invites(&gateway).await;
    let before = stored(&gateway).await;
    let passed_on = words("1", CY, &invitation, "yes");
    assert_eq!(take(&gateway, FolderRole::Inbox, &passed_on).await, decided("ignored", "answer-of-another"));
    // Whoever writes the user's own address into From stands in no Sent folder.
    let forged = words("2", ADA, &invitation, "yes");
    assert_eq!(take(&gateway, FolderRole::Inbox, &forged).await, []);
    // A filter may sort anything into Sent.
    let sorted = words("3", BO, &invitation, "yes");
    assert_eq!(take(&gateway, FolderRole::Sent, &sorted).await, []);
    let automatic =
        words("4", BO, &invitation, "yes").replacen("Subject", "Auto-Submitted: auto-replied\r\nSubject", 1);
    assert_eq!(take(&gateway, FolderRole::Inbox, &automatic).await, []);
    let of_a_list = words("5", BO, &invitation, "yes").replacen("Subject", "List-Id: <l.example.org>\r\nSubject", 1);
    assert_eq!(take(&gateway, FolderRole::Inbox, &of_a_list).await, []);
    for (id, body) in [("6", "yes, if I find the time"), ("7", "What is it about?"), ("8", "yes\r\nno")] {
        assert_eq!(take(&gateway, FolderRole::Inbox, &words(id, BO, &invitation, body)).await, [], "{body}");
    }
    assert_eq!(take(&gateway, FolderRole::Inbox, &words("9", BO, "<other@example.org>", "yes")).await, []);
    assert_eq!(stored(&gateway).await, before);
}

#[tokio::test]
async fn an_answer_after_the_end_changes_nothing() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path(), "").await;
    let invitation = invites(&gateway).await;
    gateway.change(&gateway.config.users[0], Change::Delete(CalUid(UID.to_owned()))).await.expect("deleted");
    let late = words("1", BO, &invitation, "yes");
    assert_eq!(take(&gateway, FolderRole::Inbox, &late).await, decided("refused", "event-not-found"));
}

#[tokio::test]
async fn an_answer_to_one_date_is_for_that_date() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path(), "").await;
    invited(&gateway).await;
    let lines = format!("RECURRENCE-ID:20400608T080000Z\r\n{}", asked(ADA));
    let text = calendar("METHOD:REQUEST\r\n", BO, &lines)
        .replace("RRULE:FREQ=WEEKLY;COUNT=5\r\n", "")
        .replace(
            "DTSTART:20400601T080000Z\r\nDTEND:20400601T100000Z",
            "DTSTART:20400608T090000Z\r\nDTEND:20400608T110000Z",
        )
        .replace("DTSTAMP:20260101", "DTSTAMP:20260102");
    let raw = format!(
        "From: {BO}\r\nTo: {ADA}\r\nMessage-ID: <moved@example.org>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/calendar; charset=utf-8; method=REQUEST\r\n\r\n{text}"
    );
    assert_eq!(take(&gateway, FolderRole::Inbox, &raw).await[0].0, "applied");
    let answer = words("1", ADA, "<moved@example.org>", "nein");
    assert_eq!(take(&gateway, FolderRole::Sent, &answer).await, decided("applied", "answered-in-words"));
    let text = &replies(&gateway).await[0].1;
    assert!(text.contains("RECURRENCE-ID:20400608T080000Z") && text.contains("PARTSTAT=DECLINED"), "{text}");
    assert_eq!(stored(&gateway).await.matches("PARTSTAT=DECLINED").count(), 1, "the other dates stay open");
}

#[tokio::test]
async fn a_site_may_want_none_of_it() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path(), "[answers]\nwords = false\n").await;
    invited(&gateway).await;
    let answer = words("1", ADA, "<invitation@example.org>", "yes");
    assert_eq!(take(&gateway, FolderRole::Sent, &answer).await, []);
    assert!(replies(&gateway).await.is_empty());
}
