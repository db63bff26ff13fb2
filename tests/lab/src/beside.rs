//! Programs that run beside mail servers: filters, name servers. In a temporary folder, on loopback, stopped by process id.

use std::fs::{self, Permissions};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::missing::{MissingServer, find_program};
use crate::process::{GroupLeader, Server, Watchdog, until};

/// Longer than any of them takes to start: rspamd has been seen to take 15 s after its installation.
const PATIENCE: Duration = Duration::from_secs(90);

/// A folder and the programs that run in it. Dropping it stops them and removes the folder.
pub struct Beside {
    servers: Vec<Server>,
    folder: Option<TempDir>,
    root: PathBuf,
    watchdog: Arc<Watchdog>,
}

/// A program of a Debian package, which listens on a TCP port of 127.0.0.1 and stays in the foreground.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    pub name: &'static str,
    pub package: &'static str,
    pub port: u16,
}

impl Beside {
    /// An empty folder.
    pub fn prepare() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("imipd-lab-").tempdir().context("making a temporary folder")?;
        let root = folder.path().to_owned();
        // As root the programs may drop to other uids, which must get at their files.
        fs::set_permissions(&root, Permissions::from_mode(0o755))?;
        let watchdog = Watchdog::start(&root)?;
        Ok(Self { servers: Vec::new(), folder: Some(folder), root, watchdog })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Writes a file into the folder that only its owner may read.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.root.join(name);
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        Ok(path)
    }

    /// Starts a program, with what `equip` gives it, and waits until it listens.
    ///
    /// # Errors
    ///
    /// [`MissingServer`] (by `error.is()`) when it is not installed; otherwise what it has said.
    pub fn run(&mut self, program: Program, equip: impl FnOnce(&mut Command)) -> Result<()> {
        let Program { name, package, port } = program;
        let file = find_program(name).ok_or_else(|| MissingServer::packages(name, package))?;
        let mut command = Command::new(file);
        equip(&mut command);
        let output = self.root.join(format!("{name}.output"));
        let mut server = Server::spawn(&mut command, GroupLeader::AtStart, &output, &self.watchdog)?;
        let listens = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        let ready = until(PATIENCE, || listens() || !server.is_running());
        if ready && server.is_running() {
            self.servers.push(server);
            return Ok(());
        }
        drop(server);
        bail!("{name} did not start; it said:\n{}", fs::read_to_string(&output).unwrap_or_default())
    }

    /// What a program has said, for the message of a test that fails.
    pub fn output(&self, name: &str) -> String {
        fs::read_to_string(self.root.join(format!("{name}.output"))).unwrap_or_default()
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.servers.clear();
        if let Some(folder) = self.folder.take()
            && let Err(error) = folder.close()
        {
            eprintln!("imipd-lab: {} could not be removed: {error}", self.root.display());
        }
        self.watchdog.dismiss();
    }
}
