//! A layer below async-imap through which nothing passes that goes over a limit.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::error::LimitExceeded;
use super::limits::RESPONSE_BYTES_MAX;
use super::scan::Scanner;

/// Counts and scans what is read from `inner`; what is written passes as it is.
///
/// Going over a limit is an [`io::Error`] that holds a [`LimitExceeded`].
#[derive(Debug)]
pub(super) struct Guard<S> {
    inner: S,
    scanner: Scanner,
    /// Octets read since the parser last had a whole response: no more than that can lie in its buffer.
    unparsed_bytes: usize,
}

impl<S> Guard<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner, scanner: Scanner::default(), unparsed_bytes: 0 }
    }

    pub(super) fn into_inner(self) -> S {
        self.inner
    }

    /// To be called when the parser has given out a response.
    pub(super) fn response_is_parsed(&mut self) {
        self.unparsed_bytes = 0;
    }

    fn check(&mut self, octets: &[u8]) -> Result<(), LimitExceeded> {
        self.unparsed_bytes += octets.len();
        if self.unparsed_bytes > RESPONSE_BYTES_MAX {
            return Err(LimitExceeded::Response(RESPONSE_BYTES_MAX));
        }
        self.scanner.feed(octets)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guard<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.inner).poll_read(cx, buf))?;
        let fresh = buf.filled().get(before..).unwrap_or_default();
        Poll::Ready(this.check(fresh).map_err(io::Error::other))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, octets)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}
