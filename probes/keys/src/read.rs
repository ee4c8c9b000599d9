//! Types that can be read from a written value.

use std::time::Duration;

use probe_core::Secret;
use serde_json::{Value as Json, json};

use crate::{At, Definitions, Spot, Text, Value, duration};

/// A type that can be read from a written value.
pub trait Read: Sized {
    /// Whether `null` is a value like any other, rather than the absence of one.
    const NULLABLE: bool = false;

    /// Reads it; `None` when a mistake was noted. Substituted values become secrets of the program.
    fn read(at: &At<'_>) -> Option<Self>;

    /// The JSON Schema (2020-12) of what [`read`](Self::read) accepts.
    fn schema(definitions: &mut Definitions) -> Json;
}

/// A value and where it stood: to complain about it once more is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stood.
    pub spot: Spot,
}

/// Text whose meaning is to be shown (a title, a tag): a substituted value in it is no secret for that. Numbers are
/// taken as they were written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Published(pub String);

/// One value, or a list of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneOrMany<T>(pub Vec<T>);

/// Names of the user's choice and their values, in written order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map<T>(pub Vec<(Placed<String>, T)>);

impl<T> Default for Map<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl Read for bool {
    fn read(at: &At<'_>) -> Option<Self> {
        match &at.node.value {
            Value::Bool(value) => Some(*value),
            Value::Text(text) if text.text == "true" => Some(true),
            Value::Text(text) if text.text == "false" => Some(false),
            _ => {
                at.expected("true or false");
                None
            }
        }
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "boolean"})
    }
}

impl Read for u64 {
    fn read(at: &At<'_>) -> Option<Self> {
        let number = match &at.node.value {
            Value::Number(number, _) => number.as_u64(),
            // A substituted value is always text.
            Value::Text(text) if text.is_secret() => text.text.parse().ok(),
            _ => None,
        };
        if number.is_none() {
            at.expected("a whole number");
        }
        number
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "integer", "minimum": 0})
    }
}

impl Read for u32 {
    fn read(at: &At<'_>) -> Option<Self> {
        let number = u64::read(at)?.try_into().ok();
        if number.is_none() {
            at.expected("a whole number up to 4294967295");
        }
        number
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "integer", "minimum": 0, "maximum": u32::MAX})
    }
}

impl Read for f64 {
    fn read(at: &At<'_>) -> Option<Self> {
        let number = match &at.node.value {
            Value::Number(number, _) => number.as_f64(),
            Value::Text(text) if text.is_secret() => text.text.parse().ok().filter(|number: &Self| number.is_finite()),
            _ => None,
        };
        if number.is_none() {
            at.expected("a number");
        }
        number
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "number"})
    }
}

impl Read for Text {
    fn read(at: &At<'_>) -> Option<Self> {
        let text = at.text()?;
        text.secrets.iter().for_each(|secret| at.findings().secret(secret.clone()));
        Some(text.clone())
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "string"})
    }
}

impl Read for String {
    fn read(at: &At<'_>) -> Option<Self> {
        Text::read(at).map(|text| text.text)
    }

    fn schema(definitions: &mut Definitions) -> Json {
        Text::schema(definitions)
    }
}

impl Read for Secret {
    fn read(at: &At<'_>) -> Option<Self> {
        let secret = Self::new(&at.text()?.text);
        at.findings().secret(secret.clone());
        Some(secret)
    }

    fn schema(definitions: &mut Definitions) -> Json {
        Text::schema(definitions)
    }
}

impl Read for Published {
    fn read(at: &At<'_>) -> Option<Self> {
        match &at.node.value {
            Value::Number(_, written) => Some(Self(written.clone())),
            _ => at.text().map(|text| Self(text.text.clone())),
        }
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": ["string", "number"]})
    }
}

impl Read for Duration {
    fn read(at: &At<'_>) -> Option<Self> {
        let written = match &at.node.value {
            Value::Number(_, written) => written,
            Value::Text(text) => &text.text,
            _ => {
                at.expected("a duration (seconds as a number, or 30s, 5m, 1h30m)");
                return None;
            }
        };
        duration::parse(written).map_err(|reason| at.wrong(reason)).ok()
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": "^ *([0-9.]+(d|h|m|s|ms)?)+ *$"}]})
    }
}

/// Anything at all, as JSON has it.
impl Read for Json {
    const NULLABLE: bool = true;

    fn read(at: &At<'_>) -> Option<Self> {
        at.node.value.texts(&mut |text| text.secrets.iter().for_each(|secret| at.findings().secret(secret.clone())));
        Some(at.node.value.to_json())
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({})
    }
}

impl<T: Read> Read for Placed<T> {
    const NULLABLE: bool = T::NULLABLE;

    fn read(at: &At<'_>) -> Option<Self> {
        T::read(at).map(|value| Self { value, spot: at.spot() })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        T::schema(definitions)
    }
}

impl<T: Read> Read for Box<T> {
    const NULLABLE: bool = T::NULLABLE;

    fn read(at: &At<'_>) -> Option<Self> {
        T::read(at).map(Self::new)
    }

    fn schema(definitions: &mut Definitions) -> Json {
        T::schema(definitions)
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(at: &At<'_>) -> Option<Self> {
        let Value::List(nodes) = &at.node.value else {
            at.expected("a list");
            return None;
        };
        // Every element is read, also after a bad one: all mistakes at once.
        let read: Vec<Option<T>> =
            nodes.iter().enumerate().map(|(index, node)| T::read(&at.index(index, node))).collect();
        read.into_iter().collect()
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({"type": "array", "items": T::schema(definitions)})
    }
}

impl<T: Read> Read for OneOrMany<T> {
    fn read(at: &At<'_>) -> Option<Self> {
        match &at.node.value {
            Value::List(nodes) if nodes.is_empty() => {
                at.expected("one, or a list of at least one");
                None
            }
            Value::List(_) => Vec::read(at).map(Self),
            _ => T::read(at).map(|one| Self(vec![one])),
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let one = T::schema(definitions);
        json!({"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]})
    }
}

impl<T: Read> Read for Map<T> {
    fn read(at: &At<'_>) -> Option<Self> {
        let Value::Mapping(entries) = &at.node.value else {
            at.expected("a mapping");
            return None;
        };
        let one = |entry: &crate::Entry| {
            let here = at.key(&entry.key, &entry.node);
            let spot = Spot { place: entry.place, path: here.path().to_owned() };
            T::read(&here).map(|value| (Placed { value: entry.key.clone(), spot }, value))
        };
        let read: Vec<Option<_>> = entries.iter().map(one).collect();
        read.into_iter().collect::<Option<_>>().map(Self)
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({"type": "object", "additionalProperties": T::schema(definitions)})
    }
}
