//! Mail as it lies on disk, read without asking the server.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// One mail in a user's mailbox.
#[derive(Clone, Debug)]
pub struct DeliveredMail {
    /// The file; it is renamed when flags change.
    pub path: PathBuf,
    /// When the delivery began, as the file's name tells it.
    ///
    /// Not the file's modification time: of a mail to several recipients Dovecot gives the copies one of whole seconds.
    pub arrived: SystemTime,
    /// The mail as stored: line ends are LF, and the delivery has put `Return-Path`, `Delivered-To` and `Received` in
    /// front.
    pub raw: Vec<u8>,
}

impl DeliveredMail {
    /// The value of the first header named `name`, unfolded; encoded words are not decoded.
    pub fn header(&self, name: &str) -> Option<String> {
        let text = String::from_utf8_lossy(&self.raw);
        let mut value: Option<String> = None;
        for line in text.lines().take_while(|line| !line.is_empty()) {
            match (&mut value, line.starts_with([' ', '\t'])) {
                (Some(value), true) => value.push_str(line),
                (Some(_), false) => break,
                (None, true) => {}
                (None, false) => {
                    let field = line.split_once(':').filter(|(field, _)| field.eq_ignore_ascii_case(name));
                    value = field.map(|(_, rest)| rest.trim_start().to_owned());
                }
            }
        }
        value
    }
}

/// The folder's directory below a user's Maildir (Maildir++ layout).
pub(crate) fn folder_path(maildir: &Path, folder: &str) -> PathBuf {
    if folder.eq_ignore_ascii_case("INBOX") { maildir.to_owned() } else { maildir.join(format!(".{folder}")) }
}

/// The mails of a folder, oldest first. A folder that does not exist yet is empty.
pub(crate) fn mails(folder: &Path) -> io::Result<Vec<DeliveredMail>> {
    // The server moves files from new to cur and renames them with their flags while we look: look again.
    let mut last = None;
    for _ in 0..100 {
        match files(folder)?.into_iter().map(read).collect::<io::Result<Vec<_>>>() {
            Ok(mut mails) => {
                mails.sort_by(|a, b| (a.arrived, &a.path).cmp(&(b.arrived, &b.path)));
                return Ok(mails);
            }
            Err(error) if error.kind() == ErrorKind::NotFound => last = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(last.unwrap_or_else(|| ErrorKind::NotFound.into()))
}

/// The mail files of a folder.
///
/// `new` is read before `cur`, so a mail that moves between the two readings is seen twice, not missed; the reading of
/// the first path then fails, and all is read again.
pub(crate) fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for part in ["new", "cur"] {
        let entries = match fs::read_dir(folder.join(part)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            files.push(entry?.path());
        }
    }
    Ok(files)
}

fn read(path: PathBuf) -> io::Result<DeliveredMail> {
    let raw = fs::read(&path)?;
    let arrived = match path.file_name().and_then(|name| time_in(name.to_str()?)) {
        Some(time) => time,
        None => fs::metadata(&path)?.modified()?,
    };
    Ok(DeliveredMail { path, arrived, raw })
}

/// The time in a Maildir file's name, `SECONDS.MmicrosecondsP...`.
fn time_in(name: &str) -> Option<SystemTime> {
    let (seconds, rest) = name.split_once(".M")?;
    let micros = rest.split_once(|c: char| !c.is_ascii_digit())?.0;
    let past = Duration::from_secs(seconds.parse().ok()?) + Duration::from_micros(micros.parse().ok()?);
    Some(SystemTime::UNIX_EPOCH + past)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_tells_when_it_came() {
        let came = SystemTime::UNIX_EPOCH + Duration::from_micros(1_795_379_966_000_042);
        assert_eq!(time_in("1795379966.M42P28668.lab,S=2490,W=2560:2,"), Some(came));
        assert_eq!(time_in("another-name:2,S"), None);
    }
}
