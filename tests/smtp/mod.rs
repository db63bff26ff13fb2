//! A scripted SMTP server that misbehaves in the ways real ones do.

// Every test program compiles this module for itself and uses a part of it.
#![allow(dead_code)]

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use imipd::itip::Address;
use imipd::outbox::smtp::{Security, SmtpServer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, UnixListener};

/// What the scripted server does.
#[derive(Clone, Default)]
pub struct Script {
    /// Closes the connection before the greeting.
    pub hangs_up_at_once: bool,
    /// Says the greeting, but nothing to EHLO.
    pub is_silent: bool,
    pub greeting: Option<&'static str>,
    /// Replies for command lines that start with a text; the first match counts. An empty reply hangs up.
    pub replies: Vec<(&'static str, &'static str)>,
    /// Keywords of EHLO besides the name.
    pub offers: Vec<&'static str>,
    /// The reply to the final dot; an empty one hangs up.
    pub after_dot: Option<&'static str>,
    /// How long the reply to the final dot takes.
    pub dot_delay: Duration,
    /// Hangs up after so many mails on one connection.
    pub mails_per_connection: Option<usize>,
    /// The most recipients of one transaction; the others get a 452.
    pub recipients_max: Option<usize>,
    /// Greylists each recipient so many times.
    pub greylistings: usize,
    /// The pause before each octet of a reply.
    pub drip: Duration,
    /// Says to the first command what never ends: a line, or lines.
    pub endless: Option<&'static [u8]>,
    /// Says nothing to MAIL and RCPT before DATA has come: only who says all at once gets on.
    pub holds_replies: bool,
    /// Drops the connection instead of the 250, for so many mails of all connections together.
    pub lost_acceptances: usize,
}

/// What the scripted server saw.
#[derive(Default)]
pub struct Seen {
    pub lines: Mutex<Vec<String>>,
    pub bodies: Mutex<Vec<Vec<u8>>>,
    pub connections: AtomicUsize,
    pub open: AtomicUsize,
    pub most_open: AtomicUsize,
    /// The recipients of each mail whose content came, with its Message-ID.
    pub mails: Mutex<Vec<(Vec<String>, String)>>,
    greylisted: Mutex<HashMap<String, usize>>,
    lost: AtomicUsize,
}

impl Seen {
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    pub fn bodies(&self) -> Vec<String> {
        self.bodies.lock().unwrap().iter().map(|body| String::from_utf8_lossy(body).into_owned()).collect()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub fn mails(&self) -> Vec<(Vec<String>, String)> {
        self.mails.lock().unwrap().clone()
    }
}

/// A server on a port of its own.
pub async fn start(script: Script) -> (SmtpServer, Arc<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(Seen::default());
    let shared = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            tokio::spawn(attend(stream, script.clone(), Arc::clone(&shared)));
        }
    });
    (server(port), seen)
}

/// The same on a Unix socket.
pub async fn start_on_socket(path: &Path, script: Script) -> (SmtpServer, Arc<Seen>) {
    let listener = UnixListener::bind(path).unwrap();
    let seen = Arc::new(Seen::default());
    let shared = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(attend(stream, script.clone(), Arc::clone(&shared)));
        }
    });
    (SmtpServer { socket: Some(path.to_owned()), ..server(1) }, seen)
}

async fn attend(stream: impl AsyncRead + AsyncWrite + Unpin, script: Script, seen: Arc<Seen>) {
    seen.connections.fetch_add(1, Ordering::SeqCst);
    let now = seen.open.fetch_add(1, Ordering::SeqCst) + 1;
    seen.most_open.fetch_max(now, Ordering::SeqCst);
    // A client that breaks off is what is being tested.
    let _ = serve(BufReader::new(stream), &script, &seen).await;
    seen.open.fetch_sub(1, Ordering::SeqCst);
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), script: &Script, line: &str) -> std::io::Result<()> {
    let line = format!("{line}\r\n");
    if script.drip.is_zero() {
        return stream.write_all(line.as_bytes()).await;
    }
    for octet in line.as_bytes() {
        tokio::time::sleep(script.drip).await;
        stream.write_all(&[*octet]).await?;
    }
    Ok(())
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: BufReader<S>,
    script: &Script,
    seen: &Seen,
) -> std::io::Result<()> {
    if script.hangs_up_at_once {
        return Ok(());
    }
    say(&mut stream, script, script.greeting.unwrap_or("220 test ESMTP")).await?;
    let (mut mails, mut recipients, mut held) = (0, Vec::new(), String::new());
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let line = line.trim_end_matches("\r\n").to_owned();
        seen.lines.lock().unwrap().push(line.clone());
        if script.is_silent {
            continue;
        }
        while let Some(endless) = script.endless {
            stream.write_all(endless).await?;
        }
        let scripted = script.replies.iter().find(|(start, _)| line.starts_with(start)).map(|(_, reply)| *reply);
        let reply = match scripted {
            Some("") => return Ok(()),
            Some(reply) => reply.to_owned(),
            None => recipient_reply(&line, script, seen, recipients.len())
                .unwrap_or_else(|| default_reply(&line, &script.offers)),
        };
        if script.holds_replies && (line.starts_with("MAIL") || line.starts_with("RCPT")) {
            held += &format!("{reply}\r\n");
        } else {
            say(&mut stream, script, &format!("{}{reply}", std::mem::take(&mut held))).await?;
        }
        match line.split([' ', ':']).next().unwrap_or_default() {
            "MAIL" | "RSET" => recipients.clear(),
            "RCPT" if reply.starts_with("250") => recipients.push(line.clone()),
            _ => {}
        }
        if line == "QUIT" || reply.starts_with("421") {
            return Ok(());
        }
        if reply.starts_with("354") {
            let body = read_body(&mut stream).await?;
            seen.note_mail(&recipients, &body);
            tokio::time::sleep(script.dot_delay).await;
            if seen.lost.fetch_add(1, Ordering::SeqCst) < script.lost_acceptances {
                return Ok(());
            }
            match script.after_dot.unwrap_or("250 2.0.0 queued as 1") {
                "" => return Ok(()),
                reply => say(&mut stream, script, reply).await?,
            }
            mails += 1;
            recipients.clear();
            if script.mails_per_connection == Some(mails) {
                return Ok(());
            }
        }
    }
}

impl Seen {
    fn note_mail(&self, recipients: &[String], body: &[u8]) {
        let text = String::from_utf8_lossy(body);
        let id = text.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap_or_default().to_owned();
        let address = |line: &String| line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        self.mails.lock().unwrap().push((recipients.iter().map(address).collect(), id));
        self.bodies.lock().unwrap().push(body.to_vec());
    }
}

/// What a limited or greylisting server says to a recipient.
fn recipient_reply(line: &str, script: &Script, seen: &Seen, accepted: usize) -> Option<String> {
    let recipient = line.strip_prefix("RCPT TO:")?;
    if script.recipients_max.is_some_and(|most| accepted >= most) {
        return Some("452 4.5.3 too many recipients".to_owned());
    }
    let mut greylisted = seen.greylisted.lock().unwrap();
    let times = greylisted.entry(recipient.to_owned()).or_default();
    *times += 1;
    (*times <= script.greylistings).then(|| "451 4.7.1 greylisted".to_owned())
}

fn default_reply(line: &str, offers: &[&str]) -> String {
    match line.split(' ').next().unwrap_or_default() {
        "EHLO" => {
            let mut keywords = vec!["test"];
            keywords.extend(offers);
            let last = keywords.pop().unwrap();
            keywords.iter().map(|keyword| format!("250-{keyword}\r\n")).collect::<String>() + "250 " + last
        }
        "DATA" => "354 go ahead".to_owned(),
        "QUIT" => "221 bye".to_owned(),
        "AUTH" => "235 welcome".to_owned(),
        _ => "250 ok".to_owned(),
    }
}

/// Reads up to the line that is a dot, the way a careful server does: line ends are CRLF and nothing else.
async fn read_body(stream: &mut (impl AsyncBufReadExt + Unpin)) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).await? == 0 || line == b".\r\n" {
            return Ok(body);
        }
        body.extend_from_slice(&line);
    }
}

pub fn server(port: u16) -> SmtpServer {
    SmtpServer {
        host: "127.0.0.1".to_owned(),
        port,
        socket: None,
        security: Security::None,
        credentials: None,
        hello_name: "gateway.example.com".to_owned(),
        max_recipients: 100,
        max_connections: 2,
        timeout: Duration::from_secs(5),
        final_timeout: Duration::from_secs(5),
    }
}

pub fn from() -> Address {
    Address::parse("a@example.com")
}

pub fn to(names: &[&str]) -> Vec<Address> {
    names.iter().map(|name| Address::parse(&format!("{name}@example.org"))).collect()
}

pub const MAIL: &[u8] = b"Subject: x\r\n\r\nhello\r\n";
