//! The command line: one file per subcommand.

mod calendar;
mod check;
mod explain;
mod feed;
mod invitations;
mod links;
mod log;
mod masking;
mod outbox;
mod output;
mod preview;
mod respond;
mod retry;
mod run;
mod scenario;
mod status;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::config::{Config, Files, User};
use crate::gateway::{Gateway, ask};
use crate::itip::Address;

/// An iMIP gateway: calendar invitations by mail, for any mail server and any mail client.
#[derive(Debug, Parser)]
#[command(name = "imipd", version, about, disable_help_subcommand = true)]
pub struct Arguments {
    /// The configuration file.
    #[arg(long, global = true, value_name = "FILE", default_value = "/etc/imipd/config.toml")]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon in the foreground.
    Run,
    /// Check the configuration and connect to everything; say what is wrong and how to mend it.
    Check,
    /// Tell what would happen with a mail, and why; changes nothing.
    Explain(explain::Arguments),
    /// Read and change a user's stored calendar; who has to know is told by mail.
    Calendar(calendar::Arguments),
    /// List what still waits for a user's answer.
    Invitations(invitations::Arguments),
    /// Answer an invitation.
    Respond(respond::Arguments),
    /// List the decisions, newest first.
    Log(log::Arguments),
    /// Take up mails again that could not be processed.
    Retry(retry::Arguments),
    /// Look at the mails that are owed and were sent.
    Outbox(outbox::Arguments),
    /// Write the mail that would go out with a calendar, to look at; sends nothing.
    Preview(preview::Arguments),
    /// Make and revoke links by which calendar applications read a user's stored calendar.
    Feed(feed::Arguments),
    /// List and revoke the links by which people answer a user's invitations.
    Links(links::Arguments),
    /// Tell how the daemon is.
    Status(status::Arguments),
    /// Run scenario files on the engine.
    Scenario(scenario::Arguments),
}

/// Executes a command; 0 is done, 1 a failure that was told on stderr.
pub fn execute(arguments: Arguments) -> ExitCode {
    forbid_core_dumps();
    let outcome = match arguments.command {
        Command::Scenario(scenario) => scenario.execute(),
        Command::Preview(preview) => preview.execute(&arguments.config),
        command => execute_with_config(&arguments.config, command),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A reader that has seen enough is no failure of ours.
            let is_broken_pipe =
                error.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe);
            if !is_broken_pipe {
                eprintln!("imipd: {}", told(&error));
            }
            ExitCode::FAILURE
        }
    }
}

/// Keeps what passes through memory, passwords among it, out of core dumps and from other processes of the same user.
///
/// Where the kernel refuses one of the two, the other one still holds, and the unit has `LimitCORE=0`. The limit goes on to the
/// commands that imipd starts, which see passwords as well.
fn forbid_core_dumps() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// An error with its causes, each said once: many of our errors have the text of their cause in their own.
fn told(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !told.contains(&cause) {
            told += if told.is_empty() { "" } else { ": " };
            told += &cause;
        }
    }
    let lines: Vec<String> = told.lines().map(output::printable).collect();
    lines.join("\n")
}

fn execute_with_config(path: &std::path::Path, command: Command) -> anyhow::Result<()> {
    let config = Config::load(path, command.files())
        .map_err(|faults| anyhow::anyhow!("the configuration has faults:\n{faults}"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(workers(&command)).build();
    let runtime = runtime.context("cannot start the runtime")?;
    runtime.block_on(async move {
        match command {
            Command::Run => run::execute(config, path.to_owned()).await,
            Command::Check => check::execute(config).await,
            Command::Explain(arguments) => arguments.execute(open(config).await?).await,
            Command::Calendar(arguments) => arguments.execute(open(config).await?).await,
            Command::Invitations(arguments) => arguments.execute(open(config).await?).await,
            Command::Respond(arguments) => arguments.execute(open(config).await?).await,
            Command::Log(arguments) => arguments.execute(open(config).await?).await,
            Command::Retry(arguments) => arguments.execute(open(config).await?).await,
            Command::Outbox(arguments) => arguments.execute(open(config).await?).await,
            Command::Links(arguments) => arguments.execute(open(config).await?).await,
            Command::Feed(arguments) => arguments.execute(open(config).await?).await,
            Command::Status(arguments) => arguments.execute(open(config).await?).await,
            Command::Scenario(arguments) => arguments.execute(),
            Command::Preview(arguments) => arguments.execute(path),
        }
    })
}

impl Command {
    /// Whether it needs the passwords that the configuration names.
    fn files(&self) -> Files {
        match self {
            Self::Run | Self::Check => Files::Checked,
            Self::Explain(_)
            | Self::Calendar(_)
            | Self::Invitations(_)
            | Self::Respond(_)
            | Self::Log(_)
            | Self::Retry(_)
            | Self::Outbox(_)
            | Self::Feed(_)
            | Self::Links(_)
            | Self::Status(_)
            | Self::Scenario(_)
            | Self::Preview(_) => Files::Unchecked,
        }
    }
}

/// The daemon uses what there is; everything else is over in a moment.
fn workers(command: &Command) -> usize {
    match command {
        Command::Run => std::thread::available_parallelism().map_or(2, usize::from).min(8),
        _ => 1,
    }
}

async fn open(config: Config) -> anyhow::Result<Arc<Gateway>> {
    Ok(Gateway::open(config).await?)
}

/// The user who has an address, or an error that says who there is.
async fn user_of(gateway: &Arc<Gateway>, address: &str) -> anyhow::Result<Arc<User>> {
    let parsed = Address::parse(address);
    if let Some(user) = gateway.user(&parsed) {
        return Ok(user);
    }
    let reloaded = gateway.reload_users().await;
    gateway.user(&parsed).with_context(|| {
        let unsure: String = reloaded.failing.iter().map(|trouble| format!("; {trouble}")).collect();
        format!("{address} is no address of any user in the configuration or its [users]; `imipd status` lists the users of a running daemon{unsure}")
    })
}

/// Wakes the daemon, if one is running; what is in the outbox is safe without it.
async fn wake(gateway: &Gateway) {
    if let Err(error) = ask(&gateway.config.database.path, "wake").await {
        eprintln!("imipd: the daemon could not be woken, it will look by itself: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_each_cause_once() {
        let full = anyhow::anyhow!("disk is full").context("cannot open it: disk is full; make room").context("put");
        assert_eq!(told(&full), "put: cannot open it: disk is full; make room");
    }

    #[test]
    fn what_an_error_quotes_steers_no_terminal() {
        assert_eq!(told(&anyhow::anyhow!("two faults:\n1 \x1b[2J\n2")), "two faults:\n1  [2J\n2");
    }

    #[test]
    fn a_value_that_makes_no_sense_is_wrong_usage() {
        let log = |since| Arguments::try_parse_from(["imipd", "log", "--since", since]);
        assert!(log("2026-11-22").is_ok() && log("2026-11-22T08:00:00Z").is_ok());
        assert_eq!(log("yesterday").map_err(|error| error.exit_code()).err(), Some(2));
        let respond =
            |date| Arguments::try_parse_from(["imipd", "respond", "--user", "b@x", "u1", "accept", "--instance", date]);
        assert!(respond("20260701T210000").is_ok());
        assert_eq!(respond("soon").map_err(|error| error.exit_code()).err(), Some(2));
    }
}
