//! Signed mail as servers elsewhere send it, and what the DNS says of their keys.

// Every test program compiles this module for itself and uses a part of it.
#![allow(dead_code)]

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use imipd_lab::{Beside, Program, free_port};
use mail_auth::common::crypto::{Ed25519Key, RsaKey, Sha256, SigningKey};
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::{DkimSigner, Done};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;

/// What an honest signer signs of a mail's header.
const SIGNED: [&str; 7] = ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"];

/// A domain that signs its mail.
pub struct Domain {
    pub name: &'static str,
    key: Vec<u8>,
}

impl Domain {
    /// A domain with a key of its own.
    pub fn new(name: &'static str) -> Self {
        Self { name, key: Ed25519Key::generate_pkcs8().expect("a key") }
    }

    fn key(&self) -> Ed25519Key {
        Ed25519Key::from_pkcs8_der(&self.key).expect("the key")
    }

    /// The name of the TXT record with its key.
    pub fn record_name(&self) -> String {
        format!("sel._domainkey.{}", self.name)
    }

    /// The TXT record with its key.
    pub fn record(&self) -> String {
        format!("v=DKIM1; k=ed25519; p={}", STANDARD.encode(self.key().public_key()))
    }

    /// The mail with a signature on top.
    pub fn sign(&self, raw: &str) -> String {
        self.sign_with(raw, |signer| signer)
    }

    /// The same, with what `more` adds to the signature.
    pub fn sign_with(
        &self,
        raw: &str,
        more: impl FnOnce(DkimSigner<Ed25519Key, Done>) -> DkimSigner<Ed25519Key, Done>,
    ) -> String {
        let signer = DkimSigner::from_key(self.key()).domain(self.name).selector("sel").headers(SIGNED);
        signed(&more(signer), raw)
    }
}

/// A mail with the signature that a signer makes.
pub fn signed<K: SigningKey>(signer: &DkimSigner<K, Done>, raw: &str) -> String {
    format!("{}{raw}", signer.sign(raw.as_bytes()).expect("a signature").to_header())
}

impl Domain {
    /// The mail signed with another selector.
    pub fn sign_as(&self, selector: &str, raw: &str) -> String {
        signed(&DkimSigner::from_key(self.key()).domain(self.name).selector(selector).headers(SIGNED), raw)
    }

    /// The mail with just these fields signed.
    pub fn sign_fields(&self, fields: &[&str], raw: &str) -> String {
        let fields = fields.iter().map(|field| (*field).to_owned());
        signed(&DkimSigner::from_key(self.key()).domain(self.name).selector("sel").headers(fields), raw)
    }
}

/// A domain that signs with RSA, as most do.
pub struct RsaDomain {
    pub name: &'static str,
    /// PKCS #8, in PEM.
    pub key: String,
    public: String,
}

impl RsaDomain {
    /// A domain with a key of its own; nothing where openssl, which makes it, is missing and may be.
    pub fn new(name: &'static str) -> Option<Self> {
        let made =
            Command::new("openssl").args(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]).output();
        let is_missing = made.is_err() && std::env::var_os("CI").is_none();
        if is_missing {
            return None;
        }
        let key = String::from_utf8(made.expect("openssl").stdout).expect("PEM");
        let der = PrivatePkcs8KeyDer::from_pem_slice(key.as_bytes()).expect("a key");
        let signer = RsaKey::<Sha256>::from_key_der(der.into()).expect("a key");
        Some(Self { name, key, public: STANDARD.encode(signer.public_key()) })
    }

    pub fn record_name(&self) -> String {
        format!("sel._domainkey.{}", self.name)
    }

    pub fn record(&self) -> String {
        format!("v=DKIM1; k=rsa; p={}", self.public)
    }

    pub fn sign(&self, raw: &str) -> String {
        let der = PrivatePkcs8KeyDer::from_pem_slice(self.key.as_bytes()).expect("the key");
        let key = RsaKey::<Sha256>::from_key_der(der.into()).expect("the key");
        signed(&DkimSigner::from_key(key).domain(self.name).selector("sel").headers(SIGNED), raw)
    }
}

/// A real DNS server with these TXT records, and its port.
pub fn name_server(records: &[(String, String)]) -> anyhow::Result<(Beside, u16)> {
    let mut beside = Beside::prepare()?;
    let port = free_port()?;
    let program = Program { name: "dnsmasq", package: "dnsmasq-base", port };
    beside.run(program, |command| {
        command.args(["--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--no-resolv", "--no-hosts"]);
        command.args(["--listen-address=127.0.0.1", "--bind-interfaces", "--local=/example/", "--local=/com/"]);
        command.arg(format!("--port={port}"));
        command.args(records.iter().map(|(name, text)| format!("--txt-record={name},{text}")));
    })?;
    Ok((beside, port))
}
