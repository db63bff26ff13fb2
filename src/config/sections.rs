//! The tables of the configuration, one function each.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::ExposeSecret;

use crate::imip::answer::Choice;
use crate::imip::{Bodies, Language};

use super::access::{self, UsualAccess};
use super::fault::{Wrong, quote};
use super::limits::{DOMAINS_MAX, FOLDERS_MAX, PROXIES_MAX, PUSH_TOKEN_BYTES_MIN};
use super::reader::Section;
use super::secret::{Files, Places, SECRET, Secret};
use super::trust;
use super::value;
use super::{
    AddedInstances, AfterAnswer, Answers, AutoAdd, Calendar, CalendarBackend, Database, DomainsFrom, EnvelopeFrom,
    Imap, Imip, Listen, Log, LogAddresses, LogFormat, LogLevel, PartyCrashers, Policy, Publications, Rsvp, Security,
    Server, Smtp, User, Wake, Web,
};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn database(table: Section<'_>, places: &Places<'_>) -> Database {
    let path = table.text("url", URL, |text| sqlite_path(text, places));
    let keep_mail = time(&table, "keep_mail", DAY..=3650 * DAY, 90 * DAY);
    // Less would let a mail that comes a second time, late, count as a new one.
    let keep_records = time(&table, "keep_records", 30 * DAY..=3650 * DAY, 400 * DAY);
    table.finish();
    let path = path.unwrap_or_else(|| PathBuf::from("/var/lib/imipd/imipd.db"));
    Database { path, keep_mail, keep_records }
}

const URL: &str = "write \"sqlite://\" and the path of a file, such as \"sqlite:///var/lib/imipd/imipd.db\"";

fn sqlite_path(text: &str, places: &Places<'_>) -> Result<PathBuf, Wrong> {
    // Only the scheme may be repeated to the reader: a PostgreSQL URL often holds a password.
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        return Err(Wrong::new("PostgreSQL is not in this version yet", URL));
    }
    match text.strip_prefix("sqlite://") {
        // Parameters could open the file read-only or in memory, and then nothing would last.
        Some(path) if path.contains(['?', '#']) => Err(Wrong::new("has parameters behind the path", URL)),
        Some(":memory:") => Err(Wrong::new("would forget everything at each restart", URL)),
        Some(path) if !path.ends_with('/') => places.path(path).map_err(|wrong| Wrong::new(wrong.wrong, URL)),
        _ => Err(Wrong::new("is not the URL of a SQLite file", URL)),
    }
}

/// The `[imap]` table, and with what imipd logs in there.
pub(super) fn imap(table: Section<'_>, places: &Places<'_>) -> (Imap, UsualAccess) {
    let access = access::usual(&table, places);
    let imap = Imap {
        server: server(&table, places, Security::Tls, [993, 143, 143]),
        watch: watch(&table),
        backfill_days: table.number("backfill_days", 0..=3650).unwrap_or(0),
        poll_interval: time(&table, "poll_interval", Duration::from_secs(5)..=DAY, MINUTE),
        // RFC 2177 §3: servers end it after 30 minutes.
        renew_interval: time(&table, "renew_interval", Duration::from_secs(5)..=29 * MINUTE, 25 * MINUTE),
        timeout: time(&table, "timeout", Duration::from_secs(5)..=10 * MINUTE, MINUTE),
        max_connections: table.number("max_connections", 0..=100_000).unwrap_or(0),
        wake: table.choice("wake", &[("auto", Wake::Auto), ("push", Wake::Push)], &[]).unwrap_or(Wake::Auto),
        mark: table.text("mark", value::KEYWORD, value::keyword),
        mark_dead: table.text("mark_dead", value::KEYWORD, value::keyword),
        safety_poll: time(&table, "safety_poll", MINUTE..=DAY, 60 * MINUTE),
    };
    table.finish();
    (imap, access)
}

const ENVELOPE_FROM: &str = "write an address with {token} in it, or leave the key out to use the users' own addresses";
const SOCKET: &str = "write the path of the Unix socket on which the server speaks SMTP";

pub(super) fn smtp(table: Section<'_>, places: &Places<'_>) -> Smtp {
    let socket = table.text("socket", SOCKET, |text| places.path(text));
    if socket.is_some() && ["host", "port", "security", "ca_file"].iter().any(|key| table.has(key)) {
        table.warn("socket", "host, port, security and ca_file are not used beside it");
    }
    let smtp = Smtp {
        server: server(&table, places, Security::StartTls, [465, 587, 25]),
        socket,
        login: access::submission(&table, places),
        max_connections: table.number("max_connections", 1..=100).unwrap_or(4),
        max_recipients: table.number("max_recipients", 1..=10_000).unwrap_or(100),
        user_limit: table.number("user_limit", 0..=1_000_000).unwrap_or(3_000),
        event_limit: table.number("event_limit", 0..=1_000_000).unwrap_or(30),
        timeout: time(&table, "timeout", Duration::from_secs(5)..=10 * MINUTE, MINUTE),
        give_up_after: time(&table, "give_up_after", MINUTE..=30 * DAY, 4 * DAY),
        envelope_from: table.text("envelope_from", ENVELOPE_FROM, EnvelopeFrom::parse).unwrap_or_default(),
        grace: time(&table, "grace", Duration::ZERO..=10 * MINUTE, Duration::from_secs(20)),
        save_sent: table.flag("save_sent").unwrap_or(false),
    };
    table.finish();
    smtp
}

pub(super) fn calendar(table: Section<'_>) -> Calendar {
    let later = [("caldav", "write \"database\": imipd then keeps the calendars itself")];
    let backend = table.choice("backend", &[("database", CalendarBackend::Database)], &later);
    table.finish();
    Calendar { backend: backend.unwrap_or(CalendarBackend::Database) }
}

pub(super) fn policy(table: Section<'_>) -> Policy {
    let add = "write \"refuse\", or \"propose\" to keep such answers for the organizer";
    let crashers = [("refuse", PartyCrashers::Refuse), ("propose", PartyCrashers::Propose)];
    let publications = [("refuse", Publications::Refuse), ("import", Publications::Import)];
    let trusting = trust::trusting(&table);
    let has_means = !trusting.authserv_ids.is_empty() || trusting.verify_dkim;
    let usual = if has_means { AutoAdd::Authenticated } else { AutoAdd::All };
    let mut domains = table.list("domains", DOMAINS_MAX, value::DOMAIN, value::domain).unwrap_or_default();
    domains.sort();
    domains.dedup();
    let policy = Policy {
        auto_add: trust::auto_add(&table, &trusting).unwrap_or(usual),
        people: trust::people(&table),
        limits: trust::limits(table.subsection("limits", "policy.limits")),
        party_crashers: table.choice("party_crashers", &crashers, &[("add", add)]).unwrap_or(PartyCrashers::Refuse),
        publications: table.choice("publications", &publications, &[]).unwrap_or(Publications::Refuse),
        share_answers: table.text("share_answers", SHARE_ANSWERS, share_answers).flatten(),
        domains_from: if domains.is_empty() { DomainsFrom::Users } else { DomainsFrom::Policy },
        domains,
        trusting,
    };
    table.finish();
    policy
}

const SHARE_ANSWERS: &str = "write \"no\", or a time from \"30s\" to \"1h\"";

/// How long answers are gathered; nothing for "no".
fn share_answers(text: &str) -> Result<Option<Duration>, Wrong> {
    if text == "no" {
        return Ok(None);
    }
    let gathering = value::duration(text, Duration::from_secs(30)..=60 * MINUTE);
    gathering.map(Some).map_err(|wrong| Wrong::new(wrong.wrong, SHARE_ANSWERS))
}

/// The `[imip]` table, and where people answer who have no calendar program.
pub(super) fn imip(table: Section<'_>, places: &Places<'_>, web: &Web) -> (Imip, Rsvp) {
    let words = [("request", AddedInstances::Request), ("add", AddedInstances::Add)];
    let added_instances = table.choice("added_instances", &words, &[]).unwrap_or(AddedInstances::Request);
    let bodies = table.choice("bodies", &[("both", Bodies::Both), ("text", Bodies::Text)], &[]);
    let imip = Imip {
        added_instances,
        bodies: bodies.unwrap_or_default(),
        templates: table.text("templates", "write the path of a directory", |text| places.directory(text)),
        language: language(&table).unwrap_or(Language::English),
    };
    let rsvp = rsvp(&table, web);
    table.finish();
    (imip, rsvp)
}

/// Which links stand in invitations: those to a page only where there is a web server that is reached from outside.
fn rsvp(table: &Section<'_>, web: &Web) -> Rsvp {
    #[derive(Clone, Copy)]
    enum Word {
        Links,
        Mailto,
        Off,
    }
    let words = [("links", Word::Links), ("mailto", Word::Mailto), ("off", Word::Off)];
    let links = |url: &String| Rsvp::Links { public_url: url.clone() };
    match (table.choice("rsvp", &words, &[]), web.public_url.as_ref().filter(|_| web.listen.is_some())) {
        (Some(Word::Links) | None, Some(url)) => links(url),
        (Some(Word::Links), None) => {
            let right = "set web.listen and web.public_url, or write \"mailto\" for links that need no web server";
            table.fault("rsvp", Wrong::new("\"links\" leads to a web server that nobody reaches", right));
            Rsvp::Off
        }
        (Some(Word::Mailto), _) => Rsvp::Mailto,
        (Some(Word::Off), _) | (None, None) => Rsvp::Off,
    }
}

/// The `language` of `[imip]` or of a user.
pub(super) fn language(table: &Section<'_>) -> Option<Language> {
    table.choice("language", &Language::ALL.map(|language| (language.tag(), language)), &[])
}

pub(super) fn answers(table: Section<'_>, imap: &Imap) -> Answers {
    let after = [("inbox", AfterAnswer::ToInbox), ("archive", AfterAnswer::ToArchive), ("stay", AfterAnswer::Stays)];
    let answers = Answers {
        words: table.flag("words").unwrap_or(true),
        folders: table.flag("folders").unwrap_or(false),
        after: table.choice("after", &after, &[]).unwrap_or(AfterAnswer::ToInbox),
        keywords: keywords(table.subsection("keywords", "answers.keywords"), imap),
        notice: table.flag("notice").unwrap_or(false),
    };
    table.finish();
    answers
}

fn keywords(table: Section<'_>, imap: &Imap) -> Vec<(Choice, String)> {
    // What imipd sets itself would answer each invitation at once.
    let own = [&imap.mark, &imap.mark_dead];
    let mut keywords: Vec<(Choice, String)> = Vec::new();
    for choice in Choice::ALL {
        let key = choice.as_str();
        let Some(keyword) = table.text(key, value::KEYWORD, value::keyword) else { continue };
        // Servers compare keywords without case. RFC 3501 §2.3.2 leaves it open.
        let others = keywords.iter().map(|(_, other)| other).chain(own.iter().copied().flatten());
        match others.into_iter().any(|other| other.eq_ignore_ascii_case(&keyword)) {
            true => table.fault(key, Wrong::new(format!("{} means something else already", quote(&keyword)), KEYWORDS)),
            false => keywords.push((choice, keyword)),
        }
    }
    table.finish();
    keywords
}

const KEYWORDS: &str = "give each answer a keyword of its own, which is neither imap.mark nor imap.mark_dead";

pub(super) fn web(table: Section<'_>, places: &Places<'_>) -> Web {
    let listen = table.text("listen", value::LISTEN, |text| match text.strip_prefix("unix:") {
        Some(path) if path.starts_with('/') => places.path(path).map(Listen::Unix),
        Some(_) => Err(Wrong::new("is not the whole path of a socket", value::LISTEN)),
        None => value::host_and_port(text).map(|(host, port)| Listen::Tcp { host, port }),
    });
    if let Some(Listen::Tcp { host, .. }) = &listen
        && !value::is_loopback(host)
    {
        table.warn("listen", LISTEN_OPEN);
    }
    let push_token = secret(&table, "push_token_file", places);
    let known = push_token.as_ref().filter(|_| places.files == Files::Checked).and_then(|token| token.read().ok());
    if known.is_some_and(|token| token.expose_secret().len() < PUSH_TOKEN_BYTES_MIN) {
        let wrong = format!("the token has fewer than {PUSH_TOKEN_BYTES_MIN} characters");
        table.fault("push_token_file", Wrong::new(wrong, "make one with `openssl rand -hex 32`"));
    }
    if table.has("push_token_file") {
        table.demand("listen", value::LISTEN);
    }
    let public_url = table.text("public_url", value::URL, value::public_url);
    let proxies = table.list_or_none("trusted_proxies", PROXIES_MAX, value::IP_ADDRESS, value::ip_address);
    let loopback = || vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    let show_attendees = table.flag("show_attendees").unwrap_or(false);
    table.finish();
    Web { listen, push_token, public_url, trusted_proxies: proxies.unwrap_or_else(loopback), show_attendees }
}

const LISTEN_OPEN: &str = "other machines can reach the web server, which has no TLS of its own; put a proxy with TLS in \
    front of it, and let /metrics and /health through to your own machines only";

pub(super) fn log(table: Section<'_>) -> Log {
    let levels =
        [LogLevel::Error, LogLevel::Warn, LogLevel::Info, LogLevel::Debug].map(|level| (level.as_str(), level));
    let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
    let addresses = [("full", LogAddresses::Full), ("hashed", LogAddresses::Hashed)];
    let log = Log {
        format: table.choice("format", &formats, &[]).unwrap_or(LogFormat::Text),
        level: table.choice("level", &levels, &[]).unwrap_or(LogLevel::Info),
        addresses: table.choice("addresses", &addresses, &[]).unwrap_or(LogAddresses::Full),
    };
    table.finish();
    log
}

/// The place of the secret that a key points to, with the warning that goes with it.
pub(super) fn secret(table: &Section<'_>, key: &'static str, places: &Places<'_>) -> Option<Secret> {
    let (secret, warning) = table.text(key, SECRET, |text| places.readable_secret(text))?;
    if let Some(warning) = warning {
        table.warn(key, &warning);
    }
    Some(secret)
}

impl Policy {
    /// The policy with the users' own domains, when it names none.
    pub(super) fn with_domains_of(mut self, users: &[User]) -> Self {
        if self.domains.is_empty() {
            let addresses = users.iter().flat_map(|user| &user.addresses);
            self.domains = addresses.filter_map(|address| address.domain().map(str::to_owned)).collect();
            self.domains.sort();
            self.domains.dedup();
        }
        self
    }
}

fn server(table: &Section<'_>, places: &Places<'_>, usual: Security, ports: [u16; 3]) -> Server {
    let words = [("tls", Security::Tls), ("starttls", Security::StartTls), ("none", Security::None)];
    let host = table.text("host", value::HOST, value::host).unwrap_or_else(|| "localhost".to_owned());
    let security = table.choice("security", &words, &[]).unwrap_or(usual);
    let allowed = table.flag("allow_insecure").unwrap_or(false);
    if security == Security::None && !value::is_loopback(&host) {
        if allowed {
            table.warn("security", "passwords and mail go over the network unencrypted, as allow_insecure permits");
        } else {
            let wrong = format!("\"none\" would send passwords to {} unencrypted", quote(&host));
            table.fault("security", Wrong::new(wrong, "write \"tls\" or \"starttls\", or add allow_insecure = true"));
        }
    }
    let [tls, starttls, none] = ports;
    let port = match security {
        Security::Tls => tls,
        Security::StartTls => starttls,
        Security::None => none,
    };
    Server {
        host,
        port: table.number("port", 1..=u16::MAX).unwrap_or(port),
        security,
        ca_file: table.text("ca_file", "write the path of a PEM file", |text| places.readable_file(text)),
    }
}

fn watch(table: &Section<'_>) -> Vec<String> {
    let watch = table.list("watch", FOLDERS_MAX, "write a list of folders, such as [\"INBOX\"]", value::folder);
    let watch = watch.unwrap_or_else(|| vec!["INBOX".to_owned(), "\\Sent".to_owned()]);
    for (at, folder) in watch.iter().enumerate() {
        if watch.iter().take(at).any(|earlier| earlier == folder) {
            table.fault("watch", Wrong::new(format!("names {} twice", quote(folder)), "name each folder once"));
        }
    }
    watch
}

pub(super) fn time(
    table: &Section<'_>,
    key: &'static str,
    range: RangeInclusive<Duration>,
    usual: Duration,
) -> Duration {
    table.text(key, value::DURATION, |text| value::duration(text, range)).unwrap_or(usual)
}
