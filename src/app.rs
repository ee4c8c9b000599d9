//! Builds the daemon from its configuration, connecting nothing; then runs it until it is stopped.

use std::{io, path::Path, sync::Arc, time::Duration};

use thiserror::Error;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    check::Check,
    redact::Redactor,
    report::{
        Sinks,
        sentry::{
            self, Delivery, SentrySink, Settings,
            delivery::DeliveryError,
            own::{self, Guard},
        },
    },
    schedule::{Pulse, Runner, Schedule, WallClock},
    telemetry::Log,
    trace::Tracing,
};

/// How long sinks may take to deliver what is left after the last run.
const DELIVERY: Duration = Duration::from_secs(5);

/// The daemon, ready to run.
#[derive(Debug)]
pub struct App {
    schedule: Schedule,
    sinks: Arc<Sinks>,
    pulse: Pulse,
    grace: Duration,
}

/// The way to Sentry, and for the daemon's own faults too as long as this lives.
#[derive(Debug)]
pub struct ToSentry {
    settings: Settings,
    delivery: Arc<Delivery>,
    _own: Guard,
}

/// Why the daemon cannot be built.
#[derive(Debug, Error)]
pub enum AppError {
    /// Nothing can be delivered.
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
    /// No thread for the daemon's own faults.
    #[error("no thread can be started: {0}")]
    Thread(#[from] io::Error),
}

// === impl App ===

impl App {
    /// A daemon that runs these checks; runs in flight get `grace` when it is stopped.
    pub fn new(checks: Vec<Arc<Check>>, tracing: Tracing, sinks: Sinks, grace: Duration) -> Self {
        let sinks = Arc::new(sinks);
        let runner = runner(tracing, sinks.clone());
        let pulse = runner.pulse.clone();
        let schedule = Schedule::new(checks, runner);
        Self { schedule, sinks, pulse, grace }
    }

    /// Whether the scheduler ticks.
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Runs until `stop`, ends what is in flight, and delivers it; false if something could not be delivered. What comes
    /// from `changes` takes the place of the checks.
    pub async fn run(self, changes: mpsc::Receiver<Vec<Arc<Check>>>, stop: CancellationToken) -> bool {
        self.schedule.run(changes, stop, self.grace).await;
        self.sinks.flush(DELIVERY).await
    }
}

// === impl ToSentry ===

impl ToSentry {
    /// Opens the spool in the state directory, and tells the daemon's own panics and errors from now on.
    ///
    /// # Errors
    /// When another daemon uses the spool, or TLS or a thread cannot be had.
    pub fn open(settings: Settings, state: &Path, redactor: &Redactor, log: &Log) -> Result<Self, AppError> {
        let delivery = Arc::new(Delivery::open(&settings, state)?);
        let taker = delivery.clone();
        let own = own::install(&settings, redactor, move |envelope| taker.take(&envelope))?;
        log.add(Box::new(own.errors()));
        Ok(Self { settings, delivery, _own: own })
    }

    /// A sink that reports this way.
    pub fn sink(&self) -> Box<SentrySink> {
        Box::new(SentrySink::new(self.settings.clone(), self.delivery.clone()))
    }

    /// Checks in for the daemon each minute, if that is wanted, as long as this is polled.
    pub async fn heartbeat(&self, healthy: impl Fn() -> bool) {
        sentry::heartbeat(&self.settings, &self.delivery, healthy).await;
    }

    /// The last check-in before a clean stop.
    pub fn last_heartbeat(&self) {
        sentry::last_heartbeat(&self.settings, &self.delivery);
    }

    /// How delivery goes, for whoever asks.
    pub fn delivery(&self) -> Arc<Delivery> {
        self.delivery.clone()
    }

    /// Envelopes that Sentry has not taken yet.
    pub fn waiting(&self) -> u64 {
        let spool = self.delivery.stats().spool;
        [spool.urgent, spool.routine].into_iter().map(|depth| depth.waiting + depth.taken).sum()
    }
}

/// What runs need, on the system's clocks.
pub fn runner(tracing: Tracing, sinks: Arc<Sinks>) -> Runner {
    let wall = WallClock::default();
    Runner { tracing, sinks, pulse: Pulse::new(wall.clone()), wall, cut: CancellationToken::new() }
}
