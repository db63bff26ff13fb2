//! The configuration: what a mistake looks like to the administrator, and that the example tells the truth.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use imipd::config::{
    Access, AddedInstances, AfterAnswer, AutoAdd, Config, ConfigFaults, Files, MasterMode, PartyCrashers, Publications,
    Rsvp, Security, SubmissionProof, TokenSource, Trust,
};
use imipd::imip::answer::Choice;
use imipd::imip::{Bodies, Exception, Language};
use secrecy::ExposeSecret;

const EXAMPLE: &str = include_str!("../config.example.toml");

/// A directory with every file that the example names.
fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("templates")).unwrap();
    for name in ["imap-password", "smtp-password", "anna-password", "sql-password", "imap-ca.pem", "smtp-ca.pem"] {
        let file = directory.path().join(name);
        std::fs::write(&file, format!("secret of {name}\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    std::fs::write(directory.path().join("push-token"), "0123456789abcdef".repeat(2)).unwrap();
    directory
}

fn parse(text: &str) -> Result<Config, ConfigFaults> {
    Config::parse(text, directory().path())
}

/// The smallest configuration, with `rest` before the user's table.
fn with(rest: &str) -> Result<Config, ConfigFaults> {
    parse(&format!("{rest}\n[[user]]\naddresses = [\"anna@example.com\"]\npassword_file = \"anna-password\"\n"))
}

/// Asserts that there is exactly one fault, and that its line in the list is this one.
fn assert_fault(rest: &str, expected: &str) {
    let faults = with(rest).expect_err(rest);
    assert_eq!(faults.to_string(), format!("config.toml:{expected}"), "{rest}");
}

#[test]
fn ten_mistakes_are_told_at_once_each_with_its_remedy() {
    let text = r#"[database]
url = "postgres://imipd:hunter2@db.example.com/imipd"
[imap]
hots = "mail.example.com"
host = "mail.example.com"
security = "none"
backfill_days = "7"
[smtp]
port = 99999
username = "imipd"
[[user]]
addresses = ["anna@example.com", "not an address"]
password_file = "anna-password"
[[user]]
addresses = ["Anna@Example.com"]
timezone = "Europe/Berlln"
password_file = "absent-password"
"#;
    let faults = parse(text).unwrap_err();
    let told = faults.to_string();
    let expected = [
        r#"config.toml:2: database.url: PostgreSQL is not in this version yet; write "sqlite://" and the path of a file, such as "sqlite:///var/lib/imipd/imipd.db""#,
        r#"config.toml:4: imap.hots: is not a known key; did you mean host?"#,
        r#"config.toml:6: imap.security: "none" would send passwords to "mail.example.com" unencrypted; write "tls" or "starttls", or add allow_insecure = true"#,
        r#"config.toml:7: imap.backfill_days: is of type string; write a number from 0 to 3650, without quotes"#,
        r#"config.toml:8: smtp.password_file: is missing; write the path of a file that holds the password alone, "credential:NAME" or "env:NAME""#,
        r#"config.toml:9: smtp.port: is 99999; write a number from 1 to 65535, without quotes"#,
        r#"config.toml:12: user[1].addresses: "not an address" is not a mail address; write it as "name@example.com""#,
        r#"config.toml:15: user[2].addresses: names anna@example.com, which is user[1]'s already; give each address to one user, once"#,
        r#"config.toml:16: user[2].timezone: "Europe/Berlln" is not a time zone; did you mean "Europe/Berlin"?"#,
    ];
    for line in expected {
        assert!(told.lines().any(|told| told == line), "{line}\nis not in\n{told}");
    }
    let absent = told.lines().find(|line| line.starts_with("config.toml:17: user[2].password_file: ")).unwrap();
    assert!(absent.contains("absent-password cannot be read: No such file"), "{absent}");
    assert!(absent.ends_with("(relative ones start at the directory of the configuration)"), "{absent}");
    assert_eq!((expected.len() + 1, faults.faults().len()), (10, 10), "{told}");
    assert!(!told.contains("hunter2"), "a password of the file was printed");
}

#[test]
fn a_value_of_a_later_version_says_what_to_write_today() {
    for (rest, expected) in [
        (
            "[calendar]\nbackend = \"caldav\"",
            r#"2: calendar.backend: "caldav" is not in this version yet; write "database": imipd then keeps the calendars itself"#,
        ),
        (
            "[policy]\nparty_crashers = \"add\"",
            r#"2: policy.party_crashers: "add" is not in this version yet; write "refuse", or "propose" to keep such answers for the organizer"#,
        ),
    ] {
        assert_fault(rest, expected);
    }
}

#[test]
fn each_kind_of_mistake_is_told_in_its_own_words() {
    for (rest, expected) in [
        ("imap = 3", "1: imap: is of type integer; write a table, [imap]"),
        ("[imapp]\nhost = \"x\"", "1: imapp: is not a known key; did you mean imap?"),
        ("[log]\nlevel = \"trace\"", r#"2: log.level: is "trace"; write "error", "warn", "info" or "debug""#),
        (
            "[policy]\nshare_answers = \"yes\"",
            r#"2: policy.share_answers: "yes" is not a time; write "no", or a time from "30s" to "1h""#,
        ),
        (
            "[policy]\nshare_answers = \"2h\"",
            r#"2: policy.share_answers: is "2h"; write "no", or a time from "30s" to "1h""#,
        ),
        ("[log]\ncolour = true", "2: log.colour: is not a known key; known here: format, level, addresses"),
        (
            "[smtp]\npassword = \"hunter2\"",
            "2: smtp.password: is not a known key, and no secret stands in this file; put the secret into a file of its own and name that with password_file",
        ),
        (
            "[imap]\nallow_insecure = 1",
            "2: imap.allow_insecure: is of type integer; write true or false, without quotes",
        ),
        ("[imap]\nport = 0", "2: imap.port: is 0; write a number from 1 to 65535, without quotes"),
        (
            "[imap]\nhost = \"mail.example.com:993\"",
            r#"2: imap.host: "mail.example.com:993" has the port in it; write host = "mail.example.com" and port = 993"#,
        ),
        ("[imap]\nwatch = []", r#"2: imap.watch: is an empty list; write a list of folders, such as ["INBOX"]"#),
        (
            "[imap]\nwatch = [\n\"INBOX\",\n7]",
            r#"4: imap.watch: is of type integer; write a list of folders, such as ["INBOX"]"#,
        ),
        ("[imap]\nwatch = [\"INBOX\", \"inbox\"]", r#"2: imap.watch: names "INBOX" twice; name each folder once"#),
        (
            "[imap]\nmaster_password_file = \"imap-password\"",
            "2: imap.master_user: is missing; write the login name that the password belongs to",
        ),
        ("[imap]\npoll_interval = \"1s\"", r#"2: imap.poll_interval: is "1s"; write a time from "5s" to "1d""#),
        (
            "[smtp]\ngive_up_after = 4",
            r#"2: smtp.give_up_after: is of type integer; write a time such as "30s", "20m", "4h" or "2d""#,
        ),
        (
            "[policy]\ndomains = [\"@example.com\"]",
            r#"2: policy.domains: "@example.com" is not a domain; write the domain alone, such as "example.com""#,
        ),
        (
            "[policy]\nauto_add = \"authenticated\"",
            r#"2: policy.auto_add: "authenticated" has nothing to tell proven senders by; set policy.authserv_id, or write "known", "domain" or "all""#,
        ),
        (
            "[policy]\nauthserv_id = \"mx example\"",
            r#"2: policy.authserv_id: is "mx example"; write the name that your mail server writes at the beginning of Authentication-Results, such as "mx.example.com""#,
        ),
        (
            "[policy]\nexceptions = [\"google\"]",
            r#"2: policy.exceptions: "google" is no exception; known are "google-replies", "google-calendars", "mailing-lists" or "booking-systems""#,
        ),
        (
            "[policy]\nexceptions = []\nlists = [\"example.org\"]",
            r#"3: policy.lists: has no effect; add "mailing-lists" to policy.exceptions, or take lists out"#,
        ),
        (
            "[policy]\nknown = [\"ada@\"]",
            r#"2: policy.known: "ada@" is not a mail address; write it as "name@example.com""#,
        ),
        (
            "[policy.limits]\nattendees = 0",
            "2: policy.limits.attendees: is 0; write a number from 1 to 50000, without quotes",
        ),
        (
            "[database]\nurl = \"sqlite://:memory:\"",
            r#"2: database.url: would forget everything at each restart; write "sqlite://" and the path of a file, such as "sqlite:///var/lib/imipd/imipd.db""#,
        ),
    ] {
        // A key that is missing is told on the line of its table.
        let expected =
            if expected.contains("is missing") { expected.replacen('2', "1", 1) } else { expected.to_owned() };
        assert_fault(rest, &expected);
    }
}

#[test]
fn what_is_no_toml_is_told_together_with_the_rest() {
    let faults = with("[imap]\nhost = mail.example.com\nhots = \"x\"\n[log]\nlevel = \"all\"").unwrap_err();
    let told: Vec<(Option<usize>, &str)> =
        faults.faults().iter().map(|fault| (fault.line, fault.key.as_str())).collect();
    assert!(told.contains(&(Some(2), "")), "{faults}");
    assert!(told.contains(&(Some(3), "imap.hots")), "{faults}");
    assert!(told.contains(&(Some(5), "log.level")), "{faults}");
}

#[test]
fn a_configuration_without_users_is_a_fault_without_a_line() {
    let told = parse("[log]\nlevel = \"info\"\n").unwrap_err().to_string();
    assert_eq!(
        told,
        r#"config.toml: user: is missing; add a table [[user]] with addresses = ["name@example.com"] for each user, or a table [users]"#
    );
    let told = parse("[user]\naddresses = [\"anna@example.com\"]\n").unwrap_err().to_string();
    assert!(told.starts_with("config.toml:1: user: is of type table; write [[user]] with two brackets"), "{told}");
}

#[test]
fn users_are_checked_one_by_one_and_against_each_other() {
    let text = r#"
[[user]]
login = "anna"
password_file = "anna-password"
[[user]]
addresses = ["bea@example.com", "bea@example.com"]
[[user]]
addresses = ["cleo@example.com"]
login = "anna"
password_file = "anna-password"
[[user]]
addresses = ["dora@example.com"]
login = "dora\r\nLOGOUT"
password_file = "anna-password"
"#;
    let told = parse(text).unwrap_err().to_string();
    let expected = [
        r#"config.toml:2: user[1].addresses: is missing; write a list such as ["name@example.com"], the main address first"#,
        "config.toml:5: user[2].password_file: is missing; name the file with this user's IMAP password, or set imap.master_user",
        "config.toml:6: user[2].addresses: names bea@example.com twice; give each address to one user, once",
        r#"config.toml:9: user[3].login: is "anna", which is user[1]'s already; put all addresses of one mailbox into one [[user]]"#,
        r#"config.toml:13: user[4].login: is "dora\r\nLOGOUT", with a control character; write printable characters"#,
    ];
    assert_eq!(told.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn no_encryption_is_for_this_machine_or_by_consent() {
    for host in ["localhost", "127.0.0.1", "127.1.2.3", "::1"] {
        let config = with(&format!("[imap]\nhost = \"{host}\"\nsecurity = \"none\"")).unwrap();
        assert_eq!((config.imap.server.security, config.imap.server.port), (Security::None, 143));
    }
    let config = with("[smtp]\nhost = \"10.0.0.1\"\nsecurity = \"none\"\nallow_insecure = true").unwrap();
    assert!(config.warnings.iter().any(|warning| warning.starts_with("smtp.security: ")), "{:?}", config.warnings);
    assert!(with("[smtp]\nhost = \"10.0.0.1\"\nsecurity = \"none\"").is_err());
}

#[test]
fn ports_follow_from_the_security() {
    for (security, imap, smtp) in [("tls", 993, 465), ("starttls", 143, 587), ("none", 143, 25)] {
        let config = with(&format!("[imap]\nsecurity = \"{security}\"\n[smtp]\nsecurity = \"{security}\"")).unwrap();
        assert_eq!((config.imap.server.port, config.smtp.server.port), (imap, smtp), "{security}");
    }
    assert_eq!(with("[imap]\nport = 10_993").unwrap().imap.server.port, 10_993);
}

#[test]
fn a_master_user_opens_every_mailbox_without_a_password_of_its_own() {
    let text = r#"
[imap]
master_user = "imipd"
master_password_file = "imap-password"
[policy]
auto_add = "domain"
[[user]]
addresses = ["Anna@Example.com"]
[[user]]
addresses = ["bea@example.org"]
login = "bea"
password_file = "anna-password"
auto_add = "never"
"#;
    let directory = directory();
    let config = Config::parse(text, directory.path()).unwrap();
    let [anna, bea] = config.users.as_slice() else { panic!("{:?}", config.users) };
    let Access::Master(master) = &anna.access else { panic!("{anna:?}") };
    assert_eq!((anna.login.as_str(), master.user.as_str()), ("anna@example.com", "imipd"));
    assert_eq!(master.mode, MasterMode::Separator("*".to_owned()));
    assert_eq!(master.password.read().unwrap().expose_secret(), "secret of imap-password");
    let Access::Password(password) = &bea.access else { panic!("{bea:?}") };
    assert_eq!((bea.login.as_str(), bea.auto_add), ("bea", AutoAdd::Never));
    assert_eq!(password.read().unwrap().expose_secret(), "secret of anna-password");
    assert_eq!(anna.auto_add, AutoAdd::Domain);
    assert_eq!(config.policy.domains, ["example.com", "example.org"]);
    let faults =
        parse(&format!("{text}[[user]]\naddresses = [\"cleo@example.com\"]\nlogin = \"cleo*bea\"\n")).unwrap_err();
    assert_eq!(faults.faults()[0].wrong, r#""cleo*bea" holds the master separator "*""#);
}

#[test]
fn the_defaults_are_those_that_are_promised() {
    let config = with("").unwrap();
    assert_eq!(config.database.path, Path::new("/var/lib/imipd/imipd.db"));
    assert_eq!((config.imap.server.host.as_str(), config.imap.server.port), ("localhost", 993));
    assert_eq!((config.smtp.server.host.as_str(), config.smtp.server.port), ("localhost", 587));
    assert_eq!(
        (config.imap.watch.as_slice(), config.imap.backfill_days),
        (["INBOX".to_owned(), "\\Sent".to_owned()].as_slice(), 0)
    );
    assert_eq!(config.imap.poll_interval, Duration::from_secs(60));
    assert_eq!((config.smtp.max_connections, config.smtp.timeout), (4, Duration::from_secs(60)));
    assert_eq!(config.smtp.give_up_after, Duration::from_secs(4 * 24 * 60 * 60));
    assert_eq!(config.users[0].timezone, chrono_tz::UTC);
    assert_eq!((config.policy.auto_add, config.policy.party_crashers), (AutoAdd::All, PartyCrashers::Refuse));
    assert_eq!((config.policy.publications, config.policy.share_answers), (Publications::Refuse, None));
    assert_eq!(config.imip.added_instances, AddedInstances::Request);
    assert_eq!((config.imip.bodies, config.imip.templates.as_deref()), (Bodies::Both, None));
    assert_eq!((config.imip.language, config.users[0].language), (Language::English, Language::English));
}

#[test]
fn whoever_names_their_server_gets_proof() {
    let policy = |text: &str| with(&format!("[policy]\n{text}")).unwrap().policy;
    let plain = policy("authserv_id = \"MX.example.com\"");
    assert_eq!((plain.trusting.trust, plain.auto_add), (Trust::Authenticated, AutoAdd::Authenticated));
    assert_eq!(plain.trusting.authserv_ids, ["mx.example.com"]);
    assert_eq!(plain.trusting.exceptions, [Exception::GoogleReplies, Exception::GoogleCalendars]);
    let several = policy("authserv_id = [\"a.example\", \"b.example\"]\ntrust = \"from\"\nlists = [\"l.example\"]");
    assert_eq!((several.trusting.trust, several.trusting.authserv_ids.len()), (Trust::From, 2));
    assert!(several.trusting.exceptions.contains(&Exception::MailingLists));
    assert_eq!(policy("exceptions = []").trusting.exceptions, []);
    let told = with("[policy]\ntrust = \"authenticated\"").unwrap_err().to_string();
    assert!(told.starts_with("config.toml:1: policy.authserv_id: is missing; write the name that"), "{told}");
    let told = with("[policy]\nexceptions = [\"mailing-lists\"]").unwrap_err().to_string();
    assert!(told.starts_with("config.toml:1: policy.lists: is missing; name the domains"), "{told}");
}

#[test]
fn a_file_is_loaded_from_where_it_lies_and_warned_about_where_it_is_open() {
    let directory = directory();
    let open = directory.path().join("anna-password");
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();
    let file = directory.path().join("config.toml");
    let text = "[[user]]\naddresses = [\"anna@example.com\"]\npassword_file = \"anna-password\"\n";
    std::fs::write(&file, format!("{text}[database]\nurl = \"sqlite://state.db\"\n")).unwrap();
    let config = Config::load(&file, Files::Checked).unwrap();
    assert_eq!(config.database.path, directory.path().join("state.db"));
    assert_eq!(config.warnings.len(), 2, "{:?}", config.warnings);
    assert!(config.warnings.iter().any(|text| text.contains("anna-password holds a secret and is open to everybody")));
    assert!(config.warnings.iter().any(|text| text.starts_with("policy.trust: \"from\" believes the From header")));

    std::fs::write(&file, b"[log]\nlevel = \"caf\xe9\"\n").unwrap();
    let told = Config::load(&file, Files::Checked).unwrap_err().to_string();
    assert_eq!(told, format!("{}:2: is not UTF-8 text; save the file as UTF-8", file.display()));
    let told = Config::load(&directory.path().join("absent.toml"), Files::Checked).unwrap_err().to_string();
    assert!(told.contains("absent.toml: cannot be read: No such file"), "{told}");
}

#[test]
fn a_bad_envelope_sender_is_told_with_what_would_be_right() {
    let right = "; write an address with {token} before the @, such as \"imipd+{token}@example.com\"";
    for (value, wrong) in [
        ("imipd@example.com", "\"imipd@example.com\" has no {token}"),
        ("{token}{token}@example.com", "\"{token}{token}@example.com\" has {token} twice"),
        ("imipd@{token}.example.com", "\"imipd@{token}.example.com\" is not a mail address with {token} before the @"),
        ("{token}", "\"{token}\" is not a mail address with {token} before the @"),
        ("a b{token}@example.com", "\"a b{token}@example.com\" is not a mail address with {token} before the @"),
        (
            "a-name-of-some-33-characters-long+{token}@example.com",
            "\"a-name-of-some-33-characters-long+{token}@example.com\" has more than 64 characters before the @ once a \
             token of 32 is in it",
        ),
    ] {
        assert_fault(
            &format!("[smtp]\nenvelope_from = \"{value}\""),
            &format!("2: smtp.envelope_from: {wrong}{right}"),
        );
    }
    assert!(with("[smtp]\nenvelope_from = \"Imipd+{token}@example.com\"").is_ok());
}

#[test]
fn an_access_token_for_submission_needs_a_name_and_a_source() {
    let smtp = |lines: &str| with(&format!("[smtp]\nauth = \"xoauth2\"\n{lines}"));
    let told = smtp("").unwrap_err().to_string();
    assert!(told.contains("smtp.username: is missing") && told.contains("smtp.token_file: is missing"), "{told}");
    let config = smtp("username = \"imipd\"\ntoken_command = [\"token\", \"--user={login}\"]").unwrap();
    let source = TokenSource::Command(vec!["token".to_owned(), "--user=imipd".to_owned()]);
    assert_eq!(config.smtp.login.map(|login| login.proof), Some(SubmissionProof::Token(source)));
    let config = smtp("username = \"imipd\"\ntoken_file = \"t\"\npassword_file = \"smtp-password\"").unwrap();
    let warned = |text: &str| config.warnings.iter().any(|warning| warning == text);
    assert!(warned("smtp.password_file: is not used, since smtp.auth asks for access tokens"), "{:?}", config.warnings);
    let told = smtp("username = \"../x\"\ntoken_file = \"{login}\"").unwrap_err().to_string();
    assert!(told.contains("smtp.username: \"../x\" cannot stand in the path of a token_file"), "{told}");
    assert!(with("[smtp]\nauth = \"oauthbearer\"").is_err(), "the driver has no such mechanism");
}

#[test]
fn links_lead_where_somebody_listens() {
    let web = "[web]\nlisten = \"127.0.0.1:8025\"\npublic_url = \"https://calendar.example.com/\"\n";
    let links = Rsvp::Links { public_url: "https://calendar.example.com".to_owned() };
    let rsvp = |word: &str, web: &str| with(&format!("{web}[imip]\nrsvp = \"{word}\"")).map(|config| config.rsvp);
    assert_eq!(with(web).unwrap().rsvp, links);
    assert_eq!(with("").unwrap().rsvp, Rsvp::Off);
    assert_eq!(with("[web]\npublic_url = \"https://calendar.example.com\"").unwrap().rsvp, Rsvp::Off);
    assert_eq!(rsvp("links", web).unwrap(), links);
    assert_eq!(rsvp("mailto", web).unwrap(), Rsvp::Mailto);
    assert_eq!(rsvp("off", web).unwrap(), Rsvp::Off);
    for (word, web) in [("links", ""), ("links", "[web]\nlisten = \"127.0.0.1:8025\"\n"), ("buttons", "")] {
        let faults = rsvp(word, web).unwrap_err().to_string();
        assert!(faults.contains("imip.rsvp") && faults.contains("mailto"), "{faults}");
    }
}

#[test]
fn debug_output_shows_no_secret() {
    let config = with("[smtp]\nusername = \"imipd\"\npassword_file = \"smtp-password\"").unwrap();
    assert!(!format!("{config:?}").contains("secret of"));
}

#[test]
fn hostile_files_are_refused_quickly() {
    assert!(parse(&"[".repeat(100_000)).is_err());
    assert!(parse(&format!("a = {}", "[".repeat(100_000))).is_err());
    assert!(parse(&"[[user]]\n".repeat(100_001)).is_err());
    let many = parse(&"[[user]]\n".repeat(2000)).unwrap_err();
    assert_eq!(many.faults().len(), 4000);
    assert!(many.to_string().ends_with("config.toml: and 3000 more faults"));
}

/// A key of the example: its path, its line, and the explanation above it.
struct Entry {
    path: String,
    at: usize,
    explanation: String,
}

/// The example with every key switched on, and its keys.
fn example() -> (Vec<String>, Vec<Entry>) {
    let (mut lines, mut entries) = (Vec::new(), Vec::new());
    let (mut table, mut explanation) = (String::new(), String::new());
    for line in EXAMPLE.lines() {
        let key = line.strip_prefix('#').filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
        let live = key.unwrap_or(line);
        if live.starts_with('[') {
            table = live.trim_matches(['[', ']']).to_owned();
        } else if let Some((key, _)) = live.split_once(" = ").filter(|_| !live.starts_with('#')) {
            let path = format!("{table}.{key}");
            entries.push(Entry { path, at: lines.len(), explanation: std::mem::take(&mut explanation) });
        } else if live.is_empty() {
            explanation.clear();
        } else {
            explanation.push_str(live);
        }
        lines.push(live.to_owned());
    }
    (lines, entries)
}

#[test]
fn the_example_has_every_key_that_the_reader_knows_and_no_other() {
    let (lines, entries) = example();
    let mut explained: BTreeSet<String> = entries.iter().map(|entry| entry.path.clone()).collect();
    assert_eq!(explained.len(), entries.len(), "a key stands there twice");
    explained.extend(entries.iter().filter_map(|entry| entry.path.rsplit_once('.')).map(|(table, _)| table.to_owned()));
    assert_eq!(explained.into_iter().collect::<Vec<_>>(), Config::known_keys());
    parse(&lines.join("\n")).unwrap_or_else(|faults| panic!("{faults}"));
}

#[test]
fn the_example_explains_every_key_and_states_its_real_default() {
    let (lines, entries) = example();
    let directory = directory();
    let parsed =
        |lines: &[String]| Config::parse(&lines.join("\n"), directory.path()).map(|config| format!("{config:?}"));
    let whole = parsed(&lines).unwrap();
    for Entry { path, at, explanation } in entries {
        assert!(explanation.len() > 10, "{path} is not explained");
        let mut without = lines.clone();
        without[at].clear();
        let same = parsed(&without).is_ok_and(|config| config == whole);
        let has_default = !explanation.contains("No default.") && !explanation.contains("Required.");
        assert_eq!(same, has_default, "{path}: the value in the example is the default: {same}");
    }
}

#[test]
fn the_example_works_as_it_stands_once_the_user_has_a_password() {
    let text = EXAMPLE.replace("#password_file = \"anna-password\"", "password_file = \"anna-password\"");
    parse(&text).unwrap_or_else(|faults| panic!("{faults}"));
}

#[test]
fn the_configuration_in_the_readme_works() {
    let readme = include_str!("../README.md");
    let section =
        readme.split("\n### ").find(|section| section.starts_with("imipd: /etc/imipd/config.toml\n")).unwrap();
    let text: Vec<&str> = section.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    let config = parse(&text.join("\n")).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(config.users.len(), 2);
    assert!(matches!(&config.users[0].access, Access::Master(master) if master.user == "imipd"), "{:?}", config.users);
}

#[test]
fn a_keyword_is_one_answer_and_nothing_that_imipd_sets_itself() {
    let config = with("[answers]\nfolders = true\nafter = \"archive\"\n[answers.keywords]\ndecline = \"$label1\"\n");
    let answers = config.expect("a configuration").answers;
    assert!(answers.folders && answers.after == AfterAnswer::ToArchive && answers.words && !answers.notice);
    assert_eq!(answers.keywords, [(Choice::Decline, "$label1".to_owned())]);
    let remedy = "give each answer a keyword of its own, which is neither imap.mark nor imap.mark_dead";
    assert_fault(
        "[answers.keywords]\naccept = \"yes\"\ndecline = \"YES\"\n",
        &format!("3: answers.keywords.decline: \"YES\" means something else already; {remedy}"),
    );
    assert_fault(
        "[imap]\nmark = \"$Imipd\"\n[answers.keywords]\naccept = \"$imipd\"\n",
        &format!("4: answers.keywords.accept: \"$imipd\" means something else already; {remedy}"),
    );
    assert_fault(
        "[answers.keywords]\naccept = \"\\\\Seen\"\n",
        "2: answers.keywords.accept: \"\\\\Seen\" is no IMAP keyword; write up to 64 letters, digits and signs such as \"$Imipd\", without blanks, brackets, quotes \
         and backslashes",
    );
}

#[test]
fn without_a_push_endpoint_nobody_pushes() {
    let config = with("[imap]\nwake = \"push\"").unwrap();
    assert!(config.warnings.iter().any(|warning| warning.starts_with("imap.wake: ")), "{:?}", config.warnings);
}
