//! A private PostgreSQL on loopback, with a database of its own.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::missing::MissingServer;
use crate::ports::free_port;
use crate::process::{GroupLeader, Server, until};
use crate::{Lab, PortTaken, with_free_ports};

/// The password of the superuser `postgres`.
const PASSWORD: &str = "postgres-secret";

/// A running PostgreSQL in a lab's folder; it has to be dropped before the lab.
pub struct Postgres {
    /// Where it listens, on 127.0.0.1. Everybody needs a password.
    pub port: u16,
    programs: PathBuf,
    server: Server,
}

impl Postgres {
    /// Makes a cluster and starts its server. `None` when PostgreSQL is missing here, which is said on stderr.
    ///
    /// # Panics
    ///
    /// When it is missing and the environment variable `CI` is set, and when it does not start.
    pub fn start_or_skip(lab: &Lab) -> Option<Self> {
        match Self::start(lab) {
            Ok(server) => Some(server),
            Err(error) if error.is::<MissingServer>() && std::env::var_os("CI").is_none() => {
                // Past the test harness, which would keep it to itself.
                let line = format!("\n*** SKIPPED: a test with PostgreSQL: {error:#}\n\n");
                let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
                None
            }
            Err(error) => panic!("PostgreSQL does not start: {error:#}"),
        }
    }

    fn start(lab: &Lab) -> Result<Self> {
        let programs = programs().ok_or_else(|| MissingServer::packages("PostgreSQL", "postgresql"))?;
        let folder = lab.path().join("postgres");
        fs::create_dir_all(&folder)?;
        let owner = owner()?;
        if let Some((uid, gid)) = owner {
            chown(&folder, Some(uid), Some(gid)).context("giving the cluster's folder away")?;
        }
        fs::write(lab.path().join("postgres-password"), format!("{PASSWORD}\n"))?;
        create_cluster(&programs, lab.path(), owner)?;
        with_free_ports(|| run(lab, &programs, owner))
    }

    /// Runs SQL as the superuser, in `database`; what it gave, a line for each row.
    pub fn sql(&self, database: &str, sql: &str) -> Result<String> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-h", "127.0.0.1", "-U", "postgres", "-d", database, "-X", "-q", "-A", "-t"]);
        psql.args(["-v", "ON_ERROR_STOP=1", "-p", &self.port.to_string(), "-c", sql]);
        let output = psql.env("PGPASSWORD", PASSWORD).current_dir("/").output().context("running psql")?;
        ensure!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// Where Debian has PostgreSQL's programs, of the newest version.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|entry| entry.path().join("bin"));
    versions.filter(|bin| bin.join("initdb").is_file() && bin.join("postgres").is_file()).max()
}

/// As whom it runs when we are root, whom it refuses: the user of Debian's package.
fn owner() -> Result<Option<(u32, u32)>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let id = |what: &str| -> Result<u32> {
        let output = Command::new("id").args([what, "postgres"]).output().context("asking for the user postgres")?;
        String::from_utf8_lossy(&output.stdout).trim().parse().context("there is no user postgres")
    };
    Ok(Some((id("-u")?, id("-g")?)))
}

fn as_owner(command: &mut Command, owner: Option<(u32, u32)>) {
    if let Some((uid, gid)) = owner {
        command.uid(uid).gid(gid);
    }
}

fn create_cluster(programs: &Path, lab: &Path, owner: Option<(u32, u32)>) -> Result<()> {
    let mut initdb = Command::new(programs.join("initdb"));
    initdb.args(["-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", "--no-locale", "--no-sync"]);
    initdb.arg("--pwfile").arg(lab.join("postgres-password")).arg("-D").arg(lab.join("postgres/data"));
    as_owner(&mut initdb, owner);
    let output = initdb.current_dir("/").output().context("running initdb")?;
    ensure!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

fn run(lab: &Lab, programs: &Path, owner: Option<(u32, u32)>) -> Result<Postgres> {
    let (folder, port) = (lab.path().join("postgres"), free_port()?);
    let output = lab.path().join("postgres-output");
    let mut command = Command::new(programs.join("postgres"));
    command.arg("-D").arg(folder.join("data")).args(["-p", &port.to_string()]);
    // Nothing here outlives the test, so nothing has to outlive the machine.
    command.args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c"]);
    command.arg(format!("unix_socket_directories={}", folder.display()));
    as_owner(&mut command, owner);
    let server = Server::spawn(&mut command, GroupLeader::AtStart, &output, lab.watchdog())?;
    let mut postgres = Postgres { port, programs: programs.to_owned(), server };
    let mut last = None;
    let is_ready = until(Duration::from_secs(20), || {
        last = postgres.sql("postgres", "SELECT 1").err();
        last.is_none() || !postgres.server.is_running()
    });
    if is_ready && last.is_none() {
        return Ok(postgres);
    }
    let log = fs::read_to_string(&output).unwrap_or_default();
    if log.contains("Address already in use") {
        return Err(PortTaken.into());
    }
    bail!("postgres did not start ({last:?}); its log:\n{log}")
}
