//! How much of everything, in the text format of Prometheus.
//!
//! What happens is counted where it happens, in the gateway's counters; what is, is looked up at each scrape, by queries that
//! walk along an index and only so far.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use prometheus::{IntGauge, IntGaugeVec, Opts, Registry, TEXT_FORMAT, TextEncoder};

use crate::gateway::{Gateway, GatewayError, now_millis};

/// Why the metrics cannot be told.
#[derive(Debug, thiserror::Error)]
enum MetricsError {
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    #[error("the metrics do not fit together: {0}")]
    Prometheus(#[from] prometheus::Error),
}

pub(super) async fn answer(State(gateway): State<Arc<Gateway>>) -> Response {
    match text(&gateway).await {
        Ok(text) => ([(CONTENT_TYPE, TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            tracing::warn!(%error, "the metrics cannot be told");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

async fn text(gateway: &Gateway) -> Result<String, MetricsError> {
    let now = Registry::new();
    let load = gateway.ledger.outbox_load().await.map_err(GatewayError::from)?;
    let dead = gateway.ledger.dead_letters().await.map_err(GatewayError::from)?;
    gauge(&now, "imipd_dead_letters", "Mails given up on.", i64::try_from(dead).unwrap_or(i64::MAX))?;
    let states = [("waiting", load.waiting), ("failed", load.failed)];
    gauges(&now, "imipd_outbox_recipients", "Recipients in the outbox, up to 100000.", "state", &states)?;
    let oldest = load.oldest_waiting_at.map_or(0, |at| (now_millis() - at).max(0) / 1_000);
    gauge(&now, "imipd_outbox_oldest_waiting_seconds", "Age of the oldest mail that waits to be sent.", oldest)?;
    let phases: Vec<_> =
        gateway.board.phases().into_iter().map(|(phase, count)| (phase.as_str(), whole(count))).collect();
    gauges(&now, "imipd_mailboxes", "Mailboxes by what is being done with them.", "phase", &phases)?;
    let lag = gateway.board.lag_millis(now_millis()) / 1_000;
    gauge(&now, "imipd_mailbox_lag_seconds", "Time for which the mailbox that is farthest behind is behind.", lag)?;
    gauge(
        &now,
        "imipd_mailbox_faults",
        "Times that a fault of imipd broke off the watching of a mailbox, since it started.",
        whole_u64(gateway.board.panics()),
    )?;
    let families = [gateway.counters.registry.gather(), now.gather()].concat();
    Ok(TextEncoder::new().encode_to_string(&families)?)
}

fn gauge(registry: &Registry, name: &str, help: &str, value: i64) -> Result<(), prometheus::Error> {
    let gauge = IntGauge::new(name, help)?;
    gauge.set(value);
    registry.register(Box::new(gauge))
}

fn gauges(
    registry: &Registry,
    name: &str,
    help: &str,
    label: &str,
    values: &[(&str, i64)],
) -> Result<(), prometheus::Error> {
    let gauges = IntGaugeVec::new(Opts::new(name, help), &[label])?;
    for (value, count) in values {
        gauges.with_label_values(&[*value]).set(*count);
    }
    registry.register(Box::new(gauges))
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn whole_u64(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
