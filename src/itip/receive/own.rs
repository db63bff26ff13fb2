//! What is the user's own in a stored copy, and survives an update of the organizer's.
//!
//! | in the stored copy | after an update at the same time | after a rescheduling |
//! |---|---|---|
//! | the user's PARTSTAT | stays | NEEDS-ACTION |
//! | alarms, TRANSP, CLASS, COLOR, CATEGORIES, COMMENT, X-MOZ-*, X-APPLE-* | stay | stay |
//! | everything else | the organizer's | the organizer's |

use calcard::icalendar::{
    ICalendarComponent, ICalendarEntry, ICalendarParticipationStatus as Partstat, ICalendarProperty,
};

use crate::itip::address::Address;
use crate::itip::change::is_rescheduled;
use crate::itip::component::{ComponentExt, Party, set_partstat};
use crate::itip::instance::InstanceKey;
use crate::itip::object::CalendarObject;
use crate::itip::recurrence;
use crate::itip::time::Zones;

/// The organizer's new version of an instance with the user's own properties and answer put back.
///
/// An instance that had no override until now was answered with the series, for the time that the series gave it.
pub(super) fn with_own_properties(
    (stored, key): (&CalendarObject, InstanceKey),
    (mut incoming, zones): (ICalendarComponent, &Zones),
    addresses: &[Address],
) -> ICalendarComponent {
    if let Some(held) = stored.get(key) {
        keep_answer((held, stored.zones()), (&mut incoming, zones), addresses);
        incoming.entries.retain(|entry| !is_own(&entry.name));
        incoming.entries.extend(held.entries.iter().filter(|entry| is_own(&entry.name)).cloned());
    } else if let Some(instance) = recurrence::instance_of(stored, key) {
        keep_answer((&instance, stored.zones()), (&mut incoming, zones), addresses);
    }
    incoming
}

/// Puts the user's own PARTSTAT back; when the time changed it is NEEDS-ACTION again (RFC 6638 §3.2.8).
///
/// An absent or unknown PARTSTAT is NEEDS-ACTION (RFC 5545 §3.2.12); nothing is written where that is said already.
fn keep_answer(
    (held, held_zones): (&ICalendarComponent, &Zones),
    (incoming, zones): (&mut ICalendarComponent, &Zones),
    addresses: &[Address],
) {
    let Some(own) = held.attendee_among(addresses) else { return };
    let rescheduled = is_rescheduled((held, held_zones), (incoming, zones));
    let answer = if rescheduled { &Partstat::NeedsAction } else { own.partstat().unwrap_or(&Partstat::NeedsAction) };
    let is_attendee = |entry: &&mut ICalendarEntry| entry.name == ICalendarProperty::Attendee;
    let own_entry = incoming.entries.iter_mut().filter(is_attendee).find(|entry| Party(entry).is_among(addresses));
    if let Some(entry) = own_entry.filter(|entry| Party(entry).partstat().unwrap_or(&Partstat::NeedsAction) != answer) {
        set_partstat(entry, answer.clone());
    }
}

/// The properties of a stored copy that are the user's own and survive an update.
fn is_own(name: &ICalendarProperty) -> bool {
    match name {
        ICalendarProperty::Transp
        | ICalendarProperty::Class
        | ICalendarProperty::Color
        | ICalendarProperty::Categories
        | ICalendarProperty::Comment => true,
        ICalendarProperty::Other(name) => {
            let name = name.to_ascii_uppercase();
            name.starts_with("X-MOZ-") || name.starts_with("X-APPLE-")
        }
        _ => false,
    }
}
