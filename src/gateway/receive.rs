//! One mail: its calendars through the engine and into the calendar, in one transaction.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt;

use super::by_hand::gesture;
use super::in_words::instance_of;
use super::letter::Occasioned;
use super::own_copy::{Authorship, authorship};
use super::trust::{self, Letter};
use super::{Gateway, GatewayError, now_millis};
use crate::config::User;
use crate::digest::hexadecimal;
use crate::imip::answer::Choice;
use crate::imip::{Bounce, Email, NoCalendar, Speaker, bounce, extract};
use crate::itip::{
    CalUid, CalendarObject, Context, Decision, Held, ItipMessage, Method, Policy, Reason, Refusal, Revisions, Verdict,
    receive,
};
use crate::ledger::{CursorRecord, DecisionRecord, MailNumber, Proposal, Transaction};
use crate::mailbox::FolderRole;

/// The verdict about a mail that could not be processed.
pub(super) const DEAD_LETTER: &str = "dead-letter";

/// Where a mail was found, and what is recorded as read when it is done.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub user: &'a User,
    /// Its name as people read it.
    pub folder: &'a str,
    pub role: FolderRole,
    /// Nothing while a folder is read by date: its cursor moves when all of it is done.
    pub cursor: Option<CursorRecord>,
}

/// Which attempt at a mail this is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attempt {
    /// The mail's number in its folder, where it is known.
    pub number: MailNumber,
    /// How often the mail has failed, this time included, should it fail now.
    pub nth: u32,
    /// The dead letter that is taken up again; nothing when the mail is none.
    pub dead_letter: Option<i64>,
    /// The answer that a keyword on it gives, where that is why it is looked at.
    pub tagged: Option<Choice>,
}

impl Attempt {
    /// The first attempt at the mail with this number.
    pub fn first(number: MailNumber) -> Self {
        Self { number, nth: 1, dead_letter: None, tagged: None }
    }
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// What was decided; nothing about an ordinary mail.
    Decided(Vec<DecisionRecord>),
    /// Somebody else has taken up the dead letter before; nothing was done.
    ByAnother,
}

impl Taken {
    /// What was decided here.
    pub fn records(self) -> Vec<DecisionRecord> {
        match self {
            Self::Decided(records) => records,
            Self::ByAnother => Vec::new(),
        }
    }
}

/// What was held when the engine was asked, and what it said.
#[derive(Debug)]
pub(super) struct Asked {
    pub uid: CalUid,
    pub method: Method,
    pub held: Option<CalendarObject>,
    pub revisions: Revisions,
    /// Who said it, and how far that is proven.
    pub speaker: Speaker,
    pub decision: Decision,
}

/// What the engine has to know besides the message.
#[derive(Debug)]
pub(super) struct Heard {
    pub held: Option<CalendarObject>,
    pub speaker: Speaker,
    pub policy: Policy,
    /// Why something new from this speaker would have to wait.
    pub wait: Reason,
}

impl Gateway {
    /// Decides about a mail and commits everything that follows from it, the cursor included.
    ///
    /// Shape: `raw` is a whole mail, or one abridged to its header and calendar parts. Returns what was decided, a
    /// record for each calendar in it; none for an ordinary mail. An error means that nothing was committed.
    pub async fn receive_mail(&self, place: Place<'_>, raw: &[u8]) -> Result<Vec<DecisionRecord>, GatewayError> {
        let taken = self.receive_attempt(place, Attempt::first(MailNumber::default()), raw).await;
        taken.map(Taken::records)
    }

    /// The same for a mail whose number is known, or that is taken up again.
    ///
    /// A mail that brings out a fault of ours leaves nothing behind but its dead letter: what its other calendars would have
    /// changed is undone, so that the whole of it can be taken up again.
    pub async fn receive_attempt(&self, place: Place<'_>, attempt: Attempt, raw: &[u8]) -> Result<Taken, GatewayError> {
        // Whatever a mail makes the parser do, it costs this mail alone.
        let Ok(email) = catch_unwind(|| extract(raw)) else {
            let record = bug(place, "the mail could not be taken apart");
            return self.record(place, attempt, vec![record]).await;
        };
        let decided = AssertUnwindSafe(self.decide((place, attempt), (&email, raw))).catch_unwind().await;
        let Ok(decided) = decided else {
            let record = bug_record(blank(place, &email), "the mail could not be decided");
            return self.record(place, attempt, vec![record]).await;
        };
        let (transaction, records) = decided?;
        if let Some(dead) = records.iter().find(|record| record.verdict == DEAD_LETTER) {
            drop(transaction);
            return self.record(place, attempt, vec![dead.clone()]).await;
        }
        self.finish(transaction, place, (attempt, records)).await
    }

    /// Commits a decision that needs no calendar, such as about a mail that is too large, or how far a folder has been read.
    pub async fn record(
        &self,
        place: Place<'_>,
        attempt: Attempt,
        records: Vec<DecisionRecord>,
    ) -> Result<Taken, GatewayError> {
        let transaction = self.ledger.begin().await?;
        self.finish(transaction, place, (attempt, records)).await
    }

    async fn finish(
        &self,
        mut transaction: Transaction,
        place: Place<'_>,
        (attempt, mut records): (Attempt, Vec<DecisionRecord>),
    ) -> Result<Taken, GatewayError> {
        let is_dead = records.iter().any(|record| record.verdict == DEAD_LETTER);
        if let Some(id) = attempt.dead_letter {
            let is_there = match is_dead {
                true => transaction.is_dead_letter(id).await?,
                false => transaction.raise_dead_letter(id).await?,
            };
            if !is_there {
                return Ok(Taken::ByAnother);
            }
        }
        for record in &mut records {
            record.at = now_millis();
            transaction.add_decision(record).await?;
            if record.verdict == DEAD_LETTER {
                let id = transaction.last_decision().await?;
                let failed = (attempt.number, attempt.nth);
                transaction.bury((id, record), failed, attempt.dead_letter).await?;
            }
        }
        self.owe_mark(&mut transaction, place, (attempt, &records)).await?;
        self.follow_gesture(&mut transaction, (place, attempt), &records).await?;
        if let Some(cursor) = place.cursor {
            transaction.set_cursor(place.user.key(), place.folder, cursor).await?;
        }
        self.ring_for(transaction.commit().await?);
        for record in &records {
            self.counters.count_decision(record);
            log(record);
        }
        Ok(Taken::Decided(records))
    }

    /// What follows from a mail, not yet committed.
    async fn decide(
        &self,
        (place, attempt): (Place<'_>, Attempt),
        (email, raw): (&Email, &[u8]),
    ) -> Result<(Transaction, Vec<DecisionRecord>), GatewayError> {
        let mut transaction = self.ledger.begin().await?;
        let about_ours = match &came_back(place, email, raw) {
            Some(bounce) => self.take_bounce(&mut transaction, place, (bounce, blank(place, email))).await?,
            None => None,
        };
        let mut records = match about_ours {
            Some(record) => vec![record],
            None => self.decide_mail(&mut transaction, place, (email, raw)).await?,
        };
        if let Some(gesture) = gesture(place, attempt) {
            records = self.take_gesture(&mut transaction, (place, attempt), (email, gesture), records).await?;
        }
        Ok((transaction, records))
    }

    async fn decide_mail(
        &self,
        transaction: &mut Transaction,
        place: Place<'_>,
        (email, raw): (&Email, &[u8]),
    ) -> Result<Vec<DecisionRecord>, GatewayError> {
        let blank = blank(place, email);
        if let Some(nothing) = email.nothing_because {
            let in_words = match nothing {
                NoCalendar::NoCalendarPart => {
                    match self.take_tagged(transaction, place, (email, raw), blank.clone()).await? {
                        Some(record) => Some(record),
                        None => self.take_words(transaction, place, (email, raw), blank.clone()).await?,
                    }
                }
                NoCalendar::EmptyPart
                | NoCalendar::NotCalendarText
                | NoCalendar::OnlyTnef
                | NoCalendar::InsideBounce
                | NoCalendar::TooLarge => None,
            };
            return Ok(in_words.map_or_else(|| about_nothing(nothing, blank), |record| vec![record]));
        }
        let user = place.user.key();
        if transaction.is_ours(user, &blank.message_id).await? {
            return Ok(vec![ignored(blank, "own-message", "A copy of a mail that this gateway sent itself.")]);
        }
        if transaction.has_taken(user, &blank.message_id, &blank.fingerprint).await? {
            return Ok(vec![ignored(
                blank,
                "seen-before",
                "This very mail was taken before, under another number or in another folder.",
            )]);
        }
        let Some(sender) = email.sender.author() else {
            let text = "Not taken: the mail does not name one author in From.";
            return Ok(vec![ignored(blank, "no-single-author", text)]);
        };
        let mut records = Vec::new();
        let mut seen = BTreeSet::new();
        for part in &email.calendars {
            let record = DecisionRecord { sender: sender.to_string(), ..blank.clone() };
            let letter = Letter { email, part };
            records.push(self.decide_part(transaction, place, letter, record, &mut seen).await?);
        }
        Ok(records)
    }

    /// Decides about one calendar of a mail; `seen` holds the objects that this mail has spoken of already.
    async fn decide_part(
        &self,
        transaction: &mut Transaction,
        place: Place<'_>,
        letter: Letter<'_>,
        mut record: DecisionRecord,
        seen: &mut BTreeSet<(String, Method)>,
    ) -> Result<DecisionRecord, GatewayError> {
        let part = letter.part;
        record.method = part.method().map(|method| method.to_string()).or(part.unknown_method()).unwrap_or_default();
        if part.is_forwarded {
            let text = "Not taken: the calendar lies in a forwarded mail, so its author is not the sender.";
            return Ok(ignored(record, "forwarded", text));
        }
        let parsed = catch_unwind(|| ItipMessage::parse(&part.text, part.method_parameter));
        let message = match parsed {
            Ok(Ok(message)) => message,
            Ok(Err(refusal)) => return Ok(refused(record, &refusal)),
            Err(_) => return Ok(bug_record(record, "the calendar could not be read")),
        };
        record.cal_uid = message.object.uid().to_string();
        record.instance = instance_of(&message.object);
        if !seen.insert((record.cal_uid.clone(), message.method)) {
            return Ok(ignored(
                record,
                "repeated-part",
                "Another part of the same mail speaks of this object already.",
            ));
        }
        let Some(author) = letter.email.sender.author() else {
            return Ok(bug_record(record, "the mail lost its author"));
        };
        match authorship(place, author) {
            Authorship::Incoming => self.take_incoming(transaction, place, (letter, message), record).await,
            Authorship::Own => {
                // Whom users write to from their own client are no strangers to them.
                transaction.add_acquaintances(place.user.key(), &letter.email.to, now_millis()).await?;
                self.take_own(transaction, place, (letter.email, message), record).await
            }
            Authorship::Doubtful(reason, text) => Ok(ignored(record, reason, text)),
        }
    }

    /// Takes what somebody has written to the user, and asks the user where that is wanted.
    async fn take_incoming(
        &self,
        transaction: &mut Transaction,
        place: Place<'_>,
        (letter, message): (Letter<'_>, ItipMessage),
        record: DecisionRecord,
    ) -> Result<DecisionRecord, GatewayError> {
        if let Some((reason, text)) = self.is_beyond(transaction, place.user, &message).await? {
            return Ok(ignored(record, reason, text));
        }
        let asked = self.may_ask(place, letter.email).then(|| message.clone());
        let record = self.apply(transaction, place, (letter, message), record).await?;
        if let Some(asked) = asked {
            self.ask_user(transaction, place.user, &asked, &record).await?;
        }
        Ok(record)
    }

    /// Asks the engine and writes down what it says.
    pub(super) async fn apply(
        &self,
        transaction: &mut Transaction,
        place: Place<'_>,
        (letter, message): (Letter<'_>, ItipMessage),
        mut record: DecisionRecord,
    ) -> Result<DecisionRecord, GatewayError> {
        let method = message.method;
        let Some(asked) = self.ask_engine(transaction, place.user, letter, message).await? else {
            return Ok(bug_record(record, "the engine could not decide"));
        };
        record.proof = trust::told(&asked.speaker.proof, &letter.email.sender.findings);
        let unanswered = trust::why_unanswered(letter.email, method).filter(|_| !asked.decision.outgoing.is_empty());
        self.carry_out(transaction, place.user, (asked, &letter.part.text, unanswered), record).await
    }

    /// Does what the engine says about a message: stores it, and enters what is owed, unless there is a reason to owe nothing.
    pub(super) async fn carry_out(
        &self,
        transaction: &mut Transaction,
        user: &User,
        (asked, text, unanswered): (Asked, &str, Option<&'static str>),
        mut record: DecisionRecord,
    ) -> Result<DecisionRecord, GatewayError> {
        // Who speaks is who is asked for later: behind a list that is not who stands in From.
        record.sender = asked.speaker.address.to_string();
        if let Some((reason, text)) = self.is_too_much(transaction, user, &asked.speaker).await? {
            return Ok(ignored(record, reason, text));
        }
        let (uid, decision) = (asked.uid, asked.decision);
        if let Some(object) = &decision.store {
            self.store(transaction, user, object, now_millis()).await?;
        }
        if let Some(after) = &decision.revisions {
            transaction.set_revisions(user.key(), &uid, &asked.revisions, after).await?;
            if decision.reason == Reason::Answered {
                self.gather_answers(transaction, (user, &uid), (&asked.revisions, after)).await?;
                self.take_confirmed(transaction, user, &uid).await?;
            }
        }
        for outgoing in decision.outgoing.iter().filter(|_| unanswered.is_none()) {
            match self.write(transaction, user, outgoing, Occasioned::ByMail).await? {
                Ok(debts) => {
                    for debt in debts {
                        self.owe(transaction, &outgoing.object, &debt).await?;
                    }
                }
                Err(error) => tracing::error!(user = user.key(), uid = %uid, %error, "an answer cannot be written"),
            }
        }
        (record.verdict, record.reason) = (decision.verdict.name().to_owned(), decision.reason.name().to_owned());
        record.text = decision.reason.sentence() + unanswered.unwrap_or_default();
        keep_proposal(transaction, &decision, &record, (text, asked.method)).await?;
        Ok(record)
    }

    /// What the engine says about a message, given what is held and how far its sender is proven; nothing when it broke
    /// down, or the mail has no single author. Writes nothing.
    pub(super) async fn ask_engine(
        &self,
        transaction: &mut Transaction,
        user: &User,
        letter: Letter<'_>,
        mut message: ItipMessage,
    ) -> Result<Option<Asked>, GatewayError> {
        let held = self.held(transaction, user, message.object.uid()).await?;
        let speaker = self.speaker(transaction, letter, &message, held.as_ref()).await?;
        let Some(speaker) = speaker else { return Ok(None) };
        let (policy, wait) = self.policy(transaction, user, (letter.email, &speaker, &message)).await?;
        trust::name_secretary(&speaker, &mut message, held.as_ref());
        let heard = Heard { held, speaker, policy, wait };
        self.ask_about(transaction, user, heard, message).await
    }

    /// What the engine says about a message of which it is known who says it; nothing when it broke down. Writes nothing.
    pub(super) async fn ask_about(
        &self,
        transaction: &mut Transaction,
        user: &User,
        heard: Heard,
        message: ItipMessage,
    ) -> Result<Option<Asked>, GatewayError> {
        let Heard { held, speaker, policy, wait } = heard;
        let (uid, method) = (message.object.uid().clone(), message.method);
        let revisions = transaction.revisions(user.key(), &uid).await?;
        let author = user.author(self.next_dtstamp(transaction, user, &uid).await?);
        let context = Context { author, sender: &speaker.address, policy };
        let question = Held { object: held.as_ref().map(Cow::Borrowed), revisions: &revisions };
        let decision = catch_unwind(AssertUnwindSafe(|| receive(question, message, context))).ok();
        let decision = decision.map(|decision| trust::hold_back(decision, &speaker, (method, wait)));
        Ok(decision.map(|decision| Asked { uid, method, held, revisions, speaker, decision }))
    }
}

/// Keeps what waits for the user, and forgets what waits no more.
async fn keep_proposal(
    transaction: &mut Transaction,
    decision: &Decision,
    record: &DecisionRecord,
    (text, method): (&str, Method),
) -> Result<(), GatewayError> {
    let (user, uid) = (record.user.as_str(), record.cal_uid.as_str());
    if decision.verdict == Verdict::Proposed {
        let proposal = Proposal {
            user: record.user.clone(),
            cal_uid: record.cal_uid.clone(),
            method: method.to_string(),
            sender: record.sender.clone(),
            reason: record.reason.clone(),
            message_id: record.message_id.clone(),
            content: text.to_owned(),
            at: now_millis(),
        };
        return Ok(transaction.add_proposal(&proposal).await?);
    }
    let is_settled = match decision.reason {
        Reason::Invited => true,
        // Only whoever sent the invitation can take it back.
        Reason::CancelRemembered => {
            transaction.proposals_about(user, uid).await?.iter().all(|waiting| waiting.sender == record.sender)
        }
        _ => false,
    };
    if is_settled {
        transaction.remove_invitations(user, uid).await?;
    }
    Ok(())
}

/// The report in a mail; a mail with calendars of its own is none, and nobody gets one by sending it.
fn came_back(place: Place<'_>, email: &Email, raw: &[u8]) -> Option<Bounce> {
    let may_be = email.calendars.is_empty() && place.role != FolderRole::Sent;
    if may_be { bounce::read(raw) } else { None }
}

/// A record with what is known before anything is decided.
pub(super) fn blank(place: Place<'_>, email: &Email) -> DecisionRecord {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    for part in &email.calendars {
        context.update(part.text.as_bytes());
    }
    let fingerprint = hexadecimal(context.finish().as_ref());
    DecisionRecord {
        user: place.user.key().to_owned(),
        folder: place.folder.to_owned(),
        message_id: email.message_id.clone().unwrap_or_default(),
        sender: email.sender.from.first().map(ToString::to_string).unwrap_or_default(),
        proof: email.sender.findings.iter().map(|finding| finding.name()).collect::<Vec<_>>().join(" "),
        fingerprint,
        ..DecisionRecord::default()
    }
}

/// An ordinary mail leaves no trace; one that should have held a calendar does.
fn about_nothing(nothing: NoCalendar, blank: DecisionRecord) -> Vec<DecisionRecord> {
    match nothing {
        NoCalendar::NoCalendarPart => Vec::new(),
        NoCalendar::EmptyPart
        | NoCalendar::NotCalendarText
        | NoCalendar::OnlyTnef
        | NoCalendar::InsideBounce
        | NoCalendar::TooLarge => {
            vec![ignored(blank, nothing.name(), &format!("Not taken: {}.", nothing.describe()))]
        }
    }
}

pub(super) fn ignored(record: DecisionRecord, reason: &str, text: &str) -> DecisionRecord {
    let verdict = "ignored".to_owned();
    DecisionRecord { verdict, reason: reason.to_owned(), text: text.to_owned(), ..record }
}

pub(super) fn refused(record: DecisionRecord, refusal: &Refusal) -> DecisionRecord {
    let reason = Reason::Refused(refusal.clone());
    let (verdict, name) = (Verdict::Refused.name().to_owned(), reason.name().to_owned());
    DecisionRecord { verdict, reason: name, text: reason.sentence(), ..record }
}

/// A decision about a mail of which nothing else is known.
fn record_about(place: Place<'_>, reason: &str, text: &str) -> DecisionRecord {
    let (user, folder) = (place.user.key().to_owned(), place.folder.to_owned());
    ignored(DecisionRecord { user, folder, ..DecisionRecord::default() }, reason, text)
}

fn bug(place: Place<'_>, what: &str) -> DecisionRecord {
    bug_record(record_about(place, "", ""), what)
}

/// A bug of ours costs one message: it is recorded, and the daemon goes on.
pub(super) fn bug_record(record: DecisionRecord, what: &str) -> DecisionRecord {
    let text = format!("A fault of imipd: {what}. Please report it with this mail.");
    DecisionRecord { verdict: DEAD_LETTER.to_owned(), reason: "bug".to_owned(), text, ..record }
}

/// Tells a decision in the log of the daemon.
pub(super) fn log(record: &DecisionRecord) {
    tracing::info!(
        user = record.user,
        folder = record.folder,
        message_id = record.message_id,
        sender = record.sender,
        method = record.method,
        uid = record.cal_uid,
        verdict = record.verdict,
        reason = record.reason,
        proof = record.proof,
        "{}",
        record.text
    );
}
