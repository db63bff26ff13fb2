//! Every scenario file once more, with each message composed as a mail and read back by two parsers that are not ours.
//!
//! What the file is compared with is the calendar that Python's email package finds in the mail, and whom the mail is from and to. The
//! mails are written in all languages in turn.

mod scenario_files;

use std::path::Path;

use imipd::config::{AddedInstances, Imip};
use imipd::gateway::letter::{Author, Occasioned, Pen, letters};
use imipd::imip::{Bodies, Language, Links, Wording};
use imipd::itip::scenario::{
    Answer, EngineHost, Fidelity, Host, Outcome, Rendered, Script, Setting, Telling, render_outgoing, run,
};
use imipd::itip::{Address, Outgoing, text};
use imipd::ledger::Thread;
use imipd_lab::read_mail;
use scenario_files::scenario_files;

/// An ADD stays one, so that the mail says what the file says.
const IMIP: Imip =
    Imip { added_instances: AddedInstances::Add, bodies: Bodies::Both, templates: None, language: Language::English };

/// Friday 1 February 2030.
const DATE: i64 = 1_896_134_400;

/// The engine, and everything it says as a mail.
struct MailedHost<'a> {
    engine: EngineHost,
    wording: &'a Wording,
    /// How many messages have been written.
    count: usize,
    /// How many mails that made.
    mails: usize,
}

impl MailedHost<'_> {
    /// The messages of the last result as mails.
    fn all_mailed(&mut self) -> Result<Vec<Rendered>, String> {
        let owed = self.engine.owed().to_vec();
        owed.iter().map(|message| self.mailed(message)).collect()
    }

    /// The message as its recipients read it in their mails.
    fn mailed(&mut self, outgoing: &Outgoing) -> Result<Rendered, String> {
        let meant = render_outgoing(outgoing);
        if !outgoing.from.is_mailable() || !outgoing.to.iter().any(Address::is_mailable) {
            return Ok(meant);
        }
        let language = Language::ALL[self.count % Language::ALL.len()];
        self.count += 1;
        let links = |_: &Address, _: Language| {
            let link = |answer: &str| format!("https://rsvp.example.com/answer/{answer}/{}", "x".repeat(43));
            Some(Links { yes: link("yes"), no: link("no"), maybe: link("maybe") })
        };
        let author = Author { name: None, timezone: chrono_tz::Asia::Tokyo, language, via: None };
        // Every third is written for each recipient alone.
        let pen = Pen { wording: self.wording, imip: &IMIP, links: self.count.is_multiple_of(3).then_some(&links) };
        let thread = Thread { message_ids: vec!["<first@example.org>".to_owned()], last_received: None };
        let written = letters(outgoing, author, pen, &thread, (Occasioned::ByUser, DATE));
        let (mut to, mut calendars) = (Vec::new(), Vec::new());
        for letter in written.map_err(|error| error.to_string())? {
            self.mails += 1;
            assert_eq!(letter.mail.broken, Vec::<String>::new());
            // Without Python this says so, loudly; and the engine's own message stands in.
            let Some(reading) = read_mail(&letter.mail.raw) else { return Ok(meant) };
            same("From", &reading.from, &vec![meant.from.clone()])?;
            same("To", &reading.to, &letter.recipients.iter().map(ToString::to_string).collect::<Vec<_>>())?;
            same("Message-ID", &reading.message_id, &letter.mail.message_id)?;
            same("the subject", &reading.subject, &letter.mail.subject)?;
            to.extend(letter.recipients);
            calendars.push(reading.calendar.ok_or("the mail has no calendar")?);
        }
        calendars.dedup();
        let [calendar] = calendars.as_slice() else { return Err("the recipients get different calendars".to_owned()) };
        let mut rendered = meant.clone();
        // In the order of the file; who has no mail address gets none.
        let mailed = |name: &String| !Address::parse(name).is_mailable() || to.contains(&Address::parse(name));
        rendered.to.retain(mailed);
        rendered.calendar = text::parse(&without_added_zones(calendar, outgoing)).map_err(|error| error.to_string())?;
        Ok(rendered)
    }
}

/// The calendar without the time zones that the mail defines and the message only names.
fn without_added_zones(calendar: &str, outgoing: &Outgoing) -> String {
    let mut with_zones = outgoing.object.clone();
    with_zones.define_used_zones(DATE, 20);
    if outgoing.object.to_text().contains("BEGIN:VTIMEZONE") == with_zones.to_text().contains("BEGIN:VTIMEZONE") {
        return calendar.to_owned();
    }
    let mut kept = String::new();
    let mut rest = calendar;
    while let Some((before, zone)) = rest.split_once("BEGIN:VTIMEZONE\r\n") {
        kept.push_str(before);
        rest = zone.split_once("END:VTIMEZONE\r\n").expect("the end of a zone").1;
    }
    kept + rest
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, read: &T, meant: &T) -> Result<(), String> {
    if read == meant { Ok(()) } else { Err(format!("{what} is read as {read:?}, meant was {meant:?}")) }
}

impl Host for MailedHost<'_> {
    fn fidelity(&self) -> Fidelity {
        Fidelity::Exact
    }

    fn put(&mut self, user: &str, name: &str, calendar: &str) -> Result<(), String> {
        self.engine.put(user, name, calendar)?;
        self.all_mailed().map(drop)
    }

    fn delete(&mut self, user: &str, name: &str) -> Result<(), String> {
        self.engine.delete(user, name)?;
        self.all_mailed().map(drop)
    }

    fn outcome(&mut self) -> Result<Outcome, String> {
        match self.engine.outcome()? {
            Outcome::Refused(refusal) => Ok(Outcome::Refused(refusal)),
            Outcome::Messages(_) => self.all_mailed().map(Outcome::Messages),
        }
    }

    fn send(&mut self) -> Result<Vec<Answer>, String> {
        let said = self.engine.send()?;
        let mut answers = self.engine.answers().to_vec().into_iter();
        said.into_iter()
            .map(|answer| match answer {
                Answer::Refused(refusal) => Ok(Answer::Refused(refusal)),
                Answer::Message(_) => {
                    let message = answers.next().ok_or("an answer too few")?;
                    Ok(Answer::Message(Box::new(self.mailed(&message)?)))
                }
            })
            .collect()
    }

    fn itip(&mut self, from: &str, to: &[String], calendar: &str) -> Result<(), String> {
        self.engine.itip(from, to, calendar)
    }

    fn get(&mut self, user: &str, name: &str) -> Result<Option<String>, String> {
        self.engine.get(user, name)
    }

    fn reset(&mut self) -> Result<(), String> {
        self.engine.reset()
    }

    fn advance_clock(&mut self, seconds: i64) -> Result<(), String> {
        self.engine.advance_clock(seconds)
    }

    fn alias(&mut self, user: &str, others: &[String]) -> Result<(), String> {
        self.engine.alias(user, others)
    }

    fn tell(&mut self, user: &str, name: &str, what: &Telling, calendar: &str) -> Result<(), String> {
        self.engine.tell(user, name, what, calendar)?;
        self.all_mailed().map(drop)
    }

    fn policy(&mut self, setting: Setting) -> Result<(), String> {
        self.engine.policy(setting)
    }

    fn reasons(&mut self) -> Result<Vec<(String, String)>, String> {
        self.engine.reasons()
    }
}

#[test]
fn every_message_of_every_scenario_is_read_back_from_its_mail() {
    let wording = Wording::built_in(Bodies::Both);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let (mut failed, mut count, mut mails) = (Vec::new(), 0, 0);
    for path in scenario_files(&root) {
        let script = Script::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let mut host = MailedHost { engine: EngineHost::new(imipd::PRODID), wording: &wording, count, mails };
        for report in run(&script, &mut host).into_iter().filter(|report| !report.passed) {
            let trouble = report.trouble.unwrap_or_default();
            let place = format!("{}:{}: {}", path.display(), report.line, report.command);
            failed.push(format!("{place} {trouble}\n--- expected\n{}\n--- mailed\n{}", report.expected, report.actual));
        }
        (count, mails) = (host.count, host.mails);
    }
    assert!(failed.is_empty(), "{} failures\n{}", failed.len(), failed.join("\n\n"));
    assert!(count > 400 && mails >= count, "{count} messages as {mails} mails");
    println!("{count} messages as {mails} mails");
}
