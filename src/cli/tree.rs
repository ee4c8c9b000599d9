//! A run as a tree of spans with bars: where the time went, and where it broke.

use std::time::Duration;

use probe_core::{Failure, SpanRecord, SpanStatus, SpanTree};
use serde_json::Value;

use super::{
    line::{duration, line},
    terminal::{Paint, Terminal, printable},
};
use crate::report::Report;

/// Columns of a bar, at least and at most.
const BAR: (usize, usize) = (12, 40);

/// What of a span's data is told beside it, in this order.
const TOLD: [&str; 8] = [
    "http.response.status_code",
    "http.response.body.size",
    "dns.answers",
    "network.peer.address",
    "connection.reused",
    "tls.protocol.version",
    "tls.server.not_after",
    "keys",
];

/// The tree, line by line, each with its end.
pub(super) fn tree(terminal: &Terminal, report: &Report) -> String {
    let tree = &report.outcome.tree;
    let mut text = line(terminal, report) + "\n";
    let rows: Vec<(usize, String)> = rows(tree, None, "").collect();
    let longest = rows.iter().map(|(_, label)| label.chars().count()).max().unwrap_or(0);
    let bar = (terminal.width * 3 / 10).clamp(BAR.0, BAR.1);
    let label_width = longest.min(terminal.width.saturating_sub(bar + 16));
    for (index, label) in rows {
        let span = &tree.spans[index];
        let failed = span.status != SpanStatus::Ok;
        let label = fitted(&label, label_width);
        let label = if failed { terminal.paint(Paint::Bad, &label) } else { label };
        let drawn = drawn(span, tree.duration(), bar);
        let drawn = terminal.paint(if failed { Paint::Bad } else { Paint::Good }, &drawn);
        let note = match span.datum("error.type") {
            // Its parents failed because it did.
            Some(Value::String(class)) if tree.failed() == Some(span) => {
                let told = note(span);
                let gap = if told.is_empty() { "" } else { ", " };
                terminal.paint(Paint::Faint, &format!("{told}{gap}")) + &terminal.paint(Paint::Bad, class)
            }
            _ => terminal.paint(Paint::Faint, &note(span)),
        };
        let row = format!("  {label} {:>8} {drawn} {note}", duration(span.duration()));
        text.push_str(row.trim_end());
        text.push('\n');
    }
    if let Some(failure) = report.outcome.verdict.failure() {
        text.push_str(&reason(terminal, failure, report.check.runbook.as_deref()));
    }
    text
}

/// Indexes and labels of all spans below one, depth first, as a tree is drawn.
fn rows<'t>(tree: &'t SpanTree, parent: Option<usize>, indent: &str) -> Box<dyn Iterator<Item = (usize, String)> + 't> {
    let children: Vec<usize> = (0..tree.spans.len()).filter(|index| tree.spans[*index].parent == parent).collect();
    let (last, indent) = (children.last().copied(), indent.to_owned());
    Box::new(children.into_iter().flat_map(move |index| {
        let span = &tree.spans[index];
        let (branch, deeper) = match (parent, Some(index) == last) {
            (None, _) => ("", ""),
            (Some(_), true) => ("└─ ", "   "),
            (Some(_), false) => ("├─ ", "│  "),
        };
        let own = span.description != span.op.description() && !span.description.is_empty();
        let label = if own {
            format!("{indent}{branch}{} {}", span.op.as_str(), span.description)
        } else {
            format!("{indent}{branch}{}", span.op.as_str())
        };
        let label = printable(&label, false).into_owned();
        std::iter::once((index, label)).chain(rows(tree, Some(index), &format!("{indent}{deeper}")))
    }))
}

/// The text in exactly so many columns.
fn fitted(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width {
        return format!("{text}{}", " ".repeat(width - length));
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// A bar over the time of the whole run; half a column at least, so that nothing that happened is invisible.
fn drawn(span: &SpanRecord, whole: Duration, columns: usize) -> String {
    let halves = columns * 2;
    let at = |time: Duration| {
        let share = time.as_secs_f64() / whole.as_secs_f64().max(1e-9);
        // A share is between 0 and 1, and columns are few.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let half = (share.clamp(0.0, 1.0) * halves as f64).round() as usize;
        half
    };
    let start = at(span.start).min(halves - 1);
    let end = at(span.end).max(start + 1);
    let inside = |half: usize| (start..end).contains(&half);
    let column = |column: usize| match (inside(column * 2), inside(column * 2 + 1)) {
        (true, true) => '█',
        (true, false) => '▌',
        (false, true) => '▐',
        (false, false) => '·',
    };
    (0..columns).map(column).collect()
}

/// What a person wants to know of a span beside its time.
fn note(span: &SpanRecord) -> String {
    let mut told: Vec<String> = Vec::new();
    for key in TOLD {
        let Some(value) = span.datum(key) else { continue };
        match (key, value) {
            ("http.response.body.size", size) => told.push(format!("{size} bytes")),
            ("connection.reused", _) => told.push("reused".to_owned()),
            ("tls.server.not_after", Value::String(until)) => {
                told.push(format!("certificate until {}", until.get(..10).unwrap_or(until)));
            }
            (_, Value::String(text)) => told.push(text.clone()),
            (_, Value::Array(values)) => {
                let values = values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
                told.push(values.collect::<Vec<_>>().join(", "));
            }
            (_, value) => told.push(value.to_string()),
        }
    }
    told.retain(|text| !text.is_empty());
    printable(&told.join(", "), false).into_owned()
}

/// Why it is not up, and what to do.
fn reason(terminal: &Terminal, failure: &Failure, runbook: Option<&str>) -> String {
    let answer = failure.excerpt.as_ref().and_then(|excerpt| excerpt.body.lines().find(|line| !line.trim().is_empty()));
    let answer = answer.map(|line| fitted(&printable(line, false), terminal.width.saturating_sub(12)));
    let rows = [
        ("expected", failure.expected.as_deref()),
        ("actual", failure.actual.as_deref()),
        ("origin", failure.origin.as_deref()),
        ("answer", answer.as_deref().map(str::trim_end)),
        ("reproduce", failure.reproduce.as_deref()),
        ("runbook", runbook),
    ];
    let row = |(name, value): (&str, Option<&str>)| {
        value.map(|value| {
            format!("  {} {}\n", terminal.paint(Paint::Faint, &format!("{name:>9}")), printable(value, true))
        })
    };
    rows.into_iter().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_fitted_by_characters() {
        assert_eq!(fitted("ü", 3), "ü  ");
        assert_eq!(fitted("müde", 3), "mü…");
    }
}
