//! A chain of requests in one session, as a probe of another kind makes it.

use std::{future::pending, time::Duration};

use probe_core::{BoxFuture, Context, Failure, Outcome, Probe, Propagation, Run, Verdict, run_probe};
use probe_expect::Found;
use probe_http::{
    AnswerKeys, Asked, AskedHeader, Bound, Expected, Network, Payload, Question, Request, Session, Tokens, Wire,
    WireKeys,
};
use probe_keys::Findings;

use crate::support::target::{Act, Target, answer};

/// Asks for each path in turn.
#[derive(Debug)]
struct Chain {
    base: String,
    paths: Vec<&'static str>,
    wire: Wire,
    expected: Expected,
}

// === impl Chain ===

impl Chain {
    fn new(target: &Target, paths: &[&'static str]) -> Self {
        let keys = WireKeys {
            redirects: None,
            tls: None,
            http_version: None,
            family: None,
            resolve: None,
            dns: None,
            proxy: None,
            reuse: Some(true),
            max_body: None,
        };
        let answer = AnswerKeys { expected: None, set_keys: None, assertions: None, expect: None };
        let (network, findings) = (Network::new(Tokens::default()).unwrap(), Findings::default());
        Self {
            base: target.url(""),
            paths: paths.to_vec(),
            wire: Wire::compile(&keys, false, &network, &findings).expect("nothing is wrong"),
            expected: Expected::new(&answer, &http::Method::GET),
        }
    }

    async fn ask(&self, context: &Context) -> Result<(), Failure> {
        let session = Session::new(context.learnt.clone());
        for path in &self.paths {
            let header = AskedHeader { name: "x-step".into(), value: (*path).into(), secret: false };
            let asked = Asked { url: format!("{}{path}", self.base), headers: vec![header], ..Asked::default() };
            let request = Request::new(asked)?;
            let bound = Bound { until: context.deadline, whole: context.timeout };
            let (parent, trace, wire) = (&context.root, &context.propagation, &self.wire);
            let question = Question { parent, request: &request, tokens: None, wire, trace, bound };
            let hop = session.ask(&question).await?;
            let seen = hop.seen();
            let (_, judged) = self.expected.judge(hop, |_| Found::default());
            judged.map_err(|failure| session.told(failure, &request, &self.wire, &seen, None))?;
        }
        Ok(())
    }

    async fn run(&self) -> Outcome {
        let run = Run { timeout: Duration::from_secs(5), propagation: Propagation::none(), stop: pending() };
        run_probe(self, run).await
    }
}

impl Probe for Chain {
    fn kind(&self) -> &'static str {
        "chain"
    }

    fn op(&self) -> &'static str {
        "probes.chain"
    }

    fn spans(&self) -> usize {
        1
    }

    fn run<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.ask(context))
    }
}

/// Serves several requests over one connection.
async fn keeps_alive() -> std::net::SocketAddr {
    use hyper::{Response, server::conn::http1, service::service_fn};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let serve =
                service_fn(|_| async { Ok::<_, std::convert::Infallible>(Response::new(String::from("well"))) });
            let io = hyper_util::rt::TokioIo::new(stream);
            tokio::spawn(async move { http1::Builder::new().serve_connection(io, serve).await });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_is_used_again_within_a_session() {
    let target = Target::always(vec![answer(200, "")]).await;
    let mut chain = Chain::new(&target, &["/1", "/2", "/3", "/4"]);
    chain.base = format!("http://{}", keeps_alive().await);
    let outcome = chain.run().await;
    assert_eq!(outcome.verdict, Verdict::Up, "{outcome:#?}");
    let spans = |op: &'static str| outcome.tree.spans.iter().filter(move |span| span.op.as_str() == op);
    assert_eq!(spans("net.conn").count(), 1);
    let reused: Vec<_> = spans("http.request").map(|span| span.datum("connection.reused").is_some()).collect();
    assert_eq!(reused, [false, true, true, true]);
}

#[tokio::test]
async fn cookies_are_carried_over() {
    let cookie = "HTTP/1.1 200 OK\r\nset-cookie: session=0123456789abcdef; Path=/in\r\ncontent-length: 0\r\n\r\n";
    let target = Target::always(vec![Act::write(cookie)]).await;
    let outcome = Chain::new(&target, &["/login", "/in/side", "/out"]).run().await;
    assert_eq!(outcome.verdict, Verdict::Up);
    let seen = target.seen();
    let found: Vec<_> = seen.iter().map(|seen| seen.request.header("cookie")).collect();
    assert_eq!(found, [None, Some("session=0123456789abcdef"), None]);
    assert_eq!(seen[2].request.header("x-step"), Some("/out"));
}

#[tokio::test]
async fn a_cookie_is_known_as_a_secret() {
    let target = Target::answering(|request| match request.header("cookie") {
        None => {
            vec![Act::write("HTTP/1.1 200 OK\r\nset-cookie: session=0123456789abcdef\r\ncontent-length: 0\r\n\r\n")]
        }
        Some(cookie) => vec![answer(500, cookie)],
    })
    .await;
    let outcome = Chain::new(&target, &["/login", "/in"]).run().await;
    let failure = outcome.verdict.failure().unwrap();
    let line = failure.reproduce.as_deref().unwrap_or_default();
    assert!(line.starts_with("curl -i ") && line.contains("x-step: /in"), "{line}");
    assert!(outcome.secrets.iter().any(|secret| secret.expose() == "0123456789abcdef"), "{:?}", outcome.secrets);
}

#[test]
fn values_that_make_no_request_are_a_failure() {
    let asked = Asked { url: "not a url".into(), body: Payload::Text("x".into()), ..Asked::default() };
    let failure = Request::new(asked).unwrap_err();
    assert_eq!(failure.message, "the request cannot be made: this URL has no scheme");
}
