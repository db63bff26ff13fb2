//! `imipd run`: the daemon, in the foreground.

use std::io::IsTerminal;
use std::path::PathBuf;

use crate::config::{Config, Log, LogFormat};
use crate::{gateway, web};

pub async fn execute(config: Config, file: PathBuf) -> anyhow::Result<()> {
    start_logging(&config.log);
    gateway::run(config, file, async |gateway, stop, tasks| Ok(web::start(gateway, stop, tasks).await?)).await
}

/// Log lines go to stderr, where systemd picks them up. Libraries say little: async-imap would print mail at trace.
fn start_logging(log: &Log) {
    let level = log.level.as_str();
    let filter = tracing_subscriber::EnvFilter::new(format!("warn,imipd={level},async_imap=info,sqlx=warn"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    match log.format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
}
