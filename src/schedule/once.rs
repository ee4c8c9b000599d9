//! Each check once: side by side, reports in the order in which they end.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use probe_core::Verdict;
use tokio::time::{self, Instant};
use tokio_util::sync::CancellationToken;

use super::Runner;
use crate::{check::Check, report::Start};

/// Starts in a millisecond, at most: more at one instant would wait for each other, and their times would show it.
const AT_ONCE: u64 = 20;

/// Runs each check once, at most `jobs` at a time, each `burst` aside; `stop` leaves out those that have not begun.
pub async fn once(
    checks: &[Arc<Check>],
    runner: &Runner,
    jobs: usize,
    stop: &CancellationToken,
) -> Vec<Option<Verdict>> {
    let begun = Instant::now();
    let run = |(number, check): (u64, &Arc<Check>)| {
        let (check, runner, stop) = (check.clone(), runner.clone(), stop.clone());
        async move {
            time::sleep_until(begun + Duration::from_millis(number / AT_ONCE)).await;
            if stop.is_cancelled() {
                return None;
            }
            let start = Start { planned: runner.wall.now(), lag: Duration::ZERO, missed: 0 };
            // A task of its own, so that all cores take part.
            tokio::spawn(async move { runner.run(&check, start, false).await }).await.ok()
        }
    };
    let beating = async {
        runner.pulse.beat().await;
    };
    let running = stream::iter((0..).zip(checks).map(run)).buffer_unordered(jobs.max(1)).collect();
    tokio::select! {
        verdicts = running => verdicts,
        () = beating => Vec::new(),
    }
}
