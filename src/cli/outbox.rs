//! `imipd outbox list|show|retry`.

use std::sync::Arc;

use anyhow::Context;
use clap::Subcommand;
use serde::Serialize;

use super::{output, wake};
use crate::gateway::{Gateway, now_millis, rfc3339};
use crate::ledger::OutboxEntry;

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
    },
    /// Try everything that waits at once.
    Retry,
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
    recipients: Vec<Recipient>,
}

#[derive(Debug, Serialize)]
struct Recipient {
    address: String,
    state: &'static str,
    detail: String,
}

impl Arguments {
    pub async fn execute(self, gateway: Arc<Gateway>) -> anyhow::Result<()> {
        match self.command {
            Command::List { limit, json } => list(&gateway, limit, json).await,
            Command::Show { id } => {
                let entry = gateway.ledger.outbox_entry(id).await?;
                let entry = entry.with_context(|| format!("there is no mail {id}; `imipd outbox list` shows them"))?;
                output::verbatim(&String::from_utf8_lossy(&entry.debt.raw))
            }
            Command::Retry => {
                gateway.ledger.retry_now(now_millis()).await?;
                wake(&gateway).await;
                Ok(())
            }
        }
    }
}

async fn list(gateway: &Gateway, limit: u32, json: bool) -> anyhow::Result<()> {
    let mut entries = Vec::new();
    for entry in gateway.ledger.outbox(limit).await? {
        let recipients = gateway.ledger.recipients(entry.id).await?;
        let recipients = recipients
            .into_iter()
            .map(|one| Recipient { address: one.address, state: one.state.as_str(), detail: one.detail })
            .collect();
        entries.push(listed(entry, recipients));
    }
    if json {
        return output::json(&entries);
    }
    let rows = entries.iter().flat_map(|entry| {
        entry.recipients.iter().map(|to| {
            let detail = if to.detail.is_empty() { &entry.last_error } else { &to.detail };
            let id = entry.id.to_string();
            vec![
                id,
                to.state.to_owned(),
                entry.method.clone(),
                to.address.clone(),
                entry.subject.clone(),
                detail.clone(),
            ]
        })
    });
    output::table(&["ID", "STATE", "METHOD", "TO", "SUBJECT", "SERVER SAID"], &rows.collect::<Vec<_>>())
}

fn listed(entry: OutboxEntry, recipients: Vec<Recipient>) -> Entry {
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
        recipients,
    }
}
