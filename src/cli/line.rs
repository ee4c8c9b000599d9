//! A run as one line: when, verdict, how long, what, and why not up.

use std::time::Duration;

use chrono::{DateTime, Local};
use probe_core::{SpanTree, Verdict};

use super::terminal::{Paint, Terminal, printable};
use crate::report::Report;

/// Phases that a line tells, with the word for each.
const PHASES: [(&str, &str); 6] = [
    ("net.dns", "dns"),
    ("net.tcp", "tcp"),
    ("net.tls", "tls"),
    ("http.send", "send"),
    ("http.wait", "wait"),
    ("http.recv", "recv"),
];

/// The line, without its end.
pub(super) fn line(terminal: &Terminal, report: &Report) -> String {
    let tree = &report.outcome.tree;
    let at = DateTime::<Local>::from(tree.started_at).format("%H:%M:%S%.3f").to_string();
    let verdict = &report.outcome.verdict;
    let word = terminal.paint(paint(verdict), &format!("{:<12}", verdict.as_str()));
    let title = terminal.paint(Paint::Strong, &printable(&report.check.title, false));
    let more = match verdict.failure() {
        Some(failure) => format!("{}: {}", failure.class.as_str(), failure.message),
        None => phases(tree),
    };
    let more = terminal
        .paint(if verdict.failure().is_some() { paint(verdict) } else { Paint::Faint }, &printable(&more, false));
    format!("{} {word} {:>9}  {title}  {more}", terminal.paint(Paint::Faint, &at), duration(tree.duration()))
}

/// The colour of a verdict.
pub(super) const fn paint(verdict: &Verdict) -> Paint {
    match verdict {
        Verdict::Up => Paint::Good,
        Verdict::Down(_) => Paint::Bad,
        Verdict::Inconclusive(_) => Paint::Doubtful,
    }
}

/// A duration as people read it, with three digits: `1.24 s`, `25.3 ms`, `40 µs`.
pub(super) fn duration(duration: Duration) -> String {
    let micros = duration.as_secs_f64() * 1e6;
    match micros {
        micros if micros < 999.5 => format!("{micros:.0} µs"),
        micros if micros < 9_995.0 => format!("{:.2} ms", micros / 1e3),
        micros if micros < 99_950.0 => format!("{:.1} ms", micros / 1e3),
        micros if micros < 999_500.0 => format!("{:.0} ms", micros / 1e3),
        micros if micros < 99_950_000.0 => format!("{:.2} s", micros / 1e6),
        micros => format!("{:.0} s", micros / 1e6),
    }
}

/// How long each kind of phase took, all requests together.
fn phases(tree: &SpanTree) -> String {
    let total = |op: &str| {
        let spans = tree.spans.iter().filter(|span| span.op.as_str() == op);
        spans.map(probe_core::SpanRecord::duration).reduce(|all, one| all + one)
    };
    let told = PHASES.iter().filter_map(|(op, word)| total(op).map(|took| format!("{word} {}", duration(took))));
    told.collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits_and_a_unit() {
        let of = |micros| duration(Duration::from_micros(micros));
        let told = [0, 40, 999, 1_000, 9_990, 25_340, 99_940, 123_400, 1_240_000, 61_000_000, 100_000_000].map(of);
        assert_eq!(
            told,
            [
                "0 µs", "40 µs", "999 µs", "1.00 ms", "9.99 ms", "25.3 ms", "99.9 ms", "123 ms", "1.24 s", "61.00 s",
                "100 s"
            ]
        );
    }
}
