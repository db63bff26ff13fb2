//! Commands of the administrator's that print what imipd wants to know: access tokens, lists of users.
//!
//! They are started without a shell, and what they print, how long they take and what they leave behind is bounded.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Bytes of a command's complaints that are read for the error text; the rest is thrown away.
const STDERR_BYTES_MAX: u64 = 64 * 1024;

/// Characters of a command's complaints that are told.
const STDERR_CHARS_SHOWN: usize = 500;

/// Bytes below which a printed word is too common to be searched for in the complaints.
const HIDDEN_BYTES_MIN: usize = 6;

/// How much is waited for, and how much is read.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub time: Duration,
    pub output_bytes_max: usize,
}

/// Why a command told nothing.
///
/// What it printed on stdout, which may be a secret, is in none of the texts; what it complained about on stderr is.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error("the command is empty")]
    Empty,
    #[error("cannot start {program}: {source}; check its path and that imipd may execute it")]
    Start { program: String, source: std::io::Error },
    #[error("cannot read from {program}: {source}")]
    Read { program: String, source: std::io::Error },
    #[error("{program} was not done within {after:?}, and was stopped")]
    Timeout { program: String, after: Duration },
    #[error("{program} printed more than {octets_max} bytes, and was stopped")]
    TooLarge { program: String, octets_max: usize },
    #[error("{program} failed with {status}{complaint}", complaint = told(complaint))]
    Failed { program: String, status: ExitStatus, complaint: String },
}

/// What a command prints on stdout, when it ends with exit status 0 within its bounds.
///
/// The first word is the program, the others are its arguments as they are. It has no stdin, and leads a process group
/// of its own, so that whatever it started is stopped with it.
pub async fn output(words: &[String], bounds: Bounds) -> Result<Vec<u8>, CommandError> {
    let (program, arguments) = words.split_first().ok_or(CommandError::Empty)?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // What systemd tells us by these is for us alone.
    command.env_remove("NOTIFY_SOCKET").env_remove("WATCHDOG_PID").env_remove("WATCHDOG_USEC");
    command.process_group(0).kill_on_drop(true);
    let child = command.spawn().map_err(|source| CommandError::Start { program: program.clone(), source })?;
    let mut running = Running { group: child.id().and_then(|id| Pid::from_raw(id.cast_signed())), child };
    match timeout(bounds.time, running.finish(program, bounds.output_bytes_max)).await {
        Ok(result) => result,
        Err(_) => Err(CommandError::Timeout { program: program.clone(), after: bounds.time }),
    }
}

/// A command that runs; when it is dropped, all of its group is stopped.
struct Running {
    child: Child,
    group: Option<Pid>,
}

impl Running {
    async fn finish(&mut self, program: &str, octets_max: usize) -> Result<Vec<u8>, CommandError> {
        let read = |source| CommandError::Read { program: program.to_owned(), source };
        let (stdout, stderr) = (self.child.stdout.take(), self.child.stderr.take());
        let limit = octets_max as u64 + 1;
        let (printed, complaint) = tokio::join!(bounded(stdout, limit), drained(stderr));
        let printed = printed.map_err(read)?;
        if printed.len() > octets_max {
            return Err(CommandError::TooLarge { program: program.to_owned(), octets_max });
        }
        let status = self.child.wait().await.map_err(read)?;
        if !status.success() {
            let complaint = without(&complaint, &printed);
            return Err(CommandError::Failed { program: program.to_owned(), status, complaint });
        }
        Ok(printed)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // While the child has not been waited for, its id is nobody else's; afterwards, what it left behind keeps the group.
        if let Some(group) = self.group {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

async fn bounded(stream: Option<impl AsyncRead + Unpin>, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut read = Vec::new();
    if let Some(stream) = stream {
        stream.take(limit).read_to_end(&mut read).await?;
    }
    Ok(read)
}

/// The beginning of what a stream holds; the rest is read too, or the command would wait for us.
async fn drained(stream: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut stream) = stream else { return String::new() };
    let mut read = Vec::new();
    // A complaint that cannot be read is one less; the exit status tells enough.
    let _ = (&mut stream).take(STDERR_BYTES_MAX).read_to_end(&mut read).await;
    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&read).into_owned()
}

/// A complaint, cut to a readable length, in which nothing stands that was printed on stdout: a script that traces itself
/// (`set -x`) would put the token there.
fn without(complaint: &str, printed: &[u8]) -> String {
    let printed = String::from_utf8_lossy(printed);
    let secrets = printed.split_whitespace().filter(|word| word.len() >= HIDDEN_BYTES_MIN);
    let complaint = secrets.take(100).fold(complaint.to_owned(), |text, secret| text.replace(secret, "(hidden)"));
    let shown = complaint.trim().chars().take(STDERR_CHARS_SHOWN);
    shown.map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn told(complaint: &str) -> String {
    if complaint.is_empty() { ", and said nothing on stderr".to_owned() } else { format!(": {complaint}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { time: Duration::from_secs(20), output_bytes_max: 1000 };

    async fn shell(script: &str, bounds: Bounds) -> Result<String, String> {
        let words = ["/bin/sh", "-c", script, "sh", "a b; exit 3", "$HOME"].map(str::to_owned);
        let printed = output(&words, bounds).await.map_err(|error| error.to_string())?;
        Ok(String::from_utf8(printed).unwrap())
    }

    #[tokio::test]
    async fn arguments_reach_the_command_as_they_are() {
        assert_eq!(shell("printf '%s|%s' \"$1\" \"$2\"", BOUNDS).await.unwrap(), "a b; exit 3|$HOME");
    }

    #[tokio::test]
    async fn a_failure_tells_the_complaint_and_not_what_was_printed() {
        let told = shell("set -x; echo hunter2-token; echo sorry >&2; exit 3", BOUNDS).await.unwrap_err();
        assert!(told.contains("exit status: 3") && told.contains("sorry"), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
        let told = output(&["/nonexistent/x".to_owned()], BOUNDS).await.unwrap_err().to_string();
        assert!(told.starts_with("cannot start /nonexistent/x: "), "{told}");
    }

    #[tokio::test]
    async fn what_never_ends_is_stopped_with_all_that_it_has_started() {
        let folder = tempfile::tempdir().unwrap();
        let pid_file = folder.path().join("pid");
        let script = format!("sleep 1000 & echo $! >{}; wait", pid_file.display());
        let short = Bounds { time: Duration::from_millis(700), ..BOUNDS };
        let told = shell(&script, short).await.unwrap_err();
        assert!(told.contains("was not done within 700ms"), "{told}");
        let pid = std::fs::read_to_string(pid_file).unwrap();
        let status = format!("/proc/{}/stat", pid.trim());
        let is_gone =
            || std::fs::read_to_string(&status).is_ok_and(|stat| !stat.contains(") Z ")).then_some(()).is_none();
        for _ in 0..500 {
            if is_gone() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the sleeping child lives on");
    }

    #[tokio::test]
    async fn what_prints_without_end_is_stopped() {
        let told = shell("while :; do echo yyyyyyyyyyyyyyyyyy; done", BOUNDS).await.unwrap_err();
        assert!(told.contains("printed more than 1000 bytes"), "{told}");
        assert!(
            shell(
                "while :; do echo yyyyyyyyyyyyyyyyyy; done >&2",
                Bounds { time: Duration::from_millis(300), ..BOUNDS }
            )
            .await
            .is_err()
        );
    }
}
