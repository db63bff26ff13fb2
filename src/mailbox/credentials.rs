//! As whom we log in, with which proof, and how that is written. Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use imap_proto::{Outcome, Response};
use secrecy::{ExposeSecret, SecretString};

use super::error::MailboxError;
use super::wire::excerpt;

/// As whom we log in, and with which proof.
#[derive(Clone, Debug)]
pub enum Credentials {
    Password {
        login: String,
        password: SecretString,
    },
    /// A master user opens somebody's mailbox.
    Master {
        login: String,
        master_user: String,
        password: SecretString,
        mode: MasterMode,
    },
    /// An OAuth 2.0 access token.
    Token {
        login: String,
        token: SecretString,
        mechanism: TokenMechanism,
    },
}

/// How a master user says whose mailbox is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MasterMode {
    /// In the login name: the user's login, this separator, the master user. Dovecot's own way.
    Separator(String),
    /// As the authorization identity of SASL PLAIN. RFC 4616 §2.
    AuthorizationId,
}

/// How an access token is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenMechanism {
    /// Google's and Microsoft's older way.
    XOauth2,
    /// RFC 7628.
    OauthBearer,
}

impl Credentials {
    /// The name that the server is told, as errors show it.
    pub fn login(&self) -> String {
        match self {
            Self::Password { login, .. } | Self::Token { login, .. } => login.clone(),
            Self::Master { login, master_user, mode: MasterMode::Separator(separator), .. } => {
                format!("{login}{separator}{master_user}")
            }
            Self::Master { login, master_user, mode: MasterMode::AuthorizationId, .. } => {
                format!("{master_user} for {login}")
            }
        }
    }

    pub(super) fn secret(&self) -> &SecretString {
        match self {
            Self::Password { password, .. } | Self::Master { password, .. } => password,
            Self::Token { token, .. } => token,
        }
    }

    /// The SASL mechanism that carries it.
    pub(super) fn mechanism(&self) -> &'static str {
        match self {
            Self::Password { .. } | Self::Master { .. } => "PLAIN",
            Self::Token { mechanism: TokenMechanism::XOauth2, .. } => "XOAUTH2",
            Self::Token { mechanism: TokenMechanism::OauthBearer, .. } => "OAUTHBEARER",
        }
    }

    /// Whether the command LOGIN could carry it: two names, both ASCII. RFC 3501 §6.2.3 and §9 quoted.
    pub(super) fn fits_login_command(&self) -> bool {
        let has_two_names = match self {
            Self::Password { .. } | Self::Master { mode: MasterMode::Separator(_), .. } => true,
            Self::Master { mode: MasterMode::AuthorizationId, .. } | Self::Token { .. } => false,
        };
        has_two_names && self.login().is_ascii() && self.secret().expose_secret().is_ascii()
    }

    /// The one message of the mechanism, before base64.
    pub(super) fn payload(&self, mechanism: &'static str) -> Result<String, MailboxError> {
        let secret = self.secret().expose_secret();
        let (authzid, authcid) = match self {
            Self::Token { login, mechanism, .. } => return mechanism.payload(login, secret),
            Self::Master { login, master_user, mode: MasterMode::AuthorizationId, .. } => {
                (login.as_str(), master_user.clone())
            }
            Self::Password { .. } | Self::Master { mode: MasterMode::Separator(_), .. } => ("", self.login()),
        };
        // RFC 4616 §2: NUL separates the three, and none of them may hold one.
        if [authzid, &authcid, secret].iter().any(|part| part.contains(['\0', '\r', '\n'])) {
            let what = if mechanism == "PLAIN" { "the login or password" } else { "the login" };
            return Err(MailboxError::BadArgument { what, why: "it holds a line break or a NUL" });
        }
        Ok(format!("{authzid}\0{authcid}\0{secret}"))
    }
}

impl TokenMechanism {
    fn payload(self, login: &str, token: &str) -> Result<String, MailboxError> {
        // RFC 5801 §4: comma and equals sign would have to be escaped, and no login at a token service has them.
        if login.contains(|c: char| c.is_control() || matches!(c, ',' | '=')) {
            let why = "it holds a control character, a comma or an equals sign";
            return Err(MailboxError::BadArgument { what: "the login", why });
        }
        // RFC 6750 §2.1: a bearer token is of visible ASCII characters.
        if !token.chars().all(|c| c.is_ascii_graphic()) {
            let why = "it holds something else than visible ASCII characters";
            return Err(MailboxError::BadArgument { what: "the access token", why });
        }
        Ok(match self {
            Self::XOauth2 => format!("user={login}\u{1}auth=Bearer {token}\u{1}\u{1}"),
            // RFC 7628 §3.1, with the GS2 header of RFC 5801 §4.
            Self::OauthBearer => format!("n,a={login},\u{1}auth=Bearer {token}\u{1}\u{1}"),
        })
    }
}

/// What is sent, in base64. RFC 3501 §6.2.2.
pub(super) fn encoded(payload: &str) -> String {
    STANDARD.encode(payload)
}

/// What a challenge says, when it is text: with a refused token, a JSON object with its `status`. RFC 7628 §3.2.2.
pub(super) fn challenge_text(response: &Response<'_>) -> Option<String> {
    let Response::Continue(Outcome { information: Some(text), .. }) = response else { return None };
    let text = String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?;
    (!text.trim().is_empty()).then(|| excerpt(text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn master(mode: MasterMode) -> Credentials {
        let password = SecretString::from("geheim");
        Credentials::Master { login: "anna".to_owned(), master_user: "imipd".to_owned(), password, mode }
    }

    fn token(login: &str, token: &str, mechanism: TokenMechanism) -> Result<String, MailboxError> {
        let credentials =
            Credentials::Token { login: login.to_owned(), token: SecretString::from(token.to_owned()), mechanism };
        credentials.payload(credentials.mechanism())
    }

    #[test]
    fn a_master_user_names_the_mailbox_in_either_way() {
        let separated = master(MasterMode::Separator("*".to_owned()));
        assert_eq!(separated.payload("PLAIN").unwrap(), "\0anna*imipd\0geheim");
        assert!(separated.fits_login_command());
        let authorized = master(MasterMode::AuthorizationId);
        assert_eq!(authorized.payload("PLAIN").unwrap(), "anna\0imipd\0geheim");
        assert!(!authorized.fits_login_command(), "LOGIN has no place for the mailbox");
    }

    #[test]
    fn tokens_are_written_as_their_mechanism_has_it() {
        // The examples of RFC 7628 §4.1 and of Google's description of XOAUTH2, without their further fields.
        let bearer =
            token("user@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==", TokenMechanism::OauthBearer);
        assert_eq!(
            bearer.unwrap(),
            "n,a=user@example.com,\u{1}auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\u{1}\u{1}"
        );
        let xoauth2 =
            token("someuser@example.com", "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg", TokenMechanism::XOauth2);
        assert_eq!(
            encoded(&xoauth2.unwrap()),
            "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ=="
        );
    }

    #[test]
    fn what_would_end_a_field_is_refused() {
        for (login, secret) in [("a\u{1}auth=x", "t"), ("a,b", "t"), ("a", "t\u{1}"), ("a", "t t"), ("a", "t\r\nX")] {
            assert!(token(login, secret, TokenMechanism::XOauth2).is_err(), "{login:?} {secret:?}");
        }
        let split = Credentials::Password { login: "a\0b".to_owned(), password: SecretString::from("x") };
        assert!(split.payload("PLAIN").is_err());
    }
}
