//! YAML text to raw values with their places; the only file that knows the reader.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_yaml::{
    Error, Location, Options, Spanned,
    budget::BudgetBreach,
    options::{DuplicateKeyPolicy, NonFiniteFloatPolicy},
};

/// Deepest nesting: a body may be deep, the stack is not.
pub(super) const DEEPEST: usize = 48;

/// Nodes that aliases may multiply a file to; without the bound a few lines become gigabytes.
const MOST_REPEATED: usize = 200_000;

/// A value as the reader has it; how it was written, its place tells.
#[derive(Debug)]
pub(super) enum Raw {
    /// Nothing, or `null`.
    Null,
    /// What YAML 1.1 may call a boolean.
    Bool(bool),
    /// A number.
    Number(Number),
    /// An infinity, or "not a number".
    NotFinite,
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Spanned<Raw>>),
    /// A mapping, aliases and merges resolved.
    Mapping(Vec<(Spanned<String>, Spanned<Raw>)>),
}

/// Why a text is no document.
#[derive(Debug)]
pub(super) struct Refusal {
    /// Where it stopped.
    pub(super) location: Option<Location>,
    /// What is wrong there.
    pub(super) reason: String,
    /// What to do.
    pub(super) hint: Option<&'static str>,
    /// Whether it is only that a key stands twice.
    pub(super) duplicate: bool,
}

struct RawVisitor;

/// Reads one document, in which a key stands twice only if that is `allowed`.
pub(super) fn read(text: &str, allowed: bool) -> Result<Spanned<Raw>, Refusal> {
    let duplicates = if allowed { DuplicateKeyPolicy::LastWins } else { DuplicateKeyPolicy::Error };
    serde_yaml::from_str_with_options(text, options(duplicates)).map_err(|error| {
        let (reason, hint) = reason(&error);
        let duplicate = matches!(error, Error::DuplicateMappingKey { .. });
        Refusal { location: error.location(), reason, hint, duplicate }
    })
}

fn options(duplicate_keys: DuplicateKeyPolicy) -> Options {
    serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_depth: DEEPEST,
            max_documents: 1,
            max_events: 4_000_000,
            max_nodes: 2_000_000,
            max_aliases: 100_000,
            max_merge_keys: 100_000,
            // Ten thousand checks may well share one anchor; `MOST_REPEATED` bounds what that costs.
            enforce_alias_anchor_ratio: false,
        },
        duplicate_keys: duplicate_keys,
        alias_limits: serde_yaml::alias_limits! { max_total_replayed_events: MOST_REPEATED },
        // As `PyYAML` reads them: `010` is eight.
        legacy_octal_numbers: true,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    }
}

/// What a reader's error means to whoever wrote the file.
fn reason(error: &Error) -> (String, Option<&'static str>) {
    match error {
        Error::MultipleDocuments { .. } | Error::Budget { breach: BudgetBreach::Documents { .. }, .. } => {
            ("a second document begins here".to_owned(), Some("one file holds one document: remove the `---`"))
        }
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => {
            (format!("nested deeper than {DEEPEST} levels"), None)
        }
        Error::Budget { breach, .. } => (format!("too much of one thing for a configuration: {breach:?}"), None),
        Error::AliasReplayLimitExceeded { .. } | Error::AliasExpansionLimitExceeded { .. } => {
            (format!("the aliases repeat more than {MOST_REPEATED} values"), Some("write it out, or use `defaults`"))
        }
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            ("this alias stands within its own anchor".to_owned(), None)
        }
        Error::AliasError { error, .. } => reason(error),
        Error::DuplicateMappingKey { .. } => ("this key stands twice".to_owned(), None),
        Error::NullIntoString { .. } | Error::Unexpected { expected: "string scalar", .. } => {
            ("a key must be text".to_owned(), None)
        }
        other => {
            let text = other.to_string();
            let text = text.split(" at line ").next().unwrap_or(&text);
            (format!("this is no YAML: {}", text.trim_start_matches("error: ")), None)
        }
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Number::from_f64(value).map_or(Raw::NotFinite, Raw::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Raw, E> {
        Ok(Raw::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = access.next_element()? {
            elements.push(element);
        }
        Ok(Raw::List(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Mapping(entries))
    }
}
