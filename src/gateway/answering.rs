//! What follows from a user's answer, however it was given: in words, by where a mail was put, or by a keyword on it.
//!
//! | the question | yes | maybe | no |
//! |---|---|---|---|
//! | an invitation | accepted | tentatively accepted | declined |
//! | an invitation of an unproven sender, to something new | accepted | tentatively accepted | forgotten; nobody is told |
//! | another message of an unproven sender | believed | nothing | forgotten; nobody is told |
//! | a counter-proposal | an update for all | nothing | DECLINECOUNTER |
//! | an answer of the uninvited | they are invited | nothing | forgotten |
//!
//! What cannot be done is undone as a whole and told in the record; the mail in which the answer came is done all the same.

use calcard::icalendar::ICalendarParticipationStatus as Partstat;

use super::change::{ChangeError, Changed, Respond, Settlement};
use super::in_words::{IN_WORDS, SEVERAL, meant, several};
use super::not_taken::{CANCELLED, SUPERSEDED};
use super::receive::{IGNORED, ignored};
use super::{Gateway, GatewayError, now_millis};
use crate::config::User;
use crate::imip::PlainAnswer;
use crate::imip::answer::Choice;
use crate::itip::announce::Answer;
use crate::itip::component::ComponentExt;
use crate::itip::{CalUid, CalendarObject, InstanceKey, ItipMessage, Refusal, Verdict};
use crate::ledger::{DecisionRecord, InvitedTo, Proposal, Question, QuestionKind, Transaction};

/// How an answer was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Words,
    Folder,
    Keyword,
    /// By a link in a notice.
    Link,
}

/// What a user has answered, and how.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub way: Way,
    pub said: PlainAnswer,
}

/// What a user answers.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub kind: QuestionKind,
    pub cal_uid: String,
    /// As a decision has it.
    pub instance: String,
    /// The SEQUENCE of the invitation, where it is known.
    pub sequence: Option<i64>,
    /// The Message-ID of the mail that is answered.
    pub about: String,
}

impl From<Question> for Asked {
    fn from(question: Question) -> Self {
        let Question { kind, cal_uid, instance, sequence, about, .. } = question;
        Self { kind, cal_uid, instance, sequence: Some(sequence), about }
    }
}

/// Why an answer changes nothing.
enum Unanswered {
    /// A stable name and a sentence.
    Because(&'static str, String),
    Change(ChangeError),
}

impl<T: Into<ChangeError>> From<T> for Unanswered {
    fn from(error: T) -> Self {
        Self::Change(error.into())
    }
}

/// The reason of what cannot be done.
const NOT_TAKEN: &str = "answer-not-taken";

fn because(text: &str) -> Unanswered {
    Unanswered::Because(NOT_TAKEN, format!("Not taken: {text}."))
}

impl Way {
    /// The reason under which such answers stand in the log.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Words => IN_WORDS,
            Self::Folder => "answered-by-folder",
            Self::Keyword => "answered-by-keyword",
            Self::Link => "answered-by-link",
        }
    }

    fn phrase(self) -> &'static str {
        match self {
            Self::Words => "in words",
            Self::Folder => "by moving the mail",
            Self::Keyword => "by a keyword",
            Self::Link => "by a link",
        }
    }
}

impl Gateway {
    /// What a mail asks the user that has this Message-ID: an invitation, or a notice of ours.
    pub(super) async fn asked_by(
        &self,
        transaction: &mut Transaction,
        user: &User,
        message_id: &str,
    ) -> Result<Option<Asked>, GatewayError> {
        if let Some(invited) = transaction.invitation(user.key(), message_id).await? {
            let InvitedTo { cal_uid, instance, sequence } = invited;
            let (kind, about) = (QuestionKind::Invitation, message_id.to_owned());
            return Ok(Some(Asked { kind, cal_uid, instance, sequence, about }));
        }
        Ok(transaction.question(user.key(), message_id).await?.map(Asked::from))
    }

    /// Does what the user has answered, or tells them why not; the record of it.
    pub(super) async fn take_answer(
        &self,
        transaction: &mut Transaction,
        user: &User,
        (asked, given): (&Asked, Given),
        record: DecisionRecord,
    ) -> Result<DecisionRecord, GatewayError> {
        let record = self.try_answer(transaction, user, (asked, given), record).await?;
        if record.verdict == IGNORED {
            self.tell_user(transaction, user, &record).await?;
        }
        Ok(record)
    }

    async fn try_answer(
        &self,
        transaction: &mut Transaction,
        user: &User,
        (asked, given): (&Asked, Given),
        record: DecisionRecord,
    ) -> Result<DecisionRecord, GatewayError> {
        let record = DecisionRecord { cal_uid: asked.cal_uid.clone(), instance: asked.instance.clone(), ..record };
        if asked.instance == SEVERAL && asked.kind == QuestionKind::Invitation {
            return Ok(several(record));
        }
        transaction.begin_step().await?;
        match self.do_answer(transaction, user, (asked, &given)).await {
            Ok((verdict, text)) => {
                transaction.keep_step().await?;
                let (verdict, reason) = (verdict.name().to_owned(), given.way.reason().to_owned());
                Ok(DecisionRecord { verdict, reason, text, ..record })
            }
            Err(Unanswered::Change(ChangeError::Gateway(error))) => Err(error),
            Err(unanswered) => {
                transaction.undo_step().await?;
                let (reason, text) = match unanswered {
                    Unanswered::Because(reason, text) => (reason, text),
                    Unanswered::Change(error) => (NOT_TAKEN, format!("Not taken: {error}.")),
                };
                Ok(ignored(record, reason, &text))
            }
        }
    }

    async fn do_answer(
        &self,
        transaction: &mut Transaction,
        user: &User,
        (asked, given): (&Asked, &Given),
    ) -> Result<(Verdict, String), Unanswered> {
        match asked.kind {
            QuestionKind::Invitation => self.answer_invitation(transaction, user, (asked, given)).await,
            QuestionKind::Unproven => self.answer_doubt(transaction, user, (asked, given)).await,
            QuestionKind::Counter | QuestionKind::Crasher => {
                let proposal = proposal_of(transaction, user, asked).await?;
                let settlement = match given.said.choice {
                    Choice::Accept => Settlement::Accept,
                    Choice::Decline => Settlement::Decline,
                    Choice::Tentative => return Err(because("a proposal is taken or not; \"maybe\" decides nothing")),
                };
                let changed = self.settle_within(transaction, user, &proposal, settlement).await?;
                Ok((Verdict::Applied, told(given, &changed)))
            }
        }
    }

    async fn answer_invitation(
        &self,
        transaction: &mut Transaction,
        user: &User,
        (asked, given): (&Asked, &Given),
    ) -> Result<(Verdict, String), Unanswered> {
        let uid = CalUid(asked.cal_uid.clone());
        let instance = InstanceKey::parse(&asked.instance).filter(|key| *key != InstanceKey::Master);
        let answer = meant(&given.said, instance);
        let held = self.held(transaction, user, &uid).await.map_err(ChangeError::from)?;
        match &held {
            Some(held) => still_asks(held, asked, instance)?,
            None => still_waits(transaction, user, asked).await?,
        }
        let is_said = held.is_some_and(|held| says_already(&held, user, &answer));
        let respond = Respond { answer, now: now_millis() / 1_000 };
        let changed = self.respond_to(transaction, user, &uid, &respond).await?;
        if is_said && changed.mails.is_empty() {
            return Ok((Verdict::Unchanged, format!("The user has given this answer before: {}.", name(given))));
        }
        Ok((Verdict::Applied, told(given, &changed)))
    }

    /// Whether the user believes somebody of whom nothing proves that they are who they say.
    async fn answer_doubt(
        &self,
        transaction: &mut Transaction,
        user: &User,
        (asked, given): (&Asked, &Given),
    ) -> Result<(Verdict, String), Unanswered> {
        let proposal = proposal_of(transaction, user, asked).await?;
        if given.said.choice == Choice::Decline {
            self.dismiss_one(transaction, &proposal).await?;
            return Ok((
                Verdict::Applied,
                format!("The user does not believe its sender, {}. Forgotten.", given.way.phrase()),
            ));
        }
        let held = self.held(transaction, user, &CalUid(asked.cal_uid.clone())).await.map_err(ChangeError::from)?;
        if held.is_none() && matches!(proposal.method.as_str(), "REQUEST" | "ADD") {
            return self.answer_invitation(transaction, user, (asked, given)).await;
        }
        if given.said.choice == Choice::Tentative {
            return Err(because("a sender is believed or not; \"maybe\" decides nothing"));
        }
        if let Some(still) = self.believe_one(transaction, user, &proposal).await? {
            self.ask_again(transaction, user, &still).await.map_err(ChangeError::from)?;
        }
        Ok((Verdict::Applied, format!("The user believes its sender, {}.", given.way.phrase())))
    }

    /// What of a proposal the user is asked, as it waits; an error where nothing waits any more.
    async fn ask_again(
        &self,
        transaction: &mut Transaction,
        user: &User,
        proposal: &Proposal,
    ) -> Result<(), GatewayError> {
        if !self.config.answers.notice {
            return Ok(());
        }
        let Ok(message) = ItipMessage::parse(&proposal.content, None) else { return Ok(()) };
        let record = DecisionRecord {
            user: proposal.user.clone(),
            message_id: proposal.message_id.clone(),
            sender: proposal.sender.clone(),
            cal_uid: proposal.cal_uid.clone(),
            instance: super::in_words::instance_of(&message.object),
            verdict: Verdict::Proposed.name().to_owned(),
            reason: proposal.reason.clone(),
            ..DecisionRecord::default()
        };
        self.ask_user(transaction, user, &message, &record).await
    }
}

/// The proposal that the user was asked about. A newer one has taken its place when its mail is another one: nobody decides about
/// what they have not seen.
async fn proposal_of(transaction: &mut Transaction, user: &User, asked: &Asked) -> Result<Proposal, Unanswered> {
    let waiting = transaction.proposals_about(user.key(), &asked.cal_uid).await?;
    let found = waiting.into_iter().find(|one| one.message_id == asked.about);
    found.ok_or_else(|| because("what it is about waits no more; it was decided before, or something newer has come"))
}

/// Fails where the invitation that is answered is not what the organizer asks now.
fn still_asks(held: &CalendarObject, asked: &Asked, instance: Option<InstanceKey>) -> Result<(), Unanswered> {
    let component = instance.and_then(|key| held.get(key)).or_else(|| held.principal());
    let Some(component) = component else { return Ok(()) };
    if component.is_cancelled() {
        return Err(cancelled());
    }
    if asked.sequence.is_some_and(|sequence| component.sequence().0 > sequence) {
        return Err(superseded());
    }
    Ok(())
}

/// The same for an invitation that is in no calendar: it was called off, or a newer one waits in its place.
async fn still_waits(transaction: &mut Transaction, user: &User, asked: &Asked) -> Result<(), Unanswered> {
    let mut invitations = transaction.proposals_about(user.key(), &asked.cal_uid).await?;
    invitations.retain(|one| matches!(one.method.as_str(), "REQUEST" | "ADD"));
    if invitations.is_empty() {
        let revisions = transaction.revisions(user.key(), &CalUid(asked.cal_uid.clone())).await?;
        let is_off = revisions.instances.get(&InstanceKey::Master).is_some_and(|taken| taken.cancelled);
        return if is_off { Err(cancelled()) } else { Ok(()) };
    }
    let is_newer = |one: &Proposal| {
        let message = ItipMessage::parse(&one.content, None).ok();
        let sequence = message.and_then(|message| Some(message.object.principal()?.sequence().0));
        one.message_id != asked.about && sequence > asked.sequence && asked.sequence.is_some()
    };
    if invitations.iter().any(is_newer) { Err(superseded()) } else { Ok(()) }
}

fn cancelled() -> Unanswered {
    Unanswered::Because(CANCELLED, "Not taken: it has been cancelled.".to_owned())
}

fn superseded() -> Unanswered {
    let text = "Not taken: a newer version of this invitation has come; answer that one.";
    Unanswered::Because(SUPERSEDED, text.to_owned())
}

/// Whether an answer stands in the calendar as it is.
fn says_already(held: &CalendarObject, user: &User, answer: &Answer) -> bool {
    let mut concerned = held.components().filter(|(key, _)| answer.instance.is_none_or(|instance| instance == *key));
    let is_same = |partstat: Option<&Partstat>| partstat == Some(&answer.partstat);
    let own = |component: &calcard::icalendar::ICalendarComponent| {
        component.attendee_among(&user.addresses).is_none_or(|party| is_same(party.partstat()))
    };
    concerned.by_ref().all(|(_, component)| own(component)) && held.has_attendee(&user.addresses)
}

fn name(given: &Given) -> &'static str {
    match given.said.choice {
        Choice::Accept => "yes",
        Choice::Decline => "no",
        Choice::Tentative => "maybe",
    }
}

fn told(given: &Given, changed: &Changed) -> String {
    let told = match (changed.mails.is_empty(), &changed.refusal) {
        (false, _) => "Whoever asked is told.".to_owned(),
        (true, Some(refusal)) if *refusal != Refusal::NothingToSend => {
            format!("Nobody is told: {}.", refusal.sentence())
        }
        (true, _) => "Nobody had to be told.".to_owned(),
    };
    format!("The user has answered {}: {}. {told}", given.way.phrase(), name(given))
}
