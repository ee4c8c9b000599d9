//! Where in its period a check starts: stable over restarts, and spread evenly over all checks.

use std::time::Duration;

/// The phase of an identity in a period.
///
/// FNV-1a with a splitmix finaliser, written out because the standard library's hash may change between releases, and
/// the phase must not.
pub(super) fn phase(identity: &str, period: Duration) -> Duration {
    let hash = identity
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let hash = hash ^ (hash >> 31);
    // A year of nanoseconds fits in 64 bits eighteen times; the product does not, so it is taken in 128.
    let nanoseconds = period.as_nanos().saturating_mul(u128::from(hash)) >> 64;
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_phase_never_changes_between_releases() {
        // What the function gave when it was written.
        assert_eq!(phase("london\nhttp:example", MINUTE), Duration::from_nanos(34_844_214_068));
    }

    #[test]
    fn phases_are_within_the_period_and_spread_evenly_over_it() {
        let mut buckets = [0_u32; 600];
        for check in 0..10_000 {
            let phase = phase(&format!("london\nhttp:GET https://host-{check}.example/"), MINUTE);
            assert!(phase < MINUTE);
            buckets[usize::try_from(phase.as_millis() / 100).unwrap()] += 1;
        }
        assert!(buckets.iter().all(|starts| (2..=40).contains(starts)), "{buckets:?}");
    }

    #[test]
    fn locations_do_not_hit_one_target_together() {
        assert_ne!(phase("london\nx", MINUTE), phase("paris\nx", MINUTE));
    }
}
