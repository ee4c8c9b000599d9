//! The connection hooks: the only room that reaches into how a connection is made.
//!
//! A layer around the connector opens one [`Attempt`] for each connection and scopes it, as a task-local, around the
//! connect future. The resolver, the TLS session store, the verifier and the ciphers run inside that future, so their
//! marks land in the right attempt whatever task polls it, and however many connections are made at once.

mod handshake;
mod name;
mod returning;

use std::{
    error::Error,
    future::Future,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use hyper_util::client::legacy::connect::{Connection, HttpInfo};
use rustls_pki_types::CertificateDer;
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

use crate::cipher::Agreed;

pub(crate) use self::{
    handshake::{hooked, mark_agreed},
    name::{Alias, MarkingResolver},
    returning::Returning,
};

type BoxError = Box<dyn Error + Send + Sync>;

tokio::task_local! {
    static ATTEMPT: Arc<Mutex<Attempt>>;
}

/// What was seen of one attempt to make a connection. What has no mark did not happen, or did not end well.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempt {
    /// When it began, where that was not at once.
    pub(crate) begun: Option<Instant>,
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
    /// What may make a connection needless.
    pub(crate) returning: Returning,
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

// === impl Attempts ===

impl Attempts {
    fn push(&self, attempt: Arc<Mutex<Attempt>>) {
        lock(&self.0).push(attempt);
    }

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
        let AttemptLayer { attempts, returning, wants_h2 } = self.layer.clone();
        // Nothing is done in it before it is polled.
        let connect = ATTEMPT.sync_scope(attempt.clone(), || self.inner.call(request));
        let waiting = returning.take();
        if waiting.is_none() {
            attempts.push(attempt.clone());
        }
        Box::pin(async move {
            if let Some(sent) = waiting {
                returning::wait(sent).await?;
                lock(&attempt).begun = Some(Instant::now());
                attempts.push(attempt.clone());
            }
            let connection = ATTEMPT.scope(attempt.clone(), connect).await.map_err(Into::into)?;
            let mut attempt = lock(&attempt);
            if wants_h2 && attempt.tls.is_some() && !connection.connected().is_negotiated_h2() {
                return Err(NoHttp2.into());
            }
            attempt.establish(&connection, Instant::now());
            Ok(connection)
        })
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

/// Writes into the attempt whose connect future is being polled; elsewhere there is nothing to write to.
fn mark(write: impl FnOnce(&mut Attempt, Instant)) {
    let now = Instant::now();
    let _ = ATTEMPT.try_with(|attempt| write(&mut lock(attempt), now));
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
