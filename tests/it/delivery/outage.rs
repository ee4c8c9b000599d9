//! Ten minutes without Sentry.

use std::{fs, io::Write, time::Duration};

use tokio::time::{Instant, sleep};

use super::{MINUTE, SECOND, counts, deliver, error, id, transaction};
use crate::support::{
    child::{child, child_directory},
    sentry::{Mood, Sentry},
};

const OUTAGE: Duration = Duration::from_mins(10);

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_errors_come_first_and_sentry_is_not_run_over() {
    for mood in [Mood::status(500), Mood::ClosesBefore, Mood::Hangs] {
        let sentry = Sentry::that(mood.clone());
        let (_directory, delivery) = deliver(&sentry);
        let begun = Instant::now();
        let mut number = 0;
        while begun.elapsed() < OUTAGE {
            delivery.take(&if number % 10 == 9 { error(number) } else { transaction(number) });
            number += 1;
            sleep(SECOND / 4).await;
        }
        let tried = sentry.seen().posts;
        assert!((10..=35).contains(&tried), "{mood:?}: {tried}");
        assert!(delivery.stats().trouble.is_some());

        // Each answer takes a moment, so that it shows how many are asked for at once.
        sentry.always(Mood::Slow(Duration::from_millis(50)));
        assert!(delivery.flush(5 * MINUTE).await, "{mood:?}");
        let (seen, ids) = (sentry.seen(), sentry.event_ids());
        assert_eq!(seen.most_open, 4);
        assert_eq!(ids.len() as u64, number, "{mood:?}");
        let errors: Vec<_> = (0..number).filter(|number| number % 10 == 9).map(id).collect();
        let others: Vec<_> = (0..number).filter(|number| number % 10 != 9).map(id).collect();
        // Posts that begin together need not end so.
        assert_eq!(sorted(&ids[..errors.len()]), errors, "{mood:?}: errors first");
        assert_eq!(sorted(&ids[errors.len()..]), others, "{mood:?}: then the rest");
        assert!(ids[errors.len()..].windows(2).filter(|pair| pair[0] > pair[1]).count() < others.len() / 4);
        assert_eq!(counts(&delivery).losses().count(), 0);
        assert_eq!(sentry.dropped(), [""; 0]);
    }
}

fn sorted(ids: &[String]) -> Vec<String> {
    let mut ids = ids.to_vec();
    ids.sort();
    ids
}

#[tokio::test(start_paused = true)]
async fn after_an_outage_posts_grow_from_one() {
    let sentry = Sentry::that(Mood::status(500));
    let (_directory, delivery) = deliver(&sentry);
    (0..100).for_each(|number| delivery.take(&transaction(number)));
    sleep(MINUTE).await;
    sentry.always(Mood::Slow(SECOND));
    let before = sentry.seen().posts;
    let mut open = Vec::new();
    while sentry.seen().taken < 10 {
        sentry.until(|seen| seen.posts > before).await;
        sleep(SECOND / 2).await;
        open.push(sentry.seen().open);
        sleep(SECOND / 2).await;
    }
    assert_eq!(open[..4], [1, 2, 4, 4], "{open:?}");
}

/// In a process of its own, for the memory of the others is none of its concern.
#[tokio::test(start_paused = true)]
async fn memory_does_not_grow_with_what_waits() {
    let Some(directory) = child_directory() else {
        let directory = tempfile::TempDir::new().unwrap();
        let mut command = child("delivery::outage::memory_does_not_grow_with_what_waits", directory.path());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        return;
    };
    let sentry = Sentry::that(Mood::status(500));
    let delivery = super::deliver_from(&directory, &sentry);
    (0..100).for_each(|number| delivery.take(&transaction(number)));
    sleep(MINUTE).await;
    let before = resident();
    // 20 runs a second for ten minutes.
    for number in 100..12_100 {
        delivery.take(&transaction(number));
        sleep(SECOND / 20).await;
    }
    let (after, waiting) = (resident(), delivery.stats().spool);
    assert_eq!(waiting.routine.waiting + waiting.routine.taken, 12_100);
    assert!(waiting.disk_bytes > 20 << 20, "{} bytes", waiting.disk_bytes);
    assert!(after < before + (4 << 20), "from {before} to {after} bytes, with {} on the disk", waiting.disk_bytes);
    writeln!(
        std::io::stdout(),
        "{} bytes of memory for {} records",
        after.saturating_sub(before),
        waiting.routine.waiting
    )
    .unwrap();
}

/// Bytes of this process in memory.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1_024
}
