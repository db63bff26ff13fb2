//! Limits on what the database keeps and on what is counted in it, in one place.

/// How long a dead letter is kept that nobody takes up again, 90 days.
pub(super) const DEAD_LETTER_KEPT_MILLIS: i64 = 90 * 24 * 60 * 60 * 1_000;

/// How far the recipients of a state are counted for the metrics, so that no scrape reads through years of them.
pub(super) const RECIPIENTS_COUNTED_MAX: i64 = 100_000;

/// Statements that are carried out together.
pub(super) const DELAYED_MAX: usize = 16;

/// Message-IDs in one question; SQLite allows 32,766 values.
pub(super) const MESSAGE_IDS_ASKED_MAX: usize = 500;
