//! What must hold of keys.

use probe_core::{Failure, FailureClass};
use probe_keys::{At, Definitions, Map, Read, Value};
use serde_json::{Value as Json, json};

use crate::Values;

/// Keys and what must hold of each.
#[derive(Clone, Debug)]
pub struct Assertions(Vec<(String, Assertion)>);

#[derive(Clone, Debug)]
struct Assertion {
    exists: bool,
    value: Option<Json>,
}

probe_keys::keys! {
    /// What must hold of a key.
    struct Written {
        /// Whether the key must be set.
        optional exists: bool,
        /// What it must be, type and all.
        optional value: Json,
    }
}

// === impl Assertions ===

impl Assertions {
    /// The first one that does not hold.
    ///
    /// # Errors
    /// What was expected, what was there, and where it came from.
    pub fn check(&self, values: &Values) -> Result<(), Failure> {
        self.0.iter().try_for_each(|(key, assertion)| assertion.check(key, values))
    }
}

impl Read for Assertions {
    fn read(at: &At<'_>) -> Option<Self> {
        let map = Map::<Assertion>::read(at)?;
        Some(Self(map.0.into_iter().map(|(key, assertion)| (key.value, assertion)).collect()))
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({"type": "object", "additionalProperties": Assertion::schema(definitions)})
    }
}

// === impl Assertion ===

impl Assertion {
    fn check(&self, key: &str, values: &Values) -> Result<(), Failure> {
        let broken = |message: String| Failure::new(FailureClass::Assertion, message);
        match (values.get(key), self.exists, &self.value) {
            (None, false, _) => Ok(()),
            (None, true, _) => Err(broken(format!("`{key}` is not set")).expected("a value", "none")),
            (Some((value, origin)), false, _) => {
                Err(broken(format!("`{key}` is set")).expected("no value", value.to_string()).origin(origin))
            }
            (Some((value, origin)), true, Some(expected)) if value != expected => {
                Err(broken(format!("expected `{key}` to be {expected}, got {value}"))
                    .expected(expected.to_string(), value.to_string())
                    .origin(origin))
            }
            (Some(_), true, _) => Ok(()),
        }
    }
}

impl Read for Assertion {
    fn read(at: &At<'_>) -> Option<Self> {
        if let Value::Mapping(_) = at.node.value {
            let written = Written::read(at)?;
            return Some(Self { exists: written.exists.unwrap_or(true), value: written.value });
        }
        Json::read(at).map(|value| Self { exists: true, value: Some(value) })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({"anyOf": [Written::schema(definitions), {"type": ["string", "number", "boolean"]}]})
    }
}
