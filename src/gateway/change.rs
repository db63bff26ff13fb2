//! What a user does to their own calendar: stored, announced and entered in the outbox in one transaction.

use std::collections::BTreeSet;

use calcard::icalendar::ICalendarParticipationStatus;

use super::believe::Waiting;
use super::letter::Occasioned;
use super::{Gateway, GatewayError, now_millis};
use crate::config::User;
use crate::itip::announce::{self, Answer, Wish};
use crate::itip::receive::{Held, ItipMessage, receive};
use crate::itip::{
    Address, Announcement, CalUid, CalendarObject, Context, InstanceKey, Outgoing, Policy, Reason, Refusal, Revisions,
};
use crate::ledger::{DecisionRecord, Proposal, Transaction};

/// What a user does to their own calendar.
#[derive(Clone, Debug)]
pub enum Change {
    /// Stores an object.
    Put(Box<CalendarObject>),
    Delete(CalUid),
    Respond(CalUid, Respond),
    /// Says something about an object without changing it, or by sending somebody else.
    Say(CalUid, Saying),
    /// Takes what waits because its sender could not be proven.
    Believe(Waiting),
    /// Forgets it.
    Dismiss(Waiting),
}

/// What a user says about an object besides answering.
#[derive(Clone, Debug)]
pub enum Saying {
    /// An attendee would like another time or place (COUNTER).
    Counter(Wish),
    /// An attendee asks the organizer for the current version (REFRESH).
    Refresh,
    /// An attendee sends somebody else.
    Delegate { to: Address, instance: Option<InstanceKey>, comment: Option<String> },
    /// The organizer makes it known to people who are not asked (PUBLISH).
    Publish(Vec<Address>),
}

/// What an organizer does with what somebody proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The proposal becomes an ordinary update, of which everybody hears.
    Accept,
    /// The proposer of a COUNTER gets a DECLINECOUNTER; a party crasher hears nothing.
    Decline,
}

/// Who makes a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// The user, who relies on us to tell the others.
    User,
    /// The same, with a word besides, which goes out even when a client has given the same answer without it.
    Remark,
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
    #[error(
        "nothing about {uid} waits for {user} because of its sender; `imipd invitations --user {user}` shows what does"
    )]
    NothingWaits { user: String, uid: String },
    #[error("several senders speak of it, of whom at most one is honest: {senders}; name one with --from")]
    SeveralSenders { senders: String },
    #[error("the answer was not given: {}", .0.sentence())]
    Refused(Refusal),
    #[error(
        "{proposer} has proposed nothing about {uid} to {user} that still waits; see `imipd invitations --user {user}`"
    )]
    NoProposal { user: String, uid: String, proposer: String },
}

impl Changed {
    /// A change of which nobody is told.
    pub(super) fn nothing(uid: CalUid) -> Self {
        Self { uid, mails: Vec::new(), unmailable: Vec::new(), refusal: None }
    }
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
        let makes_known = makes_known(&change);
        let changed = match change {
            Change::Put(object) => {
                let uid = object.uid().clone();
                let before = self.held(&mut transaction, user, &uid).await?;
                self.put((&mut transaction, origin), user, before.as_ref(), *object).await?
            }
            Change::Delete(uid) => self.remove((&mut transaction, origin), user, &uid).await?,
            Change::Respond(uid, respond) => self.respond((&mut transaction, origin), user, &uid, &respond).await?,
            Change::Say(uid, saying) => self.say((&mut transaction, origin), user, &uid, &saying).await?,
            Change::Believe(waiting) => self.believe(&mut transaction, user, &waiting).await?,
            Change::Dismiss(waiting) => self.dismiss(&mut transaction, user, &waiting).await?,
        };
        if makes_known {
            let people: Vec<Address> =
                changed.mails.iter().flat_map(|(_, to)| to).map(|to| Address::in_mail(to)).collect();
            transaction.add_acquaintances(user.key(), &people, now_millis()).await?;
        }
        transaction.commit().await?;
        self.bell.notify_one();
        Ok(changed)
    }

    /// Accepts or declines what `proposer` has proposed about an object that the user organizes, a COUNTER or the answer of
    /// somebody never invited; the caller wakes the daemon.
    ///
    /// The proposal is gone afterwards, in the same transaction. Fails with `NoProposal` when none waits, so that a second
    /// acceptance does nothing, and with `Refused` when it is about something that is no more.
    pub async fn settle_proposal(
        &self,
        user: &User,
        uid: &CalUid,
        proposer: &Address,
        settlement: Settlement,
    ) -> Result<Changed, ChangeError> {
        let mut transaction = self.ledger.begin().await?;
        let waiting = transaction.proposals_about(user.key(), &uid.0).await?;
        // What nobody could prove is believed first: it is taken as what it is then, and is no proposal perhaps.
        let is_theirs = |one: &Proposal| {
            Address::in_mail(&one.sender) == *proposer
                && matches!(one.method.as_str(), "COUNTER" | "REPLY")
                && one.reason != Reason::SenderUnproven.name()
        };
        let proposal = waiting.into_iter().rfind(is_theirs).ok_or_else(|| ChangeError::NoProposal {
            user: user.key().to_owned(),
            uid: uid.to_string(),
            proposer: proposer.to_string(),
        })?;
        let changed = self.settle_within(&mut transaction, user, &proposal, settlement).await?;
        transaction.commit().await?;
        self.bell.notify_one();
        Ok(changed)
    }

    /// The same for a proposal that is known, within a transaction that does more.
    pub(super) async fn settle_within(
        &self,
        transaction: &mut Transaction,
        user: &User,
        proposal: &Proposal,
        settlement: Settlement,
    ) -> Result<Changed, ChangeError> {
        let (uid, proposer) = (&CalUid(proposal.cal_uid.clone()), &Address::in_mail(&proposal.sender));
        let held = self.held(transaction, user, uid).await?.ok_or_else(|| not_found(user, uid))?;
        let message = ItipMessage::parse(&proposal.content, None).map_err(ChangeError::Refused)?.object;
        let is_counter = proposal.method == "COUNTER";
        let changed = match settlement {
            Settlement::Accept => {
                let after = match is_counter {
                    true => announce::accept_counter(&held, &message),
                    false => announce::admit(&held, &message, proposer),
                };
                let after = after.map_err(ChangeError::Refused)?;
                self.put((transaction, Origin::User), user, Some(&held), after).await?
            }
            Settlement::Decline => {
                let dtstamp = self.next_dtstamp(transaction, user, uid).await?;
                let keys = message.keys().take(usize::from(is_counter)).map(|key| held.on_series_clock(key));
                let declined: Result<Vec<Outgoing>, Refusal> =
                    keys.map(|key| announce::decline_counter(&held, proposer, key, user.author(dtstamp))).collect();
                self.tell((transaction, Origin::User), user, uid, declined).await?
            }
        };
        transaction.remove_proposal(proposal).await?;
        Ok(changed)
    }

    async fn say(
        &self,
        (transaction, origin): (&mut Transaction, Origin),
        user: &User,
        uid: &CalUid,
        saying: &Saying,
    ) -> Result<Changed, ChangeError> {
        let held = match self.held(transaction, user, uid).await? {
            Some(held) => held,
            None => self.take_up(transaction, user, uid, saying).await?,
        };
        let author = user.author(self.next_dtstamp(transaction, user, uid).await?);
        let told = match saying {
            Saying::Delegate { to, instance, comment } => {
                let after = announce::delegate(&held, &user.addresses, to, (*instance, comment.clone()));
                return self.put((transaction, origin), user, Some(&held), after.map_err(ChangeError::Refused)?).await;
            }
            Saying::Counter(wish) => {
                announce::wished(&held, wish).and_then(|proposed| announce::counter(&held, &proposed, author))
            }
            Saying::Refresh => announce::refresh(&held, author),
            Saying::Publish(to) => announce::publish(&held, to, author),
        };
        let told = told.map_err(ChangeError::Refused)?;
        self.tell((transaction, origin), user, uid, Ok(vec![told])).await
    }

    /// An invitation that waits, taken into the calendar because its user says something about it that is no refusal.
    async fn take_up(
        &self,
        transaction: &mut Transaction,
        user: &User,
        uid: &CalUid,
        saying: &Saying,
    ) -> Result<CalendarObject, ChangeError> {
        match saying {
            Saying::Counter(_) | Saying::Delegate { .. } => {
                let object = self.take_waiting(transaction, user, uid, now_millis() / 1_000).await?;
                self.store(transaction, user, &object, now_millis()).await?;
                Ok(object)
            }
            Saying::Refresh | Saying::Publish(_) => Err(not_found(user, uid)),
        }
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
        let revisions = transaction.revisions(user.key(), uid).await?;
        let author = user.author(self.next_dtstamp(transaction, user, uid).await?);
        let announcement = announce::answer(&before, &respond.answer, &revisions, author);
        let mut announcement = announcement.map_err(ChangeError::Refused)?;
        if let Some(stored) = &mut announcement.store {
            stored.remove_method();
        }
        let origin = if respond.answer.comment.is_some() && origin == Origin::User { Origin::Remark } else { origin };
        self.settle((transaction, origin), user, uid, &revisions, announcement).await
    }

    /// The user answers, within a transaction that does more.
    pub(super) async fn respond_to(
        &self,
        transaction: &mut Transaction,
        user: &User,
        uid: &CalUid,
        respond: &Respond,
    ) -> Result<Changed, ChangeError> {
        self.respond((transaction, Origin::User), user, uid, respond).await
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
        let is_unproven = |proposal: &Proposal| proposal.reason == Reason::SenderUnproven.name();
        let mut invitations: Vec<Proposal> =
            waiting.into_iter().filter(|proposal| matches!(proposal.method.as_str(), "REQUEST" | "ADD")).collect();
        // Whoever forges an invitation must not take the place of the one who is proven.
        invitations.sort_by_key(is_unproven);
        let senders: BTreeSet<&str> =
            invitations.iter().filter(|one| is_unproven(one)).map(|one| one.sender.as_str()).collect();
        if invitations.first().is_some_and(is_unproven) && senders.len() > 1 {
            let senders: Vec<&str> = senders.into_iter().collect();
            return Err(ChangeError::SeveralSenders { senders: senders.join(", ") });
        }
        let invitation = invitations.into_iter().next();
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
        self.tell((transaction, origin), user, uid, announcement.outgoing).await
    }

    /// Enters what is owed in the outbox, and in the log what was done.
    async fn tell(
        &self,
        (transaction, origin): (&mut Transaction, Origin),
        user: &User,
        uid: &CalUid,
        outgoing: Result<Vec<Outgoing>, Refusal>,
    ) -> Result<Changed, ChangeError> {
        let at = now_millis();
        let (outgoing, mut refusal) = match outgoing {
            Ok(outgoing) => (outgoing, None),
            Err(refusal) => (Vec::new(), Some(refusal)),
        };
        let (mut mails, mut unmailable) = (Vec::new(), Vec::new());
        for message in &outgoing {
            unmailable.extend(message.to.iter().filter(|to| !to.is_mailable()).map(ToString::to_string));
            match self.write(transaction, user, message, Occasioned::ByUser).await? {
                Ok(debts) => {
                    for debt in debts {
                        let id = match origin {
                            Origin::Remark => self.owe(transaction, &message.object, &debt).await?,
                            Origin::User | Origin::Client => {
                                self.owe_unsaid(transaction, &message.object, &debt).await?
                            }
                        };
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

/// Whether those who are told of a change are people whom the user deals with; to decline is no such sign.
fn makes_known(change: &Change) -> bool {
    match change {
        Change::Put(_) | Change::Believe(_) => true,
        Change::Respond(_, respond) => respond.answer.partstat != ICalendarParticipationStatus::Declined,
        Change::Say(_, Saying::Counter(_) | Saying::Delegate { .. } | Saying::Publish(_)) => true,
        Change::Say(_, Saying::Refresh) | Change::Delete(_) | Change::Dismiss(_) => false,
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
