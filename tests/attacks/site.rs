//! A site of two users whose mail server is `mx.example.com`, and the mail that it gets.

use std::sync::Arc;

use imipd::config::{Config, User};
use imipd::gateway::{Change, Gateway, Place};
use imipd::itip::{CalUid, CalendarObject};
use imipd::ledger::DecisionRecord;
use imipd::mailbox::FolderRole;

/// What the site's own mail server writes above a mail that passed DMARC.
pub const PROVEN: &str = "Authentication-Results: mx.example.com; dmarc=pass header.from=DOMAIN\r\n";

/// The gateway of the site.
pub struct Site {
    pub gateway: Arc<Gateway>,
    _folder: imipd_lab::Folder,
}

/// All that an attack must not change.
#[derive(Debug, PartialEq, Eq)]
pub struct State {
    objects: Vec<(String, String)>,
    outbox: Vec<String>,
    acquaintances: Vec<String>,
}

/// A calendar with one event.
pub fn calendar(method: &str, uid: &str, lines: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\nMETHOD:{method}\nBEGIN:VEVENT\nUID:{uid}\n{lines}\n\
         END:VEVENT\nEND:VCALENDAR\n"
    )
}

/// A mail with these lines of header above, and one calendar.
pub fn mail(header: &str, message_id: &str, method: &str, text: &str) -> Vec<u8> {
    format!(
        "{header}\r\nTo: ada@example.com\r\nSubject: calendar\r\nMessage-ID: {message_id}\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/calendar; charset=utf-8; method={method}\r\n\r\n{text}"
    )
    .into_bytes()
}

/// The same mail without its proof, under another Message-ID.
pub fn forged(raw: &[u8], message_id: &str) -> Vec<u8> {
    let text = String::from_utf8(raw.to_vec()).expect("text");
    let (_, rest) = text.split_once("\r\n").expect("a first line");
    let (before, after) = rest.split_once("Message-ID: <").expect("an id");
    let (_, after) = after.split_once('>').expect("its end");
    format!("{before}Message-ID: {message_id}{after}").into_bytes()
}

/// The boss calls the review off.
pub fn cancel(stamp: &str) -> String {
    calendar(
        "CANCEL",
        "review-1@corp.example",
        &format!(
            "DTSTAMP:{stamp}\nSEQUENCE:2\nSTATUS:CANCELLED\nORGANIZER:mailto:boss@corp.example\nATTENDEE:mailto:ada@example.com"
        ),
    )
}

/// An answer to Ada's plan.
pub fn reply(who: &str, partstat: &str) -> String {
    calendar(
        "REPLY",
        "plan-1@example.com",
        &format!(
            "DTSTAMP:20270101T100000Z\nSEQUENCE:9\nORGANIZER:mailto:ada@example.com\nATTENDEE;PARTSTAT={partstat}:mailto:{who}"
        ),
    )
}

impl Site {
    /// An empty site with these lines of policy.
    pub async fn open(policy: &str) -> Self {
        let folder = imipd_lab::folder();
        std::fs::write(folder.path().join("password"), "secret\n").expect("a password");
        let text = format!(
            "[database]\nurl = \"sqlite://{}/imipd.db\"\n[policy]\nauthserv_id = \"mx.example.com\"\n{policy}\n\
             [[user]]\naddresses = [\"ada@example.com\", \"ada.l@example.com\"]\npassword_file = \"password\"\n\
             [[user]]\naddresses = [\"bo@example.com\"]\npassword_file = \"password\"\n",
            folder.path().display()
        );
        let config = Config::parse(&text, folder.path()).unwrap_or_else(|faults| panic!("{faults}"));
        Self { gateway: Gateway::open(config).await.expect("a database"), _folder: folder }
    }

    pub fn ada(&self) -> &User {
        &self.gateway.config.users[0]
    }

    pub async fn receive(&self, raw: &[u8]) -> Vec<DecisionRecord> {
        self.receive_as(0, raw).await
    }

    pub async fn receive_as(&self, user: usize, raw: &[u8]) -> Vec<DecisionRecord> {
        let user = &self.gateway.config.users[user];
        let place = Place { user, folder: "INBOX", role: FolderRole::Inbox, cursor: None };
        self.gateway.receive_mail(place, raw).await.expect("decided")
    }

    /// The reason recorded of a mail with one calendar.
    pub async fn reason(&self, raw: &[u8]) -> String {
        self.receive(raw).await.into_iter().map(|record| record.reason).collect()
    }

    pub async fn state(&self) -> State {
        let objects = self.gateway.objects(self.ada()).await.expect("a calendar");
        let outbox = self.gateway.ledger.outbox(1_000).await.expect("an outbox");
        State {
            objects: objects.into_iter().map(|object| (object.uid.0, object.content)).collect(),
            outbox: outbox.into_iter().map(|entry| entry.debt.message_id).collect(),
            acquaintances: self.gateway.ledger.acquaintances(self.ada().key(), 1_000).await.expect("a list"),
        }
    }

    pub async fn object(&self, uid: &str) -> String {
        let stored = self.gateway.object(self.ada(), &CalUid(uid.to_owned())).await.expect("a calendar");
        stored.expect("an object").content
    }

    pub async fn put(&self, text: &str) {
        let object = CalendarObject::parse(text).expect("an object");
        self.gateway.change(self.ada(), Change::Put(Box::new(object))).await.expect("stored");
    }

    async fn proven(&self, from: &str, message_id: &str, method: &str, text: &str) -> String {
        let domain = from.split_once('@').expect("an address").1;
        let header = format!("{}From: {from}", PROVEN.replace("DOMAIN", domain));
        self.reason(&mail(&header, message_id, method, text)).await
    }

    /// Ada invites Bob, Cyd and Fay, and then leaves Fay out.
    pub async fn organize(&self) {
        let plan = |who: &[&str]| {
            let attendees: String = who.iter().map(|who| format!("\nATTENDEE;RSVP=TRUE:mailto:{who}")).collect();
            let text = calendar(
                "X",
                "plan-1@example.com",
                &format!(
                    "DTSTAMP:20260101T090000Z\nDTSTART:20400105T080000Z\nDTEND:20400105T090000Z\nSUMMARY:Plan\n\
                 ORGANIZER:mailto:ada@example.com{attendees}"
                ),
            );
            text.replace("METHOD:X\n", "")
        };
        self.put(&plan(&["bob@partner.example", "cyd@partner.example", "fay@former.example"])).await;
        self.put(&plan(&["bob@partner.example", "cyd@partner.example"])).await;
    }

    /// The life of the site before the attacks: Ada's plan, of which Bob knows; a review of the boss, moved once; something
    /// that the boss called off.
    pub async fn live(&self) {
        self.organize().await;
        let answer = reply("bob@partner.example", "ACCEPTED").replace("20270101", "20260105");
        assert_eq!(self.proven("bob@partner.example", "<l1@x>", "REPLY", &answer).await, "answered");
        for (sequence, stamp, reason) in [(0, "20260101T100000Z", "invited"), (1, "20260103T100000Z", "updated")] {
            let text = calendar(
                "REQUEST",
                "review-1@corp.example",
                &format!(
                    "DTSTAMP:{stamp}\nSEQUENCE:{sequence}\nDTSTART:2040010{}T080000Z\nSUMMARY:Review\nORGANIZER:mailto:boss@corp.example\n\
                 ATTENDEE;RSVP=TRUE:mailto:ada@example.com\nATTENDEE:mailto:bob@partner.example",
                    sequence + 1
                ),
            );
            assert_eq!(self.proven("boss@corp.example", &format!("<l2{sequence}@x>"), "REQUEST", &text).await, reason);
        }
        let text = calendar(
            "REQUEST",
            "old-1@corp.example",
            "DTSTAMP:20260101T100000Z\nDTSTART:20400201T080000Z\nORGANIZER:mailto:boss@corp.example\nATTENDEE:mailto:ada@example.com",
        );
        assert_eq!(self.proven("boss@corp.example", "<l3@x>", "REQUEST", &text).await, "invited");
        let text = text.replace("REQUEST", "CANCEL").replace("20260101T", "20260102T");
        assert_eq!(self.proven("boss@corp.example", "<l4@x>", "CANCEL", &text).await, "cancelled");
    }

    pub async fn honest_reply(&self, who: &str, partstat: &str) -> String {
        self.proven(who, "<honest1@x>", "REPLY", &reply(who, partstat)).await
    }

    pub async fn honest_update(&self) -> String {
        let text = calendar(
            "REQUEST",
            "review-1@corp.example",
            "DTSTAMP:20260110T100000Z\nSEQUENCE:2\nDTSTART:20400104T080000Z\nSUMMARY:Review\nORGANIZER:mailto:boss@corp.example\n\
             ATTENDEE;RSVP=TRUE:mailto:ada@example.com\nATTENDEE:mailto:bob@partner.example",
        );
        self.proven("boss@corp.example", "<honest2@x>", "REQUEST", &text).await
    }

    pub async fn honest_cancel(&self) -> String {
        self.proven("boss@corp.example", "<honest3@x>", "CANCEL", &cancel("20260111T100000Z")).await
    }
}
