//! From nothing to an authenticated connection: greeting, STARTTLS, capabilities, login.

use std::collections::BTreeSet;

use imap_proto::{Capability, Outcome, Response, ResponseCode, Status};
use secrecy::{ExposeSecret, SecretString};

use super::argument::{base64, quoted};
use super::error::{MailboxError, Refusal, code_is_transient};
use super::transport::{ImapServer, Security, Transport, connect_tcp, start_tls};
use super::wire::{Command, Step, Wire, garbage, text_of};

/// As whom we log in, and with which proof.
#[derive(Clone, Debug)]
pub enum Credentials {
    Password {
        login: String,
        password: SecretString,
    },
    /// A master user opens somebody's mailbox; the server is told `login`, `separator`, `master_user` in one word.
    Master {
        login: String,
        master_user: String,
        password: SecretString,
        separator: String,
    },
    /// An OAuth 2.0 access token.
    Token {
        login: String,
        token: SecretString,
        mechanism: TokenMechanism,
    },
}

/// How an access token is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenMechanism {
    /// Google's and Microsoft's older way.
    XOauth2,
    /// RFC 7628.
    OauthBearer,
}

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
    let result = match credentials {
        Credentials::Password { password, .. } | Credentials::Master { password, .. } => {
            log_in_with_password(wire, offered, &login, password.expose_secret()).await
        }
        Credentials::Token { token, mechanism, .. } => {
            authenticate(wire, mechanism.name(), &mechanism.payload(&login, token.expose_secret())?).await
        }
    };
    result.map_err(|error| match error {
        MailboxError::Refused { status: Refusal::No, text, .. } if !code_is_transient(&text) => {
            MailboxError::LoginRefused { login, text }
        }
        other => other,
    })
}

/// LOGIN where it is allowed and can carry the text, otherwise SASL PLAIN.
///
/// RFC 3501 §6.2.3: LOGIN must not be tried where LOGINDISABLED is told. Its quoted strings are ASCII, while
/// RFC 4616 has UTF-8.
async fn log_in_with_password(
    wire: &mut Wire,
    offered: &Capabilities,
    login: &str,
    password: &str,
) -> Result<Option<Capabilities>, MailboxError> {
    let (quoted_login, quoted_password) = (quoted("the login", login)?, quoted("the password", password)?);
    if !offered.has("LOGINDISABLED") && login.is_ascii() && password.is_ascii() {
        let mut told = None;
        let command = Command::secret("LOGIN", format!("LOGIN {quoted_login} {quoted_password}"));
        wire.run(&command, |response| told = capabilities_in(response).or(told.take())).await?;
        return Ok(told);
    }
    if !offered.has("AUTH=PLAIN") {
        return Err(MailboxError::LoginDisabled { login: login.to_owned() });
    }
    authenticate(wire, "PLAIN", &format!("\0{login}\0{password}")).await
}

/// AUTHENTICATE with one message from us. RFC 3501 §6.2.2.
async fn authenticate(wire: &mut Wire, mechanism: &str, payload: &str) -> Result<Option<Capabilities>, MailboxError> {
    let command = Command::open(format!("AUTHENTICATE {mechanism}"));
    let tag = wire.begin(&command).await?;
    let mut told = None;
    let mut answer = Some(base64(payload.as_bytes()));
    for _ in 0..100 {
        match wire.step(&tag, &command, &mut |response| told = capabilities_in(response).or(told.take())).await? {
            Step::Data => {}
            Step::Done => return Ok(told),
            // RFC 7628 §3.2.3: a second challenge holds an error, and our empty answer asks for the NO.
            Step::Continue => wire.send(&command.name, &answer.take().unwrap_or_default()).await?,
        }
    }
    Err(garbage(&command.name, "challenges without end"))
}

impl Credentials {
    /// The name that the server is told.
    pub fn login(&self) -> String {
        match self {
            Self::Password { login, .. } | Self::Token { login, .. } => login.clone(),
            Self::Master { login, master_user, separator, .. } => format!("{login}{separator}{master_user}"),
        }
    }
}

impl TokenMechanism {
    fn name(self) -> &'static str {
        match self {
            Self::XOauth2 => "XOAUTH2",
            Self::OauthBearer => "OAUTHBEARER",
        }
    }

    fn payload(self, login: &str, token: &str) -> Result<String, MailboxError> {
        if login.contains(['\u{1}', '\0', ',', '=']) || token.contains(['\u{1}', '\0']) {
            let why = "it holds a control character, a comma or an equals sign";
            return Err(MailboxError::BadArgument { what: "the login or token", why });
        }
        Ok(match self {
            Self::XOauth2 => format!("user={login}\u{1}auth=Bearer {token}\u{1}\u{1}"),
            // RFC 7628 §3.1, with the GS2 header of RFC 5801 §4.
            Self::OauthBearer => format!("n,a={login},\u{1}auth=Bearer {token}\u{1}\u{1}"),
        })
    }
}
