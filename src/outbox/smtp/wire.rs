//! Bytes on the wire: line ends, and streams that lettre takes for a fresh connection.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::outbox::limits::REPLY_OCTETS_MAX;

/// The mail with CRLF for every line end, and without the last one, which lettre adds.
///
/// A lone LF becomes CRLF and a lone CR is dropped (RFC 5321 §2.3.8). lettre doubles a leading dot only behind CRLF,
/// so a lone LF would let `\n.\nMAIL FROM...` in a text through as commands of its own, on servers that take it for a
/// line end.
pub(super) fn normalised(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len() + raw.len() / 64);
    for byte in raw {
        match byte {
            b'\n' => out.extend_from_slice(b"\r\n"),
            b'\r' => {}
            other => out.push(*other),
        }
    }
    if out.ends_with(b"\r\n") {
        out.truncate(out.len() - 2);
    }
    out
}

/// Whatever carries the dialogue: TCP, TLS over it, or a Unix socket.
pub(super) trait Carrier: AsyncRead + AsyncWrite + Send + Sync + Unpin + fmt::Debug {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin + fmt::Debug> Carrier for T {}

/// A connection as lettre may see it.
///
/// lettre waits for a greeting on every stream it is given, but after STARTTLS the server does not greet again
/// (RFC 3207 §4.2); it reads lines of any length; and a letter that is not UTF-8 in a reply, such as that to a mail which was
/// accepted, is to it as if there had been no reply.
#[derive(Debug)]
pub(super) struct Wire {
    carrier: Box<dyn Carrier>,
    /// What is read before anything that the server says.
    greeting: &'static [u8],
    /// Octets that the server has said since it was spoken to.
    said_octets: usize,
    /// Where what the server says is kept, as long as anybody wants it.
    heard: Weak<Mutex<Vec<u8>>>,
}

impl Wire {
    pub fn new(carrier: Box<dyn Carrier>, greeting: &'static [u8], heard: &Arc<Mutex<Vec<u8>>>) -> Self {
        Self { carrier, greeting, said_octets: 0, heard: Arc::downgrade(heard) }
    }

    fn hear(&mut self, said: &mut [u8]) -> io::Result<()> {
        self.said_octets = self.said_octets.saturating_add(said.len());
        if self.said_octets > REPLY_OCTETS_MAX {
            return Err(io::Error::other("it says more than a mail server would"));
        }
        said.iter_mut().filter(|octet| !octet.is_ascii()).for_each(|octet| *octet = b'?');
        if let Some(heard) = self.heard.upgrade() {
            heard.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(said);
        }
        Ok(())
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        // Only lettre's own dialling would ask.
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.greeting.is_empty() {
            let (now, later) = self.greeting.split_at(self.greeting.len().min(buf.remaining()));
            buf.put_slice(now);
            self.greeting = later;
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.carrier).poll_read(cx, buf))?;
        Poll::Ready(self.hear(buf.filled_mut().get_mut(before..).unwrap_or_default()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.said_octets = 0;
        Pin::new(&mut self.carrier).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.carrier).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.carrier).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_lone_line_end_leaves() {
        for (raw, expected) in [
            (&b"a\nb\r\nc\rd\r\r\n"[..], &b"a\r\nb\r\ncd"[..]),
            (b"x\n.\nQUIT\n", b"x\r\n.\r\nQUIT"),
            (b"x\r.\rQUIT", b"x.QUIT"),
            (b"", b""),
        ] {
            assert_eq!(normalised(raw), expected);
        }
    }
}
