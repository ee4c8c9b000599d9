//! A run as a Sentry transaction.
//!
//! It is our own JSON: the SDK's type has no measurements, no `transaction_info` and no origin of spans, and writes the
//! two ends of a span in two encodings that Relay rounds differently.

use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::{
    data::Data,
    labels::Labels,
    limits,
    measurements::Measurements,
    run::Run,
    scrub,
    spans::Spans,
    wire::{Hex, Micros, millis},
};

/// What the run itself says of its root; a probe's data of the same name gives way.
const OWN: [&str; 6] =
    ["probe.id", "schedule.planned", "schedule.lag_ms", "schedule.missed", "error.type", "error.message"];

/// The payload of a `transaction` item.
#[derive(Debug, Serialize)]
pub(super) struct Transaction<'a> {
    event_id: Hex<32>,
    r#type: &'static str,
    transaction_info: TransactionInfo,
    #[serde(flatten)]
    labels: &'a Labels<'a>,
    start_timestamp: Micros,
    timestamp: Micros,
    contexts: Contexts<'a>,
    #[serde(skip_serializing_if = "Measurements::is_empty")]
    measurements: Measurements,
    spans: Spans<'a>,
}

/// Where the name comes from: Sentry then does not take it for a URL to be parametrised.
#[derive(Debug, Serialize)]
struct TransactionInfo {
    source: &'static str,
}

#[derive(Debug, Serialize)]
struct Contexts<'a> {
    trace: Trace<'a>,
}

#[derive(Debug, Serialize)]
struct Trace<'a> {
    trace_id: Hex<32>,
    span_id: Hex<16>,
    op: &'static str,
    status: &'static str,
    origin: &'a str,
    data: RootData<'a>,
}

/// What is known of the run as a whole.
#[derive(Debug)]
struct RootData<'a> {
    run: &'a Run<'a>,
    root: Data<'a>,
    dropped_spans: usize,
}

// === impl Transaction ===

impl<'a> Transaction<'a> {
    /// That of `run`, under this id.
    pub(super) fn of(run: &'a Run<'a>, event_id: Hex<32>) -> Self {
        let (tree, root) = (&run.report.outcome.tree, run.root);
        let spans = Spans::of(tree, run.trace_id, &run.origin);
        let data = RootData { run, root: Data::of(root), dropped_spans: spans.dropped() };
        Self {
            event_id,
            r#type: "transaction",
            transaction_info: TransactionInfo { source: "custom" },
            labels: &run.labels,
            start_timestamp: Micros::at(tree.started_at, root.start),
            timestamp: Micros::at(tree.started_at, root.end.max(root.start)),
            contexts: Contexts {
                trace: Trace {
                    trace_id: run.trace_id,
                    span_id: root.id.into(),
                    op: root.op.as_str(),
                    status: root.status.as_str(),
                    origin: &run.origin,
                    data,
                },
            },
            measurements: Measurements::of(tree),
            spans,
        }
    }
}

// === impl RootData ===

impl Serialize for RootData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let [id, planned, lag, missed, class, message] = OWN;
        let report = self.run.report;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(id, &report.check.id)?;
        map.serialize_entry(planned, &self.run.planned)?;
        map.serialize_entry(lag, &millis(report.start.lag))?;
        map.serialize_entry(missed, &report.start.missed)?;
        if let Some(failure) = report.outcome.verdict.failure() {
            map.serialize_entry(class, failure.class.as_str())?;
            map.serialize_entry(message, &limits::bytes(scrub::text(&failure.message), limits::TEXT))?;
        }
        self.root.write(&mut map, &OWN)?;
        if self.dropped_spans > 0 {
            map.serialize_entry("spans.dropped", &self.dropped_spans)?;
        }
        if !self.run.labels.dropped_tags().is_empty() {
            map.serialize_entry("tags.dropped", self.run.labels.dropped_tags())?;
        }
        map.end()
    }
}
