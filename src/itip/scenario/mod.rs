//! The scenario language: a conversation between calendar users as a text file.
//!
//! One runner plays a file on a [`Host`]: on the engine alone ([`EngineHost`]), or live, on real mailboxes. The
//! grammar is written down in tests/scenarios/README.md.

mod canonical;
mod engine_host;
mod laws;
mod render;
mod runner;
mod script;

pub use engine_host::EngineHost;
pub use render::{Rendered, SEPARATOR, render_outgoing};
pub use runner::{Answer, Fidelity, Host, Outcome, StepReport, run};
pub use script::{Command, Script, ScriptError, Setting, Step, Telling};
