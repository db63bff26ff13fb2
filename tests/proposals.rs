//! A gateway without servers: what users say besides yes and no. They propose another time, send somebody else, ask and
//! publish; organizers settle what others propose.

use std::path::Path;
use std::sync::Arc;

use imipd::config::Config;
use imipd::gateway::{Change, ChangeError, Changed, Gateway, Place, Saying, Settlement, Waiting};
use imipd::itip::announce::Wish;
use imipd::itip::time::parse_basic_format;
use imipd::itip::{Address, CalUid, CalendarObject};
use imipd::mailbox::FolderRole;

const UID: &str = "moor-7@example.com";

/// A gateway with one user, Ada.
async fn open(folder: &Path, policy: &str) -> Arc<Gateway> {
    std::fs::write(folder.join("password"), "secret\n").expect("a password");
    let text = format!(
        "[database]\nurl = \"sqlite://{}/imipd.db\"\n[policy]\n{policy}\n\
         [[user]]\naddresses = [\"ada@example.com\"]\npassword_file = \"password\"\n",
        folder.display()
    );
    Gateway::open(Config::parse(&text, folder).expect("a configuration")).await.expect("a database")
}

fn uid() -> CalUid {
    CalUid(UID.to_owned())
}

/// A walk with these lines besides when it is and what it is called.
fn walk(method: &str, lines: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n{method}BEGIN:VEVENT\r\nUID:{UID}\r\nSUMMARY:Walk\r\n\
         DTSTAMP:20260101T000000Z\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

const AT_EIGHT: &str = "DTSTART:20400601T080000Z\r\nDTEND:20400601T160000Z\r\nLOCATION:Moor\r\n";

/// Ada invites Bo and Cy.
async fn invite(gateway: &Gateway) {
    let people = "ORGANIZER:mailto:ada@example.com\r\nATTENDEE;RSVP=TRUE:mailto:bo@example.org\r\n\
                  ATTENDEE;RSVP=TRUE:mailto:cy@example.org\r\n";
    let object = CalendarObject::parse(&walk("", &format!("{AT_EIGHT}{people}"))).expect("an object");
    gateway.change(&gateway.config.users[0], Change::Put(Box::new(object))).await.expect("stored");
}

/// Ines invites Ada.
async fn invited(gateway: &Gateway) -> String {
    let people = "SEQUENCE:0\r\nORGANIZER:mailto:ines@example.org\r\nATTENDEE;RSVP=TRUE:mailto:ada@example.com\r\n";
    mail(gateway, "ines@example.org", "REQUEST", &format!("{AT_EIGHT}{people}")).await
}

/// A mail comes in; the reason that is recorded.
async fn mail(gateway: &Gateway, from: &str, method: &str, lines: &str) -> String {
    let calendar = walk(&format!("METHOD:{method}\r\n"), lines);
    let raw = format!(
        "From: {from}\r\nTo: ada@example.com\r\nSubject: walk\r\nMessage-ID: <{method}.{from}>\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/calendar; charset=utf-8; method={method}\r\n\r\n{calendar}"
    );
    let place = Place { user: &gateway.config.users[0], folder: "INBOX", role: FolderRole::Inbox, cursor: None };
    let records = gateway.receive_mail(place, raw.as_bytes()).await.expect("decided");
    records.into_iter().map(|record| record.reason).collect()
}

/// Bo would like to start at ten, at the inn.
async fn bo_counters(gateway: &Gateway) -> String {
    let lines = "SEQUENCE:1\r\nDTSTART:20400601T100000Z\r\nDTEND:20400601T160000Z\r\nLOCATION:Inn\r\n\
                 ORGANIZER:mailto:ada@example.com\r\nATTENDEE:mailto:bo@example.org\r\n";
    mail(gateway, "bo@example.org", "COUNTER", lines).await
}

/// The answer of `name` to Ada, with parameters of theirs besides PARTSTAT.
async fn answer(gateway: &Gateway, name: &str, parameters: &str) -> String {
    let lines = format!(
        "SEQUENCE:1\r\nORGANIZER:mailto:ada@example.com\r\nATTENDEE;{parameters}:mailto:{name}@example.org\r\n"
    );
    mail(gateway, &format!("{name}@example.org"), "REPLY", &lines).await
}

async fn settle(gateway: &Gateway, name: &str, settlement: Settlement) -> Result<Changed, ChangeError> {
    let proposer = Address::parse(&format!("{name}@example.org"));
    gateway.settle_proposal(&gateway.config.users[0], &uid(), &proposer, settlement).await
}

async fn say(gateway: &Gateway, saying: Saying) -> Result<Changed, ChangeError> {
    gateway.change(&gateway.config.users[0], Change::Say(uid(), saying)).await
}

/// What Ada holds, unfolded.
async fn held(gateway: &Gateway) -> String {
    let stored = gateway.object(&gateway.config.users[0], &uid()).await.expect("a calendar");
    stored.expect("an object").content.replace("\r\n ", "")
}

/// How many messages wait for Ada.
async fn waiting(gateway: &Gateway) -> usize {
    gateway.ledger.proposals("ada@example.com").await.expect("proposals").len()
}

/// The calendar of the mail that was entered last, unfolded.
async fn last_mail(gateway: &Gateway) -> String {
    let newest = gateway.ledger.outbox(1).await.expect("an outbox").first().expect("a mail").id;
    let entry = gateway.ledger.outbox_entry(newest).await.expect("an outbox").expect("a mail");
    let parts = imipd::imip::extract(&entry.debt.raw).calendars;
    parts.into_iter().map(|part| part.text.replace("\r\n ", "")).next().expect("a calendar")
}

fn mails(changed: &Changed) -> Vec<(&str, String)> {
    changed.mails.iter().map(|(method, to)| (method.as_str(), to.join(" "))).collect()
}

#[tokio::test]
async fn an_accepted_proposal_becomes_an_update_once() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path(), "").await;
    invite(&gateway).await;
    assert_eq!(bo_counters(&gateway).await, "counter-proposal");
    assert!(held(&gateway).await.contains("LOCATION:Moor\r\n"), "nothing happens by itself");
    let changed = settle(&gateway, "bo", Settlement::Accept).await.expect("accepted");
    assert_eq!(mails(&changed), [("REQUEST", "bo@example.org cy@example.org".to_owned())]);
    let held = held(&gateway).await;
    for line in ["DTSTART:20400601T100000Z", "DTEND:20400601T160000Z", "LOCATION:Inn", "SEQUENCE:2"] {
        assert!(held.contains(&format!("{line}\r\n")), "{line} in {held}");
    }
    assert_eq!(waiting(&gateway).await, 0);
    let again = settle(&gateway, "bo", Settlement::Accept).await;
    assert!(matches!(again, Err(ChangeError::NoProposal { .. })), "{again:?}");
}

#[tokio::test]
async fn a_declined_proposal_is_told_to_its_proposer_alone() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path(), "").await;
    invite(&gateway).await;
    bo_counters(&gateway).await;
    let nobody = settle(&gateway, "cy", Settlement::Decline).await;
    assert!(matches!(nobody, Err(ChangeError::NoProposal { .. })), "Cy has proposed nothing: {nobody:?}");
    let changed = settle(&gateway, "bo", Settlement::Decline).await.expect("declined");
    assert_eq!(mails(&changed), [("DECLINECOUNTER", "bo@example.org".to_owned())]);
    assert!(held(&gateway).await.contains("LOCATION:Moor\r\n"));
    assert_eq!(waiting(&gateway).await, 0);
}

#[tokio::test]
async fn who_answered_uninvited_is_let_in_or_left_out() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path(), "party_crashers = \"propose\"").await;
    invite(&gateway).await;
    assert_eq!(answer(&gateway, "eve", "PARTSTAT=ACCEPTED").await, "party-crasher");
    let declined = settle(&gateway, "eve", Settlement::Decline).await.expect("left out");
    assert_eq!(mails(&declined), [], "nobody owes a stranger an answer");
    assert!(!held(&gateway).await.contains("eve@"));

    assert_eq!(answer(&gateway, "di", "PARTSTAT=ACCEPTED").await, "party-crasher");
    settle(&gateway, "di", Settlement::Accept).await.expect("let in");
    assert!(held(&gateway).await.contains("ATTENDEE;PARTSTAT=ACCEPTED:mailto:di@example.org\r\n"));
}

#[tokio::test]
async fn what_nobody_could_prove_is_believed_before_it_is_accepted() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path(), "authserv_id = \"mx.example.com\"").await;
    invite(&gateway).await;
    assert_eq!(bo_counters(&gateway).await, "sender-unproven");
    let rash = settle(&gateway, "bo", Settlement::Accept).await;
    assert!(matches!(rash, Err(ChangeError::NoProposal { .. })), "{rash:?}");
    let believe = Change::Believe(Waiting { uid: uid(), sender: None });
    gateway.change(&gateway.config.users[0], believe).await.expect("believed");
    settle(&gateway, "bo", Settlement::Accept).await.expect("accepted");
    assert!(held(&gateway).await.contains("LOCATION:Inn\r\n"));
}

#[tokio::test]
async fn an_attendee_proposes_asks_and_sends_somebody_else() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path(), "").await;
    assert_eq!(invited(&gateway).await, "invited");
    let start = parse_basic_format("20400601T100000Z");
    let wish = Wish { start, location: Some("Inn".to_owned()), ..Wish::default() };
    let changed = say(&gateway, Saying::Counter(wish)).await.expect("proposed");
    assert_eq!(mails(&changed), [("COUNTER", "ines@example.org".to_owned())]);
    let counter = last_mail(&gateway).await;
    for line in ["METHOD:COUNTER", "DTSTART:20400601T100000Z", "DTEND:20400601T180000Z", "LOCATION:Inn", "SEQUENCE:0"] {
        assert!(counter.contains(&format!("{line}\r\n")), "{line} in {counter}");
    }
    assert!(held(&gateway).await.contains("LOCATION:Moor\r\n"), "a wish changes nothing");

    let changed = say(&gateway, Saying::Refresh).await.expect("asked");
    assert_eq!(mails(&changed), [("REFRESH", "ines@example.org".to_owned())]);

    let to = Address::parse("bo@example.org");
    let changed = say(&gateway, Saying::Delegate { to, instance: None, comment: None }).await.expect("delegated");
    let mut told = mails(&changed);
    told.sort();
    assert_eq!(told, [("REPLY", "ines@example.org".to_owned()), ("REQUEST", "bo@example.org".to_owned())]);
    assert!(held(&gateway).await.contains("PARTSTAT=DELEGATED"));
    let to_herself = Saying::Delegate { to: Address::parse("ada@example.com"), instance: None, comment: None };
    let refused = say(&gateway, to_herself).await;
    assert!(matches!(refused, Err(ChangeError::Refused(_))), "{refused:?}");
}

#[tokio::test]
async fn an_invitation_that_waits_can_be_countered() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path(), "auto_add = \"never\"").await;
    assert_eq!(invited(&gateway).await, "waits-for-user");
    let nothing = say(&gateway, Saying::Refresh).await;
    assert!(matches!(nothing, Err(ChangeError::NotFound { .. })), "{nothing:?}");
    let backwards = Wish { end: parse_basic_format("20400601T070000Z"), ..Wish::default() };
    let refused =
        say(&gateway, Saying::Counter(Wish { start: parse_basic_format("20400601T080000Z"), ..backwards })).await;
    assert!(matches!(refused, Err(ChangeError::Refused(_))), "{refused:?}");
    assert_eq!(waiting(&gateway).await, 1, "what was refused has changed nothing");

    let wish = Wish { start: parse_basic_format("20400601T100000Z"), ..Wish::default() };
    let changed = say(&gateway, Saying::Counter(wish)).await.expect("proposed");
    assert_eq!(mails(&changed), [("COUNTER", "ines@example.org".to_owned())]);
    assert!(held(&gateway).await.contains("DTSTART:20400601T080000Z\r\n"), "it is in the calendar, as it was asked");
    assert_eq!(waiting(&gateway).await, 0);
}

#[tokio::test]
async fn what_is_published_tells_nobody_who_takes_part() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path(), "").await;
    invite(&gateway).await;
    let people = vec![Address::parse("club@example.net"), Address::parse("ada@example.com")];
    let changed = say(&gateway, Saying::Publish(people)).await.expect("published");
    assert_eq!(mails(&changed), [("PUBLISH", "club@example.net".to_owned())]);
    let published = last_mail(&gateway).await;
    assert!(published.contains("METHOD:PUBLISH\r\n") && !published.contains("ATTENDEE"), "{published}");
    let nobody = say(&gateway, Saying::Publish(Vec::new())).await;
    assert!(matches!(nobody, Err(ChangeError::Refused(_))), "{nobody:?}");
}

#[tokio::test]
async fn the_answer_of_a_delegate_waits_for_that_of_who_sends_them() {
    let folder = imipd_lab::folder();
    let gateway = open(folder.path(), "").await;
    invite(&gateway).await;
    let from_bo = "PARTSTAT=ACCEPTED;DELEGATED-FROM=\"mailto:bo@example.org\"";
    assert_eq!(answer(&gateway, "eve", from_bo).await, "delegate-unconfirmed");
    assert_eq!(answer(&gateway, "mal", from_bo).await, "delegate-unconfirmed");
    assert!(!held(&gateway).await.contains("eve@"), "who claims to be sent is not believed yet");

    let to_eve = "PARTSTAT=DELEGATED;DELEGATED-TO=\"mailto:eve@example.org\"";
    assert_eq!(answer(&gateway, "bo", to_eve).await, "answered");
    let held = held(&gateway).await;
    let eve = held.lines().find(|line| line.ends_with(":mailto:eve@example.org")).expect("Eve");
    assert!(eve.contains("PARTSTAT=ACCEPTED") && eve.contains("DELEGATED-FROM"), "{eve}");
    assert!(!held.contains("mal@"), "Bo has sent Eve, and nobody else");
    let left = gateway.ledger.proposals("ada@example.com").await.expect("proposals");
    let senders: Vec<&str> = left.iter().map(|one| one.sender.as_str()).collect();
    assert_eq!(senders, ["mal@example.org"], "it still waits; the user may dismiss it");
}
