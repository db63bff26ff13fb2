//! From nothing to an authenticated connection: greeting, STARTTLS, capabilities, login.

use std::collections::BTreeSet;

use imap_proto::{Capability, Outcome, Response, ResponseCode, Status};
use secrecy::ExposeSecret;

use super::argument::quoted;
use super::credentials::{Credentials, challenge_text, encoded};
use super::error::{LoginProblem, MailboxError, Refusal};
use super::limits::{CHALLENGES_MAX, INITIAL_RESPONSE_BYTES_MAX};
use super::transport::{ImapServer, Security, Transport, connect_tcp, start_tls};
use super::wire::{Command, Step, Wire, garbage, text_of};

/// What the server says it can do. RFC 3501 §7.2.1; names are compared without case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities(BTreeSet<String>);

impl Capabilities {
    /// Whether the server has the capability, such as `IDLE` or `AUTH=PLAIN`.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains(&name.to_ascii_uppercase())
    }
}

/// A connection that is logged in, and what the server can do for it.
pub(super) async fn open(server: &ImapServer, credentials: &Credentials) -> Result<(Wire, Capabilities), MailboxError> {
    let tcp = connect_tcp(server).await?;
    let transport = match server.security {
        Security::Tls => start_tls(server, tcp).await?,
        Security::StartTls | Security::None => Transport::Plain(tcp),
    };
    let mut wire = Wire::new(transport, server.timing);
    let mut greeted = greet(server, &mut wire).await?;
    if server.security == Security::StartTls {
        wire = upgrade(server, wire, greeted).await?;
        // RFC 3501 §6.2.1: what was said in the clear may have been said by anybody.
        greeted = None;
    }
    let offered = known_or_asked(&mut wire, greeted).await?;
    let granted = log_in(&mut wire, &offered, credentials).await?;
    let capabilities = known_or_asked(&mut wire, granted).await?;
    Ok((wire, capabilities))
}

/// Reads the greeting. RFC 3501 §7.1.
///
/// PREAUTH is refused: the mailbox behind it is whose the server thinks, not whose we mean, and it would
/// also let somebody in the middle keep us from STARTTLS.
async fn greet(server: &ImapServer, wire: &mut Wire) -> Result<Option<Capabilities>, MailboxError> {
    let during = "the greeting";
    wire.greeting(|response| match response {
        Response::Data { status: Status::Ok, .. } => Ok(capabilities_in(response)),
        Response::Data { status: Status::PreAuth, .. } => {
            Err(MailboxError::PreAuthenticated { host: server.host.clone() })
        }
        Response::Data { status: Status::Bye, outcome } => {
            Err(MailboxError::Closed { during: during.to_owned(), text: Some(text_of(outcome)) })
        }
        _ => Err(garbage(during, "neither OK, PREAUTH nor BYE")),
    })
    .await?
}

async fn upgrade(server: &ImapServer, mut wire: Wire, greeted: Option<Capabilities>) -> Result<Wire, MailboxError> {
    if !known_or_asked(&mut wire, greeted).await?.has("STARTTLS") {
        return Err(MailboxError::NoStartTls { host: server.host.clone() });
    }
    wire.run(&Command::open("STARTTLS"), |_| {}).await?;
    match wire.into_transport() {
        Transport::Plain(tcp) => Ok(Wire::new(start_tls(server, tcp).await?, server.timing)),
        Transport::Tls(_) => Err(garbage("STARTTLS", "TLS is already there")),
    }
}

async fn known_or_asked(wire: &mut Wire, known: Option<Capabilities>) -> Result<Capabilities, MailboxError> {
    if let Some(known) = known {
        return Ok(known);
    }
    let mut told = None;
    wire.run(&Command::open("CAPABILITY"), |response| told = capabilities_in(response).or(told.take())).await?;
    told.ok_or_else(|| garbage("CAPABILITY", "no list of capabilities"))
}

/// The capabilities that a response lists, as data or as a response code. RFC 3501 §7.1 and §7.2.1.
fn capabilities_in(response: &Response<'_>) -> Option<Capabilities> {
    let list = match response {
        Response::Capabilities(list) => list,
        Response::Data { outcome: Outcome { code: Some(ResponseCode::Capabilities(list)), .. }, .. }
        | Response::Done { outcome: Outcome { code: Some(ResponseCode::Capabilities(list)), .. }, .. } => list,
        _ => return None,
    };
    let names = list.iter().map(|capability| match capability {
        Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
        Capability::Auth(mechanism) => format!("AUTH={}", mechanism.to_ascii_uppercase()),
        Capability::Atom(name) => name.to_ascii_uppercase(),
    });
    Some(Capabilities(names.collect()))
}

/// Logs in; the capabilities are those that the server tells with its consent.
async fn log_in(
    wire: &mut Wire,
    offered: &Capabilities,
    credentials: &Credentials,
) -> Result<Option<Capabilities>, MailboxError> {
    let login = credentials.login();
    let mut challenge = None;
    let result = match way_in(offered, credentials)? {
        Way::Login => log_in_plainly(wire, &login, credentials).await,
        Way::Sasl(mechanism) => {
            let payload = encoded(&credentials.payload(mechanism)?);
            authenticate(wire, offered, &Sasl { mechanism, payload: &payload }, &mut challenge).await
        }
    };
    result.map_err(|error| match error {
        MailboxError::Refused { status: Refusal::No, text, .. } => match LoginProblem::of(&text) {
            Some(problem) => {
                let text = challenge.map_or_else(|| text.clone(), |challenge| format!("{text} ({challenge})"));
                MailboxError::LoginRefused { login, text, problem }
            }
            None => MailboxError::LoginDeferred { login, text },
        },
        other => other,
    })
}

/// How a password or a token is presented.
enum Way {
    /// The command LOGIN. RFC 3501 §6.2.3.
    Login,
    /// AUTHENTICATE with this mechanism. RFC 3501 §6.2.2.
    Sasl(&'static str),
}

/// The way that the server offers and that can carry what we have to say.
///
/// SASL PLAIN in one line (RFC 4959) is preferred to LOGIN: it has UTF-8 (RFC 4616 §2), where LOGIN's quoted strings are ASCII,
/// and nothing in it has to be escaped. Where it would cost another round trip LOGIN is taken, unless LOGINDISABLED
/// forbids that (RFC 3501 §6.2.3).
fn way_in(offered: &Capabilities, credentials: &Credentials) -> Result<Way, MailboxError> {
    let mechanism = credentials.mechanism();
    let has_mechanism = offered.has(&format!("AUTH={mechanism}"));
    if !credentials.fits_login_command() {
        return if has_mechanism { Ok(Way::Sasl(mechanism)) } else { Err(no_way(offered, credentials)) };
    }
    if has_mechanism && (offered.has("SASL-IR") || offered.has("LOGINDISABLED")) {
        return Ok(Way::Sasl(mechanism));
    }
    if offered.has("LOGINDISABLED") { Err(no_way(offered, credentials)) } else { Ok(Way::Login) }
}

fn no_way(offered: &Capabilities, credentials: &Credentials) -> MailboxError {
    let (login, mechanism) = (credentials.login(), credentials.mechanism());
    let disabled = if offered.has("LOGINDISABLED") { "LOGINDISABLED, and " } else { "" };
    let mechanisms: Vec<&str> = offered.0.iter().filter_map(|name| name.strip_prefix("AUTH=")).collect();
    let offered = if mechanisms.is_empty() { "no mechanism".to_owned() } else { mechanisms.join(", ") };
    MailboxError::LoginDisabled { login, mechanism, offered: format!("{disabled}{offered}") }
}

async fn log_in_plainly(
    wire: &mut Wire,
    login: &str,
    credentials: &Credentials,
) -> Result<Option<Capabilities>, MailboxError> {
    let password = quoted("the password", credentials.secret().expose_secret())?;
    let command = Command::secret("LOGIN", format!("LOGIN {} {password}", quoted("the login", login)?));
    let mut told = None;
    wire.run(&command, |response| told = capabilities_in(response).or(told.take())).await?;
    Ok(told)
}

/// A mechanism and our one message in it, in base64.
struct Sasl<'a> {
    mechanism: &'static str,
    payload: &'a str,
}

/// AUTHENTICATE with one message from us. RFC 3501 §6.2.2.
///
/// Where the server takes it, and it is not too long for its line buffer, the message goes with the command: RFC 4959.
/// `challenge` is set to what the server says of its refusal before the refusal itself.
async fn authenticate(
    wire: &mut Wire,
    offered: &Capabilities,
    sasl: &Sasl<'_>,
    challenge: &mut Option<String>,
) -> Result<Option<Capabilities>, MailboxError> {
    let name = format!("AUTHENTICATE {}", sasl.mechanism);
    let goes_along = offered.has("SASL-IR") && sasl.payload.len() <= INITIAL_RESPONSE_BYTES_MAX;
    let (text, mut answer) = match goes_along {
        true => (format!("{name} {}", sasl.payload), None),
        false => (name.clone(), Some(sasl.payload)),
    };
    let command = Command::secret(name, text);
    let tag = wire.begin(&command).await?;
    let mut told = None;
    for _ in 0..CHALLENGES_MAX {
        let mut said = None;
        let mut look = |response: &Response<'_>| {
            told = capabilities_in(response).or(told.take());
            said = challenge_text(response);
        };
        match wire.step(&tag, &command, &mut look).await? {
            Step::Data => {}
            Step::Done => return Ok(told),
            Step::Continue => {
                // RFC 7628 §3.2.3: a challenge behind our message holds an error, and an empty answer asks for the NO.
                *challenge = said.or(challenge.take());
                wire.send(&command.name, answer.take().unwrap_or_default()).await?;
            }
        }
    }
    Err(garbage(&command.name, "challenges without end"))
}
