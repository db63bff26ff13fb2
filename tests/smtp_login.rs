//! Logging in at the submission service as the configuration says: passwords, and access tokens from files and commands.

mod smtp;

use std::path::Path;
use std::sync::Arc;

use imipd::config::Config;
use imipd::gateway::Gateway;
use imipd::outbox::smtp::{SmtpError, Submission, Submitter};
use smtp::{MAIL, Script, Seen, from, start, to};

/// The base64 of `user=imipd^Aauth=Bearer s3cret-token^A^A`, after Google's description.
const PRESENTED: &str = "AUTH XOAUTH2 dXNlcj1pbWlwZAFhdXRoPUJlYXJlciBzM2NyZXQtdG9rZW4BAQ==";

/// Submits a mail to a server that follows a script, logged in as these lines of `[smtp]` say.
async fn submit(folder: &Path, script: Script, smtp: &str) -> (Result<Submission, SmtpError>, Arc<Seen>) {
    let (server, seen) = start(script).await;
    std::fs::write(folder.join("secret"), "secret").expect("written");
    let text = format!(
        "[database]\nurl = \"sqlite://imipd.db\"\n[smtp]\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\n{smtp}\n\
         [[user]]\naddresses = [\"a@example.com\"]\npassword_file = \"secret\"\n",
        server.port
    );
    let config = Config::parse(&text, folder).unwrap_or_else(|faults| panic!("{faults}"));
    let gateway = Gateway::open(config).await.expect("a gateway");
    let submitter = Submitter::new(gateway.smtp_server().expect("a server"));
    let submitted = submitter.submit(&from(), &to(&["b"]), MAIL).await;
    gateway.ledger.close().await;
    (submitted, seen)
}

fn offering_tokens() -> Script {
    Script { offers: vec!["AUTH PLAIN LOGIN XOAUTH2"], ..Script::default() }
}

#[tokio::test]
async fn a_token_comes_from_a_file_or_from_a_command() {
    let folder = imipd_lab::folder();
    std::fs::write(folder.path().join("token-imipd"), "s3cret-token\n").expect("written");
    for source in [
        "token_file = \"token-{login}\"",
        "token_command = [\"/bin/sh\", \"-c\", \"echo s3cret-token\"]",
        "token_command = [\"/bin/sh\", \"-c\", \"test $0 = imipd && echo s3cret-token\", \"{login}\"]",
    ] {
        let smtp = format!("auth = \"xoauth2\"\nusername = \"imipd\"\n{source}");
        let (submitted, seen) = submit(folder.path(), offering_tokens(), &smtp).await;
        submitted.unwrap_or_else(|error| panic!("{source}: {error}"));
        assert_eq!(seen.lines()[1], PRESENTED, "{source}");
        assert_eq!(seen.mails().len(), 1);
    }
}

#[tokio::test]
async fn a_refused_token_is_told_after_its_challenge_and_the_mail_stays_here() {
    let folder = imipd_lab::folder();
    std::fs::write(folder.path().join("token"), "s3cret-token\n").expect("written");
    // The base64 of {"status":"401"}; an empty line answers it.
    let replies = vec![
        ("EHLO", "250-test\r\n250 AUTH XOAUTH2"),
        ("AUTH", "334 eyJzdGF0dXMiOiI0MDEifQ=="),
        ("", "535 5.7.8 the token has expired"),
    ];
    let smtp = "auth = \"xoauth2\"\nusername = \"imipd\"\ntoken_file = \"token\"";
    let (submitted, seen) = submit(folder.path(), Script { replies, ..Script::default() }, smtp).await;
    let error = submitted.expect_err("refused");
    assert!(matches!(&error, SmtpError::AuthRefused { refusal, .. } if refusal.code == 535), "{error}");
    assert!(error.to_string().contains("expired") && !format!("{error} {error:?}").contains("s3cret"), "{error}");
    assert_eq!((seen.lines().last().map(String::as_str), seen.mails().len()), (Some(""), 0));
}

#[tokio::test]
async fn a_command_without_a_token_is_transient_trouble_and_nothing_is_presented() {
    let folder = imipd_lab::folder();
    for (command, told) in [
        ("echo the vault is closed >&2; exit 3", "the vault is closed"),
        ("true", "has printed no token"),
        ("echo two words", "something else than one word"),
        ("exec /nonexistent", "failed"),
    ] {
        let smtp =
            format!("auth = \"xoauth2\"\nusername = \"imipd\"\ntoken_command = [\"/bin/sh\", \"-c\", \"{command}\"]");
        let (submitted, seen) = submit(folder.path(), offering_tokens(), &smtp).await;
        let error = submitted.expect_err("no token");
        assert!(matches!(error, SmtpError::NoToken { .. }) && error.is_transient(), "{command}: {error}");
        assert!(error.to_string().contains(told), "{command}: {error}");
        assert!(!seen.lines().iter().any(|line| line.starts_with("AUTH")), "{:?}", seen.lines());
    }
}

#[tokio::test]
async fn the_mechanism_for_a_password_is_what_the_server_offers() {
    let folder = imipd_lab::folder();
    let smtp = "username = \"imipd\"\npassword_file = \"secret\"";
    for (offer, said) in [("AUTH LOGIN PLAIN XOAUTH2", "AUTH PLAIN AGltaXBkAHNlY3JldA=="), ("AUTH LOGIN", "AUTH LOGIN")]
    {
        let (_, seen) = submit(folder.path(), Script { offers: vec![offer], ..Script::default() }, smtp).await;
        assert_eq!(seen.lines()[1], said, "{offer}");
    }
}
