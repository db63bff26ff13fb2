//! Answers that come as mails with a token in the subject.
//!
//! | the mail | what happens |
//! |---|---|
//! | is written by a program or a list, lies in Sent, is the user's own, answers another mail | nothing: it is no answer by a link |
//! | has a token that opens nothing of this user | a line in the log; nobody is written to, since anybody can make it up |
//! | fails DMARC | a line in the log |
//! | comes from another address than the one that was invited | a line in the log, and a mail that says why |
//! | says one thing above and another below | the same |
//! | comes from the attendee | a REPLY of theirs; where that is not taken, a mail that says why |
//!
//! A token and the address that it was sent to are proof enough, whatever `policy.trust` is: whoever has both has read the
//! attendee's mail, and could answer on the page behind a link as well.

use std::sync::Arc;

use calcard::icalendar::ICalendarProperty;

use super::{Answered, LinkState};
use crate::config::User;
use crate::gateway::in_words::{is_from_a_person, meant};
use crate::gateway::letter::languages;
use crate::gateway::limits::{NOT_TAKEN_TO_ALL_MAX, NOT_TAKEN_TO_ONE_MAX};
use crate::gateway::notice::{NOTE, note_debt};
use crate::gateway::receive::{Place, ignored};
use crate::gateway::{Gateway, GatewayError, now_millis};
use crate::imip::answer::Choice;
use crate::imip::{
    Email, Mailbox, NotTaken, NotTakenNote, PlainAnswer, Proof, Remark, compose_not_taken, remark, tag_in,
};
use crate::itip::component::ComponentExt;
use crate::itip::{Address, CalUid, Method, Reason, Verdict};
use crate::ledger::{DecisionRecord, Link, Transaction};
use crate::mailbox::FolderRole;

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1_000;

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
        let is_own = place.role == FolderRole::Sent || place.user.addresses.contains(author);
        if is_own || !is_from_a_person(email) || is_conversation(transaction, user, email).await? {
            return Ok(None);
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
            let (verdict, reason) = (Verdict::Refused.name().to_owned(), Reason::SenderContradicted);
            let (name, text) = (reason.name().to_owned(), reason.sentence());
            return Ok(DecisionRecord { verdict, reason: name, text, ..record });
        }
        let sender = Address::in_mail(&record.sender);
        let (record, because) = if sender.as_str() != link.attendee {
            let text = format!("Not taken: this answer for {} comes from another address.", link.attendee);
            (ignored(record, "answer-of-another", &text), Some(NotTaken::OfAnother))
        } else if let Remark::Comment(comment) = remark(raw, choice) {
            let answer = meant(&PlainAnswer { choice, comment }, None);
            let known = (link.clone(), Arc::clone(&organizer));
            // The mail itself lies in the organizer's mailbox.
            let taken = self.take_at_link(transaction, known, (&answer, record)).await?;
            (taken.record, why_not(&taken.answered))
        } else {
            let text = "Not taken: its subject says one thing and its text another.";
            (ignored(record, "answer-not-taken", text), Some(NotTaken::Contradictory))
        };
        // Whoever is not even believed to be in From is not written to: it would hit somebody else.
        if let Some(because) = because.filter(|_| proof.is_some_and(|proof| proof.suffices())) {
            self.tell_not_taken(transaction, (&link, &organizer), (&sender, email.message_id.as_deref()), because)
                .await?;
        }
        Ok(record)
    }

    /// Enters the mail that tells somebody that their answer was not taken: once for each answer, and not many.
    async fn tell_not_taken(
        &self,
        transaction: &mut Transaction,
        (link, organizer): (&Link, &User),
        (to, answer): (&Address, Option<&str>),
        because: NotTaken,
    ) -> Result<(), GatewayError> {
        let (Some(answer), user) = (answer, organizer.key()) else { return Ok(()) };
        let since = now_millis() - DAY_MILLIS;
        let sent = transaction.count_mails(user, (NOTE, Some(to.as_str())), since).await?;
        let of_all = transaction.count_mails(user, (NOTE, None), since).await?;
        if sent >= NOT_TAKEN_TO_ONE_MAX || of_all >= NOT_TAKEN_TO_ALL_MAX {
            tracing::warn!(user, "an answer by a link is not taken, and its sender is not told: too many are");
            return Ok(());
        }
        let held = self.held(transaction, organizer, &CalUid(link.cal_uid.clone())).await?;
        let title = held.as_ref().and_then(|held| held.principal()?.text(&ICalendarProperty::Summary));
        let language = held.as_ref().and_then(|held| languages(held).get(to).copied());
        let own = held.as_ref().and_then(|held| held.organizer().ok().flatten());
        let own = own.filter(|own| organizer.addresses.contains(own)).unwrap_or(organizer.main_address().clone());
        let note = NotTakenNote {
            from: Mailbox { address: own.clone(), name: organizer.name.clone() },
            to: Mailbox { address: to.clone(), name: None },
            title,
            because,
            answer,
            date: now_millis() / 1_000,
            language: language.unwrap_or(organizer.language),
        };
        match compose_not_taken(&note, &self.wording) {
            Ok(mail) => {
                let debt = note_debt(user, (&own, to), mail);
                transaction.owe(&debt).await?;
            }
            Err(error) => tracing::warn!(user, %error, "whose answer was not taken cannot be told"),
        }
        Ok(())
    }
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
