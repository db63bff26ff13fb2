//! The calendar object: all components of one UID.

use std::collections::{BTreeMap, BTreeSet};

use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarEntry, ICalendarParameterName,
    ICalendarParameterValue, ICalendarProperty, ICalendarValue, Uri,
};

use super::address::Address;
use super::component::{ComponentExt, set_parameter};
use super::decision::Refusal;
use super::instance::InstanceKey;
use super::limits;
use super::method::Method;
use super::recurrence;
use super::text;
use super::time::{Moment, partial};
use super::zone::Zones;

/// The UID of a calendar object; opaque, compared by its bytes (RFC 5545 §3.8.4.7).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CalUid(pub String);

impl std::fmt::Display for CalUid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What kind of component an object consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Event,
    Todo,
    Journal,
}

impl Kind {
    /// The kind of a component; nothing for what is no calendar object, time zones for example.
    pub fn of(component: &ICalendarComponent) -> Option<Self> {
        match component.component_type {
            ICalendarComponentType::VEvent => Some(Kind::Event),
            ICalendarComponentType::VTodo => Some(Kind::Todo),
            ICalendarComponentType::VJournal => Some(Kind::Journal),
            _ => None,
        }
    }

    /// The component's name in iCalendar text.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Event => "VEVENT",
            Kind::Todo => "VTODO",
            Kind::Journal => "VJOURNAL",
        }
    }
}

/// All components of one UID: at most one master and any number of overrides, besides time zones.
///
/// The calendar's text is kept as it was parsed; the object adds an index by instance. Invariants: one UID, one kind,
/// no two components with one key, every scheduling component a child of the root.
#[derive(Clone, Debug)]
pub struct CalendarObject {
    calendar: ICalendar,
    uid: CalUid,
    kind: Kind,
    zones: Zones,
    index: BTreeMap<InstanceKey, usize>,
}

impl CalendarObject {
    /// Reads an object from iCalendar text.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        Self::new(text::parse(text)?)
    }

    /// Indexes a parsed calendar; refuses what is not one scheduling object (RFC 5546 §3.2: same UID, one type).
    pub fn new(mut calendar: ICalendar) -> Result<Self, Refusal> {
        promote_nested(&mut calendar);
        let zones = Zones::of(&calendar);
        let (mut index, mut uid, mut kind) = (BTreeMap::new(), None, None);
        for child in children(&calendar) {
            let Some(component) = calendar.components.get(child) else { continue };
            let Some(this_kind) = kind_of(component)? else { continue };
            if *kind.get_or_insert(this_kind) != this_kind {
                return Err(Refusal::MultipleObjectTypes);
            }
            let this_uid = component.uid().filter(|uid| !uid.trim().is_empty()).ok_or(Refusal::MissingUid)?;
            if this_uid.len() > limits::UID_BYTES_MAX {
                return Err(Refusal::EventTooLarge);
            }
            if *uid.get_or_insert(this_uid) != this_uid {
                return Err(Refusal::MultipleUid);
            }
            let key = InstanceKey::of(component, &zones).ok_or(Refusal::ICalendarParseError)?;
            if index.insert(key, child).is_some() {
                return Err(Refusal::MultipleObjectInstances);
            }
        }
        let (Some(uid), Some(kind)) = (uid, kind) else { return Err(Refusal::NoSchedulingInfo) };
        Ok(Self { uid: CalUid(uid.to_owned()), kind, zones, index, calendar })
    }

    /// The object as iCalendar text.
    pub fn to_text(&self) -> String {
        text::write(&self.calendar)
    }

    pub fn uid(&self) -> &CalUid {
        &self.uid
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub fn zones(&self) -> &Zones {
        &self.zones
    }

    /// The calendar with its time zones and its own properties.
    pub fn calendar(&self) -> &ICalendar {
        &self.calendar
    }

    /// The instances that have a component, master first, then by time.
    pub fn keys(&self) -> impl Iterator<Item = InstanceKey> + '_ {
        self.index.keys().copied()
    }

    /// The components with their keys, master first.
    pub fn components(&self) -> impl Iterator<Item = (InstanceKey, &ICalendarComponent)> {
        self.index.iter().filter_map(|(key, index)| Some((*key, self.calendar.components.get(*index)?)))
    }

    pub fn get(&self, key: InstanceKey) -> Option<&ICalendarComponent> {
        self.index.get(&key).and_then(|index| self.calendar.components.get(*index))
    }

    pub fn get_mut(&mut self, key: InstanceKey) -> Option<&mut ICalendarComponent> {
        self.index.get(&key).and_then(|index| self.calendar.components.get_mut(*index))
    }

    pub fn master(&self) -> Option<&ICalendarComponent> {
        self.get(InstanceKey::Master)
    }

    /// The master, or the first override of an object that has none.
    pub fn principal(&self) -> Option<&ICalendarComponent> {
        self.components().next().map(|(_, component)| component)
    }

    /// The one ORGANIZER of the object; `MultipleOrganizer` when the components disagree (RFC 6638 §3.2.4.2).
    pub fn organizer(&self) -> Result<Option<Address>, Refusal> {
        let mut found: Option<Address> = None;
        for (_, component) in self.components() {
            let Some(organizer) = component.organizer() else { continue };
            match &found {
                Some(known) if !organizer.is(known) => return Err(Refusal::MultipleOrganizer),
                Some(_) => {}
                None => found = Some(organizer.address()),
            }
        }
        Ok(found)
    }

    /// Names `secretary` in every ORGANIZER as the one who acts for it (RFC 5545 §3.2.18).
    pub fn set_sent_by(&mut self, secretary: &Address) {
        let keys: Vec<InstanceKey> = self.keys().collect();
        for key in keys {
            let entries = self.get_mut(key).into_iter().flat_map(|component| &mut component.entries);
            for entry in entries.filter(|entry| entry.name == ICalendarProperty::Organizer) {
                let uri = Uri::Location(format!("mailto:{secretary}"));
                set_parameter(entry, ICalendarParameterName::SentBy, ICalendarParameterValue::Uri(uri));
            }
        }
    }

    /// Whether any component has one of `addresses` as ATTENDEE.
    pub fn has_attendee(&self, addresses: &[Address]) -> bool {
        self.components().any(|(_, component)| component.attendee_among(addresses).is_some())
    }

    /// Whether every DTSTART that there is says when (RFC 5545 §3.8.2.4).
    pub fn has_readable_starts(&self) -> bool {
        let start = |component: &'_ ICalendarComponent| {
            let entry = component.property(&ICalendarProperty::Dtstart);
            entry.is_none_or(|entry| self.zones.moment(entry).is_some())
        };
        self.components().all(|(_, component)| start(component))
    }

    /// Whether no RRULE takes place more often than is taken from outside.
    pub fn has_bearable_rules(&self) -> bool {
        let rules = self.components().flat_map(|(_, component)| component.properties(&ICalendarProperty::Rrule));
        let is_bearable = |value: &ICalendarValue| match value {
            ICalendarValue::RecurrenceRule(rule) => !recurrence::is_too_dense(rule),
            _ => true,
        };
        rules.flat_map(|entry| &entry.values).all(is_bearable)
    }

    /// A key whose time floats, read on the clock of the series: in the zone of the master's DTSTART.
    ///
    /// A DATE names the instance of that day on the same clock, if there is exactly one. RFC 5545 §3.8.4.4 wants the type of
    /// DTSTART; there are clients that write a day where the series has times.
    pub fn on_series_clock(&self, key: InstanceKey) -> InstanceKey {
        let zone = self
            .master()
            .and_then(|master| master.property(&ICalendarProperty::Dtstart))
            .map(|entry| self.zones.of_entry(entry));
        let on_clock = |moment: Moment| match (moment, &zone) {
            (Moment::Floating(wall), Some(zone)) if !zone.is_floating() => chrono::DateTime::from_timestamp(wall, 0)
                .map_or(moment, |at| Moment::Instant(zone.to_unix(at.naive_utc()))),
            (Moment::Date(_), _) if self.get(key).is_none() => {
                recurrence::sole_instance_on(self, moment).unwrap_or(moment)
            }
            _ => moment,
        };
        match key {
            InstanceKey::Master => key,
            InstanceKey::This(moment) => InstanceKey::This(on_clock(moment)),
            InstanceKey::ThisAndFuture(moment) => InstanceKey::ThisAndFuture(on_clock(moment)),
        }
    }

    /// METHOD of the calendar, as written.
    pub fn method(&self) -> Option<&str> {
        self.root().and_then(|root| root.text(&ICalendarProperty::Method))
    }

    /// Removes METHOD: stored objects have none (RFC 4791 §4.1).
    pub fn remove_method(&mut self) {
        if let Some(root) = self.calendar.components.first_mut() {
            root.remove(&ICalendarProperty::Method);
        }
    }

    /// Writes METHOD.
    pub fn set_method(&mut self, method: Method) {
        if let Some(root) = self.calendar.components.first_mut() {
            root.set(ICalendarProperty::Method, ICalendarValue::Text(method.as_str().to_owned()));
        }
    }

    /// Removes the component of an instance, with what is nested in it.
    pub fn remove(&mut self, key: InstanceKey) {
        let Some(index) = self.index.remove(&key) else { return };
        if let Some(root) = self.calendar.components.first_mut() {
            root.component_ids.retain(|&child| child as usize != index);
        }
    }

    /// Adds or replaces the component of an instance; `component` must have no nested components of its own.
    pub fn insert(&mut self, key: InstanceKey, component: ICalendarComponent) {
        if let Some(held) = self.get_mut(key) {
            *held = component;
            return;
        }
        let index = self.push_to_root(component);
        self.index.insert(key, index);
    }

    /// Gives the component of an instance another RECURRENCE-ID; nothing happens where that one is taken.
    pub fn rename(&mut self, key: InstanceKey, to: InstanceKey) {
        let Some(moment) = to.moment().filter(|_| !self.index.contains_key(&to)) else { return };
        let Some(index) = self.index.remove(&key) else { return };
        self.index.insert(to, index);
        let entry = self.get_mut(to).and_then(|own| own.property_mut(&ICalendarProperty::RecurrenceId));
        if let Some(entry) = entry {
            let is_form = |name: &ICalendarParameterName| {
                matches!(name, ICalendarParameterName::Value | ICalendarParameterName::Tzid)
            };
            entry.params.retain(|param| !is_form(&param.name));
            entry.values = vec![ICalendarValue::PartialDateTime(Box::new(partial(moment)))];
        }
    }

    /// Moves the properties of an instance's component out of the object; what is nested in it stays behind.
    pub fn take(&mut self, key: InstanceKey) -> Option<ICalendarComponent> {
        let component = self.get_mut(key)?;
        let (component_type, entries) = (component.component_type.clone(), std::mem::take(&mut component.entries));
        Some(ICalendarComponent { component_type, entries, component_ids: Vec::new() })
    }

    /// Removes the VALARMs (and anything else nested) of every component.
    pub fn drop_nested(&mut self) {
        for index in self.index.values() {
            if let Some(component) = self.calendar.components.get_mut(*index) {
                component.component_ids.clear();
            }
        }
    }

    /// Adds the time zones of another object that this one does not define yet.
    pub fn adopt_zones(&mut self, other: &CalendarObject) {
        self.adopt_zones_where(other, |_| true);
    }

    /// Adds those time zones of another object that the components of this one name (RFC 5546 §3.2.2).
    pub fn adopt_used_zones(&mut self, other: &CalendarObject) {
        if other.calendar.timezones().next().is_none() {
            return;
        }
        let entries = self.components().flat_map(|(_, component)| &component.entries);
        let used: BTreeSet<String> = entries.filter_map(ICalendarEntry::tz_id).map(str::to_owned).collect();
        self.adopt_zones_where(other, |tzid| used.contains(tzid));
    }

    fn adopt_zones_where(&mut self, other: &CalendarObject, wanted: impl Fn(&str) -> bool) {
        let tzid = |zone: &ICalendarComponent| zone.text(&ICalendarProperty::Tzid).map(str::to_owned);
        // A set, because one mail may hold twenty thousand zones, each to be looked for among as many.
        let mut known: BTreeSet<String> = self.calendar.timezones().filter_map(tzid).collect();
        for zone in children(&other.calendar) {
            let Some(component) = other.calendar.components.get(zone) else { continue };
            let is_zone = component.component_type == ICalendarComponentType::VTimezone;
            let Some(name) = tzid(component).filter(|tzid| is_zone && wanted(tzid)) else { continue };
            if known.insert(name.clone()) {
                self.zones.adopt(&other.zones, [name.as_str()]);
                let index = self.push_to_root(ICalendarComponent { component_ids: Vec::new(), ..component.clone() });
                self.adopt_children(index, &other.calendar, component);
            }
        }
    }

    /// Defines the time zones that are named and not defined, as far as their names are known, at most `most` of them:
    /// a message defines every TZID that it uses (RFC 5545 §3.2.19), and a user's calendar program may have left that out.
    ///
    /// The definitions hold from a year before the earliest date to ten years after the latest, or after `now`; but no
    /// further back than 1970 and not beyond fifty years, since each step of the way costs time.
    pub fn define_used_zones(&mut self, now: i64, most: usize) {
        let entries = || self.components().flat_map(|(_, component)| &component.entries);
        let defined: BTreeSet<&str> =
            self.calendar.timezones().filter_map(|zone| zone.text(&ICalendarProperty::Tzid)).collect();
        let used: BTreeSet<&str> = entries().filter_map(ICalendarEntry::tz_id).collect();
        let missing: Vec<String> = used.difference(&defined).take(most).map(|tzid| (*tzid).to_owned()).collect();
        if missing.is_empty() {
            return;
        }
        const YEAR: i64 = 366 * 86_400;
        let moments = entries().flat_map(|entry| self.zones.moment(entry)).map(Moment::as_seconds);
        let (from, to) = moments.fold((now, now), |(from, to), at| (from.min(at), to.max(at)));
        let from = from.saturating_sub(YEAR).max(0);
        let to = to.saturating_add(10 * YEAR).min(now.saturating_add(50 * YEAR)).min(from.saturating_add(150 * YEAR));
        for tzid in missing {
            self.calendar.add_timezone(&tzid, from, to);
        }
        self.zones = Zones::of(&self.calendar);
    }

    /// Takes the time zones of a full message: what it says a name means counts from now on.
    pub fn replace_zones(&mut self, other: &CalendarObject) {
        if other.calendar.timezones().next().is_none() {
            return;
        }
        let redefined: BTreeSet<&str> =
            other.calendar.timezones().filter_map(|zone| zone.text(&ICalendarProperty::Tzid)).collect();
        let outdated: BTreeSet<usize> = children(&self.calendar)
            .into_iter()
            .filter(|child| {
                let zone = self.calendar.components.get(*child);
                let zone = zone.filter(|zone| zone.component_type == ICalendarComponentType::VTimezone);
                zone.and_then(|zone| zone.text(&ICalendarProperty::Tzid)).is_some_and(|tzid| redefined.contains(tzid))
            })
            .collect();
        // What is no child of the root is no part of the text; its name must not be found any more either.
        for (_, zone) in self.calendar.components.iter_mut().enumerate().filter(|(index, _)| outdated.contains(index)) {
            zone.component_type = ICalendarComponentType::Other("X-OUTDATED".to_owned());
        }
        if let Some(root) = self.calendar.components.first_mut() {
            root.component_ids.retain(|&child| !outdated.contains(&(child as usize)));
        }
        self.zones.forget(redefined);
        self.adopt_zones(other);
    }

    /// A calendar with the given METHOD and PRODID, without any component yet.
    ///
    /// Components put into it by [`CalendarObject::insert`], and then the zones that they name by
    /// [`CalendarObject::adopt_used_zones`], make a message about this object.
    pub fn envelope(&self, method: calcard::icalendar::ICalendarMethod, prodid: &str) -> CalendarObject {
        let root = ICalendarComponent {
            component_type: ICalendarComponentType::VCalendar,
            entries: vec![
                entry(ICalendarProperty::Method, ICalendarValue::Method(method)),
                entry(ICalendarProperty::Prodid, ICalendarValue::Text(prodid.to_owned())),
                entry(ICalendarProperty::Version, ICalendarValue::Text("2.0".to_owned())),
            ],
            component_ids: Vec::new(),
        };
        CalendarObject {
            calendar: ICalendar { components: vec![root] },
            uid: self.uid.clone(),
            kind: self.kind,
            zones: Zones::default(),
            index: BTreeMap::new(),
        }
    }

    fn root(&self) -> Option<&ICalendarComponent> {
        self.calendar.components.first()
    }

    fn push_to_root(&mut self, component: ICalendarComponent) -> usize {
        let index = self.calendar.components.len();
        self.calendar.components.push(component);
        if let Some(root) = self.calendar.components.first_mut() {
            root.component_ids.push(index as u32);
        }
        index
    }

    /// Copies what is nested in `component` below the component at `parent`.
    fn adopt_children(&mut self, parent: usize, source: &ICalendar, component: &ICalendarComponent) {
        let mut pending: Vec<(usize, u32)> = component.component_ids.iter().map(|&child| (parent, child)).collect();
        while let Some((parent, child)) = pending.pop() {
            let Some(nested) = source.components.get(child as usize) else { continue };
            let index = self.calendar.components.len();
            pending.extend(nested.component_ids.iter().map(|&grandchild| (index, grandchild)));
            self.calendar.components.push(ICalendarComponent { component_ids: Vec::new(), ..nested.clone() });
            if let Some(owner) = self.calendar.components.get_mut(parent) {
                owner.component_ids.push(index as u32);
            }
        }
    }
}

impl PartialEq for CalendarObject {
    /// Two objects are equal when their texts are.
    fn eq(&self, other: &Self) -> bool {
        self.to_text() == other.to_text()
    }
}

fn entry(name: ICalendarProperty, value: ICalendarValue) -> ICalendarEntry {
    ICalendarEntry { name, params: Vec::new(), values: vec![value] }
}

fn children(calendar: &ICalendar) -> Vec<usize> {
    calendar
        .components
        .first()
        .map_or_else(Vec::new, |root| root.component_ids.iter().map(|&child| child as usize).collect())
}

/// The kind of a scheduling component; nothing for time zones and what iTIP does not know.
fn kind_of(component: &ICalendarComponent) -> Result<Option<Kind>, Refusal> {
    match component.component_type {
        ICalendarComponentType::VFreebusy => Err(Refusal::InvalidComponentType),
        _ => Ok(Kind::of(component)),
    }
}

/// Moves scheduling components that a missing END has nested into another one back below the root.
fn promote_nested(calendar: &mut ICalendar) {
    let is_scheduling: Vec<bool> =
        calendar.components.iter().map(|component| component.component_type.has_time_ranges()).collect();
    let mut promoted = Vec::new();
    for component in calendar.components.iter_mut().skip(1) {
        component.component_ids.retain(|&child| {
            let nested = is_scheduling.get(child as usize).copied().unwrap_or(false);
            if nested {
                promoted.push(child);
            }
            !nested
        });
    }
    if let Some(root) = calendar.components.first_mut() {
        root.component_ids.extend(promoted);
    }
}
