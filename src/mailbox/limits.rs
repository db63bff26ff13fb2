//! Limits on everything that an IMAP server may send, in one place.
//!
//! Ordinary servers and mails stay an order of magnitude below each of them.

use std::time::Duration;

/// Octets of one line of a response, its literals not counted. A BODYSTRUCTURE has some 150 octets per part.
pub const LINE_BYTES_MAX: usize = 1024 * 1024;

/// Octets that one literal may announce. The largest that is asked for is a calendar part.
pub const LITERAL_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Octets of one whole response, literals included: the bound of what the connection's buffer can grow to.
pub const RESPONSE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Levels of parentheses in a BODYSTRUCTURE; a multipart is one level, a mail within the mail two.
///
/// imap-proto recurses. On a thread of 2 MiB it overflows the stack beyond 300 levels in a release build, but
/// already beyond 50 in a debug build.
pub const NESTING_MAX: u32 = 32;

/// Responses before the tagged one that ends a command.
pub const RESPONSES_PER_COMMAND_MAX: usize = 100_000;

/// Octets up to which a mail is fetched whole; a larger one is fetched as header and calendar parts.
pub const WHOLE_MAIL_BYTES_MAX: u32 = 64 * 1024;

/// The same for a mail with a calendar where signatures are checked. Larger ones stay without proof by their signature.
pub const SIGNED_MAIL_BYTES_MAX: u32 = 3 * 1024 * 1024;

/// Octets up to which a mail whose structure is not known is fetched whole.
pub const UNREADABLE_MAIL_BYTES_MAX: u32 = 2 * 1024 * 1024;

/// Octets of one calendar part, as it is encoded in the mail.
pub const CALENDAR_PART_BYTES_MAX: u32 = 2 * 1024 * 1024;

/// Octets of all parts taken from one mail together.
pub const PARTS_BYTES_MAX: u32 = 8 * 1024 * 1024;

/// Parts taken from one mail.
pub const PARTS_MAX: usize = 32;

/// Octets of the header of a mail.
pub const HEADER_BYTES_MAX: u32 = 256 * 1024;

/// Structures that one call returns, so that a mailbox of a million mails needs no more memory than another.
pub const STRUCTURES_MAX: usize = 1000;

/// Structures that one command is meant to bring.
pub const STRUCTURES_WANTED: u32 = 500;

/// Mails that one UID SEARCH looks at: its answer is one line, which must stay below [`LINE_BYTES_MAX`].
pub const SEARCH_WINDOW: u32 = 50_000;

/// Mails of one Message-ID that are looked at.
pub const FOUND_MAX: usize = 10;

/// Mails with one keyword that are looked at in one folder.
pub const TAGGED_MAX: usize = 1_000;

/// Octets of the fields that are asked for along with a structure: of who wrote a mail, and of whom it was written to.
pub const SENDER_FIELDS_BYTES_MAX: usize = 2048;
pub const PEOPLE_FIELDS_BYTES_MAX: usize = 16 * 1024;

/// Sent mails that are looked at for the people they were written to when a mailbox is first seen.
pub const SENT_MAILS_MAX: usize = 5_000;

/// Folders that one LIST may name.
pub const FOLDERS_MAX: usize = 10_000;

/// Octets of a folder's name; one that is longer, or holds control characters, is passed over.
pub const FOLDER_NAME_BYTES_MAX: usize = 1000;

/// Folders of one user that are watched.
pub const FOLDERS_WATCHED_MAX: usize = 50;

/// Mails that one command fetches whole, and the octets of all of them together.
pub const BATCH_MAILS_MAX: usize = 32;
pub const BATCH_BYTES_MAX: u32 = 256 * 1024;

/// Time for the TCP connection and for the TLS handshake, each.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Time until the server's next response, and for writing a command.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// Time after which an IDLE is ended and begun anew: servers end it after 30 minutes. RFC 2177 §3.
pub const RENEW_INTERVAL: Duration = Duration::from_secs(25 * 60);

/// Time between two NOOPs where the server has no IDLE.
pub const POLL_INTERVAL: Duration = Duration::from_secs(60);

/// Octets of a SASL message that are sent within the command; a longer one waits to be asked for.
///
/// Servers limit a line before login to some thousands of octets (Dovecot: 4,096), and tokens are of that length.
pub const INITIAL_RESPONSE_BYTES_MAX: usize = 2000;

/// Responses, challenges among them, that a login may take.
pub const CHALLENGES_MAX: usize = 100;
