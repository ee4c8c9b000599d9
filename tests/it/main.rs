//! The integration tests: real servers, real files, one binary.

mod config;
mod envelopes;
mod relay;
mod runs;
mod spool;
