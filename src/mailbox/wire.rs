//! The checked layer over async-imap: commands whose every response is looked at.
//!
//! Of async-imap only the buffering and the parsing are used. Its own commands take NO, BAD and a closed connection for
//! success; here nothing is a success but the tagged OK of the command that was sent.

use std::future::Future;
use std::io;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use imap_proto::{Outcome, Response, ResponseCode, Status};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::error::{LimitExceeded, MailboxError, Refusal};
use super::guard::Guard;
use super::limits::RESPONSES_PER_COMMAND_MAX;
use super::structure::MailStructure;
use super::transport::{Timing, Transport};

/// A connection on which commands are sent and all their answers checked.
pub(super) struct Wire {
    client: async_imap::Client<Guard<Transport>>,
    pub(super) timing: Timing,
    tags: u32,
    /// Whether the position in the server's stream is known. Taken back while a command runs, so that a
    /// future dropped half-way leaves a spent session behind and not a confused one.
    in_step: bool,
}

/// A command, and how it is named in errors, where no secret may stand.
pub(super) struct Command {
    pub(super) name: String,
    pub(super) text: String,
}

impl Command {
    /// A command without secrets, which is its own name.
    pub(super) fn open(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { name: text.clone(), text }
    }

    /// A command that is told by `name` alone.
    pub(super) fn secret(name: impl Into<String>, text: String) -> Self {
        Self { name: name.into(), text }
    }
}

/// What one response means for the command that runs.
pub(super) enum Step {
    /// An untagged response, already shown to the caller.
    Data,
    /// The server waits for more of the command. RFC 3501 §7.5.
    Continue,
    /// The command is done.
    Done,
}

impl Wire {
    pub(super) fn new(transport: Transport, timing: Timing) -> Self {
        Self { client: async_imap::Client::new(Guard::new(transport)), timing, tags: 0, in_step: true }
    }

    /// The connection, for STARTTLS; what the server sent too early is thrown away with the buffer. RFC 3501 §6.2.1.
    pub(super) fn into_transport(self) -> Transport {
        self.client.into_inner().into_inner()
    }

    pub(super) fn is_in_step(&self) -> bool {
        self.in_step
    }

    /// Ends the conversation: the server does not keep to the protocol.
    pub(super) fn lose_step(&mut self) {
        self.in_step = false;
    }

    /// Runs a command to its end; `each` sees every untagged response that is no refusal.
    pub(super) async fn run(
        &mut self,
        command: &Command,
        mut each: impl FnMut(&Response<'_>),
    ) -> Result<(), MailboxError> {
        let tag = self.begin(command).await?;
        for _ in 0..RESPONSES_PER_COMMAND_MAX {
            match self.step(&tag, command, &mut each).await? {
                Step::Data => {}
                Step::Done => return Ok(()),
                Step::Continue => return Err(garbage(&command.name, "a continuation that was not asked for")),
            }
        }
        let limit = LimitExceeded::Count(RESPONSES_PER_COMMAND_MAX);
        Err(MailboxError::TooLarge { during: command.name.clone(), limit })
    }

    /// Runs a command that asks for structures; the mails that are ordinary are told at the end, and not to `each`.
    pub(super) async fn survey(
        &mut self,
        command: &Command,
        each: impl FnMut(&Response<'_>),
    ) -> Result<Vec<MailStructure>, MailboxError> {
        self.client.get_mut().begin_survey();
        let done = self.run(command, each).await;
        let ordinary = self.client.get_mut().end_survey();
        done.map(|()| ordinary)
    }

    /// Sends a command; the answers are then read by [`step`](Self::step).
    pub(super) async fn begin(&mut self, command: &Command) -> Result<String, MailboxError> {
        if !std::mem::take(&mut self.in_step) {
            return Err(MailboxError::Spent);
        }
        self.tags += 1;
        let tag = format!("i{}", self.tags);
        self.send(&command.name, &format!("{tag} {}", command.text)).await?;
        Ok(tag)
    }

    /// Sends one line in one write; async-imap would make four of it, and log the password.
    pub(super) async fn send(&mut self, during: &str, line: &str) -> Result<(), MailboxError> {
        self.send_octets(during, format!("{line}\r\n").as_bytes()).await
    }

    /// Sends octets as they are: a line, or a literal and the end of its command.
    pub(super) async fn send_octets(&mut self, during: &str, octets: &[u8]) -> Result<(), MailboxError> {
        let stream = self.client.get_mut();
        let write = async {
            stream.write_all(octets).await?;
            stream.flush().await
        };
        match timeout(self.timing.answer, write).await {
            Ok(result) => result.map_err(|e| broken(during, e)),
            Err(_) => Err(MailboxError::Timeout { during: during.to_owned(), after: self.timing.answer }),
        }
    }

    /// The next response to the command with `tag`, at the latest when the patience for an answer ends.
    pub(super) async fn step(
        &mut self,
        tag: &str,
        command: &Command,
        each: &mut impl FnMut(&Response<'_>),
    ) -> Result<Step, MailboxError> {
        let patience = self.timing.answer;
        loop {
            let surveyed = self.client.get_mut().surveyed();
            match timeout(patience, self.step_unhurried(tag, command, each)).await {
                Ok(result) => return result,
                // Responses have come, but not for the parser.
                Err(_) if self.client.get_mut().surveyed() > surveyed => {}
                Err(_) => return Err(MailboxError::Timeout { during: command.name.clone(), after: patience }),
            }
        }
    }

    /// The next response to the command with `tag`, whenever it comes. Nothing is lost when the future is dropped.
    pub(super) async fn step_unhurried(
        &mut self,
        tag: &str,
        command: &Command,
        each: &mut impl FnMut(&Response<'_>),
    ) -> Result<Step, MailboxError> {
        let step = self.read(&command.name, |response| judge(response, tag, &command.name, each)).await?;
        self.in_step = matches!(step, Ok(Step::Done) | Err(MailboxError::Refused { status: Refusal::No, .. }));
        step
    }

    /// The greeting. RFC 3501 §7.1: OK, PREAUTH or BYE.
    pub(super) async fn greeting<T>(&mut self, look: impl FnOnce(&Response<'_>) -> T) -> Result<T, MailboxError> {
        let patience = self.timing.answer;
        match timeout(patience, self.read("the greeting", look)).await {
            Ok(result) => result,
            Err(_) => Err(MailboxError::Timeout { during: "the greeting".to_owned(), after: patience }),
        }
    }

    async fn read<T>(&mut self, during: &str, look: impl FnOnce(&Response<'_>) -> T) -> Result<T, MailboxError> {
        let result = match without_panic(self.client.read_response()).await {
            Some(Ok(Some(response))) => Ok(look(response.parsed())),
            Some(Ok(None)) => Err(MailboxError::Closed { during: during.to_owned(), text: None }),
            Some(Err(e)) => Err(broken(during, e)),
            None => Err(garbage(during, "the parser gave up on it")),
        };
        self.client.get_mut().response_is_parsed();
        result
    }
}

/// What a response means for the command with `tag`.
fn judge(
    response: &Response<'_>,
    tag: &str,
    during: &str,
    each: &mut impl FnMut(&Response<'_>),
) -> Result<Step, MailboxError> {
    match response {
        Response::Done { tag: answered, status, outcome } if answered.0 == tag => match status {
            Status::Ok => {
                // RFC 3501 §7.1: some codes, as CAPABILITY, come with the tagged response.
                each(response);
                Ok(Step::Done)
            }
            Status::No => Err(refused(during, Refusal::No, outcome)),
            Status::Bad => Err(refused(during, Refusal::Bad, outcome)),
            Status::PreAuth | Status::Bye => Err(garbage(during, "a tagged PREAUTH or BYE")),
        },
        Response::Done { tag: answered, .. } => {
            Err(garbage(during, &format!("the end of a command {} that was not sent", excerpt(&answered.0))))
        }
        Response::Data { status: Status::Bye, outcome } => {
            Err(MailboxError::Closed { during: during.to_owned(), text: Some(text_of(outcome)) })
        }
        Response::Data { status: Status::Bad, outcome } => Err(refused(during, Refusal::Bad, outcome)),
        Response::Data { status: Status::PreAuth, .. } => Err(garbage(during, "PREAUTH behind the greeting")),
        Response::Continue(_) => {
            each(response);
            Ok(Step::Continue)
        }
        _ => {
            tell_warning(response, during);
            each(response);
            Ok(Step::Data)
        }
    }
}

/// Logs what the server wants a human to read: an untagged NO, RFC 3501 §7.1.2, and every ALERT, §7.1.
fn tell_warning(response: &Response<'_>, during: &str) {
    if let Response::Data { status, outcome } = response
        && (*status == Status::No || outcome.code == Some(ResponseCode::Alert))
    {
        tracing::warn!(during, text = text_of(outcome), "the IMAP server warns");
    }
}

/// The value of `future`, or nothing when it panics, as imap-proto does on some malformed lines.
async fn without_panic<F: Future>(future: F) -> Option<F::Output> {
    AssertUnwindSafe(future).catch_unwind().await.ok()
}

fn refused(during: &str, status: Refusal, outcome: &Outcome<'_>) -> MailboxError {
    MailboxError::Refused { command: during.to_owned(), status, text: text_of(outcome) }
}

pub(super) fn garbage(during: &str, excerpt: &str) -> MailboxError {
    MailboxError::Garbage { during: during.to_owned(), excerpt: excerpt.to_owned() }
}

/// A status's text; an unknown response code stands at its beginning, in brackets.
pub(super) fn text_of(outcome: &Outcome<'_>) -> String {
    outcome.information.as_deref().map_or_else(|| "(no reason given)".to_owned(), excerpt)
}

/// Sorts an error of the stream by its cause.
fn broken(during: &str, error: io::Error) -> MailboxError {
    let during = during.to_owned();
    if let Some(limit) = error.get_ref().and_then(|inner| inner.downcast_ref::<LimitExceeded>()) {
        return MailboxError::TooLarge { during, limit: *limit };
    }
    if error.kind() == io::ErrorKind::Other {
        // async-imap: the parser's error with all octets as numbers, then " during parsing of " and the line.
        let text = error.to_string();
        let line = text.split_once(" during parsing of ").map_or(text.as_str(), |(_, line)| line);
        return MailboxError::Garbage { during, excerpt: excerpt(line) };
    }
    MailboxError::Closed { during, text: Some(error.to_string()) }
}

/// The beginning of a server's text, safe to log: 200 characters, none of them a control.
pub(super) fn excerpt(text: &str) -> String {
    text.chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
