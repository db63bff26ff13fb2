//! What watching mailboxes costs: the daemon as a process of its own, over TLS, beside a real Dovecot.
//!
//! | row | what it is |
//! |---|---|
//! | first scan | a mailbox of `IMIPD_BENCH_MAILS` mails (20,000) is seen for the first time and read as a whole |
//! | catch-up | 20 mailboxes with 100 invitations each, which came while the daemon was away |
//! | mailboxes | `IMIPD_BENCH_MAILBOXES` (1,000) watched at once: memory, idle CPU, and from EXISTS to commit |
//!
//! A relay counts the bytes, and notes when Dovecot speaks: Dovecot tells of new mail half a second after it came, which is not
//! our time. CPU and memory of the daemon are what the kernel says. Dovecot's work is part of all rates: it is on the same machine.

mod daemon;
#[path = "../common/disk.rs"]
mod disk;
mod mails;
mod relay;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use daemon::Daemon;
use imipd_lab::{Lab, LabOptions, Mta, start_or_skip};
use mails::Maildir;
use relay::Relay;

/// Mailboxes that catch up, and the invitations in each.
const LATE_BOXES: usize = 20;
const LATE_MAILS: usize = 100;

/// Mails of which the latency is measured, and how many of them are on their way at once.
const SAMPLES: usize = 200;
const AT_ONCE: [usize; 2] = [1, 4];

/// For how long nothing happens.
const IDLE: Duration = Duration::from_secs(30);

/// Users who hold no mail until they are measured.
const EMPTY: &str = "empty@example.com";
const ORDINARY: &str = "ordinary@example.com";
const MIXED: &str = "mixed@example.com";

/// The log of Dovecot tells by which port a user is connected.
const LOGIN_LOG: &str = "login_log_format_elements = \"user=<%u> rport=%{rport}\"\n";

fn main() {
    let (mails, boxes) = (number("IMIPD_BENCH_MAILS", 20_000), number("IMIPD_BENCH_MAILBOXES", 1000));
    let mut users = vec![EMPTY.to_owned(), ORDINARY.to_owned(), MIXED.to_owned()];
    users.extend(named("late", LATE_BOXES));
    users.extend(named("box", boxes));
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    let options =
        LabOptions { users: &users, mta: Mta::Relay, tls: true, dovecot_extra: LOGIN_LOG, ..LabOptions::default() };
    let Some(lab) = start_or_skip(&options) else { return };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(1).build().expect("a runtime");
    let relay = runtime.block_on(Relay::start(lab.imaps_port().expect("TLS")));
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder on the disk");
    println!("Watching mailboxes of a Dovecot on this machine, over TLS.");
    println!("The disk takes {:?} for one commit of 4 kB.\n", disk::commit_time(folder.path()));
    let bench = Bench { lab: &lab, relay: &relay, folder: folder.path() };
    bench.scan("first scan, no calendars", ORDINARY, (mails, 0));
    bench.scan("first scan, 5 % calendars", MIXED, (mails - mails / 20, mails / 20));
    bench.catch_up();
    bench.watch(&named("box", boxes));
}

fn number(variable: &str, default: usize) -> usize {
    std::env::var(variable).map_or(default, |text| text.parse().expect(variable))
}

fn named(name: &str, count: usize) -> Vec<String> {
    (0..count).map(|nth| format!("{name}{nth}@example.com")).collect()
}

fn row(name: &str, what: &str, value: String) {
    println!("{name:<28} {what:<44} {value:>12}");
}

struct Bench<'a> {
    lab: &'a Lab,
    relay: &'a Relay,
    folder: &'a Path,
}

impl Bench<'_> {
    fn daemon(&self, name: &str, users: &[String]) -> Daemon<'_> {
        let folder = self.folder.join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        Daemon::start(self.lab, &folder, self.relay.port, users)
    }

    /// A mailbox that a running daemon hears of for the first time.
    fn scan(&self, name: &str, user: &str, (ordinary, calendars): (usize, usize)) {
        let mut maildir = Maildir::of(self.lab, user);
        maildir.add_ordinary(ordinary);
        maildir.add_calendars("scan", calendars);
        let daemon = self.daemon(user, &[EMPTY.to_owned()]);
        let before = (daemon.cpu(), daemon.rss(), self.relay.bytes_read());
        let begun = SystemTime::now();
        let ended = daemon.reload(&[EMPTY.to_owned(), user.to_owned()]);
        let took = ended.duration_since(begun).expect("it took time").as_secs_f64();
        let (cpu, bytes) = (daemon.cpu() - before.0, self.relay.bytes_read() - before.2);
        let mails = ordinary + calendars;
        assert_eq!(daemon.commits().len(), calendars, "each calendar once");
        row(name, "mailbox", format!("{:.0} MB", maildir.bytes as f64 / 1e6));
        row(name, "mails/s, Dovecot's index cold", format!("{:.0}", mails as f64 / took));
        row(name, "read of the mailbox", format!("{:.2} %", 100.0 * bytes as f64 / maildir.bytes as f64));
        row(name, "read per mail", format!("{} B", bytes / mails as u64));
        row(name, "CPU per mail", format!("{:.1} us", cpu.as_secs_f64() * 1e6 / mails as f64));
        row(name, "memory before", format!("{} kB", before.1));
        row(name, "memory at most", format!("{} kB", daemon.rss_peak()));
        row(name, "memory after", format!("{} kB", daemon.rss()));
        daemon.stop();
    }

    /// Mail that came while the daemon was away.
    fn catch_up(&self) {
        let users = named("late", LATE_BOXES);
        self.daemon("late", &users).stop();
        for user in &users {
            Maildir::of(self.lab, user).add_invitations(user, LATE_MAILS);
        }
        let daemon = self.daemon("late", &users);
        let mut times: Vec<SystemTime> = daemon.commits().into_iter().map(|(_, at)| at).collect();
        assert_eq!(times.len(), LATE_BOXES * LATE_MAILS, "each invitation once");
        times.sort();
        let took = times[times.len() - 1].duration_since(times[0]).expect("sorted").as_secs_f64();
        let cpu = daemon.cpu().as_secs_f64() * 1e6 / times.len() as f64;
        row("catch-up", "invitations/s, each a commit", format!("{:.0}", times.len() as f64 / took));
        row("catch-up", "CPU per invitation, start included", format!("{cpu:.0} us"));
        daemon.stop();
    }

    /// Many mailboxes at rest, and a mail now and then.
    fn watch(&self, users: &[String]) {
        let daemon = self.daemon("boxes", &users[..1]);
        let name = format!("{} mailboxes", users.len());
        let (rss, begun) = (daemon.rss(), SystemTime::now());
        let ended = daemon.reload(users);
        let took = ended.duration_since(begun).expect("it took time").as_secs_f64();
        row(&name, "until all are watched", format!("{took:.1} s"));
        std::thread::sleep(Duration::from_secs(5));
        let per_mailbox = daemon.rss().saturating_sub(rss) as f64 / (users.len() - 1) as f64;
        let cpu = daemon.cpu();
        std::thread::sleep(IDLE);
        let idle = (daemon.cpu() - cpu).as_secs_f64() / IDLE.as_secs_f64() * 100.0;
        row(&name, "memory per mailbox", format!("{per_mailbox:.1} kB"));
        row(&name, "memory with one / at most, kB", format!("{rss} / {}", daemon.rss_peak()));
        row(&name, "CPU at rest, of one core", format!("{idle:.2} %"));
        for at_once in AT_ONCE {
            let (mut commits, mut heard) = self.latencies(&daemon, users, at_once);
            row(&name, &format!("EXISTS to commit, {at_once} at once, p50 / p99"), spread(&mut commits));
            row(&name, "delivery to EXISTS (Dovecot), p50 / p99", spread(&mut heard));
        }
        daemon.stop();
    }

    /// From Dovecot's telling to the commit of each mail, and from its delivery to Dovecot's telling.
    fn latencies(&self, daemon: &Daemon<'_>, users: &[String], at_once: usize) -> (Vec<Duration>, Vec<Duration>) {
        let ports = self.ports();
        let (mut commits, mut heard) = (Vec::new(), Vec::new());
        for round in 0..SAMPLES / at_once {
            let chosen: Vec<&String> = (0..at_once).map(|nth| &users[(round * at_once + nth) % users.len()]).collect();
            let mut sent = Vec::new();
            for (nth, user) in chosen.iter().enumerate() {
                let (id, port) = (format!("live-{at_once}-{round}-{nth}"), ports[*user]);
                self.relay.listen(port);
                self.lab.deliver(user, mails::invitation(&id).as_bytes()).expect("delivered");
                sent.push((format!("{id}@example.org"), port, SystemTime::now()));
            }
            let done = wait_for_commits(daemon, &sent);
            for (id, port, delivered) in sent {
                let told = self.relay.spoken_at(port).expect("Dovecot has told of the mail");
                commits.push(done[&id].duration_since(told).unwrap_or_default());
                heard.push(told.duration_since(delivered).unwrap_or_default());
            }
        }
        (commits, heard)
    }

    /// The relay's port for each user's connection.
    fn ports(&self) -> BTreeMap<String, u16> {
        let logs = self.lab.logs();
        let logins = logs.lines().filter_map(|line| {
            let (_, rest) = line.split_once("Login: user=<")?;
            let (user, rest) = rest.split_once(">, rport=")?;
            let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
            Some((user.to_owned(), digits.parse().ok()?))
        });
        logins.collect()
    }
}

fn wait_for_commits(daemon: &Daemon<'_>, sent: &[(String, u16, SystemTime)]) -> BTreeMap<String, SystemTime> {
    let begun = Instant::now();
    loop {
        let done: BTreeMap<_, _> = daemon.commits().into_iter().collect();
        if sent.iter().all(|(id, _, _)| done.contains_key(id)) {
            return done;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "a mail was not decided");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn spread(times: &mut [Duration]) -> String {
    times.sort();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1e3;
    format!("{:.1} / {:.1} ms", at(50), at(99))
}
