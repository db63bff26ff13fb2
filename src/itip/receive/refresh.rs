//! REFRESH: somebody who takes part asks for the current version (RFC 5546 §3.2.6).
//!
//! | we are | the asker is | what happens |
//! |---|---|---|
//! | the organizer | an attendee, or who acts for one | the full REQUEST, unchanged SEQUENCE, to that attendee alone |
//! | the organizer | the same, about what is cancelled as a whole | its CANCEL as it stands, to that attendee alone |
//! | the organizer | the same, with the same question | nothing: it was answered |
//! | the organizer | we ourselves | refused: nobody is written to by themselves |
//! | the organizer | anybody else | refused (RFC 5546 §6.1.6) |
//! | not the organizer | | refused |

use super::standing::{attendee_of_sender, held_by_organizer};
use super::{Context, ItipMessage, Known, sent_at};
use crate::itip::announce::{cancel_of_whole, full_request};
use crate::itip::component::ComponentExt;
use crate::itip::decision::{Decision, Reason, Refusal};

pub(super) fn receive(held: Known<'_>, message: &ItipMessage, context: Context<'_>) -> Result<Decision, Refusal> {
    let stored = held_by_organizer(held, &message.object, context)?;
    let attendee = attendee_of_sender(stored, context.sender)?;
    if context.author.addresses.contains(&attendee) {
        // RFC 6638 §3.2.1: the organizer is sent nothing as an attendee of their own.
        return Err(Refusal::OrganizerIsLocalAddress);
    }
    let asked_at = sent_at(&message.object);
    if held.revisions.refreshed.get(&attendee).is_some_and(|last| asked_at <= *last) {
        return Ok(Decision::unchanged(Reason::NothingNew));
    }
    let mut revisions = held.revisions.clone();
    revisions.refreshed.insert(attendee.clone(), asked_at);
    let is_off = stored.master().is_some_and(ComponentExt::is_cancelled)
        || stored.components().all(|(_, component)| component.is_cancelled());
    let answer = match is_off {
        // Nobody is asked to something that is cancelled (RFC 5546 §3.2.2).
        true => cancel_of_whole(stored, vec![attendee], context.author).ok(),
        false => full_request(stored, vec![attendee], context.author),
    };
    let outgoing = answer.into_iter().collect();
    Ok(Decision { revisions: Some(revisions), outgoing, ..Decision::unchanged(Reason::Refreshed) })
}
