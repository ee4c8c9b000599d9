//! How delivery is done: where results wait, and how Sentry is reached.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use rustls::RootCertStore;
use rustls_pki_types::{
    CertificateDer,
    pem::{self, PemObject},
};
use thiserror::Error;
use url::Url;

use super::super::spool::Limits;

/// Where results wait for Sentry, and how it is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliverySettings {
    /// The spool's directory; in the state directory if absent.
    pub directory: Option<PathBuf>,
    /// How much is kept, and for how long.
    pub limits: Limits,
    /// The only authorities that may vouch for Sentry's certificate; the system's and the bundled ones if absent.
    pub authorities: Option<Authorities>,
    /// What stands between here and Sentry; the environment's proxies are ignored.
    pub proxy: Option<Proxy>,
}

/// Certificate authorities, at least one.
#[derive(Clone, PartialEq, Eq)]
pub struct Authorities(Vec<CertificateDer<'static>>);

/// Why a text holds no authorities.
#[derive(Debug, Error)]
pub enum AuthoritiesError {
    /// It is not PEM.
    #[error("this is not PEM: {0}")]
    Pem(#[from] pem::Error),
    /// It is PEM, and no certificate of an authority.
    #[error("a certificate in it cannot be used: {0}")]
    Certificate(#[from] rustls::Error),
    /// There is none.
    #[error("there is no certificate in it")]
    None,
}

/// The address of a proxy, which may hold a password: it cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy(Url);

/// Why a proxy cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "not the address of a proxy: write http://HOST:PORT or https://HOST:PORT, with USER:PASSWORD@ if it asks for them"
)]
pub struct ProxyError;

// === impl DeliverySettings ===

impl DeliverySettings {
    /// Where the spool is, given the state directory.
    pub fn directory(&self, state: &Path) -> PathBuf {
        self.directory.clone().unwrap_or_else(|| state.join("spool"))
    }
}

// === impl Authorities ===

impl Authorities {
    /// Those in a PEM text.
    ///
    /// # Errors
    /// When there is none, or one of them cannot be used.
    pub fn from_pem(pem: &[u8]) -> Result<Self, AuthoritiesError> {
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>()?;
        let authorities = Self(certificates);
        if authorities.roots()?.is_empty() { Err(AuthoritiesError::None) } else { Ok(authorities) }
    }

    /// As TLS takes them.
    pub(super) fn roots(&self) -> Result<RootCertStore, rustls::Error> {
        let mut roots = RootCertStore::empty();
        self.0.iter().try_for_each(|certificate| roots.add(certificate.clone()))?;
        Ok(roots)
    }
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorities({})", self.0.len())
    }
}

// === impl Proxy ===

impl Proxy {
    /// As the client takes it.
    pub(super) const fn url(&self) -> &Url {
        &self.0
    }
}

impl FromStr for Proxy {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|_| ProxyError)?;
        if ["http", "https"].contains(&url.scheme()) && url.has_host() { Ok(Self(url)) } else { Err(ProxyError) }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_an_address_and_its_password_is_not_shown() {
        let proxy: Proxy = "http://user:hunter2@proxy.example:3128".parse().unwrap();
        assert_eq!(format!("{proxy:?}"), "[redacted]");
        for text in ["proxy.example:3128", "ftp://proxy.example", "", "http://"] {
            assert_eq!(text.parse::<Proxy>(), Err(ProxyError), "{text}");
        }
    }

    #[test]
    fn a_text_without_a_certificate_is_no_authority() {
        assert!(matches!(Authorities::from_pem(b"hello"), Err(AuthoritiesError::None)));
    }

    #[test]
    fn the_spool_is_in_the_state_directory_unless_said_otherwise() {
        let mut settings = DeliverySettings::default();
        assert_eq!(settings.directory(Path::new("/var/lib/x")), Path::new("/var/lib/x/spool"));
        settings.directory = Some("/data".into());
        assert_eq!(settings.directory(Path::new("/var/lib/x")), Path::new("/data"));
    }
}
