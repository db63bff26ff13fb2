//! What would happen with a mail, and why; nothing is changed.

use std::panic::catch_unwind;

use similar::TextDiff;

use super::letter::Occasioned;
use super::trust::{Extent, Letter};
use super::{Gateway, GatewayError};
use crate::config::User;
use crate::imip::{Email, Exception, extract};
use crate::itip::{CalendarObject, ItipMessage, Reason};

/// What is known of a mail, and what would be decided about it.
#[derive(Clone, Debug)]
pub struct Explanation {
    pub email: Email,
    /// One for each calendar in the mail; empty where the mail as a whole is not taken.
    pub parts: Vec<ExplainedPart>,
}

/// What would be decided about one calendar of a mail.
#[derive(Clone, Debug, Default)]
pub struct ExplainedPart {
    pub content_type: String,
    pub method: String,
    pub uid: String,
    /// The time zones that it defines in a way that counts for nothing, and why; their times float.
    pub zone_faults: Vec<(String, String)>,
    /// Whether the user holds an object of that UID.
    pub is_held: bool,
    /// Whose rights count; behind a list that is not who stands in From.
    pub speaker: String,
    /// How far that is proven, as a sentence.
    pub proof: String,
    /// The exception of `policy.exceptions` that was made.
    pub exception: Option<&'static str>,
    pub verdict: &'static str,
    /// The stable kebab-case name.
    pub reason: String,
    pub sentence: String,
    /// The change of the stored object, as a diff; empty when it stays.
    pub diff: String,
    /// The mails that would go out: method, recipients, subject.
    pub mails: Vec<(String, Vec<String>, String)>,
}

impl Gateway {
    /// Explains a mail to `user`; reads what is held, and writes nothing.
    pub async fn explain(&self, user: &User, raw: &[u8]) -> Result<Explanation, GatewayError> {
        let mut email = catch_unwind(|| extract(raw)).unwrap_or_default();
        self.check_signature(&mut email, raw, Extent::Whole).await;
        let mut parts = Vec::new();
        if email.sender.author().is_some() {
            for part in &email.calendars {
                parts.push(self.explain_part(user, Letter { email: &email, part }).await?);
            }
        }
        Ok(Explanation { email, parts })
    }

    async fn explain_part(&self, user: &User, letter: Letter<'_>) -> Result<ExplainedPart, GatewayError> {
        let part = letter.part;
        let mut explained = ExplainedPart {
            content_type: part.content_type.clone(),
            method: part.method().map(|method| method.to_string()).or(part.unknown_method()).unwrap_or_default(),
            ..ExplainedPart::default()
        };
        let message = match ItipMessage::parse(&part.text, part.method_parameter) {
            Ok(message) => message,
            Err(refusal) => {
                tell(&mut explained, "refused", &Reason::Refused(refusal));
                return Ok(explained);
            }
        };
        explained.uid = message.object.uid().to_string();
        let faults = message.object.zones().faults();
        explained.zone_faults = faults.map(|(tzid, fault)| (tzid.to_owned(), fault.to_string())).collect();
        if part.is_forwarded {
            explained.verdict = "ignored";
            explained.reason = "forwarded".to_owned();
            explained.sentence = "Not taken: it lies in a forwarded mail, so its author is not the sender.".to_owned();
            return Ok(explained);
        }
        // The transaction is never committed.
        let mut transaction = self.ledger.begin().await?;
        if let Some((reason, text)) = self.is_beyond(&mut transaction, user, &message).await? {
            (explained.verdict, explained.reason) = ("ignored", reason.to_owned());
            explained.sentence = text.to_owned();
            return Ok(explained);
        }
        let Some(asked) = self.ask_engine(&mut transaction, user, letter, message).await? else {
            explained.verdict = "dead-letter";
            explained.sentence = "A fault of imipd: the engine could not decide. Please report it.".to_owned();
            return Ok(explained);
        };
        explained.is_held = asked.held.is_some();
        explained.speaker = asked.speaker.address.to_string();
        explained.proof = asked.speaker.proof.describe();
        explained.exception = asked.speaker.by_exception.map(Exception::name);
        tell(&mut explained, asked.decision.verdict.name(), &asked.decision.reason);
        if let Some(stored) = &asked.decision.store {
            explained.diff = diff(asked.held.as_ref(), stored);
        }
        for outgoing in &asked.decision.outgoing {
            let debts = self.write(&mut transaction, user, outgoing, Occasioned::ByMail).await?;
            let debts = debts.unwrap_or_default().into_iter();
            explained.mails.extend(debts.map(|debt| (debt.method, debt.recipients, debt.subject)));
        }
        Ok(explained)
    }
}

fn tell(explained: &mut ExplainedPart, verdict: &'static str, reason: &Reason) {
    explained.verdict = verdict;
    explained.reason = reason.name().to_owned();
    explained.sentence = reason.sentence();
}

fn diff(held: Option<&CalendarObject>, stored: &CalendarObject) -> String {
    let (before, after) = (held.map(CalendarObject::to_text).unwrap_or_default(), stored.to_text());
    TextDiff::from_lines(&before.replace("\r\n", "\n"), &after.replace("\r\n", "\n"))
        .unified_diff()
        .context_radius(2)
        .header("stored", "then")
        .to_string()
}
