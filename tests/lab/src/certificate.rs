//! A certificate authority for one lab, and its one server.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

/// The files of a lab's certificates.
pub(crate) struct Certificates {
    pub ca: PathBuf,
    pub server: PathBuf,
    pub key: PathBuf,
}

impl Certificates {
    /// Writes a CA and a server certificate for `localhost` and 127.0.0.1 into `folder`.
    pub(crate) fn create(folder: &Path) -> Result<Self> {
        let ca_key = KeyPair::generate().context("making the CA's key")?;
        let ca_params = ca_params()?;
        let ca = ca_params.self_signed(&ca_key).context("signing the CA")?;
        let key = KeyPair::generate().context("making the server's key")?;
        let issuer = Issuer::from_params(&ca_params, &ca_key);
        let server = server_params()?.signed_by(&key, &issuer).context("signing the server's certificate")?;
        let files =
            Self { ca: folder.join("ca.pem"), server: folder.join("server.pem"), key: folder.join("server.key") };
        fs::write(&files.ca, ca.pem())?;
        fs::write(&files.server, server.pem())?;
        fs::write(&files.key, key.serialize_pem())?;
        Ok(files)
    }
}

fn ca_params() -> Result<CertificateParams> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "imipd lab CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn server_params() -> Result<CertificateParams> {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut params = CertificateParams::new(names).context("naming the server")?;
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params.is_ca = IsCa::ExplicitNoCa;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}
