//! An answer to an invitation, as a change of the attendee's own object.

use calcard::icalendar::{
    ICalendarComponent, ICalendarParameterName, ICalendarParticipationStatus, ICalendarProperty, ICalendarValue,
};

use crate::itip::address::Address;
use crate::itip::component::{ComponentExt, Party, remove_parameter, set_partstat};
use crate::itip::decision::Refusal;
use crate::itip::instance::InstanceKey;
use crate::itip::object::CalendarObject;
use crate::itip::recurrence;

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
