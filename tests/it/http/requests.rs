//! What arrives at the target is what was written, once, over a fresh connection.

use std::time::Duration;

use crate::support::{
    dns::NameServer,
    probe::{check, config, probe, run, run_in},
    target::{Act, Target, answer},
};

#[tokio::test]
async fn method_query_headers_and_body_arrive_as_written() {
    let target = Target::always(vec![answer(200, "")]).await;
    let ran = probe(&format!(
        "url: '{}', method: put, expected: 200, query: {{q: 'a b&c=ü', page: [1, 1.50], on: true}}, \
         headers: {{Accept: text/plain, X-Odd: ' \"quoted\", and more', User-Agent: us}}, body: \"line\\n\\u00fc\"",
        target.url("/p%20q?own=1")
    ))
    .await;
    ran.is_up();
    let request = target.seen()[0].request.clone();
    assert_eq!(request.method, "PUT");
    assert_eq!(request.path, "/p%20q?own=1&q=a+b%26c%3D%C3%BC&page=1&page=1.50&on=true");
    assert_eq!(request.header("accept"), Some("text/plain"));
    assert_eq!(request.header("x-odd").map(str::trim), Some("\"quoted\", and more"));
    assert_eq!(request.header("user-agent"), Some("us"));
    assert_eq!(request.header("host"), Some(target.address.to_string().as_str()));
    assert_eq!(request.header("content-type"), None, "text is sent as it is");
    assert_eq!(String::from_utf8_lossy(&request.body), "line\nü");
    let url = ran.datum("http.request", "url.full");
    assert_eq!(url, format!("\"{}?own=…&q=…&page=…&page=…&on=…\"", target.url("/p%20q")));
}

#[tokio::test]
async fn a_body_that_is_no_text_goes_as_json_by_post_and_expects_201() {
    let target = Target::always(vec![answer(201, "")]).await;
    probe(&format!("url: '{}', body: {{b: [1, null, 'x'], a: 1.5}}", target.url("/"))).await.is_up();
    let request = target.seen()[0].request.clone();
    assert_eq!(request.method, "POST");
    assert_eq!(String::from_utf8_lossy(&request.body), r#"{"b":[1,null,"x"],"a":1.5}"#);
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("content-length"), Some("26"));
}

#[tokio::test]
async fn a_request_without_a_body_announces_none() {
    let target = Target::always(vec![answer(200, "")]).await;
    probe(&format!("url: '{}'", target.url("/"))).await.is_up();
    let request = target.seen()[0].request.clone();
    assert_eq!((request.header("content-length"), request.header("transfer-encoding")), (None, None));
    let (agent, accept) = (request.header("user-agent"), request.header("accept"));
    assert!(agent.is_some_and(|agent| agent.starts_with("SentryNet/")) && accept == Some("*/*"), "{request:#?}");
}

#[tokio::test]
async fn an_answer_to_head_has_no_body_whatever_its_length() {
    let target = Target::always(vec![Act::write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"), Act::Hang]).await;
    let ran = probe(&format!("url: '{}', method: head, timeout: 1s", target.url("/"))).await;
    assert_eq!(ran.is_up().datum("http.recv", "http.response.body.size"), "0");
    assert_eq!(target.seen()[0].request.method, "HEAD");
}

#[tokio::test]
async fn each_run_has_a_fresh_connection_and_asks_for_the_name_again() {
    let dns = NameServer::loopback(Duration::ZERO).await;
    let target = Target::always(vec![answer(200, ""), Act::Hang]).await;
    let check = check(&format!("url: 'http://api.example:{}/', dns: '{}'", target.address.port(), dns.address));
    for number in 1..=5 {
        run(&check).await.is_up();
        // One question for each family.
        assert_eq!((target.seen().len(), dns.asked().len()), (number, 2 * number));
    }
}

#[tokio::test]
async fn nothing_is_tried_again_in_secret() {
    let unanswered = Target::always(vec![]).await;
    let reset = Target::always(vec![Act::Reset]).await;
    let at_once = Target::blind(vec![Act::Reset]).await;
    let busy =
        Target::always(vec![Act::write("HTTP/1.1 503 Busy\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n")]).await;
    for target in [unanswered, reset, at_once, busy] {
        for method in ["GET", "POST"] {
            let connections = target.seen().len();
            probe(&format!("url: '{}', method: {method}", target.url("/"))).await.down();
            assert_eq!(target.seen().len(), connections + 1);
        }
    }
}

#[tokio::test]
async fn the_target_can_join_the_trace_of_the_run() {
    let target = Target::always(vec![answer(200, "")]).await;
    let config = config(&format!(
        "sentry: {{dsn: 'https://abc@sentry.example/1', environment: staging}}\n\
         groups: [{{probes: [{{probe: http, url: '{}', title: Shop}}]}}]\n",
        target.url("/")
    ));
    let ran = run_in(&config.tracing, &config.checks[0], std::future::pending()).await;
    let span = ran.is_up().span("http.request").id;
    let request = target.seen()[0].request.clone();
    let (trace, parent) = request.header("sentry-trace").unwrap().split_once('-').unwrap();
    assert_eq!(parent, span.to_string(), "no third part: the target decides whether to sample");
    assert_eq!(request.header("traceparent"), Some(format!("00-{trace}-{span}-00").as_str()));
    let baggage = request.header("baggage").unwrap();
    for part in [&format!("sentry-trace_id={trace}"), "sentry-public_key=abc", "sentry-environment=staging"] {
        assert!(baggage.split(',').any(|own| own == part), "{baggage}");
    }
    assert!(baggage.contains("sentry-transaction=Shop"), "{baggage}");
}

#[tokio::test]
async fn trace_headers_that_were_written_are_not_replaced() {
    let target = Target::always(vec![answer(200, "")]).await;
    probe(&format!("url: '{}', headers: {{traceparent: mine}}", target.url("/"))).await.is_up();
    let request = target.seen()[0].request.clone();
    assert_eq!(request.headers.iter().filter(|(name, _)| name == "traceparent").count(), 1);
    assert_eq!(request.header("traceparent"), Some("mine"));
}
