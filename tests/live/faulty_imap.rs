//! A way to Dovecot on which one answer for each user is another one than Dovecot's.

use base64::Engine;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What goes wrong, once: the first command that holds `verb` is answered so, and does not reach Dovecot.
#[derive(Clone, Debug)]
pub struct Fault {
    pub verb: &'static str,
    /// The answer, `{tag}` standing for the tag of the command.
    pub answer: String,
    pub then: Then,
}

/// What follows the wrong answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Dovecot answers again.
    GoOn,
    Close,
    /// Nothing is ever said again.
    Silence,
}

/// A port that leads to Dovecot; it is open until the test program ends.
pub struct FaultyImap {
    pub port: u16,
    faults: Arc<Faults>,
}

struct Faults {
    /// By the user's address.
    of: BTreeMap<String, Fault>,
    /// Whose fault has been seen.
    seen: Mutex<BTreeSet<String>>,
}

impl FaultyImap {
    pub fn start(server_port: u16, of: BTreeMap<String, Fault>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("its number").port();
        let faults = Arc::new(Faults { of, seen: Mutex::default() });
        let shared = Arc::clone(&faults);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let faults = Arc::clone(&shared);
                // A connection that breaks is what is being tested.
                std::thread::spawn(move || drop(serve(&client, server_port, &faults)));
            }
        });
        Self { port, faults }
    }

    /// The users who have met their fault.
    pub fn seen(&self) -> BTreeSet<String> {
        self.faults.seen.lock().expect("no panic while it is held").clone()
    }
}

impl Faults {
    /// The fault that a command of a user meets, unless they had it before.
    fn due(&self, user: &str, line: &str) -> Option<&Fault> {
        let fault = self.of.get(user).filter(|fault| line.contains(fault.verb))?;
        let is_first = self.seen.lock().expect("no panic while it is held").insert(user.to_owned());
        is_first.then_some(fault)
    }
}

fn serve(client: &TcpStream, server_port: u16, faults: &Faults) -> io::Result<()> {
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, server_port))?;
    let (from, to) = (server.try_clone()?, client.try_clone()?);
    std::thread::spawn(move || pass(from, to));
    let mut lines = BufReader::new(client.try_clone()?);
    let (mut line, mut user) = (String::new(), String::new());
    while lines.read_line(&mut line)? > 0 {
        if let Some((_, proof)) = line.split_once("AUTHENTICATE PLAIN ") {
            user = login_in(proof.trim());
        }
        match faults.due(&user, &line) {
            None => server.write_all(line.as_bytes())?,
            Some(fault) => {
                let tag = line.split(' ').next().unwrap_or_default();
                (&*client).write_all(fault.answer.replace("{tag}", tag).as_bytes())?;
                match fault.then {
                    Then::GoOn => {}
                    Then::Close => break,
                    Then::Silence => return lines.read_to_end(&mut Vec::new()).map(drop),
                }
            }
        }
        line.clear();
    }
    let _ = server.shutdown(Shutdown::Both);
    client.shutdown(Shutdown::Both)
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
}

/// The mailbox that a proof of SASL PLAIN opens by the master user (RFC 4616 §2).
fn login_in(proof: &str) -> String {
    let decoded = base64::engine::general_purpose::STANDARD.decode(proof).unwrap_or_default();
    let decoded = String::from_utf8(decoded).unwrap_or_default();
    let name = decoded.split('\0').nth(1).unwrap_or_default();
    name.split('*').next().unwrap_or_default().to_owned()
}
