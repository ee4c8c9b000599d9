//! Delivery in numbers: for metrics, and for whoever asks how it goes.

use std::time::{Duration, SystemTime};

use super::super::spool::{self, Category};

/// How delivery to Sentry goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryStats {
    /// What waits, what was delivered, and what was lost why.
    pub spool: spool::Stats,
    /// Posts on the way.
    pub in_flight: usize,
    /// Envelopes that failed and wait for their own next try, while the others go on.
    pub set_aside: usize,
    /// Categories that Sentry does not want now.
    pub held: Vec<Held>,
    /// Why nothing arrives, while nothing does.
    pub trouble: Option<Trouble>,
    /// When Sentry last took something.
    pub last_success: Option<SystemTime>,
}

/// A category that is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Which.
    pub category: Category,
    /// For how much longer.
    pub remaining: Duration,
}

/// The road to Sentry is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Why, as the end of a sentence: "it answers 503".
    pub why: String,
    /// For how long.
    pub lasting: Duration,
    /// When it is tried again.
    pub retry_in: Duration,
}
