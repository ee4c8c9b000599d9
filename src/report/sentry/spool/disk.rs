//! The spool's directory: its lock, the segments of both lanes, and their bound.

use std::{
    fs::{DirBuilder, File},
    io::{self, Write},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use super::{
    Limits,
    category::Categories,
    counts::{Counts, Reason},
    lock::{Lock, LockError},
    record::{Encoded, Lane},
    segments::Segments,
    taken::Taken,
};

/// An open spool directory.
#[derive(Debug)]
pub(super) struct Disk {
    lanes: [Segments; Lane::ALL.len()],
    max_bytes: u64,
    /// Released last.
    lock: Lock,
}

// === impl Disk ===

impl Disk {
    /// Opens the directory, makes it if it is missing, and takes up what lies there.
    pub(super) fn open(directory: &Path, limits: &Limits, counts: &mut Counts) -> Result<Self, LockError> {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let lock = Lock::take(directory)?;
        let segment_bytes = limits.segment_bytes();
        let urgent = Segments::recover(directory, Lane::Urgent, segment_bytes, counts)?;
        let routine = Segments::recover(directory, Lane::Routine, segment_bytes, counts)?;
        Ok(Self { lanes: [urgent, routine], max_bytes: limits.max_bytes, lock })
    }

    pub(super) const fn lane(&self, lane: Lane) -> &Segments {
        &self.lanes[lane as usize]
    }

    pub(super) const fn lane_mut(&mut self, lane: Lane) -> &mut Segments {
        &mut self.lanes[lane as usize]
    }

    /// Bytes of records on the disk.
    pub(super) fn bytes(&self) -> u64 {
        self.lanes.iter().map(Segments::bytes).sum()
    }

    /// Writes a record: it has reached the kernel when this returns. At the bound, segments that nobody needs go first,
    /// then the oldest of routine records, then, for an urgent record alone, the oldest of all.
    pub(super) fn append(&mut self, record: &Encoded, counts: &mut Counts) -> io::Result<()> {
        while self.bytes() + record.bytes.len() as u64 > self.max_bytes {
            let [urgent, routine] = &mut self.lanes;
            let room = routine.reclaim()
                || urgent.reclaim()
                || routine.evict(counts)
                || (record.head.lane == Lane::Urgent && urgent.evict(counts));
            if !room {
                counts.lose(Reason::QueueOverflow, record.head.category);
                return Ok(());
            }
        }
        self.lane_mut(record.head.lane).append(record)
    }

    /// Takes waiting records of a lane.
    pub(super) fn take(&mut self, lane: Lane, limit: usize, held: Categories, counts: &mut Counts) -> Vec<Taken> {
        self.lane_mut(lane).take(limit, held, counts)
    }

    /// Whether the directory is still the one that was opened.
    pub(super) fn is_in_place(&self) -> bool {
        self.lock.is_in_place() && self.lanes.iter().all(Segments::is_in_place)
    }

    /// What can still be saved of a directory that was deleted.
    pub(super) fn rescue(self, counts: &mut Counts) -> Vec<Encoded> {
        self.lanes.into_iter().flat_map(|lane| lane.rescue(counts)).collect()
    }
}

// === functions ===

/// Whether the directory takes data again.
pub(super) fn try_writing(directory: &Path) -> io::Result<()> {
    let path: PathBuf = directory.join("trial");
    let written = File::create(&path).and_then(|mut file| file.write_all(&[0; 4096]).and_then(|()| file.sync_data()));
    let removed = std::fs::remove_file(&path);
    written.and(removed)
}
