//! The daemon: starts everything, keeps it running, and stops it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::control::{Claim, Control};
use super::mailboxes::Mailboxes;
use super::{Gateway, Reloaded, courier, marking, moving, notice, retention, save_sent};
use crate::config::{Config, Files};
use crate::outbox::smtp::Submitter;

/// How long what is in hand may take once the daemon is to stop; the rest of five seconds is for closing the database.
const GRACE: Duration = Duration::from_secs(4);

/// After this time the sources of users are asked again when one of them has failed.
const AFTER_FAILURE: Duration = Duration::from_secs(30);

/// Runs the daemon until SIGTERM or SIGINT; the mail in hand is finished.
///
/// `file` is where the configuration came from, and where the users in it are read again at SIGHUP. `attach` starts what the
/// gateway itself knows nothing of, such as the web server; its tasks end with the daemon.
pub async fn run(
    (config, file): (Config, PathBuf),
    attach: impl AsyncFnOnce(&Arc<Gateway>, &watch::Receiver<bool>, &mut JoinSet<()>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    // First of all: whoever stops a daemon that is only starting has it end in good order, too.
    let mut signals = Signals::listen()?;
    let mut hangups = signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?;
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
    // Before all others, whose log lines may depend on it.
    attach(&gateway, &stopping, &mut tasks).await?;
    tasks.spawn(control.serve(Arc::clone(&gateway), stopping.clone()));
    tasks.spawn(courier::run(Arc::clone(&gateway), submitter, stopping.clone()));
    tasks.spawn(notice::run(Arc::clone(&gateway), stopping.clone()));
    tasks.spawn(retention::run(Arc::clone(&gateway), stopping.clone()));
    if gateway.config.smtp.save_sent {
        tasks.spawn(save_sent::run(Arc::clone(&gateway), Arc::clone(&server), stopping.clone()));
    }
    if gateway.marks_mail() {
        tasks.spawn(marking::run(Arc::clone(&gateway), Arc::clone(&server), stopping.clone()));
    }
    if gateway.moves_mail() {
        tasks.spawn(moving::run(Arc::clone(&gateway), Arc::clone(&server), stopping.clone()));
    }
    let mut mailboxes = Mailboxes::new(Arc::clone(&gateway), server);
    mailboxes.start_all(gateway.roster().users().cloned());
    tasks.spawn(keep_watchdog_quiet(stopping.clone()));
    // systemd may not be there; nothing depends on it.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), users = gateway.roster().len(), "imipd is running");
    tokio::select! {
        () = signals.terminated() => {}
        () = keep_users(&gateway, &file, &mut mailboxes, &mut hangups) => {}
    }
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

/// Keeps the users what the sources tell, for ever: asks them now, at each SIGHUP and from time to time.
async fn keep_users(gateway: &Arc<Gateway>, file: &Path, mailboxes: &mut Mailboxes, hangups: &mut Signal) {
    let has_sources = !gateway.config.more_users.sources.is_empty();
    let mut wait = if has_sources { Duration::ZERO } else { Duration::MAX };
    loop {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = hangups.recv() => {
                tell_of_reload();
                tracing::info!("SIGHUP: the users are read anew");
                reread_users(gateway, file);
                gateway.gate.look_again();
            }
        }
        let reloaded = gateway.reload_users().await;
        follow(gateway, mailboxes, &reloaded).await;
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
        wait = match (has_sources, reloaded.failing.is_empty()) {
            (false, _) => Duration::MAX,
            (true, true) => gateway.config.more_users.reload_interval,
            (true, false) => gateway.config.more_users.reload_interval.min(AFTER_FAILURE),
        };
    }
}

/// Tells systemd that a reload has begun; the time tells it from an earlier one (sd_notify(3)).
fn tell_of_reload() {
    let told = match sd_notify::NotifyState::monotonic_usec_now() {
        Ok(now) => sd_notify::notify(&[sd_notify::NotifyState::Reloading, now]),
        Err(_) => sd_notify::notify(&[sd_notify::NotifyState::Reloading]),
    };
    // systemd may not be there; nothing depends on it.
    let _ = told;
}

/// Takes over the `[[user]]` tables of the configuration file as it is now, when it has no faults.
fn reread_users(gateway: &Gateway, file: &Path) {
    match Config::load(file, Files::Checked) {
        Ok(config) => gateway.reconfigure_users(&config),
        Err(faults) => tracing::error!("the users of before stay, since the configuration has faults:\n{faults}"),
    }
}

/// Starts and stops watching, as users have come, gone or become others.
async fn follow(gateway: &Gateway, mailboxes: &mut Mailboxes, reloaded: &Reloaded) {
    for trouble in &reloaded.failing {
        tracing::error!("users cannot be asked for, and those of before stay: {trouble}");
    }
    for warning in &reloaded.warnings {
        tracing::warn!("{warning}");
    }
    let (before, after) = (&reloaded.before, &reloaded.after);
    let gone: Vec<&str> = before.users().map(|user| user.key()).filter(|key| after.get(key).is_none()).collect();
    let fresh: Vec<_> = after.users().filter(|user| before.get(user.key()) != Some(user)).cloned().collect();
    if gone.is_empty() && fresh.is_empty() {
        return;
    }
    tracing::info!(users = after.len(), gone = gone.len(), new_or_changed = fresh.len(), "the users have changed");
    for key in gone {
        mailboxes.stop(key).await;
    }
    mailboxes.start_all(fresh);
    gateway.gate.keep_only(&after.users().map(|user| user.login.as_str()).collect::<BTreeSet<_>>());
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
