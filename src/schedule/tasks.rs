//! The tasks of the checks that are run now, and what becomes of them when the configuration changes.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use tokio::{
    sync::watch,
    time::{self, Duration},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    cron::{self, Wake, Woken},
    every::Rhythm,
    runner::Runner,
};
use crate::check::{Check, Timing};

/// One task for each check.
#[derive(Debug)]
pub(super) struct Tasks {
    runner: Runner,
    tracker: TaskTracker,
    stop: CancellationToken,
    running: HashMap<String, Running>,
    /// Ends the waking of the present cron checks.
    waking: CancellationToken,
}

/// A check's task: it takes what the check has become at its next start.
#[derive(Debug)]
struct Running {
    check: watch::Sender<Arc<Check>>,
    /// For a cron check, what wakes it.
    wake: Option<Wake>,
    stop: CancellationToken,
}

// === impl Tasks ===

impl Tasks {
    /// No task yet; all end with `stop`.
    pub(super) fn new(runner: Runner, stop: &CancellationToken) -> Self {
        let (tracker, stop) = (TaskTracker::new(), stop.child_token());
        Self { runner, tracker, waking: stop.child_token(), stop, running: HashMap::new() }
    }

    /// From now on runs these checks. One that was there keeps its schedule unless its timing is another; one that is
    /// gone ends with the run that is in flight.
    pub(super) fn apply(&mut self, checks: Vec<Arc<Check>>) {
        let (count, kept): (_, HashSet<String>) = (checks.len(), checks.iter().map(|check| check.id.clone()).collect());
        self.running.retain(|id, running| kept.contains(id) || running.end());
        for check in checks {
            let goes_on = |running: &Running| running.check.borrow().timing == check.timing;
            match self.running.get(&check.id) {
                Some(running) if goes_on(running) => {
                    running.check.send_replace(check);
                }
                Some(running) => {
                    running.end();
                    self.start(check, count);
                }
                None => self.start(check, count),
            }
        }
        self.wake();
    }

    /// Waits until every task has ended: after the stop.
    pub(super) async fn ended(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }

    fn start(&mut self, check: Arc<Check>, count: usize) {
        let (id, timing, stop) = (check.id.clone(), check.timing.clone(), self.stop.child_token());
        let identity = identity(&check);
        let (sender, checks) = watch::channel(check);
        let runner = self.runner.clone();
        let wake = match timing {
            Timing::Every(period) => {
                let rhythm = Rhythm::new(&identity, period, runner.wall.clone());
                self.tracker.spawn(at_a_rate(checks, rhythm, count, runner, stop.clone()));
                None
            }
            Timing::Cron { expression, zone } => {
                let (wake, woken) = cron::pair(&expression, zone);
                self.tracker.spawn(when_woken(checks, woken, runner, stop.clone()));
                Some(wake)
            }
        };
        self.running.insert(id, Running { check: sender, wake, stop });
    }

    /// Wakes the cron checks that there are now, and no others.
    fn wake(&mut self) {
        self.waking.cancel();
        self.waking = self.stop.child_token();
        let wakes: Vec<Wake> = self.running.values().filter_map(|running| running.wake.clone()).collect();
        if !wakes.is_empty() {
            self.tracker.spawn(wake_until_stopped(wakes, self.waking.clone()));
        }
    }
}

// === impl Running ===

impl Running {
    /// No start any more; false, so that it is not kept.
    fn end(&self) -> bool {
        self.stop.cancel();
        false
    }
}

/// Two locations do not hit one target together.
fn identity(check: &Check) -> String {
    format!("{}\n{}", check.tags.get("location").map_or("", String::as_str), check.id)
}

async fn at_a_rate(
    checks: watch::Receiver<Arc<Check>>,
    rhythm: Rhythm,
    count: usize,
    runner: Runner,
    stop: CancellationToken,
) {
    let (mut due, mut missed) = (rhythm.first(count), 0);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = time::sleep_until(due.at) => {}
        }
        let check = checks.borrow().clone();
        runner.burst(&check, due, missed, &stop).await;
        (due, missed) = rhythm.after(due);
    }
}

async fn when_woken(checks: watch::Receiver<Arc<Check>>, mut woken: Woken, runner: Runner, stop: CancellationToken) {
    loop {
        let next = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            next = woken.next() => next,
        };
        let Some((due, missed)) = next else { return };
        let check = checks.borrow().clone();
        runner.burst(&check, due, missed, &stop).await;
    }
}

/// A cron scheduler that fails is started again: checks that fall silent would be taken for well.
async fn wake_until_stopped(wakes: Vec<Wake>, stop: CancellationToken) {
    while let Err(error) = cron::drive(&wakes, stop.clone()).await {
        tracing::error!(%error, "the cron scheduler failed, and is started again");
        tokio::select! {
            () = time::sleep(Duration::from_secs(1)) => {}
            () = stop.cancelled() => return,
        }
    }
}
