//! Mails that fail: how often each is tried, and the dead letter that it becomes.
//!
//! | what fails | attempts | then |
//! |---|---|---|
//! | the connection, before a mail is asked for | without end | it is no mail's fault |
//! | the database as a whole | without end | the same |
//! | the connection, or a refusal, while this mail is asked for | 8 | dead letter |
//! | an answer about this mail that cannot be understood | 2 | dead letter |
//! | a mail that is too large | 1 | dead letter |
//! | a fault of ours while it is decided | 1 | dead letter (`receive`) |
//!
//! Attempts are counted in the database, so that a daemon which dies of a mail comes past it as well. There is one
//! count for each folder, because mails are read in their order.

use std::panic::catch_unwind;

use super::limits::{ATTEMPTS_MAX, TOO_LARGE_ATTEMPTS_MAX, UNREADABLE_ATTEMPTS_MAX};
use super::receive::{Attempt, DEAD_LETTER, Place, Taken, blank};
use super::{Gateway, GatewayError};
use crate::imip::extract;
use crate::ledger::{DecisionRecord, Failure, Failures, MailNumber};
use crate::mailbox::{Fetched, MailboxError};

/// Why a mail could not be processed.
#[derive(Debug)]
pub enum Trouble<'a> {
    /// It could not be fetched.
    Mailbox(&'a MailboxError),
    /// What follows from it could not be stored.
    Gateway(&'a GatewayError),
}

impl Trouble<'_> {
    /// The failure to count; nothing when no mail is to blame.
    pub fn failure(&self) -> Option<Failure> {
        let (attempts_max, reason, error) = match self {
            Self::Gateway(error) if error.is_about_the_database() => return None,
            Self::Gateway(error) => (UNREADABLE_ATTEMPTS_MAX, "cannot-be-stored", error.to_string()),
            Self::Mailbox(MailboxError::Spent) => return None,
            Self::Mailbox(error) if !error.is_transient() => {
                (UNREADABLE_ATTEMPTS_MAX, "unreadable-mail", error.to_string())
            }
            Self::Mailbox(error) => (ATTEMPTS_MAX, "cannot-be-fetched", error.to_string()),
        };
        Some(Failure { attempts_max, reason: reason.to_owned(), error })
    }
}

/// What is wrong with a mail of which the server told the size; nothing when it was fetched, or is gone.
pub(super) fn too_large(fetched: &Fetched) -> Option<Failure> {
    match fetched {
        Fetched::Mail(_) | Fetched::Vanished => None,
        Fetched::TooLarge { what, octets, octets_max } => Some(Failure {
            attempts_max: TOO_LARGE_ATTEMPTS_MAX,
            reason: "too-large".to_owned(),
            error: format!("{what} has {octets} bytes, more than the {octets_max} that are read"),
        }),
    }
}

impl Gateway {
    /// Counts a failure of a mail; all of them now.
    pub async fn count_failure(
        &self,
        place: Place<'_>,
        number: MailNumber,
        failure: Failure,
    ) -> Result<Failures, GatewayError> {
        let folder = (place.user.key(), place.folder);
        let attempts = self.ledger.count_failure(folder, number, &failure).await?;
        Ok(Failures { number, attempts, last: failure })
    }

    /// Makes a mail a dead letter and commits that, the cursor included.
    ///
    /// Shape: `header` is the header of the mail, as far as it could be had; it tells who sent the mail and under which Message-ID.
    pub async fn bury(
        &self,
        (place, attempt): (Place<'_>, Attempt),
        header: Option<&[u8]>,
        failure: &Failure,
    ) -> Result<Taken, GatewayError> {
        let email = header.and_then(|header| catch_unwind(|| extract(header)).ok()).unwrap_or_default();
        let text = format!("Not taken: {}. It is mail {} of the folder.", failure.error, attempt.number.uid);
        let (verdict, reason) = (DEAD_LETTER.to_owned(), failure.reason.clone());
        let record = DecisionRecord { verdict, reason, text, ..blank(place, &email) };
        self.record(place, attempt, vec![record]).await
    }
}
