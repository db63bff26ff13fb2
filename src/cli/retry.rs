//! `imipd retry`: takes up dead letters again.

use std::sync::Arc;

use anyhow::ensure;

use super::log::with_brackets;
use super::{output, user_of};
use crate::gateway::{Gateway, Retried, RetryOutcome};
use crate::ledger::{DeadLetter, DeadLetterFilter};

/// Dead letters that are read from the database at once.
const STEP: u32 = 500;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The mails: numbers as `imipd status` shows them, or Message-IDs.
    #[arg(value_name = "MESSAGE", required_unless_present = "all", conflicts_with = "all")]
    messages: Vec<String>,
    /// All dead letters.
    #[arg(long)]
    all: bool,
    /// Only those of this user.
    #[arg(long, value_name = "ADDR")]
    user: Option<String>,
    /// Print an array of objects.
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub async fn execute(self, gateway: Arc<Gateway>) -> anyhow::Result<()> {
        let user = match &self.user {
            Some(address) => Some(user_of(&gateway, address).await?.key().to_owned()),
            None => None,
        };
        let wanted = DeadLetterFilter { user, most: STEP, ..DeadLetterFilter::default() };
        let mut letters = Vec::new();
        if self.all {
            letters = every(&gateway, wanted.clone()).await?;
        }
        for message in &self.messages {
            let found = every(&gateway, meant_by(message, wanted.clone())).await?;
            ensure!(!found.is_empty(), "{message:?} is no dead letter; `imipd status` lists them");
            letters.extend(found);
        }
        // Users may be added by a source that only the daemon has asked so far.
        gateway.reload_users().await;
        let mut retried = Vec::new();
        // The oldest first, as the mails came.
        letters.sort_by_key(|letter| letter.id);
        letters.dedup_by_key(|letter| letter.id);
        for letter in &letters {
            retried.push(gateway.retry_by_daemon(letter.id).await?);
        }
        report(&retried, self.json)
    }
}

/// A number, or a Message-ID.
fn meant_by(message: &str, filter: DeadLetterFilter) -> DeadLetterFilter {
    match message.parse() {
        Ok(id) => DeadLetterFilter { id: Some(id), ..filter },
        Err(_) => DeadLetterFilter { message_id: Some(with_brackets(message)), ..filter },
    }
}

async fn every(gateway: &Gateway, filter: DeadLetterFilter) -> anyhow::Result<Vec<DeadLetter>> {
    let mut letters: Vec<DeadLetter> = Vec::new();
    loop {
        let below = letters.last().map(|letter| letter.id);
        let some = gateway.ledger.find_dead_letters(&DeadLetterFilter { below, ..filter.clone() }).await?;
        if some.is_empty() {
            return Ok(letters);
        }
        letters.extend(some);
    }
}

fn report(retried: &[Retried], json: bool) -> anyhow::Result<()> {
    if json {
        output::json(&retried)?;
    } else {
        let lines = retried.iter().map(|one| {
            let text = output::printable(&one.text);
            format!("dead letter {} {}: {text}\n", one.id, told(one.outcome))
        });
        output::text(&lines.collect::<String>())?;
    }
    let failed = retried.iter().filter(|one| match one.outcome {
        RetryOutcome::StillDead | RetryOutcome::NotTried => true,
        RetryOutcome::Processed | RetryOutcome::Gone | RetryOutcome::ByAnother => false,
    });
    let failed = failed.count();
    ensure!(failed == 0, "{failed} of {} could not be processed", retried.len());
    Ok(())
}

fn told(outcome: RetryOutcome) -> &'static str {
    match outcome {
        RetryOutcome::Processed => "was processed",
        RetryOutcome::StillDead => "fails as before",
        RetryOutcome::Gone => "is gone",
        RetryOutcome::ByAnother => "was left alone",
        RetryOutcome::NotTried => "was not tried",
    }
}
