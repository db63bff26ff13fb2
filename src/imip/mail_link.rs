//! Links that write a mail: an answer for which nobody needs a web server.
//!
//! Such a mail has the subject `Yes: Rehearsal [imipd:yes:TOKEN]`. The words are for people, in the reader's language; what
//! counts stands in brackets, so that neither a translation nor a `Re:` nor a fold changes it.

use std::fmt::Write;

use super::answer::Choice;
use super::facts::Links;
use super::language::Language;
use super::limits;
use super::token::Token;
use super::wording::{Voice, Wording, clean};
use crate::itip::Address;

/// What stands before the answer and the token.
const TAG: &str = "[imipd:";

/// Octets that the title may take in a link, once it is encoded.
const TITLE_OCTETS_MAX: usize = 240;

/// What the links of one attendee are made of.
#[derive(Clone, Copy, Debug)]
pub struct MailLink<'a> {
    /// Where the answer goes: the organizer.
    pub to: &'a Address,
    pub token: &'a Token,
    /// The title of what it is about.
    pub title: Option<&'a str>,
}

/// The answer and the token in a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    pub choice: Choice,
    /// Nothing when it cannot be one: somebody has cut it off.
    pub token: Option<Token>,
}

impl MailLink<'_> {
    /// The three links; RFC 6068 §2.
    pub fn links(self, wording: &Wording, language: Language) -> Links {
        let voice = wording.voice(language);
        let url = |choice, word| self.url(voice.as_ref(), (choice, word));
        Links {
            yes: url(Choice::Accept, "link-yes"),
            no: url(Choice::Decline, "link-no"),
            maybe: url(Choice::Tentative, "link-maybe"),
        }
    }

    fn url(self, voice: Option<&Voice<'_>>, (choice, word): (Choice, &str)) -> String {
        let tag = encoded(&format!(" {TAG}{}:{}]", name(choice), self.token.expose()), usize::MAX);
        let head = format!("mailto:{}?subject=", encoded(self.to.as_str(), usize::MAX).replace("%40", "@"));
        let room = limits::LINK_OCTETS_MAX.saturating_sub(head.len() + tag.len()).min(TITLE_OCTETS_MAX);
        format!("{head}{}{tag}", encoded(&self.said(voice, word), room))
    }

    /// The part of the subject for people.
    fn said(self, voice: Option<&Voice<'_>>, word: &str) -> String {
        let Some(voice) = voice else { return String::new() };
        let word = voice.word(word);
        // Brackets in a title could pass for a tag.
        let title = self.title.unwrap_or_default().replace(['[', ']'], " ");
        let said = match title.trim() {
            "" => word,
            title => voice.say("labelled", &[("label", (&word).into()), ("text", title.into())]),
        };
        clean::header_text(&said, limits::SUBJECT_CHARS_MAX)
    }
}

/// Finds the tag in a decoded subject. Several that differ are none: it would have to be guessed which one is meant.
pub fn tag_in(subject: &str) -> Option<Tag> {
    // Nobody means the end of a subject of this length.
    let subject = subject.get(..limits::FIELD_BYTES_MAX).unwrap_or(subject);
    let mut tags = subject.split(TAG).skip(1).filter_map(read);
    let first = tags.next()?;
    tags.all(|other| other == first).then_some(first)
}

/// Reads `yes:TOKEN]` and what follows.
fn read(text: &str) -> Option<Tag> {
    let (word, rest) = text.split_once(':')?;
    let choice = [Choice::Accept, Choice::Decline, Choice::Tentative].into_iter().find(|one| name(*one) == word)?;
    let token = rest.split_once(']').and_then(|(token, _)| Token::parse(token));
    Some(Tag { choice, token })
}

fn name(choice: Choice) -> &'static str {
    match choice {
        Choice::Accept => "yes",
        Choice::Decline => "no",
        Choice::Tentative => "maybe",
    }
}

/// A text with everything but unreserved characters encoded (RFC 3986 §2.1), cut behind the last character that has room.
fn encoded(text: &str, room: usize) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let mut piece = String::new();
        let mut octets = [0; 4];
        for byte in c.encode_utf8(&mut octets).bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => piece.push(char::from(byte)),
                // Writing to a String cannot fail.
                byte => drop(write!(piece, "%{byte:02X}")),
            }
        }
        if out.len() + piece.len() > room {
            break;
        }
        out.push_str(&piece);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imip::{Bodies, Purpose};

    fn token() -> Token {
        Token::mint(b"key", Purpose::Answer, &["ada"])
    }

    fn links(language: Language, title: &str, to: &str) -> Links {
        let (to, token) = (Address::in_mail(to), token());
        MailLink { to: &to, token: &token, title: Some(title) }.links(&Wording::built_in(Bodies::Both), language)
    }

    /// What a mail program makes of a link: the address and the subject.
    fn opened(link: &str) -> (String, String) {
        let url = url::Url::parse(link).expect("a URL");
        let subject = url.query_pairs().find(|(name, _)| name == "subject").expect("a subject").1.into_owned();
        (url.path().to_owned(), subject)
    }

    #[test]
    fn a_link_is_a_mail_with_its_answer_in_the_subject() {
        let links = links(Language::German, "Ä & B? #1 + 100%", "ada+x@example.com");
        let expected = format!("Nein: Ä & B? #1 + 100% [imipd:no:{}]", token().expose());
        assert_eq!(opened(&links.no), ("ada%2Bx@example.com".to_owned(), expected.clone()));
        for (link, choice) in
            [(links.yes, Choice::Accept), (links.no, Choice::Decline), (links.maybe, Choice::Tentative)]
        {
            let tag = Tag { choice, token: Some(token()) };
            assert_eq!(tag_in(&opened(&link).1), Some(tag.clone()));
            assert_eq!(tag_in(&format!("AW: Re: {}", opened(&link).1)), Some(tag));
        }
    }

    #[test]
    fn a_long_title_is_cut_and_the_tag_stays() {
        for language in Language::ALL {
            let links = links(language, &"予定".repeat(200), "ada@example.com");
            assert!(links.maybe.len() <= limits::LINK_OCTETS_MAX, "{}", links.maybe);
            assert_eq!(tag_in(&opened(&links.maybe).1).expect("a tag").token, Some(token()));
        }
    }

    #[test]
    fn a_title_brings_no_tag_of_its_own() {
        let title = format!("[imipd:no:{}]\r\nBcc: eve@evil.example", token().expose());
        let (_, subject) = opened(&links(Language::English, &title, "ada@example.com").yes);
        assert_eq!(tag_in(&subject).map(|tag| tag.choice), Some(Choice::Accept), "{subject}");
        assert!(!subject.contains(['\r', '\n']));
    }

    #[test]
    fn what_is_no_tag_is_none() {
        let token = token().expose();
        for subject in [
            "Yes",
            "Yes: Rehearsal",
            "[imipd:]",
            "[imipd:perhaps:AAAA]",
            &format!("[imipd {token}]"),
            &format!("[imipd:yes:{token}] [imipd:no:{token}]"),
        ] {
            assert_eq!(tag_in(subject), None, "{subject}");
        }
        for cut in [format!("Yes [imipd:yes:{token}"), "[imipd:yes:AAAA]".to_owned(), format!("[imipd:yes:{token}A]")] {
            assert_eq!(tag_in(&cut), Some(Tag { choice: Choice::Accept, token: None }), "{cut}");
        }
    }
}
