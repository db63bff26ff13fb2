//! What four users can do to a meeting, step by step, on the host that the scenarios run on; the laws hold throughout.

use imipd::itip::scenario::{EngineHost, Host, Outcome};
use imipd::itip::{CalendarObject, text};

use super::Choices;
use super::edits::{self, Edit, USERS};

const NAME: &str = "history-1@elm.example";

/// The most steps that one history has.
const STEPS_MAX: usize = 60;

/// A message that has been sent at some time, and may come again.
struct Sent {
    from: String,
    to: Vec<String>,
    text: String,
}

struct History<'a> {
    host: EngineHost,
    choices: Choices<'a>,
    sent: Vec<Sent>,
    fresh: i64,
}

/// Plays the history that the bytes describe.
pub fn histories(data: &[u8]) {
    let mut history =
        History { host: EngineHost::new("-//fuzz//EN"), choices: Choices::new(data), sent: Vec::new(), fresh: 0 };
    history.put(0, &edits::meeting(NAME, &[0, 1, 2]));
    history.send();
    for _ in 0..STEPS_MAX {
        if history.choices.is_empty() {
            return;
        }
        history.step();
    }
}

impl History<'_> {
    fn step(&mut self) {
        match self.choices.below(12) {
            0..=2 => self.edit(),
            3 | 4 => self.answer(),
            5..=7 => self.send(),
            8 => self.again(),
            9 => self.other(),
            10 => {
                let seconds = i64::from(self.choices.byte());
                self.host.advance_clock(seconds).expect("the clock moves");
            }
            _ => self.ask(),
        }
        self.holds();
    }

    fn holds(&mut self) {
        self.host.check_laws().unwrap_or_else(|law| panic!("{law}"));
    }

    fn object(&mut self, user: usize) -> Option<CalendarObject> {
        let text = self.host.get(USERS[user], NAME).expect("the host answers")?;
        Some(CalendarObject::parse(&text).expect("what is stored can be read"))
    }

    fn put(&mut self, user: usize, text: &str) {
        self.host.put(USERS[user], NAME, text).expect("an object is stored");
        if let Ok(Outcome::Messages(messages)) = self.host.outcome() {
            self.sent.extend(messages.into_iter().map(|message| Sent {
                from: message.from,
                to: message.to,
                text: text::write(&message.calendar),
            }));
        }
        self.holds();
    }

    fn send(&mut self) {
        self.host.send().expect("messages are delivered");
        self.holds();
    }

    fn edit(&mut self) {
        let (kind, day, user) = (self.choices.below(12), self.choices.byte() % 4, self.choices.byte());
        let edit = match kind {
            0 => Edit::Summary(user),
            1 => Edit::Location(user),
            2 => Edit::Shift,
            3 => Edit::Override(day),
            4 => Edit::Rename(day, user),
            5 => Edit::DropOverride(day),
            6 => Edit::Exclude(day),
            7 => Edit::CancelInstance(day),
            8 => Edit::Invite(user),
            9 => Edit::Uninvite(user),
            10 => Edit::UninviteFrom(day, user),
            _ => Edit::Private(user),
        };
        self.fresh += 1;
        match self.object(0) {
            Some(object) => self.put(0, &edits::edited(&object, &edit, self.fresh).to_text()),
            None => self.put(0, &edits::meeting(NAME, &[day, user])),
        }
    }

    fn answer(&mut self) {
        let (user, number, day) = (1 + self.choices.below(3), self.choices.byte(), self.choices.byte());
        let Some(object) = self.object(user) else { return };
        let on = (day % 2 == 0).then_some(day / 2 % 4);
        let answered = edits::answered(&object, &edits::address(user as u8), number, on);
        self.put(user, &answered.to_text());
    }

    /// An old message comes late, or twice.
    fn again(&mut self) {
        let index = self.choices.below(self.sent.len());
        let Some(Sent { from, to, text }) = self.sent.get(index) else { return };
        self.host.itip(from, to, text).expect("a message is set down");
        self.holds();
        self.send();
    }

    /// Deletions, decorations, delegation, and what an attendee may not do.
    fn other(&mut self) {
        let (kind, user, number) = (self.choices.below(5), self.choices.below(4), self.choices.byte());
        let Some(object) = self.object(user) else { return };
        match kind {
            0 => {
                let _ = self.host.delete(USERS[user], NAME);
                self.holds();
            }
            1 => self.put(user, &edits::decorated(&object, number).to_text()),
            2 => {
                let to = USERS[usize::from(number) % 4];
                self.put(user, &edits::delegated(&object, &edits::address(user as u8), to).to_text());
            }
            3 => self.put(user, &edits::edited(&object, &Edit::Location(number), self.fresh).to_text()),
            _ => self.put(user, &edits::edited(&object, &Edit::DropOverride(number), self.fresh).to_text()),
        }
    }

    fn ask(&mut self) {
        let user = 1 + self.choices.below(3);
        let address = edits::address(user as u8);
        let (from, to) = (USERS[user].to_owned(), vec![USERS[0].to_owned()]);
        self.host.itip(&from, &to, &edits::refresh(NAME, &address)).expect("a message is set down");
        self.holds();
        self.send();
    }
}
