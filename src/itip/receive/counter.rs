//! COUNTER and DECLINECOUNTER: an attendee proposes, the organizer disposes (RFC 5546 §3.2.7, §3.2.8).
//!
//! | message | we are | the sender is | what happens |
//! |---|---|---|---|
//! | COUNTER | the organizer | an attendee, or who acts for one | kept as a proposal; never applied by itself |
//! | COUNTER | the organizer | the same, but there is no such instance | refused |
//! | COUNTER | the organizer | anybody else | refused |
//! | COUNTER | not the organizer | | refused |
//! | DECLINECOUNTER | an attendee | the organizer | noted; nothing changes |
//! | DECLINECOUNTER | an attendee | anybody else | refused |
//! | DECLINECOUNTER | holding nothing | | refused |

use super::standing::{attendee_of_sender, held_by_organizer, organizer_as_sender};
use super::{Context, ItipMessage, Known};
use crate::itip::decision::{Decision, Reason, Refusal};
use crate::itip::instance::InstanceKey;
use crate::itip::recurrence::instance_of;

pub(super) fn counter(held: Known<'_>, message: &ItipMessage, context: Context<'_>) -> Result<Decision, Refusal> {
    let stored = held_by_organizer(held, &message.object, context)?;
    // RFC 5546 §3.2.7 has ATTENDEE as 0+: who proposes has to come from the mail.
    attendee_of_sender(stored, context.sender)?;
    let is_known = |key| key == InstanceKey::Master || stored.get(key).is_some() || instance_of(stored, key).is_some();
    if !message.object.keys().map(|key| stored.on_series_clock(key)).all(is_known) {
        return Err(Refusal::EventNotFound);
    }
    Ok(Decision::proposed(Reason::CounterProposal))
}

pub(super) fn decline_counter(
    held: Known<'_>,
    message: &ItipMessage,
    context: Context<'_>,
) -> Result<Decision, Refusal> {
    if held.object.is_none() {
        return Err(Refusal::EventNotFound);
    }
    organizer_as_sender(held, &message.object, context)?;
    Ok(Decision::unchanged(Reason::CounterDeclined))
}
