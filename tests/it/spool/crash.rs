//! `kill -9` at random moments: what was pushed is there, whole, and what was settled does not come back.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::Write,
    path::Path,
    time::Duration,
};

use sentrynet::report::sentry::spool::{Lane, Record, Spool};
use tempfile::TempDir;

use super::{child, child_directory, now, open, push, take};

const KILLS: u64 = 25;
const ROUND: &str = "SPOOL_TEST_ROUND";

/// How far a record had got when the process said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    Pushed,
    /// It is about to be settled: it may come back or not.
    Settling,
    Settled,
}

#[tokio::test]
async fn a_kill_loses_nothing_that_was_pushed_and_repeats_nothing_that_was_settled() {
    if let Some(directory) = child_directory() {
        return push_until_killed(&directory);
    }
    let parent = TempDir::new().unwrap();
    let (directory, log) = (parent.path().join("spool"), parent.path().join("said"));
    let test = "spool::crash::a_kill_loses_nothing_that_was_pushed_and_repeats_nothing_that_was_settled";
    let (mut known, mut checked) = (BTreeMap::new(), 0);
    for round in 0..KILLS {
        let output = File::create(&log).unwrap();
        let mut process = child(test, &directory).env(ROUND, round.to_string()).stdout(output).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(fastrand::u64(10..150))).await;
        process.kill().unwrap();
        process.wait().unwrap();
        let said = fs::read_to_string(&log).unwrap();
        known.extend(said.split_inclusive('\n').filter_map(parse));

        let spool = open(&directory);
        let records = take(&spool, usize::MAX);
        let found: BTreeSet<u64> = records.iter().map(whole).collect();
        assert_eq!(found.len(), records.len(), "a record was found twice");
        for (id, said) in &known {
            match said {
                Said::Pushed => assert!(found.contains(id), "round {round}: {id} was pushed and is lost"),
                Said::Settling => {}
                Said::Settled => assert!(!found.contains(id), "round {round}: {id} was settled and came back"),
            }
        }
        checked += found.len();
        // Most rounds leave all they found to the next; this keeps the test short.
        if round % 5 == 4 {
            known.values_mut().for_each(|said| *said = Said::Settled);
            records.into_iter().for_each(|record| spool.done(record));
        }
    }
    assert!(checked > 1_000, "{checked} records are too few to show anything");
}

/// Pushes, takes, settles and puts back, and says so after each step, for as long as it lives.
fn push_until_killed(directory: &Path) {
    let round: u64 = std::env::var(ROUND).unwrap().parse().unwrap();
    let spool = open(directory);
    let say = |said: Said, id: u64| std::io::stdout().write_all(format!("{said:?} {id}\n").as_bytes()).unwrap();
    for id in round * 1_000_000.. {
        let lane = if id % 5 == 0 { Lane::Urgent } else { Lane::Routine };
        push(&spool, lane, &payload(id));
        say(Said::Pushed, id);
        if id % 40 == 0 {
            spool.tend(now());
            settle_some(&spool, say);
        }
    }
}

fn settle_some(spool: &Spool, say: impl Fn(Said, u64)) {
    for (place, record) in take(spool, 30).into_iter().enumerate() {
        if place % 3 == 0 {
            spool.put_back(record);
            continue;
        }
        let id = whole(&record);
        say(Said::Settling, id);
        spool.done(record);
        say(Said::Settled, id);
    }
}

/// A payload that can be told whole: its length and every byte follow from its id.
fn payload(id: u64) -> String {
    let filler = char::from(b'a' + (id % 26) as u8).to_string();
    format!("{id} {}", filler.repeat(200 + (id * 37 % 900) as usize))
}

/// The id of a record, which must be whole.
fn whole(record: &Record) -> u64 {
    let text = String::from_utf8(record.payload().to_vec()).unwrap();
    let id = text.split(' ').next().unwrap().parse().unwrap();
    assert_eq!(text, payload(id));
    id
}

/// What one whole line says.
fn parse(line: &str) -> Option<(u64, Said)> {
    let (said, id) = line.strip_suffix('\n')?.split_once(' ')?;
    let said = [Said::Pushed, Said::Settling, Said::Settled].into_iter().find(|known| format!("{known:?}") == said)?;
    Some((id.parse().ok()?, said))
}
