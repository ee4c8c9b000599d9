//! Sets of numbers, written as one range or a list of them.

use std::{fmt, ops::RangeInclusive};

use serde_json::{Value as Json, json};

use crate::{At, Value};

/// The numbers in any of these ranges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranges<T>(Vec<RangeInclusive<T>>);

// === impl Ranges ===

impl<T: PartialOrd + Copy> Ranges<T> {
    /// Just this one.
    pub fn only(number: T) -> Self {
        Self(vec![number..=number])
    }

    /// Whether it is in the set.
    pub fn contains(&self, number: T) -> bool {
        self.0.iter().any(|range| range.contains(&number))
    }

    /// Reads one, or a list of them: `parse` reads each, as it is written. What it refuses, or what is empty, is noted as
    /// not being what was `expected`.
    pub fn read(at: &At<'_>, expected: &str, parse: impl Fn(&str) -> Option<RangeInclusive<T>>) -> Option<Self> {
        let one = |at: &At<'_>| {
            let written = match &at.node.value {
                Value::Number(_, written) => written.as_str(),
                Value::Text(text) => &text.text,
                _ => "",
            };
            let range = parse(written).filter(|range| !range.is_empty());
            if range.is_none() {
                at.expected(expected);
            }
            range
        };
        let read: Vec<Option<_>> = match &at.node.value {
            Value::List(nodes) if !nodes.is_empty() => {
                nodes.iter().enumerate().map(|(index, node)| one(&at.index(index, node))).collect()
            }
            _ => vec![one(at)],
        };
        read.into_iter().collect::<Option<_>>().map(Self)
    }

    /// The schema of them, when this is the schema of one.
    pub fn schema(one: &Json) -> Json {
        json!({"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]})
    }
}

impl<T: fmt::Display + PartialEq> fmt::Display for Ranges<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.0.iter().enumerate() {
            let (start, end) = (range.start(), range.end());
            f.write_str(if index == 0 { "" } else { ", " })?;
            if start == end { write!(f, "{start}")? } else { write!(f, "{start}-{end}")? }
        }
        Ok(())
    }
}
