//! The SMTP driver over TLS: from the first byte, after STARTTLS, and not at all with the wrong certificate.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use imipd::itip::Address;
use imipd::outbox::smtp::{DataOutcome, Login, Security, SmtpError, SmtpServer, Submitter};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

// Made for this test with openssl, valid for a hundred years, and trusted by nobody else.
const CA: &str = "\
-----BEGIN CERTIFICATE-----
MIIBlzCCAT2gAwIBAgIUUsn6zUjxfpIEaoNEtq7gdNvGTdAwCgYIKoZIzj0EAwIw
GDEWMBQGA1UEAwwNaW1pcGQgdGVzdCBDQTAgFw0yNjExMjIyMDA5MjVaGA8yMTI2
MTAyOTIwMDkyNVowGDEWMBQGA1UEAwwNaW1pcGQgdGVzdCBDQTBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABD/53UrYZM1no2if4tGBJ7GPSfvNjcBlDiG+QSE5LzTd
HgVdvxri/aegMsLCcidjdc0gg4jRl+AG3GoSqut+N5CjYzBhMB0GA1UdDgQWBBRy
73ETIBKP2qVDF4OkMuEeIfadJzAfBgNVHSMEGDAWgBRy73ETIBKP2qVDF4OkMuEe
IfadJzAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwICBDAKBggqhkjOPQQD
AgNIADBFAiAHocViNDDplU/On9pk6zu9HsoaysUa3NK7WGzd0fmz9AIhAN3Hgf82
i2M1ybRwXp63XEjeKNtxnoeGamoraNW9MXYJ
-----END CERTIFICATE-----
";

const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIIBnDCCAUOgAwIBAgIUXyuKIvALnNafbH7VhTJA+ZRndHYwCgYIKoZIzj0EAwIw
GDEWMBQGA1UEAwwNaW1pcGQgdGVzdCBDQTAgFw0yNjExMjIyMDA5MjVaGA8yMTI2
MTAyOTIwMDkyNVowFDESMBAGA1UEAwwJbG9jYWxob3N0MFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEWJtgrg2ud/aTDOXpEiOqgcqdiW6SO7aD0My+XxTdWlxzIJ5N
e70mW+lTxPHSa86hG5xHhjz2byroH6pn5wAaRqNtMGswFAYDVR0RBA0wC4IJbG9j
YWxob3N0MBMGA1UdJQQMMAoGCCsGAQUFBwMBMB0GA1UdDgQWBBTjiTUotPmXbM1a
Ft8mdkVC6pIX6jAfBgNVHSMEGDAWgBRy73ETIBKP2qVDF4OkMuEeIfadJzAKBggq
hkjOPQQDAgNHADBEAiAHFAWn/1GKyaTSN0kcO2DA/l0MU7KS8mmz7oQjy8NEvgIg
AzembifzVQWq5H0HSB9Dgqu4zvvOwznRZZUbue2hwUk=
-----END CERTIFICATE-----
";

const KEY: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgNt36JfaJH3fgJmwd
ITdueWXpGRQuqmMxX5UQPkt+K4ShRANCAARYm2CuDa539pMM5ekSI6qByp2JbpI7
toPQzL5fFN1aXHMgnk17vSZb6VPE8dJrzqEbnEeGPPZvKugfqmfnABpG
-----END PRIVATE KEY-----
";

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn acceptor() -> TlsAcceptor {
    let chain = vec![CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

fn trusting(ca: Option<&str>) -> Arc<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    if let Some(ca) = ca {
        roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
    }
    let config = rustls::ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

#[derive(Clone, Copy)]
enum Kind {
    Implicit,
    StartTls,
    /// Slips clear text in behind the reply to STARTTLS.
    Injecting,
    /// Refuses STARTTLS although it offers it.
    Refusing,
}

type Lines = Arc<Mutex<Vec<String>>>;

async fn start(kind: Kind) -> (u16, Lines) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let lines = Lines::default();
    let seen = Arc::clone(&lines);
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let seen = Arc::clone(&seen);
            tokio::spawn(async move {
                let _ = accept(tcp, kind, seen).await;
            });
        }
    });
    (port, lines)
}

async fn accept(mut tcp: TcpStream, kind: Kind, seen: Lines) -> std::io::Result<()> {
    if matches!(kind, Kind::Implicit) {
        let mut stream = acceptor().accept(tcp).await?;
        stream.write_all(b"220 ready\r\n").await?;
        return serve(stream, seen).await;
    }
    tcp.write_all(b"220-clear\r\n220 ready\r\n").await?;
    let mut tcp = BufReader::new(tcp);
    let mut line = String::new();
    tcp.read_line(&mut line).await?;
    tcp.write_all(b"250-clear\r\n250-STARTTLS\r\n250 HELP\r\n").await?;
    tcp.read_line(&mut line).await?;
    seen.lock().unwrap().extend(line.lines().map(|line| format!("clear: {line}")));
    match kind {
        Kind::Injecting => tcp.write_all(b"220 go\r\n250 injected\r\n").await?,
        Kind::Refusing => tcp.write_all(b"454 4.7.0 TLS not available\r\n").await?,
        Kind::Implicit | Kind::StartTls => tcp.write_all(b"220 go\r\n").await?,
    }
    serve(acceptor().accept(tcp.into_inner()).await?, seen).await
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, seen: Lines) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut is_content = false;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        seen.lock().unwrap().push(format!("tls: {}", line.trim_end()));
        let reply: &[u8] = match line.split([' ', '\r']).next() {
            Some(".") => {
                is_content = false;
                b"250 queued\r\n"
            }
            _ if is_content => continue,
            Some("EHLO") => b"250-tls\r\n250 AUTH PLAIN\r\n",
            Some("AUTH") => b"235 ok\r\n",
            Some("DATA") => {
                is_content = true;
                b"354 go\r\n"
            }
            _ => b"250 ok\r\n",
        };
        stream.write_all(reply).await?;
        stream.flush().await?;
    }
}

fn server(host: &str, port: u16, security: Security) -> SmtpServer {
    SmtpServer {
        host: host.to_owned(),
        port,
        socket: None,
        security,
        credentials: Some(Login::password("user", "secret".into())),
        hello_name: "gateway".to_owned(),
        max_recipients: 100,
        max_connections: 1,
        timeout: Duration::from_secs(5),
        final_timeout: Duration::from_secs(5),
    }
}

async fn submit(server: SmtpServer) -> Result<DataOutcome, SmtpError> {
    let submitter = Submitter::new(server);
    let (from, to) = (Address::parse("a@example.com"), [Address::parse("b@example.org")]);
    let first = submitter.submit(&from, &to, b"Subject: x\r\n\r\nx\r\n").await?;
    let second = submitter.submit(&from, &to, b"Subject: y\r\n\r\ny\r\n").await?;
    assert_eq!(first.data, second.data);
    Ok(first.data)
}

fn queued() -> DataOutcome {
    DataOutcome::Accepted { response: "queued".to_owned() }
}

#[tokio::test]
async fn tls_from_the_first_byte() {
    let (port, lines) = start(Kind::Implicit).await;
    assert_eq!(submit(server("localhost", port, Security::Tls(trusting(Some(CA))))).await.unwrap(), queued());
    assert_eq!(lines.lock().unwrap()[..2], ["tls: EHLO gateway", "tls: AUTH PLAIN AHVzZXIAc2VjcmV0"]);
}

#[tokio::test]
async fn tls_after_starttls() {
    let (port, lines) = start(Kind::StartTls).await;
    assert_eq!(submit(server("localhost", port, Security::StartTls(trusting(Some(CA))))).await.unwrap(), queued());
    let expected = ["clear: EHLO gateway", "clear: STARTTLS", "tls: EHLO gateway", "tls: AUTH PLAIN AHVzZXIAc2VjcmV0"];
    assert_eq!(lines.lock().unwrap()[..4], expected);
}

#[tokio::test]
async fn an_unknown_authority_and_a_wrong_name_are_refused() {
    for kind in [Kind::Implicit, Kind::StartTls] {
        for (host, ca) in [("localhost", None), ("127.0.0.1", Some(CA))] {
            let (port, lines) = start(kind).await;
            let security = match kind {
                Kind::Implicit => Security::Tls(trusting(ca)),
                Kind::StartTls | Kind::Injecting | Kind::Refusing => Security::StartTls(trusting(ca)),
            };
            let error = submit(server(host, port, security)).await.unwrap_err();
            assert!(matches!(error, SmtpError::Tls { .. }) && !error.is_transient(), "{host}: {error}");
            assert!(!lines.lock().unwrap().iter().any(|line| line.contains("AUTH")));
        }
    }
}

#[tokio::test]
async fn clear_text_behind_the_reply_to_starttls_ends_the_connection() {
    let (port, lines) = start(Kind::Injecting).await;
    let error = submit(server("localhost", port, Security::StartTls(trusting(Some(CA))))).await.unwrap_err();
    assert!(matches!(error, SmtpError::Protocol { .. }), "{error}");
    assert!(!lines.lock().unwrap().iter().any(|line| line.starts_with("tls:")));
}

#[tokio::test]
async fn a_refused_starttls_is_told() {
    let (port, lines) = start(Kind::Refusing).await;
    let error = submit(server("localhost", port, Security::StartTls(trusting(Some(CA))))).await.unwrap_err();
    assert!(matches!(&error, SmtpError::Refused { refusal, .. } if refusal.code == 454), "{error}");
    assert!(error.is_transient());
    assert_eq!(lines.lock().unwrap().len(), 2);
}
