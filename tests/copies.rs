//! A gateway without servers: what the user's own client has sent is not sent again, and reports about mails of ours are believed as
//! far as they go.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use imipd::config::Config;
use imipd::gateway::{Change, Gateway, Place, Respond, now_millis};
use imipd::itip::announce::Answer;
use imipd::itip::{CalUid, CalendarObject};
use imipd::ledger::RecipientState;
use imipd::mailbox::FolderRole;

const UID: &str = "choir-1@example.com";
const ADA: &str = "ada@example.com";
const BO: &str = "bo@example.org";
const CY: &str = "cy@example.org";

/// A gateway on the database in `folder` with the users Ada and Eve.
async fn open(folder: &Path) -> Arc<Gateway> {
    open_with(folder, "").await
}

/// The same with further lines in Ada's table.
async fn open_with(folder: &Path, lines: &str) -> Arc<Gateway> {
    std::fs::write(folder.join("password"), "secret\n").expect("a password");
    let text = format!(
        "[database]\nurl = \"sqlite://{}/imipd.db\"\n\
         [[user]]\naddresses = [\"{ADA}\"]\npassword_file = \"password\"\n{lines}\n\
         [[user]]\naddresses = [\"eve@example.com\"]\npassword_file = \"password\"\n",
        folder.display()
    );
    Gateway::open(Config::parse(&text, folder).expect("a configuration")).await.expect("a database")
}

fn calendar(method: &str, sequence: i64, organizer: &str, lines: &str) -> String {
    let method = if method.is_empty() { String::new() } else { format!("METHOD:{method}\r\n") };
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n{method}BEGIN:VEVENT\r\nUID:{UID}\r\nSUMMARY:Rehearsal\r\n\
         SEQUENCE:{sequence}\r\nDTSTAMP:20400101T000000Z\r\nDTSTART:20400601T080000Z\r\nDTEND:20400601T160000Z\r\n\
         ORGANIZER:mailto:{organizer}\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

fn guests(names: &[&str]) -> String {
    names.iter().map(|name| format!("ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{name}\r\n")).collect()
}

fn reply(partstat: &str, sequence: i64) -> String {
    calendar("REPLY", sequence, BO, &format!("ATTENDEE;PARTSTAT={partstat}:mailto:{ADA}\r\n"))
}

fn mail(id: &str, from: &str, to: &str, calendar: &str) -> String {
    let method = calendar.split("METHOD:").nth(1).and_then(|rest| rest.lines().next()).expect("a METHOD");
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: x\r\nMessage-ID: <{id}@client.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/calendar; charset=utf-8; method={method}\r\n\r\n{calendar}"
    )
}

/// Reads a mail in a folder of user `nth`; verdict and reason of what was decided.
async fn take(gateway: &Gateway, nth: usize, role: FolderRole, raw: &str) -> Vec<(String, String)> {
    let folder = if role == FolderRole::Sent { "Sent" } else { "INBOX" };
    let place = Place { user: &gateway.config.users[nth], folder, role, cursor: None };
    let records = gateway.receive_mail(place, raw.as_bytes()).await.expect("decided");
    records.into_iter().map(|record| (record.verdict, record.reason)).collect()
}

async fn reason(gateway: &Gateway, role: FolderRole, raw: &str) -> String {
    take(gateway, 0, role, raw).await.into_iter().map(|(_, reason)| reason).collect()
}

async fn put(gateway: &Gateway, text: &str) {
    let object = CalendarObject::parse(text).expect("an object");
    gateway.change(&gateway.config.users[0], Change::Put(Box::new(object))).await.expect("stored");
}

async fn put_by_client(gateway: &Gateway, text: &str) {
    let object = CalendarObject::parse(text).expect("an object");
    gateway.change_by_client(&gateway.config.users[0], Change::Put(Box::new(object))).await.expect("stored");
}

async fn respond(gateway: &Gateway, partstat: &str) {
    let object = CalendarObject::parse(&reply(partstat, 0)).expect("an object");
    let partstat = object.principal().and_then(|one| {
        use imipd::itip::component::ComponentExt;
        one.attendees().next().and_then(|own| own.partstat().cloned())
    });
    let answer = Answer { partstat: partstat.expect("an answer"), instance: None, comment: None };
    let change = Change::Respond(CalUid(UID.to_owned()), Respond { answer, now: now_millis() / 1_000 });
    gateway.change(&gateway.config.users[0], change).await.expect("answered");
}

async fn stored(gateway: &Gateway) -> String {
    let object = gateway.object(&gateway.config.users[0], &CalUid(UID.to_owned())).await.expect("a calendar");
    object.map(|one| one.content.replace("\r\n ", "")).unwrap_or_default()
}

/// The recipients of all mails in the outbox, oldest first: method, address and state.
async fn outbox(gateway: &Gateway) -> Vec<(String, String, RecipientState)> {
    let mut all = Vec::new();
    for entry in gateway.ledger.outbox(100).await.expect("an outbox").into_iter().rev() {
        for one in gateway.ledger.recipients(entry.id).await.expect("recipients") {
            all.push((entry.debt.method.clone(), one.address, one.state));
        }
    }
    all
}

async fn waiting(gateway: &Gateway) -> Vec<String> {
    let all = outbox(gateway).await.into_iter();
    all.filter(|one| one.2 == RecipientState::Waiting).map(|(method, to, _)| format!("{method} {to}")).collect()
}

/// How many mails are due now, and how many in a minute.
async fn due(gateway: &Gateway) -> (usize, usize) {
    let count = async |at| gateway.ledger.due(at, 100).await.expect("an outbox").len();
    (count(now_millis() + 50).await, count(now_millis() + 60_000).await)
}

/// Bo has invited Ada.
async fn invited() -> (imipd_lab::Folder, Arc<Gateway>) {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path()).await;
    let invitation = mail("invitation", BO, ADA, &calendar("REQUEST", 0, BO, &guests(&[ADA])));
    assert_eq!(reason(&gateway, FolderRole::Inbox, &invitation).await, "invited");
    (folder, gateway)
}

// Answers.

#[tokio::test]
async fn an_answer_in_the_sent_folder_is_followed_and_not_sent_again() {
    let (_folder, gateway) = invited().await;
    let copy = mail("answer", ADA, BO, &reply("ACCEPTED", 0));
    assert_eq!(reason(&gateway, FolderRole::Sent, &copy).await, "sent-by-client");
    assert!(stored(&gateway).await.contains("PARTSTAT=ACCEPTED"));
    put_by_client(&gateway, &stored(&gateway).await).await;
    assert_eq!(outbox(&gateway).await, [], "the client has said it");
    assert_eq!(reason(&gateway, FolderRole::Sent, &copy).await, "seen-before");
}

#[tokio::test]
async fn an_answer_that_a_client_stored_waits_for_its_mail_and_is_settled_by_it() {
    let (_folder, gateway) = invited().await;
    let accepted = stored(&gateway).await.replace("PARTSTAT=NEEDS-ACTION;RSVP=TRUE", "PARTSTAT=ACCEPTED");
    put_by_client(&gateway, &accepted).await;
    assert_eq!(waiting(&gateway).await, [format!("REPLY {BO}")]);
    assert_eq!(due(&gateway).await, (0, 1), "it waits for the grace, and no longer");
    gateway.ledger.retry_now(now_millis()).await.expect("a server that works again");
    assert_eq!(due(&gateway).await.0, 0, "which is no reason to hurry");
    let other = mail("other", ADA, BO, &reply("DECLINED", 0).replace("T000000Z", "T000001Z"));
    let mut told = other.replace("DECLINED", "ACCEPTED").replace("<other@", "<same@");
    assert_eq!(
        reason(&gateway, FolderRole::Sent, &told.replace(&format!("To: {BO}"), "To: dee@example.org")).await,
        "nothing-new"
    );
    assert_eq!(waiting(&gateway).await.len(), 1, "Bo has not been told");
    told = told.replace("<same@", "<same2@");
    assert_eq!(reason(&gateway, FolderRole::Sent, &told).await, "nothing-new");
    assert_eq!(waiting(&gateway).await, [] as [String; 0]);
    assert_eq!(outbox(&gateway).await, [("REPLY".into(), BO.into(), RecipientState::Sent)]);
}

#[tokio::test]
async fn another_answer_settles_nothing() {
    let (_folder, gateway) = invited().await;
    put_by_client(&gateway, &stored(&gateway).await.replace("PARTSTAT=NEEDS-ACTION", "PARTSTAT=ACCEPTED")).await;
    let declined = mail("no", ADA, BO, &reply("DECLINED", 0));
    assert_eq!(reason(&gateway, FolderRole::Sent, &declined).await, "sent-by-client");
    assert_eq!(waiting(&gateway).await, [format!("REPLY {BO}")]);
}

#[tokio::test]
async fn what_is_said_again_goes_out_each_time() {
    let (_folder, gateway) = invited().await;
    for answer in ["DECLINED", "ACCEPTED", "DECLINED"] {
        respond(&gateway, answer).await;
    }
    assert_eq!(waiting(&gateway).await.len(), 3);
}

#[tokio::test]
async fn what_the_client_said_first_is_said_again_only_after_something_else() {
    let (_folder, gateway) = invited().await;
    let copy = mail("no", ADA, BO, &reply("DECLINED", 0));
    assert_eq!(reason(&gateway, FolderRole::Sent, &copy).await, "sent-by-client");
    respond(&gateway, "ACCEPTED").await;
    respond(&gateway, "DECLINED").await;
    assert_eq!(waiting(&gateway).await.len(), 2, "Bo heard no, yes and no");
}

#[tokio::test]
async fn an_answer_sent_before_a_newer_one_is_not_taken() {
    let (_folder, gateway) = invited().await;
    respond(&gateway, "ACCEPTED").await;
    let old = mail("no", ADA, BO, &reply("DECLINED", 0).replace("DTSTAMP:2040", "DTSTAMP:2020"));
    assert_eq!(reason(&gateway, FolderRole::Sent, &old).await, "older-answer");
    assert!(stored(&gateway).await.contains("PARTSTAT=ACCEPTED"));
}

#[tokio::test]
async fn a_mail_to_oneself_outside_the_sent_folder_proves_nothing() {
    let (_folder, gateway) = invited().await;
    let copy = mail("answer", ADA, BO, &reply("ACCEPTED", 0));
    assert_eq!(reason(&gateway, FolderRole::Inbox, &copy).await, "own-address-outside-sent");
    assert!(stored(&gateway).await.contains("PARTSTAT=NEEDS-ACTION"));
    assert_eq!(
        reason(&gateway, FolderRole::Sent, &copy).await,
        "sent-by-client",
        "and its copy in Sent counts all the same"
    );
}

#[tokio::test]
async fn a_blind_copy_to_oneself_counts_where_the_server_tells_who_logged_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let policy = "[policy]\nauthserv_id = \"mx.example.com\"\ntrust = \"from\"\nauto_add = \"all\"\n";
    let gateway = open_with(folder.path(), policy).await;
    let invitation = mail("invitation", BO, ADA, &calendar("REQUEST", 0, BO, &guests(&[ADA])));
    assert_eq!(reason(&gateway, FolderRole::Inbox, &invitation).await, "invited");
    let found = |results: &str, id: &str| {
        let copy = mail(id, ADA, BO, &reply("ACCEPTED", 0));
        format!("Authentication-Results: mx.example.com; {results}\r\n{copy}")
    };
    // Whoever has got a signed mail can send it again, and others log in, too.
    for (id, results) in [
        ("1", "dkim=pass header.d=example.com"),
        ("2", "dmarc=pass header.from=example.com"),
        ("3", "auth=pass smtp.auth=eve@example.com"),
        ("4", "auth=fail smtp.auth=ada@example.com"),
    ] {
        assert_eq!(reason(&gateway, FolderRole::Inbox, &found(results, id)).await, "own-address-outside-sent");
    }
    assert!(stored(&gateway).await.contains("PARTSTAT=NEEDS-ACTION"));
    let copy = found("auth=pass smtp.auth=ada@example.com", "5");
    assert_eq!(reason(&gateway, FolderRole::Inbox, &copy).await, "sent-by-client");
    assert!(stored(&gateway).await.contains("PARTSTAT=ACCEPTED"));
    assert_eq!(waiting(&gateway).await, Vec::<String>::new(), "the client has said it");
    assert_eq!(reason(&gateway, FolderRole::Sent, &copy).await, "seen-before");
}

#[tokio::test]
async fn a_strangers_mail_in_the_sent_folder_is_left_alone() {
    let (_folder, gateway) = invited().await;
    let update = mail("update", BO, ADA, &calendar("REQUEST", 5, BO, &guests(&[ADA])).replace("Rehearsal", "Changed"));
    assert_eq!(reason(&gateway, FolderRole::Sent, &update).await, "not-sent-by-user");
    assert!(!stored(&gateway).await.contains("Changed"));
    assert_eq!(reason(&gateway, FolderRole::Inbox, &update).await, "updated");
}

#[tokio::test]
async fn an_invitation_that_waits_is_taken_in_by_the_clients_answer() {
    let folder = imipd_lab::folder();
    let gateway = open_with(folder.path(), "auto_add = \"never\"").await;
    let copy = mail("early", ADA, BO, &reply("ACCEPTED", 0));
    assert_eq!(reason(&gateway, FolderRole::Sent, &copy).await, "event-not-found");
    let invitation = mail("invitation", BO, ADA, &calendar("REQUEST", 0, BO, &guests(&[ADA])));
    assert_eq!(reason(&gateway, FolderRole::Inbox, &invitation).await, "waits-for-user");
    assert_eq!(stored(&gateway).await, "");
    assert_eq!(reason(&gateway, FolderRole::Sent, &copy.replace("<early@", "<late@")).await, "sent-by-client");
    assert!(stored(&gateway).await.contains("PARTSTAT=ACCEPTED"));
    assert_eq!(outbox(&gateway).await, []);
}

// Meetings of the user's own.

#[tokio::test]
async fn a_meeting_in_the_sent_folder_is_stored_answered_changed_and_cancelled() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path()).await;
    let request = calendar("REQUEST", 0, ADA, &guests(&[BO, CY]));
    let both = format!("{BO}, {CY}");
    assert_eq!(reason(&gateway, FolderRole::Sent, &mail("ask", ADA, &both, &request)).await, "sent-by-client");
    let yes = calendar("REPLY", 0, ADA, &format!("ATTENDEE;PARTSTAT=ACCEPTED:mailto:{BO}\r\n"));
    assert_eq!(reason(&gateway, FolderRole::Inbox, &mail("yes", BO, ADA, &yes)).await, "answered");
    let later =
        request.replace("SEQUENCE:0", "SEQUENCE:1").replace("T160000Z", "T170000Z").replace("T000000Z", "T000100Z");
    assert_eq!(reason(&gateway, FolderRole::Sent, &mail("move", ADA, &both, &later)).await, "sent-by-client");
    assert!(stored(&gateway).await.contains("DTEND:20400601T170000Z"));
    assert_eq!(reason(&gateway, FolderRole::Sent, &mail("late", ADA, &both, &request)).await, "out-of-sequence");
    let off = calendar("CANCEL", 2, ADA, &format!("STATUS:CANCELLED\r\n{}", guests(&[BO, CY])))
        .replace("T000000Z", "T000200Z");
    assert_eq!(reason(&gateway, FolderRole::Sent, &mail("off", ADA, &both, &off)).await, "sent-by-client");
    assert!(stored(&gateway).await.contains("STATUS:CANCELLED"));
    assert_eq!(outbox(&gateway).await, [], "the client tells everybody");
}

#[tokio::test]
async fn a_meeting_that_a_client_stored_is_settled_for_those_to_whom_it_wrote() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path()).await;
    put_by_client(&gateway, &calendar("", 0, ADA, &guests(&[BO, CY]))).await;
    assert_eq!(waiting(&gateway).await.len(), 2);
    let request = mail("ask", ADA, BO, &calendar("REQUEST", 0, ADA, &guests(&[BO, CY])));
    assert_eq!(reason(&gateway, FolderRole::Sent, &request).await, "sent-by-client");
    assert_eq!(waiting(&gateway).await, [format!("REQUEST {CY}")], "the client has not written to Cy");
    assert!(stored(&gateway).await.contains("SEQUENCE:0"), "Bo knows no other");
}

#[tokio::test]
async fn a_cancellation_of_the_client_is_not_repeated_when_it_deletes_the_event() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path()).await;
    let request = mail("ask", ADA, BO, &calendar("REQUEST", 0, ADA, &guests(&[BO])));
    assert_eq!(reason(&gateway, FolderRole::Sent, &request).await, "sent-by-client");
    let off =
        calendar("CANCEL", 1, ADA, &format!("STATUS:CANCELLED\r\n{}", guests(&[BO]))).replace("T000000Z", "T000200Z");
    assert_eq!(reason(&gateway, FolderRole::Sent, &mail("off", ADA, BO, &off)).await, "sent-by-client");
    let gone = Change::Delete(CalUid(UID.to_owned()));
    gateway.change_by_client(&gateway.config.users[0], gone).await.expect("deleted");
    assert_eq!(waiting(&gateway).await, [] as [String; 0]);
}

#[tokio::test]
async fn a_change_of_the_users_own_is_on_its_way_at_once() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path()).await;
    put(&gateway, &calendar("", 0, ADA, &guests(&[BO]))).await;
    assert_eq!(due(&gateway).await, (1, 1));
}

// Reports.

/// Ada has invited Bo and Cy, and the mail has left; its Message-ID.
async fn sent() -> (imipd_lab::Folder, Arc<Gateway>, String) {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path()).await;
    put(&gateway, &calendar("", 0, ADA, &guests(&[BO, CY]))).await;
    let entry = gateway.ledger.outbox(1).await.expect("an outbox").remove(0);
    let mut transaction = gateway.ledger.begin().await.expect("a transaction");
    let mut gone = gateway.ledger.recipients(entry.id).await.expect("recipients");
    gone.iter_mut().for_each(|one| one.state = RecipientState::Sent);
    transaction.settle(entry.id, &gone, now_millis()).await.expect("settled");
    transaction.commit().await.expect("committed");
    (folder, gateway, entry.debt.message_id)
}

fn report(recipient: &str, envelope_id: &str, message_id: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.example.org\r\nTo: {ADA}\r\nMessage-ID: <report.{recipient}.{envelope_id}>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\
         Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\nOriginal-Envelope-Id: {envelope_id}\r\n\r\n\
         Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b\r\n\
         Content-Type: message/rfc822\r\n\r\nMessage-ID: {message_id}\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\n{}\r\n--b--\r\n",
        calendar("REQUEST", 9, BO, &guests(&[ADA]))
    )
}

async fn failed(gateway: &Gateway) -> Vec<String> {
    let all = outbox(gateway).await.into_iter();
    all.filter(|one| one.2 == RecipientState::Failed).map(|(_, to, _)| to).collect()
}

#[tokio::test]
async fn a_report_about_a_mail_of_ours_marks_its_recipient_and_tells_once() {
    let (_folder, gateway, message_id) = sent().await;
    let raw = report(BO, "unknown", &message_id);
    assert_eq!(reason(&gateway, FolderRole::Inbox, &raw).await, "not-delivered");
    assert!(stored(&gateway).await.contains(&format!("SCHEDULE-STATUS=5.1:mailto:{BO}")), "{}", stored(&gateway).await);
    assert_eq!(reason(&gateway, FolderRole::Inbox, &raw).await, "bounced-before");
    gateway.tell_undelivered(now_millis()).await.expect("told");
    assert_eq!(waiting(&gateway).await, [] as [String; 0], "others of the same mail may fail in this moment");
    assert_eq!(reason(&gateway, FolderRole::Inbox, &report(CY, "unknown", &message_id)).await, "not-delivered");
    for _ in 0..2 {
        gateway.tell_undelivered(now_millis() + 60_000).await.expect("told");
    }
    assert_eq!(waiting(&gateway).await, [format!("NOTE {ADA}")], "one note for both");
    assert_eq!(failed(&gateway).await, [BO, CY]);
}

#[tokio::test]
async fn a_note_that_comes_back_is_the_end_of_it() {
    let (_folder, gateway, message_id) = sent().await;
    reason(&gateway, FolderRole::Inbox, &report(BO, "unknown", &message_id)).await;
    gateway.tell_undelivered(now_millis() + 60_000).await.expect("told");
    let note = gateway.ledger.outbox(1).await.expect("an outbox").remove(0);
    let mut transaction = gateway.ledger.begin().await.expect("a transaction");
    let mut gone = gateway.ledger.recipients(note.id).await.expect("recipients");
    gone.iter_mut().for_each(|one| one.state = RecipientState::Sent);
    transaction.settle(note.id, &gone, now_millis()).await.expect("settled");
    transaction.commit().await.expect("committed");
    assert_eq!(
        reason(&gateway, FolderRole::Inbox, &report(ADA, "unknown", &note.debt.message_id)).await,
        "not-delivered"
    );
    gateway.tell_undelivered(now_millis() + 120_000).await.expect("told");
    assert_eq!(outbox(&gateway).await.len(), 3, "no note about a note");
}

#[tokio::test]
async fn only_what_has_failed_is_marked_however_the_report_is_made() {
    let (_folder, gateway, message_id) = sent().await;
    let before = stored(&gateway).await;
    for (nth, action) in
        ["delivered", "relayed", "expanded", "delayed", "delayed (and failed)", "x-failed"].iter().enumerate()
    {
        let raw = report(BO, &format!("u{nth}"), &message_id).replace("Action: failed", &format!("Action: {action}"));
        assert_eq!(reason(&gateway, FolderRole::Inbox, &raw).await, "delivery-report", "{action}");
    }
    assert_eq!(stored(&gateway).await, before);
    // The returned mail in base64, and one who failed among dozens of others who are not ours.
    let raw = report(BO, "many", &message_id);
    let (head, mail) = raw.split_once("Content-Type: message/rfc822\r\n\r\n").expect("the returned mail");
    let (mail, end) = mail.split_once("\r\n--b--").expect("an end");
    let encoded = base64::prelude::BASE64_STANDARD.encode(mail);
    let encoded = encoded.as_bytes().chunks(76).map(String::from_utf8_lossy).collect::<Vec<_>>().join("\r\n");
    let others: String = (0..60)
        .map(|nth| {
            format!("Final-Recipient: rfc822; other{nth}@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n")
        })
        .collect();
    let head = head.replace("Final-Recipient", &format!("{others}Final-Recipient"));
    let raw = format!(
        "{head}Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n{encoded}\r\n--b--{end}"
    );
    assert_eq!(reason(&gateway, FolderRole::Inbox, &raw).await, "not-delivered", "{raw}");
    assert_eq!(failed(&gateway).await, [BO]);
    gateway.tell_undelivered(now_millis() + 60_000).await.expect("told");
    assert_eq!(waiting(&gateway).await, [format!("NOTE {ADA}")], "and not one for each of the others");
}

#[tokio::test]
async fn forged_reports_do_nothing() {
    let (_folder, gateway, message_id) = sent().await;
    let before = stored(&gateway).await;
    for (raw, expected) in [
        (report("dee@example.org", "x", &message_id), "delivery-report"),
        (report(BO, "1-00000000000000000000", "<other@example.com>"), "inside-bounce"),
        (report(BO, "", "<other@example.com>"), "inside-bounce"),
        (report(BO, "x", &message_id).replace("Action: failed", "Action: delayed"), "delivery-report"),
    ] {
        assert_eq!(reason(&gateway, FolderRole::Inbox, &raw).await, expected, "{raw}");
    }
    // Whoever knows the Message-ID has to have the report in the mailbox of the one who wrote the mail.
    let in_eves = take(&gateway, 1, FolderRole::Inbox, &report(BO, "x", &message_id)).await;
    assert_eq!(in_eves, [("ignored".to_owned(), "inside-bounce".to_owned())]);
    let in_sent = take(&gateway, 0, FolderRole::Sent, &report(BO, "x", &message_id)).await;
    assert_eq!(in_sent, [("ignored".to_owned(), "inside-bounce".to_owned())]);
    assert_eq!((stored(&gateway).await, failed(&gateway).await.len()), (before, 0));
}
