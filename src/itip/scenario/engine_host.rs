//! The engine alone as a host: every user's calendar in memory, mail that arrives at once.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::laws::{self, Deed};
use super::render::{Rendered, render_outgoing};
use super::runner::{Answer, Fidelity, Host, Outcome};
use super::script::{Setting, Telling};
use crate::itip::address::Address;
use crate::itip::announce::{self, Author};
use crate::itip::decision::{Decision, Outgoing, Reason, Refusal, Verdict};
use crate::itip::object::CalendarObject;
use crate::itip::receive::{Context, Held, ItipMessage, Policy, receive};
use crate::itip::revision::Revisions;

/// Where the clock of every scenario stands at first: 1 January 2030, 00:00 UTC.
const FIRST_MORNING: i64 = 1_893_456_000;

/// What a user has of one UID.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Slot {
    pub(super) object: Option<CalendarObject>,
    pub(super) revisions: Revisions,
}

/// The calendars of all users, by user and UID.
pub(super) type Slots = BTreeMap<(Address, String), Slot>;

/// A message on its way: who sent it, to whom, and its text.
#[derive(Clone, Debug)]
pub(super) struct Mail {
    pub(super) from: Address,
    pub(super) to: Vec<Address>,
    pub(super) text: String,
}

/// The engine with calendars in memory.
///
/// It is its own witness: [`Host::check_laws`] compares what the last step did with how everything stood before it.
#[derive(Clone, Debug)]
pub struct EngineHost {
    prodid: String,
    now: i64,
    policy: Policy,
    pub(super) slots: Slots,
    names: BTreeMap<String, String>,
    aliases: BTreeMap<Address, Vec<Address>>,
    pub(super) last: Result<Vec<Outgoing>, Refusal>,
    /// What the recipients of the last `send` owed in return.
    answers: Vec<Outgoing>,
    pub(super) mails: Vec<Mail>,
    reasons: Vec<(String, String)>,
    /// The UIDs that somebody outside has sent something about.
    foreign: BTreeSet<String>,
    before: Slots,
    deed: Deed,
}

impl EngineHost {
    /// A host without any calendar; `prodid` is what the engine's messages carry.
    pub fn new(prodid: &str) -> Self {
        Self {
            prodid: prodid.to_owned(),
            now: FIRST_MORNING,
            policy: Policy::default(),
            slots: BTreeMap::new(),
            names: BTreeMap::new(),
            aliases: BTreeMap::new(),
            last: Err(Refusal::NothingToSend),
            answers: Vec::new(),
            mails: Vec::new(),
            reasons: Vec::new(),
            foreign: BTreeSet::new(),
            before: Slots::new(),
            deed: Deed::Nothing,
        }
    }

    /// The messages of the last result, in the order of [`Host::outcome`].
    pub fn owed(&self) -> &[Outgoing] {
        self.last.as_deref().unwrap_or_default()
    }

    /// The messages that came back, in the order of [`Host::send`].
    pub fn answers(&self) -> &[Outgoing] {
        &self.answers
    }

    fn uid<'a>(&'a self, name: &'a str) -> &'a str {
        self.names.get(name).map_or(name, String::as_str)
    }

    /// All addresses of a user, the main one first.
    pub(super) fn addresses(&self, user: &Address) -> Vec<Address> {
        self.aliases.get(user).cloned().unwrap_or_else(|| vec![user.clone()])
    }

    /// The user whose mailbox an address leads to.
    pub(super) fn owner(&self, address: &Address) -> Address {
        let owner = self.aliases.iter().find(|(_, addresses)| addresses.contains(address));
        owner.map_or_else(|| address.clone(), |(user, _)| user.clone())
    }

    /// Whether `itip` steps have spoken about what a message speaks of.
    pub(super) fn is_played_from_outside(&self, message: &ItipMessage) -> bool {
        self.foreign.contains(&message.object.uid().0)
    }

    /// Keeps what a change led to as the last result.
    fn announced(&mut self, outgoing: Result<Vec<Outgoing>, Refusal>) {
        let messages = outgoing.iter().flatten();
        self.mails = messages
            .map(|message| Mail { from: message.from.clone(), to: message.to.clone(), text: message.object.to_text() })
            .collect();
        self.last = outgoing;
    }

    fn deliver(&mut self, mail: &Mail, recipient: &Address) -> Vec<Answer> {
        let decision = self.decide(mail, recipient);
        self.reasons.push((recipient.to_string(), decision.reason.name().to_owned()));
        match (decision.verdict, decision.reason) {
            (Verdict::Refused, Reason::Refused(refusal)) => vec![Answer::Refused(refusal.to_string())],
            _ => {
                let answers = decision.outgoing.iter().map(|out| Answer::Message(Box::new(render_outgoing(out))));
                let answers = answers.collect();
                self.answers.extend(decision.outgoing);
                answers
            }
        }
    }

    /// Lets the recipient's engine decide on a mail, and does what it decides.
    pub(super) fn decide(&mut self, mail: &Mail, recipient: &Address) -> Decision {
        let message = match ItipMessage::parse(&mail.text, None) {
            Ok(message) => message,
            Err(refusal) => return Decision::refused(refusal),
        };
        let user = self.owner(recipient);
        let addresses = self.addresses(&user);
        let author = Author { addresses: &addresses, now: self.now, prodid: &self.prodid };
        let context = Context { author, sender: &mail.from, policy: self.policy };
        let key = (user, message.object.uid().0.clone());
        let mut slot = self.slots.get(&key).cloned().unwrap_or_default();
        let held = Held { object: slot.object.as_ref().map(Cow::Borrowed), revisions: &slot.revisions };
        let decision = receive(held, message, context);
        if let Some(object) = &decision.store {
            slot.object = Some(object.clone());
        }
        if let Some(revisions) = &decision.revisions {
            slot.revisions = revisions.clone();
        }
        if decision.store.is_some() || decision.revisions.is_some() {
            self.slots.insert(key, slot);
        }
        decision
    }
}

impl Host for EngineHost {
    fn fidelity(&self) -> Fidelity {
        Fidelity::Exact
    }

    fn put(&mut self, user: &str, name: &str, calendar: &str) -> Result<(), String> {
        let user = Address::parse(user);
        self.deed = Deed::Edited(user.clone());
        let object = match CalendarObject::parse(calendar) {
            Ok(object) => object,
            Err(refusal) => {
                self.announced(Err(refusal));
                return Ok(());
            }
        };
        let uid = object.uid().0.clone();
        self.names.insert(name.to_owned(), uid.clone());
        let addresses = self.addresses(&user);
        let author = Author { addresses: &addresses, now: self.now, prodid: &self.prodid };
        let slot = self.slots.entry((user, uid)).or_default();
        let announcement = announce::put(slot.object.as_ref(), object, &slot.revisions, author);
        slot.object = announcement.store;
        slot.revisions = announcement.revisions;
        self.announced(announcement.outgoing);
        Ok(())
    }

    fn delete(&mut self, user: &str, name: &str) -> Result<(), String> {
        let user = Address::parse(user);
        self.deed = Deed::Edited(user.clone());
        let addresses = self.addresses(&user);
        let key = (user, self.uid(name).to_owned());
        let slot = self.slots.get_mut(&key).ok_or_else(|| format!("{} holds no {name}", key.0))?;
        let object = slot.object.take().ok_or_else(|| format!("{} holds no {name}", key.0))?;
        let author = Author { addresses: &addresses, now: self.now, prodid: &self.prodid };
        let announcement = announce::delete(&object, &slot.revisions, author);
        slot.revisions = announcement.revisions;
        self.announced(announcement.outgoing);
        Ok(())
    }

    fn outcome(&mut self) -> Result<Outcome, String> {
        Ok(match &self.last {
            Ok(messages) => Outcome::Messages(messages.iter().map(render_outgoing).collect::<Vec<Rendered>>()),
            Err(refusal) => Outcome::Refused(refusal.to_string()),
        })
    }

    fn send(&mut self) -> Result<Vec<Answer>, String> {
        self.deed = Deed::Delivered;
        self.reasons.clear();
        self.answers.clear();
        let mut answers = Vec::new();
        for mail in self.mails.clone() {
            for recipient in &mail.to {
                answers.extend(self.deliver(&mail, recipient));
            }
        }
        Ok(answers)
    }

    fn itip(&mut self, from: &str, to: &[String], calendar: &str) -> Result<(), String> {
        self.deed = Deed::Came;
        let to = to.iter().map(|address| Address::parse(address)).collect();
        self.mails = vec![Mail { from: Address::in_mail(from), to, text: calendar.to_owned() }];
        self.foreign.extend(CalendarObject::parse(calendar).ok().map(|object| object.uid().0.clone()));
        self.last = Err(Refusal::NothingToSend);
        Ok(())
    }

    fn get(&mut self, user: &str, name: &str) -> Result<Option<String>, String> {
        let key = (Address::parse(user), self.uid(name).to_owned());
        Ok(self.slots.get(&key).and_then(|slot| slot.object.as_ref()).map(CalendarObject::to_text))
    }

    fn reset(&mut self) -> Result<(), String> {
        *self = Self::new(&std::mem::take(&mut self.prodid));
        Ok(())
    }

    fn advance_clock(&mut self, seconds: i64) -> Result<(), String> {
        self.now += seconds;
        Ok(())
    }

    fn alias(&mut self, user: &str, others: &[String]) -> Result<(), String> {
        let user = Address::parse(user);
        let mut addresses = self.addresses(&user);
        addresses.extend(others.iter().map(|other| Address::parse(other)));
        self.aliases.insert(user, addresses);
        Ok(())
    }

    fn tell(&mut self, user: &str, name: &str, what: &Telling, calendar: &str) -> Result<(), String> {
        let user = Address::parse(user);
        self.deed = Deed::Edited(user.clone());
        let addresses = self.addresses(&user);
        let author = Author { addresses: &addresses, now: self.now, prodid: &self.prodid };
        let key = (user, self.uid(name).to_owned());
        let held = self.slots.get(&key).and_then(|slot| slot.object.as_ref());
        let held = held.ok_or_else(|| format!("{} holds no {name}", key.0))?;
        let told = match what {
            Telling::Counter => {
                CalendarObject::parse(calendar).and_then(|proposed| announce::counter(held, &proposed, author))
            }
            Telling::DeclineCounter { proposer, instance } => {
                announce::decline_counter(held, &Address::parse(proposer), *instance, author)
            }
            Telling::Refresh => announce::refresh(held, author),
            Telling::Publish { to } => {
                let to: Vec<Address> = to.iter().map(|address| Address::parse(address)).collect();
                announce::publish(held, &to, author)
            }
        };
        self.announced(told.map(|message| vec![message]));
        Ok(())
    }

    fn policy(&mut self, setting: Setting) -> Result<(), String> {
        match setting {
            Setting::AutoAdd(admission) => self.policy.new_invitations = admission,
            Setting::PartyCrashers(party_crashers) => self.policy.party_crashers = party_crashers,
            Setting::Publications(publications) => self.policy.publications = publications,
        }
        Ok(())
    }

    fn reasons(&mut self) -> Result<Vec<(String, String)>, String> {
        Ok(self.reasons.clone())
    }

    fn check_laws(&mut self) -> Result<(), String> {
        let deed = std::mem::replace(&mut self.deed, Deed::Nothing);
        let before = std::mem::replace(&mut self.before, self.slots.clone());
        laws::check(&before, &deed, self)
    }
}
