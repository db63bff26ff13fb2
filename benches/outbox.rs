//! How many mails a second leave: the SMTP driver alone, and the daemon's whole path from the row in the outbox to the committed
//! outcome, over one and over four connections, to a sink on loopback that takes everything at once.
//!
//! The median of several runs. Beside it stands what the disk takes for one commit: outcomes are committed together, so
//! it bounds the latency and not the rate.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use imipd::calendar::{CalendarStore, DatabaseCalendars, StoredObject};
use imipd::config::Config;
use imipd::gateway::{Gateway, deliver_outbox, now_millis};
use imipd::itip::{Address, CalUid};
use imipd::ledger::{Debt, RecipientState};
use imipd::outbox::smtp::{Security, SmtpServer, Submitter};
use tokio::sync::watch;

#[path = "common/disk.rs"]
mod disk;

/// Mails of one run.
const MAILS: usize = 10_000;

/// Runs of each kind; the median counts.
const RUNS: usize = 5;

const SENDER: &str = "anna@example.com";

fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder on the disk");
    let mail = mail("bench");
    println!("Submission to a sink on loopback: {MAILS} mails of {} octets, median of {RUNS} runs.", mail.len());
    println!("The disk takes {:?} for one commit of 4 kB.\n", disk::commit_time(folder.path()));
    println!("{:<44} {:>12} {:>14}", "path", "connections", "mails/s");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build().expect("a runtime");
    let sink = Sink::start();
    for connections in [1, 4] {
        let rate = median(|| runtime.block_on(drive(&sink, connections, &mail)));
        row("SMTP driver alone", connections, rate);
    }
    for connections in [1, 4] {
        for (name, calendar) in [("outbox row to committed outcome", None), ("the same, noted in a calendar", Some(()))]
        {
            let rate = median(|| runtime.block_on(daemon(&sink, connections, folder.path(), calendar.is_some())));
            row(name, connections, rate);
        }
    }
}

fn row(name: &str, connections: usize, rate: f64) {
    println!("{name:<44} {connections:>12} {rate:>14.0}");
}

fn median(mut run: impl FnMut() -> Duration) -> f64 {
    let mut times: Vec<Duration> = (0..RUNS).map(|_| run()).collect();
    times.sort();
    MAILS as f64 / times[RUNS / 2].as_secs_f64()
}

/// One mail after the other on each connection.
async fn drive(sink: &Sink, connections: usize, mail: &[u8]) -> Duration {
    let submitter = Arc::new(Submitter::new(sink.server(connections)));
    let begun = Instant::now();
    let tasks: Vec<_> = (0..connections)
        .map(|_| {
            let (submitter, mail) = (Arc::clone(&submitter), mail.to_vec());
            tokio::spawn(async move {
                let (from, to) = (Address::parse(SENDER), [Address::parse("bob@example.org")]);
                for _ in 0..MAILS / connections {
                    submitter.submit(&from, &to, &mail).await.expect("submitted");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("it ends");
    }
    let took = begun.elapsed();
    submitter.close().await;
    took
}

/// A full outbox, and a courier that empties it.
async fn daemon(sink: &Sink, connections: usize, folder: &Path, with_calendar: bool) -> Duration {
    let folder = tempfile::tempdir_in(folder).expect("a folder");
    let gateway = gateway(folder.path(), connections).await;
    fill(&gateway, with_calendar).await;
    let before = sink.taken();
    let submitter = Arc::new(Submitter::new(sink.server(connections)));
    let (stop, stopping) = watch::channel(false);
    let begun = Instant::now();
    let courier = tokio::spawn(deliver_outbox(Arc::clone(&gateway), submitter, stopping));
    while gateway.ledger.recipients_in(RecipientState::Waiting).await.expect("counted") > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let took = begun.elapsed();
    stop.send(true).expect("it listens");
    courier.await.expect("it ends");
    assert_eq!(sink.taken() - before, MAILS as u64, "each mail once");
    gateway.ledger.close().await;
    took
}

async fn gateway(folder: &Path, connections: usize) -> Arc<Gateway> {
    std::fs::write(folder.join("secret"), "secret").expect("written");
    let text = format!(
        "[database]\nurl = \"sqlite://imipd.db\"\n[smtp]\nhost = \"127.0.0.1\"\nsecurity = \"none\"\n\
         max_connections = {connections}\nuser_limit = 0\n\
         [[user]]\naddresses = [\"{SENDER}\"]\npassword_file = \"secret\"\n"
    );
    let config = Config::parse(&text, folder).unwrap_or_else(|faults| panic!("{faults}"));
    Gateway::open(config).await.expect("a gateway")
}

async fn fill(gateway: &Gateway, with_calendar: bool) {
    let mut transaction = gateway.ledger.begin().await.expect("a transaction");
    for nth in 0..MAILS {
        let uid = format!("event-{nth}@example.com");
        transaction.owe(&debt(nth, &uid)).await.expect("entered");
        if with_calendar {
            let object = StoredObject { uid: CalUid(uid.clone()), content: event(&uid) };
            DatabaseCalendars
                .put(transaction.connection().await.expect("a connection"), SENDER, &object, now_millis())
                .await
                .expect("stored");
        }
    }
    transaction.commit().await.expect("committed");
}

fn debt(nth: usize, uid: &str) -> Debt {
    Debt {
        user: SENDER.to_owned(),
        cal_uid: uid.to_owned(),
        message_id: format!("<{nth}@example.com>"),
        sender: SENDER.to_owned(),
        recipients: vec!["bob@example.org".to_owned()],
        method: "REQUEST".to_owned(),
        subject: "Invitation".to_owned(),
        raw: mail(uid),
        dtstamp: 0,
        created_at: now_millis(),
    }
}

fn event(uid: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//imipd//bench//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nSEQUENCE:0\r\n\
         DTSTAMP:20310101T080000Z\r\nDTSTART:20310203T090000Z\r\nDTEND:20310203T100000Z\r\nSUMMARY:Plan\r\n\
         ORGANIZER:mailto:{SENDER}\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:{SENDER}\r\n\
         ATTENDEE;RSVP=TRUE:mailto:bob@example.org\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

/// A mail of the size of an invitation with its HTML and its attachment.
fn mail(uid: &str) -> Vec<u8> {
    let body = "All that stands in an invitation, in words, is about as long as this line is here.\r\n".repeat(45);
    format!("From: {SENDER}\r\nTo: bob@example.org\r\nSubject: Plan\r\nMessage-ID: <{uid}>\r\n\r\n{body}").into_bytes()
}

/// A server that takes everything; it runs until the bench ends.
struct Sink {
    port: u16,
    taken: Arc<AtomicU64>,
}

impl Sink {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its number").port();
        let taken = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&taken);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let count = Arc::clone(&count);
                std::thread::spawn(move || drop(serve(stream, &count)));
            }
        });
        Self { port, taken }
    }

    fn taken(&self) -> u64 {
        self.taken.load(Ordering::SeqCst)
    }

    fn server(&self, connections: usize) -> SmtpServer {
        SmtpServer {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            socket: None,
            security: Security::None,
            credentials: None,
            hello_name: "bench.example.com".to_owned(),
            max_recipients: 100,
            max_connections: connections,
            timeout: Duration::from_secs(10),
            final_timeout: Duration::from_secs(10),
        }
    }
}

fn serve(stream: TcpStream, taken: &AtomicU64) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut out = stream.try_clone()?;
    let mut lines = BufReader::with_capacity(64 * 1024, stream);
    out.write_all(b"220 sink\r\n")?;
    let (mut line, mut is_content) = (Vec::new(), false);
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let reply: &[u8] = match (is_content, line.get(..4).unwrap_or(&line)) {
            (true, b".\r\n") => {
                is_content = false;
                taken.fetch_add(1, Ordering::SeqCst);
                b"250 2.0.0 taken\r\n"
            }
            (true, _) => continue,
            (false, b"DATA") => {
                is_content = true;
                b"354 go ahead\r\n"
            }
            (false, b"EHLO") => b"250-sink\r\n250 PIPELINING\r\n",
            (false, b"QUIT") => return out.write_all(b"221 2.0.0 bye\r\n"),
            (false, _) => b"250 2.0.0 ok\r\n",
        };
        out.write_all(reply)?;
    }
}
