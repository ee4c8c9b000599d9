//! The spool on real files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use sentrynet::report::sentry::spool::{Categories, Category, Lane, Limits, NewRecord, Reason, Record, Spool};
use tempfile::TempDir;

use crate::support::child::{child, child_directory};

mod crash;
mod faults;
mod model;
mod order;

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn open(directory: &Path) -> Spool {
    Spool::open(directory, Limits::default()).unwrap()
}

fn new_spool() -> (TempDir, Spool) {
    new_spool_with(Limits::default())
}

fn new_spool_with(limits: Limits) -> (TempDir, Spool) {
    let directory = TempDir::new().unwrap();
    let spool = Spool::open(directory.path(), limits).unwrap();
    (directory, spool)
}

/// An error if it is urgent, else a transaction.
fn push(spool: &Spool, lane: Lane, text: &str) {
    let category = if lane == Lane::Urgent { Category::Error } else { Category::Transaction };
    push_new(spool, lane, category, text, now());
}

fn push_new(spool: &Spool, lane: Lane, category: Category, text: &str, now: SystemTime) {
    spool.push(&NewRecord { lane, category, event_id: None, payload: text.as_bytes() }, now);
}

fn take(spool: &Spool, limit: usize) -> Vec<Record> {
    spool.take(limit, Categories::NONE, now())
}

fn texts(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| String::from_utf8(record.payload().to_vec()).unwrap()).collect()
}

fn losses(spool: &Spool) -> Vec<(Reason, Category, u64)> {
    spool.stats(now()).counts.losses().collect()
}

/// The files of records.
fn segments(directory: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut logs: Vec<_> = paths.filter(|path| path.extension().is_some_and(|extension| extension == "log")).collect();
    logs.sort();
    logs
}
