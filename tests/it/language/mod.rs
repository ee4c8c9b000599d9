//! The request language, against real peers and against targets that remember what they were asked.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod auth;
mod encodings;
mod family;
mod nginx;
mod propagate;
mod proxies;
mod proxy;
mod session;
mod tls;
