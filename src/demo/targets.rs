//! Web servers that are well, slow, broken or elsewhere, by their path.

use std::{
    convert::Infallible,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use futures_util::stream;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::StreamBody;
use hyper::{
    body::{Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use tokio::{net::TcpListener, task::JoinSet, time};
use tokio_rustls::TlsAcceptor;

/// How long each part of the slow answer takes.
const SLOW: Duration = Duration::from_millis(180);

/// How long any other answer takes: enough to be seen.
const QUICK: Duration = Duration::from_millis(6);

/// Serves until the tasks end; over TLS if it is given.
pub(super) async fn serve(tasks: &mut JoinSet<()>, tls: Option<Arc<ServerConfig>>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                    // Else the answer waits for an acknowledgement that is held back 40 ms.
                    let _ = stream.set_nodelay(true);
                    connections.spawn(connection(stream, tls.clone()));
                },
                Some(_) = connections.join_next() => {}
            }
        }
    });
    Ok(address)
}

/// One connection; how it ends is the client's business.
async fn connection(stream: tokio::net::TcpStream, tls: Option<Arc<ServerConfig>>) {
    let service = service_fn(answer);
    match tls {
        None => {
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        }
        Some(tls) => {
            if let Ok(stream) = TlsAcceptor::from(tls).accept(stream).await {
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            }
        }
    }
}

type Parts = StreamBody<std::pin::Pin<Box<dyn futures_util::Stream<Item = Result<Frame<Bytes>, Infallible>> + Send>>>;

async fn answer(request: Request<Incoming>) -> Result<Response<Parts>, http::Error> {
    let (method, path) = (request.method(), request.uri().path());
    let pause = if path == "/slow" { SLOW } else { QUICK };
    time::sleep(pause).await;
    let response = Response::builder().header(header::CONTENT_TYPE, "application/json");
    match (method, path) {
        (&Method::POST, "/login") => {
            response.body(parts(&["{\"token\": \"a-token-that-nobody-else-has\"}\n"], Duration::ZERO))
        }
        (&Method::POST, "/orders") => {
            response.status(StatusCode::CREATED).body(parts(&["{\"id\": 17, \"state\": \"new\"}\n"], Duration::ZERO))
        }
        (&Method::DELETE, "/orders/17") => response.status(StatusCode::NO_CONTENT).body(parts(&[], Duration::ZERO)),
        (_, "/orders/17") => response.body(parts(&["{\"id\": 17, \"state\": \"ready\"}\n"], Duration::ZERO)),
        (_, "/slow") => response.body(parts(&["{\"report\": [", "1, 2, 3]}\n"], SLOW)),
        (_, "/broken") => response
            .status(StatusCode::INTERNAL_SERVER_ERROR)
            .body(parts(&["{\"error\": \"the database does not answer\"}\n"], Duration::ZERO)),
        (_, "/moved") => response
            .status(StatusCode::FOUND)
            .header(header::LOCATION, "/status")
            .body(parts(&["{}\n"], Duration::ZERO)),
        _ => response.body(parts(&["{\"status\": \"ok\", \"version\": \"1.4.2\"}\n"], Duration::ZERO)),
    }
}

/// A body in parts, each after a pause.
fn parts(parts: &'static [&'static str], pause: Duration) -> Parts {
    let next = move |index: usize| async move {
        let part = parts.get(index)?;
        if !pause.is_zero() {
            time::sleep(pause).await;
        }
        Some((Ok(Frame::data(Bytes::from_static(part.as_bytes()))), index + 1))
    };
    StreamBody::new(Box::pin(stream::unfold(0, next)))
}
