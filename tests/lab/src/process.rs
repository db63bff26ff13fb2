//! Server processes: started, watched over, stopped by process id.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};

/// How long a server may take to stop by itself.
const GRACE: Duration = Duration::from_secs(3);

/// A shell that outlives this process and, when this process dies without a word, stops the servers and removes the
/// lab's folder.
///
/// It reads `add PID`, `forget PID` and `done` from a pipe; end of file without `done` means that we were killed. The
/// kernel closes the pipe however we die, so no signal has to be caught here.
pub(crate) struct Watchdog {
    shell: Mutex<(Child, ChildStdin)>,
}

const WATCHDOG: &str = r#"
trap '' INT TERM HUP
pids=
while read -r word pid; do
    case $word in
    add) pids="$pids $pid" ;;
    forget)
        left=
        for other in $pids; do [ "$other" = "$pid" ] || left="$left $other"; done
        pids=$left ;;
    done) exit 0 ;;
    esac
done
for pid in $pids; do kill -s TERM "$pid"; done
tries=30
while [ $tries -gt 0 ]; do
    alive=
    for pid in $pids; do kill -0 "$pid" && alive=yes; done
    [ -n "$alive" ] || break
    sleep 0.1
    tries=$((tries - 1))
done
for pid in $pids; do kill -s KILL -- "-$pid" || kill -s KILL "$pid"; done
rm -rf -- "$1"
"#;

impl Watchdog {
    pub(crate) fn start(folder: &Path) -> Result<Arc<Self>> {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", WATCHDOG, "imipd-lab-watchdog"])
            .arg(folder)
            .current_dir("/")
            // Ctrl-C in a terminal goes to the whole group; the watchdog is what must survive it.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("starting the lab's watchdog, /bin/sh")?;
        let stdin = shell.stdin.take().context("the watchdog has no stdin")?;
        Ok(Arc::new(Self { shell: Mutex::new((shell, stdin)) }))
    }

    pub(crate) fn add(&self, pid: u32) {
        self.say(&format!("add {pid}\n"));
    }

    pub(crate) fn forget(&self, pid: u32) {
        self.say(&format!("forget {pid}\n"));
    }

    /// Sends the watchdog home: everything was stopped in good order.
    pub(crate) fn dismiss(&self) {
        self.say("done\n");
        let _ = self.shell.lock().unwrap_or_else(PoisonError::into_inner).0.wait();
    }

    fn say(&self, line: &str) {
        // A watchdog that somebody killed leaves the lab as it is: Drop still stops everything.
        let _ = self.shell.lock().unwrap_or_else(PoisonError::into_inner).1.write_all(line.as_bytes());
    }
}

/// Who makes a server the leader of a process group, by which all of it can be killed hard.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum GroupLeader {
    /// We do, when it is started.
    AtStart,
    /// It does so itself, and refuses to run when it already leads one (Postfix).
    ByItself,
}

/// A running server: the master process, our direct child, and what it has started.
pub(crate) struct Server {
    child: Child,
    watchdog: Arc<Watchdog>,
}

impl Server {
    /// Starts `command`, its output going to the file `output`.
    ///
    /// Never to a pipe: servers keep their parent's stdout open, and whoever reads the other end would wait for ever.
    pub(crate) fn spawn(
        command: &mut Command,
        leader: GroupLeader,
        output: &Path,
        watchdog: &Arc<Watchdog>,
    ) -> Result<Self> {
        let out = File::create(output).with_context(|| format!("creating {}", output.display()))?;
        let err = out.try_clone().context("sharing the output file")?;
        command.stdin(Stdio::null()).stdout(out).stderr(err).current_dir("/");
        if leader == GroupLeader::AtStart {
            command.process_group(0);
        }
        let child = command.spawn().with_context(|| format!("starting {:?}", command.get_program()))?;
        watchdog.add(child.id());
        Ok(Self { child, watchdog: Arc::clone(watchdog) })
    }

    /// Whether the master process still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks the server to stop, waits until all of it is gone, and kills hard what is left after three seconds.
    pub(crate) fn stop(mut self) {
        let pid = Pid::from_child(&self.child);
        if self.is_running() {
            let _ = kill_process(pid, Signal::TERM);
            until(GRACE, || !self.is_running() && !group_lives(pid));
        }
    }
}

impl Drop for Server {
    /// Kills at once what is left of the server: it is dropped together with all of its data, and a polite stop takes
    /// Dovecot a second.
    fn drop(&mut self) {
        let pid = Pid::from_child(&self.child);
        // Until wait() has reaped the master its id cannot be another's; after that its group keeps it from being used
        // again while a member lives.
        if self.is_running() || group_lives(pid) {
            let _ = kill_process_group(pid, Signal::KILL);
            let _ = self.child.kill();
            let _ = self.child.wait();
            until(GRACE, || !group_lives(pid));
        }
        self.watchdog.forget(self.child.id());
    }
}

/// Polls `condition` until it holds; false when `patience` is over.
pub(crate) fn until(patience: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + patience;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process of the group runs. Zombies do not count: in a container whose first process reaps nobody they stay
/// for ever.
fn group_lives(group: Pid) -> bool {
    if test_kill_process_group(group).is_err() {
        return false;
    }
    let Ok(entries) = fs::read_dir("/proc") else { return true };
    entries.flatten().any(|entry| {
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // "PID (name) STATE PPID PGRP ..."; the name may hold blanks and parentheses.
        let mut fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
        let (state, process_group) = (fields.next(), fields.nth(1));
        state != Some("Z") && process_group.and_then(|text| text.parse().ok()) == Some(group.as_raw_nonzero().get())
    })
}
