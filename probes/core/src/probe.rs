//! The contract of a probe.

use std::{fmt, future::Future, pin::Pin, time::Duration};

use tokio::time::Instant;

use crate::{Failure, Learnt, Propagation, Secret, Span};

/// A boxed future: a run's state lives on the heap only while it runs, so that an idle check stays small.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One way of asking a target whether it is well.
///
/// A probe does its work once, measures its steps into the [`Context`], and stops at the first broken expectation. It
/// does not schedule itself, tag, log to a sink, nor retry: its caller does, and cuts it off at its deadline.
pub trait Probe: fmt::Debug + Send + Sync {
    /// The kind as it stands after `probe:` in the configuration (`http`).
    fn kind(&self) -> &'static str;

    /// The operation of the run's root span: `probes.` and the kind.
    fn op(&self) -> &'static str;

    /// Asks once.
    ///
    /// # Errors
    /// The first broken expectation; of class `internal` when the fault is the prober's own.
    fn run<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Result<(), Failure>>;

    /// The spans of a run in which all goes well, the root among them: what a run costs where it is sent.
    fn spans(&self) -> usize;

    /// A command line that asks the target the same, within `timeout`: for a run that was cut off before the probe could
    /// say so itself.
    fn reproduce(&self, _timeout: Duration) -> Option<String> {
        None
    }
}

/// What a run is given.
#[derive(Debug)]
pub struct Context {
    /// The span of the whole run; a probe opens its own below it.
    pub root: Span,
    /// The headers that let the target's own trace join this one.
    pub propagation: Propagation,
    /// When the caller will cut the run off.
    pub deadline: Instant,
    /// The time that the run was given.
    pub timeout: Duration,
    /// What became known in this run and must not be shown.
    pub learnt: Learnt,
}

// === impl Context ===

impl Context {
    pub(crate) fn new(root: Span, propagation: Propagation, deadline: Instant, timeout: Duration) -> Self {
        Self { root, propagation, deadline, timeout, learnt: Learnt::default() }
    }

    pub(crate) fn into_parts(self) -> (Span, Vec<Secret>) {
        (self.root, self.learnt.take())
    }
}
