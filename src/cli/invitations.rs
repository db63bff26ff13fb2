//! `imipd invitations`: what still waits for an answer.

use std::sync::Arc;

use serde::Serialize;

use super::{calendar::Row, output, user_of};
use crate::calendar::StoredObject;
use crate::config::User;
use crate::gateway::Gateway;
use crate::itip::{CalUid, Reason};
use crate::ledger::Proposal;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// An address of the user.
    #[arg(long, value_name = "ADDR")]
    user: String,
    /// Print an array of objects.
    #[arg(long)]
    json: bool,
}

/// Something that waits for an answer; the names are a promise to scripts.
#[derive(Debug, Serialize)]
struct Waiting {
    uid: String,
    summary: String,
    start: String,
    from: String,
    method: String,
    /// Why it waits: `needs-action` for what is in the calendar, the reason of the decision for what is not.
    reason: String,
    /// The words of `imipd respond` that settle it; a proposal takes `--from` besides.
    answers: &'static [&'static str],
}

/// The words for an invitation.
const TO_INVITATION: &[&str] = &["accept", "decline", "tentative"];

impl Arguments {
    pub async fn execute(self, gateway: Arc<Gateway>) -> anyhow::Result<()> {
        let user = &*user_of(&gateway, &self.user).await?;
        let mut waiting: Vec<Waiting> =
            gateway.objects(user).await?.iter().filter_map(|stored| unanswered(stored, user)).collect();
        let proposals = gateway.ledger.proposals(user.key()).await?;
        waiting.extend(proposals.iter().map(|proposal| proposed(proposal, user)));
        if self.json {
            return output::json(&waiting);
        }
        let rows: Vec<Vec<String>> = waiting
            .into_iter()
            .map(|one| vec![one.start, one.summary, one.from, one.method, one.reason, one.answers.join("|"), one.uid])
            .collect();
        output::table(&["START", "SUMMARY", "FROM", "METHOD", "REASON", "ANSWERS", "UID"], &rows)
    }
}

/// What stands in the calendar without an answer.
fn unanswered(stored: &StoredObject, user: &User) -> Option<Waiting> {
    use crate::itip::component::ComponentExt;
    let row = Row::of(stored, &user.addresses)?;
    let object = crate::itip::CalendarObject::parse(&stored.content).ok()?;
    let is_open = object.components().any(|(_, component)| {
        let own = component.attendee_among(&user.addresses);
        !component.is_cancelled() && own.is_some_and(|own| !own.has_answered())
    });
    let organizer = object.organizer().ok().flatten().map(|address| address.to_string());
    (is_open && row.role == "attendee").then(|| Waiting {
        uid: row.uid,
        summary: row.summary,
        start: row.start,
        from: organizer.unwrap_or_default(),
        method: "REQUEST".to_owned(),
        reason: "needs-action".to_owned(),
        answers: TO_INVITATION,
    })
}

/// What waits outside of the calendar.
fn proposed(proposal: &Proposal, user: &User) -> Waiting {
    let stored = StoredObject { uid: CalUid(proposal.cal_uid.clone()), content: proposal.content.clone() };
    let row = Row::of(&stored, &user.addresses);
    let (summary, start) = row.map_or_else(Default::default, |row| (row.summary, row.start));
    Waiting {
        uid: proposal.cal_uid.clone(),
        summary,
        start,
        from: proposal.sender.clone(),
        method: proposal.method.clone(),
        reason: proposal.reason.clone(),
        answers: answers(proposal),
    }
}

/// What `imipd respond` can say to a proposal.
fn answers(proposal: &Proposal) -> &'static [&'static str] {
    if proposal.reason == Reason::SenderUnproven.name() {
        return &["believe", "dismiss"];
    }
    match proposal.method.as_str() {
        "REQUEST" | "ADD" => TO_INVITATION,
        "COUNTER" | "REPLY" => &["accept-proposal", "decline-proposal"],
        _ => &[],
    }
}
