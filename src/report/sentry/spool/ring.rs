//! The records that the disk does not take for the moment, in memory and bounded.

use std::collections::VecDeque;

use super::{
    category::Categories,
    counts::{Counts, Reason, Tally},
    record::{Encoded, Lane},
};

/// Records in memory, oldest first in each lane.
#[derive(Debug)]
pub(super) struct Ring {
    lanes: [VecDeque<Encoded>; Lane::ALL.len()],
    waiting: [Tally; Lane::ALL.len()],
    bytes: usize,
    max_bytes: usize,
}

// === impl Ring ===

impl Ring {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { lanes: Default::default(), waiting: Default::default(), bytes: 0, max_bytes }
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn len(&self, lane: Lane) -> usize {
        self.lanes[lane as usize].len()
    }

    /// When the oldest record of a lane was spooled, in ms since 1970.
    pub(super) fn oldest_ms(&self, lane: Lane) -> Option<u64> {
        self.lanes[lane as usize].front().map(|record| record.head.spooled_ms)
    }

    /// Adds a record as the newest; past the bound the oldest routine records go first, then the oldest of all.
    pub(super) fn push(&mut self, record: Encoded, counts: &mut Counts) {
        self.count(&record);
        self.lanes[record.head.lane as usize].push_back(record);
        while self.bytes > self.max_bytes
            && let Some(lost) = self.pop(Lane::Routine).or_else(|| self.pop(Lane::Urgent))
        {
            counts.lose(Reason::QueueOverflow, lost.head.category);
        }
    }

    /// Puts a record back where it was taken from.
    pub(super) fn put_back(&mut self, record: Encoded) {
        self.count(&record);
        self.lanes[record.head.lane as usize].push_front(record);
    }

    /// The oldest record of a lane.
    pub(super) fn pop(&mut self, lane: Lane) -> Option<Encoded> {
        self.remove(lane, 0)
    }

    /// The oldest record of a lane that is not held back.
    pub(super) fn take(&mut self, lane: Lane, held: Categories) -> Option<Encoded> {
        if !self.waiting[lane as usize].offers(held) {
            return None;
        }
        let place = self.lanes[lane as usize].iter().position(|record| !held.contains(record.head.category))?;
        self.remove(lane, place)
    }

    /// Drops what was spooled before this.
    pub(super) fn expire(&mut self, limit_ms: u64, counts: &mut Counts) {
        for lane in Lane::ALL {
            while self.oldest_ms(lane).is_some_and(|spooled| spooled < limit_ms)
                && let Some(old) = self.pop(lane)
            {
                counts.lose(Reason::Expired, old.head.category);
            }
        }
    }

    fn count(&mut self, record: &Encoded) {
        self.bytes += record.bytes.len();
        self.waiting[record.head.lane as usize].add(record.head.category);
    }

    fn remove(&mut self, lane: Lane, place: usize) -> Option<Encoded> {
        let record = self.lanes[lane as usize].remove(place)?;
        self.bytes -= record.bytes.len();
        self.waiting[lane as usize].remove(record.head.category);
        Some(record)
    }
}
