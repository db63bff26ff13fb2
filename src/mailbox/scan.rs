//! Watches the octets of a server's stream for what must not reach the parser. Pure.
//!
//! Two scanners, because they need different kinds of certainty. [`Framing`] follows lines and literals and refuses
//! what is too long; a server can lead it astray, and then the count of octets per response still holds.
//! [`Nesting`] must not be led astray, for its failure would overflow the stack and end the process. So it assumes
//! nothing about framing: it starts at every `BODYSTRUCTURE (`, wherever it stands, as imap-proto itself might.

use super::error::LimitExceeded;
use super::limits::{LINE_BYTES_MAX, LITERAL_BYTES_MAX, NESTING_MAX};

/// Both scanners over one stream.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    framing: Framing,
    nesting: Nesting,
}

impl Scanner {
    /// Looks at the next octets; an error means that none of them may be handed on.
    pub(super) fn feed(&mut self, octets: &[u8]) -> Result<(), LimitExceeded> {
        self.framing.feed(octets)?;
        self.nesting.feed(octets)
    }

    /// Whether the next octet begins a line.
    pub(super) fn is_between_lines(&self) -> bool {
        self.framing.state == FramingState::Line && self.framing.head.is_empty()
    }
}

/// Follows lines and literals. RFC 3501 §2.2 and §4.3.
#[derive(Debug, Default)]
struct Framing {
    state: FramingState,
    /// Octets since the last CRLF that was not followed by a literal.
    line_bytes: usize,
    /// The first octets of the line: enough to tell `* PREAUTH` from `* 1 FETCH`.
    head: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum FramingState {
    #[default]
    Line,
    Quoted,
    Escaped,
    /// Within `{`; the number so far.
    Announcing(u64),
    /// Behind `}`.
    Announced(u64),
    /// Behind `}` and CR.
    AnnouncedCr(u64),
    /// Within a literal; the octets that remain.
    Literal(u64),
}

/// Octets of a line that are kept to know its kind.
const HEAD_BYTES: usize = 10;

impl Framing {
    fn feed(&mut self, mut octets: &[u8]) -> Result<(), LimitExceeded> {
        while let Some((&octet, rest)) = octets.split_first() {
            if let FramingState::Literal(remaining) = self.state {
                (self.state, octets) = skip(remaining, octets);
                continue;
            }
            if self.head.len() < HEAD_BYTES {
                self.head.push(octet);
            }
            self.state = self.after(octet)?;
            let dull = if self.head.len() < HEAD_BYTES { 0 } else { self.dull_octets(rest) };
            self.line_bytes += 1 + dull;
            if self.line_bytes > LINE_BYTES_MAX {
                return Err(LimitExceeded::Line(LINE_BYTES_MAX));
            }
            octets = rest.get(dull..).unwrap_or_default();
        }
        Ok(())
    }

    /// How many of the next octets change nothing; most do not, and are passed over quickly.
    fn dull_octets(&self, octets: &[u8]) -> usize {
        let dull = match self.state {
            FramingState::Line => octets.iter().position(|octet| matches!(octet, b'"' | b'{' | b'\n')),
            FramingState::Quoted => octets.iter().position(|octet| matches!(octet, b'"' | b'\\' | b'\n')),
            _ => Some(0),
        };
        dull.unwrap_or(octets.len())
    }

    fn after(&mut self, octet: u8) -> Result<FramingState, LimitExceeded> {
        use FramingState as State;
        let next = match (self.state, octet) {
            (State::AnnouncedCr(length), b'\n') => return self.open_literal(length),
            (_, b'\n') => {
                self.line_bytes = 0;
                self.head.clear();
                State::Line
            }
            (State::Quoted, b'\\') => State::Escaped,
            (State::Escaped, _) | (State::Quoted, 0..=33 | 35..=91 | 93..) => State::Quoted,
            (State::Quoted, b'"') => State::Line,
            (State::Announcing(length), b'0'..=b'9') => {
                State::Announcing(length.saturating_mul(10).saturating_add(u64::from(octet - b'0')))
            }
            (State::Announcing(length), b'}') => State::Announced(length),
            (State::Announced(length), b'\r') => State::AnnouncedCr(length),
            (_, b'"') => State::Quoted,
            (_, b'{') => State::Announcing(0),
            _ => State::Line,
        };
        Ok(next)
    }

    fn open_literal(&mut self, length: u64) -> Result<FramingState, LimitExceeded> {
        if self.is_text() {
            // RFC 3501 §9 resp-text: free text up to the end of the line; braces there announce nothing.
            self.line_bytes = 0;
            self.head.clear();
            return Ok(FramingState::Line);
        }
        if length > LITERAL_BYTES_MAX {
            return Err(LimitExceeded::Literal(length));
        }
        Ok(if length == 0 { FramingState::Line } else { FramingState::Literal(length) })
    }

    /// Whether the line is one that ends in free text: tagged, a continuation, or an untagged status.
    fn is_text(&self) -> bool {
        let Some(untagged) = self.head.strip_prefix(b"* ") else { return true };
        let word = untagged.split(|octet| *octet == b' ').next().unwrap_or_default();
        [&b"OK"[..], b"NO", b"BAD", b"BYE", b"PREAUTH"].iter().any(|status| status.eq_ignore_ascii_case(word))
    }
}

/// Passes over what of a literal is here.
fn skip(remaining: u64, octets: &[u8]) -> (FramingState, &[u8]) {
    let skipped = usize::try_from(remaining).unwrap_or(usize::MAX).min(octets.len());
    let left = remaining - skipped as u64;
    let state = if left == 0 { FramingState::Line } else { FramingState::Literal(left) };
    (state, octets.get(skipped..).unwrap_or_default())
}

/// Counts parentheses behind every `BODYSTRUCTURE (`, in literals and quoted strings as well.
///
/// imap-proto takes an attribute that it cannot parse for an unknown one and goes on behind the next `)`, which may lie
/// within what is a literal for everybody else. Whether it will is hard to foresee; so every place where its
/// recursion could begin is followed, from there with the same reading of strings as the parser's own.
#[derive(Debug, Default)]
struct Nesting {
    /// The last octets, in lower case, as many as [`TRIGGER`] has.
    recent: [u8; TRIGGER.len()],
    active: Vec<StructureScan>,
}

const TRIGGER: &[u8; 14] = b"bodystructure ";

/// Structures within strings of structures that are followed at once; nobody honest has two.
const SCANS_MAX: usize = 8;

impl Nesting {
    fn feed(&mut self, octets: &[u8]) -> Result<(), LimitExceeded> {
        let mut from = 0;
        while let Some(at) = self.next_open(octets, from) {
            self.run(octets.get(from..=at).unwrap_or_default())?;
            if self.follows_trigger(octets, at) {
                if self.active.len() == SCANS_MAX {
                    return Err(LimitExceeded::Nesting(NESTING_MAX));
                }
                self.active.push(StructureScan { depth: 1, state: FramingState::Line });
            }
            from = at + 1;
        }
        self.run(octets.get(from..).unwrap_or_default())?;
        self.remember(octets);
        Ok(())
    }

    fn next_open(&self, octets: &[u8], from: usize) -> Option<usize> {
        octets.get(from..)?.iter().position(|octet| *octet == b'(').map(|at| from + at)
    }

    fn run(&mut self, octets: &[u8]) -> Result<(), LimitExceeded> {
        if self.active.is_empty() {
            return Ok(());
        }
        let mut failed = false;
        self.active.retain_mut(|scan| match scan.run(octets) {
            Progress::Goes => true,
            Progress::Ended => false,
            Progress::TooDeep => {
                failed = true;
                false
            }
        });
        if failed { Err(LimitExceeded::Nesting(NESTING_MAX)) } else { Ok(()) }
    }

    /// Whether the octets before `at`, from this chunk and the one before, are the trigger.
    fn follows_trigger(&self, octets: &[u8], at: usize) -> bool {
        let here = octets.get(at.saturating_sub(TRIGGER.len())..at).unwrap_or_default();
        if here.last().is_some_and(|octet| *octet != b' ') {
            return false;
        }
        let earlier = self.recent.get(here.len()..).unwrap_or_default();
        earlier.iter().chain(here).zip(TRIGGER).all(|(octet, wanted)| octet.eq_ignore_ascii_case(wanted))
    }

    fn remember(&mut self, octets: &[u8]) {
        let kept = octets.len().min(self.recent.len());
        self.recent.rotate_left(kept);
        let keep_from = self.recent.len() - kept;
        for (slot, octet) in self.recent.iter_mut().skip(keep_from).zip(octets.iter().skip(octets.len() - kept)) {
            *slot = *octet;
        }
    }
}

/// One body structure, behind its first parenthesis up to the matching one or to what cannot stand in a structure.
#[derive(Debug)]
struct StructureScan {
    depth: u32,
    state: FramingState,
}

enum Progress {
    Goes,
    Ended,
    TooDeep,
}

impl StructureScan {
    fn run(&mut self, mut octets: &[u8]) -> Progress {
        use FramingState as State;
        while let Some((&octet, rest)) = octets.split_first() {
            if let State::Literal(remaining) = self.state {
                (self.state, octets) = skip(remaining, octets);
                continue;
            }
            match self.step(octet) {
                Progress::Goes => octets = rest,
                end => return end,
            }
            if self.state == State::Quoted {
                let end = rest.iter().position(|octet| matches!(octet, b'"' | b'\\' | b'\r' | b'\n' | 0));
                octets = rest.get(end.unwrap_or(rest.len())..).unwrap_or_default();
            }
        }
        Progress::Goes
    }

    fn step(&mut self, octet: u8) -> Progress {
        use FramingState as State;
        self.state = match (self.state, octet) {
            (State::Quoted, b'\\') => State::Escaped,
            (State::Quoted, b'"') => State::Line,
            (State::Quoted, b'\r' | b'\n' | 0) => return Progress::Ended,
            (State::Quoted | State::Escaped, _) => State::Quoted,
            (State::Announcing(length), b'0'..=b'9') => {
                State::Announcing(length.saturating_mul(10).saturating_add(u64::from(octet - b'0')))
            }
            (State::Announcing(length), b'}') => State::Announced(length),
            (State::Announced(length), b'\r') => State::AnnouncedCr(length),
            (State::AnnouncedCr(0), b'\n') => State::Line,
            (State::AnnouncedCr(length), b'\n') => State::Literal(length),
            (State::Line, b'(') => return self.deeper(),
            (State::Line, b')') => {
                self.depth = self.depth.saturating_sub(1);
                return if self.depth == 0 { Progress::Ended } else { Progress::Goes };
            }
            (State::Line, b'"') => State::Quoted,
            (State::Line, b'{') => State::Announcing(0),
            (State::Line, b' ' | b'0'..=b'9' | b'N' | b'I' | b'L' | b'n' | b'i' | b'l') => State::Line,
            // The parser cannot go on here either.
            _ => return Progress::Ended,
        };
        Progress::Goes
    }

    fn deeper(&mut self) -> Progress {
        self.depth += 1;
        if self.depth > NESTING_MAX { Progress::TooDeep } else { Progress::Goes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `stream` in pieces of several sizes, which must not make a difference.
    fn scan(stream: &[u8]) -> Result<(), LimitExceeded> {
        let whole = Scanner::default().feed(stream);
        for size in [1, 2, 7, 4096] {
            let mut scanner = Scanner::default();
            let pieces = stream.chunks(size).try_for_each(|piece| scanner.feed(piece));
            assert_eq!(pieces, whole, "in pieces of {size}");
        }
        whole
    }

    fn nested(depth: usize) -> String {
        "(".repeat(depth) + &")".repeat(depth)
    }

    #[test]
    fn ordinary_responses_pass() {
        let stream = concat!(
            "* OK [CAPABILITY IMAP4rev1] ready (really) {99999999}\r\n",
            "* 1 FETCH (UID 7 BODYSTRUCTURE (\"TEXT\" \"PLAIN\" (\"NAME\" \"a (((\\\" {9}\") NIL NIL \"7BIT\" 3 1))\r\n",
            "* 2 FETCH (UID 8 BODY[] {5}\r\n((\"\r\n BODY[1] {0}\r\n)\r\n",
            "A1 OK done {5000000000}\r\n",
        );
        assert_eq!(scan(stream.as_bytes()), Ok(()));
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let line = "* CAPABILITY".to_owned() + &" A".repeat(LINE_BYTES_MAX / 2);
        assert_eq!(scan(line.as_bytes()), Err(LimitExceeded::Line(LINE_BYTES_MAX)));
    }

    #[test]
    fn a_long_literal_is_not_a_long_line() {
        let literal = "(".repeat(LINE_BYTES_MAX + 1);
        let stream = format!("* 1 FETCH (BODY[] {{{}}}\r\n{literal})\r\n", literal.len());
        assert_eq!(scan(stream.as_bytes()), Ok(()));
    }

    #[test]
    fn a_literal_that_announces_too_much_is_refused() {
        for length in [LITERAL_BYTES_MAX + 1, 4_294_967_295, 4_294_967_296, u64::MAX] {
            let stream = format!("* 1 FETCH (BODY[] {{{length}}}\r\n");
            assert_eq!(scan(stream.as_bytes()), Err(LimitExceeded::Literal(length)));
        }
        let overflowing = format!("* 1 FETCH (BODY[] {{{}}}\r\n", "9".repeat(40));
        assert_eq!(scan(overflowing.as_bytes()), Err(LimitExceeded::Literal(u64::MAX)));
    }

    #[test]
    fn nesting_is_limited_where_a_structure_begins() {
        let structure = |depth| format!("* 1 FETCH (UID 1 BodyStructure {}) \r\n", nested(depth));
        let most = NESTING_MAX as usize;
        assert_eq!(scan(structure(most).as_bytes()), Ok(()));
        assert_eq!(scan(structure(most + 1).as_bytes()), Err(LimitExceeded::Nesting(NESTING_MAX)));
    }

    /// In three quarters of the stack that a worker of tokio has, and in a debug build.
    #[test]
    fn the_parser_survives_what_passes() {
        let leaf = r#"("text" "plain" NIL NIL NIL "7bit" 10 1)"#;
        let message = r#"("message" "rfc822" NIL NIL NIL "7bit" 9 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) "#;
        let most = NESTING_MAX as usize;
        for (open, close) in [("(", " \"mixed\")"), (message, " 20)"), ("(", "")] {
            let structure = format!("{}{leaf}{}", open.repeat(most - 1), close.repeat(most - 1));
            let line = format!("* 1 FETCH (UID 1 BODYSTRUCTURE {structure})\r\n");
            assert_eq!(scan(line.as_bytes()), Ok(()));
            let parse = move || drop(imap_proto::Response::parse(line.as_bytes()));
            let thread = std::thread::Builder::new().stack_size(3 << 19).spawn(parse);
            thread.unwrap().join().unwrap();
        }
    }

    /// imap-proto reads each of these as an unknown attribute followed by a structure.
    #[test]
    fn nesting_cannot_be_hidden_in_a_string() {
        for opening in ["X (\" )", "X ({3000000}\r\n)", "X a{3000000}\r\nb", "BODYSTRUCTURE ({3000000}\r\n)"] {
            let stream = format!("* 1 FETCH ({opening} BODYSTRUCTURE {}) \r\n", nested(2000));
            assert_eq!(scan(stream.as_bytes()), Err(LimitExceeded::Nesting(NESTING_MAX)), "{opening:?}");
        }
    }

    #[test]
    fn a_mail_that_writes_about_structures_is_harmless() {
        let text = "BODYSTRUCTURE (see RFC 3501) ".repeat(200) + &nested(2000);
        let stream = format!("* 1 FETCH (BODY[] {{{}}}\r\n{text})\r\n", text.len());
        assert_eq!(scan(stream.as_bytes()), Ok(()));
    }

    /// What imap-proto takes for a string, an unknown attribute or a structure, in any order.
    const PIECES: [&str; 20] = [
        "BODYSTRUCTURE ",
        "BODYSTRUCTURE (",
        "bodystructure ((((((((((((((((((((((((((((((((",
        "((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((",
        "(",
        ")",
        "\"",
        "\\",
        " ",
        "\r\n",
        "{3}\r\n",
        "{40}\r\n",
        "{3000}\r\n",
        "X (",
        "X a",
        "NIL ",
        "\"a\" \"b\" NIL NIL NIL \"7bit\" 1",
        "(\"a\" \"b\" NIL NIL NIL \"7bit\" 1 NIL NIL NIL ",
        "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 9 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ",
        "* 1 FETCH (",
    ];

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { rng_seed: proptest::test_runner::RngSeed::Fixed(3_501), ..proptest::prelude::ProptestConfig::with_cases(2000) })]

        /// An overflow would end the test's process; a panic of the parser is caught elsewhere.
        #[test]
        fn nothing_that_passes_overflows_the_parsers_stack(
            picked in proptest::collection::vec(0..PIECES.len(), 0..60)
        ) {
            let text = picked.into_iter().filter_map(|index| PIECES.get(index).copied()).collect::<String>();
            let line = format!("* 1 FETCH ({text}))\r\n");
            let mut scanner = Scanner::default();
            let mut passed = 0;
            while let Some(octet) = line.as_bytes().get(passed..=passed) && scanner.feed(octet).is_ok() {
                passed += 1;
            }
            // The connection ends where the guard refuses; the parser has seen all before that.
            let seen = line.into_bytes().into_iter().take(passed).collect::<Vec<_>>();
            let parse = move || drop(imap_proto::Response::parse(&seen));
            let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(parse);
            drop(thread.unwrap().join());
        }
    }
}
