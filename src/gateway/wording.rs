//! The words of the mails: reads the directory in which an administrator puts words and templates in place of ours.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::config::Imip;
use crate::imip::limits::{CATALOGUE_BYTES_MAX, TEMPLATE_BYTES_MAX};
use crate::imip::{OverrideFile, Wording};

/// How many files of the directory are looked at; there are names for thirteen.
const FILES_MAX: usize = 100;

/// The words as configured, and what is wrong with the administrator's files, as sentences. Nothing of it stops a mail: what is
/// faulty is left out, and ours stands in.
pub fn load_wording(imip: &Imip) -> (Wording, Vec<String>) {
    let Some(directory) = &imip.templates else { return (Wording::built_in(imip.bodies), Vec::new()) };
    let (files, mut faults) = read(directory);
    let (wording, wrong) = Wording::with(imip.bodies, &files);
    faults.extend(wrong.into_iter().map(|fault| format!("{}/{fault}", directory.display())));
    (wording, faults)
}

/// The catalogues and templates in a directory, in the order of their names, and what could not be read.
fn read(directory: &Path) -> (Vec<OverrideFile>, Vec<String>) {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => return (Vec::new(), vec![format!("{} cannot be read: {error}", directory.display())]),
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| [".ftl", ".txt", ".html"].iter().any(|ending| name.ends_with(ending)))
        .take(FILES_MAX)
        .collect();
    names.sort();
    let (mut files, mut faults) = (Vec::new(), Vec::new());
    for name in names {
        match text(&directory.join(&name)) {
            Ok(text) => files.push(OverrideFile { name, text }),
            Err(wrong) => faults.push(format!("{}: {wrong}", directory.join(&name).display())),
        }
    }
    (files, faults)
}

/// The text of a file; one byte more than is allowed is enough to see that it is too large.
fn text(path: &Path) -> Result<String, String> {
    let most = CATALOGUE_BYTES_MAX.max(TEMPLATE_BYTES_MAX) as u64 + 1;
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes));
    read.map_err(|error| format!("cannot be read: {error}"))?;
    String::from_utf8(bytes).map_err(|_| "is not UTF-8 text, or too large".to_owned())
}
