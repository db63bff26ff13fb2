//! What calendar users do to a meeting, as their clients would write it down.

use calcard::icalendar::{
    ICalendarComponent, ICalendarEntry, ICalendarParameterName, ICalendarParameterValue, ICalendarParticipationStatus,
    ICalendarProperty, ICalendarStatus, ICalendarValue,
};
use imipd::itip::component::{
    ComponentExt, Party, plain_party, remove_parameter, set_parameter, set_partstat, strip_schedule_parameters,
};
use imipd::itip::time::{Moment, partial};
use imipd::itip::{Address, CalendarObject, InstanceKey};

/// The organizer first.
pub const USERS: [&str; 4] = ["ada@elm.example", "bo@oak.example", "cy@ash.example", "di@fir.example"];

/// 1 February 2030, 10:00 UTC.
pub const FIRST_START: i64 = 1_896_170_400;

const DAY: i64 = 86_400;

/// A change by the organizer; the numbers are taken modulo what there is.
#[derive(Clone, Debug)]
pub enum Edit {
    Summary(u8),
    Location(u8),
    /// The whole series takes place at a time it never had before; its exceptions go.
    Shift,
    /// An instance of its own, at a time it never had before.
    Override(u8),
    /// Another name for an instance.
    Rename(u8, u8),
    DropOverride(u8),
    Exclude(u8),
    CancelInstance(u8),
    Invite(u8),
    Uninvite(u8),
    UninviteFrom(u8, u8),
    /// An alarm and a category: nobody else's business.
    Private(u8),
}

pub fn address(user: u8) -> Address {
    Address::parse(USERS[usize::from(user) % USERS.len()])
}

/// An attendee: never the organizer.
pub fn guest(user: u8) -> &'static str {
    USERS[1 + usize::from(user) % (USERS.len() - 1)]
}

/// A daily meeting of ten days with the given guests.
pub fn meeting(uid: &str, guests: &[u8]) -> String {
    let mut attendees = String::new();
    for user in guests {
        let line = format!("ATTENDEE;RSVP=TRUE:mailto:{}\r\n", guest(*user));
        if !attendees.contains(&line) {
            attendees.push_str(&line);
        }
    }
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Elm//Desk 4//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\n\
         DTSTAMP:20300101T000000Z\r\nDTSTART:20300201T100000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY;COUNT=10\r\n\
         SUMMARY:Meeting\r\nORGANIZER:mailto:{}\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:{}\r\n{attendees}\
         END:VEVENT\r\nEND:VCALENDAR\r\n",
        USERS[0], USERS[0]
    )
}

fn text(text: String) -> ICalendarValue {
    ICalendarValue::Text(text)
}

fn date(unix: i64) -> ICalendarValue {
    ICalendarValue::PartialDateTime(Box::new(partial(Moment::Instant(unix))))
}

fn start_of(component: &ICalendarComponent) -> i64 {
    component.moment(&ICalendarProperty::Dtstart, &Default::default()).map_or(FIRST_START, Moment::as_seconds)
}

/// The key of the n-th day of the series as it stands.
pub fn day(object: &CalendarObject, number: u8) -> InstanceKey {
    let start = object.master().map_or(FIRST_START, start_of);
    InstanceKey::This(Moment::Instant(start + i64::from(number % 10) * DAY))
}

/// The component of a day: the override, or one made from the master as clients make it.
fn instance(object: &CalendarObject, key: InstanceKey) -> Option<ICalendarComponent> {
    if let Some(known) = object.get(key) {
        return Some(known.clone());
    }
    let at = key.moment()?.as_seconds();
    let mut component = ICalendarComponent { component_ids: Vec::new(), ..object.master()?.clone() };
    component.remove(&ICalendarProperty::Rrule);
    component.remove(&ICalendarProperty::Exdate);
    component.set(ICalendarProperty::Dtstart, date(at));
    component.set(ICalendarProperty::RecurrenceId, date(at));
    Some(component)
}

fn is_excluded(object: &CalendarObject, key: InstanceKey) -> bool {
    let Some(master) = object.master() else { return true };
    master
        .properties(&ICalendarProperty::Exdate)
        .flat_map(|entry| object.zones().moments(entry))
        .any(|m| Some(m) == key.moment())
}

/// Nobody has answered for this component yet.
fn unanswered(component: &mut ICalendarComponent) {
    let organizer = Address::parse(USERS[0]);
    for entry in component.entries.iter_mut().filter(|entry| entry.name == ICalendarProperty::Attendee) {
        if !Party(entry).is(&organizer) {
            remove_parameter(entry, &ICalendarParameterName::Partstat);
        }
    }
}

/// The object after an edit; `fresh` is a number that no edit had before, below 1,000.
pub fn edited(object: &CalendarObject, edit: &Edit, fresh: i64) -> CalendarObject {
    let mut after = object.clone();
    edit_in_place(&mut after, edit, fresh);
    after
}

fn edit_in_place(after: &mut CalendarObject, edit: &Edit, fresh: i64) {
    let master = InstanceKey::Master;
    match edit {
        Edit::Summary(n) => with(after, master, |c| c.set(ICalendarProperty::Summary, text(format!("Meeting {n}")))),
        Edit::Location(n) => with(after, master, |c| c.set(ICalendarProperty::Location, text(format!("Room {n}")))),
        Edit::Shift => shift(after, fresh),
        Edit::Override(n) => on_day(after, *n, |c| {
            let at = start_of(c) / DAY * DAY + 36_000 + fresh * 60;
            c.set(ICalendarProperty::Dtstart, date(at));
            unanswered(c);
        }),
        Edit::Rename(n, to) => on_day(after, *n, |c| c.set(ICalendarProperty::Summary, text(format!("Day {to}")))),
        Edit::CancelInstance(n) => on_day(after, *n, |c| {
            c.set(ICalendarProperty::Status, ICalendarValue::Status(ICalendarStatus::Cancelled));
        }),
        Edit::DropOverride(n) => after.remove(day(after, *n)),
        Edit::Exclude(n) => exclude(after, day(after, *n)),
        Edit::Invite(user) => {
            let keys: Vec<InstanceKey> = after.keys().collect();
            keys.into_iter().for_each(|key| with(after, key, |c| invite(c, guest(*user))));
        }
        Edit::Uninvite(user) => {
            let keys: Vec<InstanceKey> = after.keys().collect();
            keys.into_iter().for_each(|key| with(after, key, |c| uninvite(c, guest(*user))));
        }
        Edit::UninviteFrom(n, user) => on_day(after, *n, |c| uninvite(c, guest(*user))),
        Edit::Private(n) => {
            with(after, master, |c| c.set(ICalendarProperty::Categories, text(format!("Category {n}"))));
        }
    }
}

fn with(object: &mut CalendarObject, key: InstanceKey, change: impl FnOnce(&mut ICalendarComponent)) {
    if let Some(component) = object.get_mut(key) {
        change(component);
    }
}

fn on_day(object: &mut CalendarObject, number: u8, change: impl FnOnce(&mut ICalendarComponent)) {
    let key = day(object, number);
    if is_excluded(object, key) {
        return;
    }
    let is_new = object.get(key).is_none();
    let Some(mut component) = instance(object, key) else { return };
    if is_new {
        unanswered(&mut component);
    }
    change(&mut component);
    if let Some(known) = object.get_mut(key) {
        known.entries = component.entries;
    } else {
        object.insert(key, component);
    }
}

fn shift(object: &mut CalendarObject, fresh: i64) {
    let overrides: Vec<InstanceKey> = object.keys().filter(|key| *key != InstanceKey::Master).collect();
    overrides.into_iter().for_each(|key| object.remove(key));
    with(object, InstanceKey::Master, |master| {
        master.remove(&ICalendarProperty::Exdate);
        master.set(ICalendarProperty::Dtstart, date(FIRST_START + fresh * 60));
    });
}

fn exclude(object: &mut CalendarObject, key: InstanceKey) {
    if is_excluded(object, key) {
        return;
    }
    object.remove(key);
    let Some(at) = key.moment() else { return };
    let entry =
        ICalendarEntry { name: ICalendarProperty::Exdate, params: Vec::new(), values: vec![date(at.as_seconds())] };
    with(object, InstanceKey::Master, |master| master.entries.push(entry));
}

fn invite(component: &mut ICalendarComponent, user: &str) {
    if component.attendee_among(&[Address::parse(user)]).is_none() {
        component.entries.push(plain_party(ICalendarProperty::Attendee, &format!("mailto:{user}")));
    }
}

fn uninvite(component: &mut ICalendarComponent, user: &str) {
    let user = Address::parse(user);
    component.entries.retain(|entry| entry.name != ICalendarProperty::Attendee || !Party(entry).is(&user));
}

/// What a user can answer.
pub fn partstat(number: u8) -> ICalendarParticipationStatus {
    match number % 3 {
        0 => ICalendarParticipationStatus::Accepted,
        1 => ICalendarParticipationStatus::Declined,
        _ => ICalendarParticipationStatus::Tentative,
    }
}

/// The object with the user's answer, for one day or for the master and every override.
pub fn answered(object: &CalendarObject, user: &Address, number: u8, on: Option<u8>) -> CalendarObject {
    let mut after = object.clone();
    let say = |component: &mut ICalendarComponent| {
        let own = component.entries.iter_mut().filter(|entry| entry.name == ICalendarProperty::Attendee);
        for entry in own.filter(|entry| Party(entry).is(user)) {
            set_partstat(entry, partstat(number));
        }
    };
    match on {
        Some(number) => on_day_answered(&mut after, number, say),
        None => {
            let keys: Vec<InstanceKey> = after.keys().collect();
            keys.into_iter().for_each(|key| with(&mut after, key, say));
        }
    }
    after
}

fn on_day_answered(object: &mut CalendarObject, number: u8, say: impl Fn(&mut ICalendarComponent)) {
    let key = day(object, number);
    if is_excluded(object, key) {
        return;
    }
    let Some(mut component) = instance(object, key) else { return };
    say(&mut component);
    match object.get_mut(key) {
        Some(known) => known.entries = component.entries,
        None => object.insert(key, component),
    }
}

/// An attendee's own business: a category, a note, an alarm's acknowledgement.
pub fn decorated(object: &CalendarObject, number: u8) -> CalendarObject {
    let mut after = object.clone();
    let keys: Vec<InstanceKey> = after.keys().collect();
    for key in keys {
        with(&mut after, key, |c| {
            c.set(ICalendarProperty::Categories, text(format!("Mine {number}")));
            c.set(ICalendarProperty::Other("X-MOZ-LASTACK".to_owned()), text(number.to_string()));
        });
    }
    after
}

/// A REFRESH as an attendee's client would send it (RFC 5546 §3.2.6).
pub fn refresh(uid: &str, user: &Address) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Oak//Book 2//EN\r\nMETHOD:REFRESH\r\nBEGIN:VEVENT\r\nUID:{uid}\r\n\
         DTSTAMP:20300101T000000Z\r\nORGANIZER:mailto:{}\r\nATTENDEE:mailto:{user}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        USERS[0]
    )
}

/// What scheduling is about, in comparable form: a line per property, sorted.
pub fn scheduling(component: &ICalendarComponent) -> Vec<String> {
    let mut lines: Vec<String> = component
        .entries
        .iter()
        .filter(|entry| {
            matches!(
                entry.name,
                ICalendarProperty::Dtstart
                    | ICalendarProperty::Dtend
                    | ICalendarProperty::Duration
                    | ICalendarProperty::Rrule
                    | ICalendarProperty::Rdate
                    | ICalendarProperty::Exdate
                    | ICalendarProperty::Status
                    | ICalendarProperty::Location
                    | ICalendarProperty::Summary
                    | ICalendarProperty::Organizer
                    | ICalendarProperty::Sequence
                    | ICalendarProperty::RecurrenceId
            )
        })
        .map(written)
        .chain(component.attendees().map(|party| format!("ATTENDEE {}", party.address())))
        .collect();
    lines.sort();
    lines
}

fn written(entry: &ICalendarEntry) -> String {
    let mut entry = entry.clone();
    strip_schedule_parameters(&mut entry);
    let mut line = String::new();
    entry.write_to(&mut line).expect("writing to a String");
    line.trim_end().to_owned()
}

/// PARTSTAT as a word; absent counts as NEEDS-ACTION.
pub fn partstat_of(component: &ICalendarComponent, user: &Address) -> Option<&'static str> {
    let party = component.attendees().find(|party| party.is(user))?;
    Some(match party.partstat() {
        None | Some(ICalendarParticipationStatus::NeedsAction) => "NEEDS-ACTION",
        Some(ICalendarParticipationStatus::Accepted) => "ACCEPTED",
        Some(ICalendarParticipationStatus::Declined) => "DECLINED",
        Some(ICalendarParticipationStatus::Tentative) => "TENTATIVE",
        Some(_) => "OTHER",
    })
}

/// Marks a user as having delegated to another.
pub fn delegated(object: &CalendarObject, user: &Address, to: &str) -> CalendarObject {
    let mut after = object.clone();
    let keys: Vec<InstanceKey> = after.keys().collect();
    for key in keys {
        with(&mut after, key, |c| {
            let own = c.entries.iter_mut().filter(|entry| entry.name == ICalendarProperty::Attendee);
            for entry in own.filter(|entry| Party(entry).is(user)) {
                set_partstat(entry, ICalendarParticipationStatus::Delegated);
                let uri = calcard::icalendar::Uri::Location(format!("mailto:{to}"));
                set_parameter(entry, ICalendarParameterName::DelegatedTo, ICalendarParameterValue::Uri(uri));
            }
        });
    }
    after
}
