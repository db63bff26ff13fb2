//! The words of a mail: subject, text and HTML, in the reader's language.
//!
//! | file | what it does |
//! |---|---|
//! | `clean` | makes a text from outside fit to be shown |
//! | `asking` | what a question to a user says |
//! | `times` | dates, spans and durations in words |
//! | `repeats` | a series in words |
//! | `page` | what a mail says, line by line |
//! | `template` | how the lines are laid out, as text and as HTML |
//! | `visit` | the page behind a link |
//! | `overrides` | what an administrator has put in place of ours |

mod asking;
pub mod clean;
mod overrides;
mod page;
mod repeats;
mod template;
mod times;
mod visit;

use std::cell::RefCell;

use super::facts::{Facts, Occasion};
use super::language::{Catalogue, Language, Value};
pub use overrides::{OverrideFault, OverrideFile};
pub use page::Kind;
use template::Templates;

/// Which bodies a mail has, beside its calendar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bodies {
    /// Plain text and HTML.
    #[default]
    Both,
    /// Plain text alone.
    Text,
}

/// All catalogues and templates; made once, and then only read.
#[derive(Debug)]
pub struct Wording {
    catalogues: Vec<(Language, Catalogue)>,
    templates: Templates,
    bodies: Bodies,
}

/// What a mail says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// One line, free of control characters.
    pub subject: String,
    /// Lines end in `\n`, and are short unless a single word is long.
    pub text: String,
    /// Nothing where only plain text is wanted.
    pub html: Option<String>,
    /// What an administrator's messages or templates could not do, so that ours stood in; as sentences.
    pub broken: Vec<String>,
}

impl Wording {
    /// The words that come with imipd.
    pub fn built_in(bodies: Bodies) -> Self {
        let catalogues = Language::ALL.map(|language| (language, Catalogue::built_in(language)));
        Self { catalogues: catalogues.into(), templates: Templates::built_in(), bodies }
    }

    /// The words of a mail about a component such as `VEVENT`.
    pub fn write(&self, language: Language, occasion: Occasion, component: &str, facts: &Facts) -> Written {
        let Some(voice) = self.voice(language) else {
            // Every language has its catalogue; the first is English.
            return Written { subject: String::new(), text: String::new(), html: None, broken: Vec::new() };
        };
        let page = page::page(&voice, (language, occasion, Kind::of(component)), facts);
        let text = self.templates.text(&page, &voice);
        let html = match self.bodies {
            Bodies::Both => Some(self.templates.html(&page, &voice)),
            Bodies::Text => None,
        };
        Written { subject: page.subject, text, html, broken: voice.into_broken() }
    }

    /// One message, with a text for each of its variables: what it says by itself, to look at.
    pub fn say(&self, language: Language, id: &str, variables: &[(&str, String)]) -> String {
        let variables: Vec<_> = variables.iter().map(|(name, text)| (*name, Value::Text(text))).collect();
        self.catalogue(language).map_or_else(String::new, |catalogue| catalogue.say(id, &variables, &mut Vec::new()))
    }

    /// Who speaks this language; nothing is said by it yet.
    pub(super) fn voice(&self, language: Language) -> Option<Voice<'_>> {
        let catalogue = self.catalogue(language)?;
        Some(Voice { catalogue, broken: RefCell::default() })
    }

    fn catalogue(&self, language: Language) -> Option<&Catalogue> {
        self.catalogues.iter().find(|(known, _)| *known == language).map(|(_, catalogue)| catalogue)
    }
}

/// A catalogue that speaks, and remembers what it could not say as it was told to.
pub(super) struct Voice<'a> {
    catalogue: &'a Catalogue,
    broken: RefCell<Vec<String>>,
}

impl Voice<'_> {
    pub(super) fn say(&self, id: &str, variables: &[(&str, Value<'_>)]) -> String {
        self.catalogue.say(id, variables, &mut self.broken.borrow_mut())
    }

    pub(super) fn word(&self, id: &str) -> String {
        self.say(id, &[])
    }

    /// What could not be said as it was told to.
    pub(super) fn into_broken(self) -> Vec<String> {
        self.broken.into_inner()
    }
}

/// A text in lines that are short enough for a mail, unless a single word is long.
pub(super) fn wrapped(text: &str) -> String {
    template::wrap(text, "", 0)
}

/// The same, with all lines behind so many blanks.
pub(super) fn wrapped_behind(blanks: usize, text: &str) -> String {
    template::wrap(text, &" ".repeat(blanks), blanks)
}
