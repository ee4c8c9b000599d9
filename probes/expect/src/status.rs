//! Sets of statuses.

use std::{fmt, ops::RangeInclusive};

use probe_keys::{At, Definitions, Ranges, Read};
use serde_json::{Value as Json, json};

/// Statuses that are well: codes, classes (`2xx`), ranges (`200-299`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusSet(Ranges<u16>);

// === impl StatusSet ===

impl StatusSet {
    /// Just this one.
    pub fn only(status: u16) -> Self {
        Self(Ranges::only(status))
    }

    /// Whether all of them are redirects (RFC 9110, 15.4).
    pub fn is_of_redirects(&self) -> bool {
        (100..=999).filter(|status| self.contains(*status)).all(|status| (300..400).contains(&status))
    }

    /// Whether it is in the set.
    pub fn contains(&self, status: u16) -> bool {
        self.0.contains(status)
    }
}

impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Read for StatusSet {
    fn read(at: &At<'_>) -> Option<Self> {
        Ranges::read(at, "a status: 200, 2xx or 200-299", range).map(Self)
    }

    fn schema(_: &mut Definitions) -> Json {
        let code = json!({"type": "integer", "minimum": 100, "maximum": 999});
        let text = json!({"type": "string", "pattern": r"^([1-9]xx|[1-9]\d\d(-[1-9]\d\d)?)$|\$\{"});
        Ranges::<u16>::schema(&json!({"anyOf": [code, text]}))
    }
}

fn range(written: &str) -> Option<RangeInclusive<u16>> {
    let range = match (written.strip_suffix("xx"), written.split_once('-')) {
        (Some(class), _) => {
            let class = class.parse().ok().filter(|class: &u16| *class < 10)?;
            class * 100..=class * 100 + 99
        }
        (None, Some((start, end))) => start.parse().ok()?..=end.parse().ok()?,
        (None, None) => {
            let code = written.parse().ok()?;
            code..=code
        }
    };
    Some(range).filter(|range| *range.start() >= 100 && *range.end() <= 999)
}
