//! The order in which the organizer's messages arrive does not matter, and neither does how often.

use std::collections::BTreeMap;

use imipd::itip::component::ComponentExt;
use imipd::itip::{CalendarObject, InstanceKey};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::edits;
use crate::histories::any_edit;
use crate::world::{Event, Packet, World};

/// What an object says to its owner: nothing when all is off, otherwise each instance with its scheduling properties and
/// everybody's answers; of a cancelled instance only that it is.
fn meaning(object: Option<&CalendarObject>) -> Option<BTreeMap<InstanceKey, Vec<String>>> {
    let object = object?;
    if object.master().is_some_and(ComponentExt::is_cancelled) {
        return None;
    }
    let components = object.components().map(|(key, component)| {
        if component.is_cancelled() {
            return (key, vec!["cancelled".to_owned()]);
        }
        let mut lines = edits::scheduling(component);
        for user in edits::USERS.iter().map(|user| imipd::itip::Address::parse(user)) {
            lines.extend(edits::partstat_of(component, &user).map(|partstat| format!("{user} {partstat}")));
        }
        (key, lines)
    });
    let instances: BTreeMap<InstanceKey, Vec<String>> = components.collect();
    let is_on = instances.values().any(|lines| lines.as_slice() != ["cancelled"]);
    is_on.then_some(instances)
}

/// What a guest has after a list of messages.
fn received(packets: &[Packet]) -> World {
    let mut world = World::nobody();
    for packet in packets {
        world.now += 10;
        world.deliver(packet.clone());
    }
    world
}

proptest! {
    #![proptest_config(crate::cases(100))]

    #[test]
    fn any_order_ends_in_the_same_object(edits in vec(any_edit(), 1..10), delete in any::<bool>(), order in any::<u64>(), twice in vec(any::<u8>(), 0..4)) {
        let mut world = World::new(&[0, 1, 2]);
        edits.into_iter().for_each(|edit| world.play(&Event::Edit(edit)));
        if delete {
            world.play(&Event::Delete);
        }
        let bo = World::address(1);
        let sent: Vec<Packet> = world.bag.into_iter().filter(|packet| packet.to == bo).collect();
        let mut mixed = sent.clone();
        mixed.extend(twice.iter().filter_map(|n| sent.get(usize::from(*n) % sent.len()).cloned()));
        shuffle(&mut mixed, order);
        let (one, other) = (received(&sent), received(&mixed));
        let texts = |packets: &[Packet]| packets.iter().map(|packet| packet.text.clone()).collect::<Vec<_>>().join("\n");
        prop_assert_eq!(
            meaning(one.users[1].object.as_ref()),
            meaning(other.users[1].object.as_ref()),
            "as sent\n{}\nas arrived\n{}\nin order {}\nmixed {}",
            texts(&sent), texts(&mixed), &one.users[1], &other.users[1]
        );
    }
}

/// Fisher and Yates, with a small generator of its own.
fn shuffle(packets: &mut [Packet], seed: u64) {
    let mut state = seed | 1;
    for end in (1..packets.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let index = (state >> 33) as usize % (end + 1);
        packets.swap(end, index);
    }
}
