//! The keys of one mapping while they are taken.

use crate::{At, Entry, Properties, Read, Spot, Value, nearest};

/// A mapping whose keys are taken one by one; what is left at the end is unknown.
#[derive(Debug)]
pub struct Fields<'a> {
    at: At<'a>,
    entries: &'a [Entry],
    known: Vec<&'static str>,
    refused: Vec<&'static str>,
}

/// A set of keys, declared with [`keys!`](crate::keys!). Several sets can be taken from one mapping.
pub trait Keys: Sized {
    /// Takes these keys; `None` when a mistake was noted.
    fn take(fields: &mut Fields<'_>) -> Option<Self>;

    /// Adds these keys to a schema.
    fn properties(properties: &mut Properties<'_>);
}

// === impl Fields ===

impl<'a> Fields<'a> {
    /// The mapping here; anything else is a mistake.
    pub fn of(at: &At<'a>) -> Option<Self> {
        let Value::Mapping(entries) = &at.node.value else {
            at.expected("a mapping");
            return None;
        };
        Some(Self { at: at.clone(), entries, known: Vec::new(), refused: Vec::new() })
    }

    /// The mapping itself.
    pub const fn at(&self) -> &At<'a> {
        &self.at
    }

    /// What `key` leads to, `null` included; the key counts as known from now on.
    pub fn find(&mut self, key: &'static str) -> Option<At<'a>> {
        self.known.push(key);
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some(self.at.key(key, &entry.node))
    }

    /// A key that may be absent; an empty one counts as absent. The outer `None` is a mistake.
    #[allow(clippy::option_option)]
    pub fn optional<T: Read>(&mut self, key: &'static str) -> Option<Option<T>> {
        match self.find(key).filter(|at| T::NULLABLE || at.node.value != Value::Null) {
            Some(at) => T::read(&at).map(Some),
            None => Some(None),
        }
    }

    /// The same, where a mistake, once noted, counts as absence.
    #[allow(clippy::option_option)]
    pub fn lenient<T: Read>(&mut self, key: &'static str) -> Option<Option<T>> {
        Some(self.optional(key).flatten())
    }

    /// A key that must be there and hold something.
    pub fn required<T: Read>(&mut self, key: &'static str) -> Option<T> {
        match self.find(key) {
            Some(at) if at.node.value == Value::Null && !T::NULLABLE => {
                at.wrong(format!("`{key}` is empty"));
                None
            }
            Some(at) => T::read(&at),
            None => {
                self.at.wrong(format!("`{key}` is missing"));
                None
            }
        }
    }

    /// A whole set of keys out of this mapping; the name of the set is none of a key.
    pub fn flatten<K: Keys>(&mut self, _: &'static str) -> Option<K> {
        K::take(self)
    }

    /// Notes each of these keys that stands here and that nobody has asked for, with what `told` says of it (reason and
    /// hint): it is a key of another place.
    pub fn refuse(&mut self, keys: &[&'static str], told: impl Fn(&str) -> (String, String)) {
        for key in keys.iter().filter(|key| !self.known.contains(key)) {
            if let Some(entry) = self.entries.iter().find(|entry| entry.key == **key) {
                let spot = Spot { place: entry.place, path: self.at.key(key, &entry.node).path().to_owned() };
                let (reason, hint) = told(key);
                self.at.findings().wrong_with(&spot, reason, hint);
                self.refused.push(key);
            }
        }
    }

    /// Counts keys as known without taking them: somebody else does.
    pub fn known(&mut self, keys: &[&'static str]) {
        self.known.extend_from_slice(keys);
    }

    /// Notes every key that nobody asked for, with the nearest one that somebody did.
    pub fn finish(self) {
        let asked =
            |entry: &&Entry| ![&self.known, &self.refused].iter().any(|keys| keys.contains(&entry.key.as_str()));
        for entry in self.entries.iter().filter(|entry| asked(entry)) {
            let spot = Spot { place: entry.place, path: self.at.key(&entry.key, &entry.node).path().to_owned() };
            let reason = format!("unknown key `{}`", entry.key);
            let mut valid = self.known.clone();
            valid.sort_unstable();
            valid.dedup();
            let hint = match nearest(&entry.key, valid.iter().copied()) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("valid here: {}", valid.join(", ")),
            };
            self.at.findings().wrong_with(&spot, reason, hint);
        }
    }
}
