//! A wire that counts: every connection of the daemon to Dovecot passes here, still encrypted.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::SystemTime;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A TLS 1.3 record with "* OK Still here", which Dovecot says every two minutes, is no longer than this.
const STILL_HERE_BYTES: usize = 39;

/// A relay that runs as long as its runtime.
pub struct Relay {
    pub port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    bytes_read: AtomicU64,
    /// By our port towards Dovecot, which its log names: when it said something first since [`Relay::listen`].
    spoken: Mutex<BTreeMap<u16, Option<SystemTime>>>,
}

impl Shared {
    fn spoken(&self) -> MutexGuard<'_, BTreeMap<u16, Option<SystemTime>>> {
        self.spoken.lock().expect("nothing panics while it is held")
    }

    fn passes(&self, connection: u16, bytes: usize) {
        self.bytes_read.fetch_add(bytes as u64, Ordering::Relaxed);
        if bytes > STILL_HERE_BYTES
            && let Some(first) = self.spoken().get_mut(&connection)
        {
            first.get_or_insert_with(SystemTime::now);
        }
    }
}

impl Relay {
    /// Listens on a port of its own and passes everything on to `server_port`.
    pub async fn start(server_port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let port = listener.local_addr().expect("its number").port();
        let shared = Arc::<Shared>::default();
        let accepting = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, server_port, Arc::clone(&accepting)));
            }
        });
        Self { port, shared }
    }

    /// What came from Dovecot so far.
    pub fn bytes_read(&self) -> u64 {
        self.shared.bytes_read.load(Ordering::Relaxed)
    }

    /// Waits anew for the first word on a connection.
    pub fn listen(&self, connection: u16) {
        self.shared.spoken().insert(connection, None);
    }

    /// When Dovecot said something on a connection.
    pub fn spoken_at(&self, connection: u16) -> Option<SystemTime> {
        self.shared.spoken().get(&connection).copied().flatten()
    }
}

/// Passes one connection on until either side ends it.
async fn pass(client: TcpStream, server_port: u16, shared: Arc<Shared>) {
    let to: SocketAddr = (Ipv4Addr::LOCALHOST, server_port).into();
    let Ok(server) = TcpStream::connect(to).await else { return };
    // Small packets must not wait for acknowledgements: the delay would be ours.
    let is_prompt = client.set_nodelay(true).and_then(|()| server.set_nodelay(true));
    let (Ok(()), Ok(from)) = (is_prompt, server.local_addr()) else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let down = async {
        let mut buffer = [0; 16 * 1024];
        while let Ok(bytes @ 1..) = from_server.read(&mut buffer).await {
            shared.passes(from.port(), bytes);
            if to_client.write_all(&buffer[..bytes]).await.is_err() {
                return;
            }
        }
    };
    let up = tokio::io::copy(&mut from_client, &mut to_server);
    tokio::select! {
        () = down => {}
        _ = up => {}
    }
}
