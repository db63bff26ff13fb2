//! What a mail tells: read out of the engine's message, in no language yet.

use calcard::common::timezone::Tz;
use calcard::icalendar::{
    ICalendarComponent, ICalendarEntry, ICalendarParticipationStatus, ICalendarProperty, ICalendarRecurrenceRule,
    ICalendarValue,
};
use chrono::TimeZone;

use super::Author;
use crate::imip::{Answer, Earlier, Facts, Occasion, Recurrence, Scope, When, limits};
use crate::itip::change;
use crate::itip::component::{ComponentExt, Party};
use crate::itip::summary::{self, FieldName, ItipValue};
use crate::itip::time::Moment;
use crate::itip::zone::{Zone, Zones};
use crate::itip::{Address, CalendarObject, InstanceKey, ItipMessage, Method, Outgoing};

/// What a message is about, in its reader's eyes.
pub(super) fn occasion(outgoing: &Outgoing) -> Occasion {
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

/// What a mail about a message tells its reader.
pub(super) fn facts(outgoing: &Outgoing, author: Author<'_>, deputy: Option<&Address>) -> Facts {
    let object = &outgoing.object;
    let Some(component) = object.principal() else { return Facts::default() };
    let answer = match &outgoing.summary.occasion {
        summary::Occasion::Rsvp(partstat) => Some(answer(partstat)),
        summary::Occasion::Invite | summary::Occasion::Update(_) | summary::Occasion::Cancel => None,
    };
    let about = facts_of(component, object.zones(), author);
    Facts {
        summary: about.summary.or(summary_text(outgoing, FieldName::Summary)),
        location: about.location.or(summary_text(outgoing, FieldName::Location)),
        scope: scope(object, author),
        answer,
        attendee: speaks_as_attendee(outgoing.method).then(|| speaker(component, outgoing, author)),
        sent_by: deputy.map(ToString::to_string),
        before: earlier(outgoing, component, about.start.as_ref(), author).map(Box::new),
        ..about
    }
}

/// What a component tells by itself, whoever speaks of it.
pub(in crate::gateway) fn facts_of(component: &ICalendarComponent, zones: &Zones, author: Author<'_>) -> Facts {
    let text = |name| component.text(&name).filter(|text| !text.trim().is_empty()).map(str::to_owned);
    let start = start(component, zones, author);
    Facts {
        summary: text(ICalendarProperty::Summary),
        description: text(ICalendarProperty::Description),
        location: text(ICalendarProperty::Location),
        end: change::end(component, zones).and_then(|end| on_clock_of_start(end, component, zones, author)),
        recurrence: start.as_ref().and_then(|start| series(component, start)),
        comment: text(ICalendarProperty::Comment),
        organizer: component.organizer().map(named),
        start,
        ..Facts::default()
    }
}

/// How somebody is called: by name, or by address.
pub(in crate::gateway) fn named(party: Party<'_>) -> String {
    party.name().map_or_else(|| party.address().to_string(), str::to_owned)
}

/// What a message that came in tells, with times in UTC on the clock of a zone.
pub(in crate::gateway) fn facts_of_message(
    message: &ItipMessage,
    speaker: &Address,
    timezone: chrono_tz::Tz,
) -> Option<Facts> {
    let component = message.object.principal()?;
    let answered = component.attendee_among(std::slice::from_ref(speaker)).and_then(|party| party.partstat());
    let occasion = match message.method {
        Method::Reply => {
            summary::Occasion::Rsvp(answered.cloned().unwrap_or(ICalendarParticipationStatus::NeedsAction))
        }
        Method::Publish
        | Method::Request
        | Method::Add
        | Method::Cancel
        | Method::Refresh
        | Method::Counter
        | Method::DeclineCounter => summary::Occasion::Invite,
    };
    let summary = summary::Summary::new(occasion, component, message.object.zones(), summary::Participants::Hidden);
    let (from, method, object) = (speaker.clone(), message.method, message.object.clone());
    let outgoing = Outgoing { from, to: Vec::new(), method, summary, object };
    let author = Author { name: None, via: None, timezone, language: crate::imip::Language::English };
    Some(facts(&outgoing, author, None))
}

/// A moment as a person reads it: a time that is no place's, and an instant, on the clock of a zone.
pub(in crate::gateway) fn shown(moment: Moment, timezone: chrono_tz::Tz) -> Option<When> {
    let at = chrono::DateTime::from_timestamp(moment.as_seconds(), 0)?.naive_utc();
    Some(match moment {
        Moment::Date(_) => When::Day(at.date()),
        Moment::Floating(_) => When::Local { time: at, zone: None },
        Moment::Instant(unix) => When::At(timezone.timestamp_opt(unix, 0).single()?),
    })
}

/// The attendee who speaks: by the user's own name, or by the one that the organizer gave them.
fn speaker(component: &ICalendarComponent, outgoing: &Outgoing, author: Author<'_>) -> String {
    let named = || component.attendees().find(|party| party.is(&outgoing.from)).and_then(|party| party.name());
    author.name.or_else(named).map_or_else(|| outgoing.from.to_string(), str::to_owned)
}

/// How much of a series a message speaks of.
fn scope(object: &CalendarObject, author: Author<'_>) -> Scope {
    let mut dates = Vec::new();
    for (key, component) in object.components() {
        let start = start(component, object.zones(), author);
        match key {
            InstanceKey::Master => return Scope::Whole,
            InstanceKey::ThisAndFuture(_) => return start.map_or(Scope::Whole, Scope::FromOn),
            InstanceKey::This(_) => dates.extend(start),
        }
    }
    let unlisted = dates.len().saturating_sub(limits::DATES_SHOWN_MAX);
    dates.truncate(limits::DATES_SHOWN_MAX);
    Scope::Instances { dates, unlisted }
}

/// When something starts; an instance that is named by RECURRENCE-ID alone starts then.
fn start(component: &ICalendarComponent, zones: &Zones, author: Author<'_>) -> Option<When> {
    let names = [ICalendarProperty::Dtstart, ICalendarProperty::RecurrenceId];
    names.iter().find_map(|name| component.property(name).and_then(|entry| when(entry, zones, author)))
}

/// The series in a component (RFC 5545 §3.8.5); what is not one rule alone has no short wording.
fn series(component: &ICalendarComponent, start: &When) -> Option<Recurrence> {
    let rules = component.properties(&ICalendarProperty::Rrule).flat_map(|entry| &entry.values);
    let rules: Vec<&ICalendarRecurrenceRule> = rules
        .filter_map(|value| match value {
            ICalendarValue::RecurrenceRule(rule) => Some(rule.as_ref()),
            _ => None,
        })
        .collect();
    let has_dates = component.has_property(&ICalendarProperty::Rdate);
    match rules.as_slice() {
        [] if !has_dates => None,
        [only] if !has_dates => {
            let left_out = component.properties(&ICalendarProperty::Exdate).map(|entry| entry.values.len()).sum();
            Some(Recurrence { exceptions: left_out, ..Recurrence::of(only, start) })
        }
        _ => Some(Recurrence::intricate()),
    }
}

/// Whether a message is an attendee's, and not the organizer's (RFC 5546 §1.4).
pub(super) fn speaks_as_attendee(method: Method) -> bool {
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
fn earlier(
    outgoing: &Outgoing,
    component: &ICalendarComponent,
    now: Option<&When>,
    author: Author<'_>,
) -> Option<Earlier> {
    if occasion(outgoing) != Occasion::Update {
        return None;
    }
    let zones = outgoing.object.zones();
    if component.has_property(&ICalendarProperty::RecurrenceId) {
        return moved_instance(component, zones, author);
    }
    let (previous, replaced) = (&outgoing.summary.previous, outgoing.summary.replaced.as_ref()?);
    let changed = |name| previous.iter().find(|field| field.name == name).map(|field| &field.value);
    let text = |name, property: ICalendarProperty| match changed(name) {
        Some(ItipValue::Text(text)) => Some(text.clone()),
        // What there was, and did not change, is as it is now.
        _ if replaced.fields.contains(&name) => component.text(&property).map(str::to_owned),
        _ => None,
    };
    let is_added = |name| {
        let is_now = outgoing.summary.current.iter().any(|field| field.name == name);
        is_now && !replaced.fields.contains(&name)
    };
    let started = match changed(FieldName::Dtstart) {
        Some(ItipValue::Time(time)) => moved(component, time.start, zones, author),
        _ => now.cloned(),
    };
    let series = match changed(FieldName::Rrule) {
        Some(ItipValue::Rrule(rule)) => started.as_ref().map(|start| Recurrence::of(rule, start)),
        _ if replaced.fields.contains(&FieldName::Rrule) => started.as_ref().and_then(|start| series(component, start)),
        _ => None,
    };
    Some(Earlier {
        summary: text(FieldName::Summary, ICalendarProperty::Summary),
        location: text(FieldName::Location, ICalendarProperty::Location),
        end: replaced.end.and_then(|end| on_clock_of_start(end, component, zones, author)),
        recurrence: series,
        has_other_description: changed(FieldName::Description).is_some() || is_added(FieldName::Description),
        start: started,
    })
}

/// An instance that takes place at another time than its series has it.
fn moved_instance(component: &ICalendarComponent, zones: &Zones, author: Author<'_>) -> Option<Earlier> {
    let original = zones.moment(component.property(&ICalendarProperty::RecurrenceId)?)?;
    let (start, end) = (component.moment(&ICalendarProperty::Dtstart, zones)?, change::end(component, zones)?);
    if std::mem::discriminant(&original) != std::mem::discriminant(&start) || original == start {
        return None;
    }
    // How long it was to take is not known here; it is taken to last as long as it does now.
    let lasts = end.as_seconds().saturating_sub(start.as_seconds());
    let ended = match original {
        Moment::Date(days) => Moment::Date(days.saturating_add(lasts / 86_400)),
        Moment::Floating(at) => Moment::Floating(at.saturating_add(lasts)),
        Moment::Instant(at) => Moment::Instant(at.saturating_add(lasts)),
    };
    let text = |property| component.text(&property).map(str::to_owned);
    Some(Earlier {
        summary: text(ICalendarProperty::Summary),
        location: text(ICalendarProperty::Location),
        start: on_clock_of_start(original, component, zones, author),
        end: on_clock_of_start(ended, component, zones, author),
        ..Earlier::default()
    })
}

/// An earlier start, on the clock of the present one.
fn moved(component: &ICalendarComponent, unix: i64, zones: &Zones, author: Author<'_>) -> Option<When> {
    let as_moment = match component.moment(&ICalendarProperty::Dtstart, zones)? {
        Moment::Date(_) => Moment::Date(unix.div_euclid(86_400)),
        Moment::Floating(_) => Moment::Floating(unix),
        Moment::Instant(_) => Moment::Instant(unix),
    };
    on_clock_of_start(as_moment, component, zones, author)
}

/// A moment as a person reads it beside the start, in the zone of the start.
pub(in crate::gateway) fn on_clock_of_start(
    moment: Moment,
    component: &ICalendarComponent,
    zones: &Zones,
    author: Author<'_>,
) -> Option<When> {
    let clocks = [ICalendarProperty::Dtstart, ICalendarProperty::Due, ICalendarProperty::RecurrenceId];
    let clock = clocks.iter().find_map(|name| component.property(name))?;
    on_clock(moment, clock, zones, author)
}

/// A time as a person reads it: in the zone that it was written in, UTC in the zone of the user.
fn when(entry: &ICalendarEntry, zones: &Zones, author: Author<'_>) -> Option<When> {
    on_clock(zones.moment(entry)?, entry, zones, author)
}

fn on_clock(moment: Moment, entry: &ICalendarEntry, zones: &Zones, author: Author<'_>) -> Option<When> {
    let naive = |seconds| chrono::DateTime::from_timestamp(seconds, 0).map(|at| at.naive_utc());
    match moment {
        Moment::Date(_) => naive(moment.as_seconds()).map(|at| When::Day(at.date())),
        Moment::Floating(seconds) => {
            naive(seconds).map(|time| When::Local { time, zone: entry.tz_id().map(str::to_owned) })
        }
        Moment::Instant(unix) => match zones.of_entry(entry) {
            Zone::Known(Tz::Tz(zone)) => zone.timestamp_opt(unix, 0).single().map(When::At),
            Zone::Known(Tz::Floating) => author.timezone.timestamp_opt(unix, 0).single().map(When::At),
            own @ (Zone::Known(Tz::Fixed(_)) | Zone::Own(_)) => {
                own.to_local(unix).map(|time| When::Local { time, zone: entry.tz_id().map(str::to_owned) })
            }
        },
    }
}

/// An answer as people say it.
pub(in crate::gateway) fn answer(partstat: &ICalendarParticipationStatus) -> Answer {
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
