//! The words of a question to a user.

use super::clean::{header_text, isolated, one_line, without_isolates};
use super::page::{Kind, page};
use super::{Voice, Wording, wrapped};
use crate::imip::limits;
use crate::imip::question::{Asks, Conflicts, Question};

impl Wording {
    /// Subject and text of a question, and what an administrator's messages could not say.
    pub(in crate::imip) fn ask(&self, question: &Question<'_>) -> (String, String, Vec<String>) {
        let title = header_text(question.facts.summary.as_deref().unwrap_or_default(), limits::SUBJECT_CHARS_MAX);
        // Every language has its catalogue; the user learns of it in any case.
        let Some(voice) = self.voice(question.language) else { return (title.clone(), title, Vec::new()) };
        let title = if title.is_empty() { voice.word("untitled") } else { title };
        let subject = voice.say(subject_id(question.asks), &[("title", (&title).into())]);
        let subject = header_text(&without_isolates(&subject), limits::SUBJECT_CHARS_MAX * 2);
        let text = text(&voice, question);
        (subject, text, voice.into_broken())
    }
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
        let line =
            voice.say("labelled", &[("label", (&row.label).into()), ("text", (&row.value.replace('\n', "; ")).into())]);
        text.push_str(&format!("{}\n", wrapped(&line)));
    }
    if let Some(comment) = &page.comment {
        text.push_str(&format!("{}\n", wrapped(&comment.line)));
    }
    if let Some(conflicts) = &question.conflicts {
        text.push_str(&format!("\n{}", collisions(voice, conflicts)));
    }
    text.push_str(&format!("\n{}\n", how(voice, question)));
    text.push_str(&format!("\n{}\n", wrapped(&voice.word("question-closing"))));
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
