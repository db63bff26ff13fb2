//! The parsers that read imipd's mails find what is wrong with a mail.

use std::panic::catch_unwind;

use imipd_lab::read_mail;

fn golden() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../mail/golden/invitation.en.eml");
    std::fs::read_to_string(path).expect("the golden mail")
}

#[test]
fn a_mail_as_it_should_be_is_read() {
    let Some(reading) = read_mail(golden().as_bytes()) else { return };
    assert!(reading.subject.starts_with("Invitation: "), "{reading:?}");
    assert!(reading.calendar.is_some_and(|text| text.contains("METHOD:REQUEST\r\n")));
}

#[test]
fn a_mail_with_a_defect_is_not() {
    let mail = golden();
    if read_mail(mail.as_bytes()).is_none() {
        return;
    }
    let (from, to) = ("\r\nTo: ", "\r\nMIME-Version: 1.0");
    for (old, new) in [
        (from, "\nTo: "),
        (from, "\r\nTo: x@example.org\r\nTo: "),
        (to, "\r\nMIME-Version: 1.0\r\nBcc x"),
        (to, &format!("\r\nMIME-Version: 1.0\r\nX-A: {}", "word ".repeat(30))),
        ("method=REQUEST", "method=CANCEL"),
        ("component=VEVENT", "component=VTODO"),
        ("charset=utf-8; method", "charset=us-ascii; method"),
        ("application/ics", "application/octet-stream"),
        ("\r\nX-Auto-Response-Suppress", "\r\nX-Other"),
        ("\r\nDate: Mon, 1 Jun 2026 08:00:00 +0000", "\r\nDate: soon"),
        ("Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: 7bit"),
    ] {
        assert!(mail.contains(old), "{old:?} is not in the golden mail");
        let broken = mail.replacen(old, new, 1);
        // Without the hook, so that what is expected is not printed.
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let outcome = catch_unwind(|| read_mail(broken.as_bytes()));
        std::panic::set_hook(hook);
        assert!(outcome.is_err(), "{old:?} became {new:?}, and nobody minds");
    }
}
