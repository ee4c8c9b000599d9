//! How many: a number, or bounds of one.

use std::fmt;

use probe_keys::{At, Definitions, Read, Value};
use serde_json::{Value as Json, json};

/// A count that must lie between two bounds, both of which count as inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    least: u64,
    most: u64,
}

probe_keys::keys! {
    /// Bounds of a count.
    struct ExtentKeys {
        /// More than this.
        optional gt: u64,
        /// This or more.
        optional ge: u64,
        /// Less than this.
        optional lt: u64,
        /// This or less.
        optional le: u64,
    }
}

// === impl Extent ===

impl Extent {
    /// Whether so many lie inside.
    pub const fn contains(&self, count: u64) -> bool {
        self.least <= count && count <= self.most
    }
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.least, self.most) {
            (least, most) if least == most => write!(f, "{least}"),
            (0, most) => write!(f, "at most {most}"),
            (least, u64::MAX) => write!(f, "at least {least}"),
            (least, most) => write!(f, "{least} to {most}"),
        }
    }
}

impl Read for Extent {
    fn read(at: &At<'_>) -> Option<Self> {
        let Value::Mapping(entries) = &at.node.value else {
            return u64::read(at).map(|count| Self { least: count, most: count });
        };
        let keys = ExtentKeys::read(at)?;
        let above = keys.gt.map_or(Some(0), |gt| gt.checked_add(1));
        let below = keys.lt.map_or(Some(u64::MAX), |lt| lt.checked_sub(1));
        let extent = above.zip(below).map(|(above, below)| Self {
            least: above.max(keys.ge.unwrap_or(0)),
            most: below.min(keys.le.unwrap_or(u64::MAX)),
        });
        let extent = extent.filter(|extent| extent.least <= extent.most);
        if entries.is_empty() {
            at.wrong("no bound is given: write a number, or one of gt, ge, lt, le");
            return None;
        }
        if extent.is_none() {
            at.wrong("no number lies between these bounds");
        }
        extent
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({"anyOf": [u64::schema(definitions), ExtentKeys::schema(definitions)]})
    }
}
