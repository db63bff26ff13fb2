//! What the play amounted to: mails, final calendars, and how quick it was.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::calendar::CalendarObject;
use crate::stage::{Letter, Stage};

pub fn print(stage: &Stage, duration: Duration) -> Result<()> {
    let terminal = stage.terminal();
    terminal.headline("Summary");
    terminal.fact("servers", &format!("IMAP by Dovecot, SMTP by {}", stage.lab().mta_name()));
    terminal.fact("mails", &mails_by_method(&stage.letters));
    for (user, text) in stage.final_states() {
        terminal.fact(user, &state(user, text.map(|text| CalendarObject::parse(text)).as_ref()));
    }
    let log = stage.quietly(&["log", "--json"])?;
    let decisions: Vec<Value> = serde_json::from_str(&log).context("imipd log --json printed no list")?;
    terminal.fact("arrival to commit", &spread(latencies(&stage.letters, &decisions)));
    terminal.fact("all of it", &format!("{:.1} s", duration.as_secs_f64()));
    terminal.success("every calendar was what it should be, at every stage");
    Ok(())
}

fn mails_by_method(letters: &[Letter]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for letter in letters {
        *counts.entry(&letter.method).or_default() += 1;
    }
    let parts: Vec<String> = counts.iter().map(|(method, count)| format!("{count} {method}")).collect();
    format!("{}: {}", letters.len(), parts.join(", "))
}

fn state(user: &str, object: Option<&CalendarObject>) -> String {
    let Some(master) = object.and_then(CalendarObject::master) else { return "nothing stored".to_owned() };
    let status = if master.is_cancelled() { "CANCELLED" } else { "CONFIRMED" };
    format!("{status}, own answer {}", master.partstat(user).unwrap_or("none"))
}

/// From a mail's file time to the time of the decision about it.
fn latencies(letters: &[Letter], decisions: &[Value]) -> Vec<Duration> {
    let mut latencies: Vec<Duration> = letters.iter().filter_map(|letter| latency(letter, decisions)).collect();
    latencies.sort();
    latencies
}

fn latency(letter: &Letter, decisions: &[Value]) -> Option<Duration> {
    let id = |decision: &Value| decision["message_id"].as_str().unwrap_or("").trim_matches(['<', '>']).to_owned();
    let decision = decisions.iter().find(|d| d["user"] == letter.user && id(d) == letter.message_id)?;
    let at: DateTime<Utc> = decision["at"].as_str()?.parse().ok()?;
    // The file time is some milliseconds coarse, so a quick decision may seem to precede the mail.
    Some(SystemTime::from(at).duration_since(letter.arrived).unwrap_or_default())
}

fn spread(sorted: Vec<Duration>) -> String {
    match (sorted.first(), sorted.get(sorted.len() / 2), sorted.last()) {
        (Some(least), Some(median), Some(most)) => {
            let [least, median, most] = [least, median, most].map(|latency| latency.as_millis());
            format!("{least} to {most} ms, median {median} ms, {} mails", sorted.len())
        }
        _ => "not measured: no mail is in imipd's log".to_owned(),
    }
}
