//! REFRESH: somebody who takes part asks for the current version (RFC 5546 §3.2.6).
//!
//! | we are | the asker is | what happens |
//! |---|---|---|
//! | the organizer | an attendee | the full REQUEST with unchanged SEQUENCE, to the asker alone |
//! | the organizer | anybody else | refused (RFC 5546 §6.1.6) |
//! | not the organizer | | refused |

use super::{Context, Held, ItipMessage, held_by_organizer};
use crate::itip::announce::full_request;
use crate::itip::decision::{Decision, Reason, Refusal};

pub(super) fn receive(held: Held<'_>, message: &ItipMessage, context: Context<'_>) -> Result<Decision, Refusal> {
    let stored = held_by_organizer(held, &message.object, context)?;
    if !stored.has_attendee(std::slice::from_ref(context.sender)) {
        return Err(Refusal::UnknownParticipant(context.sender.clone()));
    }
    let request = full_request(stored, vec![context.sender.clone()], context.author);
    let outgoing = request.into_iter().collect();
    Ok(Decision { outgoing, ..Decision::unchanged(Reason::Refreshed) })
}
