//! Sets of statuses.

use std::{fmt, ops::RangeInclusive};

use probe_keys::{At, Definitions, Read, Value};
use serde_json::{Value as Json, json};

/// Statuses that are well: codes, classes (`2xx`), ranges (`200-299`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusSet(Vec<RangeInclusive<u16>>);

// === impl StatusSet ===

impl StatusSet {
    /// Just this one.
    pub fn only(status: u16) -> Self {
        Self(vec![status..=status])
    }

    /// Whether it is in the set.
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }
}

impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.0.iter().enumerate() {
            let (start, end) = (range.start(), range.end());
            f.write_str(if index == 0 { "" } else { ", " })?;
            if start == end { write!(f, "{start}")? } else { write!(f, "{start}-{end}")? }
        }
        Ok(())
    }
}

impl Read for StatusSet {
    fn read(at: &At<'_>) -> Option<Self> {
        let Value::List(nodes) = &at.node.value else { return range(at).map(|range| Self(vec![range])) };
        let read: Vec<_> = nodes.iter().enumerate().map(|(index, node)| range(&at.index(index, node))).collect();
        read.into_iter().collect::<Option<_>>().map(Self)
    }

    fn schema(_: &mut Definitions) -> Json {
        let code = json!({"type": "integer", "minimum": 100, "maximum": 999});
        let text = json!({"type": "string", "pattern": r"^([1-9]xx|[1-9]\d\d(-[1-9]\d\d)?)$|\$\{"});
        let one = json!({"anyOf": [code, text]});
        json!({"anyOf": [one, {"type": "array", "items": one}]})
    }
}

fn range(at: &At<'_>) -> Option<RangeInclusive<u16>> {
    let written = match &at.node.value {
        Value::Number(_, written) => written.as_str(),
        Value::Text(text) => &text.text,
        _ => "",
    };
    let range = match (written.strip_suffix("xx"), written.split_once('-')) {
        (Some(class), _) => {
            class.parse().ok().filter(|class: &u16| *class < 10).map(|class| class * 100..=class * 100 + 99)
        }
        (None, Some((start, end))) => start.parse().ok().zip(end.parse().ok()).map(|(start, end)| start..=end),
        (None, None) => written.parse().ok().map(|code| code..=code),
    };
    let range = range.filter(|range| *range.start() >= 100 && *range.end() <= 999 && !range.is_empty());
    if range.is_none() {
        at.expected("a status: 200, 2xx or 200-299");
    }
    range
}
