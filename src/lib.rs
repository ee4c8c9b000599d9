//! SentryNet: asks your services how they are, and tells Sentry where the time went.
//!
//! Modules in reading order, outermost first; each may use those below it and never one above (`tests/it/tidy.rs`
//! holds us to it).

pub mod cli;

pub mod app;

pub mod control;
pub mod demo;

pub mod config;

pub mod schedule;

pub mod report;

pub mod telemetry;

pub mod check;

pub mod redact;
pub mod trace;
