//! Mails of honest people, and among them those of people who want what these would not: the same for the same seed.

/// One mail as it lies in the mailbox.
#[derive(Clone, Debug)]
pub struct Mail {
    pub message_id: String,
    pub raw: String,
    pub is_honest: bool,
}

/// The meetings that Ada organizes, by UID, and whom she invites to each.
pub const PLANS: usize = 20;
pub const GUESTS: usize = 6;

/// What share of the mails is hostile, of a hundred.
const HOSTILE_PERCENT: u64 = 30;

const ORGANIZERS: usize = 40;

/// The kinds of hostile mail.
#[derive(Clone, Copy, Debug)]
enum Attack {
    /// In the name of the organizer, without any proof.
    Spoofed,
    /// The same, and the mail server found that it fails DMARC.
    Disproven,
    /// With Authentication-Results of the forger's below the true ones.
    ForgedResults,
    /// Proven, but for the forger's own domain.
    Outsider,
    /// An invited person answers for another.
    Fellow,
    /// A mail of before, proof and all, under another Message-ID.
    Replayed,
    /// Proven, but older than what came already.
    Stale,
    /// From a domain that looks like the organizer's, with proof for it.
    Homograph,
    /// More attendees than the site takes.
    Oversized,
    /// Cut off, or with bytes that were exchanged.
    Broken,
    /// Two From fields, the organizer's first.
    TwoAuthors,
    /// A new invitation of nobody knows whom, with a UID that is an attack.
    Injected,
    /// The next honest mail, word for word and under its Message-ID, but without its proof and before it.
    Forerunner,
}

const ATTACKS: [Attack; 13] = [
    Attack::Spoofed,
    Attack::Disproven,
    Attack::ForgedResults,
    Attack::Outsider,
    Attack::Fellow,
    Attack::Replayed,
    Attack::Stale,
    Attack::Homograph,
    Attack::Oversized,
    Attack::Broken,
    Attack::TwoAuthors,
    Attack::Injected,
    Attack::Forerunner,
];

/// A meeting to which Ada was invited by mail.
#[derive(Clone, Debug)]
struct Event {
    uid: String,
    organizer: usize,
    sequence: u32,
    day: u64,
    is_cancelled: bool,
}

pub struct Generator {
    state: u64,
    /// Counts the mails; each is made in a second of its own.
    tick: u64,
    events: Vec<Event>,
    sent: Vec<Mail>,
}

impl Generator {
    pub fn new(seed: u64) -> Self {
        Self { state: seed | 1, tick: 0, events: Vec::new(), sent: Vec::new() }
    }

    /// So many mails in the order of their arrival; the last one is honest.
    pub fn mails(mut self, count: usize) -> Vec<Mail> {
        let mut mails = Vec::new();
        while mails.len() < count {
            let is_hostile = mails.len() > 20 && mails.len() + 1 < count && self.below(100) < HOSTILE_PERCENT;
            self.tick += 1;
            if !is_hostile {
                let mail = self.honest();
                mails.push(mail);
                continue;
            }
            let attack = ATTACKS[self.below(ATTACKS.len() as u64) as usize];
            if matches!(attack, Attack::Forerunner) {
                let honest = self.honest();
                let (_, raw) = honest.raw.split_once("\r\n").expect("its proof");
                mails.push(Mail { raw: raw.to_owned(), is_honest: false, ..honest.clone() });
                mails.push(honest);
            } else {
                let mail = self.hostile(attack);
                mails.push(mail);
            }
        }
        mails
    }

    /// xorshift64: nothing depends on more than that it looks like chance.
    fn below(&mut self, most: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % most
    }

    fn honest(&mut self) -> Mail {
        let kind = self.below(10);
        let mail = match kind {
            0..=2 => self.invitation(),
            3..=5 => self.update(),
            6 => self.cancel(),
            _ => self.answer(),
        };
        self.sent.push(mail.clone());
        mail
    }

    fn stamp(&self) -> String {
        stamp(self.tick)
    }

    fn id(&self, kind: &str) -> String {
        format!("<{kind}{}@mixture.example>", self.tick)
    }

    fn invitation(&mut self) -> Mail {
        let organizer = self.below(ORGANIZERS as u64) as usize;
        let event = Event {
            uid: format!("event-{}@corp{organizer}.example", self.tick),
            organizer,
            sequence: 0,
            day: self.below(28) + 1,
            is_cancelled: false,
        };
        self.events.push(event.clone());
        self.of_organizer(&event, "REQUEST")
    }

    fn update(&mut self) -> Mail {
        let day = self.below(28) + 1;
        let Some(at) = self.some_event() else { return self.invitation() };
        let event = &mut self.events[at];
        (event.sequence, event.day) = (event.sequence + 1, day);
        let event = event.clone();
        self.of_organizer(&event, "REQUEST")
    }

    fn cancel(&mut self) -> Mail {
        let Some(at) = self.some_event() else { return self.invitation() };
        let event = &mut self.events[at];
        (event.sequence, event.is_cancelled) = (event.sequence + 1, true);
        let event = event.clone();
        self.of_organizer(&event, "CANCEL")
    }

    fn some_event(&mut self) -> Option<usize> {
        let alive: Vec<usize> = (0..self.events.len()).filter(|at| !self.events[*at].is_cancelled).collect();
        (!alive.is_empty()).then(|| alive[self.below(alive.len() as u64) as usize])
    }

    fn answer(&mut self) -> Mail {
        let (plan, guest) = (self.below(PLANS as u64) as usize, self.below(GUESTS as u64) as usize);
        let text = self.reply(plan, &guest_address(guest));
        let header = proven("partner.example", &guest_address(guest));
        mail(&header, &self.id("m"), "REPLY", &text, true)
    }

    fn reply(&mut self, plan: usize, who: &str) -> String {
        let partstat = ["ACCEPTED", "DECLINED", "TENTATIVE"][self.below(3) as usize];
        let lines = format!("ORGANIZER:mailto:a@example.com\r\nATTENDEE;PARTSTAT={partstat}:mailto:{who}\r\n");
        calendar("REPLY", &plan_uid(plan), &self.stamp(), &lines)
    }

    fn of_organizer(&self, event: &Event, method: &str) -> Mail {
        let organizer = organizer_address(event.organizer);
        let header = proven(&format!("corp{}.example", event.organizer), &organizer);
        mail(&header, &self.id("m"), method, &self.text(event, method), true)
    }

    fn text(&self, event: &Event, method: &str) -> String {
        calendar(method, &event.uid, &self.stamp(), &described(event, &organizer_address(event.organizer)))
    }

    /// What a forger would like to be true of some event.
    fn wished(&mut self) -> (Event, &'static str) {
        let at = self.below(self.events.len() as u64) as usize;
        let event = &self.events[at];
        let forged = Event { sequence: event.sequence + 7, day: 31 - event.day, ..event.clone() };
        (forged, if self.below(2) == 0 { "REQUEST" } else { "CANCEL" })
    }

    fn hostile(&mut self, attack: Attack) -> Mail {
        let id = self.id("x");
        let (event, method) = self.wished();
        let organizer = organizer_address(event.organizer);
        let domain = format!("corp{}.example", event.organizer);
        let text = self.text(&event, method);
        let from = format!("From: {organizer}");
        let failed = format!("Authentication-Results: mx.example.com; dmarc=fail header.from={domain}\r\n{from}");
        let hostile = |header: &str, text: &str| mail(header, &id, method, text, false);
        match attack {
            Attack::Spoofed => hostile(&from, &text),
            Attack::Disproven => hostile(&failed, &text),
            Attack::ForgedResults => {
                let below =
                    format!("\r\nAuthentication-Results: mx.example.com; dmarc=pass header.from={domain}\r\nFrom:");
                hostile(&failed.replacen("\r\nFrom:", &below, 1), &text)
            }
            Attack::Outsider => self.outsider(&id, &text),
            Attack::Fellow => {
                let (plan, guest) = (self.below(PLANS as u64) as usize, self.below(GUESTS as u64 - 1) as usize);
                let text = self.reply(plan, &guest_address(guest + 1));
                mail(&proven("partner.example", &guest_address(guest)), &id, "REPLY", &text, false)
            }
            Attack::Replayed => {
                let at = self.below(self.sent.len() as u64) as usize;
                let old = self.sent[at].clone();
                Mail { raw: old.raw.replace(&old.message_id, &id), message_id: id, is_honest: false }
            }
            Attack::Stale => {
                let at = self.below(self.events.len() as u64) as usize;
                let event = Event { day: 30, ..self.events[at].clone() };
                let owner = organizer_address(event.organizer);
                // Older than everything that was ever sent, and of no later SEQUENCE.
                let text = calendar("REQUEST", &event.uid, "20250101T000000Z", &described(&event, &owner));
                mail(&proven(&format!("corp{}.example", event.organizer), &owner), &id, "REQUEST", &text, false)
            }
            Attack::Homograph => {
                // Cyrillic о in place of the Latin one.
                let fake = domain.replacen("corp", "c\u{43e}rp", 1);
                hostile(&proven(&fake, &format!("boss@{fake}")), &text.replace(&domain, &fake))
            }
            Attack::Oversized => {
                let many: String = (0..60).map(|n| format!("ATTENDEE:mailto:a{n}@x.example\r\n")).collect();
                let text = text.replacen("ATTENDEE", &format!("{many}ATTENDEE"), 1);
                hostile(&proven(&domain, &organizer), &text)
            }
            Attack::Broken => {
                let cut = 60 + self.below(text.len() as u64 - 60) as usize;
                let text = if self.below(2) == 0 { text[..cut].to_owned() } else { text.replace(':', ";\u{1}") };
                hostile(&from, &text)
            }
            Attack::TwoAuthors => hostile(&format!("{}\r\nFrom: eve@evil.example", proven(&domain, &organizer)), &text),
            Attack::Injected => {
                let uid = ["'; DROP TABLE object; --", "../../imipd.db", "x\\r\\nBcc: v@example.org", "<script>"];
                let uid = uid[self.below(4) as usize];
                hostile(&from, &text.replace(&event.uid, uid))
            }
            Attack::Forerunner => unreachable!("made with its honest mail"),
        }
    }

    /// A stranger with proof of their own: for what is the organizer's, or uninvited to what is Ada's.
    fn outsider(&mut self, id: &str, text: &str) -> Mail {
        let header = proven("evil.example", "eve@evil.example");
        if self.below(2) == 0 {
            let method = if text.contains("METHOD:CANCEL") { "CANCEL" } else { "REQUEST" };
            return mail(&header, id, method, text, false);
        }
        let plan = self.below(PLANS as u64) as usize;
        let text = self.reply(plan, "eve@evil.example");
        mail(&header, id, "REPLY", &text, false)
    }
}

pub fn plan_uid(plan: usize) -> String {
    format!("plan-{plan}@example.com")
}

pub fn guest_address(guest: usize) -> String {
    format!("guest{guest}@partner.example")
}

fn organizer_address(organizer: usize) -> String {
    format!("boss@corp{organizer}.example")
}

/// The top of a mail that passed DMARC.
fn proven(domain: &str, from: &str) -> String {
    format!("Authentication-Results: mx.example.com; dmarc=pass header.from={domain}\r\nFrom: {from}")
}

fn stamp(tick: u64) -> String {
    format!("202602{:02}T{:02}{:02}{:02}Z", 1 + tick / 86_400, tick / 3_600 % 24, tick / 60 % 60, tick % 60)
}

fn described(event: &Event, organizer: &str) -> String {
    format!(
        "SEQUENCE:{}\r\nDTSTART:204003{:02}T080000Z\r\nDTEND:204003{:02}T090000Z\r\nSUMMARY:Day {}\r\n\
         ORGANIZER:mailto:{organizer}\r\nATTENDEE;RSVP=TRUE:mailto:a@example.com\r\n",
        event.sequence, event.day, event.day, event.day
    )
}

fn calendar(method: &str, uid: &str, stamp: &str, lines: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//mixture//EN\r\nMETHOD:{method}\r\nBEGIN:VEVENT\r\nUID:{uid}\r\n\
         DTSTAMP:{stamp}\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

fn mail(header: &str, message_id: &str, method: &str, text: &str, is_honest: bool) -> Mail {
    let raw = format!(
        "{header}\r\nTo: a@example.com\r\nSubject: calendar\r\nMessage-ID: {message_id}\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/calendar; charset=utf-8; method={method}\r\n\r\n{text}"
    );
    Mail { message_id: message_id.to_owned(), raw, is_honest }
}
