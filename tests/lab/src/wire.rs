//! A TCP wire to a server of the lab, which can be cut without either end hearing of it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};

/// A port that leads to another one. It is open until the program ends.
#[derive(Debug)]
pub struct Wire {
    /// Where it begins.
    pub port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Connections opened before this one pass nothing on any more.
    mute_below: AtomicU64,
    opened: AtomicU64,
    /// Both ends of every connection, so that a mute one is not closed when it is left.
    kept: Mutex<Vec<TcpStream>>,
}

impl Wire {
    /// A wire to `server_port`.
    pub fn start(server_port: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("a port for the wire")?;
        let port = listener.local_addr()?.port();
        let shared = Arc::<Shared>::default();
        let connecting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A server that is not there shows as a connection that ends at once.
                let _ = connect(&client, server_port, &connecting);
            }
        });
        Ok(Self { port, shared })
    }

    /// From now on nothing passes on the connections that there are, and neither end is told; new ones work.
    pub fn mute(&self) {
        self.shared.mute_below.store(self.opened(), Ordering::SeqCst);
    }

    /// How many connections were opened so far.
    pub fn opened(&self) -> u64 {
        self.shared.opened.load(Ordering::SeqCst)
    }
}

fn connect(client: &TcpStream, server_port: u16, shared: &Arc<Shared>) -> Result<()> {
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, server_port))?;
    let number = shared.opened.fetch_add(1, Ordering::SeqCst);
    let mut kept = shared.kept.lock().unwrap_or_else(PoisonError::into_inner);
    kept.extend([client.try_clone()?, server.try_clone()?]);
    drop(kept);
    for (from, to) in [(client.try_clone()?, server.try_clone()?), (server, client.try_clone()?)] {
        let shared = Arc::clone(shared);
        std::thread::spawn(move || pump(from, to, number, &shared));
    }
    Ok(())
}

fn pump(mut from: TcpStream, mut to: TcpStream, number: u64, shared: &Shared) {
    let is_mute = || number < shared.mute_below.load(Ordering::SeqCst);
    let mut buffer = [0; 16 * 1024];
    while let Ok(bytes @ 1..) = from.read(&mut buffer) {
        let Some(passed) = buffer.get(..bytes) else { return };
        if !is_mute() && to.write_all(passed).is_err() {
            break;
        }
    }
    if !is_mute() {
        let _ = to.shutdown(std::net::Shutdown::Both);
    }
}
