//! Values from outside: `${env:NAME}`, `${env:NAME:-default}`, `${file:/path}`, and `$${` for a literal `${`.

use std::path::Path;

use probe_core::Secret;
use probe_keys::{Findings, Node, Spot, Text, Value, nearest};
use thiserror::Error;

use super::{
    environment::{Environment, Variable},
    source::{self, ReadError},
};

/// The largest file whose content becomes a value.
const LARGEST: u64 = 1 << 20;

/// Fills in every text of a document.
#[derive(Debug)]
pub(super) struct Substitution<'a> {
    /// Where variables come from.
    pub(super) environment: &'a Environment,
    /// What a relative path is relative to.
    pub(super) directory: &'a Path,
    /// Where mistakes go.
    pub(super) findings: &'a Findings,
}

#[derive(Debug, Error)]
enum SubstituteError {
    #[error("`${{` is not closed")]
    Open,
    #[error("`${{{0}}}` names no source of values")]
    Source(String),
    #[error("`{0}` is not a name of a variable")]
    Name(String),
    #[error("the variable {0} is not set")]
    Unset(String),
    #[error("the variable {0} is not UTF-8")]
    NotText(String),
    #[error("cannot take a value from {path}: {error}")]
    File { path: String, error: ReadError },
}

// === impl Substitution ===

impl Substitution<'_> {
    /// Fills in every text of this node, keys excepted.
    pub(super) fn fill(&self, node: &mut Node, path: &str) {
        match &mut node.value {
            Value::Text(text) if text.text.contains("${") => match self.text(&text.text) {
                Ok(filled) => *text = filled,
                Err(error) => {
                    let spot = Spot { place: node.place, path: path.to_owned() };
                    match error.hint() {
                        Some(hint) => self.findings.wrong_with(&spot, error.to_string(), hint),
                        None => self.findings.wrong(&spot, error.to_string()),
                    }
                    self.findings.unknown(node.place);
                }
            },
            Value::List(nodes) => {
                nodes.iter_mut().enumerate().for_each(|(index, node)| self.fill(node, &format!("{path}[{index}]")));
            }
            Value::Mapping(entries) => entries.iter_mut().for_each(|entry| {
                let dot = if path.is_empty() { "" } else { "." };
                self.fill(&mut entry.node, &format!("{path}{dot}{}", entry.key));
            }),
            Value::Text(_) | Value::Null | Value::Bool(_) | Value::Number(..) => {}
        }
    }

    fn text(&self, written: &str) -> Result<Text, SubstituteError> {
        let (mut filled, mut rest) = (Text::default(), written);
        while let Some(at) = rest.find("${") {
            let (before, after) = (&rest[..at], &rest[at + 2..]);
            if let Some(before) = before.strip_suffix('$') {
                filled.text.push_str(before);
                filled.text.push_str("${");
                rest = after;
                continue;
            }
            filled.text.push_str(before);
            let end = after.find('}').ok_or(SubstituteError::Open)?;
            let (value, secret) = self.value(&after[..end])?;
            filled.text.push_str(&value);
            if secret && !value.is_empty() {
                filled.secrets.push(Secret::new(value));
            }
            rest = &after[end + 1..];
        }
        filled.text.push_str(rest);
        Ok(filled)
    }

    /// The value of what stands between the braces, and whether it came from outside.
    fn value(&self, expression: &str) -> Result<(String, bool), SubstituteError> {
        match expression.split_once(':') {
            Some(("env", rest)) => {
                let (name, default) =
                    rest.split_once(":-").map_or((rest, None), |(name, default)| (name, Some(default)));
                let valid = |c: char| c.is_ascii_alphanumeric() || c == '_';
                if name.is_empty() || !name.chars().all(valid) || name.starts_with(|c: char| c.is_ascii_digit()) {
                    return Err(SubstituteError::Name(name.to_owned()));
                }
                match (self.environment.variable(name), default) {
                    (Variable::NotText, _) => Err(SubstituteError::NotText(name.to_owned())),
                    // As in a shell, the default also stands for a variable that is empty.
                    (Variable::Text(value), Some(default)) if value.is_empty() => Ok((default.to_owned(), false)),
                    (Variable::Text(value), _) => Ok((value, true)),
                    (Variable::Unset, Some(default)) => Ok((default.to_owned(), false)),
                    (Variable::Unset, None) => Err(SubstituteError::Unset(name.to_owned())),
                }
            }
            Some(("file", path)) => match source::read(&self.directory.join(path), LARGEST) {
                Ok(text) => Ok((without_newline(&text).to_owned(), true)),
                Err(error) => Err(SubstituteError::File { path: path.to_owned(), error }),
            },
            _ => Err(SubstituteError::Source(expression.to_owned())),
        }
    }
}

// === impl SubstituteError ===

impl SubstituteError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Open | Self::Source(_) => {
                let near = match self {
                    Self::Source(expression) => nearest(expression.split(':').next().unwrap_or(""), ["env", "file"]),
                    _ => None,
                };
                Some(match near {
                    Some(name) => format!("did you mean `${{{name}:…}}`?"),
                    None => {
                        "write ${env:NAME}, ${env:NAME:-default} or ${file:/path}, and $${ for a literal ${".to_owned()
                    }
                })
            }
            Self::Unset(name) => Some(format!("set it, or give a default: ${{env:{name}:-default}}")),
            Self::Name(_) | Self::NotText(_) | Self::File { .. } => None,
        }
    }
}

fn without_newline(text: &str) -> &str {
    text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(text)
}
