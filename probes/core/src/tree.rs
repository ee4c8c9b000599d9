//! A run's spans as a tree: what is left when all of them have ended.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::{Op, SpanId};

/// All spans of one run; a parent comes before its children, the root first.
#[derive(Clone, Debug, PartialEq)]
pub struct SpanTree {
    /// The run's one reading of the wall clock; every time is this plus an offset.
    pub started_at: SystemTime,
    /// The root and everything below it, in the order of opening.
    pub spans: Vec<SpanRecord>,
}

/// One step. Times are offsets from the start of the run.
#[derive(Clone, Debug, PartialEq)]
pub struct SpanRecord {
    /// Random, unique in the trace.
    pub id: SpanId,
    /// What kind of step.
    pub op: Op,
    /// What a person reads.
    pub description: String,
    /// Index of the parent in the tree; `None` for the root alone.
    pub parent: Option<usize>,
    /// When it began.
    pub start: Duration,
    /// When it ended; never before `start`.
    pub end: Duration,
    /// How it ended.
    pub status: SpanStatus,
    /// What was learnt on the way; a key stands once.
    pub data: Vec<(&'static str, Value)>,
}

/// How a step ended, in Sentry's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanStatus {
    /// As it should.
    Ok,
    /// Cut off by a time limit.
    DeadlineExceeded,
    /// The target could not be reached or did not speak the protocol.
    Unavailable,
    /// The target answered something else than expected.
    FailedPrecondition,
    /// The target refused the credentials.
    Unauthenticated,
    /// The target is not who it should be.
    PermissionDenied,
    /// The prober's own fault.
    InternalError,
    /// The prober was shut down.
    Cancelled,
}

// === impl SpanStatus ===

impl SpanStatus {
    /// As Sentry writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::Unavailable => "unavailable",
            Self::FailedPrecondition => "failed_precondition",
            Self::Unauthenticated => "unauthenticated",
            Self::PermissionDenied => "permission_denied",
            Self::InternalError => "internal_error",
            Self::Cancelled => "cancelled",
        }
    }
}

// === impl SpanTree ===

impl SpanTree {
    /// The span of the whole run.
    pub fn root(&self) -> Option<&SpanRecord> {
        self.spans.first()
    }

    /// How long the whole run took.
    pub fn duration(&self) -> Duration {
        self.root().map_or(Duration::ZERO, SpanRecord::duration)
    }

    /// Where a run broke: the innermost span that did not end well, the last opened one when there are several. Of the
    /// steps of a script it is the first that counts: those after it clean up.
    pub fn failed(&self) -> Option<&SpanRecord> {
        let mut failed = None;
        let mut above = None;
        loop {
            let mut below = self.spans.iter().enumerate().filter(|(_, span)| span.parent == above && !span.is_ok());
            let found = match below.next() {
                Some(first) if first.1.op == Op::SCRIPT_STEP => first,
                Some(first) => below.next_back().unwrap_or(first),
                None => return failed,
            };
            (above, failed) = (Some(found.0), Some(found.1));
        }
    }
}

// === impl SpanRecord ===

impl SpanRecord {
    /// How long it took.
    pub fn duration(&self) -> Duration {
        self.end.saturating_sub(self.start)
    }

    fn is_ok(&self) -> bool {
        self.status == SpanStatus::Ok
    }

    /// Where a run was when it was cut off: "in http.wait (Awaiting response) since 1.2s".
    pub(crate) fn told(&self) -> String {
        format!("in {} ({}) since {:?}", self.op.as_str(), self.description, rounded(self.duration()))
    }

    /// One datum by its key.
    pub fn datum(&self, key: &str) -> Option<&Value> {
        self.data.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }
}

fn rounded(duration: Duration) -> Duration {
    if duration >= Duration::from_secs(1) {
        Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX) / 10 * 10)
    } else {
        Duration::from_micros(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX) / 10 * 10)
    }
}
