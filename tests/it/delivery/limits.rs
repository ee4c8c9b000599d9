//! Rate limits: what is held back, and what is not.

use sentrynet::report::sentry::{
    Envelope,
    delivery::Answer,
    spool::{Category, Lane},
};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{MINUTE, SECOND, counts, deliver, envelope, error, id, transaction};
use crate::support::sentry::{Mood, Sentry};

fn limited(rate_limits: Option<&str>, retry_after: Option<&str>) -> Mood {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let (rate_limits, retry_after) = (owned(rate_limits), owned(retry_after));
    Mood::Answers(Answer { status: 429, rate_limits, retry_after, detail: String::new() })
}

fn check_in(number: u64) -> Envelope {
    let id = Uuid::from_u128(u128::from(number));
    envelope(Lane::Urgent, Category::Monitor, id, "check_in", "{\"monitor_slug\":\"x\"}")
}

#[tokio::test(start_paused = true)]
async fn a_429_without_a_word_stops_everything_for_a_minute_and_loses_nothing() {
    let sentry = Sentry::that(limited(None, None));
    let (_directory, delivery) = deliver(&sentry);
    delivery.take(&transaction(1));
    sentry.until(|seen| seen.posts >= 1).await;
    sentry.always(Mood::Well);
    let begun = Instant::now();
    delivery.take(&error(2));
    sentry.until_taken(2).await;
    assert_eq!(begun.elapsed().as_secs(), 60);
    assert!(delivery.flush(SECOND).await);
    assert_eq!(counts(&delivery).losses().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_honoured() {
    let sentry = Sentry::that(limited(None, Some("600")));
    let (_directory, delivery) = deliver(&sentry);
    delivery.take(&transaction(1));
    sentry.until(|seen| seen.posts >= 1).await;
    sentry.always(Mood::Well);
    let begun = Instant::now();
    sentry.until_taken(1).await;
    assert_eq!(begun.elapsed().as_secs(), 600);
}

#[tokio::test(start_paused = true)]
async fn limited_transactions_do_not_hold_up_errors_and_check_ins() {
    for limits in ["300:transaction:organization:usage_exceeded", "300:span:key"] {
        let sentry = Sentry::that(limited(Some(limits), None));
        let (_directory, delivery) = deliver(&sentry);
        delivery.take(&transaction(0));
        sentry.until(|seen| seen.posts >= 1).await;
        sentry.always(Mood::Well);
        (1..100).for_each(|number| delivery.take(&transaction(number)));
        (100..110).for_each(|number| delivery.take(&error(number)));
        delivery.take(&check_in(110));
        sleep(299 * SECOND).await;
        assert_eq!((sentry.seen().taken, sentry.seen().posts), (11, 12), "{limits}");
        let held: Vec<_> = delivery.stats().held.iter().map(|held| held.category).collect();
        assert_eq!(held, [Category::Transaction]);
        sleep(2 * SECOND).await;
        assert_eq!(sentry.seen().taken, 111, "{limits}");
        assert_eq!(delivery.stats().held, []);
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_beside_a_200_holds_from_the_next_post_on() {
    let sentry = Sentry::that(Mood::Limits("120:monitor:key, 60::organization"));
    let (_directory, delivery) = deliver(&sentry);
    delivery.take(&error(1));
    sentry.until_taken(1).await;
    sentry.always(Mood::Well);
    let begun = Instant::now();
    delivery.take(&error(2));
    delivery.take(&check_in(3));
    sentry.until_taken(2).await;
    assert_eq!(begun.elapsed().as_secs(), 60);
    sentry.until_taken(3).await;
    assert_eq!(begun.elapsed().as_secs(), 120);
    assert_eq!(sentry.event_ids(), [id(1), id(2), id(3)]);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_names_something_else_is_not_asked_again_and_again() {
    let sentry = Sentry::that(limited(Some("10:replay:key"), None));
    let (_directory, delivery) = deliver(&sentry);
    delivery.take(&error(1));
    sleep(10 * MINUTE).await;
    let posts = sentry.seen().posts;
    assert!((10..=11).contains(&posts), "{posts}");
    assert_eq!(counts(&delivery).losses().count(), 0);
}
