//! Runs in the log: what is not up always, what is up where nothing else tells of it.

use std::time::Duration;

use probe_core::{BoxFuture, Verdict};

use super::{Report, Sink};

/// Writes a line a run through `tracing`.
#[derive(Clone, Copy, Debug)]
pub struct LogSink {
    /// Whether runs that are up are logged at `info` too, not only at `debug`.
    pub all: bool,
}

// === impl LogSink ===

impl Sink for LogSink {
    fn name(&self) -> &'static str {
        "log"
    }

    fn report(&self, report: &Report) {
        let Report { check, trace_id, start, outcome, .. } = report;
        let duration_ms = millis(outcome.tree.duration());
        let (title, lag_ms) = (&check.title, millis(start.lag));
        match &outcome.verdict {
            Verdict::Up if self.all => tracing::info!(title, %trace_id, duration_ms, "up"),
            Verdict::Up => tracing::debug!(title, %trace_id, duration_ms, "up"),
            Verdict::Down(failure) => {
                let class = failure.class.as_str();
                // Where nothing else tells of the run.
                let reproduce = failure.reproduce.as_deref().filter(|_| self.all);
                tracing::warn!(title, %trace_id, duration_ms, class, reproduce, "down: {}", failure.message);
            }
            Verdict::Inconclusive(failure) => {
                tracing::warn!(title, %trace_id, duration_ms, lag_ms, "inconclusive: {}", failure.message);
            }
        }
        if start.missed > 0 {
            tracing::warn!(
                title,
                missed = start.missed,
                lag_ms,
                "starts were left out: the run before, or this machine, took too long"
            );
        }
    }

    fn flush(&self, _: Duration) -> BoxFuture<'_, bool> {
        Box::pin(std::future::ready(true))
    }
}

/// Milliseconds with a tenth, as people read them.
fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}
