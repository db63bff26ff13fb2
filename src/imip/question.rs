//! A note from the gateway to its own user that asks something: what, when, what else is then, and how to answer.
//!
//! It holds no calendar, so that no program takes it for an invitation; the user answers it as people answer mails, or by its links, each of
//! which writes a mail from the user to themself.

use super::compose::{ComposeError, ComposedMail, Mailbox};
use super::facts::{Facts, Links, Occasion, When};
use super::language::Language;
use super::notice::{About, note};
use super::{Wording, limits};
use crate::digest;

/// What the user may say to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// Whether they come.
    Invitation,
    /// Whether they believe the sender.
    Unproven,
    /// Whether they take a proposal.
    Counter,
    /// Whether somebody may come who was not invited.
    Crasher,
}

/// Something else at the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    pub summary: String,
    pub start: When,
    pub end: Option<When>,
}

/// What else is in the user's calendar then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conflicts {
    pub listed: Vec<Conflict>,
    /// How many more there are.
    pub unlisted: usize,
}

/// A question to a user.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// The user, to whom it goes.
    pub user: Mailbox,
    pub language: Language,
    pub asks: Asks,
    /// What it is about.
    pub occasion: Occasion,
    /// The kind of the components, such as `VEVENT`.
    pub component: &'a str,
    pub facts: Facts,
    /// The address of whoever wrote the mail that it is about.
    pub sender: &'a str,
    /// The Message-ID of that mail, with its angle brackets; empty where it has none.
    pub about: &'a str,
    /// The UID, the instance and the revision: the same question is the same mail.
    pub key: &'a [&'a str],
    /// Where it was looked for.
    pub conflicts: Option<Conflicts>,
    /// The folders that are answers, where there are such.
    pub folders: Option<[String; 3]>,
    /// The links that are answers; they are bound to the Message-ID, and no part of it.
    pub links: Option<Links>,
    /// Date, in unix seconds.
    pub date: i64,
}

/// Writes the question.
///
/// Errors: [`ComposeError::NotMailable`] when the user has no mail address.
pub fn compose_question(question: &Question<'_>, wording: &Wording) -> Result<ComposedMail, ComposeError> {
    let address = &question.user.address;
    if !address.is_mailable() {
        return Err(ComposeError::NotMailable(address.as_str().chars().take(limits::NAME_CHARS_MAX).collect()));
    }
    let about = About { user: &question.user, message_id: question.about, date: question.date };
    Ok(note(&about, message_id(question), wording.ask(question)))
}

impl Question<'_> {
    /// The Message-ID that it has, with its angle brackets.
    pub fn message_id(&self) -> String {
        format!("<{}>", message_id(self))
    }
}

fn message_id(question: &Question<'_>) -> String {
    let name = match question.asks {
        Asks::Invitation => "question-invitation",
        Asks::Unproven => "question-unproven",
        Asks::Counter => "question-counter",
        Asks::Crasher => "question-crasher",
    };
    let address = &question.user.address;
    let fields =
        [name, address.as_str(), question.about, question.sender].into_iter().chain(question.key.iter().copied());
    let hash = digest::shortened(&digest::of_fields(fields));
    format!("{hash}@{}", super::compose::id_domain(address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imip::answer::{Choice, plain_answer};
    use crate::imip::{AutoSubmitted, Bodies, extract};
    use crate::itip::Address;

    fn question(language: Language, asks: Asks) -> Question<'static> {
        let day = |day| chrono::NaiveDate::from_ymd_opt(2031, 2, day).expect("a day");
        let conflict = Conflict { summary: "Fair\r\nBcc: eve".to_owned(), start: When::Day(day(3)), end: None };
        Question {
            user: Mailbox { address: Address::in_mail("ada@choir.example"), name: Some("Ada".to_owned()) },
            language,
            asks,
            occasion: Occasion::Invitation,
            component: "VEVENT",
            facts: Facts {
                summary: Some("Probe\r\nX: y".to_owned()),
                start: Some(When::Day(day(3))),
                ..Facts::default()
            },
            sender: "bo@far.example",
            about: "<1@far.example>",
            key: &["uid", "", "0"],
            conflicts: Some(Conflicts { listed: vec![conflict], unlisted: 2 }),
            folders: Some(["In/Accept", "In/Decline", "In/Maybe"].map(str::to_owned)),
            links: None,
            date: 1_900_000_000,
        }
    }

    fn composed(question: &Question<'_>) -> ComposedMail {
        compose_question(question, &Wording::built_in(Bodies::Both)).expect("a question")
    }

    #[test]
    fn a_question_says_all_of_it_in_the_users_language() {
        for asks in [Asks::Invitation, Asks::Unproven, Asks::Counter, Asks::Crasher] {
            let mut texts = Vec::new();
            for language in Language::ALL {
                let mail = composed(&question(language, asks));
                assert_eq!(mail.broken, Vec::<String>::new());
                assert!(mail.raw.is_ascii() && mail.subject.contains("Probe"), "{}", mail.subject);
                assert!(!mail.subject.contains(['\r', '\n']), "{:?}", mail.subject);
                let parsed = mail_parser::MessageParser::default().parse(&mail.raw).expect("a mail");
                let body = parsed.body_text(0).expect("a text").into_owned();
                for part in ["Fair Bcc: eve", "2031", "In/Accept", "imipd", "2"] {
                    assert!(body.contains(part), "{part} in {body}");
                }
                for left in ["question-", "how-", "{", "$"] {
                    assert!(!body.contains(left) && !mail.subject.contains(left), "{left}: {body}");
                }
                texts.push(body);
            }
            texts.dedup();
            assert!(texts.len() >= Language::ALL.len() - 1, "each language has its own words");
        }
    }

    #[test]
    fn its_links_are_there_to_be_read_and_to_be_clicked() {
        let link = |word: &str| format!("mailto:ada@choir.example?subject={word}%20%26%20%22x%22");
        let links = Some(Links { yes: link("Y"), no: link("N"), maybe: link("M") });
        for language in Language::ALL {
            for asks in [Asks::Invitation, Asks::Unproven, Asks::Counter, Asks::Crasher] {
                let question = Question { links: links.clone(), ..question(language, asks) };
                let mail = composed(&question);
                assert_eq!(mail.broken, Vec::<String>::new());
                assert_eq!(mail.message_id, question.message_id());
                assert_eq!(mail.message_id, composed(&Question { links: None, ..question }).message_id);
                let parsed = mail_parser::MessageParser::default().parse(&mail.raw).expect("a mail");
                let (text, html) = (parsed.body_text(0).expect("a text"), parsed.body_html(0).expect("HTML"));
                let has_maybe = matches!(asks, Asks::Invitation | Asks::Unproven);
                for (word, is_there) in [("Y", true), ("N", true), ("M", has_maybe)] {
                    assert_eq!(text.split_whitespace().any(|one| one == link(word)), is_there, "{text}");
                    assert_eq!(html.contains(&format!("href=\"{}\"", link(word))), is_there, "{html}");
                }
                assert!(html.contains("Fair Bcc: eve") && !html.contains("how-"), "{html}");
                assert!(plain_answer(&mail.raw).is_none() && extract(&mail.raw).calendars.is_empty());
            }
        }
    }

    #[test]
    fn the_words_that_it_asks_for_are_answers() {
        let wording = Wording::built_in(Bodies::Both);
        for language in Language::ALL {
            for (id, choice) in
                [("link-yes", Choice::Accept), ("link-no", Choice::Decline), ("link-maybe", Choice::Tentative)]
            {
                let word = wording.say(language, id, &[]);
                let mail = format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{word}\r\n");
                let answer = plain_answer(mail.as_bytes()).map(|answer| answer.choice);
                assert_eq!(answer, Some(choice), "{language:?} {word}");
            }
        }
    }

    #[test]
    fn the_same_question_is_the_same_mail_and_starts_nothing() {
        let mail = composed(&question(Language::English, Asks::Invitation));
        assert_eq!(mail, composed(&question(Language::English, Asks::Invitation)));
        let others = [
            question(Language::English, Asks::Counter),
            Question { key: &["uid", "", "1"], ..question(Language::English, Asks::Invitation) },
            Question { about: "<2@far.example>", ..question(Language::English, Asks::Invitation) },
        ];
        assert!(others.iter().all(|other| composed(other).message_id != mail.message_id));
        let email = extract(&mail.raw);
        assert_eq!(email.auto_submitted, AutoSubmitted::Generated);
        assert!(email.calendars.is_empty() && plain_answer(&mail.raw).is_none());
    }
}
