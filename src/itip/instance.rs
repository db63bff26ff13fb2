//! Which instance of a calendar object a component speaks of.

use std::fmt;

use calcard::icalendar::{ICalendarComponent, ICalendarEntry, ICalendarParameterName, ICalendarProperty};

use super::time::{Moment, basic_format, parse_basic_format};
use super::zone::Zones;

/// The place of a component within its object: the master, or the override of an instance.
///
/// RFC 5545 §3.8.4.4. Ordered: the master first, then by moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InstanceKey {
    /// The component without RECURRENCE-ID.
    Master,
    /// The component of one instance.
    This(Moment),
    /// The component of one instance and all that follow it (`RANGE=THISANDFUTURE`).
    ThisAndFuture(Moment),
}

impl InstanceKey {
    /// Reads the RECURRENCE-ID of a component; nothing when there is one that is no date.
    pub fn of(component: &ICalendarComponent, zones: &Zones) -> Option<Self> {
        let Some(entry) = component.property(&ICalendarProperty::RecurrenceId) else { return Some(Self::Master) };
        let moment = zones.moment(entry)?;
        Some(if is_this_and_future(entry) { Self::ThisAndFuture(moment) } else { Self::This(moment) })
    }

    /// Where in the recurrence set the component stands; nothing for the master.
    pub fn moment(self) -> Option<Moment> {
        match self {
            InstanceKey::Master => None,
            InstanceKey::This(moment) | InstanceKey::ThisAndFuture(moment) => Some(moment),
        }
    }

    /// Reads what [`fmt::Display`] writes, the form in which the ledger keeps keys.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "master" {
            return Some(Self::Master);
        }
        match text.strip_suffix('+') {
            Some(start) => parse_basic_format(start).map(Self::ThisAndFuture),
            None => parse_basic_format(text).map(Self::This),
        }
    }
}

impl fmt::Display for InstanceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InstanceKey::Master => f.write_str("master"),
            InstanceKey::This(moment) => f.write_str(&basic_format(*moment)),
            InstanceKey::ThisAndFuture(moment) => write!(f, "{}+", basic_format(*moment)),
        }
    }
}

/// The standard `RANGE=THISANDFUTURE`, or the bare `THISANDFUTURE` that older texts (RFC 5546 §4.4.5) use.
fn is_this_and_future(entry: &ICalendarEntry) -> bool {
    entry.params.iter().any(|param| match &param.name {
        ICalendarParameterName::Range => true,
        ICalendarParameterName::Other(name) => name.eq_ignore_ascii_case("THISANDFUTURE"),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_back_from_the_ledger() {
        for key in [
            InstanceKey::Master,
            InstanceKey::This(Moment::Instant(867_790_800)),
            InstanceKey::ThisAndFuture(Moment::Date(9_000)),
        ] {
            assert_eq!(InstanceKey::parse(&key.to_string()), Some(key));
        }
        assert_eq!(InstanceKey::parse("yesterday"), None);
    }
}
