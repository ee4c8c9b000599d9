//! One record as bytes: how it is written, checked, and found again among damaged ones.
//!
//! | bytes | what |
//! |---|---|
//! | 0–3 | mark: `FE 53 4E` and the version of the format |
//! | 4–7 | CRC-32 of all that follows |
//! | 8–11 | length of the payload |
//! | 12–19 | when it was spooled, ms since 1970 |
//! | 20 | category |
//! | 21 | lane |
//! | 22–23 | zero |
//! | 24–39 | event id, zero for none |
//! | 40– | the payload: an envelope |
//!
//! Numbers are little-endian. `FE` is in no UTF-8 text, so the search for the next record after a damaged one is not
//! led astray by an envelope's text.

use std::{ops::Range, time::SystemTime};

use bytes::Bytes;
use uuid::Uuid;

use super::{category::Category, counts::Tally};

/// Bytes before the payload.
pub(super) const HEADER: usize = 40;
/// The largest payload: Sentry's own limits are below it.
pub(super) const MAX_PAYLOAD: usize = 16 << 20;

const MARK: [u8; 4] = [0xFE, b'S', b'N', 1];
const CATEGORY: usize = 20;

/// In which order records are read, and which of them are lost first at the bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Lane {
    /// What somebody must know: errors, changes of state, check-ins. Read first, lost last.
    Urgent = 0,
    /// Successful transactions.
    Routine = 1,
}

/// What is to be spooled.
#[derive(Clone, Copy, Debug)]
pub struct NewRecord<'a> {
    /// How much it matters.
    pub lane: Lane,
    /// What Sentry counts it as.
    pub category: Category,
    /// The envelope's event id, if it has one.
    pub event_id: Option<Uuid>,
    /// The envelope, without `sent_at`.
    pub payload: &'a [u8],
}

/// What a record says of itself before its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) lane: Lane,
    pub(super) category: Category,
    pub(super) event_id: Option<Uuid>,
    pub(super) spooled_ms: u64,
    pub(super) checksum: u32,
}

/// A whole record: what was read from its head, and all of its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Encoded {
    pub(super) head: Head,
    pub(super) bytes: Bytes,
}

/// What a search through a segment comes upon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A whole record.
    Record(Range<usize>, Head),
    /// Bytes between whole records that are none.
    Damage(Range<usize>),
    /// Bytes after the last whole record that are none.
    Torn(Range<usize>),
}

// === impl Lane ===

impl Lane {
    /// Both, in the order they are read.
    pub const ALL: [Self; 2] = [Self::Urgent, Self::Routine];

    /// Its name in file names and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::Routine => "routine",
        }
    }

    const fn from_number(number: u8) -> Self {
        if number == Self::Routine as u8 { Self::Routine } else { Self::Urgent }
    }
}

// === impl Encoded ===

impl Encoded {
    /// The record of something new.
    pub(super) fn new(new: &NewRecord<'_>, now: SystemTime) -> Self {
        let spooled_ms = millis(now);
        let mut bytes = Vec::with_capacity(HEADER + new.payload.len());
        bytes.extend(MARK);
        bytes.extend([0; 4]);
        bytes.extend(u32::try_from(new.payload.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend(spooled_ms.to_le_bytes());
        bytes.extend([new.category.number(), new.lane as u8, 0, 0]);
        bytes.extend(new.event_id.unwrap_or_default().into_bytes());
        bytes.extend_from_slice(new.payload);
        let checksum = crc32fast::hash(&bytes[8..]);
        bytes[4..8].copy_from_slice(&checksum.to_le_bytes());
        let head = Head { lane: new.lane, category: new.category, event_id: new.event_id, spooled_ms, checksum };
        Self { head, bytes: bytes.into() }
    }

    /// The record that these bytes begin with, if they do and it is whole.
    pub(super) fn read(bytes: Bytes) -> Option<Self> {
        let (length, head) = decode(&bytes)?;
        Some(Self { head, bytes: bytes.slice(..length) })
    }
}

// === functions ===

/// Milliseconds since 1970; a clock before that reads 0.
pub(super) fn millis(now: SystemTime) -> u64 {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// All that is in these bytes of a segment, in order and without a gap.
pub(super) fn scan(bytes: &[u8]) -> impl Iterator<Item = Found> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(start..).filter(|rest| !rest.is_empty())?;
        let found = match decode(rest) {
            Some((length, head)) => Found::Record(start..start + length, head),
            None => match marks(rest).find(|&mark| mark > 0 && decode(&rest[mark..]).is_some()) {
                Some(mark) => Found::Damage(start..start + mark),
                None => Found::Torn(start..bytes.len()),
            },
        };
        start = found.range().end;
        Some(found)
    })
}

/// How many records these damaged bytes once were: as many as can still be made out, and at least one.
pub(super) fn remains(damaged: &[u8]) -> Tally {
    let mut lost = Tally::default();
    for mark in marks(damaged) {
        lost.add(damaged.get(mark + CATEGORY).map_or(Category::Default, |&number| Category::from_number(number)));
    }
    if lost.total() == 0 {
        lost.add(Category::Default);
    }
    lost
}

fn decode(bytes: &[u8]) -> Option<(usize, Head)> {
    if !bytes.starts_with(&MARK) {
        return None;
    }
    let payload = usize::try_from(u32::from_le_bytes(array(bytes, 8)?)).ok().filter(|&length| length <= MAX_PAYLOAD)?;
    let length = HEADER + payload;
    let checksum = u32::from_le_bytes(array(bytes, 4)?);
    if crc32fast::hash(bytes.get(8..length)?) != checksum {
        return None;
    }
    let head = Head {
        lane: Lane::from_number(bytes[CATEGORY + 1]),
        category: Category::from_number(bytes[CATEGORY]),
        event_id: Some(Uuid::from_bytes(array(bytes, 24)?)).filter(|id| !id.is_nil()),
        spooled_ms: u64::from_le_bytes(array(bytes, 12)?),
        checksum,
    };
    Some((length, head))
}

/// Where a record may begin.
fn marks(bytes: &[u8]) -> impl Iterator<Item = usize> {
    bytes.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK).map(|(mark, _)| mark)
}

fn array<const N: usize>(bytes: &[u8], start: usize) -> Option<[u8; N]> {
    bytes.get(start..start + N)?.try_into().ok()
}

// === impl Found ===

impl Found {
    const fn range(&self) -> &Range<usize> {
        match self {
            Self::Record(range, _) | Self::Damage(range) | Self::Torn(range) => range,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::{collection::vec, prelude::*, sample::Index};

    use super::*;

    /// Payloads of every kind, those that look like the start of a record included.
    fn payload() -> impl Strategy<Value = Vec<u8>> {
        let tricky = vec(prop_oneof![Just(MARK.to_vec()), Just(vec![0; 40]), vec(any::<u8>(), 0..20)], 0..6);
        prop_oneof![vec(any::<u8>(), 0..400), tricky.prop_map(|parts| parts.concat())]
    }

    fn record() -> impl Strategy<Value = Encoded> {
        (payload(), 0..Category::ALL.len(), any::<bool>(), any::<u128>(), any::<u32>()).prop_map(
            |(payload, category, urgent, id, ms)| {
                let new = NewRecord {
                    lane: if urgent { Lane::Urgent } else { Lane::Routine },
                    category: Category::ALL[category],
                    event_id: Some(Uuid::from_u128(id)).filter(|id| !id.is_nil()),
                    payload: &payload,
                };
                Encoded::new(&new, SystemTime::UNIX_EPOCH + Duration::from_millis(ms.into()))
            },
        )
    }

    /// The records one after another, and where each lies.
    fn segment(records: &[Encoded]) -> (Vec<u8>, Vec<Range<usize>>) {
        let mut bytes = Vec::new();
        let ranges = records
            .iter()
            .map(|record| {
                let start = bytes.len();
                bytes.extend_from_slice(&record.bytes);
                start..bytes.len()
            })
            .collect();
        (bytes, ranges)
    }

    fn found_records(bytes: &[u8]) -> Vec<(Range<usize>, Head)> {
        let records = scan(bytes).filter_map(|found| match found {
            Found::Record(range, head) => Some((range, head)),
            Found::Damage(_) | Found::Torn(_) => None,
        });
        records.collect()
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_back(record in record()) {
            let read = Encoded::read(record.bytes.clone());
            prop_assert_eq!(read, Some(record));
        }

        #[test]
        fn a_truncation_loses_only_what_it_cuts(records in vec(record(), 0..12), cut in any::<Index>()) {
            let (bytes, ranges) = segment(&records);
            let cut = cut.index(bytes.len() + 1);
            let whole = ranges.into_iter().zip(&records).filter(|(range, _)| range.end <= cut);
            let whole: Vec<_> = whole.map(|(range, record)| (range, record.head)).collect();
            prop_assert_eq!(found_records(&bytes[..cut]), whole);
        }

        #[test]
        fn flipped_bytes_lose_only_the_records_they_lie_in(
            records in vec(record(), 1..12),
            flips in vec((any::<Index>(), 1..=255_u8), 1..5),
        ) {
            let (mut bytes, ranges) = segment(&records);
            let flips: std::collections::BTreeMap<_, _> =
                flips.into_iter().map(|(place, mask)| (place.index(bytes.len()), mask)).collect();
            flips.iter().for_each(|(&place, mask)| bytes[place] ^= mask);
            let untouched = ranges.into_iter().zip(&records)
                .filter(|(range, _)| !flips.keys().any(|place| range.contains(place)));
            let untouched: Vec<_> = untouched.map(|(range, record)| (range, record.head)).collect();
            prop_assert_eq!(found_records(&bytes), untouched);
        }

        #[test]
        fn a_lost_stretch_in_the_middle_loses_only_what_it_covers(
            records in vec(record(), 1..12),
            start in any::<Index>(),
            length in 1..600_usize,
        ) {
            let (mut bytes, ranges) = segment(&records);
            let start = start.index(bytes.len());
            let end = (start + length).min(bytes.len());
            let before = bytes.clone();
            bytes[start..end].fill(0);
            let same = ranges.into_iter().zip(&records).filter(|(range, _)| bytes[range.clone()] == before[range.clone()]);
            let same: Vec<_> = same.map(|(range, record)| (range, record.head)).collect();
            prop_assert_eq!(found_records(&bytes), same);
        }

        #[test]
        fn any_bytes_at_all_are_searched_without_a_gap(bytes in vec(any::<u8>(), 0..2_000)) {
            let mut end = 0;
            for found in scan(&bytes) {
                prop_assert_eq!(found.range().start, end);
                end = found.range().end;
            }
            prop_assert_eq!(end, bytes.len());
        }
    }

    #[test]
    fn damage_is_counted_by_the_records_that_can_be_made_out_in_it() {
        let new = NewRecord { lane: Lane::Urgent, category: Category::Monitor, event_id: None, payload: b"{}" };
        let record = Encoded::new(&new, SystemTime::UNIX_EPOCH);
        let lost = remains(&[&record.bytes[..], &record.bytes[..]].concat());
        assert_eq!((lost.get(Category::Monitor), lost.total()), (2, 2));
        assert_eq!(remains(&[0; 100]).get(Category::Default), 1);
    }
}
