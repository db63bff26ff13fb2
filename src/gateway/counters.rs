//! What has happened since the daemon started, counted for the metrics.

use prometheus::{IntCounter, IntCounterVec, Opts, Registry};

use crate::ledger::DecisionRecord;

/// All counters, and the registry that tells them.
#[derive(Clone, Debug)]
pub struct Counters {
    pub registry: Registry,
    decisions: IntCounterVec,
    pub pushes: Pushes,
    answer_pages: IntCounterVec,
}

/// What became of pushes.
#[derive(Clone, Debug)]
pub struct Pushes {
    /// A mailbox was looked at.
    pub rung: IntCounter,
    /// Nobody here is meant.
    pub unknown: IntCounter,
    /// The token was wrong.
    pub refused: IntCounter,
}

impl Default for Counters {
    fn default() -> Self {
        Self::new()
    }
}

impl Counters {
    /// All at zero.
    pub fn new() -> Self {
        let registry = Registry::new();
        let decisions = counter(&registry, "imipd_decisions_total", "Calendars decided about.", &["verdict", "reason"]);
        let pushes = counter(&registry, "imipd_pushes_total", "Pushes of mail servers.", &["outcome"]);
        let outcome = |name: &str| pushes.with_label_values(&[name]);
        let pushes = Pushes { rung: outcome("rung"), unknown: outcome("unknown"), refused: outcome("refused") };
        let help = "Requests for the page at which an invitation is answered.";
        let answer_pages = counter(&registry, "imipd_answer_pages_total", help, &["outcome"]);
        Self { registry, decisions, pushes, answer_pages }
    }

    /// Counts a request for the page at which an invitation is answered, by its outcome.
    pub fn count_answer_page(&self, outcome: &'static str) {
        self.answer_pages.with_label_values(&[outcome]).inc();
    }

    /// Counts a decision. Verdict and reason are names from our own code, never from a mail, so there are few of them.
    pub fn count_decision(&self, record: &DecisionRecord) {
        self.decisions.with_label_values(&[record.verdict.as_str(), record.reason.as_str()]).inc();
    }
}

fn counter(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    let counter = IntCounterVec::new(Opts::new(name, help), labels).expect("constant names that Prometheus takes");
    registry.register(Box::new(counter.clone())).expect("each name is registered once");
    counter
}
