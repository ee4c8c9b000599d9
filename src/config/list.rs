//! A list that must hold something, and whose mistaken elements do not hide the others.

use probe_keys::{At, Definitions, Read, Value};
use serde_json::{Value as Json, json};

/// At least one element; those with a mistake, once it is noted, are left out.
#[derive(Clone, Debug)]
pub(super) struct List<T>(pub(super) Vec<T>);

impl<T: Read> Read for List<T> {
    // `null` is read so that it is called a mistake.
    const NULLABLE: bool = true;

    fn read(at: &At<'_>) -> Option<Self> {
        match &at.node.value {
            Value::List(nodes) if nodes.is_empty() => {
                at.wrong("the list is empty");
                None
            }
            Value::List(nodes) => {
                let read = nodes.iter().enumerate().filter_map(|(index, node)| T::read(&at.index(index, node)));
                Some(Self(read.collect()))
            }
            _ => {
                at.expected("a list");
                None
            }
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({"type": "array", "minItems": 1, "items": T::schema(definitions)})
    }
}
