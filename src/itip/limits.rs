//! The limits on what the engine takes from outside, in one place.

/// The longest calendar text that is parsed, in bytes.
pub const CALENDAR_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The most components, alarms and time zone rules included, that one calendar text may hold.
pub const COMPONENTS_MAX: usize = 20_000;

/// The most components within components. Honest ones have three levels; where ENDs are missing, each one adds another.
pub const DEPTH_MAX: usize = 200;

/// The most lines, folded ones counted as often as they are folded, that one calendar text may have. Counted before it is parsed.
pub const LINES_MAX: usize = 400_000;

/// The most properties that one component may hold, attendees included.
pub const PROPERTIES_MAX: usize = 100_000;

/// The longest UID, in bytes.
pub const UID_BYTES_MAX: usize = 1_024;

/// The most steps that one recurrence question may take before it is cut off.
pub const RECURRENCE_STEPS_MAX: usize = 40_000;

/// The most instances that an RRULE from outside may have on one day: one each minute.
pub const INSTANCES_PER_DAY_MAX: usize = 24 * 60;

/// The most RRULEs of one series; RFC 5545 §3.8.5.3 wants no more than one.
pub const RECURRENCE_RULES_MAX: usize = 100;

/// The most RDATEs and EXDATEs of one series.
pub const RECURRENCE_DATES_MAX: usize = 20_000;

/// The most values in the BY parts of one RRULE; all that RFC 5545 §3.3.10 allows are fewer.
pub const RULE_VALUES_MAX: usize = 3_000;

/// The largest SEQUENCE that is believed; what is larger counts as this (real mail holds some beyond 32 bits).
pub const SEQUENCE_MAX: i64 = i64::MAX / 2;

/// The most times of one event that are looked at for what it collides with.
pub const SLOTS_MAX: usize = 60;

/// The most people to whom one answer may delegate: each of them is written to from then on.
pub const DELEGATES_MAX: usize = 8;

/// The most REQUEST-STATUS codes that are kept of one answer.
pub const STATUS_CODES_MAX: usize = 8;

/// The longest name of an unknown METHOD that is repeated in a reason, in characters.
pub const METHOD_NAME_CHARS_MAX: usize = 40;

/// The most instances of a series that one message may make us look for, each against the steps of a recurrence question.
pub const INSTANCES_ASKED_MAX: usize = 200;

/// The longest status code of a delivery, in bytes.
pub const STATUS_CODE_BYTES_MAX: usize = 8;

/// The most steps that the rules of all VTIMEZONEs of one calendar text may take together.
pub const ZONE_STEPS_MAX: usize = 100_000;

/// The first year in which the rules of a VTIMEZONE without an end are worked out.
pub const ZONE_YEAR_FIRST: i32 = 1_950;

/// The last such year; what takes place later is on the clock of this one.
pub const ZONE_YEAR_LAST: i32 = 2_150;

/// The most changes of a clock within two days.
pub const ZONE_CHANGES_NEAR_MAX: usize = 16;

/// The most VTIMEZONEs of which it is told why their rules count for nothing.
pub const ZONE_FAULTS_MAX: usize = 8;
