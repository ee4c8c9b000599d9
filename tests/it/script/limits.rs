//! Long scripts: within Sentry's limits as they are, or cut and said so.

use sentrynet::report::sentry::envelopes;
use serde_json::Value;

use super::{check, ran, script};
use crate::{
    runs::{self, report, settings},
    support::{
        app::App,
        probe::{Ran, run},
        sentry::Sentry,
        target::{Act, Target},
    },
};

/// The transaction of a run, as it is sent, and what Sentry would drop of it.
async fn sent(app: &App, keys: &str, ran: &Ran) -> (Value, Vec<String>) {
    let report = report(script(app, keys), ran.0.tree.clone(), ran.0.verdict.clone());
    let envelopes = envelopes(&settings(), &report);
    let envelope = envelopes.last().expect("a transaction");
    let sentry = Sentry::new();
    // What would be dropped is answered 200 all the same.
    let _ = sentry.receive(&envelope.bytes).await;
    assert_eq!(sentry.taken().len(), 1);
    (runs::read(envelope).payload, sentry.dropped())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_steps_are_within_all_limits() {
    let app = App::start().await;
    let step = "  - url: \"{base}/open/{run_id}\"\n    body: {a: \"{uuid}\"}\n    expected: 200\n    set_keys: {path: $.path}\n";
    let keys = format!("steps:\n{}", step.repeat(20));
    let ran = ran(&app, &keys).await;
    ran.is_up();
    let (payload, dropped) = sent(&app, &keys, &ran).await;
    assert_eq!(payload["spans"].as_array().map(Vec::len), Some(ran.0.tree.spans.len() - 1));
    assert!(ran.0.tree.spans.len() > 140);
    assert_eq!(dropped, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_spans_are_cut_and_the_cut_is_named() {
    let app = App::start().await;
    let keys = format!("steps:\n{}  - url: \"{{base}}/fail/500\"\n", "  - url: \"{base}/open\"\n".repeat(410));
    let ran = ran(&app, &keys).await;
    assert!(ran.failure().message.starts_with("step 411: "));
    let all = ran.0.tree.spans.len() - 1;
    assert!(all > 2_000, "{all}");
    let (payload, dropped) = sent(&app, &keys, &ran).await;
    let spans = payload["spans"].as_array().unwrap();
    assert!(spans.len() <= 1_000 && spans.len() > 900, "{}", spans.len());
    assert_eq!(payload["contexts"]["trace"]["data"]["spans.dropped"], all - spans.len());
    // What broke is there, whatever else is not.
    assert!(spans.iter().any(|span| span["description"].as_str().is_some_and(|text| text.starts_with("411: "))));
    assert_eq!(dropped, [""; 0]);
}

#[tokio::test]
async fn a_connection_is_not_waited_for_where_none_can_come_back() {
    let endless =
        vec![Act::write("HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n"), Act::Flood(vec![b'x'; 4_096])];
    let target = Target::always(endless).await;
    let step = format!("  - url: \"{}\"\n    max_body: 1KiB\n", target.url("/"));
    let ran = run(&check(&format!("steps:\n{}", step.repeat(3)))).await;
    ran.is_up();
    assert!(ran.spans("net.pool").is_empty() && ran.spans("net.conn").len() == 3, "{ran:#?}");
}

#[tokio::test]
async fn a_failure_over_a_kept_connection_says_so() {
    let well = Act::write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let target = Target::always(vec![well, Act::Read, Act::Reset]).await;
    let step = format!("  - url: \"{}\"\n", target.url("/"));
    let ran = run(&check(&format!("steps:\n{}", step.repeat(2)))).await;
    let second = ran.spans("http.request")[1];
    assert_eq!(second.datum("connection.reused"), Some(&Value::Bool(true)), "{ran:#?}");
    let told = ran.failure().message.contains(", over a connection kept from an earlier request (`reuse: false` ");
    assert!(told, "{}", ran.failure());
}
