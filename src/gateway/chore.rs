//! What is done beside the reading of mail, whenever some of it is owed.

use std::fmt::Display;
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::watch::stopped;

/// How long to wait after trouble with the database.
const TROUBLE_PAUSE: Duration = Duration::from_secs(60);

/// How long to let alone what has failed so often: the shortest time at first, twice as long each time, the longest at last; milliseconds.
pub(super) fn rest((least, most): (i64, i64), attempts: u32) -> i64 {
    least.saturating_mul(1 << attempts.min(20)).min(most)
}

/// The rhythm of a chore: it is done again when the time is over that it has named, or when its bell rings.
#[derive(Debug)]
pub(super) struct Chore<'a> {
    /// Its name in the log.
    what: &'static str,
    bell: &'a Notify,
    stop: watch::Receiver<bool>,
}

impl<'a> Chore<'a> {
    pub(super) fn new(what: &'static str, bell: &'a Notify, stop: watch::Receiver<bool>) -> Self {
        Self { what, bell, stop }
    }

    /// Whether the daemon has not been told to stop.
    pub(super) fn goes_on(&self) -> bool {
        !*self.stop.borrow()
    }

    /// Does a turn of the work, which names the pause until the next one, and waits.
    ///
    /// The work is dropped half done when the daemon stops, so it has to be such as can be done again.
    pub(super) async fn turn<E: Display>(&mut self, work: impl Future<Output = Result<Duration, E>>) {
        let done = tokio::select! {
            done = work => done,
            () = stopped(&mut self.stop) => return,
        };
        let pause = done.unwrap_or_else(|error| {
            tracing::error!(%error, "cannot work through {}", self.what);
            TROUBLE_PAUSE
        });
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.bell.notified() => {}
            () = stopped(&mut self.stop) => {}
        }
    }
}
