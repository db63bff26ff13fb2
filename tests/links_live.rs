//! Links that write a mail, through Postfix and Dovecot: from the invitation to the stored calendar, and what cannot be taken.

#[allow(dead_code, reason = "only their calendars are needed here")]
mod answering {
    pub mod clients;
}
mod live;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use answering::clients::{CLIENTS, Client, Invitation};
use imipd_lab::{DeliveredMail, Mta};
use live::{Plan, Site, meeting, partstat, wait_for, wait_until};
use mail_parser::MessageParser;

const A: &str = "a@example.com";
const B: &str = "b@example.com";
const C: &str = "c@example.com";

/// A's mailbox is watched; the others have mail and nothing else.
fn site() -> Option<Site> {
    let more = "[imip]\nrsvp = \"mailto\"";
    Site::open(&Plan { mta: Mta::Postfix, watched: &["a"], more, ..Plan::default() })
}

/// The three links in the HTML of a mail, as a mail program offers them: yes, no, maybe.
fn links(mail: &DeliveredMail) -> Vec<String> {
    let parsed = MessageParser::default().parse(&mail.raw).expect("a mail");
    let html = parsed.body_html(0).expect("HTML").replace("&amp;", "&");
    let links: Vec<String> =
        html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect();
    assert_eq!(links.len(), 3, "{html}");
    links
}

/// Somebody follows a link, and their mail program sends what it was told to.
fn follow(site: &Site, link: &str, (from, message_id): (&str, &str), body: &str) {
    let url = url::Url::parse(link).expect("a URL");
    let subject = url.query_pairs().find(|(name, _)| name == "subject").expect("a subject").1.into_owned();
    assert_eq!((url.scheme(), url.path()), ("mailto", A));
    let raw = format!("From: {from}\r\nTo: {A}\r\nSubject: {subject}\r\nMessage-ID: {message_id}\r\n\r\n{body}\r\n");
    site.lab.submit(from, A, raw.as_bytes()).expect("sent");
}

fn answer(site: &Site, uid: &str, attendee: &str) -> Option<String> {
    partstat(&site.get("a", uid)?, attendee)
}

fn newest(site: &Site, user: &str, count: usize) -> DeliveredMail {
    wait_for(&format!("{user} has {count} mails"), || site.inbox(user).into_iter().nth(count - 1))
}

#[test]
fn whoever_can_write_a_mail_can_answer() {
    let Some(site) = site() else { return };
    site.put("a", &meeting("choir", A, &[B, C]));
    let (to_b, to_c) = (links(&newest(&site, "b", 1)), links(&newest(&site, "c", 1)));
    assert_ne!(to_b, to_c);
    // They have been read, and scanned by whatever scans mail; nobody has answered.
    assert_eq!(answer(&site, "choir", B).as_deref(), Some("NEEDS-ACTION"));
    follow(&site, &to_b[0], (B, "<yes@b.example>"), "I bring a cake.");
    let decision = site.decision("a", "<yes@b.example>");
    assert_eq!(
        (&decision["verdict"], &decision["reason"], &decision["sender"]),
        (&"applied".into(), &"answered".into(), &B.into())
    );
    assert_eq!(answer(&site, "choir", B).as_deref(), Some("ACCEPTED"));
    follow(&site, &to_b[1], (B, "<no@b.example>"), "");
    site.decision("a", "<no@b.example>");
    follow(&site, &to_c[2], (C, "<maybe@c.example>"), "");
    site.decision("a", "<maybe@c.example>");
    assert_eq!(answer(&site, "choir", B).as_deref(), Some("DECLINED"));
    assert_eq!(answer(&site, "choir", C).as_deref(), Some("TENTATIVE"));
    site.wait_settled();
    assert_eq!((site.inbox("b").len(), site.inbox("c").len()), (1, 1), "no answer to an answer");
}

#[test]
fn an_answer_that_cannot_be_taken_gets_a_mail_that_says_why() {
    let Some(site) = site() else { return };
    site.put("a", &meeting("board", A, &[B]));
    let to_b = links(&newest(&site, "b", 1));
    // B has passed the invitation on.
    follow(&site, &to_b[0], (C, "<other@c.example>"), "");
    assert_eq!(site.decision("a", "<other@c.example>")["reason"], "answer-of-another");
    let told = newest(&site, "c", 1);
    assert_eq!(told.header("In-Reply-To").as_deref(), Some("<other@c.example>"));
    assert_eq!(told.header("Auto-Submitted").as_deref(), Some("auto-replied"));
    assert_eq!(answer(&site, "board", B).as_deref(), Some("NEEDS-ACTION"));

    let listed = site.json(&["links", "list", "--user", A]);
    assert_eq!(
        (&listed[0]["uid"], &listed[0]["attendee"], &listed[0]["state"]),
        (&"board".into(), &B.into(), &"open".into())
    );
    assert_eq!(site.done(&["links", "revoke", "--user", A, "board", "--attendee", B]).trim(), "1 revoked");
    assert!(site.fails(&["links", "revoke", "--user", A, "board"]).contains("nothing to revoke"));
    follow(&site, &to_b[0], (B, "<late@b.example>"), "");
    assert_eq!(site.decision("a", "<late@b.example>")["reason"], "link-revoked");
    assert!(newest(&site, "b", 2).header("Subject").is_some_and(|subject| subject.starts_with("Answer not taken")));

    site.put("a", &meeting("gone", A, &[B]));
    let gone = links(&newest(&site, "b", 3));
    site.delete("a", "gone");
    newest(&site, "b", 4);
    follow(&site, &gone[0], (B, "<gone@b.example>"), "");
    assert_eq!(site.decision("a", "<gone@b.example>")["reason"], "link-cancelled");
    newest(&site, "b", 5);
    // A token that somebody made up gets a line in the log and nothing else.
    let made_up = gone[0].replace(&gone[0][gone[0].len() - 25..], "AAAAAAAAAAAAAAAAAAAAAA%5D");
    follow(&site, &made_up, (C, "<made-up@c.example>"), "");
    assert_eq!(site.decision("a", "<made-up@c.example>")["reason"], "link-unknown");
    wait_until("all is said", || site.status()["idle"] == true);
    assert_eq!(site.inbox("c").len(), 1);
}

/// Somebody outside, whose mailbox only receives.
const OUTSIDE: &str = "uwe@partner.example.net";

/// A meeting of A's with somebody outside, as this client's calendar writes it; imipd sends the invitation.
fn shaped(client: Client) -> (String, String) {
    let uid = format!("{client:?}").to_lowercase();
    let invitation = Invitation { client, organizer: A.to_owned(), attendee: OUTSIDE.to_owned(), uid: uid.clone() };
    (uid, invitation.calendar().replace("METHOD:REQUEST\r\n", ""))
}

/// The invitation about this that the attendee has got.
fn invitation_to(site: &Site, uid: &str) -> DeliveredMail {
    let is_it = |mail: &DeliveredMail| {
        let email = imipd::imip::extract(&mail.raw);
        email
            .calendars
            .iter()
            .any(|part| part.text.contains("METHOD:REQUEST") && part.text.contains(&format!("UID:{uid}\r\n")))
    };
    wait_for(&format!("the invitation to {uid}"), || site.inbox(OUTSIDE).into_iter().find(is_it))
}

const PARTSTATS: [&str; 3] = ["ACCEPTED", "DECLINED", "TENTATIVE"];

#[test]
fn meetings_of_every_shape_are_answered_by_mail() {
    let more = "[imip]\nrsvp = \"mailto\"";
    let plan = Plan { users: &["a", OUTSIDE], watched: &["a"], mta: Mta::Postfix, more, ..Plan::default() };
    let Some(site) = Site::open(&plan) else { return };
    for (nth, client) in CLIENTS.into_iter().enumerate() {
        let (uid, calendar) = shaped(client);
        site.put("a", &calendar);
        let links = links(&invitation_to(&site, &uid));
        let id = format!("<{uid}@u.example>");
        follow(&site, &links[nth], (OUTSIDE, &id), "See you.");
        assert_eq!(site.decision("a", &id)["reason"], "answered", "{client:?}");
        assert_eq!(answer(&site, &uid, OUTSIDE).as_deref(), Some(PARTSTATS[nth]), "{client:?}");
        let is_it = |mail: &DeliveredMail| mail.header("Message-ID").is_some_and(|found| found.trim() == id);
        assert!(site.inbox("a").iter().any(is_it), "the answer lies in the organizer's mailbox");
    }
}

/// Sends a request to a web server; the whole answer.
fn ask(port: u16, request: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    let head = format!(
        "{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn meetings_of_every_shape_are_answered_on_the_page() {
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let more = format!("[web]\nlisten = \"127.0.0.1:{port}\"\npublic_url = \"http://127.0.0.1:{port}\"\n");
    let plan = Plan { users: &["a", OUTSIDE], watched: &["a"], mta: Mta::Postfix, more: &more, ..Plan::default() };
    let Some(site) = Site::open(&plan) else { return };
    for (nth, client) in CLIENTS.into_iter().enumerate() {
        let (uid, calendar) = shaped(client);
        site.put("a", &calendar);
        let links = links(&invitation_to(&site, &uid));
        let paths: Vec<&str> =
            links.iter().map(|link| link.strip_prefix(&format!("http://127.0.0.1:{port}")).expect("ours")).collect();
        // A scanner follows them all.
        for path in &paths {
            for verb in ["HEAD", "GET"] {
                assert!(ask(port, &format!("{verb} {path}"), "").starts_with("HTTP/1.1 200"), "{verb} {path}");
            }
        }
        assert_eq!(answer(&site, &uid, OUTSIDE).as_deref(), Some("NEEDS-ACTION"), "{client:?}");
        let form = format!("answer={}&comment=See+you.", ["yes", "no", "maybe"][nth]);
        assert!(ask(port, &format!("POST {}", paths[nth]), &form).starts_with("HTTP/1.1 303"), "{client:?}");
        assert_eq!(answer(&site, &uid, OUTSIDE).as_deref(), Some(PARTSTATS[nth]), "{client:?}");
        let reply = wait_for(&format!("the organizer has the answer to {uid}"), || {
            let mails = site.inbox("a").into_iter().map(|mail| imipd::imip::extract(&mail.raw));
            let texts = mails.filter_map(|email| email.calendars.first().map(|part| part.text.clone()));
            texts.into_iter().find(|text| text.contains("METHOD:REPLY") && text.contains(&format!("UID:{uid}\r\n")))
        });
        assert_eq!(partstat(&reply, OUTSIDE).as_deref(), Some(PARTSTATS[nth]), "{reply}");
        assert!(reply.contains("COMMENT:See you."), "{reply}");
    }
    assert!(!site.log().contains("/answer/"), "no path of a link is logged");
}
