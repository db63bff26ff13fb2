//! Every file of fuzz/corpus, played on the bodies of the fuzz targets: what a fuzzer has once found stays mended.

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

#[path = "fuzz/mod.rs"]
#[allow(dead_code, reason = "shared with tests/laws.rs and the fuzz targets")]
mod fuzz;

fn files(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} holds nothing to play", folder.display());
    files
}

fn replay(target: &str, body: fn(&[u8])) {
    let fails = |path: &PathBuf| {
        let data = std::fs::read(path).expect("a readable file");
        catch_unwind(|| body(&data)).is_err()
    };
    let failed: Vec<PathBuf> = files(target).into_iter().filter(fails).collect();
    assert!(failed.is_empty(), "{target} fails on {failed:#?}");
}

#[test]
fn icalendar() {
    replay("icalendar", fuzz::icalendar::icalendar);
}

#[test]
fn held_incoming() {
    replay("held_incoming", fuzz::held_incoming::held_incoming);
}

#[test]
fn histories() {
    replay("histories", fuzz::histories::histories);
}

#[test]
fn raw_mail() {
    replay("raw_mail", fuzz::raw_mail::raw_mail);
}

#[test]
fn authentication_results() {
    replay("authentication_results", fuzz::authentication_results::authentication_results);
}
