//! From a report to Sentry: the sink as the daemon builds it.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use probe_core::{BoxFuture, Context, Failure, Probe, Propagation, Run, run_probe};
use sentrynet::{
    check::{Check, Timing},
    redact::Redactor,
    report::{
        Report, Sinks, Start,
        sentry::{Delivery, SentrySink, Settings, delivery::DeliverySettings, spool::Category},
    },
};

use super::{MINUTE, SECOND};
use crate::support::sentry::{Sentry, Server};

/// A probe that asks nobody.
#[derive(Debug)]
struct Nothing;

impl Probe for Nothing {
    fn kind(&self) -> &'static str {
        "nothing"
    }

    fn op(&self) -> &'static str {
        "probes.nothing"
    }

    fn run<'a>(&'a self, _: &'a Context) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async { Ok(()) })
    }
}

async fn report() -> Report {
    let check = Check {
        id: "nothing".to_owned(),
        title: "Nothing".to_owned(),
        tags: [("probe".to_owned(), "nothing".to_owned())].into(),
        timing: Timing::Every(MINUTE),
        burst: 1,
        timeout: SECOND,
        monitor: None,
        runbook: None,
        probe: Arc::new(Nothing),
    };
    let propagation = Propagation::none();
    let trace_id = propagation.trace_id;
    let outcome = run_probe(&*check.probe, Run::new(SECOND, propagation)).await;
    let start = Start { planned: SystemTime::now(), lag: Duration::ZERO, missed: 0 };
    Report { check: Arc::new(check), trace_id, start, outcome }
}

#[tokio::test]
async fn a_report_becomes_what_sentry_receives() {
    let server = Server::plain(Sentry::new()).await;
    let directory = tempfile::TempDir::new().unwrap();
    let settings = Settings {
        dsn: server.dsn(),
        environment: "test".to_owned(),
        release: "r".to_owned(),
        server_name: "s".to_owned(),
        heartbeat: None,
        delivery: DeliverySettings::default(),
    };
    let delivery = Arc::new(Delivery::open(&settings, directory.path()).unwrap());
    let sink = SentrySink::new(settings, Arc::clone(&delivery));
    let sinks = Sinks::new(Redactor::default(), vec![Box::new(sink)]);
    for _ in 0..100 {
        sinks.report(report().await);
    }
    assert!(sinks.flush(MINUTE).await);
    let taken = server.sentry.taken();
    assert_eq!(taken.len(), 100);
    assert_eq!(taken[0].items[0].json()["transaction"], "Nothing");
    assert!(server.sentry.seen().connections <= 4);
    assert_eq!(delivery.stats().spool.counts.delivered(Category::Transaction), 100);
    assert!(directory.path().join("spool").is_dir());
}
