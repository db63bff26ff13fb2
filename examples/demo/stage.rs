//! The stage: mail servers, the daemon, and the waiting between the acts.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail, ensure};
use chrono::{DateTime, Utc};
use imipd_lab::{Lab, LabOptions, MASTER_USER, Mta, password};
use mail_parser::{MessageParser, MimeHeaders};
use serde_json::Value;

use crate::EVERYBODY;
use crate::calendar::CalendarObject;
use crate::series::Series;
use crate::terminal::Terminal;

/// How long one act may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);

pub struct Stage<'t> {
    // The daemon stops before its mail servers: fields are dropped in this order.
    daemon: Daemon,
    lab: Lab,
    config: PathBuf,
    terminal: &'t Terminal,
    known_files: HashSet<String>,
    pub letters: Vec<Letter>,
    shown: BTreeMap<&'static str, String>,
}

/// A mail that has come into somebody's INBOX.
pub struct Letter {
    pub user: &'static str,
    pub from: String,
    pub method: String,
    pub subject: String,
    pub message_id: String,
    pub arrived: SystemTime,
}

/// Compares INBOXes and calendars with what they should be, and notes what is not (yet) so.
pub struct Check<'a> {
    calendars: &'a BTreeMap<&'static str, Option<CalendarObject>>,
    letters: &'a [Letter],
    complaints: Vec<String>,
}

impl<'t> Stage<'t> {
    /// Starts the mail servers and the daemon, and returns when the daemon watches all mailboxes.
    pub fn open(terminal: &'t Terminal) -> Result<Self> {
        terminal.act("Mail servers and imipd start");
        let begun = Instant::now();
        let options = LabOptions { users: &EVERYBODY, mta: Mta::Auto, ..LabOptions::default() };
        let lab = Lab::start(&options).context("starting the mail servers")?;
        terminal.fact("IMAP", &format!("Dovecot, 127.0.0.1:{}", lab.imap_port()));
        terminal.fact("SMTP", &format!("{}, 127.0.0.1:{}", lab.mta_name(), lab.smtp_port()));
        terminal.fact("mailboxes", &lab.users().join(", "));
        let config = write_config(&lab)?;
        let check = imipd(&config, &["check"])?;
        terminal.command("imipd check");
        terminal.note(&all_output(&check));
        ensure!(check.status.success(), "imipd check found fault with the configuration");
        let daemon = Daemon::start(&lab, &config)?;
        let (known_files, letters, shown) = Default::default();
        let mut stage = Self { daemon, lab, config, terminal, known_files, letters, shown };
        stage.wait_until_watching()?;
        terminal.success(&format!("imipd watches {} mailboxes after {:.1?}", EVERYBODY.len(), begun.elapsed()));
        Ok(stage)
    }

    /// imipd looks at new mail only, so nothing may be sent before it has seen all mailboxes once.
    fn wait_until_watching(&mut self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.daemon.ensure_alive()?;
            let status = self.status();
            let watched = status.as_ref().map_or(0, |status| count(&status["mailboxes"]));
            if watched >= EVERYBODY.len() && status.as_ref().is_ok_and(|status| status["idle"] == true) {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("imipd does not watch all mailboxes after {PATIENCE:?}: {status:?}\n{}", self.daemon.log());
            }
            std::thread::sleep(PAUSE);
        }
    }

    pub fn act(&self, title: &str) {
        self.terminal.act(title);
    }

    /// A file in the lab's folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.lab.path().join(name)
    }

    pub fn lab(&self) -> &Lab {
        &self.lab
    }

    pub fn terminal(&self) -> &'t Terminal {
        self.terminal
    }

    /// Runs an imipd command that must succeed, and returns what it printed.
    pub fn imipd(&self, arguments: &[&str]) -> Result<String> {
        self.terminal.command(&format!("imipd {}", arguments.join(" ")));
        self.quietly(arguments)
    }

    /// The same without telling the audience.
    pub fn quietly(&self, arguments: &[&str]) -> Result<String> {
        let output = imipd(&self.config, arguments)?;
        let command = arguments.join(" ");
        ensure!(output.status.success(), "imipd {command}: {}\n{}", all_output(&output), self.daemon.log());
        String::from_utf8(output.stdout).with_context(|| format!("imipd {command} printed no UTF-8"))
    }

    /// The text of a stored object. `imipd calendar get` ends with 1 when there is none.
    pub fn stored(&self, user: &str, uid: &str) -> Result<Option<String>> {
        let output = imipd(&self.config, &["calendar", "get", "--user", user, uid])?;
        match output.status.code() {
            Some(0) => Ok(Some(String::from_utf8_lossy(&output.stdout).into_owned())),
            Some(1) => Ok(None),
            _ => bail!("imipd calendar get --user {user}: {}", all_output(&output)),
        }
    }

    /// Prints a stored object, changed or not.
    pub fn show(&self, user: &str, uid: &str) -> Result<()> {
        let text = self.stored(user, uid)?;
        self.terminal.calendar(user, text.as_deref().map(CalendarObject::parse).as_ref());
        Ok(())
    }

    /// Waits until imipd is idle and all is as `expected`; prints the mails as they come and then the calendars that
    /// have changed.
    pub fn settle(&mut self, uid: &str, expected: impl Fn(&mut Check)) -> Result<()> {
        let begun = Instant::now();
        loop {
            self.daemon.ensure_alive()?;
            // Asked first: what is idle now has done all that is looked at below.
            let idle = self.status()?["idle"] == true;
            self.collect_letters()?;
            let texts = self.calendars(uid)?;
            let mut complaints = complaints(&texts, &self.letters, &expected);
            if !idle {
                complaints.push("imipd is not idle".to_owned());
            }
            if complaints.is_empty() {
                self.show_changes(&texts);
                self.terminal.success(&format!("all as it should be, after {:.1?}", begun.elapsed()));
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                self.show_changes(&texts);
                bail!("after {PATIENCE:?}:\n   {}\n{}", complaints.join("\n   "), self.daemon.log());
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn calendars(&self, uid: &str) -> Result<BTreeMap<&'static str, Option<String>>> {
        EVERYBODY.into_iter().map(|user| Ok((user, self.stored(user, uid)?))).collect()
    }

    fn collect_letters(&mut self) -> Result<()> {
        let mut new = Vec::new();
        for user in EVERYBODY {
            for mail in self.lab.mails(user, "INBOX")? {
                // The part of the name before the flags stays.
                let name = mail.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let name = name.split(':').next().unwrap_or(&name).to_owned();
                if self.known_files.insert(format!("{user} {name}")) {
                    new.push(Letter::read(user, &mail.raw, mail.arrived));
                }
            }
        }
        new.sort_by_key(|letter| letter.arrived);
        new.iter().for_each(|letter| self.terminal.mail(letter));
        self.letters.append(&mut new);
        Ok(())
    }

    fn show_changes(&mut self, texts: &BTreeMap<&'static str, Option<String>>) {
        for (user, text) in texts {
            let text = text.as_deref();
            if self.shown.get(user).map(String::as_str) != text {
                self.terminal.calendar(user, text.map(CalendarObject::parse).as_ref());
            }
            match text {
                Some(text) => self.shown.insert(user, text.to_owned()),
                None => self.shown.remove(user),
            };
        }
    }

    fn status(&self) -> Result<Value> {
        serde_json::from_str(&self.quietly(&["status", "--json"])?).context("imipd status --json printed no JSON")
    }

    /// What each holds of the object at the end.
    pub fn final_states(&self) -> impl Iterator<Item = (&'static str, Option<&String>)> {
        EVERYBODY.into_iter().map(|user| (user, self.shown.get(user)))
    }

    /// Says how to look around, and waits for Ctrl-C, after which the lab's watchdog stops everything.
    pub fn stay_open(&self) -> Result<()> {
        let file = self.file("again.ics");
        fs::write(&file, Series::starting_next_week().text()).context("writing another invitation")?;
        let terminal = self.terminal;
        terminal.headline("All keeps running until Ctrl-C");
        terminal.fact("IMAP", &format!("127.0.0.1 port {}, no TLS", self.lab.imap_port()));
        terminal.fact("SMTP", &format!("127.0.0.1 port {}, no TLS, no password", self.lab.smtp_port()));
        for user in EVERYBODY {
            terminal.fact("user, password", &format!("{user}  {}", password(user)));
        }
        let (config, program) = (self.config.display(), program()?);
        terminal.fact("configuration", &config.to_string());
        terminal.fact("log", &self.daemon.log_file.display().to_string());
        terminal.note("To invite again:");
        let again = file.display();
        terminal.command(&format!(
            "{} --config {config} calendar put --user {} {again}",
            program.display(),
            EVERYBODY[0]
        ));
        loop {
            std::thread::park();
        }
    }
}

impl Letter {
    fn read(user: &'static str, raw: &[u8], arrived: SystemTime) -> Self {
        let message = MessageParser::default().parse(raw).unwrap_or_default();
        let from = message.from().and_then(|from| from.first()).and_then(|from| from.address()).unwrap_or("?");
        let method = message.parts.iter().find_map(|part| part.content_type()?.attribute("method"));
        Self {
            user,
            from: from.to_owned(),
            method: method.unwrap_or("-").to_ascii_uppercase(),
            subject: message.subject().unwrap_or_default().to_owned(),
            message_id: message.message_id().unwrap_or_default().to_owned(),
            arrived,
        }
    }
}

fn complaints(
    texts: &BTreeMap<&'static str, Option<String>>,
    letters: &[Letter],
    expected: &impl Fn(&mut Check),
) -> Vec<String> {
    let parse = |text: &Option<String>| text.as_deref().map(CalendarObject::parse);
    let calendars = texts.iter().map(|(user, text)| (*user, parse(text))).collect();
    let mut check = Check { calendars: &calendars, letters, complaints: Vec::new() };
    expected(&mut check);
    check.complaints
}

impl Check<'_> {
    /// The user's INBOX has so many mails by method, and no other mail.
    pub fn mails(&mut self, user: &str, by_method: &[(&str, usize)]) {
        let mut rest = self.letters.iter().filter(|letter| letter.user == user).count();
        for (method, wanted) in by_method {
            let has = self.letters.iter().filter(|letter| letter.user == user && letter.method == *method).count();
            rest -= has;
            self.claim(has == *wanted, || format!("{user} has {has} {method} mails, should have {wanted}"));
        }
        self.claim(rest == 0, || format!("{user} has {rest} mails that nobody owes them"));
    }

    pub fn holds(&self, owner: &str) -> bool {
        self.object(owner).is_some()
    }

    /// In the owner's copy of the series the attendee has this PARTSTAT.
    pub fn partstat(&mut self, owner: &str, attendee: &str, wanted: &str) {
        let has = self.object(owner).and_then(|object| object.master()?.partstat(attendee)).unwrap_or("nothing");
        let text = format!("{owner}'s calendar says {has} of {attendee}, should say {wanted}");
        self.claim(has == wanted, || text);
    }

    /// In the owner's copy the instance begins at another time.
    pub fn moved(&mut self, owner: &str, instance: DateTime<Utc>, start: DateTime<Utc>) {
        let has = self.object(owner).and_then(|object| object.instance(instance)?.instant("DTSTART"));
        self.claim(has == Some(start), || {
            format!("the instance of {instance} in {owner}'s calendar begins at {has:?}, should begin at {start}")
        });
    }

    /// The owner's copy is there, and cancelled with all its instances.
    pub fn cancelled(&mut self, owner: &str) {
        let cancelled = self
            .object(owner)
            .is_some_and(|object| object.master().is_some() && object.events.iter().all(|event| event.is_cancelled()));
        self.claim(cancelled, || format!("{owner}'s calendar does not show the series cancelled"));
    }

    pub fn nothing_stored(&mut self, owner: &str) {
        self.claim(!self.holds(owner), || format!("{owner}'s calendar still has the series"));
    }

    fn object(&self, owner: &str) -> Option<&CalendarObject> {
        self.calendars.get(owner)?.as_ref()
    }

    fn claim(&mut self, holds: bool, complaint: impl FnOnce() -> String) {
        if !holds {
            self.complaints.push(complaint());
        }
    }
}

/// `imipd run`; asked to stop when dropped.
struct Daemon {
    child: Child,
    log_file: PathBuf,
}

impl Daemon {
    fn start(lab: &Lab, config: &Path) -> Result<Self> {
        let log_file = lab.path().join("imipd.log");
        let log = fs::File::create(&log_file).context("creating the daemon's log")?;
        let mut command = Command::new(program()?);
        command.arg("--config").arg(config).arg("run").stdin(Stdio::null());
        let child = command.stdout(log.try_clone()?).stderr(log).spawn().context("starting imipd run")?;
        lab.adopt(&child);
        Ok(Self { child, log_file })
    }

    fn ensure_alive(&mut self) -> Result<()> {
        match self.child.try_wait().context("looking after imipd")? {
            None => Ok(()),
            Some(status) => bail!("imipd run has ended: {status}\n{}", self.log()),
        }
    }

    /// The end of the log, for an error text.
    fn log(&self) -> String {
        let log = fs::read_to_string(&self.log_file).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines.get(lines.len().saturating_sub(30)..).unwrap_or_default();
        format!("--- the end of imipd's log\n{}", tail.join("\n"))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status();
        let deadline = Instant::now() + Duration::from_secs(5);
        while asked.is_ok() && matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The imipd that was built together with this example.
fn program() -> Result<PathBuf> {
    let demo = std::env::current_exe().context("finding the demo's own program")?;
    let folder = demo.parent().and_then(Path::parent).context("the demo's program lies nowhere")?;
    let program = folder.join("imipd");
    ensure!(program.is_file(), "{} is not there; build it with: cargo build --bin imipd", program.display());
    Ok(program)
}

fn imipd(config: &Path, arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(program()?);
    command.arg("--config").arg(config).args(arguments).stdin(Stdio::null());
    command.output().with_context(|| format!("running imipd {}", arguments.join(" ")))
}

fn all_output(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The number of things in a status field, which is a list of them, or their number.
fn count(value: &Value) -> usize {
    match value {
        Value::Array(list) => list.len(),
        Value::Object(map) => map.len(),
        _ => value.as_u64().and_then(|number| usize::try_from(number).ok()).unwrap_or(0),
    }
}

fn write_config(lab: &Lab) -> Result<PathBuf> {
    let (folder, imap, smtp) = (lab.path().display(), lab.imap_port(), lab.smtp_port());
    let secret = lab.master_password_file();
    let secret = secret.display();
    let mut text = format!(
        r#"[database]
url = "sqlite://{folder}/imipd.db"

[imap]
host = "127.0.0.1"
port = {imap}
security = "none"
master_user = "{MASTER_USER}"
master_password_file = "{secret}"
watch = ["INBOX"]

[smtp]
host = "127.0.0.1"
port = {smtp}
security = "none"

[log]
level = "info"
"#
    );
    for user in EVERYBODY {
        text += &format!("\n[[user]]\naddresses = [\"{user}\"]\n");
    }
    let path = lab.path().join("config.toml");
    fs::write(&path, text).context("writing imipd's configuration")?;
    Ok(path)
}
