//! Posts over HTTP/1.1, kept alive.
//!
//! Not HTTP/2: there, a connection that died without a word would be used for every further post.

use std::{
    error::Error as StdError,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER},
};
use probe_core::BoxFuture;
use reqwest::{Response, redirect::Policy, retry};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use thiserror::Error;
use tokio::time::timeout;
use url::Url;

use super::{
    super::Dsn,
    carrier::{Answer, Broken, Carrier},
    gzip::Gzip,
    settings::{Authorities, DeliverySettings},
};

const CLIENT: &str = concat!("sentrynet/", env!("CARGO_PKG_VERSION"));
const AUTH: HeaderName = HeaderName::from_static("x-sentry-auth");
const RATE_LIMITS: HeaderName = HeaderName::from_static("x-sentry-rate-limits");
const ENVELOPE: HeaderValue = HeaderValue::from_static("application/x-sentry-envelope");
const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// The bound on a connection, TLS included.
const CONNECTING: Duration = Duration::from_secs(10);
/// Shorter than servers and the things before them keep a silent connection.
const IDLE: Duration = Duration::from_secs(50);
/// An answer is read this far, so that its connection can be used again.
const READ: usize = 64 << 10;
/// And this long.
const READING: Duration = Duration::from_secs(5);
/// What is kept of an answer, in characters.
const KEPT: usize = 300;

/// The way to a Sentry project over HTTP, or HTTPS as its address says.
#[derive(Debug)]
pub struct Https {
    client: reqwest::Client,
    url: Url,
    /// One state for all: only the sender posts, and compressing is quick.
    gzip: Mutex<Gzip>,
}

/// Why no post can be made.
#[derive(Debug, Error)]
pub enum HttpsError {
    /// TLS cannot be set up.
    #[error("TLS to Sentry cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The client cannot be made.
    #[error("there is no HTTP client for Sentry: {0}")]
    Client(#[from] reqwest::Error),
    /// The DSN's key cannot be put into a header.
    #[error("the DSN's key cannot be sent: {0}")]
    Key(#[from] http::header::InvalidHeaderValue),
}

// === impl Https ===

impl Https {
    /// Prepares posts to the project of this DSN. Connects nothing.
    ///
    /// # Errors
    /// When TLS, the client or the key cannot be used.
    pub fn new(dsn: &Dsn, settings: &DeliverySettings) -> Result<Self, HttpsError> {
        let mut auth = HeaderValue::from_str(&dsn.as_sdk().to_auth(Some(CLIENT)).to_string())?;
        auth.set_sensitive(true);
        let headers = [(AUTH, auth), (CONTENT_TYPE, ENVELOPE), (CONTENT_ENCODING, GZIP)];
        let mut builder = reqwest::Client::builder()
            .user_agent(CLIENT)
            .default_headers(headers.into_iter().collect())
            .tls_backend_preconfigured(tls(settings.authorities.as_ref())?)
            .http1_only()
            .redirect(Policy::none())
            .retry(retry::never())
            .referer(false)
            .connect_timeout(CONNECTING)
            .pool_idle_timeout(IDLE)
            .no_proxy();
        if let Some(proxy) = &settings.proxy {
            builder = builder.proxy(reqwest::Proxy::all(proxy.url().clone())?);
        }
        Ok(Self { client: builder.build()?, url: dsn.as_sdk().envelope_api_url(), gzip: Mutex::new(Gzip::new()) })
    }

    async fn exchange(&self, envelope: &[u8]) -> Result<Answer, Broken> {
        let packed = self.gzip.lock().unwrap_or_else(PoisonError::into_inner).compress(envelope);
        let packed = packed.map_err(|error| Broken(format!("it cannot be compressed: {error}")))?;
        let response = self.client.post(self.url.clone()).body(packed).send().await.map_err(broken)?;
        Ok(answer(response).await)
    }
}

impl Carrier for Https {
    fn post(&self, envelope: Vec<u8>) -> BoxFuture<'_, Result<Answer, Broken>> {
        Box::pin(async move { self.exchange(&envelope).await })
    }
}

/// The answer. Its status counts, whatever becomes of its body.
async fn answer(mut response: Response) -> Answer {
    let mut body = Vec::new();
    let reading = async {
        while body.len() < READ
            && let Ok(Some(chunk)) = response.chunk().await
        {
            body.extend(chunk);
        }
    };
    // Too slow, and what is there will do.
    let _ = timeout(READING, reading).await;
    let headers = response.headers();
    Answer {
        status: response.status().as_u16(),
        rate_limits: joined(headers, &RATE_LIMITS),
        retry_after: joined(headers, &RETRY_AFTER),
        detail: String::from_utf8_lossy(&body).trim().chars().take(KEPT).collect(),
    }
}

/// All headers of a name, as one (RFC 9110, 5.3).
fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let values: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// The whole chain of causes, without the address.
fn broken(error: reqwest::Error) -> Broken {
    let error = error.without_url();
    let mut texts = vec![error.to_string()];
    let mut source = error.source();
    while let Some(cause) = source {
        texts.push(cause.to_string());
        source = cause.source();
    }
    texts.dedup();
    Broken(texts.join(": "))
}

fn tls(authorities: Option<&Authorities>) -> Result<ClientConfig, rustls::Error> {
    let roots = match authorities {
        Some(authorities) => authorities.roots()?,
        None => known_roots(),
    };
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let mut config = builder.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The system's authorities and the bundled ones.
fn known_roots() -> RootCertStore {
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::warn!(%error, "some of the system's certificate authorities cannot be read");
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(native.certs);
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    roots
}
