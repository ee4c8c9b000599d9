//! What is remembered of one segment file: 16 bytes a record, never its payload.

use std::ops::Range;

use super::{
    category::{Categories, Category},
    counts::Tally,
    record::Head,
};

/// Bytes of one note that a record is settled: its offset and its checksum.
pub(super) const NOTE: usize = 8;

/// One segment file and what became of its records.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) number: u64,
    /// Bytes of whole records.
    pub(super) length: u64,
    /// Notes that are not in the file of notes yet.
    pub(super) unsaved: Vec<u8>,
    /// Bytes of the file of notes.
    pub(super) noted: u64,
    entries: Vec<Entry>,
    /// Every entry before this one is settled.
    first: usize,
    waiting: Tally,
    taken: u64,
}

/// Where a record lies in its segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) entry: usize,
    pub(super) category: Category,
    /// From its first byte to the first of the next record.
    pub(super) range: Range<u64>,
}

#[derive(Debug)]
struct Entry {
    offset: u32,
    spooled_s: u32,
    checksum: u32,
    category: Category,
    state: EntryState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EntryState {
    Waiting,
    Taken,
    Settled,
}

// === impl Segment ===

impl Segment {
    pub(super) fn new(number: u64) -> Self {
        Self {
            number,
            length: 0,
            unsaved: Vec::new(),
            noted: 0,
            entries: Vec::new(),
            first: 0,
            waiting: Tally::default(),
            taken: 0,
        }
    }

    /// Adds a record at the end, waiting.
    pub(super) fn append(&mut self, head: Head, length: usize) {
        self.add(self.length, head, EntryState::Waiting);
        self.waiting.add(head.category);
        self.length += length as u64;
    }

    /// Adds a record found here in the file.
    pub(super) fn recover(&mut self, range: Range<usize>, head: Head, settled: bool) {
        self.add(range.start as u64, head, if settled { EntryState::Settled } else { EntryState::Waiting });
        if !settled {
            self.waiting.add(head.category);
        }
        self.length = range.end as u64;
    }

    /// Waiting records.
    pub(super) const fn waiting(&self) -> &Tally {
        &self.waiting
    }

    /// Records taken and not yet settled.
    pub(super) const fn taken(&self) -> u64 {
        self.taken
    }

    /// Whether nobody needs this segment any more.
    pub(super) fn is_finished(&self) -> bool {
        self.taken == 0 && self.waiting.total() == 0
    }

    /// Whether one waits that is not held back.
    pub(super) fn offers(&self, held: Categories) -> bool {
        self.waiting.offers(held)
    }

    /// When the oldest record that is not settled was spooled, in seconds since 1970.
    pub(super) fn oldest_s(&self) -> Option<u32> {
        self.entries[self.first..].iter().find(|entry| entry.state != EntryState::Settled).map(|entry| entry.spooled_s)
    }

    /// Takes up to `limit` waiting records that are not held back, oldest first.
    pub(super) fn take(&mut self, limit: usize, held: Categories) -> Vec<Spot> {
        let mut spots = Vec::new();
        for entry in self.first..self.entries.len() {
            if spots.len() == limit {
                break;
            }
            let Entry { state, category, .. } = self.entries[entry];
            if state == EntryState::Waiting && !held.contains(category) {
                self.change(entry, EntryState::Taken);
                spots.push(self.spot(entry));
            }
        }
        spots
    }

    /// A taken record waits again.
    pub(super) fn put_back(&mut self, entry: usize) {
        self.change(entry, EntryState::Waiting);
    }

    /// Nobody needs this record any more.
    pub(super) fn settle(&mut self, entry: usize) {
        let Entry { offset, checksum, .. } = self.entries[entry];
        self.change(entry, EntryState::Settled);
        self.unsaved.extend(note(offset, checksum));
        while self.entries.get(self.first).is_some_and(|entry| entry.state == EntryState::Settled) {
            self.first += 1;
        }
    }

    /// The waiting record at the head of the segment, if it was spooled before `limit_s`.
    pub(super) fn head_before(&self, limit_s: u32) -> Option<Spot> {
        let entry = (self.first..self.entries.len()).find(|&entry| self.entries[entry].state == EntryState::Waiting)?;
        (self.entries[entry].spooled_s < limit_s).then(|| self.spot(entry))
    }

    fn add(&mut self, offset: u64, head: Head, state: EntryState) {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        let spooled_s = u32::try_from(head.spooled_ms / 1_000).unwrap_or(u32::MAX);
        let Head { category, checksum, .. } = head;
        self.entries.push(Entry { offset, spooled_s, checksum, category, state });
    }

    fn spot(&self, entry: usize) -> Spot {
        let end = self.entries.get(entry + 1).map_or(self.length, |next| next.offset.into());
        let Entry { offset, category, .. } = self.entries[entry];
        Spot { entry, category, range: offset.into()..end }
    }

    fn change(&mut self, entry: usize, to: EntryState) {
        let Entry { category, state, .. } = &mut self.entries[entry];
        match std::mem::replace(state, to) {
            EntryState::Waiting => self.waiting.remove(*category),
            EntryState::Taken => self.taken -= 1,
            EntryState::Settled => {}
        }
        match to {
            EntryState::Waiting => self.waiting.add(*category),
            EntryState::Taken => self.taken += 1,
            EntryState::Settled => {}
        }
    }
}

// === functions ===

/// The note that settles the record, or the damage, with this checksum at this offset.
pub(super) fn note(offset: u32, checksum: u32) -> [u8; NOTE] {
    let mut note = [0; NOTE];
    note[..4].copy_from_slice(&offset.to_le_bytes());
    note[4..].copy_from_slice(&checksum.to_le_bytes());
    note
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sentry::spool::record::Lane;

    fn segment(categories: &[Category]) -> Segment {
        let mut segment = Segment::new(1);
        for (&category, second) in categories.iter().zip(1..) {
            let head = Head { lane: Lane::Urgent, category, event_id: None, spooled_ms: second * 1_000, checksum: 0 };
            segment.append(head, 100);
        }
        segment
    }

    fn entries(spots: &[Spot]) -> Vec<usize> {
        spots.iter().map(|spot| spot.entry).collect()
    }

    #[test]
    fn an_entry_costs_sixteen_bytes() {
        assert_eq!(size_of::<Entry>(), 16);
    }

    #[test]
    fn the_oldest_that_are_not_held_back_are_taken_and_those_put_back_come_first_again() {
        use Category::{Error, Monitor};
        let mut segment = segment(&[Error, Monitor, Error, Error]);
        let held: Categories = [Monitor].into_iter().collect();
        assert_eq!(entries(&segment.take(2, held)), [0, 2]);
        segment.put_back(2);
        assert_eq!(entries(&segment.take(9, held)), [2, 3]);
        assert!(!segment.offers(held));
        assert_eq!(entries(&segment.take(9, Categories::NONE)), [1]);
    }

    #[test]
    fn a_segment_is_finished_when_all_of_it_is_settled() {
        let mut segment = segment(&[Category::Error; 2]);
        segment.take(2, Categories::NONE);
        segment.settle(1);
        assert_eq!(segment.oldest_s(), Some(1));
        segment.settle(0);
        assert!(segment.is_finished());
        assert_eq!((segment.oldest_s(), segment.unsaved.len()), (None, 2 * NOTE));
    }
}
