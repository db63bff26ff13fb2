//! An organizer and three guests, and a post that loses, repeats and reorders.

use imipd::itip::receive::{Context, Held, ItipMessage, Policy, receive};
use imipd::itip::{Address, Author, CalendarObject, Outgoing, Revisions, announce};
use std::borrow::Cow;

use crate::edits::{self, Edit};

pub const UID: &str = "history-1@elm.example";

/// What happens in a history; the numbers are taken modulo what there is.
#[derive(Clone, Debug)]
pub enum Event {
    Edit(Edit),
    /// A guest answers, for one day or for all.
    Answer(u8, u8, Option<u8>),
    Decorate(u8, u8),
    /// A guest deletes what they have.
    Drop(u8),
    /// The organizer calls it off.
    Delete,
    /// A message from anywhere in the bag arrives.
    Deliver(u8),
    /// It arrives, and stays in the bag to arrive again.
    DeliverTwice(u8),
    /// It is set aside and comes at the very end.
    Lose(u8),
    /// A message that has arrived before comes again.
    Repeat(u8),
}

#[derive(Clone, Debug)]
pub struct Packet {
    pub from: Address,
    pub to: Address,
    pub text: String,
}

#[derive(Clone, Debug, Default)]
pub struct User {
    pub object: Option<CalendarObject>,
    pub revisions: Revisions,
}

impl std::fmt::Display for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = self.object.as_ref().map_or_else(|| "nothing".to_owned(), CalendarObject::to_text);
        write!(f, "{text}\n{:?}", self.revisions)
    }
}

#[derive(Clone, Debug)]
pub struct World {
    pub users: Vec<User>,
    pub now: i64,
    pub bag: Vec<Packet>,
    pub lost: Vec<Packet>,
    pub arrived: Vec<Packet>,
    fresh: i64,
}

impl World {
    /// Four empty calendars.
    pub fn nobody() -> Self {
        Self {
            users: vec![User::default(); edits::USERS.len()],
            now: 1_893_456_000,
            bag: Vec::new(),
            lost: Vec::new(),
            arrived: Vec::new(),
            fresh: 0,
        }
    }

    /// The meeting is in the organizer's calendar, and its invitations are in the bag.
    pub fn new(guests: &[u8]) -> Self {
        let mut world = Self::nobody();
        world.put(0, CalendarObject::parse(&edits::meeting(UID, guests)).expect("the meeting"));
        world
    }

    pub fn address(user: usize) -> Address {
        edits::address(user as u8)
    }

    pub fn play(&mut self, event: &Event) {
        // Two messages of one second cannot be told apart by their DTSTAMPs.
        self.now += 10;
        match event {
            Event::Edit(edit) => {
                self.fresh += 1;
                if let Some(object) = &self.users[0].object {
                    self.put(0, edits::edited(object, edit, self.fresh));
                }
            }
            Event::Answer(user, number, on) => {
                let user = 1 + usize::from(*user) % 3;
                if let Some(object) = &self.users[user].object {
                    self.put(user, edits::answered(object, &Self::address(user), *number, *on));
                }
            }
            Event::Decorate(user, number) => {
                let user = 1 + usize::from(*user) % 3;
                if let Some(object) = &self.users[user].object {
                    self.put(user, edits::decorated(object, *number));
                }
            }
            Event::Drop(user) => self.delete(1 + usize::from(*user) % 3),
            Event::Delete => self.delete(0),
            Event::Deliver(n) => self.take_from_the_bag(*n).into_iter().for_each(|packet| self.deliver(packet)),
            Event::DeliverTwice(n) => {
                if let Some(packet) = self.take_from_the_bag(*n) {
                    self.bag.push(packet.clone());
                    self.deliver(packet);
                }
            }
            Event::Lose(n) => {
                let packet = self.take_from_the_bag(*n);
                self.lost.extend(packet);
            }
            Event::Repeat(n) => {
                if let Some(index) = usize::from(*n).checked_rem(self.arrived.len()) {
                    self.deliver(self.arrived[index].clone());
                }
            }
        }
    }

    fn take_from_the_bag(&mut self, number: u8) -> Option<Packet> {
        let index = usize::from(number).checked_rem(self.bag.len())?;
        Some(self.bag.swap_remove(index))
    }

    pub fn put(&mut self, user: usize, after: CalendarObject) {
        let addresses = [Self::address(user)];
        let author = Author { addresses: &addresses, now: self.now, prodid: "-//test//EN" };
        let held = &self.users[user];
        let announcement = announce::put(held.object.as_ref(), after, &held.revisions, author);
        self.users[user] = User { object: announcement.store, revisions: announcement.revisions };
        self.post(announcement.outgoing.unwrap_or_default());
    }

    pub fn delete(&mut self, user: usize) {
        let addresses = [Self::address(user)];
        let author = Author { addresses: &addresses, now: self.now, prodid: "-//test//EN" };
        let Some(object) = self.users[user].object.take() else { return };
        let announcement = announce::delete(&object, &self.users[user].revisions, author);
        self.users[user] = User { object: announcement.store, revisions: announcement.revisions };
        self.post(announcement.outgoing.unwrap_or_default());
    }

    pub fn post(&mut self, messages: Vec<Outgoing>) {
        for message in messages {
            let text = message.object.to_text();
            let packets =
                message.to.into_iter().map(|to| Packet { from: message.from.clone(), to, text: text.clone() });
            self.bag.extend(packets);
        }
    }

    pub fn deliver(&mut self, packet: Packet) {
        let Some(user) = (0..self.users.len()).find(|user| Self::address(*user) == packet.to) else { return };
        let message = ItipMessage::parse(&packet.text, None).expect("what we compose, we can read");
        let addresses = [packet.to.clone()];
        let author = Author { addresses: &addresses, now: self.now, prodid: "-//test//EN" };
        let context = Context { author, sender: &packet.from, policy: Policy::default() };
        let slot = &self.users[user];
        let decision = receive(
            Held { object: slot.object.as_ref().map(Cow::Borrowed), revisions: &slot.revisions },
            message,
            context,
        );
        if let Some(object) = decision.store {
            self.users[user].object = Some(object);
        }
        if let Some(revisions) = decision.revisions {
            self.users[user].revisions = revisions;
        }
        self.arrived.push(packet);
        self.post(decision.outgoing);
    }

    /// Everything arrives that is still on its way, what was lost included; the latest first, to be unkind.
    pub fn deliver_all(&mut self) {
        for _round in 0..16 {
            self.now += 10;
            self.bag.append(&mut self.lost);
            if self.bag.is_empty() {
                return;
            }
            for packet in std::mem::take(&mut self.bag).into_iter().rev() {
                self.deliver(packet);
            }
        }
        panic!("the post never ends: {:?}", self.bag);
    }

    /// Every guest asks for the current version and gets it.
    pub fn refresh_all(&mut self) {
        self.now += 10;
        for user in 1..self.users.len() {
            let (from, to) = (Self::address(user), Self::address(0));
            self.deliver(Packet { text: edits::refresh(UID, &from), from, to });
        }
        self.deliver_all();
    }
}
