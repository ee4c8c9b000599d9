//! What must hold of keys.

use probe_core::Failure;
use probe_keys::{At, Definitions, Findings, Map, Placed, Read, nearest};
use serde_json::Value as Json;

use crate::{Assertion, Captures, Found};

/// Keys and what must hold of each.
#[derive(Clone, Debug)]
pub struct Assertions(Vec<(Placed<String>, Assertion)>);

// === impl Assertions ===

impl Assertions {
    /// Each key, and what is expected of it in words.
    pub fn texts(&self) -> impl Iterator<Item = (&Placed<String>, Vec<String>)> {
        self.0.iter().map(|(key, assertion)| (key, assertion.texts()))
    }

    /// Checks them in written order against what `find` knows of each key.
    ///
    /// # Errors
    /// The first that does not hold: what was expected, what was there, and where it came from.
    pub fn check<'v>(&self, find: impl Fn(&str) -> Found<'v>) -> Result<(), Failure> {
        self.0.iter().try_for_each(|(key, assertion)| assertion.check(&format!("`{}`", key.value), find(&key.value)))
    }

    /// Notes every assertion on a key that nothing sets, neither these captures nor anything `earlier`: it could never
    /// hold. False when there is one.
    pub fn are_on_keys(
        &self,
        captures: Option<&Captures>,
        earlier: impl Fn(&str) -> bool,
        findings: &Findings,
    ) -> bool {
        let set: Vec<&str> = captures.into_iter().flat_map(Captures::iter).map(|(key, _)| key.value.as_str()).collect();
        let wanted = self.0.iter().filter(|(_, assertion)| assertion.wants_value()).map(|(key, _)| key);
        let mut sound = true;
        for key in wanted.filter(|key| !set.contains(&key.value.as_str()) && !earlier(&key.value)) {
            let hint = match nearest(&key.value, set.iter().copied()) {
                Some(name) => format!("did you mean `{name}`?"),
                None => "add it to `set_keys`, with where its value comes from".to_owned(),
            };
            findings.wrong_with(&key.spot, format!("no `set_keys` sets `{}`", key.value), hint);
            sound = false;
        }
        sound
    }
}

impl Read for Assertions {
    fn read(at: &At<'_>) -> Option<Self> {
        Map::read(at).map(|map| Self(map.0))
    }

    fn schema(definitions: &mut Definitions) -> Json {
        Map::<Assertion>::schema(definitions)
    }
}
