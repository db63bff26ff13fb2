//! Two gateways back to back, without servers: each takes the mails of the other until nobody has anything to say. They always
//! fall silent, whatever the order, and though each mail comes twice.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use calcard::icalendar::ICalendarParticipationStatus;
use imipd::config::{Config, User};
use imipd::gateway::{Change, Gateway, Place, Respond, Saying, now_millis};
use imipd::itip::announce::{Answer, Wish};
use imipd::itip::{Address, CalUid, CalendarObject};
use imipd::ledger::{DecisionRecord, OutboxEntry};
use imipd::mailbox::FolderRole;

const UID: &str = "moor-7@a.example";

/// No exchange needs more: what is done, its answer, the answers shared, and the question for the whole with its answer.
const ROUNDS_MAX: usize = 6;

/// Later than any answer is gathered for.
const HOURS: i64 = 2 * 3_600_000;

/// In which order mails arrive.
#[derive(Clone, Copy, Debug)]
enum Order {
    OldestFirst,
    NewestFirst,
}

/// The gateway of `a.example` and that of `b.example`, and what has been carried between them.
struct World {
    gateways: [Arc<Gateway>; 2],
    order: Order,
    carried: BTreeSet<(usize, i64)>,
    _folders: [imipd_lab::Folder; 2],
}

async fn open(folder: &Path, users: &[&str]) -> Arc<Gateway> {
    std::fs::write(folder.join("password"), "secret\n").expect("a password");
    let users: String = users
        .iter()
        .map(|user| format!("[[user]]\naddresses = [\"{user}\"]\npassword_file = \"password\"\n"))
        .collect();
    let text = format!(
        "[database]\nurl = \"sqlite://{}/imipd.db\"\n[smtp]\nsave_sent = true\n[policy]\nshare_answers = \"30s\"\n\
         party_crashers = \"propose\"\npublications = \"import\"\n{users}",
        folder.display()
    );
    Gateway::open(Config::parse(&text, folder).unwrap_or_else(|faults| panic!("{faults}"))).await.expect("a database")
}

fn user<'a>(gateway: &'a Gateway, address: &str) -> Option<&'a User> {
    gateway.config.users.iter().find(|user| user.key() == address)
}

async fn take(gateway: &Gateway, user: &User, role: FolderRole, raw: &[u8]) -> Vec<DecisionRecord> {
    let folder = if role == FolderRole::Sent { "Sent" } else { "INBOX" };
    let place = Place { user, folder, role, cursor: None };
    gateway.receive_mail(place, raw).await.expect("decided")
}

impl World {
    async fn open(order: Order) -> Self {
        let folders = [(); 2].map(|()| imipd_lab::folder());
        let a = open(folders[0].path(), &["ada@a.example", "al@a.example"]).await;
        let b = open(folders[1].path(), &["bo@b.example", "bea@b.example", "dan@b.example"]).await;
        Self { gateways: [a, b], order, carried: BTreeSet::new(), _folders: folders }
    }

    fn home(&self, address: &str) -> (&Gateway, &User) {
        let mut homes = self.gateways.iter().filter_map(|gateway| Some((&**gateway, user(gateway, address)?)));
        homes.next().expect("a user")
    }

    async fn change(&self, address: &str, change: Change) {
        let (gateway, user) = self.home(address);
        gateway.change(user, change).await.unwrap_or_else(|error| panic!("{address}: {error}"));
    }

    async fn respond(&self, address: &str, partstat: ICalendarParticipationStatus) {
        let answer = Answer { partstat, instance: None, comment: Some("see you".to_owned()) };
        self.change(address, Change::Respond(uid(), Respond { answer, now: now_millis() / 1_000 })).await;
    }

    async fn object(&self, address: &str) -> String {
        let (gateway, user) = self.home(address);
        let stored = gateway.object(user, &uid()).await.expect("a calendar");
        stored.map(|stored| stored.content.replace("\r\n ", "")).unwrap_or_default()
    }

    /// The mails of a gateway that have not been carried yet, in the world's order.
    async fn fresh(&self, at: usize) -> Vec<OutboxEntry> {
        let mut fresh = self.gateways[at].ledger.outbox(1_000).await.expect("an outbox");
        fresh.retain(|entry| !self.carried.contains(&(at, entry.id)));
        if matches!(self.order, Order::OldestFirst) {
            fresh.reverse();
        }
        fresh
    }

    /// Carries what is there to all who have a mailbox, twice, with the copy in Sent; how many mails there were.
    async fn carry(&mut self) -> usize {
        let mut count = 0;
        for at in [0, 1] {
            for entry in self.fresh(at).await {
                self.carried.insert((at, entry.id));
                self.deliver(at, entry.id).await;
                count += 1;
            }
        }
        for gateway in &self.gateways {
            gateway.share_answers(now_millis() + HOURS).await.expect("shared");
        }
        count
    }

    async fn deliver(&self, at: usize, id: i64) {
        let gateway = &self.gateways[at];
        let entry = gateway.ledger.outbox_entry(id).await.expect("an outbox").expect("a mail");
        if let Some(author) = user(gateway, &entry.debt.sender) {
            take(gateway, author, FolderRole::Sent, &entry.debt.raw).await;
        }
        for recipient in gateway.ledger.recipients(id).await.expect("an outbox") {
            assert_ne!(recipient.address, entry.debt.sender, "nobody writes to themself");
            for home in &self.gateways {
                let Some(user) = user(home, &recipient.address) else { continue };
                take(home, user, FolderRole::Inbox, &entry.debt.raw).await;
                let again = take(home, user, FolderRole::Inbox, &entry.debt.raw).await;
                assert!(again.iter().all(|record| record.verdict != "applied"), "{again:?}");
            }
        }
    }

    /// Carries until nobody has anything to say.
    async fn settle(&mut self, what: &str) {
        let mut counts = Vec::new();
        while counts.last() != Some(&0) {
            assert!(counts.len() <= ROUNDS_MAX, "{what}, {:?}: they do not fall silent: {counts:?}", self.order);
            counts.push(self.carry().await);
        }
        assert!(counts.len() > 1, "{what}, {:?}: nothing was said", self.order);
    }
}

fn uid() -> CalUid {
    CalUid(UID.to_owned())
}

fn meeting(day: u32, attendees: &[&str]) -> Change {
    let attendees: String = attendees.iter().map(|who| format!("ATTENDEE;RSVP=TRUE:mailto:{who}\r\n")).collect();
    let text = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:{UID}\r\nSUMMARY:Walk\r\n\
         DTSTAMP:20260101T000000Z\r\nDTSTART:204006{day:02}T080000Z\r\nDTEND:204006{day:02}T160000Z\r\n\
         ORGANIZER:mailto:ada@a.example\r\n{attendees}END:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    Change::Put(Box::new(CalendarObject::parse(&text).expect("an object")))
}

async fn live_through_a_meeting(order: Order) {
    let mut world = World::open(order).await;
    let invited = ["bo@b.example", "bea@b.example", "al@a.example", "cy@c.example"];
    world.change("ada@a.example", meeting(1, &invited)).await;
    world.settle("invitation").await;
    world.respond("bo@b.example", ICalendarParticipationStatus::Accepted).await;
    world.respond("al@a.example", ICalendarParticipationStatus::Tentative).await;
    world.settle("answers").await;
    let to = Address::parse("dan@b.example");
    world.change("bea@b.example", Change::Say(uid(), Saying::Delegate { to, instance: None, comment: None })).await;
    world.settle("delegation").await;
    world.respond("dan@b.example", ICalendarParticipationStatus::Accepted).await;
    world.settle("the delegate's answer").await;
    let held = world.object("ada@a.example").await;
    assert!(held.contains("dan@b.example") && held.matches("PARTSTAT=ACCEPTED").count() >= 2, "{held}");

    let location = Some("Hut".to_owned());
    let wish = Wish { instance: None, start: None, end: None, location, comment: None };
    world.change("bo@b.example", Change::Say(uid(), Saying::Counter(wish))).await;
    world.settle("counter-proposal").await;
    world.change("bo@b.example", Change::Say(uid(), Saying::Refresh)).await;
    world.settle("question for the whole").await;
    let publish = Saying::Publish(vec![Address::parse("dan@b.example"), Address::parse("al@a.example")]);
    world.change("ada@a.example", Change::Say(uid(), publish)).await;
    world.settle("publication").await;
    world.change("ada@a.example", meeting(2, &invited)).await;
    world.settle("another day").await;
    world.respond("bo@b.example", ICalendarParticipationStatus::Declined).await;
    world.settle("refusal").await;
    world.change("ada@a.example", Change::Delete(uid())).await;
    world.settle("end").await;
    for who in ["bo@b.example", "al@a.example"] {
        let held = world.object(who).await;
        assert!(held.is_empty() || held.contains("STATUS:CANCELLED"), "{who}: {held}");
    }
}

#[tokio::test]
async fn two_gateways_fall_silent() {
    live_through_a_meeting(Order::OldestFirst).await;
}

#[tokio::test]
async fn two_gateways_fall_silent_when_the_newest_mail_comes_first() {
    live_through_a_meeting(Order::NewestFirst).await;
}

/// A mail of Bo's with one calendar.
fn mail(header: &str, id: &str, method: &str, from: &str, lines: &str) -> Vec<u8> {
    format!(
        "From: {from}\r\nTo: ada@a.example\r\nSubject: calendar\r\nMessage-ID: <{id}@b.example>\r\n{header}MIME-Version: 1.0\r\n\
         Content-Type: text/calendar; charset=utf-8; method={method}\r\n\r\nBEGIN:VCALENDAR\r\nVERSION:2.0\r\n\
         PRODID:-//test//EN\r\nMETHOD:{method}\r\nBEGIN:VEVENT\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    .into_bytes()
}

/// How many mails the gateway owes, and what it said about this one.
async fn taken(world: &World, raw: &[u8]) -> (usize, Vec<DecisionRecord>) {
    let (gateway, ada) = world.home("ada@a.example");
    let records = take(gateway, ada, FolderRole::Inbox, raw).await;
    (gateway.ledger.outbox(1_000).await.expect("an outbox").len(), records)
}

/// Bo asks for the current version.
fn refresh(header: &str, id: &str, second: u32) -> Vec<u8> {
    let lines = format!(
        "UID:{UID}\r\nDTSTAMP:20260201T0000{second:02}Z\r\nORGANIZER:mailto:ada@a.example\r\nATTENDEE:mailto:bo@b.example\r\n"
    );
    mail(header, id, "REFRESH", "bo@b.example", &lines)
}

/// The boss adds an instance to what Ada does not hold, so the whole has to be asked for.
fn addition(header: &str, id: &str) -> Vec<u8> {
    let lines = format!(
        "UID:{id}\r\nDTSTAMP:20260201T000000Z\r\nSEQUENCE:3\r\nDTSTART:20400701T080000Z\r\nORGANIZER:mailto:bo@b.example\r\n\
         ATTENDEE:mailto:ada@a.example\r\n"
    );
    mail(header, id, "ADD", "bo@b.example", &lines)
}

#[tokio::test]
async fn only_a_genuine_question_is_answered() {
    let world = World::open(Order::OldestFirst).await;
    world.change("ada@a.example", meeting(1, &["bo@b.example"])).await;
    let mut owed = 1;
    // The header, whether a REFRESH and whether an ADD has an answer.
    let cases = [
        ("", 1, 1),
        ("Auto-Submitted: auto-generated\r\n", 1, 1),
        // Our own question after an ADD says this of itself.
        ("Auto-Submitted: auto-replied\r\n", 1, 0),
        ("Auto-Submitted: auto-notified\r\n", 1, 0),
        ("List-Id: <all.lists.example>\r\n", 0, 0),
    ];
    for (at, (header, to_refresh, to_add)) in cases.into_iter().enumerate() {
        let second = u32::try_from(at).expect("a second");
        let (count, records) = taken(&world, &refresh(header, &format!("r{at}"), second)).await;
        assert_eq!(count, owed + to_refresh, "REFRESH with {header:?}: {records:?}");
        owed = count;
        let (count, records) = taken(&world, &addition(header, &format!("a{at}"))).await;
        assert_eq!(count, owed + to_add, "ADD with {header:?}: {records:?}");
        assert_eq!(records[0].text.contains("Not answered"), to_add == 0, "{records:?}");
        owed = count;
    }
    let bounce = format!(
        "From: MAILER-DAEMON@b.example\r\nTo: ada@a.example\r\nMessage-ID: <z@b.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nno\r\n\
         --b\r\nContent-Type: message/rfc822\r\n\r\n{}\r\n--b--\r\n",
        String::from_utf8(refresh("", "inner", 40)).expect("text")
    );
    let (count, records) = taken(&world, bounce.as_bytes()).await;
    assert_eq!(count, owed, "a report is not answered: {records:?}");
    let ourselves = mail(
        "",
        "o",
        "REFRESH",
        "ada@a.example",
        &format!(
            "UID:{UID}\r\nDTSTAMP:20260301T000000Z\r\nORGANIZER:mailto:ada@a.example\r\nATTENDEE:mailto:ada@a.example\r\n"
        ),
    );
    let (count, records) = taken(&world, &ourselves).await;
    assert_eq!(count, owed, "we do not answer ourselves: {records:?}");
}
