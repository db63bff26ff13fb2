//! A gateway without servers: answers by where a mail is put, by keywords and to notices, and everything that is none.

use std::path::Path;
use std::sync::Arc;

use imipd::config::Config;
use imipd::gateway::{Attempt, Change, Gateway, Place};
use imipd::imip::answer::Choice;
use imipd::itip::{CalUid, CalendarObject};
use imipd::ledger::{CursorRecord, MailNumber};
use imipd::mailbox::FolderRole;

const UID: &str = "choir-1@example.com";
const ADA: &str = "ada@example.com";
const BO: &str = "bo@example.org";
const FOLDERS: &str = "[answers]\nfolders = true\n";
const NOTICE: &str = "[answers]\nnotice = true\n";

async fn open(folder: &Path, more: &str) -> Arc<Gateway> {
    std::fs::write(folder.join("password"), "secret\n").expect("a password");
    let text = format!(
        "[database]\nurl = \"sqlite://{}/imipd.db\"\n{more}\n[[user]]\naddresses = [\"{ADA}\"]\npassword_file = \"password\"\n\
         timezone = \"Europe/Berlin\"\nlanguage = \"de\"\n",
        folder.display()
    );
    Gateway::open(Config::parse(&text, folder).expect("a configuration")).await.expect("a database")
}

/// A rehearsal from eight to ten, with these lines besides.
fn calendar(method: &str, sequence: u32, lines: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n{method}BEGIN:VEVENT\r\nUID:{UID}\r\nSUMMARY:Rehearsal\r\n\
         SEQUENCE:{sequence}\r\nDTSTAMP:2026010{}T000000Z\r\nDTSTART:20400601T080000Z\r\nDTEND:20400601T100000Z\r\n{lines}\
         END:VEVENT\r\nEND:VCALENDAR\r\n",
        sequence + 1
    )
}

/// What Bo asks Ada.
fn asked() -> String {
    format!("ORGANIZER:mailto:{BO}\r\nATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{ADA}\r\n")
}

fn mail(id: &str, from: &str, method: &str, calendar: &str) -> String {
    format!(
        "From: {from}\r\nTo: {ADA}\r\nMessage-ID: <{id}@example.org>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/calendar; charset=utf-8; method={method}\r\n\r\n{calendar}"
    )
}

fn invitation(id: &str, sequence: u32) -> String {
    mail(id, BO, "REQUEST", &calendar("METHOD:REQUEST\r\n", sequence, &asked()))
}

fn words(id: &str, answers: &str, body: &str) -> String {
    format!(
        "From: {ADA}\r\nTo: {ADA}\r\nSubject: Re: Rehearsal\r\nMessage-ID: <{id}@client.example>\r\n\
         In-Reply-To: {answers}\r\n\r\n{body}\r\n"
    )
}

/// Where a mail lies, and why it is looked at.
#[derive(Clone, Copy)]
enum Lies {
    Inbox,
    Sent,
    /// In a folder of answers, with a number of its own.
    Put(Choice),
    /// There since the folder had other numbers.
    Reread(Choice),
    Tagged(Choice),
}

/// Reads a mail; verdict and reason of what was decided.
async fn take(gateway: &Gateway, lies: Lies, raw: &str) -> Vec<(String, String)> {
    let cursor = Some(CursorRecord { uid_validity: 1, next_uid: 2, highest_modseq: 0, since_at: 0 });
    let (folder, role, cursor) = match lies {
        Lies::Inbox | Lies::Tagged(_) => ("INBOX", FolderRole::Inbox, None),
        Lies::Sent => ("Sent", FolderRole::Sent, None),
        Lies::Put(choice) => ("Invitations/Accept", FolderRole::Answers(choice), cursor),
        Lies::Reread(choice) => ("Invitations/Accept", FolderRole::Answers(choice), None),
    };
    let tagged = if let Lies::Tagged(choice) = lies { Some(choice) } else { None };
    let place = Place { user: &gateway.config.users[0], folder, role, cursor };
    let attempt = Attempt { tagged, ..Attempt::first(MailNumber { uid_validity: 1, uid: 1 }) };
    let taken = gateway.receive_attempt(place, attempt, raw.as_bytes()).await.expect("decided");
    taken.records().into_iter().map(|record| (record.verdict, record.reason)).collect()
}

fn decided(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(verdict, reason)| ((*verdict).to_owned(), (*reason).to_owned())).collect()
}

async fn stored(gateway: &Gateway) -> String {
    let stored = gateway.object(&gateway.config.users[0], &CalUid(UID.to_owned())).await.expect("read");
    stored.map(|stored| stored.content.replace("\r\n ", "")).unwrap_or_default()
}

/// The mails of a method that wait to be sent, newest first: the Message-ID and the whole.
async fn outbox(gateway: &Gateway, method: &str) -> Vec<(String, String)> {
    let mut mails = Vec::new();
    for entry in gateway.ledger.outbox(50).await.expect("an outbox") {
        let entry = gateway.ledger.outbox_entry(entry.id).await.expect("an outbox").expect("a mail");
        if entry.debt.method == method {
            mails.push((entry.debt.message_id, String::from_utf8(entry.debt.raw).expect("ASCII")));
        }
    }
    mails
}

/// The text of a mail, decoded.
fn text(raw: &str) -> String {
    let parsed = mail_parser::MessageParser::default().parse(raw.as_bytes()).expect("a mail");
    let subject = parsed.subject().expect("a subject").to_owned();
    format!("{subject}\n{}", parsed.body_text(0).expect("a text").replace("\r\n", " "))
}

async fn moves(gateway: &Gateway) -> usize {
    gateway.ledger.due_moves(i64::MAX, 50).await.expect("moves").len()
}

const BY_FOLDER: (&str, &str) = ("applied", "answered-by-folder");

#[tokio::test]
async fn whoever_puts_an_invitation_into_a_folder_has_answered_it_once() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path(), FOLDERS).await;
    let raw = invitation("ask", 0);
    assert_eq!(take(&gateway, Lies::Inbox, &raw).await, decided(&[("applied", "invited")]));
    assert_eq!(moves(&gateway).await, 0);
    assert_eq!(take(&gateway, Lies::Put(Choice::Accept), &raw).await, decided(&[BY_FOLDER]));
    assert!(stored(&gateway).await.contains("PARTSTAT=ACCEPTED"));
    assert_eq!(moves(&gateway).await, 1, "it is moved back");
    let told = outbox(&gateway, "REPLY").await;
    assert!(told.len() == 1 && told[0].1.contains("PARTSTAT=ACCEPTED"), "{told:?}");
    // Moved back, and put there again.
    assert_eq!(take(&gateway, Lies::Inbox, &raw).await, decided(&[("ignored", "seen-before")]));
    let again = take(&gateway, Lies::Put(Choice::Accept), &raw).await;
    assert_eq!(again, decided(&[("unchanged", "answered-by-folder")]));
    assert_eq!(outbox(&gateway, "REPLY").await.len(), 1);
    // Another folder is another answer, and the first one may come again.
    assert_eq!(take(&gateway, Lies::Put(Choice::Decline), &raw).await, decided(&[BY_FOLDER]));
    assert_eq!(take(&gateway, Lies::Put(Choice::Accept), &raw).await, decided(&[BY_FOLDER]));
    assert_eq!(outbox(&gateway, "REPLY").await.len(), 3);
    // New numbers are no answers: the user has changed their mind since.
    let tagged = take(&gateway, Lies::Tagged(Choice::Tentative), &raw).await;
    assert_eq!(tagged, decided(&[("applied", "answered-by-keyword")]));
    assert!(stored(&gateway).await.contains("PARTSTAT=TENTATIVE"));
    assert_eq!(take(&gateway, Lies::Reread(Choice::Accept), &raw).await, decided(&[("ignored", "seen-before")]));
    assert!(stored(&gateway).await.contains("PARTSTAT=TENTATIVE"));
}

#[tokio::test]
async fn an_invitation_that_nobody_has_seen_yet_is_taken_in_and_answered() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path(), FOLDERS).await;
    let raw = invitation("ask", 0);
    let both = decided(&[("applied", "invited"), BY_FOLDER]);
    assert_eq!(take(&gateway, Lies::Put(Choice::Tentative), &raw).await, both);
    assert!(stored(&gateway).await.contains("PARTSTAT=TENTATIVE"));
    assert_eq!(take(&gateway, Lies::Inbox, &raw).await, decided(&[("ignored", "seen-before")]));
}

#[tokio::test]
async fn what_the_organizer_asks_no_more_is_not_answered() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path(), FOLDERS).await;
    let (old, new) = (invitation("old", 0), invitation("new", 1));
    take(&gateway, Lies::Inbox, &old).await;
    assert_eq!(take(&gateway, Lies::Inbox, &new).await[0].0, "applied");
    let before = stored(&gateway).await;
    let late = take(&gateway, Lies::Put(Choice::Accept), &old).await;
    assert_eq!(late, decided(&[("ignored", "invitation-superseded")]));
    let off = calendar("METHOD:CANCEL\r\n", 2, &format!("{}STATUS:CANCELLED\r\n", asked()));
    assert_eq!(stored(&gateway).await, before);
    assert_eq!(take(&gateway, Lies::Inbox, &mail("off", BO, "CANCEL", &off)).await[0].0, "applied");
    let late = take(&gateway, Lies::Put(Choice::Accept), &new).await;
    assert!(late == decided(&[("ignored", "invitation-cancelled")]) || late[0].1 == "answer-not-taken", "{late:?}");
    assert_eq!(outbox(&gateway, "REPLY").await, []);
    assert_eq!(moves(&gateway).await, 1, "the mails are moved back (under one number here)");
}

#[tokio::test]
async fn what_asks_nothing_stays_where_it_was_put() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path(), FOLDERS).await;
    let plain = format!("From: {BO}\r\nTo: {ADA}\r\nMessage-ID: <plain@example.org>\r\n\r\nSee you.\r\n");
    let none = decided(&[("ignored", "no-invitation")]);
    assert_eq!(take(&gateway, Lies::Put(Choice::Accept), &plain).await, none);
    assert_eq!(moves(&gateway).await, 0);
    take(&gateway, Lies::Inbox, &invitation("ask", 0)).await;
    // A stranger's message about the same event is no invitation, wherever it is put.
    let forged = mail("forged", "eve@evil.example", "REQUEST", &calendar("METHOD:REQUEST\r\n", 4, &asked()));
    let refused = take(&gateway, Lies::Put(Choice::Accept), &forged).await;
    assert_eq!(refused.iter().map(|(verdict, _)| verdict.as_str()).collect::<Vec<_>>(), ["refused", "ignored"]);
    assert!(stored(&gateway).await.contains("PARTSTAT=NEEDS-ACTION"));
    assert_eq!(outbox(&gateway, "REPLY").await, []);
}

#[tokio::test]
async fn what_waits_is_answered_and_what_cannot_be_answered_goes_on_waiting() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path(), &format!("{FOLDERS}[policy]\nauto_add = \"never\"\n")).await;
    let raw = invitation("ask", 0);
    assert_eq!(take(&gateway, Lies::Inbox, &raw).await, decided(&[("proposed", "waits-for-user")]));
    assert_eq!(take(&gateway, Lies::Put(Choice::Decline), &raw).await, decided(&[BY_FOLDER]));
    assert_eq!(outbox(&gateway, "REPLY").await.len(), 1);
    // Forwarded: the user is not among those who are asked.
    let other = calendar("METHOD:REQUEST\r\n", 0, &asked().replace(ADA, "cy@example.org")).replace(UID, "other");
    let forwarded = mail("forwarded", BO, "REQUEST", &other);
    assert_eq!(take(&gateway, Lies::Inbox, &forwarded).await, decided(&[("proposed", "not-invited-by-name")]));
    let answer = take(&gateway, Lies::Put(Choice::Accept), &forwarded).await;
    assert_eq!(answer, decided(&[("ignored", "answer-not-taken")]));
    assert_eq!(gateway.ledger.proposals(ADA).await.expect("proposals").len(), 1, "nothing is lost by it");
}

#[tokio::test]
async fn a_notice_tells_what_collides_and_its_answer_is_the_answer_to_the_invitation() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path(), NOTICE).await;
    let dentist = calendar("", 0, "").replace(UID, "dentist").replace("Rehearsal", "Dentist").replace("T08", "T09");
    let party = calendar("", 0, "TRANSP:TRANSPARENT\r\n").replace(UID, "party").replace("Rehearsal", "Party");
    let early = calendar("", 0, "")
        .replace(UID, "early")
        .replace("Rehearsal", "Swim")
        .replace("T10", "T08")
        .replace("T080000Z\r\nDTEND", "T070000Z\r\nDTEND");
    for other in [dentist, party, early] {
        let object = CalendarObject::parse(&other).expect("an object");
        gateway.change(&gateway.config.users[0], Change::Put(Box::new(object))).await.expect("stored");
    }
    let raw = invitation("ask", 0);
    take(&gateway, Lies::Inbox, &raw).await;
    take(&gateway, Lies::Inbox, &raw).await;
    let notices = outbox(&gateway, "NOTE").await;
    let [(id, notice)] = notices.as_slice() else { panic!("{} notices", notices.len()) };
    let told = text(notice);
    for part in ["Bitte antworten: Rehearsal", "Dentist", "11:00", "Europe/Berlin", "Ja, Nein oder Vielleicht"] {
        assert!(told.contains(part), "{part} in {told}");
    }
    for other in ["Party", "Swim", "Invitations", "{", "$"] {
        assert!(!told.contains(other), "{other} in {told}");
    }
    assert!(notice.contains("Auto-Submitted: auto-generated") && notice.contains("In-Reply-To: <ask@example.org>"));
    assert!(imipd::imip::extract(notice.as_bytes()).calendars.is_empty());
    // The notice comes in, and so does the user's answer, which goes to themself.
    assert_eq!(take(&gateway, Lies::Inbox, notice).await, []);
    let answer = words("1", id, "Ja\r\n\r\nMit Noten.\r\n\r\n> Bitte antworten\r\n> no");
    assert_eq!(take(&gateway, Lies::Inbox, &answer).await, []);
    assert_eq!(take(&gateway, Lies::Sent, &answer).await, decided(&[("applied", "answered-in-words")]));
    assert_eq!(take(&gateway, Lies::Sent, &answer).await, decided(&[("ignored", "seen-before")]));
    let replies = outbox(&gateway, "REPLY").await;
    assert_eq!(replies.len(), 1);
    assert!(stored(&gateway).await.contains("PARTSTAT=ACCEPTED"));
    assert_eq!(outbox(&gateway, "NOTE").await.len(), 1);
    // A later time asks again, and an answer to the older notice is no answer to that.
    let moved = invitation("moved", 1).replace("T080000Z", "T110000Z").replace("T100000Z", "T120000Z");
    assert_eq!(take(&gateway, Lies::Inbox, &moved).await[0].0, "applied");
    assert_eq!(outbox(&gateway, "NOTE").await.len(), 2);
    let late = take(&gateway, Lies::Sent, &words("2", id, "nein")).await;
    assert_eq!(late, decided(&[("ignored", "invitation-superseded")]));
}

#[tokio::test]
async fn a_notice_comes_only_where_there_is_something_to_ask() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path(), NOTICE).await;
    let past = invitation("past", 0).replace("20400601", "20100601").replace(UID, "past");
    let listed = invitation("list", 0).replacen("To:", "List-Id: <choir.example.org>\r\nTo:", 1).replace(UID, "list");
    let answered = invitation("done", 0).replace("NEEDS-ACTION", "ACCEPTED").replace(UID, "done");
    for raw in [past, listed, answered] {
        assert_eq!(take(&gateway, Lies::Inbox, &raw).await, decided(&[("applied", "invited")]));
    }
    // Put into a folder it is answered already.
    let put = invitation("put", 0).replace(UID, "put");
    assert_eq!(take(&gateway, Lies::Put(Choice::Accept), &put).await.len(), 2);
    assert_eq!(outbox(&gateway, "NOTE").await, []);
}

/// Ada invites Bo and has a proposal of his; the notice about it.
async fn countered(gateway: &Gateway, id: &str, hour: &str) -> String {
    let people = format!("ORGANIZER:mailto:{ADA}\r\nATTENDEE;RSVP=TRUE:mailto:{BO}\r\n");
    if stored(gateway).await.is_empty() {
        let object = CalendarObject::parse(&calendar("", 0, &people)).expect("an object");
        gateway.change(&gateway.config.users[0], Change::Put(Box::new(object))).await.expect("stored");
    }
    let counter = calendar("METHOD:COUNTER\r\n", 0, &people).replace("T080000Z", &format!("T{hour}0000Z"));
    let counter = counter.replace("T100000Z", "T180000Z");
    let reason = take(gateway, Lies::Inbox, &mail(id, BO, "COUNTER", &counter)).await;
    assert_eq!(reason, decided(&[("proposed", "counter-proposal")]));
    outbox(gateway, "NOTE").await.remove(0).0
}

#[tokio::test]
async fn the_owner_of_a_meeting_takes_or_declines_a_proposal_by_a_word() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path(), NOTICE).await;
    let first = countered(&gateway, "first", "12").await;
    let second = countered(&gateway, "second", "14").await;
    let answered = decided(&[("applied", "answered-in-words")]);
    let not_taken = decided(&[("ignored", "answer-not-taken")]);
    // Nobody takes what they have not seen, and "maybe" decides nothing.
    assert_eq!(take(&gateway, Lies::Sent, &words("1", &first, "ja")).await, not_taken);
    assert_eq!(take(&gateway, Lies::Sent, &words("2", &second, "vielleicht")).await, not_taken);
    assert!(stored(&gateway).await.contains("DTSTART:20400601T080000Z"));
    assert_eq!(take(&gateway, Lies::Sent, &words("3", &second, "yes")).await, answered);
    assert!(stored(&gateway).await.contains("DTSTART:20400601T140000Z"));
    assert_eq!(outbox(&gateway, "REQUEST").await.len(), 2, "the invitation and the update");
    assert_eq!(take(&gateway, Lies::Sent, &words("4", &second, "no")).await, not_taken, "it is settled");
    let third = countered(&gateway, "third", "16").await;
    assert_eq!(take(&gateway, Lies::Sent, &words("5", &third, "Nein")).await, answered);
    assert_eq!(outbox(&gateway, "DECLINECOUNTER").await.len(), 1);
    assert!(stored(&gateway).await.contains("DTSTART:20400601T140000Z"));
}

#[tokio::test]
async fn whoever_answered_uninvited_is_let_in_by_a_word() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path(), &format!("{NOTICE}[policy]\nparty_crashers = \"propose\"\n")).await;
    let people = format!("ORGANIZER:mailto:{ADA}\r\nATTENDEE;RSVP=TRUE:mailto:{BO}\r\n");
    let object = CalendarObject::parse(&calendar("", 0, &people)).expect("an object");
    gateway.change(&gateway.config.users[0], Change::Put(Box::new(object))).await.expect("stored");
    for (name, word, is_in) in [("eve", "nein", false), ("di", "ja", true)] {
        let address = format!("{name}@example.net");
        let lines = format!("ORGANIZER:mailto:{ADA}\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:{address}\r\n");
        let reply = mail(name, &address, "REPLY", &calendar("METHOD:REPLY\r\n", 0, &lines));
        assert_eq!(take(&gateway, Lies::Inbox, &reply).await, decided(&[("proposed", "party-crasher")]));
        let (id, notice) = outbox(&gateway, "NOTE").await.remove(0);
        assert!(text(&notice).contains(&format!("{address} war nicht eingeladen")), "{}", text(&notice));
        let answer = take(&gateway, Lies::Sent, &words(name, &id, word)).await;
        assert_eq!(answer, decided(&[("applied", "answered-in-words")]));
        assert_eq!(stored(&gateway).await.contains(&address), is_in, "{name}");
    }
}

#[tokio::test]
async fn a_doubtful_sender_is_believed_or_forgotten_by_a_word() {
    let folder = imipd_lab::folder();
    let policy = "[policy]\nauthserv_id = [\"mx.example.com\"]\ntrust = \"authenticated\"\n";
    let gateway = open(folder.path(), &format!("{NOTICE}{policy}")).await;
    let unproven = decided(&[("proposed", "sender-unproven")]);
    assert_eq!(take(&gateway, Lies::Inbox, &invitation("one", 0)).await, unproven);
    let (id, notice) = outbox(&gateway, "NOTE").await.remove(0);
    let told = text(&notice);
    assert!(told.contains("Ist das echt? Rehearsal") && told.contains(BO), "{told}");
    let answered = decided(&[("applied", "answered-in-words")]);
    assert_eq!(take(&gateway, Lies::Sent, &words("1", &id, "nein")).await, answered);
    assert_eq!(outbox(&gateway, "REPLY").await, [], "nobody is told");
    assert_eq!(gateway.ledger.proposals(ADA).await.expect("proposals"), []);
    assert_eq!(take(&gateway, Lies::Inbox, &invitation("two", 0)).await, unproven);
    let (id, _) = outbox(&gateway, "NOTE").await.remove(0);
    assert_eq!(take(&gateway, Lies::Sent, &words("2", &id, "ja")).await, answered);
    assert!(stored(&gateway).await.contains("PARTSTAT=ACCEPTED"));
    assert_eq!(outbox(&gateway, "REPLY").await.len(), 1);
    // A change of what is held is believed, or not; that is no answer.
    let moved = invitation("moved", 1).replace("T080000Z", "T110000Z").replace("T100000Z", "T120000Z");
    assert_eq!(take(&gateway, Lies::Inbox, &moved).await, unproven);
    let (id, _) = outbox(&gateway, "NOTE").await.remove(0);
    assert!(stored(&gateway).await.contains("DTSTART:20400601T080000Z"));
    assert_eq!(take(&gateway, Lies::Sent, &words("3", &id, "ja")).await, answered);
    assert!(stored(&gateway).await.contains("DTSTART:20400601T110000Z"));
    assert_eq!(outbox(&gateway, "REPLY").await.len(), 1);
}

/// The mail that a program writes for the link with this word in front in a notice.
fn by_link(notice: &str, word: &str, (id, from): (&str, &str), body: &str) -> String {
    let parsed = mail_parser::MessageParser::default().parse(notice.as_bytes()).expect("a mail");
    let told = parsed.body_text(0).expect("a text").into_owned();
    let line = told.lines().find(|line| line.starts_with(&format!("{word}  mailto:"))).expect("a link");
    let url = url::Url::parse(line.split_whitespace().nth(1).expect("a link")).expect("a URL");
    let subject = url.query_pairs().find(|(name, _)| name == "subject").expect("a subject").1.into_owned();
    assert_eq!(url.path(), ADA, "it goes to the user alone");
    let html = parsed.body_html(0).expect("HTML").replace("&amp;", "&");
    assert!(html.contains(&format!("href=\"{url}\"")), "{html}");
    format!("From: {from}\r\nTo: {ADA}\r\nSubject: {subject}\r\nMessage-ID: <{id}@client.example>\r\n\r\n{body}\r\n")
}

#[tokio::test]
async fn a_link_in_a_notice_is_the_users_answer_and_nobody_elses() {
    let folder = tempfile::tempdir().expect("a folder");
    let gateway = open(folder.path(), NOTICE).await;
    take(&gateway, Lies::Inbox, &invitation("ask", 0)).await;
    let (id, notice) = outbox(&gateway, "NOTE").await.remove(0);
    let before = stored(&gateway).await;
    // Whoever else has it, and whoever has none.
    let of_bo = by_link(&notice, "Ja", ("1", BO), "");
    assert_eq!(take(&gateway, Lies::Inbox, &of_bo).await, decided(&[("ignored", "link-unknown")]));
    let token = of_bo.split("imipd:yes:").nth(1).and_then(|rest| rest.get(..22)).expect("a token").to_owned();
    let forged = by_link(&notice, "Ja", ("2", ADA), "").replace(&token, "AAAAAAAAAAAAAAAAAAAAAA");
    assert_eq!(take(&gateway, Lies::Inbox, &forged).await, []);
    assert_eq!(take(&gateway, Lies::Sent, &by_link(&notice, "Ja", ("3", ADA), "")).await, [], "it comes in besides");
    for field in ["Auto-Submitted: auto-replied", "List-Id: <l.example.org>", "In-Reply-To: <x@example.org>"] {
        let mail = by_link(&notice, "Ja", ("4", ADA), "").replacen("Subject", &format!("{field}\r\nSubject"), 1);
        assert_eq!(take(&gateway, Lies::Inbox, &mail).await, [], "{field}");
    }
    let both = by_link(&notice, "Ja", ("5", ADA), "Nein");
    assert_eq!(take(&gateway, Lies::Inbox, &both).await, decided(&[("ignored", "answer-not-taken")]));
    assert_eq!((stored(&gateway).await, outbox(&gateway, "REPLY").await), (before, Vec::new()));

    let by_the_link = decided(&[("applied", "answered-by-link")]);
    let yes = by_link(&notice, "Ja", ("6", ADA), "Mit Noten.\r\n\r\n-- \r\nAda");
    assert_eq!(take(&gateway, Lies::Inbox, &yes).await, by_the_link);
    assert_eq!(take(&gateway, Lies::Inbox, &yes).await, decided(&[("ignored", "seen-before")]));
    assert!(stored(&gateway).await.contains("PARTSTAT=ACCEPTED"));
    let replies = outbox(&gateway, "REPLY").await;
    assert!(replies.len() == 1 && replies[0].1.contains("COMMENT:Mit Noten."), "{replies:?}");
    assert_eq!(take(&gateway, Lies::Inbox, &by_link(&notice, "Vielleicht", ("7", ADA), "")).await, by_the_link);
    assert!(stored(&gateway).await.contains("PARTSTAT=TENTATIVE"));
    // A later time asks anew, and the link of the older notice is no answer to that; the user is told.
    let moved = invitation("moved", 1).replace("T080000Z", "T110000Z").replace("T100000Z", "T120000Z");
    take(&gateway, Lies::Inbox, &moved).await;
    let (newer, _) = outbox(&gateway, "NOTE").await.remove(0);
    assert_ne!(newer, id);
    let late = take(&gateway, Lies::Inbox, &by_link(&notice, "Nein", ("8", ADA), "")).await;
    assert_eq!(late, decided(&[("ignored", "invitation-superseded")]));
    let (_, told) = outbox(&gateway, "NOTE").await.remove(0);
    assert!(text(&told).contains("neueste Mail") && told.contains("In-Reply-To: <8@client.example>"), "{told}");
}

#[tokio::test]
async fn a_proposal_is_taken_by_a_link() {
    let folder = tempfile::tempdir().expect("a folder");
    let gateway = open(folder.path(), NOTICE).await;
    countered(&gateway, "first", "12").await;
    let (_, notice) = outbox(&gateway, "NOTE").await.remove(0);
    assert!(!text(&notice).contains("Vielleicht  mailto:"), "a proposal is taken or not");
    let taken = take(&gateway, Lies::Inbox, &by_link(&notice, "Ja", ("1", ADA), "")).await;
    assert_eq!(taken, decided(&[("applied", "answered-by-link")]));
    assert!(stored(&gateway).await.contains("DTSTART:20400601T120000Z"));
}

#[tokio::test]
async fn a_forged_mail_takes_nothing_by_a_link() {
    let folder = tempfile::tempdir().expect("a folder");
    let policy = "[policy]\nauthserv_id = [\"mx.example.com\"]\ntrust = \"authenticated\"\n";
    let gateway = open(folder.path(), &format!("{NOTICE}{policy}")).await;
    take(&gateway, Lies::Inbox, &invitation("one", 0)).await;
    let (_, notice) = outbox(&gateway, "NOTE").await.remove(0);
    let failed = "Authentication-Results: mx.example.com; dmarc=fail header.from=example.com\r\n";
    let forged = format!("{failed}{}", by_link(&notice, "Ja", ("1", ADA), ""));
    assert_eq!(take(&gateway, Lies::Inbox, &forged).await, decided(&[("refused", "sender-contradicted")]));
    assert_eq!(stored(&gateway).await, "");
    // Where nothing is found about the sender, the token is the proof.
    let taken = take(&gateway, Lies::Inbox, &by_link(&notice, "Ja", ("2", ADA), "")).await;
    assert_eq!(taken, decided(&[("applied", "answered-by-link")]));
    assert!(stored(&gateway).await.contains("PARTSTAT=ACCEPTED"));
}

#[tokio::test]
async fn a_flood_of_old_invitations_is_no_flood_of_notes() {
    let folder = tempfile::tempdir().expect("a folder");
    let gateway = open(folder.path(), FOLDERS).await;
    take(&gateway, Lies::Inbox, &invitation("old", 0)).await;
    take(&gateway, Lies::Inbox, &invitation("new", 1)).await;
    for n in 0..300 {
        let copy = invitation(&format!("copy{n}"), 0);
        assert_eq!(take(&gateway, Lies::Put(Choice::Accept), &copy).await.last().expect("a decision").0, "ignored");
    }
    assert_eq!(gateway.ledger.outbox(1_000).await.expect("an outbox").len(), 200);
    assert_eq!(outbox(&gateway, "REPLY").await, []);
}
