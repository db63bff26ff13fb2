//! `imipd check`: the configuration, and a connection to everything in it.

use std::sync::Arc;

use super::output;
use crate::config::{Config, User};
use crate::gateway::{Gateway, ask, credentials, load_wording};
use crate::mailbox::{ImapServer, Session};
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
    check_wording(&config, &mut findings);
    match Gateway::open(config).await {
        Ok(gateway) => {
            findings.good(&format!("database: {}", gateway.config.database.path.display()));
            check_daemon(&gateway, &mut findings).await;
            check_sources(&gateway, &mut findings).await;
            check_mailboxes(&gateway, &mut findings).await;
            check_submission(&gateway, &mut findings).await;
            check_dns(&gateway, &mut findings).await;
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

fn check_wording(config: &Config, findings: &mut Findings) {
    let (_, faults) = load_wording(&config.imip);
    if let Some(directory) = config.imip.templates.as_ref().filter(|_| faults.is_empty()) {
        findings.good(&format!("templates: {}", directory.display()));
    }
    for fault in faults {
        findings.bad("templates", &fault);
    }
}

async fn check_daemon(gateway: &Gateway, findings: &mut Findings) {
    match ask(&gateway.config.database.path, "ping").await {
        Ok(Some(_)) => findings.good("daemon: running"),
        Ok(None) => say("note     daemon: not running"),
        Err(error) => findings.bad("daemon", &error),
    }
}

/// Asks the sources of users; whom they tell is checked with the others.
async fn check_sources(gateway: &Arc<Gateway>, findings: &mut Findings) {
    let sources = gateway.config.more_users.sources.len();
    if sources == 0 {
        return;
    }
    let reloaded = gateway.reload_users().await;
    for warning in &reloaded.warnings {
        say(&format!("warning  {}", output::printable(warning)));
    }
    for trouble in &reloaded.failing {
        findings.bad("users", trouble);
    }
    if reloaded.failing.is_empty() {
        findings.good(&format!("users: {} in all", reloaded.after.len()));
    }
}

async fn check_mailboxes(gateway: &Arc<Gateway>, findings: &mut Findings) {
    let server = match gateway.imap_server() {
        Ok(server) => server,
        Err(error) => return findings.bad("IMAP", &error),
    };
    let (mut same, mut last) = (0, String::new());
    for user in gateway.roster().users() {
        let trouble = check_mailbox(gateway, &server, user).await.err();
        let what = format!("IMAP: {} as {}", user.key(), user.login);
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
    let mut session = Session::connect(server, &credentials(user).await?).await?;
    if !session.capabilities().has("IDLE") {
        let every = gateway.config.imap.poll_interval;
        say(&format!("warning  IMAP: the server has no IDLE; {} is asked every {every:?}", user.key()));
    }
    let choice = gateway.choose_folders(&session.folders().await?);
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

/// Asks for a key that is not there, where keys are needed.
async fn check_dns(gateway: &Gateway, findings: &mut Findings) {
    let Some(verifier) = &gateway.verifier else { return };
    let domain = gateway.config.policy.domains.first().map_or("example.com", String::as_str);
    match verifier.probe(domain).await {
        Ok(()) => findings.good("DNS: keys of DKIM signatures can be asked for"),
        Err(error) => findings.bad("DNS", &error),
    }
}
