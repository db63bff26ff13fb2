//! Whether something is wrong that needs somebody: one look for a load balancer or a monitor.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::gateway::{Gateway, Phase};

/// What is told: no address, no host, no text of an error.
#[derive(Serialize)]
struct Health {
    status: &'static str,
    /// Which parts do not work: `database`, `imap`, `smtp`.
    problems: Vec<&'static str>,
    mailboxes: usize,
    mailboxes_failing: usize,
}

/// 200, or 503 when the database cannot be read, no mailbox can, or the submission server takes no mail.
///
/// Single mailboxes that fail are counted only: a wrong password of one user is no outage.
pub(super) async fn answer(State(gateway): State<Arc<Gateway>>) -> Response {
    let phases = gateway.board.phases();
    let count = |wanted: Option<Phase>| -> usize {
        phases.iter().filter(|(phase, _)| wanted.is_none_or(|wanted| *phase == wanted)).map(|(_, count)| count).sum()
    };
    let (mailboxes, mailboxes_failing) = (count(None), count(Some(Phase::Failing)));
    let mut problems = Vec::new();
    if gateway.ledger.ping().await.is_err() {
        problems.push("database");
    }
    if mailboxes > 0 && mailboxes_failing == mailboxes {
        problems.push("imap");
    }
    if !gateway.board.smtp_error().is_empty() {
        problems.push("smtp");
    }
    let (code, status) =
        if problems.is_empty() { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "failing") };
    match serde_json::to_string(&Health { status, problems, mailboxes, mailboxes_failing }) {
        Ok(text) => (code, [(CONTENT_TYPE, "application/json")], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
