//! Where the scenarios are.

use std::path::{Path, PathBuf};

/// The scenario files of a folder and of those in it; in each folder by name.
pub fn scenario_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
        .into_iter()
        .flat_map(|path| if path.is_dir() { scenario_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect()
}
