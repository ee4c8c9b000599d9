//! A run's spans below its root, within what Sentry takes of a tree.

use std::{borrow::Cow, iter};

use probe_core::{SpanRecord, SpanTree};
use serde::{Serialize, Serializer};

use super::{
    data::Data,
    limits, scrub,
    wire::{Hex, Micros},
};

/// What a span takes beside its texts and its data, at most: names, ids, numbers.
const FRAME: usize = 512;

/// The spans that are sent: a parent before its children, and none without its parent.
#[derive(Debug)]
pub(super) struct Spans<'a> {
    kept: Vec<Span<'a>>,
    dropped: usize,
}

/// One span, as Sentry reads it.
#[derive(Debug, Serialize)]
struct Span<'a> {
    span_id: Hex<16>,
    parent_span_id: Hex<16>,
    trace_id: Hex<32>,
    op: &'static str,
    description: Cow<'a, str>,
    status: &'static str,
    origin: &'a str,
    start_timestamp: Micros,
    timestamp: Micros,
    #[serde(skip_serializing_if = "Data::is_empty")]
    data: Data<'a>,
}

// === impl Spans ===

impl<'a> Spans<'a> {
    /// All spans of the tree but its root; when they are too many, or too large, those that were opened first, and the
    /// way to the one that failed.
    pub(super) fn of(tree: &'a SpanTree, trace_id: Hex<32>, origin: &'a str) -> Self {
        let span = |record: &'a SpanRecord| Span::of(record, tree, trace_id, origin);
        let mut kept: Vec<Span<'_>> = tree.spans.iter().skip(1).map(span).collect();
        let all = kept.len();
        let bound = kept.iter().map(Span::bound).sum::<usize>();
        if all > limits::SPANS || bound > limits::SPAN_BYTES {
            let mut chosen = choose(tree, &kept).into_iter().skip(1);
            kept.retain(|_| chosen.next().unwrap_or_default());
        }
        Self { dropped: all - kept.len(), kept }
    }

    /// How many are not sent.
    pub(super) const fn dropped(&self) -> usize {
        self.dropped
    }
}

impl Serialize for Spans<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.kept.serialize(serializer)
    }
}

// === impl Span ===

impl<'a> Span<'a> {
    fn of(record: &'a SpanRecord, tree: &SpanTree, trace_id: Hex<32>, origin: &'a str) -> Self {
        let parent = record.parent.and_then(|parent| tree.spans.get(parent)).or(tree.root()).unwrap_or(record);
        let at = |offset| Micros::at(tree.started_at, offset);
        Self {
            span_id: record.id.into(),
            parent_span_id: parent.id.into(),
            trace_id,
            op: record.op.as_str(),
            description: limits::bytes(scrub::text(&record.description), limits::TEXT),
            status: record.status.as_str(),
            origin,
            start_timestamp: at(record.start),
            timestamp: at(record.end.max(record.start)),
            data: Data::of(record),
        }
    }

    fn bound(&self) -> usize {
        FRAME + limits::text_bound(&self.description) + self.data.bound()
    }
}

/// Which spans of the tree are sent, the root among them: first the failed one and those above it, then in the order of
/// opening as many as fit. A parent was opened before its children, so it is chosen before them.
fn choose(tree: &SpanTree, spans: &[Span<'_>]) -> Vec<bool> {
    let (mut chosen, mut count, mut bytes) = (vec![false; tree.spans.len()], 0, 2);
    let mut take = |index: usize, chosen: &mut Vec<bool>| {
        let parent = tree.spans[index].parent;
        if chosen[index] || parent.is_some_and(|parent| !chosen.get(parent).is_some_and(|chosen| *chosen)) {
            return;
        }
        // The root is the transaction itself: it takes nothing of the spans' room.
        let size = index.checked_sub(1).map_or(0, |below| limits::size(&spans[below]) + 1);
        if count + usize::from(index > 0) <= limits::SPANS && bytes + size <= limits::SPAN_BYTES {
            (chosen[index], count, bytes) = (true, count + usize::from(index > 0), bytes + size);
        }
    };
    let failed = tree.failed().and_then(|failed| tree.spans.iter().position(|span| span.id == failed.id));
    let above = |index: &usize| tree.spans.get(*index)?.parent.filter(|parent| parent < index);
    let mut way: Vec<usize> = iter::successors(failed, above).collect();
    way.reverse();
    way.into_iter().chain(0..tree.spans.len()).for_each(|index| take(index, &mut chosen));
    chosen
}
