//! What all requests share: the resolver, the trusted roots, the prepared TLS configurations.

use std::{fs, sync::Arc};

use hickory_resolver::net::NetError;
use probe_keys::{Findings, Placed, Text};
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject};
use thiserror::Error;

use crate::{RequestKeys, cipher, connect, keys::TlsKeys, resolve::Resolver};

/// What all requests share; made once, at load.
#[derive(Debug)]
pub struct Network {
    provider: Arc<CryptoProvider>,
    resolver: Arc<Resolver>,
    verifying: Arc<ClientConfig>,
    trusting: Arc<ClientConfig>,
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
    Tls(#[source] rustls::Error),
    /// No authority is trusted, so no certificate could hold.
    #[error("no certificate authority can be used: {0}")]
    Roots(#[source] rustls::client::VerifierBuilderError),
}

/// How one check's connections are made.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) resolver: Arc<Resolver>,
    pub(crate) tls: Arc<ClientConfig>,
}

/// Takes any certificate. The handshake must still be signed by it.
#[derive(Debug)]
struct Trusting(Arc<CryptoProvider>);

// === impl Network ===

impl Network {
    /// Reads the system's name servers and certificate authorities; the bundled authorities are added to those.
    ///
    /// # Errors
    /// When there is nothing to start from.
    pub fn new() -> Result<Arc<Self>, NetworkError> {
        let provider = Arc::new(cipher::provider());
        let resolver = Arc::new(Resolver::system().map_err(NetworkError::Resolver)?);

        let native = rustls_native_certs::load_native_certs();
        for error in &native.errors {
            tracing::warn!(%error, "some of the system's certificate authorities cannot be read");
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(native.certs);
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());

        let verifying = Arc::new(verifying(&provider, roots)?);
        let trusting = config(&provider, Arc::new(Trusting(provider.clone())), false).map_err(NetworkError::Tls)?;
        Ok(Arc::new(Self { provider, resolver, verifying, trusting: Arc::new(trusting) }))
    }

    /// Prepares how a check's connections are made; `None` when a mistake was noted.
    pub(crate) fn route(&self, keys: &RequestKeys, findings: &Findings) -> Option<Route> {
        let tls = self.tls(keys.tls.as_ref(), findings);
        let resolver = match &keys.dns {
            None => self.resolver.clone(),
            Some(servers) => Arc::new(Resolver::servers(&servers.0.iter().map(|server| server.0).collect::<Vec<_>>())),
        };
        Some(Route { resolver, tls: tls? })
    }

    fn tls(&self, keys: Option<&TlsKeys>, findings: &Findings) -> Option<Arc<ClientConfig>> {
        let (verify, ca) = keys.map_or((true, None), |keys| (keys.verify.unwrap_or(true), keys.ca.as_ref()));
        let Some(ca) = ca else {
            return Some(if verify { self.verifying.clone() } else { self.trusting.clone() });
        };
        if !verify {
            findings.wrong_with(&ca.spot, "`ca` has no use with `verify: false`", "leave one of the two out");
            return None;
        }
        let prepared = authorities(ca).and_then(|roots| verifying(&self.provider, roots).map_err(|e| e.to_string()));
        prepared.map(Arc::new).map_err(|reason| findings.wrong(&ca.spot, reason)).ok()
    }
}

// === impl Trusting ===

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

fn verifying(provider: &Arc<CryptoProvider>, roots: RootCertStore) -> Result<ClientConfig, NetworkError> {
    let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let verifier = builder.build().map_err(NetworkError::Roots)?;
    config(provider, verifier, true).map_err(NetworkError::Tls)
}

fn config(
    provider: &Arc<CryptoProvider>,
    verifier: Arc<dyn ServerCertVerifier>,
    verifies: bool,
) -> Result<ClientConfig, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
    let mut config = builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(connect::hooked(config, verifier, verifies))
}

/// The authorities in a PEM text, or in the PEM file of that path.
fn authorities(ca: &Placed<Text>) -> Result<RootCertStore, String> {
    let written = &ca.value.text;
    let pem = if written.contains("-----BEGIN") {
        written.as_bytes().to_vec()
    } else {
        fs::read(written).map_err(|error| format!("this file of authorities cannot be read: {error}"))?
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| format!("this is not PEM: {error}"))?;
        roots.add(certificate).map_err(|error| format!("a certificate in it cannot be used: {error}"))?;
    }
    if roots.is_empty() { Err("there is no certificate in it".to_owned()) } else { Ok(roots) }
}
