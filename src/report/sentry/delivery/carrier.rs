//! The way to Sentry: one envelope there, one answer back.

use std::fmt;

use probe_core::BoxFuture;
use thiserror::Error;

/// What carries envelopes to Sentry.
pub trait Carrier: fmt::Debug + Send + Sync {
    /// Posts one envelope, complete with `sent_at`. The sender bounds how long it waits, and then drops the future.
    fn post(&self, envelope: Vec<u8>) -> BoxFuture<'_, Result<Answer, Broken>>;
}

/// What Sentry, or something before it, answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The status of HTTP.
    pub status: u16,
    /// The header `X-Sentry-Rate-Limits`.
    pub rate_limits: Option<String>,
    /// The header `Retry-After`.
    pub retry_after: Option<String>,
    /// The beginning of the body: why, in the server's words.
    pub detail: String,
}

/// There was no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Broken(pub String);
