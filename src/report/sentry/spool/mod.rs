//! Reports on disk until Sentry has taken them.
//!
//! A record has reached the kernel when [`Spool::push`] returns, so a killed process loses none; [`Spool::tend`], called
//! every half second, brings it onto the disk, so a power cut loses the last second. Two lanes of append-only segment
//! files (`record.rs` has the format); what is settled is noted beside them, and a segment is deleted when all of it is.
//! A record leaves the spool by [`Spool::done`] or [`Spool::discard`], so what was taken by a process that died is there
//! again. While the directory takes nothing (full, read-only, deleted), a bounded part of memory stands in for it.
//!
//! The bound is on the bytes of records: what is lost there goes a segment (a 64th of the bound) at a time.

mod category;
mod counts;
mod disk;
mod files;
mod keeper;
mod lock;
mod record;
mod recovery;
mod ring;
mod segment;
mod segments;
mod state;
mod stats;
mod taken;

use std::{
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError, TryLockError},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use uuid::Uuid;

pub use self::{
    category::{Categories, Category},
    counts::{Counts, Reason},
    keeper::keep,
    lock::Locked,
    record::{Lane, NewRecord},
    stats::{Depth, Stats},
};
use self::{
    disk::{Disk, try_writing},
    lock::LockError,
    record::{Encoded, HEADER, MAX_PAYLOAD, millis},
    ring::Ring,
    state::{Chosen, Place, State},
};

/// How many records are moved from memory to the disk before others get a turn.
const UNLOAD: usize = 64;

/// How much is kept, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of records on the disk.
    pub max_bytes: u64,
    /// Age at which a record is dropped: under the 5 days that Sentry takes.
    pub max_age: Duration,
    /// Bytes of records in memory while the disk takes none.
    pub max_memory: usize,
}

/// The records that Sentry has not taken yet.
#[derive(Debug)]
pub struct Spool {
    state: Mutex<State>,
    /// Held by whoever tends the directory.
    tending: Mutex<()>,
}

/// One record, out for sending. It goes back to the spool by [`Spool::done`], [`Spool::put_back`] or [`Spool::discard`];
/// one that is merely dropped is there again after a restart.
#[derive(Debug)]
#[must_use = "a record that is not handed back is not sent again before a restart"]
pub struct Record {
    encoded: Encoded,
    place: Place,
}

// === impl Spool ===

impl Spool {
    /// Opens the spool in a directory, which is made if it is missing. What lies there is taken up, whatever its state;
    /// a directory that cannot be used is tried again later. Fails only if another process uses it.
    pub fn open(directory: impl Into<PathBuf>, limits: Limits) -> Result<Self, Locked> {
        let mut state = State {
            directory: directory.into(),
            limits,
            counts: Counts::default(),
            ring: Ring::new(limits.max_memory),
            taken: Default::default(),
            disk: None,
            opened: 0,
            trouble: None,
        };
        let mut recovered = Counts::default();
        match Disk::open(&state.directory, &limits, &mut recovered) {
            Ok(disk) => state.adopt(disk, &recovered),
            Err(LockError::Locked(locked)) => return Err(locked),
            Err(LockError::Io(error)) => state.fail(&error.to_string()),
        }
        Ok(Self { state: Mutex::new(state), tending: Mutex::default() })
    }

    /// Stores a record: one write to a file, after which it survives the process.
    pub fn push(&self, new: &NewRecord<'_>, now: SystemTime) {
        let too_large = new.payload.len() > MAX_PAYLOAD;
        let encoded = (!too_large).then(|| Encoded::new(new, now));
        let mut state = self.lock();
        state.counts.push(new.category);
        match encoded {
            Some(encoded) if encoded.bytes.len() as u64 <= state.limits.max_bytes => state.store(encoded),
            _ => state.counts.lose(Reason::TooLarge, new.category),
        }
    }

    /// Takes up to `limit` records whose category is not held back: urgent ones first, then oldest first.
    pub fn take(&self, limit: usize, held: Categories, now: SystemTime) -> Vec<Record> {
        self.lock().expire(now);
        let mut records = Vec::new();
        while records.len() < limit {
            let chosen = self.lock().choose(limit - records.len(), held);
            if chosen.is_empty() {
                break;
            }
            // Reading may wait for the disk: nobody's push waits with it.
            records.extend(chosen.into_iter().filter_map(|chosen| self.read(chosen)));
        }
        records
    }

    /// Sentry has taken this record.
    pub fn done(&self, record: Record) {
        let mut state = self.lock();
        state.counts.deliver(record.category());
        state.settle(record.lane(), record.place);
    }

    /// Sending failed: the record waits again, at its old place.
    pub fn put_back(&self, record: Record) {
        self.lock().put_back(record.encoded, record.place);
    }

    /// Gives a record up, counted by reason.
    pub fn discard(&self, record: Record, reason: Reason) {
        let mut state = self.lock();
        state.counts.lose(reason, record.category());
        state.settle(record.lane(), record.place);
    }

    /// What needs doing every half second: drops what is too old, brings what was pushed onto the disk, and in trouble
    /// tries the directory again. It waits for the disk, so it belongs on a thread that may; nobody else waits with it.
    pub fn tend(&self, now: SystemTime) {
        let _only_one = match self.tending.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(guard)) => guard.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        self.lock().expire(now);
        self.lock().leave_deleted();
        if self.lock().trouble.is_some() {
            self.recover();
        }
        self.synchronise();
    }

    /// How much is kept, and for how long.
    pub fn limits(&self) -> Limits {
        self.lock().limits
    }

    /// Records that are not settled: waiting and taken.
    pub fn depth(&self) -> u64 {
        let state = self.lock();
        Lane::ALL.into_iter().map(|lane| state.depth(lane)).map(|depth| depth.waiting + depth.taken).sum()
    }

    /// What lies here, and what went through.
    pub fn stats(&self, now: SystemTime) -> Stats {
        let state = self.lock();
        let oldest_ms = Lane::ALL.into_iter().filter_map(|lane| state.oldest_ms(lane)).min();
        Stats {
            urgent: state.depth(Lane::Urgent),
            routine: state.depth(Lane::Routine),
            disk_bytes: state.disk.as_ref().map_or(0, Disk::bytes),
            memory_bytes: state.ring.bytes(),
            oldest: oldest_ms.map(|oldest| Duration::from_millis(millis(now).saturating_sub(oldest))),
            counts: state.counts.clone(),
            trouble: state.trouble.clone(),
        }
    }

    fn read(&self, chosen: Chosen) -> Option<Record> {
        match chosen {
            Chosen::Memory { place, record } => Some(Record { encoded: record, place }),
            Chosen::Disk { lane, place, taken } => match taken.read() {
                Ok(encoded) => Some(Record { encoded, place }),
                Err(reason) => {
                    let mut state = self.lock();
                    state.counts.lose(reason, taken.category());
                    state.settle(lane, place);
                    None
                }
            },
        }
    }

    /// Opens the directory again if need be, and moves to the disk what is in memory.
    fn recover(&self) {
        let (directory, limits, opened) = {
            let state = self.lock();
            (state.directory.clone(), state.limits, state.disk.is_some())
        };
        if !opened {
            let mut recovered = Counts::default();
            match Disk::open(&directory, &limits, &mut recovered) {
                Ok(disk) => self.lock().adopt(disk, &recovered),
                Err(error) => return self.lock().fail(&error.to_string()),
            }
        }
        if let Err(error) = try_writing(&directory) {
            return self.lock().fail(&error.to_string());
        }
        while self.lock().unload(UNLOAD) {}
    }

    fn synchronise(&self) {
        let unsynced = self.lock().unsynced();
        if let Err(error) = unsynced.iter().try_for_each(|file| file.sync_data()) {
            self.lock().fail(&error.to_string());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Record ===

impl Record {
    /// How much it matters.
    pub const fn lane(&self) -> Lane {
        self.encoded.head.lane
    }

    /// What Sentry counts it as.
    pub const fn category(&self) -> Category {
        self.encoded.head.category
    }

    /// The envelope's event id, if it has one: the same at every try, so that Sentry can tell a repeat.
    pub const fn event_id(&self) -> Option<Uuid> {
        self.encoded.head.event_id
    }

    /// When it was pushed, to the millisecond.
    pub fn spooled_at(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.encoded.head.spooled_ms)
    }

    /// The envelope.
    pub fn payload(&self) -> Bytes {
        self.encoded.bytes.slice(HEADER..)
    }
}

// === impl Limits ===

impl Limits {
    /// How long a segment file gets.
    fn segment_bytes(&self) -> u64 {
        (self.max_bytes / 64).min(4 << 20)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bytes: 256 << 20, max_age: Duration::from_hours(96), max_memory: 16 << 20 }
    }
}
