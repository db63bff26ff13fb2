//! Secrets and other files that a configuration points to; none of them stands in the configuration itself.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::fault::{Wrong, quote};
use super::limits::SECRET_BYTES_MAX;

pub(super) const SECRET: &str =
    "write the path of a file that holds the password alone, \"credential:NAME\" or \"env:NAME\"";

/// Whether the files that a configuration points to are looked into while it is read.
///
/// Only the daemon and `imipd check` need passwords; that one of them cannot be read is no reason not to print a calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Files {
    Checked,
    Unchecked,
}

/// Where the configuration's relative paths start, and the environment it is read in.
pub(super) struct Places<'a> {
    pub base_dir: &'a Path,
    pub env: &'a dyn Fn(&str) -> Option<OsString>,
    pub files: Files,
}

/// Where a secret is kept. It is read whenever it is needed, so a new one counts from the next login on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    File(PathBuf),
    /// A systemd credential of this name.
    Credential(String),
    /// An environment variable of this name.
    Environment(String),
}

/// Why a secret cannot be read: what is wrong, and what would be right. The secret itself is never in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SecretError(String);

impl Secret {
    /// The secret as it is now.
    pub fn read(&self) -> Result<SecretString, SecretError> {
        let found = self.read_in(&|name| std::env::var_os(name));
        found.map(|found| found.secret).map_err(|Wrong { wrong, right }| SecretError(format!("{wrong}; {right}")))
    }

    fn read_in(&self, env: &dyn Fn(&str) -> Option<OsString>) -> Result<Found, Wrong> {
        match self {
            Self::File(path) => secret_of_file(path),
            Self::Credential(name) => secret_of_file(&credential(name, env)?),
            Self::Environment(name) => secret_of_environment(name, env),
        }
    }
}

/// A secret, and what should be said about how it is kept.
#[derive(Debug)]
struct Found {
    secret: SecretString,
    warning: Option<String>,
}

impl Places<'_> {
    /// A path as written, from the directory of the configuration file on.
    pub(super) fn path(&self, text: &str) -> Result<PathBuf, Wrong> {
        if text.is_empty() || text.contains('\0') {
            return Err(Wrong::new(format!("is {}", quote(text)), "write the path of a file"));
        }
        Ok(self.base_dir.join(text))
    }

    /// The path of a directory that is there.
    pub(super) fn directory(&self, text: &str) -> Result<PathBuf, Wrong> {
        let path = self.path(text)?;
        if path.is_dir() { Ok(path) } else { Err(Wrong::new(format!("{} is no directory", path.display()), "make it")) }
    }

    /// The path of a file that is there and can be read.
    pub(super) fn readable_file(&self, text: &str) -> Result<PathBuf, Wrong> {
        let path = self.path(text)?;
        match self.files {
            Files::Checked => open(&path).map(|_| path),
            Files::Unchecked => Ok(path),
        }
    }

    /// The place of a secret: a file, a systemd credential (`credential:NAME`) or the environment (`env:NAME`).
    pub(super) fn secret(&self, text: &str) -> Result<Secret, Wrong> {
        if let Some(name) = text.strip_prefix("env:") {
            return Ok(Secret::Environment(name.to_owned()));
        }
        match text.strip_prefix("credential:") {
            Some(name) => Ok(Secret::Credential(name.to_owned())),
            None => self.path(text).map(Secret::File),
        }
    }

    /// The place of a secret that has to be there now, and what should be said about how it is kept.
    pub(super) fn readable_secret(&self, text: &str) -> Result<(Secret, Option<String>), Wrong> {
        let secret = self.secret(text)?;
        let warning = match self.files {
            Files::Checked => secret.read_in(self.env)?.warning,
            Files::Unchecked => None,
        };
        Ok((secret, warning))
    }
}

fn secret_of_file(path: &Path) -> Result<Found, Wrong> {
    let mut bytes = Vec::new();
    let file = open(path)?;
    let metadata = file.metadata().map_err(|error| unreadable(path, &error))?;
    file.take(SECRET_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    // As root one looks at the files of everybody.
    let us = rustix::process::geteuid();
    let is_ours = metadata.uid() == us.as_raw() && !us.is_root();
    let warning = too_open(path, metadata.mode(), if is_ours { Owner::Ourselves } else { Owner::Another });
    let secret = checked(bytes, &path.display().to_string())?;
    Ok(Found { secret, warning })
}

/// Whose file holds a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// Then nobody else needs it.
    Ourselves,
    /// Such as root; then it is by the group that we read it.
    Another,
}

/// What is wrong with the mode of a file that holds a secret.
fn too_open(path: &Path, mode: u32, owner: Owner) -> Option<String> {
    let path = path.display();
    if mode & 0o007 != 0 {
        return Some(format!("{path} holds a secret and is open to everybody on this machine; chmod o= {path}"));
    }
    match owner {
        Owner::Ourselves if mode & 0o070 != 0 => {
            Some(format!("{path} holds a secret and is open to its group; chmod g= {path}"))
        }
        Owner::Another if mode & 0o020 != 0 => {
            Some(format!("{path} holds a secret and its group can change it; chmod g-w {path}"))
        }
        Owner::Ourselves | Owner::Another => None,
    }
}

fn credential(name: &str, env: &dyn Fn(&str) -> Option<OsString>) -> Result<PathBuf, Wrong> {
    if name.is_empty() || name.contains(['/', '\0']) || name == ".." || name == "." {
        let right = "write credential: and the name that LoadCredential= of the unit gives it";
        return Err(Wrong::new(format!("{} is not the name of a credential", quote(name)), right));
    }
    let Some(directory) = env("CREDENTIALS_DIRECTORY") else {
        return Err(Wrong::new(
            "asks for a systemd credential, but $CREDENTIALS_DIRECTORY is not set",
            format!("start imipd from a unit with LoadCredential={name}:..., or write the path of a file"),
        ));
    };
    Ok(Path::new(&directory).join(name))
}

fn secret_of_environment(name: &str, env: &dyn Fn(&str) -> Option<OsString>) -> Result<Found, Wrong> {
    let named = !name.is_empty() && !name.contains(['=', '\0']);
    let Some(value) = named.then(|| env(name)).flatten() else {
        let wrong = format!("the environment variable {} is not set", quote(name));
        return Err(Wrong::new(wrong, "set it where imipd is started, or write the path of a file"));
    };
    let secret = checked(value.into_encoded_bytes(), &format!("the environment variable {}", quote(name)))?;
    Ok(Found { secret, warning: None })
}

/// Opens a regular file; opening anything else, such as a pipe, could wait for ever.
fn open(path: &Path) -> Result<File, Wrong> {
    let metadata = path.metadata().map_err(|error| unreadable(path, &error))?;
    if !metadata.is_file() {
        return Err(Wrong::new(format!("{} is not a file", path.display()), "write the path of a file"));
    }
    File::open(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Wrong {
    let right = match error.kind() {
        std::io::ErrorKind::PermissionDenied => "let the user that imipd runs as read it",
        _ => "create the file, or correct the path (relative ones start at the directory of the configuration)",
    };
    Wrong::new(format!("{} cannot be read: {error}", path.display()), right)
}

/// One line of text, without the line end that editors add.
fn checked(bytes: Vec<u8>, source: &str) -> Result<SecretString, Wrong> {
    if bytes.len() as u64 > SECRET_BYTES_MAX {
        let right = format!("put the password alone into it, at most {SECRET_BYTES_MAX} bytes");
        return Err(Wrong::new(format!("{source} is too large for a secret"), right));
    }
    let Ok(mut text) = String::from_utf8(bytes) else {
        return Err(Wrong::new(format!("{source} is not UTF-8 text"), "put the password alone into it, as UTF-8"));
    };
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    if text.is_empty() {
        return Err(Wrong::new(format!("{source} is empty"), "put the password into it"));
    }
    // RFC 4616 §2: NUL separates the fields of PLAIN; a second line is a file that holds more than the password.
    if text.contains(['\r', '\n', '\0']) {
        return Err(Wrong::new(format!("{source} has more than one line"), "put the password alone into it"));
    }
    Ok(SecretString::from(text))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn read(text: &str, base_dir: &Path, env: &[(&str, &str)]) -> Result<String, String> {
        let env = |name: &str| env.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
        let places = Places { base_dir, env: &env, files: Files::Checked };
        let found = places.secret(text).and_then(|secret| secret.read_in(&env)).map_err(|wrong| wrong.wrong)?;
        Ok(found.secret.expose_secret().to_owned())
    }

    #[test]
    fn secrets_come_from_files_credentials_and_the_environment() {
        let directory = tempfile::tempdir().unwrap();
        let credentials = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("password"), "in a file\r\n").unwrap();
        std::fs::write(credentials.path().join("imap"), "in a credential\n").unwrap();
        let env = [("CREDENTIALS_DIRECTORY", credentials.path().to_str().unwrap()), ("PASSWORD", "in a variable")];
        let read = |text: &str| read(text, directory.path(), &env);
        assert_eq!(read("password").unwrap(), "in a file");
        assert_eq!(read(directory.path().join("password").to_str().unwrap()).unwrap(), "in a file");
        assert_eq!(read("credential:imap").unwrap(), "in a credential");
        assert_eq!(read("env:PASSWORD").unwrap(), "in a variable");
    }

    #[test]
    fn a_file_that_others_can_open_is_told() {
        let said = |mode, owner| too_open(Path::new("p"), mode, owner).unwrap_or_default();
        for owner in [Owner::Ourselves, Owner::Another] {
            assert!(said(0o100_604, owner).contains("everybody") && said(0o100_602, owner).contains("everybody"));
            assert_eq!(said(0o100_600, owner), "");
        }
        assert!(said(0o100_640, Owner::Ourselves).contains("chmod g= p"));
        assert_eq!(said(0o100_640, Owner::Another), "", "root's file, read by our group");
        assert!(said(0o100_660, Owner::Another).contains("chmod g-w p"));
    }

    #[test]
    fn what_holds_no_single_line_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        for (name, content) in [
            ("empty", b"\n".as_slice()),
            ("lines", b"hunter2\nhunter3\n"),
            ("nul", b"a\0b"),
            ("latin", b"caf\xe9"),
            ("large", &[b'x'; SECRET_BYTES_MAX as usize + 1]),
        ] {
            std::fs::write(directory.path().join(name), content).unwrap();
            let wrong = read(name, directory.path(), &[]).unwrap_err();
            assert!(!wrong.contains("hunter") && !wrong.contains("caf"), "{wrong}");
        }
        for text in ["", "absent", ".", "env:", "env:ABSENT", "credential:imap", "a\0b"] {
            assert!(read(text, directory.path(), &[]).is_err(), "{text:?}");
        }
        let env = [("CREDENTIALS_DIRECTORY", "/etc")];
        assert!(read("credential:../etc/passwd", directory.path(), &env).is_err());
    }
}
