//! The SMTP driver against a scripted server that misbehaves in the ways real ones do.

mod smtp;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use imipd::itip::Address;
use imipd::outbox::smtp::{
    DataOutcome, Envelope, Login, Outcome, Reports, Security, SmtpError, SmtpServer, Submission, Submitter,
};
use smtp::{MAIL, Script, from, start, to};
use tokio::net::TcpListener;

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
    let error = submit(smtp::server(port), &["b"]).await.unwrap_err();
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
    // Nothing is asked in between: a mail that follows at once costs no reply more than it has to.
    assert_eq!(seen.lines().len(), 1 + 3 * 3);
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
        credentials: Some(Login::password("u", "p".into())),
        ..server
    };
    let error = submit(server, &["b"]).await.unwrap_err();
    assert!(matches!(error, SmtpError::Tls { .. }), "{error}");
    assert_eq!(seen.lines(), ["EHLO gateway.example.com"]);
}

#[tokio::test]
async fn authentication_by_plain_and_by_login() {
    let credentials = Some(Login::password("user", "secret".into()));
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
    let credentials = Some(Login::password("user", "hunter2".into()));
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

#[tokio::test]
async fn what_is_to_be_reported_is_asked_for_where_it_can_be() {
    let recipients = [Address::parse("b+=x@example.org"), Address::parse("jörg@example.org")];
    let from = from();
    let failures = Envelope { from: &from, reports: Reports::OfFailures { id: "1f-0a9b" } };
    let never = Envelope { from: &from, reports: Reports::Never };
    let asked = async |envelope: Envelope<'_>, offers: Vec<&'static str>| {
        let (server, seen) = start(Script { offers, ..Script::default() }).await;
        Submitter::new(server).submit(envelope, &recipients, MAIL).await.unwrap();
        seen.lines()[1..4].to_vec()
    };
    // RFC 3461 §4: xtext has "+" as +2B and "=" as +3D; who has no ASCII address is reported under the one that the report names.
    assert_eq!(
        asked(failures, vec!["DSN", "SMTPUTF8"]).await,
        [
            "MAIL FROM:<a@example.com> RET=HDRS ENVID=1f-0a9b SMTPUTF8",
            "RCPT TO:<b+=x@example.org> NOTIFY=FAILURE ORCPT=rfc822;b+2B+3Dx@example.org",
            "RCPT TO:<jörg@example.org> NOTIFY=FAILURE",
        ]
    );
    assert_eq!(
        asked(never, vec!["DSN", "SMTPUTF8"]).await,
        [
            "MAIL FROM:<a@example.com> SMTPUTF8",
            "RCPT TO:<b+=x@example.org> NOTIFY=NEVER",
            "RCPT TO:<jörg@example.org> NOTIFY=NEVER",
        ]
    );
    assert_eq!(
        asked(failures, vec!["SMTPUTF8"]).await,
        ["MAIL FROM:<a@example.com> SMTPUTF8", "RCPT TO:<b+=x@example.org>", "RCPT TO:<jörg@example.org>"]
    );
}
