//! When checks run. The only room that spawns runs.
//!
//! Each check has one task: it waits for its next start (`every`, `cron`), runs (`runner`), and reports before it waits
//! again, so no check overlaps itself and a slow target delays nobody else. A late start and starts left out are said on
//! the run; they are never hidden in its spans.

mod clock;
mod cron;
mod every;
mod once;
mod phase;
mod pulse;
mod runner;
mod tasks;

use std::{sync::Arc, time::Duration};

use tokio::{sync::mpsc, time};
use tokio_util::sync::CancellationToken;

use self::tasks::Tasks;
pub use self::{
    clock::WallClock,
    once::once,
    pulse::{Disturbance, Pulse},
    runner::Runner,
};
use crate::check::Check;

/// Runs checks at their times.
#[derive(Debug)]
pub struct Schedule {
    checks: Vec<Arc<Check>>,
    runner: Runner,
}

// === impl Schedule ===

impl Schedule {
    /// A schedule of these checks; nothing starts yet.
    pub const fn new(checks: Vec<Arc<Check>>, runner: Runner) -> Self {
        Self { checks, runner }
    }

    /// Runs until `stop`; then no run begins, and those in flight get `grace` before they are cut off. Returns when the
    /// last has been reported. What comes from `changes` takes the place of the checks: those that were there before
    /// keep their schedule.
    pub async fn run(self, mut changes: mpsc::Receiver<Vec<Arc<Check>>>, stop: CancellationToken, grace: Duration) {
        let Self { checks, runner } = self;
        let (pulse, cut) = (runner.pulse.clone(), runner.cut.clone());
        let mut tasks = Tasks::new(runner, &stop);
        tasks.apply(checks);
        let running = async {
            loop {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => break,
                    Some(checks) = changes.recv() => tasks.apply(checks),
                }
            }
            if time::timeout(grace, tasks.ended()).await.is_err() {
                cut.cancel();
            }
            tasks.ended().await;
        };
        tokio::select! {
            () = running => {}
            () = pulse.beat() => {}
        }
    }
}
