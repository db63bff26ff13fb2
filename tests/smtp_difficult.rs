//! The SMTP driver and servers that limit, stall and talk too much.

mod smtp;

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use imipd::itip::Address;
use imipd::outbox::smtp::{DataOutcome, Login, Outcome, SmtpError, SmtpServer, Submission, Submitter, TokenSource};
use secrecy::SecretString;
use smtp::{MAIL, Script, from, start, start_on_socket, to};

async fn submit(server: SmtpServer, names: &[&str]) -> Result<Submission, SmtpError> {
    Submitter::new(server).submit(&from(), &to(names), MAIL).await
}

fn names(addresses: &[Address]) -> Vec<&str> {
    addresses.iter().map(Address::as_str).collect()
}

#[tokio::test]
async fn who_is_too_many_for_one_transaction_is_left_for_the_next() {
    let (server, seen) = start(Script { recipients_max: Some(2), ..Script::default() }).await;
    let submitter = Submitter::new(server);
    let first = submitter.submit(&from(), &to(&["b", "c", "d"]), MAIL).await.unwrap();
    assert_eq!((first.recipients.len(), names(&first.untried)), (2, vec!["d@example.org"]));
    let second = submitter.submit(&from(), &first.untried, MAIL).await.unwrap();
    assert_eq!((second.recipients.len(), second.untried.len()), (1, 0));
    assert_eq!(seen.bodies().len(), 2);
    assert_eq!(seen.connections(), 1);
}

#[tokio::test]
async fn our_own_limit_and_the_announced_one_hold_without_a_refusal() {
    for (max_recipients, offers) in [(2, vec![]), (100, vec!["LIMITS RCPTMAX=2"])] {
        let (server, seen) = start(Script { offers, ..Script::default() }).await;
        let submission = submit(SmtpServer { max_recipients, ..server }, &["b", "c", "d"]).await.unwrap();
        assert_eq!(names(&submission.untried), ["d@example.org"]);
        assert!(!seen.lines().iter().any(|line| line.contains("<d@")));
    }
}

#[tokio::test]
async fn a_full_mailbox_is_not_too_many() {
    let script = Script { replies: vec![("RCPT TO:<c@", "452 4.2.2 mailbox full")], ..Script::default() };
    let (server, _) = start(script).await;
    let submission = submit(server, &["b", "c", "d"]).await.unwrap();
    assert!(submission.untried.is_empty());
    let [_, (_, Outcome::Refused(refusal)), _] = submission.recipients.as_slice() else { panic!("{submission:?}") };
    assert!(!refusal.permanent && refusal.text.contains("4.2.2"), "{refusal}");
    // The first of a transaction is never one too many: it would be asked again for ever.
    let (server, _) = start(Script { replies: vec![("RCPT", "452 no")], ..Script::default() }).await;
    let submission = submit(server, &["b", "c"]).await.unwrap();
    assert_eq!((submission.recipients.len(), submission.untried.len()), (2, 0));
}

#[tokio::test]
async fn a_mail_that_is_too_large_is_refused_before_it_is_sent() {
    let (server, seen) = start(Script { offers: vec!["SIZE 10"], ..Script::default() }).await;
    let submission = submit(server, &["b"]).await.unwrap();
    let [(_, Outcome::Refused(refusal))] = submission.recipients.as_slice() else { panic!("{submission:?}") };
    assert!(refusal.permanent && refusal.text.contains("10 at most"), "{refusal}");
    assert_eq!(submission.data, DataOutcome::NotSent);
    assert!(!seen.lines().iter().any(|line| line.starts_with("MAIL")));
    let (server, seen) = start(Script { offers: vec!["SIZE 1000"], ..Script::default() }).await;
    submit(server, &["b"]).await.unwrap();
    assert_eq!(seen.lines()[1], "MAIL FROM:<a@example.com> SIZE=19");
}

#[tokio::test]
async fn a_server_that_says_an_octet_at_a_time_has_no_more_time_than_others() {
    let (server, _) = start(Script { drip: Duration::from_millis(50), ..Script::default() }).await;
    let begun = tokio::time::Instant::now();
    let server = SmtpServer { timeout: Duration::from_millis(300), ..server };
    let error = submit(server, &["b"]).await.unwrap_err();
    assert!(matches!(&error, SmtpError::Unreachable { reason, .. } if reason.contains("300ms")), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_reply_without_end_is_cut_off() {
    for endless in [&b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"[..], b"250-and so on\r\n", b"\0\0\0\0", b"\xff\xfe\r\n"] {
        let (server, _) = start(Script { endless: Some(endless), ..Script::default() }).await;
        let error = submit(server, &["b"]).await.unwrap_err();
        // Long before the five seconds that a reply may take.
        assert!(!error.to_string().contains("no reply within"), "{error}");
        assert!(error.is_transient(), "{error}");
        assert!(error.to_string().len() < 1_000, "{error}");
    }
}

#[tokio::test]
async fn letters_beyond_ascii_in_a_reply_do_not_make_it_none() {
    let (server, seen) = start(Script { after_dot: Some("250 2.0.0 übernommen"), ..Script::default() }).await;
    let submission = submit(server, &["b"]).await.unwrap();
    assert_eq!(submission.data, DataOutcome::Accepted { response: "2.0.0 ??bernommen".to_owned() });
    assert_eq!(seen.bodies().len(), 1);
}

#[tokio::test]
async fn a_goodbye_to_an_idle_connection_costs_no_mail() {
    let script = Script { mails_per_connection: Some(1), ..Script::default() };
    let (server, seen) = start(script).await;
    let submitter = Submitter::new(SmtpServer { max_connections: 1, ..server });
    for name in ["b", "c", "d"] {
        let submission = submitter.submit(&from(), &to(&[name]), MAIL).await.unwrap();
        assert!(matches!(submission.data, DataOutcome::Accepted { .. }), "{submission:?}");
    }
    assert_eq!(seen.bodies().len(), 3);
}

#[tokio::test]
async fn mail_is_submitted_on_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("smtp");
    let (server, seen) = start_on_socket(&path, Script::default()).await;
    let submission = submit(server.clone(), &["b"]).await.unwrap();
    assert!(matches!(submission.data, DataOutcome::Accepted { .. }));
    assert_eq!(seen.mails().len(), 1);
    let nowhere = SmtpServer { socket: Some(folder.path().join("none")), ..server };
    let error = submit(nowhere, &["b"]).await.unwrap_err();
    assert!(matches!(error, SmtpError::Unreachable { .. }) && error.to_string().contains("none"), "{error}");
}

#[tokio::test]
async fn an_lmtp_service_is_told_apart() {
    let script = Script { replies: vec![("EHLO", "500 5.5.1 Unknown command")], ..Script::default() };
    let (server, _) = start(script).await;
    let error = submit(server, &["b"]).await.unwrap_err();
    assert!(error.to_string().contains("LMTP"), "{error}");
}

/// Tokens that are handed out one after the other.
struct Tokens(Mutex<Vec<Result<&'static str, &'static str>>>);

impl TokenSource for Tokens {
    fn token(&self) -> Pin<Box<dyn Future<Output = Result<SecretString, String>> + Send + '_>> {
        let next = self.0.lock().unwrap().remove(0);
        Box::pin(async move { next.map(SecretString::from).map_err(str::to_owned) })
    }
}

fn login(tokens: Vec<Result<&'static str, &'static str>>) -> Option<Login> {
    Some(Login::token("anna@example.com", Arc::new(Tokens(Mutex::new(tokens)))))
}

#[tokio::test]
async fn a_token_is_presented_and_fetched_anew_for_each_connection() {
    let script = Script { offers: vec!["AUTH XOAUTH2"], mails_per_connection: Some(1), ..Script::default() };
    let (server, seen) = start(script).await;
    let server = SmtpServer { credentials: login(vec![Ok("one"), Ok("two"), Err("the file is empty")]), ..server };
    let submitter = Submitter::new(server);
    for _ in 0..2 {
        submitter.submit(&from(), &to(&["b"]), MAIL).await.unwrap();
    }
    let said: Vec<String> = seen.lines().into_iter().filter(|line| line.starts_with("AUTH")).collect();
    // From Google's description: base64 of user=anna@example.com^Aauth=Bearer one^A^A.
    assert_eq!(
        said,
        [
            "AUTH XOAUTH2 dXNlcj1hbm5hQGV4YW1wbGUuY29tAWF1dGg9QmVhcmVyIG9uZQEB",
            "AUTH XOAUTH2 dXNlcj1hbm5hQGV4YW1wbGUuY29tAWF1dGg9QmVhcmVyIHR3bwEB",
        ]
    );
    let error = submitter.submit(&from(), &to(&["b"]), MAIL).await.unwrap_err();
    assert!(error.is_transient() && error.to_string().contains("the file is empty"), "{error}");
}

#[tokio::test]
async fn a_refused_token_is_told_and_not_shown() {
    let challenge = vec![("AUTH", "334 eyJzdGF0dXMiOiI0MDEifQ=="), ("", "535 5.7.8 expired")];
    let script = Script { offers: vec!["AUTH XOAUTH2"], replies: vec![], ..Script::default() };
    let replies = [("EHLO", "250-test\r\n250 AUTH XOAUTH2")].into_iter().chain(challenge).collect();
    let (server, seen) = start(Script { replies, ..script }).await;
    let server = SmtpServer { credentials: login(vec![Ok("s3cret-token")]), ..server };
    let error = submit(server, &["b"]).await.unwrap_err();
    assert!(matches!(&error, SmtpError::AuthRefused { refusal, .. } if refusal.code == 535), "{error}");
    assert!(!format!("{error} {error:?}").contains("s3cret"));
    assert_eq!(seen.lines().last().unwrap(), "", "nothing is said to a challenge");
}
