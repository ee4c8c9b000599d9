//! Builds the daemon from its configuration, connecting nothing; then runs it until it is stopped.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{
    check::Check,
    report::Sinks,
    schedule::{Pulse, Runner, Schedule, ScheduleError, WallClock},
    trace::Tracing,
};

/// How long sinks may take to deliver what is left after the last run.
const DELIVERY: Duration = Duration::from_secs(5);

/// The daemon, ready to run.
#[derive(Debug)]
pub struct App {
    schedule: Schedule,
    sinks: Arc<Sinks>,
    grace: Duration,
}

// === impl App ===

impl App {
    /// A daemon that runs these checks; runs in flight get `grace` when it is stopped.
    ///
    /// # Errors
    /// More checks than can be scheduled.
    pub fn new(checks: Vec<Check>, tracing: Tracing, sinks: Sinks, grace: Duration) -> Result<Self, ScheduleError> {
        let sinks = Arc::new(sinks);
        let runner = runner(tracing, sinks.clone());
        let schedule = Schedule::new(checks.into_iter().map(Arc::new).collect(), runner)?;
        Ok(Self { schedule, sinks, grace })
    }

    /// Runs until `stop`, ends what is in flight, and delivers it; false if something could not be delivered.
    pub async fn run(self, stop: CancellationToken) -> bool {
        self.schedule.run(stop, self.grace).await;
        self.sinks.flush(DELIVERY).await
    }
}

/// What runs need, on the system's clocks.
pub fn runner(tracing: Tracing, sinks: Arc<Sinks>) -> Runner {
    let wall = WallClock::default();
    Runner { tracing, sinks, pulse: Pulse::new(wall.clone()), wall, cut: CancellationToken::new() }
}
