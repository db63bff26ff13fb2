//! The outbox and a difficult server: nothing is lost, nothing overtakes, and the organizer's object tells what became of it.

mod smtp;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use imipd::config::Config;
use imipd::gateway::{Change, Gateway, Place, deliver_outbox, now_millis};
use imipd::itip::{Address, CalUid, CalendarObject};
use imipd::ledger::{Kept, RecipientState};
use imipd::mailbox::FolderRole;
use imipd::outbox::smtp::{SmtpServer, Submitter};
use smtp::{Script, Seen, start};
use tokio::sync::watch;
use tokio::task::JoinHandle;

const A: &str = "a@example.com";
const UID: &str = "plan-1@example.com";

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A gateway and its courier, without mailboxes.
struct World {
    folder: imipd_lab::Folder,
    gateway: Arc<Gateway>,
    courier: Option<(watch::Sender<bool>, JoinHandle<()>)>,
}

impl World {
    async fn open(smtp: &str) -> Self {
        let folder = imipd_lab::folder();
        let gateway = gateway(folder.path(), smtp).await;
        Self { folder, gateway, courier: None }
    }

    fn begin(&mut self, server: &SmtpServer) {
        let (stop, stopping) = watch::channel(false);
        let submitter = Arc::new(Submitter::new(server.clone()));
        let courier = tokio::spawn(deliver_outbox(Arc::clone(&self.gateway), submitter, stopping));
        self.courier = Some((stop, courier));
    }

    async fn stop(&mut self) {
        let (stop, courier) = self.courier.take().expect("a courier");
        stop.send(true).expect("it listens");
        courier.await.expect("it ends");
    }

    async fn put(&self, calendar: &str) {
        let object = CalendarObject::parse(calendar).expect("an object");
        let user = &*self.gateway.user(&Address::parse(A)).expect("A");
        self.gateway.change(user, Change::Put(Box::new(object))).await.expect("stored");
    }

    async fn stored(&self) -> String {
        let user = &*self.gateway.user(&Address::parse(A)).expect("A");
        let stored = self.gateway.object(user, &CalUid(UID.to_owned())).await.expect("read");
        stored.expect("an object").content.replace("\r\n ", "")
    }

    /// Takes the acceptance of somebody at example.org with a REQUEST-STATUS; the verdict.
    async fn answer(&self, name: &str, status: &str) -> String {
        let from = format!("{name}@example.org");
        let raw = format!(
            "From: {from}\r\nTo: {A}\r\nSubject: x\r\nMessage-ID: <{name}-{status}@client.example>\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/calendar; charset=utf-8; method=REPLY\r\n\r\n\
             BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nUID:{UID}\r\n\
             DTSTAMP:20400101T000000Z\r\nSEQUENCE:0\r\nDTSTART:20310203T090000Z\r\nORGANIZER:mailto:{A}\r\n\
             ATTENDEE;PARTSTAT=ACCEPTED:mailto:{from}\r\nREQUEST-STATUS:{status};Success\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        let user = &*self.gateway.user(&Address::parse(A)).expect("A");
        let place = Place { user, folder: "INBOX", role: FolderRole::Inbox, cursor: None };
        let records = self.gateway.receive_mail(place, raw.as_bytes()).await.expect("decided");
        records.into_iter().map(|record| record.verdict).collect()
    }

    async fn states(&self, id: i64) -> Vec<(String, &'static str)> {
        let recipients = self.gateway.ledger.recipients(id).await.expect("read");
        recipients.into_iter().map(|one| (one.address, one.state.as_str())).collect()
    }

    async fn count(&self, state: RecipientState) -> i64 {
        self.gateway.ledger.recipients_in(state).await.expect("counted")
    }

    /// Waits until so many recipients are in a state; what was put off is tried again without its rest.
    async fn wait(&self, state: RecipientState, count: i64) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while self.count(state).await != count {
            assert!(
                tokio::time::Instant::now() < deadline,
                "{count} {state:?}: {:?}",
                self.gateway.ledger.outbox(9).await
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn retry(&self) {
        self.gateway.ledger.retry_now(now_millis()).await.expect("made due");
        self.gateway.bell.notify_one();
    }

    async fn mails(&self) -> usize {
        self.gateway.ledger.outbox(100).await.expect("read").len()
    }
}

async fn gateway(folder: &Path, smtp: &str) -> Arc<Gateway> {
    let secret = folder.join("secret");
    std::fs::write(&secret, "secret").expect("written");
    let text = format!(
        "[database]\nurl = \"sqlite://imipd.db\"\n[smtp]\nhost = \"127.0.0.1\"\nsecurity = \"none\"\n{smtp}\n\
         [[user]]\naddresses = [\"{A}\"]\npassword_file = \"secret\"\n"
    );
    let config = Config::parse(&text, folder).unwrap_or_else(|faults| panic!("{faults}"));
    Gateway::open(config).await.expect("a gateway")
}

/// A's meeting with these guests at example.org.
fn meeting(sequence: u32, summary: &str, guests: &[String]) -> String {
    let guests: String =
        guests.iter().map(|name| format!("ATTENDEE;RSVP=TRUE:mailto:{name}@example.org\r\n")).collect();
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//imipd//tests//EN\r\nBEGIN:VEVENT\r\nUID:{UID}\r\n\
         DTSTAMP:20310101T080000Z\r\nSEQUENCE:{sequence}\r\nDTSTART:20310203T090000Z\r\nDTEND:20310203T100000Z\r\n\
         SUMMARY:{summary}\r\nORGANIZER:mailto:{A}\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:{A}\r\n{guests}\
         END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

fn named(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// The line of an attendee in an unfolded calendar.
fn line<'a>(calendar: &'a str, name: &str) -> &'a str {
    let end = format!(":mailto:{name}@example.org");
    calendar.lines().find(|line| line.ends_with(&end)).unwrap_or_else(|| panic!("{name} in {calendar}"))
}

fn ids_of(seen: &Seen, name: &str) -> Vec<String> {
    let address = format!("{name}@example.org");
    seen.mails().into_iter().filter(|(to, _)| to.contains(&address)).map(|(_, id)| id).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_outcome_stands_beside_its_attendee_and_nobody_is_told_of_it() {
    let mut world = World::open("").await;
    let replies = vec![
        ("RCPT TO:<c@", "550 5.1.1 no such user"),
        ("RCPT TO:<d@", "550 5.7.1 not from you"),
        ("RCPT TO:<e@", "450 4.2.1 later"),
    ];
    let (server, seen) = start(Script { replies, ..Script::default() }).await;
    let calendar = meeting(0, "Plan", &named(&["b", "c", "d", "e"]));
    world.put(&calendar).await;
    let before = world.stored().await;
    world.begin(&server);
    world.wait(RecipientState::Failed, 2).await;
    let after = world.stored().await;
    for (name, status) in [("b", "1.1"), ("c", "5.1"), ("d", "5.3"), ("e", "1.0")] {
        assert!(line(&after, name).contains(&format!("SCHEDULE-STATUS={status}")), "{name}: {after}");
    }
    let without: Vec<String> = after.lines().map(without_status).collect();
    assert_eq!(without, before.lines().collect::<Vec<_>>(), "nothing else has changed, DTSTAMP and SEQUENCE neither");
    // The calendar app puts back what it knows, which is nothing of this.
    world.put(&before).await;
    assert_eq!(world.mails().await, 1, "nobody is told of it");
    assert_eq!(seen.mails(), [(vec!["b@example.org".to_owned()], ids_of(&seen, "b")[0].clone())]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_quicker_than_the_record_of_its_invitation_keeps_its_code() {
    let mut world = World::open("").await;
    let (server, seen) = start(Script { dot_delay: Duration::from_millis(1_500), ..Script::default() }).await;
    world.put(&meeting(0, "Plan", &named(&["b", "c"]))).await;
    world.begin(&server);
    // The server has the mail and has not said so yet; B has it and answers.
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while seen.mails().is_empty() {
        assert!(tokio::time::Instant::now() < deadline, "the mail comes");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(world.answer("b", "2.0").await, "applied");
    assert!(line(&world.stored().await, "b").contains("SCHEDULE-STATUS=2.0"));
    world.wait(RecipientState::Sent, 2).await;
    let after = world.stored().await;
    assert!(line(&after, "b").contains("SCHEDULE-STATUS=2.0") && line(&after, "b").contains("ACCEPTED"), "{after}");
    assert!(line(&after, "c").contains("SCHEDULE-STATUS=1.1"), "{after}");
    // What is sent after the answer is news again.
    world.put(&after.replace("SUMMARY:Plan", "SUMMARY:Another plan").replace("SEQUENCE:0", "SEQUENCE:1")).await;
    world.wait(RecipientState::Sent, 4).await;
    let after = world.stored().await;
    assert!(line(&after, "b").contains("SCHEDULE-STATUS=1.1"), "{after}");
    world.stop().await;
}

fn without_status(line: &str) -> String {
    ["1.0", "1.1", "5.1", "5.3"]
        .iter()
        .fold(line.to_owned(), |line, status| line.replace(&format!(";SCHEDULE-STATUS={status}"), ""))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_outcome_of_an_answer_stands_on_the_organizer() {
    let mut world = World::open("").await;
    let (server, _) = start(Script::default()).await;
    let invitation = meeting(0, "Plan", &[])
        .replace(&format!("ORGANIZER:mailto:{A}"), "ORGANIZER:mailto:boss@example.org")
        .replace("PARTSTAT=ACCEPTED", "PARTSTAT=NEEDS-ACTION");
    world.put(&invitation).await;
    assert_eq!(world.mails().await, 0);
    world.put(&invitation.replace("NEEDS-ACTION", "ACCEPTED")).await;
    world.begin(&server);
    world.wait(RecipientState::Sent, 1).await;
    let stored = world.stored().await;
    assert!(stored.contains("ORGANIZER;SCHEDULE-STATUS=1.1:mailto:boss@example.org"), "{stored}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_waits_for_the_invitation_of_its_recipient_and_of_nobody_else() {
    let mut world = World::open("").await;
    let deferring = vec![("RCPT TO:<c@", "451 4.7.1 greylisted")];
    let (difficult, seen) = start(Script { replies: deferring, ..Script::default() }).await;
    world.put(&meeting(0, "Plan", &named(&["b", "c"]))).await;
    world.begin(&difficult);
    world.wait(RecipientState::Sent, 1).await;
    world.put(&meeting(1, "Better plan", &named(&["b", "c"])).replace("T090000Z", "T093000Z")).await;
    world.wait(RecipientState::Sent, 2).await;
    assert_eq!(ids_of(&seen, "b").len(), 2, "B has the update, whatever C waits for");
    world.retry().await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(world.states(2).await[1], ("c@example.org".to_owned(), "waiting"));
    assert_eq!(world.states(1).await[1], ("c@example.org".to_owned(), "waiting"));
    world.stop().await;
    // After a restart, and with several connections, they still come one after the other.
    let (easy, easily_seen) = start(Script { dot_delay: Duration::from_millis(50), ..Script::default() }).await;
    world.begin(&SmtpServer { max_connections: 4, ..easy });
    world.wait(RecipientState::Sent, 4).await;
    let to_c = ids_of(&easily_seen, "c");
    assert_eq!(to_c, ids_of(&seen, "b"), "the invitation, and then the update, each once");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_guests_are_told_in_turns_and_one_text_is_kept() {
    let mut world = World::open("").await;
    // The server takes fewer than we would send.
    let (server, seen) = start(Script { recipients_max: Some(80), ..Script::default() }).await;
    let guests: Vec<String> = (0..2_000).map(|nth| format!("guest{nth:04}")).collect();
    world.put(&meeting(0, "Assembly", &guests)).await;
    assert_eq!(world.mails().await, 1, "one text for all");
    world.begin(&server);
    world.wait(RecipientState::Sent, 2_000).await;
    let mails = seen.mails();
    assert_eq!(mails.len(), 25);
    assert!(mails.iter().all(|(to, id)| to.len() == 80 && *id == mails[0].1));
    let mut told: Vec<&String> = mails.iter().flat_map(|(to, _)| to).collect();
    told.sort();
    told.dedup();
    assert_eq!(told.len(), 2_000, "each once");
    let stored = world.stored().await;
    assert_eq!(stored.lines().filter(|line| line.contains("SCHEDULE-STATUS=1.1")).count(), 2_000);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_is_stopped_told_of_and_resumed() {
    let mut world = World::open("user_limit = 3").await;
    let (server, seen) = start(Script::default()).await;
    world.put(&meeting(0, "Plan", &named(&["b", "c", "d", "e", "f"]))).await;
    world.begin(&server);
    world.wait(RecipientState::Sent, 3).await;
    world.wait(RecipientState::Waiting, 2).await;
    let status = world.gateway.status().await.expect("a status");
    assert_eq!((status.outbox.waiting, status.outbox.held), (2, 2));
    assert_eq!(status.outbox.storms.len(), 1);
    assert!(status.outbox.storms[0].contains("smtp.user_limit"), "{:?}", status.outbox.storms);
    // Neither a retry nor a restart gets around it.
    world.retry().await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    world.stop().await;
    world.begin(&server);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(world.count(RecipientState::Sent).await, 3);
    let user = &*world.gateway.user(&Address::parse(A)).expect("A");
    assert_eq!(world.gateway.release(user, "a test").await.expect("released"), 1);
    world.gateway.bell.notify_one();
    world.wait(RecipientState::Sent, 5).await;
    assert_eq!(seen.mails().len(), 2);
    assert_eq!(world.gateway.status().await.expect("a status").outbox.storms, Vec::<String>::new());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_event_does_not_write_to_one_guest_for_ever() {
    let mut world = World::open("event_limit = 2").await;
    let (server, seen) = start(Script::default()).await;
    world.begin(&server);
    for turn in 0..4 {
        let calendar = meeting(turn, "Plan", &named(&["b"])).replace("T0900", &format!("T09{turn}0"));
        world.put(&calendar).await;
    }
    world.wait(RecipientState::Sent, 2).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(ids_of(&seen, "b").len(), 2);
    assert_eq!(world.count(RecipientState::Waiting).await, 2, "what is too much waits");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_server_that_does_everything_wrong_nothing_is_lost() {
    let mut world = World::open("").await;
    let guests: Vec<String> = (0..30).map(|nth| format!("guest{nth:02}")).collect();
    world.put(&meeting(0, "Plan", &guests)).await;
    let id = world.gateway.ledger.outbox(1).await.expect("read")[0].debt.message_id.clone();
    let wrong = [
        Script { endless: Some(b"xxxxxxxxxxxxxxxx"), ..Script::default() },
        Script { endless: Some(b"\0\xff\r\n"), ..Script::default() },
        Script { drip: Duration::from_secs(1), ..Script::default() },
        Script { hangs_up_at_once: true, ..Script::default() },
        Script { greeting: Some("554 5.7.1 go away"), ..Script::default() },
    ];
    for script in wrong {
        let (server, _) = start(script).await;
        world.begin(&SmtpServer { timeout: Duration::from_millis(300), ..server });
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while world.gateway.board.smtp_error().is_empty() {
            assert!(tokio::time::Instant::now() < deadline, "nobody is told");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        world.stop().await;
        assert_eq!(world.count(RecipientState::Waiting).await, 30);
        world.gateway.board.set_smtp_error("");
    }
    let (server, seen) = start(Script {
        recipients_max: Some(7),
        greylistings: 1,
        lost_acceptances: 2,
        mails_per_connection: Some(2),
        ..Script::default()
    })
    .await;
    world.begin(&server);
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while world.count(RecipientState::Sent).await != 30 {
        assert!(tokio::time::Instant::now() < deadline, "{:?}", world.states(1).await);
        world.retry().await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    world.stop().await;
    assert!(seen.mails().iter().all(|(_, one)| *one == id), "the same mail, however often");
    let copies: usize = seen.mails().iter().map(|(to, _)| to.len()).sum();
    assert!((31..=44).contains(&copies), "30 mails, and at most 7 twice for each acceptance that was lost: {copies}");
}

/// What each of these servers makes of a mail at once; it is the same whether it is asked step by step or all at once.
const SERVERS: [(&str, &str, RecipientState, &str); 12] = [
    ("MAIL", "550 5.7.1 not you", RecipientState::Failed, "5.3"),
    ("MAIL", "451 4.3.0 later", RecipientState::Waiting, "1.0"),
    ("MAIL", "", RecipientState::Waiting, "1.0"),
    ("RCPT", "450 4.2.0 greylisted", RecipientState::Waiting, "1.0"),
    ("RCPT", "550 5.1.1 nobody", RecipientState::Failed, "5.1"),
    ("RCPT", "250-a\r\n250-b\r\n550 5.1.1 nobody", RecipientState::Waiting, "1.0"),
    ("RCPT", "", RecipientState::Waiting, "1.0"),
    ("DATA", "554 5.6.0 no", RecipientState::Failed, "5.2"),
    ("DATA", "421 4.3.2 closing", RecipientState::Waiting, "1.0"),
    ("DATA", "", RecipientState::Waiting, "1.0"),
    (".", "451 4.3.0 later", RecipientState::Waiting, "1.0"),
    (".", "552 5.3.4 too large", RecipientState::Failed, "5.1"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_server_refuses_is_noted_and_no_storm_follows() {
    let tried =
        SERVERS.iter().flat_map(|one| [(one, vec![]), (one, vec!["PIPELINING"])]).map(|(one, offers)| async move {
            let (command, reply, state, status) = *one;
            let mut script = Script { offers: offers.clone(), ..Script::default() };
            if command == "." {
                script.after_dot = Some(reply)
            } else {
                script.replies = vec![(command, reply)]
            }
            let mut world = World::open("").await;
            let (server, seen) = start(script).await;
            world.put(&meeting(0, "Plan", &named(&["b"]))).await;
            world.begin(&server);
            let deadline = tokio::time::Instant::now() + PATIENCE;
            let stored = loop {
                let stored = world.stored().await;
                if line(&stored, "b").contains(&format!("SCHEDULE-STATUS={status}")) && seen.connections() > 0 {
                    break stored;
                }
                assert!(tokio::time::Instant::now() < deadline, "{one:?} {offers:?}: {stored} {:?}", seen.lines());
                tokio::time::sleep(Duration::from_millis(20)).await;
            };
            world.wait(state, 1).await;
            // It is not asked again and again; the first rest is longer than this.
            tokio::time::sleep(Duration::from_millis(500)).await;
            assert!(seen.connections() <= 2, "{one:?} {offers:?}: {} connections", seen.connections());
            world.stop().await;
            drop(stored);
        });
    futures_util::future::join_all(tried).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_given_up_is_tried_again_and_what_is_dropped_is_not() {
    let mut world = World::open("").await;
    let (refusing, _) = start(Script { replies: vec![("RCPT", "550 5.1.1 nobody")], ..Script::default() }).await;
    world.put(&meeting(0, "Plan", &named(&["b", "c"]))).await;
    world.begin(&refusing);
    world.wait(RecipientState::Failed, 2).await;
    world.stop().await;
    assert_eq!(world.gateway.retry_mail(1).await.expect("tried again"), 2);
    assert_eq!(world.gateway.drop_mail(1, "somebody").await.expect("dropped"), 2);
    assert!(world.gateway.drop_mail(1, "somebody").await.is_err());
    assert!(world.gateway.retry_mail(1).await.is_err(), "a decision is not taken back by mistake");
    assert!(world.gateway.retry_mail(7).await.is_err());
    let details: Vec<String> =
        world.gateway.ledger.recipients(1).await.expect("read").into_iter().map(|one| one.detail).collect();
    assert!(details.iter().all(|detail| detail.starts_with("dropped by somebody at 20")), "{details:?}");
    assert!(line(&world.stored().await, "b").contains("SCHEDULE-STATUS=5.1"));
    // The next update is not held up by it.
    let (server, seen) = start(Script::default()).await;
    world.put(&meeting(1, "Plan", &named(&["b", "c"])).replace("T0900", "T0930")).await;
    world.begin(&server);
    world.wait(RecipientState::Sent, 2).await;
    assert_eq!(seen.mails().len(), 1);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_old_is_forgotten_but_never_what_waits() {
    let mut world = World::open("").await;
    let (server, _) = start(Script { replies: vec![("RCPT TO:<c@", "450 later")], ..Script::default() }).await;
    world.put(&meeting(0, "Plan", &named(&["b"]))).await;
    world.begin(&server);
    world.wait(RecipientState::Sent, 1).await;
    world.put(&meeting(0, "Plan", &named(&["b", "c"]))).await;
    world.wait(RecipientState::Waiting, 1).await;
    world.stop().await;
    let ledger = &world.gateway.ledger;
    let never = Kept { texts_since: 0, records_since: 0 };
    assert_eq!(ledger.forget(never, 10).await.expect("looked"), 0);
    let later = now_millis() + 1;
    assert!(ledger.forget(Kept { texts_since: later, records_since: 0 }, 10).await.expect("forgotten") >= 1);
    let text = |id| async move { ledger.outbox_entry(id).await.expect("read").map(|entry| entry.debt.raw.len()) };
    assert_eq!(text(1).await, Some(0));
    let waiting = ledger.outbox(1).await.expect("read")[0].id;
    assert!(text(waiting).await.is_some_and(|octets| octets > 0), "who waits gets the whole mail");
    assert!(ledger.forget(Kept { texts_since: later, records_since: later }, 10).await.expect("forgotten") >= 3);
    assert_eq!(text(1).await, None);
    assert!(text(waiting).await.is_some_and(|octets| octets > 0));
    drop(world.folder);
}
