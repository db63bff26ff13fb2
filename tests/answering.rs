//! How users answer, with a real Dovecot and Postfix: from the arrival of an invitation as Gmail, Outlook and Apple build it to the
//! REPLY in the organizer's mailbox and both stored calendars.

mod answering {
    pub mod clients;
}
mod live;

use answering::clients::{CLIENTS, Client, Invitation};
use imipd_lab::{DeliveredMail, Mta};
use live::{Plan, Site, partstat, wait_for, wait_until};

const A: &str = "a@example.com";
const B: &str = "b@example.com";
/// Somebody outside, whose mailbox only receives.
const OUTSIDE: &str = "uwe@partner.example.net";

/// How a user answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// By buttons: the client sends the REPLY and keeps a copy.
    Buttons,
    Words,
    /// In a mail that is HTML alone.
    Html,
    Move,
    Copy,
    Keyword,
    /// By a reply to the notice.
    Notice,
    Command,
}

const WAYS: [Way; 8] =
    [Way::Buttons, Way::Words, Way::Html, Way::Move, Way::Copy, Way::Keyword, Way::Notice, Way::Command];

const ANSWERS: &str = "[answers]\nfolders = true\nnotice = true\n[answers.keywords]\naccept = \"$label2\"\ndecline = \"declined\"\n\
     tentative = \"$label4\"\n";

/// One invitation, and how it is answered.
#[derive(Clone, Debug)]
struct Case {
    invitation: Invitation,
    way: Way,
    partstat: &'static str,
}

impl Case {
    fn new((nth, way): (usize, Way), client: Client, organizer: &str) -> Self {
        let partstat = ["ACCEPTED", "DECLINED", "TENTATIVE"][nth % 3];
        let uid = format!("{way:?}-{client:?}-{}", organizer.split('@').next().unwrap_or_default()).to_lowercase();
        let (organizer, attendee) = (organizer.to_owned(), B.to_owned());
        Self { invitation: Invitation { client, organizer, attendee, uid }, way, partstat }
    }

    fn nth(&self) -> usize {
        ["ACCEPTED", "DECLINED", "TENTATIVE"].iter().position(|one| *one == self.partstat).expect("one of three")
    }

    fn uid(&self) -> &str {
        &self.invitation.uid
    }

    /// Sends the invitation; an organizer of ours has sent it from their own client.
    fn arrive(&self, site: &Site) {
        let (mail, organizer) = (self.invitation.mail(), &self.invitation.organizer);
        if organizer == A {
            site.lab.append("a", "Sent", mail.as_bytes()).expect("the organizer's copy");
        }
        site.lab.submit(organizer, B, mail.as_bytes()).expect("the invitation");
    }

    fn answer(&self, site: &Site) {
        let invitation = &self.invitation;
        let word = [["accept", "Nein!", "Vielleicht"], ["yes", "no", "maybe"]];
        match self.way {
            Way::Buttons => {
                let reply = invitation.reply(self.partstat);
                site.lab.submit(B, &invitation.organizer, reply.as_bytes()).expect("the client's answer");
                site.lab.append("b", "Sent", reply.as_bytes()).expect("its copy");
            }
            Way::Words => {
                let body =
                    format!("{}\r\n\r\nI bring cake.\r\n\r\n-- \r\nB\r\n\r\n> Planning\r\n> no", word[0][self.nth()]);
                self.send_words(site, &invitation.message_id(), "text/plain", &body);
            }
            Way::Html => {
                let body = format!(
                    "<html><body><div>{}</div><div class=\"gmail_quote\">On Monday Ada wrote:<blockquote>no</blockquote>\
                     </div></body></html>",
                    word[1][self.nth()]
                );
                self.send_words(site, &invitation.message_id(), "text/html", &body);
            }
            Way::Notice => {
                let notice = self.notice(site).header("Message-ID").expect("a Message-ID");
                self.send_words(site, &notice, "text/plain", &format!("{}\r\n\r\n> Planning", word[1][self.nth()]));
            }
            Way::Move | Way::Copy => {
                let folder = ["Accept", "Decline", "Tentative"][self.nth()];
                let verb = if self.way == Way::Move { "MOVE" } else { "COPY" };
                self.touch(site, &format!("UID {verb} $ Invitations.{folder}"));
            }
            Way::Keyword => {
                let keyword = ["$label2", "declined", "$label4"][self.nth()];
                self.touch(site, &format!("UID STORE $ +FLAGS ({keyword})"));
            }
            Way::Command => {
                site.respond("b", self.uid(), ["accept", "decline", "tentative"][self.nth()]);
            }
        }
    }

    /// A mail to the organizer, with the client's copy; what it goes to besides is of no matter.
    fn send_words(&self, site: &Site, to: &str, content_type: &str, body: &str) {
        let mail = self.invitation.words(to, content_type, body);
        site.lab.append("b", "Sent", mail.as_bytes()).expect("the copy in Sent");
    }

    /// Does something to the invitation in INBOX, as another client of the user.
    fn touch(&self, site: &Site, command: &str) {
        let search = format!("UID SEARCH RETURN (SAVE) HEADER Message-ID \"{}\"", self.invitation.message_id());
        site.lab.imap("b", &["SELECT INBOX", &search, command]).unwrap_or_else(|error| panic!("{self:?}: {error:#}"));
    }

    fn notice(&self, site: &Site) -> DeliveredMail {
        let is_it = |mail: &DeliveredMail| {
            let is_about = mail.header("In-Reply-To").is_some_and(|id| id.trim() == self.invitation.message_id());
            is_about && mail.header("Auto-Submitted").is_some_and(|value| value == "auto-generated")
        };
        wait_for(&format!("the notice about {}", self.uid()), || site.inbox("b").into_iter().find(is_it))
    }

    /// The answers in the organizer's INBOX.
    fn replies(&self, site: &Site) -> Vec<String> {
        let mails = site.inbox(&self.invitation.organizer).into_iter().map(|mail| imipd::imip::extract(&mail.raw));
        let texts = mails.filter_map(|email| email.calendars.first().map(|part| part.text.clone()));
        texts.filter(|text| text.contains("METHOD:REPLY") && text.contains(self.uid())).collect()
    }

    /// All that has to follow from the answer.
    fn check(&self, site: &Site) {
        let what = format!("{:?} of {:?} from {}", self.way, self.invitation.client, self.invitation.organizer);
        let reply = wait_for(&format!("{what}: the answer arrives"), || self.replies(site).pop());
        assert_eq!(partstat(&reply, B).as_deref(), Some(self.partstat), "{what}: {reply}");
        wait_until(&format!("{what}: the attendee's calendar follows"), || {
            site.get("b", self.uid()).is_some_and(|text| partstat(&text, B).as_deref() == Some(self.partstat))
        });
        if self.invitation.organizer == A {
            wait_until(&format!("{what}: the organizer's calendar follows"), || {
                site.get("a", self.uid()).is_some_and(|text| partstat(&text, B).as_deref() == Some(self.partstat))
            });
        }
        if self.way == Way::Words {
            assert!(reply.contains("COMMENT:I bring cake."), "{what}: {reply}");
        }
    }

    /// What has to hold when all is quiet.
    fn check_afterwards(&self, site: &Site) {
        let what = format!("{:?} of {:?} from {}", self.way, self.invitation.client, self.invitation.organizer);
        assert_eq!(self.replies(site).len(), 1, "{what}: one answer");
        let is_it = |mail: &DeliveredMail| {
            mail.header("Message-ID").is_some_and(|id| id.trim() == self.invitation.message_id())
        };
        assert_eq!(site.inbox("b").iter().filter(|mail| is_it(mail)).count(), 1, "{what}: one invitation in INBOX");
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (at, client) in CLIENTS.into_iter().enumerate() {
        // Another answer for each client, so that each way has given all three.
        let ours = WAYS.into_iter().enumerate().map(|(nth, way)| Case::new((nth + at, way), client, A));
        cases.extend(ours);
        let outside = [[Way::Words, Way::Notice], [Way::Move, Way::Buttons], [Way::Keyword, Way::Command]][at];
        cases.extend(outside.into_iter().enumerate().map(|(nth, way)| Case::new((nth + at + 1, way), client, OUTSIDE)));
    }
    cases
}

fn in_answer_folders(site: &Site, user: &str) -> usize {
    let folders = ["Invitations.Accept", "Invitations.Decline", "Invitations.Tentative"];
    folders.iter().map(|folder| site.lab.mails(user, folder).expect("a folder of answers").len()).sum()
}

#[test]
fn every_way_to_answer_works_for_the_invitations_of_every_client() {
    let users = ["a", "b", OUTSIDE];
    let plan = Plan { users: &users, watched: &["a", "b"], mta: Mta::Postfix, more: ANSWERS, ..Plan::default() };
    let Some(site) = Site::open(&plan) else { return };
    let cases = cases();
    cases.iter().for_each(|case| case.arrive(&site));
    for case in &cases {
        wait_until(&format!("{} has arrived", case.uid()), || site.get("b", case.uid()).is_some());
        if case.invitation.organizer == A {
            wait_until(&format!("{} is the organizer's", case.uid()), || site.get("a", case.uid()).is_some());
        }
        let notice = String::from_utf8(case.notice(&site).raw).expect("ASCII");
        assert!(notice.contains("Invitations/Accept") && notice.contains(case.uid()), "{notice}");
    }
    cases.iter().for_each(|case| case.answer(&site));
    cases.iter().for_each(|case| case.check(&site));
    wait_until("the folders of answers are empty", || in_answer_folders(&site, "b") == 0);
    // No mail is on its way: what has been sent lies in its folders, and what lies there has been read.
    wait_until("all is said", || site.status()["idle"] == true);
    cases.iter().for_each(|case| case.check_afterwards(&site));
    // All meetings are at the same time; the second to come collides with the first.
    let collides = |case: &&Case| String::from_utf8_lossy(&case.notice(&site).raw).contains("At the same time");
    assert!(cases.iter().filter(collides).count() >= cases.len() - 1, "collisions are told");
    let notices =
        site.inbox("b").into_iter().filter(|mail| mail.header("From").is_some_and(|from| from.contains("imipd")));
    assert_eq!(notices.count(), cases.len(), "one notice for each invitation, and none for a notice");
}

/// Invitations of Bo's organizer to Bo, one for each name.
fn invite(site: &Site, names: &[&str]) -> Vec<Case> {
    let case = |name: &&str| {
        let mut case = Case::new((0, Way::Move), Client::Outlook, A);
        case.invitation.uid = (*name).to_owned();
        case
    };
    let cases: Vec<Case> = names.iter().map(case).collect();
    cases.iter().for_each(|case| case.arrive(site));
    for case in &cases {
        wait_until(&format!("{} has arrived", case.uid()), || site.get("b", case.uid()).is_some());
        wait_until(&format!("{} is the organizer's", case.uid()), || site.get("a", case.uid()).is_some());
    }
    cases
}

#[test]
fn a_daemon_killed_at_any_time_answers_once_and_leaves_no_mail_behind() {
    let more = "[answers]\nfolders = true\n";
    let Some(mut site) = Site::open(&Plan { users: &["a", "b"], watched: &["a", "b"], more, ..Plan::default() }) else {
        return;
    };
    let names = ["kill-0", "kill-1", "kill-2", "kill-3", "kill-4", "kill-5", "down"];
    let cases = invite(&site, &names);
    site.kill();
    cases[6].touch(&site, "UID MOVE $ Invitations.Accept");
    site.start();
    for (case, nth) in cases[..6].iter().zip(0_u64..) {
        case.touch(&site, "UID MOVE $ Invitations.Accept");
        // From before the daemon hears of it until after the mail is moved back.
        std::thread::sleep(std::time::Duration::from_millis(nth * 25));
        site.kill();
        site.start();
    }
    cases.iter().for_each(|case| case.check(&site));
    wait_until("the folders of answers are empty", || in_answer_folders(&site, "b") == 0);
    wait_until("all is said", || site.status()["idle"] == true);
    cases.iter().for_each(|case| case.check_afterwards(&site));
}

/// How many keywords the daemon knows of.
fn known_tags(site: &Site) -> i64 {
    let url = format!("sqlite://{}", site.path("imipd.db").display());
    tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
        let pool = sqlx::SqlitePool::connect(&url).await.expect("the database");
        let known = sqlx::query_scalar("SELECT COUNT(*) FROM tag").fetch_one(&pool).await.expect("a count");
        pool.close().await;
        known
    })
}

/// What a small server can do: no MOVE, no NOTIFY, no numbers of changes.
const SMALL: &str = "imap_capability = IMAP4rev1 SASL-IR ID ENABLE IDLE LITERAL+ UIDPLUS UNSELECT CHILDREN NAMESPACE SPECIAL-USE ESEARCH SEARCHRES\n";

#[test]
fn without_move_a_mail_is_copied_once_and_removed_and_what_asks_nothing_stays() {
    let more = "[answers]\nfolders = true\nafter = \"archive\"\n[answers.keywords]\ndecline = \"$label1\"\n";
    let imap = "poll_interval = \"5s\"";
    let plan = Plan { users: &["a", "b"], watched: &["a", "b"], dovecot: SMALL, imap, more, ..Plan::default() };
    let Some(site) = Site::open(&plan) else { return };
    site.lab.imap("b", &["CREATE Archive"]).expect("an archive");
    let cases = invite(&site, &["moved", "copied", "tagged"]);
    let plain = format!("From: {A}\r\nTo: {B}\r\nMessage-ID: <plain@example.com>\r\nSubject: hello\r\n\r\nHello.\r\n");
    site.lab.append("b", "Invitations.Accept", plain.as_bytes()).expect("no invitation");
    let search =
        |case: &Case| format!("UID SEARCH RETURN (SAVE) HEADER Message-ID \"{}\"", case.invitation.message_id());
    let away = ["UID COPY $ Invitations.Accept", "UID STORE $ +FLAGS (\\Deleted)", "EXPUNGE"];
    site.lab.imap("b", &[&["SELECT INBOX", &search(&cases[0])], &away[..]].concat()).expect("moved");
    // Of this one a copy lies where it is moved to, as after dying on the way.
    cases[1].touch(&site, "UID COPY $ Archive");
    cases[1].touch(&site, "UID COPY $ Invitations.Accept");
    cases[2].touch(&site, "UID STORE $ +FLAGS ($label1)");
    cases[..2].iter().for_each(|case| case.check(&site));
    Case { partstat: "DECLINED", ..cases[2].clone() }.check(&site);
    wait_until("what asks nothing alone is left", || in_answer_folders(&site, "b") == 1);
    assert_eq!(site.decision("b", "<plain@example.com>")["reason"], "no-invitation");
    wait_until("all is said", || site.status()["idle"] == true);
    let archived = site.lab.mails("b", "Archive").expect("the archive");
    let mut ids: Vec<String> = archived.iter().filter_map(|mail| mail.header("Message-ID")).collect();
    ids.sort();
    assert_eq!(ids, ["<copied@mail.Outlook.example>", "<moved@mail.Outlook.example>"]);
    // Another keyword takes nothing back, and a keyword that goes says nothing.
    cases[2].touch(&site, "UID STORE $ -FLAGS ($label1)");
    site.respond("b", "tagged", "accept");
    wait_until("two answers", || cases[2].replies(&site).len() == 2);
    // Who takes it off and sets it again within the same second is not heard.
    wait_until("the daemon has seen that the keyword is gone", || known_tags(&site) == 0);
    cases[2].touch(&site, "UID STORE $ +FLAGS ($label1)");
    wait_until("a keyword set again is an answer again", || cases[2].replies(&site).len() == 3);
}
