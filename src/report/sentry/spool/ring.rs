//! The records that the disk does not take for the moment, in memory and bounded.

use std::collections::BTreeMap;

use super::{
    category::Categories,
    counts::{Counts, Reason, Tally},
    record::{Encoded, Lane},
};

/// Records in memory, in each lane by the order in which they came.
#[derive(Debug)]
pub(super) struct Ring {
    lanes: [BTreeMap<u64, Encoded>; Lane::ALL.len()],
    waiting: [Tally; Lane::ALL.len()],
    next: u64,
    bytes: usize,
    max_bytes: usize,
}

// === impl Ring ===

impl Ring {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { lanes: Default::default(), waiting: Default::default(), next: 0, bytes: 0, max_bytes }
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn len(&self, lane: Lane) -> usize {
        self.lanes[lane as usize].len()
    }

    /// When the oldest record of a lane was spooled, in ms since 1970.
    pub(super) fn oldest_ms(&self, lane: Lane) -> Option<u64> {
        self.lanes[lane as usize].first_key_value().map(|(_, record)| record.head.spooled_ms)
    }

    /// Adds a record as the newest; past the bound the oldest routine records go first, then the oldest of all.
    pub(super) fn push(&mut self, record: Encoded, counts: &mut Counts) {
        let number = self.next;
        self.next += 1;
        self.put_back(number, record);
        while self.bytes > self.max_bytes
            && let Some((_, lost)) = self.pop(Lane::Routine).or_else(|| self.pop(Lane::Urgent))
        {
            counts.lose(Reason::QueueOverflow, lost.head.category);
        }
    }

    /// Puts a record back at its old place.
    pub(super) fn put_back(&mut self, number: u64, record: Encoded) {
        let lane = record.head.lane as usize;
        self.bytes += record.bytes.len();
        self.waiting[lane].add(record.head.category);
        self.lanes[lane].insert(number, record);
    }

    /// The oldest record of a lane, and its place.
    pub(super) fn pop(&mut self, lane: Lane) -> Option<(u64, Encoded)> {
        self.take(lane, Categories::NONE)
    }

    /// The oldest record of a lane that is not held back, and its place.
    pub(super) fn take(&mut self, lane: Lane, held: Categories) -> Option<(u64, Encoded)> {
        let (records, waiting) = (&mut self.lanes[lane as usize], &mut self.waiting[lane as usize]);
        if !waiting.offers(held) {
            return None;
        }
        let number = *records.iter().find(|(_, record)| !held.contains(record.head.category))?.0;
        let record = records.remove(&number)?;
        self.bytes -= record.bytes.len();
        waiting.remove(record.head.category);
        Some((number, record))
    }

    /// Drops what was spooled before this.
    pub(super) fn expire(&mut self, limit_ms: u64, counts: &mut Counts) {
        for lane in Lane::ALL {
            while self.oldest_ms(lane).is_some_and(|spooled| spooled < limit_ms)
                && let Some((_, old)) = self.pop(lane)
            {
                counts.lose(Reason::Expired, old.head.category);
            }
        }
    }
}
