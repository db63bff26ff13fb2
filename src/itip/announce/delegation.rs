//! Delegation: somebody comes in the user's place (RFC 5546 §3.2.2.3).

use std::collections::BTreeSet;

use calcard::icalendar::{
    ICalendarComponent, ICalendarEntry, ICalendarParameter, ICalendarParameterName, ICalendarParameterValue,
    ICalendarParticipationStatus, ICalendarProperty, Uri,
};

use super::Author;
use super::message::{invitation, partial, sorted};
use crate::itip::address::Address;
use crate::itip::component::{ComponentExt, Party, plain_party, set_parameter, set_partstat};
use crate::itip::decision::Outgoing;
use crate::itip::method::Method;
use crate::itip::object::CalendarObject;
use crate::itip::summary::{Occasion, Participants, Summary};

/// Those who have delegated to the user.
pub(super) fn delegators(object: &CalendarObject, author: Author<'_>) -> BTreeSet<Address> {
    let own = object.components().filter_map(|(_, component)| component.attendee_among(author.addresses));
    let from = own.flat_map(|own| own.addresses(&ICalendarParameterName::DelegatedFrom));
    from.filter(|address| !author.addresses.contains(address)).collect()
}

/// The REQUEST to a delegate whom the user has just named: the instances concerned, SEQUENCE as it was.
pub(super) fn delegation(
    before: Option<&CalendarObject>,
    after: &CalendarObject,
    author: Author<'_>,
) -> Option<Outgoing> {
    let named_before = before.map(|before| delegates(before, author)).unwrap_or_default();
    let to: BTreeSet<Address> = delegates(after, author).difference(&named_before).cloned().collect();
    if to.is_empty() {
        return None;
    }
    let delegated = after.components().filter_map(|(key, component)| {
        let own = component.attendee_among(author.addresses)?;
        let new: Vec<Address> = delegates_of(own).filter(|address| to.contains(address)).collect();
        let mut forwarded = invitation(component, author.now);
        new.iter().for_each(|delegate| name_delegate(&mut forwarded, delegate, own));
        (!new.is_empty()).then_some((key, forwarded))
    });
    let delegated: Vec<_> = delegated.collect();
    let (first, _) = delegated.first()?;
    let from = after.get(*first)?.attendee_among(author.addresses)?.address();
    let object = partial(after, Method::Request, delegated, author);
    let summary = Summary::new(Occasion::Invite, after.principal()?, after.zones(), Participants::Shown);
    Some(Outgoing { from, to: sorted(to), method: Method::Request, summary, object })
}

fn delegates(object: &CalendarObject, author: Author<'_>) -> BTreeSet<Address> {
    let own = object.components().filter_map(|(_, component)| component.attendee_among(author.addresses));
    own.flat_map(delegates_of).filter(|address| !author.addresses.contains(address)).collect()
}

/// Whom an attendee sends in their place.
fn delegates_of(own: Party<'_>) -> impl Iterator<Item = Address> {
    let delegated = own.partstat() == Some(&ICalendarParticipationStatus::Delegated);
    own.addresses(&ICalendarParameterName::DelegatedTo).filter(move |_| delegated)
}

/// The delegate's ATTENDEE must be in the forwarded REQUEST (RFC 5546 §3.2.2.3), with RSVP as it was (§3.4.2.3).
fn name_delegate(component: &mut ICalendarComponent, delegate: &Address, delegator: Party<'_>) {
    if component.attendees().any(|party| party.is(delegate)) {
        return;
    }
    let mut entry: ICalendarEntry = plain_party(ICalendarProperty::Attendee, &format!("mailto:{delegate}"));
    let is_rsvp = |param: &&ICalendarParameter| param.name == ICalendarParameterName::Rsvp;
    entry.params.extend(delegator.0.params.iter().filter(is_rsvp).cloned());
    set_partstat(&mut entry, ICalendarParticipationStatus::NeedsAction);
    let from = ICalendarParameterValue::Uri(Uri::Location(format!("mailto:{}", delegator.address())));
    set_parameter(&mut entry, ICalendarParameterName::DelegatedFrom, from);
    component.entries.push(entry);
}
