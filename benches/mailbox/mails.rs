//! Mailboxes written to disk as Dovecot would have filled them.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use imipd_lab::Lab;

/// How many ordinary mails differ; the others are further names of the same files.
const TEMPLATES: usize = 128;

/// One in how many ordinary mails, and one in how many with a calendar, has an attachment of 10 MB.
const ORDINARY_PER_LARGE: usize = 1000;
const CALENDARS_PER_LARGE: usize = 100;

const ATTACHMENT_BYTES: usize = 10 * 1000 * 1000;

/// A folder on disk that is being filled.
pub struct Maildir {
    path: PathBuf,
    written: usize,
    pub bytes: u64,
}

impl Maildir {
    /// The INBOX of a user.
    pub fn of(lab: &Lab, user: &str) -> Self {
        let home = lab.path().join("dovecot/mail").join(user);
        let path = home.join("Maildir");
        let owner = fs::metadata(&home).expect("a home");
        for folder in ["", "cur", "new", "tmp"] {
            let folder = path.join(folder);
            fs::create_dir_all(&folder).expect("a folder");
            chown(&folder, Some(owner.uid()), Some(owner.gid())).expect("its owner");
        }
        Self { path, written: 0, bytes: 0 }
    }

    /// Adds mails without a calendar.
    pub fn add_ordinary(&mut self, count: usize) {
        let templates: Vec<Vec<u8>> = (0..TEMPLATES).map(ordinary).collect();
        let files: Vec<PathBuf> = templates.iter().map(|raw| self.add(raw)).collect();
        let large = with_attachment("ordinary@example.org", "Subject: scan\n", "text/plain", "See the file.\n");
        let large_file = self.add(&large);
        for nth in TEMPLATES + 1..count {
            let at = nth % TEMPLATES;
            match nth % ORDINARY_PER_LARGE {
                0 => self.add_again(&large_file, &large),
                _ => self.add_again(&files[at], &templates[at]),
            }
        }
    }

    /// Adds small invitations, each to an event of its own and from a sender of its own.
    pub fn add_invitations(&mut self, name: &str, count: usize) {
        for nth in 0..count {
            self.add(invitation(&format!("{}-{nth}", name.replace('@', "."))).as_bytes());
        }
    }

    /// Adds such invitations, some of them beside a large attachment.
    pub fn add_calendars(&mut self, name: &str, count: usize) {
        for nth in 0..count {
            let id = format!("{name}-{nth}");
            let raw = match nth % CALENDARS_PER_LARGE {
                1 => {
                    let kind = "text/calendar; charset=utf-8; method=REQUEST";
                    with_attachment(&format!("{id}@example.org"), &from(&id), kind, &calendar(&id))
                }
                _ => invitation(&id).into_bytes(),
            };
            self.add(&raw);
        }
    }

    fn add(&mut self, raw: &[u8]) -> PathBuf {
        let file = self.next(raw);
        fs::write(&file, raw).expect("a mail");
        file
    }

    fn add_again(&mut self, file: &Path, raw: &[u8]) {
        let name = self.next(raw);
        fs::hard_link(file, name).expect("a further name");
    }

    /// The name of the next mail, its size in it as Dovecot writes it: with LF, and with CRLF.
    fn next(&mut self, raw: &[u8]) -> PathBuf {
        self.written += 1;
        let lines = memchr::memchr_iter(b'\n', raw).count();
        let (size, wire_size) = (raw.len(), raw.len() + lines);
        self.bytes += wire_size as u64;
        self.path.join("new").join(format!("1795379966.M{}P1.bench,S={size},W={wire_size}", self.written))
    }
}

/// An ordinary mail of 4 to 28 kB.
fn ordinary(nth: usize) -> Vec<u8> {
    let words = "What people write to each other all day, and programs to people, is about as long as this.\n";
    let body = words.repeat(20 + nth * 2 % 130);
    format!(
        "From: Somebody <s{nth}@example.org>\nTo: u@example.com\nSubject: The {nth}th of many mails\n\
         Message-ID: <ordinary-{nth}@example.org>\nDate: Mon, 2 Jun 2031 10:00:00 +0000\nMIME-Version: 1.0\n\
         Content-Type: multipart/alternative; boundary=b\n\n\
         --b\nContent-Type: text/plain; charset=utf-8\n\n{body}\n\
         --b\nContent-Type: text/html; charset=utf-8\n\n<p>{body}\n--b--\n"
    )
    .into_bytes()
}

/// A mail with an invitation, and nothing else.
pub fn invitation(id: &str) -> String {
    format!(
        "{}Message-ID: <{id}@example.org>\nMIME-Version: 1.0\n\
         Content-Type: text/calendar; charset=utf-8; method=REQUEST\n\n{}",
        from(id),
        calendar(id)
    )
}

fn from(id: &str) -> String {
    format!("From: {id}@example.org\nTo: u@example.com\nSubject: {id}\n")
}

fn calendar(id: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//imipd//bench//EN\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:{id}\n\
         DTSTAMP:20310101T080000Z\nSEQUENCE:0\nDTSTART:20310203T090000Z\nDTEND:20310203T100000Z\nSUMMARY:Plan {id}\n\
         ORGANIZER:mailto:{id}@example.org\nATTENDEE;PARTSTAT=ACCEPTED:mailto:{id}@example.org\n\
         ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:u@example.com\nEND:VEVENT\nEND:VCALENDAR\n"
    )
}

fn with_attachment(id: &str, header: &str, kind: &str, text: &str) -> Vec<u8> {
    let line = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\n";
    let file = line.repeat(ATTACHMENT_BYTES / line.len());
    format!(
        "{header}Message-ID: <{id}>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=m\n\n\
         --m\nContent-Type: {kind}\n\n{text}\n\
         --m\nContent-Type: application/pdf; name=scan.pdf\nContent-Transfer-Encoding: base64\n\n{file}\n--m--\n"
    )
    .into_bytes()
}
