//! What somebody sees who follows a link in an invitation, read out of the organizer's object.

use std::collections::BTreeMap;

use calcard::icalendar::{ICalendarComponent, ICalendarProperty};
use chrono::TimeZone;
use chrono_tz::Tz;

use super::letter::Author;
use super::letter::facts::{answer, facts_of, named, on_clock_of_start};
use super::links::{AnswerLink, LinkState};
use super::{Gateway, GatewayError, now_millis};
use crate::imip::visit::{NoAnswer, Others, OwnClock, Visit, VisitDate};
use crate::imip::{Answer, Facts, Language, Token, When, limits};
use crate::itip::change;
use crate::itip::component::ComponentExt;
use crate::itip::recurrence::{RecurrenceSet, instance_of};
use crate::itip::time::Moment;
use crate::itip::zone::Zones;
use crate::itip::{Address, CalendarObject, InstanceKey};

/// How far ahead dates of a series are looked for, seconds.
const AHEAD: i64 = 3 * 366 * 24 * 60 * 60;

/// What a link shows.
#[derive(Clone, Debug)]
pub enum Visited {
    /// The page on which to answer.
    Open(Box<Visit>),
    /// Why there is nothing to be answered.
    Closed(Box<ClosedLink>),
}

/// A link that answers no more.
#[derive(Clone, Debug)]
pub struct ClosedLink {
    pub why: NoAnswer,
    /// What it was about, with the kind of its component, where that may still be told.
    pub about: Option<(Facts, &'static str)>,
    /// The attendee's language.
    pub language: Language,
}

impl Gateway {
    /// What a token shows its visitor, on the clock of `zone` where one was asked for; nothing when it is none of ours. Changes nothing.
    ///
    /// Without a zone it is that of the attendee, if they are one of our users; of others none is known.
    pub async fn visit(&self, token: &Token, zone: Option<Tz>) -> Result<Option<Visited>, GatewayError> {
        let Some(link) = self.answer_link(token).await? else { return Ok(None) };
        let zone = zone.or_else(|| self.user(&link.attendee).map(|user| user.timezone));
        let visited = match link.state {
            LinkState::Open => open(&link, zone, now_millis() / 1_000),
            LinkState::Expired => closed(&link, NoAnswer::Expired),
            LinkState::Revoked => closed(&link, NoAnswer::Revoked),
            LinkState::Cancelled => closed(&link, NoAnswer::Cancelled),
            LinkState::Superseded => closed(&link, NoAnswer::Superseded),
            LinkState::Uninvited => closed(&link, NoAnswer::Uninvited),
        };
        Ok(Some(match visited {
            Visited::Open(visit) if !self.config.web.show_attendees => {
                Visited::Open(Box::new(Visit { others: None, ..*visit }))
            }
            other => other,
        }))
    }

    /// The page of an open link, as HTML.
    pub fn visit_html(&self, language: Language, visit: &Visit, form: &crate::imip::visit::FormState) -> String {
        self.wording.visit(language, visit, form)
    }

    /// The page that says why there is nothing to be answered, as HTML.
    pub fn no_answer_html(&self, language: Language, why: NoAnswer, about: Option<(&Facts, &'static str)>) -> String {
        self.wording.no_answer(language, why, about)
    }
}

fn open(link: &AnswerLink, zone: Option<Tz>, now: i64) -> Visited {
    let asked = link.object.as_ref().and_then(|object| Some((object, asked_about(object, link.instance)?)));
    // The instance has left its series without a word.
    let Some((object, component)) = asked else { return closed(link, NoAnswer::Cancelled) };
    let (component, zones, author) = (component.as_ref(), object.zones(), Author::from(&*link.organizer));
    let party = component.attendees().find(|party| party.is(&link.attendee));
    let partstat = party.and_then(|party| party.partstat());
    let facts = Facts {
        answer: Some(partstat.map_or(Answer::Undecided, answer)),
        attendee: party.map(named),
        comment: None,
        ..facts_of(component, zones, author)
    };
    let (dates, has_later_dates) = match link.instance {
        None => dates((object, link), (zone, author), now),
        Some(_) => (Vec::new(), false),
    };
    Visited::Open(Box::new(Visit {
        component: object.kind().as_str(),
        address: link.attendee.to_string(),
        language: language(link),
        own_clock: zone.and_then(|zone| own_clock(component, zones, zone)).filter(|own| is_other_clock(own, &facts)),
        zone: facts.start.as_ref().and_then(|start| shown_zone(start, zone)),
        dates,
        has_later_dates,
        others: Some(others(component, &link.attendee)),
        facts,
    }))
}

/// The component that was asked about; an instance without one of its own has what its series says.
fn asked_about(
    object: &CalendarObject,
    instance: Option<InstanceKey>,
) -> Option<std::borrow::Cow<'_, ICalendarComponent>> {
    use std::borrow::Cow;
    let Some(key) = instance else { return object.principal().map(Cow::Borrowed) };
    object.get(key).map(Cow::Borrowed).or_else(|| instance_of(object, key).map(Cow::Owned))
}

fn closed(link: &AnswerLink, why: NoAnswer) -> Visited {
    let tells = match why {
        NoAnswer::Cancelled | NoAnswer::Superseded | NoAnswer::Expired => link.component().zip(link.object.as_ref()),
        // Whoever is no longer invited, or whose link was taken back, is not told what became of it.
        NoAnswer::Revoked
        | NoAnswer::Uninvited
        | NoAnswer::Unknown
        | NoAnswer::Refused
        | NoAnswer::Misread
        | NoAnswer::Busy
        | NoAnswer::Broken => None,
    };
    let is_invited = |component: &ICalendarComponent| component.attendees().any(|party| party.is(&link.attendee));
    let about = tells.filter(|(component, _)| is_invited(component)).map(|(component, object)| {
        let facts = facts_of(component, object.zones(), Author::from(&*link.organizer));
        let facts = match why {
            // The new time is for those to know who are asked anew.
            NoAnswer::Superseded => Facts { summary: facts.summary, organizer: facts.organizer, ..Facts::default() },
            _ => Facts { description: None, comment: None, ..facts },
        };
        (facts, object.kind().as_str())
    });
    Visited::Closed(Box::new(ClosedLink { why, about, language: language(link) }))
}

/// The language that the calendar gives to the attendee, or the one in which the organizer writes to those of whom none is known.
fn language(link: &AnswerLink) -> Language {
    let party = link.component().and_then(|component| component.attendees().find(|party| party.is(&link.attendee)));
    party.and_then(|party| party.language()).and_then(Language::of_tag).unwrap_or(link.organizer.language)
}

fn own_clock(component: &ICalendarComponent, zones: &Zones, zone: Tz) -> Option<OwnClock> {
    let start = component.moment(&ICalendarProperty::Dtstart, zones)?;
    let end = change::end(component, zones);
    Some(OwnClock { start: instant(start, zone)?, end: end.and_then(|end| instant(end, zone)) })
}

/// An instant on a clock; whole days and times without a zone are the same everywhere.
fn instant(moment: Moment, zone: Tz) -> Option<When> {
    match moment {
        Moment::Instant(unix) => zone.timestamp_opt(unix, 0).single().map(When::At),
        Moment::Date(_) | Moment::Floating(_) => None,
    }
}

/// Whether the visitor's clock shows anything else than the one on which it was planned.
fn is_other_clock(own: &OwnClock, facts: &Facts) -> bool {
    let wall = |when: &When| match when {
        When::Day(day) => day.and_hms_opt(0, 0, 0),
        When::At(time) => Some(time.naive_local()),
        When::Local { time, .. } => Some(*time),
    };
    let differs = |own: Option<&When>, planned: Option<&When>| own.and_then(wall) != planned.and_then(wall);
    differs(Some(&own.start), facts.start.as_ref()) || differs(own.end.as_ref(), facts.end.as_ref())
}

/// The zone in which times stand on the page: the one asked for, or that of the meeting; none for what is the same everywhere.
fn shown_zone(start: &When, asked: Option<Tz>) -> Option<Tz> {
    match start {
        When::At(time) => Some(asked.unwrap_or(time.timezone())),
        When::Local { zone: Some(_), .. } => Some(asked.unwrap_or(Tz::UTC)),
        When::Local { zone: None, .. } | When::Day(_) => None,
    }
}

/// The dates of a series that are still to come and that the attendee is asked about by this link, and whether there are more.
fn dates(
    (object, link): (&CalendarObject, &AnswerLink),
    (zone, author): (Option<Tz>, Author<'_>),
    now: i64,
) -> (Vec<VisitDate>, bool) {
    let Some(master) = object.master() else { return (Vec::new(), false) };
    if ![ICalendarProperty::Rrule, ICalendarProperty::Rdate].iter().any(|name| master.has_property(name)) {
        return (Vec::new(), false);
    }
    let (keys, is_cut) = upcoming(object, master, now);
    let mut found: BTreeMap<i64, VisitDate> = BTreeMap::new();
    for key in keys.into_iter().filter(|key| !link.moved.contains(key)) {
        let own = object.get(key);
        let component = own.unwrap_or(master);
        let party = component.attendees().find(|party| party.is(&link.attendee)).filter(|_| !component.is_cancelled());
        let moment = own.map_or(key.moment(), |own| own.moment(&ICalendarProperty::Dtstart, object.zones()));
        let (Some(party), Some(moment)) = (party, moment) else { continue };
        let planned = || on_clock_of_start(moment, component, object.zones(), author);
        let Some(start) = zone.and_then(|zone| instant(moment, zone)).or_else(planned) else { continue };
        let answer = party.partstat().map_or(Answer::Undecided, answer);
        found.insert(moment.as_seconds(), VisitDate { key: key.to_string(), start, answer });
    }
    let has_more = is_cut || found.len() > limits::PAGE_DATES_MAX;
    (found.into_values().take(limits::PAGE_DATES_MAX).collect(), has_more)
}

/// The instances from now on, as far as a page may need them, and whether that is not all of them.
fn upcoming(object: &CalendarObject, master: &ICalendarComponent, now: i64) -> (Vec<InstanceKey>, bool) {
    let Some(set) = RecurrenceSet::of(master, object.zones()) else { return (Vec::new(), false) };
    let start = master.moment(&ICalendarProperty::Dtstart, object.zones());
    let at = |seconds: i64| match start {
        Some(Moment::Date(_)) => Moment::Date(seconds.div_euclid(86_400)),
        Some(Moment::Floating(_)) => Moment::Floating(seconds),
        Some(Moment::Instant(_)) | None => Moment::Instant(seconds),
    };
    let from = start.map_or(now, |start| now.max(start.as_seconds()));
    // Some may be called off, or not be for this attendee.
    let most = limits::PAGE_DATES_MAX * 4;
    let found = set.within(at(from), at(from.saturating_add(AHEAD)), most);
    let mut keys: Vec<InstanceKey> = found.moments.into_iter().map(InstanceKey::This).collect();
    // What was put off until a later day does not stand where the rule has it.
    let moved = object.components().filter(|(key, component)| {
        let starts = component.moment(&ICalendarProperty::Dtstart, object.zones());
        matches!(key, InstanceKey::This(_)) && starts.is_some_and(|starts| starts.as_seconds() >= now)
    });
    keys.extend(moved.map(|(key, _)| key).take(most));
    let has_end = set.last().is_some();
    (keys, found.cut_off || !has_end)
}

/// Everybody else who is invited.
fn others(component: &ICalendarComponent, attendee: &Address) -> Others {
    let mut all = component.attendees().filter(|party| !party.is(attendee));
    let told = all.by_ref().take(limits::PAGE_PEOPLE_MAX);
    let listed = told.map(|party| (named(party), party.partstat().map_or(Answer::Undecided, answer))).collect();
    Others { listed, unlisted: all.count() }
}
