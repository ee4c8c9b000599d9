//! The integration tests: real servers, real files, one binary.

mod cli;
mod config;
mod schedule;
mod envelopes;
mod relay;
mod runs;
mod spool;
mod tidy;
