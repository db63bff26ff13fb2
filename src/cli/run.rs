//! `imipd run`: the daemon, in the foreground.

use std::io::IsTerminal;
use std::path::PathBuf;

use secrecy::ExposeSecret;

use super::masking::{Journal, Mask};
use crate::config::{Config, Log, LogAddresses, LogFormat};
use crate::{gateway, web};

pub async fn execute(config: Config, file: PathBuf) -> anyhow::Result<()> {
    let mask = start_logging(&config.log);
    let attach = async move |gateway: &_, stop: &_, tasks: &mut _| {
        if let Some(mask) = mask {
            let gateway: &std::sync::Arc<gateway::Gateway> = gateway;
            mask.set_key(gateway.ledger.secret("log").await?.expose_secret());
        }
        Ok(web::start(gateway, stop, tasks).await?)
    };
    gateway::run((config, file), attach).await
}

/// Log lines go to stderr, where systemd picks them up. Libraries say little: async-imap would print mail at trace.
///
/// Returns the mask that wants its key, where addresses are not to be told.
fn start_logging(log: &Log) -> Option<Mask> {
    let mask = match log.addresses {
        LogAddresses::Full => None,
        LogAddresses::Hashed => Some(Mask::default()),
    };
    let level = log.level.as_str();
    let filter = tracing_subscriber::EnvFilter::new(format!("warn,imipd={level},async_imap=info,sqlx=warn"));
    let journal = Journal(mask.clone());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(journal).with_target(false);
    match log.format {
        // Colours are escapes in the line, between which addresses would not be found.
        LogFormat::Text => builder.with_ansi(mask.is_none() && std::io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
    if mask.is_some() {
        // What a fault of ours quotes is masked as all else is.
        std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    }
    mask
}
