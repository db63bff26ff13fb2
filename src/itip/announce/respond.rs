//! An answer to an invitation, as a change of the attendee's own object.

use calcard::icalendar::{
    ICalendarComponent, ICalendarEntry, ICalendarParameterName, ICalendarParameterValue, ICalendarParticipationStatus,
    ICalendarProperty, ICalendarScheduleForceSendValue, ICalendarValue,
};

use super::{Author, put};
use crate::itip::address::Address;
use crate::itip::component::{ComponentExt, Party, remove_parameter, set_parameter, set_partstat};
use crate::itip::decision::{Announcement, Refusal};
use crate::itip::instance::InstanceKey;
use crate::itip::object::CalendarObject;
use crate::itip::recurrence;
use crate::itip::revision::Revisions;

/// What an attendee answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub partstat: ICalendarParticipationStatus,
    /// The instance answered for; all of them when there is none.
    pub instance: Option<InstanceKey>,
    /// A word to the organizer (RFC 5546 §3.2.3).
    pub comment: Option<String>,
}

/// The object with the answer in it; putting it in place of `object` sends the REPLY.
///
/// An answer for an instance without a component of its own splits one off the master. Fails with
/// `NotOrganizerNorAttendee` when the user is not asked there, with `EventNotFound` when there is no such instance.
pub fn respond(object: &CalendarObject, addresses: &[Address], answer: &Answer) -> Result<CalendarObject, Refusal> {
    let mut after = object.clone();
    let keys: Vec<InstanceKey> = match answer.instance {
        None => object.keys().collect(),
        Some(key) => {
            if object.get(key).is_none() {
                let instance = recurrence::instance_of(object, key).ok_or(Refusal::EventNotFound)?;
                after.insert(key, instance);
            }
            vec![key]
        }
    };
    let mut answered = false;
    for key in keys {
        if let Some(component) = after.get_mut(key) {
            answered |= answer_in(component, addresses, answer);
        }
    }
    if answered { Ok(after) } else { Err(Refusal::NotOrganizerNorAttendee) }
}

/// The user answers: what is stored, and the REPLY.
///
/// A word to the organizer is news, even when the answer is what it was before: then SCHEDULE-FORCE-SEND (RFC 6638 §7.2) has the REPLY sent,
/// and goes again. The same word a second time is none.
pub fn answer(
    before: &CalendarObject,
    said: &Answer,
    revisions: &Revisions,
    author: Author<'_>,
) -> Result<Announcement, Refusal> {
    let mut after = respond(before, author.addresses, said)?;
    let remarked: Vec<InstanceKey> = after.keys().filter(|key| is_remark((before, &after), *key, said)).collect();
    let organizers = |object: &mut CalendarObject, change: fn(&mut ICalendarEntry)| {
        for key in &remarked {
            let entries = object.get_mut(*key).map(|component| component.entries.iter_mut());
            entries.into_iter().flatten().filter(|entry| entry.name == ICalendarProperty::Organizer).for_each(change);
        }
    };
    organizers(&mut after, |entry| {
        let value = ICalendarParameterValue::ScheduleForceSend(ICalendarScheduleForceSendValue::Reply);
        set_parameter(entry, ICalendarParameterName::ScheduleForceSend, value);
    });
    let mut announcement = put(Some(before), after, revisions, author);
    if let Some(stored) = &mut announcement.store {
        organizers(stored, |entry| remove_parameter(entry, &ICalendarParameterName::ScheduleForceSend));
    }
    Ok(announcement)
}

/// Whether an answer has a word about an instance that did not stand there before.
fn is_remark((before, after): (&CalendarObject, &CalendarObject), key: InstanceKey, said: &Answer) -> bool {
    let is_meant = said.instance.is_none_or(|instance| instance == key);
    let comment = |component: &ICalendarComponent| component.text(&ICalendarProperty::Comment).map(str::to_owned);
    let is_forced = after.get(key).and_then(ComponentExt::organizer).is_some_and(Party::is_forced);
    let was = before.get(key).or(before.master()).and_then(comment);
    is_meant && said.comment.is_some() && !is_forced && after.get(key).and_then(comment) != was
}

/// Writes the answer into a component that asks the user; what is cancelled asks nobody.
fn answer_in(component: &mut ICalendarComponent, addresses: &[Address], answer: &Answer) -> bool {
    if component.is_cancelled() {
        return false;
    }
    let attendees = component.entries.iter_mut().filter(|entry| entry.name == ICalendarProperty::Attendee);
    let Some(own) = attendees.into_iter().find(|entry| Party(entry).is_among(addresses)) else { return false };
    set_partstat(own, answer.partstat.clone());
    // The question has been answered.
    remove_parameter(own, &ICalendarParameterName::Rsvp);
    match &answer.comment {
        Some(comment) => component.set(ICalendarProperty::Comment, ICalendarValue::Text(comment.clone())),
        None => component.remove(&ICalendarProperty::Comment),
    }
    true
}
