//! Logins to a real Dovecot: access tokens that it checks itself, the master user in either way, TLS in either way.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use imipd::mailbox::{
    Credentials, ImapServer, LoginProblem, MailboxError, MasterMode, Security, Session, Timing, TokenMechanism,
};
use imipd_lab::{Lab, LabOptions, MASTER_PASSWORD, MASTER_USER, Mta, password, start_or_skip};
use ring::hmac;
use secrecy::SecretString;

const USER: &str = "a@example.com";

/// The key by which the lab's tokens are signed.
const KEY: &[u8] = b"the key of the lab, 32 octets long";

/// A token for [`USER`] that ends at `exp`, Unix seconds, signed with `key`. RFC 7519.
fn token(key: &[u8], exp: i64) -> SecretString {
    let part = |json: String| URL_SAFE_NO_PAD.encode(json);
    let header = part(r#"{"alg":"HS256","typ":"JWT"}"#.to_owned());
    let claims = part(format!(r#"{{"sub":"{USER}","iat":1700000000,"exp":{exp}}}"#));
    let signed = format!("{header}.{claims}");
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), signed.as_bytes());
    SecretString::from(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

/// A Dovecot that takes tokens beside passwords.
fn with_tokens(folder: &Path) -> Option<Lab> {
    let keys = folder.join("keys/default/HS256");
    std::fs::create_dir_all(&keys).expect("a folder for keys");
    std::fs::write(keys.join("default"), STANDARD.encode(KEY)).expect("a key");
    let settings = folder.join("oauth2.conf");
    let text = format!(
        "introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix={}/keys/\nusername_attribute = sub\n",
        folder.display()
    );
    std::fs::write(&settings, text).expect("the settings of oauth2");
    open_to_all(folder);
    let extra = format!(
        "auth_mechanisms = plain login xoauth2 oauthbearer\n\
         passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {}\n}}\n",
        settings.display()
    );
    start_or_skip(&LabOptions { users: &[USER], mta: Mta::Relay, dovecot_extra: &extra, ..LabOptions::default() })
}

/// Dovecot's auth process is another user.
fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).expect("the folder's mode");
}

fn server(port: u16, security: Security, ca_file: Option<&Path>) -> ImapServer {
    let tls = imipd::tls::client_config(ca_file).expect("a TLS configuration");
    ImapServer { host: "localhost".to_owned(), port, security, tls, timing: Timing::default() }
}

fn plain(lab: &Lab) -> ImapServer {
    ImapServer { host: "127.0.0.1".to_owned(), ..server(lab.imap_port(), Security::None, None) }
}

fn master(password: &str, mode: MasterMode) -> Credentials {
    let password = SecretString::from(password.to_owned());
    Credentials::Master { login: USER.to_owned(), master_user: MASTER_USER.to_owned(), password, mode }
}

#[tokio::test]
async fn a_token_opens_the_mailbox_while_it_is_good() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(lab) = with_tokens(folder.path()) else { return };
    for mechanism in [TokenMechanism::XOauth2, TokenMechanism::OauthBearer] {
        let with = |token| Credentials::Token { login: USER.to_owned(), token, mechanism };
        let connected = Session::connect(&plain(&lab), &with(token(KEY, now() + 600))).await;
        let mut session = connected.unwrap_or_else(|error| panic!("{mechanism:?}: {error}\n{}", lab.logs()));
        session.examine("INBOX").await.expect("their INBOX");
        session.logout().await.expect("a goodbye");
        for (bad, what) in [
            (token(b"another key that is 32 octets long", now() + 600), "forged"),
            (token(KEY, now() - 600), "expired"),
        ] {
            match Session::connect(&plain(&lab), &with(bad)).await.map(drop) {
                Err(MailboxError::LoginRefused { text, problem, .. }) => {
                    assert!(problem.is_about_the_proof(), "{what}: {problem:?} {text}");
                    assert!(text.contains("status"), "{mechanism:?} {what}: the challenge is told: {text}");
                    assert!(!text.contains("eyJhbGci"), "the token is in {text}");
                }
                other => panic!("{mechanism:?} {what}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn the_master_user_opens_a_mailbox_in_either_way() {
    let Some(lab) = start_or_skip(&LabOptions { users: &[USER], mta: Mta::Relay, ..LabOptions::default() }) else {
        return;
    };
    for mode in [MasterMode::Separator("*".to_owned()), MasterMode::AuthorizationId] {
        let session = Session::connect(&plain(&lab), &master(MASTER_PASSWORD, mode.clone())).await;
        let mut session = session.unwrap_or_else(|error| panic!("{mode:?}: {error}"));
        session.examine("INBOX").await.expect("the user's INBOX");
        match Session::connect(&plain(&lab), &master("wrong", mode)).await.map(drop) {
            Err(MailboxError::LoginRefused { problem: LoginProblem::Credentials, .. }) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn tls_protects_the_login_from_the_first_octet_or_after_a_command() {
    let options = LabOptions { users: &[USER], mta: Mta::Relay, tls: true, ..LabOptions::default() };
    let Some(lab) = start_or_skip(&options) else { return };
    let owner = Credentials::Password { login: USER.to_owned(), password: SecretString::from(password(USER)) };
    let ports = [(lab.imaps_port().expect("a port"), Security::Tls), (lab.imap_port(), Security::StartTls)];
    for (port, security) in ports {
        let trusted = server(port, security, lab.ca_file());
        Session::connect(&trusted, &owner).await.unwrap_or_else(|error| panic!("{security:?}: {error}"));
        // The authorities of the system know nothing of the lab's.
        match Session::connect(&server(port, security, None), &owner).await.map(drop) {
            Err(MailboxError::Certificate { .. }) => {}
            other => panic!("{security:?}: {other:?}"),
        }
    }
}
