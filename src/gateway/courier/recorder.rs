//! What became of the mails, written down: the outcomes that come together are one commit, because the disk's answer to a
//! commit is what takes the time.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::delivery::{Parcel, Settled};
use super::{DATABASE_PAUSE, UNRECORDED_MAX};
use crate::gateway::delivered::Delivered;
use crate::gateway::watch::stopped;
use crate::gateway::{Gateway, GatewayError, now_millis};
use crate::ledger::RecipientState;

/// When the rest of a mail is looked at again.
#[derive(Clone, Debug)]
pub(super) enum Later {
    /// It was tried, and is tried again; Unix milliseconds.
    Postponed { until: i64, why: String },
    /// A rate limit keeps it back.
    Held { until: i64, why: String },
}

/// What became of a mail in one transaction with the server.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub parcel: Arc<Parcel>,
    pub settled: Vec<Settled>,
    pub later: Option<Later>,
    /// Whether nothing more is reported about the mail for now.
    pub is_last: bool,
}

impl Report {
    pub fn part(parcel: Arc<Parcel>, settled: Vec<Settled>) -> Self {
        Self { parcel, settled, later: None, is_last: false }
    }

    pub fn last(parcel: Arc<Parcel>, settled: Vec<Settled>, later: Option<Later>) -> Self {
        Self { parcel, settled, later, is_last: true }
    }
}

/// Writes down what is reported.
pub(super) struct Recorder {
    pub gateway: Arc<Gateway>,
    pub stop: watch::Receiver<bool>,
}

impl Recorder {
    /// Records until nobody can report any more; `recorded` hears of the mails about which all is written down.
    pub async fn run(mut self, mut reported: mpsc::Receiver<Report>, recorded: mpsc::UnboundedSender<Vec<i64>>) {
        let mut reports = Vec::new();
        while reported.recv_many(&mut reports, UNRECORDED_MAX).await > 0 {
            self.record(&reports).await;
            let done = reports.iter().filter(|report| report.is_last).map(|report| report.parcel.id).collect();
            // Nobody listens any more when the daemon stops.
            let _ = recorded.send(done);
            reports.clear();
        }
    }

    /// Records, however often it has to be tried: what is not written down goes again.
    ///
    /// When the daemon stops once more is tried, and then it is left at that.
    async fn record(&mut self, reports: &[Report]) {
        loop {
            let is_last_try = *self.stop.borrow();
            match self.gateway.record_deliveries(reports).await {
                Ok(()) => return reports.iter().for_each(log),
                Err(error) if is_last_try => {
                    tracing::error!(%error, mails = reports.len(), "what became of mails is not recorded; they go again");
                    return;
                }
                Err(error) => tracing::error!(%error, "cannot record what became of mails; nothing is sent meanwhile"),
            }
            tokio::select! {
                () = tokio::time::sleep(DATABASE_PAUSE) => {}
                () = stopped(&mut self.stop) => {}
            }
        }
    }
}

impl Gateway {
    /// Records outcomes in one transaction, the note in the calendar of who wrote included.
    async fn record_deliveries<'a>(&self, reports: &'a [Report]) -> Result<(), GatewayError> {
        let mut transaction = self.ledger.begin().await?;
        let at = now_millis();
        let of = |report: &'a Report| report.settled.iter().map(|one| (report.parcel.id, &one.recipient));
        let outcomes: Vec<_> = reports.iter().flat_map(of).collect();
        transaction.settle_all(&outcomes, at).await?;
        for report in reports {
            let id = report.parcel.id;
            let outcomes: Vec<_> = report.settled.iter().map(|one| one.recipient.clone()).collect();
            self.follow_up(&mut transaction, &report.parcel, &outcomes).await?;
            match &report.later {
                Some(Later::Postponed { until, why }) => transaction.postpone(id, *until, why).await?,
                Some(Later::Held { until, why }) => transaction.hold(id, *until, why).await?,
                None => {}
            }
        }
        for ((user, uid), statuses) in statuses(reports) {
            self.note_delivery(&mut transaction, (user, uid), &statuses).await?;
        }
        transaction.commit().await?;
        // Only now: who is woken earlier finds nothing yet.
        let has = |state| outcomes.iter().any(|(_, outcome)| outcome.state == state);
        if has(RecipientState::Failed) {
            self.failures.notify_one();
        }
        if self.config.smtp.save_sent && has(RecipientState::Sent) {
            self.copies.notify_one();
        }
        Ok(())
    }
}

/// What is to stand beside whom in which object; of two outcomes of one recipient the later one.
fn statuses(reports: &[Report]) -> BTreeMap<(&str, &str), BTreeMap<&str, Delivered>> {
    let mut objects: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for report in reports {
        let parcel = &report.parcel;
        let object = objects.entry((parcel.user.as_str(), parcel.cal_uid.as_str())).or_default();
        let delivered = |status| Delivered { status, owed_at: parcel.owed_at };
        object.extend(report.settled.iter().map(|one| (one.recipient.address.as_str(), delivered(one.status))));
    }
    objects
}

fn log(report: &Report) {
    let Parcel { message_id, method, .. } = report.parcel.as_ref();
    for Settled { recipient, .. } in &report.settled {
        let (to, detail) = (&recipient.address, &recipient.detail);
        match recipient.state {
            RecipientState::Sent => tracing::info!(message_id, to, method, "sent"),
            RecipientState::Waiting => tracing::warn!(message_id, to, method, detail, "put off"),
            RecipientState::Failed | RecipientState::Dropped => {
                tracing::error!(message_id, to, method, detail, "not delivered");
            }
        }
    }
}
