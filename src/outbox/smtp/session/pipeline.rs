//! Everything up to the content said at once, to a server that takes it so (RFC 2920): a mail then waits for the server twice,
//! and not once for each command.
//!
//! | the server says | what happens |
//! |---|---|
//! | no to MAIL | its replies to the rest are read and mean nothing |
//! | no to some recipients | the others get the mail |
//! | that there are too many, and yes to a later one | the later one gets this mail, the former another transaction |
//! | no to all recipients, and go ahead to DATA | the connection is given up: it waits for content that is nobody's |

use lettre::transport::smtp::commands::{Data, Mail};

use super::{Opened, Reply, Session, hung_up, is_too_many, outcome, within};
use crate::itip::Address;
use crate::outbox::limits::PIPELINED_MAX;
use crate::outbox::smtp::{Refusal, Reports, SmtpError};

/// The replies to some commands, in their order; fewer when the server has hung up.
type Replies = Vec<Result<lettre::transport::smtp::response::Response, Refusal>>;

impl Session {
    /// The dialogue up to the content, with as few waits as there can be.
    pub(super) async fn open_at_once(
        &mut self,
        mail: Mail,
        recipients: &[Address],
        reports: Reports<'_>,
    ) -> Result<Opened, SmtpError> {
        let (now, later) = recipients.split_at(recipients.len().min(self.recipients_max));
        let rcpts: Vec<_> = now.iter().map(|to| self.rcpt(to, reports)).collect();
        let asked = rcpts.iter().flatten().map(ToString::to_string);
        let commands: Vec<String> = std::iter::once(mail.to_string()).chain(asked).chain([Data.to_string()]).collect();
        self.is_dirty = true;
        let mut replies = self.ask_all(&commands).await?.into_iter();
        if let Err(refusal) = replies.next().unwrap_or_else(|| Err(hung_up())) {
            self.give_up_content(replies.nth(commands.len() - 2));
            return Ok(Opened::refused(recipients, &refusal));
        }
        let mut opened = Opened { recipients: Vec::with_capacity(now.len()), untried: Vec::new(), go_ahead: None };
        for (to, rcpt) in now.iter().zip(rcpts) {
            let reply = rcpt.and_then(|_| replies.next().unwrap_or_else(|| Err(hung_up())));
            let outcome = outcome(reply);
            match opened.is_anyone_left() && is_too_many(&outcome) {
                true => opened.untried.push(to.clone()),
                false => opened.recipients.push((to.clone(), outcome)),
            }
        }
        opened.untried.extend_from_slice(later);
        match opened.is_anyone_left() {
            true => opened.go_ahead = replies.next(),
            false => self.give_up_content(replies.next()),
        }
        Ok(opened)
    }

    /// Sends commands in groups and reads the reply to each.
    async fn ask_all(&mut self, commands: &[String]) -> Result<Replies, SmtpError> {
        let mut replies = Vec::with_capacity(commands.len());
        for group in commands.chunks(PIPELINED_MAX) {
            let first = self.ask(group.concat()).await?;
            replies.push(first);
            for _ in group.iter().skip(1) {
                if self.is_closing {
                    break;
                }
                replies.push(self.next_reply().await?);
            }
            let is_refused = replies.first().is_some_and(Result::is_err);
            if self.is_closing || is_refused {
                break;
            }
        }
        Ok(replies)
    }

    async fn next_reply(&mut self) -> Reply {
        let reply = within(self.timeout, self.connection.read_response()).await;
        self.understood(reply)
    }

    /// The server may have agreed to take the content of a mail that nobody gets.
    fn give_up_content(&mut self, go_ahead: Option<Result<lettre::transport::smtp::response::Response, Refusal>>) {
        self.is_closing |= go_ahead.is_some_and(|reply| reply.is_ok());
    }
}
