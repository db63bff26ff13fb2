//! Makes a text from outside fit to be shown: one line, nothing that hides, nothing that reverses.

/// The beginning of a text whose direction is its own (U+2068).
pub(super) const ISOLATE: char = '\u{2068}';

/// The end of it (U+2069).
pub(super) const END_ISOLATE: char = '\u{2069}';

/// A text on one line: controls and direction overrides removed, blanks collapsed, cut at `chars_max` characters.
///
/// A direction override makes `moc.elpmaxe` read as `example.com`; no summary needs one.
pub fn one_line(text: &str, chars_max: usize) -> String {
    let mut out = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        let mut kept = word.chars().filter(|c| !is_deceptive(*c)).peekable();
        if !out.is_empty() && kept.peek().is_some() {
            out.push(' ');
        }
        out.extend(kept);
        if out.len() > chars_max.saturating_mul(4) + 4 {
            break;
        }
    }
    cut(&out, chars_max)
}

/// A text for a header field: one line, and no encoded word of somebody else's making.
///
/// A summary of `=?utf-8?q?=0d=0a?=` would be decoded by the reader's program (RFC 2047 §6.2), and not all of them
/// stop at line ends then.
pub fn header_text(text: &str, chars_max: usize) -> String {
    one_line(text, chars_max).replace("=?", "= ?")
}

/// A text of several lines; two blank lines in a row say no more than one. Whether it was cut stands beside it.
pub(in crate::imip) fn lines(text: &str, chars_max: usize) -> (Vec<String>, bool) {
    let shown: String = text.chars().take(chars_max).collect();
    let is_cut = shown.len() < text.len();
    let mut lines: Vec<String> = Vec::new();
    for line in shown.split(['\n', '\u{85}', '\u{2028}', '\u{2029}']) {
        let line = one_line(line, chars_max);
        if !line.is_empty() || lines.last().is_some_and(|last| !last.is_empty()) {
            lines.push(line);
        }
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    (lines, is_cut)
}

/// Shields what stands around a text from its direction, where it has letters that run from right to left.
///
/// Nothing that [`one_line`] has passed can end the shield before its time. Unicode Standard Annex #9, §2.4.
pub(super) fn isolated(text: String) -> String {
    if text.chars().any(is_right_to_left) { format!("{ISOLATE}{text}{END_ISOLATE}") } else { text }
}

/// The text without the shields, for places that do not know them, such as header fields.
pub(super) fn without_isolates(text: &str) -> String {
    text.replace([ISOLATE, END_ISOLATE], "")
}

/// Letters of Hebrew, Arabic, Syriac, Thaana, N'Ko and of the older scripts that run from right to left.
fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

/// Controls that are not seen but change what is read: bidirectional marks, overrides and isolates, line separators,
/// blanks without width, annotations, BOM. Joiners are no such thing: Persian and emoji need them.
fn is_deceptive(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}' | '\u{2029}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// Cuts between characters, and between words when one ends in the last third; three dots show it.
fn cut(text: &str, chars_max: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(chars_max) else { return text.to_owned() };
    let head = text.get(..end).unwrap_or(text);
    let head = match head.rfind(' ') {
        Some(blank) if blank * 3 > head.len() * 2 => head.get(..blank).unwrap_or(head),
        Some(_) | None => head,
    };
    // A joiner or a combining mark at the cut would join with the dots.
    format!("{}...", head.trim_end_matches(['\u{200d}', '\u{fe0f}', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_one_line() {
        assert_eq!(one_line("a\r\nBcc: x@example.com\0\u{202e}b\u{2028}c", 100), "a Bcc: x@example.com b c");
        assert_eq!(one_line(&"word ".repeat(1_000), 24), "word word word word...");
        assert_eq!(one_line(&"😀".repeat(30), 5), format!("{}...", "😀".repeat(5)));
    }

    #[test]
    fn a_shield_cannot_be_opened_from_inside() {
        let name = one_line("\u{2069}\u{202e}ليلى\u{2068}\u{2067}", 100);
        assert_eq!(isolated(name), "\u{2068}ليلى\u{2069}");
        assert_eq!(isolated("Ada".to_owned()), "Ada");
        assert_eq!(without_isolates("\u{2068}ليلى\u{2069} x"), "ليلى x");
    }

    #[test]
    fn blank_lines_are_not_repeated() {
        let (shown, is_cut) = lines("\n\na\r\n\n\n\u{202e}b\n\n", 100);
        assert_eq!((shown, is_cut), (vec!["a".to_owned(), String::new(), "b".to_owned()], false));
        assert_eq!(lines("abcdef", 3), (vec!["abc".to_owned()], true));
    }
}
