//! What the log is told of envelopes that Sentry refuses for good: each status once a minute.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use super::carrier::Answer;

const PERIOD: Duration = Duration::from_mins(1);

/// When each status was last spoken of.
#[derive(Debug, Default)]
pub(super) struct Refusals(BTreeMap<u16, Instant>);

// === impl Refusals ===

impl Refusals {
    /// Sentry refused an envelope. True if that was said.
    pub(super) fn note(&mut self, answer: &Answer, category: &'static str, now: Instant) -> bool {
        let Answer { status, detail, .. } = answer;
        if self.0.get(status).is_some_and(|said| now - *said < PERIOD) {
            return false;
        }
        self.0.insert(*status, now);
        tracing::warn!(status, detail, category, "Sentry refuses an envelope for good: it is given up and counted");
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_is_said_once_a_minute() {
        let (mut refusals, now) = (Refusals::default(), Instant::now());
        let answer = |status| Answer { status, ..Answer::default() };
        assert!(refusals.note(&answer(400), "error", now));
        assert!(!refusals.note(&answer(400), "error", now));
        assert!(refusals.note(&answer(413), "error", now));
        assert!(refusals.note(&answer(400), "error", now + PERIOD));
    }
}
