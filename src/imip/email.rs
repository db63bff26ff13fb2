//! What is known of a mail once it has been read.

use super::lines;
use super::{Quirk, Sender, Signature, Trace};
use crate::itip::{Address, Method};

/// A mail, as far as a calendar gateway is concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Email {
    /// The Message-ID, with its angle brackets.
    pub message_id: Option<String>,
    /// The first id of In-Reply-To, with its angle brackets.
    pub in_reply_to: Option<String>,
    /// The Subject, decoded.
    pub subject: Option<String>,
    /// The Date field in unix seconds; what the sender's clock said.
    pub date: Option<i64>,
    pub sender: Sender,
    /// The addresses of To and Cc.
    pub to: Vec<Address>,
    pub auto_submitted: AutoSubmitted,
    /// Whether it is marked as a program's answer in one of the ways of before RFC 3834: Precedence `bulk`, `junk` or `auto_reply`,
    /// X-Autoreply, X-Autorespond.
    pub is_marked_automatic: bool,
    /// Whether a mailing list passed it on: List-Id, List-Post, or Precedence: list.
    pub is_list: bool,
    /// Whether the mail as a whole is a multipart/report: a bounce, a delivery or a reading receipt (RFC 6522 §3).
    pub is_report: bool,
    /// Whether Return-Path is `<>`, so that no automatic answer may be sent (RFC 3834 §2).
    pub is_return_path_null: bool,
    /// What the servers on the way wrote above the mail.
    pub trace: Trace,
    /// What came of checking its DKIM signatures here; the one thing in it that is not read from the mail alone.
    pub signature: Signature,
    /// Whether a filter marked it as spam, wherever on the way that was.
    pub is_marked_as_spam: bool,
    /// The calendars, text/calendar before any other type, otherwise in the order of the mail.
    pub calendars: Vec<CalendarPart>,
    /// What was wrong and was mended or lived with, each once.
    pub quirks: Vec<Quirk>,
    /// Why there are no calendars; absent when there are.
    pub nothing_because: Option<NoCalendar>,
}

/// One calendar out of a mail: a single VCALENDAR, mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarPart {
    /// The iCalendar text: UTF-8 without BOM, NUL or blank lines, CRLF line ends, every component closed.
    pub text: String,
    /// The `method=` parameter of the Content-Type, if it names a method that iTIP knows.
    pub method_parameter: Option<Method>,
    /// The media type, lower case, without parameters.
    pub content_type: String,
    /// The file name from Content-Disposition or Content-Type.
    pub file_name: Option<String>,
    /// Whether it lay in a message/rfc822: somebody forwarded it, so the author of the mail is not the author of
    /// the calendar.
    pub is_forwarded: bool,
}

impl CalendarPart {
    /// The method of this calendar: METHOD of the body, and the parameter only when the body has none.
    ///
    /// Nothing when the body names a method that iTIP does not know (see [`Self::unknown_method`]), or when neither
    /// names one. RFC 6047 §2.4 wants both to be equal; where they differ the object is what its maker meant, and
    /// the parameter is what some mail program made of it.
    pub fn method(&self) -> Option<Method> {
        match self.method_in_body() {
            Some(value) => Method::parse(&value),
            None => self.method_parameter,
        }
    }

    /// The value of METHOD in the body when it is none that iTIP knows, at most 40 characters of it.
    pub fn unknown_method(&self) -> Option<String> {
        let value = self.method_in_body()?;
        Method::parse(&value).is_none().then(|| value.chars().take(40).collect())
    }

    /// The METHOD of the body as it stands there, trimmed.
    pub fn method_in_body(&self) -> Option<String> {
        lines::calendar_property(&self.text, "METHOD")
    }
}

/// What Auto-Submitted says of a mail (RFC 3834 §5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AutoSubmitted {
    /// The field is missing or says `no`: a human sent it, as far as one can know.
    #[default]
    No,
    /// `auto-generated`: sent by a program, not in answer to a mail.
    Generated,
    /// `auto-replied`: a program's answer to a mail.
    Replied,
    /// Any other keyword; RFC 3834 §5 has it count as "not human".
    Other,
}

impl AutoSubmitted {
    /// Reads a field value; parameters behind a semicolon and comments do not count.
    pub fn parse(value: &str) -> Self {
        let bare = without_comments(value);
        let keyword = bare.split(';').next().unwrap_or_default().trim();
        match keyword.to_ascii_lowercase().as_str() {
            "" | "no" => Self::No,
            "auto-generated" => Self::Generated,
            "auto-replied" => Self::Replied,
            _ => Self::Other,
        }
    }
}

fn without_comments(value: &str) -> String {
    let mut depth = 0usize;
    value
        .chars()
        .filter(|c| match c {
            '(' => {
                depth += 1;
                false
            }
            ')' => {
                depth = depth.saturating_sub(1);
                false
            }
            _ => depth == 0,
        })
        .collect()
}

/// Why a mail brings no calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoCalendar {
    /// No part says it is a calendar: an ordinary mail.
    NoCalendarPart,
    /// The calendar is there, but empty.
    EmptyPart,
    /// The calendar is there, but its text is no iCalendar.
    NotCalendarText,
    /// All there is, is Outlook's winmail.dat, which nobody but Outlook reads.
    OnlyTnef,
    /// The calendar is part of a bounced or reported mail: one that came back, not one that was sent to us.
    InsideBounce,
    /// The mail or its calendar is larger than is looked at.
    TooLarge,
}

impl NoCalendar {
    /// The stable kebab-case name, for logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoCalendarPart => "no-calendar-part",
            Self::EmptyPart => "empty-part",
            Self::NotCalendarText => "not-calendar-text",
            Self::OnlyTnef => "only-tnef",
            Self::InsideBounce => "inside-bounce",
            Self::TooLarge => "too-large",
        }
    }

    /// The sentence for the operator.
    pub fn describe(self) -> &'static str {
        match self {
            Self::NoCalendarPart => "the mail has no calendar part",
            Self::EmptyPart => "the calendar part of the mail is empty",
            Self::NotCalendarText => "the part that says it is a calendar holds no iCalendar text",
            Self::OnlyTnef => {
                "the mail holds only a winmail.dat, which cannot be read; the sender should switch off rich text"
            }
            Self::InsideBounce => "the calendar is part of a mail that was returned or reported, not an invitation",
            Self::TooLarge => "the mail or its calendar part is larger than is looked at",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_submitted_survives_parameters_and_comments() {
        for (value, expected) in [
            ("no", AutoSubmitted::No),
            (" No (really; yes)", AutoSubmitted::No),
            ("Auto-Generated; owner-email=\"a@example.com\"", AutoSubmitted::Generated),
            ("(vacation) auto-replied", AutoSubmitted::Replied),
            ("auto-notified", AutoSubmitted::Other),
        ] {
            assert_eq!(AutoSubmitted::parse(value), expected, "{value}");
        }
    }
}
