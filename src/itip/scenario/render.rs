//! Messages as scenario files write them.

use calcard::common::IanaString;
use calcard::icalendar::ICalendar;

use crate::itip::decision::Outgoing;
use crate::itip::summary::{Field, Occasion};

/// What stands between two messages of one result.
pub const SEPARATOR: &str = "================================";

/// A message as a host observed it.
#[derive(Clone, Debug)]
pub struct Rendered {
    pub from: String,
    /// Sorted.
    pub to: Vec<String>,
    /// The summary lines; nothing where a host cannot see them.
    pub summary: Option<Vec<String>>,
    pub calendar: ICalendar,
}

/// An outgoing message of the engine, ready for comparison.
pub fn render_outgoing(outgoing: &Outgoing) -> Rendered {
    let summary = &outgoing.summary;
    let mut current: Vec<String> = summary.current.iter().map(|field| line("", field)).collect();
    let mut previous: Vec<String> = summary.previous.iter().map(|field| line("~", field)).collect();
    current.sort();
    previous.sort();
    let occasion = format!("summary: {}", occasion(&summary.occasion));
    Rendered {
        from: outgoing.from.to_string(),
        to: outgoing.to.iter().map(ToString::to_string).collect(),
        summary: Some(std::iter::once(occasion).chain(current).chain(previous).collect()),
        calendar: outgoing.object.calendar().clone(),
    }
}

fn line(mark: &str, field: &Field) -> String {
    format!("{mark}summary.{}: {:?}", field.name.as_str(), field.value)
}

fn occasion(occasion: &Occasion) -> String {
    match occasion {
        Occasion::Invite => "invite".to_owned(),
        Occasion::Update(method) => format!("update {method}"),
        Occasion::Cancel => "cancel".to_owned(),
        Occasion::Rsvp(partstat) => format!("rsvp {}", partstat.as_str()),
    }
}
