//! The integration tests: real servers, real files, one binary.

mod cli;
mod config;
mod control;
mod curl;
mod delivery;
mod end_to_end;
mod envelopes;
mod expect;
mod http;
mod language;
mod relay;
mod runs;
mod schedule;
mod schema;
mod script;
mod secrets;
mod spool;
mod ssh;
mod support;
mod tidy;
