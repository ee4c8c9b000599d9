//! The same over HTTP/2, where the target speaks it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::StreamBody;
use hyper::{Request, Response, body::Frame, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use probe_core::FailureClass::{Protocol, Timeout};
use tokio::{
    net::TcpListener,
    time::{Instant, sleep},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::io::InspectWriter;

use super::timing::{Errors, RUNS};
use crate::support::{
    certificates::{Authority, Validity},
    probe::{check, probe, run},
};

/// What the target did, and when.
#[derive(Clone, Default)]
struct Stamps {
    /// When each request came, when it was answered, and when the body followed.
    answers: Arc<Mutex<Vec<[Instant; 3]>>>,
    /// When anything was written to a connection: an answer leaves some time after it was given.
    writes: Arc<Mutex<Vec<Instant>>>,
}

// === impl Stamps ===

impl Stamps {
    /// When the target wrote what it had to say at this moment.
    fn written(&self, given: Instant) -> Instant {
        self.writes.lock().unwrap().iter().copied().find(|at| *at >= given).unwrap()
    }
}

/// A target that speaks HTTP/2 alone and answers with pauses; the keys of a probe of it.
async fn target(path: &str) -> (String, Stamps) {
    let (authority, stamps) = (Authority::new("Test"), Stamps::default());
    let mut config = (*authority.server(&["localhost"], Validity::now())).clone();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let all = stamps.clone();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let (acceptor, stamps) = (acceptor.clone(), all.clone());
            tokio::spawn(async move {
                // Else the kernel holds a small answer back until the last one is acknowledged.
                tcp.set_nodelay(true).unwrap();
                let writes = stamps.writes.clone();
                let tcp = InspectWriter::new(tcp, move |_: &[u8]| writes.lock().unwrap().push(Instant::now()));
                let tls = acceptor.accept(tcp).await.unwrap();
                let service = service_fn(|request| answer(request, stamps.clone()));
                // The prober leaves when it has heard enough.
                let _ = http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(tls), service).await;
            });
        }
    });
    (format!("url: 'https://localhost:{port}{path}', tls: {{ca: {}}}", authority.quoted()), stamps)
}

type Body = StreamBody<std::pin::Pin<Box<dyn stream::Stream<Item = Result<Frame<Bytes>, &'static str>> + Send>>>;

async fn answer(request: Request<hyper::body::Incoming>, stamps: Stamps) -> Result<Response<Body>, &'static str> {
    let came = Instant::now();
    sleep(Duration::from_millis(30)).await;
    let (answered, path) = (Instant::now(), request.uri().path().to_owned());
    if path == "/reset" {
        return Err("no");
    }
    let body = stream::once(async move {
        sleep(Duration::from_millis(if path == "/stall" { 60_000 } else { 20 })).await;
        stamps.answers.lock().unwrap().push([came, answered, Instant::now()]);
        if path == "/broken" { Err("no") } else { Ok(Frame::data(Bytes::from_static(b"body"))) }
    });
    Ok(Response::new(StreamBody::new(Box::pin(body))))
}

#[tokio::test]
async fn every_phase_over_http_2_lasts_as_long_as_it_took_at_the_target() {
    let (keys, stamps) = target("/").await;
    let (check, mut errors) = (check(&keys), Errors::default());
    for number in 0..RUNS {
        let ran = run(&check).await;
        assert_eq!(ran.is_up().datum("http.request", "network.protocol.version"), "\"2\"");
        let [came, answered, followed] = stamps.answers.lock().unwrap()[number];
        let [answered, followed] = [answered, followed].map(|given| stamps.written(given));
        errors.note(&ran, "http.send", Duration::ZERO);
        errors.note(&ran, "http.wait", answered - came);
        errors.note(&ran, "http.recv", followed - answered);
    }
    errors.are_small_at_best();
}

#[tokio::test]
async fn a_stream_that_is_reset_is_a_failure_of_the_protocol_where_it_happened() {
    let ran = probe(&target("/reset").await.0).await;
    let (class, phase, message) = ran.down();
    assert_eq!((class, phase), (Protocol, "http.wait"), "{message}");
    assert!(message.contains("localhost") && message.contains("stream error"), "{message}");

    let ran = probe(&target("/broken").await.0).await;
    let (class, phase, message) = ran.down();
    assert_eq!((class, phase), (Protocol, "http.recv"), "{message}");
    assert!(message.starts_with("the body of the answer (200) broke off after 0 bytes: "), "{message}");
}

#[tokio::test]
async fn a_stalled_stream_is_cut_off_in_receiving() {
    let ran = probe(&format!("{}, timeout: 250ms", target("/stall").await.0)).await;
    assert_eq!((ran.down().0, ran.down().1), (Timeout, "http.recv"), "{ran:#?}");
    assert!(ran.0.tree.duration() < Duration::from_millis(300), "{ran:#?}");
}
