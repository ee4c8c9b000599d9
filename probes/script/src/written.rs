//! What was written of a step: its form is checked when it is read, and its templates once it is known which keys each
//! step can name.

use std::marker::PhantomData;

use probe_keys::{At, Definitions, Findings, Node, Read, Spot};
use serde_json::Value as Json;

/// A value that has the form of a `T`, and the node it was read from.
#[derive(Clone, Debug)]
pub struct Written<T> {
    node: Node,
    path: String,
    form: PhantomData<T>,
}

// === impl Written ===

impl<T> Written<T> {
    /// The place it was read from.
    pub(crate) fn at<'a>(&'a self, findings: &'a Findings) -> At<'a> {
        At::root(&self.node, findings).under(self.path.as_str())
    }

    /// Where it stands.
    pub(crate) fn spot(&self) -> Spot {
        Spot { place: self.node.place, path: self.path.clone() }
    }
}

impl<T: Read> Read for Written<T> {
    const NULLABLE: bool = T::NULLABLE;

    fn read(at: &At<'_>) -> Option<Self> {
        T::read(at).map(|_| Self { node: at.node.clone(), path: at.path().to_owned(), form: PhantomData })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        T::schema(definitions)
    }
}
