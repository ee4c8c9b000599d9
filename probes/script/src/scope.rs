//! The keys that a run holds, where each came from, and which of them may be shown.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use probe_core::Secret;
use probe_expect::Found;
use serde_json::Value;

use crate::{
    BuiltIn, InitKeys, Origin, Reason, Setters,
    mask::{self, Source},
    template,
};

/// How much of a value is shown, in characters.
const SHOWN: usize = 40;

/// The keys of one run.
#[derive(Debug)]
pub struct Scope {
    setters: Arc<Setters>,
    held: BTreeMap<String, Held>,
    run: Run,
    secrets: Vec<Secret>,
    /// What templates made of masked keys.
    made: Mutex<Vec<Secret>>,
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
    /// Who set it, in words.
    told: String,
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
        let mut scope = Self { setters, held: BTreeMap::new(), run, secrets: Vec::new(), made: Mutex::default() };
        for key in init.0.iter().filter(|key| key.known) {
            let source = if key.outside { Source::Private } else { Source::Written };
            scope.hold(&key.name, key.value.clone(), Origin::InitKeys, source);
        }
        scope
    }

    /// Sets a key that a step took from its answer; the last one to set it wins. What is `private` is masked whatever it
    /// looks like.
    pub fn set(&mut self, key: &str, value: Value, origin: Origin, private: bool) {
        self.hold(key, value, origin, if private { Source::Private } else { Source::Answered });
    }

    /// What an assertion finds of a key.
    pub(crate) fn find(&self, key: &str) -> Found<'_> {
        self.held.get(key).map_or_else(Found::default, |held| Found {
            value: Some(&held.value),
            origin: Some(&held.told),
            private: held.masked,
        })
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

    /// Every secret that the keys have come to hold since this was asked last: none of it may leave.
    pub fn take_secrets(&mut self) -> Vec<Secret> {
        let made = self.made.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.secrets.drain(..).chain(made.drain(..)).collect()
    }

    /// Notes what a template made of a key: of one that is masked, that is a secret, too.
    pub(crate) fn note_made(&self, key: &str, text: &str) {
        if self.held.get(key).is_some_and(|held| held.masked) {
            self.made.lock().unwrap_or_else(PoisonError::into_inner).push(Secret::new(text));
        }
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

    /// A key as a span tells it: `id = 17`, `token (812 bytes)`.
    pub(crate) fn told(&self, key: &str) -> String {
        match self.held.get(key) {
            None => key.to_owned(),
            Some(held) => match held.shown() {
                Some(shown) => format!("{key} = {shown}"),
                None => format!("{key} ({})", held.size()),
            },
        }
    }

    fn hold(&mut self, key: &str, value: Value, origin: Origin, source: Source) {
        let secrets = mask::secrets(key, &value, source);
        let masked = !secrets.is_empty();
        self.secrets.extend(secrets);
        let told = format!("set by {origin}");
        self.held.insert(key.to_owned(), Held { value, origin, masked, told });
    }
}

// === impl Held ===

impl Held {
    /// `key `id` = 17, set by step 2 from $.id`.
    fn tell(&self, key: &str) -> String {
        let told = &self.told;
        match (self.shown(), self.size()) {
            (None, size) => format!("key `{key}`, {told}, {size}"),
            (Some(shown), size) if shown.ends_with('…') => format!("key `{key}` = {shown}, {told}, {size}"),
            (Some(shown), _) => format!("key `{key}` = {shown}, {told}"),
        }
    }

    /// The beginning of the value; none when it is masked.
    fn shown(&self) -> Option<String> {
        let mut shown = (!self.masked).then(|| template::text(&self.value))?;
        if let Some((end, _)) = shown.char_indices().nth(SHOWN) {
            shown.truncate(end);
            shown.push('…');
        }
        Some(shown)
    }

    fn size(&self) -> String {
        match &self.value {
            Value::String(text) => format!("{} bytes", text.len()),
            Value::Array(values) => format!("a list of {}", values.len()),
            other => template::sort(other).to_owned(),
        }
    }
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value: &dyn std::fmt::Debug = if self.masked { &"[redacted]" } else { &self.value };
        f.debug_struct("Held").field("value", value).field("origin", &self.origin).finish_non_exhaustive()
    }
}
