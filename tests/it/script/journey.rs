//! What goes well: a journey through the shop is one trace, over one connection, with what each step learnt.

use std::time::Duration;

use serde_json::json;

use super::{ran, script};
use crate::support::{
    app::{App, SESSION, TOKEN},
    certificates::{Authority, Validity},
    probe::{Ran, run},
};

/// Six steps: log in, create, wait until it is ready, read, delete.
const JOURNEY: &str = r#"
steps:
  - url: "{base}/login"
    form: {user: ann, password: opensesame}
    expected: 200
    set_keys: {token: $.access_token, name: $.user.name, roles: "$.user.roles[*]", region: {header: x-region}}
  - url: "{base}/orders"
    headers: {authorization: "Bearer {token}"}
    body: {for: name, roles: roles, note: "for {name}: {roles[1]}"}
    set_keys: {id: $.id}
  - url: "{base}/orders/{id}"
    auth: {bearer: "{token}"}
    retry: {times: 5, delay: 5ms}
    set_keys: {state: $.state}
    assertions: {state: ready}
  - url: "{base}/orders/{id}"
    set_keys: {order: $.order}
    assertions:
      order: {value: {for: ann, roles: [a, b], note: "for ann: b"}}
      state: ready
  - url: "{base}/orders/{id}"
    method: DELETE
    expected: 204
    always: true
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journey_is_one_trace_with_a_span_for_each_step() {
    let app = App::start().await;
    let ran = ran(&app, JOURNEY).await;
    ran.is_up();
    let base = app.base();
    let steps: Vec<&str> = ran.spans("script.step").iter().map(|span| span.description.as_str()).collect();
    assert_eq!(
        steps,
        [
            format!("1: POST {base}/login"),
            format!("2: POST {base}/orders"),
            format!("3: GET {base}/orders/{{id}}"),
            format!("4: GET {base}/orders/{{id}}"),
            format!("5: DELETE {base}/orders/{{id}}"),
        ]
    );
    let keys: Vec<_> = ran.spans("script.step").iter().filter_map(|span| span.datum("keys")).cloned().collect();
    assert_eq!(
        keys,
        [
            json!([format!("token ({} bytes)", TOKEN.len()), "name = ann", "roles = ['a', 'b']", "region = eu-1"]),
            json!(["id = 1"]),
            json!(["state = ready"]),
            json!(["order = {'for': 'ann', 'roles': ['a', 'b'], 'not…"]),
        ]
    );
    assert_eq!(ran.spans("script.step")[2].datum("script.attempts"), Some(&json!(3)));
    assert_eq!((ran.spans("script.delay").len(), ran.spans("http.request").len()), (2, 7));
    assert_eq!(app.orders(), [0_u64; 0]);

    let asked = app.asked();
    assert_eq!(asked[0].body, "user=ann&password=opensesame");
    assert_eq!(asked[1].body, r#"{"for":"ann","roles":["a","b"],"note":"for ann: b"}"#);
    assert_eq!(asked[1].header("authorization"), Some(&*format!("Bearer {TOKEN}")));
    assert!(asked[1..].iter().all(|asked| asked.header("cookie") == Some(&*format!("session={SESSION}"))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn steps_share_one_connection_and_say_so() {
    let authority = Authority::new("shop");
    let (plain, secure) = (App::start().await, App::secure(authority.server(&["localhost"], Validity::now())).await);
    let trusted = JOURNEY.replace("    expected: 200\n", "    expected: 200\n    tls: &tls {verify: false}\n");
    let trusted = trusted.replace("  - url: \"{base}/orders", "  - tls: *tls\n    url: \"{base}/orders");
    for (app, keys) in [(&plain, JOURNEY), (&secure, trusted.as_str())] {
        let runs = 20;
        let (mut gaps, mut alone) = (Vec::new(), 0);
        for _ in 0..runs {
            let ran = ran(app, keys).await;
            ran.is_up();
            gaps.extend(gaps_of(&ran));
            let reused = |span: &&probe_core::SpanRecord| span.datum("connection.reused").is_some();
            let requests = ran.spans("http.request");
            let fresh = requests.len() - requests.iter().copied().filter(reused).count();
            // A request that uses a connection again has nothing of the network below it.
            assert_eq!(
                (requests.len(), ["net.conn", "net.dns", "net.tcp"].map(|op| ran.spans(op).len())),
                (7, [fresh; 3])
            );
            alone += usize::from(fresh == 1);
        }
        // A machine that is very busy may be late once. What is ours stands between the spans.
        assert!(alone + 1 >= runs && app.connections() <= runs + 1, "{alone}, {}", app.connections());
        gaps.sort();
        assert!(gaps[gaps.len() / 2] < Duration::from_millis(1), "{gaps:?}");
    }
}

/// The time before each step, and before each request or pause of a step.
fn gaps_of(ran: &Ran) -> Vec<Duration> {
    let spans = &ran.0.tree.spans;
    let of = |index: usize| {
        let mut at = spans[index].start;
        let children = spans.iter().filter(move |span| span.parent == Some(index));
        children.map(move |child| child.start.abs_diff(std::mem::replace(&mut at, child.end)))
    };
    let parents =
        (0..spans.len()).filter(|index| ["probes.script", "script.step"].contains(&spans[*index].op.as_str()));
    parents.flat_map(of).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_the_target_closed_is_made_anew() {
    let app = App::start().await;
    let steps =
        "steps:\n  - url: \"{base}/close\"\n  - url: \"{base}/close\"\n  - url: \"{base}/open\"\n    delay: 20ms";
    let ran = ran(&app, steps).await;
    ran.is_up();
    assert_eq!((app.connections(), ran.spans("net.tcp").len()), (3, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_wants_a_connection_of_its_own_has_one() {
    let app = App::start().await;
    let steps =
        "steps:\n  - url: \"{base}/open\"\n  - url: \"{base}/open\"\n    reuse: false\n  - url: \"{base}/open\"";
    let ran = ran(&app, steps).await;
    ran.is_up();
    let reused: Vec<bool> = ran.spans("http.request").iter().map(|s| s.datum("connection.reused").is_some()).collect();
    assert_eq!(reused, [false, false, true]);
}

#[tokio::test]
async fn the_certificate_is_known_of_a_connection_that_was_there() {
    let authority = Authority::new("shop");
    let app = App::secure(authority.server(&["localhost"], Validity::now())).await;
    let step = "  - {url: \"{base}/open\", tls: {verify: false}, expect: {certificate: {days_left: 100000}}}\n";
    let ran = ran(&app, &format!("steps:\n  - {{url: \"{{base}}/open\", tls: {{verify: false}}}}\n{step}")).await;
    let message = &ran.failure().message;
    assert!(message.starts_with("step 2: ") && message.contains("certificate"), "{message}");
    assert_eq!(app.connections(), 1);
}

#[tokio::test]
async fn delays_are_spans_of_their_own_beside_the_steps() {
    let app = App::start().await;
    let ran = ran(&app, "steps:\n  - {url: \"{base}/open\", delay: 30ms}\n  - url: \"{base}/open\"").await;
    ran.is_up();
    assert_eq!(ran.phases()[..2], ["script.delay", "script.step"]);
    assert!(ran.phase("script.delay") >= Duration::from_millis(30));
    let first = ran.spans("script.step")[0];
    assert!(first.start >= Duration::from_millis(30), "{ran:#?}");
}

#[tokio::test]
async fn each_run_starts_anew() {
    let app = App::start().await;
    let check = script(&app, "steps:\n  - url: \"{base}/open/{run_id}\"\n    headers: {x-id: \"{uuid}\"}");
    for _ in 0..2 {
        run(&check).await.is_up();
    }
    let asked = app.asked();
    assert!(asked[0].path != asked[1].path && asked[0].header("x-id") != asked[1].header("x-id"));
    assert_eq!(asked[0].path.len(), "/open/".len() + 32);
    assert_eq!(app.connections(), 2);
}
