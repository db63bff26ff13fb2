//! Who of the attendees is written to.

use calcard::icalendar::{ICalendarComponent, ICalendarParticipationStatus};

use super::Author;
use crate::itip::address::Address;
use crate::itip::change::is_reachable;
use crate::itip::component::{ComponentExt, Party};
use crate::itip::object::CalendarObject;

/// The attendees of a component, without the author under any of their addresses, that `wants` picks.
///
/// An address that is none (`invalid:nomail`, a room without a mailbox) is among them: the gateway tells the user that
/// there is no way to write to it.
pub(super) fn addressees<'a>(
    component: &'a ICalendarComponent,
    author: Author<'a>,
    wants: impl Fn(Party<'_>) -> bool + 'a,
) -> impl Iterator<Item = Address> + 'a {
    component
        .attendees()
        .filter(move |party| !party.is_among(author.addresses) && is_reachable(*party) && wants(*party))
        .map(Party::address)
}

/// The attendees of all components, without the author, that `wants` picks.
pub(super) fn everybody<'a>(
    object: &'a CalendarObject,
    author: Author<'a>,
    wants: impl Fn(Party<'_>) -> bool + Copy + 'a,
) -> impl Iterator<Item = Address> + 'a {
    object.components().flat_map(move |(_, component)| addressees(component, author, wants))
}

/// Whoever it is.
pub(super) fn anyone(_: Party<'_>) -> bool {
    true
}

/// Whether an attendee of a new object is asked.
pub(super) fn is_asked(party: Party<'_>) -> bool {
    party.is_forced() || (!party.waives_rsvp() && !party.has_answered())
}

/// Whether an attendee hears of a change: not one who declined, unless the time changed; not one who was never asked.
pub(super) fn is_updated(party: Party<'_>, rescheduled: bool) -> bool {
    let never_asked = party.waives_rsvp() && !party.has_answered();
    let declined = party.partstat() == Some(&ICalendarParticipationStatus::Declined);
    party.is_forced() || (!never_asked && (rescheduled || !declined))
}
