#![no_main]

#[path = "../../tests/fuzz/mod.rs"]
#[allow(dead_code)]
mod bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::authentication_results::authentication_results(data));
