//! `imipd outbox list|show|retry|drop|resume`.

use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use anyhow::Context;
use clap::Subcommand;
use serde::Serialize;

use super::{output, user_of, wake};
use crate::gateway::{Gateway, now_millis, rfc3339};
use crate::ledger::{OutboxEntry, OutboxRecipient};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the mails, newest first.
    List {
        /// The most that are listed.
        #[arg(long, value_name = "N", default_value_t = 1_000)]
        limit: u32,
        /// Print an array of objects.
        #[arg(long)]
        json: bool,
    },
    /// Print a mail as it is sent.
    Show {
        /// The number of the mail, as `list` shows it.
        id: i64,
        /// Print an object, with the text in it.
        #[arg(long)]
        json: bool,
    },
    /// Try at once: everything that waits, or these mails, also for those for whom they were given up.
    Retry {
        /// The numbers of the mails, as `list` shows them.
        #[arg(value_name = "ID")]
        ids: Vec<i64>,
        /// Print an array of objects.
        #[arg(long)]
        json: bool,
    },
    /// Do not send these mails to those who have not got them; they stay in the list.
    ///
    /// Later mails about the same event no longer wait for them. Whoever does not get a cancellation keeps the event.
    Drop {
        /// The numbers of the mails, as `list` shows them.
        #[arg(value_name = "ID", required = true)]
        ids: Vec<i64>,
        /// Print an array of objects.
        #[arg(long)]
        json: bool,
    },
    /// Let go what a rate limit keeps back for a user, and count anew.
    Resume {
        /// An address of the user.
        #[arg(long, value_name = "ADDR")]
        user: String,
        /// Print an object.
        #[arg(long)]
        json: bool,
    },
}

/// A mail of a list; the names are a promise to scripts.
#[derive(Debug, Serialize)]
struct Entry {
    id: i64,
    created_at: String,
    from: String,
    method: String,
    subject: String,
    uid: String,
    message_id: String,
    attempts: u32,
    last_error: String,
    /// Whether a rate limit keeps back what waits of it.
    held: bool,
    recipients: Vec<Recipient>,
    /// The whole mail; only where one is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

#[derive(Debug, Serialize)]
struct Recipient {
    address: String,
    state: &'static str,
    detail: String,
}

/// What was done to a mail.
#[derive(Debug, Serialize)]
struct Done {
    id: i64,
    recipients: u64,
}

impl Arguments {
    pub async fn execute(self, gateway: Arc<Gateway>) -> anyhow::Result<()> {
        match self.command {
            Command::List { limit, json } => list(&gateway, limit, json).await,
            Command::Show { id, json } => show(&gateway, id, json).await,
            Command::Retry { ids, json } => retry(&gateway, &ids, json).await,
            Command::Drop { ids, json } => drop_mails(&gateway, &ids, json).await,
            Command::Resume { user, json } => resume(&gateway, &user, json).await,
        }
    }
}

async fn show(gateway: &Gateway, id: i64, json: bool) -> anyhow::Result<()> {
    let entry = gateway.ledger.outbox_entry(id).await?;
    let entry = entry.with_context(|| format!("there is no mail {id}; `imipd outbox list` shows them"))?;
    let text = String::from_utf8_lossy(&entry.debt.raw).into_owned();
    if json {
        let recipients = gateway.ledger.recipients(id).await?;
        return output::json(&Entry { text: Some(text), ..listed(entry, recipients) });
    }
    anyhow::ensure!(!text.is_empty(), "the text of mail {id} is kept no more (database.keep_mail)");
    output::verbatim(&text)
}

async fn retry(gateway: &Gateway, ids: &[i64], json: bool) -> anyhow::Result<()> {
    if ids.is_empty() {
        gateway.ledger.retry_now(now_millis()).await?;
    }
    let mut done = Vec::new();
    for id in ids {
        done.push(gateway.retry_mail(*id).await.map(|recipients| Done { id: *id, recipients }));
    }
    wake(gateway).await;
    report(done, "is tried again for", json)
}

async fn drop_mails(gateway: &Gateway, ids: &[i64], json: bool) -> anyhow::Result<()> {
    let who = operator();
    let mut done = Vec::new();
    for id in ids {
        let dropped = gateway.drop_mail(*id, &who).await;
        done.push(
            dropped.map(|recipients| Done { id: *id, recipients: u64::try_from(recipients).unwrap_or(u64::MAX) }),
        );
    }
    wake(gateway).await;
    report(done, "is not sent to", json)
}

async fn resume(gateway: &std::sync::Arc<Gateway>, user: &str, json: bool) -> anyhow::Result<()> {
    let user = user_of(gateway, user).await?;
    let mails = gateway.release(&user, &operator()).await?;
    wake(gateway).await;
    if json {
        return output::json(&serde_json::json!({ "user": user.key(), "mails": mails }));
    }
    output::text(&format!("{mails} mails of {} go on\n", user.key()))
}

/// Tells what was done, and then what could not be done.
fn report(done: Vec<Result<Done, crate::gateway::OfficeError>>, what: &str, json: bool) -> anyhow::Result<()> {
    let (done, failed): (Vec<_>, Vec<_>) = done.into_iter().partition(Result::is_ok);
    let done: Vec<Done> = done.into_iter().filter_map(Result::ok).collect();
    if json {
        output::json(&done)?;
    } else {
        let lines = done.iter().map(|one| format!("mail {} {what} {} recipients\n", one.id, one.recipients));
        output::text(&lines.collect::<String>())?;
    }
    let failed: Vec<String> = failed.into_iter().filter_map(Result::err).map(|error| error.to_string()).collect();
    anyhow::ensure!(failed.is_empty(), "{}", failed.join("\n"));
    Ok(())
}

/// Who runs this, as far as the system knows it.
fn operator() -> String {
    let name = ["SUDO_USER", "LOGNAME", "USER"].into_iter().find_map(|variable| std::env::var(variable).ok());
    let id = std::fs::metadata("/proc/self").map(|process| process.uid());
    let name = name.map(|name| output::printable(&name)).filter(|name| !name.is_empty());
    match (name, id) {
        (Some(name), Ok(id)) => format!("{name} (user id {id})"),
        (Some(name), Err(_)) => name,
        (None, Ok(id)) => format!("user id {id}"),
        (None, Err(_)) => "an operator".to_owned(),
    }
}

async fn list(gateway: &Gateway, limit: u32, json: bool) -> anyhow::Result<()> {
    let mut entries = Vec::new();
    for entry in gateway.ledger.outbox(limit).await? {
        let recipients = gateway.ledger.recipients(entry.id).await?;
        entries.push(listed(entry, recipients));
    }
    if json {
        return output::json(&entries);
    }
    let rows = entries.iter().flat_map(|entry| {
        entry.recipients.iter().map(|to| {
            let detail = if to.detail.is_empty() || entry.held { &entry.last_error } else { &to.detail };
            let id = entry.id.to_string();
            let state = if entry.held && to.state == "waiting" { "held" } else { to.state };
            vec![id, state.to_owned(), entry.method.clone(), to.address.clone(), entry.subject.clone(), detail.clone()]
        })
    });
    output::table(&["ID", "STATE", "METHOD", "TO", "SUBJECT", "SERVER SAID"], &rows.collect::<Vec<_>>())
}

fn listed(entry: OutboxEntry, recipients: Vec<OutboxRecipient>) -> Entry {
    let recipient =
        |one: OutboxRecipient| Recipient { address: one.address, state: one.state.as_str(), detail: one.detail };
    Entry {
        id: entry.id,
        created_at: rfc3339(entry.debt.created_at),
        from: entry.debt.sender,
        method: entry.debt.method,
        subject: entry.debt.subject,
        uid: entry.debt.cal_uid,
        message_id: entry.debt.message_id,
        attempts: entry.attempts,
        last_error: entry.last_error,
        held: entry.is_held,
        recipients: recipients.into_iter().map(recipient).collect(),
        text: None,
    }
}
