//! Each way to fail has its class, the phase that carries it, and a message that a person can act on.

use std::time::Duration;

use hickory_resolver::proto::op::ResponseCode;
use probe_core::FailureClass::{self, Assertion, Body, Connect, Dns, Protocol, Status};
use tokio::net::TcpListener;

use crate::support::{
    dns::{NameServer, Reply},
    probe::{Ran, probe},
    target::{Act, Target, answer},
};

/// What a probe finds at a target that does this after a request.
async fn at(acts: Vec<Act>, keys: &str) -> (Ran, String) {
    let target = Target::always(acts).await;
    (probe(&format!("url: '{}', {keys}", target.url("/"))).await, target.address.to_string())
}

/// The message at a target that does this; class and phase are as given.
async fn broken(acts: Vec<Act>, keys: &str, class: FailureClass, phase: &str) -> String {
    let (ran, address) = at(acts, keys).await;
    let (was, carried, message) = ran.down();
    assert_eq!((was, carried), (class, phase), "{ran:#?}");
    message.replace(&address, "TARGET")
}

/// The same of a JSON answer.
async fn judged(json: &str, keys: &str, class: FailureClass, phase: &str) -> String {
    broken(vec![answer(200, json)], keys, class, phase).await
}

async fn unresolved(reply: Reply) -> (String, usize) {
    let dns = NameServer::start(Duration::ZERO, move |_| reply.clone()).await;
    let ran = probe(&format!("url: 'http://api.example/', dns: '{}'", dns.address)).await;
    let (class, phase, message) = ran.down();
    assert_eq!((class, phase), (Dns, "net.dns"), "{ran:#?}");
    let asked = dns.asked();
    assert!(asked.iter().all(|question| question.name == "api.example"), "{asked:?}");
    (message.replace(&dns.address.to_string(), "SERVER"), asked.len())
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_told_from_one_without_an_address() {
    // One question for each family, and none again.
    let (message, asked) = unresolved(Reply::Code(ResponseCode::NXDomain)).await;
    assert_eq!((message.as_str(), asked), ("no such name: api.example (NXDOMAIN, asked SERVER)", 2));
    let (message, asked) = unresolved(Reply::Addresses(Vec::new())).await;
    let want = "api.example has no address: neither an A nor an AAAA record (asked SERVER)";
    assert_eq!((message.as_str(), asked), (want, 2));
}

#[tokio::test]
async fn what_a_name_server_cannot_tell_is_said_in_its_own_word() {
    // It is asked three times for each family, as resolvers do: the time of all is in the span.
    for (code, word) in [(ResponseCode::ServFail, "SERVFAIL"), (ResponseCode::Refused, "REFUSED")] {
        let (message, asked) = unresolved(Reply::Code(code)).await;
        assert_eq!(message, format!("api.example could not be resolved: the answer was {word} (asked SERVER)"));
        assert_eq!(asked, 6, "{word}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_server_that_keeps_silent_is_given_up_after_ten_seconds() {
    let (message, _) = unresolved(Reply::Silence).await;
    assert_eq!(message, "api.example could not be resolved: no answer within 10s (asked SERVER)");
}

#[tokio::test]
async fn a_refused_connection_names_address_and_host() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let ran = probe(&format!("url: 'http://{free}/'")).await;
    assert_eq!(ran.down(), (Connect, "net.tcp", format!("connection refused by {free}").as_str()));

    let dns = NameServer::loopback(Duration::ZERO).await;
    let ran = probe(&format!("url: 'http://api.example:{}/', dns: '{}'", free.port(), dns.address)).await;
    assert_eq!(ran.down(), (Connect, "net.tcp", format!("connection refused by {free} (api.example)").as_str()));
}

#[tokio::test]
async fn a_connection_lost_before_the_answer_is_a_failure_of_the_protocol() {
    let message = broken(vec![Act::pause(10), Act::Reset], "every: 60", Protocol, "http.wait").await;
    assert_eq!(message, "connection reset by TARGET before it answered");
    let message = broken(vec![Act::pause(10)], "every: 60", Protocol, "http.wait").await;
    assert_eq!(message, "connection closed by TARGET before it answered");
    let half = Act::write("HTTP/1.1 200 OK\r\nserver: x");
    let message = broken(vec![half, Act::pause(10)], "every: 60", Protocol, "http.wait").await;
    assert_eq!(message, "connection closed by TARGET before it answered");
}

#[tokio::test]
async fn a_connection_lost_within_the_answer_says_how_much_had_come() {
    let head = || Act::write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nfour");
    let message = broken(vec![head(), Act::pause(20)], "every: 60", Protocol, "http.recv").await;
    assert_eq!(message, "the body of the answer (200) broke off after 4 of 10 bytes: connection closed by TARGET");
    let message = broken(vec![head(), Act::pause(20), Act::Reset], "every: 60", Protocol, "http.recv").await;
    assert_eq!(message, "the body of the answer (200) broke off after 4 of 10 bytes: connection reset by TARGET");
    let chunked = Act::write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nfour\r\n");
    let message = broken(vec![chunked, Act::pause(20)], "every: 60", Protocol, "http.recv").await;
    assert_eq!(message, "the body of the answer (200) broke off after 4 bytes: connection closed by TARGET");
}

#[tokio::test]
async fn what_is_not_http_is_recognised() {
    for nonsense in
        ["SSH-2.0-OpenSSH_9.2\r\n", "HTTP/9.9 200 OK\r\n\r\n", "HTTP/1.1 2 OK\r\n\r\n", "\u{0}\u{1}\r\n\r\n"]
    {
        let message = broken(vec![Act::write(nonsense), Act::Hang], "every: 60", Protocol, "http.wait").await;
        assert!(message.starts_with("TARGET did not answer in HTTP: "), "{nonsense:?}: {message}");
    }
    let acts = vec![Act::write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnot hexadecimal\r\n"), Act::Hang];
    let message = broken(acts, "every: 60", Protocol, "http.recv").await;
    assert!(
        message.starts_with("the body of the answer (200) broke off after 0 bytes: Invalid chunk size"),
        "{message}"
    );
}

#[tokio::test]
async fn another_status_than_expected_shows_what_the_target_said() {
    let (ran, _) = at(vec![Act::pause(30), answer(503, "out of order")], "every: 60").await;
    let failure = ran.failure();
    let (class, phase, message) = ran.down();
    assert_eq!((class, phase), (Status, "http.request"));
    assert!(message.starts_with("expected status 200, got 503 after ") && message.ends_with(" ms"), "{message}");
    assert_eq!((failure.expected.as_deref(), failure.actual.as_deref()), (Some("200"), Some("503")));
    assert_eq!(failure.excerpt.as_ref().map(|excerpt| excerpt.body.as_str()), Some("out of order"));
    assert_eq!(ran.datum("http.request", "http.response.status_code"), "503");
    assert!(ran.span("http.recv").status == probe_core::SpanStatus::Ok);

    let message = broken(vec![answer(200, "")], "method: POST", Status, "http.request").await;
    assert!(message.starts_with("expected status 201, got 200 after "), "{message}");
    let message = broken(vec![answer(200, "")], "expected: [404, 5xx, '301-302']", Status, "http.request").await;
    assert!(message.starts_with("expected status 404, 500-599, 301-302, got 200 after "), "{message}");
}

#[tokio::test]
async fn an_assertion_says_what_was_expected_what_was_there_and_where() {
    let json = r#"{"status": "failing", "list": [1, 2], "zero": 0, "none": null, "off": false, "empty": ""}"#;
    let keys = |path: &str, assertion: &str| format!("set_keys: {{k: '{path}'}}, assertions: {{k: {assertion}}}");
    for (path, assertion, message) in [
        ("$.status", "ok", "expected `k` to be \"ok\", got \"failing\""),
        ("$.status", "{value: ok}", "expected `k` to be \"ok\", got \"failing\""),
        ("$.list[*]", "1", "expected `k` to be 1, got [1,2]"),
        ("$.zero", "false", "expected `k` to be false, got 0"),
        ("$.off", "0", "expected `k` to be 0, got false"),
        ("$.none", "''", "expected `k` to be \"\", got null"),
        ("$.nothing", "ok", "`k` is not set: nothing came from $.nothing"),
        ("$.nothing", "{exists: true}", "`k` is not set: nothing came from $.nothing"),
        ("$.none", "{exists: false}", "`k` is set: null"),
    ] {
        let (ran, _) = at(vec![answer(200, json)], &keys(path, assertion)).await;
        assert_eq!(ran.down(), (Assertion, "json.assert", message), "{path} {assertion}");
        let failure = ran.failure();
        assert!(failure.expected.is_some() && failure.actual.is_some(), "{failure:?}");
        assert!(failure.origin.is_some(), "{failure:?}");
    }
    for (path, assertion) in [
        ("$.status", "failing"),
        ("$.zero", "0"),
        ("$.off", "false"),
        ("$.empty", "''"),
        ("$.none", "{exists: true}"),
        ("$.nothing", "{exists: false}"),
    ] {
        at(vec![answer(200, json)], &keys(path, assertion)).await.0.is_up();
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_looked_into_is_a_failure_of_the_body() {
    let keys = "set_keys: {k: $.a}, assertions: {k: 1}";
    let message = judged("<html>", keys, Body, "json.parse").await;
    assert!(message.starts_with("the body (6 bytes) is not JSON: "), "{message}");
    let message = judged("", keys, Body, "json.parse").await;
    assert_eq!(message, "the body is empty: there is no JSON in it");
    let broken_text = vec![Act::write(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"a\":\"\xff\"}")];
    let message = broken(broken_text, keys, Body, "json.parse").await;
    assert!(message.starts_with("the body (9 bytes) is not JSON: "), "{message}");
}

#[tokio::test]
async fn json_of_ten_thousand_levels_overflows_nothing() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
        let message = judged(&deep, "set_keys: {k: $..a}, assertions: {k: 1}", Body, "json.parse").await;
        assert!(message.contains("nested deeper than 127 levels"), "{message}");
    }
}

#[tokio::test]
async fn a_body_over_its_bound_fails_only_what_needs_the_whole_of_it() {
    let json = format!("{{\"a\": \"{}\"}}", "x".repeat(5_000));
    let message =
        judged(&json, "max_body: 4kB, set_keys: {k: $.a}, assertions: {k: {exists: true}}", Body, "json.parse").await;
    assert_eq!(message, "the body is larger than `max_body` (4000 bytes): what is expected of it cannot be told");
    let (ran, _) = at(vec![answer(200, &json)], "max_body: 4kB").await;
    assert_eq!(ran.is_up().datum("http.recv", "http.response.body.size"), "4000");
    assert_eq!(ran.datum("http.recv", "http.response.body.truncated"), "true");
    // A body that just fits is whole.
    let (ran, _) = at(vec![answer(200, &json)], "max_body: 5009, set_keys: {k: $.a}").await;
    assert!(ran.is_up().span("http.recv").datum("http.response.body.truncated").is_none());
}
