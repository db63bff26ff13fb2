//! What the page behind a link in an invitation shows its visitor: facts, in no language yet.

use chrono_tz::Tz;

use super::answer::Choice;
use super::facts::{Answer, Facts, When};
use super::language::Language;
use super::limits;
use super::wording::clean;
use crate::itip::InstanceKey;

/// What a form says for all dates of a series.
pub(super) const ALL_DATES: &str = "all";

/// The page on which one attendee answers.
#[derive(Clone, Debug)]
pub struct Visit {
    /// What it is about. The answer in it is the one given so far, the attendee is the one for whom the link answers.
    pub facts: Facts,
    /// The kind of the component, such as `VEVENT`.
    pub component: &'static str,
    /// The attendee's address, so that whoever else got the mail sees for whom they would answer.
    pub address: String,
    /// The attendee's language, for visitors whose program names none that has a catalogue.
    pub language: Language,
    /// When it takes place on the visitor's clock, where that is another one than the clock it was planned on.
    pub own_clock: Option<OwnClock>,
    /// The zone in which times are shown; nothing where a zone makes no difference.
    pub zone: Option<Tz>,
    /// The dates that can be answered one by one; none where there is nothing to choose.
    pub dates: Vec<VisitDate>,
    /// Whether there are later dates that are not listed.
    pub has_later_dates: bool,
    /// Who else is invited, with what they have answered; nothing when that is not told.
    pub others: Option<Others>,
}

/// A span of time on the clock of the visitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnClock {
    pub start: When,
    pub end: Option<When>,
}

/// One date of a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitDate {
    /// Its RECURRENCE-ID, as a form sends it back.
    pub key: String,
    pub start: When,
    /// What the attendee has answered about it.
    pub answer: Answer,
}

/// The others who are invited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Others {
    /// Each with a name, or an address.
    pub listed: Vec<(String, Answer)>,
    pub unlisted: usize,
}

/// How the form stands on the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormState {
    /// The answer that is chosen beforehand, by the link that was followed.
    pub choice: Option<Choice>,
    /// The date that is chosen; all of them when there is none.
    pub date: Option<String>,
    pub step: Step,
}

/// How far a visitor has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Step {
    #[default]
    Asked,
    /// The form was sent without an answer.
    NothingChosen,
    /// The answer was taken.
    Saved,
}

/// Why there is nothing to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// The link is none of ours, or not whole.
    Unknown,
    /// It has been over for too long.
    Expired,
    /// The link was taken back.
    Revoked,
    /// The meeting, or the instance, is called off.
    Cancelled,
    /// A newer invitation asks anew.
    Superseded,
    /// The attendee is no longer invited.
    Uninvited,
    /// The answer was refused.
    Refused,
    /// What came is no form of ours.
    Misread,
    /// Too many attempts came from there.
    Busy,
    /// It is our fault.
    Broken,
}

impl NoAnswer {
    /// Every reason.
    pub const ALL: [NoAnswer; 10] = [
        NoAnswer::Unknown,
        NoAnswer::Expired,
        NoAnswer::Revoked,
        NoAnswer::Cancelled,
        NoAnswer::Superseded,
        NoAnswer::Uninvited,
        NoAnswer::Refused,
        NoAnswer::Misread,
        NoAnswer::Busy,
        NoAnswer::Broken,
    ];
}

/// The word for an answer in links and forms.
pub fn form_word(choice: Choice) -> &'static str {
    match choice {
        Choice::Accept => "yes",
        Choice::Decline => "no",
        Choice::Tentative => "maybe",
    }
}

/// The answer that such a word stands for.
pub fn choice_of_word(word: &str) -> Option<Choice> {
    [Choice::Accept, Choice::Decline, Choice::Tentative].into_iter().find(|choice| form_word(*choice) == word)
}

/// Which dates of a series a form is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dates {
    All,
    One(InstanceKey),
}

/// The dates that a form names; nothing for what is no date.
pub fn dates_of_word(word: &str) -> Option<Dates> {
    match word {
        "" | ALL_DATES => Some(Dates::All),
        date => InstanceKey::parse(date).filter(|key| matches!(key, InstanceKey::This(_))).map(Dates::One),
    }
}

/// The comment of a form, fit to be shown; nothing when it says nothing.
pub fn comment_of_form(text: &str) -> Option<String> {
    let (lines, _) = clean::lines(text, limits::PAGE_COMMENT_CHARS_MAX);
    let comment = lines.join("\n");
    (!comment.is_empty()).then_some(comment)
}

/// The language of a visitor: of those that their program names (RFC 9110 §12.5.4), the one they like best that has a catalogue.
///
/// `*` asks for nothing in particular, and a weight of 0 for anything but that language.
pub fn language_of_visitor(accept_language: &str) -> Option<Language> {
    let mut best: Option<(u32, Language)> = None;
    for range in accept_language.split(',').take(limits::LANGUAGES_MAX) {
        let mut parts = range.split(';').map(str::trim);
        let Some(language) = parts.next().and_then(Language::of_tag) else { continue };
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let weight = weight.map_or(1_000, thousandths);
        if weight > best.map_or(0, |(most, _)| most) {
            best = Some((weight, language));
        }
    }
    best.map(|(_, language)| language)
}

/// A weight such as 0.8, in thousandths; what is none counts as 0 (RFC 9110 §12.4.2).
fn thousandths(weight: &str) -> u32 {
    let (whole, rest) = weight.split_once('.').unwrap_or((weight, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match whole {
        "1" => 1_000,
        "0" if rest.len() <= 3 && is_digits(rest) => format!("{rest:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_that_is_liked_best_and_known_is_taken() {
        for (header, expected) in [
            ("de-AT,de;q=0.9,en;q=0.8", Some(Language::German)),
            ("fy;q=1.0, nl;q=0.7, en-US;q=0.75", Some(Language::AmericanEnglish)),
            ("en;q=0, pl;q=0.001", Some(Language::Polish)),
            ("ja;q=2, fr;q=0.5", Some(Language::French)),
            ("ja;q=0.5x, *", None),
            ("zh-TW, zh-Hans;q=0.2", Some(Language::SimplifiedChinese)),
            ("", None),
            (";;;,,,q=1", None),
        ] {
            assert_eq!(language_of_visitor(header), expected, "{header}");
        }
        let long = "xx,".repeat(100_000) + "de";
        assert_eq!(language_of_visitor(&long), None, "nobody likes so many languages");
    }
}
