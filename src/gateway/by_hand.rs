//! Answers without a word: a mail that is put into a folder of answers, or gets a keyword that is one.
//!
//! | the mail | is put into a folder | gets a keyword |
//! |---|---|---|
//! | an invitation, a counter-proposal, a notice of ours | the user has answered; it is moved back | the user has answered |
//! | an invitation that is not what the organizer asks now, or was never taken | a reason; it is moved back | a reason |
//! | anything else | a reason; it stays | a reason |
//! | the same mail under a new number of the same folder | nothing; it is moved back | nothing |
//!
//! Only who may work in the user's mailbox does either. What lies in the mail is from outside all the same: it is taken in first as it
//! would be from INBOX, and answered only when it was taken.

use std::panic::catch_unwind;

use super::answering::{Asked, Given, Way};
use super::in_words::instance_of;
use super::receive::{Attempt, DEAD_LETTER, Place, blank, ignored};
use super::{Gateway, GatewayError, now_millis};
use crate::config::{AfterAnswer, User};
use crate::imip::answer::Choice;
use crate::imip::{Email, PlainAnswer, extract};
use crate::itip::component::ComponentExt;
use crate::itip::{ItipMessage, Method, Reason, Verdict};
use crate::ledger::{DecisionRecord, LedgerError, MoveTarget, OwedMove, Proposal, QuestionKind, Transaction};
use crate::mailbox::FolderRole;

/// The reason of a mail that asks nothing; it stays where it was put.
const NO_INVITATION: &str = "no-invitation";

/// What a user did to a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gesture {
    way: Way,
    choice: Choice,
}

/// The answer that a mail gives by where it lies, or by its keyword.
pub(super) fn gesture(place: Place<'_>, attempt: Attempt) -> Option<Gesture> {
    match (place.role, attempt.tagged) {
        (FolderRole::Answers(choice), _) => Some(Gesture { way: Way::Folder, choice }),
        (FolderRole::Inbox | FolderRole::Other, Some(choice)) => Some(Gesture { way: Way::Keyword, choice }),
        (FolderRole::Inbox | FolderRole::Other, None) | (FolderRole::Sent, _) => None,
    }
}

impl Gateway {
    /// Takes the answer that a mail gives; `decided` is what was decided about the mail itself just now.
    pub(super) async fn take_gesture(
        &self,
        transaction: &mut Transaction,
        (place, attempt): (Place<'_>, Attempt),
        (email, gesture): (&Email, Gesture),
        decided: Vec<DecisionRecord>,
    ) -> Result<Vec<DecisionRecord>, GatewayError> {
        if decided.iter().any(|record| record.verdict == DEAD_LETTER) {
            return Ok(decided);
        }
        let record = DecisionRecord {
            sender: place.user.key().to_owned(),
            method: Method::Reply.to_string(),
            proof: String::new(),
            ..blank(place, email)
        };
        // Read by date, the folder has new numbers, and what lies there has been answered under the old ones; since then the user may
        // have changed their mind. What arrives with a number of its own was put there just now.
        let is_reread = gesture.way == Way::Folder && place.cursor.is_none() && attempt.dead_letter.is_none();
        let where_it_lies = (place.user.key(), place.folder);
        if is_reread && transaction.is_known_in(where_it_lies, &record.message_id).await? {
            let text = "This mail was answered before, when its folder had other numbers.";
            return Ok(vec![ignored(record, "seen-before", text)]);
        }
        let answered = match self.question_in(transaction, place, (email, &decided)).await? {
            Ok(asked) => {
                let said = PlainAnswer { choice: gesture.choice, comment: None };
                let given = Given { way: gesture.way, said };
                self.take_answer(transaction, place.user, (&asked, given), record).await?
            }
            Err((reason, text)) => {
                let record = ignored(record, reason, &text);
                if reason != NO_INVITATION {
                    self.tell_user(transaction, place.user, &record).await?;
                }
                record
            }
        };
        // That the mail was seen before is no news here.
        let news = decided.into_iter().filter(|record| record.reason != "seen-before");
        Ok(news.chain([answered]).collect())
    }

    /// What a mail asks the user, or why it cannot be answered.
    async fn question_in(
        &self,
        transaction: &mut Transaction,
        place: Place<'_>,
        (email, decided): (&Email, &[DecisionRecord]),
    ) -> Result<Result<Asked, (&'static str, String)>, GatewayError> {
        let (user, message_id) = (place.user.key(), email.message_id.clone().unwrap_or_default());
        let none = || Err((NO_INVITATION, "Not an answer: the mail asks nothing.".to_owned()));
        let messages = messages(email);
        let Some(message) = messages.first() else {
            let question = transaction.question(user, &message_id).await?;
            return Ok(question.map(Asked::from).map_or_else(none, Ok));
        };
        let uid = message.object.uid();
        if messages.iter().any(|other| other.object.uid() != uid) {
            let text = "Not taken: the mail holds several calendars, and nothing says which is answered.";
            return Ok(Err(("answer-not-taken", text.to_owned())));
        }
        let waiting = transaction.proposals_about(user, &uid.0).await?;
        let waiting = waiting.into_iter().find(|proposal| proposal.message_id == message_id);
        let Some(kind) = kind(message, waiting.as_ref()) else { return Ok(none()) };
        let is_fresh = |record: &&DecisionRecord| record.cal_uid == uid.0 && !record.method.is_empty();
        let fresh = decided.iter().find(is_fresh).filter(|record| record.reason != "seen-before");
        if let Some(refused) = fresh.filter(|record| !was_taken(record)) {
            return Ok(Err(("answer-not-taken", format!("Not taken: the mail itself is not. {}", refused.text))));
        }
        let sequence = message.object.principal().map(|component| component.sequence().0);
        let (cal_uid, instance) = (uid.to_string(), instance_of(&message.object));
        Ok(Ok(Asked { kind, cal_uid, instance, sequence, about: message_id }))
    }

    /// Whether a user has answered by this very mail before, by where it lay or by a keyword on it.
    pub(super) async fn is_answered_by(&self, user: &User, raw: &[u8]) -> Result<bool, GatewayError> {
        let Some(message_id) = catch_unwind(|| extract(raw)).ok().and_then(|email| email.message_id) else {
            return Ok(false);
        };
        let mut transaction = self.ledger.begin().await?;
        Ok(transaction.is_answered(user.key(), &message_id).await?)
    }

    /// Enters what follows from an answer that a mail gave: that the mail is moved, or that its keyword is known.
    pub(super) async fn follow_gesture(
        &self,
        transaction: &mut Transaction,
        (place, attempt): (Place<'_>, Attempt),
        records: &[DecisionRecord],
    ) -> Result<(), LedgerError> {
        let (user, number) = (place.user.key(), attempt.number);
        if let Some(choice) = attempt.tagged {
            let tag = (number.uid, choice.as_str().to_owned());
            transaction.add_tag((user, place.folder), &tag).await?;
        }
        let stays = |record: &DecisionRecord| record.reason == NO_INVITATION || record.verdict == DEAD_LETTER;
        let is_filed = matches!(place.role, FolderRole::Answers(_)) && number.uid > 0 && !records.is_empty();
        if !is_filed || records.iter().any(stays) {
            return Ok(());
        }
        let target = match self.config.answers.after {
            AfterAnswer::ToInbox => MoveTarget::Inbox,
            AfterAnswer::ToArchive => MoveTarget::Archive,
            AfterAnswer::Stays => return Ok(()),
        };
        let message_id = records.iter().map(|record| record.message_id.clone()).next_back().unwrap_or_default();
        let (user, folder) = (user.to_owned(), place.folder.to_owned());
        let owed = OwedMove { user, folder, number, message_id, target, attempts: 0 };
        transaction.owe_move(&owed, now_millis()).await
    }
}

/// The messages in a mail that its sender speaks in.
fn messages(email: &Email) -> Vec<ItipMessage> {
    let parts = email.calendars.iter().filter(|part| !part.is_forwarded);
    let parsed = parts.filter_map(|part| catch_unwind(|| ItipMessage::parse(&part.text, part.method_parameter)).ok());
    parsed.filter_map(Result::ok).collect()
}

/// What a message asks, given what of it waits for the user; nothing for one that asks nothing.
fn kind(message: &ItipMessage, waiting: Option<&Proposal>) -> Option<QuestionKind> {
    let is_unproven = waiting.is_some_and(|proposal| proposal.reason == Reason::SenderUnproven.name());
    match message.method {
        _ if is_unproven => Some(QuestionKind::Unproven),
        Method::Request | Method::Add => Some(QuestionKind::Invitation),
        Method::Counter => Some(QuestionKind::Counter),
        Method::Reply => waiting.map(|_| QuestionKind::Crasher),
        Method::Publish | Method::Cancel | Method::Refresh | Method::DeclineCounter => None,
    }
}

fn was_taken(record: &DecisionRecord) -> bool {
    [Verdict::Applied, Verdict::Unchanged, Verdict::Proposed].iter().any(|verdict| verdict.name() == record.verdict)
}
