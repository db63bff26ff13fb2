//! Waiting for mail: IDLE, or NOOP at intervals.

use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::error::MailboxError;
use super::session::{News, Session};
use super::wire::{Command, Step, garbage};

/// Why waiting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdleEnd {
    /// Mail has arrived in the open folder; or it may have, for a server may tell the same count again.
    NewMail,
    /// The server has told of other folders, and perhaps of the open one.
    Elsewhere,
    /// The time was over.
    Timeout,
    /// Somebody woke us.
    Woken,
}

impl News {
    fn is_any(&self) -> bool {
        self.arrived || self.elsewhere
    }

    /// The news so far, as the end of a wait.
    fn take(&mut self) -> Option<IdleEnd> {
        match (std::mem::take(&mut self.arrived), std::mem::take(&mut self.elsewhere)) {
            (_, true) => Some(IdleEnd::Elsewhere),
            (true, false) => Some(IdleEnd::NewMail),
            (false, false) => None,
        }
    }
}

impl Session {
    /// Waits for mail in the open folder, at most for `max` or until `wake` is there.
    ///
    /// RFC 2177 §3 advises to end an IDLE after 29 minutes at the latest. Where the server has no IDLE, it is asked with
    /// NOOP at the interval of [`Timing::poll`](super::Timing). Mail that was announced in an answer to an earlier command
    /// ends the wait before it begins. A server that closes the connection is an error.
    pub async fn idle(&mut self, max: Duration, wake: impl Future<Output = ()>) -> Result<IdleEnd, MailboxError> {
        if let Some(end) = self.news.take() {
            return Ok(end);
        }
        let until = Instant::now() + max;
        let end = if self.capabilities().has("IDLE") {
            self.wait(until, pin!(wake)).await?
        } else {
            self.poll(until, pin!(wake)).await?
        };
        // What came while the wait was being ended counts as well.
        Ok(self.news.take().unwrap_or(end))
    }

    async fn poll(
        &mut self,
        until: Instant,
        mut wake: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<IdleEnd, MailboxError> {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            tokio::select! {
                () = &mut wake => return Ok(IdleEnd::Woken),
                () = sleep(left.min(self.wire.timing.poll)) => {}
            }
            self.noop().await?;
            if let Some(end) = self.news.take() {
                return Ok(end);
            }
            if Instant::now() >= until {
                return Ok(IdleEnd::Timeout);
            }
        }
    }

    /// IDLE, a wait, DONE, and its tagged answer.
    async fn wait(
        &mut self,
        until: Instant,
        wake: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<IdleEnd, MailboxError> {
        let command = Command::open("IDLE");
        let tag = self.wire.begin(&command).await?;
        let news = &mut self.news;
        loop {
            match self.wire.step(&tag, &command, &mut |response| news.note(response)).await? {
                Step::Data => {}
                Step::Continue => break,
                Step::Done => return Err(garbage(&command.name, "OK before it began")),
            }
        }
        let end = self.listen(&tag, &command, until, wake).await?;
        self.wire.send("DONE", "DONE").await?;
        let news = &mut self.news;
        loop {
            match self.wire.step(&tag, &command, &mut |response| news.note(response)).await? {
                Step::Data | Step::Continue => {}
                Step::Done => return Ok(end),
            }
        }
    }

    async fn listen(
        &mut self,
        tag: &str,
        command: &Command,
        until: Instant,
        mut wake: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<IdleEnd, MailboxError> {
        while !self.news.is_any() {
            let news = &mut self.news;
            let mut note = |response: &imap_proto::Response<'_>| news.note(response);
            tokio::select! {
                () = &mut wake => return Ok(IdleEnd::Woken),
                () = sleep_until(until) => return Ok(IdleEnd::Timeout),
                step = self.wire.step_unhurried(tag, command, &mut note) => match step? {
                    Step::Data | Step::Continue => {}
                    Step::Done => return Err(garbage(&command.name, "the server ended it by itself")),
                },
            }
        }
        Ok(IdleEnd::NewMail)
    }
}
