//! A lab leaves nothing behind: no process, no file.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use imipd_lab::{LabOptions, Mta, start_or_skip};

/// Set in the process that is going to be killed: where it says which folder its lab has.
const VICTIM: &str = "IMIPD_LAB_VICTIM";

#[test]
fn nothing_is_left_after_drop() {
    for mta in [Mta::Relay, Mta::Postfix] {
        let Some(lab) = start_or_skip(&options(mta)) else { return };
        let folder = lab.path().to_owned();
        // A client that stays connected must not keep a server process alive.
        let client = std::net::TcpStream::connect(("127.0.0.1", lab.imap_port())).unwrap();
        lab.submit("a", "b", b"Subject: hello\n\nhello\n").unwrap();
        assert!(!processes_of(&folder).is_empty(), "the search for processes finds none of a running lab");
        drop(lab);
        assert_eq!(processes_of(&folder), Vec::<String>::new());
        assert!(!folder.exists(), "{} is left", folder.display());
        drop(client);
    }
}

#[test]
fn nothing_is_left_when_the_process_is_killed() {
    let note = tempfile::NamedTempFile::new().unwrap();
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "victim"])
        .env(VICTIM, note.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let folder = wait_for(|| folder_in(note.path()).or_else(|| ended(&mut victim)));
    if folder.as_os_str().is_empty() {
        assert!(std::env::var_os("CI").is_none(), "the victim could not start its lab");
        eprintln!("*** SKIPPED: nothing_is_left_when_the_process_is_killed: no mail server");
        return;
    }
    victim.kill().unwrap();
    assert_eq!(victim.wait().unwrap().signal(), Some(9));
    wait_for(|| (processes_of(&folder).is_empty() && !folder.exists()).then_some(()));
}

/// Not a test: the process that the test above kills.
#[test]
#[ignore = "started by nothing_is_left_when_the_process_is_killed"]
fn victim() {
    let Some(note) = std::env::var_os(VICTIM) else { return };
    let Some(lab) = start_or_skip(&options(Mta::Auto)) else { return };
    let mut sleeper = Command::new("sleep").arg("600").current_dir(lab.path()).spawn().unwrap();
    lab.adopt(&sleeper);
    // The newline says that the note is complete.
    fs::write(note, format!("{}\n", lab.path().display())).unwrap();
    let _ = sleeper.wait();
}

fn options(mta: Mta) -> LabOptions<'static> {
    LabOptions { users: &["a", "b"], mta, ..LabOptions::default() }
}

fn folder_in(note: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(note).ok()?;
    text.strip_suffix('\n').map(PathBuf::from)
}

fn ended(process: &mut Child) -> Option<PathBuf> {
    process.try_wait().unwrap().map(|_| PathBuf::new())
}

fn wait_for<T>(mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited in vain");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The processes, by id and name, that have the folder in their arguments, environment, current directory or open files.
fn processes_of(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for process in fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path()) {
        let is_number = process.file_name().is_some_and(|name| name.to_string_lossy().parse::<u32>().is_ok());
        if is_number && has_to_do_with(&process, folder) {
            let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
            found.push(format!("{} {}", process.display(), name.trim()));
        }
    }
    found
}

fn has_to_do_with(process: &Path, folder: &Path) -> bool {
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let mut links = vec![process.join("cwd"), process.join("root")];
    links.extend(fs::read_dir(process.join("fd")).into_iter().flatten().flatten().map(|entry| entry.path()));
    let in_text = ["cmdline", "environ"].iter().any(|file| {
        let text = fs::read(process.join(file)).unwrap_or_default();
        String::from_utf8_lossy(&text).contains(&name)
    });
    in_text || links.iter().any(|link| fs::read_link(link).is_ok_and(|target| target.starts_with(folder)))
}
