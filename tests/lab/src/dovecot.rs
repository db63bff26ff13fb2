//! A private Dovecot 2.3: IMAP, LMTP and SASL on loopback.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::certificate::Certificates;
use crate::line::LineClient;
use crate::missing::{MissingServer, find_program};
use crate::ports::free_port;
use crate::process::{GroupLeader, Server, Watchdog, until};
use crate::{MASTER_PASSWORD, MASTER_USER, PortTaken, password};

/// The first uid and the number of uids given to users when we are root.
///
/// Each user gets one, because Linux counts inotify instances per uid, and IDLE needs one each. They belong to nobody on
/// Debian, and to nobody's files but the lab's; below 65,536 they exist in containers too.
const FIRST_UID: u32 = 10_000;
const UIDS: u32 = 50_000;

pub(crate) struct Ports {
    pub imap: u16,
    pub imaps: Option<u16>,
    pub lmtp: u16,
    pub sasl: u16,
}

pub(crate) struct Dovecot {
    program: PathBuf,
    folder: PathBuf,
    users: Vec<String>,
    pub ports: Ports,
    watchdog: Arc<Watchdog>,
    server: Option<Server>,
}

/// What a Dovecot is to be.
pub(crate) struct Plan<'a> {
    pub folder: &'a Path,
    pub users: &'a [String],
    pub master: bool,
    pub certificates: Option<&'a Certificates>,
    pub extra: &'a str,
    pub watchdog: &'a Arc<Watchdog>,
}

impl Dovecot {
    /// Prepares the server's files in `plan.folder`, and starts it.
    pub(crate) fn start(plan: &Plan) -> Result<Self> {
        let program = installed()?;
        let tls = plan.certificates.is_some();
        let ports = Ports {
            imap: free_port()?,
            imaps: if tls { Some(free_port()?) } else { None },
            lmtp: free_port()?,
            sasl: free_port()?,
        };
        write_files(plan, &ports)?;
        let (folder, users) = (plan.folder.to_owned(), plan.users.to_vec());
        let watchdog = Arc::clone(plan.watchdog);
        let mut dovecot = Self { program, folder, users, ports, watchdog, server: None };
        dovecot.restart()?;
        Ok(dovecot)
    }

    pub(crate) fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop();
        }
    }

    /// Stops the server the hard way, which is quick; its data is not needed any more.
    pub(crate) fn kill(&mut self) {
        self.server = None;
    }

    /// Starts the server on its ports, unless it runs, and waits until a LOGIN succeeds.
    pub(crate) fn restart(&mut self) -> Result<()> {
        if self.server.as_mut().is_some_and(Server::is_running) {
            return Ok(());
        }
        let output = self.folder.join("output");
        let mut command = Command::new(&self.program);
        command.arg("-F").arg("-c").arg(self.folder.join("dovecot.conf"));
        let mut server = Server::spawn(&mut command, GroupLeader::AtStart, &output, &self.watchdog)?;
        let mut last = None;
        let ready = until(Duration::from_secs(15), || {
            last = self.login().err();
            last.is_none() || !server.is_running()
        });
        if ready && server.is_running() {
            self.server = Some(server);
            return Ok(());
        }
        drop(server);
        let log = self.log() + &fs::read_to_string(&output).unwrap_or_default();
        if log.contains("Address already in use") {
            return Err(PortTaken.into());
        }
        let last = last.map(|error| format!("{error:#}")).unwrap_or_default();
        bail!("dovecot did not start ({last}); its log:\n{log}")
    }

    /// Opens an IMAP session as the first user.
    fn login(&self) -> Result<LineClient> {
        let user = self.users.first().context("a lab needs a user")?;
        self.session(user)
    }

    /// Opens an IMAP session as `user`.
    pub(crate) fn session(&self, user: &str) -> Result<LineClient> {
        let mut client = LineClient::connect(self.ports.imap)?;
        let greeting = client.line()?;
        // Another lab may have taken the port between our looking and our binding.
        anyhow::ensure!(greeting.contains(&greeting_text(&self.folder)), "another server greets us: {greeting}");
        client.imap("login", &format!("LOGIN \"{user}\" \"{}\"", password(user)))?;
        Ok(client)
    }

    pub(crate) fn maildir(&self, user: &str) -> PathBuf {
        self.folder.join("mail").join(user).join("Maildir")
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

/// The Dovecot program, when it, its IMAP and its LMTP server are installed and of the version whose configuration we
/// write.
fn installed() -> Result<PathBuf, MissingServer> {
    const PACKAGES: &str = "dovecot-imapd dovecot-lmtpd";
    let program = find_program("dovecot").ok_or_else(|| MissingServer::packages("Dovecot", PACKAGES))?;
    let libexec = ["/usr/lib/dovecot", "/usr/libexec/dovecot", "/usr/local/libexec/dovecot"].map(Path::new);
    if !libexec.iter().any(|folder| folder.join("imap").is_file() && folder.join("lmtp").is_file()) {
        return Err(MissingServer::packages("Dovecot", PACKAGES));
    }
    let version = Command::new(&program).arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let version = String::from_utf8_lossy(&version).trim().to_owned();
    if !version.starts_with("2.3.") {
        let remedy = format!("the lab writes configuration for version 2.3 (Debian 12), and this is {version:?}");
        return Err(MissingServer { server: "Dovecot", remedy });
    }
    Ok(program)
}

fn greeting_text(folder: &Path) -> String {
    format!("imipd lab in {}", folder.display())
}

fn write_files(plan: &Plan, ports: &Ports) -> Result<()> {
    let folder = plan.folder;
    for name in ["base", "state", "mail"] {
        fs::create_dir_all(folder.join(name)).with_context(|| format!("creating {name} for dovecot"))?;
    }
    fs::write(folder.join("dovecot.conf"), configuration(plan, ports)?)?;
    fs::write(folder.join("users"), passwd(plan, ports.imap)?)?;
    fs::write(folder.join("masters"), format!("{MASTER_USER}:{{PLAIN}}{MASTER_PASSWORD}\n"))?;
    Ok(())
}

/// The passwd-file, and each user's home, owned by the user's uid when we are root.
fn passwd(plan: &Plan, seed: u16) -> Result<String> {
    let root = rustix::process::geteuid().is_root();
    let (own_uid, own_gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let mut text = String::new();
    for (user, index) in plan.users.iter().zip(0u32..) {
        let (uid, gid) =
            if root { (FIRST_UID + (u32::from(seed) * 64 + index) % UIDS, FIRST_UID) } else { (own_uid, own_gid) };
        let home = plan.folder.join("mail").join(user);
        fs::create_dir_all(&home).with_context(|| format!("creating {}", home.display()))?;
        if root {
            chown(&home, Some(uid), Some(gid)).with_context(|| format!("giving {} to {uid}", home.display()))?;
        }
        writeln!(text, "{user}:{{PLAIN}}{}:{uid}:{gid}::{}::", password(user), home.display())?;
    }
    Ok(text)
}

fn configuration(plan: &Plan, ports: &Ports) -> Result<String> {
    let folder = plan.folder.display();
    let greeting = greeting_text(plan.folder);
    let Ports { imap, imaps, lmtp, sasl } = ports;
    let imaps_port = imaps.unwrap_or(0);
    let master = if plan.master { master_passdb(plan.folder) } else { String::new() };
    let tls = tls(plan.certificates);
    let identity = identity()?;
    let extra = plan.extra;
    Ok(format!(
        r#"base_dir = {folder}/base
state_dir = {folder}/state
instance_name = imipd-lab
log_path = {folder}/log
login_greeting = {greeting}
listen = 127.0.0.1
protocols = imap lmtp
{identity}{tls}
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
{master}passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = passwd-file
  args = {folder}/users
}}
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:~/Maildir
postmaster_address = postmaster@example.com
hostname = lab.example.com
mail_max_userip_connections = 0
default_client_limit = 16000
namespace inbox {{
  inbox = yes
  mailbox Drafts {{
    special_use = \Drafts
    auto = subscribe
  }}
  mailbox Junk {{
    special_use = \Junk
    auto = subscribe
  }}
  mailbox Sent {{
    special_use = \Sent
    auto = subscribe
  }}
  mailbox Trash {{
    special_use = \Trash
    auto = subscribe
  }}
}}
service imap-login {{
  # One process for all logins: thousands of connections, and no fork for each.
  service_count = 0
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps_port}
  }}
}}
service imap {{
  process_limit = 4000
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
service auth {{
  inet_listener sasl {{
    port = {sasl}
  }}
}}
{extra}
"#
    ))
}

fn master_passdb(folder: &Path) -> String {
    format!(
        "auth_master_user_separator = *
passdb {{
  driver = passwd-file
  args = {}/masters
  master = yes
  result_success = continue
}}
",
        folder.display()
    )
}

fn tls(certificates: Option<&Certificates>) -> String {
    match certificates {
        None => "ssl = no".to_owned(),
        Some(files) => {
            let (server, key) = (files.server.display(), files.key.display());
            format!("ssl = yes\nssl_cert = <{server}\nssl_key = <{key}")
        }
    }
}

/// The settings that let an ordinary user run Dovecot: all its processes are that user's, and none is chrooted.
fn identity() -> Result<String> {
    if rustix::process::geteuid().is_root() {
        return Ok(String::new());
    }
    let (user, group) = (id("-un")?, id("-gn")?);
    Ok(format!(
        "default_login_user = {user}
default_internal_user = {user}
default_internal_group = {group}
service imap-login {{
  chroot =
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"
    ))
}

fn id(what: &str) -> Result<String> {
    let output = Command::new("id").arg(what).output().context("asking id who we are")?;
    anyhow::ensure!(output.status.success(), "id {what} failed: the user running this has no name");
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
