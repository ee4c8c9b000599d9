//! What goes wrong: the step is named, what it expected, and where each key came from; what was made is cleaned up.

use std::time::Duration;

use probe_core::{FailureClass, SpanStatus, Verdict};
use serde_json::json;

use super::{check, ran, script};
use crate::support::{
    app::{App, SESSION, TOKEN},
    probe::run,
    target::{Target, answer},
};

const LOGIN: &str = r#"
  - url: "{base}/login"
    form: {user: ann, password: opensesame}
    expected: 200
    set_keys: {token: $.access_token}
"#;

const CREATE: &str = r#"
  - url: "{base}/orders"
    auth: {bearer: "{token}"}
    body: {a: 1}
    set_keys: {id: $.id}
"#;

const DELETE: &str = r#"
  - url: "{base}/orders/{id}"
    method: DELETE
    expected: 204
    always: true
"#;

#[tokio::test]
async fn a_failure_names_its_step_and_the_origin_of_each_key() {
    let app = App::start().await;
    let fail = "  - url: \"{base}/fail/503\"\n    headers: {authorization: \"{token}\", x-id: \"{id}\"}\n";
    let ran = ran(&app, &format!("steps:{LOGIN}{CREATE}{fail}  - url: \"{{base}}/me\"\n{DELETE}")).await;
    let (base, size) = (app.base(), TOKEN.len());
    let (class, op, message) = ran.down();
    assert_eq!((class, op), (FailureClass::Status, "http.request"));
    let (told, origins) = message.split_once("; ").unwrap();
    assert!(told.starts_with(&format!("step 3: GET {base}/fail/503: expected status 200, got 503 after ")), "{told}");
    assert_eq!(
        origins,
        format!(
            "key `base` = {base}, set by `init_keys`; key `token`, set by step 1 from $.access_token, {size} bytes; \
             key `id` = 1, set by step 2 from $.id"
        )
    );
    // The shop shows what it was sent: the token is masked before anything leaves, and what is to be masked is known.
    assert!(ran.0.secrets.iter().any(|secret| secret.expose() == TOKEN));
    // The fourth did not run, the last did.
    let paths: Vec<_> = app.asked().iter().map(|asked| asked.path.clone()).collect();
    assert_eq!(paths, ["/login", "/orders", "/fail/503", "/orders/1"]);
    assert_eq!(app.orders(), [0_u64; 0]);
    let statuses: Vec<_> = ran.spans("script.step").iter().map(|span| span.status).collect();
    assert_eq!(statuses, [SpanStatus::Ok, SpanStatus::Ok, SpanStatus::FailedPrecondition, SpanStatus::Ok]);
}

#[tokio::test]
async fn cleaning_up_that_fails_hides_nothing() {
    let app = App::start().await;
    let steps = "steps:\n  - url: \"{base}/fail/500\"\n  - {url: \"{base}/fail/502\", always: true}";
    let ran = ran(&app, steps).await;
    let (class, _, message) = ran.down();
    assert_eq!((class, ran.failure().actual.as_deref()), (FailureClass::Status, Some("500")));
    assert!(message.starts_with("step 1: ") && message.contains("; cleaning up failed, too: step 2: "), "{message}");
    // What it is about is the first.
    let failed = ran.0.tree.failed().unwrap();
    assert_eq!(failed.datum("http.response.status_code"), Some(&json!(500)));
}

#[tokio::test]
async fn cleaning_up_alone_can_fail() {
    let app = App::start().await;
    let ran = ran(&app, "steps:\n  - url: \"{base}/open\"\n  - {url: \"{base}/fail/502\", always: true}").await;
    assert!(ran.down().2.starts_with("step 2: "), "{ran:#?}");
}

#[tokio::test]
async fn what_was_never_made_needs_no_cleaning_up() {
    let app = App::start().await;
    let ran = ran(&app, &format!("steps:{}{CREATE}{DELETE}", LOGIN.replace("opensesame", "guess"))).await;
    let (class, _, message) = ran.down();
    assert_eq!(class, FailureClass::Status);
    assert!(message.starts_with("step 1: ") && !message.contains("cleaning up"), "{message}");
    assert_eq!(app.asked().len(), 1);
    let skipped = ran.spans("script.step")[1].datum("script.skipped").unwrap().to_string();
    assert!(skipped.contains("key `id` is not set: step 2 from $.id was to set it"), "{skipped}");
}

#[tokio::test]
async fn what_an_answer_gave_is_there_to_clean_up_even_if_it_was_not_as_expected() {
    let app = App::start().await;
    let create = format!("{CREATE}    assertions: {{id: {{gt: 1000}}}}\n");
    let ran = ran(&app, &format!("steps:{LOGIN}{create}{DELETE}")).await;
    assert_eq!(ran.down().0, FailureClass::Assertion);
    assert_eq!((app.asked().len(), app.orders().len()), (3, 0));
}

#[tokio::test]
async fn a_key_that_an_answer_did_not_hold_is_told_with_who_was_to_set_it() {
    let app = App::start().await;
    let ran =
        ran(&app, "steps:\n  - url: \"{base}/open\"\n    set_keys: {id: $.id}\n  - url: \"{base}/orders/{id}\"").await;
    let failure = ran.failure();
    let told = "the request cannot be made: `{id}`: key `id` is not set: step 1 from $.id was to set it";
    assert_eq!(failure.class, FailureClass::Body);
    assert!(failure.message.contains(told), "{failure}");
    assert_eq!(app.asked().len(), 1);
}

#[tokio::test]
async fn a_slow_step_ends_at_its_own_bound_and_the_rest_goes_on() {
    let app = App::start().await;
    let slow = "  - {url: \"{base}/slow/5000\", timeout: 50ms}\n";
    let ran = ran(&app, &format!("steps:\n{slow}  - {{url: \"{{base}}/open/cleanup\", always: true}}")).await;
    let (class, op, message) = ran.down();
    assert_eq!((class, op), (FailureClass::Timeout, "http.wait"));
    assert!(
        message.contains(": not done within 5") && message.contains("in http.wait (Awaiting response)"),
        "{message}"
    );
    assert!(ran.0.tree.duration() < Duration::from_secs(2), "{ran:#?}");
    assert_eq!(app.asked()[1].path, "/open/cleanup");
    assert!(ran.failure().reproduce.as_deref().unwrap().contains("--max-time 0.05 "), "{ran:#?}");
}

#[tokio::test]
async fn a_script_that_is_out_of_time_cleans_up_all_the_same() {
    let app = App::start().await;
    let steps = format!("timeout: 1s\nsteps:{LOGIN}{CREATE}  - url: \"{{base}}/slow/5000\"\n{DELETE}");
    let ran = ran(&app, &steps).await;
    let (class, _, message) = ran.down();
    assert_eq!(class, FailureClass::Timeout);
    assert!(message.starts_with("step 3: "), "{message}");
    assert_eq!(app.orders(), [0_u64; 0]);
    let took = ran.0.tree.duration();
    assert!(took > Duration::from_millis(780) && took < Duration::from_millis(1_050), "{took:?}");
}

#[tokio::test]
async fn the_whole_scripts_deadline_names_the_step_that_it_met() {
    let app = App::start().await;
    let ran = ran(&app, "timeout: 1s\nsteps:\n  - url: \"{base}/open\"\n  - url: \"{base}/slow/5000\"").await;
    let (class, _, message) = ran.down();
    assert_eq!(class, FailureClass::Timeout);
    assert!(message.starts_with("step 2: "), "{message}");
    let took = ran.0.tree.duration();
    assert!(took >= Duration::from_secs(1) && took < Duration::from_millis(1_050), "{took:?}");
}

#[tokio::test]
async fn a_pause_longer_than_all_time_ends_with_the_script() {
    let app = App::start().await;
    for keys in ["delay: 18000000000000000000", "retry: {times: 3, delay: 18000000000000000000}, expected: 404"] {
        let step = format!("  - {{url: \"{{base}}/open\", timeout: 18000000000000000000, {keys}}}");
        let ran = ran(&app, &format!("timeout: 200ms\nsteps:\n{step}")).await;
        let (class, message) = (ran.failure().class, &ran.failure().message);
        let late = (FailureClass::Timeout, "there was no time left for it");
        let (want, told) = if keys.starts_with("delay") { late } else { (FailureClass::Status, "expected status 404") };
        assert!(class == want && message.contains(told), "{message}");
    }
}

#[tokio::test]
async fn a_step_is_asked_until_it_holds_and_no_longer_than_that() {
    let app = App::start().await;
    let wait = "  - url: \"{base}/orders/{id}\"\n    set_keys: {state: $.state}\n    assertions: {state: ready}\n";
    for (times, class) in [(2, None), (1, Some(FailureClass::Assertion))] {
        let steps = format!("steps:{LOGIN}{CREATE}{wait}    retry: {{times: {times}, delay: 1ms}}\n");
        let ran = run(&script(&app, &steps)).await;
        assert_eq!(ran.0.verdict.failure().map(|failure| failure.class), class, "{ran:#?}");
        assert_eq!(ran.spans("http.request").len(), 2 + times + 1);
        if class.is_some() {
            assert!(ran.down().2.contains("{id} (asked 2 times): expected `state` to be \"ready\""), "{ran:#?}");
        }
    }
}

#[tokio::test]
async fn an_assertion_may_be_on_a_key_of_an_earlier_step_and_tells_no_secret() {
    let app = App::start().await;
    let ran = ran(&app, &format!("steps:{LOGIN}  - url: \"{{base}}/open\"\n    assertions: {{token: short}}\n")).await;
    let failure = ran.failure();
    assert!(failure.message.contains("`token`"), "{failure}");
    let all = format!("{failure:?}");
    assert!(!all.contains(&TOKEN[..12]), "{all}");
}

#[tokio::test]
async fn a_trace_goes_to_the_hosts_of_the_file_and_to_none_that_an_answer_names() {
    let app = App::start().await;
    let elsewhere = Target::always(vec![answer(200, "")]).await;
    let steps = format!(
        r#"
init_keys: {{base: "{}"}}
steps:
  - url: "{{base}}/open/1"
    set_keys: {{path: $.path, one: {{regex: "open/(1)"}}}}
  - url: "{{base}}{{path}}"
  - url: "http://127.0.0.{{one}}:{}/"
"#,
        app.base(),
        elsewhere.address.port(),
    );
    let ran = run(&check(&steps)).await;
    assert_eq!(ran.0.verdict, Verdict::Up, "{ran:#?}");
    let traced: Vec<bool> = app.asked().iter().map(|asked| asked.header("sentry-trace").is_some()).collect();
    assert_eq!(traced, [true, true]);
    assert_eq!(elsewhere.seen()[0].request.header("sentry-trace"), None);
}

#[tokio::test]
async fn the_command_line_brings_the_cookies_that_the_step_brought() {
    let app = App::start().await;
    let ran = ran(&app, &format!("steps:{LOGIN}  - url: \"{{base}}/fail/500\"\n")).await;
    let line = ran.failure().reproduce.clone().unwrap();
    assert!(line.contains(&format!("-H 'cookie: session={SESSION}'")), "{line}");
    assert!(ran.0.secrets.iter().any(|secret| secret.expose() == SESSION), "what leaves has it masked");
}
