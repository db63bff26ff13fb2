//! A blocking client for the line protocols of the lab: SMTP, LMTP and as much IMAP as it needs.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// Longer than a server under a busy test run takes to answer anything.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct LineClient {
    stream: BufReader<TcpStream>,
}

/// An SMTP or LMTP reply; of several lines the texts are joined by newlines.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub code: u16,
    pub text: String,
}

impl Reply {
    pub(crate) fn is_positive(&self) -> bool {
        (200..400).contains(&self.code)
    }
}

impl LineClient {
    pub(crate) fn connect(port: u16) -> Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .with_context(|| format!("connecting to 127.0.0.1:{port}"))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    pub(crate) fn send(&mut self, line: &str) -> Result<()> {
        self.send_raw(format!("{line}\r\n").as_bytes())
    }

    pub(crate) fn send_raw(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.get_mut().write_all(bytes).context("writing to the server")
    }

    pub(crate) fn line(&mut self) -> Result<String> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).context("reading from the server")?;
        ensure!(line.ends_with(b"\n"), "the server closed the connection");
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    /// Reads one SMTP or LMTP reply, whatever it says.
    pub(crate) fn reply(&mut self) -> Result<Reply> {
        let mut text = String::new();
        loop {
            let line = self.line()?;
            let code = line.get(..3).and_then(|code| code.parse().ok());
            let code = code.with_context(|| format!("not an SMTP reply: {line:?}"))?;
            text.push_str(line.get(4..).unwrap_or_default());
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(Reply { code, text });
            }
            text.push('\n');
        }
    }

    /// Sends a command and reads its reply, whatever it says.
    pub(crate) fn command(&mut self, command: &str) -> Result<Reply> {
        self.send(command)?;
        self.reply()
    }

    /// Sends a command whose reply must be positive.
    pub(crate) fn demand(&mut self, command: &str) -> Result<Reply> {
        let reply = self.command(command)?;
        ensure!(reply.is_positive(), "{command} was answered {} {}", reply.code, reply.text);
        Ok(reply)
    }

    /// Opens an SMTP (`EHLO`) or LMTP (`LHLO`) conversation.
    pub(crate) fn open(port: u16, hello: &str) -> Result<Self> {
        let mut client = Self::connect(port)?;
        let greeting = client.reply()?;
        ensure!(greeting.is_positive(), "greeted with {} {}", greeting.code, greeting.text);
        client.demand(&format!("{hello} localhost"))?;
        Ok(client)
    }

    /// Sends one mail to one recipient.
    pub(crate) fn transact(&mut self, from: &str, to: &str, raw: &[u8]) -> Result<()> {
        let reply = self.offer(from, to, raw)?;
        ensure!(reply.is_positive(), "the mail was answered {} {}", reply.code, reply.text);
        let _ = self.command("QUIT");
        Ok(())
    }

    /// Sends one mail to one recipient, and gives the reply to it, whatever it says.
    pub(crate) fn offer(&mut self, from: &str, to: &str, raw: &[u8]) -> Result<Reply> {
        self.demand(&format!("MAIL FROM:<{from}>"))?;
        self.demand(&format!("RCPT TO:<{to}>"))?;
        self.demand("DATA")?;
        self.send_raw(&dot_stuffed(raw))?;
        self.reply()
    }

    /// Sends an IMAP command and reads to its tagged answer, which must be OK.
    pub(crate) fn imap(&mut self, tag: &str, command: &str) -> Result<()> {
        self.send(&format!("{tag} {command}"))?;
        self.imap_done(tag)
    }

    /// Reads to the IMAP answer tagged `tag`, which must be OK.
    pub(crate) fn imap_done(&mut self, tag: &str) -> Result<()> {
        loop {
            let line = self.line()?;
            match line.strip_prefix(tag).map(str::trim_start) {
                Some(answer) if answer.starts_with("OK") => return Ok(()),
                Some(answer) => bail!("IMAP command {tag} was answered {answer}"),
                None => {}
            }
        }
    }
}

/// A mail as it goes over the wire: line ends CRLF, dots stuffed, the final dot added. Bare CRs stay as they are.
pub(crate) fn dot_stuffed(raw: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(raw.len() + raw.len() / 40 + 5);
    let body = raw.strip_suffix(b"\n").unwrap_or(raw);
    for line in body.split(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            wire.push(b'.');
        }
        wire.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

#[cfg(test)]
mod tests {
    use super::dot_stuffed;

    #[test]
    fn lines_end_in_crlf_and_dots_are_doubled() {
        assert_eq!(dot_stuffed(b"a\n.b\r\n\n"), b"a\r\n..b\r\n\r\n.\r\n");
        assert_eq!(dot_stuffed(b"no end"), b"no end\r\n.\r\n");
    }
}
