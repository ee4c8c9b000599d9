//! The types of JSON, by their names.

use std::fmt;

use probe_keys::{At, Definitions, Read, Value, nearest};
use serde_json::{Value as Json, json};

/// A type of JSON; a whole number is of both its types (JSON Schema 2020-12, validation, 6.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    String,
    Number,
    Integer,
    Boolean,
    Array,
    Object,
    Null,
}

// === impl Kind ===

impl Kind {
    pub(crate) const ALL: [Self; 7] =
        [Self::String, Self::Number, Self::Integer, Self::Boolean, Self::Array, Self::Object, Self::Null];

    /// The narrowest type of a value.
    pub(crate) fn of(value: &Json) -> Self {
        match value {
            Json::Null => Self::Null,
            Json::Bool(_) => Self::Boolean,
            Json::Number(number) if number.as_f64().is_some_and(|number| number.fract() == 0.0) => Self::Integer,
            Json::Number(_) => Self::Number,
            Json::String(_) => Self::String,
            Json::Array(_) => Self::Array,
            Json::Object(_) => Self::Object,
        }
    }

    /// Whether a value is of this type.
    pub(crate) fn is_of(self, value: &Json) -> bool {
        match self {
            Self::Number => value.is_number(),
            other => Self::of(value) == other,
        }
    }

    /// Whether a value can be of both.
    pub(crate) fn meets(self, other: Self) -> bool {
        self == other || matches!((self, other), (Self::Number, Self::Integer) | (Self::Integer, Self::Number))
    }

    /// As it is written.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Array => "array",
            Self::Object => "object",
            Self::Null => "null",
        }
    }
}

/// With its article, as it stands in a sentence.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let article = match self {
            Self::Integer | Self::Array | Self::Object => "an ",
            Self::Null => "",
            Self::String | Self::Number | Self::Boolean => "a ",
        };
        write!(f, "{article}{}", self.as_str())
    }
}

impl Read for Kind {
    /// `type: null` is written without quotes as often as with them.
    const NULLABLE: bool = true;

    fn read(at: &At<'_>) -> Option<Self> {
        if at.node.value == Value::Null {
            return Some(Self::Null);
        }
        let text = at.text()?;
        let kind = Self::ALL.into_iter().find(|kind| kind.as_str() == text.text);
        if kind.is_none() {
            let reason = format!("{:?} is not a type of JSON", text.text);
            let names = Self::ALL.map(Self::as_str);
            match nearest(&text.text, names) {
                Some(name) => at.wrong_with(reason, format!("did you mean `{name}`?")),
                None => at.wrong_with(reason, format!("one of {}", names.join(", "))),
            }
        }
        kind
    }

    fn schema(_: &mut Definitions) -> Json {
        let names = Self::ALL.iter().map(|kind| kind.as_str().into());
        json!({"enum": names.chain([Json::Null]).collect::<Vec<_>>()})
    }
}
