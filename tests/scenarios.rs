//! Every scenario file, played on the engine alone.

use std::path::{Path, PathBuf};

use imipd::itip::scenario::{EngineHost, Script, run};

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

fn scenario_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("tests/scenarios");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
        .into_iter()
        .flat_map(|path| if path.is_dir() { scenario_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect()
}
