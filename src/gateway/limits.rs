//! Limits on how often something is tried, in one place.

use std::time::Duration;

/// Attempts at a mail that fails for what may pass: the server hangs up, refuses for the moment, or falls silent.
///
/// With the pauses between two connections they take some three minutes.
pub(super) const ATTEMPTS_MAX: u32 = 8;

/// Attempts at a mail of which the server tells what cannot be understood, or that is larger than what is read.
pub(super) const UNREADABLE_ATTEMPTS_MAX: u32 = 2;

/// Attempts at a mail that is known to be too large.
pub(super) const TOO_LARGE_ATTEMPTS_MAX: u32 = 1;

/// How long the login may take with which a dead letter is taken up again.
pub(super) const RETRY_LOGIN_MAX: Duration = Duration::from_secs(60);

/// How long all of that may take.
pub(super) const RETRY_MAX: Duration = Duration::from_secs(5 * 60);

/// How long a keyword waits for others of the same folder.
pub(super) const MARK_DELAY_MILLIS: i64 = 2_000;

/// Keywords that are set on one connection.
pub(super) const MARKS_MAX: u32 = 500;

/// Attempts at a keyword; with an hour between the last ones some two days.
pub(super) const MARK_ATTEMPTS_MAX: u32 = 60;

/// The first rest after trouble with a keyword, and the longest.
pub(super) const MARK_PAUSE_MILLIS: (i64, i64) = (5_000, 3_600_000);

/// Recipients of a message who get links of their own, and so a mail of their own; beyond, nobody does.
pub(super) const LINKED_RECIPIENTS_MAX: usize = 50;

/// Mails by which one address learns within a day that its answers could not be taken, and all addresses that wrote to one user.
pub(super) const NOT_TAKEN_TO_ONE_MAX: u32 = 5;
pub(super) const NOT_TAKEN_TO_ALL_MAX: u32 = 100;

/// Notes and notices to a user within a day, beyond which they are not told any more that an answer was not taken.
pub(super) const NOT_TAKEN_TO_USER_MAX: u32 = 200;

/// The notices, newest first, among which the one is looked for whose link was used.
pub(super) const QUESTIONS_SEARCHED_MAX: u32 = 2_000;

/// Answers of one attendee within an hour that their organizer gets mails about; the calendar follows further ones as well.
pub(super) const ANSWERS_TOLD_MAX: u32 = 10;

/// Objects of a user among which it is looked for what an invitation collides with: those that were changed last.
pub(super) const CONFLICT_OBJECTS_MAX: u32 = 2_000;

/// How far ahead that is looked for.
pub(super) const CONFLICT_YEARS: i64 = 20;

/// Collisions that a notice lists; the others are counted.
pub(super) const CONFLICTS_LISTED_MAX: usize = 5;
