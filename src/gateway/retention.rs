//! What is old is forgotten: now and then, a little at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::watch::stopped;
use super::{Gateway, now_millis};
use crate::ledger::Kept;

/// How often it is looked for what is old.
const INTERVAL: Duration = Duration::from_secs(3_600);

/// How long after the start: whoever starts us wants other things done first.
const FIRST: Duration = Duration::from_secs(60);

/// How many rows of a kind are forgotten at once; nobody else can write meanwhile.
const BATCH: u32 = 200;

/// The rest between two batches.
const PAUSE: Duration = Duration::from_millis(200);

/// Forgets what is old until the daemon stops.
pub(super) async fn run(gateway: Arc<Gateway>, mut stop: watch::Receiver<bool>) {
    let mut wait = FIRST;
    loop {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stopped(&mut stop) => return,
        }
        wait = match gateway.ledger.forget(kept(&gateway, now_millis()), BATCH).await {
            Ok(0) => INTERVAL,
            Ok(_) => PAUSE,
            Err(error) => {
                tracing::error!(%error, "what is old cannot be forgotten");
                INTERVAL
            }
        };
    }
}

/// What is kept at an instant, Unix milliseconds.
fn kept(gateway: &Gateway, now: i64) -> Kept {
    let database = &gateway.config.database;
    // A folder that gets new numbers is read again that far back, and what was done then must still be known.
    let backfill = Duration::from_secs(u64::from(gateway.config.imap.backfill_days) * 24 * 60 * 60);
    let since = |kept: Duration| now.saturating_sub(i64::try_from(kept.as_millis()).unwrap_or(i64::MAX));
    Kept { texts_since: since(database.keep_mail), records_since: since(database.keep_records.max(backfill)) }
}
