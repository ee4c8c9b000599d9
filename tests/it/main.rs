//! The integration tests: real servers, real files, one binary.

mod cli;
mod config;
mod envelopes;
mod expect;
mod http;
mod relay;
mod runs;
mod schedule;
mod spool;
mod ssh;
mod support;
mod tidy;
