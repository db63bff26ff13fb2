//! The mailbox driver against a real Dovecot.

use std::future::pending;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use imipd::mailbox::{
    Credentials, Fetched, FetchedMail, Fields, IdleEnd, ImapServer, ImapUid, MailStructure, MailboxError, MasterMode,
    Security, Session, Shape, Timing,
};
use imipd_lab::{Lab, LabOptions, MASTER_PASSWORD, MASTER_USER, Mta, password, start_or_skip};
use mail_parser::{Message, MessageParser, MimeHeaders};
use secrecy::SecretString;

const USER: &str = "a@example.com";

/// A folder whose name needs all that a name can need.
const ODD_FOLDER: &str = "Entw\u{fc}rfe \"&";

const INVITATION: &str = "\
From: b@example.com
To: a@example.com
Subject: small
MIME-Version: 1.0
Content-Type: text/calendar; method=REQUEST; charset=utf-8

BEGIN:VCALENDAR
UID:small
END:VCALENDAR
";

/// More than is fetched whole: an alternative, a forwarded invitation of one part, one of two, and ballast.
fn large_mail() -> String {
    let calendar = |uid: &str| {
        format!("Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nUID:{uid}\nEND:VCALENDAR\n")
    };
    let plain = "Content-Type: text/plain\n\nhello\n";
    let ballast = format!("Content-Type: text/plain; name=notes.txt\n\n{}", "0123456789abcdef\n".repeat(10_000));
    format!(
        "From: b@example.com\nTo: a@example.com\nSubject: large\nMessage-ID: <large@example.com>\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=m\n\n\
         --m\nContent-Type: multipart/alternative; boundary=a\n\n--a\n{plain}\n--a\n{}\n--a--\n\
         --m\nContent-Type: message/rfc822\n\nFrom: c@example.com\nSubject: one\n{}\n\
         --m\nContent-Type: message/rfc822\n\nFrom: d@example.com\nContent-Type: multipart/mixed; boundary=i\n\n\
         --i\n{plain}\n--i\n{}\n--i--\n\
         --m\n{ballast}\n--m--\n",
        calendar("direct"),
        calendar("forwarded-one"),
        calendar("forwarded-two"),
    )
}

fn report() -> String {
    let returned = "x".repeat(60) + "\n";
    format!(
        "From: MAILER-DAEMON@example.com\nTo: a@example.com\nSubject: undelivered\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=r\n\n\
         --r\nContent-Type: text/plain\n\nsorry\n\
         --r\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; example.com\n\n\
         Final-Recipient: rfc822; x@example.com\nAction: failed\nStatus: 5.1.1\n\
         --r\nContent-Type: message/rfc822\n\nMessage-ID: <ours@example.com>\nContent-Type: text/calendar\n\n{}\n--r--\n",
        returned.repeat(2000)
    )
}

fn start(tls: bool) -> Option<Lab> {
    start_or_skip(&LabOptions { users: &[USER], mta: Mta::Relay, tls, ..LabOptions::default() })
}

fn server(port: u16, security: Security, ca_file: Option<&Path>) -> ImapServer {
    let tls = imipd::tls::client_config(ca_file).unwrap();
    ImapServer { host: "127.0.0.1".to_owned(), port, security, tls, timing: Timing::default() }
}

fn plain(lab: &Lab) -> ImapServer {
    server(lab.imap_port(), Security::None, None)
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

fn owner() -> Credentials {
    Credentials::Password { login: USER.to_owned(), password: secret(&password(USER)) }
}

fn master(password: &str) -> Credentials {
    Credentials::Master {
        login: USER.to_owned(),
        master_user: MASTER_USER.to_owned(),
        password: secret(password),
        mode: MasterMode::Separator("*".to_owned()),
    }
}

async fn fetched(session: &mut Session, mail: &MailStructure) -> FetchedMail {
    match session.fetch(mail).await.unwrap() {
        Fetched::Mail(fetched) => fetched,
        other => panic!("{other:?}"),
    }
}

/// The UIDs of the calendars in a mail, and whether they are in a mail within it.
fn calendars(mail: &Message<'_>, inside: bool) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    for part in &mail.parts {
        if let Some(inner) = part.message() {
            found.extend(calendars(inner, true));
        } else if part.content_type().is_some_and(|kind| kind.subtype() == Some("calendar")) {
            let text = part.text_contents().unwrap_or_default();
            let uid = text.lines().find_map(|line| line.strip_prefix("UID:")).unwrap_or("none");
            found.push((uid.to_owned(), inside));
        }
    }
    found
}

/// Runs commands as another client of the same user.
fn other_client(lab: &Lab, commands: &[&str]) {
    let stream = TcpStream::connect(("127.0.0.1", lab.imap_port())).unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let login = format!("LOGIN {USER} {}", password(USER));
    for command in std::iter::once(login.as_str()).chain(commands.iter().copied()) {
        (&stream).write_all(format!("t {command}\r\n").as_bytes()).unwrap();
        let answer = lines.find(|line| line.as_ref().unwrap().starts_with("t ")).unwrap().unwrap();
        assert!(answer.starts_with("t OK"), "{command}: {answer}");
    }
}

#[tokio::test]
async fn mails_are_fetched_whole_or_abridged_and_stay_unseen() {
    let Some(lab) = start(false) else { return };
    lab.deliver(USER, b"Subject: no calendar\n\nhello\n").unwrap();
    lab.deliver(USER, INVITATION.as_bytes()).unwrap();
    lab.deliver(USER, large_mail().as_bytes()).unwrap();
    lab.deliver(USER, report().as_bytes()).unwrap();
    let mut session = Session::connect(&plain(&lab), &owner()).await.unwrap();
    let state = session.examine("INBOX").await.unwrap();
    assert_eq!((state.exists, state.uid_next), (4, ImapUid(5)));
    assert_eq!(session.status("INBOX").await.unwrap(), state);

    let mails = session.structures(ImapUid::FIRST, None, Fields::None).await.unwrap();
    let uids: Vec<_> = mails.iter().map(|mail| mail.uid.0).collect();
    assert_eq!(uids, [1, 2, 3, 4]);
    assert!(mails.iter().all(|mail| mail.internal_date.is_some()));
    let interest: Vec<_> = mails.iter().map(MailStructure::is_of_interest).collect();
    assert_eq!(interest, [false, true, true, true]);
    let sections: Vec<_> =
        mails[2].outline.calendar_parts.iter().map(|part| (part.section.as_str(), part.inside_message)).collect();
    assert_eq!(sections, [("1.2", false), ("2.1", true), ("3.2", true)]);

    let small = fetched(&mut session, &mails[1]).await;
    assert!(small.whole);
    assert_eq!(small.raw.len(), mails[1].octets as usize);

    let large = fetched(&mut session, &mails[2]).await;
    assert!(!large.whole && large.raw.len() < 3000, "{}", large.raw.len());
    let mail = MessageParser::new().parse(&large.raw).unwrap();
    assert_eq!((mail.subject(), mail.message_id()), (Some("large"), Some("large@example.com")));
    let expected = [("direct", false), ("forwarded-one", true), ("forwarded-two", true)];
    assert_eq!(calendars(&mail, false), expected.map(|(uid, inside)| (uid.to_owned(), inside)));

    assert!(matches!(mails[3].outline.shape, Shape::Report { .. }));
    let report = fetched(&mut session, &mails[3]).await;
    let text = String::from_utf8(report.raw).unwrap();
    assert!(!report.whole && text.contains("Status: 5.1.1") && text.contains("<ours@example.com>"), "{text}");

    // The identifier of the last mail lies below what is asked for, and is told nevertheless.
    assert_eq!(session.structures(ImapUid(5), None, Fields::None).await.unwrap(), []);
    let today = chrono::Utc::now().date_naive();
    assert_eq!(session.search_since(today - chrono::Days::new(1)).await.unwrap().len(), 4);
    assert_eq!(session.search_since(today + chrono::Days::new(2)).await.unwrap(), []);
    session.logout().await.unwrap();
    let seen = |path: &Path| path.to_string_lossy().split_once(":2,").is_some_and(|(_, flags)| flags.contains('S'));
    assert!(lab.mails(USER, "INBOX").unwrap().iter().all(|mail| !seen(&mail.path)));
}

#[tokio::test]
async fn a_mail_that_vanishes_is_no_error() {
    let Some(lab) = start(false) else { return };
    lab.deliver(USER, INVITATION.as_bytes()).unwrap();
    lab.deliver(USER, large_mail().as_bytes()).unwrap();
    let mut session = Session::connect(&plain(&lab), &owner()).await.unwrap();
    session.examine("INBOX").await.unwrap();
    let mails = session.structures(ImapUid::FIRST, None, Fields::None).await.unwrap();
    other_client(&lab, &["SELECT INBOX", "STORE 1:2 +FLAGS (\\Deleted)", "EXPUNGE"]);
    session.noop().await.unwrap();
    for mail in &mails {
        assert_eq!(session.fetch(mail).await.unwrap(), Fetched::Vanished);
    }
    assert_eq!(session.structures(ImapUid::FIRST, None, Fields::None).await.unwrap(), []);
}

/// Without a NOOP between, so that Dovecot still counts the mail among those of the session.
#[tokio::test]
async fn a_mail_that_has_just_vanished_does_not_spend_the_session() {
    let Some(lab) = start(false) else { return };
    lab.deliver(USER, INVITATION.as_bytes()).unwrap();
    let mut session = Session::connect(&plain(&lab), &owner()).await.unwrap();
    session.examine("INBOX").await.unwrap();
    let mails = session.structures(ImapUid::FIRST, None, Fields::None).await.unwrap();
    other_client(&lab, &["SELECT INBOX", "STORE 1 +FLAGS (\\Deleted)", "EXPUNGE"]);
    match session.fetch(&mails[0]).await {
        Ok(Fetched::Vanished) => {}
        other => panic!("{other:?}"),
    }
    assert!(session.is_usable());
}

#[tokio::test]
async fn idle_notices_a_delivered_mail_a_wake_and_the_servers_end() {
    let Some(mut lab) = start(false) else { return };
    let mut session = Session::connect(&plain(&lab), &owner()).await.unwrap();
    assert!(session.capabilities().has("idle"));
    session.examine("INBOX").await.unwrap();
    assert_eq!(session.idle(Duration::from_millis(300), pending()).await.unwrap(), IdleEnd::Timeout);
    assert_eq!(session.idle(Duration::from_secs(60), async {}).await.unwrap(), IdleEnd::Woken);

    let begun = Instant::now();
    let (end, ()) = tokio::join!(session.idle(Duration::from_secs(60), pending()), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        lab.deliver(USER, INVITATION.as_bytes()).unwrap();
    });
    assert_eq!(end.unwrap(), IdleEnd::NewMail);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    eprintln!("IDLE told of the mail {:?} after its delivery began", begun.elapsed() - Duration::from_millis(300));
    assert_eq!(session.structures(ImapUid::FIRST, None, Fields::None).await.unwrap().len(), 1);

    // The connection is taken away while it idles.
    let idling = tokio::spawn(async move {
        let end = session.idle(Duration::from_secs(60), pending()).await;
        (end, session.is_usable())
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    tokio::task::spawn_blocking(move || {
        lab.stop_dovecot();
        lab
    })
    .await
    .unwrap();
    let (end, usable) = idling.await.unwrap();
    assert!(matches!(end, Err(MailboxError::Closed { .. })), "{end:?}");
    assert!(!usable);
}

#[tokio::test]
async fn a_wrong_password_is_told_apart() {
    let Some(lab) = start(false) else { return };
    let wrong = Credentials::Password { login: USER.to_owned(), password: secret("wrong \"\\ one") };
    let error = Session::connect(&plain(&lab), &wrong).await.err().unwrap();
    assert!(matches!(&error, MailboxError::LoginRefused { login, .. } if login == USER), "{error}");
    assert!(!error.is_transient());
    // Not ASCII: SASL PLAIN takes the place of LOGIN.
    let wrong = Credentials::Password { login: USER.to_owned(), password: secret("f\u{e4}lsch") };
    let error = Session::connect(&plain(&lab), &wrong).await.err().unwrap();
    assert!(matches!(error, MailboxError::LoginRefused { .. }), "{error}");
    let error = Session::connect(&plain(&lab), &master("wrong")).await.err().unwrap();
    assert!(matches!(error, MailboxError::LoginRefused { .. }), "{error}");
    let breaking = Credentials::Password { login: "a\r\nb LOGOUT".to_owned(), password: secret("x") };
    let error = Session::connect(&plain(&lab), &breaking).await.err().unwrap();
    assert!(matches!(error, MailboxError::BadArgument { .. }), "{error}");
}

#[tokio::test]
async fn a_master_user_opens_the_users_mailbox() {
    let Some(lab) = start(false) else { return };
    lab.deliver(USER, INVITATION.as_bytes()).unwrap();
    let mut session = Session::connect(&plain(&lab), &master(MASTER_PASSWORD)).await.unwrap();
    assert_eq!(session.examine("INBOX").await.unwrap().exists, 1);
}

#[tokio::test]
async fn folders_are_found_by_their_use_and_with_odd_names() {
    let Some(lab) = start(false) else { return };
    other_client(&lab, &[r#"CREATE "Entw&APw-rfe \"&-""#]);
    let mut session = Session::connect(&plain(&lab), &owner()).await.unwrap();
    let folders = session.folders().await.unwrap();
    let sent = folders.iter().find(|folder| folder.has("\\sent")).expect("a folder for sent mail");
    assert_eq!(sent.name, "Sent");
    let error = session.examine("Nowhere").await.err().unwrap();
    assert!(matches!(&error, MailboxError::NoSuchFolder { folder, .. } if folder == "Nowhere"), "{error}");
    assert!(session.is_usable());
    assert!(matches!(session.status("Nowhere").await, Err(MailboxError::NoSuchFolder { .. })));
    session.examine(ODD_FOLDER).await.unwrap();
    let odd = folders.iter().find(|folder| folder.name.starts_with("Entw")).unwrap();
    assert_eq!(odd.name, r#"Entw&APw-rfe "&-"#);
    session.examine(&odd.name).await.unwrap();
    session.status(&odd.name).await.unwrap();
}

#[tokio::test]
async fn tls_trusts_the_ca_file_and_nothing_else() {
    let Some(lab) = start(true) else { return };
    let (ca, imaps) = (lab.ca_file(), lab.imaps_port().unwrap());
    for server in [server(imaps, Security::Tls, ca), server(lab.imap_port(), Security::StartTls, ca)] {
        let mut session = Session::connect(&server, &owner()).await.unwrap();
        session.examine("INBOX").await.unwrap();
    }
    let error = Session::connect(&server(imaps, Security::Tls, None), &owner()).await.err().unwrap();
    assert!(matches!(error, MailboxError::Certificate { .. }), "{error}");
    let mut elsewhere = server(imaps, Security::Tls, ca);
    elsewhere.host = "localhost.localdomain".to_owned();
    if let Some(MailboxError::Certificate { why, .. }) = Session::connect(&elsewhere, &owner()).await.err() {
        assert!(why.contains("localhost.localdomain"), "{why}");
    }
    // TLS where the server speaks plainly.
    let error = Session::connect(&server(lab.imap_port(), Security::Tls, ca), &owner()).await.err().unwrap();
    assert!(matches!(error, MailboxError::Unreachable { step: "TLS handshake", .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = Session::connect(&server(free, Security::None, None), &owner()).await.err().unwrap();
    assert!(matches!(error, MailboxError::Unreachable { step: "TCP connection", .. }) && error.is_transient());
    assert!(error.to_string().contains(&free.to_string()), "{error}");
}
