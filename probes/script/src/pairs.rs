//! Names and values of a query or a form, with templates in the values.

use probe_keys::{At, Value as Written};
use serde_json::Value;

use crate::{Reason, RenderError, Scope, ValueTemplate, Visible, template};

/// Names and values, ready to be filled. A value that turns out to be a list repeats its name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pairs(Vec<(String, ValueTemplate)>);

// === impl Pairs ===

impl Pairs {
    /// Reads the mapping here, of names to one value or a list of them; `None` when a mistake was noted.
    pub(crate) fn compile(at: &At<'_>, keys: &Visible<'_>) -> Option<Self> {
        let Written::Mapping(entries) = &at.node.value else { return Some(Self::default()) };
        let mut pairs = Vec::new();
        let mut sound = true;
        for entry in entries {
            let here = at.key(&entry.key, &entry.node);
            let places: Vec<At<'_>> = match &entry.node.value {
                Written::List(nodes) => nodes.iter().enumerate().map(|(index, node)| here.index(index, node)).collect(),
                _ => vec![here],
            };
            for place in places {
                // A number goes as it was written: `1.10` stays that.
                let value = match &place.node.value {
                    Written::Number(_, written) => Some(ValueTemplate::Constant(written.as_str().into())),
                    _ => ValueTemplate::compile(&place, keys),
                };
                sound &= value.is_some();
                pairs.extend(value.map(|value| (entry.key.clone(), value)));
            }
        }
        sound.then_some(Self(pairs))
    }

    /// Names and values, filled.
    ///
    /// # Errors
    /// When a key is absent, or holds what no single text can stand for.
    pub(crate) fn render(&self, scope: &Scope) -> Result<Vec<(String, String)>, RenderError> {
        let mut pairs = Vec::with_capacity(self.0.len());
        for (name, value) in &self.0 {
            match value.render(scope)? {
                Value::Array(values) => {
                    for value in &values {
                        pairs.push((name.clone(), single(name, value)?));
                    }
                }
                value => pairs.push((name.clone(), single(name, &value)?)),
            }
        }
        Ok(pairs)
    }

    /// The keys it names; one may come twice.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|(_, value)| value.keys())
    }
}

fn single(name: &str, value: &Value) -> Result<String, RenderError> {
    match value {
        Value::Array(_) | Value::Object(_) => {
            Err(RenderError { field: name.to_owned(), reason: Reason::Several(template::sort(value)) })
        }
        value => Ok(template::text(value)),
    }
}
