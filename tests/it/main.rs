//! The integration tests: real servers, real files, one binary.

mod config;
mod http;
mod spool;
mod support;
