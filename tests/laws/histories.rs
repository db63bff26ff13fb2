//! Whatever happens on the way, in the end all agree.

use calcard::icalendar::ICalendarProperty;
use imipd::itip::component::ComponentExt;
use imipd::itip::{CalendarObject, InstanceKey};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::edits::{self, Edit};
use crate::world::{Event, World};

/// Changes after which nobody is asked a second time about a time that was theirs before.
fn plain_edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        any::<u8>().prop_map(Edit::Summary),
        any::<u8>().prop_map(Edit::Location),
        Just(Edit::Shift),
        (0..4u8).prop_map(Edit::Override),
        (0..4u8, any::<u8>()).prop_map(|(day, name)| Edit::Rename(day, name)),
        (0..4u8).prop_map(Edit::Exclude),
        any::<u8>().prop_map(Edit::Private),
    ]
}

pub fn any_edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        5 => plain_edit(),
        1 => (0..4u8).prop_map(Edit::DropOverride),
        1 => (0..4u8).prop_map(Edit::CancelInstance),
        1 => any::<u8>().prop_map(Edit::Invite),
        1 => any::<u8>().prop_map(Edit::Uninvite),
        1 => (0..4u8, any::<u8>()).prop_map(|(day, user)| Edit::UninviteFrom(day, user)),
    ]
}

/// The post: nothing here is anybody's doing.
fn post() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => any::<u8>().prop_map(Event::Deliver),
        1 => any::<u8>().prop_map(Event::DeliverTwice),
        1 => any::<u8>().prop_map(Event::Lose),
        1 => any::<u8>().prop_map(Event::Repeat),
    ]
}

fn event(edit: impl Strategy<Value = Edit>) -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => edit.prop_map(Event::Edit),
        3 => (any::<u8>(), any::<u8>(), prop::option::of(0..4u8)).prop_map(|(user, what, on)| Event::Answer(user, what, on)),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(user, number)| Event::Decorate(user, number)),
        6 => post(),
    ]
}

/// Everything can happen: guests drop the meeting, it is called off, they come and go.
fn wild_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        20 => event(any_edit()),
        1 => any::<u8>().prop_map(Event::Drop),
        1 => Just(Event::Delete),
    ]
}

fn text(object: Option<&CalendarObject>) -> String {
    object.map_or_else(|| "nothing".to_owned(), CalendarObject::to_text)
}

/// What differs between the organizer's copy and a guest's, except PARTSTATs.
fn disagreement(world: &World, user: usize) -> Option<String> {
    let address = World::address(user);
    let (held, own) = (world.users[0].object.as_ref(), world.users[user].object.as_ref());
    let report = |what: &str| {
        let revisions = &world.users[user].revisions;
        Some(format!("{address}: {what}\n--- organizer\n{}\n--- guest\n{}\n{revisions:#?}", text(held), text(own)))
    };
    let invited = held.is_some_and(|held| held.has_attendee(std::slice::from_ref(&address)));
    match (held, own) {
        (Some(held), Some(own)) if invited => {
            // A guest may keep an answer of their own for an instance of which nobody else has made anything.
            let sent = &world.users[user].revisions.instances;
            let theirs = own.keys().filter(|key| sent.contains_key(key));
            let keys: Vec<InstanceKey> = held.keys().chain(theirs).collect();
            for key in keys {
                let (theirs, mine) = (held.get(key).map(edits::scheduling), own.get(key).map(edits::scheduling));
                if theirs != mine {
                    return report(&format!("{key}: {theirs:#?} {mine:#?}"));
                }
            }
            None
        }
        (Some(_), None) if invited => report("has nothing"),
        // Taken off, or called off: what is left is marked as cancelled.
        (_, Some(own)) if own.components().any(|(_, component)| !component.is_cancelled()) => report("goes on alone"),
        _ => None,
    }
}

/// Who says what about a guest's answers.
///
/// Looked at are the series, instances that take place at a time of their own, and those that the guest answered for.
/// Another instance that was split off without the guest's knowledge may show what they said of the series before.
fn misunderstanding(world: &World, user: usize) -> Option<String> {
    let address = World::address(user);
    let (Some(held), Some(own)) = (&world.users[0].object, &world.users[user].object) else { return None };
    held.components().find_map(|(key, component)| {
        let has_answered = world.users[0].revisions.replies.contains_key(&(key, address.clone()));
        let is_moved = component.moment(&ICalendarProperty::Dtstart, held.zones()) != key.moment();
        if key != InstanceKey::Master && !is_moved && !has_answered {
            return None;
        }
        let theirs = edits::partstat_of(component, &address)?;
        // An instance that says nothing of its own is answered by the series.
        let instance = own.get(key).or(own.master().filter(|_| !is_moved));
        let mine = instance.and_then(|own| edits::partstat_of(own, &address)).unwrap_or("nothing");
        (theirs != mine).then(|| {
            let (held, own) = (held.to_text(), own.to_text());
            format!("{address} {key}: {theirs} for the organizer, {mine} for the guest\n{held}\n{own}")
        })
    })
}

proptest! {
    #![proptest_config(crate::cases(100))]

    #[test]
    fn all_agree_when_everything_has_arrived(events in vec(event(plain_edit()), 1..40)) {
        let mut world = World::new(&[0, 1, 2]);
        events.iter().for_each(|event| world.play(event));
        world.deliver_all();
        for user in 1..4 {
            prop_assert!(misunderstanding(&world, user).is_none(), "{}", misunderstanding(&world, user).unwrap_or_default());
        }
        world.refresh_all();
        for user in 1..4 {
            prop_assert!(disagreement(&world, user).is_none(), "{}", disagreement(&world, user).unwrap_or_default());
            prop_assert!(misunderstanding(&world, user).is_none(), "{}", misunderstanding(&world, user).unwrap_or_default());
        }
    }

    #[test]
    fn all_agree_after_a_new_time_and_new_answers(events in vec(wild_event(), 1..40)) {
        let mut world = World::new(&[0, 1, 2]);
        events.iter().for_each(|event| world.play(event));
        world.deliver_all();
        world.play(&Event::Edit(Edit::Shift));
        world.deliver_all();
        for user in 1..4u8 {
            world.play(&Event::Answer(user - 1, 2, None));
        }
        world.deliver_all();
        world.refresh_all();
        for user in 1..4 {
            prop_assert!(disagreement(&world, user).is_none(), "{}", disagreement(&world, user).unwrap_or_default());
            prop_assert!(misunderstanding(&world, user).is_none(), "{}", misunderstanding(&world, user).unwrap_or_default());
        }
    }
}
