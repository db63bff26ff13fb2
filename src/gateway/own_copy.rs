//! Not twice: what the user's own client has sent is seen in their Sent folder, and not sent again.
//!
//! | a mail | in the Sent folder | anywhere else |
//! |---|---|---|
//! | of another author | left alone | as any mail |
//! | of the user: REQUEST, CANCEL, REPLY | the stored copy follows; debts that say the same are settled | left alone |
//! | of the user: any other method | noted | left alone |
//!
//! Only who may write into the user's mailbox puts a mail into their Sent folder. Elsewhere a From proves nothing, and nothing of a copy to
//! oneself (a Bcc) is believed; unless our own mail server has written down that its author logged in as that user to send it.
//!
//! What was said to whom is kept in the ledger, the last statement about each instance for each recipient. A debt is spared whose statements
//! the client has made last; who declines, accepts and declines again is heard each time.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calcard::common::IanaString;
use calcard::icalendar::{ICalendarComponent, ICalendarParameterName, ICalendarProperty};

use super::receive::{Place, bug_record, ignored};
use super::{Gateway, GatewayError, now_millis};
use crate::config::User;
use crate::digest;
use crate::imip::{Email, Evidence, Proof};
use crate::itip::change::{Weight, attendee_set, weight};
use crate::itip::component::ComponentExt;
use crate::itip::receive::sent;
use crate::itip::zone::Zones;
use crate::itip::{Address, CalendarObject, Held, ItipMessage, Method, Reason, Refusal, Revision};
use crate::ledger::{
    Debt, DecisionRecord, LedgerError, OutboxRecipient, RecipientState, SENT_BY_CLIENT, Source, Statement, Transaction,
};
use crate::mailbox::FolderRole;

/// Whose mail this is, given where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Authorship {
    /// Somebody wrote to the user.
    Incoming,
    /// The user wrote it.
    Own,
    /// It is not what it seems; a stable name and a sentence say why.
    Doubtful(&'static str, &'static str),
}

impl Gateway {
    /// Whose mail this is.
    pub(super) fn authorship(&self, place: Place<'_>, (email, author): (&Email, &Address)) -> Authorship {
        match (place.role, place.user.addresses.contains(author)) {
            (FolderRole::Sent, true) => Authorship::Own,
            (FolderRole::Sent, false) => {
                let text =
                    "Not taken: it lies among the mails that the user has sent, and somebody else is its author.";
                Authorship::Doubtful("not-sent-by-user", text)
            }
            (FolderRole::Inbox | FolderRole::Answers(_) | FolderRole::Other, false) => Authorship::Incoming,
            (FolderRole::Inbox | FolderRole::Answers(_) | FolderRole::Other, true) => {
                // A signature would not do: whoever has got a signed mail can send it again.
                let proof = self.proof_of_author(email);
                if matches!(proof, Some(Proof::Authenticated { by: Evidence::Login(_) })) {
                    return Authorship::Own;
                }
                let text = "Not taken: it says that the user wrote it, and only the Sent folder, or their login to the submission \
                            server, can tell whether that is true.";
                Authorship::Doubtful("own-address-outside-sent", text)
            }
        }
    }

    /// Follows a message that the user's own client has sent, and settles what would say the same again.
    pub(super) async fn take_own(
        &self,
        transaction: &mut Transaction,
        place: Place<'_>,
        (email, message): (&Email, ItipMessage),
        mut record: DecisionRecord,
    ) -> Result<DecisionRecord, GatewayError> {
        let (user, uid, method) = (place.user, message.object.uid().clone(), message.method);
        let statements = statements(&message.object, method, email.to.iter().map(Address::as_str));
        let names_sequence = message.object.components().all(|(_, one)| one.has_property(&ICalendarProperty::Sequence));
        // Clients write DTSTAMP when their user decides, and may store the answer before they send it.
        let repeats = self.repeats_what_waits(transaction, (user, &uid.0), (&statements, names_sequence)).await?;
        if method == Method::Reply
            && !repeats
            && is_older(transaction, (user.key(), &uid.0), (&statements, email.date)).await?
        {
            let text = "Not taken: the user has answered otherwise since this answer was sent.";
            return Ok(ignored(record, "older-answer", text));
        }
        self.take_invitation(transaction, user, &message).await?;
        let held = self.held(transaction, user, &uid).await?;
        let revisions = transaction.revisions(user.key(), &uid).await?;
        let author = user.author(self.next_dtstamp(transaction, user, &uid).await?);
        let question = Held { object: held.map(std::borrow::Cow::Owned), revisions: &revisions };
        let Ok(decision) = catch_unwind(AssertUnwindSafe(|| sent(question, message, author))) else {
            return Ok(bug_record(record, "the engine could not decide"));
        };
        if let Some(object) = &decision.store {
            self.store(transaction, user, object, now_millis()).await?;
        }
        if let Some(after) = &decision.revisions {
            transaction.set_revisions(user.key(), &uid, &revisions, after).await?;
        }
        // What is late was said all the same, but no longer holds.
        let is_late = matches!(decision.reason, Reason::Refused(Refusal::OutOfSequence) | Reason::AnswersOlderTime);
        let is_late = is_late && !repeats;
        let settled = match is_late {
            true => 0,
            false => self.hear_client(transaction, (user, &uid.0), (&statements, names_sequence)).await?,
        };
        (record.verdict, record.reason) = (decision.verdict.name().to_owned(), decision.reason.name().to_owned());
        record.text = decision.reason.sentence();
        if settled > 0 {
            record.text.push_str(&format!(" {settled} recipients whom imipd was to tell the same are not told again."));
        }
        Ok(record)
    }

    /// Takes an invitation in that waits for the user, when this is their answer to it.
    async fn take_invitation(
        &self,
        transaction: &mut Transaction,
        user: &User,
        message: &ItipMessage,
    ) -> Result<(), GatewayError> {
        let uid = message.object.uid();
        if message.method != Method::Reply || self.held(transaction, user, uid).await?.is_some() {
            return Ok(());
        }
        match self.take_waiting(transaction, user, uid, now_millis() / 1_000).await {
            Ok(object) => self.store(transaction, user, &object, now_millis()).await,
            Err(super::ChangeError::Gateway(error)) => Err(error),
            // Nothing waits, or nothing that can be taken: the engine will say that there is no such event.
            Err(
                super::ChangeError::NotFound { .. }
                | super::ChangeError::NoProposal { .. }
                | super::ChangeError::NothingWaits { .. }
                | super::ChangeError::SeveralSenders { .. }
                | super::ChangeError::Refused(_),
            ) => Ok(()),
        }
    }

    /// Whether the client says what we are about to say.
    async fn repeats_what_waits(
        &self,
        transaction: &mut Transaction,
        (user, uid): (&User, &str),
        (statements, names_sequence): (&[Statement], bool),
    ) -> Result<bool, LedgerError> {
        let waiting = transaction.said_and_waiting(user.key(), uid).await?;
        let is_said = |owed: &Statement| statements.iter().any(|said| says(said, owed, names_sequence));
        Ok(waiting.iter().any(|pending| is_said(&pending.statement)))
    }

    /// Records what the client has said, and settles the debts that say the same; how many recipients are settled.
    async fn hear_client(
        &self,
        transaction: &mut Transaction,
        (user, uid): (&User, &str),
        (statements, names_sequence): (&[Statement], bool),
    ) -> Result<usize, LedgerError> {
        let mut debts: BTreeMap<(i64, String), Vec<Statement>> = BTreeMap::new();
        for pending in transaction.said_and_waiting(user.key(), uid).await? {
            let key = (pending.outbox_id, pending.statement.recipient.clone());
            debts.entry(key).or_default().push(pending.statement);
        }
        let is_said = |owed: &Statement| statements.iter().any(|said| says(said, owed, names_sequence));
        let mut settled = 0;
        for ((outbox_id, recipient), owed) in debts {
            if owed.iter().all(is_said) {
                transaction.settle(outbox_id, &[by_client(&recipient)], now_millis()).await?;
                settled += 1;
            }
        }
        for statement in statements {
            transaction.say((user.key(), uid), statement, Source::Client, None).await?;
        }
        Ok(settled)
    }

    /// Enters a debt, unless it is entered already, and records what it says.
    pub(super) async fn owe(
        &self,
        transaction: &mut Transaction,
        object: &CalendarObject,
        debt: &Debt,
    ) -> Result<Option<i64>, LedgerError> {
        if !transaction.owe(debt).await? {
            return Ok(None);
        }
        let Some(id) = transaction.outbox_id(&debt.message_id).await? else { return Ok(None) };
        let method = Method::parse(&debt.method).unwrap_or(Method::Publish);
        for statement in statements(object, method, debt.recipients.iter().map(String::as_str)) {
            transaction.say((&debt.user, &debt.cal_uid), &statement, Source::Gateway, Some(id)).await?;
        }
        Ok(Some(id))
    }

    /// Enters a debt that follows from a change of the user's; spares those to whom the user's client has said the same last.
    pub(super) async fn owe_unsaid(
        &self,
        transaction: &mut Transaction,
        object: &CalendarObject,
        debt: &Debt,
    ) -> Result<Option<i64>, LedgerError> {
        let said = transaction.said_by_client(&debt.user, &debt.cal_uid).await?;
        let Some(id) = self.owe(transaction, object, debt).await? else { return Ok(None) };
        if said.is_empty() {
            return Ok(Some(id));
        }
        let method = Method::parse(&debt.method).unwrap_or(Method::Publish);
        let mut open: BTreeSet<&str> = BTreeSet::new();
        let owed = statements(object, method, debt.recipients.iter().map(String::as_str));
        for statement in &owed {
            if !said.iter().any(|said| says(said, statement, true)) {
                open.insert(&statement.recipient);
            }
        }
        let spared: Vec<OutboxRecipient> = match owed.is_empty() {
            true => Vec::new(),
            false => {
                let is_spared = |recipient: &&String| !open.contains(recipient.as_str());
                debt.recipients.iter().filter(is_spared).map(|recipient| by_client(recipient)).collect()
            }
        };
        transaction.settle(id, &spared, now_millis()).await?;
        Ok(Some(id))
    }
}

/// Whether the user has said something else about one of these instances later than this was sent.
///
/// Some clients leave the DTSTAMP of the invitation in their answer; then the date of the mail tells.
async fn is_older(
    transaction: &mut Transaction,
    (user, uid): (&str, &str),
    (statements, date): (&[Statement], Option<i64>),
) -> Result<bool, LedgerError> {
    for statement in statements {
        let sent_at = statement.dtstamp.max(date.unwrap_or(Revision::UNDATED));
        if transaction.last_said(user, uid, &statement.instance).await?.is_some_and(|last| sent_at < last) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn by_client(recipient: &str) -> OutboxRecipient {
    let detail = SENT_BY_CLIENT.to_owned();
    OutboxRecipient { address: recipient.to_owned(), state: RecipientState::Sent, detail }
}

/// Whether what was said makes what is owed superfluous.
///
/// An answer is one to a SEQUENCE, when the client names it. A REQUEST or CANCEL is counted by each program for itself; there the content tells.
fn says(said: &Statement, owed: &Statement, names_sequence: bool) -> bool {
    let is_same_revision = owed.method != "REPLY" || !names_sequence || said.sequence == owed.sequence;
    said.instance == owed.instance
        && said.recipient == owed.recipient
        && said.method == owed.method
        && said.said == owed.said
        && is_same_revision
}

/// What a message says, to each of its recipients about each of its instances; nothing for methods that state nothing.
fn statements<'a>(
    object: &CalendarObject,
    method: Method,
    recipients: impl Iterator<Item = &'a str> + Clone,
) -> Vec<Statement> {
    let said = |component: &ICalendarComponent| match method {
        Method::Reply => Some(answer(component)),
        Method::Request | Method::Add => Some(content(component, object.zones())),
        Method::Cancel => Some(attendee_set(component).iter().map(Address::as_str).collect::<Vec<_>>().join(" ")),
        Method::Publish | Method::Refresh | Method::Counter | Method::DeclineCounter => None,
    };
    let method_name = if method == Method::Add { Method::Request } else { method }.to_string();
    let mut statements = Vec::new();
    for (key, component) in object.components() {
        let Some(said) = said(component) else { continue };
        statements.extend(recipients.clone().map(|recipient| Statement {
            instance: key.to_string(),
            recipient: recipient.to_owned(),
            method: method_name.clone(),
            sequence: component.sequence().0,
            said: said.clone(),
            dtstamp: component.revision().dtstamp,
        }));
    }
    statements
}

/// The answer of the one attendee of a REPLY.
fn answer(component: &ICalendarComponent) -> String {
    let Some(own) = component.attendees().next() else { return String::new() };
    let partstat = own.partstat().map_or("NEEDS-ACTION", |partstat| partstat.as_str());
    let delegates: Vec<String> =
        own.addresses(&ICalendarParameterName::DelegatedTo).map(|address| address.to_string()).collect();
    let progress = [ICalendarProperty::PercentComplete, ICalendarProperty::Status]
        .into_iter()
        .filter_map(|name| component.property(&name).map(|entry| format!(" {:?}", entry.values)));
    format!("{} {partstat} {}{}", own.address(), delegates.join(" "), progress.collect::<String>())
}

/// A digest of all that matters to the others in an instance, and of who is invited.
fn content(component: &ICalendarComponent, zones: &Zones) -> String {
    let weighty = component.entries.iter().filter(|entry| weight(&entry.name) > Weight::Private);
    let mut lines: Vec<String> = weighty
        .map(|entry| match zones.moments(entry).collect::<Vec<_>>() {
            moments if moments.is_empty() => format!("{} {:?}", entry.name.as_str(), entry.values),
            moments => format!("{} {moments:?}", entry.name.as_str()),
        })
        .collect();
    lines.extend(attendee_set(component).into_iter().map(Address::into_string));
    lines.sort_unstable();
    digest::shortened(&ring::digest::digest(&ring::digest::SHA256, lines.join("\n").as_bytes()))
}
