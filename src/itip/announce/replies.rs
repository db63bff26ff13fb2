//! The REPLYs of an attendee: one message says one thing, and says it as one address.

use std::collections::{BTreeMap, BTreeSet};

use calcard::icalendar::{
    ICalendarComponent, ICalendarEntry, ICalendarParticipationStatus, ICalendarProperty, ICalendarValue,
};

use super::Author;
use super::delegation::delegators;
use super::message::{answer, organizer_address, partial, sorted};
use crate::itip::address::Address;
use crate::itip::component::{ComponentExt, Party, plain_party, set_partstat, strip_schedule_parameters};
use crate::itip::decision::{Outgoing, Refusal};
use crate::itip::instance::InstanceKey;
use crate::itip::method::Method;
use crate::itip::object::{CalendarObject, Kind};
use crate::itip::summary::{Occasion, Participants, Summary};

type Partstat = ICalendarParticipationStatus;

/// What a REPLY tells about a VTODO besides the answer (RFC 5546 §3.4.3).
pub(super) const PROGRESS: [ICalendarProperty; 3] =
    [ICalendarProperty::Status, ICalendarProperty::PercentComplete, ICalendarProperty::Completed];

/// The REPLY components that are owed, by what they say and as whom.
#[derive(Default)]
pub(super) struct Replies(BTreeMap<(Partstat, Address), BTreeMap<InstanceKey, ICalendarComponent>>);

impl Replies {
    /// Says what the attendee has answered in a component, if anything.
    pub(super) fn say_answered(&mut self, key: InstanceKey, component: &ICalendarComponent, author: Author<'_>) {
        let Some(own) = component.attendee_among(author.addresses).filter(|own| own.has_answered()) else { return };
        match own.partstat() {
            None => {}
            Some(Partstat::Declined) => self.decline(key, component, own, author.now),
            Some(partstat) => self.say(key, component, (own, partstat), author.now),
        }
    }

    /// A REPLY component with the attendee as stored.
    fn say(
        &mut self,
        key: InstanceKey,
        component: &ICalendarComponent,
        (own, partstat): (Party<'_>, &Partstat),
        now: i64,
    ) {
        let mut entry = own.0.clone();
        strip_schedule_parameters(&mut entry);
        let mut reply = answer(component, entry, now);
        if Kind::of(component) == Some(Kind::Todo) {
            let progress = component.entries.iter().filter(|entry| PROGRESS.contains(&entry.name));
            reply.entries.extend(progress.cloned());
        }
        reply.entries.push(success());
        self.0.entry((partstat.clone(), own.address())).or_default().insert(key, reply);
    }

    /// A REPLY component that declines: a plain ATTENDEE and no REQUEST-STATUS.
    pub(super) fn decline(&mut self, key: InstanceKey, component: &ICalendarComponent, own: Party<'_>, now: i64) {
        let mut entry = plain_party(ICalendarProperty::Attendee, own.written());
        set_partstat(&mut entry, Partstat::Declined);
        let reply = answer(component, entry, now);
        self.0.entry((Partstat::Declined, own.address())).or_default().insert(key, reply);
    }

    /// The messages, in the order of their first instances.
    pub(super) fn into_messages(
        self,
        object: &CalendarObject,
        participants: Participants,
        author: Author<'_>,
    ) -> Result<Vec<Outgoing>, Refusal> {
        let organizer = organizer_address(object).ok_or(Refusal::NoSchedulingInfo)?;
        let principal = object.principal().ok_or(Refusal::NothingToSend)?;
        // Those who delegated to the user hear the answer as well (RFC 5546 §3.2.2.3).
        let to: BTreeSet<Address> = std::iter::once(organizer).chain(delegators(object, author)).collect();
        let mut said: Vec<_> = self.0.into_iter().collect();
        said.sort_by_key(|(_, components)| components.keys().next().copied());
        let messages: Vec<Outgoing> = said
            .into_iter()
            .map(|((partstat, from), components)| {
                let summary = Summary::new(Occasion::Rsvp(partstat), principal, object.zones(), participants);
                let object = partial(object, Method::Reply, components, author);
                Outgoing { from, to: sorted(to.clone()), method: Method::Reply, summary, object }
            })
            .collect();
        if messages.is_empty() { Err(Refusal::NothingToSend) } else { Ok(messages) }
    }
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
