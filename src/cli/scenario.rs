//! `imipd scenario`: scenario files, on the engine alone.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;
use similar::TextDiff;

use super::output;
use crate::itip::scenario::{EngineHost, Script, StepReport, run};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The PRODID that the engine's messages carry.
    #[arg(long, value_name = "TEXT", default_value = crate::PRODID, allow_hyphen_values = true)]
    prodid: String,
    /// Print a line per step: file, line, command, passed, actual.
    #[arg(long)]
    json: bool,
    /// The scenario files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// A step in the JSON output; the names are a promise to scripts.
#[derive(Debug, Serialize)]
struct Line<'a> {
    file: &'a Path,
    line: usize,
    command: &'a str,
    passed: bool,
    actual: &'a str,
}

impl Arguments {
    pub fn execute(self) -> anyhow::Result<()> {
        let mut failed = 0;
        for file in &self.files {
            failed += usize::from(!self.play(file)?);
        }
        match failed {
            0 => Ok(()),
            1 => anyhow::bail!("one scenario failed"),
            several => anyhow::bail!("{several} scenarios failed"),
        }
    }

    /// Plays one file and prints how it went; false when a step failed.
    fn play(&self, file: &Path) -> anyhow::Result<bool> {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let script = Script::parse(&text).with_context(|| file.display().to_string())?;
        let reports = run(&script, &mut EngineHost::new(&self.prodid));
        let passed = reports.iter().all(|report| report.passed);
        if self.json {
            for report in &reports {
                let StepReport { line, command, passed, actual, .. } = report;
                let line = Line { file, line: *line, command, passed: *passed, actual };
                output::text(&format!("{}\n", serde_json::to_string(&line)?))?;
            }
            return Ok(passed);
        }
        let verdict = if passed { "passed" } else { "FAILED" };
        output::text(&format!("{verdict}  {} ({} steps)\n", file.display(), reports.len()))?;
        for report in reports.iter().filter(|report| !report.passed) {
            output::text(&describe(file, report))?;
        }
        Ok(passed)
    }
}

fn describe(file: &Path, report: &StepReport) -> String {
    let mut text = format!("{}:{}: {} {}\n", file.display(), report.line, report.command, report.title);
    if let Some(trouble) = &report.trouble {
        text += &format!("  {trouble}\n");
        return text;
    }
    let diff = TextDiff::from_lines(&report.expected, &report.actual);
    text += &diff.unified_diff().context_radius(3).header("expected", "actual").to_string();
    text
}
