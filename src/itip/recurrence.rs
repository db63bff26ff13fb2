//! Recurrence: is this an instance, which instances lie in a window, which is the last (RFC 5545 §3.8.5.3).
//!
//! Rules come from outside and may be built to exhaust us, so a set is never built: candidates are numbered within
//! their period and looked at one by one, against a budget of steps. What the budget cuts off is said, not guessed.

mod days;
mod density;
mod rule;

pub use days::chrono_weekday;
pub use density::is_too_dense;

use std::collections::BTreeSet;

use calcard::icalendar::{
    ICalendarComponent, ICalendarEntry, ICalendarParameter, ICalendarParameterName, ICalendarParameterValue,
    ICalendarProperty, ICalendarValue,
};
use chrono::NaiveDateTime;

pub(super) use self::rule::{Rule, values_in};
use super::change::{clock_of_start, end};
use super::component::ComponentExt;
use super::decision::Refusal;
use super::instance::InstanceKey;
use super::limits;
use super::object::{CalendarObject, Kind};
use super::time::{Moment, partial};
use super::zone::{Zone, Zones};

/// An answer that a budget may have cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    Instance,
    NoInstance,
    /// The budget ran out before it was clear.
    Undecided,
}

/// The instances found, and whether there may be more that the budget did not reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instances {
    pub moments: Vec<Moment>,
    pub cut_off: bool,
}

/// The recurrence set of a master component.
#[derive(Clone, Debug)]
pub struct RecurrenceSet<'a> {
    start: Moment,
    zone: Zone,
    rules: Vec<Rule<'a>>,
    dates: BTreeSet<Moment>,
    excluded: BTreeSet<Moment>,
    /// Whether there are more rules or dates than are looked at: then nothing that is said is certain.
    is_beyond_limits: bool,
}

impl<'a> RecurrenceSet<'a> {
    /// Reads DTSTART, RRULE, RDATE and EXDATE; nothing when there is no usable DTSTART.
    pub fn of(master: &'a ICalendarComponent, zones: &Zones) -> Option<Self> {
        let dtstart = master.property(&ICalendarProperty::Dtstart)?;
        let start = zones.moment(dtstart)?;
        let zone = clock_of_start(master, zones);
        let first = wall_clock(start, &zone)?;
        let is_beyond_limits = is_beyond_limits(master);
        let most = |limit: usize| if is_beyond_limits { 0 } else { limit };
        let rules = master.properties(&ICalendarProperty::Rrule).flat_map(|entry| &entry.values);
        let rules: Vec<Rule<'_>> = rules
            .take(most(limits::RECURRENCE_RULES_MAX))
            .filter_map(|value| match value {
                ICalendarValue::RecurrenceRule(rule) => Some(Rule::new(rule, first, zone.clone())),
                _ => None,
            })
            .collect();
        let moments = |name| {
            let moments = master.properties(&name).flat_map(|entry| zones.moments(entry));
            moments.take(most(limits::RECURRENCE_DATES_MAX)).collect()
        };
        let (dates, excluded) = (moments(ICalendarProperty::Rdate), moments(ICalendarProperty::Exdate));
        Some(Self { start, zone, rules, dates, excluded, is_beyond_limits })
    }

    /// Whether something takes place at `moment`, overrides aside.
    pub fn contains(&self, moment: Moment) -> Membership {
        if self.is_beyond_limits {
            return Membership::Undecided;
        }
        if self.is_excluded(moment) {
            return Membership::NoInstance;
        }
        if moment == self.start || self.dates.contains(&moment) {
            return Membership::Instance;
        }
        if std::mem::discriminant(&moment) != std::mem::discriminant(&self.start) || moment < self.start {
            return Membership::NoInstance;
        }
        let mut budget = limits::RECURRENCE_STEPS_MAX;
        let answers: Vec<Membership> =
            self.rules.iter().map(|rule| self.rule_contains(rule, moment, &mut budget)).collect();
        [Membership::Instance, Membership::Undecided]
            .into_iter()
            .find(|answer| answers.contains(answer))
            .unwrap_or(Membership::NoInstance)
    }

    /// The instances from `from` up to but not including `to`, in order, at most `most` of them.
    pub fn within(&self, from: Moment, to: Moment, most: usize) -> Instances {
        let in_window = |moment: &Moment| *moment >= from && *moment < to && !self.is_excluded(*moment);
        let mut found: BTreeSet<Moment> =
            self.dates.iter().copied().chain([self.start]).filter(|moment| in_window(moment)).collect();
        let (mut budget, mut cut_off) = (limits::RECURRENCE_STEPS_MAX, self.is_beyond_limits);
        for rule in &self.rules {
            let mut candidates = rule.candidates(wall_clock(from, &self.zone), &mut budget);
            let mut in_rule = 0;
            for local in candidates.by_ref() {
                let moment = self.moment(local);
                if moment >= to || in_rule > most {
                    break;
                }
                if in_window(&moment) {
                    in_rule += 1;
                    found.insert(moment);
                }
            }
            cut_off |= candidates.is_cut_off();
        }
        cut_off |= found.len() > most;
        Instances { moments: found.into_iter().take(most).collect(), cut_off }
    }

    /// The last instance; nothing when the series has no end or the budget does not reach it.
    pub fn last(&self) -> Option<Moment> {
        let mut budget = limits::RECURRENCE_STEPS_MAX;
        let mut last = Some(self.start);
        if self.is_beyond_limits {
            return None;
        }
        for rule in &self.rules {
            if !rule.is_finite() {
                return None;
            }
            let mut candidates = rule.candidates(None, &mut budget);
            let of_rule = candidates.by_ref().map(|local| self.moment(local)).filter(|m| !self.is_excluded(*m)).last();
            if candidates.is_cut_off() {
                return None;
            }
            last = last.max(of_rule);
        }
        last.max(self.dates.iter().copied().rfind(|moment| !self.is_excluded(*moment)))
    }

    fn rule_contains(&self, rule: &Rule<'_>, moment: Moment, budget: &mut usize) -> Membership {
        let mut candidates = rule.candidates(wall_clock(moment, &self.zone), budget);
        for local in candidates.by_ref() {
            let candidate = self.moment(local);
            if candidate == moment {
                return Membership::Instance;
            }
            // Wall clocks may run back an hour; a day is beyond any zone's changes.
            if candidate.as_seconds() > moment.as_seconds() + 86_400 {
                return Membership::NoInstance;
            }
        }
        if candidates.is_cut_off() { Membership::Undecided } else { Membership::NoInstance }
    }

    /// EXDATE as a DATE excludes the whole day; strictly it has to have the type of DTSTART, but real mail has both.
    fn is_excluded(&self, moment: Moment) -> bool {
        self.excluded.contains(&moment)
            || wall_clock(moment, &self.zone).is_some_and(|local| {
                self.excluded
                    .contains(&Moment::Date(local.date().and_time(Default::default()).and_utc().timestamp() / 86_400))
            })
    }

    fn moment(&self, local: NaiveDateTime) -> Moment {
        match self.start {
            Moment::Date(_) => Moment::Date(local.and_utc().timestamp().div_euclid(86_400)),
            Moment::Floating(_) => Moment::Floating(local.and_utc().timestamp()),
            Moment::Instant(_) => Moment::Instant(self.zone.to_unix(local)),
        }
    }
}

/// Whether a series has more rules or dates than any honest one, or a rule more values.
fn is_beyond_limits(master: &ICalendarComponent) -> bool {
    let count = |name: &ICalendarProperty| master.properties(name).map(|entry| entry.values.len()).sum::<usize>();
    let is_long = |value: &ICalendarValue| match value {
        ICalendarValue::RecurrenceRule(rule) => values_in(rule) > limits::RULE_VALUES_MAX,
        _ => false,
    };
    count(&ICalendarProperty::Rdate) + count(&ICalendarProperty::Exdate) > limits::RECURRENCE_DATES_MAX
        || count(&ICalendarProperty::Rrule) > limits::RECURRENCE_RULES_MAX
        || master.properties(&ICalendarProperty::Rrule).flat_map(|entry| &entry.values).any(is_long)
}

/// The wall clock at a moment in the zone of the series.
fn wall_clock(moment: Moment, zone: &Zone) -> Option<NaiveDateTime> {
    match moment {
        Moment::Instant(unix) => zone.to_local(unix),
        Moment::Date(_) | Moment::Floating(_) => {
            chrono::DateTime::from_timestamp(moment.as_seconds(), 0).map(|at| at.naive_utc())
        }
    }
}

/// Whether a key names an instance of the series.
pub fn membership(object: &CalendarObject, key: InstanceKey) -> Membership {
    let set = object.master().and_then(|master| RecurrenceSet::of(master, object.zones()));
    match set.zip(key.moment()) {
        Some((set, moment)) => set.contains(moment),
        None => Membership::NoInstance,
    }
}

/// The one instance of a series of times that a DATE can mean; nothing when that day has none or several, or the budget could
/// not tell.
pub fn sole_instance_on(object: &CalendarObject, day: Moment) -> Option<Moment> {
    let set = RecurrenceSet::of(object.master()?, object.zones())?;
    let is_timed = !matches!(set.start, Moment::Date(_));
    let midnight = |seconds: i64| chrono::DateTime::from_timestamp(seconds, 0).map(|at| set.moment(at.naive_utc()));
    let begins = day.as_seconds();
    let found = set.within(midnight(begins)?, midnight(begins.saturating_add(86_400))?, 2);
    match found.moments.as_slice() {
        [sole] if is_timed && !found.cut_off => Some(*sole),
        _ => None,
    }
}

/// The override that an answer about one instance makes from the master (RFC 5546 §3.2.3).
///
/// Nothing when the series has no such instance, or when the budget could not tell: an answer that may be
/// about nothing changes nothing.
pub fn instance_of(object: &CalendarObject, key: InstanceKey) -> Option<ICalendarComponent> {
    let (master, moment) = (object.master()?, key.moment()?);
    let set = RecurrenceSet::of(master, object.zones())?;
    if set.contains(moment) != Membership::Instance {
        return None;
    }
    let dtstart = master.property(&ICalendarProperty::Dtstart)?;
    let ends = end(master, object.zones());
    let duration = ends.map_or(0, |end| end.as_seconds().saturating_sub(set.start.as_seconds()));
    let mut instance = ICalendarComponent { component_ids: Vec::new(), ..master.clone() };
    for name in [ICalendarProperty::Rrule, ICalendarProperty::Rdate, ICalendarProperty::Exdate] {
        instance.remove(&name);
    }
    let starts = at(dtstart, moment, &set.zone)?;
    for entry in &mut instance.entries {
        match entry.name {
            ICalendarProperty::Dtstart => *entry = starts.clone(),
            ICalendarProperty::Dtend | ICalendarProperty::Due => {
                *entry = at(entry, later(moment, duration), &object.zones().of_entry(entry))?;
            }
            _ => {}
        }
    }
    instance.entries.push(recurrence_id(starts, key));
    Some(instance)
}

/// Moves a component to another start and end, in the form (DATE, UTC, zone) that its DTSTART has; where one of them is not
/// given the other goes with it, and the length stays.
///
/// A floating time is read on the clock of DTSTART. Fails with `CannotModifyProperty` when a time is of another kind than
/// DTSTART, and when it would end before it starts (RFC 5545 §3.8.2.2).
pub fn reschedule(
    component: &mut ICalendarComponent,
    zones: &Zones,
    (start, until): (Option<Moment>, Option<Moment>),
) -> Result<(), Refusal> {
    let (starts_by, ends_by) = (ICalendarProperty::Dtstart, ICalendarProperty::Dtend);
    let unmovable = |name: &ICalendarProperty| Refusal::CannotModifyProperty(name.as_str().to_owned());
    let clock = clock_of_start(component, zones);
    let dtstart = component.property(&starts_by).cloned().ok_or_else(|| unmovable(&starts_by))?;
    let was = zones.moment(&dtstart).ok_or_else(|| unmovable(&starts_by))?;
    let on_clock = |moment: Moment| match moment {
        Moment::Floating(wall) if !clock.is_floating() => chrono::DateTime::from_timestamp(wall, 0)
            .map_or(moment, |at| Moment::Instant(clock.to_unix(at.naive_utc()))),
        Moment::Date(_) | Moment::Floating(_) | Moment::Instant(_) => moment,
    };
    let is_alike = |moment: &Moment| std::mem::discriminant(moment) == std::mem::discriminant(&was);
    let length = end(component, zones).map_or(0, |end| end.as_seconds().saturating_sub(was.as_seconds()));
    let start = start.map_or(was, on_clock);
    let ends = until.map_or_else(|| later(start, length), on_clock);
    if !is_alike(&start) {
        return Err(unmovable(&starts_by));
    }
    if !is_alike(&ends) || ends < start {
        return Err(unmovable(&ends_by));
    }
    let starts = at(&dtstart, start, &clock).ok_or_else(|| unmovable(&starts_by))?;
    let ends = at(&dtstart, ends, &clock).ok_or_else(|| unmovable(&ends_by))?;
    let is_todo = Kind::of(component) == Some(Kind::Todo);
    for name in [&starts_by, &ends_by, &ICalendarProperty::Due, &ICalendarProperty::Duration] {
        component.remove(name);
    }
    component.entries.push(starts);
    component.entries.push(ICalendarEntry { name: if is_todo { ICalendarProperty::Due } else { ends_by }, ..ends });
    Ok(())
}

fn recurrence_id(starts: ICalendarEntry, key: InstanceKey) -> ICalendarEntry {
    let mut entry = ICalendarEntry { name: ICalendarProperty::RecurrenceId, ..starts };
    if let InstanceKey::ThisAndFuture(_) = key {
        let range = ICalendarParameterValue::Bool(true);
        entry.params.push(ICalendarParameter { name: ICalendarParameterName::Range, value: range });
    }
    entry
}

fn later(moment: Moment, seconds: i64) -> Moment {
    match moment {
        Moment::Date(days) => Moment::Date(days.saturating_add(seconds / 86_400)),
        Moment::Floating(at) => Moment::Floating(at.saturating_add(seconds)),
        Moment::Instant(at) => Moment::Instant(at.saturating_add(seconds)),
    }
}

/// A date property moved to another moment, in the form (DATE, UTC, zone) that it has.
fn at(entry: &ICalendarEntry, moment: Moment, zone: &Zone) -> Option<ICalendarEntry> {
    let is_utc = entry.tz_id().is_none();
    let value = match moment {
        Moment::Instant(unix) if !is_utc => partial(Moment::Floating(zone.to_local(unix)?.and_utc().timestamp())),
        Moment::Date(_) | Moment::Floating(_) | Moment::Instant(_) => partial(moment),
    };
    Some(ICalendarEntry { values: vec![ICalendarValue::PartialDateTime(Box::new(value))], ..entry.clone() })
}

#[cfg(test)]
mod tests;
