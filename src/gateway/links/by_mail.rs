//! Answers that come as mails with a token in the subject.
//!
//! | the mail | what happens |
//! |---|---|
//! | is written by a program or a list, lies in Sent, answers another mail | nothing: it is no answer by a link |
//! | is the user's own, with a token of a notice to them | the user has answered what the notice asks |
//! | is the user's own otherwise | nothing |
//! | has a token that opens nothing of this user | a line in the log; nobody is written to, since anybody can make it up |
//! | fails DMARC | a line in the log |
//! | comes from another address than the one that was invited | a line in the log, and a mail that says why |
//! | says one thing above and another below | the same |
//! | comes from the attendee | a REPLY of theirs; where that is not taken, a mail that says why |
//!
//! A token and the address that it was sent to are proof enough, whatever `policy.trust` is: whoever has both has read the
//! attendee's mail, and could answer on the page behind a link as well.

use std::sync::Arc;

use secrecy::ExposeSecret;

use super::{Answered, LinkState};
use crate::config::User;
use crate::gateway::answering::{Asked, Given, Way};
use crate::gateway::in_words::{is_from_a_person, meant};
use crate::gateway::limits::QUESTIONS_SEARCHED_MAX;
use crate::gateway::receive::{Place, ignored};
use crate::gateway::{Gateway, GatewayError};
use crate::imip::answer::Choice;
use crate::imip::{Email, NotTaken, PlainAnswer, Proof, Purpose, Remark, Token, remark, tag_in};
use crate::itip::{Address, Method, Reason, Verdict};
use crate::ledger::{DecisionRecord, Link, Question, Transaction};
use crate::mailbox::FolderRole;

impl Gateway {
    /// Takes an answer that was given by its subject; nothing when the mail is none.
    pub(in crate::gateway) async fn take_tagged(
        &self,
        transaction: &mut Transaction,
        place: Place<'_>,
        (email, raw): (&Email, &[u8]),
        blank: DecisionRecord,
    ) -> Result<Option<DecisionRecord>, GatewayError> {
        let tag = email.subject.as_deref().and_then(tag_in);
        let (Some(tag), Some(author)) = (tag, email.sender.author()) else { return Ok(None) };
        let user = place.user.key();
        if place.role == FolderRole::Sent
            || !is_from_a_person(email)
            || is_conversation(transaction, user, email).await?
        {
            return Ok(None);
        }
        if place.user.addresses.contains(author) {
            let Some(token) = tag.token else { return Ok(None) };
            return self.take_own_tagged(transaction, place, (email, raw, (token, tag.choice)), blank).await;
        }
        let record = DecisionRecord { sender: author.to_string(), method: Method::Reply.to_string(), ..blank };
        if transaction.has_taken(user, &record.message_id, &record.fingerprint).await? {
            return Ok(Some(ignored(record, "seen-before", "This very mail was taken before.")));
        }
        let known = match &tag.token {
            Some(token) => self.known_link(transaction, token).await?,
            None => None,
        };
        let Some(known) = known.filter(|(_, organizer)| organizer.key() == user) else {
            let text =
                "Not taken: the token in its subject opens nothing here; it is cut off, made up, or long forgotten.";
            return Ok(Some(ignored(record, "link-unknown", text)));
        };
        self.take_by_token(transaction, known, (email, raw, tag.choice), record).await.map(Some)
    }

    /// Takes the user's answer to a notice; nothing when the token is of none.
    ///
    /// Anybody can write the user's address into From, but nobody else has the token: it stood in a mail to the user alone.
    async fn take_own_tagged(
        &self,
        transaction: &mut Transaction,
        place: Place<'_>,
        (email, raw, (token, choice)): (&Email, &[u8], (Token, Choice)),
        blank: DecisionRecord,
    ) -> Result<Option<DecisionRecord>, GatewayError> {
        let user = place.user;
        let asked = transaction.questions_to(user.key(), QUESTIONS_SEARCHED_MAX).await?;
        let Some(asked) = self.question_of(user, asked, &token).map(Asked::from) else { return Ok(None) };
        let (sender, method, cal_uid) = (user.key().to_owned(), Method::Reply.to_string(), asked.cal_uid.clone());
        let record = DecisionRecord { sender, method, cal_uid, ..blank };
        if transaction.has_taken(user.key(), &record.message_id, &record.fingerprint).await? {
            return Ok(Some(ignored(record, "seen-before", "This very mail was taken before.")));
        }
        if self.proof_of_author(email) == Some(Proof::Contradicted) {
            return Ok(Some(contradicted(record)));
        }
        let Remark::Comment(comment) = remark(raw, choice) else {
            let record = ignored(record, "answer-not-taken", CONTRADICTORY);
            self.tell_user(transaction, user, &record).await?;
            return Ok(Some(record));
        };
        let given = Given { way: Way::Link, said: PlainAnswer { choice, comment } };
        self.take_answer(transaction, user, (&asked, given), record).await.map(Some)
    }

    fn question_of(&self, user: &User, asked: Vec<Question>, token: &Token) -> Option<Question> {
        asked.into_iter().find(|question| self.question_token(user, &question.message_id) == *token)
    }

    /// The token of the links in a notice.
    pub(in crate::gateway) fn question_token(&self, user: &User, message_id: &str) -> Token {
        Token::mint(self.link_key.expose_secret(), Purpose::Question, &[user.key(), message_id])
    }

    /// Takes an answer of which the token is good.
    async fn take_by_token(
        &self,
        transaction: &mut Transaction,
        (link, organizer): (Link, Arc<User>),
        (email, raw, choice): (&Email, &[u8], Choice),
        record: DecisionRecord,
    ) -> Result<DecisionRecord, GatewayError> {
        let record = DecisionRecord { cal_uid: link.cal_uid.clone(), instance: link.instance.clone(), ..record };
        let proof = self.proof_of_author(email);
        if proof == Some(Proof::Contradicted) {
            return Ok(contradicted(record));
        }
        let sender = Address::in_mail(&record.sender);
        let (record, because) = if sender.as_str() != link.attendee {
            let text = format!("Not taken: this answer for {} comes from another address.", link.attendee);
            (ignored(record, "answer-of-another", &text), Some(NotTaken::OfAnother))
        } else if let Remark::Comment(comment) = remark(raw, choice) {
            let answer = meant(&PlainAnswer { choice, comment }, None);
            let known = (link.clone(), Arc::clone(&organizer));
            let taken = self.take_at_link(transaction, known, (&answer, record)).await?;
            let mut record = taken.record;
            if taken.answered == Answered::AlreadySaid && answer.comment.is_some() {
                // Unlike an answer on a page, this one lies in the organizer's mailbox already, with all that it says.
                record.text.push_str(" What else the mail says stands in it.");
            }
            (record, why_not(&taken.answered))
        } else {
            (ignored(record, "answer-not-taken", CONTRADICTORY), Some(NotTaken::Contradictory))
        };
        // Whoever is not even believed to be in From is not written to: it would hit somebody else.
        if let Some(because) = because.filter(|_| proof.is_some_and(|proof| proof.suffices())) {
            let (about, to) = ((&*organizer, link.cal_uid.as_str()), (&sender, email.message_id.as_deref()));
            self.tell_attendee(transaction, about, to, because).await?;
        }
        Ok(record)
    }
}

const CONTRADICTORY: &str = "Not taken: its subject says one thing and its text another.";

/// The record of a mail that does not come from whom it names.
fn contradicted(record: DecisionRecord) -> DecisionRecord {
    let (verdict, reason) = (Verdict::Refused.name().to_owned(), Reason::SenderContradicted);
    DecisionRecord { verdict, reason: reason.name().to_owned(), text: reason.sentence(), ..record }
}

/// Whether a mail goes on with a conversation in which the subject stands since somebody answered.
///
/// A link begins a mail of its own. Only what answers an invitation of ours may be an answer all the same.
async fn is_conversation(transaction: &mut Transaction, user: &str, email: &Email) -> Result<bool, GatewayError> {
    let Some(answered) = email.in_reply_to.as_deref() else { return Ok(false) };
    let mail = transaction.sent_mail_by(user, answered).await?;
    Ok(mail.is_none_or(|mail| mail.method != Method::Request.as_str()))
}

/// Why an answer was not taken; nothing when it was, or had been.
fn why_not(answered: &Answered) -> Option<NotTaken> {
    match answered {
        Answered::Taken | Answered::AlreadySaid => None,
        Answered::Closed(state) => Some(match state {
            LinkState::Expired => NotTaken::Expired,
            LinkState::Revoked => NotTaken::Revoked,
            LinkState::Cancelled => NotTaken::Cancelled,
            LinkState::Superseded => NotTaken::Superseded,
            LinkState::Uninvited => NotTaken::Uninvited,
            LinkState::Open => NotTaken::Otherwise,
        }),
        Answered::Refused(_) => Some(NotTaken::Otherwise),
    }
}
