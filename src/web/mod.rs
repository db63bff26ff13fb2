//! The web server: health, metrics, pushes, calendar feeds and the page at which invitations are answered. It has no TLS; where others than this machine need it, a proxy stands before it.
//!
//! | file | what it answers |
//! |---|---|
//! | `answer` | `/answer/TOKEN`: the page behind the links in invitations |
//! | `calendar` | `GET /calendar/TOKEN.ics`: a user's calendar, read-only |
//! | `health` | `GET /health`: whether something is wrong, for a load balancer or a monitor |
//! | `metrics` | `GET /metrics`: how much of everything, for Prometheus |
//! | `push` | `PUT /push/dovecot`: a mail server tells of new mail |
//! | `listen` | connections, with a limit on each thing that may come in |
//! | `client`, `tries` | who asks, and how often they may |

mod answer;
mod calendar;
mod client;
mod health;
mod limits;
mod listen;
mod metrics;
mod push;
mod tries;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::gateway::Gateway;
pub use listen::{ListenError, Listener};

/// Starts the web server, where the configuration wants one.
pub async fn start(
    gateway: &Arc<Gateway>,
    stop: &watch::Receiver<bool>,
    tasks: &mut JoinSet<()>,
) -> Result<(), ListenError> {
    let Some(place) = &gateway.config.web.listen else { return Ok(()) };
    let listener = Listener::bind(place).await?;
    tasks.spawn(listener.serve(router(Arc::clone(gateway)), stop.clone()));
    Ok(())
}

/// Everything that is answered.
pub fn router(gateway: Arc<Gateway>) -> Router {
    let mut router = Router::new().route("/health", get(health::answer)).route("/metrics", get(metrics::answer));
    router = router.route("/calendar/{file}", get(calendar::answer));
    if gateway.config.web.push_token.is_some() {
        router = router.route("/push/dovecot", put(push::answer));
    }
    let router = router.merge(answer::routes(Arc::clone(&gateway)));
    router.layer(DefaultBodyLimit::max(limits::BODY_BYTES_MAX)).layer(from_fn(in_time)).with_state(gateway)
}

/// Gives up on a request that takes too long, such as one whose body trickles in.
async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(limits::REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}
