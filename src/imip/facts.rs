//! What a mail tells its human reader: the facts of the event, already interpreted, in no language yet.

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use chrono_tz::Tz;

use super::recurrence::Recurrence;

/// What the mail is about, in its reader's eyes. METHOD alone does not tell an invitation from an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// REQUEST for something new to the reader.
    Invitation,
    /// REQUEST for something the reader has been told before.
    Update,
    /// ADD, or the REQUEST sent in its place: further instances of a series.
    NewDates,
    /// CANCEL of everything, or of the instances the mail names.
    Cancellation,
    /// REPLY. The answer itself is in [`Facts::answer`].
    Reply,
    /// COUNTER: another time is proposed.
    Counter,
    /// DECLINECOUNTER: the proposal is turned down.
    CounterDeclined,
    /// REFRESH: the reader is asked to send the event again.
    Refresh,
    /// PUBLISH: for information.
    Publication,
}

/// The participation status in a REPLY, as far as it has words of its own (RFC 5545 §3.2.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Accepted,
    Declined,
    Tentative,
    Delegated,
    Completed,
    InProcess,
    /// NEEDS-ACTION, or a status this program does not know.
    Undecided,
}

/// A point in time as a human reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// A whole day (VALUE=DATE).
    Day(NaiveDate),
    /// An instant in a zone that is known by name.
    At(DateTime<Tz>),
    /// A local time whose zone is known only by what the sender called it, or not at all (floating).
    Local { time: NaiveDateTime, zone: Option<String> },
}

impl When {
    /// The day it falls on, on its own clock.
    pub fn day(&self) -> NaiveDate {
        match self {
            When::Day(day) => *day,
            When::At(time) => time.date_naive(),
            When::Local { time, .. } => time.date(),
        }
    }
}

/// How much of a series the mail speaks of (RFC 5545 §3.8.4.4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// All of it; also what is no series.
    #[default]
    Whole,
    /// Single instances: when each of those takes place that are listed, in order, and how many are not listed.
    Instances { dates: Vec<When>, unlisted: usize },
    /// One instance and all that follow it.
    FromOn(When),
}

/// The addresses behind which one recipient answers; personal, so a mail that has them goes to nobody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    pub yes: String,
    pub no: String,
    pub maybe: String,
}

/// The facts; a missing one is not mentioned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    pub summary: Option<String>,
    pub description: Option<String>,
    pub location: Option<String>,
    pub start: Option<When>,
    /// The end as DTEND has it: exclusive, so the day after the last one for whole days (RFC 5545 §3.6.1). Of a VTODO
    /// it is when it is due, and that day counts.
    pub end: Option<When>,
    pub recurrence: Option<Recurrence>,
    pub scope: Scope,
    /// COMMENT of the one who sends.
    pub comment: Option<String>,
    /// What a REPLY answers.
    pub answer: Option<Answer>,
    /// The attendee's name, or address: who answers, proposes or asks.
    pub attendee: Option<String>,
    /// The organizer's name, or address: who invites, changes or cancels.
    pub organizer: Option<String>,
    /// The address of whoever acts for the one who speaks (SENT-BY, RFC 5545 §3.2.18).
    pub sent_by: Option<String>,
    /// What an update replaces; `None` within it is a fact that was not there.
    pub before: Option<Box<Earlier>>,
    /// Shown when they are there.
    pub links: Option<Links>,
}

/// The facts that an update may have changed, as they were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Earlier {
    pub summary: Option<String>,
    pub location: Option<String>,
    pub start: Option<When>,
    pub end: Option<When>,
    pub recurrence: Option<Recurrence>,
    /// Whether the description was another one; it is too long to be shown twice.
    pub has_other_description: bool,
}
