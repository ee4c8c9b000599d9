//! Values with templates in them, at any depth: the body of a request, its form, its query.

use probe_keys::{At, Value as Written};
use serde_json::{Map, Value};

use crate::{Reason, RenderError, Scope, Template, Visible};

/// A value in which every text is a template. Numbers, booleans, null and the names of fields are as they were written.
///
/// Text that is exactly the name of a key which the file sets before this step, without braces, stands for that key's
/// value with its type. A built-in key never does, nor does text that came by substitution.
#[derive(Clone, Debug)]
pub enum ValueTemplate {
    /// Nothing to fill.
    Constant(Value),
    /// The name of a key.
    Key(String),
    /// Text with fields.
    Text(Template),
    /// A list with something to fill.
    List(Vec<ValueTemplate>),
    /// A mapping with something to fill.
    Mapping(Vec<(String, ValueTemplate)>),
}

// === impl ValueTemplate ===

impl ValueTemplate {
    /// Reads the value here as one of a step that sees these keys; `None` when a mistake was noted.
    pub fn compile(at: &At<'_>, keys: &Visible<'_>) -> Option<Self> {
        match &at.node.value {
            Written::Text(text) if !text.is_secret() && keys.is_own(&text.text) => Some(Self::Key(text.text.clone())),
            Written::Text(_) => Template::compile(at, keys).map(|template| match template.constant() {
                Some(text) => Self::Constant(text.into()),
                None => Self::Text(template),
            }),
            Written::List(nodes) => {
                // Every element is read, also after a bad one: all mistakes at once.
                let each: Vec<Option<Self>> =
                    nodes.iter().enumerate().map(|(index, node)| Self::compile(&at.index(index, node), keys)).collect();
                let list = each.into_iter().collect::<Option<Vec<_>>>()?;
                Some(match constants(list.iter()) {
                    Some(values) => Self::Constant(values.into()),
                    None => Self::List(list),
                })
            }
            Written::Mapping(entries) => {
                let each: Vec<Option<(String, Self)>> = entries
                    .iter()
                    .map(|entry| {
                        let value = Self::compile(&at.key(&entry.key, &entry.node), keys)?;
                        Some((entry.key.clone(), value))
                    })
                    .collect();
                let fields = each.into_iter().collect::<Option<Vec<_>>>()?;
                Some(match constants(fields.iter().map(|(_, value)| value)) {
                    Some(values) => Self::Constant(
                        fields.into_iter().map(|(name, _)| name).zip(values).collect::<Map<_, _>>().into(),
                    ),
                    None => Self::Mapping(fields),
                })
            }
            other => Some(Self::Constant(other.to_json())),
        }
    }

    /// The value, filled.
    ///
    /// # Errors
    /// When a key is absent, or holds what a template cannot write.
    pub fn render(&self, scope: &Scope) -> Result<Value, RenderError> {
        let absent = |field: &str, reason: Reason| RenderError { field: field.to_owned(), reason };
        Ok(match self {
            Self::Constant(value) => value.clone(),
            Self::Key(key) => scope.get(key).map_err(|reason| absent(key, reason))?.into_owned(),
            Self::Text(template) => template.render(scope)?.into(),
            Self::List(list) => list.iter().map(|value| value.render(scope)).collect::<Result<Vec<_>, _>>()?.into(),
            Self::Mapping(fields) => {
                let filled = fields.iter().map(|(name, value)| Ok((name.clone(), value.render(scope)?)));
                filled.collect::<Result<Map<_, _>, _>>()?.into()
            }
        })
    }

    /// The keys it names; one may come twice.
    pub fn keys(&self) -> Vec<&str> {
        match self {
            Self::Constant(_) => Vec::new(),
            Self::Key(key) => vec![key],
            Self::Text(template) => template.keys().collect(),
            Self::List(list) => list.iter().flat_map(Self::keys).collect(),
            Self::Mapping(fields) => fields.iter().flat_map(|(_, value)| value.keys()).collect(),
        }
    }
}

/// The values, when there is nothing to fill in any of them.
fn constants<'v>(values: impl Iterator<Item = &'v ValueTemplate>) -> Option<Vec<Value>> {
    let constant = |value: &ValueTemplate| match value {
        ValueTemplate::Constant(value) => Some(value.clone()),
        _ => None,
    };
    values.map(constant).collect()
}
