//! The configuration: one TOML file, checked as a whole before anything starts.
//!
//! Every key, its default and its unit are explained in `config.example.toml`; `tests/config.rs` holds that file and this
//! reader together. Unknown keys are errors, all faults are reported at once, and no secret stands in the file itself.

mod access;
mod envelope;
mod fault;
mod file;
mod limits;
mod nearest;
mod reader;
mod secret;
mod sections;
mod sources;
mod trust;
mod users;
mod value;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono_tz::Tz;
use toml::de::DeTable;

use crate::imip::answer::Choice;
use crate::imip::{Bodies, Language};
use crate::itip::Address;

pub use access::{Access, Master, MasterMode, Submission, SubmissionProof, TokenMechanism, TokenSource};
pub use envelope::EnvelopeFrom;
pub use fault::{ConfigFaults, Fault};
use reader::{Findings, Section};
use secret::Places;
pub use secret::{Files, Secret, SecretError};
pub use sources::{UserDatabase, UserSource, Users};
pub use trust::{People, Trusting};
use users::Usual;

/// Everything that an administrator decides, with the defaults filled in.
#[derive(Clone, Debug)]
pub struct Config {
    pub database: Database,
    pub imap: Imap,
    pub smtp: Smtp,
    /// Those of the `[[user]]` tables; no address and no login belongs to two of them.
    pub users: Vec<User>,
    /// Where the others come from.
    pub more_users: Users,
    pub calendar: Calendar,
    pub policy: Policy,
    pub imip: Imip,
    pub rsvp: Rsvp,
    pub answers: Answers,
    pub web: Web,
    pub log: Log,
    /// What works and should still be known, as sentences; without order.
    pub warnings: Vec<String>,
    usual: Usual,
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
    /// How often the server is asked to go on telling of new mail, by which it is noticed when it is gone.
    pub renew_interval: Duration,
    /// How long one answer of the server may take.
    pub timeout: Duration,
    /// How many connections may be open at once; 0 for no limit.
    pub max_connections: u32,
    pub wake: Wake,
    /// The keyword of a mail that was processed; nothing for none.
    pub mark: Option<String>,
    /// The keyword of a mail that could not be.
    pub mark_dead: Option<String>,
    /// How often a mailbox is looked at without a push.
    pub safety_poll: Duration,
}

/// By what new mail is learnt of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// By a connection for each mailbox, as far as there are enough.
    Auto,
    /// By a message of the mail server to the push endpoint; no connection is kept.
    Push,
}

/// The submission service.
#[derive(Clone, Debug)]
pub struct Smtp {
    pub server: Server,
    /// A Unix socket, in place of host, port and security.
    pub socket: Option<PathBuf>,
    /// Nothing for a server that knows us by our address.
    pub login: Option<Submission>,
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Every address of theirs, the main one first; never empty.
    pub addresses: Vec<Address>,
    /// What the mailbox is called at the IMAP server.
    pub login: String,
    /// With what imipd logs in there.
    pub access: Access,
    pub timezone: Tz,
    /// In which those are written to of whom no language is known: their own choice, or that of `[imip]`.
    pub language: Language,
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
    /// The site's own domains in lower case, sorted; those of the `[[user]]` tables when none are configured.
    pub domains: Vec<String>,
    pub domains_from: DomainsFrom,
}

/// Which domains are the site's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DomainsFrom {
    /// Those that the policy names.
    Policy,
    /// Those of all users, wherever they come from.
    Users,
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
    pub bodies: Bodies,
    /// The directory with words and templates in place of ours.
    pub templates: Option<PathBuf>,
    /// What holds for users without a choice of their own; [`User::language`] is the one to apply.
    pub language: Language,
}

/// How instances that were added to a series are announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddedInstances {
    /// As a REQUEST with just these instances, which every client understands.
    Request,
    /// As an ADD (RFC 5546 §3.2.4).
    Add,
}

/// Which links stand in invitations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rsvp {
    /// Links to pages of ours, which begin with this URL; no slash at its end.
    Links { public_url: String },
    /// Links that write a mail.
    Mailto,
    /// None.
    Off,
}

/// How people answer besides by a REPLY.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers {
    /// Whether a mail that says "yes" is an answer.
    pub words: bool,
    /// Whether there are folders into which users put what they answer.
    pub folders: bool,
    /// What becomes of a mail in one of them.
    pub after: AfterAnswer,
    /// The keywords that are answers; none twice.
    pub keywords: Vec<(Choice, String)>,
    /// Whether users get a notice with what they are asked.
    pub notice: bool,
}

/// What becomes of a mail that a user has put into a folder of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterAnswer {
    ToInbox,
    ToArchive,
    Stays,
}

/// What is offered over HTTP.
#[derive(Clone, Debug, Default)]
pub struct Web {
    /// Where; nothing when it is switched off.
    pub listen: Option<Listen>,
    /// What a mail server has to know that tells of new mail.
    pub push_token: Option<Secret>,
    /// How others reach the web server, without a slash at the end.
    pub public_url: Option<String>,
    /// The proxies whose word is taken for where a request comes from; a proxy at a Unix socket needs no mention.
    pub trusted_proxies: Vec<IpAddr>,
    /// Whether the page of an invitation tells who else is invited.
    pub show_attendees: bool,
}

/// Where the web server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// A name or an address, and a port.
    Tcp {
        host: String,
        port: u16,
    },
    Unix(PathBuf),
}

#[derive(Clone, Debug)]
pub struct Log {
    pub format: LogFormat,
    pub level: LogLevel,
    pub addresses: LogAddresses,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// How mail addresses stand in log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogAddresses {
    Full,
    /// As a keyed hash, the same for the same address as long as the database is the same.
    Hashed,
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
    /// The configuration in this file; with [`Files::Checked`] it is a fault when a secret cannot be read.
    pub fn load(path: &Path, files: Files) -> Result<Config, ConfigFaults> {
        let file = path.display().to_string();
        let text = file::read_text(path)?;
        // Relative paths in it must not depend on where imipd happens to be started.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let base_dir = path.parent().unwrap_or(Path::new("/"));
        read(&file, &text, &Places { base_dir, env: &|name| std::env::var_os(name), files })
    }

    /// The configuration in this text, whose relative paths start at `base_dir`.
    pub fn parse(text: &str, base_dir: &Path) -> Result<Config, ConfigFaults> {
        let places = Places { base_dir, env: &|name| std::env::var_os(name), files: Files::Checked };
        read("config.toml", text, &places)
    }

    /// The user that a source tells in a table such as `[[user]]`, and what should be known about it; otherwise all that is
    /// wrong with it, as one text.
    pub fn user_of_row(&self, row: &toml::Table) -> Result<(User, Vec<String>), String> {
        users::user_of_row(row, &self.usual)
    }

    /// Every key that the reader knows, as `table.key`, tables themselves included, sorted.
    pub fn known_keys() -> Vec<String> {
        let (document, _) = DeTable::parse_recoverable("[[user]]");
        let findings = Findings::new("", &[]);
        let places = Places { base_dir: Path::new("/"), env: &|_| None, files: Files::Unchecked };
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

const NOBODY_PUSHES: &str = "is \"push\", but without web.push_token_file no mail server can say that there is new mail; every \
    mailbox is looked at each imap.safety_poll only";

fn read_root(root: Section<'_>, places: &Places<'_>) -> Config {
    let (imap, access) = sections::imap(root.section("imap"), places);
    let policy = sections::policy(root.section("policy"));
    let web = sections::web(root.section("web"), places);
    let (imip, rsvp) = sections::imip(root.section("imip"), places, &web);
    if imap.wake == Wake::Push && web.push_token.is_none() {
        root.section("imap").warn("wake", NOBODY_PUSHES);
    }
    let base_dir = places.base_dir.to_owned();
    let usual = Usual {
        access,
        auto_add: policy.auto_add,
        trusting: policy.trusting.clone(),
        language: imip.language,
        base_dir,
        files: places.files,
    };
    let more_users = sources::users(root.section("users"), places);
    if more_users.sources.is_empty() {
        root.demand(
            "user",
            "add a table [[user]] with addresses = [\"name@example.com\"] for each user, or a table [users]",
        );
    }
    let users = users::users(&root, &usual, places);
    let answers = sections::answers(root.section("answers"), &imap);
    let config = Config {
        database: sections::database(root.section("database"), places),
        imap,
        smtp: sections::smtp(root.section("smtp"), places),
        policy: policy.with_domains_of(&users),
        users,
        more_users,
        calendar: sections::calendar(root.section("calendar")),
        imip,
        answers,
        rsvp,
        web,
        log: sections::log(root.section("log")),
        warnings: Vec::new(),
        usual,
    };
    root.finish();
    config
}
