//! How ids, times and envelopes are written.

use std::{
    io::Write as _,
    str,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use probe_core::{SpanId, TraceId};
use serde::{Serialize, Serializer};
use uuid::Uuid;

use super::{
    envelope::Envelope,
    spool::{Category, Lane},
};
use crate::trace::SamplingContext;

/// An id in lower-case hexadecimal, held without the heap: a transaction writes three for each span.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hex<const DIGITS: usize>([u8; DIGITS]);

/// A wall-clock time in whole microseconds, written as seconds.
///
/// Sentry's ingestion rounds to microseconds and refuses a whole transaction when one span then ends before it begins.
/// So both ends are cut to microseconds here, from one anchor. The double nearest to such a number is written with at
/// most six decimals, so it arrives as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Micros(u64);

/// What an item holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item {
    Event,
    Transaction,
    CheckIn,
}

#[derive(Serialize)]
struct Header<'a> {
    event_id: Hex<32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<&'a SamplingContext<'a>>,
}

// === impl Hex ===

impl<const DIGITS: usize> Hex<DIGITS> {
    fn of(bytes: &[u8]) -> Self {
        const ALPHABET: &[u8; 16] = b"0123456789abcdef";
        let mut digits = [b'0'; DIGITS];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
            pair.copy_from_slice(&[ALPHABET[usize::from(byte >> 4)], ALPHABET[usize::from(byte & 0xf)]]);
        }
        Self(digits)
    }

    /// As text.
    pub(super) fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl From<TraceId> for Hex<32> {
    fn from(id: TraceId) -> Self {
        Self::of(&id.bytes())
    }
}

impl From<SpanId> for Hex<16> {
    fn from(id: SpanId) -> Self {
        Self::of(&id.bytes())
    }
}

impl From<Uuid> for Hex<32> {
    fn from(id: Uuid) -> Self {
        Self::of(id.as_bytes())
    }
}

impl<const DIGITS: usize> Serialize for Hex<DIGITS> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

// === impl Micros ===

impl Micros {
    /// `offset` after the `anchor` of the run.
    pub(super) fn at(anchor: SystemTime, offset: Duration) -> Self {
        let anchor = anchor.duration_since(UNIX_EPOCH).unwrap_or_default();
        let micros = anchor.as_micros().saturating_add(offset.as_micros());
        Self(u64::try_from(micros).unwrap_or(u64::MAX))
    }
}

impl Serialize for Micros {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0 as f64 / 1e6)
    }
}

/// A duration in milliseconds, with whole microseconds.
pub(super) fn millis(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1e3
}

/// A new id of an event, as random as the ids of spans.
pub(super) fn event_id() -> Uuid {
    uuid::Builder::from_random_bytes(TraceId::random().bytes()).into_uuid()
}

/// One item in an envelope of its own.
pub(super) fn seal(
    lane: Lane,
    event_id: Uuid,
    trace: Option<&SamplingContext<'_>>,
    item: Item,
    payload: &impl Serialize,
) -> Envelope {
    let (category, name) = match item {
        Item::Event => (Category::Error, "event"),
        Item::Transaction => (Category::Transaction, "transaction"),
        Item::CheckIn => (Category::Monitor, "check_in"),
    };
    // Writing to memory cannot fail, nor can what is written here: texts, numbers, and maps with texts for keys.
    let mut body = Vec::with_capacity(8_192);
    let _ = serde_json::to_writer(&mut body, payload);
    let mut bytes = Vec::with_capacity(body.len() + 512);
    let _ = serde_json::to_writer(&mut bytes, &Header { event_id: event_id.into(), trace });
    let _ = write!(bytes, "\n{{\"type\":\"{name}\",\"length\":{}}}\n", body.len());
    bytes.extend_from_slice(&body);
    bytes.push(b'\n');
    Envelope { lane, category, event_id: Some(event_id), bytes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_cut_to_microseconds_and_arrive_as_they_are() {
        let anchor = UNIX_EPOCH + Duration::new(1_763_685_115, 123_456_789);
        for micros in 0..20_000_u64 {
            let at = Micros::at(anchor, Duration::from_nanos(micros * 1_000 + 999));
            let written = serde_json::to_string(&at).unwrap();
            let whole = 1_763_685_115_123_456 + micros;
            let decimals = format!("{}.{:06}", whole / 1_000_000, whole % 1_000_000);
            assert_eq!(written, decimals.trim_end_matches('0'), "{written}");
        }
    }

    #[test]
    fn ids_are_written_as_they_are_displayed() {
        let (trace, span) = (TraceId::random(), SpanId::random());
        assert_eq!(Hex::from(trace).as_str(), trace.to_string());
        assert_eq!(Hex::from(span).as_str(), span.to_string());
        let event = event_id();
        assert_eq!(Hex::from(event).as_str(), event.simple().to_string());
        assert_eq!(event.get_version_num(), 4);
    }
}
