//! One `imipd run` process.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use imipd_lab::Lab;

use super::poll;

/// The program under test.
pub const IMIPD: &str = env!("CARGO_BIN_EXE_imipd");

/// A running daemon; killed and reaped when it is dropped.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
}

impl Daemon {
    /// Starts the daemon; its output is added to the file `log`.
    ///
    /// The caller has the lab's watchdog adopt it: a test that is killed leaves no daemon behind.
    pub fn start(lab: &Lab, config: &Path, log: &Path) -> Self {
        let log = File::options().create(true).append(true).open(log).expect("the daemon's log");
        let mut command = Command::new(IMIPD);
        command.arg("--config").arg(config).arg("run").stdin(Stdio::null());
        // A file and not a pipe: nobody may have to read for the daemon to go on.
        let child = command.stdout(log.try_clone().expect("a second handle")).stderr(log).spawn().expect("imipd run");
        lab.adopt(&child);
        Self { child }
    }

    /// The process, for the lab to disown once it has ended.
    pub fn process(&self) -> &Child {
        &self.child
    }

    /// How it ended; nothing while it runs.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the daemon's state")
    }

    /// Waits until it ends by itself.
    pub fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        poll(patience, || self.ended())
    }

    /// SIGTERM, and how the daemon took it: exit status and time; panics when it does not end.
    pub fn terminate(&mut self) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        self.signal("TERM");
        let status = self.wait(Duration::from_secs(20)).expect("the daemon ends after SIGTERM");
        (status, begun.elapsed())
    }

    /// SIGHUP: the users are read anew.
    pub fn hang_up(&self) {
        self.signal("HUP");
    }

    /// SIGKILL, between any two instructions.
    pub fn kill(&mut self) {
        self.child.kill().expect("SIGKILL");
        self.child.wait().expect("reaping the daemon");
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &id]).status().expect("the program kill");
        assert!(status.success(), "the daemon {id} cannot be signalled");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The last lines of a log, for the message of a test that fails.
pub fn tail(path: &Path) -> String {
    let log = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    lines.get(lines.len().saturating_sub(60)..).unwrap_or_default().join("\n")
}
