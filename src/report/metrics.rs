//! Runs in numbers, for Prometheus.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use probe_core::{BoxFuture, Verdict};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode_registry},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use super::{Report, Sink};

/// Upper bounds of run times, in seconds: from loopback to the usual time limit.
const DURATIONS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

/// Upper bounds of how late runs start, in seconds: a sound prober is in the first.
const LAGS: [f64; 5] = [0.01, 0.1, 0.5, 1.0, 10.0];

/// Counts runs. Clones share the numbers.
#[derive(Clone)]
pub struct MetricsSink {
    /// Up, down, inconclusive.
    verdicts: Arc<[AtomicU64; 3]>,
    runs: Family<RunLabels, Counter>,
    up: Family<CheckLabels, Gauge>,
    durations: Family<KindLabel, Histogram, fn() -> Histogram>,
    lags: Histogram,
    missed: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RunLabels {
    kind: &'static str,
    verdict: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CheckLabels {
    id: String,
    title: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

// === impl MetricsSink ===

impl MetricsSink {
    /// How many runs ended up, down and inconclusive.
    pub fn verdicts(&self) -> [u64; 3] {
        [0, 1, 2].map(|index| self.verdicts[index].load(Ordering::Relaxed))
    }

    /// Forgets which checks are up: some are no longer there.
    pub fn forget(&self) {
        self.up.clear();
    }

    /// Writes the numbers in Prometheus' words.
    ///
    /// # Errors
    /// When `text` takes no more.
    pub fn encode(&self, text: &mut String) -> fmt::Result {
        let mut registry = Registry::with_prefix("sentrynet");
        registry.register("runs", "Runs that ended, by kind of probe and verdict", self.runs.clone());
        let help = "Whether the latest run of a check was up; absent when it was inconclusive";
        registry.register("check_up", help, self.up.clone());
        let help = "How long runs took";
        registry.register_with_unit("run_duration", help, Unit::Seconds, self.durations.clone());
        let help = "How late runs started: the prober's own fault";
        registry.register_with_unit("start_lag", help, Unit::Seconds, self.lags.clone());
        let help = "Starts that were left out because the run before, or the machine, took too long";
        registry.register("missed_starts", help, self.missed.clone());
        encode_registry(text, &registry)
    }
}

impl Default for MetricsSink {
    fn default() -> Self {
        Self {
            verdicts: Arc::default(),
            runs: Family::default(),
            up: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(DURATIONS)),
            lags: Histogram::new(LAGS),
            missed: Counter::default(),
        }
    }
}

impl Sink for MetricsSink {
    fn name(&self) -> &'static str {
        "metrics"
    }

    fn report(&self, report: &Report) {
        let Report { check, start, outcome, .. } = report;
        let (kind, verdict) = (check.kind(), outcome.verdict.as_str());
        self.runs.get_or_create(&RunLabels { kind, verdict }).inc();
        self.durations.get_or_create(&KindLabel { kind }).observe(outcome.tree.duration().as_secs_f64());
        self.lags.observe(start.lag.as_secs_f64());
        self.missed.inc_by(start.missed);
        let labels = CheckLabels { id: check.id.clone(), title: check.title.clone() };
        let index = match outcome.verdict {
            Verdict::Up => {
                self.up.get_or_create(&labels).set(1);
                0
            }
            Verdict::Down(_) => {
                self.up.get_or_create(&labels).set(0);
                1
            }
            Verdict::Inconclusive(_) => {
                self.up.remove(&labels);
                2
            }
        };
        self.verdicts[index].fetch_add(1, Ordering::Relaxed);
    }

    fn flush(&self, _: Duration) -> BoxFuture<'_, bool> {
        Box::pin(std::future::ready(true))
    }
}

impl fmt::Debug for MetricsSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsSink").field("verdicts", &self.verdicts()).finish_non_exhaustive()
    }
}
