//! Who did not get a mail is told to its user: once, in words, by a mail to their own mailbox.
//!
//! | what happens | what is written, in one transaction |
//! |---|---|
//! | a server refuses a recipient for good, we give up, or a report comes back | who failed, and when to tell |
//! | that time has come | the note in the outbox, and that all who failed of that mail are told |
//!
//! A note goes through the outbox like any mail. When it is not delivered, that is the end: nobody is told of a note.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::chore::Chore;
use super::courier::Parcel;
use super::{Gateway, GatewayError, now_millis};
use crate::imip::{ComposeError, ComposedMail, Failure, Mailbox, Undelivered, compose_undelivered};
use crate::itip::{Address, Method};
use crate::ledger::{Debt, LedgerError, OutboxRecipient, RecipientState, Transaction, Untold};

/// How long the failures of one mail are gathered, Unix milliseconds: servers report recipient by recipient.
pub(super) const GATHERING_MILLIS: i64 = 5_000;

/// The method of a note in the outbox; it is no scheduling message.
pub(super) const NOTE: &str = "NOTE";

/// How long to wait when nobody is to be told; the bell rings earlier.
const NAP: Duration = Duration::from_secs(600);

/// Tells what is to be told until the daemon stops.
pub async fn run(gateway: Arc<Gateway>, stop: watch::Receiver<bool>) {
    let mut chore = Chore::new("what was not delivered", &gateway.failures, stop);
    while chore.goes_on() {
        chore.turn(gateway.tell_undelivered(now_millis())).await;
    }
}

impl Gateway {
    /// What follows from the outcomes of a delivery, written in the transaction that records them: the user is told of who did not get it, and
    /// gets a copy of what was sent.
    pub(super) async fn follow_up(
        &self,
        transaction: &mut Transaction,
        parcel: &Parcel,
        outcomes: &[OutboxRecipient],
    ) -> Result<(), LedgerError> {
        if parcel.method == NOTE {
            return Ok(());
        }
        let now = now_millis();
        for outcome in outcomes.iter().filter(|outcome| outcome.state == RecipientState::Failed) {
            let untold = Untold {
                user: parcel.user.clone(),
                cal_uid: parcel.cal_uid.clone(),
                address: outcome.address.clone(),
                outbox_id: parcel.id,
                method: parcel.method.clone(),
                detail: outcome.detail.clone(),
                failed_at: now,
            };
            transaction.note_undelivered(&untold, now + GATHERING_MILLIS).await?;
        }
        if self.config.smtp.save_sent && outcomes.iter().any(|outcome| outcome.state == RecipientState::Sent) {
            transaction.owe_copy(parcel.id, now).await?;
        }
        Ok(())
    }

    /// Enters the notes that are due at `now`, Unix milliseconds; how long until the next ones are.
    pub async fn tell_undelivered(&self, now: i64) -> Result<Duration, GatewayError> {
        loop {
            let mut transaction = self.ledger.begin().await?;
            let untold = transaction.take_untold(now).await?;
            let Some(first) = untold.first().cloned() else { break };
            self.owe_note(&mut transaction, &first, untold).await?;
            transaction.commit().await?;
            self.bell.notify_one();
        }
        let next = self.ledger.next_untold_at().await?;
        let wait = next.map(|at| Duration::from_millis(u64::try_from(at.saturating_sub(now)).unwrap_or(0)));
        Ok(wait.unwrap_or(NAP).min(NAP).max(Duration::from_millis(10)))
    }

    async fn owe_note(
        &self,
        transaction: &mut Transaction,
        first: &Untold,
        untold: Vec<Untold>,
    ) -> Result<(), GatewayError> {
        // The user may be gone from the configuration, the mail from the outbox; then there is nobody to tell, or nothing to say.
        let Some(user) = self.user(&Address::in_mail(&first.user)) else { return Ok(()) };
        let user = &*user;
        let Some(about) = transaction.subject_of(first.outbox_id).await? else { return Ok(()) };
        let failures: Vec<Failure> = untold
            .into_iter()
            .map(|one| Failure { recipient: Address::in_mail(&one.address), why: one.detail })
            .collect();
        let own = Mailbox { address: user.main_address().clone(), name: user.name.clone() };
        let notice = Undelivered {
            user: own,
            method: Method::parse(&first.method),
            subject: &about.subject,
            message_id: &about.message_id,
            failures: &failures,
            date: now_millis() / 1_000,
            language: user.language,
        };
        match self.note(&notice, user.key()) {
            Ok(debt) => {
                transaction.owe(&debt).await?;
                tracing::info!(
                    user = user.key(),
                    about = about.message_id,
                    failed = failures.len(),
                    "the user is told"
                );
            }
            Err(error) => tracing::error!(user = user.key(), %error, "a note cannot be written"),
        }
        Ok(())
    }

    /// The note as a debt.
    ///
    /// It is about no object, so that it stands in no thread and keeps no update back. Its envelope sender is the user's own address, since many
    /// submission services refuse an empty one; a note that comes back to them is marked as failed and goes no further.
    fn note(&self, notice: &Undelivered<'_>, user: &str) -> Result<Debt, ComposeError> {
        let mail = compose_undelivered(notice, &self.wording)?;
        for fault in &mail.broken {
            tracing::warn!(fault, "the words of a note are not as configured");
        }
        let own = &notice.user.address;
        Ok(note_debt(user, (own, own), mail))
    }
}

/// A note from a user's address to somebody as a debt: about no object, so that it stands in no thread and keeps no update back;
/// when it comes back, that is the end of it.
pub(super) fn note_debt(user: &str, (from, to): (&Address, &Address), mail: ComposedMail) -> Debt {
    Debt {
        user: user.to_owned(),
        cal_uid: String::new(),
        message_id: mail.message_id,
        sender: from.to_string(),
        recipients: vec![to.to_string()],
        method: NOTE.to_owned(),
        subject: mail.subject,
        raw: mail.raw,
        dtstamp: 0,
        created_at: now_millis(),
    }
}
