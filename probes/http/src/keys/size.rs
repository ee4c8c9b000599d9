//! Sizes as people write them.

use probe_keys::{At, Definitions, Read, Value};
use serde_json::{Value as Json, json};

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteSize(pub usize);

// === impl ByteSize ===

/// Units and their bytes.
const UNITS: [(&str, u64); 8] = [
    ("", 1),
    ("B", 1),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// What one run may hold in memory.
const LARGEST: u64 = 1 << 30;

impl Default for ByteSize {
    fn default() -> Self {
        Self(1 << 20)
    }
}

impl Read for ByteSize {
    fn read(at: &At<'_>) -> Option<Self> {
        let written = match &at.node.value {
            Value::Number(_, written) => written,
            _ => &at.text()?.text,
        };
        let digits = written.find(|c: char| !c.is_ascii_digit()).unwrap_or(written.len());
        let (amount, unit) = written.split_at(digits);
        let factor = UNITS.iter().find(|(name, _)| *name == unit.trim()).map(|(_, factor)| *factor);
        let bytes = amount.parse::<u64>().ok().zip(factor).and_then(|(amount, factor)| amount.checked_mul(factor));
        let size = bytes.filter(|bytes| *bytes <= LARGEST).and_then(|bytes| usize::try_from(bytes).ok());
        if size.is_none() {
            at.expected("a size in bytes, like 65536, 512KiB or 1MiB, at most 1GiB");
        }
        size.map(Self)
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"anyOf": [
            {"type": "integer", "minimum": 0, "maximum": LARGEST},
            {"type": "string", "pattern": "^[0-9]+ *(B|kB|KB|MB|KiB|MiB|GiB)?$"},
        ]})
    }
}
