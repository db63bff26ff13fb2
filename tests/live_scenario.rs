//! Scenario files, played live: the one runner, on mailboxes of a real mail server.

mod live;
mod scenario_files;

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use imipd::itip::scenario::{Script, StepReport, run};
use imipd_lab::Mta;
use live::host::LiveHost;
use live::site::shared;
use live::{measured, skipped, spread};
use scenario_files::scenario_files;

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

/// Minutes of it, so only on demand: `cargo test --test live_scenario -- --ignored`.
#[test]
#[ignore = "takes minutes; the engine alone plays the same files in tests/scenarios.rs"]
fn every_scenario_that_needs_no_other_clock_passes_over_the_relay() {
    let mut files = scenario_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios"));
    files.retain(|path| needs_no_other_world(path));
    let files = Mutex::new(files);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        // They wait for mail most of the time, so more of them than there are cores.
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(file) = next(&files) {
                    let failed = catch_unwind(|| play(&file, imipd::PRODID, Mta::Relay)).is_err();
                    failures.lock().expect("the list").extend(failed.then_some(file));
                }
            });
        }
    });
    let failures = failures.into_inner().expect("the list");
    assert!(failures.is_empty(), "{} failed: {failures:#?}", failures.len());
}

fn next(files: &Mutex<Vec<PathBuf>>) -> Option<PathBuf> {
    files.lock().expect("the list").pop()
}

/// Files in which a mail says more or less than the engine alone is told.
const NOT_BY_MAIL: [&str; 7] = [
    // Extraction sees that the text is no calendar, before the engine does.
    "calendar_parse_error.txt",
    // The Content-Type of a mail tells the METHOD, and nobody can write from a URN.
    "missing_method.txt",
    "sender_is_no_uri.txt",
    "address_without_a_mailbox_is_owed_the_request_too.txt",
    // A mail has an author, and a misspelt scheme is mended on its way to the engine.
    "empty_organizer_is_nobody.txt",
    "addresses_that_are_none_do_no_harm.txt",
    // The same mail a second time is known by its Message-ID, and the engine is not asked.
    "two_copies_of_one_object_in_a_mail_are_taken_once.txt",
];

/// Whether a file can be played live: mail servers have one clock and here no aliases and one policy, and the log tells a refusal's name
/// without what it is about.
fn needs_no_other_world(file: &Path) -> bool {
    let text = std::fs::read_to_string(file).expect("a readable scenario");
    let is_beyond = |line: &str| {
        [
            "> clock",
            "> alias",
            "> policy",
            "> counter",
            "> declinecounter",
            "> refresh",
            "> publish",
            "UnknownParticipant(",
            "SenderIsNotParticipant(",
            "UnsupportedMethod(",
        ]
        .iter()
        .any(|start| line.starts_with(start))
    };
    !text.lines().any(is_beyond) && !NOT_BY_MAIL.iter().any(|name| file.ends_with(name))
}

fn play_reference(mta: Mta) {
    let Some(path) = shared("scenarios/rfc5546_event_request.txt") else {
        assert!(std::env::var_os("CI").is_none(), "the reference scenario must be there in CI");
        return skipped("the reference scenario is not beside the repository");
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
