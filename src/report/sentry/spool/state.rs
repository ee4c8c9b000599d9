//! Where records are at the moment: on the disk, or in memory while the disk takes none.

use std::{fs::File, path::PathBuf, sync::Arc, time::SystemTime};

use super::{
    Depth, Limits,
    category::Categories,
    counts::Counts,
    disk::Disk,
    record::{Encoded, Lane, millis},
    ring::Ring,
    taken::Taken,
};

/// Everything behind the spool's mutex.
#[derive(Debug)]
pub(super) struct State {
    pub(super) directory: PathBuf,
    pub(super) limits: Limits,
    pub(super) counts: Counts,
    pub(super) ring: Ring,
    /// Records taken from memory, for each lane.
    pub(super) taken: [u64; Lane::ALL.len()],
    /// None only in trouble; in trouble it may still be read.
    pub(super) disk: Option<Disk>,
    /// How often the disk was opened: a place on an earlier one means nothing on this one.
    pub(super) opened: u64,
    /// Why the disk takes no records, while it takes none.
    pub(super) trouble: Option<String>,
}

/// Where a taken record came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Memory { number: u64 },
    Disk { opened: u64, number: u64, entry: usize },
}

/// A record chosen to be taken.
#[derive(Debug)]
pub(super) enum Chosen {
    Memory { place: Place, record: Encoded },
    Disk { lane: Lane, place: Place, taken: Taken },
}

// === impl State ===

impl State {
    /// Stores a record: on the disk, or else in memory.
    pub(super) fn store(&mut self, record: Encoded) {
        if self.trouble.is_none()
            && let Some(disk) = &mut self.disk
        {
            match disk.append(&record, &mut self.counts) {
                Ok(()) => return,
                Err(error) => self.fail(&error.to_string()),
            }
        }
        self.ring.push(record, &mut self.counts);
    }

    /// Chooses up to `limit` records: the urgent ones first, then the oldest.
    pub(super) fn choose(&mut self, limit: usize, held: Categories) -> Vec<Chosen> {
        let mut chosen = Vec::new();
        for lane in Lane::ALL {
            if let Some(disk) = &mut self.disk {
                let taken = disk.take(lane, limit - chosen.len(), held, &mut self.counts);
                let opened = self.opened;
                chosen.extend(taken.into_iter().map(|taken| {
                    let (number, entry) = taken.place();
                    Chosen::Disk { lane, place: Place::Disk { opened, number, entry }, taken }
                }));
            }
            while chosen.len() < limit
                && let Some((number, record)) = self.ring.take(lane, held)
            {
                self.taken[lane as usize] += 1;
                chosen.push(Chosen::Memory { place: Place::Memory { number }, record });
            }
        }
        chosen
    }

    /// A taken record is needed no longer.
    pub(super) fn settle(&mut self, lane: Lane, place: Place) {
        match place {
            Place::Memory { .. } => self.taken[lane as usize] -= 1,
            Place::Disk { opened, number, entry } => {
                if let Some(disk) = self.disk.as_mut().filter(|_| opened == self.opened) {
                    disk.lane_mut(lane).settle(number, entry);
                }
            }
        }
    }

    /// A taken record waits again, where it was; if that is gone, as a new one.
    pub(super) fn put_back(&mut self, record: Encoded, place: Place) {
        let lane = record.head.lane;
        match place {
            Place::Memory { number } => {
                self.taken[lane as usize] -= 1;
                if self.trouble.is_some() {
                    self.ring.put_back(number, record);
                } else {
                    self.store(record);
                }
            }
            Place::Disk { opened, number, entry } => {
                let disk = self.disk.as_mut().filter(|_| opened == self.opened);
                if !disk.is_some_and(|disk| disk.lane_mut(lane).put_back(number, entry)) {
                    self.store(record);
                }
            }
        }
    }

    /// Drops what is older than Sentry takes.
    pub(super) fn expire(&mut self, now: SystemTime) {
        let limit_ms = millis(now.checked_sub(self.limits.max_age).unwrap_or(SystemTime::UNIX_EPOCH));
        self.ring.expire(limit_ms, &mut self.counts);
        let limit_s = u32::try_from(limit_ms / 1_000).unwrap_or(u32::MAX);
        for lane in Lane::ALL {
            if let Some(disk) = &mut self.disk {
                disk.lane_mut(lane).expire(limit_s, &mut self.counts);
            }
        }
    }

    /// The files written to since the last call, after the notes of what is settled.
    pub(super) fn unsynced(&mut self) -> Vec<Arc<File>> {
        let Some(disk) = &mut self.disk else { return Vec::new() };
        Lane::ALL.into_iter().flat_map(|lane| disk.lane_mut(lane).unsynced()).collect()
    }

    /// Records of a lane.
    pub(super) fn depth(&self, lane: Lane) -> Depth {
        let (waiting, taken) = self.disk.as_ref().map_or((0, 0), |disk| disk.lane(lane).depth());
        Depth { waiting: waiting + self.ring.len(lane) as u64, taken: taken + self.taken[lane as usize] }
    }

    /// When the oldest record of a lane was spooled, in ms since 1970.
    pub(super) fn oldest_ms(&self, lane: Lane) -> Option<u64> {
        let on_disk =
            self.disk.as_ref().and_then(|disk| disk.lane(lane).oldest_s()).map(|oldest| u64::from(oldest) * 1_000);
        on_disk.into_iter().chain(self.ring.oldest_ms(lane)).min()
    }

    /// From now on records go to memory; said once.
    pub(super) fn fail(&mut self, error: &str) {
        if self.trouble.is_none() {
            tracing::warn!(
                directory = %self.directory.display(),
                error,
                "the spool cannot write to its directory: until it can, the newest {} MiB are kept in memory",
                self.limits.max_memory >> 20
            );
        }
        self.trouble = Some(error.to_owned());
    }

    /// Gives up a directory that was deleted, with what can be saved of it.
    pub(super) fn leave_deleted(&mut self) {
        let Some(disk) = self.disk.take_if(|disk| !disk.is_in_place()) else { return };
        self.fail("the directory, or a file in it, was deleted");
        for record in disk.rescue(&mut self.counts) {
            self.ring.push(record, &mut self.counts);
        }
    }

    /// Goes on with a directory that was opened.
    pub(super) fn adopt(&mut self, disk: Disk, recovered: &Counts) {
        self.disk = Some(disk);
        self.opened += 1;
        self.counts.extend(recovered);
    }

    /// Moves some of the records in memory to the disk; true while there are more.
    pub(super) fn unload(&mut self, limit: usize) -> bool {
        let Some(disk) = &mut self.disk else { return false };
        for _ in 0..limit {
            let Some((number, record)) = self.ring.pop(Lane::Urgent).or_else(|| self.ring.pop(Lane::Routine)) else {
                if self.trouble.take().is_some() {
                    tracing::info!(directory = %self.directory.display(), "the spool writes to its directory again");
                }
                return false;
            };
            if let Err(error) = disk.append(&record, &mut self.counts) {
                self.ring.put_back(number, record);
                self.fail(&error.to_string());
                return false;
            }
        }
        true
    }
}
