//! What leaves the house: reports, and the sinks they go to.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use probe_core::{BoxFuture, Outcome, TraceId};

use crate::{check::Check, redact::Redactor};

pub mod log;
pub mod metrics;
pub mod sentry;

/// One finished run, as every sink sees it: secrets masked.
#[derive(Clone, Debug)]
pub struct Report {
    /// What ran.
    pub check: Arc<Check>,
    /// The trace of this run.
    pub trace_id: TraceId,
    /// How the run came to start.
    pub start: Start,
    /// Whether the target was down when it was last known how it is.
    pub after_failure: bool,
    /// What it left.
    pub outcome: Outcome,
}

/// How a run came to start: a late start is the prober's fault, never the target's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// When it should have started.
    pub planned: SystemTime,
    /// How much later it did.
    pub lag: Duration,
    /// Starts of this check that were left out since the run before, because that one, or the machine, took too long.
    pub missed: u64,
}

/// Where reports go.
pub trait Sink: fmt::Debug + Send + Sync {
    /// Its name in the log.
    fn name(&self) -> &'static str;

    /// Hands one report on. Never blocks: what cannot be taken at once is queued, or dropped and counted.
    fn report(&self, report: &Report);

    /// Waits until all is delivered, at most `limit`; false if something was left.
    fn flush(&self, limit: Duration) -> BoxFuture<'_, bool>;
}

/// All sinks as one, behind the gate where secrets are masked.
#[derive(Debug)]
pub struct Sinks {
    redactor: Redactor,
    sinks: Vec<Box<dyn Sink>>,
}

// === impl Sinks ===

impl Sinks {
    /// All these sinks; what `redactor` knows reaches none of them.
    pub fn new(redactor: Redactor, sinks: Vec<Box<dyn Sink>>) -> Self {
        Self { redactor, sinks }
    }

    /// Masks the report and hands it to every sink.
    pub fn report(&self, mut report: Report) {
        mask(&self.redactor, &mut report.outcome);
        self.sinks.iter().for_each(|sink| sink.report(&report));
    }

    /// Waits for every sink at once, at most `limit`; false if one of them left something.
    pub async fn flush(&self, limit: Duration) -> bool {
        let flushed = futures_util::future::join_all(self.sinks.iter().map(|sink| sink.flush(limit))).await;
        flushed.into_iter().all(|all| all)
    }
}

/// Masks what the configuration holds, and what became known only in this run.
fn mask(redactor: &Redactor, outcome: &mut Outcome) {
    match std::mem::take(&mut outcome.secrets) {
        none if none.is_empty() => mask_by(redactor, outcome),
        learnt => mask_by(&redactor.with(learnt), outcome),
    }
}

fn mask_by(redactor: &Redactor, outcome: &mut Outcome) {
    for span in &mut outcome.tree.spans {
        redactor.redact_string(&mut span.description);
        span.data.iter_mut().for_each(|(_, value)| redactor.redact_json(value));
    }
    if let Some(failure) = outcome.verdict.failure_mut() {
        failure.texts_mut().for_each(|text| redactor.redact_cut(text, false));
        if let Some(excerpt) = failure.excerpt.as_mut().filter(|excerpt| excerpt.truncated) {
            redactor.redact_cut(&mut excerpt.body, true);
        }
    }
}
