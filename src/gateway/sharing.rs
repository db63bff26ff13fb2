//! Answers are shown to the other attendees, some time after the first of them (RFC 5546 §3.2.2.2).
//!
//! | what happens | what is written, in one transaction |
//! |---|---|
//! | an answer is taken, and the policy shares answers | the calendar, and who has answered |
//! | the time to gather answers is over | the REQUEST in the outbox, and that nobody's answer waits any more |
//! | the same, but the object, the user or the policy is gone | that nobody's answer waits any more |
//!
//! Whoever dies in between finds the answers still waiting, or the REQUEST in the outbox, and never both.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::letter::Occasioned;
use super::{Gateway, GatewayError, now_millis};
use crate::config::User;
use crate::itip::{Address, CalUid, Outgoing, Revisions, announce};
use crate::ledger::{LedgerError, Transaction};

/// How many objects are looked after at once.
const BATCH: u32 = 100;

impl Gateway {
    /// Notes whose answers have just been taken: those whose REPLY is now remembered, and was not before.
    pub(super) async fn gather_answers(
        &self,
        transaction: &mut Transaction,
        (user, uid): (&User, &CalUid),
        (before, after): (&Revisions, &Revisions),
    ) -> Result<(), LedgerError> {
        let Some(gathering) = self.config.policy.share_answers else { return Ok(()) };
        let due_at = now_millis().saturating_add(millis(gathering));
        let taken = after.replies.iter().filter(|(key, revision)| before.replies.get(*key) != Some(*revision));
        let attendees: BTreeSet<&Address> = taken.map(|((_, attendee), _)| attendee).collect();
        for attendee in attendees {
            transaction.gather_answer((user.key(), &uid.0), attendee.as_str(), due_at).await?;
        }
        Ok(())
    }

    /// Enters the REQUESTs by which the answers that are due at `now`, Unix milliseconds, are shared.
    pub async fn share_answers(&self, now: i64) -> Result<(), GatewayError> {
        for (user, uid) in self.ledger.answers_due(now, BATCH).await? {
            self.share_answers_about(&user, &CalUid(uid)).await?;
        }
        Ok(())
    }

    async fn share_answers_about(&self, user: &str, uid: &CalUid) -> Result<(), GatewayError> {
        // While a source of users cannot be asked, nobody is known to be gone.
        if self.user(&Address::in_mail(user)).is_none() && !self.failing_sources().is_empty() {
            return Ok(());
        }
        let mut transaction = self.ledger.begin().await?;
        let answered = transaction.take_answers(user, &uid.0).await?;
        let answered: Vec<Address> = answered.iter().map(|address| Address::in_mail(address)).collect();
        // The configuration may have changed since the answers came.
        let user = self.user(&Address::in_mail(user)).filter(|_| self.config.policy.share_answers.is_some());
        if let Some(user) = user
            && let Some(outgoing) = self.shared(&mut transaction, &user, uid, &answered).await?
        {
            match self.write(&mut transaction, &user, &outgoing, Occasioned::ByTime).await? {
                Ok(debts) => {
                    for debt in &debts {
                        self.owe(&mut transaction, &outgoing.object, debt).await?;
                    }
                    let recipients: usize = debts.iter().map(|debt| debt.recipients.len()).sum();
                    let answers = answered.len();
                    tracing::info!(user = user.key(), uid = %uid, answers, recipients, "answers are shared");
                }
                Err(error) => tracing::error!(user = user.key(), uid = %uid, %error, "answers cannot be shared"),
            }
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The REQUEST that shows the others who has answered; nothing when nobody is to be told.
    async fn shared(
        &self,
        transaction: &mut Transaction,
        user: &User,
        uid: &CalUid,
        answered: &[Address],
    ) -> Result<Option<Outgoing>, GatewayError> {
        let Some(object) = self.held(transaction, user, uid).await? else { return Ok(None) };
        let author = user.author(self.next_dtstamp(transaction, user, uid).await?);
        let shared = catch_unwind(AssertUnwindSafe(|| announce::share_answers(&object, answered, author)));
        // A fault of ours costs this one mail, and not the courier.
        Ok(shared.unwrap_or_else(|_| {
            tracing::error!(user = user.key(), uid = %uid, "a fault of imipd: answers cannot be shared");
            None
        }))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
