//! What all requests share: the resolvers, the trusted roots, the prepared TLS configurations.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use hickory_resolver::net::NetError;
use rustls::{ClientConfig, RootCertStore, crypto::CryptoProvider};
use thiserror::Error;

use crate::{
    cipher,
    keys::TlsVersion,
    resolve::Resolver,
    tls::{Authorities, Trust, TrustError},
    tokens::Tokens,
};

/// What all requests share; made once, at load.
#[derive(Debug)]
pub struct Network {
    provider: Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
    resolver: Arc<Resolver>,
    /// Each TLS configuration is made once, and so is each resolver: those who share one can share a connection.
    trusts: Mutex<HashMap<Trust, Arc<ClientConfig>>>,
    resolvers: Mutex<HashMap<Vec<SocketAddr>, Arc<Resolver>>>,
    tokens: Tokens,
}

/// Why no request can be made at all.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// The system does not say whom to ask for names.
    #[error("the system's resolver configuration (/etc/resolv.conf) cannot be used: {0}")]
    Resolver(#[source] NetError),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

// === impl Network ===

impl Network {
    /// Reads the system's name servers and certificate authorities; the bundled authorities are added to those. `tokens`
    /// holds the sources of tokens that are in use already.
    ///
    /// # Errors
    /// When there is nothing to start from.
    pub fn new(tokens: Tokens) -> Result<Arc<Self>, NetworkError> {
        let resolver = Arc::new(Resolver::system().map_err(NetworkError::Resolver)?);
        let native = rustls_native_certs::load_native_certs();
        for error in &native.errors {
            tracing::warn!(%error, "some of the system's certificate authorities cannot be read");
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(native.certs);
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        let network = Self {
            provider: Arc::new(cipher::provider()),
            roots: Arc::new(roots),
            resolver,
            trusts: Mutex::default(),
            resolvers: Mutex::default(),
            tokens,
        };
        let authorities = Authorities::Usual;
        let usual = Trust { authorities, identity: None, min_version: TlsVersion::V12, version: None };
        network.tls(usual).map_err(|error| NetworkError::Tls(error.to_string()))?;
        Ok(Arc::new(network))
    }

    /// The configuration for this trust.
    pub(crate) fn tls(&self, trust: Trust) -> Result<Arc<ClientConfig>, TrustError> {
        let mut trusts = self.trusts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = trusts.get(&trust) {
            return Ok(config.clone());
        }
        let config = Arc::new(trust.config(&self.provider, &self.roots)?);
        trusts.insert(trust, config.clone());
        Ok(config)
    }

    /// Sources of tokens.
    pub const fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// The resolver that asks these name servers; the system's without any.
    pub(crate) fn resolver(&self, servers: Option<Vec<SocketAddr>>) -> Arc<Resolver> {
        let Some(servers) = servers else { return self.resolver.clone() };
        let mut resolvers = self.resolvers.lock().unwrap_or_else(PoisonError::into_inner);
        let made = resolvers.entry(servers).or_insert_with_key(|servers| Arc::new(Resolver::servers(servers)));
        made.clone()
    }
}
