//! What becomes of an envelope, whatever Sentry answers.

use std::time::{Duration, SystemTime};

use sentrynet::report::sentry::spool::{Category, Reason};
use tokio::time::{Instant, sleep};

use super::{MINUTE, SECOND, counts, deliver, error, id, transaction};
use crate::support::sentry::{Envelope, Mood, Sentry};

/// In this mood the first time, and well from then on.
fn once(mood: Mood) -> impl FnMut(&Envelope) -> Mood + Send {
    let mut moods = vec![mood];
    move |_| moods.pop().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn what_was_taken_is_settled() {
    let sentry = Sentry::new();
    let (_directory, delivery) = deliver(&sentry);
    delivery.take(&transaction(1));
    assert!(delivery.flush(SECOND).await);
    let stats = delivery.stats();
    assert_eq!(stats.spool.counts.delivered(Category::Transaction), 1);
    assert!(stats.last_success.is_some());
    assert_eq!((stats.in_flight, stats.set_aside, stats.trouble), (0, 0, None));
    assert_eq!(sentry.event_ids(), [id(1)]);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_given_up_and_counted() {
    for status in [400, 413, 422] {
        let sentry = Sentry::new();
        sentry.moods(once(Mood::status(status)));
        let (_directory, delivery) = deliver(&sentry);
        delivery.take(&error(1));
        delivery.take(&error(2));
        assert!(delivery.flush(MINUTE).await);
        assert_eq!(counts(&delivery).lost(Reason::Refused, Category::Error), 1, "{status}");
        assert_eq!(sentry.event_ids().len(), 1, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_failed_is_sent_again_with_the_same_id_and_a_new_time() {
    let failures = [Mood::status(500), Mood::status(503), Mood::status(408), Mood::ClosesBefore, Mood::Hangs];
    for mood in failures {
        let sentry = Sentry::new();
        let mut sent = Vec::new();
        let (tell, told) = std::sync::mpsc::channel();
        let mut first = once(mood.clone());
        sentry.moods(move |envelope| {
            tell.send(envelope.sent_at()).unwrap();
            first(envelope)
        });
        let (_directory, delivery) = deliver(&sentry);
        delivery.take(&error(7));
        assert!(delivery.flush(MINUTE).await, "{mood:?}");
        assert_eq!(sentry.event_ids(), [id(7)], "{mood:?}");
        sent.extend(told.try_iter());
        assert_eq!(sent.len(), 2, "{mood:?}");
        assert!(sent[0] < sent[1] && sent[1] <= SystemTime::now(), "{mood:?}: {sent:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_arrived_without_an_answer_arrives_again_under_its_id() {
    let sentry = Sentry::new();
    sentry.moods(once(Mood::ClosesAfter));
    let (_directory, delivery) = deliver(&sentry);
    delivery.take(&error(7));
    assert!(delivery.flush(MINUTE).await);
    assert_eq!(sentry.event_ids(), [id(7), id(7)]);
    assert_eq!(counts(&delivery).delivered(Category::Error), 1);
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_waited_for_and_no_answer_for_half_a_minute() {
    let sentry = Sentry::that(Mood::Slow(20 * SECOND));
    let (_directory, delivery) = deliver(&sentry);
    let begun = Instant::now();
    delivery.take(&error(1));
    assert!(delivery.flush(MINUTE).await);
    assert_eq!(begun.elapsed().as_secs(), 20);
    assert_eq!(sentry.seen().posts, 1);

    sentry.moods(once(Mood::Hangs));
    let begun = Instant::now();
    delivery.take(&error(2));
    assert!(delivery.flush(MINUTE).await);
    assert_eq!(begun.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_few_posts_at_once_and_no_more() {
    let sentry = Sentry::that(Mood::Slow(SECOND));
    let (_directory, delivery) = deliver(&sentry);
    let begun = Instant::now();
    (0..100).for_each(|number| delivery.take(&transaction(number)));
    sentry.until(|seen| seen.open >= 4).await;
    assert_eq!(delivery.stats().in_flight, 4);
    assert!(delivery.flush(MINUTE).await);
    assert_eq!((sentry.seen().most_open, begun.elapsed().as_secs()), (4, 25));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_key_keeps_everything_and_asks_rarely() {
    let sentry = Sentry::that(Mood::status(403));
    let (_directory, delivery) = deliver(&sentry);
    (0..10).for_each(|number| delivery.take(&transaction(number)));
    sleep(60 * MINUTE).await;
    // The first four at once, then one every few minutes.
    let posts = sentry.seen().posts;
    assert!((14..=4 + 24).contains(&posts), "{posts}");
    let trouble = delivery.stats().trouble.unwrap();
    assert!(trouble.why.contains("403") && trouble.why.contains("key"), "{trouble:?}");
    assert_eq!(trouble.lasting.as_secs() / 60, 60);

    sentry.always(Mood::Well);
    assert!(delivery.flush(6 * MINUTE).await);
    assert_eq!(sentry.seen().taken, 10);
    assert_eq!(counts(&delivery).losses().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn one_envelope_that_never_arrives_holds_up_no_other() {
    for status in [500, 403] {
        let sentry = Sentry::new();
        sentry.moods(move |envelope| match envelope.event_id() == Some(&id(0)) {
            true => Mood::status(status),
            false => Mood::Well,
        });
        let (_directory, delivery) = deliver(&sentry);
        delivery.take(&error(0));
        for number in 1..=300 {
            delivery.take(&transaction(number));
            sleep(SECOND).await;
        }
        assert_eq!(sentry.seen().taken, 300, "{status}");
        // It is tried now and then, not all the time.
        assert!((2..30).contains(&(sentry.seen().posts - 300)), "{status}: {:?}", sentry.seen());
        assert_eq!(delivery.stats().set_aside, 1);
        sentry.always(Mood::Well);
        assert!(delivery.flush(6 * MINUTE).await);
    }
}

#[tokio::test(start_paused = true)]
async fn after_long_silence_what_never_arrives_still_holds_up_no_other() {
    let sentry = Sentry::new();
    sentry.moods(|envelope| if envelope.event_id() == Some(&id(0)) { Mood::status(500) } else { Mood::Well });
    let (_directory, delivery) = deliver(&sentry);
    delivery.take(&error(0));
    // Alone, it closes the road.
    sleep(30 * MINUTE).await;
    assert!(delivery.stats().trouble.is_some());
    for number in 1..=20 {
        delivery.take(&transaction(number));
    }
    sleep(2 * MINUTE).await;
    assert_eq!(sentry.seen().taken, 20);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_fails_now_and_then_is_used_as_well_as_it_can() {
    let sentry = Sentry::new();
    let mut post = 0;
    sentry.moods(move |_| {
        post += 1;
        if post % 5 == 0 { Mood::status(502) } else { Mood::Slow(Duration::from_millis(5)) }
    });
    let (_directory, delivery) = deliver(&sentry);
    let begun = Instant::now();
    for number in 0..1_000 {
        delivery.take(&transaction(number));
        sleep(Duration::from_millis(2)).await;
    }
    assert!(delivery.flush(MINUTE).await);
    assert!(begun.elapsed() < 10 * SECOND, "{:?}", begun.elapsed());
    assert_eq!(sentry.seen().taken, 1_000);
}
