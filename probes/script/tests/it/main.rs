//! What the templates of a script promise.

mod compile;
mod properties;
mod python;
mod scope;

use std::{sync::Arc, time::SystemTime};

use probe_core::Secret;
use probe_keys::{At, Entry, Findings, Node, Place, Text, Value as Written};
use probe_script::{InitKey, InitKeys, Run, Scope, Setters};
use serde_json::Value;

/// A value as it would be read from a file.
fn written(value: &Value) -> Node {
    let value = match value {
        Value::Null => Written::Null,
        Value::Bool(value) => Written::Bool(*value),
        Value::Number(number) => Written::Number(number.clone(), number.to_string()),
        Value::String(text) => Written::Text(Text::plain(text)),
        Value::Array(values) => Written::List(values.iter().map(written).collect()),
        Value::Object(fields) => {
            let entry = |(key, value): (&String, &Value)| Entry {
                key: key.clone(),
                place: Place::default(),
                node: written(value),
            };
            Written::Mapping(fields.iter().map(entry).collect())
        }
    };
    Node { value, place: Place::default() }
}

/// Text that came whole by substitution.
fn substituted(text: &str) -> Node {
    let value = Written::Text(Text { text: text.to_owned(), secrets: vec![Secret::new(text)] });
    Node { value, place: Place::default() }
}

/// `init_keys` as they would be read from a file.
fn init_keys(keys: &Value) -> InitKeys {
    let key = |(name, value): (&String, &Value)| InitKey {
        name: name.clone(),
        value: value.clone(),
        outside: false,
        known: true,
    };
    InitKeys(keys.as_object().into_iter().flatten().map(key).collect())
}

/// A run that holds just these keys.
fn scope(keys: &Value) -> Scope {
    let init = init_keys(keys);
    Scope::new(Arc::new(Setters::new(&init, true)), &init, run())
}

fn run() -> Run {
    let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(1_700_000_000_250);
    Run { id: "run-7".to_owned(), location: Some("fra".to_owned()), now }
}

/// What a reading gives, and what it complains about: path, reason and hint of each mistake.
fn read<T>(node: &Node, read: impl FnOnce(&At<'_>) -> Option<T>) -> (Option<T>, Vec<String>) {
    let findings = Findings::default();
    let value = read(&At::root(node, &findings));
    let told = findings
        .into_parts()
        .0
        .into_iter()
        .map(|problem| format!("{}: {} ({})", problem.spot.path, problem.reason, problem.hint.unwrap_or_default()));
    (value, told.collect())
}
