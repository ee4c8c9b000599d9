//! The http probe: one request, its phases measured, its answer judged; and the parts that a chain of requests is made of.
//!
//! Modules in reading order, each using those below it: `probe` asks and has the answer judged (`judge`); a `session` is
//! what the requests of one run share, and follows redirects (`redirect`); an `exchange` is one request and its answer,
//! whose marks become spans in `phases` and whose errors get their class in `failure`; a `client` is made for one run from
//! what `wire` and `network` prepared; `connect` holds all connection hooks.
//!
//! Whoever chains requests reads [`WireKeys`] and [`AnswerKeys`] of each with its own keys, compiles them to a [`Wire`] and
//! an [`Expected`], makes a [`Request`] of values when its turn comes, and asks within one [`Session`].

mod asked;
mod auth;
mod body;
mod certificate;
mod cipher;
mod client;
mod compile;
mod connect;
mod cookies;
mod decode;
mod exchange;
mod failure;
mod judge;
mod keys;
mod lint;
mod named;
mod network;
mod oauth;
mod phases;
mod probe;
mod redirect;
mod reproduce;
mod request;
mod resolve;
mod session;
mod target;
mod tls;
mod tokens;
mod wire;

pub use crate::{
    asked::{Asked, AskedHeader, Part, Payload, Refusal},
    auth::Auth,
    exchange::{Answer, Hop, Seen},
    judge::Expected,
    keys::{
        Address, AnswerKeys, AskedKeys, AuthKeys, BasicKeys, Body, ByteSize, ClientAuth, Family, HttpKeys, NameServer,
        OAuth2Keys, ProxyUrl, Redirects, Scalar, TlsKeys, TlsVersion, Verb, Version, WireKeys,
    },
    lint::doubt,
    network::{Network, NetworkError},
    oauth::{Grant, OAuth2},
    phases::{SPANS, SPANS_REUSED},
    probe::HttpProbe,
    request::Request,
    session::{Bound, Question, Session},
    tokens::Tokens,
    wire::Wire,
};
