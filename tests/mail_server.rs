//! What the README says about the mail server, done with the real ones: Postfix, OpenDKIM and OpenDMARC with the very lines that
//! stand there, and imipd behind them.
//!
//! OpenDKIM has its keys from a file, and a library from Debian (libresolv-wrapper) answers OpenDMARC's questions to the DNS.

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

/// The indented lines that follow a sentence of the README, which names a file.
fn lines_for(file: &str) -> String {
    let start = README.find(&format!("`{file}`")).unwrap_or_else(|| panic!("the README does not name {file}"));
    let lines = README[start..].lines().skip(1).skip_while(|line| line.is_empty());
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
    let mut text = format!("{}{}TestPublicKeys {}\n", lines_for("/etc/opendkim.conf"), common(dkim), keys.display());
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
    let text = format!("{}{}", lines_for("/etc/opendmarc.conf"), common(dmarc));
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
    unfolded.lines().filter(|line| line.starts_with("Authentication-Results")).collect::<Vec<_>>().join("\n")
}

#[test]
fn postfix_with_opendkim_and_opendmarc_as_the_readme_has_it() {
    let people = ["bo@corp.example", "cy@corp.example", "di@plain.example", "eve@plain.example"];
    let (corp, plain) = (Domain::new("corp.example"), Domain::new("plain.example"));
    let (dkim, dmarc) = (free_port().expect("a port"), free_port().expect("a port"));
    let own = RsaDomain::new("example.com");
    let Some(beside) = or_skip(filters((dkim, dmarc), &[&corp, &plain], own.as_ref())) else { return };
    let milters = lines_for("/etc/postfix/main.cf")
        .replace("local:opendkim/opendkim.sock", &format!("inet:127.0.0.1:{dkim}"))
        .replace("local:opendmarc/opendmarc.sock", &format!("inet:127.0.0.1:{dmarc}"));
    assert_eq!(milters.matches("inet:127.0.0.1").count(), 2, "{milters}");
    let postfix = format!(
        "{milters}smtpd_authorized_xclient_hosts = 127.0.0.1\n\
         smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination\n"
    );
    let users = ["a", people[0], people[1], people[2], people[3]];
    let plan = Plan {
        users: &users,
        watched: &["a"],
        mta: Mta::Postfix,
        postfix: &postfix,
        more: "[policy]\nauthserv_id = \"mx.example.com\"",
        ..Plan::default()
    };
    let Some(site) = Site::open(&plan) else { return };
    site.put("a", &meeting("plan-1", "a@example.com", &people));
    let send = |who: &str, raw: &str| {
        site.lab.submit_from_outside(OUTSIDE, (who, "a"), raw.as_bytes()).unwrap_or_else(|error| panic!("{error:#}"))
    };

    // The domain signs, and says by DMARC that it does.
    let reply = send("bo@corp.example", &corp.sign(&answer("bo@corp.example", "<bo@corp.example>")));
    assert!(reply.starts_with("250"), "{reply}; {}{}", beside.output("opendkim"), beside.output("opendmarc"));
    let (proof, partstat) = outcome(&site, "bo@corp.example", "<bo@corp.example>");
    let seen = results(&site, "<bo@corp.example>");
    assert_eq!((proof.as_str(), partstat.as_deref()), ("authenticated-by-dmarc", Some("ACCEPTED")), "{seen}");

    // A forger in its name does not get past the mail server, whatever findings they bring.
    let forged = "Authentication-Results: mx.example.com; dmarc=pass header.from=corp.example\r\n";
    let raw = format!("{forged}{}", answer("cy@corp.example", "<cy@corp.example>"));
    let reply = send("cy@corp.example", &raw);
    assert!(reply.starts_with("550"), "{reply}");

    // The domain signs, and says nothing by DMARC.
    let reply = send("di@plain.example", &plain.sign(&answer("di@plain.example", "<di@plain.example>")));
    assert!(reply.starts_with("250"), "{reply}");
    let (proof, partstat) = outcome(&site, "di@plain.example", "<di@plain.example>");
    let seen = results(&site, "<di@plain.example>");
    assert_eq!((proof.as_str(), partstat.as_deref()), ("authenticated-by-dkim", Some("ACCEPTED")), "{seen}");

    // In its name one may send without a signature; but nobody is believed, and no forged finding arrives.
    for (at, forged) in [
        "",
        "Authentication-Results: mx.example.com; dkim=pass header.d=plain.example",
        "Authentication-Results: mx.example.com; dmarc=pass header.from=plain.example",
        "Authentication-Results: mx.example.com; spf=pass smtp.mailfrom=eve@plain.example",
        "Authentication-Results: mx.example.com; auth=pass smtp.auth=eve@plain.example",
        "Authentication-results: MX.Example.COM 1; dmarc=pass header.from=plain.example",
        "AUTHENTICATION-RESULTS:\r\n mx.example.com;\r\n\tdmarc=pass header.from=plain.example",
        "Authentication-Results: (a comment) mx.example.com; dmarc=pass header.from=plain.example",
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("<eve-{at}@plain.example>");
        let field = if forged.is_empty() { String::new() } else { format!("{forged}\r\n") };
        let reply = send("eve@plain.example", &format!("{field}{}", answer("eve@plain.example", &id)));
        assert!(reply.starts_with("250"), "{reply}");
        let (proof, partstat) = outcome(&site, "eve@plain.example", &id);
        let seen = results(&site, &id);
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
    if let Some(own) = &own {
        what_opendkim_signs_holds_here(&site, own);
    }
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
