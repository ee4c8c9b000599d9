//! Authorities, and servers that show what these have signed.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{ServerConfig, crypto::ring};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// One day.
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// Who signs certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// From when until when a certificate holds.
#[derive(Clone, Copy)]
pub(crate) struct Validity {
    pub(crate) from: SystemTime,
    pub(crate) until: SystemTime,
}

// === impl Authority ===

impl Authority {
    /// An authority of this name.
    pub(crate) fn new(name: &str) -> Self {
        let mut params = params(&[], Validity::now());
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, key()).expect("it signs itself"))
    }

    /// Its certificate.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// Its certificate, as `tls.ca` takes it: PEM in a quoted YAML scalar.
    pub(crate) fn quoted(&self) -> String {
        format!("{:?}", self.pem())
    }

    /// A certificate for these hosts and its key, as PEM.
    pub(crate) fn issue(&self, hosts: &[&str]) -> (String, String) {
        let key = key();
        let certificate = params(hosts, Validity::now()).signed_by(&key, &self.0).expect("it signs");
        (certificate.pem(), key.serialize_pem())
    }

    /// A server with a certificate for these hosts.
    pub(crate) fn server(&self, hosts: &[&str], validity: Validity) -> Arc<ServerConfig> {
        let key = key();
        let certificate = params(hosts, validity).signed_by(&key, &self.0).expect("it signs");
        server(certificate.der().clone(), &key)
    }
}

// === impl Validity ===

impl Validity {
    /// Since yesterday, until tomorrow.
    pub(crate) fn now() -> Self {
        let now = SystemTime::now();
        Self { from: now - DAY, until: now + DAY }
    }
}

/// A server with a certificate that it signed itself.
pub(crate) fn self_signed(host: &str) -> Arc<ServerConfig> {
    let key = key();
    let certificate = params(&[host], Validity::now()).self_signed(&key).expect("it signs itself");
    server(certificate.der().clone(), &key)
}

fn params(hosts: &[&str], validity: Validity) -> CertificateParams {
    let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(hosts).expect("these are host names");
    params.not_before = validity.from.into();
    params.not_after = validity.until.into();
    params
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}

fn server(certificate: CertificateDer<'static>, key: &KeyPair) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().expect("ring knows them").with_no_client_auth();
    Arc::new(builder.with_single_cert(vec![certificate], key).expect("the key is the certificate's"))
}
