//! What must hold of a command's output as text.

use probe_core::{Failure, FailureClass};
use probe_expect::Pattern;
use probe_keys::{At, Definitions, OneOrMany, Read, Value};
use serde_json::{Value as Json, json};

/// What must hold of the output as text.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    value: Option<String>,
    contains: Vec<String>,
    not_contains: Vec<String>,
    matches: Option<Pattern>,
}

probe_keys::keys! {
    /// What must hold of the output.
    struct WrittenOutput {
        /// What it must be, but for line breaks at its end.
        optional value: String,
        /// What must stand in it: one text, or each of several.
        optional contains: OneOrMany<String>,
        /// What must not stand in it: one text, or none of several.
        optional not_contains: OneOrMany<String>,
        /// The regular expression that must match somewhere; `(?m)` lets `^` and `$` match at each line.
        optional matches: Pattern,
    }
}

// === impl Wanted ===

impl Wanted {
    /// Holds the output, without line breaks at its end, to it.
    pub(crate) fn check(&self, output: &str) -> Result<(), Failure> {
        let broken = |expected: String| {
            let message = format!("expected the output to {expected}, got {}", short(output));
            Err(Failure::new(FailureClass::Body, message).expected(expected, short(output)).origin("standard output"))
        };
        if let Some(value) = self.value.as_ref().filter(|value| value.trim_end_matches(['\n', '\r']) != output) {
            return broken(format!("be {value:?}"));
        }
        if let Some(text) = self.contains.iter().find(|text| !output.contains(text.as_str())) {
            return broken(format!("contain {text:?}"));
        }
        if let Some(text) = self.not_contains.iter().find(|text| output.contains(text.as_str())) {
            return broken(format!("be without {text:?}"));
        }
        match &self.matches {
            Some(pattern) if !pattern.is_match(output) => broken(format!("match `{pattern}`")),
            _ => Ok(()),
        }
    }
}

impl Read for Wanted {
    fn read(at: &At<'_>) -> Option<Self> {
        if let Value::Mapping(_) = at.node.value {
            let WrittenOutput { value, contains, not_contains, matches } = WrittenOutput::read(at)?;
            return Some(Self {
                value,
                contains: contains.map_or_else(Vec::new, |contains| contains.0),
                not_contains: not_contains.map_or_else(Vec::new, |contains| contains.0),
                matches,
            });
        }
        String::read(at).map(|value| Self { value: Some(value), ..Self::default() })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({"anyOf": [{"type": "string"}, WrittenOutput::schema(definitions)]})
    }
}

/// The first words of a text, quoted.
fn short(text: &str) -> String {
    const MOST: usize = 120;
    let mut beginning: String = text.chars().take(MOST).collect();
    if beginning.len() < text.len() {
        beginning.push('…');
    }
    format!("{beginning:?}")
}
