//! What can be written of a request, in three sets: what is asked, over which wire, and what is expected of the answer.

mod answer;
mod asked;
mod size;
mod wire;

pub use self::{
    answer::AnswerKeys,
    asked::{AskedKeys, AuthKeys, BasicKeys, Body, ClientAuth, OAuth2Keys, Scalar, Verb},
    size::ByteSize,
    wire::{Address, Family, NameServer, ProxyUrl, Redirects, TlsKeys, TlsVersion, Version, WireKeys},
};

probe_keys::keys! {
    /// The keys of the http probe: it is one request, so they are a request's.
    pub struct HttpKeys {
        /// What is asked.
        flatten asked: AskedKeys,
        /// How the target is reached.
        flatten wire: WireKeys,
        /// What is expected of the answer.
        flatten answer: AnswerKeys,
    }
}
