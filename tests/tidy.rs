//! The arrows between the modules, and the size of the files: what style alone does not keep.

use std::path::{Path, PathBuf};

/// The source files below a folder of src.
fn sources(folder: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder of src") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder), &mut found);
    found.sort();
    found
}

/// A file without its comments and without its tests.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).expect("a readable file");
    let text = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Whether a file is only there for tests.
fn is_test(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().ends_with("tests.rs"))
}

/// Every use of one of `words` in the files of a folder, as `file: word`.
fn uses(folder: &str, words: &[&str]) -> Vec<String> {
    let files = sources(folder).into_iter().filter(|path| !is_test(path));
    files
        .flat_map(|path| {
            let code = code(&path);
            let found =
                words.iter().filter(|word| code.contains(**word)).map(|word| format!("{}: {word}", path.display()));
            found.collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn the_pure_modules_know_no_clock_no_chance_and_no_world() {
    let worldly = [
        "tokio",
        "async ",
        "tracing",
        "sqlx",
        "lettre",
        "async_imap",
        "std::fs",
        "std::net",
        "std::env",
        "SystemTime",
        "Instant::now",
        "Utc::now",
        "Local::now",
        "rand::",
        "fastrand",
        "HashMap",
        "HashSet",
        "println!",
        "PartialDateTime::now",
    ];
    for folder in ["itip", "imip"] {
        assert_eq!(uses(folder, &worldly), Vec::<String>::new());
    }
}

#[test]
fn dependencies_point_inwards() {
    let outer = ["crate::gateway", "crate::cli", "crate::config"];
    let shells = [
        "crate::mailbox",
        "crate::outbox",
        "crate::ledger",
        "crate::calendar",
        "crate::directory",
        "crate::dkim",
        "crate::gateway",
        "crate::cli",
        "crate::web",
    ];
    assert_eq!(uses("itip", &[&shells[..], &["crate::imip", "crate::config"]].concat()), Vec::<String>::new());
    assert_eq!(uses("imip", &[&shells[..], &["crate::config"]].concat()), Vec::<String>::new());
    // The drivers know the pure core and nothing of each other.
    for driver in ["mailbox", "outbox", "ledger", "calendar", "directory", "dkim"] {
        let others: Vec<&str> =
            ["crate::mailbox", "crate::outbox", "crate::ledger", "crate::calendar", "crate::directory", "crate::dkim"]
                .into_iter()
                .filter(|name| !name.ends_with(driver))
                .collect();
        assert_eq!(uses(driver, &[&others[..], &outer[..]].concat()), Vec::<String>::new(), "{driver}");
    }
    assert_eq!(uses("gateway", &["crate::cli"]), Vec::<String>::new());
}

#[test]
fn no_file_is_too_long_to_read() {
    let too_long: Vec<String> = sources("")
        .into_iter()
        .filter(|path| !is_test(path))
        .map(|path| (code(&path).lines().count(), path))
        .filter(|(lines, _)| *lines > 600)
        .map(|(lines, path)| format!("{}: {lines}", path.display()))
        .collect();
    assert_eq!(too_long, Vec::<String>::new());
}
