//! One field of a template: which key, what of it, and how it is written.

use std::borrow::Cow;

use serde_json::Value;

use super::{
    number, repr,
    spec::{Code, Spec},
};
use crate::{Reason, RenderError, Scope};

/// `{name[0].field!r:>10}`.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// As written, without its braces.
    pub(crate) written: String,
    pub(crate) key: String,
    pub(super) access: Vec<Access>,
    pub(super) conversion: Option<Conversion>,
    pub(super) spec: FieldSpec,
}

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// `[0]`: an element of a list, a letter of a text.
    Index(usize),
    /// `[name]`: a field of a mapping.
    Item(String),
    /// `.name`: the same. Python has attributes here, and values from JSON have none.
    Attribute(String),
}

/// What is made of the value first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conversion {
    Str,
    Repr,
    Ascii,
}

/// The part behind the colon.
#[derive(Clone, Debug)]
pub(super) enum FieldSpec {
    Absent,
    Fixed(Spec),
    /// With fields of its own: read when it has been filled.
    Filled(Vec<super::Part>),
}

// === impl Field ===

impl Field {
    /// A key, whole.
    pub(super) fn of(key: &str) -> Self {
        let (written, key) = (key.to_owned(), key.to_owned());
        Self { written, key, access: Vec::new(), conversion: None, spec: FieldSpec::Absent }
    }

    /// The value, written.
    pub(super) fn render(&self, scope: &Scope) -> Result<String, RenderError> {
        let fail = |reason| RenderError { field: format!("{{{}}}", self.written), reason };
        let value = self.value(scope).map_err(fail)?;
        let value = match self.conversion {
            None => value,
            Some(Conversion::Str) => Cow::Owned(Value::String(repr::text(&value))),
            Some(Conversion::Repr) => Cow::Owned(Value::String(repr::repr(&value))),
            Some(Conversion::Ascii) => Cow::Owned(Value::String(repr::ascii(&value))),
        };
        let filled;
        let spec = match &self.spec {
            FieldSpec::Absent => None,
            FieldSpec::Fixed(spec) => Some(spec),
            FieldSpec::Filled(parts) => match super::render(parts, scope)?.as_str() {
                "" => None,
                text => {
                    filled = Spec::parse(text).map_err(|error| fail(Reason::Spec(error)))?;
                    Some(&filled)
                }
            },
        };
        let text = match spec {
            None => repr::text(&value),
            Some(spec) => write(&value, spec).map_err(fail)?,
        };
        if spec.is_some() || self.conversion.is_some() {
            scope.note_made(&self.key, &text);
        }
        Ok(text)
    }

    fn value<'s>(&self, scope: &'s Scope) -> Result<Cow<'s, Value>, Reason> {
        let mut value = scope.get(&self.key)?;
        for access in &self.access {
            value = match value {
                Cow::Borrowed(value) => access.of(value)?,
                Cow::Owned(value) => Cow::Owned(access.of(&value)?.into_owned()),
            };
        }
        Ok(value)
    }
}

// === impl Access ===

impl Access {
    fn of<'v>(&self, value: &'v Value) -> Result<Cow<'v, Value>, Reason> {
        match (self, value) {
            (Self::Index(index), Value::Array(values)) => values
                .get(*index)
                .map(Cow::Borrowed)
                .ok_or(Reason::NoElement { index: *index, sort: "list", length: values.len() }),
            (Self::Index(index), Value::String(text)) => {
                let letter = text.chars().nth(*index).map(|letter| Cow::Owned(Value::String(letter.into())));
                letter.ok_or_else(|| Reason::NoElement { index: *index, sort: "text", length: text.chars().count() })
            }
            (Self::Index(index), Value::Object(_)) => Err(Reason::NoField(index.to_string())),
            (Self::Item(name), Value::Object(fields)) => {
                fields.get(name).map(Cow::Borrowed).ok_or_else(|| Reason::NoField(name.clone()))
            }
            (Self::Attribute(name), Value::Object(fields)) => {
                fields.get(name).map(Cow::Borrowed).ok_or_else(|| Reason::NoAttribute(name.clone(), "this mapping"))
            }
            (Self::Attribute(name), other) => Err(Reason::NoAttribute(name.clone(), sort(other))),
            (Self::Item(_) | Self::Index(_), other) => {
                Err(Reason::NoElements { asked: self.written(), sort: sort(other) })
            }
        }
    }

    fn written(&self) -> String {
        match self {
            Self::Index(index) => format!("[{index}]"),
            Self::Item(name) => format!("[{name}]"),
            Self::Attribute(name) => format!(".{name}"),
        }
    }
}

/// Writes a value by a spec.
fn write(value: &Value, spec: &Spec) -> Result<String, Reason> {
    let written = match value {
        Value::String(text) => spec.text(text),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), _, _) => number::integer(number.into(), spec),
            (_, Some(number), _) => number::integer(number.into(), spec),
            (_, _, Some(number)) => number::float(number, spec),
            (None, None, None) => spec.text(&number.to_string()),
        },
        // As JSON has it; only a number's type makes a number of it.
        Value::Bool(value) => match spec.code {
            None | Some(Code::Text) => spec.text(if *value { "true" } else { "false" }),
            Some(_) => number::integer((*value).into(), spec),
        },
        Value::Null | Value::Array(_) | Value::Object(_) => return Err(Reason::NoSpec(sort(value))),
    };
    written.map_err(Reason::Spec)
}

/// The sort of value, in words.
pub(crate) fn sort(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number with a fraction",
        Value::Number(_) => "a whole number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}
