//! Reports to Sentry.

use std::{sync::Arc, time::Duration};

use probe_core::BoxFuture;

use super::{Delivery, Settings, envelopes};
use crate::report::{Report, Sink};

/// The sink that sends to Sentry.
#[derive(Debug)]
pub struct SentrySink {
    settings: Settings,
    delivery: Arc<Delivery>,
}

// === impl SentrySink ===

impl SentrySink {
    /// Reports, made into envelopes, to this delivery.
    pub const fn new(settings: Settings, delivery: Arc<Delivery>) -> Self {
        Self { settings, delivery }
    }
}

impl Sink for SentrySink {
    fn name(&self) -> &'static str {
        "sentry"
    }

    fn report(&self, report: &Report) {
        envelopes(&self.settings, report).iter().for_each(|envelope| self.delivery.take(envelope));
    }

    fn flush(&self, limit: Duration) -> BoxFuture<'_, bool> {
        Box::pin(self.delivery.flush(limit))
    }
}
