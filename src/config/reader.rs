//! A reader of TOML tables that gathers all faults instead of stopping at the first.
//!
//! Each question to a [`Section`] names its key; what was never asked for is an unknown key. The questions
//! themselves are thus the list of the known keys, and no second list can differ from them. A value that is absent or faulty
//! is `None`: the caller takes its default, and the faults see to it that this default is never used for real.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{Fault, Wrong, one_of, quote, shown};
use super::limits::TEXT_BYTES_MAX;
use super::nearest::nearest;

/// What is gathered while a document is read.
pub(super) struct Findings {
    line_starts: Vec<usize>,
    /// The lines that were no TOML. What was made of them is not judged, and nothing is missed that may stand there.
    torn: BTreeSet<usize>,
    faults: RefCell<Vec<Fault>>,
    warnings: RefCell<BTreeSet<String>>,
    asked: RefCell<BTreeSet<(&'static str, &'static str)>>,
}

impl Findings {
    /// Nothing found so far, but for what the TOML parser itself complains about.
    pub(super) fn new(text: &str, syntax: &[toml::de::Error]) -> Self {
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let mut findings = Self {
            line_starts,
            torn: BTreeSet::new(),
            faults: RefCell::default(),
            warnings: RefCell::default(),
            asked: RefCell::default(),
        };
        for error in syntax {
            // Only the message: the parser's own display prints the line, and that may hold a secret.
            let wrong = Wrong::new(
                format!("is not TOML: {}", error.message().replace('\n', ", ")),
                "mend this line; texts stand in double quotes, tables in [brackets]",
            );
            findings.add(String::new(), error.span().map(|span| findings.line(&span)), wrong);
        }
        findings.torn = findings.faults.borrow().iter().filter_map(|fault| fault.line).collect();
        findings
    }

    /// Adds a warning; the same one twice is one.
    pub(super) fn warn(&self, text: String) {
        self.warnings.borrow_mut().insert(text);
    }

    /// The faults, the warnings, and the keys that were asked for, as `table.key`.
    pub(super) fn into_parts(self) -> (Vec<Fault>, Vec<String>, Vec<String>) {
        let asked = self.asked.into_inner().into_iter();
        let keys = asked.map(|(table, key)| if table.is_empty() { key.to_owned() } else { format!("{table}.{key}") });
        (self.faults.into_inner(), self.warnings.into_inner().into_iter().collect(), keys.collect())
    }

    fn add(&self, key: String, line: Option<usize>, Wrong { wrong, right }: Wrong) {
        if line.is_none_or(|line| !self.torn.contains(&line)) {
            self.faults.borrow_mut().push(Fault { line, key, wrong, right });
        }
    }

    fn line(&self, span: &Range<usize>) -> usize {
        self.line_starts.partition_point(|start| *start <= span.start)
    }
}

/// One table of the document, or the absence of it.
pub(super) struct Section<'a> {
    name: &'static str,
    number: Option<usize>,
    table: Option<&'a DeTable<'a>>,
    line: Option<usize>,
    asked: RefCell<Vec<&'static str>>,
    findings: &'a Findings,
}

impl<'a> Section<'a> {
    /// The document as a whole.
    pub(super) fn root(table: &'a DeTable<'a>, findings: &'a Findings) -> Self {
        Self { name: "", number: None, table: Some(table), line: None, asked: RefCell::default(), findings }
    }

    /// The table `[key]`; an absent one reads as an empty one.
    pub(super) fn section(&self, key: &'static str) -> Section<'a> {
        self.subsection(key, key)
    }

    /// The table `[name]` within this one, where it stands under `key`.
    pub(super) fn subsection(&self, key: &'static str, name: &'static str) -> Section<'a> {
        let found = self.find(key);
        let table = found.and_then(|found| match found.get_ref() {
            DeValue::Table(table) => Some(table),
            other => {
                self.fault(key, Wrong::new(is_of_type(other), format!("write a table, [{name}]")));
                None
            }
        });
        let line = found.and_then(|_| self.line_of(key));
        Section { name, number: None, table, line, asked: RefCell::default(), findings: self.findings }
    }

    /// The tables `[[key]]`, in their order.
    pub(super) fn sections(&self, key: &'static str) -> Vec<Section<'a>> {
        let right = || format!("write [[{key}]] with two brackets, one such table for each {key}");
        let Some(found) = self.find(key) else { return Vec::new() };
        let DeValue::Array(items) = found.get_ref() else {
            self.fault(key, Wrong::new(is_of_type(found.get_ref()), right()));
            return Vec::new();
        };
        let mut sections = Vec::new();
        for (at, item) in items.iter().enumerate() {
            let line = Some(self.findings.line(&item.span()));
            match item.get_ref() {
                DeValue::Table(table) => sections.push(Section {
                    name: key,
                    number: Some(at + 1),
                    table: Some(table),
                    line,
                    asked: RefCell::default(),
                    findings: self.findings,
                }),
                other => self.findings.add(self.path(key), line, Wrong::new(is_of_type(other), right())),
            }
        }
        sections
    }

    /// A text, as `parse` understands it; `right` says what a value of the wrong type should have been.
    pub(super) fn text<T>(
        &self,
        key: &'static str,
        right: &str,
        parse: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        self.value(key, |value| text_of(value, right).and_then(parse))
    }

    /// One of some words, with its meaning; `later` are words of a later version, with what to write today.
    pub(super) fn choice<T: Copy>(&self, key: &'static str, words: &[(&str, T)], later: &[(&str, &str)]) -> Option<T> {
        let right = format!("write {}", one_of(words.iter().map(|(word, _)| *word)));
        self.text(key, &right, |text| {
            if let Some((_, instead)) = later.iter().find(|(word, _)| *word == text) {
                return Err(Wrong::new(format!("{} is not in this version yet", quote(text)), *instead));
            }
            let known = words.iter().find(|(word, _)| *word == text);
            known.map(|(_, meaning)| *meaning).ok_or_else(|| Wrong::new(format!("is {}", quote(text)), &right))
        })
    }

    /// A list of texts; each faulty one is a fault of its own and is left out.
    pub(super) fn list<T>(
        &self,
        key: &'static str,
        items_max: usize,
        right: &str,
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Option<Vec<T>> {
        if let Some(DeValue::Array(items)) = self.find(key).map(Spanned::get_ref)
            && items.is_empty()
        {
            self.fault(key, Wrong::new("is an empty list", right));
            return None;
        }
        self.list_or_none(key, items_max, right, parse)
    }

    /// One text, or a list of them.
    pub(super) fn one_or_more<T>(
        &self,
        key: &'static str,
        items_max: usize,
        right: &str,
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Option<Vec<T>> {
        match self.find(key)?.get_ref() {
            DeValue::Array(_) => self.list(key, items_max, right, parse),
            _ => self.text(key, right, parse).map(|one| vec![one]),
        }
    }

    /// A list of texts that may be empty, which says that there are none.
    pub(super) fn list_or_none<T>(
        &self,
        key: &'static str,
        items_max: usize,
        right: &str,
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Option<Vec<T>> {
        let items = self.value(key, |value| match value {
            DeValue::Array(items) if items.len() > items_max => {
                Err(Wrong::new(format!("has {} entries", items.len()), format!("keep to {items_max} at most")))
            }
            DeValue::Array(items) => Ok(items),
            other => Err(Wrong::new(is_of_type(other), right)),
        })?;
        let mut read = Vec::with_capacity(items.len());
        for item in items.iter() {
            match text_of(item.get_ref(), right).and_then(&parse) {
                Ok(value) => read.push(value),
                Err(wrong) => self.findings.add(self.path(key), Some(self.findings.line(&item.span())), wrong),
            }
        }
        Some(read)
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, key: &'static str) -> Option<bool> {
        self.value(key, |value| match value {
            DeValue::Boolean(flag) => Ok(*flag),
            other => Err(Wrong::new(is_of_type(other), "write true or false, without quotes")),
        })
    }

    /// A whole number in the range.
    pub(super) fn number<T>(&self, key: &'static str, range: RangeInclusive<T>) -> Option<T>
    where
        T: TryFrom<i64> + PartialOrd + Display,
    {
        let right = format!("write a number from {} to {}, without quotes", range.start(), range.end());
        self.value(key, |value| {
            let DeValue::Integer(digits) = value else { return Err(Wrong::new(is_of_type(value), right)) };
            let number = i64::from_str_radix(digits.as_str(), digits.radix()).ok();
            let fitting = number.and_then(|number| T::try_from(number).ok()).filter(|number| range.contains(number));
            fitting.ok_or_else(|| Wrong::new(format!("is {digits}"), right))
        })
    }

    /// Whether the key is there, faulty or not.
    pub(super) fn has(&self, key: &'static str) -> bool {
        self.find(key).is_some()
    }

    /// Reports a key that has to be there and is not.
    pub(super) fn demand(&self, key: &'static str, right: &str) {
        if !self.has(key) && self.findings.torn.is_empty() {
            self.fault(key, Wrong::new("is missing", right));
        }
    }

    /// Reports a fault of this key.
    pub(super) fn fault(&self, key: &'static str, wrong: Wrong) {
        self.findings.add(self.path(key), self.line_of(key).or(self.line), wrong);
    }

    /// Adds a warning about this key.
    pub(super) fn warn(&self, key: &'static str, text: &str) {
        self.findings.warn(format!("{}: {text}", self.path(key)));
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(self) {
        let asked = self.asked.take();
        for (key, _) in self.table.into_iter().flat_map(|table| table.iter()) {
            if !asked.contains(&key.get_ref().as_ref()) {
                let line = Some(self.findings.line(&key.span()));
                self.findings.add(self.path(&shown(key.get_ref())), line, unknown(key.get_ref(), &asked));
            }
        }
        self.findings.asked.borrow_mut().extend(asked.into_iter().map(|key| (self.name, key)));
    }

    fn value<T>(&self, key: &'static str, parse: impl FnOnce(&'a DeValue<'a>) -> Result<T, Wrong>) -> Option<T> {
        match parse(self.find(key)?.get_ref()) {
            Ok(value) => Some(value),
            Err(wrong) => {
                self.fault(key, wrong);
                None
            }
        }
    }

    fn find(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&key) {
            asked.push(key);
        }
        self.table?.get(key)
    }

    fn line_of(&self, key: &str) -> Option<usize> {
        let (name, _) = self.table?.get_key_value(key)?;
        Some(self.findings.line(&name.span()))
    }

    fn path(&self, key: &str) -> String {
        match (self.name, self.number) {
            ("", _) => key.to_owned(),
            (name, None) => format!("{name}.{key}"),
            (name, Some(number)) => format!("{name}[{number}].{key}"),
        }
    }
}

fn text_of<'v>(value: &'v DeValue<'_>, right: &str) -> Result<&'v str, Wrong> {
    let DeValue::String(text) = value else { return Err(Wrong::new(is_of_type(value), right)) };
    if text.len() > TEXT_BYTES_MAX {
        let wrong = format!("is {} bytes long", text.len());
        return Err(Wrong::new(wrong, format!("keep to {TEXT_BYTES_MAX} bytes at most")));
    }
    Ok(text)
}

fn unknown(key: &str, known: &[&'static str]) -> Wrong {
    let file = format!("{key}_file");
    if let Some(file) = known.iter().find(|known| known.ends_with(&file)) {
        let right = format!("put the secret into a file of its own and name that with {file}");
        return Wrong::new("is not a known key, and no secret stands in this file", right);
    }
    let right = match nearest(key, known.iter().copied()) {
        Some(known) => format!("did you mean {known}?"),
        None => format!("known here: {}", known.join(", ")),
    };
    Wrong::new("is not a known key", right)
}

fn is_of_type(value: &DeValue<'_>) -> String {
    format!("is of type {}", value.type_str())
}
