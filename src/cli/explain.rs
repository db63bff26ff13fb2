//! `imipd explain`: from a raw mail to the decision, without deciding.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;

use super::{output, user_of};
use crate::gateway::{ExplainedPart, Explanation, Gateway};
use crate::imip::limits::MAIL_BYTES_MAX;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// An address of the user who got the mail.
    #[arg(long, value_name = "ADDR")]
    user: String,
    /// The mail as it was received, or - for standard input.
    file: PathBuf,
}

impl Arguments {
    pub async fn execute(self, gateway: Arc<Gateway>) -> anyhow::Result<()> {
        let user = &*user_of(&gateway, &self.user).await?;
        let mut raw = Vec::new();
        let most = MAIL_BYTES_MAX as u64 + 1;
        match self.file.to_str() {
            Some("-") => std::io::stdin().lock().take(most).read_to_end(&mut raw),
            _ => std::fs::File::open(&self.file).and_then(|file| file.take(most).read_to_end(&mut raw)),
        }
        .with_context(|| format!("cannot read {}", self.file.display()))?;
        let explanation = gateway.explain(user, &raw).await?;
        output::text(&describe(&explanation))
    }
}

/// The explanation as a person reads it, a fact a line.
fn describe(explanation: &Explanation) -> String {
    let email = &explanation.email;
    let mut out = String::new();
    line(&mut out, "mail", email.message_id.as_deref().unwrap_or("without Message-ID"));
    line(&mut out, "subject", email.subject.as_deref().unwrap_or(""));
    let from: Vec<&str> = email.sender.from.iter().map(|address| address.as_str()).collect();
    line(&mut out, "from", &from.join(", "));
    if let Some(sender) = &email.sender.sender {
        line(&mut out, "sent by", sender.as_str());
    }
    if email.sender.author().is_none() {
        line(&mut out, "proof", "none: From does not name exactly one address");
    }
    for finding in &email.sender.findings {
        line(&mut out, "odd", &format!("{} ({})", finding.describe(), finding.name()));
    }
    if email.is_marked_as_spam {
        line(&mut out, "odd", "a filter has marked the mail as spam (marked-as-spam)");
    }
    for quirk in &email.quirks {
        line(&mut out, "mended", &format!("{} ({})", quirk.describe(), quirk.name()));
    }
    if let Some(nothing) = email.nothing_because {
        line(&mut out, "verdict", &format!("ignored: {} ({})", nothing.describe(), nothing.name()));
    }
    explanation.parts.iter().for_each(|part| describe_part(&mut out, part));
    out
}

fn describe_part(out: &mut String, part: &ExplainedPart) {
    out.push('\n');
    line(out, "calendar", &format!("{} in {}", part.method, part.content_type));
    line(out, "uid", &part.uid);
    for (tzid, fault) in &part.zone_faults {
        line(out, "odd", &format!("the rules of the time zone {tzid} count for nothing, its times are local: {fault}"));
    }
    line(out, "held", if part.is_held { "an object of this UID" } else { "nothing of this UID" });
    if !part.speaker.is_empty() {
        line(out, "speaker", &part.speaker);
        line(out, "proof", &part.proof);
    }
    if let Some(exception) = part.exception {
        line(out, "exception", exception);
    }
    line(out, "verdict", &format!("{} ({})", part.verdict, part.reason));
    line(out, "because", &part.sentence);
    for (method, to, subject) in &part.mails {
        line(out, "sends", &format!("{method} to {}: {subject}", to.join(", ")));
    }
    if part.diff.is_empty() {
        line(out, "changes", "nothing");
    } else {
        line(out, "changes", "");
        part.diff.lines().for_each(|changed| out.push_str(&format!("    {}\n", output::printable(changed))));
    }
}

fn line(out: &mut String, name: &str, value: &str) {
    out.push_str(format!("{name:<10} {}", output::printable(value)).trim_end());
    out.push('\n');
}
