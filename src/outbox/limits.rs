//! Limits of what is sent and of what a server may say, in one place.

use std::time::Duration;

/// The time over which mails are counted for the rate limits.
pub const RATE_WINDOW: Duration = Duration::from_secs(3_600);

/// Octets that a server may say without being asked anew. lettre has none for a line without end, and reads a reply of many
/// lines from its beginning with each of them.
pub const REPLY_OCTETS_MAX: usize = 16 * 1024;

/// Characters of a reply that are kept.
pub const REPLY_CHARS_MAX: usize = 500;

/// Commands that are said at once. Their replies must fit into what a server may say without being asked anew, and neither side
/// may have to wait until the other one reads (RFC 2920 §3.1).
pub const PIPELINED_MAX: usize = 20;
