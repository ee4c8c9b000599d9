//! The http probe against targets that keep time, break, and lie.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod crosstalk;
mod failures;
mod fuzz;
mod h2;
mod hostile;
mod limits;
mod prober;
mod redirects;
mod requests;
mod timing;
mod tls;
