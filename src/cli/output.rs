//! Printing for people and for scripts.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

/// Prints a value as JSON, one document.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

/// Prints text as it is.
pub fn text(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Prints lines of a mail or a calendar: as they are to a program, and to a terminal without what would steer it.
pub fn verbatim(text: &str) -> anyhow::Result<()> {
    if !io::stdout().is_terminal() {
        return self::text(text);
    }
    let lines: Vec<String> = text.lines().map(printable).collect();
    self::text(&format!("{}\n", lines.join("\n")))
}

/// The most characters of a cell that has others behind it; one long name must not push the rest out of sight, and
/// `format!` panics at a width of 65,536.
const CELL_CHARS_MAX: usize = 80;

/// Prints rows in columns, with a heading.
///
/// The last column is never shortened: it holds what is copied from here, such as the UID.
pub fn table(heading: &[&str], rows: &[Vec<String>]) -> anyhow::Result<()> {
    text(&columns(heading, rows))
}

fn columns(heading: &[&str], rows: &[Vec<String>]) -> String {
    let last = heading.len().saturating_sub(1);
    let heading: Vec<String> = heading.iter().map(|&name| name.to_owned()).collect();
    let shown = |row: &Vec<String>| -> Vec<String> {
        row.iter()
            .enumerate()
            .map(|(column, cell)| if column < last { shortened(cell) } else { printable(cell) })
            .collect()
    };
    let rows: Vec<Vec<String>> = std::iter::once(&heading).chain(rows).map(shown).collect();
    let widths: Vec<usize> = (0..last).map(|column| width(column, &rows)).chain([0]).collect();
    let mut out = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        out.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        out.push('\n');
    }
    out
}

fn width(column: usize, rows: &[Vec<String>]) -> usize {
    rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
}

/// A cell of at most [`CELL_CHARS_MAX`] characters.
fn shortened(cell: &str) -> String {
    let is_long = cell.chars().nth(CELL_CHARS_MAX).is_some();
    let kept = cell.chars().take(if is_long { CELL_CHARS_MAX - 1 } else { CELL_CHARS_MAX });
    printable(&kept.chain(is_long.then_some('…')).collect::<String>())
}

/// A cell on one line: what mail brings must not steer a terminal, nor pass for a line of ours.
pub fn printable(cell: &str) -> String {
    cell.chars().map(|c| if c.is_control() || steers_text(c) { ' ' } else { c }).collect()
}

/// Whether a character ends a line or turns the direction of those after it (Unicode Annex #9 §2).
fn steers_text(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: [&str; 3]) -> Vec<String> {
        cells.map(str::to_owned).to_vec()
    }

    #[test]
    fn a_cell_of_a_megabyte_does_not_break_the_table() {
        let long = "x".repeat(1_000_000);
        let table = columns(&["SUMMARY", "FROM", "UID"], &[row([&long, "a@example.com", "u1"])]);
        assert!(table.lines().all(|line| line.chars().count() < 120), "{} bytes", table.len());
        assert!(table.contains("x…  a@example.com  u1\n"));
    }

    #[test]
    fn the_last_cell_of_a_row_is_whole() {
        let uid = "u".repeat(70_000);
        let table = columns(&["SUMMARY", "FROM", "UID"], &[row(["Lunch", "a", &uid]), row(["Tea", "b", "u2"])]);
        assert_eq!(table, format!("SUMMARY  FROM  UID\nLunch    a     {uid}\nTea      b     u2\n"));
    }

    #[test]
    fn what_a_mail_brings_stays_on_its_line_and_steers_no_terminal() {
        assert_eq!(printable("a\nb\x1b[2J\u{9b}31m\u{202e}c\u{2028}d"), "a b [2J 31m c d");
    }
}
