//! Templates from written text: syntax and keys checked, each mistake noted at its place.

use std::borrow::Cow;

use probe_keys::{At, Read, Text, Value as Written};

use crate::{Template, Visible};

impl Template {
    /// Reads a single value here as a template; a number or a boolean is text as it was written. Text that is exactly the
    /// name of a key of the user's own stands for that key, unless it came by substitution.
    pub fn value(at: &At<'_>, keys: &Visible<'_>) -> Option<Self> {
        match &at.node.value {
            Written::Number(_, written) => Some(Self::plain(written)),
            Written::Bool(value) => Some(Self::plain(&value.to_string())),
            Written::Text(text) if !text.is_secret() && keys.is_own(&text.text) => Some(Self::key(&text.text)),
            _ => Self::compile(at, keys),
        }
    }

    /// Reads the text here as a template of a step that sees these keys. Substituted values in it are text, never
    /// template: a brace in a password stays one.
    pub fn compile(at: &At<'_>, keys: &Visible<'_>) -> Option<Self> {
        let text = Text::read(at)?;
        let mistakes = match Self::parse(&literal(&text)) {
            Ok(template) => match keys.complaints(template.keys()) {
                none if none.is_empty() => return Some(template),
                unknown => unknown,
            },
            Err(error) => vec![(error.to_string(), None)],
        };
        for (reason, hint) in mistakes {
            match json_hint(&text.text).or(hint) {
                Some(hint) => at.wrong_with(reason, hint),
                None => at.wrong(reason),
            }
        }
        None
    }
}

/// The text with the braces of its substituted values doubled.
fn literal(text: &Text) -> Cow<'_, str> {
    let mut literal = Cow::Borrowed(text.text.as_str());
    for secret in text.secrets.iter().map(probe_core::Secret::expose) {
        if secret.contains(['{', '}']) {
            let doubled = secret.replace('{', "{{").replace('}', "}}");
            literal = Cow::Owned(literal.replace(secret, &doubled));
        }
    }
    literal
}

/// What to do instead, when the text is JSON.
fn json_hint(text: &str) -> Option<String> {
    let inside = text.trim_start().strip_prefix(['{', '['])?.trim_start();
    inside.starts_with(['"', '{', '[']).then(|| {
        "JSON as text needs `{{` and `}}` for its own braces: write the body as a mapping, and it is sent as JSON"
            .to_owned()
    })
}
