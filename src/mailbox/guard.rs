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
use super::ordinary::{Told, told};
use super::scan::Scanner;
use super::structure::MailStructure;

/// Octets that are read at once in a survey: one record of TLS.
const CHUNK_BYTES: usize = 16 * 1024;

/// A longer response is for the parser, before all of it is there.
const ORDINARY_BYTES_MAX: usize = 32 * 1024;

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
    /// The beginning of a response of which it is not known yet whether the parser needs it.
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
        while !rest.is_empty() {
            let told = if self.scanner.is_between_lines() { told(rest) } else { Told::Other };
            let behind = match told {
                Told::Ordinary(..) if self.ordinary.len() >= RESPONSES_PER_COMMAND_MAX => {
                    return Err(LimitExceeded::Count(RESPONSES_PER_COMMAND_MAX));
                }
                Told::Ordinary(mail, length) => {
                    self.ordinary.push(mail);
                    length
                }
                Told::Unfinished if rest.len() <= ORDINARY_BYTES_MAX => {
                    self.held = rest.to_vec();
                    return Ok(());
                }
                Told::Unfinished | Told::Other => {
                    let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
                    self.pass(rest.get(..end).unwrap_or(rest))?;
                    end
                }
            };
            rest = rest.get(behind..).unwrap_or_default();
        }
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

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    const DATE: &str = "INTERNALDATE \"17-Jul-2026 02:44:25 +0200\"";
    const PLAIN: &str = "(\"text\" \"plain\" NIL NIL NIL \"7bit\" 10 1)";

    /// What is sent, what of it is for the parser, and the numbers of the ordinary mails.
    fn dialogue() -> (String, String, Vec<u32>) {
        let ordinary = |uid: u32| format!("* 1 FETCH (UID {uid} RFC822.SIZE 99 {DATE} BODYSTRUCTURE {PLAIN})\r\n");
        let with_fields = ordinary(3).replace("1))", "1) BODY[HEADER.FIELDS (FROM)]<0> {9}\r\nFrom: x\r\n)");
        let hidden = ordinary(66);
        let literal =
            format!("* 2 FETCH (UID 4 BODY[HEADER.FIELDS.NOT (TO)] {{{}}}\r\n{hidden} UID 5)\r\n", hidden.len());
        let calendar = ordinary(6).replace("plain", "calendar");
        let sent = [
            "* 9 EXISTS\r\n",
            &ordinary(1),
            &ordinary(2),
            &with_fields,
            &literal,
            &calendar,
            &ordinary(7),
            "i1 OK done\r\n",
        ];
        let passed = ["* 9 EXISTS\r\n", &literal, &calendar, "i1 OK done\r\n"];
        (sent.concat(), passed.concat(), vec![1, 2, 3, 7])
    }

    async fn surveyed(pieces: &[&str]) -> (String, Vec<u32>) {
        let (server, client) = tokio::io::duplex(1 << 16);
        let mut guard = Guard::new(client);
        guard.begin_survey();
        let (_, mut write) = tokio::io::split(server);
        let mut passed = Vec::new();
        for piece in pieces {
            tokio::io::AsyncWriteExt::write_all(&mut write, piece.as_bytes()).await.unwrap();
            let mut buf = [0; 64];
            while let Ok(read) = tokio::time::timeout(std::time::Duration::ZERO, guard.read(&mut buf)).await {
                passed.extend_from_slice(&buf[..read.unwrap()]);
            }
        }
        let uids = guard.end_survey().iter().map(|mail| mail.uid.0).collect();
        (String::from_utf8(passed).unwrap(), uids)
    }

    #[tokio::test]
    async fn wherever_the_stream_is_cut_the_parser_gets_the_same() {
        let (sent, passed, uids) = dialogue();
        for at in 1..sent.len() {
            let (head, tail) = sent.split_at(at);
            assert_eq!(surveyed(&[head, tail]).await, (passed.clone(), uids.clone()), "cut at {at}");
        }
    }

    #[tokio::test]
    async fn what_was_held_at_the_end_of_a_survey_goes_to_the_parser() {
        let (server, client) = tokio::io::duplex(1 << 16);
        let (mut guard, (_, mut write)) = (Guard::new(client), tokio::io::split(server));
        guard.begin_survey();
        tokio::io::AsyncWriteExt::write_all(&mut write, b"i1 OK done\r\n* 5 FETCH (UID 7").await.unwrap();
        let mut buf = [0; 64];
        let read = guard.read(&mut buf).await.unwrap();
        assert_eq!(&buf[..read], b"i1 OK done\r\n");
        assert_eq!(guard.end_survey(), []);
        tokio::io::AsyncWriteExt::write_all(&mut write, b" FLAGS ())\r\n").await.unwrap();
        let read = guard.read(&mut buf).await.unwrap();
        assert_eq!(&buf[..read], b"* 5 FETCH (UID 7");
        let read = guard.read(&mut buf).await.unwrap();
        assert_eq!(&buf[..read], b" FLAGS ())\r\n");
    }
}
