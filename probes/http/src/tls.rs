//! How certificates are judged and shown: prepared TLS configurations.

use std::{fs, sync::Arc};

use probe_core::Secret;
use probe_keys::{FileOrText, Findings, Placed};
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    version::{TLS12, TLS13},
};
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer, ServerName, UnixTime,
    pem::{self, PemObject},
};

use crate::{
    connect,
    keys::{TlsKeys, TlsVersion, Version},
};

/// What a TLS configuration is made of: equal ones are made once, so that a connection can be shared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Trust {
    pub(crate) authorities: Authorities,
    /// Our certificates and their key.
    pub(crate) identity: Option<Identity>,
    pub(crate) min_version: TlsVersion,
    /// The only version of HTTP that is offered.
    pub(crate) version: Option<Version>,
}

/// Whom to believe.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Authorities {
    /// The system's, and the bundled ones.
    Usual,
    /// These, as DER.
    Only(Vec<Vec<u8>>),
    /// Anybody.
    Any,
}

/// Our certificates and their key, as DER.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    chain: Vec<Vec<u8>>,
    key: Secret,
}

/// Takes any certificate. The handshake must still be signed by it.
#[derive(Debug)]
struct Trusting(Arc<CryptoProvider>);

// === impl Trust ===

impl Trust {
    /// What was written; `None` when a mistake was noted.
    pub(crate) fn compile(keys: Option<&TlsKeys>, version: Option<Version>, findings: &Findings) -> Option<Self> {
        let usual = Self { authorities: Authorities::Usual, identity: None, min_version: TlsVersion::V12, version };
        let Some(keys) = keys else { return Some(usual) };
        let authorities = match (&keys.ca, keys.verify.unwrap_or(true)) {
            (None, true) => Some(Authorities::Usual),
            (None, false) => Some(Authorities::Any),
            (Some(ca), false) => {
                findings.wrong_with(&ca.spot, "`ca` has no use with `verify: false`", "leave one of the two out");
                None
            }
            (Some(ca), true) => {
                noted(ca, certificates(ca, "this file of authorities"), findings).map(Authorities::Only)
            }
        };
        let identity = match (&keys.cert, &keys.key) {
            (None, None) => Some(None),
            (Some(cert), Some(key)) => {
                let chain = noted(cert, certificates(cert, "this file of certificates"), findings);
                let key = noted(key, private_key(key), findings);
                chain.zip(key).map(|(chain, key)| Some(Identity { chain, key }))
            }
            (Some(alone), None) => {
                findings.wrong(&alone.spot, "a certificate is shown with its private key: `key` is missing");
                None
            }
            (None, Some(alone)) => {
                findings.wrong(&alone.spot, "a private key has no use without its certificate: `cert` is missing");
                None
            }
        };
        let min_version = keys.min_version.unwrap_or(TlsVersion::V12);
        Some(Self { authorities: authorities?, identity: identity?, min_version, version })
    }

    /// The configuration; the reason when there is none.
    pub(crate) fn config(
        &self,
        provider: &Arc<CryptoProvider>,
        usual: &Arc<RootCertStore>,
    ) -> Result<ClientConfig, TrustError> {
        let verifying = |roots: Arc<RootCertStore>| {
            let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build();
            verifier.map_err(|error| TrustError::Authorities(error.to_string()))
        };
        let verifier: Arc<dyn ServerCertVerifier> = match &self.authorities {
            Authorities::Usual => verifying(usual.clone())?,
            Authorities::Any => Arc::new(Trusting(provider.clone())),
            Authorities::Only(authorities) => {
                let mut roots = RootCertStore::empty();
                for der in authorities {
                    let added = roots.add(CertificateDer::from(der.as_slice()));
                    added.map_err(|error| {
                        TrustError::Authorities(format!("a certificate in it cannot be used: {error}"))
                    })?;
                }
                verifying(Arc::new(roots))?
            }
        };
        let versions = match self.min_version {
            TlsVersion::V12 => &[&TLS13, &TLS12][..],
            TlsVersion::V13 => &[&TLS13][..],
        };
        let builder = ClientConfig::builder_with_provider(provider.clone()).with_protocol_versions(versions);
        let builder = builder.map_err(|error| TrustError::Authorities(error.to_string()))?;
        let builder = builder.with_root_certificates(RootCertStore::empty());
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => identity.with(builder)?,
        };
        config.alpn_protocols = match self.version {
            None => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            Some(Version::Http1) => vec![b"http/1.1".to_vec()],
            Some(Version::Http2) => vec![b"h2".to_vec()],
        };
        Ok(connect::hooked(config, verifier, self.authorities != Authorities::Any))
    }
}

/// Why what was written gives no configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TrustError {
    /// The authorities cannot be used.
    #[error("{0}")]
    Authorities(String),
    /// Our own certificate cannot be used.
    #[error("{0}")]
    Identity(String),
}

// === impl Identity ===

impl Identity {
    fn with(
        &self,
        builder: rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>,
    ) -> Result<ClientConfig, TrustError> {
        let chain = self.chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
        let key = PrivateKeyDer::from_pem_slice(self.key.expose().as_bytes());
        let key = key.map_err(|error| TrustError::Identity(unreadable(&error)))?;
        builder.with_client_auth_cert(chain, key).map_err(|error| {
            TrustError::Identity(match error {
                rustls::Error::InconsistentKeys(_) => "the private key is not this certificate's".to_owned(),
                error => format!("this certificate cannot be shown: {error}"),
            })
        })
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("chain", &self.chain.len()).finish_non_exhaustive()
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

/// Whether this is PEM itself, and not a path to it.
pub(crate) fn is_inline(written: &str) -> bool {
    written.contains("-----BEGIN")
}

/// The PEM text itself, or that of the file of this path.
fn pem_of(written: &Placed<FileOrText>, what: &str) -> Result<Vec<u8>, String> {
    let text = &written.value.0.text;
    if is_inline(text) {
        return Ok(text.as_bytes().to_vec());
    }
    fs::read(text).map_err(|error| format!("{what} cannot be read: {error}"))
}

fn certificates(written: &Placed<FileOrText>, what: &str) -> Result<Vec<Vec<u8>>, String> {
    let pem = pem_of(written, what)?;
    let read: Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(&pem).map(|read| read.map(|der| der.as_ref().to_vec())).collect();
    let read = read.map_err(|error| format!("this is not PEM: {error}"))?;
    if read.is_empty() { Err("there is no certificate in it".to_owned()) } else { Ok(read) }
}

/// The key as PEM, once it is known to be one.
fn private_key(written: &Placed<FileOrText>) -> Result<Secret, String> {
    let pem = pem_of(written, "this private key's file")?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| {
        let encrypted = pem.windows(9).any(|window| window == b"ENCRYPTED");
        if encrypted {
            "this private key is encrypted: give it without a passphrase".to_owned()
        } else {
            unreadable(&error)
        }
    })?;
    String::from_utf8(pem).map(Secret::new).map_err(|_| "this private key's file is not text".to_owned())
}

fn unreadable(error: &pem::Error) -> String {
    match error {
        pem::Error::NoItemsFound => "there is no private key in it".to_owned(),
        other => format!("this is not PEM: {other}"),
    }
}

fn noted<T>(written: &Placed<FileOrText>, read: Result<T, String>, findings: &Findings) -> Option<T> {
    read.map_err(|reason| findings.wrong(&written.spot, reason)).ok()
}
