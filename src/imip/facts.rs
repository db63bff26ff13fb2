//! What a mail tells its human reader: the facts of the event, already interpreted.

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use chrono_tz::Tz;

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

/// The facts; a missing one is not mentioned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    pub summary: Option<String>,
    pub description: Option<String>,
    pub location: Option<String>,
    pub start: Option<When>,
    /// The end as DTEND has it: exclusive, so the day after the last one for whole days (RFC 5545 §3.6.1).
    pub end: Option<When>,
    /// The recurrence in words, such as "every week on Tuesday".
    pub recurrence: Option<String>,
    /// COMMENT of the one who sends.
    pub comment: Option<String>,
    /// What a REPLY answers.
    pub answer: Option<Answer>,
    /// The attendee's name, or address: who answers, proposes or asks.
    pub attendee: Option<String>,
    /// The organizer's name, or address: who invites, changes or cancels.
    pub organizer: Option<String>,
    /// What an update replaces; `None` within it is a fact that was not there.
    pub before: Option<Box<Earlier>>,
}

/// The facts that an update may have changed, as they were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Earlier {
    pub summary: Option<String>,
    pub location: Option<String>,
    pub start: Option<When>,
    pub end: Option<When>,
    pub recurrence: Option<String>,
}
