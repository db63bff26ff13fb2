//! Bytes on the wire: line ends, and streams that lettre takes for a fresh connection.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

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

/// A protected connection.
///
/// After STARTTLS the server does not greet again (RFC 3207 §4.2), but lettre waits for a greeting on every stream it is
/// given; `greeting` is what it then reads first.
#[derive(Debug)]
pub(super) struct Protected {
    pub greeting: &'static [u8],
    pub stream: TlsStream<TcpStream>,
}

impl AsyncTokioStream for Protected {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.get_ref().0.peer_addr()
    }
}

impl AsyncRead for Protected {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.greeting.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        let (now, later) = self.greeting.split_at(self.greeting.len().min(buf.remaining()));
        buf.put_slice(now);
        self.greeting = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Protected {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
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
