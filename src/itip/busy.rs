//! When an object keeps somebody busy, and whether it lies in the past.

use calcard::icalendar::{
    ICalendarComponent, ICalendarParticipationStatus, ICalendarProperty, ICalendarTransparency, ICalendarValue,
};

use super::address::Address;
use super::change::end;
use super::component::ComponentExt;
use super::instance::InstanceKey;
use super::object::{CalendarObject, Kind};
use super::recurrence::RecurrenceSet;
use super::time::Moment;
use super::zone::{Zone, Zones};

/// A time at which something takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// As the object says it, in its own kind of time.
    pub start: Moment,
    pub end: Moment,
    /// The same in Unix seconds; half open (RFC 5545 §3.8.2.2).
    pub from: i64,
    pub to: i64,
}

/// Which times are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    /// Unix seconds; half open.
    pub from: i64,
    pub to: i64,
    /// On which days and floating times are read (RFC 5545 §3.3.5).
    pub clock: &'a Zone,
    /// The most slots of one object.
    pub most: usize,
}

impl Slot {
    /// Whether two overlap; what takes no time falls into what lies around it.
    pub fn meets(&self, other: &Slot) -> bool {
        let is_same = self.from == other.from;
        is_same || (self.from < other.to && other.from < self.to)
    }
}

impl Window<'_> {
    fn slot(&self, start: Moment, lasts: i64) -> Slot {
        let end = later(start, lasts);
        Slot { start, end, from: self.unix(start), to: self.unix(end) }
    }

    fn unix(&self, moment: Moment) -> i64 {
        match moment {
            Moment::Instant(unix) => unix,
            Moment::Date(_) | Moment::Floating(_) => {
                let local = chrono::DateTime::from_timestamp(moment.as_seconds(), 0);
                local.map_or(moment.as_seconds(), |local| self.clock.to_unix(local.naive_utc()))
            }
        }
    }

    fn holds(&self, slot: &Slot) -> bool {
        slot.from < self.to && (slot.to > self.from || slot.from >= self.from)
    }
}

/// The times at which an event takes place within a window, earliest first; nothing for tasks and journal entries.
///
/// Of a series that is changed from some instance on (THISANDFUTURE) the changed instances after the first are told as before.
pub fn slots(object: &CalendarObject, window: Window<'_>) -> Vec<Slot> {
    slots_of(object, window, |component| !component.is_cancelled())
}

/// The same as far as it keeps somebody busy: not what is free (TRANSP, RFC 5545 §3.8.2.7), nor what they have declined.
pub fn busy(object: &CalendarObject, addresses: &[Address], window: Window<'_>) -> Vec<Slot> {
    slots_of(object, window, |component| {
        let declined = component
            .attendee_among(addresses)
            .is_some_and(|own| own.partstat() == Some(&ICalendarParticipationStatus::Declined));
        !component.is_cancelled() && !is_free(component) && !declined
    })
}

fn slots_of(object: &CalendarObject, window: Window<'_>, counts: impl Fn(&ICalendarComponent) -> bool) -> Vec<Slot> {
    if object.kind() != Kind::Event {
        return Vec::new();
    }
    let zones = object.zones();
    let overridden: Vec<Moment> = object.keys().filter_map(InstanceKey::moment).collect();
    let mut slots = Vec::new();
    for (key, component) in object.components().filter(|(_, component)| counts(component)) {
        match key {
            InstanceKey::Master => {
                let mut instances = instances(component, zones, window);
                instances.retain(|slot| !overridden.contains(&slot.start));
                slots.extend(instances);
            }
            InstanceKey::This(_) | InstanceKey::ThisAndFuture(_) => slots.extend(single(component, zones, window)),
        }
    }
    slots.retain(|slot| window.holds(slot));
    slots.sort_by_key(|slot| slot.from);
    slots.truncate(window.most);
    slots
}

fn single(component: &ICalendarComponent, zones: &Zones, window: Window<'_>) -> Option<Slot> {
    let start = component.moment(&ICalendarProperty::Dtstart, zones)?;
    Some(window.slot(start, length(component, zones, start)))
}

fn instances(master: &ICalendarComponent, zones: &Zones, window: Window<'_>) -> Vec<Slot> {
    let Some(start) = master.moment(&ICalendarProperty::Dtstart, zones) else { return Vec::new() };
    let lasts = length(master, zones, start);
    let Some(set) = RecurrenceSet::of(master, zones) else { return Vec::new() };
    // A day more on both sides: no clock is further from UTC.
    let from = window.from.saturating_sub(lasts).saturating_sub(86_400);
    let (from, to) = (like(start, from), like(start, window.to.saturating_add(86_400)));
    let found = set.within(from, to, window.most.saturating_add(4));
    found.moments.into_iter().map(|moment| window.slot(moment, lasts)).collect()
}

/// How long something lasts, in seconds.
fn length(component: &ICalendarComponent, zones: &Zones, start: Moment) -> i64 {
    end(component, zones).map_or(0, |end| end.as_seconds().saturating_sub(start.as_seconds()).max(0))
}

/// Unix seconds as the kind of time that another moment is.
fn like(kind: Moment, unix: i64) -> Moment {
    match kind {
        Moment::Date(_) => Moment::Date(unix.div_euclid(86_400)),
        Moment::Floating(_) => Moment::Floating(unix),
        Moment::Instant(_) => Moment::Instant(unix),
    }
}

fn later(moment: Moment, seconds: i64) -> Moment {
    match moment {
        Moment::Date(days) => Moment::Date(days.saturating_add(seconds / 86_400)),
        Moment::Floating(at) => Moment::Floating(at.saturating_add(seconds)),
        Moment::Instant(at) => Moment::Instant(at.saturating_add(seconds)),
    }
}

fn is_free(component: &ICalendarComponent) -> bool {
    let transparency = component.property(&ICalendarProperty::Transp).and_then(|entry| entry.values.first());
    matches!(transparency, Some(ICalendarValue::Transparency(ICalendarTransparency::Transparent)))
}

/// Whether all of an event is over at an instant, Unix seconds; what cannot be told is not.
pub fn is_over(object: &CalendarObject, clock: &Zone, now: i64) -> bool {
    let window = Window { from: now, to: i64::MAX, clock, most: 1 };
    let zones = object.zones();
    let is_past = |(key, component): (InstanceKey, &ICalendarComponent)| {
        let Some(start) = component.moment(&ICalendarProperty::Dtstart, zones) else { return false };
        let last = match key {
            InstanceKey::Master => RecurrenceSet::of(component, zones).and_then(|set| set.last()),
            InstanceKey::This(_) => Some(start),
            InstanceKey::ThisAndFuture(_) => None,
        };
        last.is_some_and(|last| window.slot(last, length(component, zones, start)).to < now)
    };
    object.kind() == Kind::Event && object.components().all(is_past)
}

/// Whether the text of an object may hold something within a window, told without reading all of it.
///
/// It errs on one side only: what repeats, lasts for a DURATION or has a date that is not understood may be anywhere.
pub fn may_touch(text: &str, from: i64, to: i64) -> bool {
    let mut lines = text.lines().skip_while(|line| !line.starts_with("BEGIN:VEVENT")).peekable();
    let (mut least, mut most) = (i64::MAX, i64::MIN);
    while let Some(line) = lines.next() {
        let is_folded = lines.peek().is_some_and(|next| next.starts_with([' ', '\t']));
        if ["RRULE", "RDATE", "DURATION"].iter().any(|name| line.starts_with(name)) {
            return true;
        }
        if !line.starts_with("DTSTART") && !line.starts_with("DTEND") {
            continue;
        }
        let value = line.rsplit(':').next().and_then(|value| value.get(..8));
        let day = value.and_then(|value| chrono::NaiveDate::parse_from_str(value, "%Y%m%d").ok());
        let Some(day) = day.filter(|_| !is_folded) else { return true };
        let day = day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp();
        (least, most) = (least.min(day), most.max(day));
    }
    const MARGIN: i64 = 2 * 86_400;
    least.saturating_sub(MARGIN) < to && most.saturating_add(MARGIN) > from
}

#[cfg(test)]
mod tests {
    use super::*;
    use calcard::common::timezone::Tz;

    const BERLIN: Zone = Zone::Known(Tz::Tz(chrono_tz::Europe::Berlin));

    fn object(lines: &str) -> CalendarObject {
        let text = format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:u\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        CalendarObject::parse(&text).expect("an object")
    }

    fn day(text: &str) -> i64 {
        chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .expect("a day")
            .and_time(chrono::NaiveTime::MIN)
            .and_utc()
            .timestamp()
    }

    fn window(from: &str, to: &str) -> Window<'static> {
        Window { from: day(from), to: day(to), clock: &BERLIN, most: 10 }
    }

    #[test]
    fn a_series_has_its_instances_with_the_overrides_in_their_places() {
        let master = "DTSTART:20310203T090000Z\r\nDTEND:20310203T100000Z\r\nRRULE:FREQ=DAILY;COUNT=4\r\nEND:VEVENT\r\n";
        let moved = "BEGIN:VEVENT\r\nUID:u\r\nRECURRENCE-ID:20310204T090000Z\r\nDTSTART:20310204T120000Z\r\nDTEND:20310204T130000Z\r\nEND:VEVENT\r\n";
        let off = "BEGIN:VEVENT\r\nUID:u\r\nRECURRENCE-ID:20310205T090000Z\r\nDTSTART:20310205T090000Z\r\nSTATUS:CANCELLED\r\n";
        let found = slots(&object(&format!("{master}{moved}{off}")), window("2031-02-01", "2031-03-01"));
        let hours: Vec<i64> = found.iter().map(|slot| (slot.from - day("2031-02-03")) / 3_600).collect();
        assert_eq!(hours, [9, 24 + 12, 3 * 24 + 9]);
    }

    #[test]
    fn a_day_is_a_day_of_the_users_clock() {
        let found = slots(&object("DTSTART;VALUE=DATE:20310203\r\n"), window("2031-02-01", "2031-03-01"));
        assert_eq!(
            found.iter().map(|slot| (slot.from, slot.to)).collect::<Vec<_>>(),
            [(day("2031-02-03") - 3_600, day("2031-02-04") - 3_600)]
        );
    }

    #[test]
    fn what_is_free_or_declined_keeps_nobody_busy() {
        let ada = [Address::in_mail("ada@example.com")];
        let times = "DTSTART:20310203T090000Z\r\nDTEND:20310203T100000Z\r\n";
        for (more, expected) in [
            ("", 1),
            ("TRANSP:OPAQUE\r\n", 1),
            ("TRANSP:TRANSPARENT\r\n", 0),
            ("STATUS:CANCELLED\r\n", 0),
            ("ATTENDEE;PARTSTAT=DECLINED:mailto:ada@example.com\r\n", 0),
            ("ATTENDEE;PARTSTAT=DECLINED:mailto:bo@example.com\r\n", 1),
        ] {
            let found = busy(&object(&format!("{times}{more}")), &ada, window("2031-02-01", "2031-03-01"));
            assert_eq!(found.len(), expected, "{more}");
        }
    }

    #[test]
    fn what_ends_when_another_begins_does_not_meet_it() {
        let slot = |from, to| Slot { start: Moment::Instant(from), end: Moment::Instant(to), from, to };
        for (one, other, meets) in [
            (slot(0, 10), slot(10, 20), false),
            (slot(0, 11), slot(10, 20), true),
            (slot(0, 30), slot(10, 20), true),
            (slot(15, 15), slot(10, 20), true),
            (slot(10, 10), slot(10, 20), true),
            (slot(20, 20), slot(10, 20), false),
        ] {
            assert_eq!((one.meets(&other), other.meets(&one)), (meets, meets), "{one:?} {other:?}");
        }
    }

    #[test]
    fn what_is_over_is_told_from_what_has_an_instance_to_come() {
        let now = day("2031-02-05");
        for (lines, over) in [
            ("DTSTART:20310203T090000Z\r\nDTEND:20310203T100000Z\r\n", true),
            ("DTSTART:20310203T090000Z\r\nRRULE:FREQ=DAILY;COUNT=2\r\n", true),
            ("DTSTART:20310203T090000Z\r\nRRULE:FREQ=DAILY;COUNT=3\r\n", false),
            ("DTSTART:20310203T090000Z\r\nRRULE:FREQ=DAILY\r\n", false),
            ("DTSTART;VALUE=DATE:20310204\r\n", true),
            ("DTSTART;VALUE=DATE:20310205\r\n", false),
        ] {
            assert_eq!(is_over(&object(lines), &BERLIN, now), over, "{lines}");
        }
    }

    #[test]
    fn a_glance_at_the_text_errs_on_one_side_only() {
        let (from, to) = (day("2031-02-03"), day("2031-02-04"));
        for (lines, may) in [
            ("DTSTART:20310203T090000Z\r\nDTEND:20310203T100000Z\r\n", true),
            ("DTSTART:20310101T090000Z\r\nDTEND:20310301T100000Z\r\n", true),
            ("DTSTART:20300203T090000Z\r\nDTEND:20300203T100000Z\r\n", false),
            ("DTSTART:20310303T090000Z\r\n", false),
            ("DTSTART:20300203T090000Z\r\nRRULE:FREQ=YEARLY\r\n", true),
            ("DTSTART:20300203T090000Z\r\nDURATION:P9000D\r\n", true),
            ("DTSTART;TZID=Far:\r\n 20300203T090000\r\n", true),
        ] {
            assert_eq!(may_touch(&format!("BEGIN:VEVENT\r\n{lines}END:VEVENT\r\n"), from, to), may, "{lines}");
        }
    }
}
