//! Signed mail as servers elsewhere send it, and what the DNS says of their keys.

// Every test program compiles this module for itself and uses a part of it.
#![allow(dead_code)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_auth::common::crypto::{Ed25519Key, SigningKey};
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::{DkimSigner, Done};

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
