//! The TLS client configuration that IMAP, SMTP and CalDAV connections share.
//!
//! The crypto provider is given explicitly, so nothing depends on a process-wide default that another crate could set.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// Why no TLS configuration could be made; each text names the file and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read the CA file {path}: {why}; check that it exists and that imipd may read it", path = path.display())]
    Unreadable { path: PathBuf, why: String },
    #[error("the CA file {path} holds no certificate; it must be PEM, with at least one BEGIN CERTIFICATE block", path = path.display())]
    NoCertificate { path: PathBuf },
    #[error("a certificate in the CA file {path} cannot be used: {why}; replace it", path = path.display())]
    BadCertificate { path: PathBuf, why: String },
    #[error("the system has no usable CA certificates ({why}); install ca-certificates or set ca_file")]
    NoSystemRoots { why: String },
    #[error("the TLS library refuses its own defaults: {0}")]
    Library(#[from] rustls::Error),
}

/// The configuration for TLS connections as a client: TLS 1.2 and 1.3, certificates checked.
///
/// With `ca_file` (PEM) only the authorities in that file are trusted, without it those of the system.
pub fn client_config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, TlsError> {
    let roots = match ca_file {
        Some(path) => roots_of_file(path)?,
        None => roots_of_system()?,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// A configuration that trusts nobody, for a connection that does not use TLS.
pub fn unused() -> Result<Arc<ClientConfig>, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn roots_of_file(path: &Path) -> Result<RootCertStore, TlsError> {
    let unreadable = |why: String| TlsError::Unreadable { path: path.to_owned(), why };
    // Read as a whole first: the PEM reader's own error for a missing file does not say which file.
    let pem = std::fs::read(path).map_err(|e| unreadable(e.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|e| unreadable(e.to_string()))?;
        roots.add(certificate).map_err(|e| TlsError::BadCertificate { path: path.to_owned(), why: e.to_string() })?;
    }
    if roots.is_empty() {
        return Err(TlsError::NoCertificate { path: path.to_owned() });
    }
    Ok(roots)
}

/// The authorities of the system; single unusable ones are skipped, as every client does.
fn roots_of_system() -> Result<RootCertStore, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let why = found.errors.first().map_or_else(|| "none found".to_owned(), ToString::to_string);
        return Err(TlsError::NoSystemRoots { why });
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(content: Option<&str>) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        client_config(Some(&path)).unwrap_err().to_string()
    }

    #[test]
    fn a_fault_in_the_ca_file_names_the_file() {
        let garbled = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (content, expected) in [
            (None, "cannot read"),
            (Some(""), "no certificate"),
            (Some("hello"), "no certificate"),
            (Some(garbled), "cannot be used"),
        ] {
            let text = refusal(content);
            assert!(text.contains("ca.pem") && text.contains(expected), "{content:?}: {text}");
        }
    }
}
