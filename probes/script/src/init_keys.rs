//! `init_keys`: the keys a script begins with.

use probe_core::Secret;
use probe_keys::{At, Definitions, Read, Value as Written};
use serde_json::{Value, json};

use crate::mask::{self, Source};

/// The keys a script begins with, in written order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InitKeys(pub Vec<InitKey>);

/// One of them.
#[derive(Clone, Debug, PartialEq)]
pub struct InitKey {
    /// Its name.
    pub name: String,
    /// Its value, with its type.
    pub value: Value,
    /// Whether any of it came from outside of the file, by substitution.
    pub outside: bool,
    /// Whether its value is known; not where a substitution failed, which has been noted.
    pub known: bool,
}

impl Read for InitKeys {
    fn read(at: &At<'_>) -> Option<Self> {
        let Written::Mapping(entries) = &at.node.value else {
            at.expected("a mapping");
            return None;
        };
        let one = |entry: &probe_keys::Entry| {
            let here = at.key(&entry.key, &entry.node);
            let value = Value::read(&here)?;
            let mut outside = false;
            entry.node.value.texts(&mut |text| outside |= text.is_secret());
            let secrets = mask::secrets(&entry.key, &value, Source::Written);
            secrets.into_iter().for_each(|secret: Secret| at.findings().secret(secret));
            let known = at.findings().knows(&entry.node);
            Some(InitKey { name: entry.key.clone(), value, outside, known })
        };
        let read: Vec<Option<InitKey>> = entries.iter().map(one).collect();
        read.into_iter().collect::<Option<_>>().map(Self)
    }

    fn schema(_: &mut Definitions) -> Value {
        json!({"type": "object"})
    }
}
