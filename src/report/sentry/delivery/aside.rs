//! Envelopes that failed, each until its own next try: meanwhile the others go on.

use tokio::time::Instant;

use super::super::spool::{Categories, Record};

/// More than this many, or this many bytes, are not kept from the spool.
const MOST: usize = 256;
const MOST_BYTES: usize = 4 << 20;

/// What is set aside.
#[derive(Debug, Default)]
pub(super) struct Aside {
    waiting: Vec<Waiting>,
    bytes: usize,
}

/// An envelope, and how often it was tried.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) record: Record,
    pub(super) failures: u32,
}

#[derive(Debug)]
struct Waiting {
    due: Instant,
    tried: Tried,
}

// === impl Aside ===

impl Aside {
    /// Sets one aside until it is due; gives it back when there is no room.
    pub(super) fn add(&mut self, tried: Tried, due: Instant) -> Result<(), Record> {
        let bytes = tried.record.payload().len();
        if self.waiting.len() >= MOST || self.bytes + bytes > MOST_BYTES {
            return Err(tried.record);
        }
        self.bytes += bytes;
        self.waiting.push(Waiting { due, tried });
        Ok(())
    }

    /// Up to `limit` that are due and not held back: the urgent ones first, then the longest due.
    pub(super) fn take_due(&mut self, limit: usize, held: Categories, now: Instant) -> Vec<Tried> {
        self.waiting.sort_by_key(|waiting| (waiting.tried.record.lane(), waiting.due));
        let mut room = limit;
        self.take_if(|waiting| {
            let take = room > 0 && waiting.due <= now && !held.contains(waiting.tried.record.category());
            room -= usize::from(take);
            take
        })
    }

    /// Those for which this holds.
    pub(super) fn take_records(&mut self, mut which: impl FnMut(&Record) -> bool) -> Vec<Record> {
        self.take_if(|waiting| which(&waiting.tried.record)).into_iter().map(|tried| tried.record).collect()
    }

    /// When the next is due, of those not held back.
    pub(super) fn next_due(&self, held: Categories) -> Option<Instant> {
        let free = self.waiting.iter().filter(|waiting| !held.contains(waiting.tried.record.category()));
        free.map(|waiting| waiting.due).min()
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    fn take_if(&mut self, which: impl FnMut(&mut Waiting) -> bool) -> Vec<Tried> {
        let taken: Vec<Tried> = self.waiting.extract_if(.., which).map(|waiting| waiting.tried).collect();
        self.bytes -= taken.iter().map(|tried| tried.record.payload().len()).sum::<usize>();
        taken
    }
}
