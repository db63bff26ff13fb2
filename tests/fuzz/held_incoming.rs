//! Any message against any stored object, from anybody: never a panic, and the laws hold.
//!
//! The first byte says who sends, the second whose calendar it is, the third how the object came there; the rest are two
//! calendars with a line of `=` between them.

use imipd::itip::scenario::{EngineHost, Host};
use imipd::itip::{Address, CalendarObject};

use super::Choices;

const STRANGER: &str = "stranger@elsewhere.example";

/// Stores the first calendar and delivers the second.
pub fn held_incoming(data: &[u8]) {
    let (head, texts) = data.split_at(data.len().min(3));
    let mut choices = Choices::new(head);
    let texts = String::from_utf8_lossy(texts);
    let (held, incoming) = texts.split_once("\n====\n").unwrap_or(("", &texts));
    let parties = parties(&[held, incoming]);
    let sender = parties[choices.below(parties.len())].clone();
    let user = parties[choices.below(parties.len())].clone();
    let mut host = EngineHost::new("-//fuzz//EN");
    if choices.byte().is_multiple_of(2) {
        // What a user stores can be anything; what the laws say about it is another target's matter.
        let _ = host.put(&user, "held", held);
        let _ = host.check_laws();
    } else {
        let organizer = organizer(held).unwrap_or_else(|| sender.clone());
        deliver(&mut host, &organizer, &user, held);
    }
    deliver(&mut host, &sender, &user, incoming);
    let stored = host.get(&user, "held").expect("the host answers");
    assert!(stored.is_none_or(|text| CalendarObject::parse(&text).is_ok()), "what is stored cannot be read");
}

fn deliver(host: &mut EngineHost, from: &str, to: &str, text: &str) {
    host.itip(from, &[to.to_owned()], text).expect("a message is set down");
    holds(host, text);
    host.send().expect("a message is delivered");
    holds(host, text);
}

fn holds(host: &mut EngineHost, text: &str) {
    host.check_laws().unwrap_or_else(|law| panic!("{law}\n--- after\n{text}"));
}

fn organizer(text: &str) -> Option<String> {
    Some(CalendarObject::parse(text).ok()?.organizer().ok()??.to_string())
}

/// Everybody whom the texts name, and somebody whom they do not.
fn parties(texts: &[&str]) -> Vec<String> {
    use imipd::itip::component::ComponentExt;
    let objects = texts.iter().filter_map(|text| CalendarObject::parse(text).ok());
    let mut parties: Vec<Address> = objects
        .flat_map(|object| {
            let named = object.components().flat_map(|(_, component)| {
                component.organizer().into_iter().chain(component.attendees()).map(|party| party.address())
            });
            named.collect::<Vec<_>>()
        })
        .collect();
    parties.dedup();
    parties.truncate(8);
    parties.push(Address::parse(STRANGER));
    parties.iter().map(ToString::to_string).collect()
}
