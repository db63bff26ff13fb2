//! Looks an administrator's catalogue over before any mail depends on it.

use std::collections::{BTreeMap, BTreeSet};

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Message, Pattern, PatternElement, Resource};
use fluent_syntax::{parser, serializer};

use super::{Language, variables};
use crate::imip::limits;

/// What is wrong with a catalogue, and on which line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageFault {
    pub line: usize,
    pub wrong: String,
}

/// A catalogue that was looked over.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// The messages without fault, as Fluent text.
    pub sound: String,
    pub faults: Vec<MessageFault>,
}

/// What a message may leave out although ours of the same name says it: who it is about, which others of the hours a time is told by,
/// and what of a date everybody knows.
const OPTIONAL: [&str; 12] = [
    "kind",
    "organizer",
    "attendee",
    "deputy",
    "person",
    "sender",
    "weekday",
    "year",
    "hour",
    "hour12",
    "hour24",
    "half",
];

/// The message that puts a date behind a title, or does not.
const MAY_LEAVE_OUT_ALL: &str = "subject-dated";

/// Finds what is no Fluent, what no mail would ever say, what asks for variables that it would not be given, and what leaves out one
/// without which the reader of a mail would miss something.
pub fn inspect(text: &str, language: Language) -> Inspected {
    if text.len() > limits::CATALOGUE_BYTES_MAX {
        let wrong = format!("is larger than {} KiB; none of it is used", limits::CATALOGUE_BYTES_MAX / 1024);
        return Inspected { sound: String::new(), faults: vec![MessageFault { line: 1, wrong }] };
    }
    let (resource, syntax) = match parser::parse(text) {
        Ok(resource) => (resource, Vec::new()),
        Err((resource, errors)) => (resource, errors),
    };
    let mut faults: Vec<MessageFault> = syntax
        .iter()
        .map(|error| MessageFault { line: line_at(text, error.pos.start), wrong: format!("is not Fluent: {error}") })
        .collect();
    let base = base_resource(language);
    let (ours, index) = (Index::of(&base, &Resource { body: Vec::new() }), Index::of(&base, &resource));
    let mut sound = Vec::new();
    let mut seen = BTreeSet::new();
    for entry in resource.body {
        let Some(id) = id_of(&entry) else { continue };
        let wrong = if seen.insert(id) {
            index.wrong(&entry).or_else(|| index.left_out(id, &ours))
        } else {
            Some("stands there twice".to_owned())
        };
        match wrong {
            Some(wrong) => faults.push(MessageFault { line: line_of(text, id), wrong: format!("{id} {wrong}") }),
            None => sound.push(entry),
        }
    }
    faults.sort_by_key(|fault| fault.line);
    Inspected { sound: serializer::serialize(&Resource { body: sound }), faults }
}

/// The messages that come with imipd, the parent's first.
fn base_resource(language: Language) -> Resource<&'static str> {
    let layers = language.parent().into_iter().chain([language]);
    let body = layers.flat_map(|layer| match parser::parse(layer.built_in()) {
        Ok(resource) | Err((resource, _)) => resource.body,
    });
    Resource { body: body.collect() }
}

/// What a message or term asks for directly.
#[derive(Clone, Debug, Default)]
struct Needs {
    variables: BTreeSet<String>,
    /// Messages and terms, terms with their hyphen.
    references: BTreeSet<String>,
    functions: BTreeSet<String>,
}

/// Every message and term by its id, with what it needs.
struct Index {
    needs: BTreeMap<String, Needs>,
}

impl Index {
    fn of(base: &Resource<&str>, own: &Resource<&str>) -> Self {
        let entries = base.body.iter().chain(&own.body);
        let needs = entries.filter_map(|entry| Some((id_of(entry)?.to_owned(), needs_of(pattern_of(entry)?))));
        Self { needs: needs.collect() }
    }

    /// What is wrong with an entry, if anything is.
    fn wrong(&self, entry: &Entry<&str>) -> Option<String> {
        let Entry::Message(Message { id, value, attributes, .. }) = entry else { return None };
        if value.is_none() || !attributes.is_empty() {
            return Some("has attributes, or no text of its own; write a plain message".to_owned());
        }
        let (all, unknown) = self.closure(id.name);
        if let Some(unknown) = unknown {
            return Some(format!("refers to {unknown}, which is not there"));
        }
        if let Some(function) = all.functions.first() {
            return Some(format!("calls the function {function}; there are none here"));
        }
        let Some(given) = variables(id.name) else {
            let is_used = self.needs.values().any(|needs| needs.references.contains(id.name));
            return (!is_used).then(|| "is no message of the mails, and no other message refers to it".to_owned());
        };
        let missing = all.variables.iter().find(|variable| !given.contains(&variable.as_str()))?;
        let known: Vec<String> = given.iter().map(|variable| format!("${variable}")).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Some(format!("asks for ${missing}, which it is not given; it is given: {known}"))
    }

    /// What a message of ours says, and this one in its place does not.
    fn left_out(&self, id: &str, ours: &Index) -> Option<String> {
        if !ours.needs.contains_key(id) || variables(id).is_none() || id == MAY_LEAVE_OUT_ALL {
            return None;
        }
        let (told, said) = (ours.closure(id).0.variables, self.closure(id).0.variables);
        let left_out = told.iter().find(|name| !OPTIONAL.contains(&name.as_str()) && !said.contains(*name))?;
        Some(format!("leaves out ${left_out}, which whoever reads the mail would miss"))
    }

    /// What a message needs together with all that it refers to, and the first reference that leads nowhere.
    fn closure(&self, id: &str) -> (Needs, Option<String>) {
        let (mut all, mut seen, mut pending) = (Needs::default(), BTreeSet::new(), vec![id.to_owned()]);
        while let Some(next) = pending.pop() {
            if !seen.insert(next.clone()) {
                continue;
            }
            let Some(needs) = self.needs.get(&next) else { return (all, Some(next)) };
            all.variables.extend(needs.variables.iter().cloned());
            all.functions.extend(needs.functions.iter().cloned());
            pending.extend(needs.references.iter().cloned());
        }
        (all, None)
    }
}

fn id_of<'s>(entry: &Entry<&'s str>) -> Option<&'s str> {
    match entry {
        Entry::Message(message) => Some(message.id.name),
        Entry::Term(term) => Some(term.id.name),
        Entry::Comment(_) | Entry::GroupComment(_) | Entry::ResourceComment(_) | Entry::Junk { .. } => None,
    }
}

fn pattern_of<'e, 's>(entry: &'e Entry<&'s str>) -> Option<&'e Pattern<&'s str>> {
    match entry {
        Entry::Message(message) => message.value.as_ref(),
        Entry::Term(term) => Some(&term.value),
        Entry::Comment(_) | Entry::GroupComment(_) | Entry::ResourceComment(_) | Entry::Junk { .. } => None,
    }
}

fn needs_of(pattern: &Pattern<&str>) -> Needs {
    let mut needs = Needs::default();
    let mut patterns = vec![pattern];
    while let Some(pattern) = patterns.pop() {
        for element in &pattern.elements {
            let PatternElement::Placeable { expression } = element else { continue };
            note(expression, &mut needs, &mut patterns);
        }
    }
    needs
}

fn note<'e, 's>(expression: &'e Expression<&'s str>, needs: &mut Needs, patterns: &mut Vec<&'e Pattern<&'s str>>) {
    let mut inline = match expression {
        Expression::Inline(inline) => inline,
        Expression::Select { selector, variants } => {
            patterns.extend(variants.iter().map(|variant| &variant.value));
            selector
        }
    };
    while let InlineExpression::Placeable { expression } = inline {
        match expression.as_ref() {
            Expression::Inline(inner) => inline = inner,
            Expression::Select { selector, variants } => {
                patterns.extend(variants.iter().map(|variant| &variant.value));
                inline = selector;
            }
        }
    }
    match inline {
        InlineExpression::VariableReference { id } => drop(needs.variables.insert(id.name.to_owned())),
        InlineExpression::MessageReference { id, .. } => drop(needs.references.insert(id.name.to_owned())),
        InlineExpression::TermReference { id, .. } => drop(needs.references.insert(id.name.to_owned())),
        InlineExpression::FunctionReference { id, .. } => drop(needs.functions.insert(id.name.to_owned())),
        InlineExpression::StringLiteral { .. }
        | InlineExpression::NumberLiteral { .. }
        | InlineExpression::Placeable { .. } => {}
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// The line on which a message begins.
fn line_of(text: &str, id: &str) -> usize {
    let begins = |line: &str| {
        let line = line.strip_prefix('-').unwrap_or(line);
        line.strip_prefix(id).is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    text.lines().position(begins).map_or(1, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<(usize, String)> {
        inspect(text, Language::German).faults.into_iter().map(|fault| (fault.line, fault.wrong)).collect()
    }

    #[test]
    fn what_is_sound_is_kept() {
        let text = "# mine\nsubject-update = Neu: { $title }\nown = Chef\nsomebody-organizer = Der { own }\n";
        let inspected = inspect(text, Language::German);
        assert_eq!(inspected.faults, []);
        assert!(inspected.sound.contains("subject-update = Neu: { $title }"), "{}", inspected.sound);
        assert!(inspected.sound.contains("own = Chef"));
    }

    #[test]
    fn every_fault_is_told_with_its_line() {
        let text = "subject-update = Neu: { $titel }\n\
            subjekt = x\n\
            link-yes = { ja }\n\
            link-no = { NUMBER(1) }\n\
            label-what = Was { this-item }\n\
            link-maybe = a\n\
            link-maybe = b\n\
            broken = { $title\n";
        let told = faults(text);
        let expected = [
            (1, "subject-update asks for $titel, which it is not given; it is given: $title"),
            (2, "subjekt is no message of the mails, and no other message refers to it"),
            (3, "link-yes refers to ja, which is not there"),
            (4, "link-no calls the function NUMBER; there are none here"),
            (5, "label-what asks for $kind, which it is not given; it is given: none"),
            (6, "link-maybe stands there twice"),
        ];
        for (line, wrong) in expected {
            assert!(told.contains(&(line, wrong.to_owned())), "{wrong}: {told:?}");
        }
        assert!(told.iter().any(|(line, wrong)| *line >= 8 && wrong.starts_with("is not Fluent")), "{told:?}");
        assert_eq!(told.len(), expected.len() + 1, "{told:?}");
    }

    #[test]
    fn a_message_that_refers_to_itself_does_not_stop_the_inspection() {
        assert_eq!(faults("link-yes = { own }\nown = { link-yes }\n"), []);
        let text = format!("link-yes = {}\n", "x".repeat(limits::CATALOGUE_BYTES_MAX));
        assert_eq!(faults(&text).len(), 1);
        assert!(inspect(&text, Language::German).sound.is_empty());
    }
}
