//! The connection hooks: the only file that reaches into how a connection is made.
//!
//! A layer around the connector opens one [`Attempt`] for each connection and scopes it, as a task-local, around the
//! connect future. The resolver, the TLS session store, the verifier and the ciphers run inside that future, so their
//! marks land in the right attempt whatever task polls it, and however many connections are made at once.

use std::{
    error::Error,
    future::Future,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use hyper_util::client::legacy::connect::{Connection, HttpInfo};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::{
    ClientConfig, DigitallySignedStruct, NamedGroup, SignatureScheme,
    client::{
        ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

use crate::{cipher::Agreed, keys::Family, resolve::Resolver, wire::literal};

type BoxError = Box<dyn Error + Send + Sync>;

tokio::task_local! {
    static ATTEMPT: Arc<Mutex<Attempt>>;
}

/// What was seen of one attempt to make a connection. What has no mark did not happen, or did not end well.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempt {
    /// When a name went to the resolver; none for an address.
    pub(crate) asked: Option<Instant>,
    /// That name.
    pub(crate) name: Option<String>,
    /// Whether the configuration has the addresses.
    pub(crate) configured: bool,
    /// When the resolver had addresses.
    pub(crate) resolved: Option<Instant>,
    /// Its addresses.
    pub(crate) addresses: Vec<IpAddr>,
    /// When the ClientHello was built, straight after TCP was connected.
    pub(crate) tls: Option<Instant>,
    /// The same of the handshake before, with a proxy, through which this one goes.
    pub(crate) tls_before: Option<Instant>,
    /// What the handshake agreed upon.
    pub(crate) agreed: Option<Agreed>,
    /// The target's own certificate, also when it did not hold.
    pub(crate) certificate: Option<CertificateDer<'static>>,
    /// Whether it held.
    pub(crate) verified: Option<bool>,
    /// When the connection could carry a request.
    pub(crate) established: Option<Instant>,
    /// Our end of it.
    pub(crate) local: Option<SocketAddr>,
    /// The target's end of it.
    pub(crate) remote: Option<SocketAddr>,
}

/// Every attempt of one run, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempts(Arc<Mutex<Vec<Arc<Mutex<Attempt>>>>>);

/// Both ends of a connection: which one it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ends {
    local: SocketAddr,
    remote: SocketAddr,
}

/// The layer that opens an attempt for each connection.
#[derive(Clone, Debug)]
pub(crate) struct AttemptLayer {
    pub(crate) attempts: Attempts,
    /// Whether a connection by TLS that did not agree upon HTTP/2 is none.
    pub(crate) wants_h2: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct AttemptService<S> {
    inner: S,
    layer: AttemptLayer,
}

/// The handshake agreed upon no HTTP/2.
#[derive(Debug, thiserror::Error)]
#[error("no HTTP/2 was agreed upon")]
pub(crate) struct NoHttp2;

/// The resolver, marking when it was asked and when it knew.
#[derive(Clone, Debug)]
pub(crate) struct MarkingResolver {
    pub(crate) resolver: Arc<Resolver>,
    pub(crate) family: Family,
    /// What one name stands for.
    pub(crate) alias: Option<(String, Alias)>,
}

/// What a name stands for, in place of what the resolver says of it.
#[derive(Clone, Debug)]
pub(crate) enum Alias {
    /// These addresses.
    Addresses(Arc<[IpAddr]>),
    /// What the resolver says of this other name.
    Name(String),
}

/// Marks the handshake's begin, keeps the certificate, resumes nothing: each handshake is a whole one.
#[derive(Debug)]
struct TlsHooks {
    verifier: Arc<dyn ServerCertVerifier>,
    /// Whether the verifier's word means anything.
    verifies: bool,
}

// === impl Attempts ===

impl Attempts {
    /// How many there were.
    pub(crate) fn len(&self) -> usize {
        lock(&self.0).len()
    }

    /// The latest since `from`.
    pub(crate) fn latest(&self, from: usize) -> Option<Attempt> {
        lock(&self.0).get(from..)?.last().map(|attempt| lock(attempt).clone())
    }

    /// The one that made this connection, if it was made since `from`.
    pub(crate) fn of(&self, ends: Ends, from: usize) -> Option<Attempt> {
        let made = |attempt: &Attempt| attempt.local == Some(ends.local) && attempt.remote == Some(ends.remote);
        let attempts = lock(&self.0);
        attempts.get(from..)?.iter().map(|attempt| lock(attempt).clone()).find(made)
    }
}

// === impl Ends ===

impl Ends {
    /// Those of the connection that an answer came over.
    pub(crate) fn of(extensions: &http::Extensions) -> Option<Self> {
        let info = extensions.get::<HttpInfo>()?;
        Some(Self { local: info.local_addr(), remote: info.remote_addr() })
    }

    /// The target's.
    pub(crate) const fn remote(&self) -> SocketAddr {
        self.remote
    }
}

// === impl AttemptLayer ===

impl<S> Layer<S> for AttemptLayer {
    type Service = AttemptService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AttemptService { inner, layer: self.clone() }
    }
}

impl<S, R> Service<R> for AttemptService<S>
where
    S: Service<R>,
    S::Response: Connection,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let attempt = Arc::<Mutex<Attempt>>::default();
        lock(&self.layer.attempts.0).push(attempt.clone());
        let wants_h2 = self.layer.wants_h2;
        let connect = ATTEMPT.sync_scope(attempt.clone(), || self.inner.call(request));
        Box::pin(ATTEMPT.scope(attempt.clone(), async move {
            let connection = connect.await.map_err(Into::into)?;
            if wants_h2 && lock(&attempt).tls.is_some() && !connection.connected().is_negotiated_h2() {
                return Err(NoHttp2.into());
            }
            mark(|attempt, now| attempt.establish(&connection, now));
            Ok(connection)
        }))
    }
}

// === impl Attempt ===

impl Attempt {
    fn establish(&mut self, connection: &impl Connection, now: Instant) {
        let mut extras = http::Extensions::new();
        connection.connected().get_extras(&mut extras);
        let ends = Ends::of(&extras);
        self.established = Some(now);
        self.local = ends.map(|ends| ends.local);
        self.remote = ends.map(|ends| ends.remote);
    }
}

// === impl MarkingResolver ===

impl Resolve for MarkingResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (resolver, family) = (self.resolver.clone(), self.family);
        let alias = self.alias.as_ref().filter(|(host, _)| host == name.as_str()).map(|(_, alias)| alias.clone());
        Box::pin(async move {
            let name = match (&alias, literal(name.as_str())) {
                (Some(Alias::Addresses(addresses)), _) => {
                    let addresses: Vec<IpAddr> = addresses.iter().copied().filter(|ip| family.holds(*ip)).collect();
                    mark(|attempt, _| {
                        attempt.configured = true;
                        attempt.addresses.clone_from(&addresses);
                    });
                    return Ok(addrs(addresses));
                }
                // Who connects through a proxy asks for addresses, too.
                (None, Some(address)) => return Ok(addrs(vec![address])),
                (Some(Alias::Name(other)), _) => other.as_str(),
                (None, None) => name.as_str(),
            };
            mark(|attempt, now| {
                attempt.asked = attempt.asked.or(Some(now));
                attempt.name = Some(name.to_owned());
            });
            let addresses = resolver.lookup(name, family).await?;
            mark(|attempt, now| {
                attempt.resolved = Some(now);
                attempt.addresses.clone_from(&addresses);
            });
            Ok(addrs(addresses))
        })
    }
}

fn addrs(addresses: Vec<IpAddr>) -> Addrs {
    Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)))
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

/// Writes into the attempt whose connect future is being polled; elsewhere there is nothing to write to.
fn mark(write: impl FnOnce(&mut Attempt, Instant)) {
    let now = Instant::now();
    let _ = ATTEMPT.try_with(|attempt| write(&mut lock(attempt), now));
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
