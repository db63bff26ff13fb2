//! `imipd status`: how the daemon is.

use std::sync::Arc;

use anyhow::Context;

use super::output;
use crate::gateway::{Gateway, Status, ask, rfc3339};
use crate::ledger::DeadLetterFilter;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Print one object.
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub async fn execute(self, gateway: Arc<Gateway>) -> anyhow::Result<()> {
        let status = match ask(&gateway.config.database.path, "status").await? {
            Some(answer) => serde_json::from_str(&answer).context("the daemon's answer cannot be read")?,
            None => gateway.status_without_daemon().await?,
        };
        if self.json {
            return output::json(&status);
        }
        print(&status)?;
        print_dead_letters(&gateway).await
    }
}

/// The most dead letters that are shown.
const DEAD_LETTERS_SHOWN: u32 = 10;

/// The newest dead letters, for whoever is to take them up.
async fn print_dead_letters(gateway: &Gateway) -> anyhow::Result<()> {
    let filter = DeadLetterFilter { most: DEAD_LETTERS_SHOWN, ..DeadLetterFilter::default() };
    let letters = gateway.ledger.find_dead_letters(&filter).await?;
    if letters.is_empty() {
        return Ok(());
    }
    output::text("\nMails that could not be processed, the newest; `imipd retry NUMBER` takes one up again.\n")?;
    let rows = letters.into_iter().map(|one| {
        let id = one.id.to_string();
        vec![id, rfc3339(one.at), one.user, one.sender, one.reason, one.attempts.to_string(), one.message_id]
    });
    output::table(&["NUMBER", "AT", "USER", "FROM", "REASON", "ATTEMPTS", "MAIL"], &rows.collect::<Vec<_>>())
}

fn print(status: &Status) -> anyhow::Result<()> {
    let daemon = match (status.running, status.idle) {
        (false, _) => "not running",
        (true, true) => "running, idle",
        (true, false) => "running, at work",
    };
    let outbox = &status.outbox;
    let mut text = format!("daemon        {daemon}\n");
    text += &format!("outbox        {} recipients waiting, {} failed\n", outbox.waiting, outbox.failed);
    if outbox.copies_refused > 0 {
        text += &format!("sent copies   {} not taken by the Sent folder; the log says why\n", outbox.copies_refused);
    }
    if !outbox.last_error.is_empty() {
        text += &format!("              {}\n", output::printable(&outbox.last_error));
    }
    text += &format!("dead letters  {}\n", status.dead_letters);
    if status.panics > 0 {
        text += &format!("faults        {} of imipd itself; the log tells more, please report them\n", status.panics);
    }
    output::text(&text)?;
    if status.mailboxes.is_empty() {
        return Ok(());
    }
    output::text("\n")?;
    let rows: Vec<Vec<String>> = status
        .mailboxes
        .iter()
        .map(|one| {
            let phase = format!("{:?}", one.phase).to_lowercase();
            vec![
                one.user.clone(),
                one.folder.clone(),
                phase,
                one.since.clone(),
                one.mails.to_string(),
                one.last_error.clone(),
            ]
        })
        .collect();
    output::table(&["USER", "FOLDER", "PHASE", "SINCE", "MAILS", "LAST ERROR"], &rows)
}
