//! The mail to somebody whose answer could not be taken: what answers by a mail, or by moving one, has no page that could say so.

use super::compose::{ComposeError, ComposedMail, Mailbox, id_domain};
use super::language::Language;
use super::limits;
use super::notice::{NoteHead, write_note};
use super::wording::{Wording, clean, wrapped};
use crate::digest;

/// Why an answer did not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    Expired,
    Revoked,
    Cancelled,
    /// The time has changed since, or what was asked.
    Superseded,
    Uninvited,
    /// It came from an address to which the invitation was not sent.
    OfAnother,
    /// The subject says one thing and the text another.
    Contradictory,
    Otherwise,
}

/// What is told to whoever has answered.
#[derive(Clone, Debug)]
pub struct NotTakenNote<'a> {
    /// The organizer, to whom the answer went; the gateway, where its own user has answered.
    pub from: Mailbox,
    pub to: Mailbox,
    /// What the answer was about, where that is still known.
    pub title: Option<&'a str>,
    pub because: NotTaken,
    /// The Message-ID of the answer, with its angle brackets.
    pub answer: &'a str,
    /// Date, in unix seconds.
    pub date: i64,
    pub language: Language,
}

/// Writes the mail; the same answer always gets the same one.
///
/// RFC 3834 §3 and §5: it is marked as an automatic reply, in the thread of what it answers.
pub fn compose_not_taken(note: &NotTakenNote<'_>, wording: &Wording) -> Result<ComposedMail, ComposeError> {
    for mailbox in [&note.from, &note.to] {
        if !mailbox.address.is_mailable() {
            return Err(ComposeError::NotMailable(
                mailbox.address.as_str().chars().take(limits::NAME_CHARS_MAX).collect(),
            ));
        }
    }
    let (subject, text, broken) = words(note, wording);
    let hash = digest::of_fields(["not-taken", note.answer, note.to.address.as_str()]);
    let message_id = format!("{}@{}", digest::shortened(&hash), id_domain(&note.from.address));
    let head = NoteHead {
        from: (note.from.name.as_deref(), &note.from.address),
        to: (note.to.name.as_deref(), &note.to.address),
        subject: &subject,
        message_id: &message_id,
        answers: note.answer,
        date: note.date,
        automatic: "auto-replied",
    };
    let raw = write_note(&head, (&text, None));
    Ok(ComposedMail { message_id: format!("<{message_id}>"), raw, subject, broken })
}

fn words(note: &NotTakenNote<'_>, wording: &Wording) -> (String, String, Vec<String>) {
    // Every language has its catalogue.
    let Some(voice) = wording.voice(note.language) else { return (String::new(), String::new(), Vec::new()) };
    let why = match note.because {
        NotTaken::Expired => "not-taken-expired",
        NotTaken::Revoked => "not-taken-revoked",
        NotTaken::Cancelled => "not-taken-cancelled",
        NotTaken::Superseded => "not-taken-superseded",
        NotTaken::Uninvited => "not-taken-uninvited",
        NotTaken::OfAnother => "not-taken-of-another",
        NotTaken::Contradictory => "not-taken-contradictory",
        NotTaken::Otherwise => "not-taken-otherwise",
    };
    let title = clean::header_text(note.title.unwrap_or_default(), limits::SUBJECT_CHARS_MAX);
    let title = if title.is_empty() { voice.word("untitled") } else { title };
    let say = |id: &str| wrapped(&voice.word(id));
    let text = format!("{}\n\n    {title}\n\n{}\n\n{}\n", say("not-taken"), say(why), say("not-taken-closing"));
    let subject = voice.say("subject-not-taken", &[("title", (&title).into())]);
    (clean::header_text(&subject, limits::SUBJECT_CHARS_MAX), text, voice.into_broken())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imip::{AutoSubmitted, Bodies, extract};
    use crate::itip::Address;

    fn note(because: NotTaken, language: Language) -> ComposedMail {
        let mailbox = |address: &str| Mailbox { address: Address::in_mail(address), name: None };
        let note = NotTakenNote {
            from: mailbox("ada@example.com"),
            to: mailbox("bo@example.org"),
            title: Some("Rehearsal\r\nBcc: eve@evil.example [imipd:yes:x]"),
            because,
            answer: "<1@example.org>",
            date: 1_900_000_000,
            language,
        };
        compose_not_taken(&note, &Wording::built_in(Bodies::Both)).expect("a note")
    }

    #[test]
    fn each_reason_has_words_in_each_language() {
        for language in Language::ALL {
            let mut texts = Vec::new();
            for because in [
                NotTaken::Expired,
                NotTaken::Revoked,
                NotTaken::Cancelled,
                NotTaken::Superseded,
                NotTaken::Uninvited,
                NotTaken::OfAnother,
                NotTaken::Contradictory,
                NotTaken::Otherwise,
            ] {
                let mail = note(because, language);
                assert_eq!(mail.broken, Vec::<String>::new());
                let parsed = mail_parser::MessageParser::default().parse(&mail.raw).expect("a mail");
                let body = parsed.body_text(0).expect("a text").into_owned();
                assert!(body.contains("Rehearsal") && !body.contains("not-taken"), "{body}");
                texts.push(body);
            }
            let all = texts.len();
            texts.sort();
            texts.dedup();
            assert_eq!(texts.len(), all, "{language:?}");
        }
    }

    #[test]
    fn it_answers_and_is_answered_by_nobody() {
        let mail = note(NotTaken::Expired, Language::English);
        let email = extract(&mail.raw);
        assert_eq!(email.auto_submitted, AutoSubmitted::Replied);
        assert_eq!(email.in_reply_to.as_deref(), Some("<1@example.org>"));
        assert_eq!(email.to, [Address::in_mail("bo@example.org")]);
        assert!(!String::from_utf8(mail.raw).expect("ASCII").contains("\nBcc:"));
        assert_eq!(mail.message_id, note(NotTaken::Expired, Language::English).message_id);
    }
}
