//! A few connections, kept for the next mail.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::session::Session;
use super::{SmtpError, SmtpServer};

/// How long an idle connection is kept; servers hang up after five minutes at the latest (RFC 5321 §4.5.3.2.7).
const IDLE_MAX: Duration = Duration::from_secs(60);

/// How long a connection may have been idle without being asked whether it lives: a mail that follows at once need not
/// wait for one more reply.
const TRUSTED_IDLE: Duration = Duration::from_secs(2);

/// The connections to one server: those in use hold a permit each, the others wait here.
pub(super) struct Pool {
    server: SmtpServer,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    session: Session,
    since: Instant,
}

impl Pool {
    pub(super) fn new(server: SmtpServer) -> Self {
        let permits = Arc::new(Semaphore::new(server.max_connections.clamp(1, Semaphore::MAX_PERMITS)));
        Self { server, permits, idle: Mutex::new(Vec::new()) }
    }

    pub(super) fn server(&self) -> &SmtpServer {
        &self.server
    }

    /// Takes an idle connection that still answers, or opens one; waits for a free permit first.
    ///
    /// A connection that is dropped with its permit is closed, whatever state it was in.
    pub(super) async fn take(&self) -> Result<(Session, OwnedSemaphorePermit), SmtpError> {
        let closed =
            |_| SmtpError::Unreachable { server: self.server.host.clone(), reason: "shutting down".to_owned() };
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(closed)?;
        while let Some(Idle { mut session, since }) = self.pop() {
            // A dead one costs no error: the server may close an idle connection whenever it likes.
            let idle = since.elapsed();
            if idle < TRUSTED_IDLE || (idle < IDLE_MAX && session.is_alive().await) {
                return Ok((session, permit));
            }
        }
        let session = Session::open(&self.server).await?;
        Ok((session, permit))
    }

    /// Keeps a connection for the next mail, if it can be used for one.
    pub(super) async fn give_back(&self, mut session: Session, permit: OwnedSemaphorePermit) {
        if session.reset().await {
            self.lock().push(Idle { session, since: Instant::now() });
        }
        // Only now: whoever waits for the permit finds the connection instead of opening one more.
        drop(permit);
    }

    /// Gives no connection to anybody any more.
    pub(super) fn stop(&self) {
        self.permits.close();
    }

    pub(super) async fn close(&self) {
        while let Some(mut idle) = self.pop() {
            idle.session.quit().await;
        }
    }

    fn pop(&self) -> Option<Idle> {
        self.lock().pop()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        // The list is whole after every operation on it, so a panic elsewhere does not spoil it.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("server", &self.server).field("idle", &self.lock().len()).finish_non_exhaustive()
    }
}
