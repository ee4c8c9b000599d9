//! Each check once: side by side, reports in the order in which they end.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use probe_core::Verdict;
use tokio_util::sync::CancellationToken;

use super::Runner;
use crate::{check::Check, report::Start};

/// Runs each check once, at most `jobs` at a time, each `burst` aside; `stop` leaves out those that have not begun.
pub async fn once(
    checks: &[Arc<Check>],
    runner: &Runner,
    jobs: usize,
    stop: &CancellationToken,
) -> Vec<Option<Verdict>> {
    let run = |check: &Arc<Check>| {
        let (check, runner, stop) = (check.clone(), runner.clone(), stop.clone());
        async move {
            if stop.is_cancelled() {
                return None;
            }
            let start = Start { planned: runner.wall.now(), lag: std::time::Duration::ZERO, missed: 0 };
            // A task of its own, so that all cores take part.
            tokio::spawn(async move { runner.run(&check, start).await }).await.ok()
        }
    };
    let beating = async {
        runner.pulse.beat().await;
    };
    let running = stream::iter(checks.iter().map(run)).buffer_unordered(jobs.max(1)).collect();
    tokio::select! {
        verdicts = running => verdicts,
        () = beating => Vec::new(),
    }
}
