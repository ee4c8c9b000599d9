//! Keys taken from an answer.

use probe_core::{Failure, Secret, is_secret_name};
use probe_keys::{At, Definitions, Map, Placed, Read};
use serde_json::Value as Json;

use crate::{Answer, Capture};

/// Keys and where each is found.
#[derive(Clone, Debug)]
pub struct Captures(Vec<(Placed<String>, Capture)>);

/// Keys and what was found for each, with where it was looked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values {
    taken: Vec<Taken>,
    /// What else of the answer must not be told.
    secrets: Vec<Secret>,
}

#[derive(Clone, Debug, PartialEq)]
struct Taken {
    key: String,
    value: Option<Json>,
    origin: String,
    private: bool,
}

/// What is known of a key.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Found<'v> {
    /// Its value; none when it is not set.
    pub value: Option<&'v Json>,
    /// Where it comes from, or would have; none when nobody sets it.
    pub origin: Option<&'v str>,
    /// Whether the value must not be told: a session's cookie, say, or what stands under a name that speaks of a secret.
    pub private: bool,
}

// === impl Captures ===

impl Captures {
    /// Takes what is there; a key for which nothing is there stays unset.
    ///
    /// # Errors
    /// The body is needed and was cut, or is needed as JSON and is not, or is too large for a JSONPath.
    pub fn take(&self, answer: &Answer<'_>) -> Result<Values, Failure> {
        let one = |(key, capture): &(Placed<String>, Capture)| {
            Ok(Taken {
                key: key.value.clone(),
                value: capture.take(answer)?,
                origin: capture.to_string(),
                private: capture.is_private() || is_secret_name(&key.value),
            })
        };
        self.0.iter().map(one).collect::<Result<_, _>>().map(|taken| Values { taken, secrets: Vec::new() })
    }

    /// The keys, with where each is found.
    pub fn iter(&self) -> impl Iterator<Item = (&Placed<String>, &Capture)> {
        self.0.iter().map(|(key, capture)| (key, capture))
    }

    /// Whether there must be a body.
    pub fn needs_body(&self) -> bool {
        self.0.iter().any(|(_, capture)| capture.needs_body())
    }

    /// Whether the body must be JSON.
    pub fn needs_json(&self) -> bool {
        self.0.iter().any(|(_, capture)| capture.needs_json())
    }
}

impl Read for Captures {
    fn read(at: &At<'_>) -> Option<Self> {
        Map::read(at).map(|map| Self(map.0))
    }

    fn schema(definitions: &mut Definitions) -> Json {
        Map::<Capture>::schema(definitions)
    }
}

// === impl Values ===

impl Values {
    /// What is known of a key.
    pub fn get(&self, key: &str) -> Found<'_> {
        let taken = self.taken.iter().find(|taken| taken.key == key);
        taken.map_or_else(Found::default, |taken| Found {
            value: taken.value.as_ref(),
            origin: Some(&taken.origin),
            private: taken.private,
        })
    }

    /// What must not be told, wherever it stands.
    pub fn secrets(&self) -> Vec<Secret> {
        let mut secrets = self.secrets.clone();
        let private = self.taken.iter().filter(|taken| taken.private).filter_map(|taken| taken.value.as_ref());
        private.for_each(|value| texts(value, &mut secrets));
        secrets
    }

    /// Adds what else must not be told.
    pub fn hide(&mut self, secrets: impl IntoIterator<Item = Secret>) {
        self.secrets.extend(secrets);
    }

    /// The keys that were set, each with what is known of it.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Found<'_>)> {
        let set = self.taken.iter().filter(|taken| taken.value.is_some());
        set.map(|taken| (taken.key.as_str(), self.get(&taken.key)))
    }
}

/// The texts and numbers in a value, each a secret.
pub(crate) fn texts(value: &Json, found: &mut Vec<Secret>) {
    match value {
        Json::String(text) => found.push(Secret::new(text)),
        Json::Number(number) => found.push(Secret::new(number.to_string())),
        Json::Array(values) => values.iter().for_each(|value| texts(value, found)),
        Json::Object(fields) => fields.values().for_each(|value| texts(value, found)),
        Json::Null | Json::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};
    use probe_keys::{Entry, Findings, Node, Place, Text, Value};
    use serde_json::json;

    use super::*;

    fn node(value: Value) -> Node {
        Node { value, place: Place::default() }
    }

    fn mapping(entries: Vec<(&str, Value)>) -> Value {
        let entry = |(key, value): (&str, Value)| Entry { key: key.into(), place: Place::default(), node: node(value) };
        Value::Mapping(entries.into_iter().map(entry).collect())
    }

    fn text(text: &str) -> Value {
        Value::Text(Text::plain(text))
    }

    #[test]
    fn one_match_is_a_value_several_are_a_list_and_none_leaves_it_unset() {
        let from = |key: &'static str, value: Value| mapping(vec![(key, value)]);
        let written = node(mapping(vec![
            ("one", text("$.a")),
            ("many", text("$.b[*]")),
            ("none", text("$.c")),
            ("null", from("jsonpath", text("$.d"))),
            ("id", from("header", text("X-Id"))),
            ("ids", from("header", text("x-many"))),
            ("no_header", from("header", text("x-none"))),
            ("sid", from("cookie", text("sid"))),
            ("digits", from("regex", text("\"b\": *\\[([0-9])"))),
            ("status", from("status", Value::Bool(true))),
            ("body", from("body", Value::Bool(true))),
            ("api_token", text("$.e")),
        ]));
        let findings = Findings::default();
        let captures = Captures::read(&At::root(&written, &findings)).unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in [("x-id", "7"), ("x-many", "a"), ("x-many", "b"), ("set-cookie", "sid=s; Secure")] {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let body = r#"{"a": 1.5, "b": [1, true], "d": null, "e": ["x", {"f": 7}]}"#;
        let values = captures.take(&Answer::new(204, &headers, body.as_bytes())).unwrap();
        for (key, value, origin) in [
            ("one", json!(1.5), "from $.a"),
            ("many", json!([1, true]), "from $.b[*]"),
            ("null", json!(null), "from $.d"),
            ("id", json!("7"), "from header x-id"),
            ("ids", json!(["a", "b"]), "from header x-many"),
            ("sid", json!("s"), "from cookie sid"),
            ("digits", json!("1"), "from the body, by `\"b\": *\\[([0-9])`"),
            ("status", json!(204), "from the status"),
            ("body", json!(body), "from the body"),
        ] {
            let found = values.get(key);
            assert_eq!((found.value, found.origin, found.private), (Some(&value), Some(origin), key == "sid"), "{key}");
        }
        assert_eq!(values.get("none"), Found { value: None, origin: Some("from $.c"), private: false });
        assert_eq!(values.get("no_header").value, None);
        assert_eq!(values.get("nobody"), Found::default());
        assert!(values.get("api_token").private);
        let secrets: Vec<_> = values.secrets().iter().map(|secret| secret.expose().to_owned()).collect();
        assert_eq!(secrets, ["s", "x", "7"]);
        let certain: Vec<_> =
            captures.iter().filter(|(_, from)| from.is_certain()).map(|(key, _)| &key.value).collect();
        assert_eq!(certain, ["status", "body"]);
    }

    #[test]
    fn a_body_that_is_not_json_is_a_failure_only_where_json_is_needed() {
        let headers = HeaderMap::new();
        let answer = Answer::new(200, &headers, b"hello");
        let findings = Findings::default();
        let plain = node(mapping(vec![("word", mapping(vec![("regex", text("h.l"))]))]));
        let plain = Captures::read(&At::root(&plain, &findings)).unwrap();
        assert!(!plain.needs_json());
        assert_eq!(plain.take(&answer).unwrap().get("word").value, Some(&json!("hel")));
        let path = node(mapping(vec![("word", text("$.a"))]));
        let path = Captures::read(&At::root(&path, &findings)).unwrap();
        assert!(path.needs_json());
        assert!(path.take(&answer).unwrap_err().message.starts_with("the body (5 bytes) is not JSON"));
    }
}
