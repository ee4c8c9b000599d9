//! The http probe: one request, its phases measured, its answer judged.
//!
//! Modules in reading order, each using those below it: `probe` asks, follows (`redirect`) and judges (`judge`); an
//! `exchange` is one request and its answer, whose marks become spans in `phases` and whose errors get their class in
//! `failure`; `client` is made for one run from what `network` prepared; `connect` holds all connection hooks.

mod body;
mod certificate;
mod cipher;
mod client;
mod connect;
mod exchange;
mod failure;
mod judge;
mod keys;
mod network;
mod phases;
mod probe;
mod redirect;
mod request;
mod resolve;

pub use crate::{
    keys::{Body, ByteSize, HttpKeys, NameServer, Redirects, RequestKeys, Scalar, TlsKeys, Verb},
    network::{Network, NetworkError},
    probe::HttpProbe,
};
