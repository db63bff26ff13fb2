//! What happens when a mail server is not installed.

use std::fmt;
use std::path::PathBuf;

use crate::{Lab, LabOptions};

/// The error when a lab cannot run here: which server, why, and what to do about it.
#[derive(Debug)]
pub struct MissingServer {
    /// The server, by its name.
    pub server: &'static str,
    /// Why it cannot run, and how to mend that.
    pub remedy: String,
}

impl fmt::Display for MissingServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot run here: {}", self.server, self.remedy)
    }
}

impl std::error::Error for MissingServer {}

impl MissingServer {
    pub(crate) fn packages(server: &'static str, packages: &str) -> Self {
        let remedy = format!("it is not installed; on Debian: apt-get install {packages} (or scripts/install-servers)");
        Self { server, remedy }
    }
}

/// Starts a lab for a test. `None` means that a server is missing here and the test is skipped, which is said on stderr.
///
/// # Panics
///
/// When the environment variable `CI` is set, where nothing may be skipped, and when the servers are there but do not
/// start.
pub fn start_or_skip(options: &LabOptions) -> Option<Lab> {
    or_skip(Lab::start(options))
}

/// What was to be started for a test. `None` means that a server is missing here and the test is skipped, which is said on
/// stderr.
///
/// # Panics
///
/// As [`start_or_skip`] does.
pub fn or_skip<T>(started: anyhow::Result<T>) -> Option<T> {
    match started {
        Ok(started) => Some(started),
        Err(error) if error.is::<MissingServer>() && std::env::var_os("CI").is_none() => {
            let test = std::thread::current().name().unwrap_or("a test").to_owned();
            // Written past the test harness, which would keep the output of a passing test to itself.
            let _ = std::io::Write::write_all(
                &mut std::io::stderr(),
                format!("\n*** SKIPPED: {test}: {error:#}\n\n").as_bytes(),
            );
            None
        }
        Err(error) => panic!("the lab does not start: {error:#}"),
    }
}

/// The program `name`, looked for in `PATH` and where system daemons live, which an ordinary user's `PATH` often omits.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(system).map(|folder| folder.join(name)).find(|file| file.is_file())
}
