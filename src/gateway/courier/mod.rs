//! The outbox: every mail that is owed goes to the submission server, until each recipient is settled. What is owed only
//! after a while, the news of who has answered, is entered here when its time has come.
//!
//! | file | what it does |
//! |---|---|
//! | `mod` | what is due, who may get it now, and as many deliveries as there are connections |
//! | `delivery` | one mail: transactions of so many recipients, and what became of each |
//! | `recorder` | the outcomes, those that come together in one commit; SCHEDULE-STATUS |

mod delivery;
mod recorder;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

use super::watch::stopped;
use super::{Gateway, GatewayError, now_millis};
use crate::itip::Address;
use crate::ledger::{DueMail, LedgerError};
use crate::outbox::limits::RATE_WINDOW;
use crate::outbox::rate::{Held, RateLimiter, RateLimits, Storm};
use crate::outbox::smtp::Submitter;
pub(super) use delivery::Parcel;
use delivery::{Delivery, Ended};
use recorder::{Later, Recorder, Report};

/// How many mails are taken from the outbox at once; more than there can be connections.
const BATCH: u32 = 200;

/// Fewer than these left, and the outbox is looked at again while they are on their way.
const BATCH_LOW: usize = 100;

/// Deliveries that are begun beyond the number of connections: they wait for one, and no connection waits for them.
const AHEAD: usize = 4;

/// Outcomes that may wait for their commit. When we die these mails go again, so there must not be many.
const UNRECORDED_MAX: usize = 64;

/// How long the outbox is left alone when nothing is due and nobody rings.
const NAP: Duration = Duration::from_secs(30);

/// The same while a mail is being delivered, whose end wakes us; this is for others that become due meanwhile. What was
/// taken from the outbox is not older than that when it is begun.
const NAP_AT_WORK: Duration = Duration::from_secs(1);

/// How long after trouble with the database the outbox is looked at again.
const DATABASE_PAUSE: Duration = Duration::from_secs(5);

/// Deliveries in a row that find no server before all the others wait, too.
const TROUBLES_MAX: u32 = 3;

/// The longest rest of the whole outbox when there is no server.
const TROUBLE_PAUSE_MAX: Duration = Duration::from_secs(30);

/// Sends what is owed until the daemon stops; a transaction that has begun is finished, and no other is begun.
pub async fn run(gateway: Arc<Gateway>, submitter: Arc<Submitter>, mut stop: watch::Receiver<bool>) {
    let bell = Arc::clone(&gateway);
    let (reports, reported) = mpsc::channel(UNRECORDED_MAX);
    let (record, mut recorded) = mpsc::unbounded_channel();
    let recorder = Recorder { gateway: Arc::clone(&gateway), stop: stop.clone() };
    let recorder = tokio::spawn(recorder.run(reported, record));
    let mut courier = Courier::new(gateway, Arc::clone(&submitter), reports, stop.clone());
    courier.prepare().await;
    while !*stop.borrow() {
        let pause = match courier.begin().await {
            Ok(pause) => pause,
            Err(error) => courier.rest(&error),
        };
        tokio::select! {
            Some(ended) = courier.deliveries.join_next_with_id() => courier.end(ended),
            Some(ids) = recorded.recv() => courier.release(&ids),
            () = bell.bell.notified() => courier.look_anew(),
            () = tokio::time::sleep(pause) => courier.must_look = true,
            () = stopped(&mut stop) => {}
        }
    }
    submitter.stop();
    while let Some(ended) = courier.deliveries.join_next_with_id().await {
        courier.end(ended);
    }
    // The recorder ends when nobody can report any more.
    drop(courier);
    if let Err(error) = recorder.await {
        tracing::error!(%error, "a fault of imipd: the last outcomes were not recorded, and these mails go again");
    }
    submitter.close().await;
}

/// What is being delivered, and what comes next.
struct Courier {
    gateway: Arc<Gateway>,
    submitter: Arc<Submitter>,
    reports: mpsc::Sender<Report>,
    stop: watch::Receiver<bool>,
    limiter: Arc<Mutex<RateLimiter>>,
    /// When it was last asked whose limits were lifted, Unix milliseconds.
    released_at: i64,
    /// Due, and not begun: what is begun when the daemon is to stop must be as little as can be finished.
    queue: VecDeque<DueMail>,
    queued_at: Instant,
    deliveries: JoinSet<Ended>,
    /// The mails being delivered, by task.
    tasks: HashMap<Id, i64>,
    /// The mails that were begun, until what became of them is recorded: to the outbox they are still due.
    in_hand: HashSet<i64>,
    /// Whether there may be mail in the outbox that is due and not in the queue.
    must_look: bool,
    /// Nothing is begun before, because the database or the server has trouble.
    rests_until: Option<Instant>,
    /// Deliveries in a row that found no server.
    troubles: u32,
}

impl Courier {
    fn new(
        gateway: Arc<Gateway>,
        submitter: Arc<Submitter>,
        reports: mpsc::Sender<Report>,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let limiter = Arc::new(Mutex::new(RateLimiter::new(rate_limits(&gateway))));
        let (queue, deliveries, tasks, in_hand) = Default::default();
        Self {
            gateway,
            submitter,
            reports,
            stop,
            limiter,
            released_at: now_millis(),
            queue,
            queued_at: Instant::now(),
            deliveries,
            tasks,
            in_hand,
            must_look: true,
            rests_until: None,
            troubles: 0,
        }
    }

    /// Counts what was sent lately, and makes everything due: whoever starts us may have mended what kept it back.
    async fn prepare(&mut self) {
        let window = i64::try_from(RATE_WINDOW.as_millis()).unwrap_or(i64::MAX);
        match self.gateway.ledger.sent_since(now_millis().saturating_sub(window)).await {
            Ok(sent) => {
                let mut limiter = locked(&self.limiter);
                for one in sent {
                    let to = Address::in_mail(&one.address);
                    limiter.remember((&one.user, &one.cal_uid), &to, one.began_at, one.count);
                }
            }
            Err(error) => tracing::error!(%error, "cannot count what was sent; the rate limits count anew"),
        }
        if let Err(error) = self.gateway.ledger.retry_now(now_millis()).await {
            tracing::error!(%error, "cannot make the waiting mails due");
        }
    }

    /// Begins as many deliveries as there are connections; how long to wait when nothing happens.
    async fn begin(&mut self) -> Result<Duration, GatewayError> {
        if let Some(rest) = self.rests_until.map(|until| until.saturating_duration_since(Instant::now()))
            && !rest.is_zero()
        {
            return Ok(rest);
        }
        if !self.queue.is_empty() && self.queued_at.elapsed() > NAP_AT_WORK {
            self.look_anew();
        }
        if self.must_look && self.queue.len() < BATCH_LOW {
            self.look().await?;
        }
        let most = self.gateway.config.smtp.max_connections as usize + AHEAD;
        while self.deliveries.len() < most
            && let Some(due) = self.queue.pop_front()
        {
            self.begin_one(due).await;
        }
        if !self.in_hand.is_empty() {
            return Ok(NAP_AT_WORK);
        }
        let now = now_millis();
        let next = self.gateway.ledger.next_due_at(now).await?;
        let wait = next.map(|at| Duration::from_millis(u64::try_from(at - now).unwrap_or(0)));
        Ok(wait.unwrap_or(NAP).clamp(Duration::from_millis(10), NAP))
    }

    /// Takes what is due from the outbox.
    async fn look(&mut self) -> Result<(), GatewayError> {
        let now = now_millis();
        self.gateway.share_answers(now).await?;
        for (user, at) in self.gateway.ledger.released_since(self.released_at).await? {
            locked(&self.limiter).release(&user);
            self.released_at = self.released_at.max(at);
            self.gateway.board.calm(&user);
        }
        let due = self.gateway.ledger.due(now, BATCH).await?;
        let queued: HashSet<i64> = self.queue.iter().map(|due| due.entry.id).collect();
        let before = self.queue.len();
        let is_new = |due: &DueMail| !self.in_hand.contains(&due.entry.id) && !queued.contains(&due.entry.id);
        self.queue.extend(due.into_iter().filter(is_new));
        // There may be more than was taken at once.
        self.must_look = self.queue.len() > before;
        self.queued_at = Instant::now();
        Ok(())
    }

    /// Begins a mail for all who may get it now.
    async fn begin_one(&mut self, due: DueMail) {
        let DueMail { entry, recipients } = due;
        let recipients = recipients.iter().map(|address| Address::in_mail(address)).collect();
        let event = (entry.debt.user.as_str(), entry.debt.cal_uid.as_str());
        let admission = locked(&self.limiter).admit(event, recipients, now_millis());
        let held = admission.held.map(|held| Later::Held { until: held.until, why: self.tell_of(&held) });
        let (id, parcel) = (entry.id, Arc::new(Parcel::from(&entry)));
        self.in_hand.insert(id);
        if admission.admitted.is_empty() {
            // The channel closes with the recorder, and that ends after us.
            let _ = self.reports.send(Report::last(parcel, Vec::new(), held)).await;
            return;
        }
        let delivery = Delivery {
            gateway: Arc::clone(&self.gateway),
            submitter: Arc::clone(&self.submitter),
            reports: self.reports.clone(),
            limiter: Arc::clone(&self.limiter),
            stop: self.stop.clone(),
            parcel,
            held,
        };
        let task = self.deliveries.spawn(delivery.run(entry, admission.admitted));
        self.tasks.insert(task.id(), id);
    }

    /// Why a mail is kept back; who runs this is told once for each storm.
    fn tell_of(&self, held: &Held) -> String {
        let limits = rate_limits(&self.gateway);
        let (user, why) = match &held.storm {
            Storm::User(user) => {
                (user, format!("{user} has written to {} recipients within an hour (smtp.user_limit)", limits.per_user))
            }
            Storm::Event(user, uid) => {
                let most = limits.per_event;
                (
                    user,
                    format!(
                        "{user} has sent {most} mails about {uid} to the same recipient within an hour (smtp.event_limit)"
                    ),
                )
            }
        };
        let until = super::rfc3339(held.until);
        if held.is_news {
            tracing::warn!(
                user,
                until,
                "a storm of mail is stopped: {why}; the rest waits, `imipd outbox resume --user {user}` lets it go now"
            );
        }
        self.gateway.board.note_storm(user, &format!("{why}; the rest waits until {until}"), held.until);
        format!("kept back until {until}: {why}")
    }

    fn end(&mut self, ended: Result<(Id, Ended), JoinError>) {
        match ended {
            Ok((task, ended)) => {
                let id = self.tasks.remove(&task);
                match ended {
                    Ended::Served => self.troubles = 0,
                    Ended::Unserved => self.note_trouble(),
                    Ended::NotBegun => drop(id.map(|id| self.in_hand.remove(&id))),
                }
            }
            Err(error) => {
                tracing::error!(%error, "a delivery broke off; its mail is tried again");
                if let Some(id) = self.tasks.remove(&error.id()) {
                    self.in_hand.remove(&id);
                }
                self.must_look = true;
                self.rests_until = Some(Instant::now() + DATABASE_PAUSE);
            }
        }
    }

    /// What became of these mails stands in the outbox; others may have waited for that.
    fn release(&mut self, ids: &[i64]) {
        for id in ids {
            self.in_hand.remove(id);
        }
        self.must_look = true;
    }

    /// Forgets what was taken from the outbox and not begun: it may have been changed there.
    fn look_anew(&mut self) {
        self.queue.clear();
        self.must_look = true;
    }

    /// Without a server a long queue would only be put off mail by mail; the next one then is a question whether it is back.
    fn note_trouble(&mut self) {
        self.troubles = self.troubles.saturating_add(1);
        if self.troubles > TROUBLES_MAX {
            self.rests_until = Some(Instant::now() + pause(self.troubles - TROUBLES_MAX, TROUBLE_PAUSE_MAX));
        }
    }

    /// Lets the outbox alone for a while.
    fn rest(&mut self, error: &GatewayError) -> Duration {
        tracing::error!(%error, "cannot work through the outbox");
        self.rests_until = Some(Instant::now() + DATABASE_PAUSE);
        DATABASE_PAUSE
    }
}

fn rate_limits(gateway: &Gateway) -> RateLimits {
    let smtp = &gateway.config.smtp;
    RateLimits { per_user: smtp.user_limit, per_event: smtp.event_limit }
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

/// The value behind the lock; one that a panic has left counts wrong by one mail at most.
fn locked(limiter: &Mutex<RateLimiter>) -> MutexGuard<'_, RateLimiter> {
    limiter.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The server works again: what was kept back by its absence need not wait for its turn.
async fn note_success(gateway: &Gateway) -> Result<(), LedgerError> {
    if !gateway.board.smtp_error().is_empty() {
        gateway.board.set_smtp_error("");
        tracing::info!("the submission server takes mail again");
        gateway.ledger.retry_now(now_millis()).await?;
        gateway.bell.notify_one();
    }
    Ok(())
}
