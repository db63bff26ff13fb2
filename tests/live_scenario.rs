//! Scenario files, played live: the one runner, on mailboxes of a real mail server.

mod live;

use std::path::Path;

use imipd::itip::scenario::{Script, StepReport, run};
use imipd_lab::Mta;
use live::host::LiveHost;
use live::site::shared;
use live::{measured, spread};

/// The product that the reference file was written for.
const REFERENCE_PRODID: &str = "-//Stalwart Labs LLC//Stalwart Server//EN";

#[test]
fn the_reference_scenario_passes_over_postfix() {
    play_reference(Mta::Postfix);
}

#[test]
fn the_reference_scenario_passes_over_the_relay() {
    play_reference(Mta::Relay);
}

#[test]
fn our_own_scenarios_pass_over_postfix() {
    play_own(Mta::Postfix);
}

#[test]
fn our_own_scenarios_pass_over_the_relay() {
    play_own(Mta::Relay);
}

fn play_reference(mta: Mta) {
    let Some(path) = shared("scenarios/rfc5546_event_request.txt") else {
        assert!(std::env::var_os("CI").is_none(), "the reference scenario must be there in CI");
        eprintln!("\n*** SKIPPED: the reference scenario is not beside the repository\n");
        return;
    };
    play(&path, REFERENCE_PRODID, mta);
}

fn play_own(mta: Mta) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/live");
    let mut files: Vec<_> =
        std::fs::read_dir(&folder).expect("the scenarios").flatten().map(|one| one.path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files.iter().for_each(|file| play(file, imipd::PRODID, mta));
}

fn play(file: &Path, prodid: &str, mta: Mta) {
    let text = std::fs::read_to_string(file).expect("a readable scenario");
    let script = Script::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let Some(mut host) = LiveHost::open(&script, prodid, mta) else { return };
    let begun = std::time::Instant::now();
    let reports = run(&script, &mut host);
    let failures: Vec<String> = reports.iter().filter(|report| !report.passed).map(|one| describe(file, one)).collect();
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n\n"));
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (steps, took) = (reports.len(), begun.elapsed());
    measured(&format!("{name} over {}", host.site().lab.mta_name()), &format!("{steps} steps in {took:.1?}"));
    measured("arrival in the INBOX to commit", &spread(host.site().arrival_to_commit()));
}

fn describe(file: &Path, report: &StepReport) -> String {
    let trouble = report.trouble.as_deref().unwrap_or_default();
    let place = format!("{}:{}: {} ({})", file.display(), report.line, report.command, report.title);
    format!("{place} {trouble}\n--- expected\n{}\n--- actual\n{}", report.expected, report.actual)
}
