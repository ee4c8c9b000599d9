//! Reports to the terminal, as they come.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use probe_core::{BoxFuture, Verdict};

use super::{json::json, line::line, terminal::Terminal, tree::tree};
use crate::report::{
    Report, Sink,
    sentry::{Settings, envelopes},
};

/// Prints each run.
#[derive(Debug)]
pub(super) struct Printer {
    terminal: Terminal,
    style: Style,
}

/// How a run is printed.
#[derive(Debug)]
pub(super) enum Style {
    /// As a tree.
    Tree,
    /// As a JSON object on a line.
    Json,
    /// As the envelopes that this Sentry would receive.
    Envelope(Box<Settings>),
    /// As a line; as a tree when it is a check's first, or not up.
    Brief(Mutex<HashSet<String>>),
}

// === impl Printer ===

impl Printer {
    pub(super) const fn new(terminal: Terminal, style: Style) -> Self {
        Self { terminal, style }
    }
}

impl Sink for Printer {
    fn name(&self) -> &'static str {
        "terminal"
    }

    fn report(&self, report: &Report) {
        let text = match &self.style {
            Style::Tree => tree(&self.terminal, report) + "\n",
            Style::Json => json(report) + "\n",
            Style::Envelope(settings) => envelopes(settings, report)
                .iter()
                .map(|envelope| String::from_utf8_lossy(&envelope.bytes).trim_end().to_owned() + "\n\n")
                .collect(),
            Style::Brief(seen) => {
                let first = seen.lock().unwrap_or_else(PoisonError::into_inner).insert(report.check.id.clone());
                if first || report.outcome.verdict != Verdict::Up {
                    tree(&self.terminal, report)
                } else {
                    line(&self.terminal, report) + "\n"
                }
            }
        };
        self.terminal.print(&text);
    }

    fn flush(&self, _: Duration) -> BoxFuture<'_, bool> {
        Box::pin(std::future::ready(true))
    }
}
