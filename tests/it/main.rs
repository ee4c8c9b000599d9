//! The integration tests: real servers, real files, one binary.

mod cli;
mod config;
mod curl;
mod http;
mod language;
mod schedule;
mod spool;
mod support;
mod tidy;
