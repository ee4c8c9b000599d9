//! The integration tests: real servers, real files, one binary.

mod config;
mod delivery;
mod spool;
mod support;
