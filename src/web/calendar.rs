//! `GET /calendar/TOKEN.ics`: a user's stored calendar, for any calendar application that can subscribe to one.

use std::io::Write;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::gateway::{Feed, Gateway};
use crate::imip::Token;

/// Answers with the calendar, or with 304 to whoever has it already.
///
/// What is no token, was revoked, or belongs to nobody any more is 404 alike: nobody learns which tokens there were. Nothing of a
/// request is logged, since the path is the right to read the calendar.
pub(super) async fn answer(
    State(gateway): State<Arc<Gateway>>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(token) = file.strip_suffix(".ics").and_then(Token::parse) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match gateway.feed(&token).await {
        Ok(Some(feed)) => served(feed, &headers).await,
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::error!(%error, "a calendar cannot be read for its feed");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

async fn served(feed: Feed, headers: &HeaderMap) -> Response {
    // Weak, because the text may come packed or not (RFC 9110 §8.8.1).
    let etag = format!("W/\"{}\"", feed.etag);
    let usual: [(HeaderName, &str); 3] =
        [(ETAG, &etag), (CACHE_CONTROL, "private, no-cache"), (VARY, "Accept-Encoding")];
    if is_known(headers, &feed.etag) {
        return (StatusCode::NOT_MODIFIED, usual).into_response();
    }
    let content_type = (CONTENT_TYPE, "text/calendar; charset=utf-8");
    if !takes_gzip(headers) {
        return (usual, [content_type], feed.text).into_response();
    }
    // Megabytes take a while to pack, and others want to be served meanwhile.
    let packed = tokio::task::spawn_blocking(move || packed(feed.text.as_bytes())).await;
    match packed {
        Ok(Ok(packed)) => (usual, [content_type, (CONTENT_ENCODING, "gzip")], packed).into_response(),
        Ok(Err(_)) | Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Whether the client has this version: the weak comparison of RFC 9110 §13.1.2.
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let named = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = named.flat_map(|value| value.split(',')).map(|tag| tag.trim().trim_start_matches("W/"));
    tags.any(|tag| tag == "*" || tag.trim_matches('"') == etag)
}

/// Whether gzip is among the codings that the client takes, and not by a weight of nothing (RFC 9110 §12.5.3).
fn takes_gzip(headers: &HeaderMap) -> bool {
    let named = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut codings = named.flat_map(|value| value.split(','));
    codings.any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        is_gzip && !parts.any(|part| part.strip_prefix("q=").is_some_and(|weight| weight.parse() == Ok(0.0)))
    })
}

fn packed(text: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text)?;
    encoder.finish()
}
