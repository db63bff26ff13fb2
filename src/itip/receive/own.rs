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
use crate::itip::change::{end, is_rescheduled};
use crate::itip::component::{ComponentExt, Party, set_partstat};
use crate::itip::instance::InstanceKey;
use crate::itip::object::CalendarObject;
use crate::itip::zone::Zones;

/// The organizer's new version of an instance with the user's own properties and answer put back.
///
/// An instance that had no override until now was answered with the series, for the time that the series gave it.
pub(super) fn with_own_properties(
    (stored, key): (&CalendarObject, InstanceKey),
    (mut incoming, zones): (ICalendarComponent, &Zones),
    addresses: &[Address],
) -> ICalendarComponent {
    if let Some(held) = stored.get(key) {
        let rescheduled = is_rescheduled((held, stored.zones()), (&incoming, zones));
        keep_answer(held, &mut incoming, addresses, rescheduled);
        incoming.entries.retain(|entry| !is_own(&entry.name));
        incoming.entries.extend(held.entries.iter().filter(|entry| is_own(&entry.name)).cloned());
    } else if let Some(master) = stored.master() {
        let rescheduled = is_moved((master, stored.zones()), (&incoming, zones), key);
        keep_answer(master, &mut incoming, addresses, rescheduled);
    }
    incoming
}

/// Whether a new override takes place at another time, or for another length, than the series has it.
fn is_moved(
    (master, master_zones): (&ICalendarComponent, &Zones),
    (incoming, zones): (&ICalendarComponent, &Zones),
    key: InstanceKey,
) -> bool {
    let length = |component: &ICalendarComponent, zones: &Zones| {
        let start = component.moment(&ICalendarProperty::Dtstart, zones)?;
        Some(end(component, zones)?.as_seconds().saturating_sub(start.as_seconds()))
    };
    incoming.moment(&ICalendarProperty::Dtstart, zones) != key.moment()
        || length(incoming, zones) != length(master, master_zones)
}

/// Puts the user's own PARTSTAT back; when the time changed it is NEEDS-ACTION again (RFC 6638 §3.2.8).
///
/// An absent or unknown PARTSTAT is NEEDS-ACTION (RFC 5545 §3.2.12); nothing is written where that is said already.
fn keep_answer(held: &ICalendarComponent, incoming: &mut ICalendarComponent, addresses: &[Address], rescheduled: bool) {
    let Some(own) = held.attendee_among(addresses) else { return };
    let answer = if rescheduled { &Partstat::NeedsAction } else { own.partstat().unwrap_or(&Partstat::NeedsAction) };
    let is_attendee = |entry: &&mut ICalendarEntry| entry.name == ICalendarProperty::Attendee;
    let own_entry = incoming.entries.iter_mut().filter(is_attendee).find(|entry| Party(entry).is_among(addresses));
    if let Some(entry) = own_entry.filter(|entry| Party(entry).partstat().unwrap_or(&Partstat::NeedsAction) != answer) {
        set_partstat(entry, answer.clone());
    }
}

/// The properties of a stored copy that are the user's own and survive an update.
pub(super) fn is_own(name: &ICalendarProperty) -> bool {
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
