//! What holds for every change that a scenario makes, whatever it is: laws of announcing.

mod scenario_files;

use std::collections::BTreeMap;
use std::path::Path;

use calcard::icalendar::{ICalendarComponent, ICalendarComponentType, ICalendarProperty};
use imipd::itip::announce::{self, Author};
use imipd::itip::component::ComponentExt;
use imipd::itip::scenario::{Command, Script};
use imipd::itip::{Address, Announcement, CalendarObject, ItipMessage, Method, Outgoing, Revisions};
use scenario_files::scenario_files;

/// What a user has of one UID.
type Slots = BTreeMap<(String, String), (CalendarObject, Revisions)>;

#[test]
fn every_announcement_of_every_scenario_keeps_the_laws() {
    let files = scenario_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios"));
    let broken: Vec<String> = files.iter().flat_map(|path| broken_laws(path)).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Stores what the users of a scenario store, without delivering anything, and says which laws do not hold.
fn broken_laws(path: &Path) -> Vec<String> {
    let script = Script::parse(&std::fs::read_to_string(path).expect("a readable scenario")).expect("a scenario");
    let (mut slots, mut broken) = (Slots::new(), Vec::new());
    for step in &script.steps {
        let Command::Put { user, .. } = &step.command else { continue };
        let Ok(after) = CalendarObject::parse(&step.payload) else { continue };
        let key = (user.clone(), after.uid().0.clone());
        let held = slots.remove(&key);
        let addresses = [Address::parse(user)];
        let author = Author { addresses: &addresses, now: 1_893_456_000, prodid: imipd::PRODID };
        let revisions = held.as_ref().map(|(_, revisions)| revisions.clone()).unwrap_or_default();
        let done = announce::put(held.as_ref().map(|(object, _)| object), after, &revisions, author);
        let trouble = check(held.as_ref().map(|(object, _)| object), &done, author);
        broken.extend(trouble.into_iter().map(|law| format!("{}:{}: {law}", path.display(), step.line)));
        if let Some(object) = done.store {
            slots.insert(key, (object, done.revisions));
        }
    }
    broken
}

fn check(held: Option<&CalendarObject>, done: &Announcement, author: Author<'_>) -> Vec<&'static str> {
    let mut broken: Vec<&str> =
        done.outgoing.iter().flatten().filter_map(|message| bad_message(message, author)).collect();
    let Some(stored) = &done.store else { return broken };
    let again = announce::put(Some(stored), stored.clone(), &done.revisions, author);
    if again.outgoing.is_ok() {
        broken.push("storing the same once more sends something");
    }
    if again.store.as_ref() != Some(stored) {
        broken.push("storing the same once more changes it");
    }
    let fell = |held: &CalendarObject| {
        stored.components().any(|(key, now)| held.get(key).is_some_and(|was| now.sequence() < was.sequence()))
    };
    if done.outgoing.is_ok() && held.is_some_and(fell) {
        broken.push("SEQUENCE falls");
    }
    broken
}

/// What no message may be: unreadable, to ourselves, without ORGANIZER, with what must not leave.
fn bad_message(message: &Outgoing, author: Author<'_>) -> Option<&'static str> {
    let text = message.object.to_text();
    let read = match ItipMessage::parse(&text, None) {
        Ok(read) if read.method == message.method => read.object,
        _ => return Some("what goes out cannot be read back"),
    };
    let every = |law: fn(&ICalendarComponent) -> bool| read.components().all(|(_, component)| law(component));
    let has_alarm = read.calendar().components.iter().any(|one| one.component_type == ICalendarComponentType::VAlarm);
    let own_method = match message.method {
        Method::Reply => every(|component| component.attendees().count() == 1),
        Method::Cancel => {
            every(ComponentExt::is_cancelled) && every(|one| !one.has_property(&ICalendarProperty::Rrule))
        }
        _ => every(|component| component.attendees().next().is_some()),
    };
    let rules = [
        (message.to.is_empty(), "it goes to nobody"),
        (message.to.iter().any(|to| author.addresses.contains(to)), "it goes to its own author"),
        (message.to.windows(2).any(|pair| pair[0] >= pair[1]), "its recipients are not sorted, or one is twice"),
        (read.components().next().is_none(), "it is empty"),
        (!every(|component| component.organizer().is_some()), "a component has no ORGANIZER"),
        (!every(|component| component.has_property(&ICalendarProperty::Dtstamp)), "a component has no DTSTAMP"),
        (!every(|component| component.has_property(&ICalendarProperty::Sequence)), "a component has no SEQUENCE"),
        (text.replace("\r\n ", "").contains(";SCHEDULE-"), "a scheduling parameter leaves"),
        (has_alarm, "an alarm leaves"),
        (!own_method, "its method does not allow its contents"),
    ];
    rules.into_iter().find(|(is_broken, _)| *is_broken).map(|(_, law)| law)
}
