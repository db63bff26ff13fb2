//! The mail servers do what the lab promises.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use imipd_lab::{Lab, LabOptions, Mta, start_or_skip};

const PATIENCE: Duration = Duration::from_secs(20);
const MAIL: &[u8] = b"From: a@example.com\nTo: b@example.com\nSubject: hello\n\nhello\n.\n.dots\n";

fn options(mta: Mta) -> LabOptions<'static> {
    LabOptions { users: &["a", "b"], mta, ..LabOptions::default() }
}

fn assert_mail_travels(lab: &Lab) {
    lab.submit("a", "b", MAIL).unwrap();
    let mails = lab.wait_for_mails("b", "INBOX", 1, PATIENCE).unwrap_or_else(|e| panic!("{e:#}\n{}", lab.logs()));
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].header("subject").as_deref(), Some("hello"));
    assert!(mails[0].raw.ends_with(b"\nhello\n.\n.dots\n"), "{}", String::from_utf8_lossy(&mails[0].raw));
    assert!(mails[0].arrived.elapsed().unwrap() < PATIENCE);
    assert!(lab.mails("a", "INBOX").unwrap().is_empty());
}

fn assert_unknown_are_refused(lab: &Lab) {
    let refused = lab.submit("a", "nobody", MAIL).unwrap_err();
    assert!(format!("{refused:#}").contains("550"), "{refused:#}");
}

#[test]
fn postfix_delivers_and_refuses_the_unknown() {
    let Some(lab) = start_or_skip(&options(Mta::Postfix)) else { return };
    assert_eq!(lab.mta_name(), "Postfix");
    assert_mail_travels(&lab);
    assert_unknown_are_refused(&lab);
}

#[test]
fn postfix_bounces_what_would_leave() {
    let Some(lab) = start_or_skip(&options(Mta::Postfix)) else { return };
    lab.submit("a", "b@elsewhere.example", MAIL).unwrap();
    let bounce = lab.wait_for_mails("a", "INBOX", 1, PATIENCE).unwrap_or_else(|e| panic!("{e:#}\n{}", lab.logs()));
    assert!(String::from_utf8_lossy(&bounce[0].raw).contains("User doesn't exist: b@elsewhere.example"));
}

#[test]
fn postfix_queues_while_dovecot_is_down() {
    let Some(mut lab) = start_or_skip(&options(Mta::Postfix)) else { return };
    lab.stop_dovecot();
    lab.submit("a", "b", MAIL).unwrap();
    lab.start_dovecot().unwrap();
    lab.wait_for_mails("b", "INBOX", 1, PATIENCE).unwrap_or_else(|e| panic!("{e:#}\n{}", lab.logs()));
}

#[test]
fn postfix_asks_for_authentication_on_the_submission_port() {
    let Some(lab) = start_or_skip(&options(Mta::Postfix)) else { return };
    let port = lab.submission_port().unwrap();
    // AUTH PLAIN with base64 of "\0a@example.com\0secret-a".
    let good = smtp(port, &["EHLO me", "AUTH PLAIN AGFAZXhhbXBsZS5jb20Ac2VjcmV0LWE=", "MAIL FROM:<a@example.com>"]);
    assert!(good[1].starts_with("235"), "{good:?}");
    let bad = smtp(port, &["EHLO me", "AUTH PLAIN AGFAZXhhbXBsZS5jb20Ad3Jvbmc="]);
    assert!(bad[1].starts_with("535"), "{bad:?}");
    let none = smtp(port, &["EHLO me", "MAIL FROM:<a@example.com>", "RCPT TO:<b@example.com>"]);
    assert!(none[2].starts_with("554"), "{none:?}");
}

#[test]
fn relay_delivers_and_refuses_the_unknown() {
    let Some(lab) = start_or_skip(&options(Mta::Relay)) else { return };
    assert_eq!(lab.mta_name(), "relay");
    assert_mail_travels(&lab);
    assert_unknown_are_refused(&lab);
    let refused = lab.submit("a", "b@elsewhere.example", MAIL).unwrap_err();
    assert!(format!("{refused:#}").contains("550"), "{refused:#}");
}

#[test]
fn lmtp_delivers_also_to_subaddresses() {
    let Some(lab) = start_or_skip(&options(Mta::Relay)) else { return };
    lab.deliver("b", MAIL).unwrap();
    lab.deliver("b+token@example.com", MAIL).unwrap();
    assert_eq!(lab.mails("b", "INBOX").unwrap().len(), 2);
    assert!(lab.deliver("nobody", MAIL).is_err());
}

#[test]
fn special_folders_exist_and_take_mail() {
    let Some(lab) = start_or_skip(&options(Mta::Relay)) else { return };
    lab.append("a", "Sent", MAIL).unwrap();
    assert_eq!(lab.mails("a", "Sent").unwrap().len(), 1);
    let answers = imap(&lab, "a@example.com", "secret-a", &["LIST (SPECIAL-USE) \"\" \"*\""]);
    for role in ["\\Sent", "\\Junk", "\\Trash", "\\Drafts"] {
        assert!(answers.contains(role), "{answers}");
    }
}

#[test]
fn master_user_reads_anybody() {
    let Some(lab) = start_or_skip(&options(Mta::Relay)) else { return };
    lab.deliver("b", MAIL).unwrap();
    let password = fs::read_to_string(lab.master_password_file()).unwrap();
    let answers = imap(&lab, "b@example.com*gateway", &password, &["SELECT INBOX"]);
    assert!(answers.contains("* 1 EXISTS"), "{answers}");
}

#[test]
fn no_master_user_without_the_option() {
    let Some(lab) = start_or_skip(&LabOptions { master: false, ..options(Mta::Relay) }) else { return };
    assert!(imap(&lab, "b@example.com*gateway", "master-secret", &[]).contains("NO "));
}

#[test]
fn cleared_mail_is_gone_for_the_server_too() {
    let Some(lab) = start_or_skip(&options(Mta::Relay)) else { return };
    lab.deliver("b", MAIL).unwrap();
    assert!(imap(&lab, "b@example.com", "secret-b", &["SELECT INBOX"]).contains("* 1 EXISTS"));
    lab.clear_mail("b").unwrap();
    assert!(lab.mails("b", "INBOX").unwrap().is_empty());
    assert!(imap(&lab, "b@example.com", "secret-b", &["SELECT INBOX"]).contains("* 0 EXISTS"));
}

#[test]
fn certificate_is_good_for_localhost() {
    for mta in [Mta::Relay, Mta::Postfix] {
        let Some(lab) = start_or_skip(&LabOptions { tls: true, ..options(mta) }) else { return };
        let ports = [(Some(lab.imap_port()), "imap"), (lab.imaps_port(), ""), (lab.smtps_port(), "")];
        for (port, starttls) in ports {
            if let Some(port) = port {
                assert_tls(lab.ca_file().unwrap(), port, starttls);
            }
        }
    }
}

/// A TLS handshake by the `openssl` command, which stays out of the crate's dependencies.
fn assert_tls(ca: &Path, port: u16, starttls: &str) {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-verify_return_error", "-verify_hostname", "localhost", "-CAfile"]).arg(ca);
    command.arg("-connect").arg(format!("127.0.0.1:{port}"));
    if !starttls.is_empty() {
        command.args(["-starttls", starttls]);
    }
    match command.stdin(Stdio::null()).output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => eprintln!("*** SKIPPED: TLS on port {port}: openssl: {error}"),
    }
}

#[test]
fn both_servers_come_back_on_their_ports() {
    for mta in [Mta::Relay, Mta::Postfix] {
        let Some(mut lab) = start_or_skip(&options(mta)) else { return };
        let ports = (lab.imap_port(), lab.smtp_port());
        assert_mail_travels(&lab);
        lab.stop_mta();
        lab.stop_dovecot();
        assert!(TcpStream::connect(("127.0.0.1", ports.0)).is_err(), "IMAP still answers");
        assert!(TcpStream::connect(("127.0.0.1", ports.1)).is_err(), "SMTP still answers");
        lab.start_dovecot().unwrap();
        lab.start_mta().unwrap();
        assert_eq!((lab.imap_port(), lab.smtp_port()), ports);
        lab.submit("a", "b", MAIL).unwrap();
        lab.wait_for_mails("b", "INBOX", 2, PATIENCE).unwrap();
    }
}

#[test]
fn two_labs_run_side_by_side() {
    let Some(one) = start_or_skip(&options(Mta::Auto)) else { return };
    let Some(two) = start_or_skip(&options(Mta::Auto)) else { return };
    assert_mail_travels(&two);
    assert!(one.mails("b", "INBOX").unwrap().is_empty(), "the mail went to the other lab");
    drop(two);
    assert_mail_travels(&one);
}

#[test]
fn start_times() {
    for mta in [Mta::Relay, Mta::Postfix] {
        let begun = Instant::now();
        let Some(lab) = start_or_skip(&options(mta)) else { return };
        let started = begun.elapsed();
        drop(lab);
        eprintln!("{mta:?}: up after {started:?}, all of it {:?}", begun.elapsed());
        assert!(started < Duration::from_secs(15));
    }
}

/// The last line of each reply, the greeting left out.
fn smtp(port: u16, commands: &[&str]) -> Vec<String> {
    let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", port)).unwrap());
    let mut replies = vec![last_line(&mut stream)];
    for command in commands {
        stream.get_mut().write_all(format!("{command}\r\n").as_bytes()).unwrap();
        replies.push(last_line(&mut stream));
    }
    replies.split_off(1)
}

fn last_line(stream: &mut impl BufRead) -> String {
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        if line.as_bytes().get(3) != Some(&b'-') {
            return line;
        }
    }
}

/// All that the server says to a login and the commands.
fn imap(lab: &Lab, user: &str, password: &str, commands: &[&str]) -> String {
    let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", lab.imap_port())).unwrap());
    let mut script = format!("x LOGIN {user} {password}\r\n");
    for command in commands {
        script += &format!("x {command}\r\n");
    }
    stream.get_mut().write_all((script + "bye LOGOUT\r\n").as_bytes()).unwrap();
    let mut answers = String::new();
    loop {
        let before = answers.len();
        if stream.read_line(&mut answers).unwrap() == 0 || answers[before..].starts_with("bye ") {
            return answers;
        }
    }
}
