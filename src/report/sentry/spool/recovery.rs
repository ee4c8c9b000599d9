//! Taking up the segments that an earlier process left, whatever state they are in.

use std::{
    collections::{HashSet, VecDeque},
    io::{self, ErrorKind, Read},
};

use super::{
    counts::{Counts, Reason},
    files::Files,
    record::{Found, HEADER, MAX_PAYLOAD, remains, scan},
    segment::{NOTE, Segment, note},
};

/// All segments of a lane, and the number of the next one; what cannot be read is counted as lost.
pub(super) fn recover(files: &Files, segment_bytes: u64, counts: &mut Counts) -> io::Result<(VecDeque<Segment>, u64)> {
    let (numbers, next) = files.numbers()?;
    let mut segments = VecDeque::new();
    for number in numbers {
        match recover_segment(files, number, segment_bytes, counts) {
            Ok(segment) => segments.push_back(segment),
            Err(error) => {
                tracing::warn!(path = %files.log(number).display(), %error, "a segment of the spool is unreadable");
                counts.lose_all(Reason::Unreadable, &remains(&[]));
            }
        }
    }
    Ok((segments, next))
}

/// Reads one segment. What is damaged is skipped, counted and noted, so that it is counted once; a torn end is cut off.
fn recover_segment(files: &Files, number: u64, segment_bytes: u64, counts: &mut Counts) -> io::Result<Segment> {
    let (bytes, notes) = (read(files, number, segment_bytes)?, read_notes(files, number)?);
    let settled: HashSet<&[u8]> = notes.chunks_exact(NOTE).collect();
    let mut segment = Segment::new(number);
    segment.noted = whole_notes(&notes) as u64;
    for found in scan(&bytes) {
        match found {
            Found::Record(range, head) => {
                let done = settled.contains(&note(offset(range.start), head.checksum)[..]);
                segment.recover(range, head, done);
            }
            Found::Damage(range) => {
                let damaged = &bytes[range.clone()];
                let counted = note(offset(range.start), crc32fast::hash(damaged));
                if !settled.contains(&counted[..]) {
                    counts.lose_all(Reason::Corrupt, &remains(damaged));
                    segment.unsaved.extend(counted);
                }
            }
            Found::Torn(range) => {
                counts.lose_all(Reason::Torn, &remains(&bytes[range.clone()]));
                // Where it cannot be cut off, the next record is written over it.
                let _ = files.reopen(number).and_then(|file| file.set_len(range.start as u64));
            }
        }
    }
    Ok(segment)
}

/// The whole file, or as much of it as this program can have written.
fn read(files: &Files, number: u64, segment_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = segment_bytes + (HEADER + MAX_PAYLOAD) as u64;
    std::fs::File::open(files.log(number))?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn read_notes(files: &Files, number: u64) -> io::Result<Vec<u8>> {
    match std::fs::read(files.done(number)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    }
}

/// Whole notes: a torn one at the end is written over.
const fn whole_notes(notes: &[u8]) -> usize {
    notes.len() - notes.len() % NOTE
}

fn offset(start: usize) -> u32 {
    u32::try_from(start).unwrap_or(u32::MAX)
}
