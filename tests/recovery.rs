//! After each way in which an IMAP server can misbehave the daemon goes on once it behaves, with nothing lost or doubled.
//!
//! Every user meets one fault, on a connection to a real Dovecot. One invitation lies in the mailbox before, one comes after.

mod live;

use std::collections::BTreeMap;
use std::time::Duration;

use live::faulty_imap::{Fault, FaultyImap, Then};
use live::site::address;
use live::{Plan, Site, mail, meeting, with_method};
use serde_json::Value;

/// Somebody has to mend what the server refuses for good, so that is tried again only after half a minute.
const PATIENCE: Duration = Duration::from_secs(100);

/// The faults, by the name of the user who meets them.
fn faults() -> Vec<(&'static str, Fault)> {
    let fault = |verb, answer: &str, then| Fault { verb, answer: answer.to_owned(), then };
    let numbers: String = (1..=400_000).map(|number| format!(" {number}")).collect();
    vec![
        ("login-silent", fault("AUTHENTICATE", "", Then::Silence)),
        ("login-eof", fault("AUTHENTICATE", "", Then::Close)),
        ("folders-no", fault("LIST", "{tag} NO not now\r\n", Then::GoOn)),
        ("folders-eof", fault("LIST", "* LIST () \"/\" ", Then::Close)),
        ("examine-no", fault("EXAMINE", "{tag} NO [UNAVAILABLE] not now\r\n", Then::GoOn)),
        ("examine-bad", fault("EXAMINE", "{tag} BAD what?\r\n", Then::GoOn)),
        ("examine-bye", fault("EXAMINE", "* BYE going down\r\n", Then::Close)),
        ("examine-cut", fault("EXAMINE", "* 3 EXI", Then::Close)),
        ("examine-garbage", fault("EXAMINE", "* ((\u{1}nonsense\r\n", Then::GoOn)),
        ("examine-validity", fault("EXAMINE", &another_folder(), Then::Close)),
        ("search-many", fault("SEARCH", &format!("* SEARCH{numbers}\r\n{{tag}} OK done\r\n"), Then::GoOn)),
        ("structure-deep", fault("BODYSTRUCTURE", &deep_structure(), Then::GoOn)),
        ("structure-expunge", fault("BODYSTRUCTURE", "* 1 EXPUNGE\r\n", Then::Close)),
        ("literal-endless", fault("BODYSTRUCTURE", "* 1 FETCH (UID 1 BODY[] {99999}\r\nabc", Then::Silence)),
        ("literal-huge", fault("BODYSTRUCTURE", "* 1 FETCH (UID 1 BODY[] {4294967295}\r\nabc", Then::Silence)),
        ("text-eof", fault("PEEK", "* 1 FETCH (UID 1 BODY[] {500}\r\nFrom: x", Then::Close)),
        ("idle-silent", fault("IDLE", "+ idling\r\n", Then::Silence)),
        ("idle-bye", fault("IDLE", "+ idling\r\n* BYE timeout\r\n", Then::Close)),
        ("notify-bad", fault("NOTIFY", "{tag} BAD what?\r\n", Then::GoOn)),
        ("notify-no", fault("NOTIFY", "{tag} NO too much\r\n", Then::GoOn)),
    ]
}

/// A folder with numbers that Dovecot never gave.
fn another_folder() -> String {
    let states = "* FLAGS ()\r\n* 900 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 1000] ok\r\n";
    format!("{states}{{tag}} OK [READ-ONLY] done\r\n")
}

fn deep_structure() -> String {
    format!(
        "* 1 FETCH (UID 1 RFC822.SIZE 9 BODYSTRUCTURE {}{})\r\n{{tag}} OK done\r\n",
        "(".repeat(2000),
        ")".repeat(2000)
    )
}

fn deliver(site: &Site, user: &str, name: &str) {
    let uid = format!("{name}-{user}");
    let calendar = with_method(&meeting(&uid, "x@example.org", &[&address(user)]), "REQUEST");
    let raw = mail("x@example.org", &address(user), &format!("<{uid}@example.org>"), "REQUEST", &calendar);
    site.lab.deliver(user, raw.as_bytes()).unwrap();
}

/// How often each mail was taken, by user and Message-ID.
fn applied(site: &Site) -> BTreeMap<(String, String), usize> {
    let mut counts = BTreeMap::new();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for decision in site.decisions().iter().filter(|decision| decision["verdict"] == "applied") {
        *counts.entry((text(&decision["user"]), text(&decision["message_id"]))).or_default() += 1;
    }
    counts
}

#[test]
fn after_each_fault_of_a_server_nothing_is_lost_or_doubled() {
    let faults = faults();
    let users: Vec<&str> = faults.iter().map(|(user, _)| *user).collect();
    let imap = "backfill_days = 1\nrenew_interval = \"5s\"\ntimeout = \"5s\"";
    let plan = Plan { users: &users, watched: &users, imap, ..Plan::default() };
    let Some(mut site) = Site::prepare(&plan) else { return };
    let by_user = faults.iter().map(|(user, fault)| (address(user), fault.clone())).collect();
    let server = FaultyImap::start(site.lab.imap_port(), by_user);
    site.redirect(server.port, site.lab.smtp_port());
    users.iter().for_each(|user| deliver(&site, user, "before"));
    site.launch();
    let all = users.len();
    let met = live::poll(PATIENCE, || (server.seen().len() == all).then_some(()));
    assert!(met.is_some(), "only these have met their fault: {:?}", server.seen());
    users.iter().for_each(|user| deliver(&site, user, "after"));
    let wanted: BTreeMap<_, _> = ["after", "before"]
        .iter()
        .flat_map(|name| {
            users.iter().map(move |user| ((address(user), format!("<{name}-{user}@example.org>")), 1_usize))
        })
        .collect();
    let mut found = BTreeMap::new();
    live::poll(PATIENCE, || {
        found = applied(&site);
        (found == wanted).then_some(())
    });
    assert_eq!(found, wanted);
    for user in users {
        for name in ["before", "after"] {
            assert!(site.get(user, &format!("{name}-{user}")).is_some(), "{user} lacks {name}");
        }
    }
    assert_eq!(site.status()["panics"], 0);
}
