//! What becomes of messages that waited for somebody's word: the user believes or dismisses those whose senders nobody could
//! prove, an attendee confirms the answer of their delegate.
//!
//! A message is believed as it was kept, and the engine is asked anew: what has become stale meanwhile is stale.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::change::{ChangeError, Changed};
use super::letter::Occasioned;
use super::{Gateway, GatewayError, now_millis};
use crate::config::User;
use crate::itip::receive::names_delegate;
use crate::itip::{Address, CalUid, Context, Decision, Held, ItipMessage, Policy, Reason, Refusal, Verdict, receive};
use crate::ledger::{DecisionRecord, LedgerError, Proposal, Transaction};

/// Which of the messages that wait are meant.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub uid: CalUid,
    /// Whose; needed only where several senders speak of the same event.
    pub sender: Option<Address>,
}

/// Why what waited is taken.
#[derive(Clone, Copy, Debug)]
enum Belief {
    OfUser,
    /// The attendee whom a delegate named has said the same.
    OfDelegator,
}

impl Belief {
    /// Its name and its sentence in the log.
    fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::OfUser => ("believed", "Believed by the user."),
            Self::OfDelegator => ("delegate-confirmed", "Confirmed by the attendee who sends its author."),
        }
    }
}

impl Gateway {
    /// Takes what waits from an unproven sender as if they were proven; it waits no more.
    pub(super) async fn believe(
        &self,
        transaction: &mut Transaction,
        user: &User,
        waiting: &Waiting,
    ) -> Result<Changed, ChangeError> {
        let mut changed = Changed::nothing(waiting.uid.clone());
        for proposal in unproven(transaction, user, waiting).await? {
            // Removed first: what still waits for another reason is kept under the same key.
            transaction.remove_proposal(&proposal).await?;
            let mails = self.take(transaction, user, (&proposal, Belief::OfUser)).await?;
            changed.mails.extend(mails);
        }
        Ok(changed)
    }

    /// Takes one message that waits as if its sender were proven; what it is then when it waits for another reason.
    pub(super) async fn believe_one(
        &self,
        transaction: &mut Transaction,
        user: &User,
        proposal: &Proposal,
    ) -> Result<Option<Proposal>, ChangeError> {
        transaction.remove_proposal(proposal).await?;
        self.take(transaction, user, (proposal, Belief::OfUser)).await?;
        let waiting = transaction.proposals_about(user.key(), &proposal.cal_uid).await?;
        Ok(waiting.into_iter().find(|one| one.message_id == proposal.message_id && one.method == proposal.method))
    }

    /// Forgets one message that waits from an unproven sender.
    pub(super) async fn dismiss_one(
        &self,
        transaction: &mut Transaction,
        proposal: &Proposal,
    ) -> Result<(), LedgerError> {
        transaction.remove_proposal(proposal).await?;
        let text = "Dismissed: the user does not believe its sender.";
        transaction.add_decision(&record(proposal, "dismissed", text)).await?;
        Ok(())
    }

    /// Forgets what waits from an unproven sender.
    pub(super) async fn dismiss(
        &self,
        transaction: &mut Transaction,
        user: &User,
        waiting: &Waiting,
    ) -> Result<Changed, ChangeError> {
        for proposal in unproven(transaction, user, waiting).await? {
            self.dismiss_one(transaction, &proposal).await?;
        }
        Ok(Changed::nothing(waiting.uid.clone()))
    }

    /// Takes the answers of delegates that came before those of the attendees who send them, as far as these have come now.
    pub(super) async fn take_confirmed(
        &self,
        transaction: &mut Transaction,
        user: &User,
        uid: &CalUid,
    ) -> Result<(), GatewayError> {
        let unconfirmed = Reason::DelegateUnconfirmed.name();
        let waiting = transaction.proposals_about(user.key(), &uid.0).await?;
        for proposal in waiting.into_iter().filter(|one| one.reason == unconfirmed) {
            let held = self.held(transaction, user, uid).await?;
            if !held.is_some_and(|held| names_delegate(&held, &Address::in_mail(&proposal.sender))) {
                continue;
            }
            transaction.remove_proposal(&proposal).await?;
            match self.take(transaction, user, (&proposal, Belief::OfDelegator)).await {
                Err(ChangeError::Gateway(error)) => return Err(error),
                // What has become stale meanwhile, or is refused for another reason, waits for nothing.
                Err(error) => tracing::info!(user = user.key(), uid = %uid, %error, "a delegate's answer is not taken"),
                Ok(_) => {}
            }
        }
        Ok(())
    }

    /// Has the engine decide about one message, and does what it says.
    async fn take(
        &self,
        transaction: &mut Transaction,
        user: &User,
        (proposal, belief): (&Proposal, Belief),
    ) -> Result<Vec<(String, Vec<String>)>, ChangeError> {
        let uid = CalUid(proposal.cal_uid.clone());
        let message = ItipMessage::parse(&proposal.content, None).map_err(ChangeError::Refused)?;
        let held = self.held(transaction, user, &uid).await?;
        let revisions = transaction.revisions(user.key(), &uid).await?;
        let author = user.author(self.next_dtstamp(transaction, user, &uid).await?);
        let sender = Address::in_mail(&proposal.sender);
        let context = Context { author, sender: &sender, policy: Policy::default() };
        let question = Held { object: held.as_ref().map(Cow::Borrowed), revisions: &revisions };
        // What has waited is as hostile as on its first day.
        let decision = catch_unwind(AssertUnwindSafe(|| receive(question, message, context)));
        let decision = decision.unwrap_or_else(|_| Decision::refused(Refusal::ICalendarParseError));
        if let Some(refusal) = refusal_of(&decision) {
            return Err(ChangeError::Refused(refusal));
        }
        if decision.verdict == Verdict::Proposed {
            let reason = decision.reason.name().to_owned();
            transaction.add_proposal(&Proposal { reason, ..proposal.clone() }).await?;
        }
        if let Some(object) = &decision.store {
            self.store(transaction, user, object, now_millis()).await?;
        }
        if let Some(after) = &decision.revisions {
            transaction.set_revisions(user.key(), &uid, &revisions, after).await?;
            if decision.reason == Reason::Answered {
                self.gather_answers(transaction, (user, &uid), (&revisions, after)).await?;
            }
        }
        let mut mails = Vec::new();
        for outgoing in &decision.outgoing {
            match self.write(transaction, user, outgoing, Occasioned::ByUser).await? {
                Ok(debts) => {
                    for debt in debts {
                        self.owe(transaction, &outgoing.object, &debt).await?;
                        mails.push((debt.method, debt.recipients));
                    }
                }
                Err(error) => tracing::warn!(user = user.key(), uid = %uid, %error, "a mail cannot be written"),
            }
        }
        let (name, by_whom) = belief.told();
        let text = format!("{by_whom} {}", decision.reason.sentence());
        transaction.add_decision(&record(proposal, name, &text)).await?;
        Ok(mails)
    }
}

/// The messages that are meant; an error where nothing waits, or where several senders do and none is named.
async fn unproven(transaction: &mut Transaction, user: &User, waiting: &Waiting) -> Result<Vec<Proposal>, ChangeError> {
    let all = transaction.proposals_about(user.key(), &waiting.uid.0).await?;
    let is_meant = |proposal: &Proposal| {
        proposal.reason == Reason::SenderUnproven.name()
            && waiting.sender.as_ref().is_none_or(|sender| sender.as_str() == proposal.sender)
    };
    let meant: Vec<Proposal> = all.into_iter().filter(is_meant).collect();
    let mut senders: Vec<String> = meant.iter().map(|proposal| proposal.sender.clone()).collect();
    senders.sort();
    senders.dedup();
    match senders.len() {
        0 => Err(ChangeError::NothingWaits { user: user.key().to_owned(), uid: waiting.uid.to_string() }),
        1 => Ok(meant),
        _ => Err(ChangeError::SeveralSenders { senders: senders.join(", ") }),
    }
}

fn refusal_of(decision: &Decision) -> Option<Refusal> {
    match (decision.verdict, &decision.reason) {
        (Verdict::Refused, Reason::Refused(refusal)) => Some(refusal.clone()),
        (Verdict::Refused, _) => Some(Refusal::NotOrganizerNorAttendee),
        (Verdict::Applied | Verdict::Unchanged | Verdict::Proposed, _) => None,
    }
}

fn record(proposal: &Proposal, reason: &str, text: &str) -> DecisionRecord {
    DecisionRecord {
        at: now_millis(),
        user: proposal.user.clone(),
        message_id: proposal.message_id.clone(),
        sender: proposal.sender.clone(),
        method: proposal.method.clone(),
        cal_uid: proposal.cal_uid.clone(),
        verdict: "own-change".to_owned(),
        reason: reason.to_owned(),
        text: text.to_owned(),
        ..DecisionRecord::default()
    }
}
