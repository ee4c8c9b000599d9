//! The integration tests: real servers, real files, one binary.

mod config;
mod spool;
mod ssh;
mod support;
