//! The words of a question to a user.

use super::clean::{header_text, isolated, one_line, without_isolates};
use super::page::{Kind, page};
use super::template::marked_up;
use super::{Bodies, Voice, Wording, wrapped};
use crate::imip::limits;
use crate::imip::notice::NoteWords;
use crate::imip::question::{Asks, Conflicts, Question};

impl Wording {
    /// What a question says.
    pub(in crate::imip) fn ask(&self, question: &Question<'_>) -> NoteWords {
        let title = header_text(question.facts.summary.as_deref().unwrap_or_default(), limits::SUBJECT_CHARS_MAX);
        // Every language has its catalogue; the user learns of it in any case.
        let Some(voice) = self.voice(question.language) else {
            return NoteWords { subject: title.clone(), text: title, ..NoteWords::default() };
        };
        let title = if title.is_empty() { voice.word("untitled") } else { title };
        let subject = voice.say(subject_id(question.asks), &[("title", (&title).into())]);
        let subject = header_text(&without_isolates(&subject), limits::SUBJECT_CHARS_MAX * 2);
        let (asked, links) = (text(&voice, question), links(question));
        let closing = wrapped(&voice.word("question-closing"));
        let intro = wrapped(&voice.word("how-links"));
        let lines: String = links.iter().map(|(id, url)| format!("{}  {url}\n", voice.word(id))).collect();
        let text = match links.is_empty() {
            true => format!("{asked}\n{closing}\n"),
            false => format!("{asked}\n{intro}\n{lines}\n{closing}\n"),
        };
        let is_clickable = self.bodies == Bodies::Both && !links.is_empty();
        let html = is_clickable.then(|| {
            let anchors = links.iter().map(|(id, url)| {
                format!("<a href=\"{}\">{}</a>", marked_up(url), marked_up(&voice.word(id)))
            });
            let anchors = anchors.collect::<Vec<_>>().join(" &#160; ");
            let parts = [paragraphs(&asked), paragraphs(&intro), format!("<p>{anchors}</p>\n"), paragraphs(&closing)];
            let head = "<meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\">";
            let (language, title) = (question.language.tag(), marked_up(&subject));
            format!(
                "<!DOCTYPE html>\n<html lang=\"{language}\">\n<head>{head}<title>{title}</title></head>\n<body>\n{}</body>\n</html>\n",
                parts.concat()
            )
        });
        NoteWords { subject, text, html, broken: voice.into_broken() }
    }
}

/// The links of a question, each with the message of its word; a proposal is taken or not.
fn links<'a>(question: &'a Question<'_>) -> Vec<(&'static str, &'a str)> {
    let Some(links) = &question.links else { return Vec::new() };
    let mut found = vec![("link-yes", links.yes.as_str()), ("link-no", links.no.as_str())];
    match question.asks {
        Asks::Invitation | Asks::Unproven => found.push(("link-maybe", links.maybe.as_str())),
        Asks::Counter | Asks::Crasher => {}
    }
    found
}

fn labelled(voice: &Voice<'_>, label: &str, text: &str) -> String {
    format!("{}\n", wrapped(&voice.say("labelled", &[("label", label.into()), ("text", text.into())])))
}

/// A text as HTML: a paragraph for each of its own, with its lines as they are.
fn paragraphs(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(str::trim_end).filter(|paragraph| !paragraph.is_empty());
    paragraphs.map(|paragraph| format!("<p>{}</p>\n", marked_up(paragraph).replace('\n', "<br>\n"))).collect()
}

fn subject_id(asks: Asks) -> &'static str {
    match asks {
        Asks::Invitation => "subject-question",
        Asks::Unproven => "subject-unproven",
        Asks::Counter => "subject-counter",
        Asks::Crasher => "subject-crasher",
    }
}

fn text(voice: &Voice<'_>, question: &Question<'_>) -> String {
    let kind = Kind::of(question.component);
    let page = page(voice, (question.language, question.occasion, kind), &question.facts);
    let mut text = format!("{}\n\n", wrapped(&page.opening));
    if let Some(warning) = warning(voice, question) {
        text.push_str(&format!("{}\n\n", wrapped(&warning)));
    }
    for row in &page.rows {
        // Several dates stand on lines of their own.
        text.push_str(&labelled(voice, &row.label, &row.value.replace('\n', "; ")));
    }
    if let Some(comment) = &page.comment {
        text.push_str(&format!("{}\n", wrapped(&comment.line)));
    }
    if let Some(conflicts) = &question.conflicts {
        text.push_str(&format!("\n{}", collisions(voice, conflicts)));
    }
    text.push_str(&format!("\n{}\n", how(voice, question)));
    text
}

/// What the user should know before they answer.
fn warning(voice: &Voice<'_>, question: &Question<'_>) -> Option<String> {
    let sender = isolated(one_line(question.sender, limits::FACT_CHARS_MAX));
    match question.asks {
        Asks::Unproven => Some(voice.say("sender-unproven", &[("sender", (&sender).into())])),
        Asks::Crasher => Some(voice.say("crasher-uninvited", &[("sender", (&sender).into())])),
        Asks::Invitation | Asks::Counter => None,
    }
}

fn collisions(voice: &Voice<'_>, conflicts: &Conflicts) -> String {
    if conflicts.listed.is_empty() {
        return format!("{}\n", wrapped(&voice.word("no-conflicts")));
    }
    let mut text = format!("{}\n", wrapped(&voice.word("conflicts")));
    for conflict in &conflicts.listed {
        let title = one_line(&conflict.summary, limits::FACT_CHARS_MAX);
        let title = if title.is_empty() { voice.word("untitled") } else { isolated(title) };
        let when = voice.period(&conflict.start, conflict.end.as_ref());
        let line = voice.say("labelled", &[("label", (&title).into()), ("text", (&when).into())]);
        text.push_str(&format!("- {}\n", wrapped(&line)));
    }
    if conflicts.unlisted > 0 {
        let count = i64::try_from(conflicts.unlisted).unwrap_or(i64::MAX);
        text.push_str(&format!(
            "- {}\n",
            voice.say("more-dates", &[("count", crate::imip::language::Value::Number(count))])
        ));
    }
    text
}

fn how(voice: &Voice<'_>, question: &Question<'_>) -> String {
    let [yes, no, maybe] = ["link-yes", "link-no", "link-maybe"].map(|id| voice.word(id));
    let words = [("yes", (&yes).into()), ("no", (&no).into()), ("maybe", (&maybe).into())];
    let id = match question.asks {
        Asks::Invitation => "how-invitation",
        Asks::Unproven => "how-unproven",
        Asks::Counter => "how-counter",
        Asks::Crasher => "how-crasher",
    };
    let mut text = wrapped(&voice.say(id, &words));
    if let Some([accept, decline, tentative]) = &question.folders {
        let folders = [("accept", accept.into()), ("decline", decline.into()), ("tentative", tentative.into())];
        text.push('\n');
        text.push_str(&wrapped(&voice.say("how-folders", &folders)));
    }
    text
}
