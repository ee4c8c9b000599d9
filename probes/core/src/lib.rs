//! What a probe is, and what one run of it leaves behind.
//!
//! This crate knows nothing of Sentry, of YAML, of schedules, nor of any protocol. It is the floor of the house: every
//! other crate stands on it and it stands on none.

mod end;
mod failure;
mod fault;
mod learnt;
mod op;
mod outcome;
mod probe;
mod propagation;
mod run;
mod secret;
mod secret_name;
mod span;
mod tree;

pub use crate::{
    end::End,
    failure::{Excerpt, Failure, FailureClass},
    fault::own_fault,
    learnt::Learnt,
    op::Op,
    outcome::{Outcome, Verdict},
    probe::{BoxFuture, Context, Probe},
    propagation::{Propagation, Sampled, SpanId, Targets, TraceId},
    run::{Run, run_probe},
    secret::Secret,
    secret_name::is_secret_name,
    span::Span,
    tree::{SpanRecord, SpanStatus, SpanTree},
};
