//! What must hold of keys.

use probe_core::Failure;
use probe_keys::{At, Definitions, Map, Placed, Read};
use serde_json::Value as Json;

use crate::{Assertion, Found};

/// Keys and what must hold of each.
#[derive(Clone, Debug)]
pub struct Assertions(Vec<(Placed<String>, Assertion)>);

// === impl Assertions ===

impl Assertions {
    /// Checks them in written order against what `find` knows of each key.
    ///
    /// # Errors
    /// The first that does not hold: what was expected, what was there, and where it came from.
    pub fn check<'v>(&self, find: impl Fn(&str) -> Found<'v>) -> Result<(), Failure> {
        self.0.iter().try_for_each(|(key, assertion)| assertion.check(&format!("`{}`", key.value), find(&key.value)))
    }

    /// The keys that must be set: whoever knows which keys can be set finds a misspelt one before it is asked for.
    pub fn wanted(&self) -> impl Iterator<Item = &Placed<String>> {
        self.0.iter().filter(|(_, assertion)| assertion.wants_value()).map(|(key, _)| key)
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
