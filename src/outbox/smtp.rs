//! Submission of mail over SMTP, with a result for each recipient (RFC 5321, RFC 6409).
//!
//! lettre speaks the protocol; this driver opens the connections (without Nagle's algorithm, which costs 40 ms a mail),
//! keeps a few of them, asks recipient by recipient, and says how certain an outcome is. It retries nothing: that is
//! the outbox's business, which knows what was promised to whom.

mod dial;
mod login;
mod offers;
mod pool;
mod session;
mod wire;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::itip::Address;
pub use login::{Login, Proof, TokenSource};
use pool::Pool;
use session::Session;

/// How long the server may take for a command (RFC 5321 §4.5.3.2 has five minutes at most places).
pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(60);

/// How long the server may take after the final dot. RFC 5321 §4.5.3.2.6: shorter ones duplicate mail.
pub const FINAL_TIMEOUT_DEFAULT: Duration = Duration::from_secs(600);

/// The submission service and how to talk to it.
#[derive(Clone, Debug)]
pub struct SmtpServer {
    pub host: String,
    pub port: u16,
    /// A Unix socket, in place of host and port; always without TLS.
    pub socket: Option<PathBuf>,
    pub security: Security,
    /// None for a server that knows us by our address.
    pub credentials: Option<Login>,
    /// The name in EHLO; `localhost` is said when this is no host name.
    pub hello_name: String,
    /// Recipients of one transaction, at least one; the server may say that it wants fewer.
    pub max_recipients: usize,
    /// Connections at the same time, busy and idle ones together; at least one.
    pub max_connections: usize,
    /// The longest wait for the connection and for each reply.
    pub timeout: Duration,
    /// The longest wait for the reply to the final dot.
    pub final_timeout: Duration,
}

/// How the connection is protected.
#[derive(Clone)]
pub enum Security {
    /// TLS from the first byte, port 465 (RFC 8314 §3.3).
    Tls(Arc<rustls::ClientConfig>),
    /// STARTTLS, and nothing at all without it (RFC 3207).
    StartTls(Arc<rustls::ClientConfig>),
    /// None; for loopback.
    None,
}

impl fmt::Debug for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls(_) => "Tls",
            Self::StartTls(_) => "StartTls",
            Self::None => "None",
        })
    }
}

/// A negative reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The reply code, 400 to 599.
    pub code: u16,
    /// The text of the reply on one line.
    pub text: String,
    /// Whether trying again is no use: the code starts with 5 (RFC 5321 §4.2.1).
    pub permanent: bool,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.text)
    }
}

/// What the server said to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Accepted { response: String },
    Refused(Refusal),
}

/// What the server said to the mail itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataOutcome {
    Accepted {
        response: String,
    },
    Refused(Refusal),
    /// There was no recipient left to send it to.
    NotSent,
}

/// What became of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// The reply to each RCPT, in the order of the recipients. A recipient who was accepted gets the mail only if
    /// `data` was accepted, too; [`Submission::outcomes`] has both in one.
    pub recipients: Vec<(Address, Outcome)>,
    pub data: DataOutcome,
    /// Those who were not asked, because there would have been too many in this transaction: they want another one.
    pub untried: Vec<Address>,
}

impl Submission {
    /// What became of the mail for each recipient: RCPT and DATA together.
    pub fn outcomes(&self) -> impl Iterator<Item = (&Address, Outcome)> {
        self.recipients.iter().map(|(address, asked)| match (asked, &self.data) {
            (Outcome::Accepted { .. }, DataOutcome::Accepted { response }) => {
                (address, Outcome::Accepted { response: response.clone() })
            }
            (Outcome::Accepted { .. }, DataOutcome::Refused(refusal)) => (address, Outcome::Refused(refusal.clone())),
            (Outcome::Accepted { .. } | Outcome::Refused(_), _) => (address, asked.clone()),
        })
    }
}

/// Why nothing is known to have been submitted.
///
/// None of these is about the mail: the same mail may be kept and tried again once the server is well.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    #[error("cannot reach the SMTP server {server}: {reason}; check smtp.host and smtp.port, and whether it runs")]
    Unreachable { server: String, reason: String },
    #[error("no protected connection to the SMTP server {server}: {reason}; check smtp.security and smtp.ca_file")]
    Tls { server: String, reason: String },
    #[error(
        "the SMTP server {server} does not let us in as {username}: {refusal}; check smtp.username, and smtp.password_file or the token"
    )]
    AuthRefused { server: String, username: String, refusal: Refusal },
    #[error("there is no access token for {username}: {reason}; check smtp.token_file or smtp.token_command")]
    NoToken { username: String, reason: String },
    #[error("the SMTP server {server} refuses to serve us: {refusal}")]
    Refused { server: String, refusal: Refusal },
    #[error("the SMTP server {server} does not speak SMTP as expected: {reason}")]
    Protocol { server: String, reason: String },
    /// The connection was lost after the content was on its way: the mail may or may not have been accepted.
    /// A repetition must be the same mail with the same Message-ID.
    #[error("the SMTP server {server} did not say whether it took the mail: {reason}")]
    Unknown { server: String, reason: String },
}

impl SmtpError {
    /// Whether time alone may help; otherwise the operator has to do something before any mail can leave.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Unknown { .. } | Self::Protocol { .. } | Self::NoToken { .. } => true,
            Self::Tls { .. } => false,
            Self::AuthRefused { refusal, .. } | Self::Refused { refusal, .. } => !refusal.permanent,
        }
    }
}

/// Who sends, and what is to be reported back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// Where reports go to.
    pub from: &'a Address,
    pub reports: Reports<'a>,
}

/// What a server that offers DSN is asked for (RFC 3461 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reports<'a> {
    /// Nothing is said about it.
    Unasked,
    /// Failures, under this ENVID of letters, digits and hyphens, with the header of the mail and not its body.
    OfFailures { id: &'a str },
    /// None at all.
    Never,
}

impl<'a> From<&'a Address> for Envelope<'a> {
    fn from(from: &'a Address) -> Self {
        Self { from, reports: Reports::Unasked }
    }
}

/// Submits mail to one server; shared by all who have some to send.
#[derive(Debug)]
pub struct Submitter {
    pool: Pool,
}

impl Submitter {
    /// A submitter without connections; the first mail opens one.
    pub fn new(server: SmtpServer) -> Self {
        Self { pool: Pool::new(server) }
    }

    /// Submits one mail to its recipients.
    ///
    /// Shape: `raw` is a whole mail; line ends are made CRLF and leading dots doubled on the way (RFC 5321 §2.3.8,
    /// §4.5.2). A refused recipient does not keep the others from getting it. When the sender or all recipients are
    /// refused no content is sent. Of more recipients than go into one transaction the last ones are not asked, and
    /// told in `untried`; at least one always is. An address outside of ASCII is refused with 553 here when the server does not
    /// offer SMTPUTF8 (RFC 6531 §3.2).
    ///
    /// Errors: [`SmtpError`] when the dialogue did not come to an end. Waits while all connections are busy.
    pub async fn submit(
        &self,
        envelope: impl Into<Envelope<'_>>,
        recipients: &[Address],
        raw: &[u8],
    ) -> Result<Submission, SmtpError> {
        let envelope = envelope.into();
        if recipients.is_empty() {
            return Ok(Submission { recipients: Vec::new(), data: DataOutcome::NotSent, untried: Vec::new() });
        }
        let content = wire::normalised(raw);
        let (mut session, permit) = self.pool.take().await?;
        let mut submission = session.submit(envelope, recipients, &content).await;
        if session.was_stale(&submission) {
            // The server may close an idle connection whenever it likes; nothing of this mail has been said on it.
            session = Session::open(self.pool.server()).await?;
            submission = session.submit(envelope, recipients, &content).await;
        }
        let submission = submission?;
        self.pool.give_back(session, permit).await;
        Ok(submission)
    }

    /// Connects, greets, authenticates and leaves, on a connection of its own.
    pub async fn check(&self) -> Result<(), SmtpError> {
        let mut session = Session::open(self.pool.server()).await?;
        session.quit().await;
        Ok(())
    }

    /// Lets nobody begin a mail any more; who waits for a connection gets an error.
    pub fn stop(&self) {
        self.pool.stop();
    }

    /// Says goodbye on all idle connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
