//! DKIM signatures that imipd checks by itself: signed mails, forged ones, and a real DNS server with the keys.

mod live;
mod signing;

use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use imipd::config::Config;
use imipd::dkim::Verifier;
use imipd::dkim::limits::{SIGNATURES_MAX, SIGNED_FIELDS_MAX};
use imipd::gateway::{Attempt, Change, Extent, Gateway, Place};
use imipd::imip::{Lack, Signature};
use imipd::itip::CalendarObject;
use imipd::ledger::{DecisionRecord, MailNumber};
use imipd::mailbox::FolderRole;
use imipd_lab::{Beside, Mta, or_skip};
use live::{Plan, Site, mail, meeting, partstat, with_method};
use signing::{Domain, RsaDomain, name_server};

const BO: &str = "bo@corp.example";

/// Bo's answer to Ada's meeting, as Bo's server gets it to sign.
fn answer(who: &str, message_id: &str) -> String {
    let calendar = with_method(&meeting("plan-1", "a@example.com", &[who]), "REPLY");
    let calendar = calendar.replace("PARTSTAT=NEEDS-ACTION;RSVP=TRUE", "PARTSTAT=ACCEPTED");
    let raw = mail(who, "a@example.com", message_id, "REPLY", &calendar);
    format!("Date: Mon, 03 Feb 2031 09:00:00 +0000\r\n{raw}")
}

/// Ada's gateway.
struct Desk {
    gateway: Arc<Gateway>,
    _folder: tempfile::TempDir,
}

impl Desk {
    async fn open(policy: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("password"), "secret\n").expect("a password");
        let text = format!(
            "[database]\nurl = \"sqlite://{}/imipd.db\"\n[policy]\nverify_dkim = true\n{policy}\n\
             [[user]]\naddresses = [\"a@example.com\"]\npassword_file = \"password\"\n",
            folder.path().display()
        );
        let config = Config::parse(&text, folder.path()).unwrap_or_else(|faults| panic!("{faults}"));
        let gateway = Gateway::open(config).await.expect("a database");
        let desk = Self { gateway, _folder: folder };
        let plan = meeting("plan-1", "a@example.com", &[BO, "bo@team.corp.example"]);
        let object = CalendarObject::parse(&plan).expect("an object");
        desk.gateway.change(&desk.gateway.config.users[0], Change::Put(Box::new(object))).await.expect("stored");
        desk
    }

    async fn receive(&self, raw: &str, extent: Extent) -> DecisionRecord {
        let user = &self.gateway.config.users[0];
        let place = Place { user, folder: "INBOX", role: FolderRole::Inbox, cursor: None };
        let attempt = Attempt { extent, ..Attempt::first(MailNumber::default()) };
        let taken = self.gateway.receive_attempt(place, attempt, raw.as_bytes()).await.expect("decided");
        taken.records().remove(0)
    }

    /// The proof and the verdict that are recorded of a mail.
    async fn proof(&self, raw: &str) -> String {
        let record = self.receive(raw, Extent::Whole).await;
        format!("{} {}", record.proof, record.verdict)
    }
}

fn dns(port: u16) -> String {
    format!("dns_servers = [\"127.0.0.1:{port}\"]")
}

/// The DNS of a few domains.
struct World {
    corp: Domain,
    other: Domain,
    keyless: Domain,
    rsa: Option<RsaDomain>,
    port: u16,
    _server: Beside,
}

/// Nothing when no DNS server is installed here.
fn world() -> Option<World> {
    let (corp, other, keyless) =
        (Domain::new("corp.example"), Domain::new("other.example"), Domain::new("keyless.example"));
    let rsa = RsaDomain::new("rsa.example");
    let mut records = vec![(corp.record_name(), corp.record()), (other.record_name(), other.record())];
    records.push(("trial._domainkey.corp.example".to_owned(), format!("{}; t=y", corp.record())));
    records.push(("revoked._domainkey.corp.example".to_owned(), "v=DKIM1; k=ed25519; p=".to_owned()));
    records.extend(rsa.as_ref().map(|rsa| (rsa.record_name(), rsa.record())));
    let (server, port) = or_skip(name_server(&records))?;
    Some(World { corp, other, keyless, rsa, port, _server: server })
}

#[tokio::test]
async fn a_signature_of_the_domain_in_from_proves_an_answer() {
    let Some(world) = world() else { return };
    let desk = Desk::open(&dns(world.port)).await;
    let proven = "authenticated-by-signature applied";
    assert_eq!(desk.proof(&world.corp.sign(&answer(BO, "<1@corp.example>"))).await, proven);
    let object = desk.gateway.objects(&desk.gateway.config.users[0]).await.expect("a calendar").remove(0);
    assert_eq!(partstat(&object.content, BO).as_deref(), Some("ACCEPTED"));
    let below = "bo@team.corp.example";
    assert_eq!(
        desk.proof(&world.corp.sign(&answer(below, "<2@corp.example>"))).await,
        proven,
        "who has the domain has what lies below"
    );
    // What comes on top on the way changes nothing.
    let raw =
        format!("Received: from mx.example.com\r\nX-Seen: yes\r\n{}", world.corp.sign(&answer(BO, "<3@corp.example>")));
    assert!(desk.proof(&raw).await.starts_with("authenticated-by-signature"));
    let twice = world.other.sign(&world.corp.sign(&answer(BO, "<4@corp.example>")));
    assert!(desk.proof(&twice).await.starts_with("authenticated-by-signature"), "a signature of another does no harm");
}

#[tokio::test]
async fn an_rsa_signature_holds_as_well() {
    let Some(world) = world() else { return };
    let Some(rsa) = &world.rsa else { return live::skipped("openssl, which makes RSA keys, is not installed") };
    let verifier = Verifier::new(&[([127, 0, 0, 1], world.port).into()]);
    let raw = rsa.sign(&answer("bo@rsa.example", "<1@rsa.example>"));
    assert_eq!(verifier.verify(raw.as_bytes(), "rsa.example").await, Signature::Holds("rsa.example".to_owned()));
    let saved = raw.replace("\r\n", "\n");
    assert_eq!(verifier.verify(saved.as_bytes(), "rsa.example").await, Signature::Holds("rsa.example".to_owned()));
    let changed = raw.replace("ACCEPTED", "DECLINED");
    assert_eq!(verifier.verify(changed.as_bytes(), "rsa.example").await, Signature::Lacking(Lack::BodyChanged));
}

#[tokio::test]
async fn what_is_not_signed_as_it_stands_proves_nothing() {
    let Some(world) = world() else { return };
    let desk = Desk::open(&dns(world.port)).await;
    let corp = &world.corp;
    let honest = |number: u32| answer(BO, &format!("<{number}@corp.example>"));
    let signed = |number| corp.sign(&honest(number));
    let appended = format!("{}\r\nBEGIN:VCALENDAR\r\n", corp.sign_with(&honest(11), |signer| signer.body_length(true)));
    let expired = corp.sign_with(&honest(12), |signer| signer.expiration(1));
    let trial = corp.sign_as("trial", &honest(13));
    let revoked = corp.sign_as("revoked", &honest(14));
    let unknown = corp.sign_as("unknown", &honest(15));
    let without_from = corp.sign_fields(&["Subject", "To", "Content-Type"], &honest(16));
    let many = vec!["X-Other"; SIGNED_FIELDS_MAX];
    let too_many = corp.sign_fields(&[&["From"], many.as_slice()].concat(), &honest(17));
    let keyless = answer("bo@keyless.example", "<18@keyless.example>");
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    for (raw, lack) in [
        (honest(1), "missing"),
        (signed(2).replace("ACCEPTED", "DECLINED"), "body-changed"),
        (format!("{}BEGIN:VCALENDAR\r\n", signed(3)), "body-changed"),
        (signed(4).replace("Subject: REPLY", "Subject: REQUEST"), "broken"),
        (signed(5).replace("Message-ID: <5@", "Message-ID: <6@"), "broken"),
        (world.other.sign(&honest(7)), "of-another"),
        (signed(8).replace("d=corp.example", "d=other.example"), "of-another"),
        (format!("Content-Type: text/plain\r\n{}", signed(9)), "doubled"),
        (signed(10).replace("a=ed25519-sha256", "a=rsa-sha1"), "weak"),
        (appended, "partial"),
        (expired, "expired"),
        (trial, "testing"),
        (revoked, "no-key"),
        (unknown, "no-key"),
        (without_from, "weak"),
        (too_many, "weak"),
        (world.keyless.sign(&keyless), "no-key"),
        (signed(19).replace("bh=", "bh=!"), "unreadable"),
    ] {
        let proof = desk.proof(&raw).await;
        let expected = format!("unproven-signature-{lack} ");
        assert!(proof.starts_with(&expected) && !proof.ends_with("applied"), "{proof}, not {expected}: {raw}");
    }
    let user = &desk.gateway.config.users[0];
    let stored = desk.gateway.objects(user).await.expect("a calendar");
    assert_eq!(partstat(&stored[0].content, BO).as_deref(), Some("NEEDS-ACTION"));
    assert_eq!(stored.len(), 1);
}

#[tokio::test]
async fn only_the_topmost_signatures_are_looked_at() {
    let Some(world) = world() else { return };
    let verifier = Verifier::new(&[([127, 0, 0, 1], world.port).into()]);
    let good = world.corp.sign(&answer(BO, "<1@corp.example>"));
    let (signature, _) = good.split_once("Date:").expect("the header");
    let bad = signature.replace("bh=", "bh=AAAA");
    for (count, expected) in [
        (SIGNATURES_MAX - 1, Signature::Holds("corp.example".to_owned())),
        (SIGNATURES_MAX, Signature::Lacking(Lack::BodyChanged)),
        (2_000, Signature::Lacking(Lack::BodyChanged)),
    ] {
        let raw = format!("{}{good}", bad.repeat(count));
        assert_eq!(verifier.verify(raw.as_bytes(), "corp.example").await, expected, "{count}");
    }
}

#[tokio::test]
async fn what_the_mail_server_found_comes_first() {
    let Some(world) = world() else { return };
    let desk = Desk::open(&format!("authserv_id = \"mx.example.com\"\n{}", dns(world.port))).await;
    let with = |found: &str, raw: &str| format!("Authentication-Results: mx.example.com; {found}\r\n{raw}");
    let (unsigned, signed) = (answer(BO, "<1@corp.example>"), world.corp.sign(&answer(BO, "<2@corp.example>")));
    let failed = with("dmarc=fail header.from=corp.example", &signed);
    assert_eq!(desk.proof(&failed).await, "contradicted refused", "a failure outweighs a signature");
    let passed = with("dmarc=pass header.from=corp.example", &unsigned);
    assert_eq!(desk.proof(&passed).await, "authenticated-by-dmarc applied");
    let silent = with("dmarc=none header.from=corp.example", &world.corp.sign(&answer(BO, "<3@corp.example>")));
    assert!(desk.proof(&silent).await.starts_with("authenticated-by-signature"));
}

#[tokio::test]
async fn a_dns_that_is_silent_holds_nothing_up_and_loses_nothing() {
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let desk = Desk::open(&dns(silent.local_addr().expect("an address").port())).await;
    let corp = Domain::new("corp.example");
    let record = desk.receive(&corp.sign(&answer(BO, "<1@corp.example>")), Extent::Whole).await;
    assert_eq!((record.proof.as_str(), record.verdict.as_str()), ("unproven-signature-no-answer", "proposed"));
    let waiting = desk.gateway.ledger.proposals("a@example.com").await.expect("a list");
    assert_eq!(waiting.len(), 1, "the user may still believe it");
}

#[tokio::test]
async fn an_abridged_mail_is_not_called_forged() {
    let Some(world) = world() else { return };
    let desk = Desk::open(&dns(world.port)).await;
    let record = desk.receive(&world.corp.sign(&answer(BO, "<1@corp.example>")), Extent::Abridged).await;
    assert_eq!((record.proof.as_str(), record.verdict.as_str()), ("unproven-signature-not-checked", "proposed"));
}

/// The same mail with a file of so many octets beside the calendar, signed.
fn with_attachment(corp: &Domain, message_id: &str, octets: usize) -> String {
    let plain = answer(BO, message_id);
    let (header, calendar) = plain.split_once("\r\n\r\n").expect("a body");
    let (header, kind) = header.split_once("MIME-Version: 1.0\r\n").expect("a field");
    let file = "QUJD\r\n".repeat(octets / 6);
    corp.sign(&format!(
        "{header}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\n{kind}\r\n\r\n{calendar}\r\n\
         --b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n{file}--b--\r\n"
    ))
}

#[test]
fn mails_with_attachments_are_fetched_whole_and_checked() {
    let Some(world) = world() else { return };
    let more = format!("[policy]\nverify_dkim = true\n{}", dns(world.port));
    let plan = Plan { users: &["a"], watched: &["a"], mta: Mta::Relay, more: &more, ..Plan::default() };
    let Some(site) = Site::open(&plan) else { return };
    site.put("a", &meeting("plan-1", "a@example.com", &[BO]));
    for (id, octets, expected) in [
        ("<small@corp.example>", 1_000, "authenticated-by-signature"),
        ("<large@corp.example>", 1_000_000, "authenticated-by-signature"),
        ("<huge@corp.example>", 4_000_000, "unproven-signature-not-checked"),
    ] {
        let raw = with_attachment(&world.corp, id, octets);
        site.lab.deliver("a", raw.as_bytes()).expect("delivered");
        let decision = site.decision("a", id);
        assert_eq!(decision["proof"], expected, "{id}: {decision}");
    }
    let said = site.done(&["check"]);
    assert!(said.contains("ok       DNS: keys of DKIM signatures can be asked for"), "{said}");
    // As it lies in the Maildir.
    let mails = site.inbox("a");
    let small =
        mails.iter().find(|mail| mail.header("Message-ID").is_some_and(|id| id.contains("small"))).expect("the mail");
    let explained = site.done(&["explain", "--user", "a@example.com", &small.path.display().to_string()]);
    assert!(
        explained.contains("authenticated by a DKIM signature of corp.example, which was checked here"),
        "{explained}"
    );
}
