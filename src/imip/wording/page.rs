//! What a mail says, line by line, in its language; how the lines are laid out is the templates' business.

use serde::Serialize;

use super::Voice;
use super::clean::{header_text, isolated, lines, one_line, without_isolates};
use crate::imip::facts::{Answer, Earlier, Facts, Links, Occasion, Scope, When};
use crate::imip::language::{Language, Value};
use crate::imip::limits;

/// What kind of thing a mail is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Event,
    Task,
    /// A journal entry.
    Entry,
}

impl Kind {
    /// The kind of a component, by its name in iCalendar.
    pub fn of(component: &str) -> Self {
        match component {
            "VTODO" => Kind::Task,
            "VJOURNAL" => Kind::Entry,
            _ => Kind::Event,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Kind::Event => "event",
            Kind::Task => "task",
            Kind::Entry => "entry",
        }
    }
}

/// Everything that the templates are given.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Page {
    pub language: &'static str,
    pub subject: String,
    /// Who wants what, as one or two sentences.
    pub opening: String,
    /// Whether this takes place no more.
    pub is_cancelled: bool,
    pub rows: Vec<Row>,
    pub comment: Option<Comment>,
    /// The lines of the description; an empty one is a gap.
    pub description: Vec<String>,
    /// That the description is not what it was.
    pub description_note: Option<String>,
    pub links: Option<LinkRow>,
    pub closing: String,
    /// The columns that labels take in a text of fixed width.
    pub label_width: usize,
}

/// One fact, beside what it was.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    pub label: String,
    pub value: String,
    /// What it was, alone, and in a sentence.
    pub before: Option<String>,
    pub before_text: Option<String>,
    /// Whether this is somebody's text, which may run in another direction than the language.
    pub is_quoted: bool,
}

impl Row {
    /// A fact of somebody's own words.
    pub(super) fn plain(label: String, value: String) -> Self {
        Self { label, value, before: None, before_text: None, is_quoted: true }
    }
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Comment {
    pub label: String,
    pub text: String,
    /// Both on one line.
    pub line: String,
}

/// The three answers, each with its word and its address.
#[derive(Clone, Debug, Serialize)]
pub(super) struct LinkRow {
    pub intro: String,
    pub answers: Vec<LinkedAnswer>,
}

/// One of the answers.
#[derive(Clone, Debug, Serialize)]
pub(super) struct LinkedAnswer {
    pub word: String,
    pub url: String,
}

/// Everything that a mail says.
pub(super) fn page(voice: &Voice<'_>, (language, occasion, kind): (Language, Occasion, Kind), facts: &Facts) -> Page {
    let comment = fact(facts.comment.as_deref());
    let links = facts.links.as_ref().and_then(|links| link_row(voice, links));
    Page {
        language: language.tag(),
        subject: subject(voice, occasion, facts),
        opening: opening(voice, occasion, kind, facts),
        is_cancelled: occasion == Occasion::Cancellation,
        rows: rows(voice, kind, facts),
        comment: comment.map(|text| commented(voice, text)),
        description: description_lines(voice, facts),
        description_note: facts
            .before
            .as_deref()
            .filter(|before| before.has_other_description)
            .map(|_| voice.word("description-changed")),
        closing: voice.word(closing(occasion, links.is_some())),
        links,
        label_width: 0,
    }
    .measured()
}

/// The lines of the description, cut where it is long.
pub(super) fn description_lines(voice: &Voice<'_>, facts: &Facts) -> Vec<String> {
    let text = facts.description.as_deref().unwrap_or_default();
    let (lines, is_cut) = lines(text, limits::DESCRIPTION_CHARS_MAX);
    let goes_on = is_cut.then(|| voice.word("text-goes-on"));
    lines.into_iter().map(isolated).chain(goes_on).collect()
}

fn commented(voice: &Voice<'_>, text: String) -> Comment {
    let label = voice.word("label-comment");
    let line = voice.say("labelled", &[("label", (&label).into()), ("text", (&text).into())]);
    Comment { label, text, line }
}

/// The subject: what it is about, then the title, then the day unless it is a whole series.
fn subject(voice: &Voice<'_>, occasion: Occasion, facts: &Facts) -> String {
    let title = header_text(facts.summary.as_deref().unwrap_or_default(), limits::SUBJECT_CHARS_MAX);
    let title = if title.is_empty() { voice.word("untitled") } else { title };
    let subject = voice.say(subject_id(occasion, facts.answer), &[("title", (&title).into())]);
    let day = match &facts.scope {
        Scope::Whole if facts.recurrence.is_some() => None,
        Scope::Instances { dates, unlisted } if dates.len() + unlisted > 1 => None,
        Scope::Whole | Scope::Instances { .. } | Scope::FromOn(_) => facts.start.as_ref().map(When::day),
    };
    let dated = day
        .map(|day| voice.say("subject-dated", &[("subject", (&subject).into()), ("date", (&voice.date(day)).into())]));
    one_line(&without_isolates(&dated.unwrap_or(subject)), limits::SUBJECT_CHARS_MAX * 2)
}

fn subject_id(occasion: Occasion, answer: Option<Answer>) -> &'static str {
    match occasion {
        Occasion::Invitation => "subject-invitation",
        Occasion::Update => "subject-update",
        Occasion::NewDates => "subject-new-dates",
        Occasion::Cancellation => "subject-cancellation",
        Occasion::Reply => match answer.unwrap_or(Answer::Undecided) {
            Answer::Accepted => "subject-accepted",
            Answer::Declined => "subject-declined",
            Answer::Tentative => "subject-tentative",
            Answer::Delegated => "subject-delegated",
            Answer::Completed => "subject-completed",
            Answer::InProcess => "subject-in-process",
            Answer::Undecided => "subject-undecided",
        },
        Occasion::Counter => "subject-counter",
        Occasion::CounterDeclined => "subject-counter-declined",
        Occasion::Refresh => "subject-refresh",
        Occasion::Publication => "subject-publication",
    }
}

pub(super) fn opening(voice: &Voice<'_>, occasion: Occasion, kind: Kind, facts: &Facts) -> String {
    let organizer = person(voice, facts.organizer.as_deref(), "somebody-organizer");
    let attendee = person(voice, facts.attendee.as_deref(), "somebody-attendee");
    let deputy = fact(facts.sent_by.as_deref());
    let for_whom = |person: String| match &deputy {
        Some(deputy) => voice.say("on-behalf", &[("deputy", deputy.into()), ("person", (&person).into())]),
        None => person,
    };
    let id = opening_id(occasion, facts.answer);
    let (organizer, attendee) = match occasion {
        Occasion::Reply | Occasion::Counter | Occasion::Refresh => (organizer, for_whom(attendee)),
        Occasion::Invitation
        | Occasion::Update
        | Occasion::NewDates
        | Occasion::Cancellation
        | Occasion::CounterDeclined
        | Occasion::Publication => (for_whom(organizer), attendee),
    };
    let given = [("organizer", (&organizer).into()), ("attendee", (&attendee).into()), ("kind", kind.word().into())];
    let sentence = voice.say(id, &given);
    match scope(voice, &facts.scope) {
        Some(scope) => voice.say("sentences", &[("first", (&sentence).into()), ("second", (&scope).into())]),
        None => sentence,
    }
}

pub(super) fn opening_id(occasion: Occasion, answer: Option<Answer>) -> &'static str {
    match occasion {
        Occasion::Invitation => "opening-invitation",
        Occasion::Update => "opening-update",
        Occasion::NewDates => "opening-new-dates",
        Occasion::Cancellation => "opening-cancellation",
        Occasion::Reply => match answer.unwrap_or(Answer::Undecided) {
            Answer::Accepted => "answer-accepted",
            Answer::Declined => "answer-declined",
            Answer::Tentative => "answer-tentative",
            Answer::Delegated => "answer-delegated",
            Answer::Completed => "answer-completed",
            Answer::InProcess => "answer-in-process",
            Answer::Undecided => "answer-undecided",
        },
        Occasion::Counter => "opening-counter",
        Occasion::CounterDeclined => "opening-counter-declined",
        Occasion::Refresh => "opening-refresh",
        Occasion::Publication => "opening-publication",
    }
}

fn scope(voice: &Voice<'_>, scope: &Scope) -> Option<String> {
    match scope {
        Scope::Whole => None,
        Scope::Instances { dates, unlisted } => {
            Some(voice.say("only-these-dates", &[("count", count(dates.len() + unlisted))]))
        }
        Scope::FromOn(when) => Some(voice.say("from-this-date", &[("date", (&voice.date(when.day())).into())])),
    }
}

fn closing(occasion: Occasion, has_links: bool) -> &'static str {
    match occasion {
        Occasion::Invitation | Occasion::Update | Occasion::NewDates if has_links => "closing-links",
        Occasion::Invitation | Occasion::Update | Occasion::NewDates => "closing-answer",
        Occasion::Counter => "closing-counter",
        Occasion::Cancellation
        | Occasion::Reply
        | Occasion::CounterDeclined
        | Occasion::Refresh
        | Occasion::Publication => "closing-information",
    }
}

pub(super) fn rows(voice: &Voice<'_>, kind: Kind, facts: &Facts) -> Vec<Row> {
    let now = Earlier {
        summary: facts.summary.clone(),
        location: facts.location.clone(),
        start: facts.start.clone(),
        end: facts.end.clone(),
        recurrence: facts.recurrence.clone(),
        has_other_description: false,
    };
    let before = facts.before.as_deref();
    let row = |label: &str, is_quoted: bool, read: &dyn Fn(&Earlier) -> Option<String>| {
        changed_row(voice, label, is_quoted, (read(&now), before.map(read)))
    };
    let several = match &facts.scope {
        Scope::Instances { dates, unlisted } if dates.len() + unlisted > 1 => Some((dates, *unlisted)),
        Scope::Whole | Scope::Instances { .. } | Scope::FromOn(_) => None,
    };
    let mut rows = vec![row("label-what", true, &|facts| fact(facts.summary.as_deref()))];
    match (kind, several) {
        (_, Some((dates, unlisted))) => rows.push(Some(dates_row(voice, dates, unlisted))),
        (Kind::Task, None) => {
            rows.push(row("label-start", false, &|facts| facts.start.as_ref().map(|start| voice.instant(start))));
            rows.push(row("label-due", false, &|facts| facts.end.as_ref().map(|due| voice.instant(due))));
        }
        (Kind::Event | Kind::Entry, None) => {
            let when = |facts: &Earlier| facts.start.as_ref().map(|start| voice.period(start, facts.end.as_ref()));
            rows.push(row("label-when", false, &when));
            rows.push(row("label-duration", false, &|facts| {
                voice.duration(facts.start.as_ref()?, facts.end.as_ref()?)
            }));
        }
    }
    rows.push(row("label-repeats", false, &|facts| facts.recurrence.as_ref().map(|series| voice.repeats(series))));
    rows.push(row("label-where", true, &|facts| fact(facts.location.as_deref())));
    rows.into_iter().flatten().collect()
}

/// One fact, beside what it was where an update changed it.
fn changed_row(
    voice: &Voice<'_>,
    label: &str,
    is_quoted: bool,
    (now, before): (Option<String>, Option<Option<String>>),
) -> Option<Row> {
    let changed = before.filter(|before| *before != now);
    if now.is_none() && changed.is_none() {
        return None;
    }
    let nothing = || voice.word("nothing");
    let before = changed.map(|before| before.unwrap_or_else(nothing));
    let before_text = before.as_ref().map(|before| voice.say("before", &[("value", before.into())]));
    let value = now.unwrap_or_else(nothing);
    Some(Row { label: voice.word(label), value, before, before_text, is_quoted })
}

fn dates_row(voice: &Voice<'_>, dates: &[When], unlisted: usize) -> Row {
    let mut listed: Vec<String> = dates.iter().map(|date| voice.instant(date)).collect();
    if unlisted > 0 {
        listed.push(voice.say("more-dates", &[("count", count(unlisted))]));
    }
    let (label, value) = (voice.word("label-dates"), listed.join("\n"));
    Row { label, value, before: None, before_text: None, is_quoted: false }
}

/// The three links; nothing when one of them is neither a web page nor a mail to be written, since it would be clicked.
fn link_row(voice: &Voice<'_>, links: &Links) -> Option<LinkRow> {
    let answers = [("link-yes", &links.yes), ("link-no", &links.no), ("link-maybe", &links.maybe)];
    let is_link = |url: &str| {
        ["https://", "http://", "mailto:"].iter().any(|scheme| url.starts_with(scheme))
            && url.len() <= limits::LINK_OCTETS_MAX
            && url.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>'))
    };
    answers.iter().all(|(_, url)| is_link(url)).then(|| LinkRow {
        intro: voice.word("links-intro"),
        answers: answers.into_iter().map(|(id, url)| LinkedAnswer { word: voice.word(id), url: url.clone() }).collect(),
    })
}

pub(super) fn person(voice: &Voice<'_>, name: Option<&str>, unknown: &str) -> String {
    fact(name).unwrap_or_else(|| voice.word(unknown))
}

pub(super) fn fact(text: Option<&str>) -> Option<String> {
    text.map(|text| one_line(text, limits::FACT_CHARS_MAX)).filter(|text| !text.is_empty()).map(isolated)
}

pub(super) fn count(number: usize) -> Value<'static> {
    Value::Number(i64::try_from(number).unwrap_or(i64::MAX))
}
