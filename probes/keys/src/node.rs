//! A written value and its place.

use probe_core::Secret;
use serde_json::{Number, Value as Json};

/// A value as it stands in a file, with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What stands there.
    pub value: Value,
    /// Where it stands.
    pub place: Place,
}

/// Bytes `start..end` of one source; which file a source is, the loader knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The number of the source in the order of loading.
    pub source: u32,
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// What can be written.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing, or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, and how it was written (`1.10`).
    Number(Number, String),
    /// Text, after substitution.
    Text(Text),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in written order; no key stands twice.
    Mapping(Vec<Entry>),
}

/// Text, and what of it came from outside of the file.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Text {
    /// The whole text, substituted values included.
    pub text: String,
    /// The values that were substituted into it: secret unless the text is published by its meaning.
    pub secrets: Vec<Secret>,
}

/// A key and what it leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub place: Place,
    /// What it leads to.
    pub node: Node,
}

// === impl Value ===

impl Value {
    /// The sort of value, in words: "a list".
    pub const fn sort(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Number(..) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Mapping(_) => "a mapping",
        }
    }

    /// The same without places, as JSON has it.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Number(number, _) => Json::Number(number.clone()),
            Self::Text(text) => Json::String(text.text.clone()),
            Self::List(nodes) => nodes.iter().map(|node| node.value.to_json()).collect(),
            Self::Mapping(entries) => {
                Json::Object(entries.iter().map(|entry| (entry.key.clone(), entry.node.value.to_json())).collect())
            }
        }
    }

    /// Every text in it, at any depth.
    pub fn texts(&self, found: &mut impl FnMut(&Text)) {
        match self {
            Self::Text(text) => found(text),
            Self::List(nodes) => nodes.iter().for_each(|node| node.value.texts(found)),
            Self::Mapping(entries) => entries.iter().for_each(|entry| entry.node.value.texts(found)),
            Self::Null | Self::Bool(_) | Self::Number(..) => {}
        }
    }
}

// === impl Text ===

impl Text {
    /// Text that stands in the file as it is.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), secrets: Vec::new() }
    }

    /// Whether any of it came from outside of the file.
    pub const fn is_secret(&self) -> bool {
        !self.secrets.is_empty()
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_secret() { f.write_str("[redacted]") } else { self.text.fmt(f) }
    }
}
