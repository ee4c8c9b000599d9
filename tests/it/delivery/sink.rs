//! From a report to Sentry: the sink as the daemon builds it.

use std::{sync::Arc, time::SystemTime};

use probe_core::{FailureClass, Op, Verdict};
use sentrynet::{
    redact::Redactor,
    report::{
        Sinks,
        sentry::{Delivery, SentrySink, Settings, spool::Category},
    },
};
use tempfile::TempDir;

use super::MINUTE;
use crate::{
    runs,
    support::sentry::{Sentry, Server},
};

#[tokio::test]
async fn a_report_becomes_what_sentry_receives() {
    let server = Server::plain(Sentry::new()).await;
    let directory = TempDir::new().unwrap();
    let settings = Settings { dsn: server.dsn(), ..runs::settings() };
    let delivery = Arc::new(Delivery::open(&settings, directory.path()).unwrap());
    let sink = SentrySink::new(settings, Arc::clone(&delivery));
    let sinks = Arc::new(Sinks::new(Redactor::default(), vec![Box::new(sink)]));
    let reporting = Arc::clone(&sinks);
    // Made-up runs have a runtime of their own.
    let runs = tokio::task::spawn_blocking(move || {
        for number in 0..100 {
            let check = runs::check(&format!("Shop {number}"));
            let (tree, verdict) = match number % 10 {
                0 => {
                    let verdict = Verdict::Down(probe_core::Failure::new(FailureClass::Status, "503, not 200"));
                    (runs::failed(SystemTime::now(), Op::HTTP_RECV, FailureClass::Status), verdict)
                }
                _ => (runs::request(SystemTime::now()), Verdict::Up),
            };
            reporting.report(runs::report(check, tree, verdict));
        }
    });
    runs.await.unwrap();
    assert!(sinks.flush(MINUTE).await);

    let taken = server.sentry.taken();
    let of = |kind: &str| taken.iter().filter(|envelope| envelope.kind() == kind).count();
    assert_eq!((of("transaction"), of("event")), (100, 10));
    assert_eq!((server.sentry.refused(), server.sentry.dropped()), (Vec::new(), Vec::new()));
    // Connections are kept: one more may be made for a post that comes before another is back.
    assert!(server.sentry.seen().connections * 10 <= taken.len());
    let counts = delivery.stats().spool.counts;
    assert_eq!((counts.delivered(Category::Transaction), counts.delivered(Category::Error)), (100, 10));
    assert!(directory.path().join("spool").is_dir());
}
