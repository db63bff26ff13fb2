//! From the engine's message to the mail that carries it.

use std::collections::BTreeMap;

use calcard::common::timezone::Tz;
use calcard::icalendar::{
    ICalendarComponent, ICalendarEntry, ICalendarParticipationStatus, ICalendarProperty, ICalendarRecurrenceRule,
    ICalendarValue,
};
use chrono::TimeZone;

use super::now_millis;
use crate::config::{AddedInstances, Imip, User};
use crate::imip::{Answer, ComposeError, Earlier, Facts, Letter, Mailbox, Occasion, When, compose, recurrence};
use crate::itip::component::{ComponentExt, Party};
use crate::itip::summary::{self, FieldName, ItipValue};
use crate::itip::time::Moment;
use crate::itip::zone::{Zone, Zones};
use crate::itip::{Address, CalendarObject, InstanceKey, Method, Outgoing};
use crate::ledger::Debt;

/// Whether somebody pressed a button for a mail, or a mail brought it about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasioned {
    ByUser,
    ByMail,
}

/// Writes the mail for a message, ready for the outbox.
///
/// An attendee without a mail address (`invalid:nomail`, a room by its name) does not keep the others from theirs.
pub fn debt(
    outgoing: &Outgoing,
    user: &User,
    imip: &Imip,
    thread: Vec<String>,
    occasioned: Occasioned,
) -> Result<Debt, ComposeError> {
    let recipients: Vec<&Address> = outgoing.to.iter().filter(|address| address.is_mailable()).collect();
    let mut object = outgoing.object.clone();
    let method = travelling_method(outgoing.method, imip);
    object.set_method(method);
    let calendar = object.to_text();
    let names = names(&object);
    let now = now_millis();
    let keys: Vec<InstanceKey> = object.keys().collect();
    let instance = match keys.as_slice() {
        [single] if *single != InstanceKey::Master => Some(single.to_string()),
        _ => None,
    };
    let sequence = object.principal().map_or(0, |component| component.sequence().0);
    let letter = Letter {
        from: Mailbox {
            address: outgoing.from.clone(),
            name: names.get(&outgoing.from).cloned().or(user.name.clone()),
        },
        to: recipients.iter().map(|&to| Mailbox { address: to.clone(), name: names.get(to).cloned() }).collect(),
        method,
        calendar: &calendar,
        component: object.kind().as_str(),
        occasion: occasion(outgoing),
        facts: facts(outgoing, user),
        uid: &object.uid().0,
        instance: instance.as_deref(),
        sequence: u64::try_from(sequence).unwrap_or(0),
        in_reply_to: thread.last().cloned(),
        references: thread,
        date: now / 1_000,
        automatic: occasioned == Occasioned::ByMail,
    };
    let mail = compose(&letter)?;
    Ok(Debt {
        user: user.key().to_owned(),
        cal_uid: object.uid().to_string(),
        message_id: mail.message_id,
        sender: outgoing.from.to_string(),
        recipients: recipients.into_iter().map(ToString::to_string).collect(),
        method: method.to_string(),
        subject: mail.subject,
        raw: mail.raw,
        dtstamp: object.principal().map_or(0, |component| component.revision().dtstamp),
        created_at: now,
    })
}

/// Hardly any client understands ADD; a REQUEST that holds just those instances is understood everywhere.
fn travelling_method(method: Method, imip: &Imip) -> Method {
    match (method, imip.added_instances) {
        (Method::Add, AddedInstances::Request) => Method::Request,
        _ => method,
    }
}

fn occasion(outgoing: &Outgoing) -> Occasion {
    match (&outgoing.summary.occasion, outgoing.method) {
        (summary::Occasion::Invite, _) => Occasion::Invitation,
        (summary::Occasion::Cancel, _) => Occasion::Cancellation,
        (summary::Occasion::Rsvp(_), _) => Occasion::Reply,
        (summary::Occasion::Update(_), Method::Add) => Occasion::NewDates,
        (summary::Occasion::Update(_), Method::Refresh) => Occasion::Refresh,
        (summary::Occasion::Update(_), Method::Counter) => Occasion::Counter,
        (summary::Occasion::Update(_), Method::DeclineCounter) => Occasion::CounterDeclined,
        (summary::Occasion::Update(_), Method::Publish) => Occasion::Publication,
        (summary::Occasion::Update(_), Method::Request | Method::Reply | Method::Cancel) => Occasion::Update,
    }
}

fn facts(outgoing: &Outgoing, user: &User) -> Facts {
    let object = &outgoing.object;
    let Some(component) = object.principal() else { return Facts::default() };
    let zones = object.zones();
    let text = |name| component.text(&name).filter(|text| !text.trim().is_empty()).map(str::to_owned);
    let when = |name| component.property(&name).and_then(|entry| when(entry, zones, user));
    let answer = match &outgoing.summary.occasion {
        summary::Occasion::Rsvp(partstat) => Some(answer(partstat)),
        _ => None,
    };
    let organizer = component.organizer();
    Facts {
        summary: text(ICalendarProperty::Summary).or(summary_text(outgoing, FieldName::Summary)),
        description: text(ICalendarProperty::Description),
        location: text(ICalendarProperty::Location).or(summary_text(outgoing, FieldName::Location)),
        start: when(ICalendarProperty::Dtstart).or_else(|| instance_start(component, zones, user)),
        end: when(ICalendarProperty::Dtend).or(when(ICalendarProperty::Due)),
        recurrence: rule(component).map(recurrence::in_words),
        comment: text(ICalendarProperty::Comment),
        answer,
        attendee: speaks_as_attendee(outgoing.method)
            .then(|| user.name.clone().unwrap_or_else(|| outgoing.from.to_string())),
        organizer: organizer.map(|party| party.name().map_or_else(|| party.address().to_string(), str::to_owned)),
        before: earlier(outgoing, component, zones, user).map(Box::new),
    }
}

/// Whether a message is an attendee's, and not the organizer's (RFC 5546 §1.4).
fn speaks_as_attendee(method: Method) -> bool {
    match method {
        Method::Reply | Method::Refresh | Method::Counter => true,
        Method::Publish | Method::Request | Method::Add | Method::Cancel | Method::DeclineCounter => false,
    }
}

/// A value of the engine's summary, for a message whose component leaves it out.
fn summary_text(outgoing: &Outgoing, name: FieldName) -> Option<String> {
    outgoing.summary.current.iter().find(|field| field.name == name).and_then(|field| match &field.value {
        ItipValue::Text(text) => Some(text.clone()),
        ItipValue::Participants(_) | ItipValue::Time(_) | ItipValue::Rrule(_) => None,
    })
}

/// What an update replaces.
fn earlier(outgoing: &Outgoing, component: &ICalendarComponent, zones: &Zones, user: &User) -> Option<Earlier> {
    let previous = &outgoing.summary.previous;
    if previous.is_empty() {
        return None;
    }
    let text = |name| {
        previous.iter().find(|field| field.name == name).and_then(|field| match &field.value {
            ItipValue::Text(text) => Some(text.clone()),
            _ => None,
        })
    };
    let started = previous.iter().find_map(|field| match &field.value {
        ItipValue::Time(time) => Some(time.start),
        _ => None,
    });
    let start = component.property(&ICalendarProperty::Dtstart);
    let as_now = started.zip(start).and_then(|(unix, entry)| moved(entry, unix, zones, user));
    let kept = |name: ICalendarProperty| component.text(&name).map(str::to_owned);
    Some(Earlier {
        summary: text(FieldName::Summary).or_else(|| kept(ICalendarProperty::Summary)),
        location: text(FieldName::Location).or_else(|| kept(ICalendarProperty::Location)),
        start: as_now.or_else(|| start.and_then(|entry| when(entry, zones, user))),
        end: None,
        recurrence: earlier_rule(outgoing).or_else(|| rule(component)).map(recurrence::in_words),
    })
}

fn rule(component: &ICalendarComponent) -> Option<&ICalendarRecurrenceRule> {
    match component.property(&ICalendarProperty::Rrule)?.values.first()? {
        ICalendarValue::RecurrenceRule(rule) => Some(rule),
        _ => None,
    }
}

fn earlier_rule(outgoing: &Outgoing) -> Option<&ICalendarRecurrenceRule> {
    outgoing.summary.previous.iter().find_map(|field| match &field.value {
        ItipValue::Rrule(rule) => Some(rule.as_ref()),
        ItipValue::Participants(_) | ItipValue::Text(_) | ItipValue::Time(_) => None,
    })
}

/// The start of an instance that is named by RECURRENCE-ID alone.
fn instance_start(component: &ICalendarComponent, zones: &Zones, user: &User) -> Option<When> {
    component.property(&ICalendarProperty::RecurrenceId).and_then(|entry| when(entry, zones, user))
}

/// An earlier start, on the clock of the present one.
fn moved(entry: &ICalendarEntry, unix: i64, zones: &Zones, user: &User) -> Option<When> {
    let as_moment = match zones.moment(entry)? {
        Moment::Date(_) => Moment::Date(unix.div_euclid(86_400)),
        Moment::Floating(_) => Moment::Floating(unix),
        Moment::Instant(_) => Moment::Instant(unix),
    };
    on_clock(as_moment, entry, zones, user)
}

/// A time as a person reads it: in the zone that it was written in, UTC in the zone of the user.
fn when(entry: &ICalendarEntry, zones: &Zones, user: &User) -> Option<When> {
    on_clock(zones.moment(entry)?, entry, zones, user)
}

fn on_clock(moment: Moment, entry: &ICalendarEntry, zones: &Zones, user: &User) -> Option<When> {
    let naive = |seconds| chrono::DateTime::from_timestamp(seconds, 0).map(|at| at.naive_utc());
    match moment {
        Moment::Date(_) => naive(moment.as_seconds()).map(|at| When::Day(at.date())),
        Moment::Floating(seconds) => {
            naive(seconds).map(|time| When::Local { time, zone: entry.tz_id().map(str::to_owned) })
        }
        Moment::Instant(unix) => match zones.of_entry(entry) {
            Zone::Known(Tz::Tz(zone)) => zone.timestamp_opt(unix, 0).single().map(When::At),
            Zone::Known(Tz::Floating) => user.timezone.timestamp_opt(unix, 0).single().map(When::At),
            own @ (Zone::Known(Tz::Fixed(_)) | Zone::Own(_)) => {
                own.to_local(unix).map(|time| When::Local { time, zone: entry.tz_id().map(str::to_owned) })
            }
        },
    }
}

fn answer(partstat: &ICalendarParticipationStatus) -> Answer {
    match partstat {
        ICalendarParticipationStatus::Accepted => Answer::Accepted,
        ICalendarParticipationStatus::Declined => Answer::Declined,
        ICalendarParticipationStatus::Tentative => Answer::Tentative,
        ICalendarParticipationStatus::Delegated => Answer::Delegated,
        ICalendarParticipationStatus::Completed => Answer::Completed,
        ICalendarParticipationStatus::InProcess => Answer::InProcess,
        ICalendarParticipationStatus::NeedsAction | ICalendarParticipationStatus::Failed => Answer::Undecided,
    }
}

/// The names that an object gives to addresses.
fn names(object: &CalendarObject) -> BTreeMap<Address, String> {
    let parties =
        object.components().flat_map(|(_, component)| component.organizer().into_iter().chain(component.attendees()));
    parties.filter_map(|party: Party<'_>| Some((party.address(), party.name()?.to_owned()))).collect()
}
