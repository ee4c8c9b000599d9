//! What the tests talk to.

pub(crate) mod child;
pub(crate) mod log;
pub(crate) mod sentry;
