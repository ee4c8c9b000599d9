//! The ssh probe against a real sshd: its phases, its failures, what it leaves behind.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod available;
mod command;
mod cost;
mod examples;
mod faults;
mod host_key;
mod leftovers;
mod login;

use std::{ffi::OsString, fs, process::Command, time::Duration};

use probe_core::{FailureClass, Outcome, Propagation, Run, SpanRecord, SpanTree, Verdict, run_probe};
use sentrynet::{
    check::Check,
    config::{Environment, load},
    redact::Redactor,
};

/// The checks of a file with one group of these probes, each the inside of a flow mapping.
fn checks(probes: &[&str]) -> Vec<Check> {
    let list: String = probes.iter().map(|probe| format!("      - {{{probe}}}\n")).collect();
    read(&format!("groups:\n  - probes:\n{list}")).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// The checks of a file, or what is wrong with it.
fn read(text: &str) -> Result<Vec<Check>, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.yaml");
    fs::write(&path, text).unwrap();
    let environment = Environment::new(std::iter::empty::<(OsString, OsString)>(), "prober-1");
    load(&path, &environment, &Redactor::default())
        .map(|loaded| loaded.config.checks)
        .map_err(|diagnostics| diagnostics.to_string())
}

/// What is wrong with a probe.
fn mistakes(probe: &str) -> String {
    read(&format!("groups:\n  - probes:\n      - {{{probe}}}\n")).unwrap_err()
}

/// Runs a probe once.
async fn run(probe: &str) -> Outcome {
    run_within(probe, 20_000).await
}

async fn run_within(probe: &str, milliseconds: u64) -> Outcome {
    let check = checks(&[probe]).remove(0);
    run_probe(&*check.probe, Run::new(Duration::from_millis(milliseconds), Propagation::none())).await
}

/// The class and the message of a run that is not up.
fn failure(outcome: &Outcome) -> (FailureClass, &str) {
    let failure = outcome.verdict.failure().unwrap_or_else(|| panic!("it is up: {:#?}", outcome.tree));
    (failure.class, &failure.message)
}

fn assert_up(outcome: &Outcome) {
    assert_eq!(outcome.verdict, Verdict::Up, "{:#?}", outcome.tree);
}

fn span<'t>(tree: &'t SpanTree, op: &str) -> &'t SpanRecord {
    tree.spans.iter().find(|span| span.op.as_str() == op).unwrap_or_else(|| panic!("no {op}: {tree:#?}"))
}

/// The operations of the run's phases, in order: those right below the root.
fn phases(tree: &SpanTree) -> Vec<&'static str> {
    children(tree, 0).map(|(_, span)| span.op.as_str()).collect()
}

fn children(tree: &SpanTree, parent: usize) -> impl Iterator<Item = (usize, &SpanRecord)> {
    tree.spans.iter().enumerate().filter(move |(_, span)| span.parent == Some(parent))
}

/// The longest time below any span that none of its children has, and what it comes before.
fn longest_gap(tree: &SpanTree) -> (Duration, &'static str) {
    let gaps = |(index, parent): (usize, &SpanRecord)| {
        let mut at = parent.start;
        let mut gaps = Vec::new();
        for (_, child) in children(tree, index) {
            gaps.push((child.start.abs_diff(at), child.op.as_str()));
            at = child.end;
        }
        if !gaps.is_empty() {
            gaps.push((parent.end.abs_diff(at), "the end"));
        }
        gaps
    };
    tree.spans.iter().enumerate().flat_map(gaps).max().unwrap_or_default()
}

/// Runs a test again in a process of its own, which must find it well. Servers of this test answer meanwhile.
async fn again(mut child: Command, test: &str) {
    child.args(["--exact", &format!("ssh::{test}"), "--nocapture"]);
    let output = tokio::task::spawn_blocking(move || child.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let passed = output.status.success() && said.contains("1 passed");
    assert!(passed, "{said}{}", String::from_utf8_lossy(&output.stderr));
}

/// Runs a probe until its phases tile it within a millisecond: a busy machine may need more than one.
async fn run_tiled(probe: &str) -> Outcome {
    let mut gaps = Vec::new();
    for _ in 0..20 {
        let outcome = run(probe).await;
        let gap = longest_gap(&outcome.tree);
        if gap.0 < Duration::from_millis(1) {
            return outcome;
        }
        gaps.push(gap);
    }
    panic!("phases leave time between them: {gaps:?}");
}
