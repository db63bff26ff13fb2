//! The outbox: every mail that is owed goes to the submission server, until each recipient is settled. What is owed only
//! after a while, the news of who has answered, is entered here when its time has come.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

use super::watch::stopped;
use super::{Gateway, GatewayError, now_millis};
use crate::itip::Address;
use crate::ledger::{LedgerError, OutboxEntry, OutboxRecipient, RecipientState};
use crate::outbox::smtp::{Outcome, SmtpError, Submitter};

/// How many mails are taken from the outbox at once; more than there can be connections.
const BATCH: u32 = 200;

/// How long the outbox is left alone when nothing is due and nobody rings.
const NAP: Duration = Duration::from_secs(30);

/// The same while a mail is being delivered, whose end wakes us; this is for others that become due meanwhile.
const NAP_AT_WORK: Duration = Duration::from_secs(1);

/// The longest rest of a mail that the server has put off: greylisting wants minutes, a full mailbox hours.
const REFUSED_PAUSE_MAX: Duration = Duration::from_secs(3_600);

/// The longest rest of a mail for which there was no server.
const UNREACHABLE_PAUSE_MAX: Duration = Duration::from_secs(300);

/// How long after trouble with the database the outbox is looked at again.
const DATABASE_PAUSE: Duration = Duration::from_secs(5);

/// Sends what is owed until the daemon stops; a delivery that has begun is finished, and no other is begun.
pub async fn run(gateway: Arc<Gateway>, submitter: Arc<Submitter>, mut stop: watch::Receiver<bool>) {
    // Whoever starts us may have mended what kept the mails back.
    if let Err(error) = gateway.ledger.retry_now(now_millis()).await {
        tracing::error!(%error, "cannot make the waiting mails due");
    }
    let bell = Arc::clone(&gateway);
    let mut courier = Courier::new(gateway, Arc::clone(&submitter));
    while !*stop.borrow() {
        let pause = match courier.begin().await {
            Ok(pause) => pause,
            Err(error) => courier.rest(&error),
        };
        tokio::select! {
            Some(ended) = courier.deliveries.join_next_with_id() => courier.end(ended),
            () = bell.bell.notified() => {}
            () = tokio::time::sleep(pause) => {}
            () = stopped(&mut stop) => {}
        }
    }
    while let Some(ended) = courier.deliveries.join_next_with_id().await {
        courier.end(ended);
    }
    submitter.close().await;
}

/// What is being delivered, and what comes next.
struct Courier {
    gateway: Arc<Gateway>,
    submitter: Arc<Submitter>,
    /// Due, and not begun: what is begun when the daemon is to stop must be as little as can be finished.
    queue: VecDeque<OutboxEntry>,
    deliveries: JoinSet<Result<(), LedgerError>>,
    /// The mails being delivered, by task.
    in_hand: HashMap<Id, i64>,
    /// Nothing is begun before, because the database has trouble.
    rests_until: Option<Instant>,
}

impl Courier {
    fn new(gateway: Arc<Gateway>, submitter: Arc<Submitter>) -> Self {
        let (queue, deliveries, in_hand) = Default::default();
        Self { gateway, submitter, queue, deliveries, in_hand, rests_until: None }
    }

    /// Begins as many deliveries as there are connections; how long to wait when nothing happens.
    async fn begin(&mut self) -> Result<Duration, GatewayError> {
        if let Some(rest) = self.rests_until.map(|until| until.saturating_duration_since(Instant::now()))
            && !rest.is_zero()
        {
            return Ok(rest);
        }
        self.gateway.share_answers(now_millis()).await?;
        let most = self.gateway.config.smtp.max_connections as usize;
        if self.queue.is_empty() && self.deliveries.len() < most {
            let due = self.gateway.ledger.due(now_millis(), BATCH).await?;
            self.queue.extend(due.into_iter().filter(|entry| !self.in_hand.values().any(|id| *id == entry.id)));
        }
        while self.deliveries.len() < most
            && let Some(entry) = self.queue.pop_front()
        {
            let (gateway, submitter, id) = (Arc::clone(&self.gateway), Arc::clone(&self.submitter), entry.id);
            let task = self.deliveries.spawn(async move { deliver(&gateway, &submitter, entry).await });
            self.in_hand.insert(task.id(), id);
        }
        if !self.deliveries.is_empty() {
            return Ok(NAP_AT_WORK);
        }
        let next = self.gateway.ledger.next_due_at().await?;
        let wait = next.map(|at| Duration::from_millis(u64::try_from(at - now_millis()).unwrap_or(0)));
        // At least a moment, so that a mail which is held back by an earlier one does not keep us turning.
        Ok(wait.unwrap_or(NAP).clamp(Duration::from_millis(100), NAP))
    }

    fn end(&mut self, ended: Result<(Id, Result<(), LedgerError>), JoinError>) {
        match ended {
            Ok((task, outcome)) => {
                self.in_hand.remove(&task);
                if let Err(error) = outcome {
                    self.rest(&error.into());
                }
            }
            Err(error) => {
                self.in_hand.remove(&error.id());
                tracing::error!(%error, "a delivery broke off; its mail is tried again");
                self.rests_until = Some(Instant::now() + DATABASE_PAUSE);
            }
        }
    }

    /// Lets the outbox alone for a while: a mail whose delivery cannot be recorded must not go again and again.
    fn rest(&mut self, error: &GatewayError) -> Duration {
        tracing::error!(%error, "cannot work through the outbox");
        self.rests_until = Some(Instant::now() + DATABASE_PAUSE);
        DATABASE_PAUSE
    }
}

/// Submits one mail to those who still wait for it, and records what became of it.
///
/// If we die between the server's answer and our commit the mail goes again, with the same Message-ID.
async fn deliver(gateway: &Gateway, submitter: &Submitter, entry: OutboxEntry) -> Result<(), LedgerError> {
    let recipients = gateway.ledger.recipients(entry.id).await?;
    let waiting: Vec<Address> = recipients
        .iter()
        .filter(|recipient| recipient.state == RecipientState::Waiting)
        .map(|recipient| Address::in_mail(&recipient.address))
        .collect();
    let sender = Address::in_mail(&entry.debt.sender);
    let submission = submitter.submit(&sender, &waiting, &entry.debt.raw).await;
    let has_expired = expired(gateway, &entry);
    let (outcomes, trouble, pause) = match submission {
        Ok(submission) => {
            note_success(gateway).await?;
            let outcomes: Vec<_> =
                submission.outcomes().map(|(address, outcome)| settled(address, outcome, has_expired)).collect();
            let trouble =
                outcomes.iter().find(|one| one.state == RecipientState::Waiting).map(|one| one.detail.clone());
            (outcomes, trouble, pause(entry.attempts, REFUSED_PAUSE_MAX))
        }
        Err(error) => {
            note_trouble(gateway, &error);
            let trouble = (!has_expired).then(|| error.to_string());
            (gave_up(&waiting, &error, has_expired), trouble, pause(entry.attempts, UNREACHABLE_PAUSE_MAX))
        }
    };
    let trouble = trouble.map(|why| Postponed { why, pause });
    record(gateway, &entry, &outcomes, trouble.as_ref()).await
}

/// Why a mail is tried again, and when.
struct Postponed {
    why: String,
    pause: Duration,
}

async fn record(
    gateway: &Gateway,
    entry: &OutboxEntry,
    outcomes: &[OutboxRecipient],
    trouble: Option<&Postponed>,
) -> Result<(), LedgerError> {
    let mut transaction = gateway.ledger.begin().await?;
    transaction.settle(entry.id, outcomes).await?;
    if let Some(trouble) = trouble {
        let pause = i64::try_from(trouble.pause.as_millis()).unwrap_or(i64::MAX / 2);
        transaction.postpone(entry.id, now_millis().saturating_add(pause), &trouble.why).await?;
    }
    transaction.commit().await?;
    for outcome in outcomes {
        let (message_id, to, method) = (&entry.debt.message_id, &outcome.address, &entry.debt.method);
        match outcome.state {
            RecipientState::Sent => tracing::info!(message_id, to, method, "sent"),
            RecipientState::Waiting => tracing::warn!(message_id, to, method, detail = outcome.detail, "put off"),
            RecipientState::Failed => tracing::error!(message_id, to, method, detail = outcome.detail, "not delivered"),
        }
    }
    Ok(())
}

fn settled(address: &Address, outcome: Outcome, has_expired: bool) -> OutboxRecipient {
    let (state, detail) = match outcome {
        Outcome::Accepted { response } => (RecipientState::Sent, response),
        Outcome::Refused(refusal) if refusal.permanent => (RecipientState::Failed, refusal.to_string()),
        Outcome::Refused(refusal) if has_expired => {
            (RecipientState::Failed, format!("given up after smtp.give_up_after: {refusal}"))
        }
        Outcome::Refused(refusal) => (RecipientState::Waiting, refusal.to_string()),
    };
    OutboxRecipient { address: address.to_string(), state, detail }
}

fn gave_up(waiting: &[Address], error: &SmtpError, has_expired: bool) -> Vec<OutboxRecipient> {
    if !has_expired {
        return Vec::new();
    }
    let detail = format!("given up after smtp.give_up_after: {error}");
    let failed = |address: &Address| OutboxRecipient {
        address: address.to_string(),
        state: RecipientState::Failed,
        detail: detail.clone(),
    };
    waiting.iter().map(failed).collect()
}

/// The server works again: what was kept back by its absence need not wait for its turn.
async fn note_success(gateway: &Gateway) -> Result<(), LedgerError> {
    if !gateway.board.smtp_error().is_empty() {
        gateway.board.set_smtp_error("");
        tracing::info!("the submission server takes mail again");
        gateway.ledger.retry_now(now_millis()).await?;
    }
    Ok(())
}

fn note_trouble(gateway: &Gateway, error: &SmtpError) {
    let text = error.to_string();
    if gateway.board.smtp_error() != text {
        tracing::warn!(%error, "the submission server does not take mail");
        gateway.board.set_smtp_error(&text);
    }
}

fn expired(gateway: &Gateway, entry: &OutboxEntry) -> bool {
    let age = u64::try_from(now_millis() - entry.debt.created_at).unwrap_or(0);
    Duration::from_millis(age) > gateway.config.smtp.give_up_after
}

/// How long a mail rests after so many attempts: seconds at first, `most` at last, with jitter.
fn pause(attempts: u32, most: Duration) -> Duration {
    let schedule = ExponentialBuilder::default()
        .with_min_delay(Duration::from_secs(2))
        .with_max_delay(most)
        .with_jitter()
        .without_max_times()
        .build();
    schedule.into_iter().nth(attempts.min(30) as usize).unwrap_or(most)
}
