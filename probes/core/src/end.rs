//! How a whole and its phases end: those that are over at their own moment, the open one as the whole does.

use tokio::time::Instant;

use crate::{FailureClass, Span};

/// When a whole ended, and how.
#[derive(Clone, Copy, Debug)]
pub struct End {
    at: Instant,
    how: How,
}

#[derive(Clone, Copy, Debug)]
enum How {
    Well,
    Failed(FailureClass),
    CutOff,
}

// === impl End ===

impl End {
    /// It ended well.
    pub const fn well(at: Instant) -> Self {
        Self { at, how: How::Well }
    }

    /// It failed.
    pub const fn failed(class: FailureClass, at: Instant) -> Self {
        Self { at, how: How::Failed(class) }
    }

    /// It was cut off: what cut it off is for the caller of the run to say.
    pub const fn cut_off(at: Instant) -> Self {
        Self { at, how: How::CutOff }
    }

    /// How it failed, if it did.
    pub const fn class(self) -> Option<FailureClass> {
        match self.how {
            How::Failed(class) => Some(class),
            How::Well | How::CutOff => None,
        }
    }

    /// Ends a phase: well where it was `over` already, else as the whole does.
    pub fn close(self, phase: Span, over: Option<Instant>) {
        match (over, self.how) {
            (Some(at), _) => phase.finish_at(at),
            (None, How::Well) => phase.finish_at(self.at),
            (None, How::Failed(class)) => phase.fail_at(class, self.at),
            (None, How::CutOff) => phase.cut_at(self.at),
        }
    }
}
