//! Runs as probes leave them, made up for tests of what becomes of them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use probe_core::{
    BoxFuture, Context, Failure, FailureClass, Op, Outcome, Probe, Propagation, Run, SpanId, SpanRecord, SpanStatus,
    SpanTree, TraceId, Verdict, run_probe,
};
use sentrynet::{
    check::{Check, Timing},
    report::{
        Report, Start,
        sentry::{Envelope, Settings},
    },
};
use serde_json::Value;

/// A probe that does nothing: its run tells the operation of a root.
#[derive(Debug)]
struct Idle;

impl Probe for Idle {
    fn kind(&self) -> &'static str {
        "http"
    }

    fn op(&self) -> &'static str {
        "probes.http"
    }

    fn spans(&self) -> usize {
        1
    }

    fn run<'a>(&'a self, _: &'a Context) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async { Ok(()) })
    }
}

/// An envelope, read again.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) header: Value,
    pub(crate) item: Value,
    pub(crate) payload: Value,
    pub(crate) text: String,
}

/// Settings as of a small installation.
pub(crate) fn settings() -> Settings {
    Settings {
        dsn: "https://0123456789abcdef0123456789abcdef@sentry.example/1".parse().unwrap(),
        environment: "production".to_owned(),
        release: "sentrynet@0.1.0".to_owned(),
        server_name: "prober-1".to_owned(),
        heartbeat: None,
        success_sample: Default::default(),
        delivery: Default::default(),
    }
}

/// A check with this title.
pub(crate) fn check(title: &str) -> Check {
    let tags = [("probe", "http"), ("location", "london"), ("team", "shop")];
    Check {
        id: "shop-1".to_owned(),
        title: title.to_owned(),
        tags: tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into_iter().collect::<BTreeMap<_, _>>(),
        timing: Timing::Every(Duration::from_secs(60)),
        burst: 1,
        timeout: Duration::from_secs(10),
        monitor: None,
        runbook: None,
        probe: Arc::new(Idle),
    }
}

/// A report of `check`, that started three milliseconds late.
pub(crate) fn report(check: Check, tree: SpanTree, verdict: Verdict) -> Report {
    let lag = Duration::from_micros(3_250);
    let planned = tree.started_at - lag;
    Report {
        check: Arc::new(check),
        trace_id: TraceId::random(),
        start: Start { planned, lag, missed: 2 },
        after_failure: false,
        outcome: Outcome { tree, verdict, secrets: Vec::new() },
    }
}

/// The operation of a root span.
pub(crate) fn root_op() -> Op {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let outcome = runtime.block_on(run_probe(&Idle, Run::new(Duration::from_secs(1), Propagation::none())));
    outcome.tree.spans[0].op
}

/// A span that went well; times in nanoseconds after the start of the run.
pub(crate) fn span(op: Op, parent: Option<usize>, start: u64, end: u64) -> SpanRecord {
    SpanRecord {
        id: SpanId::random(),
        op,
        description: op.description().to_owned(),
        parent,
        start: Duration::from_nanos(start),
        end: Duration::from_nanos(end),
        status: SpanStatus::Ok,
        data: Vec::new(),
    }
}

/// A tree with `spans` below a root that ends with the last of them.
pub(crate) fn tree(started_at: SystemTime, below: Vec<SpanRecord>) -> SpanTree {
    let end = below.iter().map(|span| span.end.as_nanos()).max().unwrap_or_default();
    let mut spans = vec![span(root_op(), None, 0, u64::try_from(end).unwrap())];
    spans.extend(below);
    SpanTree { started_at, spans }
}

/// One plain request: DNS 20 ms, TCP 10, TLS 30, send 0.2, wait 70, receive 12.
pub(crate) fn request(started_at: SystemTime) -> SpanTree {
    const MS: u64 = 1_000_000;
    let mut spans = vec![
        span(Op::HTTP_REQUEST, Some(0), 0, 142_200_999),
        span(Op::NET_CONN, Some(1), 0, 60 * MS),
        span(Op::NET_DNS, Some(2), 0, 20 * MS + 400),
        span(Op::NET_TCP, Some(2), 20 * MS + 400, 30 * MS),
        span(Op::NET_TLS, Some(2), 30 * MS, 60 * MS),
        span(Op::HTTP_SEND, Some(1), 60 * MS, 60 * MS + 200_000),
        span(Op::HTTP_WAIT, Some(1), 60 * MS + 200_000, 130 * MS + 200_000),
        span(Op::HTTP_RECV, Some(1), 130 * MS + 200_000, 142 * MS + 200_000),
    ];
    spans[0].description = "GET https://shop.example/".to_owned();
    spans[0].data = vec![("http.response.status_code", 503.into())];
    spans[7].data = vec![("http.response.body.size", 1_234.into())];
    tree(started_at, spans)
}

/// The same, failed with `class` in the phase `op`, which is the last one.
pub(crate) fn failed(started_at: SystemTime, op: Op, class: FailureClass) -> SpanTree {
    let mut tree = request(started_at);
    let last = tree.spans.iter().position(|span| span.op == op).unwrap();
    tree.spans.truncate(last + 1);
    let end = tree.spans[last].end;
    let mut at = Some(last);
    while let Some(index) = at {
        let span = &mut tree.spans[index];
        (span.status, span.end, at) = (class.status(), end, span.parent);
    }
    tree
}

/// What an envelope says.
pub(crate) fn read(envelope: &Envelope) -> Read {
    let text = String::from_utf8(envelope.bytes.clone()).unwrap();
    let lines: Vec<&str> = text.split('\n').collect();
    assert_eq!((lines.len(), lines[3]), (4, ""), "a header, an item's header, an item, and the end of its line");
    let [header, item, payload] = [0, 1, 2].map(|line| serde_json::from_str::<Value>(lines[line]).unwrap());
    assert_eq!(item["length"], lines[2].len());
    Read { header, item, payload, text }
}
