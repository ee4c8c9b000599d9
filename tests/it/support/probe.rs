//! Checks as they are configured, run once; what came of them, and whether the times in it can be true.

use std::{ffi::OsString, fs, future::Future, time::Duration};

use probe_core::{Failure, FailureClass, Outcome, Run, SpanRecord, SpanTree, Verdict, run_probe};
use sentrynet::{
    check::Check,
    config::{Config, Environment, Tokens, load_again},
    redact::Redactor,
    trace::Tracing,
};

/// The most that may lie between phases, or that two of them may share.
const SEAM: Duration = Duration::from_millis(1);

/// What one run found.
#[derive(Debug)]
pub(crate) struct Ran(pub(crate) Outcome);

/// What a file says.
pub(crate) fn config(text: &str) -> Config {
    config_again(text, Tokens::default())
}

/// The same, read while another configuration is in use that has these tokens.
pub(crate) fn config_again(text: &str, tokens: Tokens) -> Config {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("config.yaml");
    fs::write(&path, text).expect("a file");
    let environment = Environment::new(std::iter::empty::<(OsString, OsString)>(), "prober");
    let loaded = load_again(&path, &environment, &Redactor::default(), tokens);
    loaded.unwrap_or_else(|diagnostics| panic!("{diagnostics}")).config
}

/// The checks that these keys of http probes give.
pub(crate) fn checks<'a>(probes: impl IntoIterator<Item = &'a str>) -> Vec<Check> {
    let probes: String = probes.into_iter().map(|keys| format!("      - {{probe: http, {keys}}}\n")).collect();
    config(&format!("groups:\n  - probes:\n{probes}")).checks
}

/// The check that these keys of an http probe give.
pub(crate) fn check(keys: &str) -> Check {
    checks([keys]).remove(0)
}

/// What a probe with these keys finds.
pub(crate) async fn probe(keys: &str) -> Ran {
    run(&check(keys)).await
}

/// What a check finds.
pub(crate) async fn run(check: &Check) -> Ran {
    run_until(check, std::future::pending()).await
}

/// What a check finds until it is stopped.
pub(crate) async fn run_until(check: &Check, stop: impl Future<Output = ()>) -> Ran {
    run_in(&Tracing::default(), check, stop).await
}

/// The same, as part of these traces.
pub(crate) async fn run_in(tracing: &Tracing, check: &Check, stop: impl Future<Output = ()>) -> Ran {
    let run = Run { timeout: check.timeout, propagation: tracing.begin(&check.title), stop };
    let outcome = run_probe(&*check.probe, run).await;
    tiled(&outcome.tree);
    Ran(outcome)
}

// === impl Ran ===

impl Ran {
    /// Nothing broke.
    #[track_caller]
    pub(crate) fn is_up(&self) -> &Self {
        assert_eq!(self.0.verdict, Verdict::Up, "{self:#?}");
        self
    }

    /// What broke.
    #[track_caller]
    pub(crate) fn failure(&self) -> &Failure {
        self.0.verdict.failure().unwrap_or_else(|| panic!("nothing broke: {self:#?}"))
    }

    /// What broke, the phase that carries it, and what a person reads; says so of the target.
    #[track_caller]
    pub(crate) fn down(&self) -> (FailureClass, &'static str, &str) {
        assert!(matches!(self.0.verdict, Verdict::Down(_)), "{self:#?}");
        self.broke()
    }

    /// The same, whoever is at fault.
    #[track_caller]
    pub(crate) fn broke(&self) -> (FailureClass, &'static str, &str) {
        let (failure, phase) = (self.failure(), self.0.tree.failed().expect("a span carries it"));
        assert_eq!(phase.status, failure.class.status(), "{self:#?}");
        (failure.class, phase.op.as_str(), &failure.message)
    }

    /// The spans of this operation, in order.
    pub(crate) fn spans(&self, op: &str) -> Vec<&SpanRecord> {
        self.0.tree.spans.iter().filter(|span| span.op.as_str() == op).collect()
    }

    /// The only span of this operation.
    #[track_caller]
    pub(crate) fn span(&self, op: &str) -> &SpanRecord {
        match self.spans(op).as_slice() {
            [span] => span,
            spans => panic!("{} spans {op}: {self:#?}", spans.len()),
        }
    }

    /// How long it took.
    #[track_caller]
    pub(crate) fn phase(&self, op: &str) -> Duration {
        self.span(op).duration()
    }

    /// The operations below the root, in order.
    pub(crate) fn phases(&self) -> Vec<&'static str> {
        self.0.tree.spans.iter().skip(1).map(|span| span.op.as_str()).collect()
    }

    /// A datum of a span, as text.
    #[track_caller]
    pub(crate) fn datum(&self, op: &str, key: &str) -> String {
        self.span(op).datum(key).unwrap_or_else(|| panic!("{op} has no {key}: {self:#?}")).to_string()
    }
}

/// The phases of each request lie side by side, and so do those of each connection, and the requests.
fn tiled(tree: &SpanTree) {
    let root = tree.root().expect("a root");
    for span in &tree.spans {
        assert!(root.start <= span.start && span.start <= span.end && span.end <= root.end, "{tree:#?}");
    }
    for (index, parent) in tree.spans.iter().enumerate() {
        let children: Vec<_> = tree.spans.iter().filter(|span| span.parent == Some(index)).collect();
        let op = parent.op.as_str();
        let whole = ["http.request", "net.conn"].contains(&op);
        // Between steps a machine may have something else to do: that is nobody's phase, and measured where many run.
        let seam = if ["probes.script", "script.step"].contains(&op) { Duration::MAX } else { SEAM };
        let mut at = if whole { parent.start } else { children.first().map_or(parent.start, |child| child.start) };
        assert!(!whole || !children.is_empty(), "{op}: {tree:#?}");
        for child in children {
            // Requests side by side begin before others end.
            let early = !whole && child.start < at;
            assert!(early || child.start.abs_diff(at) <= seam, "before {} in {op}: {tree:#?}", child.op.as_str());
            at = at.max(child.end);
        }
        assert!(!whole || parent.end.abs_diff(at) <= SEAM, "the end of {op}: {tree:#?}");
    }
}
