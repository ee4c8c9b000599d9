//! Errors in the log are faults of our own.

use std::{collections::BTreeMap, fmt, sync::Weak};

use sentry::protocol::Value;
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

use super::Reporter;

/// A layer that tells Sentry each error in the log.
#[derive(Clone, Debug)]
pub struct Errors {
    reporter: Weak<Reporter>,
}

/// What an event of the log says.
#[derive(Default)]
struct Fields {
    message: String,
    others: BTreeMap<String, Value>,
}

// === impl Errors ===

impl Errors {
    pub(super) const fn new(reporter: Weak<Reporter>) -> Self {
        Self { reporter }
    }
}

impl<S: Subscriber> Layer<S> for Errors {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if *metadata.level() != Level::ERROR {
            return;
        }
        if let Some(reporter) = self.reporter.upgrade() {
            let mut fields = Fields::default();
            event.record(&mut fields);
            let place = format!("{}:{}", metadata.target(), metadata.line().unwrap_or_default());
            reporter.logged(metadata.target(), &place, fields.message, fields.others);
        }
    }
}

// === impl Fields ===

impl Fields {
    fn add(&mut self, field: &Field, value: impl Into<Value>) {
        self.others.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let shown = format!("{value:?}");
        if field.name() == "message" {
            self.message = shown;
        } else {
            self.add(field, shown);
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value);
    }
}
