//! The clocks of a schedule: the wall's for when, the monotonic one for how long.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::time::Instant;

/// The wall's clock, as an input: tests set it.
#[derive(Clone)]
pub struct WallClock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

/// An instant on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// What is waited for: it does not jump.
    pub(super) at: Instant,
    /// What a person is told.
    pub(super) planned: SystemTime,
}

// === impl WallClock ===

impl WallClock {
    /// A clock that reads so.
    pub fn new(read: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// Reads it.
    pub fn now(&self) -> SystemTime {
        (self.0)()
    }

    /// The next instant that is `phase` into a `period` since the epoch: the same after a restart.
    pub(super) fn next(&self, period: Duration, phase: Duration) -> Due {
        let (wall, at) = (self.now(), Instant::now());
        let since = wall.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let (period, phase) = (period.as_nanos().max(1), phase.as_nanos());
        let into = (since + period - phase % period) % period;
        let wait = Duration::from_nanos(u64::try_from(period - into).unwrap_or(u64::MAX));
        Due { at: at + wait, planned: wall + wait }
    }
}

impl Default for WallClock {
    /// The system's.
    fn default() -> Self {
        Self::new(SystemTime::now)
    }
}

impl fmt::Debug for WallClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WallClock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wall(millis: u64) -> WallClock {
        WallClock::new(move || UNIX_EPOCH + Duration::from_millis(millis))
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_start_is_on_the_grid_and_always_ahead() {
        let (period, phase) = (Duration::from_secs(60), Duration::from_secs(10));
        for (now, next) in [(0, 10), (9_999, 10), (10_000, 70), (69_000, 70), (70_001, 130)] {
            let due = wall(now).next(period, phase);
            assert_eq!(due.planned, UNIX_EPOCH + Duration::from_secs(next), "{now}");
            assert_eq!(due.at - Instant::now(), Duration::from_millis(next * 1_000 - now));
        }
    }
}
