//! Which cipher suite a handshake agreed upon: rustls tells nobody, but it asks the suite's cipher for keys.

use std::sync::LazyLock;

use rustls::{
    CipherSuite, ConnectionTrafficSecrets, SupportedCipherSuite, Tls12CipherSuite, Tls13CipherSuite,
    crypto::{
        CipherSuiteCommon, CryptoProvider,
        cipher::{
            AeadKey, Iv, KeyBlockShape, MessageDecrypter, MessageEncrypter, Tls12AeadAlgorithm, Tls13AeadAlgorithm,
            UnsupportedOperationError,
        },
        ring,
    },
};

/// What a handshake agreed upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Agreed {
    /// `1.3`, as OpenTelemetry writes it.
    pub(crate) version: &'static str,
    /// The suite.
    pub(crate) suite: CipherSuite,
}

/// A cipher that says when it is asked for keys.
struct Telling<A: ?Sized + 'static> {
    agreed: Agreed,
    tell: fn(Agreed),
    inner: &'static A,
}

/// Ring's cryptography, whose ciphers tell the connection hooks.
pub(crate) fn provider() -> CryptoProvider {
    CryptoProvider { cipher_suites: SUITES.clone(), ..ring::default_provider() }
}

/// rustls wants suites that live for ever: one table for the whole process, made once.
static SUITES: LazyLock<Vec<SupportedCipherSuite>> = LazyLock::new(|| {
    ring::ALL_CIPHER_SUITES.iter().map(|suite| telling(*suite, crate::connect::mark_agreed)).collect()
});

fn telling(suite: SupportedCipherSuite, tell: fn(Agreed)) -> SupportedCipherSuite {
    match suite {
        SupportedCipherSuite::Tls13(suite) => {
            let agreed = Agreed { version: "1.3", suite: suite.common.suite };
            SupportedCipherSuite::Tls13(Box::leak(Box::new(Tls13CipherSuite {
                common: common(&suite.common),
                hkdf_provider: suite.hkdf_provider,
                aead_alg: Box::leak(Box::new(Telling { agreed, tell, inner: suite.aead_alg })),
                quic: suite.quic,
            })))
        }
        SupportedCipherSuite::Tls12(suite) => {
            let agreed = Agreed { version: "1.2", suite: suite.common.suite };
            SupportedCipherSuite::Tls12(Box::leak(Box::new(Tls12CipherSuite {
                common: common(&suite.common),
                prf_provider: suite.prf_provider,
                kx: suite.kx,
                sign: suite.sign,
                aead_alg: Box::leak(Box::new(Telling { agreed, tell, inner: suite.aead_alg })),
            })))
        }
    }
}

const fn common(common: &CipherSuiteCommon) -> CipherSuiteCommon {
    CipherSuiteCommon {
        suite: common.suite,
        hash_provider: common.hash_provider,
        confidentiality_limit: common.confidentiality_limit,
    }
}

// === impl Agreed ===

impl Agreed {
    /// The suite by its registered name (IANA, TLS Cipher Suites).
    pub(crate) fn cipher(self) -> String {
        self.suite.as_str().map_or_else(|| format!("{:?}", self.suite), |name| name.replacen("TLS13_", "TLS_", 1))
    }
}

// === impl Telling ===

impl Tls13AeadAlgorithm for Telling<dyn Tls13AeadAlgorithm> {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        self.inner.encrypter(key, iv)
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        (self.tell)(self.agreed);
        self.inner.decrypter(key, iv)
    }

    fn key_len(&self) -> usize {
        self.inner.key_len()
    }

    fn extract_keys(&self, key: AeadKey, iv: Iv) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.inner.extract_keys(key, iv)
    }

    fn fips(&self) -> bool {
        self.inner.fips()
    }
}

impl Tls12AeadAlgorithm for Telling<dyn Tls12AeadAlgorithm> {
    fn encrypter(&self, key: AeadKey, iv: &[u8], extra: &[u8]) -> Box<dyn MessageEncrypter> {
        self.inner.encrypter(key, iv, extra)
    }

    fn decrypter(&self, key: AeadKey, iv: &[u8]) -> Box<dyn MessageDecrypter> {
        (self.tell)(self.agreed);
        self.inner.decrypter(key, iv)
    }

    fn key_block_shape(&self) -> KeyBlockShape {
        self.inner.key_block_shape()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: &[u8],
        explicit: &[u8],
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.inner.extract_keys(key, iv, explicit)
    }

    fn fips(&self) -> bool {
        self.inner.fips()
    }
}
