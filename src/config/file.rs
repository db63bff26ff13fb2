//! The configuration file itself: how much of it is read, and what it is when it is no text.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::fault::ConfigFaults;
use super::limits::FILE_BYTES_MAX;

/// The text of the file, which is UTF-8 and no larger than the limit.
pub(super) fn read_text(path: &Path) -> Result<String, ConfigFaults> {
    let file = path.display().to_string();
    let unreadable = |error: std::io::Error| {
        ConfigFaults::unreadable(
            &file,
            None,
            format!("cannot be read: {error}"),
            "name the configuration with --config FILE, and let the user that imipd runs as read it",
        )
    };
    let mut bytes = Vec::new();
    let mut limited = File::open(path).map_err(unreadable)?.take(FILE_BYTES_MAX + 1);
    limited.read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let wrong = format!("is larger than {} MiB", FILE_BYTES_MAX / 1024 / 1024);
        return Err(ConfigFaults::unreadable(&file, None, wrong, "remove what does not belong into it"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
        let line = valid.filter(|byte| **byte == b'\n').count() + 1;
        ConfigFaults::unreadable(&file, Some(line), "is not UTF-8 text".to_owned(), "save the file as UTF-8")
    })
}
