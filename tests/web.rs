//! The web server: what it answers, and to whom.

use std::sync::Arc;
use std::time::Duration;

use imipd::config::{Config, Listen};
use imipd::gateway::{Change, Gateway};
use imipd::itip::CalendarObject;
use imipd::web::{self, Listener};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::watch;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// `imipd:` and the token, in base64.
const BASIC: &str = "Basic aW1pcGQ6MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

struct Server {
    gateway: Arc<Gateway>,
    folder: imipd_lab::Folder,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

async fn server() -> Server {
    let folder = imipd_lab::folder();
    let path = folder.path();
    std::fs::write(path.join("password"), "secret").expect("a password");
    std::fs::write(path.join("token"), TOKEN).expect("a token");
    let socket = path.join("web.sock");
    let text = format!(
        "[database]\nurl = \"sqlite://{0}/imipd.db\"\n[web]\nlisten = \"unix:{0}/web.sock\"\npush_token_file = \"token\"\n\
         [[user]]\naddresses = [\"ada@example.com\"]\npassword_file = \"password\"\n",
        path.display()
    );
    let config = Config::parse(&text, path).expect("a configuration");
    let gateway: Arc<Gateway> = Gateway::open(config).await.expect("a database");
    let listener = Listener::bind(&Listen::Unix(socket)).await.expect("a socket");
    let (stop, stopping) = watch::channel(false);
    let task = tokio::spawn(listener.serve(web::router(Arc::clone(&gateway)), stopping));
    Server { gateway, folder, stop, task }
}

impl Server {
    /// Sends a request, whole; the whole answer.
    async fn ask(&self, head: &str, body: &str) -> String {
        let mut stream = UnixStream::connect(self.folder.path().join("web.sock")).await.expect("a connection");
        let request = format!("{head}\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = Vec::new();
        // A server that refuses early may reset the connection behind its answer.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).expect("text")
    }

    async fn push(&self, authorization: &str, body: &str) -> String {
        let head = format!("PUT /push/dovecot HTTP/1.1\r\nAuthorization: {authorization}");
        self.ask(&head, body).await.lines().next().unwrap_or_default().to_owned()
    }
}

#[tokio::test]
async fn only_the_right_token_pushes() {
    let server = server().await;
    let body = r#"{"user":"nobody@example.com","event":"messageNew"}"#;
    assert_eq!(server.push(BASIC, body).await, "HTTP/1.1 204 No Content");
    assert_eq!(server.push(&format!("Bearer {TOKEN}"), body).await, "HTTP/1.1 204 No Content");
    for wrong in ["Basic", "Basic !", "Basic aW1pcGQ6", "Bearer x", "Digest x", &format!("Bearer {TOKEN}x")] {
        assert_eq!(server.push(wrong, body).await, "HTTP/1.1 401 Unauthorized", "{wrong}");
    }
    let metrics = server.ask("GET /metrics HTTP/1.1", "").await;
    assert!(metrics.contains("imipd_pushes_total{outcome=\"unknown\"} 2\n"), "{metrics}");
    assert!(metrics.contains("imipd_pushes_total{outcome=\"refused\"} 6\n"), "{metrics}");
}

#[tokio::test]
async fn a_hostile_push_is_refused_and_harms_nothing() {
    let server = server().await;
    for body in ["", "{", "[]", r#"{"user":7}"#, r#"{"event":"messageNew"}"#, &"[".repeat(60_000)] {
        assert_eq!(server.push(BASIC, body).await, "HTTP/1.1 400 Bad Request");
    }
    assert_eq!(server.push(BASIC, &"x".repeat(70_000)).await, "HTTP/1.1 413 Payload Too Large");
    let long = format!("GET /health HTTP/1.1\r\nX: {}", "x".repeat(100_000));
    assert!(server.ask(&long, "").await.starts_with("HTTP/1.1 431 "));
    assert!(server.ask("GET /health HTTP/1.1", "").await.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn health_and_metrics_name_nobody() {
    let server = server().await;
    let health = server.ask("GET /health HTTP/1.1", "").await;
    assert!(health.contains(r#"{"status":"ok","problems":[],"mailboxes":0,"mailboxes_failing":0}"#), "{health}");
    let metrics = server.ask("GET /metrics HTTP/1.1", "").await;
    for line in ["imipd_dead_letters 0", "imipd_mailboxes{phase=\"failing\"} 0", "imipd_mailbox_lag_seconds 0"] {
        assert!(metrics.lines().any(|told| told == line), "{line}: {metrics}");
    }
    assert!(!health.contains('@') && !metrics.contains('@'));
}

#[tokio::test]
async fn it_ends_in_time_though_a_client_says_nothing() {
    let server = server().await;
    let _silent = UnixStream::connect(server.folder.path().join("web.sock")).await.expect("a connection");
    server.stop.send(true).expect("a server");
    tokio::time::timeout(Duration::from_secs(4), server.task).await.expect("in time").expect("no panic");
}

#[tokio::test]
async fn a_feed_is_the_calendar_of_one_user_until_it_is_revoked() {
    let server = server().await;
    let user = server.gateway.config.users[0].clone();
    let token = server.gateway.create_feed(&user).await.expect("a feed");
    let head = format!("GET /calendar/{}.ics HTTP/1.1", token.expose());
    let empty = server.ask(&head, "").await;
    assert!(empty.starts_with("HTTP/1.1 200 OK\r\n"), "{empty}");
    let text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Walk\r\n\
        DTSTAMP:20260101T000000Z\r\nDTSTART:20400601T080000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let object = CalendarObject::parse(text).expect("an object");
    server.gateway.change(&user, Change::Put(Box::new(object))).await.expect("stored");

    let full = server.ask(&head, "").await;
    assert!(full.contains("content-type: text/calendar; charset=utf-8\r\n"), "{full}");
    assert!(full.contains("SUMMARY:Walk\r\n") && full.ends_with("END:VCALENDAR\r\n"), "{full}");
    let etag = |answer: &str| answer.lines().find_map(|line| line.strip_prefix("etag: ").map(str::to_owned));
    let known = etag(&full).expect("an ETag");
    assert_ne!(Some(&known), etag(&empty).as_ref(), "it changes with the calendar");
    let unchanged = server.ask(&format!("{head}\r\nIf-None-Match: \"x\", {known}"), "").await;
    assert!(unchanged.starts_with("HTTP/1.1 304 Not Modified\r\n") && !unchanged.contains("Walk"), "{unchanged}");
    let looked_at = server.ask(&head.replacen("GET", "HEAD", 1), "").await;
    assert!(looked_at.starts_with("HTTP/1.1 200 OK\r\n") && !looked_at.contains("Walk"), "{looked_at}");

    let another = server.gateway.create_feed(&user).await.expect("a second feed");
    assert_eq!(server.gateway.revoke_feeds(&user, Some(&token)).await.expect("revoked"), 1);
    let second = format!("GET /calendar/{}.ics HTTP/1.1", another.expose());
    assert!(server.ask(&head, "").await.starts_with("HTTP/1.1 404 Not Found\r\n"));
    assert!(server.ask(&second, "").await.starts_with("HTTP/1.1 200 OK\r\n"), "the other one holds");
    for guess in ["", "x", "../../etc/passwd", &"A".repeat(22), &"A".repeat(5_000)] {
        let head = format!("GET /calendar/{guess}.ics HTTP/1.1");
        assert!(server.ask(&head, "").await.starts_with("HTTP/1.1 404 Not Found\r\n"), "{guess}");
    }
}

#[tokio::test]
async fn a_feed_is_packed_for_those_who_take_it() {
    let server = server().await;
    let user = server.gateway.config.users[0].clone();
    let token = server.gateway.create_feed(&user).await.expect("a feed").expose();
    let answer = |codings: &str| {
        let head = format!("GET /calendar/{token}.ics HTTP/1.1\r\nAccept-Encoding: {codings}");
        let mut stream =
            std::os::unix::net::UnixStream::connect(server.folder.path().join("web.sock")).expect("a connection");
        tokio::task::spawn_blocking(move || {
            use std::io::{Read, Write};
            write!(stream, "{head}\r\nHost: x\r\nConnection: close\r\n\r\n").expect("sent");
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).expect("an answer");
            answer
        })
    };
    let packed = answer("deflate, gzip;q=0.5").await.expect("an answer");
    let body = packed.windows(4).position(|four| four == b"\r\n\r\n").map(|end| packed[end + 4..].to_vec());
    let mut text = String::new();
    let mut decoder = flate2::read::GzDecoder::new(std::io::Cursor::new(body.expect("a body")));
    std::io::Read::read_to_string(&mut decoder, &mut text).expect("gzip");
    assert!(text.starts_with("BEGIN:VCALENDAR\r\n"), "{text}");
    for plain in ["identity", "gzip;q=0"] {
        let answer = String::from_utf8(answer(plain).await.expect("an answer")).expect("text");
        assert!(answer.contains("BEGIN:VCALENDAR\r\n"), "{plain}: {answer}");
    }
}
