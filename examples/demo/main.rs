//! A meeting played through between four people, each with a mailbox on a real mail server, with imipd between them.
//!
//! A invites B, C and D to a weekly series; B accepts, C declines, D stays silent; A moves one instance, then cancels.
//! After each act the mails that travelled and the calendars that changed are printed, and everything is compared with
//! what it should be: the exit code is 0 only if all of it is. `--keep` leaves the servers and the daemon running.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};

use series::Series;
use stage::{Check, Stage};
use terminal::Terminal;

mod calendar;
mod series;
mod stage;
mod summary;
mod terminal;

const A: &str = "a@example.com";
const B: &str = "b@example.com";
const C: &str = "c@example.com";
const D: &str = "d@example.com";
const EVERYBODY: [&str; 4] = [A, B, C, D];
const INVITED: [&str; 3] = [B, C, D];

fn main() -> ExitCode {
    let keep = match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => false,
        [option] if option == "--keep" => true,
        _ => {
            eprintln!("usage: demo [--keep]");
            return ExitCode::from(2);
        }
    };
    let terminal = Terminal::new();
    match play(&terminal, keep) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal.failure(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn play(terminal: &Terminal, keep: bool) -> Result<()> {
    let begun = Instant::now();
    let mut stage = Stage::open(terminal)?;
    let series = Series::starting_next_week();
    invite(&mut stage, &series)?;
    accept(&mut stage, &series)?;
    decline(&mut stage, &series)?;
    stay_silent(&mut stage, &series)?;
    move_one_instance(&mut stage, &series)?;
    cancel(&mut stage, &series)?;
    summary::print(&stage, begun.elapsed())?;
    if keep {
        stage.stay_open()?;
    }
    Ok(())
}

fn invite(stage: &mut Stage, series: &Series) -> Result<()> {
    stage.act("A invites B, C and D to a weekly series");
    let file = stage.file("series.ics");
    fs::write(&file, series.text()).with_context(|| format!("writing {}", file.display()))?;
    put(stage, &file)?;
    stage.settle(&series.uid, |check| {
        mails(check, 1, 0, 0);
        for owner in EVERYBODY {
            for attendee in INVITED {
                check.partstat(owner, attendee, "NEEDS-ACTION");
            }
        }
    })
}

fn accept(stage: &mut Stage, series: &Series) -> Result<()> {
    stage.act("B accepts");
    stage.imipd(&["respond", "--user", B, &series.uid, "accept"])?;
    stage.settle(&series.uid, |check| {
        mails(check, 1, 1, 0);
        check.partstat(B, B, "ACCEPTED");
        check.partstat(A, B, "ACCEPTED");
        check.partstat(A, C, "NEEDS-ACTION");
        check.partstat(A, D, "NEEDS-ACTION");
    })
}

fn decline(stage: &mut Stage, series: &Series) -> Result<()> {
    stage.act("C declines");
    stage.imipd(&["respond", "--user", C, &series.uid, "decline"])?;
    stage.settle(&series.uid, |check| {
        mails(check, 1, 2, 0);
        answers_of_all(check);
        if check.holds(C) {
            check.partstat(C, C, "DECLINED");
        }
    })
}

fn stay_silent(stage: &mut Stage, series: &Series) -> Result<()> {
    stage.act("D stays silent; A looks at the answers");
    stage.show(A, &series.uid)?;
    stage.settle(&series.uid, |check| {
        mails(check, 1, 2, 0);
        answers_of_all(check);
        check.partstat(D, D, "NEEDS-ACTION");
    })
}

fn move_one_instance(stage: &mut Stage, series: &Series) -> Result<()> {
    stage.act("A moves the second instance to the next day");
    let text = stage.stored(A, &series.uid)?.context("A's calendar has lost the series")?;
    let file = stage.file("moved.ics");
    fs::write(&file, series.with_second_moved(&text)?).with_context(|| format!("writing {}", file.display()))?;
    put(stage, &file)?;
    stage.settle(&series.uid, |check| {
        // C has declined, and hears of it all the same: at another time C may be free.
        mails(check, 2, 2, 0);
        answers_of_all(check);
        check.partstat(B, B, "ACCEPTED");
        for owner in [A, B, D] {
            check.moved(owner, series.second(), series.moved_to());
        }
        if check.holds(C) {
            check.moved(C, series.second(), series.moved_to());
        }
    })
}

fn cancel(stage: &mut Stage, series: &Series) -> Result<()> {
    stage.act("A cancels the series");
    stage.imipd(&["calendar", "delete", "--user", A, &series.uid])?;
    stage.settle(&series.uid, |check| {
        mails(check, 2, 2, 1);
        check.nothing_stored(A);
        for owner in [B, D] {
            check.cancelled(owner);
        }
        if check.holds(C) {
            check.cancelled(C);
        }
    })
}

/// The mails that must have come in so far: REQUESTs and CANCELs to each who is invited, REPLYs to A; and no others.
fn mails(check: &mut Check, requests: usize, replies: usize, cancels: usize) {
    for user in INVITED {
        check.mails(user, &[("REQUEST", requests), ("CANCEL", cancels)]);
    }
    check.mails(A, &[("REPLY", replies)]);
}

fn answers_of_all(check: &mut Check) {
    check.partstat(A, B, "ACCEPTED");
    check.partstat(A, C, "DECLINED");
    check.partstat(A, D, "NEEDS-ACTION");
}

fn put(stage: &Stage, file: &Path) -> Result<()> {
    let path = file.to_str().context("the temporary folder's name is not UTF-8")?;
    stage.imipd(&["calendar", "put", "--user", A, path]).map(drop)
}
