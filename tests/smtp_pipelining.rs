//! Commands that are said at once, and a server that does not like all of them (RFC 2920).

mod smtp;

use imipd::itip::Address;
use imipd::outbox::smtp::{DataOutcome, Outcome, SmtpError, Submission, Submitter};
use smtp::{MAIL, Script, from, start, to};

fn script(replies: Vec<(&'static str, &'static str)>) -> Script {
    Script { offers: vec!["PIPELINING"], replies, ..Script::default() }
}

fn codes(submission: &Submission) -> Vec<(String, Option<u16>)> {
    let code = |outcome: Outcome| match outcome {
        Outcome::Accepted { .. } => None,
        Outcome::Refused(refusal) => Some(refusal.code),
    };
    let name = |address: &Address| address.as_str().split('@').next().unwrap_or_default().to_owned();
    submission.outcomes().map(|(address, outcome)| (name(address), code(outcome))).collect()
}

fn told(expected: &[(&str, Option<u16>)]) -> Vec<(String, Option<u16>)> {
    expected.iter().map(|(name, code)| ((*name).to_owned(), *code)).collect()
}

#[tokio::test]
async fn everything_up_to_the_content_is_said_at_once() {
    let (server, seen) = start(Script { holds_replies: true, ..script(vec![]) }).await;
    let submitter = Submitter::new(server);
    for _ in 0..2 {
        let submission = submitter.submit(&from(), &to(&["b", "c"]), MAIL).await.unwrap();
        assert_eq!(codes(&submission), told(&[("b", None), ("c", None)]));
    }
    assert_eq!((seen.connections(), seen.bodies().len()), (1, 2));
    assert_eq!(seen.lines()[1..5], seen.lines()[5..9]);
}

#[tokio::test]
async fn a_server_that_does_not_offer_it_is_asked_step_by_step() {
    let (server, seen) = start(Script { replies: vec![("RCPT", "550 no")], ..Script::default() }).await;
    Submitter::new(server).submit(&from(), &to(&["b"]), MAIL).await.unwrap();
    assert!(!seen.lines().contains(&"DATA".to_owned()));
}

#[tokio::test]
async fn a_refused_sender_refuses_all_whatever_is_said_to_the_rest() {
    let replies = vec![("MAIL", "550 5.7.1 not yours"), ("RCPT", "503 MAIL first"), ("DATA", "503 RCPT first")];
    let (server, seen) = start(script(replies)).await;
    let submitter = Submitter::new(server);
    for _ in 0..2 {
        let submission = submitter.submit(&from(), &to(&["b", "c"]), MAIL).await.unwrap();
        assert_eq!(codes(&submission), told(&[("b", Some(550)), ("c", Some(550))]));
        assert_eq!(submission.data, DataOutcome::NotSent);
    }
    assert_eq!((seen.connections(), seen.bodies().len()), (1, 0));
}

#[tokio::test]
async fn one_refused_recipient_does_not_stop_the_others() {
    let (server, seen) = start(script(vec![("RCPT TO:<c@", "550-5.1.1 no\r\n550 such user")])).await;
    let submission = Submitter::new(server).submit(&from(), &to(&["b", "c", "d"]), MAIL).await.unwrap();
    assert_eq!(codes(&submission), told(&[("b", None), ("c", Some(550)), ("d", None)]));
    assert_eq!(seen.mails()[0].0, ["b@example.org", "d@example.org"]);
}

/// RFC 2920 §3.1: the server may ask for the content of a mail that it has refused to everybody.
#[tokio::test]
async fn content_that_is_for_nobody_is_not_sent() {
    for refused in ["MAIL", "RCPT"] {
        let (server, seen) = start(script(vec![(refused, "550 5.1.1 no")])).await;
        let submitter = Submitter::new(server);
        for nth in 1..3 {
            let submission = submitter.submit(&from(), &to(&["b"]), MAIL).await.unwrap();
            assert_eq!(codes(&submission), told(&[("b", Some(550))]), "{refused}");
            assert_eq!(seen.connections(), nth, "what waits for content is of no use for the next mail");
        }
        assert!(!seen.lines().iter().any(|line| line.contains("hello")), "{refused}");
    }
}

#[tokio::test]
async fn who_was_one_too_many_wants_another_transaction() {
    let (server, seen) = start(Script { recipients_max: Some(2), ..script(vec![]) }).await;
    let submitter = Submitter::new(server);
    let submission = submitter.submit(&from(), &to(&["b", "c", "d", "e"]), MAIL).await.unwrap();
    assert_eq!(codes(&submission), told(&[("b", None), ("c", None)]));
    assert_eq!(submission.untried, to(&["d", "e"]));
    let submission = submitter.submit(&from(), &submission.untried, MAIL).await.unwrap();
    assert_eq!((codes(&submission), seen.bodies().len()), (told(&[("d", None), ("e", None)]), 2));
}

/// Somebody behind the one who was too many was taken, and gets this mail.
#[tokio::test]
async fn nobody_gets_it_twice_who_came_behind_one_too_many() {
    let (server, seen) = start(script(vec![("RCPT TO:<c@", "452 4.5.3 too many recipients")])).await;
    let submission = Submitter::new(server).submit(&from(), &to(&["b", "c", "d"]), MAIL).await.unwrap();
    assert_eq!(codes(&submission), told(&[("b", None), ("d", None)]));
    assert_eq!(submission.untried, to(&["c"]));
    assert_eq!(seen.mails()[0].0, ["b@example.org", "d@example.org"]);
}

#[tokio::test]
async fn many_recipients_are_asked_for_in_groups() {
    let names: Vec<String> = (0..45).map(|nth| format!("u{nth}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (server, seen) = start(script(vec![("RCPT TO:<u30@", "550 no")])).await;
    let submission = Submitter::new(server).submit(&from(), &to(&names), MAIL).await.unwrap();
    let expected: Vec<_> = names.iter().map(|name| (*name, (*name == "u30").then_some(550))).collect();
    assert_eq!(codes(&submission), told(&expected));
    assert_eq!((seen.mails()[0].0.len(), seen.bodies().len()), (44, 1));
}

#[tokio::test]
async fn a_server_that_hangs_up_between_recipients_took_nothing() {
    for at in ["RCPT TO:<c@", "DATA"] {
        let (server, seen) = start(script(vec![(at, "421 4.3.2 shutting down")])).await;
        let submission = Submitter::new(server).submit(&from(), &to(&["b", "c", "d"]), MAIL).await.unwrap();
        assert_eq!(codes(&submission), told(&[("b", Some(421)), ("c", Some(421)), ("d", Some(421))]), "{at}");
        assert!(seen.bodies().is_empty());
    }
}

#[tokio::test]
async fn a_connection_lost_before_the_content_is_unreachable() {
    for place in ["MAIL", "RCPT", "DATA"] {
        let (server, _) = start(script(vec![(place, "")])).await;
        let error = Submitter::new(server).submit(&from(), &to(&["b"]), MAIL).await.unwrap_err();
        assert!(matches!(error, SmtpError::Unreachable { .. }) && error.is_transient(), "{place}: {error}");
    }
}

#[tokio::test]
async fn a_go_ahead_that_is_none_sends_no_content() {
    let (server, seen) = start(script(vec![("DATA", "250 what?")])).await;
    let error = Submitter::new(server).submit(&from(), &to(&["b"]), MAIL).await.unwrap_err();
    assert!(matches!(error, SmtpError::Protocol { .. }), "{error}");
    assert!(!seen.lines().iter().any(|line| line.contains("hello")));
}

#[tokio::test]
async fn a_connection_that_died_in_the_pool_is_replaced() {
    let (server, seen) = start(Script { mails_per_connection: Some(1), ..script(vec![]) }).await;
    let submitter = Submitter::new(server);
    for _ in 0..3 {
        submitter.submit(&from(), &to(&["b"]), MAIL).await.unwrap();
    }
    assert_eq!((seen.connections(), seen.bodies().len()), (3, 3));
}
