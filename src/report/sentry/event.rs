//! A failure as a Sentry error event, in the trace of its run.
//!
//! The fingerprint is the probe and the class: one issue each, whatever the message says.

use std::{borrow::Cow, collections::BTreeMap};

use probe_core::{Excerpt, Failure};
use serde::Serialize;

use super::{
    labels::Labels,
    limits,
    run::Run,
    scrub,
    wire::{Hex, Micros, millis},
};

/// The longest of the short texts of a context, in bytes.
const WORD: usize = 1_024;

/// An excerpt's head and body, in bytes: together with their frame they stay below what Relay keeps of a context.
const HEAD: usize = 2_560;
const BODY: usize = 4_096;

/// The payload of an `event` item.
#[derive(Debug, Serialize)]
pub(super) struct ErrorEvent<'a> {
    event_id: Hex<32>,
    level: &'static str,
    #[serde(flatten)]
    labels: &'a Labels<'a>,
    timestamp: Micros,
    fingerprint: [&'a str; 2],
    exception: Exceptions<'a>,
    contexts: Contexts<'a>,
}

#[derive(Debug, Serialize)]
struct Exceptions<'a> {
    values: [Exception<'a>; 1],
}

#[derive(Debug, Serialize)]
struct Exception<'a> {
    r#type: &'static str,
    value: Cow<'a, str>,
    mechanism: Mechanism,
}

#[derive(Debug, Serialize)]
struct Mechanism {
    r#type: &'static str,
    handled: bool,
}

#[derive(Debug, Serialize)]
struct Contexts<'a> {
    trace: Trace,
    probe: Probe<'a>,
    failure: FailureContext<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runbook: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reproduce: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    excerpt: Option<ExcerptContext<'a>>,
}

#[derive(Debug, Serialize)]
struct Trace {
    trace_id: Hex<32>,
    span_id: Hex<16>,
    op: &'static str,
    status: &'static str,
}

/// What ran.
#[derive(Debug, Serialize)]
struct Probe<'a> {
    id: &'a str,
    title: Cow<'a, str>,
    kind: &'a str,
    planned: &'a str,
    lag_ms: f64,
    missed: u64,
}

/// What broke, and where the time had gone by then.
#[derive(Debug, Serialize)]
struct FailureContext<'a> {
    class: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actual: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<String>,
    duration_ms: f64,
    phases_ms: BTreeMap<&'static str, f64>,
}

#[derive(Debug, Serialize)]
struct Text<'a> {
    text: Cow<'a, str>,
}

/// What the target said.
#[derive(Debug, Serialize)]
struct ExcerptContext<'a> {
    head: Cow<'a, str>,
    body: Cow<'a, str>,
    truncated: bool,
}

// === impl ErrorEvent ===

impl<'a> ErrorEvent<'a> {
    /// That of a run that failed this way, under this id.
    pub(super) fn of(run: &'a Run<'a>, failure: &'a Failure, event_id: Hex<32>) -> Self {
        let (report, root) = (run.report, run.root);
        let check = &report.check;
        Self {
            event_id,
            level: "error",
            labels: &run.labels,
            timestamp: Micros::at(report.outcome.tree.started_at, root.end),
            fingerprint: [&check.id, failure.class.as_str()],
            exception: Exceptions {
                values: [Exception {
                    r#type: failure.class.title(),
                    value: shown(&failure.message, limits::TEXT),
                    mechanism: Mechanism { r#type: "probe", handled: true },
                }],
            },
            contexts: Contexts {
                trace: Trace {
                    trace_id: run.trace_id,
                    span_id: root.id.into(),
                    op: root.op.as_str(),
                    status: root.status.as_str(),
                },
                probe: Probe {
                    id: &check.id,
                    title: shown(&check.title, WORD),
                    kind: check.kind(),
                    planned: &run.planned,
                    lag_ms: millis(report.start.lag),
                    missed: report.start.missed,
                },
                failure: FailureContext::of(run, failure),
                runbook: check.runbook.as_deref().map(Text::of),
                reproduce: failure.reproduce.as_deref().map(Text::of),
                excerpt: failure.excerpt.as_deref().map(ExcerptContext::of),
            },
        }
    }
}

// === impl FailureContext ===

impl<'a> FailureContext<'a> {
    fn of(run: &Run<'_>, failure: &'a Failure) -> Self {
        let tree = &run.report.outcome.tree;
        let word = |text: &'a Option<String>| text.as_deref().map(|text| shown(text, WORD));
        let mut phases_ms = BTreeMap::new();
        for span in tree.spans.iter().skip(1) {
            *phases_ms.entry(span.op.as_str()).or_default() += millis(span.duration());
        }
        let phase = tree.failed().filter(|span| span.parent.is_some());
        Self {
            class: failure.class.as_str(),
            expected: word(&failure.expected),
            actual: word(&failure.actual),
            origin: word(&failure.origin),
            phase: phase.map(|span| format!("{} ({})", span.op.as_str(), shown(&span.description, WORD))),
            duration_ms: millis(tree.duration()),
            phases_ms,
        }
    }
}

// === impl Text ===

impl<'a> Text<'a> {
    fn of(text: &'a str) -> Self {
        Self { text: shown(text, limits::TEXT) }
    }
}

// === impl ExcerptContext ===

impl<'a> ExcerptContext<'a> {
    fn of(excerpt: &'a Excerpt) -> Self {
        let Excerpt { head, body, truncated } = excerpt;
        Self { head: shown(head, HEAD), body: shown(body, BODY), truncated: *truncated || body.len() > BODY }
    }
}

/// A text for a person: what is secret masked, and then no longer than this.
fn shown(text: &str, most: usize) -> Cow<'_, str> {
    limits::bytes(scrub::text(text), most)
}
