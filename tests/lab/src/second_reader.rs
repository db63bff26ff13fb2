//! Mails of imipd, read by parsers that know nothing of how they were written: mail-parser, and Python's email package.
//!
//! One Python process reads for all tests of a program. It ends with the program, whose pipe it reads.

use std::io::{BufRead, BufReader, Read, Write};
use std::ops::Deref;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use mail_parser::{Message, MessageParser, MimeHeaders};
use serde::Deserialize;
use tempfile::TempDir;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../mail/check_mails.py");

/// What a mail says, to both parsers alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Reading {
    /// The addresses of From.
    #[serde(default)]
    pub from: Vec<String>,
    /// The addresses of To.
    #[serde(default)]
    pub to: Vec<String>,
    /// The Subject, decoded.
    #[serde(default)]
    pub subject: String,
    /// With its angle brackets.
    #[serde(default)]
    pub message_id: String,
    /// The plain text; its lines end in LF.
    #[serde(default)]
    pub text: String,
    /// The text of the text/calendar part, octet for octet; nothing in a note.
    #[serde(default)]
    pub calendar: Option<String>,
    /// What is not as it should be.
    #[serde(default)]
    wrong: Option<String>,
}

struct Reader {
    // Kept so that it is not waited for: it ends when its pipe is closed.
    _process: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

static READER: LazyLock<Option<Mutex<Reader>>> = LazyLock::new(|| match Reader::start() {
    Ok(reader) => Some(Mutex::new(reader)),
    Err(error) if std::env::var_os("CI").is_none() => {
        let missing =
            format!("\n*** python3 is MISSING ({error:#}): what imipd writes is not read by a second parser\n\n");
        let _ = std::io::stderr().write_all(missing.as_bytes());
        None
    }
    Err(error) => panic!("python3 is missing: {error:#}; scripts/install-servers installs it"),
});

impl Reader {
    fn start() -> Result<Self> {
        let mut command = Command::new("python3");
        command.arg(SCRIPT).arg("--serve").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().context("starting python3")?;
        let asks = process.stdin.take().context("its stdin")?;
        let answers = BufReader::new(process.stdout.take().context("its stdout")?);
        Ok(Self { _process: process, asks, answers })
    }

    fn ask(&mut self, line: &str, mail: &[u8]) -> Result<Vec<(Vec<u8>, Reading)>> {
        self.asks.write_all(line.as_bytes())?;
        self.asks.write_all(mail)?;
        self.asks.flush()?;
        let count: usize = self.line()?.parse()?;
        (0..count).map(|_| self.mail()).collect()
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        ensure!(self.answers.read_line(&mut line)? > 0, "python3 has ended; what it said is above");
        Ok(line.trim_end().to_owned())
    }

    fn mail(&mut self) -> Result<(Vec<u8>, Reading)> {
        let lengths = self.line()?;
        let (raw, said) = lengths.split_once(' ').context("two numbers")?;
        let (mut raw, mut said) = (vec![0; raw.parse()?], vec![0; said.parse()?]);
        self.answers.read_exact(&mut raw)?;
        self.answers.read_exact(&mut said)?;
        Ok((raw, serde_json::from_slice(&said)?))
    }
}

fn ask(line: &str, mail: &[u8]) -> Option<Vec<(Vec<u8>, Reading)>> {
    let reader = READER.as_ref()?;
    let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
    Some(reader.ask(line, mail).unwrap_or_else(|error| panic!("{line:?}: {error:#}")))
}

/// Reads a mail of imipd by both parsers. Nothing without Python.
///
/// # Panics
///
/// When either of them finds a defect, or they do not read the same; and without Python when `CI` is set.
pub fn read_mail(raw: &[u8]) -> Option<Reading> {
    let (_, reading) = ask(&format!("mail {}\n", raw.len()), raw)?.pop()?;
    agreed(raw, &reading);
    Some(reading)
}

/// Reads all mails of an imipd's database by both parsers, and compares them with what stands beside them; how many they were.
///
/// # Panics
///
/// As [`read_mail`]; and when a mail does not say what it was entered for.
pub fn read_outbox(database: &Path) -> usize {
    if !database.exists() {
        return 0;
    }
    let mails = ask(&format!("outbox {}\n", database.display()), b"").unwrap_or_default();
    mails.iter().for_each(|(raw, reading)| agreed(raw, reading));
    mails.len()
}

/// Panics unless Python has found nothing wrong, and mail-parser reads the same.
fn agreed(raw: &[u8], reading: &Reading) {
    let mail = || String::from_utf8_lossy(raw);
    if let Some(wrong) = &reading.wrong {
        panic!("Python's parser: {wrong}\n{}", mail());
    }
    let parsed =
        MessageParser::default().parse(raw).unwrap_or_else(|| panic!("mail-parser reads nothing:\n{}", mail()));
    assert!(
        parsed.parts.iter().all(|part| !part.is_encoding_problem),
        "mail-parser finds an encoding problem:\n{}",
        mail()
    );
    assert_eq!(by_mail_parser(&parsed), *reading, "mail-parser (left) and Python (right) differ:\n{}", mail());
}

fn by_mail_parser(mail: &Message<'_>) -> Reading {
    let addresses = |list: Option<&mail_parser::Address<'_>>| {
        list.into_iter().flat_map(|list| list.iter()).filter_map(|one| one.address().map(str::to_owned)).collect()
    };
    let calendar = mail.parts.iter().find(|part| part.is_content_type("text", "calendar"));
    Reading {
        from: addresses(mail.from()),
        to: addresses(mail.to()),
        subject: mail.subject().unwrap_or_default().to_owned(),
        message_id: format!("<{}>", mail.message_id().unwrap_or_default()),
        text: mail.body_text(0).unwrap_or_default().replace("\r\n", "\n"),
        calendar: calendar.and_then(|part| part.text_contents()).map(str::to_owned),
        wrong: None,
    }
}

/// A temporary folder for an imipd. When it goes, all mails in the outbox of its `imipd.db` are read by both parsers.
#[derive(Debug)]
pub struct Folder(TempDir);

/// Makes a temporary folder for an imipd.
///
/// # Panics
///
/// When that is impossible.
pub fn folder() -> Folder {
    Folder(TempDir::new().expect("a temporary folder"))
}

impl Deref for Folder {
    type Target = TempDir;

    fn deref(&self) -> &TempDir {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            read_outbox(&self.path().join("imipd.db"));
        }
    }
}
