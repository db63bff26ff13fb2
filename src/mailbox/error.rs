//! What can go wrong with a mailbox, sorted by whose problem it is.

use std::io;
use std::time::Duration;

/// Why a connection could not be made or a command had no usable answer.
///
/// After any of them but a tagged NO the session is spent: the position in the server's stream is not known any more.
#[derive(Debug, thiserror::Error)]
pub enum MailboxError {
    #[error(
        "cannot reach the IMAP server {host} port {port} ({step}): {source}; check [imap] host, port and security, \
         and that the server is up"
    )]
    Unreachable { host: String, port: u16, step: &'static str, source: io::Error },
    #[error(
        "the certificate of the IMAP server {host} port {port} is refused: {why}; correct [imap] host, renew the \
         certificate, or name its authority in [imap] ca_file"
    )]
    Certificate { host: String, port: u16, why: String },
    #[error("the IMAP server {host} offers no STARTTLS; set [imap] security = \"tls\", usually with port 993")]
    NoStartTls { host: String },
    #[error(
        "the IMAP server {host} says PREAUTH: it has logged us in as somebody before we said who; \
         use a port where a login is asked for"
    )]
    PreAuthenticated { host: String },
    #[error(
        "the IMAP server offers no way in for {login} on this connection: {mechanism} is needed, and it offers {offered}; \
         set [imap] security to \"tls\" or \"starttls\", correct [imap] auth, or enable {mechanism} there"
    )]
    LoginDisabled { login: String, mechanism: &'static str, offered: String },
    #[error("the IMAP server refuses the login {login}: {text}; {remedy}", remedy = problem.remedy())]
    LoginRefused { login: String, text: String, problem: LoginProblem },
    #[error("the IMAP server cannot log {login} in at present: {text}; it is tried again")]
    LoginDeferred { login: String, text: String },
    #[error("nothing to log {login} in with: {why}")]
    NoSecret { login: String, why: String },
    #[error("the IMAP server cannot open the folder {folder}: {text}; check its name, and [imap] watch")]
    NoSuchFolder { folder: String, text: String },
    #[error("the IMAP server answers {status} to {command}: {text}")]
    Refused { command: String, status: Refusal, text: String },
    #[error("the IMAP server closed the connection during {during}{said}", said = said(text))]
    Closed { during: String, text: Option<String> },
    #[error("the IMAP server's answer to {during} cannot be understood: {excerpt}; if it stays, report it as a fault")]
    Garbage { during: String, excerpt: String },
    #[error("the IMAP server did not answer {during} within {after:?}; check its load and the network")]
    Timeout { during: String, after: Duration },
    #[error("the IMAP server's answer to {during} is refused: {limit}")]
    TooLarge { during: String, limit: LimitExceeded },
    #[error("{what} cannot be sent to an IMAP server: {why}; correct it in the configuration")]
    BadArgument { what: &'static str, why: &'static str },
    #[error("an IMAP session was used again after it had failed; connect anew")]
    Spent,
}

/// How a command was refused: RFC 3501 §7.1.2 and §7.1.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    No,
    Bad,
}

/// Which of the [limits](super::limits) a response went over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitExceeded {
    #[error("a line is longer than {0} octets")]
    Line(usize),
    #[error("a literal of {0} octets is announced, more than was asked for")]
    Literal(u64),
    #[error("it is longer than {0} octets")]
    Response(usize),
    #[error("its parentheses nest deeper than {0} levels")]
    Nesting(u32),
    #[error("it consists of more than {0} responses")]
    Count(usize),
}

impl MailboxError {
    /// Whether the same attempt may succeed later without anybody's doing.
    ///
    /// What is not transient needs the operator, or is the fault of one mail: after [`Garbage`](Self::Garbage) or
    /// [`TooLarge`](Self::TooLarge) the caller narrows the range down to that mail and asks for
    /// [`Session::sizes`](super::Session::sizes) instead.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Closed { .. }
            | Self::Timeout { .. }
            | Self::LoginDeferred { .. }
            | Self::Spent => true,
            Self::Refused { status: Refusal::No, text, .. } => !code_is_permanent(text),
            Self::Refused { status: Refusal::Bad, .. }
            | Self::Certificate { .. }
            | Self::NoStartTls { .. }
            | Self::PreAuthenticated { .. }
            | Self::LoginDisabled { .. }
            | Self::LoginRefused { .. }
            | Self::NoSecret { .. }
            | Self::NoSuchFolder { .. }
            | Self::Garbage { .. }
            | Self::TooLarge { .. }
            | Self::BadArgument { .. } => false,
        }
    }

    /// Whether the fault lies in what the server told about single mails, so that a narrower range may work.
    pub fn is_about_a_mail(&self) -> bool {
        matches!(self, Self::Garbage { .. } | Self::TooLarge { .. })
    }
}

/// Why a login was refused, as far as the server's response code tells. RFC 5530 §3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginProblem {
    /// The name or its proof is wrong, or the server does not say what is: servers seldom do.
    Credentials,
    /// The proof is right, and may not open this mailbox.
    Authorization,
    /// The password or the token was right once.
    Expired,
    /// Not on a connection that others can read.
    PrivacyRequired,
    /// Nothing that we could do: an account that is closed, for instance.
    ContactAdmin,
}

impl LoginProblem {
    /// The problem that a refusal's text names; nothing when it is a passing one.
    pub(super) fn of(text: &str) -> Option<Self> {
        // RFC 9051 §7.1 has LIMIT for too many connections at once, which others may close.
        if code_is_transient(text) {
            return None;
        }
        let named = [
            ("AUTHORIZATIONFAILED", Self::Authorization),
            ("EXPIRED", Self::Expired),
            ("PRIVACYREQUIRED", Self::PrivacyRequired),
            ("CONTACTADMIN", Self::ContactAdmin),
        ];
        let known = named.iter().find(|(code, _)| has_code(text, &[code]));
        Some(known.map_or(Self::Credentials, |(_, problem)| *problem))
    }

    /// Whether the proof itself was refused, and would be for any mailbox.
    pub fn is_about_the_proof(self) -> bool {
        match self {
            Self::Credentials | Self::Expired => true,
            Self::Authorization | Self::PrivacyRequired | Self::ContactAdmin => false,
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::Credentials => "check the login, and the password or the token",
            Self::Authorization => "let it open this mailbox there, as a master user or proxy, or correct the login",
            Self::Expired => "renew the password or the token",
            Self::PrivacyRequired => "set [imap] security to \"tls\" or \"starttls\"",
            Self::ContactAdmin => "ask whoever runs that server what is wrong with the account",
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::No => "NO",
            Self::Bad => "BAD",
        })
    }
}

/// Whether a refusal's text begins with a response code that names a passing trouble. RFC 5530 §3.
pub(super) fn code_is_transient(text: &str) -> bool {
    has_code(text, &["UNAVAILABLE", "INUSE", "SERVERBUG", "LIMIT", "EXPUNGEISSUED"])
}

fn code_is_permanent(text: &str) -> bool {
    has_code(
        text,
        &[
            "AUTHENTICATIONFAILED",
            "AUTHORIZATIONFAILED",
            "EXPIRED",
            "PRIVACYREQUIRED",
            "CONTACTADMIN",
            "NOPERM",
            "CORRUPTION",
            "CLIENTBUG",
            "CANNOT",
            "NONEXISTENT",
        ],
    )
}

pub(super) fn has_code(text: &str, codes: &[&str]) -> bool {
    let Some(rest) = text.trim_start().strip_prefix('[') else { return false };
    let end = rest.find([']', ' ']).unwrap_or(rest.len());
    let code = rest.get(..end).unwrap_or(rest);
    codes.iter().any(|known| known.eq_ignore_ascii_case(code))
}

fn said(text: &Option<String>) -> String {
    text.as_ref().map(|text| format!(", saying: {text}")).unwrap_or_default()
}
