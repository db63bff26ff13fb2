//! Access tokens, fetched when they are needed: from a file that somebody else renews, or from a command that prints them.

use std::pin::Pin;
use std::time::Duration;

use secrecy::SecretString;

use crate::command::{self, Bounds};
use crate::config::TokenSource;
use crate::outbox::smtp;

/// How a token command is bounded; a token has some thousand bytes.
const TOKEN_BOUNDS: Bounds = Bounds { time: Duration::from_secs(30), output_bytes_max: 64 * 1024 };

/// A token as it is now, or why there is none, as a sentence.
pub(super) async fn fetch(source: &TokenSource) -> Result<SecretString, String> {
    let words = match source {
        TokenSource::File(file) => return file.read().map_err(|error| error.to_string()),
        TokenSource::Command(words) => words,
    };
    let program = words.first().map_or("", String::as_str);
    let printed = command::output(words, TOKEN_BOUNDS).await.map_err(|error| error.to_string())?;
    match std::str::from_utf8(&printed).map(str::trim) {
        Ok(token) if !token.is_empty() && !token.contains(char::is_whitespace) => Ok(SecretString::from(token)),
        Ok("") => Err(format!("{program} has printed no token")),
        _ => Err(format!("{program} has printed something else than one word, the token")),
    }
}

/// Tokens for the submission service.
#[derive(Debug)]
pub(super) struct Tokens(pub TokenSource);

impl smtp::TokenSource for Tokens {
    fn token(&self) -> Pin<Box<dyn Future<Output = Result<SecretString, String>> + Send + '_>> {
        Box::pin(fetch(&self.0))
    }
}
