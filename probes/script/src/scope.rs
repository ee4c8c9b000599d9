//! The keys that a run holds, where each came from, and which of them may be shown.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::SystemTime};

use probe_core::Secret;
use serde_json::Value;

use crate::{BuiltIn, InitKeys, Origin, Reason, Setters, mask, template};

/// How much of a value is shown, in characters.
const SHOWN: usize = 40;

/// The keys of one run.
#[derive(Debug)]
pub struct Scope {
    setters: Arc<Setters>,
    held: BTreeMap<String, Held>,
    run: Run,
    secrets: Vec<Secret>,
}

/// What a key holds.
#[derive(Clone, PartialEq)]
pub struct Held {
    /// The value, with its type.
    pub value: Value,
    /// Who set it.
    pub origin: Origin,
    /// Whether it must not be shown.
    pub masked: bool,
}

/// What is the run's own, from whoever starts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// What identifies it.
    pub id: String,
    /// Where this daemon stands, when the configuration says so.
    pub location: Option<String>,
    /// The time.
    pub now: SystemTime,
}

// === impl Scope ===

impl Scope {
    /// The keys before the first step.
    pub fn new(setters: Arc<Setters>, init: &InitKeys, run: Run) -> Self {
        let mut scope = Self { setters, held: BTreeMap::new(), run, secrets: Vec::new() };
        for key in &init.0 {
            scope.hold(&key.name, key.value.clone(), Origin::InitKeys, key.outside);
        }
        scope
    }

    /// Sets a key that a step took from its answer; the last one to set it wins.
    pub fn set(&mut self, key: &str, value: Value, origin: Origin) {
        self.hold(key, value, origin, false);
    }

    /// Sets the time that `now` tells.
    pub fn tell_time(&mut self, now: SystemTime) {
        self.run.now = now;
    }

    /// What a key of the script's own holds.
    pub fn held(&self, key: &str) -> Option<&Held> {
        self.held.get(key)
    }

    /// The value of a key.
    ///
    /// # Errors
    /// When it is not set, with who was to set it.
    pub(crate) fn get(&self, key: &str) -> Result<Cow<'_, Value>, Reason> {
        let own = self.held.get(key).map(|held| Cow::Borrowed(&held.value));
        // A built-in key does not stand in for one that the script was to set itself.
        let absent = || Reason::Absent { key: key.to_owned(), by: self.setters.of(key).cloned().collect() };
        own.or_else(|| match self.setters.of(key).next() {
            None => BuiltIn::find(key)?.value(&self.run).map(Cow::Owned),
            Some(_) => None,
        })
        .ok_or_else(absent)
    }

    /// Every secret that the keys have held so far: none of it may leave.
    pub fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    /// Where each of these keys came from, as a failure tells it: "key `token`, set by step 1 from $.access_token, 812
    /// bytes; key `id` = 17, set by step 2 from $.id".
    pub fn origins<'k>(&self, keys: impl IntoIterator<Item = &'k str>) -> String {
        let mut told: Vec<&str> = Vec::new();
        let mut sentences: Vec<String> = Vec::new();
        for key in keys {
            if let Some(held) = self.held.get(key).filter(|_| !told.contains(&key)) {
                told.push(key);
                sentences.push(held.tell(key));
            }
        }
        sentences.join("; ")
    }

    fn hold(&mut self, key: &str, value: Value, origin: Origin, outside: bool) {
        let secrets = mask::secrets(key, &value, outside);
        let masked = !secrets.is_empty();
        self.secrets.extend(secrets);
        self.held.insert(key.to_owned(), Held { value, origin, masked });
    }
}

// === impl Held ===

impl Held {
    fn tell(&self, key: &str) -> String {
        let size = match &self.value {
            Value::String(text) => format!("{} bytes", text.len()),
            Value::Array(values) => format!("a list of {}", values.len()),
            other => template::sort(other).to_owned(),
        };
        let origin = &self.origin;
        if self.masked {
            return format!("key `{key}`, set by {origin}, {size}");
        }
        let shown = template::text(&self.value);
        match shown.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("key `{key}` = {}…, set by {origin}, {size}", &shown[..end]),
            None => format!("key `{key}` = {shown}, set by {origin}"),
        }
    }
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value: &dyn std::fmt::Debug = if self.masked { &"[redacted]" } else { &self.value };
        f.debug_struct("Held").field("value", value).field("origin", &self.origin).finish_non_exhaustive()
    }
}
