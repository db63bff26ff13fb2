//! What the README says about the mail server, done with the real ones: Postfix with OpenDKIM and OpenDMARC, or with rspamd, with the
//! very lines that stand there, and imipd behind them.
//!
//! OpenDKIM has its keys from a file, a library from Debian (libresolv-wrapper) answers OpenDMARC's questions to the DNS, and rspamd
//! asks a DNS server.

mod live;
mod signing;

use imipd::dkim::Verifier;
use imipd::imip::Signature;
use imipd_lab::{Beside, MissingServer, Mta, Program, free_port, or_skip};
use live::{Plan, Site, mail, meeting, partstat, wait_for, with_method};
use signing::{Domain, RsaDomain, name_server};

const README: &str = include_str!("../README.md");
const WRAPPER: &str = "libresolv_wrapper.so";

/// An address that is nobody's (RFC 5737 §3).
const OUTSIDE: &str = "203.0.113.7";

const OPENDKIM: &str = "**Postfix with OpenDKIM and OpenDMARC.**";
const RSPAMD: &str = "**Postfix with rspamd.**";

/// The indented lines that follow where a chapter of the README names a file.
fn lines_for(chapter: &str, file: &str) -> String {
    let chapter = &README[README.find(chapter).unwrap_or_else(|| panic!("the README has no {chapter}"))..];
    let start = chapter.find(&format!("`{file}`")).unwrap_or_else(|| panic!("the README does not name {file}"));
    let lines = chapter[start..].lines().skip(1).skip_while(|line| line.is_empty());
    lines.take_while(|line| line.starts_with("    ")).map(|line| format!("{}\n", line.trim_start())).collect()
}

/// What corp.example says of its mail; long enough for [`character_string`].
const DMARC: &str = "v=DMARC1; p=reject; adkim=r; aspf=r; pct=100";

/// A text with its length before it (RFC 1035 §3.3), which the library that plays the DNS leaves out.
fn character_string(text: &str) -> String {
    let length = u8::try_from(text.len()).ok().map(char::from).filter(char::is_ascii_graphic);
    format!("{}{text}", length.expect("a length that is a character of a text file"))
}

/// OpenDKIM and OpenDMARC as the README has them, on these ports.
fn filters((dkim, dmarc): (u16, u16), domains: &[&Domain], own: Option<&RsaDomain>) -> anyhow::Result<Beside> {
    if !std::path::Path::new("/usr/lib").read_dir()?.flatten().any(|entry| entry.path().join(WRAPPER).exists()) {
        let remedy = "it is not installed; on Debian: apt-get install libresolv-wrapper".to_owned();
        return Err(MissingServer { server: "resolv_wrapper", remedy }.into());
    }
    let mut beside = Beside::prepare()?;
    let keys: String = domains.iter().map(|domain| format!("{} {}\n", domain.record_name(), domain.record())).collect();
    let keys = beside.write("keys", &keys)?;
    let common = |port| format!("Socket inet:{port}@127.0.0.1\nSyslog false\nBackground false\n");
    let mut text =
        format!("{}{}TestPublicKeys {}\n", lines_for(OPENDKIM, "/etc/opendkim.conf"), common(dkim), keys.display());
    if let Some(own) = own {
        let key = beside.write("own-key", &own.key)?;
        text += &format!("Domain {}\nSelector sel\nKeyFile {}\nRequireSafeKeys false\n", own.name, key.display());
    }
    let file = beside.write("opendkim.conf", &text)?;
    let program = Program { name: "opendkim", package: "opendkim", port: dkim };
    beside.run(program, |command| {
        command.arg("-f").arg("-x").arg(&file);
    })?;
    let records = beside.write("records", &format!("TXT _dmarc.corp.example {}\n", character_string(DMARC)))?;
    let text = format!("{}{}", lines_for(OPENDKIM, "/etc/opendmarc.conf"), common(dmarc));
    let file = beside.write("opendmarc.conf", &text)?;
    let program = Program { name: "opendmarc", package: "opendmarc libresolv-wrapper", port: dmarc };
    beside.run(program, |command| {
        command.env("LD_PRELOAD", WRAPPER).env("RESOLV_WRAPPER_HOSTS", &records);
        command.arg("-f").arg("-c").arg(&file);
    })?;
    Ok(beside)
}

/// Somebody's answer to Ada's meeting.
fn answer(who: &str, message_id: &str) -> String {
    let calendar = with_method(&meeting("plan-1", "a@example.com", &[who]), "REPLY");
    let calendar = calendar.replace("PARTSTAT=NEEDS-ACTION;RSVP=TRUE", "PARTSTAT=ACCEPTED");
    let raw = mail(who, "a@example.com", message_id, "REPLY", &calendar);
    format!("Date: Mon, 03 Feb 2031 09:00:00 +0000\r\n{raw}")
}

/// What became of a mail: the proof that was recorded, and what Ada's meeting says of its author.
fn outcome(site: &Site, who: &str, message_id: &str) -> (String, Option<String>) {
    let decision = site.decision("a", message_id);
    let proof = decision["proof"].as_str().unwrap_or_default().to_owned();
    (proof, partstat(&site.get("a", "plan-1").expect("the meeting"), who))
}

/// The Authentication-Results that a mail has in the mailbox.
fn results(site: &Site, message_id: &str) -> String {
    let mails = site.inbox("a");
    let mail = mails.iter().find(|mail| mail.header("Message-ID").is_some_and(|id| id.trim() == message_id));
    let text = String::from_utf8_lossy(&mail.expect("the mail").raw).into_owned();
    let (header, _) = text.replace("\r\n", "\n").split_once("\n\n").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let unfolded = header.replace("\n\t", " ").replace("\n ", " ");
    let is_result = |line: &&str| line.to_lowercase().starts_with("authentication-results");
    unfolded.lines().filter(is_result).collect::<Vec<_>>().join("\n")
}

/// Those who are invited to Ada's meeting.
const PEOPLE: [&str; 5] =
    ["bo@corp.example", "cy@corp.example", "di@plain.example", "eve@plain.example", "fay@example.com"];

/// Findings that come with a mail of Eve's from outside.
const FORGED: [&str; 8] = [
    "",
    "Authentication-Results: mx.example.com; dkim=pass header.d=plain.example",
    "Authentication-Results: mx.example.com; dmarc=pass header.from=plain.example",
    "Authentication-Results: mx.example.com; spf=pass smtp.mailfrom=eve@plain.example",
    "Authentication-Results: mx.example.com; auth=pass smtp.auth=eve@plain.example",
    "Authentication-results: MX.Example.COM 1; dmarc=pass header.from=plain.example",
    "AUTHENTICATION-RESULTS:\r\n mx.example.com;\r\n\tdmarc=pass header.from=plain.example",
    "Authentication-Results: (a comment) mx.example.com; dmarc=pass header.from=plain.example",
];

/// Ada's site behind a Postfix with these lines, with her meeting; nothing when a server is missing here.
fn site_behind(milters: &str) -> Option<Site> {
    let postfix = format!(
        "{milters}smtpd_authorized_xclient_hosts = 127.0.0.1\n\
         smtpd_recipient_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination\n"
    );
    let users = ["a", PEOPLE[0], PEOPLE[1], PEOPLE[2], PEOPLE[3], PEOPLE[4]];
    let plan = Plan {
        users: &users,
        watched: &["a"],
        mta: Mta::Postfix,
        postfix: &postfix,
        more: "[policy]\nauthserv_id = \"mx.example.com\"",
        ..Plan::default()
    };
    let site = Site::open(&plan)?;
    site.put("a", &meeting("plan-1", "a@example.com", &PEOPLE));
    Some(site)
}

/// Has a mail come from outside; the reply.
fn send(site: &Site, who: &str, raw: &str) -> String {
    let reply = site.lab.submit_from_outside(OUTSIDE, (who, "a"), raw.as_bytes());
    reply.unwrap_or_else(|error| panic!("{error:#}"))
}

/// A mail is let in, and its author is believed because of `proof`.
#[track_caller]
fn is_believed(site: &Site, who: &str, (domain, proof): (&Domain, &str)) {
    let id = format!("<{who}>");
    let reply = send(site, who, &domain.sign(&answer(who, &id)));
    assert!(reply.starts_with("250"), "{reply}");
    let (found, partstat) = outcome(site, who, &id);
    assert_eq!((found.as_str(), partstat.as_deref()), (proof, Some("ACCEPTED")), "{}", results(site, &id));
}

/// What Eve sends without a signature is let in; but nobody is believed, and no finding of hers arrives.
fn no_forged_finding_arrives(site: &Site) {
    let mails = || FORGED.into_iter().enumerate().map(|(at, forged)| (forged, format!("<eve-{at}@plain.example>")));
    for (forged, id) in mails() {
        let field = if forged.is_empty() { String::new() } else { format!("{forged}\r\n") };
        let reply = send(site, "eve@plain.example", &format!("{field}{}", answer("eve@plain.example", &id)));
        assert!(reply.starts_with("250"), "{reply}");
    }
    for (forged, id) in mails() {
        let (proof, partstat) = outcome(site, "eve@plain.example", &id);
        let seen = results(site, &id);
        assert!(proof.starts_with("unproven"), "{forged}: {proof}; {seen}");
        assert_eq!(partstat.as_deref(), Some("NEEDS-ACTION"), "{forged}: {seen}");
        let has_arrived = ["dkim=pass", "dmarc=pass", "spf=pass", "auth=pass"].iter().any(|pass| seen.contains(pass));
        assert!(!has_arrived, "{forged} arrives: {seen}");
    }
    let waiting = wait_for("the unproven answers wait", || {
        let waiting = site.done(&["invitations", "--user", "a@example.com"]);
        waiting.contains("eve@plain.example").then_some(waiting)
    });
    assert!(!waiting.contains("bo@corp.example"), "{waiting}");
}

#[test]
fn postfix_with_opendkim_and_opendmarc_as_the_readme_has_it() {
    let (corp, plain) = (Domain::new("corp.example"), Domain::new("plain.example"));
    let (dkim, dmarc) = (free_port().expect("a port"), free_port().expect("a port"));
    let own = RsaDomain::new("example.com");
    let Some(_filters) = or_skip(filters((dkim, dmarc), &[&corp, &plain], own.as_ref())) else { return };
    let milters = lines_for(OPENDKIM, "/etc/postfix/main.cf")
        .replace("local:opendkim/opendkim.sock", &format!("inet:127.0.0.1:{dkim}"))
        .replace("local:opendmarc/opendmarc.sock", &format!("inet:127.0.0.1:{dmarc}"));
    assert_eq!(milters.matches("inet:127.0.0.1").count(), 2, "{milters}");
    let Some(site) = site_behind(&milters) else { return };
    is_believed(&site, "bo@corp.example", (&corp, "authenticated-by-dmarc"));
    is_believed(&site, "di@plain.example", (&plain, "authenticated-by-dkim"));
    // A forger in the name of a domain with DMARC does not get in, whatever findings they bring.
    let forged = "Authentication-Results: mx.example.com; dmarc=pass header.from=corp.example\r\n";
    let reply = send(&site, "cy@corp.example", &format!("{forged}{}", answer("cy@corp.example", "<cy@corp.example>")));
    assert!(reply.starts_with("550"), "{reply}");
    no_forged_finding_arrives(&site);
    if let Some(own) = &own {
        what_opendkim_signs_holds_here(&site, own);
    }
}

/// rspamd with the README's lines and what they need; with all that Debian configures it takes 16 s to start.
const RSPAMD_CONF: &str = r#"
options {
  filters = "dkim";
  tempdir = "$DBDIR";
  url_tld = "${SHAREDIR}/effective_tld_names.dat";
  .include "$DBDIR/options.inc"
}
logging { type = "console"; level = "notice"; }
modules { path = "$PLUGINSDIR/"; }
spf {}
dkim {}
dmarc {}
milter_headers { .include "$DBDIR/milter_headers.conf" }
worker "rspamd_proxy" { milter = yes; upstream "local" { self_scan = yes; } .include "$DBDIR/worker-proxy.inc" }
"#;

/// rspamd, and a DNS server that has these records.
fn rspamd(port: u16, records: &[(String, String)]) -> anyhow::Result<(Beside, Beside)> {
    let (dns, dns_port) = name_server(records)?;
    let mut beside = Beside::prepare()?;
    let file = beside.write("rspamd.conf", RSPAMD_CONF)?;
    beside.write("options.inc", &format!("dns {{ nameserver = [\"127.0.0.1:{dns_port}\"]; }}\n"))?;
    beside.write("milter_headers.conf", &lines_for(RSPAMD, "/etc/rspamd/local.d/milter_headers.conf"))?;
    beside.write("worker-proxy.inc", &format!("bind_socket = \"127.0.0.1:{port}\";\n"))?;
    let folder = beside.path().to_owned();
    beside.run(Program { name: "rspamd", package: "rspamd", port }, |command| {
        // Root has to say that it means to stay root.
        command.args(["--no-fork", "--insecure"]).arg(format!("--config={}", file.display()));
        for variable in ["DBDIR", "RUNDIR", "LOGDIR"] {
            command.arg(format!("--var={variable}={}", folder.display()));
        }
    })?;
    Ok((beside, dns))
}

#[test]
fn postfix_with_rspamd_as_the_readme_has_it() {
    let (corp, plain) = (Domain::new("corp.example"), Domain::new("plain.example"));
    let records = [
        (corp.record_name(), corp.record()),
        (plain.record_name(), plain.record()),
        ("_dmarc.corp.example".to_owned(), "v=DMARC1; p=reject".to_owned()),
    ];
    let port = free_port().expect("a port");
    let Some((beside, _dns)) = or_skip(rspamd(port, &records)) else { return };
    let milters = lines_for(RSPAMD, "/etc/postfix/main.cf").replace("localhost:11332", &format!("127.0.0.1:{port}"));
    assert!(milters.contains("inet:127.0.0.1"), "{milters}");
    let Some(site) = site_behind(&milters) else { return };
    is_believed(&site, "bo@corp.example", (&corp, "authenticated-by-dmarc"));
    is_believed(&site, "di@plain.example", (&plain, "authenticated-by-dkim"));
    let forged = "Authentication-Results: mx.example.com; dmarc=pass header.from=corp.example\r\n";
    let id = "<cy@corp.example>";
    let reply = send(&site, "cy@corp.example", &format!("{forged}{}", answer("cy@corp.example", id)));
    assert!(reply.starts_with("250"), "{reply}; {}", beside.output("rspamd"));
    assert_eq!(outcome(&site, "cy@corp.example", id).0, "contradicted", "{}", results(&site, id));
    no_forged_finding_arrives(&site);
    let (who, id) = ("fay@example.com", "<fay@example.com>");
    let reply = site.lab.submit_logged_in(who, (who, "a"), answer(who, id).as_bytes()).expect("an answer");
    assert!(reply.starts_with("250"), "{reply}");
    assert_eq!(outcome(&site, who, id).0, "authenticated-by-login", "{}", results(&site, id));
}

/// Ada's invitation, which OpenDKIM signed on its way to Bo, would be proven at a site of Bo's that checks signatures by itself.
fn what_opendkim_signs_holds_here(site: &Site, own: &RsaDomain) {
    let Some((_dns, port)) = or_skip(name_server(&[(own.record_name(), own.record())])) else { return };
    let mails = site.lab.mails("bo@corp.example", "INBOX").expect("Bo's mail");
    let raw = &mails.first().expect("the invitation").raw;
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let verdict = runtime.block_on(async {
        let verifier = Verifier::new(&[([127, 0, 0, 1], port).into()]);
        verifier.verify(raw, own.name).await
    });
    assert_eq!(verdict, Signature::Holds(own.name.to_owned()), "{}", String::from_utf8_lossy(raw));
}
