//! Starts at a fixed rate: on the check's own phase, without drift, without overlap, whatever the clocks do.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    clock::{Due, WallClock},
    phase::phase,
};

/// First starts are this far apart on average, so that a large file does not start all at once …
const APART: Duration = Duration::from_millis(20);

/// … and nobody waits longer than this for the first result of a check with a long period.
const FIRST: Duration = Duration::from_secs(30);

/// The starts of one check.
#[derive(Debug)]
pub(super) struct Rhythm {
    period: Duration,
    phase: Duration,
    wall: WallClock,
}

// === impl Rhythm ===

impl Rhythm {
    pub(super) fn new(identity: &str, period: Duration, wall: WallClock) -> Self {
        Self { period, phase: phase(identity, period), wall }
    }

    /// The first start when this is one of so many checks: soon, and spread as the phases are.
    pub(super) fn first(&self, checks: usize) -> Due {
        let window = APART.saturating_mul(u32::try_from(checks).unwrap_or(u32::MAX)).min(FIRST).min(self.period);
        let wait = window.mul_f64(self.phase.as_secs_f64() / self.period.as_secs_f64());
        Due { at: Instant::now() + wait, planned: self.wall.now() + wait }
    }

    /// The start after this one, and how many were left out because the time for them has passed.
    ///
    /// It is anchored on the wall's clock anew each time: nothing drifts, and a clock that was set moves the grid. A
    /// small step back must not start a check twice, so at least half a period lies between two starts.
    pub(super) fn after(&self, last: Due) -> (Due, u64) {
        let mut next = self.wall.next(self.period, self.phase);
        if next.at < last.at + self.period / 2 {
            next = Due { at: next.at + self.period, planned: next.planned + self.period };
        }
        let periods = (next.at - last.at).as_nanos() + self.period.as_nanos() / 2;
        let periods = u64::try_from(periods / self.period.as_nanos().max(1)).unwrap_or(u64::MAX);
        (next, periods.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, Mutex},
        time::{SystemTime, UNIX_EPOCH},
    };

    use tokio::time;

    use super::*;

    const PERIOD: Duration = Duration::from_secs(10);

    /// A wall clock that follows tokio's, and can be set.
    fn clock() -> (WallClock, Arc<Mutex<i64>>) {
        let (start, step) = (Instant::now(), Arc::new(Mutex::new(0_i64)));
        let shared = step.clone();
        let read = move || {
            let base = UNIX_EPOCH + Duration::from_secs(1_000_000_003) + start.elapsed();
            let step = *shared.lock().unwrap();
            let by = Duration::from_secs(step.unsigned_abs());
            if step < 0 { base - by } else { base + by }
        };
        (WallClock::new(read), step)
    }

    fn since_grid(rhythm: &Rhythm, planned: SystemTime) -> u128 {
        let since = planned.duration_since(UNIX_EPOCH).unwrap();
        (since.as_nanos() - rhythm.phase.as_nanos()) % PERIOD.as_nanos()
    }

    #[tokio::test(start_paused = true)]
    async fn starts_do_not_drift() {
        let (wall, _) = clock();
        let rhythm = Rhythm::new("x", PERIOD, wall);
        let mut due = rhythm.first(1);
        for _ in 0..1_000 {
            time::sleep_until(due.at + Duration::from_millis(37)).await;
            let (next, missed) = rhythm.after(due);
            assert_eq!(missed, 0);
            assert_eq!(since_grid(&rhythm, next.planned), 0);
            due = next;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_that_took_too_long_misses_starts_and_keeps_its_phase() {
        let (wall, _) = clock();
        let rhythm = Rhythm::new("x", PERIOD, wall);
        let (due, _) = rhythm.after(rhythm.first(1));
        time::sleep_until(due.at + Duration::from_secs(35)).await;
        let (next, missed) = rhythm.after(due);
        assert_eq!(missed, 3);
        assert_eq!(next.at - due.at, Duration::from_secs(40));
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_set_neither_starts_twice_nor_falls_silent() {
        for step in [3_600, -3_600, 7, -7, -1] {
            let (wall, set) = clock();
            let rhythm = Rhythm::new("x", PERIOD, wall);
            let (due, _) = rhythm.after(rhythm.first(1));
            time::sleep_until(due.at + Duration::from_millis(5)).await;
            *set.lock().unwrap() += step;
            let (next, missed) = rhythm.after(due);
            let gap = next.at - due.at;
            assert!(gap >= PERIOD / 2 && gap <= PERIOD * 3 / 2, "{step}: {gap:?}");
            assert_eq!(missed, 0, "{step}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_result_comes_soon_and_a_large_file_does_not_start_at_once() {
        let (wall, _) = clock();
        let day = Duration::from_secs(86_400);
        for number in 0..100 {
            let rhythm = Rhythm::new(&number.to_string(), day, wall.clone());
            assert!(rhythm.first(1).at - Instant::now() <= APART);
            assert!(rhythm.first(1_000_000).at - Instant::now() <= FIRST);
        }
        let late = (0..100).filter(|number| {
            let rhythm = Rhythm::new(&number.to_string(), day, wall.clone());
            rhythm.first(1_000_000).at - Instant::now() > FIRST / 2
        });
        assert!((30..70).contains(&late.count()));
    }
}
