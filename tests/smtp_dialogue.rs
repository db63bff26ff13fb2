//! The SMTP driver against a scripted server that misbehaves in the ways real ones do.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use imipd::itip::Address;
use imipd::outbox::smtp::{DataOutcome, Outcome, Security, SmtpError, SmtpServer, Submission, Submitter};
use secrecy::SecretString;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What the scripted server does.
#[derive(Clone, Default)]
struct Script {
    /// Closes the connection before the greeting.
    hangs_up_at_once: bool,
    /// Says the greeting, but nothing to EHLO.
    is_silent: bool,
    greeting: Option<&'static str>,
    /// Replies for command lines that start with a text; the first match counts. An empty reply hangs up.
    replies: Vec<(&'static str, &'static str)>,
    /// Keywords of EHLO besides the name.
    offers: Vec<&'static str>,
    /// The reply to the final dot; an empty one hangs up.
    after_dot: Option<&'static str>,
    /// How long the reply to the final dot takes.
    dot_delay: Duration,
    /// Hangs up after so many mails on one connection.
    mails_per_connection: Option<usize>,
}

/// What the scripted server saw.
#[derive(Default)]
struct Seen {
    lines: Mutex<Vec<String>>,
    bodies: Mutex<Vec<Vec<u8>>>,
    connections: AtomicUsize,
    open: AtomicUsize,
    most_open: AtomicUsize,
}

impl Seen {
    fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    fn bodies(&self) -> Vec<String> {
        self.bodies.lock().unwrap().iter().map(|body| String::from_utf8_lossy(body).into_owned()).collect()
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn start(script: Script) -> (SmtpServer, Arc<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(Seen::default());
    let shared = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (script, seen) = (script.clone(), Arc::clone(&shared));
            tokio::spawn(async move {
                seen.connections.fetch_add(1, Ordering::SeqCst);
                let now = seen.open.fetch_add(1, Ordering::SeqCst) + 1;
                seen.most_open.fetch_max(now, Ordering::SeqCst);
                let _ = serve(stream, &script, &seen).await;
                seen.open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    (server(port), seen)
}

async fn serve(stream: TcpStream, script: &Script, seen: &Seen) -> std::io::Result<()> {
    if script.hangs_up_at_once {
        return Ok(());
    }
    let mut stream = BufReader::new(stream);
    let greeting = script.greeting.unwrap_or("220 test ESMTP");
    stream.write_all(format!("{greeting}\r\n").as_bytes()).await?;
    let mut mails = 0;
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
        let scripted = script.replies.iter().find(|(start, _)| line.starts_with(start)).map(|(_, reply)| *reply);
        let reply = match scripted {
            Some("") => return Ok(()),
            Some(reply) => reply.to_owned(),
            None => default_reply(&line, &script.offers),
        };
        stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
        if line == "QUIT" || reply.starts_with("421") {
            return Ok(());
        }
        if reply.starts_with("354") {
            let body = read_body(&mut stream).await?;
            seen.bodies.lock().unwrap().push(body);
            tokio::time::sleep(script.dot_delay).await;
            match script.after_dot.unwrap_or("250 2.0.0 queued as 1") {
                "" => return Ok(()),
                reply => stream.write_all(format!("{reply}\r\n").as_bytes()).await?,
            }
            mails += 1;
            if script.mails_per_connection == Some(mails) {
                return Ok(());
            }
        }
    }
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
async fn read_body(stream: &mut BufReader<TcpStream>) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).await? == 0 || line == b".\r\n" {
            return Ok(body);
        }
        body.extend_from_slice(&line);
    }
}

fn server(port: u16) -> SmtpServer {
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

fn from() -> Address {
    Address::parse("a@example.com")
}

fn to(names: &[&str]) -> Vec<Address> {
    names.iter().map(|name| Address::parse(&format!("{name}@example.org"))).collect()
}

const MAIL: &[u8] = b"Subject: x\r\n\r\nhello\r\n";

async fn submit(server: SmtpServer, names: &[&str]) -> Result<Submission, SmtpError> {
    Submitter::new(server).submit(&from(), &to(names), MAIL).await
}

fn codes(submission: &Submission) -> Vec<Option<u16>> {
    let outcomes = submission.outcomes();
    outcomes
        .map(|(_, outcome)| match outcome {
            Outcome::Accepted { .. } => None,
            Outcome::Refused(refusal) => Some(refusal.code),
        })
        .collect()
}

#[tokio::test]
async fn a_mail_is_submitted() {
    let (server, seen) = start(Script::default()).await;
    let submission = submit(server, &["b", "c"]).await.unwrap();
    assert_eq!(codes(&submission), [None, None]);
    assert_eq!(submission.data, DataOutcome::Accepted { response: "2.0.0 queued as 1".to_owned() });
    let expected = [
        "EHLO gateway.example.com",
        "MAIL FROM:<a@example.com>",
        "RCPT TO:<b@example.org>",
        "RCPT TO:<c@example.org>",
        "DATA",
    ];
    assert_eq!(seen.lines(), expected);
    assert_eq!(seen.bodies(), ["Subject: x\r\n\r\nhello\r\n"]);
}

#[tokio::test]
async fn greylisting_is_a_transient_refusal() {
    let script = Script { replies: vec![("RCPT", "451 4.7.1 try again later")], ..Script::default() };
    let (server, seen) = start(script).await;
    let submission = submit(server, &["b"]).await.unwrap();
    let [(_, Outcome::Refused(refusal))] = submission.recipients.as_slice() else { panic!("{submission:?}") };
    assert_eq!((refusal.code, refusal.permanent, refusal.text.as_str()), (451, false, "4.7.1 try again later"));
    assert_eq!(submission.data, DataOutcome::NotSent);
    assert!(!seen.lines().contains(&"DATA".to_owned()));
    assert_eq!(seen.lines().last().unwrap(), "RSET");
}

#[tokio::test]
async fn one_refused_recipient_does_not_stop_the_others() {
    let script = Script { replies: vec![("RCPT TO:<c@", "550-5.1.1 no\r\n550 such user")], ..Script::default() };
    let (server, seen) = start(script).await;
    let submission = submit(server, &["b", "c", "d"]).await.unwrap();
    assert_eq!(codes(&submission), [None, Some(550), None]);
    let Outcome::Refused(refusal) = &submission.recipients[1].1 else { panic!() };
    assert!(refusal.permanent && refusal.text.contains("no") && refusal.text.contains("such user"), "{refusal:?}");
    assert!(!refusal.text.contains('\n'));
    assert_eq!(seen.bodies().len(), 1);
}

#[tokio::test]
async fn a_refused_sender_refuses_all() {
    let script = Script { replies: vec![("MAIL", "550 5.7.1 not yours")], ..Script::default() };
    let (server, _) = start(script).await;
    let submission = submit(server, &["b", "c"]).await.unwrap();
    assert_eq!((codes(&submission), submission.data), (vec![Some(550), Some(550)], DataOutcome::NotSent));
}

#[tokio::test]
async fn a_refused_content_refuses_all_who_were_accepted() {
    let script = Script { after_dot: Some("554 5.6.0 spam"), ..Script::default() };
    let (server, _) = start(script).await;
    assert_eq!(codes(&submit(server, &["b"]).await.unwrap()), [Some(554)]);
    let script = Script { replies: vec![("DATA", "452 4.3.1 full")], ..Script::default() };
    let (server, seen) = start(script).await;
    assert_eq!(codes(&submit(server, &["b"]).await.unwrap()), [Some(452)]);
    assert!(seen.bodies().is_empty());
}

#[tokio::test]
async fn a_server_that_hangs_up_between_recipients_took_nothing() {
    let script = Script { replies: vec![("RCPT TO:<c@", "421 4.3.2 shutting down")], ..Script::default() };
    let (server, seen) = start(script).await;
    let submission = submit(server, &["b", "c", "d"]).await.unwrap();
    assert_eq!(codes(&submission), [Some(421), Some(421), Some(421)]);
    assert!(
        submission.outcomes().all(|(_, outcome)| matches!(outcome, Outcome::Refused(refusal) if !refusal.permanent))
    );
    assert!(seen.bodies().is_empty());
}

#[tokio::test]
async fn a_connection_lost_after_the_dot_is_unknown() {
    let (server, seen) = start(Script { after_dot: Some(""), ..Script::default() }).await;
    let error = submit(server, &["b"]).await.unwrap_err();
    assert!(matches!(error, SmtpError::Unknown { .. }), "{error}");
    assert!(error.is_transient());
    assert_eq!(seen.bodies().len(), 1);
}

#[tokio::test]
async fn no_reply_to_the_dot_in_time_is_unknown() {
    let (server, _) = start(Script { dot_delay: Duration::from_secs(30), ..Script::default() }).await;
    let server = SmtpServer { final_timeout: Duration::from_millis(100), ..server };
    assert!(matches!(submit(server, &["b"]).await.unwrap_err(), SmtpError::Unknown { .. }));
}

#[tokio::test]
async fn a_connection_lost_before_the_content_is_unreachable() {
    for place in ["MAIL", "RCPT", "DATA"] {
        let (server, _) = start(Script { replies: vec![(place, "")], ..Script::default() }).await;
        let error = submit(server, &["b"]).await.unwrap_err();
        assert!(matches!(error, SmtpError::Unreachable { .. }) && error.is_transient(), "{place}: {error}");
    }
}

#[tokio::test]
async fn a_server_that_drops_at_connect_is_unreachable() {
    let (server, _) = start(Script { hangs_up_at_once: true, ..Script::default() }).await;
    assert!(matches!(submit(server, &["b"]).await.unwrap_err(), SmtpError::Unreachable { .. }));
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let error = submit(self::server(port), &["b"]).await.unwrap_err();
    assert!(matches!(error, SmtpError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let (server, _) = start(Script { is_silent: true, ..Script::default() }).await;
    let server = SmtpServer { timeout: Duration::from_millis(100), ..server };
    let error = submit(server, &["b"]).await.unwrap_err();
    assert!(matches!(&error, SmtpError::Unreachable { reason, .. } if reason.contains("100ms")), "{error}");
}

#[tokio::test]
async fn a_greeting_that_refuses_is_told() {
    let (server, _) = start(Script { greeting: Some("554 5.7.1 you are listed"), ..Script::default() }).await;
    let error = submit(server, &["b"]).await.unwrap_err();
    assert!(matches!(&error, SmtpError::Refused { refusal, .. } if refusal.code == 554), "{error}");
    assert!(!error.is_transient());
}

#[tokio::test]
async fn a_go_ahead_that_is_none_sends_no_content() {
    let (server, seen) = start(Script { replies: vec![("DATA", "250 what?")], ..Script::default() }).await;
    let error = submit(server, &["b"]).await.unwrap_err();
    assert!(matches!(error, SmtpError::Protocol { .. }), "{error}");
    assert!(!seen.lines().iter().any(|line| line.contains("hello")));
}

#[tokio::test]
async fn text_cannot_smuggle_commands() {
    let (server, seen) = start(Script::default()).await;
    let submitter = Submitter::new(server);
    let raw = b"Subject: x\n\nfirst\n.\nQUIT\r\n.\r\nMAIL FROM:<evil@example.com>\r.\rRCPT\r\n..\r\n.";
    submitter.submit(&from(), &to(&["b"]), raw).await.unwrap();
    submitter.submit(&from(), &to(&["c"]), MAIL).await.unwrap();
    assert_eq!(seen.bodies().len(), 2);
    assert_eq!(
        seen.bodies()[0],
        "Subject: x\r\n\r\nfirst\r\n..\r\nQUIT\r\n..\r\nMAIL FROM:<evil@example.com>.RCPT\r\n...\r\n..\r\n"
    );
    assert!(!seen.lines().iter().any(|line| line.contains("evil") || line == "QUIT"), "{:?}", seen.lines());
}

#[tokio::test]
async fn the_second_mail_takes_the_same_connection() {
    let (server, seen) = start(Script::default()).await;
    let submitter = Submitter::new(server);
    for _ in 0..3 {
        submitter.submit(&from(), &to(&["b"]), MAIL).await.unwrap();
    }
    assert_eq!((seen.connections(), seen.bodies().len()), (1, 3));
    assert_eq!(seen.lines().iter().filter(|line| *line == "NOOP").count(), 2);
    submitter.close().await;
    assert_eq!(seen.lines().last().unwrap(), "QUIT");
}

#[tokio::test]
async fn a_connection_that_died_in_the_pool_is_replaced() {
    let (server, seen) = start(Script { mails_per_connection: Some(1), ..Script::default() }).await;
    let submitter = Submitter::new(server);
    for _ in 0..3 {
        submitter.submit(&from(), &to(&["b"]), MAIL).await.unwrap();
    }
    assert_eq!((seen.connections(), seen.bodies().len()), (3, 3));
}

#[tokio::test]
async fn never_more_connections_than_allowed() {
    let (server, seen) = start(Script { dot_delay: Duration::from_millis(50), ..Script::default() }).await;
    let submitter = Arc::new(Submitter::new(server));
    let tasks: Vec<_> = (0..5)
        .map(|_| {
            let submitter = Arc::clone(&submitter);
            tokio::spawn(async move { submitter.submit(&from(), &to(&["b"]), MAIL).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(seen.bodies().len(), 5);
    assert_eq!((seen.most_open.load(Ordering::SeqCst), seen.connections()), (2, 2));
}

#[tokio::test]
async fn a_submission_that_is_given_up_frees_its_place() {
    let (server, seen) = start(Script { dot_delay: Duration::from_millis(300), ..Script::default() }).await;
    let submitter = Submitter::new(SmtpServer { max_connections: 1, ..server });
    let given_up = tokio::time::timeout(Duration::from_millis(50), submitter.submit(&from(), &to(&["b"]), MAIL)).await;
    assert!(given_up.is_err());
    submitter.submit(&from(), &to(&["c"]), MAIL).await.unwrap();
    assert_eq!(seen.connections(), 2);
}

#[tokio::test]
async fn without_starttls_nothing_is_said_in_the_clear() {
    let (server, seen) = start(Script { offers: vec!["AUTH PLAIN"], ..Script::default() }).await;
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let server = SmtpServer {
        security: Security::StartTls(Arc::new(config)),
        credentials: Some(("u".to_owned(), SecretString::from("p"))),
        ..server
    };
    let error = submit(server, &["b"]).await.unwrap_err();
    assert!(matches!(error, SmtpError::Tls { .. }), "{error}");
    assert_eq!(seen.lines(), ["EHLO gateway.example.com"]);
}

#[tokio::test]
async fn authentication_by_plain_and_by_login() {
    let credentials = Some(("user".to_owned(), SecretString::from("secret")));
    let (server, seen) = start(Script { offers: vec!["AUTH LOGIN PLAIN"], ..Script::default() }).await;
    submit(SmtpServer { credentials: credentials.clone(), ..server }, &["b"]).await.unwrap();
    assert_eq!(seen.lines()[1], "AUTH PLAIN AHVzZXIAc2VjcmV0");

    let login = vec![("AUTH LOGIN", "334 VXNlcm5hbWU6"), ("dXNlcg==", "334 UGFzc3dvcmQ6"), ("c2VjcmV0", "235 ok")];
    let (server, seen) = start(Script { offers: vec!["AUTH LOGIN"], replies: login, ..Script::default() }).await;
    submit(SmtpServer { credentials, ..server }, &["b"]).await.unwrap();
    assert_eq!(seen.lines()[1..4], ["AUTH LOGIN", "dXNlcg==", "c2VjcmV0"]);
}

#[tokio::test]
async fn a_refused_login_does_not_show_the_password() {
    let credentials = Some(("user".to_owned(), SecretString::from("hunter2")));
    for (offers, reply, code, is_transient) in [
        (vec!["AUTH PLAIN"], "535 5.7.8 wrong", 535, false),
        (vec!["AUTH PLAIN"], "454 4.7.0 later", 454, true),
        (vec![], "", 504, false),
    ] {
        let (server, _) = start(Script { offers, replies: vec![("AUTH", reply)], ..Script::default() }).await;
        let server = SmtpServer { credentials: credentials.clone(), ..server };
        assert!(!format!("{server:?}").contains("hunter2"));
        let error = Submitter::new(server).check().await.unwrap_err();
        assert!(matches!(&error, SmtpError::AuthRefused { refusal, .. } if refusal.code == code), "{error}");
        assert_eq!(error.is_transient(), is_transient);
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn check_says_goodbye() {
    let (server, seen) = start(Script::default()).await;
    Submitter::new(server).check().await.unwrap();
    assert_eq!(seen.lines(), ["EHLO gateway.example.com", "QUIT"]);
}

#[tokio::test]
async fn addresses_outside_of_ascii_need_smtputf8() {
    let recipients = [Address::parse("jörg@example.org"), Address::parse("b@example.org")];
    let (server, seen) = start(Script::default()).await;
    let submission = Submitter::new(server).submit(&from(), &recipients, MAIL).await.unwrap();
    assert_eq!(codes(&submission), [Some(553), None]);
    assert!(seen.lines().iter().all(|line| line.is_ascii()));

    let (server, seen) = start(Script { offers: vec!["SMTPUTF8", "8BITMIME"], ..Script::default() }).await;
    let submission = Submitter::new(server).submit(&from(), &recipients, MAIL).await.unwrap();
    assert_eq!(codes(&submission), [None, None]);
    assert_eq!(seen.lines()[1..3], ["MAIL FROM:<a@example.com> SMTPUTF8", "RCPT TO:<jörg@example.org>"]);
}

#[tokio::test]
async fn no_address_ends_a_command() {
    let recipients = [Address::parse("b@example.org>\r\nRCPT TO:<evil@example.com"), Address::parse("c@example.org")];
    let (server, seen) = start(Script::default()).await;
    let submission = Submitter::new(server).submit(&from(), &recipients, MAIL).await.unwrap();
    assert_eq!(codes(&submission), [Some(553), None]);
    assert!(!seen.lines().iter().any(|line| line.contains("evil")));
}
