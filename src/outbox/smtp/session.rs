//! One connection and the dialogue on it.

mod pipeline;

use std::error::Error as _;
use std::fmt::Display;
use std::future::Future;
use std::time::Duration;

use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Quit, Rcpt, Rset};
use lettre::transport::smtp::extension::{Extension, MailBodyParameter, MailParameter, RcptParameter};
use lettre::transport::smtp::response::Response;

use super::offers::Offers;
use super::{DataOutcome, Envelope, Outcome, Refusal, Reports, SmtpError, SmtpServer, Submission, dial};
use crate::itip::Address;
use crate::outbox::limits::REPLY_CHARS_MAX;
use crate::outbox::status::enhanced;

/// How long a goodbye, or the question whether anybody is there, may take.
const COURTESY_TIMEOUT: Duration = Duration::from_secs(5);

/// RFC 5321 §3.8: the server closes the connection after this code, whatever was asked.
const CLOSING: u16 = 421;

/// RFC 6531 §3.7.4.2: the mailbox name is not allowed without SMTPUTF8.
const NAME_NOT_ALLOWED: u16 = 553;

/// RFC 5321 §4.5.3.1.10: too many recipients. Old servers say 552, which then is to be taken for 452.
const TOO_MANY: [u16; 2] = [452, 552];

/// An open, authenticated connection.
pub(super) struct Session {
    connection: AsyncSmtpConnection,
    offers: Offers,
    server: String,
    recipients_max: usize,
    timeout: Duration,
    final_timeout: Duration,
    /// Whether a mail has been begun that RSET must clear away.
    is_dirty: bool,
    /// Whether the server said that it hangs up.
    is_closing: bool,
    /// Whether a mail has gone before on it.
    is_reused: bool,
    /// Whether the server has said anything to this mail but goodbye.
    has_begun: bool,
}

/// What came back: a positive reply, a negative one, or none.
type Reply = Result<Result<Response, Refusal>, SmtpError>;

/// How far a mail has come before its content.
struct Opened {
    /// The reply to each RCPT.
    recipients: Vec<(Address, Outcome)>,
    /// Those who were one too many, or not asked.
    untried: Vec<Address>,
    /// The reply to DATA, where somebody is to get the content.
    go_ahead: Option<Result<Response, Refusal>>,
}

impl Opened {
    /// Nobody gets the mail, because it was refused as a whole.
    fn refused(recipients: &[Address], refusal: &Refusal) -> Self {
        let recipients = recipients.iter().map(|to| (to.clone(), Outcome::Refused(refusal.clone()))).collect();
        Self { recipients, untried: Vec::new(), go_ahead: None }
    }

    fn is_anyone_left(&self) -> bool {
        self.recipients.iter().any(|(_, outcome)| matches!(outcome, Outcome::Accepted { .. }))
    }
}

impl Session {
    /// Connects, protects the connection, greets and authenticates.
    pub(super) async fn open(server: &SmtpServer) -> Result<Self, SmtpError> {
        let (connection, offers) = dial::open(server).await?;
        Ok(Self {
            connection,
            offers,
            server: dial::name_of(server),
            recipients_max: server.max_recipients.min(offers.recipients_max.unwrap_or(usize::MAX)).max(1),
            timeout: server.timeout,
            final_timeout: server.final_timeout,
            is_dirty: false,
            is_closing: false,
            is_reused: false,
            has_begun: false,
        })
    }

    /// Whether the connection was kept from an earlier mail, and this one found nobody there.
    pub(super) fn was_stale(&self, submission: &Result<Submission, SmtpError>) -> bool {
        let is_lost = self.is_closing || submission.is_err();
        self.is_reused && is_lost && !self.has_begun
    }

    pub(super) async fn submit(
        &mut self,
        envelope: Envelope<'_>,
        recipients: &[Address],
        content: &[u8],
    ) -> Result<Submission, SmtpError> {
        self.has_begun = false;
        let opened = match self.sender(envelope, recipients, content) {
            Err(refusal) => Opened::refused(recipients, &refusal),
            Ok(mail) if self.offers.pipelining => self.open_at_once(mail, recipients, envelope.reports).await?,
            Ok(mail) => self.open_step_by_step(mail, recipients, envelope.reports).await?,
        };
        let data = match opened.go_ahead {
            Some(reply) => self.content(reply, content).await?,
            None => self.closed_early(&opened.recipients),
        };
        Ok(Submission { recipients: opened.recipients, data, untried: opened.untried })
    }

    /// The dialogue up to the content with a server that wants to be asked one thing after the other.
    async fn open_step_by_step(
        &mut self,
        mail: Mail,
        recipients: &[Address],
        reports: Reports<'_>,
    ) -> Result<Opened, SmtpError> {
        if let Err(refusal) = self.ask(mail).await? {
            return Ok(Opened::refused(recipients, &refusal));
        }
        self.is_dirty = true;
        let (recipients, untried) = self.recipients(recipients, reports).await?;
        let mut opened = Opened { recipients, untried, go_ahead: None };
        if opened.is_anyone_left() && !self.is_closing {
            opened.go_ahead = Some(self.ask(Data).await?);
        }
        Ok(opened)
    }

    /// Asks for as many recipients as go into one transaction; then come those who were not asked.
    async fn recipients(
        &mut self,
        recipients: &[Address],
        reports: Reports<'_>,
    ) -> Result<(Vec<(Address, Outcome)>, Vec<Address>), SmtpError> {
        let mut asked = Vec::with_capacity(recipients.len().min(self.recipients_max));
        let mut accepted = 0;
        let mut rest = recipients.iter();
        while let Some(recipient) = rest.as_slice().first() {
            if asked.len() >= self.recipients_max {
                break;
            }
            let outcome = self.recipient(recipient, reports).await?;
            if accepted > 0 && is_too_many(&outcome) {
                break;
            }
            accepted += usize::from(matches!(outcome, Outcome::Accepted { .. }));
            asked.push((recipient.clone(), outcome));
            rest.next();
        }
        Ok((asked, rest.as_slice().to_vec()))
    }

    /// The MAIL command, with the extensions that addresses and content ask for.
    fn sender(&self, envelope: Envelope<'_>, recipients: &[Address], content: &[u8]) -> Result<Mail, Refusal> {
        let from = envelope.from;
        let mut parameters = self.report_parameters(envelope.reports);
        let offers = self.connection.server_info();
        // What is not ASCII in a mail of ours is an address in its header, which asks for the same (RFC 6531 §3.6).
        let is_international =
            !content.is_ascii() || recipients.iter().chain([from]).any(|address| !address.as_str().is_ascii());
        if is_international && offers.supports_feature(Extension::SmtpUtfEight) {
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if let Some(limit) = self.offers.size_octets {
            let octets = content.len();
            if limit > 0 && u64::try_from(octets).unwrap_or(u64::MAX) > limit {
                // RFC 1870 §6.1: what exceeds the fixed limit would be refused for good.
                let text = format!("5.3.4 the mail has {octets} octets, and the server takes {limit} at most");
                return Err(refused_here(552, &text));
            }
            parameters.push(MailParameter::Size(octets));
        }
        if !content.is_ascii() {
            if !offers.supports_feature(Extension::EightBitMime) {
                // RFC 6152 §3: such content must not be sent to this server.
                return Err(refused_here(554, "5.6.3 the mail is not 7bit, and the server does not offer 8BITMIME"));
            }
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        Ok(Mail::new(Some(self.parsed(from)?), parameters))
    }

    async fn recipient(&mut self, recipient: &Address, reports: Reports<'_>) -> Result<Outcome, SmtpError> {
        if self.is_closing {
            return Ok(Outcome::Refused(hung_up()));
        }
        let reply = match self.rcpt(recipient, reports) {
            Ok(rcpt) => self.ask(rcpt).await?,
            Err(refusal) => Err(refusal),
        };
        Ok(outcome(reply))
    }

    /// The RCPT command, unless the address cannot be sent to this server at all.
    fn rcpt(&self, recipient: &Address, reports: Reports<'_>) -> Result<Rcpt, Refusal> {
        let address = self.parsed(recipient)?;
        Ok(Rcpt::new(address, self.notifications(recipient, reports)))
    }

    /// What of a mail is reported back, and under which name (RFC 3461 §4.3, §4.4).
    fn report_parameters(&self, reports: Reports<'_>) -> Vec<MailParameter> {
        let parameter = |keyword: &str, value: &str| MailParameter::Other {
            keyword: keyword.to_owned(),
            value: Some(value.to_owned()),
        };
        match reports {
            Reports::OfFailures { id } if self.offers.dsn => vec![parameter("RET", "HDRS"), parameter("ENVID", id)],
            Reports::OfFailures { .. } | Reports::Unasked | Reports::Never => Vec::new(),
        }
    }

    /// What is reported of a recipient, and as whom (RFC 3461 §4.1, §4.2).
    fn notifications(&self, recipient: &Address, reports: Reports<'_>) -> Vec<RcptParameter> {
        let parameter =
            |keyword: &str, value: String| RcptParameter::Other { keyword: keyword.to_owned(), value: Some(value) };
        match reports {
            Reports::OfFailures { .. } if self.offers.dsn => {
                let notify = parameter("NOTIFY", "FAILURE".to_owned());
                // RFC 6533 §4.2.1 has another form for the others; without ORCPT the report names where the mail ended.
                let original = recipient.as_str().is_ascii().then(|| parameter("ORCPT", format!("rfc822;{recipient}")));
                std::iter::once(notify).chain(original).collect()
            }
            Reports::Never if self.offers.dsn => vec![parameter("NOTIFY", "NEVER".to_owned())],
            Reports::OfFailures { .. } | Reports::Unasked | Reports::Never => Vec::new(),
        }
    }

    /// The address as lettre wants it, unless it cannot be sent to this server at all.
    fn parsed(&self, address: &Address) -> Result<lettre::Address, Refusal> {
        let offers = self.connection.server_info();
        if !address.as_str().is_ascii() && !offers.supports_feature(Extension::SmtpUtfEight) {
            let text = "5.6.7 the address is not ASCII, and the server does not offer SMTPUTF8";
            return Err(refused_here(NAME_NOT_ALLOWED, text));
        }
        // lettre checks the form, but a local part in quotes may hold anything; nothing may end the command.
        let parsed = address.is_mailable().then(|| address.as_str().parse().ok()).flatten();
        parsed.ok_or_else(|| refused_here(NAME_NOT_ALLOWED, "5.1.3 the address is no mail address"))
    }

    async fn content(&mut self, go_ahead: Result<Response, Refusal>, content: &[u8]) -> Result<DataOutcome, SmtpError> {
        match go_ahead {
            Err(refusal) => return Ok(DataOutcome::Refused(refusal)),
            Ok(go_ahead) if !go_ahead.has_code(354) => {
                // Sending content now would have its lines read as commands.
                let reason = format!("it answered DATA with {}", go_ahead.code());
                return Err(SmtpError::Protocol { server: self.server.clone(), reason });
            }
            Ok(_) => {}
        }
        let sent = tokio::time::timeout(self.final_timeout, self.connection.message(content)).await;
        let unknown = |reason: String| SmtpError::Unknown { server: self.server.clone(), reason };
        match sent {
            Err(_) => Err(unknown(format!("no reply within {:?}", self.final_timeout))),
            Ok(Ok(response)) => {
                self.is_dirty = false;
                let response = on_one_line(&response.message().collect::<Vec<_>>().join(" "));
                Ok(DataOutcome::Accepted { response })
            }
            Ok(Err(error)) => match refusal(&error) {
                Some(refusal) => {
                    self.is_closing = refusal.code == CLOSING;
                    Ok(DataOutcome::Refused(refusal))
                }
                None => Err(unknown(error.to_string())),
            },
        }
    }

    /// The outcome of content that was never sent: when the server hung up between the recipients, those it had
    /// accepted did not get the mail either.
    fn closed_early(&self, asked: &[(Address, Outcome)]) -> DataOutcome {
        let closing = asked.iter().find_map(|(_, outcome)| match outcome {
            Outcome::Refused(refusal) if refusal.code == CLOSING => Some(refusal.clone()),
            Outcome::Refused(_) | Outcome::Accepted { .. } => None,
        });
        closing.map_or(DataOutcome::NotSent, DataOutcome::Refused)
    }

    /// Makes the connection ready for another mail; whether that worked.
    pub(super) async fn reset(&mut self) -> bool {
        self.is_reused = true;
        if self.is_closing || self.connection.has_broken() {
            return false;
        }
        if !self.is_dirty {
            return true;
        }
        self.is_dirty = false;
        matches!(self.ask(Rset).await, Ok(Ok(_)))
    }

    /// Whether the server still answers.
    pub(super) async fn is_alive(&mut self) -> bool {
        tokio::time::timeout(COURTESY_TIMEOUT, self.connection.test_connected()).await.unwrap_or(false)
    }

    /// Says goodbye; what the server thinks of it does not matter.
    pub(super) async fn quit(&mut self) {
        let _ = tokio::time::timeout(COURTESY_TIMEOUT, self.connection.command(Quit)).await;
    }

    async fn ask(&mut self, command: impl Display) -> Reply {
        let reply = within(self.timeout, self.connection.command(command)).await;
        self.understood(reply)
    }

    /// What a reply means for this connection.
    fn understood(&mut self, reply: Result<Response, Silence>) -> Reply {
        match reply {
            Ok(response) => {
                self.has_begun = true;
                Ok(Ok(response))
            }
            Err(Silence::Timeout) => Err(SmtpError::Unreachable {
                server: self.server.clone(),
                reason: format!("no reply within {:?}", self.timeout),
            }),
            Err(Silence::Error(error)) => match refusal(&error) {
                Some(refusal) => {
                    self.is_closing |= refusal.code == CLOSING;
                    self.has_begun |= !self.is_closing;
                    Ok(Err(refusal))
                }
                None => Err(trouble(&self.server, &error)),
            },
        }
    }
}

/// What a reply to RCPT means for the recipient.
fn outcome(reply: Result<Response, Refusal>) -> Outcome {
    match reply {
        Ok(response) => Outcome::Accepted { response: on_one_line(&response.message().collect::<Vec<_>>().join(" ")) },
        Err(refusal) => Outcome::Refused(refusal),
    }
}

/// Whether a recipient was one too many for this transaction: the rest is for the next one, at once.
///
/// RFC 5321 §4.5.3.1.10. The same code is said of a full mailbox or a full disk (RFC 3463 §3.3 has X.2.2 and X.3.1 for
/// these); an enhanced code tells them apart.
fn is_too_many(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Refused(refusal) => {
            TOO_MANY.contains(&refusal.code) && matches!(enhanced(&refusal.text), None | Some((5, 3)))
        }
        Outcome::Accepted { .. } => false,
    }
}

/// Why there is no positive reply.
pub(super) enum Silence {
    Timeout,
    Error(lettre::transport::smtp::Error),
}

/// Waits for lettre, but not for ever: connections that are handed to it have no timeout of their own.
pub(super) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, lettre::transport::smtp::Error>>,
) -> Result<T, Silence> {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done.map_err(Silence::Error),
        Err(_) => Err(Silence::Timeout),
    }
}

/// The negative reply in an error of lettre's, if it is one.
pub(super) fn refusal(error: &lettre::transport::smtp::Error) -> Option<Refusal> {
    let code = u16::from(error.status()?);
    let text = error.source().map(ToString::to_string).unwrap_or_default();
    Some(Refusal { code, text: on_one_line(&text), permanent: error.is_permanent() })
}

/// An error of lettre's that is no negative reply.
pub(super) fn trouble(server: &str, error: &lettre::transport::smtp::Error) -> SmtpError {
    let reason = on_one_line(&error.to_string());
    let server = server.to_owned();
    // lettre reports a closed connection as a response that is incomplete.
    let is_protocol = (error.is_response() && !reason.contains("incomplete")) || error.is_client();
    if is_protocol { SmtpError::Protocol { server, reason } } else { SmtpError::Unreachable { server, reason } }
}

/// To whom this is said the server had hung up before they were asked for.
fn hung_up() -> Refusal {
    Refusal { permanent: false, ..refused_here(CLOSING, "the server hung up before") }
}

fn refused_here(code: u16, text: &str) -> Refusal {
    Refusal { code, text: text.to_owned(), permanent: true }
}

/// A reply as it may stand in a log: no control characters, not too long.
pub(super) fn on_one_line(text: &str) -> String {
    text.trim().chars().take(REPLY_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
