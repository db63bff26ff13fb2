//! Logging in for a user: with what, and when.

use std::time::Duration;

use secrecy::ExposeSecret;

use super::gate::{Attempt, Outcome, Permit, fingerprint};
use super::{Gateway, token};
use crate::config::{Access, MasterMode, TokenMechanism, TokenSource, User};
use crate::mailbox::{self, Credentials, ImapServer, MailboxError, Session};

impl Gateway {
    /// Waits until a login of a user's may be tried; whoever holds something that others need waits here first.
    pub async fn may_log_in(&self, user: &User) -> Result<(), MailboxError> {
        self.pass_gate(user).await.map(drop)
    }

    async fn pass_gate(&self, user: &User) -> Result<Permit<'_>, MailboxError> {
        loop {
            let attempt = attempt(user)?;
            let held = |wait: Duration| self.tell_of_hold(user, attempt.master.as_deref(), wait);
            if let Some(permit) = self.gate.pass(&attempt, held).await {
                return Ok(permit);
            }
        }
    }

    /// A session of a user's, as soon as the login may be tried.
    ///
    /// It may wait for hours where logins were refused; the status tells meanwhile what is waited for.
    pub async fn log_in(&self, server: &ImapServer, user: &User) -> Result<Session, MailboxError> {
        let permit = self.pass_gate(user).await?;
        let credentials = credentials(user).await?;
        let session = Session::connect(server, &credentials).await.map(|session| match self.verifier {
            Some(_) => session.taking_signed_mails_whole(),
            None => session,
        });
        let outcome = match &session {
            Ok(_) => Outcome::Succeeded,
            Err(MailboxError::LoginRefused { problem, .. }) if problem.is_about_the_proof() => Outcome::Refused,
            Err(MailboxError::LoginRefused { .. }) => Outcome::Forbidden,
            // Anything else says nothing about the password.
            Err(_) => return session,
        };
        let retry_in = permit.report(outcome);
        if let Err(error) = &session {
            tracing::warn!(user = user.key(), ?retry_in, %error, "cannot log in");
        }
        session
    }

    fn tell_of_hold(&self, user: &User, master: Option<&str>, wait: Duration) {
        let (master, seconds) = (master.unwrap_or_default(), wait.as_secs());
        let text = format!(
            "the IMAP server refuses the master user {master}, for other mailboxes too; one login is tried in {seconds} s, or when the \
             password has changed; check imap.master_user and imap.master_password_file"
        );
        self.board.fail(user.key(), &text);
    }
}

/// What the gate has to know of a login.
fn attempt(user: &User) -> Result<Attempt, MailboxError> {
    let (master, secret) = match &user.access {
        Access::Password(password) => (None, Some(password)),
        Access::Master(master) => (Some(master.user.clone()), Some(&master.password)),
        Access::Token { source: TokenSource::File(file), .. } => (None, Some(file)),
        // It is not asked for a token that would not be used.
        Access::Token { source: TokenSource::Command(_), .. } => (None, None),
    };
    let secret = secret.map(|place| place.read().map_err(|error| no_secret(user, &error))).transpose()?;
    let fingerprint = secret.map(|secret| fingerprint(secret.expose_secret()));
    Ok(Attempt { login: user.login.clone(), master, fingerprint })
}

/// With what to log in for a user, read now.
pub async fn credentials(user: &User) -> Result<Credentials, MailboxError> {
    let login = user.login.clone();
    Ok(match &user.access {
        Access::Password(password) => {
            Credentials::Password { login, password: password.read().map_err(|error| no_secret(user, &error))? }
        }
        Access::Master(master) => Credentials::Master {
            login,
            master_user: master.user.clone(),
            password: master.password.read().map_err(|error| no_secret(user, &error))?,
            mode: match &master.mode {
                MasterMode::Separator(separator) => mailbox::MasterMode::Separator(separator.clone()),
                MasterMode::AuthorizationId => mailbox::MasterMode::AuthorizationId,
            },
        },
        Access::Token { mechanism, source } => Credentials::Token {
            login,
            token: token::fetch(source).await.map_err(|why| no_secret(user, &why))?,
            mechanism: match mechanism {
                TokenMechanism::XOauth2 => mailbox::TokenMechanism::XOauth2,
                TokenMechanism::OauthBearer => mailbox::TokenMechanism::OauthBearer,
            },
        },
    })
}

fn no_secret(user: &User, why: &impl std::fmt::Display) -> MailboxError {
    MailboxError::NoSecret { login: user.login.clone(), why: why.to_string() }
}
