//! The integration tests: real servers, real files, one binary.

mod cli;
mod config;
mod schedule;
mod spool;
mod tidy;
