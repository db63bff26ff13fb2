//! The bodies of the fuzz targets, as ordinary functions.
//!
//! fuzz/fuzz_targets hands them bytes from libFuzzer, tests/corpus.rs the files of fuzz/corpus. Each panics when
//! something does not hold, and returns quietly on input that is none.

pub mod authentication_results;
pub mod edits;
pub mod held_incoming;
pub mod histories;
pub mod icalendar;
pub mod raw_mail;

/// Bytes as a source of small decisions; after the end everything is 0.
pub struct Choices<'a>(std::slice::Iter<'a, u8>);

impl<'a> Choices<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Self(data.iter())
    }

    pub fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    pub fn byte(&mut self) -> u8 {
        self.0.next().copied().unwrap_or(0)
    }

    /// A number below `most`.
    pub fn below(&mut self, most: usize) -> usize {
        usize::from(self.byte()).checked_rem(most).unwrap_or(0)
    }
}
