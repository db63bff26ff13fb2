//! The mail by which an organizer learns of an answer that was given on a page: a REPLY in their own mailbox, as if it had come.
//!
//! It comes from the organizer's own address, since we may not write in the attendee's name, and names the attendee beside it.

use crate::config::User;
use crate::gateway::in_words::instance_of;
use crate::gateway::letter::{Author, facts};
use crate::gateway::limits::ANSWERS_TOLD_MAX;
use crate::gateway::notice::NOTE;
use crate::gateway::{Gateway, GatewayError, now_millis};
use crate::imip::{ComposeError, ComposedMail, Letter, Mailbox, Occasion, Origin, compose};
use crate::itip::component::ComponentExt;
use crate::itip::summary::{self, Participants, Summary};
use crate::itip::{Address, CalendarObject, Method, Outgoing};
use crate::ledger::{Debt, Transaction};

const HOUR_MILLIS: i64 = 60 * 60 * 1_000;

impl Gateway {
    /// Enters the mail that tells the organizer what an attendee has answered; the same answer is told once.
    pub(super) async fn tell_organizer(
        &self,
        transaction: &mut Transaction,
        organizer: &User,
        (attendee, reply): (&Address, CalendarObject),
    ) -> Result<(), GatewayError> {
        let since = now_millis() - HOUR_MILLIS;
        let from = (attendee.as_str(), "authenticated");
        // Who cannot make up their mind fills no mailbox.
        if transaction.count_from(organizer.key(), from, since, ANSWERS_TOLD_MAX).await? >= ANSWERS_TOLD_MAX {
            return Ok(());
        }
        let references = transaction.thread(organizer.key(), &reply.uid().0).await?.message_ids;
        let mail = match self.reply_to_self(organizer, (attendee, reply), references) {
            Ok(Some(mail)) => mail,
            Ok(None) => return Ok(()),
            Err(error) => {
                tracing::warn!(user = organizer.key(), %error, "an answer cannot be told to its organizer");
                return Ok(());
            }
        };
        let own = organizer.main_address().to_string();
        let debt = Debt {
            user: organizer.key().to_owned(),
            // In no thread, so that it keeps no update back; and when it does not arrive, nobody is told of that.
            cal_uid: String::new(),
            message_id: mail.message_id,
            sender: own.clone(),
            recipients: vec![own],
            method: NOTE.to_owned(),
            subject: mail.subject,
            raw: mail.raw,
            dtstamp: 0,
            created_at: now_millis(),
        };
        transaction.owe(&debt).await?;
        Ok(())
    }

    fn reply_to_self(
        &self,
        organizer: &User,
        (attendee, reply): (&Address, CalendarObject),
        references: Vec<String>,
    ) -> Result<Option<ComposedMail>, ComposeError> {
        let calendar = reply.to_text();
        let Some(component) = reply.principal() else { return Ok(None) };
        let Some(party) = component.attendees().find(|party| party.is(attendee)) else { return Ok(None) };
        let Some(partstat) = party.partstat().cloned() else { return Ok(None) };
        let name = party.name().map_or_else(|| attendee.to_string(), str::to_owned);
        let sequence = u64::try_from(component.sequence().0).unwrap_or(0);
        let instance = instance_of(&reply);
        let occasion = summary::Occasion::Rsvp(partstat);
        let summary = Summary::new(occasion, component, reply.zones(), Participants::Shown);
        let own = organizer.main_address().clone();
        let to = vec![own.clone()];
        let outgoing = Outgoing { from: attendee.clone(), to, method: Method::Reply, summary, object: reply };
        let author = Author { name: None, ..Author::from(organizer) };
        let letter = Letter {
            from: Mailbox { address: own.clone(), name: Some(name) },
            sender: None,
            to: vec![Mailbox { address: own, name: organizer.name.clone() }],
            language: organizer.language,
            method: Method::Reply,
            calendar: &calendar,
            component: outgoing.object.kind().as_str(),
            occasion: Occasion::Reply,
            facts: facts(&outgoing, author, None),
            uid: &outgoing.object.uid().0,
            instance: (!instance.is_empty()).then_some(instance.as_str()),
            sequence,
            in_reply_to: None,
            references,
            date: now_millis() / 1_000,
            origin: Origin::Generated,
        };
        compose(&letter, &self.wording).map(Some)
    }
}
