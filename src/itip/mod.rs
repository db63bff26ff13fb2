//! The iTIP engine: pure, deterministic, with a reason for every decision (RFC 5546).
//!
//! Two questions are answered here: what does a message do to the calendar of the user who got it ([`receive`]), and
//! what is owed to whom when a user changes a calendar of their own ([`announce`]). Nothing in this folder reads a
//! clock, a file or the network.

pub mod address;
pub mod announce;
pub mod busy;
pub mod change;
pub mod component;
pub mod decision;
pub mod delivery;
pub mod instance;
pub mod limits;
pub mod method;
pub mod object;
pub mod receive;
pub mod recurrence;
pub mod revision;
pub mod scenario;
pub mod summary;
pub mod text;
pub mod time;
pub mod zone;

pub use address::Address;
pub use announce::{Author, Role};
pub use decision::{Announcement, Decision, Outgoing, Reason, Refusal, Verdict};
pub use instance::InstanceKey;
pub use method::Method;
pub use object::{CalUid, CalendarObject, Kind};
pub use receive::{Admission, Context, Held, ItipMessage, PartyCrashers, Policy, Publications, receive};
pub use revision::{Revision, Revisions, Sequence};
