//! The data of one span, within what Sentry takes.

use probe_core::SpanRecord;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

use super::{limits, scrub::Named};

/// What stands in place of data that would not fit: their names.
const DROPPED: &str = "data.dropped";

/// A span's data, masked, in the order in which they were noted.
#[derive(Debug)]
pub(super) struct Data<'a> {
    entries: &'a [(&'static str, Value)],
    dropped: Vec<&'static str>,
    bound: usize,
}

// === impl Data ===

impl<'a> Data<'a> {
    /// Those of this span; what is beyond the limit is dropped, one by one.
    pub(super) fn of(span: &'a SpanRecord) -> Self {
        let entries = span.data.as_slice();
        let bound = entries.iter().map(|(name, value)| limits::text_bound(name) + limits::bound(value)).sum();
        let mut data = Self { entries, dropped: Vec::new(), bound };
        if bound > limits::DATA_BYTES {
            let mut room = limits::DATA_BYTES;
            for (name, value) in entries {
                match room.checked_sub(limits::size(name) + limits::size(&Named(name, value)) + 2) {
                    Some(left) => room = left,
                    None => data.dropped.push(*name),
                }
            }
        }
        data
    }

    /// Whether there is nothing to say.
    pub(super) const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Never less than what it will take once written.
    pub(super) const fn bound(&self) -> usize {
        self.bound
    }

    /// Adds them to a map, but for those that the map has already.
    pub(super) fn write<M: SerializeMap>(&self, map: &mut M, already: &[&str]) -> Result<(), M::Error> {
        for (name, value) in self.entries {
            if !self.dropped.contains(name) && !already.contains(name) {
                map.serialize_entry(name, &Named(name, value))?;
            }
        }
        if !self.dropped.is_empty() {
            map.serialize_entry(DROPPED, &self.dropped)?;
        }
        Ok(())
    }
}

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.write(&mut map, &[])?;
        map.end()
    }
}
