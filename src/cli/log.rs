//! `imipd log`: what was decided, and why.

use std::sync::Arc;

use anyhow::Context;
use serde::Serialize;

use super::{output, user_of};
use crate::gateway::{Gateway, rfc3339};
use crate::ledger::{DecisionFilter, DecisionRecord};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Only decisions about this user.
    #[arg(long, value_name = "ADDR")]
    user: Option<String>,
    /// Only decisions about this mail.
    #[arg(long, value_name = "ID")]
    message_id: Option<String>,
    /// Only decisions since then: RFC 3339, or a day as 2026-11-22.
    #[arg(long, value_name = "T")]
    since: Option<String>,
    /// The most that are listed.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    limit: u32,
    /// Print an array of objects.
    #[arg(long)]
    json: bool,
}

/// A decision in a list; the names are a promise to scripts.
#[derive(Debug, Serialize)]
struct Entry {
    at: String,
    user: String,
    folder: String,
    message_id: String,
    sender: String,
    method: String,
    uid: String,
    verdict: String,
    reason: String,
    text: String,
}

impl From<DecisionRecord> for Entry {
    fn from(record: DecisionRecord) -> Self {
        Self {
            at: rfc3339(record.at),
            user: record.user,
            folder: record.folder,
            message_id: record.message_id,
            sender: record.sender,
            method: record.method,
            uid: record.cal_uid,
            verdict: record.verdict,
            reason: record.reason,
            text: record.text,
        }
    }
}

impl Arguments {
    pub async fn execute(self, gateway: Arc<Gateway>) -> anyhow::Result<()> {
        let user = self.user.as_deref().map(|address| user_of(&gateway, address)).transpose()?;
        let filter = DecisionFilter {
            user: user.map(|user| user.key().to_owned()),
            message_id: self.message_id.as_deref().map(with_brackets),
            since: self.since.as_deref().map(millis).transpose()?,
            most: self.limit,
        };
        let entries: Vec<Entry> = gateway.ledger.decisions(&filter).await?.into_iter().map(Entry::from).collect();
        if self.json {
            return output::json(&entries);
        }
        for entry in &entries {
            let line = format!(
                "{}  {}  {} {} from {}: {} ({})\n    {}  uid {}  mail {}\n",
                entry.at,
                entry.user,
                entry.verdict,
                entry.method,
                entry.sender,
                entry.text,
                entry.reason,
                entry.folder,
                entry.uid,
                entry.message_id
            );
            let lines: Vec<String> = line.lines().map(output::printable).collect();
            output::text(&format!("{}\n", lines.join("\n")))?;
        }
        Ok(())
    }
}

/// A Message-ID as it is kept, with its angle brackets.
fn with_brackets(id: &str) -> String {
    if id.starts_with('<') { id.to_owned() } else { format!("<{id}>") }
}

fn millis(text: &str) -> anyhow::Result<i64> {
    if let Ok(at) = chrono::DateTime::parse_from_rfc3339(text) {
        return Ok(at.timestamp_millis());
    }
    let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let midnight = day.and_then(|day| day.and_hms_opt(0, 0, 0));
    let at = midnight.with_context(|| format!("{text:?} is no time; write 2026-11-22T08:00:00Z or 2026-11-22"))?;
    Ok(at.and_utc().timestamp_millis())
}
