//! Text with fields in braces, filled from the keys of a run: Python's `str.format_map`, read when the program loads.
//!
//! Three things differ from Python 3.11, and a test compares all else with it:
//! * Booleans and null are written as JSON has them, at any depth: `true`, `false`, `null`. A boolean with a format spec
//!   is that text, too, unless the spec asks for a number (`{done:d}`).
//! * `{name.field}` is a field of a mapping, the same as `{name[field]}`.
//! * A width or precision goes up to 10,000; a whole number beyond 64 bits is read from JSON as one with a fraction.
//!
//! A list or a mapping inside a text is written as Python's `repr` of it.

mod field;
mod float;
mod number;
mod parse;
mod repr;
mod spec;

use thiserror::Error;

pub(crate) use self::field::Field;
use self::field::FieldSpec;
pub(crate) use self::{field::sort, repr::text};
pub use self::{parse::SyntaxError, spec::SpecError};
use crate::{Origin, Scope};

/// A template, ready to be filled.
#[derive(Clone, Debug)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
pub(crate) enum Part {
    Text(String),
    Field(Field),
}

/// A template that cannot be filled with the keys of this run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{field}`: {reason}")]
pub struct RenderError {
    /// The field, in its braces.
    pub field: String,
    /// Why not.
    pub reason: Reason,
}

/// Why a field cannot be filled. No reason holds a key's value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Reason {
    /// The key is not set in this run.
    #[error("key `{key}` is not set{}", to_set(.by))]
    Absent {
        /// The key.
        key: String,
        /// Who was to set it.
        by: Vec<Origin>,
    },
    /// A list or a text is shorter.
    #[error("there is no element {index} in a {sort} of {length}")]
    NoElement {
        /// Which was asked for, from 0.
        index: usize,
        /// `list` or `text`.
        sort: &'static str,
        /// How many there are.
        length: usize,
    },
    /// A mapping without this field.
    #[error("the mapping has no field `{0}`")]
    NoField(String),
    /// Nothing by this name.
    #[error("{1} has no field `{0}`")]
    NoAttribute(String, &'static str),
    /// A value that has no elements, or is asked for one by a name where it counts them.
    #[error("`{asked}` cannot be taken from {sort}")]
    NoElements {
        /// The brackets.
        asked: String,
        /// What the value is.
        sort: &'static str,
    },
    /// The spec does not go with the value.
    #[error(transparent)]
    Spec(SpecError),
    /// A value that goes with no spec at all.
    #[error("{0} cannot be written by a format spec: `!s` makes text of it first")]
    NoSpec(&'static str),
    /// A value that is more than one text, where one text goes.
    #[error("{0} cannot stand for a single value of a query or a form")]
    Several(&'static str),
    /// The value cannot stand at this place of a URL.
    #[error("key `{key}` holds {found}, which cannot stand in the {place} of a URL")]
    Url {
        /// The key.
        key: String,
        /// What is in the way.
        found: &'static str,
        /// The part of the URL.
        place: &'static str,
    },
}

// === impl Template ===

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// When `str.format_map` would refuse it whatever the keys hold.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        parse::parse(text).map(|parts| Self { parts })
    }

    /// Text with nothing to fill.
    pub(crate) fn plain(text: &str) -> Self {
        Self { parts: vec![Part::Text(text.to_owned())] }
    }

    /// The value of one key.
    pub(crate) fn key(name: &str) -> Self {
        Self { parts: vec![Part::Field(Field::of(name))] }
    }

    /// The keys it names, those in format specs included; one may come twice.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().flat_map(Part::keys)
    }

    /// The text itself, when there is nothing to fill.
    pub fn constant(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The text, filled.
    ///
    /// # Errors
    /// When a key is absent, or holds what the template cannot write.
    pub fn render(&self, scope: &Scope) -> Result<String, RenderError> {
        render(&self.parts, scope)
    }

    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }
}

// === impl Part ===

impl Part {
    pub(crate) fn keys(&self) -> Vec<&str> {
        let Self::Field(field) = self else { return Vec::new() };
        let mut keys = vec![field.key.as_str()];
        if let FieldSpec::Filled(parts) = &field.spec {
            keys.extend(parts.iter().flat_map(Self::keys));
        }
        keys
    }

    pub(crate) fn render(&self, scope: &Scope) -> Result<String, RenderError> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::Field(field) => field.render(scope),
        }
    }
}

fn render(parts: &[Part], scope: &Scope) -> Result<String, RenderError> {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Text(literal) => text.push_str(literal),
            Part::Field(field) => text.push_str(&field.render(scope)?),
        }
    }
    Ok(text)
}

fn to_set(by: &[Origin]) -> String {
    let by: Vec<String> = by.iter().map(|origin| format!("{origin} was to set it")).collect();
    if by.is_empty() { String::new() } else { format!(": {}", by.join(", or ")) }
}
