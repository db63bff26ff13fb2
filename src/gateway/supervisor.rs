//! The daemon: starts everything, keeps it running, and stops it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::control::{Claim, Control};
use super::mailboxes::Mailboxes;
use super::{Gateway, courier, notice, retention};
use crate::config::Config;
use crate::outbox::smtp::Submitter;

/// How long what is in hand may take once the daemon is to stop; the rest of five seconds is for closing the database.
const GRACE: Duration = Duration::from_secs(4);

/// Runs the daemon until SIGTERM or SIGINT; the mail in hand is finished.
pub async fn run(config: Config) -> anyhow::Result<()> {
    // First of all: whoever stops a daemon that is only starting has it end in good order, too.
    let mut signals = Signals::listen()?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    // Held to the end: what is still in hand after SIGTERM must not meet another daemon.
    let claim = Claim::take(&config.database.path)?;
    let control = Control::bind(&config.database.path, &claim)?;
    let gateway = Gateway::open(config).await?;
    let server = Arc::new(gateway.imap_server()?);
    let submitter = Arc::new(Submitter::new(gateway.smtp_server()?));
    let (stop, stopping) = watch::channel(false);
    let mut tasks = JoinSet::new();
    tasks.spawn(control.serve(Arc::clone(&gateway), stopping.clone()));
    tasks.spawn(courier::run(Arc::clone(&gateway), submitter, stopping.clone()));
    tasks.spawn(notice::run(Arc::clone(&gateway), stopping.clone()));
    tasks.spawn(retention::run(Arc::clone(&gateway), stopping.clone()));
    let mut mailboxes = Mailboxes::new(Arc::clone(&gateway), server);
    mailboxes.start_all(gateway.config.users.iter().cloned().map(Arc::new));
    tasks.spawn(keep_watchdog_quiet(stopping.clone()));
    // systemd may not be there; nothing depends on it.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), users = gateway.config.users.len(), "imipd is running");
    signals.terminated().await;
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    tracing::info!("stopping; the mail in hand is finished first");
    let _ = stop.send(true);
    let ending = async {
        mailboxes.stop_all().await;
        while tasks.join_next().await.is_some() {}
    };
    if tokio::time::timeout(GRACE, ending).await.is_err() {
        tracing::warn!("not everything came to an end in time; what was not committed is done again at the next start");
        tasks.abort_all();
    }
    gateway.ledger.close().await;
    drop(claim);
    Ok(())
}

/// Tells systemd that we are alive, where it wants to know (WatchdogSec=).
async fn keep_watchdog_quiet(mut stop: watch::Receiver<bool>) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    loop {
        tokio::select! {
            () = tokio::time::sleep(limit / 3) => {
                let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
            }
            () = super::watch::stopped(&mut stop) => return,
        }
    }
}

/// The signals that ask the daemon to stop; they are kept from here on until somebody waits for them.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        let terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
        let interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
        Ok(Self { terminate, interrupt })
    }

    /// Resolves at SIGTERM or SIGINT.
    async fn terminated(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
