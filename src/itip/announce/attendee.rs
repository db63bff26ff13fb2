//! The attendee's side: what the organizer is told when an attendee stores or deletes their copy.
//!
//! | what the attendee does | what goes out |
//! |---|---|
//! | changes their PARTSTAT, in the master or an override | REPLY for those instances |
//! | adds an EXDATE, or deletes an override | REPLY: DECLINED for that instance |
//! | deletes the object | REPLY: DECLINED for every instance not declined already |
//! | delegates | REPLY to the organizer, REQUEST to the delegate |
//! | changes what is the organizer's | nothing: refused |
//! | changes what is private | nothing is owed |

use std::collections::{BTreeMap, BTreeSet};

use calcard::icalendar::{
    ICalendarComponent, ICalendarEntry, ICalendarParameterName, ICalendarParticipationStatus, ICalendarProperty,
    ICalendarValue,
};

use super::Author;
use super::message::{answer, invitation, organizer_address, partial, sorted};
use crate::itip::address::Address;
use crate::itip::change::{Weight, attendee_set, differs, weight};
use crate::itip::component::{ComponentExt, Party, plain_party, set_partstat, strip_schedule_parameters};
use crate::itip::decision::{Announcement, Outgoing, Refusal};
use crate::itip::instance::InstanceKey;
use crate::itip::method::Method;
use crate::itip::object::{CalendarObject, Kind};
use crate::itip::revision::Revisions;
use crate::itip::summary::{Occasion, Participants, Summary};
use crate::itip::time::{Moment, Zones};

type Partstat = ICalendarParticipationStatus;

/// The attendee stores `after`.
pub(super) fn put(
    before: Option<&CalendarObject>,
    mut after: CalendarObject,
    revisions: &Revisions,
    author: Author<'_>,
) -> Announcement {
    if let Some(before) = before {
        keep_sequences(before, &mut after);
    }
    let outgoing = answers(before, &after, author);
    Announcement { store: Some(after), revisions: revisions.clone(), outgoing }
}

/// The attendee deletes the object: what was not declined yet is declined (RFC 6638 §3.2.2.4).
pub(super) fn delete(before: &CalendarObject, author: Author<'_>) -> Result<Vec<Outgoing>, Refusal> {
    let mut replies = Replies::default();
    for (key, component) in before.components() {
        let own = component.attendee_among(author.addresses);
        if let Some(own) = own.filter(|own| !component.is_cancelled() && own.partstat() != Some(&Partstat::Declined)) {
            replies.decline(key, component, own, author.now);
        }
    }
    replies.into_messages(before, before, Participants::Hidden, author)
}

fn answers(
    before: Option<&CalendarObject>,
    after: &CalendarObject,
    author: Author<'_>,
) -> Result<Vec<Outgoing>, Refusal> {
    let mut replies = Replies::default();
    let Some(before) = before else {
        after.components().for_each(|(key, component)| replies.first_answer(key, component, author));
        return replies.into_messages(after, after, Participants::Shown, author);
    };
    for (key, component) in after.components() {
        match before.get(key) {
            Some(held) => {
                check_unmodified((held, before), (component, after), author)?;
                replies.changed_answer(key, held, component, author);
            }
            None => replies.answer_of_new_override(key, before, (component, after), author)?,
        }
    }
    replies.gone_overrides(before, after, author)?;
    replies.excluded_dates(before, after, author);
    let mut messages = replies.into_messages(before, after, Participants::Shown, author)?;
    messages.extend(delegation(before, after, author));
    Ok(messages)
}

/// An attendee never raises SEQUENCE: answers name the revision that the organizer sent (RFC 5546 §2.1.4).
fn keep_sequences(before: &CalendarObject, after: &mut CalendarObject) {
    for (key, held) in before.components() {
        let sequence = held.sequence();
        if let Some(component) = after.get_mut(key).filter(|component| component.sequence() != sequence) {
            component.set_sequence(sequence);
        }
    }
}

/// Refuses a change of what belongs to the organizer (RFC 6638 §3.2.2.1).
fn check_unmodified(
    (held, before): (&ICalendarComponent, &CalendarObject),
    (component, after): (&ICalendarComponent, &CalendarObject),
    author: Author<'_>,
) -> Result<(), Refusal> {
    let was = attendee_set(held);
    let delegates: BTreeSet<Address> = component
        .attendee_among(author.addresses)
        .map(|own| own.addresses(&ICalendarParameterName::DelegatedTo).collect())
        .unwrap_or_default();
    let is: BTreeSet<Address> = attendee_set(component)
        .into_iter()
        .filter(|address| !delegates.contains(address) || was.contains(address))
        .collect();
    if was != is {
        return Err(Refusal::CannotModifyAddress);
    }
    let names: BTreeSet<&ICalendarProperty> =
        held.entries.iter().chain(&component.entries).map(|entry| &entry.name).collect();
    let foreign = names
        .into_iter()
        .filter(|name| !may_change(name, after.kind()))
        .find(|name| differs(name, (held, before.zones()), (component, after.zones())));
    foreign.map_or(Ok(()), |name| Err(Refusal::CannotModifyProperty(name.as_str().to_owned())))
}

fn may_change(name: &ICalendarProperty, kind: Kind) -> bool {
    let own_progress = kind == Kind::Todo
        && matches!(
            name,
            ICalendarProperty::Status | ICalendarProperty::PercentComplete | ICalendarProperty::Completed
        );
    own_progress || *name == ICalendarProperty::Exdate || weight(name) < Weight::Raises
}

/// The REPLY components that are owed, by PARTSTAT: one message says one thing.
#[derive(Default)]
struct Replies(BTreeMap<Partstat, Vec<(InstanceKey, ICalendarComponent, Address)>>);

impl Replies {
    /// The answer in an object that was not held before.
    fn first_answer(&mut self, key: InstanceKey, component: &ICalendarComponent, author: Author<'_>) {
        if let Some(own) = component.attendee_among(author.addresses).filter(|own| own.has_answered()) {
            self.say(key, component, own, author.now);
        }
    }

    /// The answer in a component that was held before.
    fn changed_answer(
        &mut self,
        key: InstanceKey,
        held: &ICalendarComponent,
        component: &ICalendarComponent,
        author: Author<'_>,
    ) {
        let Some(own) = component.attendee_among(author.addresses) else { return };
        let was = held.attendee_among(author.addresses).and_then(Party::partstat);
        if own.has_answered() && own.partstat() != was {
            self.say(key, component, own, author.now);
        }
    }

    /// An attendee may split off an instance to answer for it alone, and for nothing else (RFC 6638 §3.2.2.1).
    fn answer_of_new_override(
        &mut self,
        key: InstanceKey,
        before: &CalendarObject,
        (component, after): (&ICalendarComponent, &CalendarObject),
        author: Author<'_>,
    ) -> Result<(), Refusal> {
        let master = before.master().ok_or(Refusal::CannotModifyInstance)?;
        let moved = component
            .moment(&ICalendarProperty::Dtstart, after.zones())
            .is_some_and(|start| key.moment() != Some(start));
        let changed = [ICalendarProperty::Location, ICalendarProperty::Status]
            .iter()
            .any(|name| differs(name, (master, before.zones()), (component, after.zones())));
        if moved || changed {
            return Err(Refusal::CannotModifyInstance);
        }
        self.changed_answer(key, master, component, author);
        Ok(())
    }

    fn gone_overrides(
        &mut self,
        before: &CalendarObject,
        after: &CalendarObject,
        author: Author<'_>,
    ) -> Result<(), Refusal> {
        for (key, held) in before.components().filter(|(key, _)| after.get(*key).is_none()) {
            if key == InstanceKey::Master {
                return Err(Refusal::CannotModifyInstance);
            }
            let own = held.attendee_among(author.addresses).filter(|_| !held.is_cancelled());
            if let Some(own) = own.filter(|own| own.partstat() != Some(&Partstat::Declined)) {
                self.decline(key, held, own, author.now);
            }
        }
        Ok(())
    }

    /// A new EXDATE declines that instance (RFC 6638 §3.2.2.3).
    fn excluded_dates(&mut self, before: &CalendarObject, after: &CalendarObject, author: Author<'_>) {
        let (Some(held), Some(master)) = (before.master(), after.master()) else { return };
        let Some(own) = master.attendee_among(author.addresses) else { return };
        let was = exdates(held, before.zones());
        for (moment, entry) in exdates(master, after.zones()) {
            let key = InstanceKey::This(moment);
            if was.contains_key(&moment) || before.get(key).is_some() {
                continue;
            }
            let mut component = master.clone();
            component.remove(&ICalendarProperty::Dtstart);
            component.remove(&ICalendarProperty::Dtend);
            component.remove(&ICalendarProperty::Duration);
            component.entries.push(ICalendarEntry { name: ICalendarProperty::RecurrenceId, ..entry });
            self.decline(key, &component, own, author.now);
        }
    }

    /// A REPLY component with the attendee as stored.
    fn say(&mut self, key: InstanceKey, component: &ICalendarComponent, own: Party<'_>, now: i64) {
        let partstat = own.partstat().cloned().unwrap_or(Partstat::NeedsAction);
        if partstat == Partstat::Declined {
            return self.decline(key, component, own, now);
        }
        let mut entry = own.0.clone();
        strip_schedule_parameters(&mut entry);
        let mut reply = answer(component, entry, now);
        reply.entries.push(success());
        self.0.entry(partstat).or_default().push((key, reply, own.address()));
    }

    /// A REPLY component that declines: a plain ATTENDEE and no REQUEST-STATUS.
    fn decline(&mut self, key: InstanceKey, component: &ICalendarComponent, own: Party<'_>, now: i64) {
        let mut entry = plain_party(ICalendarProperty::Attendee, own.written());
        set_partstat(&mut entry, Partstat::Declined);
        let reply = answer(component, entry, now);
        self.0.entry(Partstat::Declined).or_default().push((key, reply, own.address()));
    }

    fn into_messages(
        self,
        before: &CalendarObject,
        after: &CalendarObject,
        participants: Participants,
        author: Author<'_>,
    ) -> Result<Vec<Outgoing>, Refusal> {
        let organizer = organizer_address(after).or(organizer_address(before)).ok_or(Refusal::NoSchedulingInfo)?;
        let principal = after.principal().ok_or(Refusal::NothingToSend)?;
        let mut messages = Vec::new();
        for (partstat, replies) in self.0 {
            let Some(from) = replies.first().map(|(_, _, from)| from.clone()) else { continue };
            let summary = Summary::new(Occasion::Rsvp(partstat), principal, after.zones(), participants);
            let to: BTreeSet<Address> = std::iter::once(organizer.clone()).chain(delegators(after, author)).collect();
            let components = replies.into_iter().map(|(key, component, _)| (key, component));
            let object = partial(after, Method::Reply, components, author);
            messages.push(Outgoing { from, to: sorted(to), method: Method::Reply, summary, object });
        }
        if messages.is_empty() { Err(Refusal::NothingToSend) } else { Ok(messages) }
    }
}

/// Those who delegated to the user hear the answer as well (RFC 5546 §3.2.2.3).
fn delegators(object: &CalendarObject, author: Author<'_>) -> Vec<Address> {
    let own = object.components().filter_map(|(_, component)| component.attendee_among(author.addresses));
    own.flat_map(|own| own.addresses(&ICalendarParameterName::DelegatedFrom)).collect()
}

/// The REQUEST to a delegate whom the user has just named (RFC 5546 §3.2.2.3).
fn delegation(before: &CalendarObject, after: &CalendarObject, author: Author<'_>) -> Option<Outgoing> {
    let own = |object: &CalendarObject| -> BTreeSet<Address> {
        let parties = object.components().filter_map(|(_, component)| component.attendee_among(author.addresses));
        parties
            .filter(|own| own.partstat() == Some(&Partstat::Delegated))
            .flat_map(|own| own.addresses(&ICalendarParameterName::DelegatedTo))
            .collect()
    };
    let to: BTreeSet<Address> = own(after).difference(&own(before)).cloned().collect();
    let from = after.components().find_map(|(_, component)| component.attendee_among(author.addresses))?.address();
    if to.is_empty() {
        return None;
    }
    let components = after.components().map(|(key, component)| {
        let mut forwarded = invitation(component, author.now);
        to.iter().for_each(|delegate| name_delegate(&mut forwarded, delegate, &from));
        (key, forwarded)
    });
    let object = partial(after, Method::Request, components, author);
    let summary = Summary::new(Occasion::Invite, after.principal()?, after.zones(), Participants::Shown);
    Some(Outgoing { from, to: sorted(to), method: Method::Request, summary, object })
}

/// The delegate's ATTENDEE must be in the forwarded REQUEST (RFC 5546 §3.2.2.3).
fn name_delegate(component: &mut ICalendarComponent, delegate: &Address, from: &Address) {
    if component.attendees().any(|party| party.is(delegate)) {
        return;
    }
    let mut entry = plain_party(ICalendarProperty::Attendee, &format!("mailto:{delegate}"));
    set_partstat(&mut entry, Partstat::NeedsAction);
    crate::itip::component::set_parameter(
        &mut entry,
        ICalendarParameterName::DelegatedFrom,
        calcard::icalendar::ICalendarParameterValue::Uri(calcard::icalendar::Uri::Location(format!("mailto:{from}"))),
    );
    component.entries.push(entry);
}

/// The excluded dates, each with the property that names it alone.
fn exdates(component: &ICalendarComponent, zones: &Zones) -> BTreeMap<Moment, ICalendarEntry> {
    let mut found = BTreeMap::new();
    for entry in component.properties(&ICalendarProperty::Exdate) {
        for value in &entry.values {
            let single = ICalendarEntry { values: vec![value.clone()], ..entry.clone() };
            if let Some(moment) = zones.moment(&single) {
                found.insert(moment, single);
            }
        }
    }
    found
}

/// REQUEST-STATUS:2.0;Success (RFC 5546 §3.6.1).
fn success() -> ICalendarEntry {
    let text = |text: &str| ICalendarValue::Text(text.to_owned());
    ICalendarEntry {
        name: ICalendarProperty::RequestStatus,
        params: Vec::new(),
        values: vec![text("2.0"), text("Success")],
    }
}
