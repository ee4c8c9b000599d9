//! What the log is told: when it matters, and once.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use tokio::time::sleep;
use tracing::subscriber::DefaultGuard;

use super::{MINUTE, SECOND, deliver, error, transaction};
use crate::support::sentry::{Mood, Sentry};

/// What this thread's log was told.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

// === impl Log ===

impl Log {
    fn listen() -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    fn lines(&self) -> Vec<String> {
        String::from_utf8_lossy(&self.0.lock().unwrap()).lines().map(str::to_owned).collect()
    }

    /// How many lines hold this text.
    fn count(&self, text: &str) -> usize {
        self.lines().iter().filter(|line| line.contains(text)).count()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_said_when_it_begins_and_when_it_ends() {
    let (log, _listening) = Log::listen();
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
    let (log, _listening) = Log::listen();
    let sentry = Sentry::that(Mood::status(401));
    let (_directory, delivery) = deliver(&sentry);
    (0..10).for_each(|number| delivery.take(&error(number)));
    sleep(60 * MINUTE).await;
    assert_eq!(log.count("ERROR"), 1, "{:?}", log.lines());
    assert_eq!(log.count("key still valid?"), 1);
}

#[tokio::test(start_paused = true)]
async fn refusals_are_said_once_a_minute_with_their_reason_and_losses_in_sum() {
    let (log, _listening) = Log::listen();
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
