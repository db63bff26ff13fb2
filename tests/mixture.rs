//! Honest and hostile mails in one mailbox of a real Dovecot: the calendar ends exactly as the honest ones alone would leave it.
//!
//! There are 1,000, and 5,000 where `CI` is set; `IMIPD_MIXTURE_MAILS` sets another number, and `IMIPD_MIXTURE_SEED` which they are.

#[path = "mixture/generate.rs"]
mod generate;
mod live;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use generate::{GUESTS, Generator, Mail, PLANS, guest_address, plan_uid};
use imipd::config::{Config, Files};
use imipd::gateway::{Change, Gateway, Place};
use imipd::itip::CalendarObject;
use imipd::mailbox::FolderRole;
use live::{Plan, Site, measured};

const MAILS: usize = 1_000;
/// Mails where time matters less than certainty.
const CI_MAILS: usize = 5_000;

/// Far more than it takes.
const PATIENCE: Duration = Duration::from_secs(300);

fn number(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

async fn open(config: &Path) -> Arc<Gateway> {
    let config = Config::load(config, Files::Checked).unwrap_or_else(|faults| panic!("{faults}"));
    Gateway::open(config).await.expect("a database")
}

/// Ada's own meetings, to which answers come.
async fn organize(gateway: &Gateway) {
    let guests: String =
        (0..GUESTS).map(|guest| format!("ATTENDEE;RSVP=TRUE:mailto:{}\r\n", guest_address(guest))).collect();
    for plan in 0..PLANS {
        let text = format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//mixture//EN\r\nBEGIN:VEVENT\r\nUID:{}\r\nSUMMARY:Plan\r\n\
             DTSTAMP:20260101T000000Z\r\nDTSTART:20400601T080000Z\r\nDTEND:20400601T090000Z\r\n\
             ORGANIZER:mailto:a@example.com\r\n{guests}END:VEVENT\r\nEND:VCALENDAR\r\n",
            plan_uid(plan)
        );
        let object = CalendarObject::parse(&text).expect("an object");
        gateway.change(&gateway.config.users[0], Change::Put(Box::new(object))).await.expect("stored");
    }
}

async fn objects(gateway: &Gateway) -> Vec<(String, String)> {
    let stored = gateway.objects(&gateway.config.users[0]).await.expect("a calendar");
    let mut objects: Vec<_> = stored.into_iter().map(|object| (object.uid.0, object.content)).collect();
    objects.sort();
    objects
}

/// A second gateway on a copy of the database, of which only the mails of the honest are heard.
async fn as_the_honest_leave_it(config: &Path, database: &Path, mails: &[Mail]) -> Vec<(String, String)> {
    let folder = imipd_lab::folder();
    let copy = folder.path().join("imipd.db");
    fs::copy(database, &copy).expect("a copy");
    let text = fs::read_to_string(config).expect("the configuration");
    let text = text.replace(&database.display().to_string(), &copy.display().to_string());
    let own = folder.path().join("config.toml");
    fs::write(&own, text).expect("a configuration");
    let gateway = open(&own).await;
    let mut reasons = BTreeSet::new();
    for mail in mails.iter().filter(|mail| mail.is_honest) {
        let place = Place { user: &gateway.config.users[0], folder: "INBOX", role: FolderRole::Inbox, cursor: None };
        let records = gateway.receive_mail(place, mail.raw.as_bytes()).await.expect("decided");
        reasons.extend(records.into_iter().map(|record| record.reason));
    }
    // Who answers the same once more says nothing new.
    let expected = ["answered", "cancelled", "invited", "nothing-new", "updated"].map(str::to_owned);
    assert_eq!(reasons, BTreeSet::from(expected), "the honest are all heard");
    let objects = objects(&gateway).await;
    gateway.ledger.close().await;
    objects
}

/// Where new mail of the user lies; a first mail shows it.
fn new_mail(site: &Site) -> PathBuf {
    site.lab.deliver("a", b"Subject: first\n\nhello\n").expect("delivered");
    let first = site.inbox("a").remove(0).path;
    first.parent().and_then(Path::parent).expect("a Maildir").join("new")
}

fn lay_down(folder: &Path, mails: &[Mail]) {
    let began = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time").as_secs();
    for (at, mail) in mails.iter().enumerate() {
        // The names tell Dovecot the order.
        let name = format!("{began}.M{at:06}P1.mixture");
        fs::write(folder.join(name), &mail.raw).expect("a mail");
    }
}

#[test]
fn hostile_mails_among_honest_ones_change_nothing() {
    let more = "[policy]\nauthserv_id = \"mx.example.com\"\n[policy.limits]\nattendees = 50\nmessages_per_hour = 100000\n\
                [log]\nlevel = \"warn\"";
    let Some(mut site) = Site::prepare(&Plan { users: &["a"], watched: &["a"], more, ..Plan::default() }) else {
        return;
    };
    let seed = number("IMIPD_MIXTURE_SEED", 20_261_123) as u64;
    let usual = if std::env::var_os("CI").is_some() { CI_MAILS } else { MAILS };
    let mails = Generator::new(seed).mails(number("IMIPD_MIXTURE_MAILS", usual));
    let (config, database) = (site.path("config.toml"), site.path("imipd.db"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let gateway = open(&config).await;
        organize(&gateway).await;
        gateway.ledger.close().await;
    });
    let folder = new_mail(&site);
    // Seen once while it is empty, so that everything is new to the daemon that follows; and Ada's invitations go out, whose
    // results are noted in her meetings.
    site.start();
    site.wait_settled();
    site.stop();
    let copy = site.path("before.db");
    fs::copy(&database, &copy).expect("a copy");
    lay_down(&folder, &mails);
    let began = Instant::now();
    site.launch();
    let last = &mails.last().expect("a mail").message_id;
    is_decided(&site, last);
    let took = began.elapsed();
    site.stop();

    let found = runtime.block_on(async {
        let gateway = open(&config).await;
        let found = objects(&gateway).await;
        gateway.ledger.close().await;
        found
    });
    let honest = mails.iter().filter(|mail| mail.is_honest).count();
    measured(
        "mixture",
        &format!("{} mails, {} of them hostile, seed {seed}: {} s", mails.len(), mails.len() - honest, took.as_secs()),
    );
    every_mail_has_a_reason(&site, &mails);
    let expected = runtime.block_on(async {
        fs::copy(&copy, &database).expect("the database of before");
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(site.path(&format!("imipd.db{suffix}")));
        }
        as_the_honest_leave_it(&config, &database, &mails).await
    });
    assert!(found.len() > mails.len() / 10, "{} objects", found.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected, "seed {seed}");
    }
    assert_eq!(found.len(), expected.len(), "seed {seed}");
}

/// Waits until a mail is decided. Every look starts a process, which takes its time from the daemon, so it looks but seldom.
fn is_decided(site: &Site, message_id: &str) {
    let until = Instant::now() + PATIENCE;
    while site.decisions_about("a", message_id).is_empty() {
        assert!(Instant::now() < until, "{message_id} is not decided");
        std::thread::sleep(Duration::from_millis(500));
    }
}

fn every_mail_has_a_reason(site: &Site, mails: &[Mail]) {
    let decided: BTreeSet<String> = site
        .decisions()
        .into_iter()
        .filter(|decision| decision["reason"].as_str().is_some_and(|reason| !reason.is_empty()))
        .filter_map(|decision| decision["message_id"].as_str().map(str::to_owned))
        .collect();
    let silent: Vec<&str> =
        mails.iter().map(|mail| mail.message_id.as_str()).filter(|id| !decided.contains(*id)).collect();
    assert!(silent.is_empty(), "no reason for {silent:?}");
}
