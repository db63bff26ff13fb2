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
    assert_eq!(take(gateway, FolderRole::Inbox, &request("invitation", &text)).await, decided("applied", "invited"));
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

/// Bo changes the time at which Ada is invited, by a mail of which the Message-ID is `<later@example.org>`.
async fn moved(gateway: &Gateway) -> Vec<(String, String)> {
    let text = calendar("METHOD:REQUEST\r\n", BO, &asked(ADA))
        .replace("SEQUENCE:0\r\nDTSTAMP:20260101", "SEQUENCE:1\r\nDTSTAMP:20260102")
        .replace("T080000Z", "T110000Z")
        .replace("T100000Z", "T120000Z");
    take(gateway, FolderRole::Inbox, &request("later", &text)).await
}

fn request(id: &str, text: &str) -> String {
    format!(
        "From: {BO}\r\nTo: {ADA}\r\nMessage-ID: <{id}@example.org>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/calendar; charset=utf-8; method=REQUEST\r\n\r\n{text}"
    )
}

/// The notes that wait to be sent, newest first: to whom, and the whole mail.
async fn notes(gateway: &Gateway) -> Vec<(String, String)> {
    let mut notes = Vec::new();
    for entry in gateway.ledger.outbox(50).await.expect("an outbox") {
        let entry = gateway.ledger.outbox_entry(entry.id).await.expect("an outbox").expect("a mail");
        if entry.debt.method == "NOTE" {
            let to = gateway.ledger.recipients(entry.id).await.expect("an outbox").remove(0).address;
            notes.push((
                to,
                String::from_utf8(entry.debt.raw).expect("ASCII").replace("=\r\n", "").replace("\r\n", " "),
            ));
        }
    }
    notes
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
async fn a_user_who_answers_an_old_invitation_is_told_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let gateway = open(folder.path(), "").await;
    invited(&gateway).await;
    assert_eq!(moved(&gateway).await[0].0, "applied");
    let before = stored(&gateway).await;
    let late = words("1", ADA, "<invitation@example.org>", "yes");
    for _ in 0..2 {
        assert_eq!(take(&gateway, FolderRole::Sent, &late).await, decided("ignored", "invitation-superseded"));
    }
    assert_eq!((stored(&gateway).await, replies(&gateway).await.len()), (before, 0));
    let told = notes(&gateway).await;
    let [(to, note)] = told.as_slice() else { panic!("one note, not {}", told.len()) };
    assert!(to == ADA && note.contains("In-Reply-To: <1@client.example>") && note.contains("newest mail"), "{note}");
    assert!(note.contains("From: \"imipd\"") && note.contains("Auto-Submitted: auto-replied"), "{note}");
    // What it says is for people; neither this gateway nor another one takes it for anything.
    let raw = gateway.ledger.outbox(1).await.expect("an outbox").remove(0);
    let raw = gateway.ledger.outbox_entry(raw.id).await.expect("an outbox").expect("a mail").debt.raw;
    let raw = String::from_utf8(raw).expect("ASCII");
    for role in [FolderRole::Inbox, FolderRole::Sent, FolderRole::Other] {
        assert_eq!(take(&gateway, role, &raw).await, []);
    }
    let answer = words("2", ADA, "<later@example.org>", "yes");
    assert_eq!(take(&gateway, FolderRole::Sent, &answer).await, decided("applied", "answered-in-words"));
    assert_eq!(replies(&gateway).await.len(), 1);
}

#[tokio::test]
async fn what_waits_in_place_of_an_older_invitation_is_not_what_was_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let gateway = open(folder.path(), "[policy]\nauto_add = \"never\"\n").await;
    let waits = decided("proposed", "waits-for-user");
    let text = calendar("METHOD:REQUEST\r\n", BO, &asked(ADA));
    assert_eq!(take(&gateway, FolderRole::Inbox, &request("invitation", &text)).await, waits);
    assert_eq!(moved(&gateway).await, waits);
    let late = words("1", ADA, "<invitation@example.org>", "yes");
    assert_eq!(take(&gateway, FolderRole::Sent, &late).await, decided("ignored", "invitation-superseded"));
    let off = text
        .replace("METHOD:REQUEST", "METHOD:CANCEL")
        .replace("SEQUENCE:0\r\nDTSTAMP:20260101", "SEQUENCE:2\r\nDTSTAMP:20260103");
    let off = request("off", &off).replace("method=REQUEST", "method=CANCEL");
    take(&gateway, FolderRole::Inbox, &off).await;
    let late = words("2", ADA, "<later@example.org>", "yes");
    assert_eq!(take(&gateway, FolderRole::Sent, &late).await, decided("ignored", "invitation-cancelled"));
    let told: Vec<String> = notes(&gateway).await.into_iter().map(|(_, note)| note).collect();
    assert!(told.len() == 2 && told[0].contains("cancelled") && told[1].contains("newest mail"), "{told:?}");
    assert_eq!(replies(&gateway).await, []);
}

#[tokio::test]
async fn an_attendee_whose_words_are_not_taken_is_told_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let gateway = open(folder.path(), "").await;
    let old = invites(&gateway).await;
    let later = calendar("", ADA, &asked(BO)).replace("T080000Z", "T110000Z").replace("T100000Z", "T120000Z");
    let object = CalendarObject::parse(&later).expect("an object");
    gateway.change(&gateway.config.users[0], Change::Put(Box::new(object))).await.expect("stored");
    let before = stored(&gateway).await;
    let late = words("1", BO, &old, "yes");
    assert_eq!(take(&gateway, FolderRole::Inbox, &late).await, decided("unchanged", "answers-older-time"));
    assert_eq!(take(&gateway, FolderRole::Other, &late).await, decided("ignored", "seen-before"));
    let passed_on = words("2", CY, &old, "yes");
    assert_eq!(take(&gateway, FolderRole::Inbox, &passed_on).await, decided("ignored", "answer-of-another"));
    assert_eq!(stored(&gateway).await, before);
    gateway.change(&gateway.config.users[0], Change::Delete(CalUid(UID.to_owned()))).await.expect("deleted");
    assert_eq!(take(&gateway, FolderRole::Inbox, &words("3", BO, &old, "no")).await[0].0, "refused");
    let told = notes(&gateway).await;
    let expected =
        [(BO, "<3@client.example>", "cancelled"), (CY, "<2@", "another address"), (BO, "<1@", "newest mail")];
    assert_eq!(told.len(), expected.len(), "{told:?}");
    for ((to, note), (whom, answer, why)) in told.iter().zip(expected) {
        assert!(to == whom && note.contains(&format!("In-Reply-To: {answer}")) && note.contains(why), "{note}");
    }
    for n in 0..20 {
        take(&gateway, FolderRole::Inbox, &words(&format!("more{n}"), BO, &old, "yes")).await;
    }
    assert_eq!(notes(&gateway).await.len(), 6, "and not more than a few a day");
}

#[tokio::test]
async fn nobody_is_written_to_of_whom_nothing_proves_that_they_wrote() {
    let folder = tempfile::tempdir().expect("a folder");
    let policy = "[policy]\nauthserv_id = [\"mx.example.com\"]\ntrust = \"authenticated\"\n";
    let gateway = open(folder.path(), policy).await;
    let invitation = invites(&gateway).await;
    let forged = words("1", CY, &invitation, "yes");
    assert_eq!(take(&gateway, FolderRole::Inbox, &forged).await, decided("ignored", "answer-of-another"));
    assert_eq!(notes(&gateway).await, []);
    assert_eq!(take(&gateway, FolderRole::Inbox, &words("2", BO, &invitation, "yes")).await[0].0, "proposed");
    let proven = "Authentication-Results: mx.example.com; dmarc=pass header.from=example.org\r\n";
    let passed_on = format!("{proven}{}", words("3", CY, &invitation, "yes"));
    assert_eq!(take(&gateway, FolderRole::Inbox, &passed_on).await, decided("ignored", "answer-of-another"));
    assert_eq!(notes(&gateway).await.len(), 1);
}

#[tokio::test]
async fn a_new_comment_is_told_though_the_answer_is_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let gateway = open(folder.path(), "").await;
    invited(&gateway).await;
    let say = async |id: &str, body: &str| {
        take(&gateway, FolderRole::Sent, &words(id, ADA, "<invitation@example.org>", body)).await
    };
    assert_eq!(say("1", "yes").await, decided("applied", "answered-in-words"));
    assert_eq!(say("2", "yes\r\n\r\nI bring notes.").await, decided("applied", "answered-in-words"));
    let told = replies(&gateway).await;
    assert_eq!(told.len(), 2);
    assert!(told[0].1.contains("PARTSTAT=ACCEPTED") && told[0].1.contains("COMMENT:I bring notes."), "{}", told[0].1);
    assert_eq!(say("3", "Yes!\r\n\r\nI bring notes.").await, decided("unchanged", "answered-in-words"));
    assert_eq!(say("4", "yes").await, decided("unchanged", "answered-in-words"));
    assert_eq!(replies(&gateway).await.len(), 2, "nothing is said twice");
    for (text, name) in [(stored(&gateway).await, "stored"), (told[0].1.clone(), "sent")] {
        assert!(!text.to_uppercase().contains("FORCE-SEND"), "{name}: {text}");
    }
}

/// What answers to an invitation may look like that are none.
#[tokio::test]
async fn what_only_looks_like_an_answer_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let gateway = open(folder.path(), "").await;
    let invitation = invites(&gateway).await;
    let before = stored(&gateway).await;
    let bodies = [
        "I am out of the office until Monday.\r\n\r\nYes\r\n",
        "Thank you for your mail.\r\nI accept mail again on Monday.\r\n",
        "> yes",
        ">> no\r\n> yes\r\n",
        "Am Montag schrieb Ada:\r\n> yes\r\n",
        "On Monday, Ada Lovelace\r\n<ada@example.com> wrote:\r\n\r\n> Will you come?\r\n> yes\r\n",
        "-----Original Message-----\r\nyes\r\n",
        "From: ada@example.com\r\nSubject: Rehearsal\r\n\r\nyes\r\n",
        "yes?",
        "no problem",
        "\u{202e}sey",
        "\u{ff59}\u{ff45}\u{ff53}",
        "y\u{200b}es",
        "ye\u{0455}",
        "yes\u{2028}no",
    ];
    for (nth, body) in bodies.into_iter().enumerate() {
        let mail = words(&nth.to_string(), BO, &invitation, body).replacen(
            "Subject",
            "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nSubject",
            1,
        );
        assert_eq!(take(&gateway, FolderRole::Inbox, &mail).await, [], "{body:?}");
    }
    // Programs of which not all say what they are by the field that is for that.
    for field in [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated (vacation)",
        "Precedence: bulk",
        "Precedence: auto_reply",
        "Precedence: junk",
        "X-Autoreply: yes",
        "X-Autorespond: holiday",
        "List-Id: <l.example.org>",
        "Return-Path: <>",
    ] {
        let mail = words(field, BO, &invitation, "yes").replacen("Subject", &format!("{field}\r\nSubject"), 1);
        assert_eq!(take(&gateway, FolderRole::Inbox, &mail).await, [], "{field}");
    }
    assert_eq!((stored(&gateway).await, notes(&gateway).await), (before, Vec::new()));
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
