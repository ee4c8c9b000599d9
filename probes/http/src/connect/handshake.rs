//! The TLS handshake, marked.

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, NamedGroup, SignatureScheme,
    client::{
        ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::mark;
use crate::cipher::Agreed;

/// Marks the handshake's begin, keeps the certificate, resumes nothing: each handshake is a whole one.
#[derive(Debug)]
struct TlsHooks {
    verifier: Arc<dyn ServerCertVerifier>,
    /// Whether the verifier's word means anything.
    verifies: bool,
}

// === impl TlsHooks ===

/// The configuration with its hooks in; `verifies` says whether the verifier can be believed.
pub(crate) fn hooked(mut config: ClientConfig, verifier: Arc<dyn ServerCertVerifier>, verifies: bool) -> ClientConfig {
    let hooks = Arc::new(TlsHooks { verifier, verifies });
    config.resumption = Resumption::store(hooks.clone());
    config.dangerous().set_certificate_verifier(hooks);
    config
}

/// Notes what the handshake agreed upon.
pub(crate) fn mark_agreed(agreed: Agreed) {
    mark(|attempt, _| attempt.agreed = Some(agreed));
}

fn mark_tls() {
    mark(|attempt, now| match (attempt.tls, attempt.verified.take()) {
        (None, _) => attempt.tls = Some(now),
        // Asked again within one handshake.
        (Some(_), None) => {}
        // That one is over: it was a proxy's.
        (before, Some(_)) => {
            attempt.tls_before = before;
            attempt.tls = Some(now);
            attempt.agreed = None;
            attempt.certificate = None;
        }
    });
}

// A resumed session would hide the certificate and shorten the handshake. Being asked for one is the mark.
impl ClientSessionStore for TlsHooks {
    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        mark_tls();
        None
    }

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        mark_tls();
        None
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        mark_tls();
        None
    }

    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}

    fn insert_tls13_ticket(&self, _: ServerName<'static>, _: Tls13ClientSessionValue) {}
}

impl ServerCertVerifier for TlsHooks {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        mark(|attempt, _| {
            attempt.certificate = Some(end_entity.clone().into_owned());
            attempt.verified = Some(self.verifies && verified.is_ok());
        });
        verified
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
