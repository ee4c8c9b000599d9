//! One run, from its start to its report.

use std::{sync::Arc, time::Duration};

use probe_core::{FailureClass, Outcome, Run, Verdict, run_probe};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    clock::{Due, WallClock},
    pulse::{Disturbance, Pulse},
};
use crate::{
    check::Check,
    report::{Report, Sinks, Start},
    trace::Tracing,
};

/// What every run needs; clones share it.
#[derive(Clone, Debug)]
pub struct Runner {
    /// What traces have in common.
    pub tracing: Tracing,
    /// Where reports go.
    pub sinks: Arc<Sinks>,
    /// When starts are planned.
    pub wall: WallClock,
    /// Whether this process stood still.
    pub pulse: Pulse,
    /// Cuts off the runs in flight.
    pub cut: CancellationToken,
}

// === impl Runner ===

impl Runner {
    /// All runs of one start, one after the other; `stop` ends it before the next. Whether the last run `failed` goes in
    /// and comes out.
    pub(super) async fn burst(
        &self,
        check: &Arc<Check>,
        due: Due,
        missed: u64,
        mut failed: bool,
        stop: &CancellationToken,
    ) -> bool {
        let mut start = Start { planned: due.planned, lag: due.at.elapsed(), missed };
        for _ in 0..check.burst {
            if stop.is_cancelled() {
                break;
            }
            failed = match self.run(check, start, failed).await {
                Verdict::Up => false,
                Verdict::Down(_) => true,
                // It says nothing of the target: what was known of it stands.
                Verdict::Inconclusive(_) => failed,
            };
            start = Start { planned: self.wall.now(), lag: Duration::ZERO, missed: 0 };
        }
        failed
    }

    /// One run, and whether the one before it `failed`; what it found has been reported when this returns.
    pub(super) async fn run(&self, check: &Arc<Check>, start: Start, failed: bool) -> Verdict {
        let propagation = self.tracing.begin_after(&check.title, failed);
        let trace_id = propagation.trace_id;
        let begun = Instant::now();
        let run = Run { timeout: check.timeout, propagation, stop: self.cut.cancelled() };
        // In a box of its own: a check that waits for its next start keeps nothing of the last.
        let mut outcome = Box::pin(run_probe(&*check.probe, run)).await;
        self.excuse(&mut outcome, begun);
        let verdict = outcome.verdict.clone();
        self.sinks.report(Report { check: check.clone(), trace_id, start, after_failure: failed, outcome });
        verdict
    }

    /// A run that was disturbed on our side says nothing of its target.
    fn excuse(&self, outcome: &mut Outcome, begun: Instant) {
        let Verdict::Down(failure) = &mut outcome.verdict else { return };
        let Some(disturbance) = self.pulse.since(begun) else { return };
        // What a target answered stands, however late we looked; what hangs on time does not.
        if failure.class == FailureClass::Timeout || matches!(disturbance, Disturbance::ClockJumped(_)) {
            failure.message = format!("{disturbance} during this run, which ended so: {}", failure.message);
            failure.class = FailureClass::Internal;
            outcome.verdict = Verdict::Inconclusive(failure.clone());
        }
    }
}
