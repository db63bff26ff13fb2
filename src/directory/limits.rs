//! Limits on what a source of users may give, in one place.

use std::time::Duration;

/// Rows of one source.
pub const ROWS_MAX: usize = 100_000;

/// Bytes of one row.
pub const ROW_BYTES_MAX: usize = 64 * 1024;

/// Bytes of all rows of one source.
pub const SOURCE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Time for one source to tell all of its rows.
pub const SOURCE_TIMEOUT: Duration = Duration::from_secs(60);
