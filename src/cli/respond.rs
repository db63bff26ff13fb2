//! `imipd respond`: an answer to an invitation.

use std::sync::Arc;

use anyhow::Context;
use calcard::icalendar::ICalendarParticipationStatus;
use clap::ValueEnum;

use super::{calendar::report, user_of, wake};
use crate::gateway::{Change, Gateway, Respond, now_millis};
use crate::itip::announce::Answer;
use crate::itip::{CalUid, CalendarObject, InstanceKey};

/// The longest word to the organizer, in bytes.
const COMMENT_BYTES_MAX: usize = 4_096;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// An address of the user who answers.
    #[arg(long, value_name = "ADDR")]
    user: String,
    /// The UID of the invitation, as `imipd invitations` lists it.
    uid: String,
    answer: Choice,
    /// The instance answered for, as RECURRENCE-ID is written: 20260701T210000Z, 20260701T210000 or 20260701.
    #[arg(long, value_name = "RECURRENCE-ID", value_parser = instance_of)]
    instance: Option<InstanceKey>,
    /// A word to the organizer.
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Choice {
    Accept,
    Decline,
    Tentative,
}

impl Arguments {
    pub async fn execute(self, gateway: Arc<Gateway>) -> anyhow::Result<()> {
        let user = &*user_of(&gateway, &self.user).await?;
        let uid = CalUid(self.uid);
        let instance = match self.instance {
            None => None,
            Some(key) => {
                // A local time is read on the clock of the series.
                let stored = gateway.object(user, &uid).await?;
                let object = stored.and_then(|stored| CalendarObject::parse(&stored.content).ok());
                Some(object.map_or(key, |object| object.on_series_clock(key)))
            }
        };
        anyhow::ensure!(
            self.comment.as_ref().is_none_or(|comment| comment.len() <= COMMENT_BYTES_MAX),
            "the comment is longer than {COMMENT_BYTES_MAX} bytes"
        );
        let partstat = match self.answer {
            Choice::Accept => ICalendarParticipationStatus::Accepted,
            Choice::Decline => ICalendarParticipationStatus::Declined,
            Choice::Tentative => ICalendarParticipationStatus::Tentative,
        };
        let comment = self.comment.as_deref().map(with_plain_line_ends);
        let answer = Answer { partstat, instance, comment };
        let respond = Respond { answer, now: now_millis() / 1_000 };
        let changed = gateway.change(user, Change::Respond(uid, respond)).await?;
        wake(&gateway).await;
        report(&changed, self.json)
    }
}

/// The instance that a text names.
fn instance_of(text: &str) -> anyhow::Result<InstanceKey> {
    let key = InstanceKey::parse(text).filter(|key| *key != InstanceKey::Master);
    key.with_context(|| format!("{text:?} is no RECURRENCE-ID; write 20260701T210000Z, 20260701T210000 or 20260701"))
}

/// A comment with the one line end that iCalendar text has (RFC 5545 §3.3.11).
fn with_plain_line_ends(comment: &str) -> String {
    comment.replace("\r\n", "\n").replace('\r', "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_has_one_kind_of_line_end() {
        assert_eq!(with_plain_line_ends("a\r\nb\rc\nd"), "a\nb\nc\nd");
    }
}
