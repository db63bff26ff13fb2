//! `imipd check`: the configuration, and a connection to everything in it.

use std::sync::Arc;

use super::output;
use crate::config::{Config, User};
use crate::gateway::{Gateway, ask};
use crate::mailbox::{Credentials, ImapServer, Session, choose};
use crate::outbox::smtp::Submitter;

/// How many logins in a row may fail in the same way before the rest is left out: they would lock accounts.
const SAME_TROUBLE_MAX: usize = 3;

/// What was found, told as it comes.
#[derive(Default)]
struct Findings {
    failures: usize,
}

/// Prints a line; a reader that has seen enough does not change what is found.
fn say(line: &str) {
    let _ = output::text(&format!("{line}\n"));
}

impl Findings {
    fn good(&self, what: &str) {
        say(&format!("ok       {what}"));
    }

    fn bad(&mut self, what: &str, error: &impl std::fmt::Display) {
        self.failures += 1;
        // What a server said is in it.
        say(&format!("FAILED   {what}: {}", output::printable(&error.to_string())));
    }
}

pub async fn execute(config: Config) -> anyhow::Result<()> {
    let mut findings = Findings::default();
    findings.good(&format!("configuration: {} users", config.users.len()));
    for warning in &config.warnings {
        say(&format!("warning  {warning}"));
    }
    match Gateway::open(config).await {
        Ok(gateway) => {
            findings.good(&format!("database: {}", gateway.config.database.path.display()));
            check_daemon(&gateway, &mut findings).await;
            check_mailboxes(&gateway, &mut findings).await;
            check_submission(&gateway, &mut findings).await;
            gateway.ledger.close().await;
        }
        Err(error) => findings.bad("database", &error),
    }
    match findings.failures {
        0 => Ok(()),
        1 => anyhow::bail!("one check failed"),
        several => anyhow::bail!("{several} checks failed"),
    }
}

async fn check_daemon(gateway: &Gateway, findings: &mut Findings) {
    match ask(&gateway.config.database.path, "ping").await {
        Ok(Some(_)) => findings.good("daemon: running"),
        Ok(None) => say("note     daemon: not running"),
        Err(error) => findings.bad("daemon", &error),
    }
}

async fn check_mailboxes(gateway: &Arc<Gateway>, findings: &mut Findings) {
    let server = match gateway.imap_server() {
        Ok(server) => server,
        Err(error) => return findings.bad("IMAP", &error),
    };
    let (mut same, mut last) = (0, String::new());
    for user in &gateway.config.users {
        let trouble = check_mailbox(gateway, &server, user).await.err();
        let what = format!("IMAP: {} as {}", user.key(), user.credentials.username);
        let Some(error) = trouble else {
            findings.good(&what);
            (same, last) = (0, String::new());
            continue;
        };
        let text = error.to_string();
        same = if kind_of(&text) == kind_of(&last) { same + 1 } else { 1 };
        findings.bad(&what, &text);
        last = text;
        if same >= SAME_TROUBLE_MAX {
            say("note     IMAP: the other users are left out, since the trouble is the same for all");
            return;
        }
    }
}

/// The beginning of a text: what it says apart from the user that it is about.
fn kind_of(text: &str) -> &str {
    text.char_indices().nth(40).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

async fn check_mailbox(
    gateway: &Gateway,
    server: &ImapServer,
    user: &User,
) -> Result<(), crate::mailbox::MailboxError> {
    let login = user.credentials.username.clone();
    let credentials = Credentials::Password { login, password: user.credentials.password.clone() };
    let mut session = Session::connect(server, &credentials).await?;
    if !session.capabilities().has("IDLE") {
        let every = gateway.config.imap.poll_interval;
        say(&format!("warning  IMAP: the server has no IDLE; {} is asked every {every:?}", user.key()));
    }
    let choice = choose(&session.folders().await?, &gateway.config.imap.watch);
    for missing in &choice.missing {
        say(&format!("note     IMAP: {} has no folder {missing}", user.key()));
    }
    if choice.left_out > 0 {
        say(&format!("warning  IMAP: {} has too many folders; {} are not watched", user.key(), choice.left_out));
    }
    for folder in &choice.folders {
        session.examine(&folder.name).await?;
    }
    session.logout().await
}

async fn check_submission(gateway: &Gateway, findings: &mut Findings) {
    let server = match gateway.smtp_server() {
        Ok(server) => server,
        Err(error) => return findings.bad("SMTP", &error),
    };
    let what = format!("SMTP: {} port {}", server.host, server.port);
    match Submitter::new(server).check().await {
        Ok(()) => findings.good(&what),
        Err(error) => findings.bad(&what, &error),
    }
}
