//! Reports to Sentry.

use std::{sync::Arc, time::Duration};

use probe_core::BoxFuture;

use super::{Delivery, Envelope, Settings};
use crate::report::{Report, Sink};

/// What turns a report into what Sentry receives of it.
pub type Envelopes = fn(&Settings, &Report) -> Vec<Envelope>;

/// The sink that sends to Sentry.
#[derive(Debug)]
pub struct SentrySink {
    settings: Settings,
    delivery: Arc<Delivery>,
    envelopes: Envelopes,
}

// === impl SentrySink ===

impl SentrySink {
    /// Reports, made into envelopes, to this delivery.
    pub const fn new(settings: Settings, delivery: Arc<Delivery>, envelopes: Envelopes) -> Self {
        Self { settings, delivery, envelopes }
    }
}

impl Sink for SentrySink {
    fn name(&self) -> &'static str {
        "sentry"
    }

    fn report(&self, report: &Report) {
        let envelopes = (self.envelopes)(&self.settings, report);
        envelopes.iter().for_each(|envelope| self.delivery.take(envelope));
    }

    fn flush(&self, limit: Duration) -> BoxFuture<'_, bool> {
        Box::pin(self.delivery.flush(limit))
    }
}
