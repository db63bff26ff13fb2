//! One order for the contents of a calendar, so that two texts of the same object compare as equal.

use std::collections::BTreeMap;

use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarEntry, ICalendarParameterName, ICalendarProperty, ICalendarValue,
};

use crate::itip::text;

/// The deepest nesting that a scenario may hold.
const DEPTH_MAX: usize = 16;

/// What becomes of DTSTAMP values in a comparison.
#[derive(Debug)]
pub(super) enum Dtstamps {
    /// Each distinct value is a number, in the order of first appearance.
    Numbered(BTreeMap<String, usize>),
    /// They are not compared.
    Ignored,
}

impl Dtstamps {
    fn replace(&mut self, written: String) -> String {
        match self {
            Dtstamps::Ignored => "any".to_owned(),
            Dtstamps::Numbered(known) => {
                let next = known.len();
                known.entry(written).or_insert(next).to_string()
            }
        }
    }
}

/// A component with what is nested in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Node {
    entries: Vec<ICalendarEntry>,
    kind: ICalendarComponent,
    children: Vec<Node>,
}

/// A calendar in canonical order, as text with LF line ends; its DTSTAMPs stay as they are.
pub(super) fn as_written(calendar: &ICalendar) -> String {
    node(calendar, 0, 0).map_or_else(String::new, |node| to_text(&node))
}

/// A calendar in canonical order, as text with LF line ends and its DTSTAMPs replaced.
pub(super) fn with_dtstamps(calendar: &ICalendar, dtstamps: &mut Dtstamps) -> String {
    let Some(mut node) = node(calendar, 0, 0) else { return String::new() };
    replace_dtstamps(&mut node, dtstamps);
    to_text(&node)
}

/// The calendar without SCHEDULE-STATUS: which outcome came last depends on real servers (RFC 6638 §3.2.9).
pub(super) fn without_outcomes(mut calendar: ICalendar) -> ICalendar {
    for entry in calendar.components.iter_mut().flat_map(|component| &mut component.entries) {
        entry.params.retain(|parameter| parameter.name != ICalendarParameterName::ScheduleStatus);
    }
    calendar
}

fn node(calendar: &ICalendar, index: usize, depth: usize) -> Option<Node> {
    let component = calendar.components.get(index).filter(|_| depth < DEPTH_MAX)?;
    let mut entries = component.entries.clone();
    entries.sort();
    let children = component.component_ids.iter();
    let mut children: Vec<Node> = children.filter_map(|&child| node(calendar, child as usize, depth + 1)).collect();
    children.sort_by_cached_key(without_dtstamp);
    let kind = ICalendarComponent { component_type: component.component_type.clone(), ..Default::default() };
    Some(Node { entries, kind, children })
}

/// What components are sorted by: the DTSTAMP must not decide, since it is replaced only afterwards.
fn without_dtstamp(node: &Node) -> (ICalendarComponent, Vec<ICalendarEntry>) {
    let entries = node.entries.iter().filter(|entry| entry.name != ICalendarProperty::Dtstamp);
    (node.kind.clone(), entries.cloned().collect())
}

fn replace_dtstamps(node: &mut Node, dtstamps: &mut Dtstamps) {
    for entry in node.entries.iter_mut().filter(|entry| entry.name == ICalendarProperty::Dtstamp) {
        let mut written = String::new();
        // Writing to a String does not fail.
        let _ = entry.write_to(&mut written);
        entry.params.clear();
        entry.values = vec![ICalendarValue::Text(dtstamps.replace(written))];
    }
    node.children.iter_mut().for_each(|child| replace_dtstamps(child, dtstamps));
}

fn to_text(node: &Node) -> String {
    let mut calendar = ICalendar { components: Vec::new() };
    flatten(node, &mut calendar);
    text::write(&calendar).replace("\r\n", "\n")
}

fn flatten(node: &Node, calendar: &mut ICalendar) -> u32 {
    let index = calendar.components.len();
    calendar.components.push(ICalendarComponent { entries: node.entries.clone(), ..node.kind.clone() });
    let ids: Vec<u32> = node.children.iter().map(|child| flatten(child, calendar)).collect();
    if let Some(component) = calendar.components.get_mut(index) {
        component.component_ids = ids;
    }
    index as u32
}
