//! The way to the server: TCP with keepalive, and TLS on top of it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::error::MailboxError;
use super::limits::{ANSWER_TIMEOUT, CONNECT_TIMEOUT, POLL_INTERVAL, RENEW_INTERVAL};

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first octet, usually port 993. RFC 8314 §3.2.
    Tls,
    /// Plain at first, then STARTTLS before anything secret is said. RFC 3501 §6.2.1.
    StartTls,
    /// No protection; the configuration decides where that is allowed.
    None,
}

/// Where the IMAP server is, and how patient we are with it.
#[derive(Clone, Debug)]
pub struct ImapServer {
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub tls: Arc<rustls::ClientConfig>,
    pub timing: Timing,
}

/// How long is waited for what.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// For the TCP connection, and again for the TLS handshake.
    pub connect: Duration,
    /// For each response of the server.
    pub answer: Duration,
    /// Between two NOOPs where the server has no IDLE.
    pub poll: Duration,
    /// Until an IDLE is begun anew, which also shows whether the server is still there.
    pub renew: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { connect: CONNECT_TIMEOUT, answer: ANSWER_TIMEOUT, poll: POLL_INTERVAL, renew: RENEW_INTERVAL }
    }
}

/// A connection, plain or within TLS.
#[derive(Debug)]
pub(super) enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Opens the TCP connection.
pub(super) async fn connect_tcp(server: &ImapServer) -> Result<TcpStream, MailboxError> {
    let unreachable = |source| unreachable(server, "TCP connection", source);
    let attempt = TcpStream::connect((server.host.as_str(), server.port));
    let tcp = match timeout(server.timing.connect, attempt).await {
        Ok(result) => result.map_err(unreachable)?,
        Err(_) => return Err(unreachable(io::ErrorKind::TimedOut.into())),
    };
    prepare(&tcp).map_err(unreachable)?;
    Ok(tcp)
}

/// Sends small commands at once, and notices within minutes when the other side is gone while IDLE is silent.
fn prepare(tcp: &TcpStream) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    let keepalive =
        TcpKeepalive::new().with_time(Duration::from_secs(120)).with_interval(Duration::from_secs(30)).with_retries(4);
    SockRef::from(tcp).set_tcp_keepalive(&keepalive)
}

/// Puts TLS on an open connection and checks the certificate.
pub(super) async fn start_tls(server: &ImapServer, tcp: TcpStream) -> Result<Transport, MailboxError> {
    let certificate = |why: String| MailboxError::Certificate { host: server.host.clone(), port: server.port, why };
    let name = ServerName::try_from(server.host.clone()).map_err(|e| certificate(e.to_string()))?;
    let handshake = TlsConnector::from(Arc::clone(&server.tls)).connect(name, tcp);
    match timeout(server.timing.connect, handshake).await {
        Ok(Ok(stream)) => Ok(Transport::Tls(Box::new(stream))),
        Ok(Err(e)) => match e.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::InvalidCertificate(why)) => Err(certificate(why.to_string())),
            _ => Err(unreachable(server, "TLS handshake", e)),
        },
        Err(_) => Err(unreachable(server, "TLS handshake", io::ErrorKind::TimedOut.into())),
    }
}

pub(super) fn unreachable(server: &ImapServer, step: &'static str, source: io::Error) -> MailboxError {
    MailboxError::Unreachable { host: server.host.clone(), port: server.port, step, source }
}

impl AsyncRead for Transport {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, octets),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, octets),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
