//! What was lost, told to the log and, as client reports, to Sentry: each loss once.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use serde::Serialize;
use tokio::time::Instant;

use super::super::spool::{Category, Counts, Reason};

/// Sentry asks for few client reports.
const PERIOD: Duration = Duration::from_mins(1);
/// How soon after a loss its report may go out: to count them for every post would cost more than the post.
const SOON: Duration = Duration::from_secs(1);

/// Who knows of how many losses.
#[derive(Debug)]
pub(super) struct Losses {
    logged: Known,
    told: Known,
    next: Instant,
}

/// How many losses of each kind somebody knows of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known(BTreeMap<(Reason, Category), u64>);

/// A `client_report` item (develop.sentry.dev, "Client Reports").
#[derive(Debug, Serialize)]
struct ClientReport {
    timestamp: u64,
    discarded_events: Vec<Discarded>,
}

#[derive(Debug, Serialize)]
struct Discarded {
    reason: &'static str,
    category: &'static str,
    quantity: u64,
}

// === impl Losses ===

impl Losses {
    pub(super) fn new(now: Instant) -> Self {
        Self { logged: Known::default(), told: Known::default(), next: now }
    }

    /// Tells the log what it does not know.
    pub(super) fn log(&mut self, counts: &Counts) {
        for (reason, category, number) in self.logged.news(counts) {
            let (reason, category) = (reason.name(), category.name());
            tracing::warn!(reason, category, number, "results were lost on the way to Sentry");
        }
        self.logged = Known::of(counts);
    }

    /// Whether it is worth while to count the losses.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        now >= self.next
    }

    /// An envelope that tells Sentry what it does not know, at most one a minute, and what it will know then.
    pub(super) fn report(&mut self, counts: &Counts, now: Instant, wall: SystemTime) -> Option<(Vec<u8>, Known)> {
        let news = self.told.news(counts);
        self.next = now + if news.is_empty() { SOON } else { PERIOD };
        if news.is_empty() {
            return None;
        }
        let mut sums = BTreeMap::new();
        for (reason, category, number) in news {
            *sums.entry((discard_reason(reason), category.name())).or_insert(0) += number;
        }
        let report = ClientReport {
            timestamp: wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs(),
            discarded_events: sums
                .into_iter()
                .map(|((reason, category), quantity)| Discarded { reason, category, quantity })
                .collect(),
        };
        let report = serde_json::to_string(&report).ok()?;
        Some((format!("{{}}\n{{\"type\":\"client_report\"}}\n{report}\n").into_bytes(), Known::of(counts)))
    }

    /// Sentry has a report, or does not want it.
    pub(super) fn told(&mut self, known: Known) {
        self.told = known;
    }
}

// === impl Known ===

impl Known {
    fn of(counts: &Counts) -> Self {
        Self(counts.losses().map(|(reason, category, number)| ((reason, category), number)).collect())
    }

    fn news(&self, counts: &Counts) -> Vec<(Reason, Category, u64)> {
        let known = |kind| self.0.get(&kind).copied().unwrap_or_default();
        let news = counts
            .losses()
            .map(|(reason, category, number)| (reason, category, number.saturating_sub(known((reason, category)))));
        news.filter(|(.., number)| *number > 0).collect()
    }
}

/// Sentry's word for it, of those it defines.
const fn discard_reason(reason: Reason) -> &'static str {
    match reason {
        Reason::QueueOverflow | Reason::Expired => "cache_overflow",
        Reason::Refused => "send_error",
        Reason::Corrupt | Reason::Torn | Reason::Unreadable | Reason::TooLarge => "internal_sdk_error",
    }
}
