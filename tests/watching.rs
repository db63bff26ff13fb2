//! How the daemon learns of new mail, in each way, from a real Dovecot; and that no mail counts twice.

mod live;

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use imipd_lab::Wire;
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

/// Dovecot and imipd as docs/dovecot-push.md sets them up.
#[test]
fn dovecots_own_push_of_a_delivery_is_what_wakes() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let token = "push-".repeat(8);
    let dovecot = format!(
        "mail_attribute_dict = file:%h/dovecot-attributes\n\
         protocol imap {{\n  imap_metadata = yes\n  mail_plugins = $mail_plugins notify push_notification\n}}\n\
         protocol lmtp {{\n  mail_plugins = $mail_plugins notify push_notification\n}}\n\
         plugin {{\n  push_notification_driver = ox:url=http://imipd:{token}@127.0.0.1:{free}/push/dovecot\n}}\n"
    );
    let more = format!("[web]\nlisten = \"127.0.0.1:{free}\"\npush_token_file = \"push-token\"");
    let (users, imap) = (["a", "b"], "wake = \"push\"\npoll_interval = \"1d\"");
    let plan = Plan { users: &users, watched: &users, dovecot: &dovecot, imap, more: &more, ..Plan::default() };
    let Some(mut site) = Site::prepare(&plan) else { return };
    fs::write(site.path("push-token"), &token).unwrap();
    // Dovecot pushes for those who are named in an entry, and for nobody else.
    let entry = "SETMETADATA \"\" (/private/vendor/vendor.dovecot/http-notify \"user=a@example.com\")";
    site.lab.imap("a", &[entry]).unwrap();
    site.start();
    // Longer than the connection of the start is kept.
    std::thread::sleep(Duration::from_secs(11));
    let heard = |user: &str, uid: &str| {
        let calendar = with_method(&meeting(uid, "x@example.org", &[&live::site::address(user)]), "REQUEST");
        mail("x@example.org", user, &format!("<{uid}@example.org>"), "REQUEST", &calendar)
    };
    site.lab.deliver("b", heard("b", "unheard").as_bytes()).unwrap();
    for uid in ["1", "2"] {
        site.lab.deliver("a", heard("a", uid).as_bytes()).unwrap();
        assert_eq!(site.decision("a", &format!("<{uid}@example.org>"))["verdict"], "applied");
    }
    assert_eq!(site.decisions().len(), 2, "only a push wakes here");
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

fn applied(site: &Site, uid: &str) -> usize {
    let about = site.decisions_about("a", &format!("<{uid}@example.org>"));
    about.iter().filter(|decision| decision["verdict"] == "applied").count()
}

/// A site whose daemon does not run yet, with a folder that is watched besides INBOX and Sent.
fn with_archive(imap: &str) -> Option<Site> {
    let imap = format!("watch = [\"*\"]\n{imap}");
    let site = Site::prepare(&Plan { users: &["a"], watched: &["a"], imap: &imap, ..Plan::default() })?;
    site.lab.imap("a", &["CREATE Archive"]).unwrap();
    Some(site)
}

#[test]
fn a_mail_that_is_moved_counts_once_whether_it_was_read_before_or_not() {
    let Some(mut site) = with_archive("") else { return };
    site.start();
    site.lab.deliver("a", invitation(&site, "read").as_bytes()).unwrap();
    assert_eq!(site.decision("a", "<read@example.org>")["verdict"], "applied");
    let moving = ["SELECT INBOX", "MOVE 1 Archive"];
    site.lab.imap("a", &moving).unwrap();
    live::wait_until("it is met in its new folder", || {
        site.decisions_about("a", "<read@example.org>").iter().any(|decision| decision["folder"] == "Archive")
    });
    site.stop();
    site.lab.deliver("a", invitation(&site, "unread").as_bytes()).unwrap();
    site.lab.imap("a", &moving).unwrap();
    site.start();
    assert_eq!(site.decision("a", "<unread@example.org>")["folder"], "Archive");
    assert_eq!((applied(&site, "read"), applied(&site, "unread")), (1, 1));
}

#[test]
fn mail_of_two_folders_is_read_in_the_order_in_which_it_arrived() {
    let Some(mut site) = with_archive("") else { return };
    site.start();
    site.stop();
    for nth in 0..4 {
        let raw = invitation(&site, &format!("turn-{nth}"));
        match nth % 2 {
            0 => site.lab.append("a", "Archive", raw.as_bytes()).unwrap(),
            _ => site.lab.deliver("a", raw.as_bytes()).unwrap(),
        }
        // A server tells the arrival in whole seconds.
        std::thread::sleep(Duration::from_millis(1100));
    }
    site.start();
    let mut order: Vec<Value> = site.decisions().into_iter().map(|decision| decision["message_id"].clone()).collect();
    order.reverse();
    assert_eq!(order, [0, 1, 2, 3].map(|nth| format!("<turn-{nth}@example.org>")));
}

#[test]
fn a_mail_to_two_addresses_of_a_user_counts_once() {
    let more = "[users]\nfile = \"users.csv\"";
    // The mailbox may be seen for the first time when both lie there.
    let plan = Plan { users: &["a"], watched: &[], more, imap: "backfill_days = 1", ..Plan::default() };
    let Some(mut site) = Site::prepare(&plan) else { return };
    fs::write(site.path("users.csv"), "address,aliases\na@example.com,anna@example.com\n").unwrap();
    site.start();
    let calendar = meeting("both", "x@example.org", &["a@example.com", "anna@example.com"]);
    let raw =
        mail("x@example.org", "a@example.com", "<both@example.org>", "REQUEST", &with_method(&calendar, "REQUEST"));
    for address in ["a@example.com", "anna@example.com"] {
        let copy = format!(
            "Delivered-To: {address}\r\nReceived: from x by y for <{address}>; Mon, 2 Jun 2031 10:00:00 +0000\r\n{raw}"
        );
        site.lab.deliver("a", copy.as_bytes()).unwrap();
    }
    live::wait_until("both copies are decided", || site.decisions_about("a", "<both@example.org>").len() == 2);
    assert_eq!(applied(&site, "both"), 1);
}

#[test]
fn a_silent_connection_is_noticed_and_replaced() {
    let imap = "renew_interval = \"5s\"\ntimeout = \"5s\"";
    let plan = Plan { users: &["a"], watched: &["a"], imap, ..Plan::default() };
    let Some(mut site) = Site::prepare(&plan) else { return };
    let wire = Wire::start(site.lab.imap_port()).unwrap();
    site.redirect(wire.port, site.lab.smtp_port());
    site.start();
    let opened = wire.opened();
    wire.mute();
    site.lab.deliver("a", invitation(&site, "unheard").as_bytes()).unwrap();
    assert_eq!(site.decision("a", "<unheard@example.org>")["verdict"], "applied");
    assert!(wire.opened() > opened, "it came over the connection that was mute");
}

#[test]
fn a_restored_backup_hides_no_new_mail_and_counts_no_old_one_twice() {
    let Some(mut site) = site("", "") else { return };
    let maildir = site.lab.maildir("a");
    site.lab.deliver("a", invitation(&site, "kept").as_bytes()).unwrap();
    assert_eq!(site.decision("a", "<kept@example.org>")["verdict"], "applied");
    let list = maildir.join("dovecot-uidlist");
    let (backup, files) = (fs::read(&list).unwrap(), mail_files(&maildir));
    for uid in ["lost-1", "lost-2"] {
        site.lab.deliver("a", invitation(&site, uid).as_bytes()).unwrap();
        assert_eq!(site.decision("a", &format!("<{uid}@example.org>"))["verdict"], "applied");
    }
    site.lab.stop_dovecot();
    for file in mail_files(&maildir).into_iter().filter(|file| !files.contains(file)) {
        fs::remove_file(file).unwrap();
    }
    // The numbers of what is lost are given to other mails now, under the same UIDVALIDITY.
    fs::write(&list, backup).unwrap();
    for entry in fs::read_dir(&maildir).unwrap().flatten() {
        if entry.file_name().to_string_lossy().starts_with("dovecot.index") {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    site.lab.start_dovecot().unwrap();
    site.lab.deliver("a", invitation(&site, "new").as_bytes()).unwrap();
    assert_eq!(site.decision("a", "<new@example.org>")["verdict"], "applied");
    for uid in ["kept", "lost-1", "lost-2", "new"] {
        assert_eq!(applied(&site, uid), 1, "{uid}");
    }
}

/// The mails of an INBOX.
fn mail_files(maildir: &Path) -> Vec<PathBuf> {
    let folders = ["new", "cur"].map(|folder| fs::read_dir(maildir.join(folder)).unwrap());
    folders.into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
}

/// A way to Dovecot on which each EXAMINE is told, and waits until it may go on; the port, who tells, and who lets go.
fn with_a_gate(server_port: u16) -> (u16, Receiver<()>, Sender<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("its number").port();
    let ((tell, told), (go, going)) = (channel(), channel());
    std::thread::spawn(move || {
        let (client, _) = listener.accept()?;
        let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, server_port))?;
        let (mut from, mut to) = (server.try_clone()?, client.try_clone()?);
        std::thread::spawn(move || io::copy(&mut from, &mut to));
        let mut lines = BufReader::new(client);
        let mut line = String::new();
        while lines.read_line(&mut line)? > 0 {
            // Once the test is over nobody listens, and nobody is held.
            if line.contains(" EXAMINE ") && tell.send(()).is_ok() {
                let _ = going.recv();
            }
            server.write_all(line.as_bytes())?;
            line.clear();
        }
        io::Result::Ok(())
    });
    (port, told, go)
}

#[test]
fn mail_that_comes_before_the_keywords_are_looked_at_is_read() {
    let more = "[answers.keywords]\naccept = \"$label2\"";
    let imap = "poll_interval = \"1d\"";
    let plan = Plan { users: &["a"], watched: &["a"], imap, more, ..Plan::default() };
    let Some(mut site) = Site::prepare(&plan) else { return };
    let (port, told, go) = with_a_gate(site.lab.imap_port());
    site.redirect(port, site.lab.smtp_port());
    site.launch();
    // Everything is looked at again and again when a connection begins; then it is quiet.
    while told.recv_timeout(Duration::from_secs(5)).is_ok() {
        go.send(()).unwrap();
    }
    site.lab.deliver("a", invitation(&site, "1").as_bytes()).unwrap();
    assert_eq!(site.decision("a", "<1@example.org>")["verdict"], "applied");
    // The first has been read; before INBOX is opened for its keywords, the second comes.
    told.recv_timeout(Duration::from_secs(30)).unwrap();
    site.lab.deliver("a", invitation(&site, "2").as_bytes()).unwrap();
    go.send(()).unwrap();
    drop(told);
    drop(go);
    assert_eq!(site.decision("a", "<2@example.org>")["verdict"], "applied");
}
