//! What is answered to whom: `/healthz`, `/readyz`, `/metrics`, `/status`, and `POST /reload` from this machine.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::sync::oneshot;

use super::{Daemon, Reload, Status, metrics};

/// A pulse that is older than this has stopped.
pub(super) const STILL: Duration = Duration::from_secs(5);

/// Answers one request; `near` says that it comes from this machine.
pub(super) async fn answer(
    request: Request<Incoming>,
    daemon: &Daemon,
    near: bool,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let read = matches!(*request.method(), Method::GET | Method::HEAD);
    let answered = match request.uri().path() {
        "/healthz" if read => health(daemon.is_healthy(), "the scheduler does not tick"),
        "/readyz" if read => health(daemon.is_ready(), "no checks are run"),
        "/metrics" if read => text(StatusCode::OK, metrics::text(daemon), metrics::CONTENT_TYPE),
        "/status" if read => {
            // A status is texts and numbers: this cannot fail.
            let status = serde_json::to_string(&Status::of(daemon)).unwrap_or_default();
            text(StatusCode::OK, status, "application/json")
        }
        "/reload" if *request.method() == Method::POST && near => reload(daemon).await,
        "/reload" if *request.method() == Method::POST => plain(StatusCode::FORBIDDEN, "only from this machine\n"),
        "/healthz" | "/readyz" | "/metrics" | "/status" | "/reload" => {
            plain(StatusCode::METHOD_NOT_ALLOWED, "GET, or POST /reload\n")
        }
        _ => plain(StatusCode::NOT_FOUND, "/healthz /readyz /metrics /status, and POST /reload\n"),
    };
    Ok(answered)
}

fn health(well: bool, otherwise: &str) -> Response<Full<Bytes>> {
    if well { plain(StatusCode::OK, "ok\n") } else { plain(StatusCode::SERVICE_UNAVAILABLE, otherwise) }
}

async fn reload(daemon: &Daemon) -> Response<Full<Bytes>> {
    let (sender, answer) = oneshot::channel();
    let asked = daemon.reloads.send(Reload(sender)).await.is_ok();
    match answer.await {
        Ok(Ok(news)) => plain(StatusCode::OK, &news),
        Ok(Err(mistakes)) => plain(StatusCode::UNPROCESSABLE_ENTITY, &mistakes),
        Err(_) if asked => plain(StatusCode::SERVICE_UNAVAILABLE, "the daemon stops\n"),
        Err(_) => plain(StatusCode::SERVICE_UNAVAILABLE, "nobody reloads\n"),
    }
}

fn plain(status: StatusCode, body: &str) -> Response<Full<Bytes>> {
    text(status, body.to_owned(), "text/plain; charset=utf-8")
}

fn text(status: StatusCode, body: String, content_type: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
