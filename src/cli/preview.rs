//! `imipd preview`: the mail that a calendar would travel in, to look at.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use mail_parser::MessageParser;

use super::output;
use crate::config::{AddedInstances, Config, Files, Imip};
use crate::gateway::letter::{Author, Occasioned, Pen, letters};
use crate::gateway::load_wording;
use crate::imip::{Bodies, Language};
use crate::itip::component::ComponentExt;
use crate::itip::limits::CALENDAR_BYTES_MAX;
use crate::itip::summary::{Occasion, Participants, Summary};
use crate::itip::{CalendarObject, Method, Outgoing};
use crate::ledger::Thread;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The language, such as de or en-US; the recipient's own is not looked at. Without it, imip.language.
    #[arg(long, value_name = "L", value_parser = language)]
    language: Option<Language>,
    /// The calendar with its METHOD, or - for standard input; without a METHOD it is a REQUEST.
    file: PathBuf,
    /// What the calendar was before: the mail then is an update, and shows what has changed.
    #[arg(long, value_name = "FILE")]
    before: Option<PathBuf>,
    /// Print the HTML body alone.
    #[arg(long, conflicts_with = "text")]
    html: bool,
    /// Print the text body alone.
    #[arg(long)]
    text: bool,
}

fn language(tag: &str) -> Result<Language, String> {
    let known = || Language::ALL.map(Language::tag).join(", ");
    Language::of_tag(tag).ok_or_else(|| format!("there are no words in it; known are {}", known()))
}

impl Arguments {
    /// Uses the templates of the configuration where there is one; a look at imipd's own words needs none.
    pub fn execute(self, config: &Path) -> anyhow::Result<()> {
        let imip = if config.exists() {
            let config = Config::load(config, Files::Unchecked)
                .map_err(|faults| anyhow::anyhow!("the configuration has faults:\n{faults}"))?;
            config.imip
        } else {
            let (added_instances, bodies) = (AddedInstances::Request, Bodies::Both);
            Imip { added_instances, bodies, templates: None, language: Language::English }
        };
        let (wording, faults) = load_wording(&imip);
        for fault in faults {
            eprintln!("imipd: templates: {}", output::printable(&fault));
        }
        let mut outgoing = self.message()?;
        let language = self.language.unwrap_or(imip.language);
        strip_languages(&mut outgoing.object);
        let author = Author { name: None, timezone: chrono_tz::UTC, language, via: None };
        let pen = Pen { wording: &wording, imip: &imip, links: None };
        let at = outgoing.object.principal().map_or(0, |component| component.revision().dtstamp).max(0);
        let written = letters(&outgoing, author, pen, &Thread::default(), (Occasioned::ByUser, at))?;
        let mail = &written.first().context("nobody with a mail address is addressed")?.mail;
        output::verbatim(&self.shown(&mail.raw)?)
    }

    fn shown(&self, raw: &[u8]) -> anyhow::Result<String> {
        if !self.html && !self.text {
            return Ok(String::from_utf8_lossy(raw).into_owned());
        }
        let mail = MessageParser::default().parse(raw).context("the mail cannot be read back; please report it")?;
        // The parser makes a body of the other kind out of what there is, so the parts themselves are asked.
        let is_wanted = |part: &&mail_parser::MessagePart<'_>| match part.body {
            mail_parser::PartType::Html(_) => self.html,
            mail_parser::PartType::Text(_) => self.text,
            _ => false,
        };
        let body = mail.parts.iter().find(is_wanted).and_then(|part| part.text_contents());
        Ok(body.context("the mail has no such body; imip.bodies = \"text\" leaves out the HTML")?.replace("\r\n", "\n"))
    }

    /// The message as the engine would have it.
    fn message(&self) -> anyhow::Result<Outgoing> {
        let object = read(&self.file)?;
        let method = match object.method() {
            None => Method::Request,
            Some(method) => Method::parse(method).with_context(|| format!("METHOD {method} is unknown"))?,
        };
        let component = object.principal().context("the calendar is empty")?;
        let organizer = component.organizer().context("the calendar has no ORGANIZER")?.address();
        let attendees: Vec<_> = component.attendees().collect();
        let answer = attendees.first().and_then(|party| party.partstat().cloned());
        let addresses = attendees.iter().map(|party| party.address()).filter(|address| *address != organizer).collect();
        let (from, to) = match method {
            Method::Reply | Method::Refresh | Method::Counter => {
                (attendees.first().context("the calendar has no ATTENDEE")?.address(), vec![organizer])
            }
            Method::Publish | Method::Request | Method::Add | Method::Cancel | Method::DeclineCounter => {
                (organizer, addresses)
            }
        };
        let occasion = match method {
            Method::Request if self.before.is_none() => Occasion::Invite,
            Method::Reply => {
                Occasion::Rsvp(answer.unwrap_or(calcard::icalendar::ICalendarParticipationStatus::NeedsAction))
            }
            Method::Cancel => Occasion::Cancel,
            other => Occasion::Update(other),
        };
        let before = self.before.as_deref().map(read).transpose()?;
        let summary = match before.as_ref().and_then(|before| Some((before.principal()?, before.zones()))) {
            Some(before) => Summary::of_update(occasion, (component, object.zones()), before),
            None => Summary::new(occasion, component, object.zones(), Participants::Shown),
        };
        Ok(Outgoing { from, to, method, summary, object })
    }
}

/// Has everybody addressed in the language that was asked for.
fn strip_languages(object: &mut CalendarObject) {
    use calcard::icalendar::ICalendarParameterName::Language;
    let keys: Vec<_> = object.keys().collect();
    for key in keys {
        for entry in object.get_mut(key).into_iter().flat_map(|component| &mut component.entries) {
            crate::itip::component::remove_parameter(entry, &Language);
        }
    }
}

fn read(path: &Path) -> anyhow::Result<CalendarObject> {
    let mut text = Vec::new();
    let most = CALENDAR_BYTES_MAX as u64 + 1;
    match path.to_str() {
        Some("-") => std::io::stdin().lock().take(most).read_to_end(&mut text),
        _ => std::fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut text)),
    }
    .with_context(|| format!("cannot read {}", path.display()))?;
    let text = String::from_utf8(text).with_context(|| format!("{} is not UTF-8 text", path.display()))?;
    CalendarObject::parse(&text).map_err(|refusal| anyhow::anyhow!("{}: {}", path.display(), refusal.sentence()))
}
