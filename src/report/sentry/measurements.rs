//! Sentry's measurements of a run: numbers that queries and alerts can compare without opening a span.

use std::time::Duration;

use probe_core::{Op, SpanRecord, SpanStatus, SpanTree};
use serde::Serialize;
use serde_json::Value;

use super::wire::millis;

/// The phases of a run's last request, those alone that went well: a look-up that failed says nothing of how long
/// look-ups take.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Measurements {
    #[serde(skip_serializing_if = "Option::is_none")]
    dns: Option<Measurement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tcp: Option<Measurement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<Measurement>,
    /// From the beginning of the request, its connection included, to the answer's complete head.
    #[serde(skip_serializing_if = "Option::is_none")]
    ttfb: Option<Measurement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    download: Option<Measurement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_size: Option<Measurement>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Measurement {
    value: f64,
    unit: &'static str,
}

// === impl Measurements ===

impl Measurements {
    /// Those of the last `http.request` of the tree; none without one.
    pub(super) fn of(tree: &SpanTree) -> Self {
        let Some(last) = tree.spans.iter().rposition(|span| span.op == Op::HTTP_REQUEST) else {
            return Self::default();
        };
        let request = &tree.spans[last];
        let below = |span: &SpanRecord| {
            let mut above = span.parent;
            while let Some(index) = above.filter(|index| *index > last) {
                above = tree.spans.get(index).and_then(|span| span.parent);
            }
            above == Some(last)
        };
        let phases = || tree.spans[last + 1..].iter().filter(|span| below(span));
        let phase = |op| phases().find(|span| span.op == op && span.status == SpanStatus::Ok);
        let took = |op| phase(op).map(|span| Measurement::millis(between(span.start, span.end)));
        let size =
            phase(Op::HTTP_RECV).into_iter().chain([request]).find_map(|span| span.datum("http.response.body.size"));
        Self {
            dns: took(Op::NET_DNS),
            tcp: took(Op::NET_TCP),
            tls: took(Op::NET_TLS),
            ttfb: phase(Op::HTTP_WAIT).map(|wait| Measurement::millis(between(request.start, wait.end))),
            download: took(Op::HTTP_RECV),
            response_size: size.and_then(Value::as_f64).map(|value| Measurement { value, unit: "byte" }),
        }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

// === impl Measurement ===

impl Measurement {
    fn millis(duration: Duration) -> Self {
        Self { value: millis(duration), unit: "millisecond" }
    }
}

/// As the spans show it: both ends are cut to microseconds before they are compared.
fn between(start: Duration, end: Duration) -> Duration {
    let micros = |offset: Duration| Duration::from_micros(u64::try_from(offset.as_micros()).unwrap_or(u64::MAX));
    micros(end).saturating_sub(micros(start))
}
