//! Whether a DKIM signature of the author's domain holds, with the key that the DNS has (RFC 6376), where the site wants it.
//!
//! The checking itself is mail-auth's. Here is what goes before: which signatures count, which keys, and how long is waited. A
//! question to the DNS that fails proves nothing and stops nothing: the mail is then as unproven as one without a signature.

pub mod limits;

use std::borrow::{Borrow, Cow};
use std::collections::HashMap;
use std::hash::Hash;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::join_all;
use mail_auth::common::crypto::{Algorithm, CryptoError};
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::{DomainKey, VerifySignature};
use mail_auth::dkim::{DkimError, Signature as RawSignature};
use mail_auth::hickory_resolver::TokioResolver;
use mail_auth::hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use mail_auth::hickory_resolver::net::{DnsError, NetError};
use mail_auth::hickory_resolver::proto::op::ResponseCode;
use mail_auth::hickory_resolver::proto::rr::{Name, RData};
use mail_auth::hickory_resolver::system_conf::read_system_conf;
use mail_auth::{AuthenticatedMessage, DkimOutput, DkimResult, MessageAuthenticator, Parameters, ResolverCache, Txt};

use crate::imip::proof::is_at_or_below;
use crate::imip::{Lack, Signature};

/// Fields by which a mail is read. DKIM signs the lowest of a name (RFC 6376 §5.4.2), and readers differ in which they take.
const SINGLE_FIELDS: [&[u8]; 4] = [b"from", b"content-type", b"content-transfer-encoding", b"mime-version"];

/// Why the DNS cannot be asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DnsTrouble {
    #[error("the name servers cannot be used: {0}; name others in policy.dns_servers")]
    Unusable(String),
    #[error("no answer about {0}; check /etc/resolv.conf, or name other name servers in policy.dns_servers")]
    Silent(String),
}

/// Checks signatures, and knows the keys that it has asked for.
pub struct Verifier {
    authenticator: Result<MessageAuthenticator, DnsTrouble>,
    waiting: Mutex<Waiting>,
}

/// How much was waited in vain lately.
#[derive(Debug)]
struct Waiting {
    since: Instant,
    spent: Duration,
}

/// The keys of a mail's signatures, by the names of their records.
struct Keys(HashMap<Box<str>, Txt>);

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").field("waiting", &self.waiting).finish_non_exhaustive()
    }
}

impl Verifier {
    /// A verifier that asks these name servers, or those of the machine when there are none.
    pub fn new(dns_servers: &[SocketAddr]) -> Self {
        let waiting = Mutex::new(Waiting { since: Instant::now(), spent: Duration::ZERO });
        Self { authenticator: authenticator(dns_servers), waiting }
    }

    /// What came of the signatures of a mail whose author is of `domain`.
    ///
    /// Shape: `raw` is the whole mail; lines that end in LF alone count as if they ended in CRLF.
    pub async fn verify(&self, raw: &[u8], domain: &str) -> Signature {
        // Whatever a mail makes the parser do, it costs this mail alone.
        match AssertUnwindSafe(self.check(raw, domain)).catch_unwind().await {
            Ok(Ok(signer)) => Signature::Holds(signer),
            Ok(Err(lack)) => Signature::Lacking(lack),
            Err(_) => Signature::Lacking(Lack::Unreadable),
        }
    }

    /// Whether the DNS answers; that there is nothing of this name is an answer as well.
    pub async fn probe(&self, domain: &str) -> Result<(), DnsTrouble> {
        let authenticator = self.authenticator.as_ref().map_err(Clone::clone)?;
        let name = format!("imipd-check._domainkey.{domain}.");
        match tokio::time::timeout(limits::PATIENCE, key(authenticator.resolver(), &name)).await {
            Ok(Err(Lack::NoAnswer)) | Err(_) => Err(DnsTrouble::Silent(name)),
            Ok(_) => Ok(()),
        }
    }

    async fn check(&self, raw: &[u8], domain: &str) -> Result<String, Lack> {
        let raw = with_crlf(raw);
        let mut mail = AuthenticatedMessage::parse(&raw).ok_or(Lack::Missing)?;
        let lack = keep_fit(&mut mail, domain)?;
        let authenticator = self.authenticator.as_ref().map_err(|_| Lack::NoAnswer)?;
        let (keys, lack) = self.keys(authenticator, &mut mail, lack).await;
        // All that it would ask for is known by now.
        let outputs = authenticator.verify_dkim(Parameters::new(&mail).with_txt_cache(&keys)).await;
        verdict(&outputs, lack)
    }

    /// The keys of the signatures of a mail, without the signatures that have none.
    async fn keys(
        &self,
        authenticator: &MessageAuthenticator,
        mail: &mut AuthenticatedMessage<'_>,
        mut lack: Lack,
    ) -> (Keys, Lack) {
        let names: Vec<String> = mail.dkim_headers.iter().map(|field| record_name(&field.header)).collect();
        let (patience, began) = (self.patience(), Instant::now());
        let asked = names.iter().map(|name| tokio::time::timeout(patience, key(authenticator.resolver(), name)));
        let answers = join_all(asked).await;
        let mut keys = HashMap::new();
        for (name, answer) in names.into_iter().zip(answers) {
            match answer.unwrap_or(Err(Lack::NoAnswer)) {
                Ok(key) => drop(keys.insert(name.into_boxed_str(), Txt::DomainKey(Arc::new(key)))),
                Err(why) => lack = why,
            }
        }
        if lack == Lack::NoAnswer {
            self.has_waited(began.elapsed());
        }
        mail.dkim_headers.retain(|field| keys.contains_key(record_name(&field.header).as_str()));
        (Keys(keys), lack)
    }

    /// How long this mail may wait.
    fn patience(&self) -> Duration {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.since.elapsed() > limits::WAITING_PERIOD {
            *waiting = Waiting { since: Instant::now(), spent: Duration::ZERO };
        }
        if waiting.spent < limits::WAITING_MAX { limits::PATIENCE } else { limits::SHORT_PATIENCE }
    }

    fn has_waited(&self, time: Duration) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.spent = waiting.spent.saturating_add(time);
    }
}

impl ResolverCache<Box<str>, Txt> for Keys {
    fn get<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.get(name).cloned()
    }

    fn remove<Q>(&self, _name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _key: Box<str>, _value: Txt, _valid_until: Instant) {}
}

fn authenticator(dns_servers: &[SocketAddr]) -> Result<MessageAuthenticator, DnsTrouble> {
    let unusable = |error: NetError| DnsTrouble::Unusable(error.to_string());
    let (config, mut options) = match dns_servers {
        [] => read_system_conf().map_err(|error| DnsTrouble::Unusable(error.to_string()))?,
        servers => {
            let servers = servers.iter().map(|address| name_server(*address)).collect();
            (ResolverConfig::from_parts(None, Vec::new(), servers), ResolverOpts::default())
        }
    };
    options.timeout = limits::QUESTION_TIMEOUT;
    options.attempts = limits::QUESTIONS_AGAIN;
    options.cache_size = limits::KEYS_MAX;
    options.positive_max_ttl = Some(limits::KEY_LASTS);
    options.negative_max_ttl = Some(limits::ABSENCE_LASTS);
    options.use_hosts_file = ResolveHosts::Never;
    MessageAuthenticator::new(config, options).map_err(unusable)
}

fn name_server(address: SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    let at_port = |connection: &mut ConnectionConfig| connection.port = address.port();
    server.connections.iter_mut().for_each(at_port);
    server
}

/// Leaves the signatures in a mail that may count, and says why none does when there are none.
///
/// Returns what is lacking should none of those that are left hold.
fn keep_fit(mail: &mut AuthenticatedMessage<'_>, domain: &str) -> Result<Lack, Lack> {
    let is_doubled =
        |name: &&[u8]| mail.headers.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name)).count() > 1;
    let is_doubled = SINGLE_FIELDS.iter().any(is_doubled);
    let unread = std::mem::take(&mut mail.errors);
    let is_partial = |error: &mail_auth::Error| matches!(error, mail_auth::Error::Dkim(DkimError::SignatureLength));
    let mut lack = match unread.as_slice() {
        [] => Lack::Missing,
        errors if errors.iter().any(|field| is_partial(&field.header)) => Lack::Partial,
        _ => Lack::Unreadable,
    };
    let mut is_of_another = lack == Lack::Missing;
    mail.dkim_headers.retain(|field| match unfit(&field.header, domain) {
        None => true,
        Some(Lack::OfAnother) => {
            lack = if is_of_another { Lack::OfAnother } else { lack };
            false
        }
        Some(why) => {
            (lack, is_of_another) = (why, false);
            false
        }
    });
    mail.dkim_headers.truncate(limits::SIGNATURES_MAX);
    for field in &mut mail.dkim_headers {
        // Each would have more asked of the DNS: who may sign for whom (RFC 6541), and where reports go (RFC 6651).
        field.header.atps = None;
        field.header.r = false;
    }
    match (mail.dkim_headers.is_empty(), is_doubled) {
        (true, _) => Err(lack),
        (false, true) => Err(Lack::Doubled),
        (false, false) => Ok(lack),
    }
}

/// Why a signature says nothing about a mail of this domain, whatever its key is.
fn unfit(signature: &RawSignature, domain: &str) -> Option<Lack> {
    if !is_at_or_below(domain, &signature.d.to_lowercase()) {
        return Some(Lack::OfAnother);
    }
    // RFC 6376 §5.4: From must be signed. RFC 8301 §3.1: rsa-sha1 must not be taken.
    let has_from = signature.h.iter().any(|name| name.trim().eq_ignore_ascii_case("from"));
    let is_strong = matches!(signature.a, Algorithm::RsaSha256 | Algorithm::Ed25519Sha256);
    let is_sound = has_from && is_strong && signature.v == 1 && signature.h.len() <= limits::SIGNED_FIELDS_MAX;
    (!is_sound).then_some(Lack::Weak)
}

/// The name of the record with the key of a signature, as it is asked for.
fn record_name(signature: &RawSignature) -> String {
    signature.domain_key().to_lowercase()
}

/// The key that the DNS has under a name.
async fn key(resolver: &TokioResolver, name: &str) -> Result<DomainKey, Lack> {
    let name = Name::from_str_relaxed(name).map_err(|_| Lack::NoKey)?;
    let found = resolver.txt_lookup(name).await.map_err(|error| why_none(&error))?;
    let mut lack = Lack::NoKey;
    for record in found.answers().iter().take(limits::RECORDS_MAX) {
        let RData::TXT(text) = &record.data else { continue };
        let text = text.txt_data.concat();
        if is_trial(&text) {
            lack = Lack::Testing;
        } else if let Ok(key) = DomainKey::parse(&text) {
            return Ok(key);
        }
    }
    Err(lack)
}

/// That there is no such name, or nothing under it, is an answer; all else is none.
fn why_none(error: &NetError) -> Lack {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none))
            if matches!(none.response_code, ResponseCode::NXDomain | ResponseCode::NoError) =>
        {
            Lack::NoKey
        }
        _ => Lack::NoAnswer,
    }
}

/// Whether a key record has the flag `y`. RFC 6376 §3.6.1.
fn is_trial(record: &[u8]) -> bool {
    let text = String::from_utf8_lossy(record);
    let flags = text.split(';').filter_map(|tag| tag.split_once('=')).find(|(name, _)| name.trim() == "t");
    flags.is_some_and(|(_, flags)| flags.split(':').any(|flag| flag.trim().eq_ignore_ascii_case("y")))
}

/// The domain of the first signature that holds, or what the last one lacks.
fn verdict(outputs: &[DkimOutput<'_>], mut lack: Lack) -> Result<String, Lack> {
    for output in outputs {
        match (output.result(), output.signature()) {
            (DkimResult::Pass, Some(signature)) => return Ok(signature.d.to_lowercase()),
            (DkimResult::Pass | DkimResult::None, _) => {}
            (
                DkimResult::Neutral(error)
                | DkimResult::Fail(error)
                | DkimResult::PermError(error)
                | DkimResult::TempError(error),
                _,
            ) => lack = what_lacks(error),
        }
    }
    Err(lack)
}

fn what_lacks(error: &mail_auth::Error) -> Lack {
    use mail_auth::Error;
    match error {
        Error::Dkim(DkimError::SignatureExpired) => Lack::Expired,
        Error::Dkim(DkimError::FailedBodyHashMatch) => Lack::BodyChanged,
        Error::Dkim(DkimError::SignatureLength) => Lack::Partial,
        Error::Dkim(DkimError::RevokedPublicKey) => Lack::NoKey,
        Error::Dns(_) => Lack::NoAnswer,
        Error::Crypto(
            CryptoError::FailedVerification | CryptoError::Library(_) | CryptoError::IncompatibleAlgorithms,
        )
        | Error::Dkim(DkimError::FailedAuidMatch) => Lack::Broken,
        _ => Lack::Unreadable,
    }
}

/// A mail as it was on the wire: a mail from a Maildir, or saved by a mail program, has other line ends.
fn with_crlf(raw: &[u8]) -> Cow<'_, [u8]> {
    if raw.windows(2).any(|pair| pair == b"\r\n") || !raw.contains(&b'\n') {
        return Cow::Borrowed(raw);
    }
    let lines: Vec<&[u8]> = raw.split(|octet| *octet == b'\n').collect();
    Cow::Owned(lines.join(b"\r\n".as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_is_told_by_its_flag_alone() {
        for (record, expected) in [
            ("v=DKIM1; t=y; p=abc", true),
            ("v=DKIM1; t = s : y ; p=abc", true),
            ("v=DKIM1; t=s; p=abc", false),
            ("v=DKIM1; p=abc; n=t=y", false),
            ("", false),
        ] {
            assert_eq!(is_trial(record.as_bytes()), expected, "{record}");
        }
    }

    #[test]
    fn lines_of_a_saved_mail_end_as_they_were_signed() {
        assert_eq!(with_crlf(b"a: b\n\nc\n").as_ref(), b"a: b\r\n\r\nc\r\n");
        assert_eq!(with_crlf(b"a: b\r\n\r\nc\nd\r\n").as_ref(), b"a: b\r\n\r\nc\nd\r\n");
    }

    #[test]
    fn who_has_waited_too_much_waits_less() {
        let servers = [SocketAddr::from(([127, 0, 0, 1], 9))];
        let verifier = Verifier { authenticator: authenticator(&servers), waiting: Verifier::new(&servers).waiting };
        assert_eq!(verifier.patience(), limits::PATIENCE);
        verifier.has_waited(limits::WAITING_MAX);
        assert_eq!(verifier.patience(), limits::SHORT_PATIENCE);
    }
}
