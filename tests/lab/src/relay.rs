//! A small SMTP server in front of Dovecot's LMTP: for where Postfix cannot run, and for faults on demand.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use anyhow::Result;

use crate::PortTaken;
use crate::line::{LineClient, Reply, dot_stuffed};

/// What the relay does wrong; the default is nothing. Numbers count down with each time; `u32::MAX` is practically for
/// ever.
///
/// All a relay accepts is handed to Dovecot before the 250, so nothing is ever queued in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Behaviour {
    /// Closes the connection instead of greeting, so many times.
    pub close_at_connect: u32,
    /// Answers DATA with 451, so many times.
    pub defer_data: u32,
    /// Takes the mail, does not deliver it, and closes the connection instead of the 250, so many times.
    pub close_before_delivery: u32,
    /// Takes and delivers the mail, and closes the connection instead of the 250, so many times.
    pub close_after_delivery: u32,
    /// Addresses answered with 550 at RCPT.
    pub refused_recipients: Vec<String>,
    /// Addresses answered with 450 at RCPT.
    pub deferred_recipients: Vec<String>,
}

/// The relay's handle, by which a test sets its behaviour.
#[derive(Debug)]
pub struct Relay {
    shared: Arc<Shared>,
    port: u16,
    listener: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    lmtp: u16,
    domains: Vec<String>,
    stopping: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    behaviour: Behaviour,
    connections: Vec<TcpStream>,
}

impl Relay {
    pub(crate) fn start(port: u16, lmtp: u16, domains: Vec<String>) -> Result<Self> {
        let stopping = AtomicBool::new(true);
        let shared = Arc::new(Shared { lmtp, domains, stopping, state: Mutex::default() });
        let mut relay = Self { shared, port, listener: None };
        relay.restart()?;
        Ok(relay)
    }

    /// Sets what goes wrong from now on, in place of what was set before.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.shared.state().behaviour = behaviour;
    }

    /// What goes wrong now, its numbers counted down.
    pub fn behaviour(&self) -> Behaviour {
        self.shared.state().behaviour.clone()
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn restart(&mut self) -> Result<()> {
        if self.listener.is_some() {
            return Ok(());
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => PortTaken.into(),
            _ => anyhow::Error::new(error).context("binding the relay's port"),
        })?;
        self.shared.stopping.store(false, Ordering::SeqCst);
        let shared = Arc::clone(&self.shared);
        self.listener = Some(std::thread::spawn(move || accept(&listener, &shared)));
        Ok(())
    }

    /// Closes the port and all connections.
    pub(crate) fn stop(&mut self) {
        let Some(listener) = self.listener.take() else { return };
        self.shared.stopping.store(true, Ordering::SeqCst);
        // The listener waits in accept; a connection wakes it up.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        let _ = listener.join();
        for connection in self.shared.state().connections.drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the fault that `counter` picks is due once more.
    fn due(&self, counter: impl FnOnce(&mut Behaviour) -> &mut u32) -> bool {
        let mut state = self.state();
        let left = counter(&mut state.behaviour);
        let due = *left > 0;
        *left = left.saturating_sub(1);
        due
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming().flatten() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        if shared.due(|behaviour| &mut behaviour.close_at_connect) {
            continue;
        }
        if let Ok(copy) = stream.try_clone() {
            let mut state = shared.state();
            state.connections.retain(|connection| connection.peer_addr().is_ok());
            state.connections.push(copy);
        }
        let shared = Arc::clone(shared);
        std::thread::spawn(move || {
            // A connection that breaks ends its conversation; the client sees it, and is what is being tested.
            let _ = Conversation::new(stream, &shared).and_then(Conversation::serve);
        });
    }
}

/// One client's connection, and its transaction when there is one.
struct Conversation<'a> {
    shared: &'a Shared,
    stream: BufReader<TcpStream>,
    /// The LMTP transaction behind the client's, begun at MAIL.
    lmtp: Option<LineClient>,
    accepted: usize,
}

/// Whether the conversation goes on after a command.
#[derive(PartialEq, Eq)]
enum Next {
    Command,
    Close,
}

impl<'a> Conversation<'a> {
    fn new(stream: TcpStream, shared: &'a Shared) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { shared, stream: BufReader::new(stream), lmtp: None, accepted: 0 })
    }

    fn serve(mut self) -> io::Result<()> {
        self.answer("220 relay.example.com ESMTP imipd lab")?;
        let mut line = Vec::new();
        loop {
            line.clear();
            if self.stream.read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            let command = String::from_utf8_lossy(&line).trim_end().to_owned();
            if self.command(&command)? == Next::Close {
                // A copy of the stream is kept for stopping; only shutting it down closes the connection.
                return self.stream.get_ref().shutdown(Shutdown::Both);
            }
        }
    }

    fn command(&mut self, command: &str) -> io::Result<Next> {
        let verb = command.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => self.answer("250-relay.example.com\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8")?,
            "HELO" => self.answer("250 relay.example.com")?,
            "MAIL" => self.mail(command)?,
            "RCPT" => self.recipient(command)?,
            "DATA" => return self.data(),
            "RSET" => {
                self.reset();
                self.answer("250 2.0.0 reset")?;
            }
            "NOOP" => self.answer("250 2.0.0 ok")?,
            "QUIT" => {
                self.answer("221 2.0.0 bye")?;
                return Ok(Next::Close);
            }
            _ => self.answer("502 5.5.1 unknown command")?,
        }
        Ok(Next::Command)
    }

    fn mail(&mut self, command: &str) -> io::Result<()> {
        self.reset();
        let Some(sender) = address(command) else { return self.answer("501 5.5.4 MAIL FROM:<address>") };
        let begun = LineClient::open(self.shared.lmtp, "LHLO").and_then(|mut lmtp| {
            lmtp.demand(&format!("MAIL FROM:<{sender}>"))?;
            Ok(lmtp)
        });
        match begun {
            Ok(lmtp) => {
                self.lmtp = Some(lmtp);
                self.answer("250 2.1.0 ok")
            }
            Err(_) => self.answer("451 4.3.0 no delivery now"),
        }
    }

    fn recipient(&mut self, command: &str) -> io::Result<()> {
        let Some(to) = address(command) else { return self.answer("501 5.5.4 RCPT TO:<address>") };
        if let Some(refusal) = self.refusal(to) {
            return self.answer(refusal);
        }
        let Some(lmtp) = self.lmtp.as_mut() else { return self.answer("503 5.5.1 MAIL first") };
        match lmtp.command(&format!("RCPT TO:<{to}>")) {
            Ok(reply) => {
                self.accepted += usize::from(reply.is_positive());
                self.answer(&one_line(&reply))
            }
            Err(_) => self.answer("451 4.3.0 no delivery now"),
        }
    }

    fn refusal(&self, to: &str) -> Option<&'static str> {
        let is_listed = |list: &[String]| list.iter().any(|address| address.eq_ignore_ascii_case(to));
        let domain = to.rsplit_once('@').map(|(_, domain)| domain.to_ascii_lowercase());
        let behaviour = &self.shared.state().behaviour;
        if !domain.is_some_and(|domain| self.shared.domains.contains(&domain)) {
            Some("550 5.7.1 nothing leaves this lab")
        } else if is_listed(&behaviour.refused_recipients) {
            Some("550 5.1.1 refused as the test wishes")
        } else if is_listed(&behaviour.deferred_recipients) {
            Some("450 4.2.1 deferred as the test wishes")
        } else {
            None
        }
    }

    fn data(&mut self) -> io::Result<Next> {
        if self.accepted == 0 {
            self.answer("503 5.5.1 no recipients")?;
            return Ok(Next::Command);
        }
        if self.shared.due(|behaviour| &mut behaviour.defer_data) {
            self.reset();
            self.answer("451 4.3.0 deferred as the test wishes")?;
            return Ok(Next::Command);
        }
        self.answer("354 go ahead")?;
        let body = self.body()?;
        if self.shared.due(|behaviour| &mut behaviour.close_before_delivery) {
            return Ok(Next::Close);
        }
        let outcome = self.deliver(&body);
        self.reset();
        if self.shared.due(|behaviour| &mut behaviour.close_after_delivery) {
            return Ok(Next::Close);
        }
        self.answer(&outcome)?;
        Ok(Next::Command)
    }

    /// Reads a mail to its final dot and takes the stuffed dots out.
    fn body(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let start = body.len();
            if self.stream.read_until(b'\n', &mut body)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if body.get(start..) == Some(b".\r\n") {
                body.truncate(start);
                return Ok(body);
            }
            if body.get(start) == Some(&b'.') {
                body.remove(start);
            }
        }
    }

    /// Hands a mail to Dovecot; the answer for the client is the worst of the recipients' answers.
    ///
    /// A client that gets an error sends to all recipients again. Dovecot accepts for all or for none but when its disk
    /// fails, so that is not seen here.
    fn deliver(&mut self, body: &[u8]) -> String {
        let Some(lmtp) = self.lmtp.as_mut() else { return "503 5.5.1 MAIL first".to_owned() };
        let replies = lmtp.demand("DATA").and_then(|_| {
            lmtp.send_raw(&dot_stuffed(body))?;
            (0..self.accepted).map(|_| lmtp.reply()).collect::<Result<Vec<_>>>()
        });
        match replies {
            Ok(replies) => {
                replies.iter().max_by_key(|reply| reply.code).map_or("451 4.3.0 no answer".to_owned(), one_line)
            }
            Err(_) => "451 4.3.0 no delivery now".to_owned(),
        }
    }

    fn reset(&mut self) {
        if let Some(mut lmtp) = self.lmtp.take() {
            let _ = lmtp.send("QUIT");
        }
        self.accepted = 0;
    }

    fn answer(&mut self, line: &str) -> io::Result<()> {
        self.stream.get_mut().write_all(format!("{line}\r\n").as_bytes())
    }
}

fn one_line(reply: &Reply) -> String {
    format!("{} {}", reply.code, reply.text.replace('\n', " "))
}

/// The address between the angle brackets of a MAIL or RCPT command.
fn address(command: &str) -> Option<&str> {
    let (_, rest) = command.split_once('<')?;
    rest.split_once('>').map(|(address, _)| address)
}
