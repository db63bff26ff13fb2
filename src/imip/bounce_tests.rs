//! Mails that came back, in the forms that servers give them.

use super::{Bounce, read};
use crate::itip::Address;

fn addresses(all: &[&str]) -> Vec<Address> {
    all.iter().map(|address| Address::in_mail(address)).collect()
}

/// A report of Postfix's form about `groups`, with the header of the mail that came back.
fn report(groups: &str) -> Vec<u8> {
    format!(
        "Return-Path: <>\r\nDelivered-To: ada@choir.example\r\nFrom: MAILER-DAEMON@mx.choir.example (Mail Delivery System)\r\n\
         To: Ada <ada@choir.example>\r\nSubject: Undelivered Mail Returned to Sender\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"q/mx\"\r\n\r\n--q/mx\r\n\
         Content-Type: text/plain; charset=us-ascii\r\n\r\nI'm sorry to have to inform you: bo@far.example, cy@far.example 5.1.1\r\n\
         --q/mx\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.choir.example\r\n\
         Original-Envelope-Id: 7xk3token\r\nArrival-Date: Mon, 1 Jun 2026 08:00:00 +0000 (UTC)\r\n\r\n{groups}\r\n\
         --q/mx\r\nContent-Type: text/rfc822-headers\r\n\r\nFrom: ada@choir.example\r\n\
         Message-ID: <4711@choir.example>\r\nSubject: Rehearsal\r\n\r\n--q/mx--\r\n"
    )
    .into_bytes()
}

fn failed(bounce: &Bounce, recipients: &[&str]) -> Vec<(String, String)> {
    let failures = bounce.failures(&addresses(recipients));
    failures.into_iter().map(|failure| (failure.recipient.to_string(), failure.why)).collect()
}

const BO: &str = "Original-Recipient: rfc822;bo@far.example\r\nFinal-Recipient: rfc822; bo@far.example\r\n\
    Action: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; mx.far.example\r\n\
    Diagnostic-Code: smtp; 550 5.1.1 <bo@far.example>: Recipient address\r\n    rejected: User unknown\r\n";

#[test]
fn a_report_tells_the_mail_and_who_failed() {
    let bounce = read(&report(BO)).expect("a bounce");
    assert_eq!(bounce.envelope_id.as_deref(), Some("7xk3token"));
    assert_eq!(bounce.message_id.as_deref(), Some("<4711@choir.example>"));
    assert_eq!(bounce.sent_to, addresses(&["ada@choir.example", "ada@choir.example"]));
    let why = "550 5.1.1 <bo@far.example>: Recipient address rejected: User unknown";
    assert_eq!(failed(&bounce, &["bo@far.example", "cy@far.example"]), [("bo@far.example".into(), why.into())]);
}

#[test]
fn only_a_recipient_of_the_mail_can_have_failed() {
    let bounce = read(&report(BO)).expect("a bounce");
    assert_eq!(failed(&bounce, &["cy@far.example", "bo@far.example.org"]), []);
}

#[test]
fn action_decides_and_not_the_class_of_the_status() {
    let group = |action: &str, status: &str| {
        let fields = format!("Final-Recipient: rfc822;bo@far.example\r\n{action}{status}");
        !failed(&read(&report(&fields)).expect("a bounce"), &["bo@far.example"]).is_empty()
    };
    for (action, status, expected) in [
        ("Action: failed\r\n", "Status: 5.1.1\r\n", true),
        ("ACTION: Failed (final)\r\n", "Status: 4.4.7 (too old)\r\n", true),
        ("Action: failed\r\n", "", true),
        ("", "Status: 5.0.0\r\n", true),
        ("Action: delayed\r\n", "Status: 4.4.1\r\n", false),
        ("Action: delayed\r\n", "Status: 5.1.1\r\n", false),
        ("Action: delivered\r\n", "Status: 2.0.0\r\n", false),
        ("Action: relayed\r\n", "Status: 2.0.0\r\n", false),
        ("Action: expanded\r\n", "Status: 2.0.0\r\n", false),
        ("Action: failed\r\n", "Status: 2.1.5\r\n", false),
        ("Action: vanished\r\n", "Status: 5.1.1\r\n", false),
        ("", "Status: 4.1.1\r\n", false),
        ("", "Status: soon\r\n", false),
        ("", "", false),
    ] {
        assert_eq!(group(action, status), expected, "{action}{status}");
    }
}

#[test]
fn whom_we_wrote_to_counts_before_where_it_was_forwarded() {
    let forwarded = "Original-Recipient: rfc822; bo@far.example\r\nFinal-Recipient: rfc822; cy@far.example\r\n\
        Action: failed\r\nStatus: 5.2.2\r\nDiagnostic-Code: smtp; mailbox full\r\n";
    let found = failed(&read(&report(forwarded)).expect("a bounce"), &["bo@far.example", "cy@far.example"]);
    assert_eq!(found, [("bo@far.example".into(), "5.2.2 mailbox full".into())]);
    let rewritten = "Final-Recipient: rfc822; bo.smith@inside.far.example\r\nAction: failed\r\nStatus: 5.1.1\r\n";
    assert_eq!(failed(&read(&report(rewritten)).expect("a bounce"), &["bo@far.example"]), []);
}

#[test]
fn recipients_are_told_group_by_group_and_each_once() {
    let groups = format!(
        "{BO}\r\nFinal-Recipient: RFC822; <CY@far.example>\r\nAction: failed\r\nStatus: 5.7.1\r\n\r\n{BO}\r\n\
         Final-Recipient: rfc822; di@far.example\r\nAction: delayed\r\nStatus: 4.0.0\r\n"
    );
    let found =
        failed(&read(&report(&groups)).expect("a bounce"), &["di@far.example", "cy@far.example", "bo@far.example"]);
    assert_eq!(found.iter().map(|(who, _)| who.as_str()).collect::<Vec<_>>(), ["bo@far.example", "cy@far.example"]);
    assert_eq!(found[1].1, "5.7.1");
}

#[test]
fn international_and_encoded_addresses_are_read() {
    for (field, address) in [
        ("utf-8; bü@far.example", "bü@far.example"),
        ("utf-8; b\\x{FC}@far.example", "bü@far.example"),
        ("rfc822; bo+2Bchoir@far.example", "bo+choir@far.example"),
        ("rfc822; bo+choir@far.example", "bo+choir@far.example"),
        ("bo@far.example", "bo@far.example"),
    ] {
        let fields = format!("Original-Recipient: {field}\r\nFinal-Recipient: x-local; bo\r\nAction: failed\r\n");
        let found = failed(&read(&report(&fields)).expect("a bounce"), &[address]);
        assert_eq!(found, [(address.to_owned(), "no reason given".to_owned())], "{field}");
    }
}

#[test]
fn other_reports_are_no_bounces() {
    let receipt = String::from_utf8(report(BO)).expect("text").replace("delivery-status", "disposition-notification");
    assert_eq!(read(receipt.replace("MAILER-DAEMON", "bo").as_bytes()), None);
    assert_eq!(read(b"From: bo@far.example\r\n\r\nYou got 5.1.1 from bo@far.example\r\n"), None);
    assert_eq!(read(b""), None);
    let answer = "From: ada@choir.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
        Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; bo@far.example\r\n\
        Action: failed\r\n\r\n--b--\r\n";
    assert_eq!(read(answer.as_bytes()), None, "a status that somebody passes on is no report");
}

const QMAIL: &str = "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.far.example\r\nTo: ada@choir.example\r\n\
    Subject: failure notice\r\n\r\nHi. This is the qmail-send program at mx.far.example.\r\n\
    I'm afraid I wasn't able to deliver your message to the following addresses.\r\n\r\n<bo@far.example>:\r\n\
    Sorry, no mailbox here by that name. (#5.1.1)\r\n\r\n--- Below this line is a copy of the message.\r\n\r\n\
    Return-Path: <ada@choir.example>\r\nMessage-ID: <4711@choir.example>\r\nTo: cy@far.example\r\n\r\n<cy@far.example>:\r\nnot this one\r\n";

#[test]
fn qmail_is_understood() {
    let bounce = read(QMAIL.as_bytes()).expect("a bounce");
    assert_eq!(bounce.message_id.as_deref(), Some("<4711@choir.example>"));
    let found = failed(&bounce, &["bo@far.example", "cy@far.example"]);
    assert_eq!(found, [("bo@far.example".into(), "Sorry, no mailbox here by that name. (#5.1.1)".into())]);
    let forged = QMAIL.replace("MAILER-DAEMON@", "eve@");
    assert_eq!(read(forged.as_bytes()), None);
}

#[test]
fn exim_names_the_failed_in_the_header() {
    let raw = "Return-path: <>\r\nX-Failed-Recipients: bo@far.example,\r\n  cy@far.example\r\nAuto-Submitted: auto-replied\r\n\
        From: Mail Delivery System <Mailer-Daemon@mx.choir.example>\r\nTo: ada@choir.example\r\n\r\n\
        This message was created automatically by mail delivery software.\r\n\r\n  bo@far.example\r\n    550 5.1.1 no such user\r\n\r\n\
        ------ This is a copy of the message, including all the headers. ------\r\n\r\nMessage-Id: <4711@choir.example>\r\n";
    let bounce = read(raw.as_bytes()).expect("a bounce");
    assert_eq!(bounce.message_id.as_deref(), Some("<4711@choir.example>"));
    let found = failed(&bounce, &["bo@far.example", "cy@far.example", "di@far.example"]);
    assert_eq!(found.iter().map(|(who, _)| who.as_str()).collect::<Vec<_>>(), ["bo@far.example", "cy@far.example"]);
}

/// A bounce of Exchange's kind: words, and the mail that came back.
fn words(text: &str) -> Vec<u8> {
    format!(
        "From: postmaster@far.example\r\nTo: ada@choir.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\n{text}\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n\
         From: ada@choir.example\r\nMessage-ID: <4711@choir.example>\r\nTo: bo@far.example, cy@far.example\r\n\r\nHello\r\n--b--\r\n"
    )
    .into_bytes()
}

#[test]
fn words_alone_are_believed_only_when_they_are_certain() {
    let to = ["bo@far.example", "cy@far.example"];
    let of = |text: &str| {
        let bounce = read(&words(text)).expect("a bounce");
        assert_eq!(bounce.message_id.as_deref(), Some("<4711@choir.example>"));
        failed(&bounce, &to).into_iter().map(|(who, _)| who).collect::<Vec<_>>()
    };
    assert_eq!(
        of("Delivery has failed:\r\nBo (bo@far.example).\r\n#550 5.1.10 RESOLVER.ADR.RecipientNotFound"),
        ["bo@far.example"]
    );
    assert_eq!(of("Delivery to bo@far.example is delayed: 4.4.7"), [] as [&str; 0], "no failure");
    assert_eq!(of("bo@far.example or cy@far.example: 5.1.1"), [] as [&str; 0], "which of them?");
    assert_eq!(of("x-bo@far.example: 5.1.1"), [] as [&str; 0], "another address");
    assert_eq!(of("bo@far.example.org: 5.1.1"), [] as [&str; 0], "another address");
    assert_eq!(of("bo@far.example: version 15.1.1 or 5.1.1.1"), [] as [&str; 0], "no status");
    assert_eq!(of("It failed: 5.1.1"), [] as [&str; 0], "nobody named");
}

#[test]
fn garbage_is_bounded() {
    let many = "Final-Recipient: rfc822; bo@far.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n".repeat(20_000);
    assert_eq!(failed(&read(&report(&many)).expect("a bounce"), &["bo@far.example"]).len(), 1);
    let folded = format!("Final-Recipient: rfc822; bo@far.example\r\nDiagnostic-Code: {}", " x\r\n".repeat(50_000));
    assert_eq!(failed(&read(&report(&folded)).expect("a bounce"), &["bo@far.example"]), []);
    let long = format!("{BO}Diagnostic-Code: smtp; y\r\n").replace("User unknown", &"\u{7}z".repeat(5_000));
    let why = failed(&read(&report(&long)).expect("a bounce"), &["bo@far.example"]).remove(0).1;
    assert!(why.chars().count() == 300 && !why.contains(char::is_control), "{why}");
}
