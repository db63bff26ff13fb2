//! Invitations as the calendars of Gmail, Outlook and Apple send them, and how their readers answer.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Whose shape an invitation has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    Gmail,
    Outlook,
    Apple,
}

pub const CLIENTS: [Client; 3] = [Client::Gmail, Client::Outlook, Client::Apple];

/// An invitation to one meeting of one hour, in February 2031.
#[derive(Clone, Debug)]
pub struct Invitation {
    pub client: Client,
    pub organizer: String,
    pub attendee: String,
    pub uid: String,
}

impl Invitation {
    /// The Message-ID, with its angle brackets.
    pub fn message_id(&self) -> String {
        format!("<{}@mail.{:?}.example>", self.uid, self.client)
    }

    pub fn calendar(&self) -> String {
        let text = match self.client {
            Client::Gmail => include_str!("../mail/clients/gmail.ics"),
            Client::Outlook => include_str!("../mail/clients/outlook.ics"),
            Client::Apple => include_str!("../mail/clients/apple.ics"),
        };
        self.filled(text).replace('\n', "\r\n")
    }

    /// The whole mail.
    pub fn mail(&self) -> String {
        let text = match self.client {
            Client::Gmail => include_str!("../mail/clients/gmail.eml"),
            Client::Outlook => include_str!("../mail/clients/outlook.eml"),
            Client::Apple => include_str!("../mail/clients/apple.eml"),
        };
        let calendar = self.calendar();
        let encoded = STANDARD.encode(&calendar);
        let lines: Vec<&str> =
            (0..encoded.len()).step_by(76).map(|at| &encoded[at..encoded.len().min(at + 76)]).collect();
        self.filled(text)
            .replace('\n', "\r\n")
            .replace("@CALENDAR_BASE64@", &lines.join("\r\n"))
            .replace("@CALENDAR_QUOTED@", &calendar.replace('=', "=3D"))
            .replace("@CALENDAR@", &calendar)
    }

    fn filled(&self, text: &str) -> String {
        let id = self.message_id();
        text.replace("@ORGANIZER@", &self.organizer)
            .replace("@ATTENDEE@", &self.attendee)
            .replace("@UID@", &self.uid)
            .replace("@ID@", id.trim_matches(['<', '>']))
    }

    /// The attendee's answer as a mail program sends it that has buttons for it.
    pub fn reply(&self, partstat: &str) -> String {
        let times = match self.client {
            Client::Gmail => "DTSTART:20310203T090000Z\r\nDTEND:20310203T100000Z\r\n",
            Client::Outlook | Client::Apple => {
                "DTSTART;TZID=Europe/Berlin:20310203T100000\r\nDTEND;TZID=Europe/Berlin:20310203T110000\r\n"
            }
        };
        format!(
            "From: {attendee}\r\nTo: {organizer}\r\nSubject: {partstat}: Planning\r\nMessage-ID: <reply-{uid}@client.example>\r\n\
             Date: Mon, 01 Jun 2026 09:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"b\"\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\n{partstat}\r\n\
             --b\r\nContent-Type: text/calendar; charset=utf-8; method=REPLY\r\n\r\n\
             BEGIN:VCALENDAR\r\nPRODID:-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN\r\nVERSION:2.0\r\nMETHOD:REPLY\r\n\
             BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260601T090000Z\r\nSEQUENCE:0\r\n{times}SUMMARY:Planning\r\n\
             ORGANIZER:mailto:{organizer}\r\nATTENDEE;PARTSTAT={partstat};ROLE=REQ-PARTICIPANT:mailto:{attendee}\r\n\
             END:VEVENT\r\nEND:VCALENDAR\r\n--b--\r\n",
            attendee = self.attendee,
            organizer = self.organizer,
            uid = self.uid,
        )
    }

    /// A mail of the attendee's that answers the mail `to` by what stands in its body.
    pub fn words(&self, to: &str, content_type: &str, body: &str) -> String {
        format!(
            "From: {}\r\nTo: {}\r\nSubject: Re: Planning\r\nMessage-ID: <words-{}@client.example>\r\nIn-Reply-To: {to}\r\n\
             Date: Mon, 01 Jun 2026 09:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: {content_type}; charset=utf-8\r\n\r\n{body}\r\n",
            self.attendee, self.organizer, self.uid
        )
    }
}
