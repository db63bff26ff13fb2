//! REPLY: an attendee answers the organizer (RFC 5546 §3.2.3).
//!
//! | we are | the reply is from | about | what happens |
//! |---|---|---|---|
//! | the organizer | an attendee | the master or an override | PARTSTAT, RSVP and DELEGATED-TO are taken |
//! | the organizer | an attendee | an instance without override | the override is made from the master |
//! | the organizer | an attendee | an instance that the series does not have | refused |
//! | the organizer | an attendee, late | anything | out of sequence, or to an older time |
//! | the organizer | the delegate of an attendee | anything | the delegate is added with the answer |
//! | the organizer | somebody never invited | anything | refused, or kept for the organizer to see |
//! | the organizer | somebody who speaks for another | anything | refused |
//! | not the organizer | | | refused |

use calcard::icalendar::{
    ICalendarComponent, ICalendarEntry, ICalendarParameterName, ICalendarParameterValue, ICalendarProperty,
    ICalendarValue,
};

use super::standing::{held_by_organizer, is_named_secretary};
use super::{Context, Held, ItipMessage, PartyCrashers, nothing_new};
use crate::itip::address::Address;
use crate::itip::component::{ComponentExt, Party, plain_party, remove_parameter, set_parameter};
use crate::itip::decision::{Decision, Reason, Refusal, Verdict};
use crate::itip::instance::InstanceKey;
use crate::itip::object::{CalendarObject, Kind};
use crate::itip::recurrence;
use crate::itip::revision::Revisions;

pub(super) fn receive(held: Held<'_>, message: ItipMessage, context: Context<'_>) -> Result<Decision, Refusal> {
    let stored = held_by_organizer(held, &message.object, context)?;
    let mut taken = Taken { merged: stored.clone(), revisions: held.revisions.clone(), changed: Vec::new() };
    let mut refusal = None;
    for (key, reply) in message.object.components() {
        match answering_party(reply, stored, context).and_then(|party| taken.answer(key, reply, party)) {
            Ok(()) => {}
            Err(Unanswered::ToOlderTime) => return Ok(Decision::unchanged(Reason::AnswersOlderTime)),
            Err(Unanswered::PartyCrasher(address)) => return crashed(address, context),
            Err(Unanswered::Refused(reason)) => refusal = Some(reason),
        }
    }
    if let Some(refusal) = refusal.filter(|_| taken.revisions == *held.revisions) {
        return Err(refusal);
    }
    if taken.changed.is_empty() {
        return Ok(nothing_new(held, taken.revisions));
    }
    Ok(Decision {
        verdict: Verdict::Applied,
        reason: Reason::Answered,
        store: Some(taken.merged),
        revisions: Some(taken.revisions),
        changed: taken.changed,
        outgoing: Vec::new(),
    })
}

/// Why a component of a REPLY does not count.
enum Unanswered {
    ToOlderTime,
    PartyCrasher(Address),
    Refused(Refusal),
}

impl From<Refusal> for Unanswered {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

fn crashed(address: Address, context: Context<'_>) -> Result<Decision, Refusal> {
    match context.policy.party_crashers {
        PartyCrashers::Refuse => Err(Refusal::UnknownParticipant(address)),
        PartyCrashers::Propose => Ok(Decision::proposed(Reason::PartyCrasher(address))),
    }
}

/// The ATTENDEE of a REPLY that the sender may speak for.
///
/// RFC 5546 §3.2.3 has one ATTENDEE, but delegation brings several (§4.2.6): the sender's own is the one that counts.
fn answering_party<'a>(
    reply: &'a ICalendarComponent,
    stored: &CalendarObject,
    context: Context<'_>,
) -> Result<Party<'a>, Unanswered> {
    let sender = context.sender;
    let own = reply.attendees().find(|party| party.is(sender));
    let party = own.or_else(|| reply.attendees().find(|party| party.sent_by().as_ref() == Some(sender)));
    let Some(party) = party else {
        let refusal = match stored.has_attendee(std::slice::from_ref(sender)) || reply.attendees().next().is_some() {
            true => Refusal::SenderIsNotParticipant(sender.clone()),
            false => Refusal::SenderIsNotOrganizerNorAttendee,
        };
        return Err(refusal.into());
    };
    let address = party.address();
    let is_secretary = own.is_none();
    if is_secretary && !is_named_secretary(stored, &address, sender) {
        // SENT-BY in the reply alone proves nothing: whoever forges a reply writes it (RFC 6047 §2.2.1).
        return Err(Refusal::SenderIsNotParticipant(sender.clone()).into());
    }
    let is_invited = stored.has_attendee(std::slice::from_ref(&address));
    if is_invited || is_delegate(stored, &address) { Ok(party) } else { Err(Unanswered::PartyCrasher(address)) }
}

/// Whether an attendee of the stored object has delegated to `address`.
fn is_delegate(stored: &CalendarObject, address: &Address) -> bool {
    stored
        .components()
        .flat_map(|(_, component)| component.attendees())
        .any(|party| party.addresses(&ICalendarParameterName::DelegatedTo).any(|delegate| delegate == *address))
}

/// What has been taken of a REPLY so far.
struct Taken {
    merged: CalendarObject,
    revisions: Revisions,
    changed: Vec<InstanceKey>,
}

impl Taken {
    /// Takes one component of a REPLY.
    fn answer(&mut self, key: InstanceKey, reply: &ICalendarComponent, party: Party<'_>) -> Result<(), Unanswered> {
        let (address, revision) = (party.address(), reply.revision());
        if self.revisions.is_stale_reply(key, &address, revision) {
            return Err(Refusal::OutOfSequence.into());
        }
        if self.revisions.answers_an_older_time(key, revision.sequence) {
            return Err(Unanswered::ToOlderTime);
        }
        let is_new_override = self.merged.get(key).is_none();
        if is_new_override {
            let instance = recurrence::instance_of(&self.merged, key).ok_or(Refusal::EventNotFound)?;
            self.merged.insert(key, instance);
        }
        let kind = self.merged.kind();
        let component = self.merged.get_mut(key).ok_or(Refusal::EventNotFound)?;
        let before = component.clone();
        take_party(component, &address, party, reply);
        if kind == Kind::Todo {
            take_progress(component, reply);
        }
        if is_new_override || *component != before {
            self.changed.push(key);
        }
        self.revisions.take_reply(key, address, revision);
        Ok(())
    }
}

/// Takes PARTSTAT, RSVP and DELEGATED-TO; absent in the reply means removed here. Nothing else may change the object.
fn take_party(component: &mut ICalendarComponent, address: &Address, party: Party<'_>, reply: &ICalendarComponent) {
    const TAKEN: [ICalendarParameterName; 3] =
        [ICalendarParameterName::Partstat, ICalendarParameterName::Rsvp, ICalendarParameterName::DelegatedTo];
    let is_theirs = |entry: &&mut ICalendarEntry| entry.name == ICalendarProperty::Attendee && Party(entry).is(address);
    if !component.attendees().any(|known| known.is(address)) {
        let mut entry = plain_party(ICalendarProperty::Attendee, party.written());
        let from = party.0.params.iter().filter(|param| param.name == ICalendarParameterName::DelegatedFrom);
        entry.params.extend(from.cloned());
        component.entries.push(entry);
    }
    let Some(entry) = component.entries.iter_mut().find(is_theirs) else { return };
    for name in TAKEN {
        let values: Vec<_> = party.0.params.iter().filter(|param| param.name == name).cloned().collect();
        match values.as_slice() {
            [single] => set_parameter(entry, name, single.value.clone()),
            [] => remove_parameter(entry, &name),
            several => {
                remove_parameter(entry, &name);
                entry.params.extend(several.iter().cloned());
            }
        }
    }
    if let Some(status) = request_status(reply) {
        set_parameter(entry, ICalendarParameterName::ScheduleStatus, ICalendarParameterValue::Text(status));
    }
    add_delegates(component, address, party);
}

/// Whom an attendee delegates to takes part from now on (RFC 5546 §3.2.2.3).
fn add_delegates(component: &mut ICalendarComponent, delegator: &Address, party: Party<'_>) {
    for delegate in party.addresses(&ICalendarParameterName::DelegatedTo) {
        if !delegate.is_mailable() || component.attendees().any(|known| known.is(&delegate)) {
            continue;
        }
        let mut entry = plain_party(ICalendarProperty::Attendee, &format!("mailto:{delegate}"));
        let from = calcard::icalendar::Uri::Location(format!("mailto:{delegator}"));
        set_parameter(&mut entry, ICalendarParameterName::DelegatedFrom, ICalendarParameterValue::Uri(from));
        component.entries.push(entry);
    }
}

/// The codes of all REQUEST-STATUS properties, as SCHEDULE-STATUS lists them (RFC 6638 §3.2.9).
fn request_status(reply: &ICalendarComponent) -> Option<String> {
    let is_code =
        |code: &&str| !code.is_empty() && code.len() <= 8 && code.chars().all(|c| c.is_ascii_digit() || c == '.');
    let codes: Vec<&str> = reply
        .properties(&ICalendarProperty::RequestStatus)
        .filter_map(|entry| entry.values.first().and_then(ICalendarValue::as_text))
        .filter_map(|text| text.split(';').next().map(str::trim))
        .filter(is_code)
        .collect();
    (!codes.is_empty()).then(|| codes.join(","))
}

/// How far an assignee has come with a to-do (RFC 5546 §3.4.3).
fn take_progress(component: &mut ICalendarComponent, reply: &ICalendarComponent) {
    for name in [ICalendarProperty::Status, ICalendarProperty::PercentComplete, ICalendarProperty::Completed] {
        if let Some(entry) = reply.property(&name) {
            component.remove(&name);
            component.entries.push(entry.clone());
        }
    }
}
