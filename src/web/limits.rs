//! Limits on everything that may come in over HTTP, in one place.

use std::time::Duration;

/// Connections at once; further ones wait in the kernel.
pub(super) const CONNECTIONS_MAX: usize = 256;

/// Octets of the request line and all header fields of a request.
pub(super) const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Header fields of a request.
pub(super) const HEADERS_MAX: usize = 64;

/// Octets of the body of a request. What Dovecot sends has some 300.
pub(super) const BODY_BYTES_MAX: usize = 64 * 1024;

/// Time for the head of a request to come in, a connection that is kept open included.
pub(super) const HEAD_TIMEOUT: Duration = Duration::from_secs(15);

/// Time for a request from its head to its answer.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Time that a connection lasts at most, however busy it is.
pub(super) const CONNECTION_TIME_MAX: Duration = Duration::from_secs(10 * 60);

/// Time for the requests in hand when the daemon is to stop; it has four seconds for everything.
pub(super) const GRACE: Duration = Duration::from_secs(2);

/// Between two lines in the log about refused requests.
pub(super) const COMPLAINT_INTERVAL: Duration = Duration::from_secs(60);

/// Octets of the form by which an invitation is answered.
pub(super) const FORM_BYTES_MAX: usize = 16 * 1024;

/// Fields of such a form, or of a query, that are looked at.
pub(super) const FIELDS_MAX: usize = 16;

/// The time over which attempts are counted.
pub(super) const TRIES_WINDOW: Duration = Duration::from_secs(10 * 60);

/// Links that lead nowhere that one address may try within that time; people mistype, scanners follow what was cut off.
pub(super) const MISSES_MAX: u32 = 20;

/// Requests from one address within that time. Whole companies come from one.
pub(super) const REQUESTS_MAX: u32 = 3_000;

/// Answers at one link within that time: each may be a mail to the organizer.
pub(super) const ANSWERS_MAX: u32 = 20;

/// Addresses and links that are counted at once; beyond, who was quiet for longest is forgotten.
pub(super) const TRIES_KEPT_MAX: usize = 4_096;
