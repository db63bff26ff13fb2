//! The words of one language: Fluent messages, those that come with imipd and those that an administrator put in their place.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

use super::{Language, MessageFault, inspect};

/// What a message is given for a variable.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    Text(&'a str),
    /// What plural rules and numbered variants look at.
    Number(i64),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::Text(text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Value::Text(text)
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Value::Number(i64::from(number))
    }
}

/// The catalogue of one language.
pub struct Catalogue {
    built_in: FluentBundle<FluentResource>,
    /// The same with an administrator's messages in place of ours, if there are any.
    own: Option<FluentBundle<FluentResource>>,
}

impl Catalogue {
    /// The catalogue that comes with imipd.
    pub fn built_in(language: Language) -> Self {
        Self { built_in: bundle(language, &[]), own: None }
    }

    /// The catalogue with an administrator's messages: those of the parent language first, if it has one, then its own.
    ///
    /// What is faulty in them is left out, and said.
    pub fn with(language: Language, overrides: &[(Language, &str)]) -> (Self, Vec<MessageFault>) {
        let (mut sound, mut faults) = (Vec::new(), Vec::new());
        for (of, text) in overrides {
            let inspected = inspect(text, *of);
            sound.push((*of, inspected.sound));
            // The parent's faults are told with the parent.
            faults.extend(inspected.faults.into_iter().filter(|_| *of == language));
        }
        let own = (!sound.is_empty()).then(|| bundle(language, &sound));
        (Self { built_in: bundle(language, &[]), own }, faults)
    }

    /// A message with its variables; the built-in one where an administrator's breaks down, which is noted in `broken`.
    pub fn say(&self, id: &str, variables: &[(&str, Value<'_>)], broken: &mut Vec<String>) -> String {
        let mut given = FluentArgs::with_capacity(variables.len());
        for (name, value) in variables {
            match value {
                Value::Text(text) => given.set(*name, FluentValue::from(*text)),
                Value::Number(number) => given.set(*name, FluentValue::from(*number)),
            }
        }
        if let Some(own) = &self.own {
            match formatted(own, id, &given) {
                Ok(text) => return text,
                Err(why) => broken.push(format!("the message {id}: {why}")),
            }
        }
        // Tests hold the built-in catalogues complete; should they fail, the id is better than no mail.
        formatted(&self.built_in, id, &given).unwrap_or_else(|_| id.to_owned())
    }
}

impl std::fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Catalogue").field("has_own", &self.own.is_some()).finish_non_exhaustive()
    }
}

fn formatted(bundle: &FluentBundle<FluentResource>, id: &str, given: &FluentArgs<'_>) -> Result<String, String> {
    let pattern = bundle.get_message(id).and_then(|message| message.value()).ok_or("is not there")?;
    let mut errors = Vec::new();
    let text = bundle.format_pattern(pattern, Some(given), &mut errors).into_owned();
    match errors.first() {
        None => Ok(text),
        Some(error) => Err(error.to_string()),
    }
}

/// The messages of a language over those of its parent, each followed by what was put in their place.
fn bundle(language: Language, own: &[(Language, String)]) -> FluentBundle<FluentResource> {
    let tag: LanguageIdentifier = language.tag().parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![tag]);
    // Names that need it are isolated by us, where only that is wanted: not around every number.
    bundle.set_use_isolating(false);
    for layer in language.parent().into_iter().chain([language]) {
        bundle.add_resource_overriding(resource(layer.built_in()));
        for (_, text) in own.iter().filter(|(of, _)| *of == layer) {
            bundle.add_resource_overriding(resource(text));
        }
    }
    bundle
}

/// Text as Fluent messages; what is no message is left out.
fn resource(text: &str) -> FluentResource {
    FluentResource::try_new(text.to_owned()).unwrap_or_else(|(partial, _)| partial)
}
