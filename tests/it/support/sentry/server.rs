//! The stand-in on the network.

use std::{
    io::{self, Read},
    net::SocketAddr,
    sync::Arc,
};

use flate2::read::GzDecoder;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use sentrynet::report::sentry::Dsn;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;

use super::{Sentry, limits::LARGEST_REQUEST};
use crate::support::certificates::{Authority, Validity};

/// The key that the stand-in knows.
const KEY: &str = "0123456789abcdef0123456789abcdef";

/// How connections begin.
enum Beginning {
    Plain,
    Tls(TlsAcceptor),
    /// Bytes that are no TLS.
    Rubbish,
}

/// A stand-in that listens on loopback, for as long as this lives.
pub(crate) struct Server {
    pub(crate) sentry: Arc<Sentry>,
    address: SocketAddr,
    scheme: &'static str,
    _accepting: AbortOnDropHandle<()>,
}

// === impl Server ===

impl Server {
    pub(crate) async fn plain(sentry: Arc<Sentry>) -> Self {
        Self::start(sentry, "http", Beginning::Plain).await
    }

    pub(crate) async fn tls(sentry: Arc<Sentry>, authority: &Authority) -> Self {
        Self::start(sentry, "https", Beginning::Tls(authority.server(&["127.0.0.1"], Validity::now()).into())).await
    }

    pub(crate) async fn broken_tls(sentry: Arc<Sentry>) -> Self {
        Self::start(sentry, "https", Beginning::Rubbish).await
    }

    async fn start(sentry: Arc<Sentry>, scheme: &'static str, beginning: Beginning) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let accepting = tokio::spawn(accept(listener, Arc::clone(&sentry), Arc::new(beginning)));
        Self { sentry, address, scheme, _accepting: AbortOnDropHandle::new(accepting) }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn dsn(&self) -> Dsn {
        self.dsn_with(KEY)
    }

    /// As it is written.
    pub(crate) fn dsn_text(&self) -> String {
        format!("{}://{KEY}@{}/42", self.scheme, self.address)
    }

    /// As if it were at this name, which nobody knows.
    pub(crate) fn dsn_at(&self, host: &str) -> Dsn {
        format!("{}://{KEY}@{host}/42", self.scheme).parse().expect("a DSN")
    }

    pub(crate) fn dsn_with(&self, key: &str) -> Dsn {
        format!("{}://{key}@{}/42", self.scheme, self.address).parse().expect("a DSN")
    }
}

async fn accept(listener: TcpListener, sentry: Arc<Sentry>, beginning: Arc<Beginning>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (sentry, beginning) = (Arc::clone(&sentry), Arc::clone(&beginning));
        sentry.connected();
        // It ends when its peer closes it: the runtime of the test outlives neither.
        tokio::spawn(async move {
            match &*beginning {
                Beginning::Plain => connection(stream, sentry).await,
                Beginning::Tls(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        connection(stream, sentry).await;
                    }
                }
                Beginning::Rubbish => {
                    let mut stream = stream;
                    let _ = stream.write_all(b"220 this is no TLS\r\n").await;
                }
            }
        });
    }
}

async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin, sentry: Arc<Sentry>) {
    let answer = service_fn(|request| answer(request, Arc::clone(&sentry)));
    // How a connection ends is the client's concern.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
}

/// The answer; an error closes the connection without one.
async fn answer(request: Request<Incoming>, sentry: Arc<Sentry>) -> Result<Response<Full<Bytes>>, io::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let answer = match envelope(head.uri.path(), &head.headers, &body) {
        Ok(envelope) => sentry.receive(&envelope).await.map_err(io::Error::other)?,
        Err((status, detail)) => sentry.refuse(status, detail),
    };
    let mut response = Response::builder().status(StatusCode::from_u16(answer.status).expect("a status"));
    for (name, value) in [("X-Sentry-Rate-Limits", answer.rate_limits), ("Retry-After", answer.retry_after)] {
        if let Some(value) = value {
            response = response.header(name, value);
        }
    }
    Ok(response.body(Full::new(answer.detail.into())).expect("an answer"))
}

/// What was posted, unpacked; else the status that Relay answers before it looks at it.
fn envelope(path: &str, headers: &HeaderMap, body: &[u8]) -> Result<Vec<u8>, (u16, String)> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if path != "/api/42/envelope/" {
        return Err((404, format!("nothing is at {path}")));
    }
    if !header("x-sentry-auth").contains(&format!("sentry_key={KEY},")) {
        return Err((403, "event submission rejected with_reason: ProjectId".to_owned()));
    }
    if header("content-type") != "application/x-sentry-envelope" {
        return Err((400, "not an envelope".to_owned()));
    }
    if body.len() > LARGEST_REQUEST {
        return Err((413, format!("a request of {} bytes", body.len())));
    }
    let mut unpacked = Vec::new();
    match header("content-encoding") {
        "gzip" => GzDecoder::new(body).read_to_end(&mut unpacked).map_err(|error| (400, error.to_string()))?,
        other => return Err((415, format!("encoding {other:?}"))),
    };
    Ok(unpacked)
}
