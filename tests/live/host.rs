//! A scenario host on real mail: every user a mailbox, every change through the command line.

use std::collections::{BTreeMap, BTreeSet};

use imipd::imip::extract;
use imipd::itip::scenario::{Answer, Command, Fidelity, Host, Outcome, Rendered, Script};
use imipd::itip::{Address, text};
use imipd_lab::Mta;
use serde_json::Value;

use super::site::array;
use super::{Plan, Site, wait_for};

/// A mail of the outbox: its number, its Message-ID and whom it goes to.
struct Owed {
    id: i64,
    message_id: String,
    recipients: Vec<String>,
}

/// A calendar that comes by mail from outside, as often as it is sent.
#[derive(Clone)]
struct Foreign {
    from: String,
    to: Vec<String>,
    calendar: String,
}

/// Mailboxes, a daemon and a command line.
pub struct LiveHost {
    site: Site,
    users: Vec<String>,
    /// The PRODID that the file expects of the engine.
    prodid: String,
    names: BTreeMap<String, String>,
    /// The mails that the last change brought about.
    last: Vec<Owed>,
    refusal: String,
    foreign: Option<Foreign>,
    /// The greatest number of the outbox that belongs to the past.
    seen: i64,
    sent_from_outside: usize,
    /// What became of the last `send`.
    delivered: Vec<(String, String)>,
}

impl LiveHost {
    /// A site for all users of a script. Nothing when a server is missing here.
    pub fn open(script: &Script, prodid: &str, mta: Mta) -> Option<Self> {
        let users: Vec<String> = users_of(script).into_iter().collect();
        let names: Vec<&str> = users.iter().map(String::as_str).collect();
        let site = Site::open(&Plan { users: &names, watched: &names, mta, ..Plan::default() })?;
        Some(Self {
            site,
            users,
            prodid: prodid.to_owned(),
            names: BTreeMap::new(),
            last: Vec::new(),
            refusal: "NothingToSend".to_owned(),
            foreign: None,
            seen: 0,
            sent_from_outside: 0,
            delivered: Vec::new(),
        })
    }

    pub fn site(&self) -> &Site {
        &self.site
    }

    fn uid<'a>(&'a self, name: &'a str) -> &'a str {
        self.names.get(name).map_or(name, String::as_str)
    }

    /// Keeps what `--json` reported of a change as the last result.
    fn changed(&mut self, report: &Value) -> Result<(), String> {
        self.foreign = None;
        self.refusal = report["refusal"].as_str().unwrap_or("NothingToSend").to_owned();
        self.last = self.owed_since(self.seen);
        self.seen = self.last.iter().map(|mail| mail.id).max().unwrap_or(self.seen);
        let promised = array(report["mails"].clone()).len();
        match self.last.len() == promised {
            true => Ok(()),
            false => Err(format!("{promised} mails are promised, {} are in the outbox: {report}", self.last.len())),
        }
    }

    /// What could not be stored at all owes nobody anything; the name of the refusal stands at the end of what was said.
    fn not_stored(&mut self, said: &str) -> Result<(), String> {
        let name = said.trim_end().strip_suffix(')').and_then(|said| said.rsplit_once('('));
        let (_, name) = name.ok_or_else(|| said.to_owned())?;
        (self.foreign, self.last, self.refusal) = (None, Vec::new(), name.to_owned());
        Ok(())
    }

    /// The mails that were entered after the one with the number `seen`, oldest first.
    fn owed_since(&self, seen: i64) -> Vec<Owed> {
        let mut mails: Vec<Owed> = self.site.outbox().iter().map(Owed::read).filter(|mail| mail.id > seen).collect();
        mails.sort_by_key(|mail| mail.id);
        mails
    }

    /// The mail as it lies in its recipients' INBOXes.
    fn arrived(&self, mail: &Owed) -> Result<Rendered, String> {
        let mut copies = Vec::new();
        for recipient in mail.recipients.iter().filter(|recipient| self.users.contains(recipient)) {
            let raw = wait_for(&format!("{} arrives at {recipient}", mail.message_id), || {
                let is_it = |id: Option<String>| id.is_some_and(|id| id.trim() == mail.message_id);
                self.site.inbox(recipient).into_iter().find(|one| is_it(one.header("Message-ID"))).map(|one| one.raw)
            });
            copies.push((recipient.clone(), self.read(&raw)?));
        }
        let mut to: Vec<String> = copies.iter().map(|(recipient, _)| recipient.clone()).collect();
        to.sort();
        let (_, (from, header_to, written)) = copies.first().ok_or("the mail arrived nowhere")?;
        if copies.iter().any(|(_, (_, _, other))| other != written) {
            return Err(format!("{} differs between its recipients", mail.message_id));
        }
        if *header_to != to {
            return Err(format!("To names {header_to:?}, and the mail came to {to:?}"));
        }
        let calendar = text::parse(written).map_err(|refusal| format!("the calendar that arrived: {refusal}"))?;
        Ok(Rendered { from: from.clone(), to, summary: None, calendar })
    }

    /// From, To and the calendar of a mail.
    fn read(&self, raw: &[u8]) -> Result<(String, Vec<String>, String), String> {
        let email = extract(raw);
        let from = email.sender.author().ok_or("the mail has no single author")?.to_string();
        let mut to: Vec<String> = email.to.iter().map(ToString::to_string).collect();
        to.sort();
        match email.calendars.as_slice() {
            [part] => Ok((from, to, self.in_the_files_name(&part.text))),
            parts => Err(format!("the mail holds {} calendars", parts.len())),
        }
    }

    /// A calendar that the engine wrote, with the product that the file names in place of ours.
    fn in_the_files_name(&self, calendar: &str) -> String {
        let line = |prodid: &str| format!("PRODID:{prodid}\r\n");
        calendar.replace(&line(imipd::PRODID), &line(&self.prodid))
    }

    /// Waits until a mail has been decided for one of our users, and gives what came back.
    fn answer(&mut self, message_id: &str, recipient: &str) -> Option<Answer> {
        let decision = self.site.decision(recipient, message_id);
        let reason = decision["reason"].as_str().unwrap_or_default().to_owned();
        self.delivered.push((recipient.to_owned(), reason.clone()));
        (decision["verdict"] == "refused").then(|| Answer::Refused(scenario_name(&reason)))
    }

    /// Submits the calendar that came from outside; the Message-ID it got.
    fn submit(&mut self, foreign: &Foreign) -> Result<String, String> {
        self.sent_from_outside += 1;
        let message_id = format!("<outside-{}@example.org>", self.sent_from_outside);
        let calendar = foreign.calendar.replace('\n', "\r\n");
        let method = calendar.lines().find_map(|line| line.strip_prefix("METHOD:")).unwrap_or("REQUEST").to_owned();
        for to in &foreign.to {
            let raw = super::mail(&foreign.from, to, &message_id, &method, &calendar);
            self.site.lab.submit(&foreign.from, to, raw.as_bytes()).map_err(|error| format!("{error:#}"))?;
        }
        Ok(message_id)
    }
}

impl Owed {
    fn read(mail: &Value) -> Self {
        let recipients = array(mail["recipients"].clone());
        Self {
            id: mail["id"].as_i64().expect("a number"),
            message_id: mail["message_id"].as_str().expect("a Message-ID").to_owned(),
            recipients: recipients.iter().map(|one| one["address"].as_str().expect("an address").to_owned()).collect(),
        }
    }
}

impl Host for LiveHost {
    fn fidelity(&self) -> Fidelity {
        Fidelity::Mailed
    }

    fn put(&mut self, user: &str, name: &str, calendar: &str) -> Result<(), String> {
        if let Some(uid) = calendar.lines().find_map(|line| line.strip_prefix("UID:")) {
            self.names.insert(name.to_owned(), uid.trim().to_owned());
        }
        match self.site.try_put(user, calendar) {
            Ok(report) => self.changed(&report),
            Err(said) => self.not_stored(&said),
        }
    }

    fn delete(&mut self, user: &str, name: &str) -> Result<(), String> {
        let report = self.site.delete(user, self.uid(name));
        self.changed(&report)
    }

    fn outcome(&mut self) -> Result<Outcome, String> {
        if self.last.is_empty() {
            return Ok(Outcome::Refused(self.refusal.clone()));
        }
        self.last.iter().map(|mail| self.arrived(mail)).collect::<Result<_, _>>().map(Outcome::Messages)
    }

    fn send(&mut self) -> Result<Vec<Answer>, String> {
        self.delivered.clear();
        let mut places = Vec::new();
        if let Some(foreign) = self.foreign.clone() {
            let message_id = self.submit(&foreign)?;
            places.extend(foreign.to.into_iter().map(|to| (message_id.clone(), to)));
        }
        for mail in &self.last {
            self.arrived(mail)?;
            let to_users = mail.recipients.iter().filter(|recipient| self.users.contains(recipient));
            places.extend(to_users.map(|to| (mail.message_id.clone(), to.clone())));
        }
        let mut answers: Vec<Answer> = places.iter().filter_map(|(id, to)| self.answer(id, to)).collect();
        self.site.wait_settled();
        // What the recipients' daemons wrote in answer has arrived as well by now.
        for mail in self.owed_since(self.seen) {
            self.seen = mail.id;
            answers.push(Answer::Message(Box::new(self.arrived(&mail)?)));
        }
        Ok(answers)
    }

    fn itip(&mut self, from: &str, to: &[String], calendar: &str) -> Result<(), String> {
        self.last.clear();
        let (from, to, calendar) = (from.to_owned(), to.to_vec(), calendar.to_owned());
        self.foreign = Some(Foreign { from, to, calendar });
        Ok(())
    }

    fn get(&mut self, user: &str, name: &str) -> Result<Option<String>, String> {
        let stored = self.site.get(user, self.uid(name));
        Ok(stored.map(|calendar| self.in_the_files_name(&calendar)))
    }

    fn reset(&mut self) -> Result<(), String> {
        self.site.forget();
        (self.last, self.seen) = (Vec::new(), 0);
        self.names.clear();
        Ok(())
    }

    fn advance_clock(&mut self, _seconds: i64) -> Result<(), String> {
        Err("the clock of real mail servers cannot be set".to_owned())
    }

    fn alias(&mut self, _user: &str, _others: &[String]) -> Result<(), String> {
        Err("a live site gives every user one address".to_owned())
    }

    fn reasons(&mut self) -> Result<Vec<(String, String)>, String> {
        Ok(self.delivered.clone())
    }
}

/// Everybody who is named as a user, a recipient, an organizer or an attendee, and can have a mailbox in a lab.
fn users_of(script: &Script) -> BTreeSet<String> {
    let mut users = BTreeSet::new();
    for step in &script.steps {
        match &step.command {
            Command::Put { user, .. } | Command::Delete { user, .. } | Command::Get { user, .. } => {
                users.insert(Address::parse(user));
            }
            Command::Itip { to, .. } => users.extend(to.iter().map(|to| Address::parse(to))),
            Command::Expect
            | Command::Send
            | Command::Reset
            | Command::Clock { .. }
            | Command::Alias { .. }
            | Command::Tell { .. }
            | Command::Policy(_)
            | Command::Reasons => {}
        }
        let lines = step.payload.lines().filter(|line| line.starts_with("ORGANIZER") || line.starts_with("ATTENDEE"));
        users.extend(lines.filter_map(|line| Some(Address::parse(line.rsplit_once("mailto:")?.1.trim()))));
    }
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "@.-_".contains(c);
    let names = users.iter().map(ToString::to_string);
    names.filter(|name| !name.starts_with('@') && name.contains('@') && name.chars().all(is_plain)).collect()
}

/// The name of a refusal in scenario files, from its name in the log: `not-organizer` is `NotOrganizer`.
fn scenario_name(log_name: &str) -> String {
    if log_name == "icalendar-parse-error" {
        return "ICalendarParseError".to_owned();
    }
    let word = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_uppercase() + rest
    };
    log_name.split('-').map(word).collect()
}
