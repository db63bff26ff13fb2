//! One mail: its calendars through the engine and into the calendar, in one transaction.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::own_copy::{Authorship, authorship};
use super::{Gateway, GatewayError, letter, now_millis};
use crate::config::{AutoAdd, PartyCrashers as ConfiguredPartyCrashers, Publications as ConfiguredPublications, User};
use crate::imip::{Bounce, CalendarPart, Email, NoCalendar, bounce, extract};
use crate::itip::{
    Address, Admission, CalendarObject, Context, Decision, Held, ItipMessage, Method, PartyCrashers, Policy,
    Publications, Reason, Refusal, Revisions, Verdict, receive,
};
use crate::ledger::{CursorRecord, DecisionRecord, MailNumber, Proposal, Transaction};
use crate::mailbox::FolderRole;

/// The verdict about a mail that could not be processed.
const DEAD_LETTER: &str = "dead-letter";

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

/// What was held when the engine was asked, and what it said.
#[derive(Debug)]
pub(super) struct Asked {
    pub held: Option<CalendarObject>,
    pub revisions: Revisions,
    pub decision: Decision,
}

impl Gateway {
    /// Decides about a mail and commits everything that follows from it, the cursor included.
    ///
    /// Shape: `raw` is a whole mail, or one abridged to its header and calendar parts. Returns what was decided, a
    /// record for each calendar in it; none for an ordinary mail. An error means that nothing was committed.
    pub async fn receive_mail(&self, place: Place<'_>, raw: &[u8]) -> Result<Vec<DecisionRecord>, GatewayError> {
        // Whatever a mail makes the parser do, it costs this mail alone.
        let Ok(email) = catch_unwind(|| extract(raw)) else {
            let record = bug(place, "the mail could not be taken apart");
            return self.record(place, vec![record]).await;
        };
        let bounce = catch_unwind(|| came_back(place, &email, raw)).unwrap_or_default();
        let mut transaction = self.ledger.begin().await?;
        let about_ours = match &bounce {
            Some(bounce) => self.take_bounce(&mut transaction, place, (bounce, blank(place, &email))).await?,
            None => None,
        };
        let records = match about_ours {
            Some(record) => vec![record],
            None => self.decide_mail(&mut transaction, place, &email).await?,
        };
        let records = self.finish(transaction, place, records).await?;
        self.failures.notify_one();
        Ok(records)
    }

    /// Commits a decision that needs no calendar, such as about a mail that is too large.
    pub async fn record(
        &self,
        place: Place<'_>,
        records: Vec<DecisionRecord>,
    ) -> Result<Vec<DecisionRecord>, GatewayError> {
        let transaction = self.ledger.begin().await?;
        self.finish(transaction, place, records).await
    }

    async fn finish(
        &self,
        mut transaction: Transaction,
        place: Place<'_>,
        mut records: Vec<DecisionRecord>,
    ) -> Result<Vec<DecisionRecord>, GatewayError> {
        for record in &mut records {
            record.at = now_millis();
            let id = transaction.add_decision(record).await?;
            if record.verdict == DEAD_LETTER {
                transaction.bury((id, record), (MailNumber::default(), 1), None).await?;
            }
        }
        if let Some(cursor) = place.cursor {
            transaction.set_cursor(place.user.key(), place.folder, cursor).await?;
        }
        transaction.commit().await?;
        self.bell.notify_one();
        for record in &records {
            self.counters.count_decision(record);
            log(record);
        }
        Ok(records)
    }

    async fn decide_mail(
        &self,
        transaction: &mut Transaction,
        place: Place<'_>,
        email: &Email,
    ) -> Result<Vec<DecisionRecord>, GatewayError> {
        let blank = blank(place, email);
        if let Some(nothing) = email.nothing_because {
            return Ok(about_nothing(nothing, blank));
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
            records.push(self.decide_part(transaction, place, (email, part, sender), record, &mut seen).await?);
        }
        Ok(records)
    }

    /// Decides about one calendar of a mail; `seen` holds the objects that this mail has spoken of already.
    async fn decide_part(
        &self,
        transaction: &mut Transaction,
        place: Place<'_>,
        (email, part, sender): (&Email, &CalendarPart, &Address),
        mut record: DecisionRecord,
        seen: &mut BTreeSet<(String, Method)>,
    ) -> Result<DecisionRecord, GatewayError> {
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
        if !seen.insert((record.cal_uid.clone(), message.method)) {
            return Ok(ignored(
                record,
                "repeated-part",
                "Another part of the same mail speaks of this object already.",
            ));
        }
        match authorship(place, sender) {
            Authorship::Incoming => self.apply(transaction, place, (part, sender, message), record).await,
            Authorship::Own => self.take_own(transaction, place, (email, message), record).await,
            Authorship::Doubtful(reason, text) => Ok(ignored(record, reason, text)),
        }
    }

    /// Asks the engine and writes down what it says.
    async fn apply(
        &self,
        transaction: &mut Transaction,
        place: Place<'_>,
        (part, sender, message): (&CalendarPart, &Address, ItipMessage),
        mut record: DecisionRecord,
    ) -> Result<DecisionRecord, GatewayError> {
        let (user, uid, method) = (place.user, message.object.uid().clone(), message.method);
        let Some(asked) = self.ask_engine(transaction, user, sender, message).await? else {
            return Ok(bug_record(record, "the engine could not decide"));
        };
        let decision = asked.decision;
        if let Some(object) = &decision.store {
            self.store(transaction, user, object, now_millis()).await?;
        }
        if let Some(after) = &decision.revisions {
            transaction.set_revisions(user.key(), &uid, &asked.revisions, after).await?;
            if decision.reason == Reason::Answered {
                self.gather_answers(transaction, (user, &uid), (&asked.revisions, after)).await?;
            }
        }
        for outgoing in &decision.outgoing {
            let thread = transaction.thread(user.key(), &uid.0).await?;
            match letter::debts(outgoing, user, self.pen(), &thread, letter::Occasioned::ByMail) {
                Ok(debts) => {
                    for debt in debts {
                        self.owe(transaction, &outgoing.object, &debt).await?;
                    }
                }
                Err(error) => tracing::error!(user = user.key(), uid = %uid, %error, "an answer cannot be written"),
            }
        }
        (record.verdict, record.reason) = (decision.verdict.name().to_owned(), decision.reason.name().to_owned());
        record.text = decision.reason.sentence();
        keep_proposal(transaction, &decision, &record, (part, method)).await?;
        Ok(record)
    }

    /// What the engine says about a message, given what is held; nothing when it broke down. Writes nothing.
    pub(super) async fn ask_engine(
        &self,
        transaction: &mut Transaction,
        user: &User,
        sender: &Address,
        message: ItipMessage,
    ) -> Result<Option<Asked>, GatewayError> {
        let uid = message.object.uid().clone();
        let held = self.held(transaction, user, &uid).await?;
        let revisions = transaction.revisions(user.key(), &uid).await?;
        let author = user.author(self.next_dtstamp(transaction, user, &uid).await?);
        let context = Context { author, sender, policy: self.policy(user, sender) };
        let question = Held { object: held.as_ref().map(Cow::Borrowed), revisions: &revisions };
        let decision = catch_unwind(AssertUnwindSafe(|| receive(question, message, context))).ok();
        Ok(decision.map(|decision| Asked { held, revisions, decision }))
    }

    /// What is left to the engine for this user and this sender.
    fn policy(&self, user: &User, sender: &Address) -> Policy {
        let own_domain = sender.domain().is_some_and(|domain| self.is_own_domain(domain));
        let new_invitations = match user.auto_add {
            AutoAdd::All => Admission::Add,
            AutoAdd::Domain if own_domain => Admission::Add,
            AutoAdd::Domain | AutoAdd::Never => Admission::Wait,
        };
        let party_crashers = match self.config.policy.party_crashers {
            ConfiguredPartyCrashers::Refuse => PartyCrashers::Refuse,
            ConfiguredPartyCrashers::Propose => PartyCrashers::Propose,
        };
        let publications = match self.config.policy.publications {
            ConfiguredPublications::Refuse => Publications::Refuse,
            ConfiguredPublications::Import => Publications::Import,
        };
        Policy { new_invitations, party_crashers, publications }
    }
}

/// Keeps what waits for the user, and forgets what waits no more.
async fn keep_proposal(
    transaction: &mut Transaction,
    decision: &Decision,
    record: &DecisionRecord,
    (part, method): (&CalendarPart, Method),
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
            content: part.text.clone(),
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
fn blank(place: Place<'_>, email: &Email) -> DecisionRecord {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    for part in &email.calendars {
        context.update(part.text.as_bytes());
    }
    let fingerprint = context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    DecisionRecord {
        user: place.user.key().to_owned(),
        folder: place.folder.to_owned(),
        message_id: email.message_id.clone().unwrap_or_default(),
        sender: email.sender.from.first().map(ToString::to_string).unwrap_or_default(),
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

fn refused(record: DecisionRecord, refusal: &Refusal) -> DecisionRecord {
    let reason = Reason::Refused(refusal.clone());
    let (verdict, name) = (Verdict::Refused.name().to_owned(), reason.name().to_owned());
    DecisionRecord { verdict, reason: name, text: reason.sentence(), ..record }
}

/// A decision about a mail of which nothing else is known.
pub fn record_about(place: Place<'_>, reason: &str, text: &str) -> DecisionRecord {
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

fn log(record: &DecisionRecord) {
    tracing::info!(
        user = record.user,
        folder = record.folder,
        message_id = record.message_id,
        sender = record.sender,
        method = record.method,
        uid = record.cal_uid,
        verdict = record.verdict,
        reason = record.reason,
        "{}",
        record.text
    );
}
