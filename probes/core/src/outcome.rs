//! What a run leaves.

use crate::{Failure, FailureClass, Secret, SpanTree};

/// Everything one run of a probe leaves behind.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Where the time went.
    pub tree: SpanTree,
    /// What it says of the target.
    pub verdict: Verdict,
    /// What became known in this run and must not be shown, in plain form: whoever tells of the run masks it.
    pub secrets: Vec<Secret>,
}

/// What a run says of the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every expectation held.
    Up,
    /// An expectation broke, or the target could not be reached.
    Down(Failure),
    /// The fault is on the prober's side: nothing is known of the target.
    Inconclusive(Failure),
}

// === impl Verdict ===

impl Verdict {
    /// As it stands in tags and output.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down(_) => "down",
            Self::Inconclusive(_) => "inconclusive",
        }
    }

    /// Why not up.
    pub const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Up => None,
            Self::Down(failure) | Self::Inconclusive(failure) => Some(failure),
        }
    }

    /// The same, to be changed: redaction goes through here.
    pub const fn failure_mut(&mut self) -> Option<&mut Failure> {
        match self {
            Self::Up => None,
            Self::Down(failure) | Self::Inconclusive(failure) => Some(failure),
        }
    }
}

impl From<Result<(), Failure>> for Verdict {
    fn from(result: Result<(), Failure>) -> Self {
        match result {
            Ok(()) => Self::Up,
            Err(failure) if failure.class == FailureClass::Internal => Self::Inconclusive(failure),
            Err(failure) => Self::Down(failure),
        }
    }
}
