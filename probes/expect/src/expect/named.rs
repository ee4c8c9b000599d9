//! What is expected of headers and of places in JSON: mappings whose keys are more than names.

use http::HeaderName;
use probe_core::{Failure, Secret};
use probe_keys::{At, Definitions, Entry, Map, Read, Spot, Value};
use serde_json::{Value as Json, json};

use crate::{
    Answer, Assertion, Found, JsonPath,
    capture::{find, is_private, one_or_many, speaks_of_a_secret},
    captures::texts,
};

/// Headers and what must hold of each.
#[derive(Clone, Debug)]
pub(super) struct Headers(Vec<(HeaderName, Assertion)>);

/// JSONPaths and what must hold of what stands there.
#[derive(Clone, Debug)]
pub(super) struct Paths(Vec<(JsonPath, Assertion)>);

// === impl Headers ===

impl Headers {
    pub(super) fn check(&self, answer: &Answer<'_>) -> Result<(), Failure> {
        self.0.iter().try_for_each(|(name, assertion)| {
            // A header that came several times is one list (RFC 9110, 5.3).
            let text = answer.header(name).reduce(|one, next| format!("{one}, {next}").into());
            let number = |text: &str| serde_json::from_str(text).ok().filter(Json::is_number);
            let value =
                text.map(|text| number(&text).filter(|_| assertion.wants_number()).unwrap_or_else(|| Json::from(text)));
            let origin = "from the answer's headers";
            assertion.check(
                &format!("header `{name}`"),
                Found { value: value.as_ref(), origin: Some(origin), private: is_private(name) },
            )
        })
    }
}

impl Read for Headers {
    fn read(at: &At<'_>) -> Option<Self> {
        named(at, |name| HeaderName::try_from(name).map_err(|_| format!("{name:?} is not a header's name"))).map(Self)
    }

    fn schema(definitions: &mut Definitions) -> Json {
        Map::<Assertion>::schema(definitions)
    }
}

// === impl Paths ===

impl Paths {
    pub(super) fn check(&self, answer: &Answer<'_>) -> Result<(), Failure> {
        self.0.iter().try_for_each(|(path, assertion)| {
            let value = one_or_many(find(path, answer)?.into_iter().cloned());
            let (path, origin) = (path.to_string(), format!("from {path}"));
            let private = speaks_of_a_secret(&path);
            assertion.check(&format!("`{path}`"), Found { value: value.as_ref(), origin: Some(&origin), private })
        })
    }
}

impl Paths {
    /// What stands at places whose names speak of a secret.
    pub(super) fn secrets(&self, answer: &Answer<'_>) -> Vec<Secret> {
        let mut secrets = Vec::new();
        let private = self.0.iter().filter(|(path, _)| speaks_of_a_secret(&path.to_string()));
        for value in private.filter_map(|(path, _)| find(path, answer).ok()).flatten() {
            texts(value, &mut secrets);
        }
        secrets
    }
}

impl Read for Paths {
    fn read(at: &At<'_>) -> Option<Self> {
        named(at, JsonPath::new).map(Self)
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let assertion = Assertion::schema(definitions);
        json!({"type": "object", "patternProperties": {"^\\$": assertion}, "additionalProperties": false})
    }
}

/// A mapping whose keys are more than names.
fn named<T>(at: &At<'_>, parse: impl Fn(&str) -> Result<T, String>) -> Option<Vec<(T, Assertion)>> {
    let Value::Mapping(entries) = &at.node.value else {
        at.expected("a mapping");
        return None;
    };
    let one = |entry: &Entry| {
        let here = at.key(&entry.key, &entry.node);
        let key = parse(&entry.key).map_err(|reason| {
            let spot = Spot { place: entry.place, path: here.path().to_owned() };
            at.findings().wrong(&spot, reason);
        });
        let assertion = Assertion::read(&here);
        Some((key.ok()?, assertion?))
    };
    let read: Vec<Option<_>> = entries.iter().map(one).collect();
    read.into_iter().collect()
}
