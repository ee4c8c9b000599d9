//! Real servers on loopback, and what a probe finds there.

pub(crate) mod app;
pub(crate) mod certificates;
pub(crate) mod child;
pub(crate) mod dns;
pub(crate) mod log;
pub(crate) mod probe;
pub(crate) mod program;
pub(crate) mod script;
pub(crate) mod seen;
pub(crate) mod sentry;
pub(crate) mod sshd;
pub(crate) mod target;

/// How many checks the configuration of the demo has.
pub(crate) const DEMO_CHECKS: usize = 8;
