//! A note from the gateway to its own user: who did not get a mail.
//!
//! No program should answer it (RFC 3834 §2), and it holds no calendar, so that it cannot start anything. `question` has the notes that
//! their user may answer.

use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address as HeaderAddress;
use mail_builder::headers::date::Date;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::MimePart;

use super::compose::{ComposeError, ComposedMail, Mailbox, multipart, text_part};
use super::language::Language;
use super::wording::{clean, wrapped, wrapped_behind};
use super::{Failure, Wording, limits};
use crate::digest;
use crate::itip::{Address, Method};

/// Recipients that a note lists; the others are counted.
const LISTED_MAX: usize = 100;

/// Who did not get a mail of the user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered<'a> {
    /// The user, to whom the note goes.
    pub user: Mailbox,
    /// What the mail was.
    pub method: Option<Method>,
    /// The subject of the mail.
    pub subject: &'a str,
    /// The Message-ID of the mail, with its angle brackets.
    pub message_id: &'a str,
    /// Never empty.
    pub failures: &'a [Failure],
    /// Date, in unix seconds.
    pub date: i64,
    /// In which the user is written to.
    pub language: Language,
}

/// Writes the note; the same failures of the same mail always give the same Message-ID.
///
/// Errors: [`ComposeError::NotMailable`] when the user has no mail address, [`ComposeError::NoRecipient`] without a failure.
pub fn compose_undelivered(notice: &Undelivered<'_>, wording: &Wording) -> Result<ComposedMail, ComposeError> {
    let user = &notice.user.address;
    if !user.is_mailable() {
        return Err(ComposeError::NotMailable(user.as_str().chars().take(limits::NAME_CHARS_MAX).collect()));
    }
    if notice.failures.is_empty() {
        return Err(ComposeError::NoRecipient);
    }
    let (subject, text, broken) = words(notice, wording);
    let about = About { user: &notice.user, message_id: notice.message_id, date: notice.date };
    Ok(note(&about, message_id(notice), NoteWords { subject, text, html: None, broken }))
}

/// What every note of ours to a user is about.
pub(super) struct About<'a> {
    /// To whom it goes.
    pub user: &'a Mailbox,
    /// The Message-ID of the mail that it is about, with its angle brackets; empty for none.
    pub message_id: &'a str,
    /// Date, in unix seconds.
    pub date: i64,
}

/// What a note says.
#[derive(Clone, Debug, Default)]
pub(super) struct NoteWords {
    pub subject: String,
    pub text: String,
    /// The same with links to be clicked; nothing where there are none.
    pub html: Option<String>,
    /// What could not be said as it was told to.
    pub broken: Vec<String>,
}

/// A note from the gateway to its user.
pub(super) fn note(about: &About<'_>, message_id: String, words: NoteWords) -> ComposedMail {
    let NoteWords { subject, text, html, broken } = words;
    let user = &about.user.address;
    let head = NoteHead {
        from: (Some("imipd"), user),
        to: (about.user.name.as_deref(), user),
        subject: &subject,
        message_id: &message_id,
        answers: about.message_id,
        date: about.date,
        automatic: "auto-generated",
    };
    let raw = write_note(&head, (&text, html.as_deref()));
    ComposedMail { message_id: format!("<{message_id}>"), raw, subject, broken }
}

/// The header of a note.
pub(super) struct NoteHead<'a> {
    pub from: (Option<&'a str>, &'a Address),
    pub to: (Option<&'a str>, &'a Address),
    pub subject: &'a str,
    /// Without its angle brackets.
    pub message_id: &'a str,
    /// The Message-ID of the mail that it is about, with its angle brackets.
    pub answers: &'a str,
    /// Date, in unix seconds.
    pub date: i64,
    /// Auto-Submitted: no human sent it (RFC 3834 §5).
    pub automatic: &'static str,
}

/// The note with a text, and perhaps the same as HTML, as octets.
pub(super) fn write_note(head: &NoteHead<'_>, (text, html): (&str, Option<&str>)) -> Vec<u8> {
    let mailbox = |(name, address): (Option<&str>, &Address)| {
        let name = name.map(|name| clean::header_text(name, limits::NAME_CHARS_MAX)).filter(|name| !name.is_empty());
        HeaderAddress::new_address(name, address.as_str().to_owned())
    };
    let mut builder = MessageBuilder::new()
        .from(mailbox(head.from))
        .to(mailbox(head.to))
        .subject(head.subject.to_owned())
        .date(Date::new(head.date))
        .message_id(head.message_id.to_owned())
        .header("MIME-Version", Raw::new("1.0"))
        .header("Auto-Submitted", Raw::new(head.automatic));
    // RFC 5322 §3.6.4: the note belongs to the thread of the mail that it is about.
    let original = head.answers.trim_start_matches('<').trim_end_matches('>');
    let is_safe = original.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>'))
        && !original.is_empty()
        && original.len() <= limits::MESSAGE_ID_OCTETS_MAX;
    if is_safe {
        builder = builder.in_reply_to(original.to_owned()).references(original.to_owned());
    }
    let text = text_part("text/plain", text);
    let body = match html.map(|html| text_part("text/html", html)) {
        // The part before the @ is a digest of what the note says.
        Some(html) => MimePart::new(multipart("multipart/alternative", head.message_id, "a"), vec![text, html]),
        None => text,
    };
    let mut raw = Vec::new();
    builder.body(body).serialize(&mut raw);
    raw
}

/// Subject and text, and what an administrator's messages could not say.
fn words(notice: &Undelivered<'_>, wording: &Wording) -> (String, String, Vec<String>) {
    let about = clean::header_text(notice.subject, limits::SUBJECT_CHARS_MAX);
    // Every language has its catalogue; the user learns of what failed in any case.
    let Some(voice) = wording.voice(notice.language) else { return (about.clone(), about, Vec::new()) };
    let (mail, advice) = match notice.method {
        Some(Method::Request | Method::Add | Method::Publish) => ("undelivered-invitation", "advice-invitation"),
        Some(Method::Cancel) => ("undelivered-cancellation", "advice-cancellation"),
        Some(Method::Reply) => ("undelivered-answer", "advice-answer"),
        Some(Method::Counter | Method::DeclineCounter | Method::Refresh) | None => {
            ("undelivered-message", "advice-message")
        }
    };
    let say = |id: &str| wrapped(&voice.word(id));
    let mut text = format!("{}\n\n{}\n\n{}\n\n", say(mail), wrapped_behind(4, &about), say("undelivered-to"));
    for failure in notice.failures.iter().take(LISTED_MAX) {
        let why = clean::header_text(&failure.why, limits::DIAGNOSTIC_CHARS_MAX);
        text.push_str(&format!("    {}\n{}\n", failure.recipient, wrapped_behind(8, &why)));
    }
    let more = u32::try_from(notice.failures.len().saturating_sub(LISTED_MAX)).unwrap_or(u32::MAX);
    if more > 0 {
        text.push_str(&format!("    {}\n", voice.say("undelivered-more", &[("count", more.into())])));
    }
    text.push_str(&format!("\n{}\n\n{}\n", say(advice), say("undelivered-closing")));
    let subject = voice.say("subject-undelivered", &[("subject", (&about).into())]);
    // An administrator's message may hold what no header may.
    (clean::header_text(&subject, limits::SUBJECT_CHARS_MAX), text, voice.into_broken())
}

fn message_id(notice: &Undelivered<'_>) -> String {
    let recipients = notice.failures.iter().map(|failure| failure.recipient.as_str());
    let hash = digest::shortened(&digest::of_fields(["undelivered", notice.message_id].into_iter().chain(recipients)));
    format!("{hash}@{}", super::compose::id_domain(&notice.user.address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imip::{AutoSubmitted, Bodies, extract};

    fn failures(count: usize) -> Vec<Failure> {
        let failure =
            |n| Failure { recipient: Address::in_mail(&format!("p{n}@far.example")), why: "550 5.1.1 no".into() };
        (0..count).map(failure).collect()
    }

    fn notice<'a>(method: Method, subject: &'a str, failures: &'a [Failure]) -> Undelivered<'a> {
        let user = Mailbox { address: Address::in_mail("ada@choir.example"), name: Some("Ada".into()) };
        Undelivered {
            user,
            method: Some(method),
            subject,
            message_id: "<1@choir.example>",
            failures,
            date: 1_900_000_000,
            language: Language::English,
        }
    }

    fn composed(notice: &Undelivered<'_>) -> ComposedMail {
        compose_undelivered(notice, &Wording::built_in(Bodies::Both)).expect("a note")
    }

    fn text(notice: &Undelivered<'_>) -> String {
        String::from_utf8(composed(notice).raw).expect("ASCII")
    }

    #[test]
    fn a_note_is_in_the_users_language() {
        let failures = failures(102);
        for method in [Method::Request, Method::Cancel, Method::Reply, Method::Counter] {
            let mut texts = Vec::new();
            for language in Language::ALL {
                let mail = composed(&Undelivered { language, ..notice(method, "Probe", &failures) });
                assert_eq!(mail.broken, Vec::<String>::new());
                assert!(mail.subject.contains("Probe") && mail.raw.is_ascii(), "{}", mail.subject);
                let parsed = mail_parser::MessageParser::default().parse(&mail.raw).expect("a mail");
                let body = parsed.body_text(0).expect("a text").into_owned();
                assert!(body.contains("Probe") && body.contains("p99@far.example"), "{body}");
                // Two are not listed, only counted.
                assert!(!body.contains("p100@far.example") && body.contains('2'), "{body}");
                for left in ["undelivered-", "advice-", "{", "$"] {
                    assert!(!body.contains(left) && !mail.subject.contains(left), "{left}: {body}");
                }
                texts.push(body);
            }
            texts.dedup();
            // American English says it as English does.
            assert_eq!(texts.len(), Language::ALL.len() - 1);
        }
    }

    #[test]
    fn a_note_says_who_did_not_get_what_and_starts_nothing() {
        let failures = failures(2);
        let notice = notice(Method::Request, "Invitation: Rehearsal", &failures);
        let mail = composed(&notice);
        let raw = String::from_utf8(mail.raw.clone()).expect("ASCII");
        assert_eq!(mail.subject, "Not delivered: Invitation: Rehearsal");
        for line in ["p0@far.example", "p1@far.example", "550 5.1.1 no", "do not know of it"] {
            assert!(raw.contains(line), "{line}: {raw}");
        }
        let email = extract(&mail.raw);
        assert_eq!(email.auto_submitted, AutoSubmitted::Generated);
        assert_eq!(email.in_reply_to.as_deref(), Some("<1@choir.example>"));
        assert_eq!(email.message_id, Some(mail.message_id));
        assert!(email.calendars.is_empty() && crate::imip::bounce::read(&mail.raw).is_none());
    }

    #[test]
    fn what_a_server_says_at_length_stands_on_short_lines() {
        let why = "550 5.1.1 <no.one@far.example>: Recipient address rejected: User unknown in virtual mailbox table";
        let failures = [Failure { why: why.into(), ..failures(1).remove(0) }];
        let text = text(&notice(Method::Request, &"Invitation to a rehearsal of the choir ".repeat(3), &failures));
        let body = text.split_once("\r\n\r\n").expect("a body").1;
        assert!(body.lines().all(|line| line.len() <= 78), "{body}");
        assert!(
            body.contains("\r\n        550 5.1.1 <no.one@far.example>: Recipient address rejected: User"),
            "{body}"
        );
    }

    #[test]
    fn an_answer_that_did_not_arrive_is_told_as_one() {
        assert!(text(&notice(Method::Reply, "Accepted: Rehearsal", &failures(1))).contains("Whoever invited you"));
    }

    #[test]
    fn nothing_is_injected_and_a_long_list_ends() {
        let mut many = failures(102);
        many[0].why = "550 a\r\n\r\nBcc: eve@evil.example\r\n.\r\n".into();
        let raw = text(&notice(Method::Request, "x\r\nBcc: eve@evil.example", &many));
        assert!(!raw.contains("\nBcc:") && raw.contains("and 2 more"), "{raw}");
    }

    #[test]
    fn the_same_failures_are_the_same_note() {
        let all = failures(2);
        let id = |failures: &[Failure]| composed(&notice(Method::Request, "x", failures)).message_id;
        assert_eq!(id(&all), id(&all));
        assert_ne!(id(&all), id(&all[..1]));
    }
}
