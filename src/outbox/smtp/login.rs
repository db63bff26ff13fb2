//! Who we are to the server, and how that is proved (RFC 4954).

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::response::Response;
use secrecy::{ExposeSecret, SecretString};

use super::dial::{name_of, protocol, timed_out, unreachable};
use super::session::{Silence, refusal, trouble, within};
use super::{Refusal, SmtpError, SmtpServer};

/// A login name, and the proof that it is ours.
#[derive(Clone, Debug)]
pub struct Login {
    pub username: String,
    pub proof: Proof,
}

/// What proves who we are.
#[derive(Clone)]
pub enum Proof {
    /// For AUTH PLAIN, or LOGIN where that is all there is.
    Password(SecretString),
    /// An access token for AUTH XOAUTH2, fetched for each connection anew.
    Token(Arc<dyn TokenSource>),
}

/// Where access tokens come from.
pub trait TokenSource: Send + Sync {
    /// A token that is good now, or why there is none, as a sentence.
    fn token(&self) -> Pin<Box<dyn Future<Output = Result<SecretString, String>> + Send + '_>>;
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password(_) => "Password",
            Self::Token(_) => "Token",
        })
    }
}

impl Login {
    pub fn password(username: &str, password: SecretString) -> Self {
        Self { username: username.to_owned(), proof: Proof::Password(password) }
    }

    pub fn token(username: &str, source: Arc<dyn TokenSource>) -> Self {
        Self { username: username.to_owned(), proof: Proof::Token(source) }
    }
}

/// Logs in, where the server is to be logged in to.
pub(super) async fn authenticate(server: &SmtpServer, connection: &mut AsyncSmtpConnection) -> Result<(), SmtpError> {
    let Some(login) = &server.credentials else { return Ok(()) };
    let reply = match &login.proof {
        Proof::Password(password) => {
            let credentials = Credentials::new(login.username.clone(), password.expose_secret().to_owned());
            within(server.timeout, connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials)).await
        }
        Proof::Token(source) => {
            let token = tokio::time::timeout(server.timeout, source.token()).await;
            let token = token.unwrap_or_else(|_| Err(format!("it took more than {:?}", server.timeout)));
            let no_token = |reason| SmtpError::NoToken { username: login.username.clone(), reason };
            present(server, connection, &login.username, &token.map_err(no_token)?).await
        }
    };
    judge(server, login, reply)
}

/// Presents a token. After a challenge, which holds nothing but why it is refused, the client says nothing, and gets the
/// refusal; lettre would break off there. The dialogue is Google's, and others have taken it over.
async fn present(
    server: &SmtpServer,
    connection: &mut AsyncSmtpConnection,
    username: &str,
    token: &SecretString,
) -> Result<Response, Silence> {
    let said = STANDARD.encode(format!("user={username}\x01auth=Bearer {}\x01\x01", token.expose_secret()));
    let reply = within(server.timeout, connection.command(format!("AUTH XOAUTH2 {said}\r\n"))).await?;
    match reply.has_code(334) {
        true => within(server.timeout, connection.command("\r\n")).await,
        false => Ok(reply),
    }
}

fn judge(server: &SmtpServer, login: &Login, reply: Result<Response, Silence>) -> Result<(), SmtpError> {
    let refused =
        |refusal| SmtpError::AuthRefused { server: name_of(server), username: login.username.clone(), refusal };
    match reply {
        Ok(response) if response.has_code(235) => Ok(()),
        Ok(response) => Err(protocol(server, format!("it answered AUTH with {}", response.code()))),
        Err(Silence::Timeout) => Err(unreachable(server, timed_out(server))),
        Err(Silence::Error(error)) => Err(match refusal(&error) {
            Some(refusal) => refused(refusal),
            None if error.is_client() => {
                // RFC 4954 §4: 504 is what a server says to a mechanism it does not have.
                let text = "it offers neither AUTH PLAIN nor AUTH LOGIN on this connection".to_owned();
                refused(Refusal { code: 504, text, permanent: true })
            }
            None => trouble(&name_of(server), &error),
        }),
    }
}
