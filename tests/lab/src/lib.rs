//! Private mail servers on loopback, for the demo and the tests of imipd.
//!
//! A [`Lab`] is a Dovecot (IMAP, LMTP) with a Postfix or a small relay in front of it, in a temporary folder, on ports of
//! its own. Several run side by side. Nothing leaves the machine, nothing outside the folder is touched, and nothing is
//! left when the lab is dropped, or when the process that holds it is killed.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! use imipd_lab::{Lab, LabOptions};
//!
//! let lab = Lab::start(&LabOptions { users: &["a", "b"], ..LabOptions::default() })?;
//! lab.submit("a@example.com", "b@example.com", b"Subject: hello\n\nhello\n")?;
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use certificate::Certificates;
use dovecot::Dovecot;
use line::LineClient;
use postfix::Postfix;
use process::{Watchdog, until};

mod beside;
mod certificate;
mod dovecot;
mod line;
mod maildir;
mod missing;
mod ports;
mod postfix;
mod postgres;
mod process;
mod relay;
mod second_reader;
mod wire;

pub use beside::{Beside, Program};
pub use maildir::DeliveredMail;
pub use missing::{MissingServer, or_skip, start_or_skip};
pub use ports::free_port;
pub use postgres::Postgres;
pub use relay::{Behaviour, Relay};
pub use second_reader::{Folder, Reading, folder, read_mail, read_outbox};
pub use wire::Wire;

/// The master user of a lab that has one: it logs in as `USER*gateway`.
pub const MASTER_USER: &str = "gateway";
/// The master user's password.
pub const MASTER_PASSWORD: &str = "master-secret";

/// The domain of users whose names have none.
const DOMAIN: &str = "example.com";
/// How often another port is tried when another process took the one that was free.
const TRIES: usize = 5;

/// Which server takes submitted mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mta {
    /// Postfix: it queues, retries and writes bounces. Needs root.
    Postfix,
    /// The relay of this crate: no queue, and faults on demand.
    Relay,
    /// Postfix where it can run, otherwise the relay.
    #[default]
    Auto,
}

/// What a lab is made of.
#[derive(Clone, Debug)]
pub struct LabOptions<'a> {
    /// The users' addresses; a name without a domain gets `example.com`.
    pub users: &'a [&'a str],
    /// Which server takes submitted mail.
    pub mta: Mta,
    /// Whether there is TLS: IMAPS on a port of its own, STARTTLS on the others, SMTPS with Postfix.
    pub tls: bool,
    /// Whether the master user [`MASTER_USER`] exists.
    pub master: bool,
    /// Lines put at the end of Dovecot's configuration.
    pub dovecot_extra: &'a str,
    /// Lines put at the end of Postfix's main.cf, where it is Postfix.
    pub postfix_extra: &'a str,
}

impl Default for LabOptions<'_> {
    /// One user `a`, a master user, no TLS, any server for submission.
    fn default() -> Self {
        Self { users: &["a"], mta: Mta::Auto, tls: false, master: true, dovecot_extra: "", postfix_extra: "" }
    }
}

/// The password of a user.
pub fn password(user: &str) -> String {
    format!("secret-{}", user.split('@').next().unwrap_or(user))
}

/// The error when another process took a port between our finding it free and the server's binding it.
#[derive(Debug)]
struct PortTaken;

impl fmt::Display for PortTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another process has taken the port")
    }
}

impl std::error::Error for PortTaken {}

/// Repeats `start` while it fails for a taken port.
fn with_free_ports<T>(mut start: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 1..TRIES {
        match start() {
            Err(error) if error.is::<PortTaken>() => {}
            outcome => return outcome,
        }
    }
    start()
}

enum Submission {
    Postfix(Postfix),
    Relay(Relay),
}

/// Running mail servers. Dropping it stops them and removes their folder.
pub struct Lab {
    submission: Submission,
    dovecot: Dovecot,
    users: Vec<String>,
    certificates: Option<Certificates>,
    folder: Option<TempDir>,
    root: PathBuf,
    watchdog: Arc<Watchdog>,
}

impl fmt::Debug for Lab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lab").field("path", &self.root).field("users", &self.users).finish_non_exhaustive()
    }
}

impl Lab {
    /// Starts the servers and returns when they answer.
    ///
    /// # Errors
    ///
    /// [`MissingServer`] (by `error.is()`) when a server is not installed or cannot run as this user; otherwise what went
    /// wrong, with the server's log.
    pub fn start(options: &LabOptions) -> Result<Self> {
        let users = addresses(options.users)?;
        let folder = tempfile::Builder::new().prefix("imipd-lab-").tempdir().context("making a temporary folder")?;
        let root = folder.path().to_owned();
        // As root the servers drop to other uids, which must get at their files.
        fs::set_permissions(&root, Permissions::from_mode(0o755))?;
        let watchdog = Watchdog::start(&root)?;
        let certificates = if options.tls { Some(Certificates::create(&root)?) } else { None };
        let plan = dovecot::Plan {
            folder: &root.join("dovecot"),
            users: &users,
            master: options.master,
            certificates: certificates.as_ref(),
            extra: options.dovecot_extra,
            watchdog: &watchdog,
        };
        let servers = with_free_ports(|| Dovecot::start(&plan)).and_then(|dovecot| {
            let submission = start_submission(options, &plan, &dovecot, &root)?;
            Ok((dovecot, submission))
        });
        let (dovecot, submission) = servers.inspect_err(|_| watchdog.dismiss())?;
        write_secret(&root.join("master-password"), MASTER_PASSWORD)?;
        Ok(Self { submission, dovecot, users, certificates, folder: Some(folder), root, watchdog })
    }

    /// The lab's folder. Callers may put files of their own in it; they vanish with the lab.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The users' addresses.
    pub fn users(&self) -> &[String] {
        &self.users
    }

    /// The port of IMAP, with STARTTLS when the lab has TLS.
    pub fn imap_port(&self) -> u16 {
        self.dovecot.ports.imap
    }

    /// The port of IMAP over TLS, when the lab has TLS.
    pub fn imaps_port(&self) -> Option<u16> {
        self.dovecot.ports.imaps
    }

    /// The port of Dovecot's LMTP.
    pub fn lmtp_port(&self) -> u16 {
        self.dovecot.ports.lmtp
    }

    /// The port that takes mail without authentication, with STARTTLS when the lab has TLS and Postfix.
    pub fn smtp_port(&self) -> u16 {
        match &self.submission {
            Submission::Postfix(postfix) => postfix.ports.smtp,
            Submission::Relay(relay) => relay.port(),
        }
    }

    /// The port that takes mail from authenticated users only (AUTH PLAIN and LOGIN), with Postfix.
    pub fn submission_port(&self) -> Option<u16> {
        match &self.submission {
            Submission::Postfix(postfix) => Some(postfix.ports.submission),
            Submission::Relay(_) => None,
        }
    }

    /// The port of SMTP over TLS without authentication, when the lab has TLS and Postfix.
    pub fn smtps_port(&self) -> Option<u16> {
        match &self.submission {
            Submission::Postfix(postfix) => postfix.ports.smtps,
            Submission::Relay(_) => None,
        }
    }

    /// The certificate of the CA that signed the servers' certificate (for `localhost` and 127.0.0.1), in PEM.
    pub fn ca_file(&self) -> Option<&Path> {
        self.certificates.as_ref().map(|files| files.ca.as_path())
    }

    /// A file that holds the master user's password.
    pub fn master_password_file(&self) -> PathBuf {
        self.root.join("master-password")
    }

    /// The server that takes submitted mail: "Postfix" or "relay".
    pub fn mta_name(&self) -> &'static str {
        match &self.submission {
            Submission::Postfix(_) => "Postfix",
            Submission::Relay(_) => "relay",
        }
    }

    /// The relay, when the lab has it, for setting its faults.
    pub fn relay(&self) -> Option<&Relay> {
        match &self.submission {
            Submission::Postfix(_) => None,
            Submission::Relay(relay) => Some(relay),
        }
    }

    /// Delivers a mail straight to Dovecot, by LMTP. Bare LFs become CRLF.
    pub fn deliver(&self, to: &str, raw: &[u8]) -> Result<()> {
        let to = address(to);
        LineClient::open(self.lmtp_port(), "LHLO")
            .and_then(|mut client| client.transact("lab@example.com", &to, raw))
            .with_context(|| format!("delivering to {to}"))
    }

    /// Submits a mail by SMTP without authentication. Bare LFs become CRLF.
    ///
    /// It is in the recipient's mailbox when this returns with the relay, and soon after with Postfix.
    pub fn submit(&self, from: &str, to: &str, raw: &[u8]) -> Result<()> {
        let (from, to) = (address(from), address(to));
        LineClient::open(self.smtp_port(), "EHLO")
            .and_then(|mut client| client.transact(&from, &to, raw))
            .with_context(|| format!("submitting to {to}"))
    }

    /// Gives a mail to Postfix as a server elsewhere does, at the address `from_ip`; the reply that it got. Bare LFs become CRLF.
    ///
    /// Postfix must believe our XCLIENT: `smtpd_authorized_xclient_hosts = 127.0.0.1`.
    pub fn submit_from_outside(&self, from_ip: &str, envelope: (&str, &str), raw: &[u8]) -> Result<String> {
        submit_as(self.smtp_port(), &format!("ADDR={from_ip}"), envelope, raw)
    }

    /// The same for a user who has logged in to the submission port.
    pub fn submit_logged_in(&self, login: &str, envelope: (&str, &str), raw: &[u8]) -> Result<String> {
        let port = self.submission_port().context("the relay has no submission port")?;
        submit_as(port, &format!("ADDR=192.0.2.1 LOGIN={login}"), envelope, raw)
    }

    /// Puts a mail into a user's folder by IMAP APPEND, as a mail client does with its copy in Sent.
    pub fn append(&self, user: &str, folder: &str, raw: &[u8]) -> Result<()> {
        let mut client = self.dovecot.session(&address(user))?;
        // The non-synchronising form of a literal (RFC 7888), which Dovecot offers, spares the round trip.
        client.send(&format!("append APPEND \"{folder}\" {{{}+}}", raw.len()))?;
        client.send_raw(raw)?;
        client.send_raw(b"\r\n")?;
        client.imap_done("append").with_context(|| format!("appending to {folder} of {user}"))
    }

    /// Runs IMAP commands as another mail program of the user; each must be answered OK.
    pub fn imap(&self, user: &str, commands: &[&str]) -> Result<()> {
        let mut client = self.dovecot.session(&address(user))?;
        for command in commands {
            client.imap("client", command).with_context(|| format!("{command} of {user}"))?;
        }
        Ok(())
    }

    /// Where a user's mail lies on disk.
    pub fn maildir(&self, user: &str) -> PathBuf {
        self.dovecot.maildir(&address(user))
    }

    pub(crate) fn watchdog(&self) -> &Arc<Watchdog> {
        &self.watchdog
    }

    /// The mails in a user's folder (`INBOX`, `Sent` ...), oldest first, read from disk.
    pub fn mails(&self, user: &str, folder: &str) -> Result<Vec<DeliveredMail>> {
        let path = maildir::folder_path(&self.dovecot.maildir(&address(user)), folder);
        maildir::mails(&path).with_context(|| format!("reading {}", path.display()))
    }

    /// Waits until a user's folder holds at least `count` mails, and returns them.
    pub fn wait_for_mails(
        &self,
        user: &str,
        folder: &str,
        count: usize,
        patience: Duration,
    ) -> Result<Vec<DeliveredMail>> {
        let mut mails = Ok(Vec::new());
        let came = until(patience, || {
            mails = self.mails(user, folder);
            mails.as_ref().map_or(true, |mails| mails.len() >= count)
        });
        let mails = mails?;
        ensure!(came, "{folder} of {user} holds {} mails after {patience:?}, not {count}", mails.len());
        Ok(mails)
    }

    /// Removes all mails of a user from disk, as another mail client would. UIDs go on from where they were.
    pub fn clear_mail(&self, user: &str) -> Result<()> {
        let maildir = self.dovecot.maildir(&address(user));
        let mut folders = vec![maildir.clone()];
        for entry in fs::read_dir(&maildir).into_iter().flatten().flatten() {
            folders.push(entry.path());
        }
        for file in folders.iter().flat_map(|folder| maildir::files(folder).unwrap_or_default()) {
            fs::remove_file(&file).with_context(|| format!("removing {}", file.display()))?;
        }
        Ok(())
    }

    /// Stops Dovecot, as for maintenance; all its connections break.
    pub fn stop_dovecot(&mut self) {
        self.dovecot.stop();
    }

    /// Starts Dovecot again, on the same ports.
    pub fn start_dovecot(&mut self) -> Result<()> {
        self.dovecot.restart()
    }

    /// Stops Postfix or the relay.
    pub fn stop_mta(&mut self) {
        match &mut self.submission {
            Submission::Postfix(postfix) => postfix.stop(),
            Submission::Relay(relay) => relay.stop(),
        }
    }

    /// Starts Postfix or the relay again, on the same ports.
    pub fn start_mta(&mut self) -> Result<()> {
        match &mut self.submission {
            Submission::Postfix(postfix) => postfix.restart(),
            Submission::Relay(relay) => relay.restart(),
        }
    }

    /// Has a process of the caller's stopped with the lab when the caller is killed. In all other cases stopping it, and
    /// calling [`Lab::disown`], remains the caller's business.
    pub fn adopt(&self, process: &Child) {
        self.watchdog.add(process.id());
    }

    /// Takes an adopted process that has ended out of the watchdog's list, before its id is used again.
    pub fn disown(&self, process: &Child) {
        self.watchdog.forget(process.id());
    }

    /// What the servers have logged, for the message of a test that fails.
    pub fn logs(&self) -> String {
        let mta = match &self.submission {
            Submission::Postfix(postfix) => postfix.log(),
            Submission::Relay(_) => String::new(),
        };
        format!("--- dovecot\n{}--- {}\n{mta}", self.dovecot.log(), self.mta_name())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // The servers' own drop follows too late: nobody may write into the folder while it is removed.
        match &mut self.submission {
            Submission::Postfix(postfix) => postfix.kill(),
            Submission::Relay(relay) => relay.stop(),
        }
        self.dovecot.kill();
        if let Some(folder) = self.folder.take()
            && let Err(error) = folder.close()
        {
            eprintln!("imipd-lab: {} could not be removed: {error}", self.root.display());
        }
        self.watchdog.dismiss();
    }
}

/// Gives a mail to Postfix as whom XCLIENT says, and returns its reply.
fn submit_as(port: u16, client: &str, (from, to): (&str, &str), raw: &[u8]) -> Result<String> {
    let mut smtp = LineClient::open(port, "EHLO")?;
    // Postfix greets anew, and knows us for the other from here on.
    smtp.demand(&format!("XCLIENT NAME=[UNAVAILABLE] {client}"))?;
    smtp.demand("EHLO outside.example")?;
    let reply = smtp.offer(&address(from), &address(to), raw)?;
    Ok(format!("{} {}", reply.code, reply.text))
}

/// Writes a file that nobody else may read, as a daemon wants its secrets to be.
fn write_secret(path: &Path, secret: &str) -> Result<()> {
    fs::write(path, secret)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(())
}

fn start_submission(options: &LabOptions, plan: &dovecot::Plan, dovecot: &Dovecot, root: &Path) -> Result<Submission> {
    let domains = domains(plan.users);
    let lmtp = dovecot.ports.lmtp;
    let takes_postfix = match options.mta {
        Mta::Postfix => true,
        Mta::Relay => false,
        Mta::Auto => postfix::usable().is_ok(),
    };
    if !takes_postfix {
        let relay = with_free_ports(|| Relay::start(ports::free_port()?, lmtp, domains.clone()))?;
        return Ok(Submission::Relay(relay));
    }
    let plan = postfix::Plan {
        folder: &root.join("postfix"),
        users: plan.users,
        domains: &domains,
        lmtp,
        sasl: dovecot.ports.sasl,
        certificates: plan.certificates,
        extra: options.postfix_extra,
        watchdog: plan.watchdog,
    };
    Ok(Submission::Postfix(with_free_ports(|| Postfix::start(&plan))?))
}

/// A user's address: a name without a domain gets `example.com`; the empty envelope sender stays empty.
fn address(user: &str) -> String {
    if user.is_empty() || user.contains('@') { user.to_owned() } else { format!("{user}@{DOMAIN}") }
}

/// The addresses of all users, which name files and stand in configuration files unquoted.
fn addresses(users: &[&str]) -> Result<Vec<String>> {
    ensure!(!users.is_empty(), "a lab needs at least one user");
    for user in users {
        let is_plain = user.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "@.-_".contains(c));
        ensure!(is_plain && !user.starts_with('.'), "{user:?} is no user name for a lab: a-z, 0-9, . - _ only");
    }
    Ok(users.iter().map(|user| address(user)).collect())
}

fn domains(users: &[String]) -> Vec<String> {
    let mut domains: Vec<String> = users.iter().filter_map(|user| Some(user.split_once('@')?.1.to_owned())).collect();
    domains.push(DOMAIN.to_owned());
    domains.sort();
    domains.dedup();
    domains
}
