//! The laws of the engine on generated calendars, messages and histories.
//!
//! The usual run tries the same cases every time, so that it tells what a change has done. Another seed looks elsewhere, and
//! more cases further: `LAWS_SEED=7 LAWS_CASES=10000 cargo test --test laws`.

use proptest::test_runner::{Config, RngSeed};

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

/// How a law is tried: the number of cases and the seed, both of which the environment may change.
fn cases(usual: u32) -> Config {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let cases = number("LAWS_CASES").and_then(|cases| u32::try_from(cases).ok()).unwrap_or(usual);
    let rng_seed = RngSeed::Fixed(number("LAWS_SEED").unwrap_or(5_546));
    Config { cases, rng_seed, failure_persistence: None, ..Config::default() }
}
