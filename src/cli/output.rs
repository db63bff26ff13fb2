//! Printing for people and for scripts.

use std::io::{self, Write};

use serde::Serialize;

/// Prints a value as JSON, one document.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
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

/// Prints rows in columns, with a heading.
pub fn table(heading: &[&str], rows: &[Vec<String>]) -> anyhow::Result<()> {
    let heading: Vec<String> = heading.iter().map(|&name| name.to_owned()).collect();
    let widths: Vec<usize> = (0..heading.len()).map(|column| width(column, &heading, rows)).collect();
    let mut out = String::new();
    for row in std::iter::once(&heading).chain(rows) {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{:<width$}", printable(cell)));
        out.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        out.push('\n');
    }
    text(&out)
}

fn width(column: usize, heading: &[String], rows: &[Vec<String>]) -> usize {
    std::iter::once(heading)
        .chain(rows.iter().map(Vec::as_slice))
        .filter_map(|row| row.get(column))
        .map(|cell| printable(cell).chars().count())
        .max()
        .unwrap_or(0)
}

/// A cell on one line: what mail brings must not steer a terminal.
pub fn printable(cell: &str) -> String {
    cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
