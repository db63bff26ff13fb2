//! `imipd respond`: an answer to an invitation, and to what others propose.
//!
//! | word | who says it | what happens |
//! |---|---|---|
//! | accept, decline, tentative | an attendee | the organizer gets the answer |
//! | counter | an attendee | the organizer gets another time or place as a proposal |
//! | delegate | an attendee | somebody else is sent in their place |
//! | refresh | an attendee | the organizer is asked for the current version |
//! | accept-proposal, decline-proposal | the organizer | what waits from `--from` is done, or refused |
//! | believe, dismiss | anybody | what waits from an unproven sender is taken, or forgotten |

use std::sync::Arc;

use anyhow::Context;
use calcard::icalendar::ICalendarParticipationStatus;
use clap::ValueEnum;

use super::{calendar::report, user_of, wake};
use crate::config::User;
use crate::gateway::{Change, Gateway, Respond, Saying, Settlement, Waiting, now_millis};
use crate::itip::announce::{Answer, Wish};
use crate::itip::time::{Moment, parse_basic_format};
use crate::itip::{Address, CalUid, CalendarObject, InstanceKey};

/// The longest word to the organizer, in bytes.
const COMMENT_BYTES_MAX: usize = 4_096;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// An address of the user who answers.
    #[arg(long, value_name = "ADDR")]
    user: String,
    /// The UID of the invitation, as `imipd invitations` lists it.
    uid: String,
    answer: Word,
    /// The instance answered for, as RECURRENCE-ID is written: 20260701T210000Z, 20260701T210000 or 20260701.
    #[arg(long, value_name = "RECURRENCE-ID", value_parser = instance_of)]
    instance: Option<InstanceKey>,
    /// A word to the organizer.
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// For counter: when it should start; without Z a time on the clock of the event. The length stays, unless --end is given.
    #[arg(long, value_name = "TIME", value_parser = moment_of)]
    start: Option<Moment>,
    /// For counter: when it should end.
    #[arg(long, value_name = "TIME", value_parser = moment_of)]
    end: Option<Moment>,
    /// For counter: where it should be.
    #[arg(long, value_name = "TEXT")]
    location: Option<String>,
    /// For delegate: who comes instead.
    #[arg(long, value_name = "ADDR", visible_alias = "delegate", required_if_eq("answer", "delegate"))]
    to: Option<String>,
    /// Whose proposal is settled; whose message is believed or dismissed, when several senders speak of the same event.
    #[arg(long, value_name = "ADDR")]
    #[arg(required_if_eq_any([("answer", "accept-proposal"), ("answer", "decline-proposal")]))]
    from: Option<String>,
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Word {
    Accept,
    Decline,
    Tentative,
    /// Propose another time or place to the organizer.
    Counter,
    /// Send somebody else.
    Delegate,
    /// Ask the organizer for the current version.
    Refresh,
    /// As the organizer: do what somebody proposes, or let in who answered without being invited.
    AcceptProposal,
    /// As the organizer: refuse it; who proposed another time is told.
    DeclineProposal,
    /// Take what waits from a sender who could not be proven, as if they were.
    Believe,
    /// Forget it.
    Dismiss,
}

impl Arguments {
    pub async fn execute(self, gateway: Arc<Gateway>) -> anyhow::Result<()> {
        self.check()?;
        let user = &*user_of(&gateway, &self.user).await?;
        let changed = match self.settlement() {
            Some((proposer, settlement)) => {
                gateway.settle_proposal(user, &CalUid(self.uid.clone()), &proposer, settlement).await?
            }
            None => gateway.change(user, self.change(&gateway, user).await?).await?,
        };
        wake(&gateway).await;
        report(&changed, self.json)
    }

    /// Refuses what would be left out without a word: an option that has no meaning with the word.
    fn check(&self) -> anyhow::Result<()> {
        let is_answer = matches!(self.answer, Word::Accept | Word::Decline | Word::Tentative);
        let speaks = is_answer || matches!(self.answer, Word::Counter | Word::Delegate);
        let proposes = self.answer == Word::Counter;
        let has_sender =
            matches!(self.answer, Word::AcceptProposal | Word::DeclineProposal | Word::Believe | Word::Dismiss);
        let options = [
            ("--instance", self.instance.is_some(), speaks),
            ("--comment", self.comment.is_some(), speaks),
            ("--start", self.start.is_some(), proposes),
            ("--end", self.end.is_some(), proposes),
            ("--location", self.location.is_some(), proposes),
            ("--to", self.to.is_some(), self.answer == Word::Delegate),
            ("--from", self.from.is_some(), has_sender),
        ];
        for (option, is_given, has_meaning) in options {
            anyhow::ensure!(
                !is_given || has_meaning,
                "{option} has no meaning with this answer; see `imipd respond --help`"
            );
        }
        let texts = [self.comment.as_ref(), self.location.as_ref()];
        anyhow::ensure!(
            texts.into_iter().flatten().all(|text| text.len() <= COMMENT_BYTES_MAX),
            "the comment or the location is longer than {COMMENT_BYTES_MAX} bytes"
        );
        Ok(())
    }

    /// What becomes of whose proposal; nothing when it is not about one.
    fn settlement(&self) -> Option<(Address, Settlement)> {
        let settlement = match self.answer {
            Word::AcceptProposal => Settlement::Accept,
            Word::DeclineProposal => Settlement::Decline,
            Word::Accept | Word::Decline | Word::Tentative | Word::Counter | Word::Delegate | Word::Refresh => {
                return None;
            }
            Word::Believe | Word::Dismiss => return None,
        };
        Some((Address::in_mail(self.from.as_deref()?), settlement))
    }

    async fn change(&self, gateway: &Gateway, user: &User) -> anyhow::Result<Change> {
        let uid = CalUid(self.uid.clone());
        let instance = match self.instance {
            None => None,
            Some(key) => {
                // A local time is read on the clock of the series.
                let stored = gateway.object(user, &uid).await?;
                let object = stored.and_then(|stored| CalendarObject::parse(&stored.content).ok());
                Some(object.map_or(key, |object| object.on_series_clock(key)))
            }
        };
        let comment = self.comment.as_deref().map(with_plain_line_ends);
        let sender = self.from.as_deref().map(Address::in_mail);
        let partstat = match self.answer {
            Word::Accept => ICalendarParticipationStatus::Accepted,
            Word::Decline => ICalendarParticipationStatus::Declined,
            Word::Tentative => ICalendarParticipationStatus::Tentative,
            Word::Counter => {
                let location = self.location.as_deref().map(with_plain_line_ends);
                let wish = Wish { instance, start: self.start, end: self.end, location, comment };
                return Ok(Change::Say(uid, Saying::Counter(wish)));
            }
            Word::Delegate => {
                let to = Address::in_mail(self.to.as_deref().context("--to says who comes instead")?);
                return Ok(Change::Say(uid, Saying::Delegate { to, instance, comment }));
            }
            Word::Refresh => return Ok(Change::Say(uid, Saying::Refresh)),
            Word::Believe => return Ok(Change::Believe(Waiting { uid, sender })),
            Word::Dismiss => return Ok(Change::Dismiss(Waiting { uid, sender })),
            Word::AcceptProposal | Word::DeclineProposal => anyhow::bail!("--from says whose proposal is meant"),
        };
        let answer = Answer { partstat, instance, comment };
        Ok(Change::Respond(uid, Respond { answer, now: now_millis() / 1_000 }))
    }
}

/// A time that somebody would like better.
fn moment_of(text: &str) -> anyhow::Result<Moment> {
    parse_basic_format(text).with_context(|| {
        format!("{text:?} is no time; write 20260701T210000, 20260701T210000Z or, for whole days, 20260701")
    })
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

    /// What the command line says, or how it fails; some options are checked after it is taken apart.
    fn parsed(line: &str) -> Result<bool, clap::Error> {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            arguments: Arguments,
        }
        let words = ["respond", "--user", "b@x", "u1"].into_iter().chain(line.split(' '));
        <Line as clap::Parser>::try_parse_from(words).map(|line| line.arguments.check().is_ok())
    }

    #[test]
    fn an_option_that_the_word_has_no_use_for_is_refused() {
        for line in [
            "accept --comment late",
            "counter --start 20400601T080000 --end 20400601T090000Z --location Inn --instance 20400601",
            "delegate --to c@x --instance 20400601T080000",
            "delegate --delegate c@x",
            "refresh",
            "accept-proposal --from c@x",
            "dismiss",
        ] {
            assert_eq!(parsed(line).ok(), Some(true), "{line}");
        }
        for line in ["accept --start 20400601", "refresh --comment x", "accept --from c@x", "counter --to c@x"] {
            assert_eq!(parsed(line).ok(), Some(false), "{line}");
        }
        for line in ["delegate", "accept-proposal", "decline-proposal", "counter --start tomorrow"] {
            assert_eq!(parsed(line).map_err(|error| error.exit_code()).err(), Some(2), "{line}");
        }
    }
}
