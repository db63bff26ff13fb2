//! What must hold after every step of every conversation.
//!
//! | law | where it comes from |
//! |---|---|
//! | the same message twice equals once | RFC 5546 §2.1.5 |
//! | a held revision never decreases | RFC 5546 §2.1.4, §4.2.9 |
//! | what is the user's own changes by the user's hand alone | RFC 6638 §3.2.2.1 |
//! | an answer changes ATTENDEEs and progress, nothing else | RFC 5546 §3.2.3 |
//! | a sender without authority changes nothing and gets no answer | RFC 5546 §6.1.1, §6.1.2 |
//! | no mail to its own sender, none to nobody, none twice | RFC 6638 §3.2.1 |
//! | no answer to an answer | RFC 3834 §2 |
//! | what we compose, we can read and accept | RFC 5546 §3.2 |
//!
//! Each law is tried on a clone of the host, so that nothing of the conversation itself changes.

use calcard::icalendar::{ICalendarComponent, ICalendarEntry, ICalendarParameterName, ICalendarProperty};

use super::engine_host::{EngineHost, Mail, Slot, Slots};
use crate::itip::address::Address;
use crate::itip::component::ComponentExt;
use crate::itip::decision::{Decision, Outgoing, Reason, Refusal, Verdict};
use crate::itip::instance::InstanceKey;
use crate::itip::method::Method;
use crate::itip::object::{CalendarObject, Kind};
use crate::itip::receive::ItipMessage;
use crate::itip::revision::Taken;

/// Somebody who has no part in any conversation.
const STRANGER: &str = "stranger@attacker.example";

/// What the last step did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// No calendar and no message was touched.
    Nothing,
    /// A user stored or deleted an object; the last result is what they owe.
    Edited(Address),
    /// The messages of the last result were delivered.
    Delivered,
    /// A message came in from outside and waits for its delivery.
    Came,
}

type Law = Result<(), String>;

/// Checks every law on what the last step did: `before` is how the calendars stood, `host` how everything stands now.
pub(super) fn check(before: &Slots, deed: &Deed, host: &EngineHost) -> Law {
    match deed {
        Deed::Nothing => Ok(()),
        Deed::Came => strangers_change_nothing(host),
        Deed::Edited(user) => {
            revisions_never_decrease(before, host)?;
            others_keep_what_they_have(before, host, user)?;
            let Ok(messages) = &host.last else { return Ok(()) };
            messages.iter().try_for_each(|message| is_well_addressed(message, &host.addresses(user)))?;
            messages.iter().try_for_each(is_read_back)?;
            strangers_change_nothing(host)?;
            are_accepted(host)
        }
        Deed::Delivered => {
            revisions_never_decrease(before, host)?;
            private_properties_stay(before, host)?;
            twice_is_once(before, host)?;
            strangers_change_nothing(host)
        }
    }
}

fn broken(law: &str, details: impl std::fmt::Display) -> Law {
    Err(format!("law broken: {law}: {details}"))
}

/// Every mail of the last result with each of its recipients.
fn deliveries(host: &EngineHost) -> impl Iterator<Item = (&Mail, &Address)> {
    host.mails.iter().flat_map(|mail| mail.to.iter().map(move |recipient| (mail, recipient)))
}

/// Delivers everything anew, each mail twice in a row, and once more when all have arrived.
fn twice_is_once(before: &Slots, host: &EngineHost) -> Law {
    let mut anew = host.clone();
    anew.slots.clone_from(before);
    for (mail, recipient) in deliveries(host) {
        let decision = anew.decide(mail, recipient);
        answers_end(mail, &decision)?;
        repeated(&mut anew, mail, recipient)?;
    }
    if anew.slots != host.slots {
        return broken("the same messages lead to the same calendars", differences(&host.slots, &anew.slots));
    }
    deliveries(host).try_for_each(|(mail, recipient)| repeated(&mut anew, mail, recipient))
}

/// One mail that has arrived already arrives again.
fn repeated(host: &mut EngineHost, mail: &Mail, recipient: &Address) -> Law {
    let before = slots_of(host, recipient);
    let decision = host.decide(mail, recipient);
    let after = slots_of(host, recipient);
    if before != after {
        return broken("the same message twice equals once", differences(&before, &after));
    }
    if decision.outgoing.is_empty() {
        return Ok(());
    }
    broken("the same message twice sends nothing", format_args!("{recipient} answers again to {}", mail.text))
}

/// What is sent in return, and to whom: an answer is never answered, and a question by a letter to who asked.
fn answers_end(mail: &Mail, decision: &Decision) -> Law {
    let is_asker = |to: &Address| {
        let named = |message: ItipMessage| message.object.has_attendee(std::slice::from_ref(to));
        *to == mail.from || ItipMessage::parse(&mail.text, None).is_ok_and(named)
    };
    let strayed = decision.outgoing.iter().find(|answer| match answer.to.as_slice() {
        [to] => !answers_a_question(mail, answer) || *to == answer.from || !is_asker(to),
        _ => true,
    });
    match strayed {
        None => Ok(()),
        Some(answer) => broken(
            "no answer to an answer",
            format_args!("{} is answered by {} to {:?}", mail.text, answer.method, answer.to),
        ),
    }
}

/// Whether a mail asks for something, and this is what it asks for.
fn answers_a_question(mail: &Mail, answer: &Outgoing) -> bool {
    match method(mail) {
        Some(Method::Refresh) => matches!(answer.method, Method::Request | Method::Cancel),
        // An addition to a series that is not held: the organizer is asked for the whole (RFC 5546 §3.2.4).
        Some(Method::Add) => answer.method == Method::Refresh,
        _ => false,
    }
}

/// The calendar of a mail's recipient, which is all that a mail can change.
fn slots_of(host: &EngineHost, recipient: &Address) -> Slots {
    let owner = host.owner(recipient);
    let own = host.slots.iter().filter(|(key, _)| key.0 == owner);
    own.map(|(key, slot)| (key.clone(), slot.clone())).collect()
}

fn method(mail: &Mail) -> Option<Method> {
    ItipMessage::parse(&mail.text, None).ok().map(|message| message.method)
}

/// The same mail, but from somebody else, changes no calendar and is answered by nobody.
fn strangers_change_nothing(host: &EngineHost) -> Law {
    let mut forged = host.clone();
    for (mail, recipient) in deliveries(host) {
        let from = Address::parse(STRANGER);
        let before = slots_of(&forged, recipient);
        let decision = forged.decide(&Mail { from, ..mail.clone() }, recipient);
        let after = slots_of(&forged, recipient);
        if before != after {
            return broken("a stranger changes nothing", differences(&before, &after));
        }
        if !decision.outgoing.is_empty() {
            return broken("a stranger gets no answer", &mail.text);
        }
    }
    Ok(())
}

/// The order of messages is kept for ever, and an organizer's SEQUENCE only grows.
fn revisions_never_decrease(before: &Slots, host: &EngineHost) -> Law {
    for (key, slot) in &host.slots {
        let Some(was) = before.get(key) else { continue };
        // A tombstone that another organizer left binds nobody (see `receive::request`).
        if was.object.is_none() && was.revisions.organizer != slot.revisions.organizer {
            continue;
        }
        if let Some(what) = decreased(was, slot) {
            let (was, is) = (&was.revisions, &slot.revisions);
            let details = format!("{what} of {} {}\n--- was\n{was:?}\n--- is\n{is:?}", key.0, key.1);
            return broken("a held revision never decreases", details);
        }
        if is_organizer(slot, &host.addresses(&key.0)) && sequence_decreased(was, slot) {
            return broken("SEQUENCE never decreases", format_args!("{} {}", key.0, key.1));
        }
    }
    Ok(())
}

fn decreased(was: &Slot, is: &Slot) -> Option<String> {
    let (was, is) = (&was.revisions, &is.revisions);
    // A full message that replaced an override speaks for it from then on.
    let full = is.instances.get(&InstanceKey::Master);
    let is_superseded = |taken: &Taken| full.is_some_and(|full| !full.revision.was_sent_before(taken.revision));
    let instance = was
        .instances
        .iter()
        .find(|(key, taken)| match is.instances.get(key) {
            Some(now) => now.revision < taken.revision,
            None => !is_superseded(taken),
        })
        .map(|(key, _)| format!("the message about {key}"));
    let reply = || {
        let lost = was.replies.iter().find(|(key, last)| is.replies.get(key).is_none_or(|now| now < *last));
        lost.map(|((key, attendee), _)| format!("the answer of {attendee} about {key}"))
    };
    let reschedule = || {
        let lost = was.rescheduled.iter().find(|(key, since)| is.rescheduled.get(key).is_none_or(|now| now < *since));
        lost.map(|(key, _)| format!("the change of time of {key}"))
    };
    instance.or_else(reply).or_else(reschedule)
}

fn sequence_decreased(was: &Slot, is: &Slot) -> bool {
    let (Some(was), Some(is)) = (&was.object, &is.object) else { return false };
    was.components().any(|(key, held)| is.get(key).is_some_and(|now| now.sequence() < held.sequence()))
}

fn is_organizer(slot: &Slot, addresses: &[Address]) -> bool {
    let organizer = slot.object.as_ref().and_then(|object| object.organizer().ok().flatten());
    organizer.is_some_and(|organizer| addresses.contains(&organizer))
}

/// A user's change touches no calendar but theirs until it is delivered.
fn others_keep_what_they_have(before: &Slots, host: &EngineHost, user: &Address) -> Law {
    let of_others = |slots: &Slots| -> Slots {
        slots.iter().filter(|(key, _)| key.0 != *user).map(|(key, slot)| (key.clone(), slot.clone())).collect()
    };
    let (was, is) = (of_others(before), of_others(&host.slots));
    if was == is { Ok(()) } else { broken("a change stays with its author", differences(&was, &is)) }
}

/// A delivered message leaves alone what is the user's own: an attendee's private properties, all that an organizer wrote.
fn private_properties_stay(before: &Slots, host: &EngineHost) -> Law {
    for (key, slot) in &host.slots {
        let (Some(held), Some(object)) = (before.get(key).and_then(|was| was.object.as_ref()), &slot.object) else {
            continue;
        };
        let is_own: fn(&ICalendarProperty, Kind) -> bool = match is_organizer(slot, &host.addresses(&key.0)) {
            true => is_the_organizers,
            false => is_private,
        };
        let of = |object: &CalendarObject, component: &ICalendarComponent| {
            own(object, component, |name| is_own(name, object.kind()))
        };
        for (instance, component) in object.components() {
            let Some(was) = held.get(instance) else { continue };
            if of(held, was) != of(object, component) {
                let details = format!("{instance} of {} {}\n{}\n{}", key.0, key.1, held.to_text(), object.to_text());
                return broken("what is the user's own changes by their own hand alone", details);
            }
        }
    }
    Ok(())
}

/// What an attendee may change without telling anybody, and nobody else may.
fn is_private(name: &ICalendarProperty, _: Kind) -> bool {
    match name {
        ICalendarProperty::Transp
        | ICalendarProperty::Class
        | ICalendarProperty::Color
        | ICalendarProperty::Categories
        | ICalendarProperty::Comment => true,
        ICalendarProperty::Other(name) => {
            let name = name.to_ascii_uppercase();
            name.starts_with("X-MOZ-") || name.starts_with("X-APPLE-")
        }
        _ => false,
    }
}

/// What no answer may change: everything but ATTENDEE, and for a to-do how far it has come (RFC 5546 §3.4.3).
fn is_the_organizers(name: &ICalendarProperty, kind: Kind) -> bool {
    let is_progress =
        matches!(name, ICalendarProperty::Status | ICalendarProperty::PercentComplete | ICalendarProperty::Completed);
    *name != ICalendarProperty::Attendee && !(kind == Kind::Todo && is_progress)
}

/// The properties that `is_own` picks, sorted, and everything nested: the alarms.
fn own(
    object: &CalendarObject,
    component: &ICalendarComponent,
    is_own: impl Fn(&ICalendarProperty) -> bool,
) -> (Vec<ICalendarEntry>, Vec<ICalendarEntry>) {
    let mut entries: Vec<ICalendarEntry> = component.entries.iter().filter(|e| is_own(&e.name)).cloned().collect();
    entries.sort();
    let (mut nested, mut pending) = (Vec::new(), component.component_ids.clone());
    while let Some(child) = pending.pop() {
        if let Some(child) = object.calendar().components.get(child as usize) {
            nested.extend(child.entries.iter().cloned());
            pending.extend(&child.component_ids);
        }
    }
    (entries, nested)
}

/// From one of the user's addresses, to somebody, to nobody twice, and never to the user.
fn is_well_addressed(message: &Outgoing, user: &[Address]) -> Law {
    let law = "no mail to its own sender, none to nobody, none twice";
    let details = format_args!("{} to {:?}", message.from, message.to).to_string();
    let sorted = message.to.windows(2).all(|pair| pair[0] < pair[1]);
    if !user.contains(&message.from) || message.to.is_empty() || !sorted {
        return broken(law, details);
    }
    if message.to.iter().any(|to| user.contains(to)) { broken(law, details) } else { Ok(()) }
}

/// A message is text that we read as we meant it, with nothing in it that has to stay at home (RFC 6638 §7).
fn is_read_back(message: &Outgoing) -> Law {
    let law = "what we compose, we can read";
    let text = message.object.to_text();
    let again = match ItipMessage::parse(&text, None) {
        Ok(again) => again,
        Err(refusal) => return broken(law, format_args!("{refusal}\n{text}")),
    };
    if again.method != message.method || again.object != message.object || again.object.keys().next().is_none() {
        return broken(law, text);
    }
    if !again.object.keys().eq(message.object.keys()) {
        return broken(law, format_args!("other instances than were meant\n{text}"));
    }
    let stays = |name: &ICalendarParameterName| {
        matches!(
            name,
            ICalendarParameterName::ScheduleAgent
                | ICalendarParameterName::ScheduleStatus
                | ICalendarParameterName::ScheduleForceSend
        )
    };
    let leaks = |entry: &ICalendarEntry| entry.params.iter().any(|param| stays(&param.name));
    let leaked = again.object.components().any(|(_, component)| component.entries.iter().any(leaks));
    if leaked { broken("SCHEDULE parameters never leave", text) } else { Ok(()) }
}

/// The engines for which the messages of a change are meant take them.
fn are_accepted(host: &EngineHost) -> Law {
    let mut then = host.clone();
    for (mail, recipient) in deliveries(host) {
        let Ok(message) = ItipMessage::parse(&mail.text, None) else { continue };
        let decision = then.decide(mail, recipient);
        answers_end(mail, &decision)?;
        let Reason::Refused(refusal) = &decision.reason else { continue };
        if decision.verdict == Verdict::Refused && !may_be_refused(refusal, &message, mail, host, recipient) {
            return broken("what we compose, we accept", format_args!("{recipient}: {refusal}\n{}", mail.text));
        }
    }
    Ok(())
}

/// The refusals that a good message can meet with, because its recipient knows something else by now.
fn may_be_refused(
    refusal: &Refusal,
    message: &ItipMessage,
    mail: &Mail,
    host: &EngineHost,
    recipient: &Address,
) -> bool {
    let organizer = message.object.organizer().ok().flatten();
    match message.method {
        Method::Reply => match refusal {
            // The organizer is played by nobody here, has deleted it, or has taken the instance or the attendee off.
            Refusal::EventNotFound | Refusal::UnknownParticipant(_) => true,
            // The delegator hears of the answer, and can do nothing with it (RFC 5546 §3.2.2.3).
            Refusal::NotOrganizer => organizer.as_ref() != Some(recipient),
            Refusal::OutOfSequence => host.is_played_from_outside(message),
            _ => false,
        },
        // The organizer is played by nobody here, or has taken the instance or the attendee off.
        Method::Counter | Method::Refresh => {
            matches!(refusal, Refusal::EventNotFound | Refusal::UnknownParticipant(_))
        }
        // The proposer may hold nothing, and to take publications is policy.
        Method::DeclineCounter if *refusal == Refusal::EventNotFound => true,
        Method::Publish if matches!(refusal, Refusal::UnsupportedMethod(_)) => true,
        // Delegation: the delegate has only the delegator's word for it (RFC 5546 §3.2.2.3).
        Method::Request if organizer.as_ref() != Some(&mail.from) => true,
        _ => match refusal {
            // Somebody outside has spoken about it as well, so that the two sides need not agree.
            Refusal::OutOfSequence | Refusal::OrganizerMismatch => host.is_played_from_outside(message),
            Refusal::SenderIsNotOrganizerNorAttendee | Refusal::NotOrganizer => host.is_played_from_outside(message),
            _ => false,
        },
    }
}

/// What differs, as texts to read.
fn differences(was: &Slots, is: &Slots) -> String {
    let text = |slot: Option<&Slot>| match slot {
        None => "nothing".to_owned(),
        Some(slot) => {
            let object = slot.object.as_ref().map_or_else(|| "no object\n".to_owned(), CalendarObject::to_text);
            format!("{object}{:?}", slot.revisions)
        }
    };
    let keys = was.keys().chain(is.keys().filter(|key| !was.contains_key(key)));
    keys.filter(|key| was.get(key) != is.get(key))
        .map(|key| format!("{} {}\n--- was\n{}\n--- is\n{}\n", key.0, key.1, text(was.get(key)), text(is.get(key))))
        .collect()
}
