//! A submission server that takes its time, and remembers what it has taken.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A server that accepts every mail, each after a pause. It runs until the test program ends.
pub struct SlowSmtp {
    pub port: u16,
    taken: Arc<Mutex<Vec<String>>>,
}

impl SlowSmtp {
    /// Starts the server; `pause` is what it takes between the end of a mail and its acceptance.
    pub fn start(pause: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its number").port();
        let taken = Arc::new(Mutex::new(Vec::new()));
        let memory = Arc::clone(&taken);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let memory = Arc::clone(&memory);
                // A client that breaks off is what is being tested.
                std::thread::spawn(move || drop(serve(stream, pause, &memory)));
            }
        });
        Self { port, taken }
    }

    /// The Message-IDs of the mails that were accepted, in that order.
    pub fn taken(&self) -> Vec<String> {
        self.taken.lock().expect("no panic while it is held").clone()
    }
}

fn serve(stream: TcpStream, pause: Duration, taken: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut out = stream.try_clone()?;
    let mut lines = BufReader::new(stream).lines();
    out.write_all(b"220 slow.example.com\r\n")?;
    while let Some(line) = lines.next() {
        let verb = line?.get(..4).unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "DATA" => {
                out.write_all(b"354 go ahead\r\n")?;
                let id = message_id(&mut lines)?;
                std::thread::sleep(pause);
                // Accepted from here on, whether the client still hears it or not.
                taken.lock().expect("no panic while it is held").push(id);
                out.write_all(b"250 2.0.0 taken\r\n")?;
            }
            "QUIT" => return out.write_all(b"221 2.0.0 bye\r\n"),
            _ => out.write_all(b"250 2.0.0 ok\r\n")?,
        }
    }
    Ok(())
}

/// Reads a mail to its final dot.
fn message_id(lines: &mut impl Iterator<Item = io::Result<String>>) -> io::Result<String> {
    let mut id = String::new();
    for line in lines {
        match line?.as_str() {
            "." => return Ok(id),
            line => {
                if let Some(value) = line.strip_prefix("Message-ID: ") {
                    value.clone_into(&mut id);
                }
            }
        }
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}
