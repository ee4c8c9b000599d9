//! One configured entry, compiled and ready to run.

use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc, time::Duration};

use chrono_tz::Tz;
use probe_core::Probe;

/// Tag keys and values as Sentry takes them; the last of global, group and probe has won.
pub type Tags = BTreeMap<String, String>;

/// Probe, identity, title, tags, schedule and limits of one entry.
#[derive(Debug)]
pub struct Check {
    /// Stable over restarts: the phase in the period, the fingerprint, the history hang on it.
    pub id: String,
    /// The transaction's name.
    pub title: String,
    /// Global, group and probe tags, with `probe` and `location`.
    pub tags: Tags,
    /// When it runs.
    pub timing: Timing,
    /// Runs at each start, one after the other.
    pub burst: u32,
    /// The bound on one run.
    pub timeout: Duration,
    /// When its own cron monitor in Sentry opens and resolves an issue; it has none if absent.
    pub monitor: Option<Thresholds>,
    /// What to do when it fails, for whoever is woken up.
    pub runbook: Option<String>,
    /// How the target is asked.
    pub probe: Arc<dyn Probe>,
}

/// How many results in a row make a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Bad ones that open an issue.
    pub failures: NonZeroU32,
    /// Good ones that resolve it.
    pub recoveries: NonZeroU32,
}

/// When a check runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timing {
    /// At a fixed rate, at the check's own phase in the period.
    Every(Duration),
    /// At the instants of a cron expression (seconds first) in a time zone.
    Cron {
        /// Six fields, as the scheduler takes them.
        expression: String,
        /// Where the clock hangs.
        zone: Tz,
    },
}

// === impl Check ===

impl Check {
    /// The kind of probe, as after `probe:` in the configuration.
    pub fn kind(&self) -> &'static str {
        self.probe.kind()
    }
}

// === impl Thresholds ===

impl Default for Thresholds {
    fn default() -> Self {
        Self { failures: NonZeroU32::MIN, recoveries: NonZeroU32::MIN }
    }
}
