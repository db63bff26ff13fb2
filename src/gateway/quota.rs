//! How much is taken: of one sender, for one event, for one user. What goes beyond is refused, and the decision says why.

use super::{Gateway, GatewayError, now_millis};
use crate::calendar::{CalendarStore, Room};
use crate::config::User;
use crate::imip::Speaker;
use crate::itip::component::ComponentExt;
use crate::itip::{ItipMessage, Method};
use crate::ledger::Transaction;

/// A limit that was reached: the stable name of the reason, and the sentence.
pub(super) type Beyond = (&'static str, &'static str);

const HOUR_MILLIS: i64 = 60 * 60 * 1_000;

impl Gateway {
    /// Whether a sender has sent a user more than is taken within an hour.
    ///
    /// What is proven and what is not are counted apart: whoever forges a sender must not silence them.
    pub(super) async fn is_too_much(
        &self,
        transaction: &mut Transaction,
        user: &User,
        speaker: &Speaker,
    ) -> Result<Option<Beyond>, GatewayError> {
        let most = self.config.policy.limits.messages_per_hour;
        let since = now_millis() - HOUR_MILLIS;
        let sender = (speaker.address.as_str(), speaker.proof.name());
        let count = transaction.count_from(user.key(), sender, since, most).await?;
        let text = "Not taken: this sender has sent more within the hour than policy.limits.messages_per_hour allows.";
        Ok((count >= most).then_some(("too-many-messages", text)))
    }

    /// Whether a message goes beyond what is taken for one event or one user.
    pub(super) async fn is_beyond(
        &self,
        transaction: &mut Transaction,
        user: &User,
        message: &ItipMessage,
    ) -> Result<Option<Beyond>, GatewayError> {
        let limits = self.config.policy.limits;
        let most = limits.attendees as usize;
        if message.object.components().any(|(_, component)| component.attendees().nth(most).is_some()) {
            let text = "Not taken: it has more attendees than policy.limits.attendees allows.";
            return Ok(Some(("too-many-attendees", text)));
        }
        let (user, uid) = (user.key(), message.object.uid());
        if message.method == Method::Reply {
            let count = transaction.count_answers(user, &uid.0, limits.answers).await?;
            let text = "Not taken: more answers to this event have come than policy.limits.answers allows.";
            return Ok((count >= limits.answers).then_some(("too-many-answers", text)));
        }
        match self.calendars.room(transaction.connection().await?, (user, uid), limits.objects).await? {
            Room::Held => return Ok(None),
            Room::Free => {}
            Room::None => {
                let text = "Not taken: the calendar holds as many events as policy.limits.objects allows.";
                return Ok(Some(("calendar-full", text)));
            }
        }
        let waiting = transaction.count_waiting(user, limits.waiting).await?;
        let text = "Not taken: as many messages wait for the user as policy.limits.waiting allows.";
        Ok((waiting >= limits.waiting).then_some(("too-many-waiting", text)))
    }
}
