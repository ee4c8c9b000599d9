//! What the spool does when the disk fails it.

use std::{fs, path::Path, sync::Arc, time::Duration};

use rustix::process::{Resource, Rlimit, setrlimit};
use sentrynet::report::sentry::spool::{Category, Lane, Limits, Reason, Spool, keep};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::{child, child_directory, losses, new_spool, now, open, push, segments, take, texts};

#[test]
fn a_damaged_record_is_lost_alone_and_counted_once() {
    let (directory, spool) = new_spool();
    ["aaaa", "bbbb", "cccc"].iter().for_each(|text| push(&spool, Lane::Urgent, text));
    drop(spool);
    flip_the_middle(&segments(directory.path())[0]);

    let spool = open(directory.path());
    assert_eq!(losses(&spool), [(Reason::Corrupt, Category::Error, 1)]);
    assert_eq!(texts(&take(&spool, 9)), ["aaaa", "cccc"]);
    spool.tend(now());
    drop(spool);
    let spool = open(directory.path());
    assert_eq!(losses(&spool), []);
    assert_eq!(texts(&take(&spool, 9)), ["aaaa", "cccc"]);
}

#[test]
fn a_record_damaged_while_the_spool_is_open_is_not_handed_out() {
    let (directory, spool) = new_spool();
    ["aaaa", "bbbb", "cccc"].iter().for_each(|text| push(&spool, Lane::Urgent, text));
    flip_the_middle(&segments(directory.path())[0]);
    assert_eq!(texts(&take(&spool, 9)), ["aaaa", "cccc"]);
    assert_eq!(losses(&spool), [(Reason::Corrupt, Category::Error, 1)]);
    assert_eq!(spool.depth(), 2);
}

#[test]
fn a_torn_end_is_cut_off_and_written_on() {
    let (directory, spool) = new_spool();
    ["a", "b"].iter().for_each(|text| push(&spool, Lane::Routine, text));
    drop(spool);
    let path = &segments(directory.path())[0];
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() - 1]).unwrap();

    let spool = open(directory.path());
    assert_eq!(losses(&spool), [(Reason::Torn, Category::Transaction, 1)]);
    push(&spool, Lane::Routine, "c");
    drop(spool);
    let spool = open(directory.path());
    assert_eq!((texts(&take(&spool, 9)), losses(&spool)), (vec!["a".to_owned(), "c".to_owned()], vec![]));
}

#[test]
fn a_directory_full_of_rubbish_does_not_stop_a_start() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("urgent-0000000003.log"), vec![0; 100_000]).unwrap();
    fs::write(directory.path().join("urgent-0000000003.done"), b"xyz").unwrap();
    fs::write(directory.path().join("routine-0000000009.log"), [0xFE, b'S', b'N', 1].repeat(1_000)).unwrap();
    fs::create_dir(directory.path().join("routine-0000000010.log")).unwrap();
    fs::write(directory.path().join("routine-0000000011.done"), b"a stray").unwrap();
    let spool = open(directory.path());
    Lane::ALL.iter().for_each(|&lane| push(&spool, lane, lane.name()));
    Lane::ALL.iter().for_each(|&lane| push(&spool, lane, lane.name()));
    assert_eq!(spool.stats(now()).trouble, None);
    drop(spool);
    assert_eq!(texts(&take(&open(directory.path()), 9)), ["urgent", "urgent", "routine", "routine"]);
}

#[test]
fn a_directory_that_cannot_be_used_is_replaced_by_memory_until_it_can() {
    let parent = TempDir::new().unwrap();
    let directory = parent.path().join("spool");
    fs::write(&directory, "a file in its place").unwrap();
    let spool = open(&directory);
    ["a", "b", "c"].iter().for_each(|text| push(&spool, Lane::Routine, text));
    push(&spool, Lane::Urgent, "d");
    let [urgent, sent] = take(&spool, 2).try_into().unwrap();
    assert_eq!(urgent.payload(), "d");
    spool.put_back(urgent);
    spool.done(sent);
    spool.tend(now());
    let stats = spool.stats(now());
    assert!(stats.trouble.is_some() && stats.memory_bytes > 0, "{stats:?}");

    fs::remove_file(&directory).unwrap();
    spool.tend(now());
    let stats = spool.stats(now());
    assert_eq!((stats.trouble, stats.memory_bytes, losses(&spool)), (None, 0, vec![]));
    push(&spool, Lane::Routine, "e");
    drop(spool);
    assert_eq!(texts(&take(&open(&directory), 9)), ["d", "b", "c", "e"]);
}

#[tokio::test(start_paused = true)]
async fn the_keeper_tries_an_unusable_directory_again_by_itself() {
    let parent = TempDir::new().unwrap();
    let directory = parent.path().join("spool");
    fs::write(&directory, "a file in its place").unwrap();
    let spool = Arc::new(open(&directory));
    let keeper = tokio::spawn(keep(Arc::clone(&spool), CancellationToken::new()));
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(spool.stats(now()).trouble.is_some());
    fs::remove_file(&directory).unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(spool.stats(now()).trouble, None);
    keeper.abort();
}

#[test]
fn memory_is_bounded_and_loses_the_oldest_routine_records_first() {
    let parent = TempDir::new().unwrap();
    let directory = parent.path().join("spool");
    fs::write(&directory, "a file in its place").unwrap();
    let spool = Spool::open(&directory, Limits { max_memory: 10_000, ..Limits::default() }).unwrap();
    let text = |number: usize| format!("{number:0960}");
    push(&spool, Lane::Urgent, &text(0));
    (1..20).for_each(|number| push(&spool, Lane::Routine, &text(number)));
    assert_eq!(spool.stats(now()).memory_bytes, 10_000);
    assert_eq!(losses(&spool), [(Reason::QueueOverflow, Category::Transaction, 10)]);
    assert_eq!(texts(&take(&spool, 2)), [text(0), text(11)]);
}

#[test]
fn a_directory_deleted_while_running_is_made_again_with_what_was_in_it() {
    let parent = TempDir::new().unwrap();
    let directory = parent.path().join("spool");
    let spool = open(&directory);
    ["sent", "in flight", "waiting"].iter().for_each(|text| push(&spool, Lane::Urgent, text));
    let [sent, in_flight] = take(&spool, 2).try_into().unwrap();
    spool.done(sent);
    fs::remove_dir_all(&directory).unwrap();
    push(&spool, Lane::Urgent, "unnoticed");
    spool.tend(now());
    assert_eq!((spool.stats(now()).trouble, losses(&spool)), (None, vec![]));
    spool.put_back(in_flight);
    drop(spool);
    assert_eq!(texts(&take(&open(&directory), 9)), ["waiting", "unnoticed", "in flight"]);
}

#[test]
fn a_segment_deleted_while_running_costs_only_what_was_in_it() {
    let (directory, spool) = new_spool();
    (0..3_000).for_each(|number| push(&spool, Lane::Routine, &format!("{number:09000}")));
    let victim = segments(directory.path()).remove(0);
    fs::remove_file(&victim).unwrap();
    let first = texts(&take(&spool, 1)).remove(0);
    let lost: u64 = first.parse().unwrap();
    assert!((100..1_000).contains(&lost), "{lost}");
    assert_eq!(losses(&spool), [(Reason::Unreadable, Category::Transaction, lost)]);
}

/// The limit on the size of a file stands for a full disk: writes are cut short, then fail.
#[test]
fn a_full_disk_is_bridged_by_memory_and_nothing_is_lost() {
    let Some(directory) = child_directory() else {
        let directory = TempDir::new().unwrap();
        let test = "spool::faults::a_full_disk_is_bridged_by_memory_and_nothing_is_lost";
        assert!(child(test, directory.path()).status().unwrap().success());
        return;
    };
    let spool = open(&directory);
    let text = |number: usize| format!("{number:01000}");
    setrlimit(Resource::Fsize, Rlimit { current: Some(20_500), maximum: None }).unwrap();
    (0..30).for_each(|number| push(&spool, Lane::Routine, &text(number)));
    spool.tend(now());
    let stats = spool.stats(now());
    assert!(stats.trouble.is_some(), "{stats:?}");
    assert_eq!((stats.routine.waiting, stats.memory_bytes), (30, 11 * 1_040));
    assert_eq!(fs::metadata(&segments(&directory)[0]).unwrap().len(), 19 * 1_040, "no part of a record stays");
    take(&spool, 2).into_iter().for_each(|record| spool.done(record));

    setrlimit(Resource::Fsize, Rlimit { current: None, maximum: None }).unwrap();
    spool.tend(now());
    let stats = spool.stats(now());
    assert_eq!((stats.trouble, stats.memory_bytes), (None, 0));
    drop(spool);
    let spool = open(&directory);
    assert_eq!(texts(&take(&spool, 99)), (2..30).map(text).collect::<Vec<_>>());
    assert_eq!(losses(&spool), []);
}

fn flip_the_middle(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}
