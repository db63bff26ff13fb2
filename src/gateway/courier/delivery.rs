//! One mail on its way: transactions of so many recipients, and what became of each.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::recorder::{Later, Report};
use super::{locked, note_success, pause};
use crate::gateway::notice::NOTE;
use crate::gateway::{Gateway, now_millis};
use crate::itip::Address;
use crate::ledger::{OutboxEntry, OutboxRecipient, RecipientState};
use crate::outbox::rate::RateLimiter;
use crate::outbox::smtp::{Envelope, Outcome, Reports, SmtpError, Submission, Submitter};
use crate::outbox::status;

/// The longest rest of a mail that the server has put off: greylisting wants minutes, a full mailbox hours.
const REFUSED_PAUSE_MAX: Duration = Duration::from_secs(3_600);

/// The longest rest of a mail for which there was no server.
const UNREACHABLE_PAUSE_MAX: Duration = Duration::from_secs(300);

/// What is recorded about a mail, without its text.
#[derive(Clone, Debug)]
pub(in crate::gateway) struct Parcel {
    pub id: i64,
    pub user: String,
    pub cal_uid: String,
    pub method: String,
    pub message_id: String,
    /// When it was owed, Unix milliseconds.
    pub owed_at: i64,
}

impl From<&OutboxEntry> for Parcel {
    fn from(entry: &OutboxEntry) -> Self {
        let debt = &entry.debt;
        Self {
            id: entry.id,
            user: debt.user.clone(),
            cal_uid: debt.cal_uid.clone(),
            method: debt.method.clone(),
            message_id: debt.message_id.clone(),
            owed_at: debt.created_at,
        }
    }
}

/// What became of a mail for one recipient, as it is recorded, and as calendar programs know it (RFC 6638 §3.2.9).
#[derive(Clone, Debug)]
pub(super) struct Settled {
    pub recipient: OutboxRecipient,
    pub status: &'static str,
}

/// How a delivery came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The server has answered.
    Served,
    /// There was no server to speak to.
    Unserved,
    /// The daemon stops; nothing has been said about this mail.
    NotBegun,
}

/// One mail on its way.
pub(super) struct Delivery {
    pub gateway: Arc<Gateway>,
    pub submitter: Arc<Submitter>,
    pub reports: mpsc::Sender<Report>,
    pub limiter: Arc<Mutex<RateLimiter>>,
    pub stop: watch::Receiver<bool>,
    pub parcel: Arc<Parcel>,
    /// Why some of those who wait for it are left out now.
    pub held: Option<Later>,
}

impl Delivery {
    /// Submits a mail to these recipients, transaction after transaction, and reports what became of each.
    ///
    /// If we die between the server's answer and the commit that the report leads to, the mail goes again to the
    /// recipients of that transaction, with the same Message-ID.
    pub async fn run(self, entry: OutboxEntry, recipients: Vec<Address>) -> Ended {
        let (sender, token) = self.gateway.envelope(&entry);
        let reports = if entry.debt.method == NOTE { Reports::Never } else { Reports::OfFailures { id: &token } };
        let envelope = Envelope { from: &sender, reports };
        let mut untried = recipients;
        let mut put_off = None;
        while !untried.is_empty() {
            if *self.stop.borrow() {
                return self.stopped(untried).await;
            }
            let submission = self.submitter.submit(envelope, &untried, &entry.debt.raw).await;
            match submission {
                Ok(submission) => {
                    untried.clone_from(&submission.untried);
                    let settled = self.settled(&entry, &submission);
                    let deferred = settled.iter().find(|one| one.recipient.state == RecipientState::Waiting);
                    put_off = put_off.or_else(|| deferred.map(|one| one.recipient.detail.clone()));
                    self.refund(&settled);
                    if let Err(error) = note_success(&self.gateway).await {
                        tracing::error!(%error, "cannot make the waiting mails due");
                    }
                    if untried.is_empty() {
                        let later = put_off.map(|why| self.postponed(&entry, why, REFUSED_PAUSE_MAX)).or(self.held);
                        self.reports.send(Report::last(self.parcel, settled, later)).await.ok();
                        return Ended::Served;
                    }
                    self.reports.send(Report::part(Arc::clone(&self.parcel), settled)).await.ok();
                }
                // Closing the pool looks like a server that cannot be reached.
                Err(_) if *self.stop.borrow() => return self.stopped(untried).await,
                Err(error) => return self.failed(&entry, &untried, &error).await,
            }
        }
        Ended::Served
    }

    /// What the server said, as it is recorded.
    fn settled(&self, entry: &OutboxEntry, submission: &Submission) -> Vec<Settled> {
        let has_expired = self.has_expired(entry);
        submission.outcomes().map(|(address, outcome)| settled(address, outcome, has_expired)).collect()
    }

    /// The daemon stops: what was not begun waits in the outbox, and what was sent before is recorded.
    async fn stopped(self, untried: Vec<Address>) -> Ended {
        self.refund_all(&untried);
        // Nothing of the last transaction is known or wanted any more, but earlier ones may have been reported.
        self.reports.send(Report::last(self.parcel, Vec::new(), None)).await.ok();
        Ended::NotBegun
    }

    async fn failed(self, entry: &OutboxEntry, untried: &[Address], error: &SmtpError) -> Ended {
        self.note_trouble(error);
        self.refund_all(untried);
        let report = if self.has_expired(entry) {
            let detail = format!("given up after smtp.give_up_after: {error}");
            let failed = |address: &Address| Settled {
                recipient: recipient(address, RecipientState::Failed, detail.clone()),
                status: status::NOT_DELIVERED,
            };
            Report::last(self.parcel, untried.iter().map(failed).collect(), self.held)
        } else {
            let later = self.postponed(entry, error.to_string(), UNREACHABLE_PAUSE_MAX);
            let waiting = |address: &Address| Settled {
                recipient: recipient(address, RecipientState::Waiting, String::new()),
                status: status::PENDING,
            };
            Report::last(self.parcel, untried.iter().map(waiting).collect(), Some(later))
        };
        self.reports.send(report).await.ok();
        match error {
            // The server was there; it may be this very mail that it does not like.
            SmtpError::Unknown { .. } | SmtpError::Protocol { .. } => Ended::Served,
            SmtpError::Unreachable { .. }
            | SmtpError::Tls { .. }
            | SmtpError::AuthRefused { .. }
            | SmtpError::NoToken { .. }
            | SmtpError::Refused { .. } => Ended::Unserved,
        }
    }

    /// When a mail is tried again; for the last time when the time for it is over.
    fn postponed(&self, entry: &OutboxEntry, why: String, most: Duration) -> Later {
        let rest = millis(pause(entry.attempts, most));
        let last = entry.tried_since.saturating_add(millis(self.gateway.config.smtp.give_up_after)).saturating_add(1);
        let now = now_millis();
        // Never at once: the clock may say that the end is this very moment.
        Later::Postponed { until: now.saturating_add(rest).min(last.max(now + 1_000)), why }
    }

    fn has_expired(&self, entry: &OutboxEntry) -> bool {
        let age = u64::try_from(now_millis() - entry.tried_since).unwrap_or(0);
        Duration::from_millis(age) > self.gateway.config.smtp.give_up_after
    }

    fn note_trouble(&self, error: &SmtpError) {
        let text = error.to_string();
        if self.gateway.board.smtp_error() != text {
            tracing::warn!(%error, "the submission server does not take mail");
            self.gateway.board.set_smtp_error(&text);
        }
    }

    /// Only what left is counted.
    fn refund(&self, settled: &[Settled]) {
        let unsent = settled.iter().filter(|one| one.recipient.state != RecipientState::Sent);
        let unsent: Vec<Address> = unsent.map(|one| Address::in_mail(&one.recipient.address)).collect();
        self.refund_all(&unsent);
    }

    fn refund_all(&self, recipients: &[Address]) {
        let mut limiter = locked(&self.limiter);
        for recipient in recipients {
            limiter.refund((&self.parcel.user, &self.parcel.cal_uid), recipient);
        }
    }
}

fn settled(address: &Address, outcome: Outcome, has_expired: bool) -> Settled {
    let (state, detail, status) = match outcome {
        Outcome::Accepted { response } => (RecipientState::Sent, response, status::SENT),
        Outcome::Refused(refusal) if refusal.permanent => {
            (RecipientState::Failed, refusal.to_string(), status::of_refusal(&refusal))
        }
        Outcome::Refused(refusal) if has_expired => {
            (RecipientState::Failed, format!("given up after smtp.give_up_after: {refusal}"), status::NOT_DELIVERED)
        }
        Outcome::Refused(refusal) => (RecipientState::Waiting, refusal.to_string(), status::PENDING),
    };
    Settled { recipient: recipient(address, state, detail), status }
}

fn recipient(address: &Address, state: RecipientState, detail: String) -> OutboxRecipient {
    OutboxRecipient { address: address.to_string(), state, detail }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}
