//! Open spans, what records them, and the one clock that times them.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use serde_json::Value;
use tokio::time::Instant;

use crate::{FailureClass, Op, SpanId, SpanRecord, SpanStatus, SpanTree};

/// An open span, and the right to open others below it. Dropped unfinished, it ends there, as cut off.
#[derive(Debug)]
#[must_use = "a span that is dropped at once measures nothing"]
pub struct Span {
    recorder: Recorder,
    index: usize,
    id: SpanId,
    open: bool,
}

/// Collects the spans of one run; clones share the tree.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    shared: Arc<Mutex<Vec<Entry>>>,
    clock: Clock,
}

/// Wall time for people and monotonic time for differences, read together once.
#[derive(Clone, Copy, Debug)]
struct Clock {
    wall: SystemTime,
    monotonic: Instant,
}

/// A record whose end, or the way it ended, may not be known yet.
#[derive(Debug)]
struct Entry {
    record: SpanRecord,
    /// Whether it still runs, or ended without saying how.
    cut: bool,
    open: bool,
}

// === impl Recorder ===

impl Recorder {
    /// Reads the clocks and opens the root.
    pub(crate) fn start(op: Op) -> (Self, Span) {
        let clock = Clock { wall: SystemTime::now(), monotonic: Instant::now() };
        let recorder = Self { shared: Arc::default(), clock };
        let root = recorder.open(None, op, String::new(), clock.monotonic);
        (recorder, root)
    }

    /// The tree of a run that ended at `end`, beyond which no span reaches; those that were cut off, or still run, get
    /// the status `cut`.
    pub(crate) fn into_tree(self, cut: SpanStatus, end: Instant) -> SpanTree {
        let end = self.offset(end);
        let entries = mem::take(&mut *self.lock());
        let close = |mut entry: Entry| {
            entry.record.start = entry.record.start.min(end);
            entry.record.end = if entry.open { end } else { entry.record.end.min(end) };
            if entry.cut {
                entry.record.status = cut;
            }
            entry.record
        };
        SpanTree { started_at: self.clock.wall, spans: entries.into_iter().map(close).collect() }
    }

    fn open(&self, parent: Option<usize>, op: Op, description: String, start: Instant) -> Span {
        let (id, start) = (SpanId::random(), self.offset(start));
        let record =
            SpanRecord { id, op, description, parent, start, end: start, status: SpanStatus::Ok, data: Vec::new() };
        let mut entries = self.lock();
        entries.push(Entry { record, cut: true, open: true });
        let index = entries.len() - 1;
        drop(entries);
        Span { recorder: self.clone(), index, id, open: true }
    }

    fn close(&self, index: usize, end: Instant, status: Option<SpanStatus>) {
        let end = self.offset(end);
        if let Some(entry) = self.lock().get_mut(index) {
            entry.open = false;
            entry.record.end = end.max(entry.record.start);
            if let Some(status) = status {
                entry.cut = false;
                entry.record.status = status;
            }
        }
    }

    /// Ends what was cut off below the span `above` at `end`, for this reason, and returns where that was.
    fn settle(&self, above: usize, class: FailureClass, end: Instant) -> Option<String> {
        let end = self.offset(end);
        let mut entries = self.lock();
        let mut below = vec![false; entries.len()];
        let mut innermost = None;
        for index in above + 1..entries.len() {
            let Some(entry) = entries.get_mut(index) else { break };
            let parent = entry.record.parent;
            below[index] = parent == Some(above) || parent.is_some_and(|parent| below[parent]);
            if below[index] && entry.cut && !entry.open {
                entry.cut = false;
                entry.record.end = end.max(entry.record.start);
                entry.record.status = class.status();
                entry.record.data.push(("error.type", class.as_str().into()));
                innermost = Some(index);
            }
        }
        innermost.map(|index| entries[index].record.told())
    }

    fn offset(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.clock.monotonic)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Span ===

impl Span {
    /// Opens a span below this one, now.
    pub fn child(&self, op: Op) -> Span {
        self.child_at(op, Instant::now())
    }

    /// Opens a span below this one that began at `start`.
    pub fn child_at(&self, op: Op, start: Instant) -> Span {
        self.recorder.open(Some(self.index), op, op.description().to_owned(), start)
    }

    /// Says what a person reads, in place of the operation's own description.
    pub fn describe(&self, description: impl Into<String>) {
        if let Some(entry) = self.recorder.lock().get_mut(self.index) {
            entry.record.description = description.into();
        }
    }

    /// Notes a datum; a second value for a key replaces the first.
    pub fn set(&self, key: &'static str, value: impl Into<Value>) {
        if let Some(entry) = self.recorder.lock().get_mut(self.index) {
            let data = &mut entry.record.data;
            let value = value.into();
            match data.iter_mut().find(|(name, _)| *name == key) {
                Some((_, old)) => *old = value,
                None => data.push((key, value)),
            }
        }
    }

    /// Its id in the trace.
    pub const fn id(&self) -> SpanId {
        self.id
    }

    /// Ends it well, now.
    pub fn finish(self) {
        self.finish_at(Instant::now());
    }

    /// Ends it well, at `end`.
    pub fn finish_at(mut self, end: Instant) {
        self.end(end, Some(SpanStatus::Ok));
    }

    /// Ends it with a failure, now.
    pub fn fail(self, class: FailureClass) {
        self.fail_at(class, Instant::now());
    }

    /// Ends it with a failure, at `end`.
    pub fn fail_at(mut self, class: FailureClass, end: Instant) {
        self.set("error.type", class.as_str());
        self.end(end, Some(class.status()));
    }

    /// Ends it as cut off, at `end`: what cut it off is for the caller of the run to say.
    pub fn cut_at(mut self, end: Instant) {
        self.end(end, None);
    }

    /// Says why what was dropped below this span was cut off, at `end`: a time limit of its own, say. Returns where that
    /// was, in words: "in http.wait (Awaiting response) since 1.2s".
    pub fn settle(&self, class: FailureClass, end: Instant) -> Option<String> {
        self.recorder.settle(self.index, class, end)
    }

    pub(crate) fn end(&mut self, end: Instant, status: Option<SpanStatus>) {
        self.open = false;
        self.recorder.close(self.index, end, status);
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if self.open {
            self.end(Instant::now(), None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_tree_is_whole_and_exactly_timed() {
        let (recorder, root) = Recorder::start(Op::root("probes.test"));
        let conn = root.child(Op::NET_CONN);
        tokio::time::advance(Duration::from_millis(20)).await;
        conn.set("a", 1);
        conn.set("a", 2);
        conn.finish();
        let begun = Instant::now();
        tokio::time::advance(Duration::from_millis(5)).await;
        let send = root.child_at(Op::HTTP_SEND, begun);
        send.finish();
        root.finish();

        let tree = recorder.into_tree(SpanStatus::Cancelled, Instant::now());
        let times: Vec<_> =
            tree.spans.iter().map(|s| (s.op.as_str(), s.start.as_millis(), s.end.as_millis(), s.status)).collect();
        assert_eq!(
            times,
            [
                ("probes.test", 0, 25, SpanStatus::Ok),
                ("net.conn", 0, 20, SpanStatus::Ok),
                ("http.send", 20, 25, SpanStatus::Ok)
            ]
        );
        assert_eq!(tree.spans[1].data, [("a", Value::from(2))]);
        assert_eq!(tree.failed(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_dropped_ends_there_as_cut_off() {
        let (recorder, root) = Recorder::start(Op::root("probes.test"));
        let wait = root.child(Op::HTTP_WAIT);
        tokio::time::advance(Duration::from_millis(10)).await;
        drop(wait);
        tokio::time::advance(Duration::from_millis(10)).await;

        let tree = recorder.into_tree(SpanStatus::DeadlineExceeded, Instant::now());
        assert_eq!(tree.spans[1].end, Duration::from_millis(10));
        assert_eq!(tree.spans[1].status, SpanStatus::DeadlineExceeded);
        assert_eq!(tree.spans[0].end, Duration::from_millis(20));
        assert_eq!(tree.failed().map(|span| span.op), Some(Op::HTTP_WAIT));
        drop(root);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_cut_off_below_a_span_can_be_told_why() {
        let (recorder, root) = Recorder::start(Op::root("probes.test"));
        let before = root.child(Op::SCRIPT_STEP);
        let step = root.child(Op::SCRIPT_STEP);
        let request = step.child(Op::HTTP_REQUEST);
        request.child(Op::HTTP_SEND).finish();
        let wait = request.child(Op::HTTP_WAIT);
        tokio::time::advance(Duration::from_millis(1_200)).await;
        let at = Instant::now();
        drop((wait, request, before));
        let told = step.settle(FailureClass::Timeout, at);
        assert_eq!(told.as_deref(), Some("in http.wait (Awaiting response) since 1.2s"));
        assert_eq!(step.settle(FailureClass::Timeout, at), None);
        step.fail_at(FailureClass::Timeout, at);
        root.finish();

        let tree = recorder.into_tree(SpanStatus::Cancelled, Instant::now());
        let statuses: Vec<_> = tree.spans.iter().map(|span| span.status).collect();
        let (ok, late) = (SpanStatus::Ok, SpanStatus::DeadlineExceeded);
        assert_eq!(statuses, [ok, SpanStatus::Cancelled, late, late, ok, late]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_ends_after_the_run_ended_with_it() {
        let (recorder, root) = Recorder::start(Op::root("probes.test"));
        let wait = root.child(Op::HTTP_WAIT);
        tokio::time::advance(Duration::from_millis(10)).await;
        let end = Instant::now();
        tokio::time::advance(Duration::from_millis(10)).await;
        drop((wait, root.child(Op::HTTP_RECV)));

        let tree = recorder.into_tree(SpanStatus::DeadlineExceeded, end);
        let times: Vec<_> = tree.spans.iter().map(|span| (span.start.as_millis(), span.end.as_millis())).collect();
        assert_eq!(times, [(0, 10), (0, 10), (10, 10)]);
        drop(root);
    }

    #[tokio::test(start_paused = true)]
    async fn a_span_never_ends_before_it_began() {
        let (recorder, root) = Recorder::start(Op::root("probes.test"));
        let early = Instant::now();
        tokio::time::advance(Duration::from_millis(10)).await;
        let span = root.child(Op::HTTP_WAIT);
        span.finish_at(early);
        root.finish();
        let tree = recorder.into_tree(SpanStatus::Cancelled, Instant::now());
        assert_eq!(tree.spans[1].start, tree.spans[1].end);
    }
}
