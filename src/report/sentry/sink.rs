//! Reports to Sentry.

use std::{sync::Arc, time::Duration};

use probe_core::BoxFuture;

use super::{
    CheckInStatus, Delivery, Settings, envelopes,
    monitors::{self, Monitors},
};
use crate::report::{Report, Sink};

/// The sink that sends to Sentry.
#[derive(Debug)]
pub struct SentrySink {
    settings: Settings,
    delivery: Arc<Delivery>,
    monitors: Monitors,
}

// === impl SentrySink ===

impl SentrySink {
    /// Reports, made into envelopes, to this delivery.
    pub fn new(settings: Settings, delivery: Arc<Delivery>) -> Self {
        Self { settings, delivery, monitors: Monitors::default() }
    }
}

impl Sink for SentrySink {
    fn name(&self) -> &'static str {
        "sentry"
    }

    fn report(&self, report: &Report) {
        envelopes(&self.settings, report).iter().for_each(|envelope| self.delivery.take(envelope));
        if let Some(check_in) = self.monitors.take(&self.settings, report) {
            self.delivery.take(&check_in);
        }
    }

    fn flush(&self, limit: Duration) -> BoxFuture<'_, bool> {
        Box::pin(self.delivery.flush(limit))
    }
}

/// Checks in for the daemon each minute as long as this is polled, if the settings want it; well as long as `healthy`
/// says so.
pub async fn heartbeat(settings: &Settings, delivery: &Delivery, healthy: impl Fn() -> bool) {
    match &settings.heartbeat {
        Some(location) => {
            monitors::heartbeat(settings, location, healthy, |envelope| delivery.take(envelope)).await;
        }
        None => std::future::pending().await,
    }
}

/// The last check-in of a daemon that stops: Sentry waits a whole period more for the next one.
pub fn last_heartbeat(settings: &Settings, delivery: &Delivery) {
    if let Some(location) = &settings.heartbeat {
        delivery.take(&monitors::beat(settings, location, CheckInStatus::Ok));
    }
}
