//! Whether the road to Sentry is open, and how much may be on it at once.
//!
//! As many failures in a row as posts may be in flight close it: a single envelope that cannot be delivered, or a
//! server that fails now and then, does not. When the wait is over, one post tries it; each that succeeds makes room for one
//! more, so that a backlog does not fall upon a server that has just come back.

use std::time::Duration;

use tokio::time::Instant;

use super::{backoff, fate::Failed};

/// A road that closes again and again is spoken of this often.
const SPOKEN: Duration = Duration::from_mins(1);

/// The road to Sentry.
#[derive(Debug)]
pub(super) struct Road {
    /// The most posts in flight.
    most: usize,
    /// Posts in flight now, while it is open.
    width: usize,
    /// Failures since the last success.
    in_a_row: usize,
    trouble: Option<Trouble>,
    /// When trouble was last spoken of.
    spoken: Option<Instant>,
}

/// The road closed, and nothing has succeeded since.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    /// Why, as the end of a sentence.
    pub(super) why: String,
    /// When it closed first.
    pub(super) since: Instant,
    /// When it is tried again.
    pub(super) until: Instant,
    /// How often it closed.
    closings: u32,
    /// Whether the log was told of it.
    spoken: bool,
}

// === impl Road ===

impl Road {
    /// An open road for this many posts at once.
    pub(super) const fn new(most: usize) -> Self {
        Self { most, width: most, in_a_row: 0, trouble: None, spoken: None }
    }

    /// How many posts may be in flight now; none while it is closed.
    pub(super) fn width(&self, now: Instant) -> usize {
        if self.closed_until(now).is_some() { 0 } else { self.width }
    }

    /// When it is tried again, while it is closed.
    pub(super) fn closed_until(&self, now: Instant) -> Option<Instant> {
        self.trouble.as_ref().map(|trouble| trouble.until).filter(|until| *until > now)
    }

    /// What is wrong, until something succeeds.
    pub(super) const fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    /// Something came through. True if that ended a trouble.
    pub(super) fn succeeded(&mut self, now: Instant) -> bool {
        self.in_a_row = 0;
        self.width = (self.width + 1).min(self.most);
        let Some(trouble) = self.trouble.take() else { return false };
        if trouble.spoken {
            tracing::info!(after = ?now - trouble.since, "Sentry answers again");
        }
        true
    }

    /// Something did not come through.
    pub(super) fn failed(&mut self, failed: &Failed, now: Instant) {
        self.in_a_row += 1;
        if self.in_a_row >= self.width {
            self.close(failed, now);
        }
    }

    /// Waits before anything else is tried. A road that is closed stays closed as long as it was.
    pub(super) fn close(&mut self, failed: &Failed, now: Instant) {
        if self.closed_until(now).is_some() {
            return;
        }
        let known = self.trouble.take().map(|trouble| (trouble.since, trouble.closings, trouble.spoken));
        let (since, closings, spoken) = known.unwrap_or((now, 0, false));
        let until = now + backoff::wait(closings + 1, failed.standing);
        let mut trouble = Trouble { why: failed.why.clone(), since, until, closings: closings + 1, spoken };
        self.speak(&mut trouble, failed.standing, now);
        (self.width, self.in_a_row, self.trouble) = (1, 0, Some(trouble));
    }

    fn speak(&mut self, trouble: &mut Trouble, standing: bool, now: Instant) {
        if trouble.spoken || self.spoken.is_some_and(|spoken| now - spoken < SPOKEN) {
            return;
        }
        (trouble.spoken, self.spoken) = (true, Some(now));
        let why = &trouble.why;
        match standing {
            true => tracing::error!(why, "Sentry does not take what is sent: it is kept and tried every few minutes"),
            false => tracing::warn!(why, "Sentry cannot be reached: what is to be sent is kept and tried again"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed() -> Failed {
        Failed { standing: false, why: "it answers 500".to_owned() }
    }

    #[test]
    fn single_failures_leave_it_open() {
        let (mut road, now) = (Road::new(4), Instant::now());
        for _ in 0..10 {
            (0..3).for_each(|_| road.failed(&failed(), now));
            road.succeeded(now);
        }
        assert_eq!(road.width(now), 4);
        assert!(road.trouble().is_none());
    }

    #[test]
    fn as_many_failures_as_posts_close_it_once() {
        let (mut road, now) = (Road::new(4), Instant::now());
        (0..4).for_each(|_| road.failed(&failed(), now));
        let until = road.closed_until(now).unwrap();
        assert_eq!(road.width(now), 0);
        assert!(until - now <= Duration::from_millis(500));
        // Those that were still on the way are of the same trouble.
        (0..4).for_each(|_| road.failed(&failed(), now));
        assert_eq!(road.closed_until(now), Some(until));
        assert_eq!(road.width(until), 1);
    }

    #[test]
    fn one_post_tries_it_and_each_success_makes_room_for_one_more() {
        let (mut road, mut now) = (Road::new(4), Instant::now());
        (0..4).for_each(|_| road.failed(&failed(), now));
        for tried in 2..6 {
            now = road.closed_until(now).unwrap();
            road.failed(&failed(), now);
            let wait = road.closed_until(now).unwrap() - now;
            assert!(wait > Duration::from_millis(500 * (1 << tried) / 4 - 1), "{tried}: {wait:?}");
        }
        now = road.closed_until(now).unwrap();
        assert!(road.succeeded(now));
        for width in [2, 3, 4, 4] {
            assert_eq!(road.width(now), width);
            assert!(!road.succeeded(now));
        }
    }

    #[test]
    fn what_comes_through_late_opens_it() {
        let (mut road, now) = (Road::new(2), Instant::now());
        (0..2).for_each(|_| road.failed(&failed(), now));
        assert!(road.succeeded(now));
        assert_eq!(road.width(now), 2);
    }
}
