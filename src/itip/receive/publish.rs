//! PUBLISH: somebody makes something known without asking anybody (RFC 5546 §3.2.1, §3.4.1, §3.5.1).
//!
//! | the policy | held | the message | what happens |
//! |---|---|---|---|
//! | refuses it | | | refused |
//! | imports it | nothing | is the organizer's | the object is created, without attendees and alarms |
//! | imports it, but new things wait | nothing | is the organizer's | refused: there is nothing to answer |
//! | imports it | nothing, but the same or something newer was taken | is the organizer's | as a REQUEST |
//! | imports it | an object without attendees | is the organizer's | updated as by a REQUEST |
//! | imports it | an invitation | is the organizer's | nothing: only what is sent to its attendees counts |
//! | imports it | an object | is anybody else's | refused |
//!
//! Nothing is ever sent in return. A CANCEL of the same organizer calls it off (RFC 5546 §4.1.3).

use calcard::icalendar::ICalendarProperty;

use super::request::{Incoming, added, is_repeated, remembered, take};
use super::standing::organizer_as_sender;
use super::{Admission, Context, Held, ItipMessage, Publications, clean};
use crate::itip::address::Address;
use crate::itip::component::ComponentExt;
use crate::itip::decision::{Decision, Reason, Refusal};
use crate::itip::instance::InstanceKey;
use crate::itip::method::Method;
use crate::itip::object::CalendarObject;

pub(super) fn receive(held: Held<'_>, message: ItipMessage, context: Context<'_>) -> Result<Decision, Refusal> {
    match context.policy.publications {
        // Ticket shops and spammers publish by the thousand, and the user has asked for none of it.
        Publications::Refuse => return Err(not_taken()),
        Publications::Import => {}
    }
    let organizer = organizer_as_sender(held.known(), &message.object, context)?;
    if held.object.as_deref().is_some_and(is_invitation) {
        return Ok(Decision::unchanged(Reason::HeldAsInvitation));
    }
    let mut object = message.object;
    clean(&mut object);
    drop_attendees(&mut object);
    match held.object {
        None => import(&held, Incoming::new(object), organizer, context),
        Some(_) => take(held, Incoming::new(object), organizer, context),
    }
}

fn not_taken() -> Refusal {
    Refusal::UnsupportedMethod(Method::Publish.as_str().to_owned())
}

/// Whether an object came by REQUEST, or belongs to a meeting in any other way: what is published names no attendee.
fn is_invitation(object: &CalendarObject) -> bool {
    object.components().any(|(_, component)| component.attendees().next().is_some())
}

/// RFC 5546 §3.2.1 forbids ATTENDEE; some calendars export a meeting with it. The copy must not look like an invitation
/// that waits for an answer.
fn drop_attendees(object: &mut CalendarObject) {
    let keys: Vec<InstanceKey> = object.keys().collect();
    for key in keys {
        if let Some(component) = object.get_mut(key) {
            component.remove(&ICalendarProperty::Attendee);
        }
    }
}

/// Takes what is new.
fn import(held: &Held<'_>, incoming: Incoming, organizer: Address, context: Context<'_>) -> Result<Decision, Refusal> {
    let revisions = remembered(held.known(), organizer);
    if is_repeated(&incoming, &revisions)? {
        return Ok(Decision::unchanged(Reason::NothingNew));
    }
    match context.policy.new_invitations {
        Admission::Add => Ok(added(incoming, revisions, Reason::Published)),
        Admission::Wait => Err(not_taken()),
    }
}
