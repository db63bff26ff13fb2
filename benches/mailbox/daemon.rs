//! The daemon as a process of its own, and what the kernel tells of it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, Utc};
use imipd_lab::{Lab, MASTER_USER};
use serde_json::Value;

const IMIPD: &str = env!("CARGO_BIN_EXE_imipd");

/// The unit in which the kernel tells CPU time to programs, on every architecture.
const TICK: Duration = Duration::from_millis(10);

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(600);

/// A running `imipd run`, its database and its log in a folder.
pub struct Daemon<'a> {
    lab: &'a Lab,
    child: Child,
    folder: PathBuf,
    imap_port: u16,
}

impl<'a> Daemon<'a> {
    /// Starts a daemon that watches `users` by way of `imap_port`.
    pub fn start(lab: &'a Lab, folder: &Path, imap_port: u16, users: &[String]) -> Self {
        configure(lab, folder, imap_port, users);
        let log = File::options().create(true).append(true).open(folder.join("log")).expect("a log");
        let mut command = Command::new(IMIPD);
        command.arg("--config").arg(folder.join("config.toml")).arg("run").stdin(Stdio::null());
        let child = command.stdout(log.try_clone().expect("a second handle")).stderr(log).spawn().expect("imipd run");
        lab.adopt(&child);
        let daemon = Self { lab, child, folder: folder.to_owned(), imap_port };
        daemon.wait_watching(users);
        daemon
    }

    /// Has other users watched, and waits until they are; when the last of them was.
    pub fn reload(&self, users: &[String]) -> SystemTime {
        configure(self.lab, &self.folder, self.imap_port, users);
        self.signal("HUP");
        self.wait_watching(users)
    }

    /// Waits until all mail of all users has been read; when that was.
    fn wait_watching(&self, users: &[String]) -> SystemTime {
        let begun = Instant::now();
        loop {
            if let Some(at) = self.all_watched_at(users) {
                return at;
            }
            assert!(begun.elapsed() < PATIENCE, "not all mailboxes are watched; see {}", self.folder.display());
            // Seldom: the answer costs the daemon time that is measured.
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    fn all_watched_at(&self, users: &[String]) -> Option<SystemTime> {
        let mut command = Command::new(IMIPD);
        command.arg("--config").arg(self.folder.join("config.toml")).args(["status", "--json"]);
        let output = command.output().expect("imipd status");
        let status: Value = serde_json::from_slice(&output.stdout).ok()?;
        let rows: Vec<&Value> = status["mailboxes"].as_array()?.iter().filter(|row| row["folder"] == "INBOX").collect();
        let is_watched = rows.len() == users.len() && rows.iter().all(|row| row["phase"] == "watching");
        rows.iter().filter(|_| is_watched).filter_map(|row| row["since"].as_str().and_then(time)).max()
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &id]).status().expect("the program kill");
        assert!(status.success(), "the daemon cannot be signalled");
    }

    /// Ends it as its administrator would.
    pub fn stop(mut self) {
        self.signal("TERM");
        let status = self.child.wait().expect("its end");
        assert!(status.success(), "imipd run: {status}; see {}", self.folder.display());
    }

    /// The CPU time of all its threads, in its own code and in the kernel's.
    pub fn cpu(&self) -> Duration {
        let stat = self.proc("stat");
        // "PID (name) STATE ..." with utime and stime as fields 14 and 15; the name may hold blanks.
        let fields = stat.rsplit(") ").next().expect("fields");
        let ticks = fields.split(' ').skip(11).take(2).map(|field| field.parse::<u32>().expect("ticks"));
        TICK * ticks.sum::<u32>()
    }

    /// Its memory now, in kB.
    pub fn rss(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// The most memory that it ever had, in kB.
    pub fn rss_peak(&self) -> u64 {
        self.memory("VmHWM:")
    }

    fn memory(&self, name: &str) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a size");
        line.trim().trim_end_matches(" kB").parse().expect("a number of kB")
    }

    fn proc(&self, name: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{name}", self.child.id())).expect("a running daemon")
    }

    /// When the decisions about mails were committed, by Message-ID: what it has logged after each commit.
    pub fn commits(&self) -> Vec<(String, SystemTime)> {
        let log = fs::read_to_string(self.folder.join("log")).expect("a log");
        log.lines().filter_map(commit).collect()
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.lab.disown(&self.child);
    }
}

fn commit(line: &str) -> Option<(String, SystemTime)> {
    let (_, rest) = line.split_once("message_id=\"<")?;
    let (id, _) = rest.split_once('>')?;
    Some((id.to_owned(), time(line.split_whitespace().next()?)?))
}

fn time(text: &str) -> Option<SystemTime> {
    Some(DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc).into())
}

fn configure(lab: &Lab, folder: &Path, imap_port: u16, users: &[String]) {
    let (secret, ca_file) = (lab.master_password_file(), lab.ca_file().expect("a lab with TLS"));
    let mut text = format!(
        "[database]\nurl = \"sqlite://{}/imipd.db\"\n\n\
         [imap]\nhost = \"127.0.0.1\"\nport = {imap_port}\nsecurity = \"tls\"\nca_file = \"{}\"\n\
         master_user = \"{MASTER_USER}\"\nmaster_password_file = \"{}\"\nbackfill_days = 1\n\n\
         [smtp]\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\n",
        folder.display(),
        ca_file.display(),
        secret.display(),
        lab.smtp_port()
    );
    for user in users {
        text += &format!("\n[[user]]\naddresses = [\"{user}\"]\n");
    }
    fs::write(folder.join("config.toml"), text).expect("a configuration");
}
