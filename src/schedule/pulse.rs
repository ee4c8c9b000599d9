//! The prober's own pulse: when it stood still, what it measured says nothing of a target.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use tokio::time::{self, Instant};

use super::clock::WallClock;

/// How often the pulse beats.
const BEAT: Duration = Duration::from_millis(250);

/// A beat that comes this late is a stall: the process was stopped, or had no processor.
const LATE: Duration = Duration::from_millis(250);

/// The clocks may go apart by so much in one beat; more, and the machine slept or its clock was set.
const APART: Duration = Duration::from_secs(2);

/// How many disturbances are remembered: more than can touch one run that is still of use.
const KEPT: usize = 64;

/// Beats while the process runs, and remembers when it did not.
#[derive(Clone, Debug)]
pub struct Pulse {
    shared: Arc<Mutex<Beats>>,
    wall: WallClock,
}

/// Something on our side that makes a run's times untrue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disturbance {
    /// The process stood still for so long.
    Stalled(Duration),
    /// The wall's clock went so much further, or less far, than time did: the machine slept, or its clock was set.
    ClockJumped(Duration),
}

#[derive(Debug)]
struct Beats {
    last: (Instant, SystemTime),
    seen: VecDeque<(Instant, Disturbance)>,
}

// === impl Pulse ===

impl Pulse {
    /// A pulse whose last beat is now.
    pub fn new(wall: WallClock) -> Self {
        let beats = Beats { last: (Instant::now(), wall.now()), seen: VecDeque::new() };
        Self { shared: Arc::new(Mutex::new(beats)), wall }
    }

    /// Beats for ever.
    pub async fn beat(&self) {
        loop {
            time::sleep(BEAT).await;
            let (now, wall) = (Instant::now(), self.wall.now());
            let mut beats = self.lock();
            let disturbed = disturbance(beats.last, (now, wall));
            beats.last = (now, wall);
            if let Some(disturbance) = disturbed {
                if beats.seen.len() == KEPT {
                    beats.seen.pop_front();
                }
                beats.seen.push_back((now, disturbance));
            }
        }
    }

    /// How long ago it beat last.
    pub fn age(&self) -> Duration {
        self.lock().last.0.elapsed()
    }

    /// The worst of what happened since then, the present stall included.
    pub(super) fn since(&self, from: Instant) -> Option<Disturbance> {
        let beats = self.lock();
        let present = disturbance(beats.last, (Instant::now(), self.wall.now()));
        let seen = beats.seen.iter().filter(|(at, _)| *at >= from).map(|(_, disturbance)| *disturbance);
        seen.chain(present).max_by_key(Disturbance::size)
    }

    fn lock(&self) -> MutexGuard<'_, Beats> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Disturbance ===

impl Disturbance {
    pub(super) const fn size(&self) -> Duration {
        match self {
            Self::Stalled(size) | Self::ClockJumped(size) => *size,
        }
    }
}

impl fmt::Display for Disturbance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stalled(size) => write!(f, "SentryNet itself stood still for {:.1} s", size.as_secs_f64()),
            Self::ClockJumped(size) => {
                write!(f, "this machine slept, or its clock was set, by {:.1} s", size.as_secs_f64())
            }
        }
    }
}

/// What two beats that follow each other say.
fn disturbance(last: (Instant, SystemTime), now: (Instant, SystemTime)) -> Option<Disturbance> {
    let beat = now.0.saturating_duration_since(last.0);
    let wall = now.1.duration_since(last.1).unwrap_or_else(|error| error.duration());
    let apart = match now.1.duration_since(last.1) {
        Ok(_) => wall.abs_diff(beat),
        Err(_) => wall + beat,
    };
    if apart > APART {
        return Some(Disturbance::ClockJumped(apart));
    }
    let late = beat.saturating_sub(BEAT);
    (late > LATE).then_some(Disturbance::Stalled(late))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn wall() -> WallClock {
        let start = Instant::now();
        WallClock::new(move || UNIX_EPOCH + Duration::from_secs(1_000_000) + start.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_steady_pulse_finds_nothing() {
        let pulse = Pulse::new(wall());
        let from = Instant::now();
        tokio::select! { () = pulse.beat() => {}, () = time::sleep(Duration::from_secs(600)) => {} }
        assert_eq!(pulse.since(from), None);
        assert!(pulse.age() <= BEAT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_that_stood_still_knows_it_also_before_its_next_beat() {
        let pulse = Pulse::new(wall());
        let from = Instant::now();
        time::advance(Duration::from_secs(9)).await;
        assert_eq!(pulse.since(from), Some(Disturbance::Stalled(Duration::from_millis(8_750))));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_before_a_run_does_not_touch_it() {
        let pulse = Pulse::new(wall());
        time::advance(Duration::from_secs(9)).await;
        tokio::select! { () = pulse.beat() => {}, () = time::sleep(Duration::from_secs(1)) => {} }
        assert_eq!(pulse.since(Instant::now()), None);
    }

    #[test]
    fn clocks_that_go_apart_are_noticed_in_both_directions() {
        let (at, wall) = (Instant::now(), UNIX_EPOCH + Duration::from_secs(10_000));
        let later = at + BEAT;
        let jumped = |wall_now| disturbance((at, wall), (later, wall_now));
        assert_eq!(jumped(wall + BEAT), None);
        let hour = Duration::from_secs(3_600);
        assert_eq!(jumped(wall + BEAT + hour), Some(Disturbance::ClockJumped(hour)));
        assert_eq!(jumped(wall - hour), Some(Disturbance::ClockJumped(hour + BEAT)));
    }
}
