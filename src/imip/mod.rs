//! Calendar in mail, pure: what a mail brings, and how a mail that we owe is written (RFC 6047).
//!
//! `extract` reads raw mail into an [`Email`]; `compose` writes a [`Letter`] as a mail. iCalendar passes through
//! as text: what it means is the engine's business. Nothing here opens, waits, logs or asks for the time.

pub mod answer;
pub mod authentication_results;
pub mod bounce;
pub mod charset;
pub mod compose;
pub mod email;
pub mod extract;
pub mod facts;
pub mod feed;
mod fields;
pub mod heading;
pub mod language;
pub mod limits;
pub mod lines;
pub mod lookalike;
pub mod mail_link;
mod mailboxes;
mod mime;
pub mod not_taken;
pub mod notice;
pub mod proof;
pub mod question;
pub mod quirk;
pub mod recurrence;
pub mod sender;
pub mod signature;
mod structure;
pub mod token;
pub mod trace;
pub mod visit;
pub mod wording;

pub use answer::{PlainAnswer, Remark, plain_answer, remark};
pub use bounce::{Bounce, Failure};
pub use compose::{ComposeError, ComposedMail, Letter, Mailbox, Origin, compose};
pub use email::{AutoSubmitted, CalendarPart, Email, NoCalendar};
pub use extract::{FetchedPart, extract, extract_fetched};
pub use facts::{Answer, Earlier, Facts, Links, Occasion, Scope, When};
pub use heading::Heading;
pub use language::Language;
pub use mail_link::{MailLink, Tag, tag_in};
pub use not_taken::{NotTaken, NotTakenNote, compose_not_taken};
pub use notice::{Undelivered, compose_undelivered};
pub use proof::{Claim, Doubt, Evidence, Exception, Proof, ProofRules, Speaker, prove};
pub use question::{Asks, Conflict, Conflicts, Question, compose_question};
pub use quirk::{Quirk, mend};
pub use recurrence::Recurrence;
pub use sender::{Finding, Sender};
pub use signature::{Lack, Signature};
pub use token::{Purpose, Token};
pub use trace::{Trace, TraceField};
pub use wording::{Bodies, OverrideFault, OverrideFile, Wording};
