//! The integration tests: real servers, real files, one binary.

mod config;
mod expect;
mod spool;
