//! What is owed when a user changes an object of their own (RFC 5546 §2.1.4, RFC 6638 §3.2).
//!
//! | the user is | and | goes to |
//! |---|---|---|
//! | ORGANIZER | puts or deletes | [`organizer`] |
//! | an ATTENDEE | puts or deletes | [`attendee`] |
//! | neither | | refused as `NotOrganizerNorAttendee` |
//! | either, and has put a DTSTART that is no time | refused as `ICalendarParseError` |
//! | either, but SCHEDULE-AGENT on ORGANIZER is not SERVER | | refused as `OtherSchedulingAgent` |
//! | ORGANIZER | has got answers that the others may see | [`share_answers`] |
//! | either | takes up a proposal, delegates, or words a wish | [`settle`] |
//! | either | proposes, refuses a proposal, asks or publishes | [`propose`] |
//! | either, of a VJOURNAL | | refused as `InvalidComponentType` |

mod attendee;
mod debts;
mod delegation;
mod message;
mod on_behalf;
mod organizer;
mod propose;
mod recipients;
mod replies;
mod respond;
mod settle;
mod share;

pub use message::full_request;
pub(super) use message::question;
pub use on_behalf::{Said, reply_on_behalf};
pub(super) use organizer::cancel_of_whole;
pub use propose::{counter, decline_counter, publish, refresh};
pub use respond::{Answer, answer, respond};
pub use settle::{Wish, accept_counter, admit, delegate, wished};
pub use share::share_answers;

use super::address::Address;
use super::component::{ComponentExt, ScheduleAgent};
use super::decision::{Announcement, Refusal};
use super::object::{CalendarObject, Kind};
use super::revision::Revisions;

/// What the engine has to know besides the object: who, when, and in whose name.
#[derive(Clone, Copy, Debug)]
pub struct Author<'a> {
    /// All addresses of the user whose calendar it is; the first is the main one.
    pub addresses: &'a [Address],
    /// The time of the message, Unix seconds.
    pub now: i64,
    /// PRODID of what the engine writes.
    pub prodid: &'a str,
}

/// The user stores `after` in place of `before`.
///
/// The object is stored in any case, with SEQUENCE and PARTSTAT as the rules want them; the messages that are owed, or
/// the reason why there are none, come beside it.
pub fn put(
    before: Option<&CalendarObject>,
    after: CalendarObject,
    revisions: &Revisions,
    author: Author<'_>,
) -> Announcement {
    let role = role(before, &after, author.addresses).and_then(|role| is_ours(&after).map(|()| role));
    match role.and_then(|role| has_times(&after).map(|()| role)) {
        Ok(Role::Organizer) => organizer::put(before, after, revisions, author),
        Ok(Role::Attendee) => {
            // What had no organizer was the user's own; the invitation that takes its place is new.
            let invitation = before.filter(|before| matches!(before.organizer(), Ok(Some(_))));
            attendee::put(invitation, after, revisions, author)
        }
        Err(refusal) => Announcement { store: Some(after), revisions: revisions.clone(), outgoing: Err(refusal) },
    }
}

/// The user deletes an object.
pub fn delete(before: &CalendarObject, revisions: &Revisions, author: Author<'_>) -> Announcement {
    let mut revisions = revisions.clone();
    let role = role(None, before, author.addresses).and_then(|role| is_ours(before).map(|()| role));
    let outgoing = role.and_then(|role| match role {
        Role::Organizer => organizer::delete(before, &mut revisions, author),
        Role::Attendee => attendee::delete(before, author),
    });
    Announcement { store: None, revisions, outgoing }
}

/// Refuses what others schedule, or what is not scheduled at all.
fn is_ours(object: &CalendarObject) -> Result<(), Refusal> {
    // RFC 5546 §3: a VJOURNAL is published; there is no REQUEST and no REPLY for it.
    if object.kind() == Kind::Journal {
        return Err(Refusal::InvalidComponentType);
    }
    // RFC 6638 §7.1: on ORGANIZER, SCHEDULE-AGENT says who sends for the user whose copy this is.
    let mut organizers = object.components().filter_map(|(_, component)| component.organizer());
    match organizers.any(|organizer| organizer.agent() != ScheduleAgent::Server) {
        true => Err(Refusal::OtherSchedulingAgent),
        false => Ok(()),
    }
}

/// Refuses what the others could not read either, or would read as any time at all.
fn has_times(object: &CalendarObject) -> Result<(), Refusal> {
    if object.has_readable_starts() { Ok(()) } else { Err(Refusal::ICalendarParseError) }
}

/// The part that a user has in an object of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Organizer,
    Attendee,
}

/// The user's role in what they store, given what was stored before (RFC 6638 §3.1).
pub fn role(before: Option<&CalendarObject>, after: &CalendarObject, addresses: &[Address]) -> Result<Role, Refusal> {
    let was = before.map(CalendarObject::organizer).transpose()?.flatten();
    let is = after.organizer()?;
    match (&was, &is) {
        (Some(one), Some(other)) if one != other => return Err(Refusal::OrganizerMismatch),
        // Taking ORGANIZER off a stored meeting cancels it, if it was the organizer who did; see `organizer::put`.
        (Some(one), None) if !addresses.contains(one) => {
            return Err(Refusal::CannotModifyProperty("ORGANIZER".to_owned()));
        }
        _ => {}
    }
    let organizer = is.or(was).ok_or(Refusal::NoSchedulingInfo)?;
    if addresses.contains(&organizer) {
        return Ok(Role::Organizer);
    }
    let takes_part = after.has_attendee(addresses) || before.is_some_and(|before| before.has_attendee(addresses));
    if takes_part { Ok(Role::Attendee) } else { Err(Refusal::NotOrganizerNorAttendee) }
}
