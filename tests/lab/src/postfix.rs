//! A private Postfix: submission on loopback, delivery to the lab's Dovecot and nowhere else.
//!
//! Mail to other domains is offered to the Dovecot too, which knows no such users: the sender gets a bounce some time
//! later, as from a server far away. (The transport `error:` would have it refused at RCPT already.)

use std::fmt::Write as _;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail, ensure};

use crate::PortTaken;
use crate::certificate::Certificates;
use crate::line::LineClient;
use crate::missing::{MissingServer, find_program};
use crate::ports::free_port;
use crate::process::{GroupLeader, Server, Watchdog, until};

/// Where Postfix keeps its daemons: Debian, then the upstream default.
const DAEMON_FOLDERS: [&str; 2] = ["/usr/lib/postfix/sbin", "/usr/libexec/postfix"];

/// The queue's folders that only Postfix's own user may enter.
const QUEUES: [&str; 13] = [
    "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop", "private", "public",
    "saved", "trace",
];

pub(crate) struct Ports {
    pub smtp: u16,
    pub submission: u16,
    pub smtps: Option<u16>,
}

pub(crate) struct Postfix {
    master: PathBuf,
    folder: PathBuf,
    pub ports: Ports,
    watchdog: Arc<Watchdog>,
    server: Option<Server>,
}

/// What a Postfix is to be.
pub(crate) struct Plan<'a> {
    pub folder: &'a Path,
    pub users: &'a [String],
    pub domains: &'a [String],
    pub lmtp: u16,
    pub sasl: u16,
    pub certificates: Option<&'a Certificates>,
    pub extra: &'a str,
    pub watchdog: &'a Arc<Watchdog>,
}

impl Postfix {
    /// Prepares the server's files in `plan.folder`, and starts it.
    pub(crate) fn start(plan: &Plan) -> Result<Self> {
        let master = usable()?;
        let smtps = if plan.certificates.is_some() { Some(free_port()?) } else { None };
        let ports = Ports { smtp: free_port()?, submission: free_port()?, smtps };
        write_files(plan, &ports)?;
        let watchdog = Arc::clone(plan.watchdog);
        let mut postfix = Self { master, folder: plan.folder.to_owned(), ports, watchdog, server: None };
        postfix.restart()?;
        Ok(postfix)
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

    /// Starts the server on its ports, unless it runs, and waits until it greets.
    ///
    /// The master process is started without the `postfix` command, whose integrity checks take a second of scripts.
    pub(crate) fn restart(&mut self) -> Result<()> {
        if self.server.as_mut().is_some_and(Server::is_running) {
            return Ok(());
        }
        let output = self.folder.join("output");
        let mut command = Command::new(&self.master);
        command.arg("-s").arg("-c").arg(self.folder.join("etc"));
        let mut server = Server::spawn(&mut command, GroupLeader::ByItself, &output, &self.watchdog)?;
        let mut last = None;
        let ready = until(Duration::from_secs(15), || {
            last = self.greeting().err();
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
        bail!("postfix did not start ({last}); its log:\n{log}")
    }

    fn greeting(&self) -> Result<()> {
        let greeting = LineClient::connect(self.ports.smtp)?.reply()?;
        // Another lab may have taken the port between our looking and our binding.
        ensure!(greeting.text.contains(&banner(&self.folder)), "another server greets us: {}", greeting.text);
        Ok(())
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

/// Postfix's master program, when Postfix is installed and we are root, without which it does not run.
pub(crate) fn usable() -> Result<PathBuf, MissingServer> {
    if !rustix::process::geteuid().is_root() {
        let remedy = "it needs root; as an ordinary user take the relay (Mta::Relay or Mta::Auto)".to_owned();
        return Err(MissingServer { server: "Postfix", remedy });
    }
    let masters = DAEMON_FOLDERS.map(|folder| Path::new(folder).join("master"));
    let master = masters.into_iter().find(|master| master.is_file());
    master.filter(|_| find_program("postfix").is_some()).ok_or_else(|| MissingServer::packages("Postfix", "postfix"))
}

fn banner(folder: &Path) -> String {
    format!("imipd lab in {}", folder.display())
}

fn write_files(plan: &Plan, ports: &Ports) -> Result<()> {
    let uid = postfix_uid()?;
    let folder = plan.folder;
    let queue = folder.join("queue");
    for path in [folder.join("etc"), queue.join("pid")] {
        fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))?;
    }
    for path in QUEUES.iter().map(|name| queue.join(name)).chain([folder.join("data")]) {
        // A second try, after a port clash, starts with an empty queue too.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))?;
        fs::set_permissions(&path, Permissions::from_mode(0o700))?;
        chown(&path, Some(uid), None).with_context(|| format!("giving {} to postfix", path.display()))?;
    }
    write_old(&folder.join("etc/main.cf"), &main_cf(plan))?;
    write_old(&folder.join("etc/master.cf"), &master_cf(ports))?;
    let mut users = String::new();
    for user in plan.users {
        writeln!(users, "{user} -")?;
    }
    write_old(&folder.join("etc/users"), &users)
}

/// Writes a configuration file dated back: Postfix waits two seconds for a file that has just been changed, lest it
/// reads half of it.
fn write_old(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))?;
    let minute_ago = SystemTime::now() - Duration::from_secs(60);
    File::options().write(true).open(path)?.set_modified(minute_ago).context("dating the file back")
}

fn postfix_uid() -> Result<u32> {
    let passwd = fs::read_to_string("/etc/passwd").context("reading /etc/passwd")?;
    let line = passwd.lines().find(|line| line.starts_with("postfix:")).context("there is no user postfix")?;
    let uid = line.split(':').nth(2).and_then(|uid| uid.parse().ok());
    uid.with_context(|| format!("no uid in {line:?}"))
}

fn main_cf(plan: &Plan) -> String {
    let folder = plan.folder.display();
    let banner = banner(plan.folder);
    let domains = plan.domains.join(" ");
    let (lmtp, sasl, extra) = (plan.lmtp, plan.sasl, plan.extra);
    let tls = match plan.certificates {
        None => String::new(),
        Some(files) => format!(
            "smtpd_tls_security_level = may\nsmtpd_tls_cert_file = {}\nsmtpd_tls_key_file = {}\n",
            files.server.display(),
            files.key.display()
        ),
    };
    format!(
        "compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_banner = lab.example.com ESMTP {banner}
myhostname = lab.example.com
mydestination =
mynetworks = 127.0.0.0/8
recipient_delimiter = +
virtual_mailbox_domains = {domains}
virtual_mailbox_maps = texthash:{folder}/etc/users
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
default_transport = lmtp:inet:127.0.0.1:{lmtp}
relay_transport = lmtp:inet:127.0.0.1:{lmtp}
disable_dns_lookups = yes
smtpd_peername_lookup = no
alias_maps =
alias_database =
local_recipient_maps =
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{sasl}
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
{tls}{extra}
"
    )
}

fn master_cf(ports: &Ports) -> String {
    let Ports { smtp, submission, smtps } = ports;
    let mut text = format!(
        "127.0.0.1:{smtp} inet n - n - - smtpd
127.0.0.1:{submission} inet n - n - - smtpd
  -o syslog_name=postfix/submission
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"
    );
    if let Some(port) = smtps {
        text += &format!("127.0.0.1:{port} inet n - n - - smtpd\n  -o smtpd_tls_wrappermode=yes\n");
    }
    text
}
