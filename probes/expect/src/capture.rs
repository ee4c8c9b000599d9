//! Keys taken from an answer.

use jsonpath_rust::{
    parser::{model::JpQuery, parse_json_path},
    query::js_path_process,
};
use probe_keys::{At, Definitions, Map, Read};
use serde_json::{Value as Json, json};

/// What of an answer is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// Its body, read as JSON.
    pub json: &'a Json,
}

/// Keys and where each is found.
#[derive(Clone, Debug)]
pub struct Captures(Vec<(String, Path)>);

#[derive(Clone, Debug)]
struct Path {
    written: String,
    query: JpQuery,
}

/// Keys and their values, with where each came from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values(Vec<(String, Json, String)>);

// === impl Captures ===

impl Captures {
    /// Takes what is there; a key whose path does not match stays unset.
    pub fn take(&self, answer: Answer<'_>) -> Values {
        let one = |(key, path): &(String, Path)| {
            let mut found: Vec<Json> = js_path_process(&path.query, answer.json)
                .map(|found| found.into_iter().map(|found| found.val().clone()).collect())
                .unwrap_or_default();
            let value = match found.len() {
                0 => return None,
                1 => found.swap_remove(0),
                _ => Json::Array(found),
            };
            Some((key.clone(), value, path.written.clone()))
        };
        Values(self.0.iter().filter_map(one).collect())
    }
}

impl Read for Captures {
    fn read(at: &At<'_>) -> Option<Self> {
        let map = Map::<Path>::read(at)?;
        Some(Self(map.0.into_iter().map(|(key, path)| (key.value, path)).collect()))
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "object", "additionalProperties": {"type": "string"}})
    }
}

impl Read for Path {
    fn read(at: &At<'_>) -> Option<Self> {
        let written = at.text()?.text.clone();
        let query =
            at.parse(|text| parse_json_path(text).map_err(|error| format!("this is not a JSONPath: {error}")))?;
        Some(Self { written, query })
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "string"})
    }
}

// === impl Values ===

impl Values {
    /// The value of a key and where it came from.
    pub fn get(&self, key: &str) -> Option<(&Json, &str)> {
        self.0.iter().find(|(name, ..)| name == key).map(|(_, value, origin)| (value, origin.as_str()))
    }

    /// The names of the keys that were set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, ..)| name.as_str())
    }
}
