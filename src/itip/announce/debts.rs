//! From what is owed to whom, to messages: who gets what with whom, and in which order.
//!
//! | somebody is owed | and gets |
//! |---|---|
//! | the full REQUEST, and perhaps something about instances | the full REQUEST |
//! | one kind of message about instances | that message, together with all who are owed the same |
//! | two kinds, and is still invited | the full REQUEST |
//! | two kinds, and is no longer invited | both |

use std::collections::{BTreeMap, BTreeSet};

use calcard::icalendar::{ICalendarComponent, ICalendarProperty};

use super::Author;
use super::message::{all_attended, cancellation, invitation, organizer_address, partial, sorted};
use super::recipients::{anyone, everybody};
use crate::itip::address::Address;
use crate::itip::component::ComponentExt;
use crate::itip::decision::{Outgoing, Refusal};
use crate::itip::instance::InstanceKey;
use crate::itip::method::Method;
use crate::itip::object::CalendarObject;
use crate::itip::revision::Sequence;
use crate::itip::summary::{Occasion, Participants, Summary};

/// Who is owed what about which instance.
#[derive(Default)]
pub(super) struct Debts {
    /// Recipients of the full REQUEST; sorted, and none twice, once it is settled what is owed.
    full: Vec<Address>,
    /// By recipient: the instances of each method.
    partial: BTreeMap<Address, BTreeMap<Method, BTreeSet<InstanceKey>>>,
    /// The SEQUENCE of the CANCEL about an instance.
    cancelled: BTreeMap<InstanceKey, Sequence>,
}

impl Debts {
    /// Owes the full REQUEST.
    pub(super) fn owe_all(&mut self, to: impl IntoIterator<Item = Address>) {
        self.full.extend(to);
    }

    /// Owes a message about one instance.
    pub(super) fn owe(&mut self, to: impl IntoIterator<Item = Address>, method: Method, key: InstanceKey) {
        for address in to {
            self.partial.entry(address).or_default().entry(method).or_default().insert(key);
        }
    }

    /// Owes a CANCEL of one instance.
    pub(super) fn owe_cancel(&mut self, to: impl IntoIterator<Item = Address>, key: InstanceKey, sequence: Sequence) {
        self.cancelled.insert(key, sequence);
        self.owe(to, Method::Cancel, key);
    }

    /// Turns debts into messages: full REQUESTs first, then the partial ones by method, instances and recipients.
    ///
    /// Whoever gets the full REQUEST gets nothing partial; whoever would get two kinds gets the full one.
    pub(super) fn settle(
        mut self,
        before: &CalendarObject,
        after: &CalendarObject,
        author: Author<'_>,
    ) -> Result<Vec<Outgoing>, Refusal> {
        let from = organizer_address(after).ok_or(Refusal::NoSchedulingInfo)?;
        let groups = self.grouped(|| everybody(after, author, anyone).collect());
        self.sort_full();
        let mut messages = Vec::new();
        if !self.full.is_empty() {
            let summary = update_summary(Occasion::Update(Method::Request), before, after);
            let object = all_attended(after, author);
            let to = std::mem::take(&mut self.full);
            messages.push(Outgoing { from: from.clone(), to, method: Method::Request, summary, object });
        }
        for ((method, keys), to) in groups {
            let (summary, object) = self.about_instances((before, after), method, &keys, &to, author);
            messages.push(Outgoing { from: from.clone(), to: sorted(to), method, summary, object });
        }
        if messages.is_empty() { Err(Refusal::NothingToSend) } else { Ok(messages) }
    }

    /// The partial messages by method and instances; moves those who would get two kinds to the full REQUEST.
    fn grouped(
        &mut self,
        invited: impl FnOnce() -> BTreeSet<Address>,
    ) -> BTreeMap<(Method, Vec<InstanceKey>), BTreeSet<Address>> {
        let mut groups: BTreeMap<(Method, Vec<InstanceKey>), BTreeSet<Address>> = BTreeMap::new();
        if self.partial.is_empty() {
            return groups;
        }
        self.sort_full();
        let (full, invited) = (std::mem::take(&mut self.full), invited());
        for (address, owed) in std::mem::take(&mut self.partial) {
            if full.binary_search(&address).is_ok() {
                continue;
            }
            let two_kinds = owed.len() > 1;
            if two_kinds && invited.contains(&address) {
                self.full.push(address);
                continue;
            }
            for (method, keys) in owed {
                groups.entry((method, keys.into_iter().collect())).or_default().insert(address.clone());
            }
        }
        self.full.extend(full);
        groups
    }

    fn sort_full(&mut self) {
        self.full.sort_unstable();
        self.full.dedup();
    }

    /// The message about some instances to some of their attendees.
    fn about_instances(
        &self,
        (before, after): (&CalendarObject, &CalendarObject),
        method: Method,
        keys: &[InstanceKey],
        to: &BTreeSet<Address>,
        author: Author<'_>,
    ) -> (Summary, CalendarObject) {
        let components = keys.iter().filter_map(|&key| {
            if method != Method::Cancel {
                return Some((key, invitation(after.get(key)?, author.now)));
            }
            let sequence = self.cancelled.get(&key).copied().unwrap_or_default();
            // Who left is named by the version that still names them.
            let named =
                |component: &&ICalendarComponent| component.attendees().any(|party| to.contains(&party.address()));
            let versions = [after.get(key), before.get(key), after.master()];
            let component = versions.into_iter().flatten().find(named)?;
            let addressed = |party: crate::itip::component::Party<'_>| to.contains(&party.address());
            let mut cancellation = cancellation(component, sequence, author.now, addressed);
            identify(&mut cancellation, after.get(key).or(before.get(key))?);
            Some((key, cancellation))
        });
        let components: Vec<_> = components.collect();
        let summary = match method {
            Method::Cancel => cancel_summary(before),
            _ => update_summary(Occasion::Update(method), before, after),
        };
        (summary, partial(after, method, components, author))
    }
}

/// Gives a component made from the master the RECURRENCE-ID of the instance that it speaks of.
fn identify(component: &mut ICalendarComponent, instance: &ICalendarComponent) {
    if component.has_property(&ICalendarProperty::RecurrenceId) {
        return;
    }
    let Some(recurrence_id) = instance.property(&ICalendarProperty::RecurrenceId) else { return };
    component.entries.push(recurrence_id.clone());
    // The master's times are not those of the instance.
    for name in
        [ICalendarProperty::Dtstart, ICalendarProperty::Dtend, ICalendarProperty::Due, ICalendarProperty::Duration]
    {
        component.remove(&name);
    }
}

/// What an update shows: the new master's values, and the old master's where they differ.
fn update_summary(occasion: Occasion, before: &CalendarObject, after: &CalendarObject) -> Summary {
    match (after.principal(), before.principal()) {
        (Some(now), Some(was)) => Summary::of_update(occasion, (now, after.zones()), (was, before.zones())),
        _ => Summary { occasion, current: Vec::new(), previous: Vec::new(), replaced: None },
    }
}

/// What a CANCEL of a part shows: the values before the change, since those are what its recipients know.
fn cancel_summary(before: &CalendarObject) -> Summary {
    match before.principal() {
        Some(was) => Summary::new(Occasion::Cancel, was, before.zones(), Participants::Shown),
        None => Summary { occasion: Occasion::Cancel, current: Vec::new(), previous: Vec::new(), replaced: None },
    }
}
