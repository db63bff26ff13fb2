//! Reading a scenario file into steps.

use std::fmt;

use crate::itip::instance::InstanceKey;
use crate::itip::receive::{Admission, PartyCrashers, Publications};

/// A scenario file, step by step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    pub steps: Vec<Step>,
}

/// One step of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The line of the command, counted from 1.
    pub line: usize,
    /// What the comment lines before the command say.
    pub title: String,
    pub command: Command,
    /// The lines after the command, each with its line end.
    pub payload: String,
}

/// What a step does; the payload stands in the step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// USER stores the payload under NAME.
    Put { user: String, name: String },
    /// USER deletes what is stored under NAME.
    Delete { user: String, name: String },
    /// The last result equals the payload.
    Expect,
    /// The messages of the last result are delivered; what comes back equals the payload.
    Send,
    /// The payload came by mail.
    Itip { from: String, to: Vec<String> },
    /// What USER has stored under NAME equals the payload; an empty payload means nothing is stored.
    Get { user: String, name: String },
    /// Everything is forgotten.
    Reset,
    /// The clock moves on by so many seconds.
    Clock { seconds: i64 },
    /// USER is known by further addresses as well.
    Alias { user: String, others: Vec<String> },
    /// USER says something about what is stored under NAME, and changes nothing; what goes out is the last result.
    Tell { user: String, name: String, what: Telling },
    /// What the engines are left to do by themselves.
    Policy(Setting),
    /// What the recipients of the last `send` decided, a line each: `ADDRESS: REASON`.
    Reasons,
}

/// What a user says about an object without changing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Telling {
    /// The payload is the attendee's proposal.
    Counter,
    /// The organizer refuses what PROPOSER proposed for an instance.
    DeclineCounter { proposer: String, instance: InstanceKey },
    /// The attendee asks for the current version.
    Refresh,
    /// The organizer makes it known to others.
    Publish { to: Vec<String> },
}

impl Telling {
    fn name(&self) -> &'static str {
        match self {
            Telling::Counter => "counter",
            Telling::DeclineCounter { .. } => "declinecounter",
            Telling::Refresh => "refresh",
            Telling::Publish { .. } => "publish",
        }
    }

    fn parse(name: &str, arguments: &[String]) -> Result<Self, String> {
        match (name, arguments) {
            ("counter", []) => Ok(Self::Counter),
            ("refresh", []) => Ok(Self::Refresh),
            ("publish", to) if !to.is_empty() => Ok(Self::Publish { to: to.to_vec() }),
            ("declinecounter", [proposer]) => {
                Ok(Self::DeclineCounter { proposer: proposer.clone(), instance: InstanceKey::Master })
            }
            ("declinecounter", [proposer, instance]) => {
                let instance = InstanceKey::parse(instance).ok_or_else(|| format!("{instance:?} is no instance"))?;
                Ok(Self::DeclineCounter { proposer: proposer.clone(), instance })
            }
            ("declinecounter", _) => Err("declinecounter takes USER NAME PROPOSER, and perhaps INSTANCE".to_owned()),
            ("publish", _) => Err("publish takes USER NAME TO...".to_owned()),
            _ => Err(format!("{name} takes USER NAME")),
        }
    }
}

/// One key of the policy with its value, in the words of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    AutoAdd(Admission),
    PartyCrashers(PartyCrashers),
    Publications(Publications),
}

impl Setting {
    fn parse(key: &str, value: &str) -> Result<Self, String> {
        match (key, value) {
            ("auto_add", "all") => Ok(Self::AutoAdd(Admission::Add)),
            ("auto_add", "never") => Ok(Self::AutoAdd(Admission::Wait)),
            ("party_crashers", "refuse") => Ok(Self::PartyCrashers(PartyCrashers::Refuse)),
            ("party_crashers", "propose") => Ok(Self::PartyCrashers(PartyCrashers::Propose)),
            ("publications", "refuse") => Ok(Self::Publications(Publications::Refuse)),
            ("publications", "import") => Ok(Self::Publications(Publications::Import)),
            _ => Err(format!("there is no policy {key} {value}")),
        }
    }
}

impl Command {
    /// The command's name as the file writes it.
    pub fn name(&self) -> &'static str {
        match self {
            Command::Put { .. } => "put",
            Command::Delete { .. } => "delete",
            Command::Expect => "expect",
            Command::Send => "send",
            Command::Itip { .. } => "itip",
            Command::Get { .. } => "get",
            Command::Reset => "reset",
            Command::Clock { .. } => "clock",
            Command::Alias { .. } => "alias",
            Command::Tell { what, .. } => what.name(),
            Command::Policy(_) => "policy",
            Command::Reasons => "reasons",
        }
    }

    fn parse(words: &str) -> Result<Self, String> {
        let mut words = words.split_whitespace();
        let name = words.next().ok_or("a command is missing after `>`")?;
        let arguments: Vec<String> = words.map(str::to_owned).collect();
        match (name, arguments.as_slice()) {
            ("put", [user, name]) => Ok(Self::Put { user: user.clone(), name: name.clone() }),
            ("delete", [user, name]) => Ok(Self::Delete { user: user.clone(), name: name.clone() }),
            ("get", [user, name]) => Ok(Self::Get { user: user.clone(), name: name.clone() }),
            ("expect", []) => Ok(Self::Expect),
            ("send", []) => Ok(Self::Send),
            ("reset", []) => Ok(Self::Reset),
            ("reasons", []) => Ok(Self::Reasons),
            ("itip", [from, to @ ..]) if !to.is_empty() => Ok(Self::Itip { from: from.clone(), to: to.to_vec() }),
            ("alias", [user, others @ ..]) if !others.is_empty() => {
                Ok(Self::Alias { user: user.clone(), others: others.to_vec() })
            }
            ("clock", [seconds]) => {
                let seconds = seconds.parse().map_err(|_| format!("clock takes seconds, not {seconds:?}"))?;
                Ok(Self::Clock { seconds })
            }
            ("counter" | "declinecounter" | "refresh" | "publish", [user, object, rest @ ..]) => {
                let what = Telling::parse(name, rest)?;
                Ok(Self::Tell { user: user.clone(), name: object.clone(), what })
            }
            ("policy", [key, value]) => Setting::parse(key, value).map(Self::Policy),
            ("put" | "delete" | "get" | "counter" | "declinecounter" | "refresh" | "publish", _) => {
                Err(format!("{name} takes USER NAME"))
            }
            ("itip", _) => Err("itip takes FROM TO...".to_owned()),
            ("alias", _) => Err("alias takes USER ADDRESS...".to_owned()),
            ("expect" | "send" | "reset" | "reasons" | "clock" | "policy", _) => {
                Err(format!("{name} has wrong arguments"))
            }
            _ => Err(format!("there is no command {name:?}")),
        }
    }
}

/// Where and why a file is no scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    pub line: usize,
    pub what: String,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for ScriptError {}

impl Script {
    /// Reads a scenario file.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        let mut steps: Vec<Step> = Vec::new();
        let (mut titles, mut open): (Vec<&str>, bool) = (Vec::new(), false);
        for (index, line) in text.lines().enumerate() {
            let (line, number) = (line.trim_end_matches('\r'), index + 1);
            if line.trim().is_empty() {
                open = false;
            } else if let Some(command) = line.strip_prefix('>') {
                let command = Command::parse(command).map_err(|what| ScriptError { line: number, what })?;
                steps.push(Step { line: number, title: titles.join(" "), command, payload: String::new() });
                (titles, open) = (Vec::new(), true);
            } else if let (true, Some(step)) = (open, steps.last_mut()) {
                step.payload.push_str(line);
                step.payload.push('\n');
            } else if let Some(title) = line.strip_prefix('#') {
                titles.push(title.trim());
            } else {
                let what = format!("{line:?} stands outside of any step");
                return Err(ScriptError { line: number, what });
            }
        }
        Ok(Self { steps })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_end_at_blank_lines_and_at_the_end_of_the_file() {
        let script = Script::parse("# A writes\n> put a@x 1\nBEGIN:VCALENDAR\nEND:VCALENDAR\n\n# and\n# sends\n> send")
            .expect("a script");
        assert_eq!(script.steps.len(), 2);
        assert_eq!(script.steps[0].payload, "BEGIN:VCALENDAR\nEND:VCALENDAR\n");
        assert_eq!((script.steps[1].title.as_str(), script.steps[1].line), ("and sends", 8));
    }

    #[test]
    fn what_is_no_step_is_named_with_its_line() {
        assert_eq!(Script::parse("\nhello").expect_err("an error").line, 2);
        assert!(Script::parse("> frobnicate").expect_err("an error").to_string().contains("frobnicate"));
        assert!(Script::parse("> put a@x").is_err());
    }
}
