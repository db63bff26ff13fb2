//! Limits on checking signatures, in one place.

use std::time::Duration;

/// Signatures of the domain of From that are looked at, the topmost first; honest mail has one or two.
pub const SIGNATURES_MAX: usize = 4;

/// Names of fields that one signature may list; honest ones list some twenty. Each is looked for in the whole header.
pub const SIGNED_FIELDS_MAX: usize = 200;

/// TXT records of one name that are tried. RFC 6376 §3.6.2.2 allows one.
pub const RECORDS_MAX: usize = 4;

/// Keys that are remembered for as long as the DNS says.
pub const KEYS_MAX: u64 = 1_000;

/// How long an answer of the DNS is remembered at most: a key that is there, and that there is none.
pub const KEY_LASTS: Duration = Duration::from_secs(60 * 60);
pub const ABSENCE_LASTS: Duration = Duration::from_secs(60);

/// How long one question to a name server may take, and how often it is asked again.
pub const QUESTION_TIMEOUT: Duration = Duration::from_secs(2);
pub const QUESTIONS_AGAIN: usize = 1;

/// How long a mail waits for the DNS.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How much may be waited in vain within a time; after that a mail waits only as long as an answer usually takes.
///
/// Whoever has a domain whose name servers are silent could hold up a mailbox with a thousand mails else.
pub const WAITING_MAX: Duration = Duration::from_secs(30);
pub const WAITING_PERIOD: Duration = Duration::from_secs(10 * 60);
pub const SHORT_PATIENCE: Duration = Duration::from_millis(400);
