//! Every scenario file, played on the engine alone.

mod scenario_files;

use std::path::Path;

use imipd::itip::scenario::{EngineHost, Script, run};
use scenario_files::scenario_files;

/// Plays a file and returns what failed, readable.
fn failures(path: &Path, prodid: &str) -> Vec<String> {
    let text = std::fs::read_to_string(path).expect("a readable scenario");
    let script = match Script::parse(&text) {
        Ok(script) => script,
        Err(error) => return vec![format!("{}: {error}", path.display())],
    };
    run(&script, &mut EngineHost::new(prodid))
        .into_iter()
        .filter(|report| !report.passed)
        .map(|report| {
            let trouble = report.trouble.unwrap_or_default();
            let place = format!("{}:{}: {} ({})", path.display(), report.line, report.command, report.title);
            format!("{place} {trouble}\n--- expected\n{}\n--- actual\n{}", report.expected, report.actual)
        })
        .collect()
}

#[test]
fn the_reference_scenario_passes_exactly() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/scenarios/rfc5546_event_request.txt");
    if !path.exists() {
        eprintln!("SKIPPED: {} is not here; it runs wherever it is, always in CI", path.display());
        return;
    }
    let failed = failures(&path, "-//Stalwart Labs LLC//Stalwart Server//EN");
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

#[test]
fn every_scenario_passes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let files = scenario_files(&root);
    let failed: Vec<String> = files.iter().flat_map(|path| failures(path, imipd::PRODID)).collect();
    assert!(failed.is_empty(), "{} failures\n{}", failed.len(), failed.join("\n\n"));
}
