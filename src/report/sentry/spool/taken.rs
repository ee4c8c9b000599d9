//! A record taken from the disk, before it is read.

use std::{fs::File, io::ErrorKind, os::unix::fs::FileExt, sync::Arc};

use super::{category::Category, counts::Reason, record::Encoded, segment::Spot};

/// Where a taken record lies, and the file to read it from: good even when the file is deleted meanwhile.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) number: u64,
    pub(super) spot: Spot,
    pub(super) file: Arc<File>,
}

// === impl Taken ===

impl Taken {
    /// What Sentry counts it as.
    pub(super) const fn category(&self) -> Category {
        self.spot.category
    }

    /// The number of its segment, and which of the segment's records it is.
    pub(super) const fn place(&self) -> (u64, usize) {
        (self.number, self.spot.entry)
    }

    /// Reads the record.
    pub(super) fn read(&self) -> Result<Encoded, Reason> {
        let length = self.spot.range.end.saturating_sub(self.spot.range.start);
        let mut bytes = vec![0; usize::try_from(length).map_err(|_| Reason::Corrupt)?];
        self.file.read_exact_at(&mut bytes, self.spot.range.start).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => Reason::Corrupt,
            _ => Reason::Unreadable,
        })?;
        Encoded::read(bytes.into()).ok_or(Reason::Corrupt)
    }
}
