//! What is expected of an answer: every example of RFC 9535 through `set_keys`, and whole checks against a target.

use std::{ffi::OsString, fs, net::SocketAddr, sync::Arc, time::Duration};

use http::HeaderMap;
use probe_core::{FailureClass, Outcome, Propagation, Run, SpanStatus, Verdict, run_probe};
use probe_expect::{Answer, Captures};
use probe_keys::{At, Entry, Findings, Node, Place, Read, Text, Value};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use sentrynet::{
    config::{Environment, load},
    redact::Redactor,
};
use serde_json::Value as Json;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// What every target here answers.
const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nset-cookie: sid=s1; HttpOnly\r\nx-id: 7\r\n\
                      connection: close\r\ncontent-length: 41\r\n\r\n{\"status\": \"ok\", \"items\": [{\"id\": 1}, 2]}";

fn node(value: Value) -> Node {
    Node { value, place: Place::default() }
}

/// `set_keys: {found: QUERY}`.
fn set_keys(query: &str) -> Result<Captures, String> {
    let entry = Entry { key: "found".to_owned(), place: Place::default(), node: node(Value::Text(Text::plain(query))) };
    let (written, findings) = (node(Value::Mapping(vec![entry])), Findings::default());
    let captures = Captures::read(&At::root(&written, &findings));
    captures.ok_or_else(|| findings.problems()[0].reason.clone())
}

fn table() -> Json {
    let text = fs::read_to_string("tests/data/rfc9535.json").expect("the table is there");
    serde_json::from_str(&text).expect("it is JSON")
}

#[test]
fn every_query_of_the_rfc_resolves_as_it_says() {
    let (table, headers, mut count) = (table(), HeaderMap::new(), 0);
    for section in table["sections"].as_array().unwrap() {
        let body = section["document"].to_string();
        for case in section["cases"].as_array().unwrap() {
            let query = case["query"].as_str().unwrap();
            let captures = set_keys(query).unwrap_or_else(|reason| panic!("{query}: {reason}"));
            let values = captures.take(&Answer::new(200, &headers, body.as_bytes())).unwrap();
            let found = case["found"].as_array().unwrap();
            let expected = match found.as_slice() {
                [] => None,
                [one] => Some(one),
                _ => Some(&case["found"]),
            };
            assert_eq!(values.get("found").value, expected, "{}: {query}", section["section"]);
            count += 1;
        }
    }
    assert!(count >= 100, "{count}");
}

#[test]
fn what_the_rfc_refuses_is_refused_in_one_line() {
    for case in table()["refused"].as_array().unwrap() {
        let reason = set_keys(case["query"].as_str().unwrap()).expect_err(&case.to_string());
        assert!(reason.starts_with("this is not a JSONPath: "), "{case}: {reason}");
        assert!(!reason.contains('\n') && reason.len() < 160, "{case}: {reason}");
    }
}

/// Reads a head and answers.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let _ = stream.write_all(ANSWER.as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// A target that answers each connection once, by TLS when it is given an acceptor.
async fn target(tls: Option<TlsAcceptor>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback target");
    let address = listener.local_addr().expect("a loopback target");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            match &tls {
                None => serve(stream).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream).await;
                    }
                }
            }
        }
    });
    address
}

/// A certificate for this machine that is valid for ten days and one hour more.
fn ten_days() -> TlsAcceptor {
    let mut params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a loopback target");
    let end = std::time::SystemTime::now() + Duration::from_hours(10 * 24 + 1);
    params.not_after = end.into();
    let key = rcgen::KeyPair::generate().expect("a loopback target");
    let certificate = params.self_signed(&key).expect("a loopback target");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("a loopback target")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("a loopback target");
    TlsAcceptor::from(Arc::new(config))
}

/// Runs a check once that has these keys, in flow style, besides its URL.
async fn run(url: &str, keys: &str) -> Outcome {
    let directory = tempfile::tempdir().expect("a loopback target");
    let path = directory.path().join("config.yaml");
    fs::write(&path, format!("groups: [{{probes: [{{probe: http, url: '{url}', {keys}}}]}}]\n"))
        .expect("a loopback target");
    let environment = Environment::new(std::iter::empty::<(OsString, OsString)>(), "prober-1");
    let loaded = load(&path, &environment, &Redactor::default()).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    run_probe(&*loaded.config.checks[0].probe, Run::new(Duration::from_secs(10), Propagation::none())).await
}

#[tokio::test]
async fn an_answer_that_is_as_expected_is_up_and_its_span_names_the_keys() {
    let url = format!("http://{}/", target(None).await);
    let keys = "\
        set_keys: {status: $.status, ids: '$.items[*]', none: $.none, sid: {cookie: sid}, id: {header: X-Id}, \
                   code: {status: true}, first: {regex: 'id\": ([0-9]+)'}}, \
        assertions: {status: ok, ids: {length: 2, contains: 2}, none: {exists: false}, sid: {matches: '^s'}, id: '7', \
                     code: {in: [200, 204]}, first: '1'}, \
        expect: {time: 5s, size: 41, http_version: 1.1, headers: {x-id: {ge: 7}, x-none: {exists: false}}, \
                 body: {contains: items, not_matches: error}, json: {'$.items[0].id': {type: integer}}}";
    let outcome = run(&url, keys).await;
    assert_eq!(outcome.verdict, Verdict::Up);
    let span = |op: &str| outcome.tree.spans.iter().find(|span| span.op.as_str() == op).unwrap();
    assert_eq!(
        span("json.assert").datum("keys").unwrap(),
        &Json::from(vec!["status", "ids", "sid", "id", "code", "first"])
    );
    assert_eq!(span("json.parse").end, span("json.assert").start);
}

#[tokio::test]
async fn what_is_not_as_expected_is_down_with_its_class_and_place() {
    let url = format!("http://{}/", target(None).await);
    for (keys, class, message, parsed) in [
        (
            "set_keys: {s: $.status}, assertions: {s: bad}",
            FailureClass::Assertion,
            "expected `s` to be \"bad\", got \"ok\"",
            true,
        ),
        (
            "set_keys: {s: $.state}, assertions: {s: ok}",
            FailureClass::Assertion,
            "`s` is not set: nothing came from $.state",
            true,
        ),
        ("expect: {body: {contains: down}}", FailureClass::Body, "the body does not contain \"down\"", false),
        (
            "max_body: 10, expect: {body: {contains: items}}",
            FailureClass::Body,
            "the body is larger than `max_body` (10 bytes): what is expected of it cannot be told",
            false,
        ),
        (
            "max_body: 10, set_keys: {s: $.status}",
            FailureClass::Body,
            "the body is larger than `max_body` (10 bytes): what is expected of it cannot be told",
            true,
        ),
        (
            "expect: {certificate: {days_left: 1}}",
            FailureClass::Assertion,
            "no certificate was shown for this request, so its end is not known",
            false,
        ),
    ] {
        let outcome = run(&url, keys).await;
        let failure = outcome.verdict.failure().unwrap_or_else(|| panic!("{keys} is up"));
        assert_eq!((failure.class, failure.message.as_str()), (class, message));
        assert!(failure.excerpt.is_some());
        let span = |op: &str| outcome.tree.spans.iter().find(|span| span.op.as_str() == op);
        assert_eq!(span("json.parse").is_some(), parsed, "{keys}");
        assert_eq!(outcome.tree.failed().unwrap().status, SpanStatus::FailedPrecondition);
    }
}

#[tokio::test]
async fn the_days_of_a_certificate_are_those_of_the_one_shown() {
    let url = format!("https://{}/", target(Some(ten_days())).await);
    let expect = |days: u32| format!("tls: {{verify: false}}, expect: {{certificate: {{days_left: {days}}}}}");
    assert_eq!(run(&url, &expect(10)).await.verdict, Verdict::Up);
    let outcome = run(&url, &expect(11)).await;
    let failure = outcome.verdict.failure().unwrap();
    assert_eq!(failure.message, "the certificate is valid for 10 more days, expected 11 or more");
}
