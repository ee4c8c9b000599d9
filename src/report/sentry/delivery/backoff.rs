//! How long to wait before the next try.

use std::time::Duration;

/// After the first failure.
const FIRST: Duration = Duration::from_millis(500);
/// However many failed.
const MOST: Duration = Duration::from_mins(1);
/// While somebody has to mend something.
const STANDING: Duration = Duration::from_mins(5);

/// The wait after so many failures, twice as long each time up to a minute; between the half and the whole of it, by
/// chance, so that many daemons do not come back at once.
pub(super) fn wait(failures: u32, standing: bool) -> Duration {
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let most = if standing { STANDING } else { doubled.min(MOST) };
    most.mul_f64(0.5 + fastrand::f64() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_minute_and_vary_by_half() {
        for (failures, most) in [(1, 500), (2, 1_000), (3, 2_000), (7, 32_000), (8, 60_000), (1_000, 60_000)] {
            let waits: Vec<_> = (0..200).map(|_| wait(failures, false)).collect();
            let most = Duration::from_millis(most);
            assert!(waits.iter().all(|&wait| wait >= most / 2 && wait <= most), "{failures}");
            assert!(waits.iter().max().unwrap().saturating_sub(*waits.iter().min().unwrap()) > most / 4, "{failures}");
        }
    }

    #[test]
    fn what_somebody_has_to_mend_is_tried_rarely_from_the_start() {
        assert!(wait(1, true) >= STANDING / 2);
    }
}
