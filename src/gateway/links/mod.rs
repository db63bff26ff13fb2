//! Links in invitations: what one of them opens, and the answer that is given there.
//!
//! An answer by a link counts as the REPLY of the attendee to whom the link was sent; the engine decides about it like about
//! any other, so it may come twice, late, or for a meeting that is no more.

mod by_mail;
mod offer;
mod told;

use std::collections::BTreeSet;
use std::sync::Arc;

use calcard::icalendar::{ICalendarComponent, ICalendarParticipationStatus as Partstat};

use super::in_words::reply_now;
use super::receive::{DEAD_LETTER, Heard, bug_record, ignored, log, refused};
use super::trust::told;
use super::{Gateway, GatewayError, now_millis};
use crate::config::User;
use crate::imip::limits::PLAIN_COMMENT_CHARS_MAX;
use crate::imip::{Evidence, Proof, Purpose, Speaker, Token};
use crate::itip::announce::{Answer, Said};
use crate::itip::component::ComponentExt;
use crate::itip::receive::ItipMessage;
use crate::itip::{
    Address, CalUid, CalendarObject, InstanceKey, Method, Policy, Reason, Refusal, Revisions, Sequence, Verdict,
};
use crate::ledger::{DecisionRecord, Link, Transaction};

/// The path of a link under `web.public_url`; the token follows, and then `?answer=` with `yes`, `no` or `maybe`.
pub const ANSWER_PATH: &str = "/answer/";

/// What a link opens.
#[derive(Debug)]
pub struct AnswerLink {
    /// The organizer: whose meeting it is.
    pub organizer: Arc<User>,
    pub attendee: Address,
    pub uid: CalUid,
    /// The instance that was asked about; nothing when it is the whole.
    pub instance: Option<InstanceKey>,
    pub asked_at: Sequence,
    pub state: LinkState,
    /// The meeting as the organizer holds it; nothing once it is deleted.
    pub object: Option<CalendarObject>,
    /// Dates of a series that are at another time than they were when it was asked about: newer invitations ask about them.
    pub moved: BTreeSet<InstanceKey>,
}

/// Whether a link still answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    Open,
    /// It has been over for too long.
    Expired,
    /// Somebody has taken the link back.
    Revoked,
    /// The meeting, or the instance, is called off or deleted.
    Cancelled,
    /// The time has changed since: a newer invitation asks anew.
    Superseded,
    /// The attendee is no longer invited.
    Uninvited,
}

/// An answer given at a link.
#[derive(Clone, Debug)]
pub struct LinkAnswer {
    /// Its instance counts only where the link is for a whole series; otherwise it is the one of the link.
    pub answer: Answer,
    /// Where it was given, for the log: `web`.
    pub folder: String,
}

/// What became of an answer given at a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// The organizer's calendar has it now.
    Taken,
    /// It is what stands there already.
    AlreadySaid,
    /// The link does not answer any more.
    Closed(LinkState),
    /// The engine would not have it, and why.
    Refused(String),
}

/// What became of an answer, and the record of it that is still to be entered.
#[derive(Debug)]
struct TakenAtLink {
    answered: Answered,
    record: DecisionRecord,
}

impl TakenAtLink {
    fn new(answered: Answered, record: DecisionRecord) -> Self {
        Self { answered, record }
    }
}

impl Gateway {
    /// What a token of an invitation opens; nothing when it is none of ours. Changes nothing.
    pub async fn answer_link(&self, token: &Token) -> Result<Option<AnswerLink>, GatewayError> {
        let mut transaction = self.ledger.snapshot().await?;
        let Some(known) = self.known_link(&mut transaction, token).await? else { return Ok(None) };
        let (opened, _) = self.opened(&mut transaction, known).await?;
        Ok(Some(opened))
    }

    /// Takes an answer given at a link; nothing when the token is none of ours. The caller need not wake anybody.
    ///
    /// The same answer again is `AlreadySaid`. Of two at once, the second is taken after the first.
    pub async fn answer_at_link(&self, token: &Token, said: &LinkAnswer) -> Result<Option<Answered>, GatewayError> {
        // Whoever guesses is turned away without keeping anybody from writing.
        let mut reading = self.ledger.snapshot().await?;
        if self.known_link(&mut reading, token).await?.is_none() {
            return Ok(None);
        }
        drop(reading);
        let mut transaction = self.ledger.begin().await?;
        let Some(known) = self.known_link(&mut transaction, token).await? else { return Ok(None) };
        let blank =
            DecisionRecord { user: known.1.key().to_owned(), folder: said.folder.clone(), ..DecisionRecord::default() };
        let taken = self.take_at_link(&mut transaction, known.clone(), (&said.answer, blank)).await?;
        let TakenAtLink { answered, record } = taken;
        if record.verdict == DEAD_LETTER {
            // There is no mail that could be taken up again, so nothing is left behind.
            log(&record);
            return Ok(Some(answered));
        }
        match answered {
            // Whoever sends a form again and again fills no log.
            Answered::Closed(_) => return Ok(Some(answered)),
            Answered::AlreadySaid => {
                drop(transaction);
                self.pass_on_comment(known, &said.answer, record).await?;
                return Ok(Some(answered));
            }
            Answered::Taken => drop(self.tell_organizer(&mut transaction, known, &said.answer).await?),
            Answered::Refused(_) => {}
        }
        let record = DecisionRecord { at: now_millis(), ..record };
        transaction.add_decision(&record).await?;
        transaction.commit().await?;
        self.bell.notify_one();
        self.counters.count_decision(&record);
        log(&record);
        Ok(Some(answered))
    }

    /// Tells the organizer of a comment that came with an answer which stands there already; once.
    async fn pass_on_comment(
        &self,
        known: (Link, Arc<User>),
        answer: &Answer,
        record: DecisionRecord,
    ) -> Result<(), GatewayError> {
        if answer.comment.is_none() {
            return Ok(());
        }
        let mut transaction = self.ledger.begin().await?;
        if self.tell_organizer(&mut transaction, known, answer).await? {
            let text = format!("{} The comment that came with it is passed on.", record.text);
            let proof = told(&Proof::Authenticated { by: Evidence::Token }, &[]);
            let record = DecisionRecord { at: now_millis(), text, proof, ..record };
            transaction.add_decision(&record).await?;
            transaction.commit().await?;
            self.bell.notify_one();
            self.counters.count_decision(&record);
            log(&record);
        }
        Ok(())
    }

    /// The same within a transaction that does more, such as moving a cursor; the record is still to be entered.
    async fn take_at_link(
        &self,
        transaction: &mut Transaction,
        known: (Link, Arc<User>),
        (answer, blank): (&Answer, DecisionRecord),
    ) -> Result<TakenAtLink, GatewayError> {
        let (opened, revisions) = self.opened(transaction, known).await?;
        let instance = opened.instance.or(answer.instance);
        let record = DecisionRecord {
            sender: opened.attendee.to_string(),
            method: Method::Reply.to_string(),
            cal_uid: opened.uid.to_string(),
            instance: instance.map(|key| key.to_string()).unwrap_or_default(),
            ..blank
        };
        let Some(held) = opened.object.as_ref().filter(|_| opened.state == LinkState::Open) else {
            return Ok(TakenAtLink::new(Answered::Closed(opened.state), closed(record, opened.state)));
        };
        let comment = answer.comment.as_ref().map(|text| text.chars().take(PLAIN_COMMENT_CHARS_MAX).collect());
        let answer = Answer { partstat: answer.partstat.clone(), instance, comment };
        let said = Said { attendee: &opened.attendee, answer: &answer, asked_at: opened.asked_at };
        match reply_now(held, &revisions, said) {
            Ok(reply) => self.take_reply_at_link(transaction, opened, reply, record).await,
            Err(Refusal::NothingToSend) => Ok(TakenAtLink::new(Answered::AlreadySaid, already_said(record))),
            Err(refusal) => Ok(TakenAtLink::new(Answered::Refused(refusal.sentence()), refused(record, &refusal))),
        }
    }

    /// Has the engine decide about the REPLY of whoever holds the token.
    async fn take_reply_at_link(
        &self,
        transaction: &mut Transaction,
        opened: AnswerLink,
        reply: CalendarObject,
        record: DecisionRecord,
    ) -> Result<TakenAtLink, GatewayError> {
        let user = &*opened.organizer;
        let (text, message) = (reply.to_text(), ItipMessage { method: Method::Reply, object: reply });
        if let Some((reason, sentence)) = self.is_beyond(transaction, user, &message).await? {
            let record = ignored(record, reason, sentence);
            return Ok(TakenAtLink::new(Answered::Refused(record.text.clone()), record));
        }
        let proof = Proof::Authenticated { by: Evidence::Token };
        let record = DecisionRecord { proof: told(&proof, &[]), ..record };
        let speaker = Speaker { address: opened.attendee.clone(), proof, by_exception: None };
        let (held, policy) = (opened.object, Policy::default());
        let heard = Heard { held, speaker, policy, wait: Reason::WaitsForUser };
        let Some(asked) = self.ask_about(transaction, user, heard, message).await? else {
            let record = bug_record(record, "the engine could not decide");
            return Ok(TakenAtLink::new(Answered::Refused(record.text.clone()), record));
        };
        let mut record = self.carry_out(transaction, user, (asked, &text, None), record).await?;
        let answered = match record.reason.as_str() {
            reason if reason == Reason::Answered.name() => Answered::Taken,
            reason if reason == Reason::AnswersOlderTime.name() => Answered::Closed(LinkState::Superseded),
            reason if reason == Reason::NothingNew.name() => Answered::AlreadySaid,
            _ => Answered::Refused(record.text.clone()),
        };
        record.text = format!("{} It was said at the link in the invitation.", record.text);
        Ok(TakenAtLink { answered, record })
    }

    /// What a token stands for, if it is for answering and its user is still one of ours.
    async fn known_link(
        &self,
        transaction: &mut Transaction,
        token: &Token,
    ) -> Result<Option<(Link, Arc<User>)>, GatewayError> {
        let Some(link) = transaction.link(&token.digest()).await? else { return Ok(None) };
        // Bound to all that it stands for: a row that somebody changed opens nothing.
        if link.purpose != Purpose::Answer.name() || self.token_of(&link) != *token {
            return Ok(None);
        }
        Ok(self.user(&Address::in_mail(&link.user)).map(|user| (link, user)))
    }

    /// The links of a user's invitations, newest first.
    pub async fn answer_links(&self, user: &User, most: u32) -> Result<Vec<Link>, GatewayError> {
        Ok(self.ledger.links(user.key(), Purpose::Answer.name(), most).await?)
    }

    /// Revokes the links of a user's invitations to one object, of one attendee or of all of them; how many held until now.
    pub async fn revoke_answer_links(
        &self,
        user: &User,
        uid: &CalUid,
        attendee: Option<&Address>,
    ) -> Result<u64, GatewayError> {
        let mut transaction = self.ledger.begin().await?;
        let (whose, which) =
            ((user.key(), Purpose::Answer.name()), (Some(uid.0.as_str()), attendee.map(Address::as_str)));
        let revoked = transaction.revoke_links(whose, which, now_millis()).await?;
        transaction.commit().await?;
        Ok(revoked)
    }

    pub(super) async fn opened(
        &self,
        transaction: &mut Transaction,
        (link, organizer): (Link, Arc<User>),
    ) -> Result<(AnswerLink, Revisions), GatewayError> {
        let uid = CalUid(link.cal_uid.clone());
        let object = self.held(transaction, &organizer, &uid).await?;
        let revisions = transaction.revisions(organizer.key(), &uid).await?;
        let mut opened = AnswerLink {
            organizer,
            attendee: Address::in_mail(&link.attendee),
            uid,
            instance: InstanceKey::parse(&link.instance).filter(|key| *key != InstanceKey::Master),
            asked_at: Sequence(link.sequence),
            state: LinkState::Open,
            object,
            moved: BTreeSet::new(),
        };
        let dates = opened.object.iter().flat_map(CalendarObject::keys).filter(|key| *key != InstanceKey::Master);
        opened.moved = dates.filter(|key| revisions.answers_an_older_time(*key, opened.asked_at)).collect();
        opened.state = match () {
            () if link.revoked_at != 0 => LinkState::Revoked,
            () if link.expires_at <= now_millis() => LinkState::Expired,
            () => opened.state_now(&revisions),
        };
        Ok((opened, revisions))
    }
}

impl AnswerLink {
    /// The component that was asked about: the instance, or what stands for it.
    pub fn component(&self) -> Option<&ICalendarComponent> {
        let object = self.object.as_ref()?;
        self.instance.and_then(|key| object.get(key)).or_else(|| object.principal())
    }

    /// What the attendee has answered so far; nothing when they are not asked any more.
    pub fn partstat(&self) -> Option<&Partstat> {
        self.component()?.attendees().find(|party| party.is(&self.attendee))?.partstat()
    }

    fn state_now(&self, revisions: &Revisions) -> LinkState {
        let Some(component) = self.component().filter(|component| !component.is_cancelled()) else {
            return LinkState::Cancelled;
        };
        let key = match (self.instance, &self.object) {
            (Some(key), Some(object)) if object.get(key).is_some() => key,
            _ => InstanceKey::Master,
        };
        if !component.attendees().any(|party| party.is(&self.attendee)) {
            LinkState::Uninvited
        } else if revisions.answers_an_older_time(key, self.asked_at) {
            LinkState::Superseded
        } else {
            LinkState::Open
        }
    }
}

impl LinkState {
    /// The stable name under which an answer at such a link is refused, and the sentence.
    fn why(self) -> (&'static str, &'static str) {
        match self {
            Self::Open => ("link-open", "Not taken."),
            Self::Expired => ("link-expired", "Not taken: the link has expired, since the meeting is long over."),
            Self::Revoked => ("link-revoked", "Not taken: the links of this invitation have been revoked."),
            Self::Cancelled => ("link-cancelled", "Not taken: the meeting is called off."),
            Self::Superseded => ("link-superseded", "Not taken: the time has changed since this invitation was sent."),
            Self::Uninvited => ("link-uninvited", "Not taken: whoever got this invitation is no longer invited."),
        }
    }
}

fn closed(record: DecisionRecord, state: LinkState) -> DecisionRecord {
    let (reason, text) = state.why();
    ignored(record, reason, text)
}

fn already_said(record: DecisionRecord) -> DecisionRecord {
    let text = "The link in the invitation was used to say what stands in the calendar already.".to_owned();
    let (verdict, reason) = (Verdict::Unchanged.name().to_owned(), Reason::NothingNew.name().to_owned());
    DecisionRecord { verdict, reason, text, ..record }
}
