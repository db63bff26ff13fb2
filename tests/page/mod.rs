//! A gateway with its real web server on a free loopback port, and invitations with links to it.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::net::SocketAddr;
use std::sync::Arc;

use imipd::config::{Config, User};
use imipd::gateway::{Change, Gateway, now_millis};
use imipd::imip::{Purpose, Token};
use imipd::itip::{CalUid, CalendarObject};
use imipd::ledger::{DecisionFilter, DecisionRecord, Link, OutboxEntry};
use imipd::web::{self, Listener};
use secrecy::ExposeSecret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub const UID: &str = "moor-7@example.com";
pub const BO: &str = "bo@example.org";
pub const PUBLIC_URL: &str = "https://calendar.example.com";

pub struct Site {
    pub gateway: Arc<Gateway>,
    pub address: SocketAddr,
    folder: imipd_lab::Folder,
    _stop: watch::Sender<bool>,
}

/// An answer of the web server.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Reply {
    /// A header field, nothing where it is not there.
    pub fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.into_iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// An event that Ada organizes; `more` is what else stands in it.
pub fn event(more: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:{UID}\r\nDTSTAMP:20260101T000000Z\r\n\
         ORGANIZER;CN=Ada Lovelace:mailto:ada@example.com\r\n\
         ATTENDEE;CN=Bo Diddley;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:{BO}\r\n\
         ATTENDEE;CN=Cy Twombly;PARTSTAT=ACCEPTED:mailto:cy@example.org\r\n{more}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

/// The usual one, in Berlin's summer.
pub fn walk() -> String {
    event(
        "SUMMARY:Walk across the moor\r\nLOCATION:Old mill\r\nDTSTART;TZID=Europe/Berlin:20400601T100000\r\n\
         DTEND;TZID=Europe/Berlin:20400601T120000\r\n",
    )
}

/// A series of every week, twelve times.
pub fn series() -> String {
    event(
        "SUMMARY:Rehearsal\r\nLOCATION:Town hall\\, second floor\r\nDTSTART;TZID=Europe/Berlin:20400605T190000\r\n\
         DTEND;TZID=Europe/Berlin:20400605T210000\r\nRRULE:FREQ=WEEKLY;COUNT=12\r\n",
    )
}

/// The date of the series `week` weeks after its first, as its RECURRENCE-ID.
pub fn week(week: u32) -> String {
    let first = chrono::NaiveDate::from_ymd_opt(2040, 6, 5).expect("a day");
    let day = first + chrono::Days::new(u64::from(week) * 7);
    format!("{}T170000Z", day.format("%Y%m%d"))
}

impl Site {
    /// Starts it, with lines for `[web]`.
    pub async fn start(web: &str) -> Self {
        let folder = imipd_lab::folder();
        std::fs::write(folder.path().join("password"), "secret").expect("a password");
        let text = format!(
            "[database]\nurl = \"sqlite://{}/imipd.db\"\n[web]\nlisten = \"127.0.0.1:8025\"\n\
             public_url = \"{PUBLIC_URL}\"\n{web}\n\
             [[user]]\naddresses = [\"ada@example.com\"]\npassword_file = \"password\"\n",
            folder.path().display()
        );
        let config = Config::parse(&text, folder.path()).expect("a configuration");
        let gateway = Gateway::open(config).await.expect("a database");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopping) = watch::channel(false);
        tokio::spawn(Listener::Tcp(listener).serve(web::router(Arc::clone(&gateway)), stopping));
        Self { gateway, address, folder, _stop: stop }
    }

    pub fn ada(&self) -> &User {
        &self.gateway.config.users[0]
    }

    /// Ada stores an object; the invitations go to the outbox.
    pub async fn put(&self, text: &str) {
        let object = CalendarObject::parse(text).expect("an object");
        self.gateway.change(self.ada(), Change::Put(Box::new(object))).await.expect("stored");
    }

    pub async fn delete(&self) {
        self.gateway.change(self.ada(), Change::Delete(CalUid(UID.to_owned()))).await.expect("deleted");
    }

    /// Every link in the mails to Bo, in text and in HTML, without the beginning that all have; the newest mail first.
    pub async fn links(&self) -> Vec<String> {
        let mut links = Vec::new();
        for listed in self.outbox().await.iter() {
            let to = self.gateway.ledger.recipients(listed.id).await.expect("recipients");
            if !to.iter().any(|one| one.address == BO) {
                continue;
            }
            let entry = self.gateway.ledger.outbox_entry(listed.id).await.expect("read").expect("a mail");
            let mail = mail_parser::MessageParser::default().parse(&entry.debt.raw).expect("a mail");
            let bodies = [mail.body_text(0), mail.body_html(0)].into_iter().flatten().collect::<Vec<_>>().join("\n");
            let urls = bodies.split(PUBLIC_URL).skip(1);
            links
                .extend(urls.map(|rest| rest.split(['"', '<', ' ', '\r', '\n']).next().unwrap_or_default().to_owned()));
        }
        links
    }

    /// The token of the link that was sent to Bo last.
    pub async fn link(&self) -> String {
        let links = self.links().await;
        let path = links.first().and_then(|link| link.strip_prefix("/answer/")).expect("a link in a mail");
        path.split('?').next().expect("a token").to_owned()
    }

    /// The token of a link that no mail has brought, changed before it was entered.
    pub async fn link_with(&self, change: impl FnOnce(&mut Link)) -> String {
        let mut link = Link {
            digest: String::new(),
            purpose: Purpose::Answer.name().to_owned(),
            user: self.ada().key().to_owned(),
            cal_uid: UID.to_owned(),
            attendee: BO.to_owned(),
            instance: String::new(),
            sequence: 0,
            created_at: now_millis(),
            expires_at: i64::MAX,
            revoked_at: 0,
        };
        change(&mut link);
        let key = self.gateway.ledger.secret("links").await.expect("a key");
        let sequence = link.sequence.to_string();
        let fields = [&link.user, &link.cal_uid, &link.attendee, &link.instance, &sequence].map(String::as_str);
        let token = Token::mint(key.expose_secret(), Purpose::Answer, &fields);
        link.digest = token.digest();
        let mut transaction = self.gateway.ledger.begin().await.expect("a transaction");
        transaction.add_link(&link).await.expect("entered");
        transaction.commit().await.expect("committed");
        token.expose()
    }

    /// What is stored, with the number of decisions and of mails: all that an answer may change.
    pub async fn state(&self) -> (Option<String>, usize, usize) {
        (self.stored().await, self.decisions().await.len(), self.outbox().await.len())
    }

    pub async fn stored(&self) -> Option<String> {
        let stored = self.gateway.object(self.ada(), &CalUid(UID.to_owned())).await.expect("read");
        stored.map(|stored| stored.content.replace("\r\n ", ""))
    }

    pub async fn decisions(&self) -> Vec<DecisionRecord> {
        self.gateway
            .ledger
            .decisions(&DecisionFilter { most: 1_000, ..DecisionFilter::default() })
            .await
            .expect("decisions")
    }

    pub async fn outbox(&self) -> Vec<OutboxEntry> {
        self.gateway.ledger.outbox(1_000).await.expect("the outbox")
    }

    /// The mails that tell Ada of answers, in the order of their making.
    pub async fn notes(&self) -> Vec<OutboxEntry> {
        let mut notes = Vec::new();
        for listed in self.outbox().await.iter().filter(|entry| entry.debt.method == "NOTE") {
            // The list goes without the texts.
            notes.extend(self.gateway.ledger.outbox_entry(listed.id).await.expect("a mail"));
        }
        notes.sort_by_key(|entry| entry.id);
        notes
    }

    /// What Bo has answered: of the whole, then of each instance that has an answer of its own.
    pub async fn answers(&self) -> Vec<String> {
        let stored = self.stored().await.unwrap_or_default();
        let lines = stored.lines().filter(|line| line.starts_with("ATTENDEE") && line.ends_with(BO));
        let partstat = |line: &str| {
            let rest = line.split_once("PARTSTAT=").map_or("NEEDS-ACTION", |(_, rest)| rest);
            rest.split([';', ':']).next().unwrap_or_default().to_owned()
        };
        lines.map(partstat).collect()
    }

    /// Sends a request, whole; the whole answer.
    pub async fn ask(&self, head: &str, body: &[u8]) -> Reply {
        let mut stream = TcpStream::connect(self.address).await.expect("a connection");
        let head = format!("{head}\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).await.expect("sent");
        // A server that refuses early does not read all of it, and may reset the connection behind its answer.
        let _ = stream.write_all(body).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).expect("text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer of a web server");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Reply { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.ask(&format!("GET /answer/{path} HTTP/1.1"), b"").await
    }

    /// Sends the form of the page.
    pub async fn post(&self, path: &str, form: &str) -> Reply {
        let head =
            format!("POST /answer/{path} HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded; charset=utf-8");
        self.ask(&head, form.as_bytes()).await
    }
}
