//! The integration tests: real servers, real files, one binary.

mod cli;
mod config;
mod http;
mod schedule;
mod spool;
mod support;
mod tidy;
