//! Trace headers: which of them, what they decide, and to whom they go.

use std::future::pending;

use crate::support::{
    probe::{config, run_in},
    target::{Received, Target, answer, redirect},
};

/// What a target was asked by the only probe of a file, whose last run failed or did not.
async fn asked(target: &Target, sentry: &str, keys: &str, failed: bool) -> Received {
    let text = format!("sentry: {sentry}\ngroups:\n  - probes:\n      - {{probe: http, {keys}}}\n");
    let config = config(&text);
    let check = &config.checks[0];
    let trace = config.tracing.begin_after(&check.title, failed);
    let sampled = trace.sampled;
    // The same decision, as part of a run.
    let ran = match failed {
        true => {
            let run = probe_core::Run { timeout: check.timeout, propagation: trace, stop: pending::<()>() };
            probe_core::run_probe(&*check.probe, run).await
        }
        false => run_in(&config.tracing, check, pending()).await.0,
    };
    assert!(ran.verdict.failure().is_none(), "{ran:#?} {sampled:?}");
    target.seen().last().unwrap().request.clone()
}

#[tokio::test]
async fn what_is_sent_and_decided_is_as_configured() {
    let dsn = "dsn: 'https://public@sentry.example/1'";
    let target = Target::always(vec![answer(200, "")]).await;
    let keys = format!("url: '{}'", target.url("/"));
    for (propagate, failed, headers, decision, flags) in [
        ("{}", false, [true, true, true], None, "00"),
        ("{sentry: false}", false, [false, false, true], None, "00"),
        ("{w3c: false}", false, [true, true, false], None, ""),
        ("{sentry: false, w3c: false}", false, [false; 3], None, ""),
        ("{sampled: force}", false, [true; 3], Some("1"), "01"),
        ("{sampled: never}", false, [true; 3], Some("0"), "00"),
        ("{sampled: after-failure}", false, [true; 3], None, "00"),
        ("{sampled: after-failure}", true, [true; 3], Some("1"), "01"),
    ] {
        let sentry = format!("{{{dsn}, propagate: {propagate}}}");
        let request = asked(&target, &sentry, &keys, failed).await;
        let found = ["sentry-trace", "baggage", "traceparent"].map(|name| request.header(name).is_some());
        assert_eq!(found, headers, "{propagate}");
        let third = request.header("sentry-trace").and_then(|value| value.split('-').nth(2));
        assert_eq!(third, decision, "{propagate}");
        let last = request.header("traceparent").and_then(|value| value.split('-').nth(3)).unwrap_or_default();
        assert_eq!(last, flags, "{propagate}");
    }
}

#[tokio::test]
async fn they_go_to_hosts_that_are_named_and_to_no_other() {
    let there = Target::always(vec![answer(200, "")]).await;
    let here = Target::always(vec![redirect(302, &there.url("/"))]).await;
    let keys = format!("url: 'http://api.example:{}/', resolve: 127.0.0.1", here.address.port());
    for (targets, at_here, at_there) in [
        ("configured-hosts", true, false),
        ("[api.example]", true, false),
        ("['*.example', 127.0.0.1]", true, true),
        ("other.example", false, false),
    ] {
        let sentry = format!("{{enabled: false, propagate: {{targets: {targets}}}}}");
        let last = asked(&there, &sentry, &keys, false).await;
        let first = here.seen().last().unwrap().request.clone();
        let sent = [first, last].map(|request| request.header("traceparent").is_some());
        assert_eq!(sent, [at_here, at_there], "{targets}");
    }
}
