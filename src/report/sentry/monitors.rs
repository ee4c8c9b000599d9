//! Check-ins to Sentry's cron monitors: of the checks that have one, and of the daemon itself.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time;

use super::{
    CheckIn, CheckInStatus, CronMonitor, Envelope, Settings, Thinning,
    spool::Lane,
    wire::{self, Item},
};
use crate::report::Report;

/// Sentry is told once a minute that this daemon lives.
const MINUTE: Duration = Duration::from_secs(60);

/// Thins the runs of each check that has a monitor.
#[derive(Debug, Default)]
pub(super) struct Monitors {
    thinning: Mutex<HashMap<String, Thinning>>,
}

// === impl Monitors ===

impl Monitors {
    /// The check-in that a run calls for, if it has a monitor and a new minute has begun.
    pub(super) fn take(&self, settings: &Settings, report: &Report) -> Option<Envelope> {
        let Report { check, trace_id, outcome, .. } = report;
        let thresholds = check.monitor?;
        let status = {
            let mut thinning = self.thinning.lock().unwrap_or_else(PoisonError::into_inner);
            let thinning = thinning.entry(check.id.clone()).or_default();
            thinning.take(outcome.tree.started_at + outcome.tree.duration(), &outcome.verdict)?
        };
        let monitor = CronMonitor::of(check, thresholds.failures.get(), thresholds.recoveries.get());
        let check_in = monitor.check_in(status, &settings.environment, &settings.release);
        Some(seal(&check_in.run(*trace_id, outcome.tree.duration())))
    }
}

/// Checks in for the daemon at once and then each minute, as long as it is polled: well as long as `healthy` says so.
pub(super) async fn heartbeat(
    settings: &Settings,
    location: &str,
    healthy: impl Fn() -> bool,
    take: impl Fn(&Envelope),
) {
    let mut minutes = time::interval(MINUTE);
    loop {
        minutes.tick().await;
        let status = if healthy() { CheckInStatus::Ok } else { CheckInStatus::Error };
        take(&beat(settings, location, status));
    }
}

/// One check-in for the daemon.
pub(super) fn beat(settings: &Settings, location: &str, status: CheckInStatus) -> Envelope {
    seal(&CronMonitor::heartbeat(location).check_in(status, &settings.environment, &settings.release))
}

fn seal(check_in: &CheckIn<'_>) -> Envelope {
    wire::seal(Lane::Urgent, wire::event_id(), None, Item::CheckIn, check_in)
}
