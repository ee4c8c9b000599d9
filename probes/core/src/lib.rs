//! What a probe is, and what one run of it leaves behind.
//!
//! This crate knows nothing of Sentry, of YAML, of schedules, nor of any protocol. It is the floor of the house: every
//! other crate stands on it and it stands on none.

mod end;
mod failure;
mod fault;
mod op;
mod outcome;
mod probe;
mod propagation;
mod run;
mod secret;
mod span;
mod tree;

pub use crate::{
    end::End,
    failure::{Excerpt, Failure, FailureClass},
    fault::own_fault,
    op::Op,
    outcome::{Outcome, Verdict},
    probe::{BoxFuture, Context, Probe},
    propagation::{Propagation, Sampled, SpanId, Targets, TraceId},
    run::{Run, run_probe},
    secret::Secret,
    span::Span,
    tree::{SpanRecord, SpanStatus, SpanTree},
};
