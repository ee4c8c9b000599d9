//! What stands in a file, made of JSON and read.

use probe_keys::{At, Entry, Findings, Node, Place, Read, Text, Value};
use serde_json::Value as Json;

fn node(written: &Json) -> Node {
    let value = match written {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => Value::Number(number.clone(), number.to_string()),
        Json::String(text) => Value::Text(Text::plain(text)),
        Json::Array(elements) => Value::List(elements.iter().map(node).collect()),
        Json::Object(members) => {
            let entry =
                |(key, value): (&String, &Json)| Entry { key: key.clone(), place: Place::default(), node: node(value) };
            Value::Mapping(members.iter().map(entry).collect())
        }
    };
    Node { value, place: Place::default() }
}

/// What was written, or the first mistake in it.
pub(crate) fn read<T: Read>(written: &Json) -> Result<T, String> {
    let (node, findings) = (node(written), Findings::default());
    let read = T::read(&At::root(&node, &findings));
    read.ok_or_else(|| findings.problems()[0].reason.clone())
}
