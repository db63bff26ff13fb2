//! An answer in plain words: somebody replies to an invitation with "yes" and means it.
//!
//! The first line of one's own decides, and it has to be one of the known words alone. Everything doubtful is no answer:
//! a wrong "no" costs more than a missing one.

mod own_text;
mod words;

use mail_parser::decoders::html::html_to_text;

use super::mime::Entity;
use super::{charset, limits};

/// What somebody says in plain words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainAnswer {
    pub choice: Choice,
    /// What stands below the word: a COMMENT for the organizer (RFC 5546 §3.2.3). Line ends are LF.
    pub comment: Option<String>,
}

/// The answers that have a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Choice {
    Accept,
    Decline,
    Tentative,
}

impl Choice {
    pub const ALL: [Self; 3] = [Self::Accept, Self::Decline, Self::Tentative];

    /// Its name, the same for ever: in the configuration, the database and the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Decline => "decline",
            Self::Tentative => "tentative",
        }
    }
}

/// Reads the answer out of a raw mail, or nothing when it holds none that is beyond doubt.
///
/// The text/plain body is read; a text/html body only where there is no other, and only if it shows where the quotation
/// begins. Quotations, what introduces them, and signatures are not the sender's own text.
pub fn plain_answer(raw: &[u8]) -> Option<PlainAnswer> {
    answer_in(&own_text::own_lines(&body(raw)?))
}

/// What stands in a mail beside an answer that was given by its subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// A COMMENT for the organizer, if there is one (RFC 5546 §3.2.3).
    Comment(Option<String>),
    /// The text gives another answer.
    Contradiction,
}

/// Reads what the sender of a raw mail wrote beside the answer in its subject.
pub fn remark(raw: &[u8], choice: Choice) -> Remark {
    let lines = own_text::own_lines(&body(raw).unwrap_or_default());
    if lines.iter().filter_map(|line| words::choice(line)).any(|said| said != choice) {
        return Remark::Contradiction;
    }
    let mut lines = lines.iter().skip_while(|line| line.is_empty()).peekable();
    lines.next_if(|line| words::choice(line).is_some());
    Remark::Comment(comment(&lines.map(String::as_str).collect::<Vec<_>>()))
}

/// The text that somebody wrote, of HTML what stands above a quotation.
fn body(raw: &[u8]) -> Option<String> {
    let raw = raw.get(..limits::MAIL_BYTES_MAX).unwrap_or(raw);
    let mut bodies = Bodies::default();
    bodies.walk(&Entity::parse(raw), 0);
    match (bodies.plain, bodies.html) {
        (Some(plain), _) => Some(plain),
        (None, Some(html)) => Some(html_to_text(&own_text::with_line_ends(own_text::own_html(&html)))),
        (None, None) => None,
    }
}

fn comment(lines: &[&str]) -> Option<String> {
    let comment: String = lines.join("\n").trim().chars().take(limits::PLAIN_COMMENT_CHARS_MAX).collect();
    (!comment.is_empty()).then_some(comment)
}

/// The answer in lines that are the sender's own.
fn answer_in(lines: &[String]) -> Option<PlainAnswer> {
    let mut lines = lines.iter().skip_while(|line| line.is_empty());
    let choice = words::choice(lines.next()?)?;
    let rest: Vec<&str> = lines.map(String::as_str).collect();
    // "yes" above and "no" below: whoever writes both means neither.
    if rest.iter().filter_map(|line| words::choice(line)).any(|other| other != choice) {
        return None;
    }
    Some(PlainAnswer { choice, comment: comment(&rest) })
}

/// The first body of each kind.
#[derive(Default)]
struct Bodies {
    plain: Option<String>,
    html: Option<String>,
    parts_seen: usize,
}

impl Bodies {
    /// Looks through multiparts, but not into mails within the mail, nor into files.
    fn walk(&mut self, entity: &Entity<'_>, depth: usize) {
        self.parts_seen += 1;
        if depth > limits::NESTING_MAX || self.parts_seen > limits::PARTS_MAX || entity.file_name().is_some() {
            return;
        }
        let media_type = entity.media_type();
        if media_type == "multipart/report" {
            return;
        }
        if media_type.starts_with("multipart/") {
            entity.parts().into_iter().for_each(|part| self.walk(&Entity::parse(part), depth + 1));
        } else if media_type == "text/plain" && self.plain.is_none() {
            self.plain = text_of(entity);
        } else if media_type == "text/html" && self.html.is_none() {
            self.html = text_of(entity);
        }
    }
}

/// The text of a part; nothing when it is longer than anybody writes by hand, or cannot be decoded.
fn text_of(entity: &Entity<'_>) -> Option<String> {
    if entity.raw_body().len() > limits::PLAIN_BODY_BYTES_MAX {
        return None;
    }
    entity.decoded().map(|bytes| charset::decode(&bytes, entity.parameter("charset")).0)
}

#[cfg(test)]
mod tests;
