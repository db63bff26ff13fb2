//! The socket beside the database: the command line wakes the daemon and asks how it is.
//!
//! One line in, one line out: `wake` for the outbox, `ring USER` for a mailbox, `status`, and `retry ID` for a dead letter. Whoever may open the socket may read the database as well, so there is no secret here.
//! The lock beside it is the proof that only one daemon works on a database.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

use super::limits::RETRY_MAX;
use super::status::{OutboxStatus, Phase, Status};
use super::watch::stopped;
use super::{Gateway, Retried};
use crate::ledger::{LedgerError, RecipientState};

/// How long either side waits for the other.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest question, in bytes.
const QUESTION_BYTES_MAX: u64 = 1024;

/// The longest answer, in bytes.
const ANSWER_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Why the control socket could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    #[error("another imipd works on this database already (it holds {0}); stop it first")]
    InUse(String),
    #[error("cannot lock {path}: {source}; check that the database's directory is writable and on a local disk")]
    Lock { path: String, source: io::Error },
    #[error("cannot listen on {path}: {source}; check that the database's directory is writable")]
    Listen { path: String, source: io::Error },
    #[error("cannot talk to the daemon on {path}: {source}")]
    Talk { path: String, source: io::Error },
}

/// Where the socket of a database is.
pub fn socket_path(database: &Path) -> PathBuf {
    beside(database, ".sock")
}

fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.file_name().map(std::ffi::OsStr::to_owned).unwrap_or_default();
    name.push(suffix);
    database.with_file_name(name)
}

/// The right to work on a database, held until the daemon has come to its end.
///
/// The kernel takes the lock back however the daemon dies. The socket could not serve as the proof: of two daemons
/// started in the same moment neither hears the other answer, and it closes before the work in hand is done.
#[derive(Debug)]
pub struct Claim {
    // Held, not used.
    _lock: File,
}

impl Claim {
    /// Takes the right; fails when another daemon has it.
    pub fn take(database: &Path) -> Result<Self, ControlError> {
        let path = beside(database, ".lock");
        let shown = path.display().to_string();
        let failed = |source| ControlError::Lock { path: shown.clone(), source };
        let lock = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(ControlError::InUse(shown)),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

/// Says a word to the daemon; nothing when none is running.
pub async fn ask(database: &Path, word: &str) -> Result<Option<String>, ControlError> {
    ask_patiently(database, word, PATIENCE).await
}

/// The same for a word that takes the daemon longer.
async fn ask_patiently(database: &Path, word: &str, patience: Duration) -> Result<Option<String>, ControlError> {
    let path = socket_path(database);
    let talk = |source| ControlError::Talk { path: path.display().to_string(), source };
    let mut stream = match UnixStream::connect(&path).await {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) => return Err(talk(error)),
    };
    let conversation = async {
        stream.write_all(word.as_bytes()).await?;
        stream.shutdown().await?;
        let mut answer = String::new();
        stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer).await?;
        Ok(answer)
    };
    match tokio::time::timeout(patience, conversation).await {
        Ok(answer) => answer.map(Some).map_err(talk),
        Err(_) => Err(talk(io::ErrorKind::TimedOut.into())),
    }
}

/// The socket of a running daemon; removed when it goes.
#[derive(Debug)]
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
}

impl Control {
    /// Listens on the socket of the database.
    ///
    /// The claim is asked for, not used: whoever has it may remove the socket that a killed daemon has left.
    pub fn bind(database: &Path, _claim: &Claim) -> Result<Self, ControlError> {
        let path = socket_path(database);
        let shown = path.display().to_string();
        let _ = std::fs::remove_file(&path);
        let listen = |source| ControlError::Listen { path: shown.clone(), source };
        let listener = UnixListener::bind(&path).map_err(listen)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(listen)?;
        Ok(Self { listener, path })
    }

    /// Answers until the daemon stops.
    pub async fn serve(self, gateway: Arc<Gateway>, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        let gateway = Arc::clone(&gateway);
                        tokio::spawn(async move {
                            // A client that hangs up has its answer already or does not want it.
                            let _ = answer(stream, &gateway).await;
                        });
                    }
                    Err(error) => {
                        tracing::warn!(%error, "the control socket does not accept");
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                },
                () = stopped(&mut stop) => return,
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn answer(mut stream: UnixStream, gateway: &Gateway) -> io::Result<()> {
    let mut word = String::new();
    let mut question = (&mut stream).take(QUESTION_BYTES_MAX);
    tokio::time::timeout(PATIENCE, question.read_to_string(&mut word)).await??;
    let word = word.trim();
    let patience = if word.starts_with(RETRY) { RETRY_MAX } else { PATIENCE };
    let answer = tokio::time::timeout(patience, answer_to(word, gateway)).await??;
    tokio::time::timeout(PATIENCE, stream.write_all(answer.as_bytes())).await??;
    stream.shutdown().await
}

/// The word before the number of a dead letter.
const RETRY: &str = "retry ";

async fn answer_to(word: &str, gateway: &Gateway) -> io::Result<String> {
    if let Some(user_key) = word.strip_prefix("ring ") {
        let answer = if gateway.ring(user_key) { "ok" } else { "nobody" };
        return Ok(answer.to_owned());
    }
    if let Some(id) = word.strip_prefix(RETRY).and_then(|id| id.parse().ok()) {
        return serde_json::to_string(&gateway.retry(id).await).map_err(io::Error::other);
    }
    match word {
        "wake" => {
            gateway.bell.notify_one();
            Ok("ok".to_owned())
        }
        "status" => match gateway.status().await {
            Ok(status) => serde_json::to_string(&status).map_err(io::Error::other),
            Err(error) => Err(io::Error::other(error)),
        },
        _ => Ok("ok".to_owned()),
    }
}

impl Gateway {
    /// Takes up a dead letter: by the daemon, or here when none is running.
    ///
    /// The daemon is asked first, because it knows which logins may be tried.
    pub async fn retry_by_daemon(&self, id: i64) -> Result<Retried, ControlError> {
        let path = &self.config.database.path;
        match ask_patiently(path, &format!("{RETRY}{id}"), RETRY_MAX + PATIENCE).await? {
            Some(answer) => serde_json::from_str(&answer).map_err(|error| ControlError::Talk {
                path: socket_path(path).display().to_string(),
                source: io::Error::other(error),
            }),
            None => Ok(self.retry(id).await),
        }
    }
}

impl Gateway {
    /// How the daemon is; called in the daemon itself.
    pub async fn status(&self) -> Result<Status, LedgerError> {
        let mailboxes = self.board.mailboxes();
        let (last_error, storms) = (self.board.smtp_error(), self.board.storms());
        let outbox = OutboxStatus { last_error, storms, ..self.outbox_status().await? };
        let at_work = mailboxes.iter().any(|mailbox| matches!(mailbox.phase, Phase::Starting | Phase::Reading));
        let idle = !at_work && outbox.waiting == 0;
        let dead_letters = self.ledger.dead_letters().await?;
        let panics = self.board.panics();
        Ok(Status { running: true, idle, mailboxes, outbox, dead_letters, panics })
    }

    /// How things stand when no daemon runs: what the database tells.
    pub async fn status_without_daemon(&self) -> Result<Status, LedgerError> {
        let outbox = self.outbox_status().await?;
        let (idle, dead_letters) = (outbox.waiting == 0, self.ledger.dead_letters().await?);
        Ok(Status { running: false, idle, mailboxes: Vec::new(), outbox, dead_letters, panics: 0 })
    }

    async fn outbox_status(&self) -> Result<OutboxStatus, LedgerError> {
        let waiting = self.ledger.recipients_in(RecipientState::Waiting).await?;
        let failed = self.ledger.recipients_in(RecipientState::Failed).await?;
        let held = self.ledger.recipients_held().await?;
        let copies_refused = self.ledger.copies_refused().await?;
        Ok(OutboxStatus { waiting, failed, held, copies_refused, ..OutboxStatus::default() })
    }
}
