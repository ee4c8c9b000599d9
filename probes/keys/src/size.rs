//! Numbers of bytes as people write them.

use serde_json::{Value as Json, json};

use crate::{At, Definitions, Read, Value};

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

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl Read for Size {
    fn read(at: &At<'_>) -> Option<Self> {
        let written = match &at.node.value {
            Value::Number(_, written) => written,
            _ => &at.text()?.text,
        };
        let size = parse(written);
        if size.is_none() {
            at.expected("a size in bytes, like 65536, 512KiB or 1MiB");
        }
        size.map(Self)
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"anyOf": [
            {"type": "integer", "minimum": 0},
            {"type": "string", "pattern": "^[0-9]+ *(B|kB|KB|MB|KiB|MiB|GiB)?$"},
        ]})
    }
}

fn parse(written: &str) -> Option<u64> {
    let digits = written.find(|c: char| !c.is_ascii_digit()).unwrap_or(written.len());
    let (amount, unit) = written.split_at(digits);
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit.trim())?;
    amount.parse::<u64>().ok()?.checked_mul(*factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_people_write_them() {
        for (text, bytes) in [("0", 0), ("65536", 65_536), ("512KiB", 524_288), ("1 MB", 1_000_000), ("2GiB", 2 << 30)]
        {
            assert_eq!(parse(text), Some(bytes), "{text}");
        }
        for text in ["", "x", "1XB", "-1", "1.5MiB", "MiB", "99999999999GiB"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
