//! How the daemon is, as one object.

use std::{
    sync::atomic::Ordering,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use super::Daemon;
use crate::report::sentry::{
    delivery::DeliveryStats,
    spool::{Category, Reason},
};

/// How the daemon is; the form of `sentrynet status --json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The program's.
    pub version: String,
    /// The process.
    pub pid: u32,
    /// The configuration in use.
    pub config: String,
    /// Since the start.
    pub uptime_seconds: u64,
    /// Whether the scheduler ticks.
    pub healthy: bool,
    /// Whether checks are being run.
    pub ready: bool,
    /// How many.
    pub checks: usize,
    /// Since the start.
    pub runs: RunCounts,
    /// None when nothing is sent to Sentry.
    pub delivery: Option<DeliveryStatus>,
}

/// Runs by verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunCounts {
    /// Every expectation held.
    pub up: u64,
    /// One broke, or the target could not be reached.
    pub down: u64,
    /// The fault was on our side.
    pub inconclusive: u64,
}

/// How delivery to Sentry goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeliveryStatus {
    /// Envelopes that Sentry has taken.
    pub delivered: u64,
    /// Envelopes that never will be, by reason and category.
    pub lost: Vec<Lost>,
    /// Errors, failed runs and check-ins that wait.
    pub waiting_urgent: u64,
    /// Successful runs that wait.
    pub waiting_routine: u64,
    /// What waits on the disk.
    pub disk_bytes: u64,
    /// What waits in memory because the disk takes nothing.
    pub memory_bytes: usize,
    /// Age of the oldest that waits.
    pub oldest_seconds: Option<f64>,
    /// Posts on their way.
    pub in_flight: usize,
    /// Since an envelope was taken last.
    pub last_success_seconds: Option<f64>,
    /// What Sentry asked to hold back.
    pub held: Vec<Held>,
    /// Why nothing can be sent, if so.
    pub trouble: Option<String>,
    /// Why nothing can be stored, if so.
    pub disk_trouble: Option<String>,
}

/// Envelopes that were lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// Why.
    pub reason: String,
    /// Of what kind.
    pub category: String,
    /// How many.
    pub count: u64,
}

/// A category that is held back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// Of what kind.
    pub category: String,
    /// For how long still.
    pub seconds: f64,
}

// === impl Status ===

impl Status {
    /// Right now.
    pub(super) fn of(daemon: &Daemon) -> Self {
        let [up, down, inconclusive] = daemon.runs.verdicts();
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            config: daemon.config.display().to_string(),
            uptime_seconds: daemon.started_at.elapsed().unwrap_or_default().as_secs(),
            healthy: daemon.is_healthy(),
            ready: daemon.is_ready(),
            checks: daemon.checks.load(Ordering::Relaxed),
            runs: RunCounts { up, down, inconclusive },
            delivery: daemon.delivery.as_ref().map(|delivery| DeliveryStatus::of(delivery.stats())),
        }
    }
}

// === impl DeliveryStatus ===

impl DeliveryStatus {
    fn of(stats: DeliveryStats) -> Self {
        let spool = stats.spool;
        let seconds = |at: SystemTime| at.elapsed().unwrap_or_default().as_secs_f64();
        let lost = |(reason, category, count): (Reason, Category, u64)| Lost {
            reason: reason.name().to_owned(),
            category: category.name().to_owned(),
            count,
        };
        Self {
            delivered: Category::ALL.into_iter().map(|category| spool.counts.delivered(category)).sum(),
            lost: spool.counts.losses().map(lost).collect(),
            waiting_urgent: spool.urgent.waiting + spool.urgent.taken,
            waiting_routine: spool.routine.waiting + spool.routine.taken,
            disk_bytes: spool.disk_bytes,
            memory_bytes: spool.memory_bytes,
            oldest_seconds: spool.oldest.as_ref().map(Duration::as_secs_f64),
            in_flight: stats.in_flight,
            last_success_seconds: stats.last_success.map(seconds),
            held: stats
                .held
                .iter()
                .map(|held| Held { category: held.category.name().to_owned(), seconds: held.remaining.as_secs_f64() })
                .collect(),
            trouble: stats.trouble.map(|trouble| trouble.why),
            disk_trouble: spool.trouble,
        }
    }
}
