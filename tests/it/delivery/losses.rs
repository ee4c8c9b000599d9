//! Sentry is told of what was lost.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use sentrynet::report::sentry::{
    Delivery,
    delivery::Pace,
    spool::{Category, Limits, NewRecord, Reason, Spool},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::sleep;

use super::{MINUTE, SECOND, counts, deliver, deliver_with, error, transaction};
use crate::support::sentry::{Envelope, Mood, Sentry};

/// What the client reports say, in order.
fn reports(sentry: &Sentry) -> Vec<Value> {
    let taken = sentry.taken();
    let reports = taken.iter().filter(|envelope| envelope.kind() == "client_report");
    reports.map(|report| report.items[0].json()["discarded_events"].clone()).collect()
}

fn refusing_transactions(envelope: &Envelope) -> Mood {
    if envelope.kind() == "transaction" { Mood::status(400) } else { Mood::Well }
}

#[tokio::test(start_paused = true)]
async fn each_loss_is_told_once_and_at_most_once_a_minute() {
    let sentry = Sentry::new();
    sentry.moods(refusing_transactions);
    let (_directory, delivery) = deliver(&sentry);
    (0..7).for_each(|number| delivery.take(&transaction(number)));
    sleep(MINUTE + SECOND).await;
    let lost = |quantity: u64| json!([{"reason": "send_error", "category": "transaction", "quantity": quantity}]);
    assert_eq!(reports(&sentry), [lost(7)]);
    for number in 7..50 {
        delivery.take(&transaction(number));
        sleep(SECOND).await;
    }
    assert_eq!(reports(&sentry).len(), 1, "a minute is not over");
    sleep(2 * MINUTE).await;
    assert_eq!(reports(&sentry), [lost(7), lost(43)]);
    sleep(60 * MINUTE).await;
    assert_eq!(reports(&sentry).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_report_that_does_not_arrive_is_made_again() {
    let sentry = Sentry::new();
    let mut failed = 0;
    sentry.moods(move |envelope| match envelope.kind() {
        "client_report" if failed < 2 => {
            failed += 1;
            Mood::status(500)
        }
        _ => refusing_transactions(envelope),
    });
    let (_directory, delivery) = deliver(&sentry);
    delivery.take(&transaction(1));
    sleep(5 * MINUTE).await;
    assert_eq!(reports(&sentry), [json!([{"reason": "send_error", "category": "transaction", "quantity": 1}])]);
}

#[tokio::test(start_paused = true)]
async fn what_the_bound_and_the_age_cost_is_told_after_the_outage() {
    let sentry = Sentry::that(Mood::status(503));
    let directory = TempDir::new().unwrap();
    let limits = Limits { max_bytes: 256 << 10, ..Limits::default() };
    let delivery = deliver_with(directory.path(), &sentry, limits);
    (0..500).for_each(|number| delivery.take(&transaction(number)));
    delivery.take(&error(500));
    sleep(MINUTE).await;
    let lost = counts(&delivery).lost(Reason::QueueOverflow, Category::Transaction);
    assert!(lost > 100, "{lost}");
    sentry.always(Mood::Well);
    assert!(delivery.flush(2 * MINUTE).await);
    sleep(2 * MINUTE).await;
    assert_eq!(reports(&sentry), [json!([{"reason": "cache_overflow", "category": "transaction", "quantity": lost}])]);
    let taken = sentry.taken();
    assert_eq!(taken.iter().filter(|envelope| envelope.kind() == "transaction").count() as u64, 500 - lost);
    assert_eq!(taken.iter().filter(|envelope| envelope.kind() == "event").count(), 1);
}

/// What is set aside is not with the spool, and grows old all the same.
#[tokio::test(start_paused = true)]
async fn what_is_set_aside_is_given_up_when_it_is_too_old() {
    let sentry = Sentry::new();
    sentry.moods(|envelope| if envelope.kind() == "event" { Mood::status(500) } else { Mood::Well });
    let directory = TempDir::new().unwrap();
    let spool = Arc::new(Spool::open(directory.path(), Limits::default()).unwrap());
    let envelope = error(1);
    let record =
        NewRecord { lane: envelope.lane, category: envelope.category, event_id: None, payload: &envelope.bytes };
    // The wall clock does not stand still with tokio's: this one is as good as too old.
    let almost = Limits::default().max_age - Duration::from_millis(1_500);
    spool.push(&record, SystemTime::now() - almost);
    let delivery = Delivery::start(spool, Arc::clone(&sentry) as _, Pace::default());
    let begun = SystemTime::now();
    while counts(&delivery).lost(Reason::Expired, Category::Error) == 0 {
        assert!(begun.elapsed().unwrap() < MINUTE, "{:?}", delivery.stats());
        sleep(SECOND).await;
    }
    assert_eq!(delivery.stats().set_aside, 0);
}
