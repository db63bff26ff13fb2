//! Pushes: a mail server tells that a user has new mail, and the user's mailbox is looked at.
//!
//! What Dovecot's push_notification plugin sends with its driver `ox`: a PUT with Basic authentication and a JSON object. Of
//! that only `user` is used. A push says nothing that is believed: it makes us look, and looking for nothing is harmless.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use axum::http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;
use serde::Deserialize;
use subtle::ConstantTimeEq;

use super::limits::COMPLAINT_INTERVAL;
use crate::gateway::{Gateway, now_millis};
use crate::itip::Address;

/// What matters of a push.
#[derive(Deserialize)]
struct Push {
    user: String,
}

/// When refused pushes were last told of in the log, Unix milliseconds.
static COMPLAINED_AT: AtomicI64 = AtomicI64::new(0);

pub(super) async fn answer(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    // Before the body is read: a stranger makes no work.
    if !is_authorized(&gateway, request.headers()) {
        gateway.counters.pushes.refused.inc();
        complain();
        let challenge = (WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"imipd\""));
        return (StatusCode::UNAUTHORIZED, [challenge]).into_response();
    }
    let body = match Bytes::from_request(request, &()).await {
        Ok(body) => body,
        Err(rejection) => return rejection.into_response(),
    };
    let Ok(push) = serde_json::from_slice::<Push>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    // Whether somebody is a user here is nobody's business.
    match user_key(&gateway, &push.user).is_some_and(|key| gateway.ring(&key)) {
        true => gateway.counters.pushes.rung.inc(),
        false => gateway.counters.pushes.unknown.inc(),
    }
    StatusCode::NO_CONTENT.into_response()
}

/// The key of the user whom a push names by an address or by the login.
fn user_key(gateway: &Gateway, name: &str) -> Option<String> {
    let roster = gateway.roster();
    let by_address = gateway.user(&Address::parse(name));
    let by_login = || roster.users().find(|user| user.login == name).cloned();
    by_address.or_else(by_login).map(|user| user.key().to_owned())
}

/// Whether the request has the token, as the password of Basic authentication or as a Bearer token.
fn is_authorized(gateway: &Gateway, headers: &HeaderMap) -> bool {
    let Some(token) = &gateway.config.web.push_token else { return false };
    let said = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(token_in);
    said.is_some_and(|said| said.as_bytes().ct_eq(token.expose_secret().as_bytes()).into())
}

/// The secret in an Authorization header. RFC 7617 §2: the password is what stands behind the first colon; RFC 6750 §2.1.
fn token_in(value: &str) -> Option<String> {
    let (scheme, credentials) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(credentials.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    decoded.split_once(':').map(|(_, password)| password.to_owned())
}

/// Tells the log of a refused push, once in a while.
fn complain() {
    let (now, last) = (now_millis(), COMPLAINED_AT.load(Ordering::Relaxed));
    let is_due = now.saturating_sub(last) >= i64::try_from(COMPLAINT_INTERVAL.as_millis()).unwrap_or(i64::MAX);
    if is_due && COMPLAINED_AT.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
        tracing::warn!("a push without the right token is refused; compare web.push_token_file with the mail server");
    }
}
