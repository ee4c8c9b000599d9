//! The end: what is on its way gets its time, the rest stays on the disk, and nothing hangs.

use std::time::Duration;

use sentrynet::report::sentry::{Delivery, Settings, delivery::DeliverySettings};
use tokio::time::{Instant, timeout};

use super::{MINUTE, SECOND, deliver, deliver_from, error, id, transaction};
use crate::support::sentry::{Mood, Sentry, Server};

#[tokio::test(start_paused = true)]
async fn what_is_on_its_way_gets_its_time() {
    let sentry = Sentry::that(Mood::Slow(3 * SECOND));
    let (_directory, delivery) = deliver(&sentry);
    delivery.take(&error(1));
    let begun = Instant::now();
    assert!(delivery.flush(10 * SECOND).await);
    assert_eq!(begun.elapsed().as_secs(), 3);
    assert!(delivery.flush(10 * SECOND).await, "there is nothing left");
    assert_eq!(begun.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_costs_the_limit_and_no_more_and_loses_nothing() {
    let sentry = Sentry::that(Mood::Hangs);
    let (directory, delivery) = deliver(&sentry);
    (0..50).for_each(|number| delivery.take(&transaction(number)));
    let begun = Instant::now();
    assert!(!delivery.flush(2 * SECOND).await);
    assert_eq!(begun.elapsed(), 2 * SECOND);
    delivery.close().await;
    assert_eq!(begun.elapsed(), 2 * SECOND);

    sentry.always(Mood::Well);
    let delivery = deliver_from(directory.path(), &sentry);
    assert!(delivery.flush(MINUTE).await);
    assert_eq!(sentry.event_ids(), (0..50).map(id).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_what_cannot_come_in_time() {
    let sentry = Sentry::that(Mood::status(403));
    let (_directory, delivery) = deliver(&sentry);
    (0..10).for_each(|number| delivery.take(&transaction(number)));
    let begun = Instant::now();
    assert!(!delivery.flush(10 * SECOND).await);
    assert!(begun.elapsed() < SECOND, "{:?}", begun.elapsed());

    let sentry = Sentry::that(Mood::Limits("300:transaction:key"));
    let (_directory, delivery) = deliver(&sentry);
    delivery.take(&error(1));
    sentry.until_taken(1).await;
    delivery.take(&transaction(2));
    delivery.take(&error(3));
    let begun = Instant::now();
    assert!(!delivery.flush(10 * SECOND).await);
    assert!(begun.elapsed() < SECOND, "{:?}", begun.elapsed());
    assert_eq!(sentry.event_ids(), [id(1), id(3)], "what can come, comes");
}

#[tokio::test(start_paused = true)]
async fn a_short_trouble_is_waited_out() {
    let sentry = Sentry::that(Mood::status(500));
    let (_directory, delivery) = deliver(&sentry);
    (0..10).for_each(|number| delivery.take(&error(number)));
    sentry.until(|seen| seen.posts >= 6).await;
    sentry.always(Mood::Well);
    assert!(delivery.flush(10 * SECOND).await);
    assert_eq!(sentry.seen().taken, 10);
}

/// With real connections and the whole of it: nothing hangs.
#[tokio::test]
async fn a_real_server_that_says_nothing_is_left_in_time() {
    let server = Server::plain(Sentry::that(Mood::Hangs)).await;
    let directory = tempfile::TempDir::new().unwrap();
    let settings = Settings {
        dsn: server.dsn(),
        environment: "test".to_owned(),
        release: "r".to_owned(),
        server_name: "s".to_owned(),
        heartbeat: None,
        success_sample: Default::default(),
        delivery: DeliverySettings::default(),
    };
    let delivery = Delivery::open(&settings, directory.path()).unwrap();
    (0..50).for_each(|number| delivery.take(&transaction(number)));
    server.sentry.until(|seen| seen.open >= 4).await;
    let begun = Instant::now();
    assert!(!delivery.flush(Duration::from_millis(200)).await);
    timeout(10 * SECOND, delivery.close()).await.unwrap();
    assert!(begun.elapsed() < 10 * SECOND, "{:?}", begun.elapsed());

    server.sentry.always(Mood::Well);
    let delivery = Delivery::open(&settings, directory.path()).unwrap();
    assert!(delivery.flush(MINUTE).await);
    assert_eq!(server.sentry.seen().taken, 50);
    assert_eq!(server.sentry.refused(), []);
}
