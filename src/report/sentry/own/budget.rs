//! How often one fault is told: a fault in telling faults must not feed itself.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Between two tellings of the same place.
const PAUSE: Duration = Duration::from_secs(60);

/// When each place was told last, and how often it was left out since. Places are lines of the program: they are few.
#[derive(Debug, Default)]
pub(super) struct Budget(Mutex<HashMap<String, (Instant, u64)>>);

// === impl Budget ===

impl Budget {
    /// Whether this place may be told now; if so, how often it was left out before.
    pub(super) fn take(&self, place: &str) -> Option<u64> {
        let now = Instant::now();
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match told.get_mut(place) {
            Some((last, left_out)) if now.duration_since(*last) < PAUSE => {
                *left_out += 1;
                None
            }
            Some(entry) => Some(std::mem::replace(entry, (now, 0)).1),
            None => {
                told.insert(place.to_owned(), (now, 0));
                Some(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_place_is_told_once_a_minute_with_what_was_left_out() {
        let budget = Budget::default();
        assert_eq!(budget.take("a"), Some(0));
        assert_eq!(budget.take("a"), None);
        assert_eq!(budget.take("b"), Some(0));
        tokio::time::advance(PAUSE).await;
        assert_eq!(budget.take("a"), Some(1));
        assert_eq!(budget.take("a"), None);
    }
}
