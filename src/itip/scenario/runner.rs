//! Playing a scenario on a host and comparing what happens with what the file says.

use std::collections::BTreeMap;

use super::canonical::{self, Dtstamps};
use super::render::{Rendered, SEPARATOR};
use super::script::{Command, Script, Setting, Step, Telling};
use crate::itip::text;

/// What a user's change led to.
#[derive(Clone, Debug)]
pub enum Outcome {
    Messages(Vec<Rendered>),
    /// The name of the refusal.
    Refused(String),
}

/// What came back when messages were delivered.
#[derive(Clone, Debug)]
pub enum Answer {
    Message(Box<Rendered>),
    /// The name of the refusal.
    Refused(String),
}

/// How closely a host can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fidelity {
    /// Everything is compared.
    Exact,
    /// DTSTAMPs differ, summaries cannot be seen, an ADD may travel as a REQUEST, and what is stored says what became of the
    /// mail (SCHEDULE-STATUS).
    Mailed,
}

/// Something on which a scenario can be played.
///
/// The methods follow the commands of the language; an `Err` is trouble of the host itself and fails the step.
pub trait Host {
    fn fidelity(&self) -> Fidelity;
    fn put(&mut self, user: &str, name: &str, calendar: &str) -> Result<(), String>;
    fn delete(&mut self, user: &str, name: &str) -> Result<(), String>;
    /// The last result.
    fn outcome(&mut self) -> Result<Outcome, String>;
    fn send(&mut self) -> Result<Vec<Answer>, String>;
    fn itip(&mut self, from: &str, to: &[String], calendar: &str) -> Result<(), String>;
    /// The stored calendar text; nothing when there is none.
    fn get(&mut self, user: &str, name: &str) -> Result<Option<String>, String>;
    fn reset(&mut self) -> Result<(), String>;
    fn advance_clock(&mut self, seconds: i64) -> Result<(), String>;
    fn alias(&mut self, user: &str, others: &[String]) -> Result<(), String>;
    /// What USER says about an object becomes the last result; `calendar` is a proposal, empty where there is none.
    fn tell(&mut self, _user: &str, _name: &str, _what: &Telling, _calendar: &str) -> Result<(), String> {
        Err("there is no way to say this on this host".to_owned())
    }
    /// What the engines are left to do by themselves from now on.
    fn policy(&mut self, _setting: Setting) -> Result<(), String> {
        Err("the policy of this host cannot be set by a scenario".to_owned())
    }
    /// What the recipients of the last `send` decided: address and reason.
    fn reasons(&mut self) -> Result<Vec<(String, String)>, String>;
    /// Called after every step, for what must hold at any time; an `Err` fails the step.
    fn check_laws(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// How a step went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepReport {
    pub line: usize,
    pub title: String,
    pub command: &'static str,
    pub passed: bool,
    /// What the file wants, in canonical form; empty where nothing is compared.
    pub expected: String,
    /// The text that was compared.
    pub actual: String,
    /// What went wrong besides a difference.
    pub trouble: Option<String>,
}

/// Plays every step; a step that fails does not stop the others.
pub fn run(script: &Script, host: &mut dyn Host) -> Vec<StepReport> {
    let mut runner = Runner { dtstamps: fresh_dtstamps(host), host };
    script.steps.iter().map(|step| runner.step(step)).collect()
}

fn fresh_dtstamps(host: &dyn Host) -> Dtstamps {
    match host.fidelity() {
        Fidelity::Exact => Dtstamps::Numbered(BTreeMap::new()),
        Fidelity::Mailed => Dtstamps::Ignored,
    }
}

struct Runner<'a> {
    dtstamps: Dtstamps,
    host: &'a mut dyn Host,
}

/// What a step compares: what the file wants, and what was there.
struct Comparison {
    expected: String,
    actual: String,
}

impl Runner<'_> {
    fn step(&mut self, step: &Step) -> StepReport {
        let outcome = self.play(step).and_then(|comparison| self.host.check_laws().map(|()| comparison));
        let (comparison, trouble) = match outcome {
            Ok(comparison) => (comparison, None),
            Err(trouble) => (None, Some(trouble)),
        };
        let Comparison { expected, actual } =
            comparison.unwrap_or(Comparison { expected: String::new(), actual: String::new() });
        let passed = trouble.is_none() && expected == actual;
        let (title, command) = (step.title.clone(), step.command.name());
        StepReport { line: step.line, title, command, passed, expected, actual, trouble }
    }

    fn play(&mut self, step: &Step) -> Result<Option<Comparison>, String> {
        match &step.command {
            Command::Put { user, name } => self.host.put(user, name, &step.payload)?,
            Command::Delete { user, name } => self.host.delete(user, name)?,
            Command::Itip { from, to } => self.host.itip(from, to, &step.payload)?,
            Command::Clock { seconds } => self.host.advance_clock(*seconds)?,
            Command::Alias { user, others } => self.host.alias(user, others)?,
            Command::Tell { user, name, what } => self.host.tell(user, name, what, &step.payload)?,
            Command::Policy(setting) => self.host.policy(*setting)?,
            Command::Reset => {
                self.host.reset()?;
                self.dtstamps = fresh_dtstamps(self.host);
            }
            Command::Expect => return self.expect(&step.payload).map(Some),
            Command::Send => return self.send(&step.payload).map(Some),
            Command::Get { user, name } => return self.get(user, name, &step.payload).map(Some),
            Command::Reasons => {
                let lines = self.host.reasons()?.into_iter().map(|(address, reason)| format!("{address}: {reason}\n"));
                return Ok(Some(Comparison { expected: step.payload.clone(), actual: lines.collect() }));
            }
        }
        Ok(None)
    }

    fn expect(&mut self, payload: &str) -> Result<Comparison, String> {
        let actual = match self.host.outcome()? {
            Outcome::Refused(name) => format!("{name}\n"),
            Outcome::Messages(messages) => {
                let rendered: Vec<String> = messages.iter().map(|message| self.render(message)).collect();
                rendered.join(&format!("{SEPARATOR}\n"))
            }
        };
        Ok(Comparison { expected: self.canonical_payload(payload)?, actual })
    }

    fn send(&mut self, payload: &str) -> Result<Comparison, String> {
        let mut actual = String::new();
        for answer in self.host.send()? {
            match answer {
                Answer::Refused(name) => actual.push_str(&format!("{name}\n")),
                Answer::Message(message) => {
                    if !actual.is_empty() {
                        actual.push_str(&format!("{SEPARATOR}\n"));
                    }
                    actual.push_str(&self.render(&message));
                }
            }
        }
        Ok(Comparison { expected: self.canonical_payload(payload)?, actual })
    }

    fn get(&mut self, user: &str, name: &str, payload: &str) -> Result<Comparison, String> {
        let actual = match self.host.get(user, name)? {
            None => String::new(),
            Some(stored) => {
                let calendar = text::parse(&stored).map_err(|refusal| format!("the stored object: {refusal}"))?;
                let calendar = match self.host.fidelity() {
                    Fidelity::Exact => calendar,
                    Fidelity::Mailed => canonical::without_outcomes(calendar),
                };
                canonical::with_dtstamps(&calendar, &mut self.dtstamps)
            }
        };
        Ok(Comparison { expected: self.canonical_payload(payload)?, actual })
    }

    fn render(&mut self, message: &Rendered) -> String {
        let mut out = format!("from: {}\nto: {}\n", message.from, message.to.join(", "));
        for line in message.summary.iter().flatten() {
            out.push_str(line);
            out.push('\n');
        }
        let calendar = canonical::with_dtstamps(&message.calendar, &mut self.dtstamps);
        out.push_str(&self.as_travelled(calendar));
        out
    }

    /// What a file wants, in the form in which it is compared.
    fn canonical_payload(&mut self, payload: &str) -> Result<String, String> {
        let mut out = String::new();
        let mut calendar: Option<String> = None;
        for line in payload.lines() {
            match calendar.as_mut() {
                None if line.starts_with("BEGIN:VCALENDAR") => calendar = Some(format!("{line}\r\n")),
                None if self.host.fidelity() == Fidelity::Mailed && is_summary(line) => {}
                None => out.push_str(&format!("{line}\n")),
                Some(text) => text.push_str(&format!("{line}\r\n")),
            }
            if line == "END:VCALENDAR" {
                out.push_str(&self.canonical_calendar(&calendar.take().unwrap_or_default())?);
            }
        }
        match calendar {
            Some(unfinished) => Err(format!("the payload's calendar has no end: {unfinished}")),
            None => Ok(out),
        }
    }

    fn canonical_calendar(&mut self, text: &str) -> Result<String, String> {
        let calendar = text::parse(text).map_err(|refusal| format!("the payload's calendar: {refusal}"))?;
        Ok(match self.host.fidelity() {
            Fidelity::Exact => canonical::as_written(&calendar),
            Fidelity::Mailed => {
                let compared = canonical::without_outcomes(calendar);
                let written = canonical::with_dtstamps(&compared, &mut self.dtstamps);
                self.as_travelled(written)
            }
        })
    }

    /// An ADD travels as a REQUEST that holds just those instances, which every client understands.
    fn as_travelled(&self, calendar: String) -> String {
        match self.host.fidelity() {
            Fidelity::Exact => calendar,
            Fidelity::Mailed => calendar.replace("METHOD:ADD\n", "METHOD:REQUEST\n"),
        }
    }
}

fn is_summary(line: &str) -> bool {
    line.starts_with("summary") || line.starts_with("~summary")
}
