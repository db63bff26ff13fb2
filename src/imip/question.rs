//! A note from the gateway to its own user that asks something: what, when, what else is then, and how to answer.
//!
//! It is plain text without a calendar, so that no program takes it for an invitation; the user answers it as people answer mails.

use super::compose::{ComposeError, ComposedMail, Mailbox};
use super::facts::{Facts, Occasion, When};
use super::language::Language;
use super::notice::{About, note};
use super::{Wording, limits};
use crate::digest;

/// What the user may say to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// Whether they come.
    Invitation,
    /// Whether they believe the sender.
    Unproven,
    /// Whether they take a proposal.
    Counter,
    /// Whether somebody may come who was not invited.
    Crasher,
}

/// Something else at the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    pub summary: String,
    pub start: When,
    pub end: Option<When>,
}

/// What else is in the user's calendar then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conflicts {
    pub listed: Vec<Conflict>,
    /// How many more there are.
    pub unlisted: usize,
}

/// A question to a user.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// The user, to whom it goes.
    pub user: Mailbox,
    pub language: Language,
    pub asks: Asks,
    /// What it is about.
    pub occasion: Occasion,
    /// The kind of the components, such as `VEVENT`.
    pub component: &'a str,
    pub facts: Facts,
    /// The address of whoever wrote the mail that it is about.
    pub sender: &'a str,
    /// The Message-ID of that mail, with its angle brackets; empty where it has none.
    pub about: &'a str,
    /// The UID, the instance and the revision: the same question is the same mail.
    pub key: &'a [&'a str],
    /// Where it was looked for.
    pub conflicts: Option<Conflicts>,
    /// The folders that are answers, where there are such.
    pub folders: Option<[String; 3]>,
    /// Date, in unix seconds.
    pub date: i64,
}

/// Writes the question.
///
/// Errors: [`ComposeError::NotMailable`] when the user has no mail address.
pub fn compose_question(question: &Question<'_>, wording: &Wording) -> Result<ComposedMail, ComposeError> {
    let address = &question.user.address;
    if !address.is_mailable() {
        return Err(ComposeError::NotMailable(address.as_str().chars().take(limits::NAME_CHARS_MAX).collect()));
    }
    let name = match question.asks {
        Asks::Invitation => "question-invitation",
        Asks::Unproven => "question-unproven",
        Asks::Counter => "question-counter",
        Asks::Crasher => "question-crasher",
    };
    let fields =
        [name, address.as_str(), question.about, question.sender].into_iter().chain(question.key.iter().copied());
    let hash = digest::shortened(&digest::of_fields(fields));
    let message_id = format!("{hash}@{}", super::compose::id_domain(address));
    let about = About { user: &question.user, message_id: question.about, date: question.date };
    Ok(note(&about, message_id, wording.ask(question)))
}
