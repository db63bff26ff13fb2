//! A gateway without servers: invitations with links, and what comes in by them.

use std::path::Path;
use std::sync::Arc;

use calcard::icalendar::ICalendarParticipationStatus as Partstat;
use imipd::config::{Config, User};
use imipd::gateway::{ANSWER_PATH, Answered, Change, Gateway, LinkAnswer, LinkState, Place};
use imipd::imip::{Purpose, Token, extract, tag_in};
use imipd::itip::announce::Answer;
use imipd::itip::{Address, CalUid, CalendarObject, InstanceKey};
use imipd::ledger::{DecisionFilter, DecisionRecord};
use imipd::mailbox::FolderRole;

const UID: &str = "choir-1@example.com";
const ADA: &str = "ada@example.com";
const BO: &str = "bo@example.org";
const CY: &str = "cy@example.org";

const WEB: &str = "[web]\nlisten = \"127.0.0.1:1\"\npublic_url = \"https://calendar.example.com\"\n";
const MAILTO: &str = "[imip]\nrsvp = \"mailto\"\n";

struct Site {
    gateway: Arc<Gateway>,
    _folder: imipd_lab::Folder,
}

impl Site {
    async fn open(more: &str) -> Self {
        let folder = imipd_lab::folder();
        let gateway = open(folder.path(), more).await;
        Self { gateway, _folder: folder }
    }

    fn ada(&self) -> &User {
        &self.gateway.config.users[0]
    }

    /// Ada stores this.
    async fn put(&self, text: &str) {
        let object = CalendarObject::parse(text).expect("an object");
        self.gateway.change(self.ada(), Change::Put(Box::new(object))).await.expect("stored");
    }

    async fn stored(&self) -> String {
        let stored = self.gateway.object(self.ada(), &CalUid(UID.to_owned())).await.expect("read");
        stored.map(|stored| stored.content.replace("\r\n ", "")).unwrap_or_default()
    }

    /// The stored answers of an attendee, one for each component, sorted.
    async fn answers_of(&self, attendee: &str) -> Vec<String> {
        let text = self.stored().await;
        let lines = text.lines().filter(|line| line.starts_with("ATTENDEE") && line.ends_with(attendee));
        let answer = |line: &str| {
            line.split("PARTSTAT=").nth(1).map_or("", |rest| rest.split([';', ':']).next().unwrap_or("")).to_owned()
        };
        let mut answers: Vec<String> = lines.map(answer).collect();
        answers.sort();
        answers
    }

    /// The mails in the outbox, oldest first: recipients, and the mail.
    async fn mails(&self) -> Vec<(Vec<String>, Vec<u8>)> {
        let mut mails = Vec::new();
        for entry in self.gateway.ledger.outbox(1_000).await.expect("an outbox") {
            let to = self.gateway.ledger.recipients(entry.id).await.expect("recipients");
            let raw = self.gateway.ledger.outbox_entry(entry.id).await.expect("an outbox").expect("a mail").debt.raw;
            mails.push((entry.id, to.into_iter().map(|to| to.address).collect(), raw));
        }
        mails.sort_by_key(|(id, ..)| *id);
        mails.into_iter().map(|(_, to, raw)| (to, raw)).collect()
    }

    /// The newest mail to somebody: its text.
    async fn text_to(&self, address: &str) -> String {
        let mails = self.mails().await;
        let mail = mails.iter().rfind(|(to, _)| to.iter().any(|to| to == address)).expect("a mail to them");
        text(&mail.1)
    }

    /// The token of the newest invitation to somebody.
    async fn token_to(&self, address: &str) -> Token {
        let text = self.text_to(address).await;
        let link = text.split_whitespace().find(|word| word.contains("//calendar") || word.starts_with("mailto:"));
        let link = link.expect("a link");
        let token = match link.split_once(ANSWER_PATH) {
            Some((_, rest)) => Token::parse(rest.split('?').next().unwrap_or_default()),
            None => tag_in(&subject(link)).and_then(|tag| tag.token),
        };
        token.expect("a token")
    }

    async fn say(&self, token: &Token, partstat: Partstat) -> Option<Answered> {
        self.say_about(token, partstat, None).await
    }

    async fn say_about(&self, token: &Token, partstat: Partstat, instance: Option<&str>) -> Option<Answered> {
        let instance = instance.and_then(InstanceKey::parse);
        let answer = Answer { partstat, instance, comment: Some("I bring a cake.".to_owned()) };
        let said = LinkAnswer { answer, folder: "web".to_owned() };
        self.gateway.answer_at_link(token, &said).await.expect("decided")
    }

    /// A mail comes in; verdict and reason of what was decided.
    async fn receive(&self, raw: &str) -> Vec<(String, String)> {
        self.receive_in(FolderRole::Inbox, raw).await
    }

    async fn receive_in(&self, role: FolderRole, raw: &str) -> Vec<(String, String)> {
        let place = Place { user: self.ada(), folder: "INBOX", role, cursor: None };
        let records = self.gateway.receive_mail(place, raw.as_bytes()).await.expect("decided");
        records.into_iter().map(|record| (record.verdict, record.reason)).collect()
    }

    /// The decisions, newest first.
    async fn decisions(&self) -> Vec<DecisionRecord> {
        let wanted = DecisionFilter { most: 10_000, ..DecisionFilter::default() };
        self.gateway.ledger.decisions(&wanted).await.expect("a log")
    }

    /// How many decisions stand in the log, and how many mails are owed.
    async fn traces(&self) -> (usize, usize) {
        (self.decisions().await.len(), self.mails().await.len())
    }

    async fn state(&self, token: &Token) -> LinkState {
        self.gateway.answer_link(token).await.expect("opened").expect("a link of ours").state
    }
}

async fn open(folder: &Path, more: &str) -> Arc<Gateway> {
    std::fs::write(folder.join("password"), "secret\n").expect("a password");
    let text = format!(
        "[database]\nurl = \"sqlite://{}/imipd.db\"\n{more}\n[[user]]\naddresses = [\"{ADA}\"]\nname = \"Ada\"\npassword_file = \"password\"\n",
        folder.display()
    );
    Gateway::open(Config::parse(&text, folder).expect("a configuration")).await.expect("a database")
}

/// A weekly rehearsal with these attendees.
fn rehearsal(attendees: &[&str]) -> String {
    let lines: String =
        attendees.iter().map(|one| format!("ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{one}\r\n")).collect();
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:{UID}\r\nSUMMARY:Probe & Kaffee\r\n\
         SEQUENCE:0\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20400601T080000Z\r\nDTEND:20400601T100000Z\r\n\
         RRULE:FREQ=WEEKLY;COUNT=5\r\nORGANIZER:mailto:{ADA}\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

/// The plain text of a mail.
fn text(raw: &[u8]) -> String {
    mail_parser::MessageParser::default().parse(raw).expect("a mail").body_text(0).expect("a text").into_owned()
}

/// The subject that a mail program takes out of a link.
fn subject(link: &str) -> String {
    let url = url::Url::parse(link).expect("a URL");
    url.query_pairs().find(|(name, _)| name == "subject").expect("a subject").1.into_owned()
}

/// The mail that a program writes for the link with this word in front.
fn by_link(text: &str, word: &str, (id, from): (&str, &str), body: &str) -> String {
    let line = text.lines().find(|line| line.starts_with(&format!("{word} "))).expect("a line with the word");
    let link = line.split_whitespace().nth(1).expect("a link");
    let url = url::Url::parse(link).expect("a URL");
    mail((id, from), url.path(), &subject(link), body)
}

fn mail((id, from): (&str, &str), to: &str, subject: &str, body: &str) -> String {
    format!("From: {from}\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{id}@client.example>\r\n\r\n{body}\r\n")
}

fn decided(verdict: &str, reason: &str) -> Vec<(String, String)> {
    vec![(verdict.to_owned(), reason.to_owned())]
}

#[tokio::test]
async fn without_links_a_mail_is_what_it_was() {
    let off = Site::open("[imip]\nrsvp = \"off\"\n").await;
    off.put(&rehearsal(&[BO, CY])).await;
    let mails = off.mails().await;
    assert_eq!(mails.len(), 1, "one mail for all");
    assert!(!text(&mails[0].1).contains("://") && !text(&mails[0].1).contains("mailto:"));
    assert_eq!(off.gateway.answer_links(off.ada(), 10).await.expect("listed"), []);
    // Nothing said is nothing wanted, as long as there is no page to lead to.
    let usual = Site::open("").await;
    usual.put(&rehearsal(&[BO, CY])).await;
    assert_eq!(text(&usual.mails().await[0].1), text(&mails[0].1));
}

#[tokio::test]
async fn each_attendee_gets_links_of_their_own() {
    let site = Site::open(WEB).await;
    site.put(&rehearsal(&[BO, CY])).await;
    let mails = site.mails().await;
    assert_eq!(mails.iter().map(|(to, _)| to.clone()).collect::<Vec<_>>(), [[BO], [CY]]);
    let (bo, cy) = (site.token_to(BO).await, site.token_to(CY).await);
    assert_ne!(bo, cy);
    let text = site.text_to(BO).await;
    for answer in ["yes", "no", "maybe"] {
        let link = format!("https://calendar.example.com/answer/{}?answer={answer}", bo.expose());
        assert!(text.contains(&link), "{link} in {text}");
    }
    let link = site.gateway.answer_link(&bo).await.expect("opened").expect("a link");
    assert_eq!((link.attendee.as_str(), link.state, link.instance), (BO, LinkState::Open, None));
    assert_eq!(link.organizer.key(), ADA);
    // The ledger does not have the tokens, only what they stand for.
    let kept = format!("{:?}", site.gateway.answer_links(site.ada(), 10).await.expect("listed"));
    assert!(kept.contains(&bo.digest()) && !kept.contains(&bo.expose()));
}

#[tokio::test]
async fn only_a_request_has_links_and_only_for_who_answers_by_them() {
    let more = format!("{WEB}[[user]]\naddresses = [\"{CY}\"]\npassword_file = \"password\"\n");
    let site = Site::open(&more).await;
    // The first user of the file is Cy here.
    let ada = site.gateway.user(&Address::in_mail(ADA)).expect("Ada");
    let object = CalendarObject::parse(&rehearsal(&[BO, CY])).expect("an object");
    site.gateway.change(&ada, Change::Put(Box::new(object))).await.expect("stored");
    assert!(site.text_to(BO).await.contains(ANSWER_PATH));
    assert!(!site.text_to(CY).await.contains(ANSWER_PATH), "a user here answers in their own mailbox");
    site.gateway.change(&ada, Change::Delete(CalUid(UID.to_owned()))).await.expect("deleted");
    assert!(extract(&site.mails().await.pop().expect("a mail").1).calendars[0].text.contains("METHOD:CANCEL"));
    assert!(!site.text_to(BO).await.contains(ANSWER_PATH), "a cancellation has nothing to answer");
}

#[tokio::test]
async fn very_many_share_one_mail_without_links() {
    let site = Site::open(WEB).await;
    let many: Vec<String> = (0..51).map(|n| format!("p{n}@example.org")).collect();
    site.put(&rehearsal(&many.iter().map(String::as_str).collect::<Vec<_>>())).await;
    let mails = site.mails().await;
    assert_eq!(mails.iter().map(|(to, _)| to.len()).collect::<Vec<_>>(), [51]);
    assert!(!text(&mails[0].1).contains(ANSWER_PATH));
    assert_eq!(site.gateway.answer_links(site.ada(), 100).await.expect("listed"), []);
    let site = Site::open(WEB).await;
    site.put(&rehearsal(&many.iter().take(50).map(String::as_str).collect::<Vec<_>>())).await;
    assert_eq!(site.mails().await.len(), 50);
}

#[tokio::test]
async fn the_same_invitation_written_again_is_the_same_mail() {
    let folder = imipd_lab::folder();
    let written = async |name: &str| {
        let below = folder.path().join(name);
        std::fs::create_dir(&below).expect("a folder");
        open(&below, MAILTO).await
    };
    let gateway = written("one").await;
    let object = CalendarObject::parse(&rehearsal(&[BO])).expect("an object");
    let ada = gateway.config.users[0].clone();
    gateway.change(&ada, Change::Put(Box::new(object))).await.expect("stored");
    let token =
        |raw: &[u8]| text(raw).split("imipd%3Ayes%3A").nth(1).expect("a tag").get(..22).expect("a token").to_owned();
    let first = gateway.ledger.outbox(10).await.expect("an outbox").remove(0);
    let first = gateway.ledger.outbox_entry(first.id).await.expect("read").expect("a mail").debt;
    // A change that matters to nobody's answer is another mail, with the same link.
    let again = rehearsal(&[BO]).replace("SUMMARY:Probe & Kaffee", "SUMMARY:Probe");
    let object = CalendarObject::parse(&again).expect("an object");
    gateway.change(&ada, Change::Put(Box::new(object))).await.expect("stored");
    let entries = gateway.ledger.outbox(10).await.expect("an outbox");
    assert_eq!(entries.len(), 2);
    for entry in entries {
        let debt = gateway.ledger.outbox_entry(entry.id).await.expect("read").expect("a mail").debt;
        assert_eq!(token(&debt.raw), token(&first.raw));
    }
    assert_eq!(gateway.answer_links(&ada, 10).await.expect("listed").len(), 1);
    // Another installation has another key.
    let other = written("two").await;
    let object = CalendarObject::parse(&rehearsal(&[BO])).expect("an object");
    other.change(&ada, Change::Put(Box::new(object))).await.expect("stored");
    let entry = other.ledger.outbox(10).await.expect("an outbox").remove(0);
    let debt = other.ledger.outbox_entry(entry.id).await.expect("read").expect("a mail").debt;
    assert_ne!(token(&debt.raw), token(&first.raw));
}

#[tokio::test]
async fn an_answer_at_a_link_is_taken_once() {
    let site = Site::open(WEB).await;
    site.put(&rehearsal(&[BO, CY])).await;
    let token = site.token_to(BO).await;
    let before = site.traces().await;
    assert_eq!(site.say(&token, Partstat::Accepted).await, Some(Answered::Taken));
    assert_eq!(
        (site.answers_of(BO).await, site.answers_of(CY).await),
        (vec!["ACCEPTED".into()], vec!["NEEDS-ACTION".into()])
    );
    let after = site.traces().await;
    assert_eq!(after.0, before.0 + 1, "the organizer's log tells");
    assert_eq!(site.say(&token, Partstat::Accepted).await, Some(Answered::AlreadySaid));
    assert_eq!(site.traces().await, after, "twice the same is once");
    assert_eq!(site.say(&token, Partstat::Declined).await, Some(Answered::Taken));
    assert_eq!(site.answers_of(BO).await, ["DECLINED"]);
    let log = site.decisions().await.remove(0);
    assert_eq!((log.sender.as_str(), log.method.as_str(), log.folder.as_str()), (BO, "REPLY", "web"));
    assert_eq!((log.proof.as_str(), log.reason.as_str()), ("authenticated-by-token", "answered"));
}

#[tokio::test]
async fn the_organizers_mailbox_knows_of_an_answer_on_a_page() {
    let site = Site::open(WEB).await;
    site.put(&rehearsal(&[BO])).await;
    let token = site.token_to(BO).await;
    site.say(&token, Partstat::Declined).await;
    let (to, raw) = site.mails().await.pop().expect("a mail");
    let told = extract(&raw);
    assert_eq!((to, told.sender.author().map(Address::as_str)), (vec![ADA.to_owned()], Some(ADA)));
    assert!(told.subject.is_some_and(|subject| subject.starts_with("Declined: Probe & Kaffee")));
    let said = text(&raw);
    assert!(said.contains("bo@example.org has declined") && said.contains("I bring a cake."), "{said}");
    assert!(
        told.calendars[0].text.contains("METHOD:REPLY") && told.calendars[0].text.contains("COMMENT:I bring a cake.")
    );
    // When it arrives, it is known for what it is.
    let before = site.stored().await;
    assert_eq!(site.receive(&String::from_utf8(raw).expect("ASCII")).await, decided("ignored", "own-message"));
    assert_eq!(site.stored().await, before);
    let mails = site.mails().await.len();
    site.say(&token, Partstat::Declined).await;
    assert_eq!(site.mails().await.len(), mails, "told once");
    for turn in 0..30 {
        let partstat = if turn % 2 == 0 { Partstat::Accepted } else { Partstat::Declined };
        assert_eq!(site.say(&token, partstat).await, Some(Answered::Taken));
    }
    assert_eq!(site.mails().await.len(), mails + 9, "and not without end");
}

#[tokio::test]
async fn of_two_answers_at_once_both_are_taken_and_one_stands() {
    let site = Site::open(WEB).await;
    site.put(&rehearsal(&[BO, CY])).await;
    let (bo, cy) = (site.token_to(BO).await, site.token_to(CY).await);
    let (yes, no, other) = tokio::join!(
        site.say(&bo, Partstat::Accepted),
        site.say(&bo, Partstat::Declined),
        site.say(&cy, Partstat::Tentative)
    );
    assert_eq!([yes, no, other], [Some(Answered::Taken), Some(Answered::Taken), Some(Answered::Taken)]);
    assert_eq!(site.answers_of(CY).await, ["TENTATIVE"], "nobody's answer is lost by another's");
    let stands = site.answers_of(BO).await;
    assert!(stands == ["ACCEPTED"] || stands == ["DECLINED"], "{stands:?}");
}

#[tokio::test]
async fn what_is_no_token_of_ours_opens_nothing() {
    let site = Site::open(WEB).await;
    site.put(&rehearsal(&[BO])).await;
    let token = site.token_to(BO).await;
    let (stored, traces) = (site.stored().await, site.traces().await);
    // A thousand guesses, some of them near.
    let text = token.expose();
    for n in 0..1_000_u32 {
        let guess = Token::mint(&n.to_be_bytes(), Purpose::Answer, &[ADA, UID, BO, "", "0"]);
        assert_eq!(site.say(&guess, Partstat::Declined).await, None);
    }
    for at in 0..text.len() {
        let mut near = text.clone().into_bytes();
        near[at] = if near[at] == b'A' { b'E' } else { b'A' };
        if let Some(near) = Token::parse(&String::from_utf8(near).expect("ASCII")) {
            assert_eq!(site.say(&near, Partstat::Declined).await, None);
        }
        assert_eq!(Token::parse(&text[..at]), None, "cut off");
    }
    // A token of another purpose, and one of which somebody changed what it stands for.
    let feed = site.gateway.create_feed(site.ada()).await.expect("a feed");
    assert_eq!(site.say(&feed, Partstat::Declined).await, None);
    assert!(site.gateway.feed(&token).await.expect("looked up").is_none());
    let mut link = site.gateway.ledger.link(&token.digest()).await.expect("read").expect("a link");
    link.digest = Token::mint(b"", Purpose::Answer, &["a"]).digest();
    let mut transaction = site.gateway.ledger.begin().await.expect("a transaction");
    transaction.add_link(&link).await.expect("entered");
    transaction.commit().await.expect("committed");
    assert_eq!(site.say(&Token::mint(b"", Purpose::Answer, &["a"]), Partstat::Declined).await, None);
    assert_eq!((site.stored().await, site.traces().await), (stored, traces));
}

#[tokio::test]
async fn to_look_at_a_link_changes_nothing() {
    let site = Site::open(WEB).await;
    site.put(&rehearsal(&[BO])).await;
    let token = site.token_to(BO).await;
    let (stored, traces) = (site.stored().await, site.traces().await);
    for _ in 0..20 {
        assert_eq!(site.state(&token).await, LinkState::Open);
    }
    assert_eq!((site.stored().await, site.traces().await), (stored, traces));
    assert_eq!(site.say(&token, Partstat::Accepted).await, Some(Answered::Taken));
}

#[tokio::test]
async fn a_link_closes_when_what_it_is_about_does() {
    let site = Site::open(WEB).await;
    site.put(&rehearsal(&[BO, CY])).await;
    let first = site.token_to(BO).await;
    // The time moves.
    let moved = rehearsal(&[BO, CY]).replace("T080000Z", "T090000Z").replace("T100000Z", "T110000Z");
    site.put(&moved).await;
    assert_eq!(site.say(&first, Partstat::Accepted).await, Some(Answered::Closed(LinkState::Superseded)));
    assert_eq!(site.answers_of(BO).await, ["NEEDS-ACTION"]);
    let second = site.token_to(BO).await;
    assert_ne!(first, second);
    assert_eq!(site.say(&second, Partstat::Accepted).await, Some(Answered::Taken));
    // Bo is invited no more.
    let stored = site.stored().await;
    let line = stored.lines().find(|line| line.ends_with(BO)).expect("Bo's line").to_owned();
    site.put(&stored.replace(&format!("{line}\r\n"), "")).await;
    assert_eq!(site.say(&second, Partstat::Declined).await, Some(Answered::Closed(LinkState::Uninvited)));
    // It is called off.
    let of_cy = site.token_to(CY).await;
    site.gateway.change(site.ada(), Change::Delete(CalUid(UID.to_owned()))).await.expect("deleted");
    assert_eq!(site.say(&of_cy, Partstat::Accepted).await, Some(Answered::Closed(LinkState::Cancelled)));
}

#[tokio::test]
async fn what_was_called_off_and_comes_back_asks_anew() {
    let site = Site::open(WEB).await;
    let series = rehearsal(&[BO]);
    site.put(&series).await;
    let first = site.token_to(BO).await;
    // One date moves again and again; its own SEQUENCE is far ahead of that of the series.
    let moved = |stored: &str, hour: u32| {
        let event = &stored[stored.find("BEGIN:VEVENT").expect("an event")..];
        let event = &event[..event.find("END:VEVENT").expect("an end")];
        let one = event
            .replace("RRULE:FREQ=WEEKLY;COUNT=5\r\n", "RECURRENCE-ID:20400608T080000Z\r\n")
            .replace("DTSTART:20400601T080000Z", &format!("DTSTART:20400608T{hour}0000Z"))
            .replace("DTEND:20400601T100000Z", "DTEND:20400608T200000Z")
            .replace("SEQUENCE:1", "SEQUENCE:30");
        stored.replace("END:VCALENDAR", &format!("{one}END:VEVENT\r\nEND:VCALENDAR"))
    };
    site.put(&moved(&site.stored().await, 11)).await;
    site.gateway.change(site.ada(), Change::Delete(CalUid(UID.to_owned()))).await.expect("deleted");
    assert_eq!(site.state(&first).await, LinkState::Cancelled);
    site.put(&series).await;
    let second = site.token_to(BO).await;
    assert_ne!(first, second);
    assert_eq!(site.state(&first).await, LinkState::Superseded, "it says what happened");
    assert_eq!(site.say(&first, Partstat::Accepted).await, Some(Answered::Closed(LinkState::Superseded)));
    assert_eq!(site.say(&second, Partstat::Accepted).await, Some(Answered::Taken));
    // The date that had moved in its former life takes place as the series says, and may be answered, and answered again.
    let once = Some("20400608T080000Z");
    for partstat in [Partstat::Declined, Partstat::Tentative, Partstat::Declined] {
        assert_eq!(site.say_about(&second, partstat, once).await, Some(Answered::Taken));
    }
    assert_eq!(site.answers_of(BO).await, ["ACCEPTED", "DECLINED"]);
}

#[tokio::test]
async fn what_is_over_for_long_is_answered_no_more() {
    let site = Site::open(WEB).await;
    let past = rehearsal(&[BO]).replace("RRULE:FREQ=WEEKLY;COUNT=5\r\n", "");
    site.put(&past).await;
    let token = site.token_to(BO).await;
    let link = site.gateway.ledger.link(&token.digest()).await.expect("read").expect("a link");
    // Two weeks after the end.
    assert_eq!(link.expires_at, 2_222_157_600_000 + 14 * 86_400_000);
    let text = format!("UPDATE link SET expires_at = {}", imipd::gateway::now_millis() - 1);
    let mut transaction = site.gateway.ledger.begin().await.expect("a transaction");
    sqlx::query(sqlx::AssertSqlSafe(text))
        .execute(transaction.connection().await.expect("a connection"))
        .await
        .expect("changed");
    transaction.commit().await.expect("committed");
    assert_eq!(site.say(&token, Partstat::Accepted).await, Some(Answered::Closed(LinkState::Expired)));
    assert_eq!(site.answers_of(BO).await, ["NEEDS-ACTION"]);
}

#[tokio::test]
async fn revoked_links_answer_no_more_and_stand_in_no_mail() {
    let site = Site::open(WEB).await;
    site.put(&rehearsal(&[BO, CY])).await;
    let (bo, cy) = (site.token_to(BO).await, site.token_to(CY).await);
    let uid = CalUid(UID.to_owned());
    let revoke = async |attendee: Option<&Address>| {
        site.gateway.revoke_answer_links(site.ada(), &uid, attendee).await.expect("revoked")
    };
    assert_eq!(revoke(Some(&Address::in_mail(BO))).await, 1);
    assert_eq!(site.say(&bo, Partstat::Accepted).await, Some(Answered::Closed(LinkState::Revoked)));
    assert_eq!(site.say(&cy, Partstat::Accepted).await, Some(Answered::Taken));
    let renamed = site.stored().await.replace("SUMMARY:Probe & Kaffee", "SUMMARY:Probe");
    site.put(&renamed).await;
    assert!(!site.text_to(BO).await.contains(ANSWER_PATH) && site.text_to(CY).await.contains(ANSWER_PATH));
    assert_eq!(revoke(None).await, 1);
    assert_eq!(revoke(None).await, 0);
    assert_eq!(site.say(&cy, Partstat::Declined).await, Some(Answered::Closed(LinkState::Revoked)));
}

#[tokio::test]
async fn a_link_of_a_series_answers_for_one_date_or_all() {
    let site = Site::open(WEB).await;
    site.put(&rehearsal(&[BO])).await;
    let token = site.token_to(BO).await;
    let once = Some("20400608T080000Z");
    assert_eq!(site.say_about(&token, Partstat::Declined, once).await, Some(Answered::Taken));
    assert_eq!(site.say(&token, Partstat::Accepted).await, Some(Answered::Taken));
    let answers = site.answers_of(BO).await;
    assert!(answers.contains(&"ACCEPTED".to_owned()), "{answers:?}");
    let never = Some("20400609T080000Z");
    assert!(matches!(site.say_about(&token, Partstat::Declined, never).await, Some(Answered::Refused(_))));
}

#[tokio::test]
async fn a_link_about_one_date_is_for_that_date_alone() {
    let site = Site::open(WEB).await;
    site.put(&rehearsal(&[CY])).await;
    // Bo comes once.
    let stored = site.stored().await;
    let event = &stored[stored.find("BEGIN:VEVENT").expect("an event")..stored.find("END:VCALENDAR").expect("an end")];
    let once = event
        .replace("RRULE:FREQ=WEEKLY;COUNT=5\r\n", "RECURRENCE-ID:20400608T080000Z\r\n")
        .replace("20400601", "20400608")
        .replace("END:VEVENT", &format!("ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:{BO}\r\nEND:VEVENT"));
    site.put(&stored.replace("END:VCALENDAR", &format!("{once}END:VCALENDAR"))).await;
    let token = site.token_to(BO).await;
    let link = site.gateway.answer_link(&token).await.expect("opened").expect("a link");
    assert_eq!(link.instance.map(|key| key.to_string()).as_deref(), Some("20400608T080000Z"));
    // Whatever date the form names.
    let other = Some("20400615T080000Z");
    assert_eq!(site.say_about(&token, Partstat::Accepted, other).await, Some(Answered::Taken));
    assert_eq!(site.answers_of(BO).await, ["ACCEPTED"]);
    assert_eq!(site.answers_of(CY).await, ["NEEDS-ACTION", "NEEDS-ACTION"]);
}

#[tokio::test]
async fn a_mail_by_a_link_is_the_answer() {
    let site = Site::open(MAILTO).await;
    site.put(&rehearsal(&[BO, CY])).await;
    let text = site.text_to(BO).await;
    let answer = by_link(&text, "Yes", ("1", BO), "I bring a cake.\r\n\r\n-- \r\nBo");
    assert!(answer.contains("To: ada@example.com\r\nSubject: Yes: Probe & Kaffee [imipd:yes:"), "{answer}");
    let mails = site.traces().await.1;
    assert_eq!(site.receive(&answer).await, decided("applied", "answered"));
    assert_eq!(
        (site.answers_of(BO).await, site.answers_of(CY).await),
        (vec!["ACCEPTED".into()], vec!["NEEDS-ACTION".into()])
    );
    // The same mail in another folder, and the same answer again.
    assert_eq!(site.receive_in(FolderRole::Other, &answer).await, decided("ignored", "seen-before"));
    assert_eq!(site.receive(&by_link(&text, "Yes", ("2", BO), "")).await, decided("unchanged", "nothing-new"));
    // With a new comment it is no other answer. Ada has the comment, in the mail that lies in her mailbox; there is none to tell.
    let remark = by_link(&text, "Yes", ("2b", BO), "And candles.");
    assert_eq!(site.receive(&remark).await, decided("unchanged", "nothing-new"));
    assert!(site.decisions().await[0].text.ends_with("What else the mail says stands in it."));
    assert_eq!(site.traces().await.1, mails);
    // Another mind, by a client that folds, encodes and prefixes.
    let no = by_link(&text, "No", ("3", BO), "");
    let no = no.replace("Subject: No: ", "Subject: AW: =?utf-8?Q?No=3A?= ").replace(" [imipd", "\r\n [imipd");
    assert_eq!(site.receive(&no).await, decided("applied", "answered"));
    assert_eq!(site.answers_of(BO).await, ["DECLINED"]);
    assert_eq!(site.traces().await.1, mails, "no answer to an answer");
}

#[tokio::test]
async fn a_mail_by_somebody_else_is_told_apart() {
    let site = Site::open(MAILTO).await;
    site.put(&rehearsal(&[BO])).await;
    let (text, before) = (site.text_to(BO).await, site.stored().await);
    let passed_on = by_link(&text, "Yes", ("1", CY), "");
    assert_eq!(site.receive(&passed_on).await, decided("ignored", "answer-of-another"));
    let told = site.text_to(CY).await;
    assert!(told.contains("Probe & Kaffee") && told.contains("another address"), "{told}");
    let mails = site.traces().await.1;
    assert_eq!(site.receive_in(FolderRole::Other, &passed_on).await, decided("ignored", "answer-of-another"));
    assert_eq!(site.traces().await.1, mails, "one mail for one answer, wherever it lies");
    for n in 0..20 {
        site.receive(&by_link(&text, "Yes", (&format!("more{n}"), CY), "")).await;
    }
    assert_eq!(site.traces().await.1, mails + 4, "and not more than a few a day");
    // Programs, lists, the user's own mail, a conversation that goes on below the subject.
    let quiet = |extra: &str, from: &str| {
        by_link(&text, "Yes", ("9", from), "").replacen("Subject", &format!("{extra}Subject"), 1)
    };
    for mail in [
        quiet("Auto-Submitted: auto-replied\r\n", BO),
        quiet("List-Id: <l.example.org>\r\n", BO),
        quiet("Return-Path: <>\r\n", BO),
        quiet("In-Reply-To: <elsewhere@example.org>\r\n", BO),
        quiet("", ADA),
    ] {
        assert_eq!(site.receive(&mail).await, [], "{mail}");
    }
    assert_eq!(site.receive_in(FolderRole::Sent, &quiet("", BO)).await, []);
    assert_eq!(site.stored().await, before);
}

#[tokio::test]
async fn a_mail_with_a_bad_token_is_left_alone() {
    let site = Site::open(MAILTO).await;
    site.put(&rehearsal(&[BO])).await;
    let token = site.token_to(BO).await.expose();
    let feed = site.gateway.create_feed(site.ada()).await.expect("a feed").expose();
    let (before, mails) = (site.stored().await, site.traces().await.1);
    let cut = token[..20].to_owned();
    let forged = Token::mint(b"", Purpose::Answer, &["a"]).expose();
    for (nth, bad) in [cut, forged, feed, String::new(), "A".repeat(5_000)].iter().enumerate() {
        let mail = mail((&format!("{nth}"), BO), ADA, &format!("Yes [imipd:yes:{bad}]"), "");
        assert_eq!(site.receive(&mail).await, decided("ignored", "link-unknown"));
    }
    assert_eq!((site.stored().await, site.traces().await.1), (before, mails), "nobody is written to");
}

#[tokio::test]
async fn a_mail_that_comes_too_late_is_answered() {
    let site = Site::open(MAILTO).await;
    site.put(&rehearsal(&[BO])).await;
    let text = site.text_to(BO).await;
    // Yes above, no below.
    let both = by_link(&text, "Yes", ("1", BO), "No\r\n");
    assert_eq!(site.receive(&both).await, decided("ignored", "answer-not-taken"));
    assert!(site.text_to(BO).await.contains("different answers"));
    site.put(&site.stored().await.replace("T080000Z", "T090000Z").replace("T100000Z", "T110000Z")).await;
    assert_eq!(site.receive(&by_link(&text, "Yes", ("2", BO), "")).await, decided("ignored", "link-superseded"));
    assert!(site.text_to(BO).await.contains("newest mail"));
    site.gateway.change(site.ada(), Change::Delete(CalUid(UID.to_owned()))).await.expect("deleted");
    assert_eq!(site.receive(&by_link(&text, "Yes", ("3", BO), "")).await, decided("ignored", "link-cancelled"));
    let (to, raw) = site.mails().await.pop().expect("a mail");
    let told = extract(&raw);
    assert_eq!((to, told.in_reply_to.as_deref()), (vec![BO.to_owned()], Some("<3@client.example>")));
    assert!(
        self::text(&raw).contains("cancelled")
            && String::from_utf8_lossy(&raw).contains("Auto-Submitted: auto-replied")
    );
    assert!(!String::from_utf8_lossy(&raw).contains("imipd:"), "the token goes no further");
}

#[tokio::test]
async fn an_unproven_sender_is_not_written_to() {
    let policy = "[policy]\ntrust = \"authenticated\"\nauthserv_id = \"mx.example.com\"\n";
    let site = Site::open(&format!("{MAILTO}{policy}")).await;
    site.put(&rehearsal(&[BO])).await;
    let (text, mails) = (site.text_to(BO).await, site.traces().await.1);
    // Somebody has the token and writes as a stranger who knows of nothing.
    assert_eq!(site.receive(&by_link(&text, "No", ("1", CY), "")).await, decided("ignored", "answer-of-another"));
    assert_eq!(site.traces().await.1, mails);
    // The mail server has found that it is not Bo.
    let forged = by_link(&text, "No", ("2", BO), "");
    let failed = "Authentication-Results: mx.example.com; dmarc=fail header.from=example.org\r\n";
    assert_eq!(site.receive(&format!("{failed}{forged}")).await, decided("refused", "sender-contradicted"));
    // Without any finding the token is the proof.
    assert_eq!(site.receive(&by_link(&text, "No", ("3", BO), "")).await, decided("applied", "answered"));
    assert_eq!(site.answers_of(BO).await, ["DECLINED"]);
}
