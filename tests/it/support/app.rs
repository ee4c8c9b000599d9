//! A small shop: log in, create an order, wait until it is ready, read it, delete it; slow, broken, or wrong on demand.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    time::sleep,
};
use tokio_rustls::TlsAcceptor;

/// What a login gives: longer than anything that may be shown.
pub(crate) const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg";

/// The cookie of a login.
pub(crate) const SESSION: &str = "f0e1d2c3b4a5968778695a4b3c2d1e0f";

/// The shop, on a port of its own.
pub(crate) struct App {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
    scheme: &'static str,
}

/// A request that came in.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    /// With the query.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

#[derive(Default)]
struct State {
    connections: usize,
    asked: Vec<Asked>,
    made: u64,
    /// What each order was made of, and how often it was looked at.
    orders: BTreeMap<u64, (Value, u32)>,
}

// === impl App ===

impl App {
    pub(crate) async fn start() -> Self {
        Self::serve(None, "http").await
    }

    pub(crate) async fn secure(config: Arc<ServerConfig>) -> Self {
        Self::serve(Some(TlsAcceptor::from(config)), "https").await
    }

    async fn serve(tls: Option<TlsAcceptor>, scheme: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state: Arc<Mutex<State>> = Arc::default();
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                lock(&shared).connections += 1;
                let (state, tls) = (shared.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => connection(stream, state).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                connection(stream, state).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, state, scheme }
    }

    pub(crate) fn base(&self) -> String {
        format!("{}://localhost:{}", self.scheme, self.address.port())
    }

    /// Connections so far.
    pub(crate) fn connections(&self) -> usize {
        lock(&self.state).connections
    }

    /// Requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        lock(&self.state).asked.clone()
    }

    /// Orders that were made and not deleted.
    pub(crate) fn orders(&self) -> Vec<u64> {
        lock(&self.state).orders.keys().copied().collect()
    }
}

// === impl Asked ===

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, state: Arc<Mutex<State>>) {
    let serve = service_fn(move |request| {
        let state = state.clone();
        async move { Ok::<_, Infallible>(answer(request, &state).await) }
    });
    // The other end may be gone at any moment.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), serve).await;
}

async fn answer(request: Request<Incoming>, state: &Mutex<State>) -> Response<String> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let body = String::from_utf8_lossy(&body).into_owned();
    let path = head.uri.path_and_query().unwrap().to_string();
    let asked = Asked { method: head.method, path, headers: head.headers, body };
    lock(state).asked.push(asked.clone());
    let parts: Vec<&str> = head.uri.path().trim_matches('/').split('/').collect();
    match parts.as_slice() {
        ["login"] => login(&asked),
        ["open", ..] => said(StatusCode::OK, &json!({"path": asked.path, "body": asked.body})),
        ["slow", milliseconds] => {
            sleep(Duration::from_millis(milliseconds.parse().unwrap())).await;
            said(StatusCode::OK, &json!({"slow": true}))
        }
        ["fail", status, ..] => {
            let status = StatusCode::from_bytes(status.as_bytes()).unwrap();
            said(status, &json!({"error": "on demand", "authorization": asked.header("authorization")}))
        }
        ["close"] => {
            let mut answer = said(StatusCode::OK, &json!({}));
            answer.headers_mut().insert("connection", "close".parse().unwrap());
            answer
        }
        _ if !knows(&asked) => said(StatusCode::UNAUTHORIZED, &json!({"error": "who are you?"})),
        ["me"] => said(StatusCode::OK, &json!({"name": "ann", "token": TOKEN})),
        ["orders"] if asked.method == Method::POST => {
            let Ok(order) = serde_json::from_str::<Value>(&asked.body) else {
                return said(StatusCode::BAD_REQUEST, &json!({"error": "no JSON"}));
            };
            let mut state = lock(state);
            state.made += 1;
            let id = state.made;
            state.orders.insert(id, (order.clone(), 0));
            said(StatusCode::CREATED, &json!({"id": id, "state": "pending", "order": order}))
        }
        ["orders", id] => order(&asked, id.parse().unwrap_or_default(), &mut lock(state)),
        _ => said(StatusCode::NOT_FOUND, &json!({"error": "no such thing"})),
    }
}

fn login(asked: &Asked) -> Response<String> {
    if !asked.body.contains("opensesame") {
        return said(StatusCode::FORBIDDEN, &json!({"error": "no"}));
    }
    let mut answer =
        said(StatusCode::OK, &json!({"access_token": TOKEN, "user": {"name": "ann", "roles": ["a", "b"]}}));
    answer.headers_mut().insert("set-cookie", format!("session={SESSION}; Path=/").parse().unwrap());
    answer.headers_mut().insert("x-region", "eu-1".parse().unwrap());
    answer
}

/// By the token or by the cookie.
fn knows(asked: &Asked) -> bool {
    asked.header("authorization") == Some(&format!("Bearer {TOKEN}"))
        || asked.header("cookie") == Some(&format!("session={SESSION}"))
}

/// It is ready when it has been looked at for the third time.
fn order(asked: &Asked, id: u64, state: &mut State) -> Response<String> {
    if asked.method == Method::DELETE {
        return match state.orders.remove(&id) {
            Some(_) => said(StatusCode::NO_CONTENT, &Value::Null),
            None => said(StatusCode::NOT_FOUND, &json!({"error": "no such order"})),
        };
    }
    let Some((order, looked)) = state.orders.get_mut(&id) else {
        return said(StatusCode::NOT_FOUND, &json!({"error": "no such order"}));
    };
    *looked += 1;
    let state = if *looked < 3 { "pending" } else { "ready" };
    said(StatusCode::OK, &json!({"id": id, "state": state, "order": order}))
}

fn said(status: StatusCode, json: &Value) -> Response<String> {
    let body = if json.is_null() { String::new() } else { json.to_string() };
    Response::builder().status(status).header("content-type", "application/json").body(body).unwrap()
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap()
}
