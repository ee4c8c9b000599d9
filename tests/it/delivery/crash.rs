//! `kill -9` at random moments while runs come in and go out: each that was taken arrives, and none arrives torn.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Write,
    path::Path,
    process::Child,
    sync::Arc,
    time::Duration,
};

use sentrynet::report::sentry::{
    Delivery, Dsn,
    delivery::{DeliverySettings, Https, Pace},
    spool::{Limits, Spool},
};
use tempfile::TempDir;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::{MINUTE, error, filler, id, transaction};
use crate::support::{
    child::{child, child_directory},
    sentry::{Mood, Sentry, Server},
};

const KILLS: u64 = 20;
const ROUND: &str = "DELIVERY_TEST_ROUND";
const DSN: &str = "DELIVERY_TEST_DSN";
/// 500 runs a second.
const PERIOD: Duration = Duration::from_millis(2);

#[tokio::test]
async fn every_run_that_was_taken_arrives_whole_however_often_the_daemon_is_killed() {
    if let Some(directory) = child_directory() {
        return take_until_killed(&directory).await;
    }
    let server = Server::plain(Sentry::new()).await;
    server.sentry.moods(|_| match fastrand::u32(..100) {
        0..7 => Mood::status(500),
        7..14 => Mood::ClosesBefore,
        14..20 => Mood::ClosesAfter,
        _ => Mood::Well,
    });
    let parent = TempDir::new().unwrap();
    let (directory, log) = (parent.path().join("spool"), parent.path().join("said"));
    let test = "delivery::crash::every_run_that_was_taken_arrives_whole_however_often_the_daemon_is_killed";
    let mut said = BTreeSet::new();
    for round in 0..KILLS {
        let mut command = child(test, &directory);
        command.env(ROUND, round.to_string()).env(DSN, server.dsn_text()).stdout(File::create(&log).unwrap());
        let mut process = Killed(command.spawn().unwrap());
        let before = said.len();
        // It is killed at any moment after it has said something: a start that fails says nothing.
        while !fs::read_to_string(&log).unwrap().contains("\ntaken ") {
            assert!(process.0.try_wait().unwrap().is_none(), "round {round}: it did not start");
            sleep(Duration::from_millis(5)).await;
        }
        sleep(Duration::from_millis(fastrand::u64(0..400))).await;
        assert!(process.0.try_wait().unwrap().is_none(), "round {round}: it ended by itself");
        drop(process);
        said.extend(fs::read_to_string(&log).unwrap().split_inclusive('\n').filter_map(number));
        assert!(said.len() > before, "round {round}");
    }

    server.sentry.always(Mood::Well);
    let early = server.sentry.seen().taken;
    let delivery = delivery(&directory, &server.dsn());
    assert!(delivery.flush(MINUTE).await);
    let arrived: BTreeSet<_> = server.sentry.event_ids().into_iter().collect();
    let missing: Vec<_> = said.iter().filter(|number| !arrived.contains(&id(**number))).collect();
    assert!(missing.is_empty(), "{} of {} are lost: {missing:?}", missing.len(), said.len());
    assert!(said.len() > 500, "{} runs are too few to show anything", said.len());
    assert!(early > 500, "{early} envelopes that arrived in between are too few to show anything");

    assert_eq!((server.sentry.refused(), server.sentry.dropped()), (Vec::new(), Vec::new()));
    for envelope in server.sentry.taken() {
        let json = envelope.items[0].json();
        let text = json["filler"].as_str().unwrap();
        let number = text.split(' ').next().unwrap().parse().unwrap();
        assert_eq!(text, filler(number));
        assert_eq!(envelope.event_id(), Some(id(number).as_str()));
    }
    writeln!(std::io::stdout(), "{} runs in {KILLS} lives, {early} arrivals before the last", said.len()).unwrap();
}

/// Takes 500 runs a second, sends them, and says each that was taken, for as long as it lives.
async fn take_until_killed(directory: &Path) {
    let round: u64 = std::env::var(ROUND).unwrap().parse().unwrap();
    let delivery = delivery(directory, &std::env::var(DSN).unwrap().parse().unwrap());
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for number in round * 1_000_000.. {
        ticks.tick().await;
        delivery.take(&if number % 5 == 0 { error(number) } else { transaction(number) });
        std::io::stdout().write_all(format!("taken {number}\n").as_bytes()).unwrap();
    }
}

fn delivery(directory: &Path, dsn: &Dsn) -> Delivery {
    let https = Https::new(dsn, &DeliverySettings::default()).unwrap();
    Delivery::start(Arc::new(Spool::open(directory, Limits::default()).unwrap()), Arc::new(https), Pace::default())
}

/// The number in one whole line.
fn number(line: &str) -> Option<u64> {
    line.strip_suffix('\n')?.strip_prefix("taken ")?.parse().ok()
}

/// A process that is killed when this is dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // SIGKILL; a process that has ended needs none.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
