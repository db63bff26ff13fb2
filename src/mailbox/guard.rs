//! A layer below async-imap through which nothing passes that goes over a limit.
//!
//! While the structures of many mails are asked for, the responses about ordinary mails end here: the parser and its buffers would
//! cost several times as much as all the rest.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::error::LimitExceeded;
use super::limits::{RESPONSE_BYTES_MAX, RESPONSES_PER_COMMAND_MAX};
use super::ordinary::ordinary;
use super::scan::Scanner;
use super::structure::MailStructure;

/// Octets that are read at once in a survey: one record of TLS.
const CHUNK_BYTES: usize = 16 * 1024;

/// A longer line is for the parser, before all of it is there.
const ORDINARY_LINE_BYTES_MAX: usize = 16 * 1024;

/// Counts and scans what is read from `inner`; what is written passes as it is.
///
/// Going over a limit is an [`io::Error`] that holds a [`LimitExceeded`].
#[derive(Debug)]
pub(super) struct Guard<S> {
    inner: S,
    scanner: Scanner,
    /// Octets read since the parser last had a whole response: no more than that can lie in its buffer.
    unparsed_bytes: usize,
    is_surveying: bool,
    /// The beginning of a line of which it is not known yet whether the parser needs it.
    held: Vec<u8>,
    /// What the parser gets next, from the offset on.
    passed: (Vec<u8>, usize),
    /// Mails that were told without the parser.
    ordinary: Vec<MailStructure>,
}

impl<S> Guard<S> {
    pub(super) fn new(inner: S) -> Self {
        let (held, passed, ordinary) = Default::default();
        Self { inner, scanner: Scanner::default(), unparsed_bytes: 0, is_surveying: false, held, passed, ordinary }
    }

    pub(super) fn into_inner(self) -> S {
        self.inner
    }

    /// To be called when the parser has given out a response.
    pub(super) fn response_is_parsed(&mut self) {
        self.unparsed_bytes = 0;
    }

    /// From now on responses about ordinary mails are kept from the parser.
    pub(super) fn begin_survey(&mut self) {
        self.is_surveying = true;
        self.ordinary.clear();
    }

    /// The mails that were kept from the parser; from now on it gets everything again.
    pub(super) fn end_survey(&mut self) -> Vec<MailStructure> {
        self.is_surveying = false;
        std::mem::take(&mut self.ordinary)
    }

    /// How many responses were kept from the parser in this survey.
    pub(super) fn surveyed(&self) -> usize {
        self.ordinary.len()
    }

    fn check(&mut self, octets: &[u8]) -> Result<(), LimitExceeded> {
        self.unparsed_bytes += octets.len();
        if self.unparsed_bytes > RESPONSE_BYTES_MAX {
            return Err(LimitExceeded::Response(RESPONSE_BYTES_MAX));
        }
        self.scanner.feed(octets)
    }

    fn pass(&mut self, octets: &[u8]) -> Result<(), LimitExceeded> {
        self.check(octets)?;
        self.passed.0.extend_from_slice(octets);
        Ok(())
    }

    /// Sorts what was read: ordinary mails are noted, everything else is for the parser.
    fn sort(&mut self, octets: &[u8]) -> Result<(), LimitExceeded> {
        let mut rest = octets;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, behind) = rest.split_at(end + 1);
            rest = behind;
            match self.scanner.is_between_lines().then(|| ordinary(line)).flatten() {
                Some(_) if self.ordinary.len() >= RESPONSES_PER_COMMAND_MAX => {
                    return Err(LimitExceeded::Count(RESPONSES_PER_COMMAND_MAX));
                }
                Some(mail) => self.ordinary.push(mail),
                None => self.pass(line)?,
            }
        }
        // A literal goes on as it comes, and so does a line that is longer than those of ordinary mails.
        if !self.scanner.is_between_lines() || rest.len() > ORDINARY_LINE_BYTES_MAX {
            return self.pass(rest);
        }
        self.held.extend_from_slice(rest);
        Ok(())
    }

    /// Gives the parser what is ready for it; false when nothing is.
    fn give(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        let (octets, from) = &mut self.passed;
        let ready = octets.get(*from..).unwrap_or_default();
        let given = ready.get(..ready.len().min(buf.remaining())).unwrap_or_default();
        buf.put_slice(given);
        *from += given.len();
        let is_given = !given.is_empty();
        if *from == octets.len() {
            // A mailbox at rest keeps no buffer.
            self.passed = Default::default();
        }
        is_given
    }
}

impl<S: AsyncRead + Unpin> Guard<S> {
    /// Reads on in a survey; false when the server has closed the connection.
    fn poll_survey(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut chunk = [MaybeUninit::<u8>::uninit(); CHUNK_BYTES];
        let mut chunk = ReadBuf::uninit(&mut chunk);
        ready!(Pin::new(&mut self.inner).poll_read(cx, &mut chunk))?;
        if chunk.filled().is_empty() {
            return Poll::Ready(Ok(false));
        }
        let sorted = match std::mem::take(&mut self.held) {
            held if held.is_empty() => self.sort(chunk.filled()),
            mut held => {
                held.extend_from_slice(chunk.filled());
                self.sort(&held)
            }
        };
        Poll::Ready(sorted.map(|()| true).map_err(io::Error::other))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guard<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.is_surveying {
            if this.give(buf) {
                return Poll::Ready(Ok(()));
            }
            this.is_surveying = ready!(this.poll_survey(cx))?;
        }
        let held = std::mem::take(&mut this.held);
        this.pass(&held).map_err(io::Error::other)?;
        if this.give(buf) {
            return Poll::Ready(Ok(()));
        }
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
