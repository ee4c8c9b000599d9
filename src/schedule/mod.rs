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

use std::{sync::Arc, time::Duration};

use thiserror::Error;
use tokio::time;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use self::{
    clock::WallClock,
    once::once,
    pulse::{Disturbance, Pulse},
    runner::Runner,
};
use self::{
    cron::{Wake, Woken},
    every::Rhythm,
};
use crate::check::{Check, Timing};

/// More cron checks than this get second starts from tokio-cron-scheduler.
const MOST_CRON: usize = 10_000;

/// Runs checks at their times.
#[derive(Debug)]
pub struct Schedule {
    checks: Vec<Arc<Check>>,
    runner: Runner,
}

/// Why checks cannot be scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ScheduleError {
    /// The cron scheduler does not carry so many.
    #[error("{0} checks have a `cron` expression, and at most {MOST_CRON} can: give the others `every`")]
    TooManyCron(usize),
}

// === impl Schedule ===

impl Schedule {
    /// A schedule of these checks; nothing starts yet.
    ///
    /// # Errors
    /// More checks than can be scheduled.
    pub fn new(checks: Vec<Arc<Check>>, runner: Runner) -> Result<Self, ScheduleError> {
        let cron = checks.iter().filter(|check| matches!(check.timing, Timing::Cron { .. })).count();
        if cron > MOST_CRON {
            return Err(ScheduleError::TooManyCron(cron));
        }
        Ok(Self { checks, runner })
    }

    /// Runs until `stop`; then no run begins, and those in flight get `grace` before they are cut off. Returns when the
    /// last has been reported.
    pub async fn run(self, stop: CancellationToken, grace: Duration) {
        let Self { checks, runner } = self;
        let (tasks, count, mut wakes) = (TaskTracker::new(), checks.len(), Vec::new());
        for check in checks {
            match check.timing.clone() {
                Timing::Every(period) => {
                    let rhythm = Rhythm::new(&identity(&check), period, runner.wall.clone());
                    tasks.spawn(at_a_rate(check, rhythm, count, runner.clone(), stop.clone()));
                }
                Timing::Cron { expression, zone } => {
                    let (wake, woken) = cron::pair(&expression, zone);
                    wakes.push(wake);
                    tasks.spawn(when_woken(check, woken, runner.clone(), stop.clone()));
                }
            }
        }
        tasks.close();
        let waking = wake_until_stopped(wakes, stop.clone());
        let ended = async {
            stop.cancelled().await;
            if time::timeout(grace, tasks.wait()).await.is_err() {
                runner.cut.cancel();
            }
            tasks.wait().await;
        };
        tokio::select! {
            ((), ()) = async { tokio::join!(ended, waking) } => {}
            () = runner.pulse.beat() => {}
        }
    }
}

/// Two locations do not hit one target together.
fn identity(check: &Check) -> String {
    format!("{}\n{}", check.tags.get("location").map_or("", String::as_str), check.id)
}

async fn at_a_rate(check: Arc<Check>, rhythm: Rhythm, count: usize, runner: Runner, stop: CancellationToken) {
    let (mut due, mut missed, mut failed) = (rhythm.first(count), 0, false);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = time::sleep_until(due.at) => {}
        }
        failed = runner.burst(&check, due, missed, failed, &stop).await;
        (due, missed) = rhythm.after(due);
    }
}

async fn when_woken(check: Arc<Check>, mut woken: Woken, runner: Runner, stop: CancellationToken) {
    let mut failed = false;
    loop {
        let next = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            next = woken.next() => next,
        };
        let Some((due, missed)) = next else { return };
        failed = runner.burst(&check, due, missed, failed, &stop).await;
    }
}

/// A cron scheduler that fails is started again: checks that fall silent would be taken for well.
async fn wake_until_stopped(wakes: Vec<Wake>, stop: CancellationToken) {
    if wakes.is_empty() {
        return;
    }
    let wakes = Arc::new(wakes);
    while let Err(error) = cron::drive(wakes.clone(), stop.clone()).await {
        tracing::error!(%error, "the cron scheduler failed, and is started again");
        tokio::select! {
            () = time::sleep(Duration::from_secs(1)) => {}
            () = stop.cancelled() => return,
        }
    }
}
