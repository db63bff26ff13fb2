//! How the daemon learns of new mail, in each way, from a real Dovecot; and that no mail counts twice.

mod live;

use live::{Plan, Site, mail, meeting, with_method};
use serde_json::Value;

/// Dovecot's capabilities without NOTIFY, and without IDLE as well.
const NO_NOTIFY: &str =
    "imap_capability = IMAP4rev1 SASL-IR ENABLE IDLE NAMESPACE UIDPLUS CONDSTORE SPECIAL-USE LIST-EXTENDED\n";
const NO_IDLE: &str = "imap_capability = IMAP4rev1 SASL-IR ENABLE NAMESPACE UIDPLUS SPECIAL-USE LIST-EXTENDED\n";

fn invitation(site: &Site, uid: &str) -> String {
    let calendar = with_method(&meeting(uid, "x@example.org", &["a@example.com"]), "REQUEST");
    let id = format!("<{uid}@example.org>");
    let raw = mail("x@example.org", "a@example.com", &id, "REQUEST", &calendar);
    assert!(!site.log().contains("panic"));
    raw
}

/// Delivers an invitation to INBOX and puts one into Sent; both are decided.
fn hears_of_both_folders(site: &Site, uid: &str) {
    let (first, second) = (format!("{uid}-inbox"), format!("{uid}-sent"));
    site.lab.deliver("a", invitation(site, &first).as_bytes()).unwrap();
    assert_eq!(site.decision("a", &format!("<{first}@example.org>"))["folder"], "INBOX");
    site.lab.append("a", "Sent", invitation(site, &second).as_bytes()).unwrap();
    assert_eq!(site.decision("a", &format!("<{second}@example.org>"))["folder"], "Sent");
}

fn site(dovecot: &str, imap: &str) -> Option<Site> {
    Site::open(&Plan { users: &["a"], watched: &["a"], dovecot, imap, ..Plan::default() })
}

#[test]
fn with_notify_one_connection_hears_of_all_folders() {
    // Were it not NOTIFY that tells of Sent, it would take a day.
    let Some(site) = site("", "poll_interval = \"1d\"") else { return };
    hears_of_both_folders(&site, "1");
    hears_of_both_folders(&site, "2");
}

#[test]
fn without_notify_the_other_folders_are_asked_for() {
    let Some(site) = site(NO_NOTIFY, "poll_interval = \"5s\"") else { return };
    hears_of_both_folders(&site, "1");
}

#[test]
fn without_idle_all_folders_are_asked_for() {
    let Some(site) = site(NO_IDLE, "poll_interval = \"5s\"") else { return };
    hears_of_both_folders(&site, "1");
}

#[test]
fn two_connections_serve_four_users() {
    let users = ["a", "b", "c", "d"];
    let imap = "poll_interval = \"5s\"\nmax_connections = 2";
    let plan = Plan { users: &users, watched: &users, imap, ..Plan::default() };
    let Some(site) = Site::open(&plan) else { return };
    for round in 0..2 {
        for user in users {
            let uid = format!("{round}-{user}");
            let calendar = meeting(&uid, "x@example.org", &[&live::site::address(user)]);
            let id = format!("<{uid}@example.org>");
            let raw = mail("x@example.org", user, &id, "REQUEST", &with_method(&calendar, "REQUEST"));
            site.lab.deliver(user, raw.as_bytes()).unwrap();
        }
        for user in users {
            assert_eq!(site.decision(user, &format!("<{round}-{user}@example.org>"))["verdict"], "applied");
        }
    }
}

#[test]
fn with_push_a_ring_is_what_wakes() {
    let Some(site) = site("", "wake = \"push\"") else { return };
    let raw = invitation(&site, "1");
    // Longer than the connection of the start is kept.
    std::thread::sleep(std::time::Duration::from_secs(11));
    site.lab.deliver("a", raw.as_bytes()).unwrap();
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert_eq!(site.decisions(), Vec::<Value>::new());
    ring(&site, "a@example.com");
    assert_eq!(site.decision("a", "<1@example.org>")["verdict"], "applied");
}

/// Says on the control socket that there is mail.
fn ring(site: &Site, user: &str) {
    use std::io::{Read, Write};
    let mut socket = std::os::unix::net::UnixStream::connect(site.path("imipd.db.sock")).unwrap();
    socket.write_all(format!("ring {user}").as_bytes()).unwrap();
    socket.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "ok");
}

#[test]
fn a_copy_in_another_folder_counts_once_and_so_does_a_second_delivery() {
    let Some(site) = site("", "watch = [\"*\"]") else { return };
    let raw = invitation(&site, "1");
    site.lab.deliver("a", raw.as_bytes()).unwrap();
    assert_eq!(site.decision("a", "<1@example.org>")["verdict"], "applied");
    site.lab.append("a", "Sent", raw.as_bytes()).unwrap();
    site.lab.deliver("a", raw.as_bytes()).unwrap();
    live::wait_until("all copies are decided", || site.decisions().len() >= 3);
    let verdicts: Vec<_> = site.decisions().iter().filter(|one| one["verdict"] == "applied").cloned().collect();
    assert_eq!(verdicts.len(), 1, "{verdicts:?}");
}
