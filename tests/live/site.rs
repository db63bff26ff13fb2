//! Mail servers, a configuration and a daemon, as one thing.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use imipd_lab::{DeliveredMail, Lab, LabOptions, MASTER_USER, Mta, read_outbox, start_or_skip};
use serde_json::Value;

use super::daemon::{Daemon, IMIPD, tail};
use super::{wait_for, wait_until};

/// What a site is made of. Names without a domain are at example.com.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// Those who have a mailbox.
    pub users: &'a [&'a str],
    /// Those of them whom the daemon watches.
    pub watched: &'a [&'a str],
    pub mta: Mta,
    pub tls: bool,
    /// How the IMAP server is reached, in place of the lab's plain port.
    pub imap_server: Option<fn(&Lab) -> String>,
    /// How the submission server is reached, in place of the lab's plain port.
    pub smtp_server: Option<fn(&Lab) -> String>,
    /// Further lines of Dovecot's configuration.
    pub dovecot: &'a str,
    /// Further lines of Postfix's main.cf.
    pub postfix: &'a str,
    /// Further lines of `[imap]`.
    pub imap: &'a str,
    /// Further lines at the end, with the headers of their tables.
    pub more: &'a str,
    /// Further lines in the table of a user, by name.
    pub of_user: &'a [(&'a str, &'a str)],
}

impl Default for Plan<'_> {
    /// Three users behind the relay, which starts at once and can be told to fail.
    fn default() -> Self {
        Self {
            users: &["a", "b", "c"],
            watched: &["a", "b", "c"],
            mta: Mta::Relay,
            tls: false,
            imap_server: None,
            smtp_server: None,
            dovecot: "",
            postfix: "",
            imap: "",
            more: "",
            of_user: &[],
        }
    }
}

/// A mail server with an imipd beside it.
#[derive(Debug)]
pub struct Site {
    // The daemon goes before its servers: fields are dropped in this order.
    daemon: Option<Daemon>,
    pub lab: Lab,
    watched: Vec<String>,
    config: PathBuf,
    log: PathBuf,
}

/// An address: a name without a domain is at example.com.
pub fn address(name: &str) -> String {
    if name.contains('@') { name.to_owned() } else { format!("{name}@example.com") }
}

impl Site {
    /// Starts the servers and writes the configuration; no daemon yet. Nothing when a server is missing here.
    pub fn prepare(plan: &Plan<'_>) -> Option<Self> {
        let (users, mta, tls, dovecot_extra) = (plan.users, plan.mta, plan.tls, plan.dovecot);
        let postfix_extra = plan.postfix;
        let options = LabOptions { users, mta, tls, dovecot_extra, postfix_extra, ..LabOptions::default() };
        let lab = start_or_skip(&options)?;
        let watched = plan.watched.iter().map(|name| address(name)).collect();
        let (config, log) = (lab.path().join("config.toml"), lab.path().join("imipd.log"));
        let site = Self { daemon: None, lab, watched, config, log };
        site.configure(plan);
        Some(site)
    }

    /// The same with a daemon that watches all mailboxes.
    pub fn open(plan: &Plan<'_>) -> Option<Self> {
        let mut site = Self::prepare(plan)?;
        site.start();
        Some(site)
    }

    /// Writes the configuration anew.
    pub fn configure(&self, plan: &Plan<'_>) {
        let plain = |port| format!("host = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"");
        let imap = plan.imap_server.map_or_else(|| plain(self.lab.imap_port()), |server| server(&self.lab));
        let smtp = plan.smtp_server.map_or_else(|| plain(self.lab.smtp_port()), |server| server(&self.lab));
        let (folder, secret) = (self.lab.path().display(), self.lab.master_password_file());
        let mut text = format!(
            "[database]\nurl = \"sqlite://{folder}/imipd.db\"\n\n\
             [imap]\n{imap}\nmaster_user = \"{MASTER_USER}\"\nmaster_password_file = \"{}\"\n{}\n\n\
             [smtp]\n{smtp}\n\n{}\n",
            secret.display(),
            plan.imap,
            plan.more
        );
        for name in plan.watched {
            let more: String = plan.of_user.iter().filter(|(of, _)| of == name).map(|(_, lines)| *lines).collect();
            text += &format!("\n[[user]]\naddresses = [\"{}\"]\n{more}\n", address(name));
        }
        fs::write(&self.config, text).expect("the configuration");
    }

    /// Lets the configuration name other ports for IMAP and for submission.
    pub fn redirect(&self, imap: u16, smtp: u16) {
        let line = |port: u16| format!("port = {port}\n");
        let text = fs::read_to_string(&self.config).expect("the configuration");
        let text = text.replace(&line(self.lab.imap_port()), &line(imap));
        fs::write(&self.config, text.replace(&line(self.lab.smtp_port()), &line(smtp))).expect("the configuration");
    }

    /// A file in the site's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.lab.path().join(name)
    }

    /// A file with a secret, as imipd wants it.
    pub fn secret(&self, name: &str, secret: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, secret).expect("a secret");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("the secret's mode");
        path
    }

    // The daemon.

    /// Starts the daemon and waits until it watches all mailboxes and has nothing to do.
    pub fn start(&mut self) {
        self.launch();
        self.wait_watching();
    }

    /// Starts the daemon and waits for nothing.
    pub fn launch(&mut self) {
        assert!(self.daemon.is_none(), "the site has a daemon");
        self.daemon = Some(Daemon::start(&self.lab, &self.config, &self.log));
    }

    /// One more daemon on the same configuration, its log in a file of its own.
    pub fn another_daemon(&self, log: &str) -> Daemon {
        Daemon::start(&self.lab, &self.config, &self.path(log))
    }

    /// The number of the running daemon's process.
    pub fn process_id(&self) -> u32 {
        self.daemon.as_ref().expect("a daemon").process().id()
    }

    pub fn wait_watching(&mut self) {
        let watched = self.watched.clone();
        wait_until("the daemon watches all mailboxes", || {
            self.assert_alive();
            watched.iter().all(|user| self.mailbox(user)["phase"] == "watching")
        });
    }

    /// SIGTERM; the exit status and the time it took.
    pub fn stop(&mut self) -> (ExitStatus, Duration) {
        let mut daemon = self.daemon.take().expect("a running daemon");
        let ended = daemon.terminate();
        self.lab.disown(daemon.process());
        ended
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        let mut daemon = self.daemon.take().expect("a running daemon");
        daemon.kill();
        self.lab.disown(daemon.process());
    }

    /// SIGHUP.
    pub fn reload(&self) {
        self.daemon.as_ref().expect("a running daemon").hang_up();
    }

    pub fn restart(&mut self) {
        self.stop();
        self.start();
    }

    fn assert_alive(&mut self) {
        let ended = self.daemon.as_mut().expect("a daemon").ended();
        assert!(ended.is_none(), "imipd run has ended: {ended:?}");
    }

    /// All that the daemons of this site have logged.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Begins anew with empty mailboxes and an empty database.
    pub fn forget(&mut self) {
        self.stop();
        read_outbox(&self.path("imipd.db"));
        self.remove_database();
        for user in &self.watched {
            self.lab.clear_mail(user).expect("an empty mailbox");
        }
        self.start();
    }

    /// Removes the database; no daemon may be running.
    pub fn remove_database(&self) {
        for suffix in ["", "-wal", "-shm"] {
            // The last two are there only while somebody works on it.
            let _ = fs::remove_file(self.path(&format!("imipd.db{suffix}")));
        }
    }

    // The command line.

    /// Runs a command.
    pub fn cli(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(IMIPD);
        command.arg("--config").arg(&self.config).args(arguments).stdin(Stdio::null());
        command.output().expect("imipd")
    }

    /// Runs a command that must succeed; what it printed.
    #[track_caller]
    pub fn done(&self, arguments: &[&str]) -> String {
        let output = self.cli(arguments);
        let (said, complained) = texts(&output);
        assert!(output.status.success(), "imipd {}: {said}{complained}", arguments.join(" "));
        said
    }

    /// Runs a command that must fail with exit code 1; everything it printed.
    #[track_caller]
    pub fn fails(&self, arguments: &[&str]) -> String {
        let output = self.cli(arguments);
        let (said, complained) = texts(&output);
        assert_eq!(output.status.code(), Some(1), "imipd {}: {said}{complained}", arguments.join(" "));
        said + &complained
    }

    /// Runs a command that prints JSON.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        let text = self.done(&[arguments, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("imipd {}: {error}: {text}", arguments.join(" ")))
    }

    /// Stores a calendar text as the user's calendar app would; what `--json` reports.
    #[track_caller]
    pub fn put(&self, user: &str, calendar: &str) -> Value {
        self.try_put(user, calendar).unwrap_or_else(|said| panic!("not stored: {said}"))
    }

    /// The same where the text may be refused; then what was said about it.
    pub fn try_put(&self, user: &str, calendar: &str) -> Result<Value, String> {
        // Several threads of a test may store at once.
        let file = tempfile::Builder::new().suffix(".ics").tempfile_in(self.lab.path()).expect("a calendar file");
        fs::write(file.path(), calendar).expect("a calendar file");
        let path = file.path().display().to_string();
        let output = self.cli(&["calendar", "put", "--user", &address(user), &path, "--json"]);
        let (said, complained) = texts(&output);
        match output.status.success() {
            true => Ok(serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))),
            false => Err(complained),
        }
    }

    #[track_caller]
    pub fn delete(&self, user: &str, uid: &str) -> Value {
        self.json(&["calendar", "delete", "--user", &address(user), uid])
    }

    #[track_caller]
    pub fn respond(&self, user: &str, uid: &str, answer: &str) -> Value {
        self.json(&["respond", "--user", &address(user), uid, answer])
    }

    /// A stored calendar text; nothing when there is none.
    pub fn get(&self, user: &str, uid: &str) -> Option<String> {
        let output = self.cli(&["calendar", "get", "--user", &address(user), uid]);
        match output.status.code() {
            Some(0) => Some(texts(&output).0),
            Some(1) => None,
            code => panic!("imipd calendar get: {code:?} {output:?}"),
        }
    }

    /// The decisions, newest first.
    pub fn decisions(&self) -> Vec<Value> {
        array(self.json(&["log", "--limit", "100000"]))
    }

    /// The decisions about one mail for one user.
    pub fn decisions_about(&self, user: &str, message_id: &str) -> Vec<Value> {
        array(self.json(&["log", "--user", &address(user), "--message-id", message_id]))
    }

    /// Waits until a mail has been decided for a user, and gives the newest decision.
    #[track_caller]
    pub fn decision(&self, user: &str, message_id: &str) -> Value {
        wait_for(&format!("{message_id} is decided for {user}"), || {
            self.decisions_about(user, message_id).into_iter().next()
        })
    }

    /// The mails of the outbox, newest first.
    pub fn outbox(&self) -> Vec<Value> {
        array(self.json(&["outbox", "list", "--limit", "100000"]))
    }

    pub fn status(&self) -> Value {
        self.json(&["status"])
    }

    /// What `status` says of a user's INBOX; null when nothing.
    pub fn mailbox(&self, user: &str) -> Value {
        let status = self.status();
        let mailboxes = status["mailboxes"].as_array().cloned().unwrap_or_default();
        mailboxes.into_iter().find(|mailbox| mailbox["user"] == address(user).as_str()).unwrap_or_default()
    }

    // Mail.

    pub fn inbox(&self, user: &str) -> Vec<DeliveredMail> {
        self.lab.mails(user, "INBOX").expect("the INBOX on disk")
    }

    /// Waits until nothing is being done and nothing is left to do.
    #[track_caller]
    pub fn wait_settled(&self) {
        let mut open = Vec::new();
        let settled = super::poll(super::PATIENCE, || {
            // Asked first: what is idle now has done all that is looked at below.
            let status = self.status();
            open = self.undecided();
            (open.is_empty() && status["running"] == true && status["idle"] == true).then_some(())
        });
        assert!(settled.is_some(), "not settled: {}; not decided: {open:?}", self.status());
    }

    /// Mails of the outbox that were sent to watched users and have not been decided there, copy by copy.
    ///
    /// A mailbox may be at rest only because it has not heard of its new mail yet; so `idle` alone does not do.
    fn undecided(&self) -> Vec<String> {
        let decided = counts(self.decisions().iter().map(|decision| key(&decision["user"], &decision["message_id"])));
        let arrived = self.arrived();
        let mut open = Vec::new();
        for mail in self.outbox() {
            for recipient in array(mail["recipients"].clone()) {
                let place = key(&recipient["address"], &mail["message_id"]);
                let is_watched = self.watched.iter().any(|user| recipient["address"] == user.as_str());
                let copies = arrived.get(&place).copied().unwrap_or(0).max(1);
                let is_due = recipient["state"] == "sent" && is_watched;
                if is_due && decided.get(&place).copied().unwrap_or(0) < copies {
                    open.push(format!("{place:?}"));
                }
            }
        }
        open
    }

    /// How many copies of each mail lie in the watched INBOXes, by user and Message-ID.
    pub fn arrived(&self) -> BTreeMap<(String, String), usize> {
        let mails = self.watched.iter().flat_map(|user| {
            let ids = self.inbox(user).into_iter().map(|mail| mail.header("Message-ID").unwrap_or_default());
            ids.map(|id| (user.clone(), id.trim().to_owned())).collect::<Vec<_>>()
        });
        counts(mails)
    }

    /// From each mail's arrival in an INBOX to the commit of its decision.
    pub fn arrival_to_commit(&self) -> Vec<Duration> {
        let mut commits = BTreeMap::new();
        // Newest first, so the oldest decision about a mail stays.
        for decision in self.decisions() {
            let at = decision["at"].as_str().and_then(|at| chrono::DateTime::parse_from_rfc3339(at).ok());
            commits.insert(key(&decision["user"], &decision["message_id"]), at.expect("a time").to_utc());
        }
        let mut delays = Vec::new();
        for user in &self.watched {
            for mail in self.inbox(user) {
                let id = mail.header("Message-ID").unwrap_or_default().trim().to_owned();
                let arrived = chrono::DateTime::<chrono::Utc>::from(mail.arrived);
                let Some(commit) = commits.get(&(user.clone(), id)) else { continue };
                let delay = *commit - arrived;
                delays.push(delay.to_std().unwrap_or_default());
            }
        }
        delays
    }
}

impl Drop for Site {
    /// All mails that this site has written are read by parsers that are not ours.
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the end of imipd's log\n{}\n{}", tail(&self.log), last_lines(&self.lab.logs()));
        } else {
            read_outbox(&self.path("imipd.db"));
        }
    }
}

/// Standard output and standard error.
pub fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

pub fn array(value: Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values,
        other => panic!("an array is wanted, not {other}"),
    }
}

fn key(user: &Value, message_id: &Value) -> (String, String) {
    (user.as_str().unwrap_or_default().to_owned(), message_id.as_str().unwrap_or_default().to_owned())
}

fn counts<K: Ord>(keys: impl Iterator<Item = K>) -> BTreeMap<K, usize> {
    let mut counts = BTreeMap::new();
    keys.for_each(|key| *counts.entry(key).or_default() += 1);
    counts
}

fn last_lines(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines.get(lines.len().saturating_sub(40)..).unwrap_or_default().join("\n")
}

/// The reference files beside the repository.
pub fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(name);
    path.exists().then_some(path)
}
