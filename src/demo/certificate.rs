//! An authority of the demo's own, and a certificate that it signed.

use std::sync::Arc;

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use thiserror::Error;

/// A server's side, and what its clients have to trust.
pub(super) struct Signed {
    /// Presents the certificate.
    pub(super) server: Arc<ServerConfig>,
    /// PEM.
    pub(super) authority: String,
}

/// Why there is no certificate.
#[derive(Debug, Error)]
pub enum CertificateError {
    /// It could not be made.
    #[error(transparent)]
    Make(#[from] rcgen::Error),
    /// It could not be used.
    #[error(transparent)]
    Use(#[from] rustls::Error),
}

/// Days that a certificate is valid, as public authorities give them.
const VALID: i64 = 90;

/// A certificate for this name.
pub(super) fn signed(name: &str) -> Result<Signed, CertificateError> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "SentryNet demo authority");
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new([name.to_owned()])?;
    let (year, month, day) = valid_until(Utc::now());
    params.not_after = date_time_ymd(year, month, day);
    let certificate = params.signed_by(&key, &authority)?;
    let private = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)?;
    Ok(Signed { server: Arc::new(server), authority: authority.pem() })
}

/// The last day of a certificate that is made now.
fn valid_until(now: DateTime<Utc>) -> (i32, u8, u8) {
    let day = now + TimeDelta::days(VALID);
    // A month is 1 to 12 and a day 1 to 31.
    (day.year(), u8::try_from(day.month()).unwrap_or(1), u8::try_from(day.day()).unwrap_or(1))
}
