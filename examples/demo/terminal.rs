//! What a person sees.

use std::cell::Cell;
use std::io::{IsTerminal, Write};

use crate::calendar::{CalendarObject, Event};
use crate::stage::Letter;

/// The terminal, or whatever stands in for it: colours only where they are seen and wanted.
pub struct Terminal {
    colour: bool,
    act: Cell<u32>,
}

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const CYAN: &str = "36";

impl Terminal {
    pub fn new() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { colour: wanted && std::io::stdout().is_terminal(), act: Cell::new(0) }
    }

    /// A numbered headline.
    pub fn act(&self, title: &str) {
        self.act.set(self.act.get() + 1);
        self.line("");
        self.line(&self.paint(BOLD, &format!("{}. {title}", self.act.get())));
    }

    pub fn headline(&self, title: &str) {
        self.line("");
        self.line(&self.paint(BOLD, title));
    }

    pub fn note(&self, text: &str) {
        for line in text.lines() {
            self.line(&format!("   {}", self.paint(DIM, line)));
        }
    }

    pub fn fact(&self, name: &str, value: &str) {
        self.line(&format!("   {name:<22} {value}"));
    }

    pub fn command(&self, text: &str) {
        self.line(&format!("   {} {text}", self.paint(DIM, "$")));
    }

    pub fn mail(&self, letter: &Letter) {
        let method = self.paint(CYAN, &format!("{:<8}", letter.method));
        self.line(&format!("   mail      {} -> {}  {method} {}", letter.from, letter.user, letter.subject));
    }

    pub fn success(&self, text: &str) {
        self.line(&format!("   {}        {text}", self.paint(GREEN, "ok")));
    }

    pub fn failure(&self, text: &str) {
        self.line("");
        self.line(&format!("{} {text}", self.paint(RED, "FAILED:")));
    }

    /// A stored calendar, a line per component.
    pub fn calendar(&self, owner: &str, object: Option<&CalendarObject>) {
        let Some(object) = object else {
            return self.line(&format!("   calendar  {owner}  {}", self.paint(DIM, "(nothing stored)")));
        };
        let mut label = format!("calendar  {owner}");
        let master = object.master();
        for event in master.into_iter().chain(object.overrides()) {
            self.line(&format!("   {label:<24} {}", self.event(event)));
            label.clear();
            let answers: Vec<String> =
                event.attendees().map(|attendee| self.answer(event, &attendee.address())).collect();
            self.line(&format!("   {label:<24} {}", answers.join("  ")));
        }
    }

    fn event(&self, event: &Event) -> String {
        let mut text = format!("{}, {}", event.text("SUMMARY"), span(event));
        let rule = event.text("RRULE");
        if !rule.is_empty() {
            text += &format!(", {rule}");
        }
        if event.is_cancelled() {
            text += &format!(", {}", self.paint(RED, "CANCELLED"));
        }
        match event.local("RECURRENCE-ID") {
            Some(original) => format!("instance of {}: {text}", original.format("%a %d %b %H:%M")),
            None => text,
        }
    }

    fn answer(&self, event: &Event, address: &str) -> String {
        let partstat = event.partstat(address).unwrap_or("?");
        let colour = match partstat {
            "ACCEPTED" => GREEN,
            "DECLINED" => RED,
            _ => YELLOW,
        };
        let name = address.split('@').next().unwrap_or(address).to_ascii_uppercase();
        format!("{name} {}", self.paint(colour, partstat))
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Nobody is to wait for a line in a buffer. A reader that went away (`| head`) does not stop the play.
    fn line(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }
}

fn span(event: &Event) -> String {
    let Some(start) = event.local("DTSTART") else { return "no time".to_owned() };
    let end = event.local("DTEND").map(|end| format!("-{}", end.format("%H:%M"))).unwrap_or_default();
    format!("{}{end} {}", start.format("%a %d %b %Y %H:%M"), start.timezone())
}
