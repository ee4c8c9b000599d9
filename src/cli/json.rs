//! A run as one JSON object: a contract with programs, versioned in the CHANGELOG.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, SecondsFormat, Utc};
use probe_core::SpanRecord;
use serde::Serialize;
use serde_json::Value;

use crate::report::Report;

#[derive(Serialize)]
struct Run<'a> {
    id: &'a str,
    title: &'a str,
    kind: &'a str,
    verdict: &'a str,
    failure: Option<Failure<'a>>,
    started_at: String,
    duration_ms: f64,
    tags: &'a BTreeMap<String, String>,
    trace_id: String,
    spans: Vec<Span<'a>>,
}

#[derive(Serialize)]
struct Failure<'a> {
    class: &'a str,
    message: &'a str,
    expected: Option<&'a str>,
    actual: Option<&'a str>,
    origin: Option<&'a str>,
    reproduce: Option<&'a str>,
}

#[derive(Serialize)]
struct Span<'a> {
    op: &'a str,
    description: &'a str,
    /// Index into `spans`.
    parent: Option<usize>,
    start_ms: f64,
    duration_ms: f64,
    status: &'a str,
    data: BTreeMap<&'a str, &'a Value>,
}

// === impl Span ===

impl<'a> Span<'a> {
    fn of(span: &'a SpanRecord) -> Self {
        Self {
            op: span.op.as_str(),
            description: &span.description,
            parent: span.parent,
            start_ms: millis(span.start),
            duration_ms: millis(span.duration()),
            status: span.status.as_str(),
            data: span.data.iter().map(|(key, value)| (*key, value)).collect(),
        }
    }
}

/// The object, without an end of line.
pub(super) fn json(report: &Report) -> String {
    let Report { check, trace_id, outcome, .. } = report;
    let failure = outcome.verdict.failure();
    let run = Run {
        id: &check.id,
        title: &check.title,
        kind: check.kind(),
        verdict: outcome.verdict.as_str(),
        failure: failure.map(|failure| Failure {
            class: failure.class.as_str(),
            message: &failure.message,
            expected: failure.expected.as_deref(),
            actual: failure.actual.as_deref(),
            origin: failure.origin.as_deref(),
            reproduce: failure.reproduce.as_deref(),
        }),
        started_at: DateTime::<Utc>::from(outcome.tree.started_at).to_rfc3339_opts(SecondsFormat::Micros, true),
        duration_ms: millis(outcome.tree.duration()),
        tags: &check.tags,
        trace_id: trace_id.to_string(),
        spans: outcome.tree.spans.iter().map(Span::of).collect(),
    };
    // All keys are text and all numbers finite: it cannot fail.
    serde_json::to_string(&run).unwrap_or_default()
}

/// Milliseconds to the microsecond.
fn millis(duration: Duration) -> f64 {
    f64::from(u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)) / 1e3
}
