//! What a running daemon tells of itself: health, metrics, status; and what it can be asked to do.
//!
//! It listens on a socket in the state directory, so that `sentrynet status` and a container's health check need no
//! port; and on a TCP address where the configuration gives one. `routes` answers, `metrics` and `status` are what it
//! answers with, `client` is the other end.

mod client;
mod metrics;
mod routes;
mod status;

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::SystemTime,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener},
    sync::{mpsc, oneshot},
    task::JoinSet,
};

pub use self::{
    client::{AskError, ask},
    status::{DeliveryStatus, RunCounts, Status},
};
use crate::{
    report::{metrics::MetricsSink, sentry::Delivery},
    schedule::Pulse,
};

/// The name of the socket in the state directory.
const SOCKET: &str = "control.sock";

/// A wish to read the configuration again; the answer is what became of it, in words.
#[derive(Debug)]
pub struct Reload(pub oneshot::Sender<Result<String, String>>);

/// What can be told, kept up to date by those who know.
#[derive(Debug)]
pub struct Daemon {
    /// The file in use.
    pub config: PathBuf,
    /// When the daemon began.
    pub started_at: SystemTime,
    /// How many checks there are.
    pub checks: AtomicUsize,
    /// Runs in numbers.
    pub runs: MetricsSink,
    /// Whether the scheduler ticks.
    pub pulse: Pulse,
    /// Delivery in numbers; none when nothing is sent.
    pub delivery: Option<Arc<Delivery>>,
    /// No run begins any more.
    pub stopping: AtomicBool,
    /// Where wishes to reload go.
    pub reloads: mpsc::Sender<Reload>,
}

/// Open ears; nobody is answered yet.
#[derive(Debug)]
pub struct Control {
    unix: Option<(UnixListener, PathBuf)>,
    tcp: Option<TcpListener>,
}

/// Why nobody can ask.
#[derive(Debug, Error)]
#[error("cannot listen on {address}: {source}; `metrics.listen` says where to")]
pub struct ListenError {
    address: SocketAddr,
    source: io::Error,
}

// === impl Control ===

impl Control {
    /// Listens in the state directory, and on this address. A directory that cannot be used is told in the log: probing
    /// matters more.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn listen(state: &Path, address: Option<SocketAddr>) -> Result<Self, ListenError> {
        let tcp = match address {
            Some(address) => Some(TcpListener::bind(address).await.map_err(|source| ListenError { address, source })?),
            None => None,
        };
        let path = state.join(SOCKET);
        let unix = match socket(state, &path) {
            Ok(listener) => Some((listener, path)),
            Err(error) => {
                tracing::warn!(socket = %path.display(), %error, "`sentrynet status` will not reach this daemon");
                None
            }
        };
        Ok(Self { unix, tcp })
    }

    /// Where it listens by TCP.
    pub fn address(&self) -> Option<SocketAddr> {
        self.tcp.as_ref().and_then(|tcp| tcp.local_addr().ok())
    }

    /// Answers whoever asks, for ever.
    pub async fn serve(self, daemon: Arc<Daemon>) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                Some(accepted) = accept_unix(self.unix.as_ref()) => if let Ok(stream) = accepted {
                    connections.spawn(answer(stream, daemon.clone(), true));
                },
                Some(accepted) = accept_tcp(self.tcp.as_ref()) => if let Ok((stream, peer)) = accepted {
                    connections.spawn(answer(stream, daemon.clone(), peer.ip().is_loopback()));
                },
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
                // Nobody listens: then nobody asks, ever.
                else => std::future::pending().await,
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        if let Some((_, path)) = &self.unix {
            // The next daemon removes it if we cannot.
            let _ = fs::remove_file(path);
        }
    }
}

/// The socket; one that a dead daemon left is taken over, because the spool's lock tells who is alive.
fn socket(state: &Path, path: &Path) -> io::Result<UnixListener> {
    fs::create_dir_all(state)?;
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(io::Error::new(io::ErrorKind::AddrInUse, "another daemon answers there"));
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    UnixListener::bind(path)
}

async fn accept_unix(listener: Option<&(UnixListener, PathBuf)>) -> Option<io::Result<tokio::net::UnixStream>> {
    let (listener, _) = listener?;
    Some(listener.accept().await.map(|(stream, _)| stream))
}

async fn accept_tcp(listener: Option<&TcpListener>) -> Option<io::Result<(tokio::net::TcpStream, SocketAddr)>> {
    Some(listener?.accept().await)
}

/// One connection; `near` says that it comes from this machine.
async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin, daemon: Arc<Daemon>, near: bool) {
    let service = service_fn(|request| {
        let daemon = daemon.clone();
        async move { routes::answer(request, &daemon, near).await }
    });
    // How it ends is the asker's business; one who sends nothing is not waited for.
    let _ = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
}

// === impl Daemon ===

impl Daemon {
    /// Whether the scheduler ticks.
    pub fn is_healthy(&self) -> bool {
        self.pulse.age() < routes::STILL
    }

    /// Whether checks are being run.
    pub fn is_ready(&self) -> bool {
        self.is_healthy() && !self.stopping.load(Ordering::Relaxed)
    }
}
