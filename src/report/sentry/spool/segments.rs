//! The segments of one lane, oldest first.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, ErrorKind},
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
};

use super::{
    category::Categories,
    counts::{Counts, Reason, Tally},
    files::Files,
    lock::is_in_place,
    record::{Encoded, Lane},
    recovery::recover,
    segment::Segment,
    taken::Taken,
};

/// The segments of one lane, the last one written to.
#[derive(Debug)]
pub(super) struct Segments {
    files: Files,
    segment_bytes: u64,
    segments: VecDeque<Segment>,
    next_number: u64,
    /// The file of the last segment, once it is written to.
    writing: Option<Writing>,
    /// The file last read.
    reading: Option<(u64, Arc<File>)>,
    /// The file of notes last written.
    noting: Option<(u64, File)>,
    /// Written to since they were last synchronised, and full.
    unsynced: Vec<Arc<File>>,
}

#[derive(Debug)]
struct Writing {
    file: Arc<File>,
    unsynced: bool,
}

// === impl Segments ===

impl Segments {
    /// Takes up what an earlier process left; what cannot be read is counted as lost.
    pub(super) fn recover(directory: &Path, lane: Lane, segment_bytes: u64, counts: &mut Counts) -> io::Result<Self> {
        let files = Files::new(directory, lane);
        let (segments, next_number) = recover(&files, segment_bytes, counts)?;
        let (writing, reading, noting, unsynced) = (None, None, None, Vec::new());
        let mut lane = Self { files, segment_bytes, segments, next_number, writing, reading, noting, unsynced };
        lane.tidy_all();
        Ok(lane)
    }

    /// Bytes of records on the disk.
    pub(super) fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.length).sum()
    }

    /// How many records wait, and how many are taken.
    pub(super) fn depth(&self) -> (u64, u64) {
        let each = self.segments.iter().map(|segment| (segment.waiting().total(), segment.taken()));
        each.fold((0, 0), |(waiting, taken), (more, too)| (waiting + more, taken + too))
    }

    /// When the oldest record was spooled, in seconds since 1970.
    pub(super) fn oldest_s(&self) -> Option<u32> {
        self.segments.iter().find_map(Segment::oldest_s)
    }

    /// Writes a record at the end: it has reached the kernel when this returns.
    pub(super) fn append(&mut self, record: &Encoded) -> io::Result<()> {
        let writing = match self.segments.back() {
            Some(last) if last.length + record.bytes.len() as u64 <= self.segment_bytes => self.resume(last.number),
            _ => Err(ErrorKind::NotFound.into()),
        };
        let writing = writing.or_else(|_| self.begin())?;
        let Some(last) = self.segments.back_mut() else { return Err(ErrorKind::NotFound.into()) };
        if let Err(error) = writing.write_all_at(&record.bytes, last.length) {
            // The next record is written over what was begun: this only spares recovery a torn end.
            let _ = writing.set_len(last.length);
            return Err(error);
        }
        last.append(record.head, record.bytes.len());
        Ok(())
    }

    /// Takes up to `limit` waiting records that are not held back, oldest first.
    pub(super) fn take(&mut self, limit: usize, held: Categories, counts: &mut Counts) -> Vec<Taken> {
        let mut taken = Vec::new();
        let mut index = 0;
        while taken.len() < limit && index < self.segments.len() {
            let number = self.segments[index].number;
            if !self.segments[index].offers(held) {
                index += 1;
                continue;
            }
            match self.reader(number) {
                Ok(file) => {
                    let spots = self.segments[index].take(limit - taken.len(), held);
                    taken.extend(spots.into_iter().map(|spot| Taken { number, spot, file: Arc::clone(&file) }));
                    index += 1;
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    counts.lose_all(Reason::Unreadable, &self.remove(index));
                }
                // No descriptor left, perhaps: these wait for a better moment.
                Err(_) => index += 1,
            }
        }
        taken
    }

    /// A taken record waits again; false if its segment is gone.
    pub(super) fn put_back(&mut self, number: u64, entry: usize) -> bool {
        let index = self.index(number);
        if let Some(index) = index {
            self.segments[index].put_back(entry);
        }
        index.is_some()
    }

    /// Nobody needs this taken record any more.
    pub(super) fn settle(&mut self, number: u64, entry: usize) {
        if let Some(index) = self.index(number) {
            self.segments[index].settle(entry);
            self.tidy(index);
        }
    }

    /// Drops what was spooled before this.
    pub(super) fn expire(&mut self, limit_s: u32, counts: &mut Counts) {
        let mut index = 0;
        while let Some(segment) = self.segments.get_mut(index) {
            while let Some(old) = segment.head_before(limit_s) {
                segment.settle(old.entry);
                counts.lose(Reason::Expired, old.category);
            }
            let emptied = segment.waiting().total() == 0;
            index += usize::from(!self.tidy(index));
            if !emptied {
                break;
            }
        }
    }

    /// Gives up a segment that nobody needs any more; false if there is none.
    pub(super) fn reclaim(&mut self) -> bool {
        let finished = self.segments.iter().position(|segment| segment.length > 0 && segment.is_finished());
        finished.map(|index| self.remove(index)).is_some()
    }

    /// Gives up the oldest segment and counts what is lost with it; false if there is none.
    pub(super) fn evict(&mut self, counts: &mut Counts) -> bool {
        let any = !self.segments.is_empty();
        if any {
            counts.lose_all(Reason::QueueOverflow, &self.remove(0));
        }
        any
    }

    /// The files written to since the last call.
    pub(super) fn unsynced(&mut self) -> Vec<Arc<File>> {
        self.tidy_all();
        self.shelve();
        std::mem::take(&mut self.unsynced)
    }

    /// Writes down what is settled where that could not be done before, and deletes what is finished.
    fn tidy_all(&mut self) {
        for index in (0..self.segments.len()).rev() {
            self.tidy(index);
        }
    }

    /// Whether the file written to is still in the directory.
    pub(super) fn is_in_place(&self) -> bool {
        self.writing.as_ref().is_none_or(|writing| is_in_place(&writing.file))
    }

    /// What waits in files that were deleted and are still open; the rest of what was deleted is counted as lost.
    pub(super) fn rescue(mut self, counts: &mut Counts) -> Vec<Encoded> {
        let mut rescued = Vec::new();
        for index in 0..self.segments.len() {
            let number = self.segments[index].number;
            match self.reader(number) {
                // Whoever opens the directory again will find it.
                Ok(file) if is_in_place(&file) => {}
                Ok(file) => {
                    for spot in self.segments[index].take(usize::MAX, Categories::NONE) {
                        let taken = Taken { number, spot, file: Arc::clone(&file) };
                        match taken.read() {
                            Ok(record) => rescued.push(record),
                            Err(reason) => counts.lose(reason, taken.spot.category),
                        }
                    }
                }
                Err(_) => counts.lose_all(Reason::Unreadable, self.segments[index].waiting()),
            }
        }
        rescued
    }

    fn index(&self, number: u64) -> Option<usize> {
        self.segments.binary_search_by_key(&number, |segment| segment.number).ok()
    }

    /// The file of the last segment, to write to.
    fn resume(&mut self, number: u64) -> io::Result<Arc<File>> {
        if let Some(writing) = &mut self.writing {
            writing.unsynced = true;
            return Ok(Arc::clone(&writing.file));
        }
        let file = Arc::new(self.files.reopen(number)?);
        self.writing = Some(Writing { file: Arc::clone(&file), unsynced: true });
        Ok(file)
    }

    /// Begins a new segment.
    fn begin(&mut self) -> io::Result<Arc<File>> {
        let number = self.next_number;
        self.next_number = number.saturating_add(1);
        let file = Arc::new(self.files.create(number)?);
        self.shelve();
        self.unsynced.extend(self.files.names().map(Arc::new));
        self.writing = Some(Writing { file: Arc::clone(&file), unsynced: true });
        self.segments.push_back(Segment::new(number));
        if let Some(before) = self.segments.len().checked_sub(2) {
            self.tidy(before);
        }
        Ok(file)
    }

    /// Remembers to synchronise the file written to.
    fn shelve(&mut self) {
        if let Some(writing) = self.writing.as_mut().filter(|writing| writing.unsynced) {
            writing.unsynced = false;
            self.unsynced.push(Arc::clone(&writing.file));
        }
    }

    fn reader(&mut self, number: u64) -> io::Result<Arc<File>> {
        let last = self.segments.back().is_some_and(|last| last.number == number);
        if let Some(writing) = self.writing.as_ref().filter(|_| last) {
            return Ok(Arc::clone(&writing.file));
        }
        if let Some((_, file)) = self.reading.as_ref().filter(|(read, _)| *read == number) {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(File::open(self.files.log(number))?);
        self.reading = Some((number, Arc::clone(&file)));
        Ok(file)
    }

    /// Deletes a segment if it is finished, else writes its notes; true if it was deleted.
    fn tidy(&mut self, index: usize) -> bool {
        let is_written = self.writing.is_some() && index + 1 == self.segments.len();
        if self.segments[index].is_finished() && !is_written {
            self.remove(index);
            return true;
        }
        if let Err(error) = self.save_notes(index) {
            tracing::debug!(%error, "what is settled cannot be noted yet: it may be sent again after a restart");
        }
        false
    }

    fn save_notes(&mut self, index: usize) -> io::Result<()> {
        let segment = &mut self.segments[index];
        if segment.unsaved.is_empty() {
            return Ok(());
        }
        let number = segment.number;
        if self.noting.as_ref().is_none_or(|(noted, _)| *noted != number) {
            self.noting = Some((number, self.files.notes(number)?));
        }
        if let Some((_, file)) = &self.noting {
            file.write_all_at(&segment.unsaved, segment.noted)?;
            segment.noted += segment.unsaved.len() as u64;
            segment.unsaved.clear();
        }
        Ok(())
    }

    /// Deletes a segment; what still waited in it.
    fn remove(&mut self, index: usize) -> Tally {
        if index + 1 == self.segments.len() {
            self.writing = None;
        }
        let Some(segment) = self.segments.remove(index) else { return Tally::default() };
        self.reading.take_if(|(number, _)| *number == segment.number);
        self.noting.take_if(|(number, _)| *number == segment.number);
        self.files.remove(segment.number);
        *segment.waiting()
    }
}
