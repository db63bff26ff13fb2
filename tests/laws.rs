//! The laws of the engine on generated calendars, messages and histories.
//!
//! `PROPTEST_CASES=10000 cargo test --test laws` looks further than the usual run does.

#[path = "fuzz/edits.rs"]
#[allow(dead_code, reason = "shared with the fuzz targets")]
mod edits;
#[path = "laws/histories.rs"]
mod histories;
#[path = "laws/orders.rs"]
mod orders;
#[path = "laws/recurrence.rs"]
mod recurrence;
#[path = "laws/silence.rs"]
mod silence;
#[path = "laws/texts.rs"]
mod texts;
#[path = "laws/world.rs"]
mod world;
