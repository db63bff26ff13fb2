//! What a user does to their own calendar: stored, announced and entered in the outbox in one transaction.

use super::{Gateway, GatewayError, letter, now_millis};
use crate::config::User;
use crate::itip::announce::{self, Answer};
use crate::itip::receive::{Held, ItipMessage, receive};
use crate::itip::{Address, Announcement, CalUid, CalendarObject, Context, Policy, Reason, Refusal, Revisions};
use crate::ledger::{DecisionRecord, Transaction};

/// What a user does to their own calendar.
#[derive(Clone, Debug)]
pub enum Change {
    /// Stores an object.
    Put(Box<CalendarObject>),
    Delete(CalUid),
    Respond(CalUid, Respond),
}

/// Who makes a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// The user, who relies on us to tell the others.
    User,
    /// A calendar client, which may tell them itself.
    Client,
}

/// An answer to an invitation.
#[derive(Clone, Debug)]
pub struct Respond {
    pub answer: Answer,
    /// An invitation that waits is taken from here.
    pub now: i64,
}

/// What a change led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    pub uid: CalUid,
    /// The mails entered in the outbox: method and recipients.
    pub mails: Vec<(String, Vec<String>)>,
    /// Those who should be told, but have no mail address.
    pub unmailable: Vec<String>,
    /// Why nobody is told.
    pub refusal: Option<Refusal>,
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    #[error("{user} has nothing with the UID {uid}; `imipd calendar list --user {user}` shows what there is")]
    NotFound { user: String, uid: String },
    #[error("the answer was not given: {}", .0.sentence())]
    Refused(Refusal),
}

impl From<crate::ledger::LedgerError> for ChangeError {
    fn from(error: crate::ledger::LedgerError) -> Self {
        Self::Gateway(error.into())
    }
}

impl Gateway {
    /// Makes a change and enters what is owed in the outbox; the caller wakes the daemon.
    pub async fn change(&self, user: &User, change: Change) -> Result<Changed, ChangeError> {
        self.change_from(Origin::User, user, change).await
    }

    /// The same for what a calendar client has stored, which may tell the others itself: what is owed waits for `smtp.grace`, and is
    /// settled when a copy of what the client has sent appears in the user's Sent folder.
    pub async fn change_by_client(&self, user: &User, change: Change) -> Result<Changed, ChangeError> {
        self.change_from(Origin::Client, user, change).await
    }

    async fn change_from(&self, origin: Origin, user: &User, change: Change) -> Result<Changed, ChangeError> {
        let mut transaction = self.ledger.begin().await?;
        let changed = match change {
            Change::Put(object) => {
                let uid = object.uid().clone();
                let before = self.held(&mut transaction, user, &uid).await?;
                self.put((&mut transaction, origin), user, before.as_ref(), *object).await?
            }
            Change::Delete(uid) => self.remove((&mut transaction, origin), user, &uid).await?,
            Change::Respond(uid, respond) => self.respond((&mut transaction, origin), user, &uid, &respond).await?,
        };
        transaction.commit().await?;
        self.bell.notify_one();
        Ok(changed)
    }

    async fn put(
        &self,
        (transaction, origin): (&mut Transaction, Origin),
        user: &User,
        before: Option<&CalendarObject>,
        mut object: CalendarObject,
    ) -> Result<Changed, ChangeError> {
        object.remove_method();
        let uid = object.uid().clone();
        let revisions = transaction.revisions(user.key(), &uid).await?;
        let dtstamp = self.next_dtstamp(transaction, user, &uid).await?;
        let announcement = announce::put(before, object, &revisions, user.author(dtstamp));
        self.settle((transaction, origin), user, &uid, &revisions, announcement).await
    }

    async fn remove(
        &self,
        (transaction, origin): (&mut Transaction, Origin),
        user: &User,
        uid: &CalUid,
    ) -> Result<Changed, ChangeError> {
        let before = self.held(transaction, user, uid).await?.ok_or_else(|| not_found(user, uid))?;
        let revisions = transaction.revisions(user.key(), uid).await?;
        let dtstamp = self.next_dtstamp(transaction, user, uid).await?;
        let announcement = announce::delete(&before, &revisions, user.author(dtstamp));
        self.settle((transaction, origin), user, uid, &revisions, announcement).await
    }

    async fn respond(
        &self,
        (transaction, origin): (&mut Transaction, Origin),
        user: &User,
        uid: &CalUid,
        respond: &Respond,
    ) -> Result<Changed, ChangeError> {
        let before = match self.held(transaction, user, uid).await? {
            Some(held) => held,
            None => self.take_waiting(transaction, user, uid, respond.now).await?,
        };
        let after = announce::respond(&before, &user.addresses, &respond.answer).map_err(ChangeError::Refused)?;
        self.put((transaction, origin), user, Some(&before), after).await
    }

    /// The object of an invitation that waited for the user: answering it takes it into the calendar.
    pub(super) async fn take_waiting(
        &self,
        transaction: &mut Transaction,
        user: &User,
        uid: &CalUid,
        now: i64,
    ) -> Result<CalendarObject, ChangeError> {
        let waiting = transaction.proposals_about(user.key(), &uid.0).await?;
        let invitation = waiting.into_iter().find(|proposal| matches!(proposal.method.as_str(), "REQUEST" | "ADD"));
        let invitation = invitation.ok_or_else(|| not_found(user, uid))?;
        let message = ItipMessage::parse(&invitation.content, None).map_err(ChangeError::Refused)?;
        let revisions = transaction.revisions(user.key(), uid).await?;
        let sender = if invitation.reason == Reason::DelegatedToUser.name() {
            // The user vouches for who sent them in their place; the event is its organizer's all the same.
            message.object.organizer().ok().flatten().unwrap_or_else(|| Address::in_mail(&invitation.sender))
        } else {
            Address::in_mail(&invitation.sender)
        };
        let context = Context { author: user.author(now), sender: &sender, policy: Policy::default() };
        let decision = receive(Held { object: None, revisions: &revisions }, message, context);
        let Some(object) = decision.store else {
            let refusal = match decision.reason {
                Reason::Refused(refusal) => refusal,
                _ => Refusal::NotOrganizerNorAttendee,
            };
            return Err(ChangeError::Refused(refusal));
        };
        if let Some(after) = &decision.revisions {
            transaction.set_revisions(user.key(), uid, &revisions, after).await?;
        }
        transaction.remove_invitations(user.key(), &uid.0).await?;
        Ok(object)
    }

    /// Stores what the engine says and enters what is owed.
    async fn settle(
        &self,
        (transaction, origin): (&mut Transaction, Origin),
        user: &User,
        uid: &CalUid,
        revisions: &Revisions,
        announcement: Announcement,
    ) -> Result<Changed, ChangeError> {
        let at = now_millis();
        match &announcement.store {
            Some(object) => self.store(transaction, user, object, at).await?,
            None => self.delete(transaction, user, uid).await?,
        }
        transaction.set_revisions(user.key(), uid, revisions, &announcement.revisions).await?;
        let (outgoing, mut refusal) = match announcement.outgoing {
            Ok(outgoing) => (outgoing, None),
            Err(refusal) => (Vec::new(), Some(refusal)),
        };
        let (mut mails, mut unmailable) = (Vec::new(), Vec::new());
        for message in &outgoing {
            unmailable.extend(message.to.iter().filter(|to| !to.is_mailable()).map(ToString::to_string));
            let thread = transaction.thread(user.key(), &uid.0).await?;
            match letter::debts(message, user, self.pen(), &thread, letter::Occasioned::ByUser) {
                Ok(debts) => {
                    for debt in debts {
                        let id = self.owe_unsaid(transaction, &message.object, &debt).await?;
                        if let (Some(id), Origin::Client) = (id, origin) {
                            let grace = i64::try_from(self.config.smtp.grace.as_millis()).unwrap_or(0);
                            transaction.hold_back(id, at.saturating_add(grace)).await?;
                        }
                        mails.push((debt.method, debt.recipients));
                    }
                }
                Err(error) => {
                    tracing::warn!(user = user.key(), uid = %uid, %error, "a mail cannot be written");
                    refusal = Some(Refusal::NothingToSend);
                }
            }
        }
        transaction.add_decision(&own_decision(user, uid, &mails, refusal.as_ref(), at)).await?;
        Ok(Changed { uid: uid.clone(), mails, unmailable, refusal })
    }
}

fn not_found(user: &User, uid: &CalUid) -> ChangeError {
    ChangeError::NotFound { user: user.key().to_owned(), uid: uid.to_string() }
}

/// The record of what a user did themself.
fn own_decision(
    user: &User,
    uid: &CalUid,
    mails: &[(String, Vec<String>)],
    refusal: Option<&Refusal>,
    at: i64,
) -> DecisionRecord {
    let methods: Vec<&str> = mails.iter().map(|(method, _)| method.as_str()).collect();
    let (reason, text) = match refusal {
        Some(refusal) => (refusal.log_name(), format!("Stored; nobody is told: {}.", refusal.sentence())),
        None => {
            let recipients: usize = mails.iter().map(|(_, to)| to.len()).sum();
            ("announced", format!("Stored; {recipients} recipients are told by {}.", methods.join(", ")))
        }
    };
    DecisionRecord {
        at,
        user: user.key().to_owned(),
        sender: user.key().to_owned(),
        method: methods.first().map_or_else(String::new, |method| (*method).to_owned()),
        cal_uid: uid.to_string(),
        verdict: "own-change".to_owned(),
        reason: reason.to_owned(),
        text,
        ..DecisionRecord::default()
    }
}
