//! What is wrong in a configuration, told all at once.

use std::fmt;

use super::limits::{FAULTS_SHOWN_MAX, TEXT_BYTES_MAX};

/// One mistake: where it is, what is wrong and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, counted from 1; nothing when it is a whole table or the file itself that is missing.
    pub line: Option<usize>,
    /// The key path, such as `smtp.port` or `user[2].addresses`, users counted from 1; empty when the text is no TOML.
    pub key: String,
    /// What is wrong; it continues the sentence that the key begins.
    pub wrong: String,
    /// What would be right, as an instruction.
    pub right: String,
}

/// Every mistake of one configuration, in the order of the lines.
///
/// Displayed as a list, one per line: `FILE:LINE: key: what is wrong; what would be right`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFaults {
    file: String,
    faults: Vec<Fault>,
}

impl ConfigFaults {
    /// The faults of the file of this name, sorted by line; what has no line comes last.
    pub(super) fn new(file: impl Into<String>, mut faults: Vec<Fault>) -> Self {
        faults.sort_by_key(|fault| fault.line.unwrap_or(usize::MAX));
        Self { file: file.into(), faults }
    }

    /// The one fault of a file that cannot be read at all.
    pub(super) fn unreadable(file: impl Into<String>, line: Option<usize>, wrong: String, right: &str) -> Self {
        Self::new(file, vec![Fault { line, key: String::new(), wrong, right: right.to_owned() }])
    }

    /// The faults as values, at least one.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }
}

impl fmt::Display for ConfigFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, fault) in self.faults.iter().take(FAULTS_SHOWN_MAX).enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&self.file)?;
            if let Some(line) = fault.line {
                write!(f, ":{line}")?;
            }
            if !fault.key.is_empty() {
                write!(f, ": {}", fault.key)?;
            }
            write!(f, ": {}; {}", fault.wrong, fault.right)?;
        }
        match self.faults.len().saturating_sub(FAULTS_SHOWN_MAX) {
            0 => Ok(()),
            more => write!(f, "\n{}: and {more} more faults", self.file),
        }
    }
}

impl std::error::Error for ConfigFaults {}

/// What a value reader says about a value that it refuses.
#[derive(Debug)]
pub(super) struct Wrong {
    pub wrong: String,
    pub right: String,
}

impl Wrong {
    pub(super) fn new(wrong: impl Into<String>, right: impl Into<String>) -> Self {
        Self { wrong: wrong.into(), right: right.into() }
    }
}

/// A value in quotes, with control characters escaped and cut to a readable length.
pub(super) fn quote(text: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 60;
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{:?}...", text.get(..end).unwrap_or(text)),
        None => format!("{text:?}"),
    }
}

/// The key as it may be printed: bare where TOML allows it, otherwise quoted.
pub(super) fn shown(key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if bare && key.len() < TEXT_BYTES_MAX { key.to_owned() } else { quote(key) }
}

/// `"a", "b" or "c"`.
pub(super) fn one_of<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let quoted: Vec<String> = words.map(|word| format!("{word:?}")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}
