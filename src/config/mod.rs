//! The configuration: one TOML file, checked as a whole before anything starts.
//!
//! Every key, its default and its unit are explained in `config.example.toml`; `tests/config.rs` holds that file and this
//! reader together. Unknown keys are errors, all faults are reported at once, and no secret stands in the file itself.

mod envelope;
mod fault;
mod file;
mod limits;
mod nearest;
mod reader;
mod secret;
mod sections;
mod trust;
mod users;
mod value;

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono_tz::Tz;
use secrecy::SecretString;
use toml::de::DeTable;

use crate::itip::Address;

pub use envelope::EnvelopeFrom;
pub use fault::{ConfigFaults, Fault};
use reader::{Findings, Section};
use secret::Places;
pub use trust::{People, Trusting};
use users::Usual;

/// Everything that an administrator decides, with the defaults filled in.
#[derive(Clone, Debug)]
pub struct Config {
    pub database: Database,
    pub imap: Imap,
    pub smtp: Smtp,
    /// At least one; no address and no login belongs to two of them.
    pub users: Vec<User>,
    pub calendar: Calendar,
    pub policy: Policy,
    pub imip: Imip,
    pub log: Log,
    /// What works and should still be known, as sentences; without order.
    pub warnings: Vec<String>,
}

/// Where the gateway keeps its state.
#[derive(Clone, Debug)]
pub struct Database {
    /// The SQLite file; its directory has to exist.
    pub path: PathBuf,
    /// How long the texts of mails are kept that nobody waits for.
    pub keep_mail: Duration,
    /// How long decisions are kept, and the records of mails that nobody waits for.
    pub keep_records: Duration,
}

/// How a server is reached.
#[derive(Clone, Debug)]
pub struct Server {
    /// A name, or an IP address without brackets.
    pub host: String,
    pub port: u16,
    /// `None` only for loopback hosts, or with the administrator's explicit consent.
    pub security: Security,
    /// PEM file of the certificate authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// TLS after a command, refused when the server does not offer it.
    StartTls,
    /// No encryption.
    None,
}

/// A name and a password, as they are sent.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub username: String,
    pub password: SecretString,
}

/// The mailboxes.
#[derive(Clone, Debug)]
pub struct Imap {
    pub server: Server,
    /// The folders to watch, at least one.
    pub watch: Vec<String>,
    /// How old mail may be that is read when a mailbox is seen for the first time; 0 for none.
    pub backfill_days: u32,
    /// How often a folder is looked at that the server does not report on.
    pub poll_interval: Duration,
}

/// The submission service.
#[derive(Clone, Debug)]
pub struct Smtp {
    pub server: Server,
    /// A Unix socket, in place of host, port and security.
    pub socket: Option<PathBuf>,
    pub credentials: Option<Credentials>,
    pub max_connections: u32,
    /// Recipients of one transaction.
    pub max_recipients: u32,
    /// Recipients that a user may write to within an hour; 0 is no limit.
    pub user_limit: u32,
    /// Mails about one event to one recipient within an hour; 0 is no limit.
    pub event_limit: u32,
    /// How long one answer of the server may take.
    pub timeout: Duration,
    /// How long a mail is tried again before it counts as undeliverable.
    pub give_up_after: Duration,
    /// Where mails that come back go to.
    pub envelope_from: EnvelopeFrom,
    /// How long what a calendar client stored waits for the client's own mail.
    pub grace: Duration,
    /// Whether a copy of each mail goes into the Sent folder of its user.
    pub save_sent: bool,
}

/// One person whose mailbox is watched.
#[derive(Clone, Debug)]
pub struct User {
    /// Every address of theirs, the main one first; never empty.
    pub addresses: Vec<Address>,
    /// What the mailbox is called at the IMAP server.
    pub login: String,
    /// What is sent to the IMAP server: the user's own password, or the master user's in the name of `login`.
    pub credentials: Credentials,
    pub timezone: Tz,
    /// How they are called in mails that are sent for them.
    pub name: Option<String>,
    /// Their own choice, or that of `[policy]`.
    pub auto_add: AutoAdd,
    /// Whom they name themself; [`Policy::people`] holds besides.
    pub people: People,
}

/// Where calendars live.
#[derive(Clone, Debug)]
pub struct Calendar {
    pub backend: CalendarBackend,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalendarBackend {
    /// In the gateway's own database.
    Database,
}

/// What is done without asking.
#[derive(Clone, Debug)]
pub struct Policy {
    /// What holds for users without a choice of their own; [`User::auto_add`] is the one to apply.
    pub auto_add: AutoAdd,
    pub trusting: Trusting,
    pub people: People,
    pub limits: PolicyLimits,
    pub party_crashers: PartyCrashers,
    pub publications: Publications,
    /// How long answers are gathered before the other attendees are told; nothing when they are not told.
    pub share_answers: Option<Duration>,
    /// The site's own domains in lower case, sorted; the users' when none are configured.
    pub domains: Vec<String>,
}

/// Whose invitations are added to the calendar; the others wait in `imipd invitations`. An order of openness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AutoAdd {
    Never,
    /// Those of people whom the user has written to, or who are named.
    Known,
    /// Also those from the domains of [`Policy::domains`].
    Domain,
    /// Also those of anybody whose mail is proven to be theirs.
    Authenticated,
    All,
}

/// What proves who has sent a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The From header as it stands.
    From,
    /// What the site's own mail server found (RFC 8601).
    Authenticated,
}

/// How much is taken, where sites differ; the other limits are constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyLimits {
    /// Attendees of one instance that mail may bring in.
    pub attendees: u32,
    /// Objects in one user's calendar; beyond, no mail adds any.
    pub objects: u32,
    /// Messages that wait for one user; beyond, further ones are refused.
    pub waiting: u32,
    /// Calendars from one sender to one user within an hour.
    pub messages_per_hour: u32,
    /// Answers to one event.
    pub answers: u32,
}

impl Default for PolicyLimits {
    fn default() -> Self {
        Self { attendees: 10_000, objects: 100_000, waiting: 1_000, messages_per_hour: 1_000, answers: 20_000 }
    }
}

/// What becomes of an answer from somebody who was never invited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartyCrashers {
    Refuse,
    /// Kept for the organizer to decide.
    Propose,
}

/// What becomes of what somebody publishes to a user without inviting them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publications {
    Refuse,
    /// Added to the calendar, when an invitation of the same sender would be added.
    Import,
}

/// How iTIP is put into mail.
#[derive(Clone, Debug)]
pub struct Imip {
    pub added_instances: AddedInstances,
}

/// How instances that were added to a series are announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddedInstances {
    /// As a REQUEST with just these instances, which every client understands.
    Request,
    /// As an ADD (RFC 5546 §3.2.4).
    Add,
}

#[derive(Clone, Debug)]
pub struct Log {
    pub format: LogFormat,
    pub level: LogLevel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// The least grave lines that are still logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
}

impl User {
    /// The address that mails are sent as when no other one was written to.
    pub fn main_address(&self) -> &Address {
        &self.addresses[0]
    }
}

impl LogLevel {
    /// The word as a log filter takes it.
    pub fn as_str(self) -> &'static str {
        match self {
            LogLevel::Error => "error",
            LogLevel::Warn => "warn",
            LogLevel::Info => "info",
            LogLevel::Debug => "debug",
        }
    }
}

impl Config {
    /// The configuration in this file, with every secret that it points to.
    pub fn load(path: &Path) -> Result<Config, ConfigFaults> {
        let file = path.display().to_string();
        let text = file::read_text(path)?;
        // Relative paths in it must not depend on where imipd happens to be started.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let base_dir = path.parent().unwrap_or(Path::new("/"));
        read(&file, &text, &Places { base_dir, env: &|name| std::env::var_os(name) })
    }

    /// The configuration in this text, whose relative paths start at `base_dir`.
    pub fn parse(text: &str, base_dir: &Path) -> Result<Config, ConfigFaults> {
        read("config.toml", text, &Places { base_dir, env: &|name| std::env::var_os(name) })
    }

    /// Every key that the reader knows, as `table.key`, tables themselves included, sorted.
    pub fn known_keys() -> Vec<String> {
        let (document, _) = DeTable::parse_recoverable("[[user]]");
        let findings = Findings::new("", &[]);
        let places = Places { base_dir: Path::new("/"), env: &|_| None };
        read_root(Section::root(document.get_ref(), &findings), &places);
        let (_, _, mut keys) = findings.into_parts();
        keys.sort();
        keys
    }
}

fn read(file: &str, text: &str, places: &Places<'_>) -> Result<Config, ConfigFaults> {
    let (document, syntax) = DeTable::parse_recoverable(text);
    let findings = Findings::new(text, &syntax);
    let config = read_root(Section::root(document.get_ref(), &findings), places);
    let (faults, warnings, _) = findings.into_parts();
    if faults.is_empty() { Ok(Config { warnings, ..config }) } else { Err(ConfigFaults::new(file, faults)) }
}

fn read_root(root: Section<'_>, places: &Places<'_>) -> Config {
    let (imap, master) = sections::imap(root.section("imap"), places);
    let policy = sections::policy(root.section("policy"));
    let usual = Usual { master: master.as_ref(), auto_add: policy.auto_add, trusting: &policy.trusting, places };
    let users = users::users(&root, &usual);
    let config = Config {
        database: sections::database(root.section("database"), places),
        imap,
        smtp: sections::smtp(root.section("smtp"), places),
        policy: policy.with_domains_of(&users),
        users,
        calendar: sections::calendar(root.section("calendar")),
        imip: sections::imip(root.section("imip")),
        log: sections::log(root.section("log")),
        warnings: Vec::new(),
    };
    root.finish();
    config
}
