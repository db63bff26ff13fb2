//! Opening a connection: TCP, TLS, greeting, authentication.

use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use rustls::pki_types::ServerName;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::login::authenticate;
use super::offers::Offers;
use super::session::{Silence, on_one_line, refusal, trouble, within};
use super::wire::{Carrier, Wire};
use super::{Refusal, Security, SmtpError, SmtpServer};
use crate::outbox::limits::REPLY_OCTETS_MAX;

/// What lettre is told when the server has greeted already.
const GREETED: &[u8] = b"220 protected by STARTTLS\r\n";

/// The server as it stands in errors.
pub(super) fn name_of(server: &SmtpServer) -> String {
    match &server.socket {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", server.host, server.port),
    }
}

/// Opens a connection, ready for MAIL.
pub(super) async fn open(server: &SmtpServer) -> Result<(AsyncSmtpConnection, Offers), SmtpError> {
    let (carrier, greeting) = carry(server).await?;
    let heard = Arc::new(Mutex::new(Vec::new()));
    let stream = Box::new(Wire::new(carrier, greeting, &heard));
    let client_id = client_id(server);
    let greeting = AsyncSmtpConnection::connect_with_transport(stream, &client_id);
    let mut connection = within(server.timeout, greeting).await.map_err(|silence| not_greeted(server, silence))?;
    let offers = Offers::read(&heard.lock().unwrap_or_else(PoisonError::into_inner));
    // From here on nobody listens but lettre.
    drop(heard);
    authenticate(server, &mut connection).await?;
    tracing::debug!(server = name_of(server), "SMTP connection opened");
    Ok((connection, offers))
}

/// The stream on which SMTP is spoken, and what lettre is to take for the greeting where there is none any more.
async fn carry(server: &SmtpServer) -> Result<(Box<dyn Carrier>, &'static [u8]), SmtpError> {
    if let Some(socket) = &server.socket {
        return match tokio::time::timeout(server.timeout, UnixStream::connect(socket)).await {
            Ok(Ok(stream)) => Ok((Box::new(stream), b"")),
            Ok(Err(error)) => Err(unreachable(server, error)),
            Err(_) => Err(unreachable(server, timed_out(server))),
        };
    }
    let tcp = connect(server).await?;
    Ok(match &server.security {
        Security::None => (Box::new(tcp), b""),
        Security::Tls(config) => (Box::new(protect(server, tcp, config).await?), b""),
        Security::StartTls(config) => {
            let tcp = start_tls(server, tcp).await?;
            (Box::new(protect(server, tcp, config).await?), GREETED)
        }
    })
}

async fn connect(server: &SmtpServer) -> Result<TcpStream, SmtpError> {
    let connecting = TcpStream::connect((server.host.as_str(), server.port));
    let tcp = match tokio::time::timeout(server.timeout, connecting).await {
        Ok(Ok(tcp)) => tcp,
        Ok(Err(error)) => return Err(unreachable(server, error)),
        Err(_) => return Err(unreachable(server, timed_out(server))),
    };
    // Each command is a small write that waits for its reply: with Nagle's algorithm a mail takes 40 ms more.
    tcp.set_nodelay(true).map_err(|error| unreachable(server, error))?;
    Ok(tcp)
}

async fn protect(
    server: &SmtpServer,
    tcp: TcpStream,
    config: &Arc<rustls::ClientConfig>,
) -> Result<TlsStream<TcpStream>, SmtpError> {
    let name = ServerName::try_from(server.host.clone()).map_err(|error| tls(server, error))?;
    let handshake = TlsConnector::from(Arc::clone(config)).connect(name, tcp);
    match tokio::time::timeout(server.timeout, handshake).await {
        Ok(Ok(stream)) => Ok(stream),
        // An invalid certificate and a protocol mismatch are errors of this kind; all others are of the network.
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::InvalidData => Err(tls(server, error)),
        Ok(Err(error)) => Err(unreachable(server, error)),
        Err(_) => Err(unreachable(server, timed_out(server))),
    }
}

/// Asks for TLS in the clear; nothing of ours has been said before but our name. RFC 3207 §4.
///
/// This is not left to lettre, whose reader keeps what came in the clear behind the reply to STARTTLS and takes it for
/// a reply under TLS. Here such bytes end the connection.
async fn start_tls(server: &SmtpServer, mut tcp: TcpStream) -> Result<TcpStream, SmtpError> {
    let dialogue = async {
        plain_reply(server, &mut tcp).await?;
        let hello = plain_command(server, &mut tcp, &format!("EHLO {}\r\n", client_id(server))).await?;
        let is_offered = hello
            .lines()
            .any(|line| line.get(4..).is_some_and(|keyword| keyword.trim().eq_ignore_ascii_case("STARTTLS")));
        if !is_offered {
            return Err(tls(server, "it does not offer STARTTLS"));
        }
        plain_command(server, &mut tcp, "STARTTLS\r\n").await.map(|_| ())
    };
    match tokio::time::timeout(server.timeout, dialogue).await {
        Ok(done) => done.map(|()| tcp),
        Err(_) => Err(unreachable(server, timed_out(server))),
    }
}

async fn plain_command(server: &SmtpServer, tcp: &mut TcpStream, command: &str) -> Result<String, SmtpError> {
    tcp.write_all(command.as_bytes()).await.map_err(|error| unreachable(server, error))?;
    plain_reply(server, tcp).await
}

/// Reads one positive reply, all lines of it, and not a byte more.
async fn plain_reply(server: &SmtpServer, tcp: &mut TcpStream) -> Result<String, SmtpError> {
    let mut read = Vec::new();
    loop {
        let mut chunk = [0; 1024];
        let count = tcp.read(&mut chunk).await.map_err(|error| unreachable(server, error))?;
        if count == 0 {
            return Err(unreachable(server, "it closed the connection"));
        }
        read.extend_from_slice(chunk.get(..count).unwrap_or_default());
        if read.len() > REPLY_OCTETS_MAX {
            return Err(protocol(server, "it says more than a mail server would"));
        }
        if let Some(end) = end_of_reply(&read) {
            if end != read.len() {
                return Err(protocol(server, "it said something before it was asked, in the clear"));
            }
            return positive(server, &String::from_utf8_lossy(&read));
        }
    }
}

/// Where the first reply ends: behind the line whose code is followed by no hyphen (RFC 5321 §4.2.1).
fn end_of_reply(read: &[u8]) -> Option<usize> {
    let mut end = 0;
    for line in read.split_inclusive(|byte| *byte == b'\n') {
        end += line.len();
        if line.ends_with(b"\n") && line.get(3) != Some(&b'-') {
            return Some(end);
        }
    }
    None
}

fn positive(server: &SmtpServer, reply: &str) -> Result<String, SmtpError> {
    let code = reply.get(..3).and_then(|code| code.parse::<u16>().ok());
    match code {
        Some(200..=299) => Ok(reply.to_owned()),
        Some(code @ 400..=599) => {
            let text = on_one_line(reply.get(4..).unwrap_or_default());
            let refusal = Refusal { code, text, permanent: code >= 500 };
            Err(SmtpError::Refused { server: name_of(server), refusal })
        }
        Some(_) | None => Err(protocol(server, format!("it said {:?}", on_one_line(reply)))),
    }
}

fn not_greeted(server: &SmtpServer, silence: Silence) -> SmtpError {
    match silence {
        Silence::Timeout => unreachable(server, timed_out(server)),
        Silence::Error(error) => match refusal(&error) {
            // RFC 2033 §4.1: a server that speaks LMTP knows LHLO and must refuse EHLO.
            Some(refusal) if matches!(refusal.code, 500..=503) => {
                let reason = format!("it refuses EHLO ({refusal}); an LMTP service will not do, only SMTP submission");
                protocol(server, reason)
            }
            Some(refusal) => SmtpError::Refused { server: name_of(server), refusal },
            None => trouble(&name_of(server), &error),
        },
    }
}

/// The name in EHLO; whatever could end the command is not said (RFC 5321 §4.1.1.1).
fn client_id(server: &SmtpServer) -> ClientId {
    let name = server.hello_name.as_str();
    let is_plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]_".contains(&b));
    ClientId::Domain(if is_plain { name } else { "localhost" }.to_owned())
}

pub(super) fn unreachable(server: &SmtpServer, reason: impl ToString) -> SmtpError {
    SmtpError::Unreachable { server: name_of(server), reason: reason.to_string() }
}

pub(super) fn timed_out(server: &SmtpServer) -> String {
    format!("no reply within {:?}", server.timeout)
}

fn tls(server: &SmtpServer, reason: impl ToString) -> SmtpError {
    SmtpError::Tls { server: name_of(server), reason: reason.to_string() }
}

pub(super) fn protocol(server: &SmtpServer, reason: impl ToString) -> SmtpError {
    SmtpError::Protocol { server: name_of(server), reason: reason.to_string() }
}
