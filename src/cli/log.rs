//! `imipd log`: what was decided, and why.

use std::sync::Arc;

use anyhow::Context;
use serde::Serialize;

use super::{output, user_of};
use crate::gateway::{Gateway, rfc3339};
use crate::itip::Address;
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
    #[arg(long, value_name = "T", value_parser = millis)]
    since: Option<i64>,
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
    proof: String,
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
            proof: record.proof,
        }
    }
}

impl Entry {
    /// The entry for people. Each value is made printable by itself, so that no UID can pass for an entry of its own.
    fn lines(&self) -> String {
        let [user, verdict, method, sender, text, reason, folder, uid, message_id] = [
            &self.user,
            &self.verdict,
            &self.method,
            &self.sender,
            &self.text,
            &self.reason,
            &self.folder,
            &self.uid,
            &self.message_id,
        ]
        .map(|value| output::printable(value));
        let at = &self.at;
        let first = format!("{at}  {user}  {verdict} {method} from {sender}: {text} ({reason})");
        format!("{first}\n    {folder}  uid {uid}  mail {message_id}\n")
    }
}

impl Arguments {
    pub async fn execute(self, gateway: Arc<Gateway>) -> anyhow::Result<()> {
        // Whoever is no user any more, or not known while a source is down, still has a past.
        let user = match &self.user {
            Some(address) => Some(match user_of(&gateway, address).await {
                Ok(user) => user.key().to_owned(),
                Err(_) => Address::parse(address).to_string(),
            }),
            None => None,
        };
        let filter = DecisionFilter {
            user,
            message_id: self.message_id.as_deref().map(with_brackets),
            since: self.since,
            most: self.limit,
        };
        let entries: Vec<Entry> = gateway.ledger.decisions(&filter).await?.into_iter().map(Entry::from).collect();
        if self.json {
            return output::json(&entries);
        }
        for entry in &entries {
            output::text(&entry.lines())?;
        }
        Ok(())
    }
}

/// A Message-ID as it is kept, with its angle brackets.
pub(super) fn with_brackets(id: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_with_line_ends_makes_no_entry_of_its_own() {
        let value = |text: &str| text.to_owned();
        let entry = Entry {
            at: value("2026-11-22T08:00:00.000Z"),
            user: value("b@example.com"),
            folder: value("INBOX"),
            message_id: value("<1@example.com>"),
            sender: value("a@example.com"),
            method: value("REQUEST"),
            uid: value("1\n2026-11-22T09:00:00.000Z  b@example.com  applied\u{2028}x"),
            verdict: value("refused"),
            reason: value("not-organizer"),
            proof: String::new(),
            text: value("Not taken."),
        };
        assert_eq!(entry.lines().lines().count(), 2);
        assert!(entry.lines().ends_with("applied x  mail <1@example.com>\n"));
    }
}
