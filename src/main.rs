//! imipd: arguments to commands, nothing else.

use std::process::ExitCode;

use clap::Parser;
use imipd::cli::{Arguments, execute};

fn main() -> ExitCode {
    execute(Arguments::parse())
}
