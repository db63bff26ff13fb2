//! The words of the page behind a link in an invitation.

use chrono_tz::{TZ_VARIANTS, Tz};
use serde::Serialize;

use super::clean::without_isolates;
use super::page::{Kind, Row, count, description_lines, fact, opening, opening_id, person, rows};
use super::{Voice, Wording};
use crate::imip::answer::Choice;
use crate::imip::facts::{Answer, Facts, Occasion};
use crate::imip::language::Language;
use crate::imip::visit::{ALL_DATES, FormState, NoAnswer, Others, Step, Visit, form_word};

/// What the template is given.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct VisitPage {
    language: &'static str,
    title: String,
    /// Who wants what.
    opening: Option<String>,
    heading: String,
    is_cancelled: bool,
    /// That the answer was taken.
    saved: Option<String>,
    rows: Vec<Row>,
    description: Vec<String>,
    so_far: Option<Labelled>,
    form: Option<Form>,
    zone: Option<ZoneForm>,
    others: Option<People>,
    /// What else there is to know, a paragraph each.
    notes: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
struct Labelled {
    label: String,
    text: String,
}

/// The form by which the visitor answers.
#[derive(Clone, Debug, Serialize)]
struct Form {
    legend: String,
    choices: Vec<Radio>,
    /// What is missing.
    error: Option<String>,
    which: Option<Which>,
    comment: String,
    /// That following the link was no answer yet.
    confirm: Option<String>,
    button: String,
}

#[derive(Clone, Debug, Serialize)]
struct Which {
    legend: String,
    dates: Vec<Radio>,
    later: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
struct Radio {
    value: String,
    text: String,
    note: Option<String>,
    is_chosen: bool,
}

/// The form by which the visitor sees the times on another clock.
#[derive(Clone, Debug, Serialize)]
struct ZoneForm {
    /// The zone of the times on the page.
    name: &'static str,
    label: String,
    button: String,
    /// The answer that is chosen beforehand stays so.
    choice: Option<&'static str>,
    areas: Vec<Area>,
}

#[derive(Clone, Debug, Serialize)]
struct Area {
    name: &'static str,
    zones: Vec<&'static str>,
}

#[derive(Clone, Debug, Serialize)]
struct People {
    label: String,
    listed: Vec<String>,
    more: Option<String>,
}

impl Wording {
    /// The page on which an attendee answers, as HTML.
    pub fn visit(&self, language: Language, visit: &Visit, form: &FormState) -> String {
        let Some(voice) = self.voice(language) else { return String::new() };
        self.templates.visit(&visit_page(&voice, language, visit, form))
    }

    /// The page that says why there is nothing to be answered, as HTML; `about` tells what it was.
    pub fn no_answer(&self, language: Language, why: NoAnswer, about: Option<(&Facts, &'static str)>) -> String {
        let Some(voice) = self.voice(language) else { return String::new() };
        self.templates.visit(&no_answer_page(&voice, language, why, about))
    }
}

fn visit_page(voice: &Voice<'_>, language: Language, visit: &Visit, form: &FormState) -> VisitPage {
    let (facts, kind) = (&visit.facts, Kind::of(visit.component));
    let heading = heading(voice, facts);
    let title = voice.say("page-title", &[("title", (&heading).into())]);
    let organizer = person(voice, facts.organizer.as_deref(), "somebody-organizer");
    let address = fact(Some(&visit.address)).unwrap_or_default();
    VisitPage {
        language: language.tag(),
        title: without_isolates(&title),
        opening: Some(opening(voice, Occasion::Invitation, kind, facts)),
        heading,
        saved: (form.step == Step::Saved).then(|| voice.say("page-saved", &[("organizer", (&organizer).into())])),
        rows: visit_rows(voice, kind, visit),
        description: description_lines(voice, facts),
        so_far: so_far(voice, visit),
        form: Some(answer_form(voice, &organizer, visit, form)),
        zone: visit.zone.map(|zone| zone_form(voice, zone, form)),
        others: visit.others.as_ref().map(|others| people(voice, others)),
        notes: vec![
            voice.say("page-answers-for", &[("attendee", (&address).into())]),
            voice.word("page-personal"),
            voice.word("closing-links"),
        ],
        ..VisitPage::default()
    }
}

fn heading(voice: &Voice<'_>, facts: &Facts) -> String {
    fact(facts.summary.as_deref()).unwrap_or_else(|| voice.word("untitled"))
}

/// The facts but for the title, on the visitor's clock; beside it stands the clock on which it was planned.
fn visit_rows(voice: &Voice<'_>, kind: Kind, visit: &Visit) -> Vec<Row> {
    let mut facts = Facts { summary: None, ..visit.facts.clone() };
    let Some(own) = &visit.own_clock else { return rows(voice, kind, &facts) };
    let planned = facts.start.as_ref().map(|start| voice.period(start, facts.end.as_ref()));
    (facts.start, facts.end) = (Some(own.start.clone()), own.end.clone());
    let organizer = person(voice, facts.organizer.as_deref(), "somebody-organizer");
    let mut rows = rows(voice, kind, &facts);
    if let (Some(row), Some(planned)) = (rows.first_mut(), planned) {
        row.before_text =
            Some(voice.say("page-clock", &[("organizer", (&organizer).into()), ("time", (&planned).into())]));
    }
    rows
}

/// What was answered before; nothing was while everybody waits for it.
fn so_far(voice: &Voice<'_>, visit: &Visit) -> Option<Labelled> {
    let answer = visit.facts.answer.filter(|answer| *answer != Answer::Undecided)?;
    let text = answered(voice, visit.facts.attendee.as_deref(), answer);
    Some(Labelled { label: voice.word("page-so-far"), text })
}

/// Who has answered what, as a sentence.
fn answered(voice: &Voice<'_>, name: Option<&str>, answer: Answer) -> String {
    let attendee = person(voice, name, "somebody-attendee");
    // The sentences of the mails say it in the same words.
    let (organizer, kind) = (String::new(), Kind::Event.word());
    let given = [("organizer", (&organizer).into()), ("attendee", (&attendee).into()), ("kind", kind.into())];
    voice.say(opening_id(Occasion::Reply, Some(answer)), &given)
}

fn answer_form(voice: &Voice<'_>, organizer: &str, visit: &Visit, form: &FormState) -> Form {
    let so_far = visit.facts.answer.and_then(choice_of);
    let chosen = form.choice.or(so_far);
    let choices = [Choice::Accept, Choice::Tentative, Choice::Decline].map(|choice| Radio {
        value: form_word(choice).to_owned(),
        text: voice.word(word_id(choice)),
        note: None,
        is_chosen: chosen == Some(choice),
    });
    let is_new = form.step == Step::Asked && form.choice.is_some_and(|choice| so_far != Some(choice));
    let has_answered = visit.facts.answer.is_some_and(|answer| answer != Answer::Undecided);
    Form {
        legend: voice.word("links-intro"),
        choices: choices.into(),
        error: (form.step == Step::NothingChosen).then(|| voice.word("page-choose")),
        which: (!visit.dates.is_empty()).then(|| which(voice, visit, form)),
        comment: voice.say("page-comment", &[("organizer", organizer.into())]),
        confirm: is_new.then(|| voice.word("page-confirm")),
        button: voice.word(if has_answered { "page-change" } else { "page-send" }),
    }
}

fn which(voice: &Voice<'_>, visit: &Visit, form: &FormState) -> Which {
    let is_listed = |key: &String| visit.dates.iter().any(|date| date.key == *key);
    let chosen = form.date.as_ref().filter(|key| is_listed(key));
    let all = Radio {
        value: ALL_DATES.to_owned(),
        text: voice.word("page-all-dates"),
        note: None,
        is_chosen: chosen.is_none(),
    };
    let each = visit.dates.iter().map(|date| Radio {
        value: date.key.clone(),
        text: voice.instant_alone(&date.start),
        note: choice_of(date.answer).map(|choice| voice.word(word_id(choice))),
        is_chosen: chosen == Some(&date.key),
    });
    Which {
        legend: voice.word("page-which"),
        dates: std::iter::once(all).chain(each).collect(),
        later: visit.has_later_dates.then(|| voice.word("page-later-dates")),
    }
}

fn word_id(choice: Choice) -> &'static str {
    match choice {
        Choice::Accept => "link-yes",
        Choice::Decline => "link-no",
        Choice::Tentative => "link-maybe",
    }
}

fn choice_of(answer: Answer) -> Option<Choice> {
    match answer {
        Answer::Accepted => Some(Choice::Accept),
        Answer::Declined => Some(Choice::Decline),
        Answer::Tentative => Some(Choice::Tentative),
        Answer::Delegated | Answer::Completed | Answer::InProcess | Answer::Undecided => None,
    }
}

/// The areas of which zones can be chosen. The others hold old names, and such as `Etc/GMT-2`, which says the opposite of what it
/// seems to.
const AREAS: [&str; 11] = [
    "UTC",
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
];

fn zones_in(area: &str) -> Vec<&'static str> {
    let is_in = |name: &&str| name.split('/').next() == Some(area);
    TZ_VARIANTS.iter().map(|zone| zone.name()).filter(is_in).collect()
}

fn zone_form(voice: &Voice<'_>, zone: Tz, form: &FormState) -> ZoneForm {
    let mut areas: Vec<Area> = AREAS
        .iter()
        .map(|area| Area { name: area, zones: zones_in(area) })
        .filter(|area| !area.zones.is_empty())
        .collect();
    // What stands on the page can be chosen, also where it has an old name, such as `Canada/Pacific`.
    if !areas.iter().any(|area| area.zones.contains(&zone.name())) {
        areas.insert(0, Area { name: zone.name(), zones: vec![zone.name()] });
    }
    ZoneForm {
        name: zone.name(),
        label: voice.word("page-zone"),
        button: voice.word("page-zone-show"),
        choice: form.choice.map(form_word),
        areas,
    }
}

fn people(voice: &Voice<'_>, others: &Others) -> People {
    let listed = others.listed.iter().map(|(name, answer)| answered(voice, Some(name), *answer));
    People {
        label: voice.word("page-others"),
        listed: listed.collect(),
        more: (others.unlisted > 0).then(|| voice.say("page-others-more", &[("count", count(others.unlisted))])),
    }
}

fn no_answer_page(
    voice: &Voice<'_>,
    language: Language,
    why: NoAnswer,
    about: Option<(&Facts, &'static str)>,
) -> VisitPage {
    let (heading, advice) = no_answer_ids(why);
    let mut page = VisitPage {
        language: language.tag(),
        title: voice.word(heading),
        heading: voice.word(heading),
        notes: vec![voice.word(advice)],
        is_cancelled: why == NoAnswer::Cancelled,
        ..VisitPage::default()
    };
    let Some((facts, component)) = about else { return page };
    let (kind, title) = (Kind::of(component), fact(facts.summary.as_deref()));
    page.rows = rows(voice, kind, &Facts { summary: None, ..facts.clone() });
    match (why, title) {
        (NoAnswer::Cancelled, title) => {
            let title = title.unwrap_or_else(|| voice.word("untitled"));
            page.heading = voice.say("subject-cancellation", &[("title", (&title).into())]);
            page.opening = Some(opening(voice, Occasion::Cancellation, kind, facts));
        }
        (_, Some(title)) => page.rows.insert(0, Row::plain(voice.word("label-what"), title)),
        (_, None) => {}
    }
    page
}

/// The messages of a page: its heading, and what to do.
fn no_answer_ids(why: NoAnswer) -> (&'static str, &'static str) {
    match why {
        NoAnswer::Unknown => ("page-unknown", "page-unknown-advice"),
        NoAnswer::Expired => ("page-expired", "page-expired-advice"),
        NoAnswer::Revoked => ("page-revoked", "page-revoked-advice"),
        NoAnswer::Cancelled => ("page-cancelled", "page-nothing-to-answer"),
        NoAnswer::Superseded => ("page-superseded", "page-superseded-advice"),
        NoAnswer::Uninvited => ("page-uninvited", "page-uninvited-advice"),
        NoAnswer::Refused => ("page-refused", "page-refused-advice"),
        NoAnswer::Misread => ("page-misread", "page-misread-advice"),
        NoAnswer::Busy => ("page-busy", "page-busy-advice"),
        NoAnswer::Broken => ("page-broken", "page-broken-advice"),
    }
}
