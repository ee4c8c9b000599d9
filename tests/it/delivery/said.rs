//! What the log is told: when it matters, and once.

use tokio::time::sleep;

use super::{MINUTE, SECOND, deliver, error, transaction};
use crate::support::{
    log::Log,
    sentry::{Mood, Sentry},
};

#[tokio::test(start_paused = true)]
async fn an_outage_is_said_when_it_begins_and_when_it_ends() {
    let log = Log::listen();
    let sentry = Sentry::that(Mood::status(503));
    let (_directory, delivery) = deliver(&sentry);
    for number in 0..600 {
        delivery.take(&transaction(number));
        sleep(SECOND).await;
    }
    assert_eq!(log.count("Sentry cannot be reached"), 1, "{:?}", log.lines());
    assert_eq!(log.count("it answers 503"), 1);
    sentry.always(Mood::Well);
    assert!(delivery.flush(2 * MINUTE).await);
    assert_eq!(log.count("Sentry answers again"), 1);
    assert_eq!(log.lines().len(), 2, "{:?}", log.lines());
}

#[tokio::test(start_paused = true)]
async fn a_wrong_key_is_an_error_in_the_log() {
    let log = Log::listen();
    let sentry = Sentry::that(Mood::status(401));
    let (_directory, delivery) = deliver(&sentry);
    (0..10).for_each(|number| delivery.take(&error(number)));
    sleep(60 * MINUTE).await;
    assert_eq!(log.count("ERROR"), 1, "{:?}", log.lines());
    assert_eq!(log.count("key still valid?"), 1);
}

#[tokio::test(start_paused = true)]
async fn refusals_are_said_once_a_minute_with_their_reason_and_losses_in_sum() {
    let log = Log::listen();
    let sentry = Sentry::new();
    sentry.moods(|envelope| if envelope.kind() == "event" { Mood::status(400) } else { Mood::Well });
    let (_directory, delivery) = deliver(&sentry);
    for number in 0..150 {
        delivery.take(&error(number));
        sleep(SECOND).await;
    }
    assert_eq!(log.count("refuses an envelope for good"), 3, "{:?}", log.lines());
    sleep(MINUTE).await;
    let sums: u64 = log.lines().iter().filter(|line| line.contains("results were lost")).map(|line| number(line)).sum();
    assert_eq!(sums, 150, "{:?}", log.lines());
}

/// The value of the field `number`.
fn number(line: &str) -> u64 {
    line.split("number=").nth(1).and_then(|rest| rest.split(' ').next()).and_then(|text| text.parse().ok()).unwrap()
}
