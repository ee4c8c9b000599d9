//! Connections on their way back: after an answer, one needs a moment until it can be found and used again.
//!
//! A request that comes in this moment would have a connection of its own made (measured: 4.1 connections for 6 requests).
//! It is not held up for that, for its time would show it; the connection that would be made waits, and is not made at
//! all once the request has gone out over the one that came back.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{HeaderMap, Version, header::CONNECTION};
use tokio::time::{self, Instant};
use url::{Origin, Url};

use crate::body::Sent;

/// How long a connection is waited for. It costs nothing but where none comes back.
const WAIT: Duration = Duration::from_millis(5);

/// After that long a connection is back, or gone.
const BACK: Duration = Duration::from_millis(50);

/// What the connections of one client are known to do; none of it where none is used again.
#[derive(Clone, Debug)]
pub(crate) struct Returning(Option<Arc<Mutex<Returns>>>);

#[derive(Debug, Default)]
struct Returns {
    /// Who answered last, and when.
    last: Option<(Origin, Instant)>,
    /// The request that may find that connection.
    waiting: Option<Sent>,
}

/// The request has gone out over a connection that was there.
#[derive(Debug, thiserror::Error)]
#[error("this connection is not needed any more")]
pub(crate) struct Needless;

// === impl Returning ===

impl Returning {
    /// Nothing on its way yet.
    pub(crate) fn new(reuse: bool) -> Self {
        Self(reuse.then(Arc::default))
    }

    /// A whole answer came from here: its connection comes back, unless it was closed, or never left, as of HTTP/2.
    pub(crate) fn answered(&self, url: &Url, version: Version, headers: &HeaderMap) {
        let Some(mut returns) = self.lock() else { return };
        let closed = headers.get_all(CONNECTION).iter().any(|value| value.as_bytes().eq_ignore_ascii_case(b"close"));
        let returned = version == Version::HTTP_11 && !closed;
        returns.last = returned.then(|| (url.origin(), Instant::now()));
    }

    /// No connection comes back: the last one broke, or what was left of its answer is not read.
    pub(crate) fn lost(&self) {
        if let Some(mut returns) = self.lock() {
            returns.last = None;
        }
    }

    /// A request goes there; `sent` is marked when it has begun to go out.
    pub(crate) fn awaits(&self, url: &Url, sent: Sent) {
        let Some(mut returns) = self.lock() else { return };
        let on_its_way = |(origin, at): &(Origin, Instant)| at.elapsed() < BACK && *origin == url.origin();
        returns.waiting = returns.last.as_ref().is_some_and(on_its_way).then_some(sent);
    }

    /// Whoever is about to make a connection takes this, and waits for it.
    pub(super) fn take(&self) -> Option<Sent> {
        self.lock()?.waiting.take()
    }

    fn lock(&self) -> Option<MutexGuard<'_, Returns>> {
        self.0.as_ref().map(|returns| returns.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Waits a moment whether the request goes out over a connection that comes back.
pub(super) async fn wait(sent: Sent) -> Result<(), Needless> {
    time::sleep(WAIT).await;
    if sent.at().is_some() { Err(Needless) } else { Ok(()) }
}
