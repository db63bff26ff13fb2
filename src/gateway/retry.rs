//! Dead letters that are taken up again, by the operator.
//!
//! | the mail | what follows |
//! |---|---|
//! | lies where it was, or is found by its Message-ID in a watched folder | it is processed as if it came now |
//! | has a keyword that is an answer, of which nothing was taken when it failed | the user has answered by it |
//! | fails again | it stays a dead letter, with one attempt more |
//! | is in no watched folder any more | it is no dead letter any more, and a decision says why |
//!
//! The dead letter goes in the transaction that decides about the mail: of two who take it up at the same time, the second finds it gone and
//! changes nothing.

use serde::{Deserialize, Serialize};

use super::limits::RETRY_LOGIN_MAX;
use super::reading::{Trouble, too_large};
use super::receive::{Attempt, DEAD_LETTER, Place, Taken, blank, ignored};
use super::trust::Extent;
use super::{Gateway, GatewayError};
use crate::config::User;
use crate::imip::Email;
use crate::imip::answer::Choice;
use crate::itip::Address;
use crate::ledger::{DeadLetter, DeadLetterFilter, DecisionRecord, Failure, LedgerError, MailNumber};
use crate::mailbox::{
    ChosenFolder, Fetched, Fields, ImapServer, ImapUid, MailStructure, MailboxError, Session, UidValidity,
};
use crate::tls::TlsError;

/// Why a dead letter could not be taken up.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    #[error("there is no dead letter {0}; `imipd status` lists them")]
    NoSuchLetter(i64),
    #[error("{0} is not in the configuration any more, so the mailbox cannot be opened")]
    NoSuchUser(String),
    #[error(transparent)]
    Mailbox(#[from] MailboxError),
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl From<LedgerError> for RetryError {
    fn from(error: LedgerError) -> Self {
        Self::Gateway(error.into())
    }
}

/// What became of a dead letter; the names are a promise to scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RetryOutcome {
    /// The mail was processed.
    Processed,
    /// It failed again.
    StillDead,
    /// It is in no watched folder any more.
    Gone,
    /// Somebody else has taken it up meanwhile.
    ByAnother,
    /// It could not be tried; everything is as it was.
    NotTried,
}

/// A dead letter that was taken up again; the names are a promise to scripts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Retried {
    pub id: i64,
    pub outcome: RetryOutcome,
    /// What was decided, or why nothing was, in sentences.
    pub text: String,
}

/// A mail that was found again.
struct Found {
    folder: ChosenFolder,
    uid_validity: UidValidity,
    mail: MailStructure,
}

/// How much of a mail is asked for before it is fetched.
#[derive(Clone, Copy)]
enum Look {
    Structure,
    /// Where the structure cannot be understood.
    SizeAlone,
}

impl Gateway {
    /// Takes up a dead letter; whatever stands against it is told in the outcome.
    pub async fn retry(&self, id: i64) -> Retried {
        let retried = match self.imap_server() {
            Ok(server) => self.retry_on(&server, id).await,
            Err(error) => Err(error.into()),
        };
        let (outcome, text) = retried.unwrap_or_else(|error| (RetryOutcome::NotTried, error.to_string()));
        Retried { id, outcome, text }
    }

    async fn retry_on(&self, server: &ImapServer, id: i64) -> Result<(RetryOutcome, String), RetryError> {
        let filter = DeadLetterFilter { id: Some(id), most: 1, ..DeadLetterFilter::default() };
        let letter = self.ledger.find_dead_letters(&filter).await?.pop().ok_or(RetryError::NoSuchLetter(id))?;
        let user = self.user(&Address::in_mail(&letter.user));
        let user = user.ok_or_else(|| RetryError::NoSuchUser(letter.user.clone()))?;
        let mut error = MailboxError::Spent;
        for look in [Look::Structure, Look::SizeAlone] {
            match self.fetch_again((server, &user), &letter, look).await {
                Ok(outcome) => return Ok(outcome),
                // The connection is spent, and a narrower question may still be answered.
                Err(RetryError::Mailbox(trouble)) if trouble.is_about_a_mail() => error = trouble,
                Err(other) => return Err(other),
            }
        }
        let failure = Trouble::Mailbox(&error).failure().ok_or(error)?;
        let role = crate::mailbox::FolderRole::Other;
        let place = Place { user: &user, folder: &letter.folder, role, cursor: None };
        self.bury_again((place, attempt(&letter, letter.number)), None, &failure).await
    }

    async fn fetch_again(
        &self,
        (server, user): (&ImapServer, &User),
        letter: &DeadLetter,
        look: Look,
    ) -> Result<(RetryOutcome, String), RetryError> {
        // Where logins are refused, one may have to wait for hours.
        let logging_in = tokio::time::timeout(RETRY_LOGIN_MAX, self.log_in(server, user)).await;
        let during = "logging in for a dead letter".to_owned();
        let mut session = logging_in.map_err(|_| MailboxError::Timeout { during, after: RETRY_LOGIN_MAX })??;
        let folders = self.choose_folders(&session.folders().await?).folders;
        let outcome = match find(&mut session, folders, (letter, look)).await? {
            Some(found) => self.process_again(&mut session, user, (letter, found)).await?,
            None => self.mail_is_gone(user, letter).await?,
        };
        // Whether the server hears it does not matter.
        let _ = tokio::time::timeout(std::time::Duration::from_secs(1), session.logout()).await;
        Ok(outcome)
    }

    async fn process_again(
        &self,
        session: &mut Session,
        user: &User,
        (letter, found): (&DeadLetter, Found),
    ) -> Result<(RetryOutcome, String), RetryError> {
        let place = Place { user, folder: &found.folder.shown, role: found.folder.role, cursor: None };
        let number = MailNumber { uid_validity: found.uid_validity.0, uid: found.mail.uid.0 };
        let attempt = attempt(letter, number);
        let fetched = session.fetch(&found.mail).await?;
        if let Some(failure) = too_large(&fetched) {
            let header = session.header(found.mail.uid).await?;
            return self.bury_again((place, attempt), header.as_deref(), &failure).await;
        }
        match fetched {
            Fetched::Mail(mail) => {
                let tagged = self.answer_of_tag(place, number, &mail.raw).await?;
                let attempt = Attempt { tagged, extent: Extent::of(&mail), ..attempt };
                Ok(outcome(self.receive_attempt(place, attempt, &mail.raw).await?))
            }
            Fetched::Vanished | Fetched::TooLarge { .. } => self.mail_is_gone(user, letter).await,
        }
    }

    /// The answer that a keyword on the mail gives and that was not taken, because the mail could not be: then a keyword stands on it, and
    /// the user has not answered by this mail. Of two keywords nobody knows which one was meant last.
    async fn answer_of_tag(
        &self,
        place: Place<'_>,
        number: MailNumber,
        raw: &[u8],
    ) -> Result<Option<Choice>, GatewayError> {
        let Some((look, tags)) = self.ledger.tags(place.user.key(), place.folder).await? else { return Ok(None) };
        let mut names = tags.into_iter().filter(|(uid, _)| *uid == number.uid).map(|(_, name)| name);
        let (Some(name), None) = (names.next(), names.next()) else { return Ok(None) };
        let is_open = look.uid_validity == number.uid_validity && !self.is_answered_by(place.user, raw).await?;
        Ok(Choice::ALL.into_iter().find(|choice| is_open && choice.as_str() == name))
    }

    async fn bury_again(
        &self,
        known: (Place<'_>, Attempt),
        header: Option<&[u8]>,
        failure: &Failure,
    ) -> Result<(RetryOutcome, String), RetryError> {
        Ok(outcome(self.bury(known, header, failure).await?))
    }

    async fn mail_is_gone(&self, user: &User, letter: &DeadLetter) -> Result<(RetryOutcome, String), RetryError> {
        let role = crate::mailbox::FolderRole::Other;
        let place = Place { user, folder: &letter.folder, role, cursor: None };
        let (message_id, sender) = (letter.message_id.clone(), letter.sender.clone());
        let record = DecisionRecord { message_id, sender, ..blank(place, &Email::default()) };
        let text = "Not taken: the mail is in no watched folder any more. It is no dead letter any more.";
        let attempt = attempt(letter, MailNumber::default());
        let taken = self.record(place, attempt, vec![ignored(record, "mail-is-gone", text)]).await?;
        Ok(match outcome(taken) {
            (RetryOutcome::Processed, text) => (RetryOutcome::Gone, text),
            other => other,
        })
    }
}

fn attempt(letter: &DeadLetter, number: MailNumber) -> Attempt {
    Attempt { dead_letter: Some(letter.id), ..Attempt::first(number) }
}

fn outcome(taken: Taken) -> (RetryOutcome, String) {
    let records = match taken {
        Taken::ByAnother => {
            return (RetryOutcome::ByAnother, "Somebody else has taken it up meanwhile.".to_owned());
        }
        Taken::Decided(records) => records,
    };
    let is_dead = records.iter().any(|record| record.verdict == DEAD_LETTER);
    let texts: Vec<_> = records.into_iter().map(|record| record.text).collect();
    match (is_dead, texts.is_empty()) {
        (true, _) => (RetryOutcome::StillDead, texts.join(" ")),
        (false, true) => (RetryOutcome::Processed, "There is no calendar in it.".to_owned()),
        (false, false) => (RetryOutcome::Processed, texts.join(" ")),
    }
}

/// The mail of a dead letter: by its number where that still holds, or else by its Message-ID in the folder that it was in, and then
/// in the others.
async fn find(
    session: &mut Session,
    mut folders: Vec<ChosenFolder>,
    (letter, look): (&DeadLetter, Look),
) -> Result<Option<Found>, MailboxError> {
    folders.sort_by_key(|folder| folder.shown != letter.folder);
    for folder in folders {
        let state = match session.examine(&folder.name).await {
            Ok(state) => state,
            Err(MailboxError::NoSuchFolder { .. }) => continue,
            Err(error) => return Err(error),
        };
        let uid_validity = state.uid_validity;
        let is_same = folder.shown == letter.folder && uid_validity.0 == letter.number.uid_validity;
        let mut uids = Vec::new();
        if is_same && letter.number.uid > 0 {
            uids.push(ImapUid(letter.number.uid));
        }
        if !letter.message_id.is_empty() && state.exists > 0 {
            uids.extend(session.find(&letter.message_id).await?);
        }
        for uid in uids {
            let mails = match look {
                Look::Structure => session.structures(uid, Some(uid), Fields::None).await?,
                Look::SizeAlone => session.sizes(uid, Some(uid)).await?,
            };
            if let Some(mail) = mails.into_iter().next() {
                return Ok(Some(Found { folder, uid_validity, mail }));
            }
        }
    }
    Ok(None)
}
