//! What the daemon writes: no secret anywhere, and addresses in log lines only as the configuration says.

mod live;

use std::fs;
use std::path::PathBuf;

use imipd_lab::{Behaviour, MASTER_PASSWORD};
use live::site::texts;
use live::{Plan, Site, mail, meeting, wait_until, with_method};

const A: &str = "a@example.com";
const B: &str = "b@example.com";
const C: &str = "c@example.com";

/// The secrets of the site besides the master user's password.
const SMTP_SECRET: &str = "smtp-zq8kxw2v";
const PUSH_SECRET: &str = "push-token-zq8kxw2v-zq8kxw2v-zq8kxw2v";
const WRONG_SECRET: &str = "wrong-zq8kxw2v";

/// Everything imipd has written below the site's folder: its log, its database, what it remembers of logins.
fn written(site: &Site) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(site.path("")).expect("the site's folder").map(|entry| entry.expect("an entry").path());
    let own = entries.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("imipd")));
    own.filter_map(|path| Some((path.clone(), fs::read(&path).ok()?))).collect()
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
}

#[test]
fn no_secret_is_written_anywhere() {
    // Free until a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
    let web = format!("[web]\nlisten = \"127.0.0.1:{port}\"\npush_token_file = \"push-token\"");
    let more = &format!("[log]\nlevel = \"debug\"\n{web}");
    let plan = Plan {
        users: &["a", "b"],
        watched: &["a", "b"],
        more,
        smtp_server: Some(|lab| {
            let server = format!("host = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"", lab.smtp_port());
            format!("{server}\nusername = \"gateway\"\npassword_file = \"smtp-password\"")
        }),
        // Login by a password that the server refuses: what it says of that is logged.
        of_user: &[("b", "password_file = \"b-password\"")],
        ..Plan::default()
    };
    let Some(mut site) = Site::prepare(&plan) else { return };
    for (name, secret) in [("smtp-password", SMTP_SECRET), ("push-token", PUSH_SECRET), ("b-password", WRONG_SECRET)] {
        site.secret(name, secret);
    }
    site.launch();
    site.put("a", &meeting("secret", A, &[B, "nobody@example.com"]));
    wait_until("A is watched", || site.mailbox("a")["phase"] == "watching");
    wait_until("the login of B is refused", || site.log().contains("cannot log in"));
    wait_until("the mail was tried", || {
        let tried = site.status().to_string() + &site.log();
        tried.contains("does not take mail")
            || tried.contains("not delivered")
            || tried.contains("put off")
            || tried.contains("sent")
    });
    let forged = with_method(&meeting("forged", B, &[A]), "REQUEST");
    site.lab.deliver("a", mail(B, A, "<forged@example.com>", "REQUEST", &forged).as_bytes()).expect("delivered");
    site.decision("a", "<forged@example.com>");

    let secrets = [MASTER_PASSWORD, SMTP_SECRET, PUSH_SECRET, WRONG_SECRET];
    let commands: [&[&str]; 6] = [
        &["status", "--json"],
        &["status"],
        &["check"],
        &["log", "--json"],
        &["outbox", "list", "--json"],
        &["calendar", "list", "--user", A],
    ];
    for arguments in commands {
        let (said, complained) = texts(&site.cli(arguments));
        for secret in secrets {
            assert!(!said.contains(secret) && !complained.contains(secret), "{arguments:?} tells {secret}");
        }
    }
    process_tells_nothing(&site, &secrets);
    site.stop();
    let written = written(&site);
    assert!(written.len() >= 2, "a log and a database");
    for (path, bytes) in written {
        for secret in secrets {
            assert!(!holds(&bytes, secret), "{} has {secret}", path.display());
        }
    }
}

/// The process list shows no secret, and the kernel writes no core dump.
fn process_tells_nothing(site: &Site, secrets: &[&str]) {
    let process = PathBuf::from(format!("/proc/{}", site.process_id()));
    for name in ["cmdline", "environ"] {
        // That the kernel refuses to show it is even better.
        let Ok(bytes) = fs::read(process.join(name)) else { continue };
        for secret in secrets {
            assert!(!holds(&bytes, secret), "{name} has {secret}");
        }
    }
    let limits = fs::read_to_string(process.join("limits")).expect("the limits of a process of ours");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
    let words: Vec<&str> = core.split_whitespace().skip(4).take(2).collect();
    assert_eq!(words, ["0", "0"], "{core}");
}

#[test]
fn a_log_of_hashed_addresses_has_no_address() {
    let more = "[log]\nlevel = \"debug\"\naddresses = \"hashed\"";
    let Some(mut site) = Site::prepare(&Plan { more, ..Plan::default() }) else { return };
    site.start();
    site.lab
        .relay()
        .expect("the relay")
        .set_behaviour(Behaviour { refused_recipients: vec![C.to_owned()], ..Behaviour::default() });
    site.put("a", &meeting("masked", A, &[B, C]));
    site.decision("b", site.outbox()[0]["message_id"].as_str().expect("a Message-ID"));
    site.respond("b", "masked", "accept");
    site.lab
        .deliver(
            "a",
            b"From: \"x y\"@example.com\nMessage-ID: <1@x.example>\nContent-Type: text/calendar\n\nBEGIN:VCALENDAR\n",
        )
        .expect("delivered");
    site.decision("a", "<1@x.example>");
    wait_until("C is refused", || site.log().contains("not delivered"));
    site.restart();
    let log = site.log();
    assert!(!log.contains('@'), "{}", log.lines().find(|line| line.contains('@')).unwrap_or_default());
    // One name for A before and after the restart.
    let name = |line: &str| line.split("address-").nth(1).map(|rest| rest.chars().take(16).collect::<String>());
    let names: std::collections::BTreeSet<String> =
        log.lines().filter(|line| line.contains("watching these folders")).filter_map(name).collect();
    assert_eq!(names.len(), 3, "three users, started twice: {log}");
    let told = site.json(&["log"]).to_string();
    assert!(told.contains(B), "the decisions in the database keep the addresses: {told}");
}
