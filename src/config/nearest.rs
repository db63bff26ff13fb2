//! Guesses which known word a misspelt one was meant to be.

use super::limits::GUESS_CHARS_MAX;

/// The known word with the fewest edits to `word`, when a third of its letters at most would change, or two.
pub(super) fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let letters = word.chars().take(GUESS_CHARS_MAX + 1).count();
    if letters > GUESS_CHARS_MAX {
        return None;
    }
    // Two letters that changed places are two edits; in a word of three that would be nearly any other word.
    let edits_max = if letters < 4 { 1 } else { (letters / 3).max(2) };
    let word = word.to_lowercase();
    let counted = known.map(|known| (edits(&word, &known.to_lowercase()), known));
    counted.filter(|(edits, _)| *edits <= edits_max).min_by_key(|(edits, _)| *edits).map(|(_, known)| known)
}

/// Letters to insert, drop or replace until `a` reads as `b`: the Levenshtein distance, row by row.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (at, letter) in a.chars().enumerate() {
        let mut left = at + 1;
        let mut next = vec![left];
        for (above, other) in row.windows(2).zip(&b) {
            let &[diagonal, above] = above else { continue };
            left = (diagonal + usize::from(letter != *other)).min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_single_edits() {
        for (a, b, expected) in
            [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("hots", "host", 2)]
        {
            assert_eq!(edits(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn only_a_near_word_is_suggested() {
        let known = ["host", "port", "security", "master_password_file"];
        for (word, expected) in [
            ("Port", Some("port")),
            ("hots", Some("host")),
            ("secruity", Some("security")),
            ("master_pasword_file", Some("master_password_file")),
            ("colour", None),
        ] {
            assert_eq!(nearest(word, known.into_iter()), expected, "{word}");
        }
        assert_eq!(nearest(&"x".repeat(1000), known.into_iter()), None);
    }
}
